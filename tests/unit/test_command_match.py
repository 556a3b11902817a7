"""`samplads match` on a small warehouse: the same answer as the library, in JSON and in words, and one sentence for every mistake."""

import datetime as dt
import json

import pytest

from samplads import loading
from samplads.__main__ import main
from samplads.errors import SampladsError
from samplads.matching.ranking import match
from tests import small

DAY = small.DAY
NEEDS = [
    {"need_id": "N-1", "municipality": "259", "registered_on": DAY, "target_groups": [small.AUTISM], "least_night_cover": "awake"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warehouse")
    approved = [unit | {"approval_status": "approved", "daily_rate_ore": 250_000, "price_year": 2026} for unit in small.UNITS]
    rows = {"unit": approved, "capacity": small.CAPACITY, "target_group_approval": small.APPROVALS, "need": NEEDS}
    # Demonstration data have a day of their own; real data would be read on the clock's.
    small.publish(folder, small.archived(rows, synthetic=True))
    return folder


def asked(folder, *arguments):
    return main(["match", "--warehouse", str(folder), *arguments])


def test_the_json_has_every_part_and_accounts_for_every_unit(folder, capsys):
    assert asked(folder, "--municipality", "259", "--target-group", small.AUTISM, "--night-cover", "sleeping", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["units"] == sum(told["counts"].values()) == 3
    assert [hit["unit_id"] for hit in told["hits"]] == ["A-1"]
    assert sum(told["hits"][0]["points_by_rule"].values()) == told["hits"][0]["points"]
    assert [(unit["unit_id"], unit["unknown"]) for unit in told["needs_assessment"]] == [("B-1", ["target_group", "night_cover"])]
    assert told["excluded"]["target_group"] == {"failed": 0, "only_this": 0}, "developmental disorders cover autism"
    assert told["excluded"]["open_place"] == {"failed": 1, "only_this": 1}
    assert [(miss["unit_id"], miss["rule"], miss["by"], miss["relaxable"]) for miss in told["near_misses"]] == [
        ("A-2", "open_place", 1, False)
    ]


def test_a_need_of_the_warehouse_is_matched_as_the_library_does(folder, capsys):
    assert asked(folder, "--need", "N-1", "--format", "json", "--top", "1") == 0
    told = json.loads(capsys.readouterr().out)
    places, today = loading.places(folder), loading.as_of(folder)
    result = match(
        loading.need("N-1", folder), places, loading.weights(today), as_of=today, municipalities=loading.municipalities(folder), top=1
    )
    assert told == json.loads(json.dumps(result.to_json()))
    assert told["need_id"] == "N-1"
    assert today == DAY


@pytest.mark.parametrize(
    ("language", "words"), [("da", ["1 afdeling passer", "Hvorfor ikke?", "målgruppe"]), ("en", ["1 unit fits", "Why not?"])]
)
def test_the_table_speaks(folder, capsys, language, words):
    assert main(["--language", language, "match", "--warehouse", str(folder), "--need", "N-1", "--max-rate", "2600"]) == 2
    assert main(["--language", language, "match", "--warehouse", str(folder), "--need", "N-1"]) == 0
    told = capsys.readouterr().out
    for word in words:
        assert word in told


def test_the_table_lists_near_misses_and_questions_and_says_when_nothing_fits(folder, capsys):
    assert asked(folder, "--municipality", "259", "--max-rate", "2400", "--from", "2026-12-01") == 0
    told = capsys.readouterr().out
    assert "Ingen afdeling passer" in told
    assert "Takst: 3" in told
    assert "5 % for dyr" in told
    assert asked(folder, "--municipality", "259", "--from", "2026-12-01") == 0
    assert "Fra hvilken dag kan borgeren flytte ind?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--need", "N-9"], "N-9"),
        (["--need", "N-1", "--age", "20", "--from", "2026-12-01"], "--age, --from"),
        ([], "--municipality"),
        (["--municipality", "000"], "000"),
        (["--municipality", "259", "--wish-near", "000"], "000"),
        (["--municipality", "259", "--located-in", "000"], "000"),
        (["--municipality", "259", "--target-group", "autism"], "autism"),
        (["--municipality", "259", "--offer-type", "A1"], "A1"),
        (["--municipality", "259", "--current-unit", "Z"], "Z"),
    ],
)
def test_a_mistake_is_one_sentence(folder, capsys, arguments, words):
    assert asked(folder, *arguments) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


@pytest.mark.parametrize("arguments", [["--max-km", "-1"], ["--max-rate", "nan"], ["--age", "-2"], ["--from", "1.1.2027"], ["--top", "x"]])
def test_a_value_that_cannot_be_read_is_a_usage_error(folder, arguments):
    with pytest.raises(SystemExit):
        asked(folder, "--municipality", "259", *arguments)


def test_amounts_are_read_with_a_comma_and_limits_go_with_a_need(folder, capsys):
    assert asked(folder, "--municipality", "259", "--max-rate", "2499,99", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["excluded"]["price"]["failed"] == 3
    assert (
        asked(folder, "--need", "N-1", "--located-in", "259", "--operator-kind", "private", "--reference-rate", "2000", "--format", "json")
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["excluded"]["area"]["failed"] == 2


def test_today_can_be_another_day(folder, capsys):
    assert asked(folder, "--need", "N-1", "--as-of", "2027-06-01", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["as_of"] == "2027-06-01"
    assert told["hits"][0]["freshness"] == "stale"


def test_places_are_laid_out_once_per_version(folder):
    assert loading.places(folder) is loading.places(folder)
    assert "259" in loading.municipality_codes(folder)
    assert "A108" in loading.offer_type_codes(folder)


def test_an_edited_rule_holds_from_the_next_reading_on(tmp_path, monkeypatch):
    source = loading.settings.read().rules
    for name in ("matching", "freshness"):
        (tmp_path / f"{name}.yaml").write_text((source / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("SAMPLADS_RULES", str(tmp_path))
    assert loading.freshness(DAY).fresh_days == 30
    text = (tmp_path / "freshness.yaml").read_text(encoding="utf-8")
    (tmp_path / "freshness.yaml").write_text(text.replace("value: 30", "value: 14"), encoding="utf-8")
    assert loading.weights(DAY).freshness.fresh_days == 14
    (tmp_path / "matching.yaml").unlink()
    with pytest.raises(SampladsError, match="policy_missing"):
        loading.weights(DAY)
    with pytest.raises(SampladsError, match="policy_not_in_force"):
        loading.freshness(dt.date(1999, 1, 1))
