"""The command answers on standard output, complains in one sentence on standard error, and tells by its exit code which it was."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from samplads import i18n, queries
from samplads.__main__ import LANGUAGES, main
from tests import small


def test_query_writes_all_rows_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    arguments = ["query", "capacity_totals", "--param", "as_of=2026-11-30", "--warehouse", str(tmp_path), "--format"]
    assert main([*arguments, "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"units": 3, "maximum": 24, "occupied": 19, "reserved": 1, "accepting": 3}]
    assert main([*arguments, "csv"]) == 0
    assert pl.read_csv(io.StringIO(capsys.readouterr().out))["maximum"].to_list() == [24]
    assert main([*arguments, "table"]) == 0
    assert "24" in capsys.readouterr().out


def test_query_without_a_name_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query"]) == 0
    assert "occupancy_by_unit" in capsys.readouterr().out


@pytest.mark.parametrize(("language", "words"), [("da", "findes ikke"), ("en", "There is no query")])
def test_an_unknown_query_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, words: str) -> None:
    assert main(["--language", language, "query", "no_such", "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_wrong_parameters_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    assert main(["query", "capacity_totals", "--param", "day=2026-11-01", "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "as_of" in told
    assert "day" in told


SLIPS = [
    ("capacity_totals", ["as_of=17-07-2020"], "as_of", ("2026-11-22", "2026-11-22")),
    ("capacity_totals", ["as_of=2020-13-01"], "as_of", ("dag", "day")),
    ("unit_detail", ["fresh_days=many"], "fresh_days", ("helt tal", "whole number")),
    ("unit_detail", ["fresh_days=1,5"], "fresh_days", ("helt tal", "whole number")),
    ("unit_detail", ["occupancy_pct=nan"], "occupancy_pct", ("12,5", "12.5")),
    ("vacant_units", ["all_groups=maybe"], "all_groups", ("true", "true")),
    ("candidates", ["weights=many"], "weights", ("JSON", "JSON")),
]


@pytest.mark.parametrize(("name", "given", "parameter", "form"), SLIPS)
@pytest.mark.parametrize("language", ["da", "en"])
def test_a_slip_in_a_parameter_is_one_sentence_with_the_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, name: str, given: list[str], parameter: str, form: tuple[str, str]
) -> None:
    small.publish(tmp_path)
    arguments = [part for text in given for part in ("--param", text)]
    assert main(["--language", language, "query", name, *arguments, "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert parameter in told.err
    assert form[language == "en"] in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_values_that_a_query_cannot_use_are_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    given = ["day=2026-11-01", f"ageing_days={2**40}", "expiry_days=60", "deviation_points=5"]
    arguments = [part for text in given for part in ("--param", text)]
    assert main(["query", "quality_issues", *arguments, "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "quality_issues" in told
    assert f"ageing_days={2**40}" in told
    assert "Traceback" not in told


def test_ids_stay_text_and_one_value_is_a_list_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbered = [small.UNITS[0] | {"unit_id": "100113"}, small.UNITS[1] | {"unit_id": "100032"}, small.UNITS[2] | {"unit_id": "007"}]
    need = {"need_id": "123", "municipality": "259", "registered_on": small.DAY}
    small.publish(tmp_path, small.archived({"unit": numbered, "need": [need]}))

    def asked(name: str, *given: str) -> list[dict[str, Any]]:
        arguments = [part for text in given for part in ("--param", text)]
        assert main(["query", name, *arguments, "--warehouse", str(tmp_path), "--format", "json"]) == 0
        answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return answer

    assert [row["unit_id"] for row in asked("units_by_id", "unit_ids=100113|100032")] == ["100032", "100113"]
    assert [row["unit_id"] for row in asked("units_by_id", "unit_ids=007")] == ["007"]
    assert asked("units_by_id", "unit_ids=") == []
    assert [row["need_id"] for row in asked("need_by_id", "need_id=123")] == ["123"]
    filters = ["day=2026-11-01", "lat=null", "lon=null", "fresh_days=30", "ageing_days=90", "places=all", "all_groups=true"]
    nothing = [f"{name}=null" for name in ("age", "support_level", "open_by", "max_km", "max_rate_ore")]
    empty = [f"{name}=" for name in ("offer_types", "operator_kinds", "night_covers", "freshness")]
    one = ["municipalities=259", f"groups={small.AUTISM}"]
    found = asked("vacant_units", *filters, *nothing, *empty, *one, "language=en", "occupancy_pct=98")
    assert [row["unit_id"] for row in found] == ["007"]


def test_every_parameter_of_a_query_has_a_form() -> None:
    used = set().union(*(queries.get(name).parameters for name in queries.names()))
    assert used == set(queries.FORMS)


def test_rollback_without_a_version_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    assert main(["rollback", "--warehouse", str(tmp_path)]) == 2
    assert "ingen tidligere version" in capsys.readouterr().err


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_publish_says_what_was_found_in_the_readers_language(tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    delivery = tmp_path / "november"
    delivery.mkdir()
    rows = "unit_id;offer_id;name;municipality;night_cover\nA-1;T-1;Eg;370;awake\nA-2;T-1;Elm;370;sometimes\n"
    (delivery / "unit.csv").write_text(rows, encoding="utf-8")
    assert main(["--language", language, "publish", str(delivery), "--warehouse", str(tmp_path / "warehouse")]) == 0
    told = capsys.readouterr().out
    assert i18n.text("deliveries.rules.unknown_choice.name", language) in told
    assert i18n.text("deliveries.severity.set_aside", language) in told
    assert "unknown_choice" not in told
    assert "set_aside" not in told


def test_a_language_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert LANGUAGES == i18n.LANGUAGES
    monkeypatch.setenv("SAMPLADS_LANGUAGE", "sv")
    assert main(["query"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "sv" in told.err
    assert "da, en" in told.err
    assert len(told.err.splitlines()) == 1
    assert main(["--language", "en", "query"]) == 0
    monkeypatch.setenv("SAMPLADS_LANGUAGE", "")
    assert main(["query"]) == 0


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("pointer", [None, "", "{}"])
def test_a_warehouse_that_cannot_be_used_is_one_sentence_for_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, pointer: str | None
) -> None:
    (tmp_path / "unit.csv").write_text("unit_id;offer_id;name;municipality\nA-1;T-1;Eg;370\n", encoding="utf-8")
    folder = tmp_path / "warehouse"
    if pointer is None:
        folder.write_text("a file", encoding="utf-8")
    else:
        folder.mkdir()
        (folder / "current.json").write_text(pointer, encoding="utf-8")
    for command in (["publish", str(tmp_path / "unit.csv")], ["check", str(tmp_path / "unit.csv")], ["rollback"], ["query", "unit_ids"]):
        assert main(["--language", language, *command, "--warehouse", str(folder)]) == 2
        told = capsys.readouterr()
        assert "warehouse" in told.err
        assert len(told.err.splitlines()) == 1
        assert told.out == ""
