"""A profile maps an export by SELECTs that can read the delivery and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from samplads import i18n, profiles, publishing
from samplads.errors import SampladsError
from tests import small


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    folder.mkdir()
    (folder / "houses.csv").write_text("id;name;beds\nH1;First house;1.046\n", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("a\nb\n", encoding="utf-8")
    return folder


def profile(tmp_path: Path, **files: str) -> str:
    folder = tmp_path / "profile"
    folder.mkdir(exist_ok=True)
    for extract, sql in files.items():
        (folder / f"{extract}.sql").write_text(sql, encoding="utf-8")
    return str(folder)


def test_a_folder_is_a_profile_and_takes_parameters(delivery: Path, tmp_path: Path) -> None:
    sql = (
        "select id as unit_id, id as offer_id, name, getvariable('municipality') as municipality "
        "from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true)"
    )
    frames = profiles.run(profile(tmp_path, unit=sql), delivery, small.reference(), {"municipality": "370"})
    assert frames["unit"].rows() == [("H1", "H1", "First house", "370")]


def test_the_reference_is_at_hand(delivery: Path, tmp_path: Path) -> None:
    frames = profiles.run(
        profile(tmp_path, unit="select code as municipality from municipality where name = 'Køge';"), delivery, small.reference(), {}
    )
    assert frames["unit"]["municipality"].to_list() == ["259"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv(getvariable('delivery') || '/../secret.csv')",
        "select * from read_text('/etc/hostname')",
        "select * from glob('/etc/*')",
        "copy (select 1) to 'x.csv'",
        "with w as (copy (select 1) to '{folder}/x.csv') select 1",
        "select 1; select 2",
        "attach '{folder}/new.duckdb'",
        "set variable delivery = '/'",
        "not sql at all",
        "",
    ],
)
def test_it_reads_nothing_else_and_writes_nowhere(delivery: Path, tmp_path: Path, sql: str) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    folder = profile(tmp_path, unit=sql.format(folder=delivery))
    with pytest.raises(SampladsError, match="profile_"):
        profiles.run(folder, delivery, small.reference(), {})
    assert sorted(path.name for path in tmp_path.rglob("*") if "profile" not in path.parts[-2:] and path.name != "unit.sql") == [
        name for name in before if name not in {"profile", "unit.sql"}
    ]


def test_an_unknown_profile_names_those_that_exist(delivery: Path) -> None:
    with pytest.raises(SampladsError) as caught:
        profiles.run("nowhere", delivery, small.reference(), {})
    assert "florida_beds" in str(caught.value)


def test_a_parameter_needs_a_plain_name(delivery: Path, tmp_path: Path) -> None:
    with pytest.raises(SampladsError, match="profile_parameter"):
        profiles.run(profile(tmp_path, unit="select 1"), delivery, small.reference(), {"a; drop": "1"})


HOUSES = (
    "select id as unit_id, id as offer_id, name, '370' as municipality, parse_filename(filename) as _file "
    "from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true, filename = true)"
)


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-8-sig", "utf-8"])
def test_files_of_old_encodings_and_names_are_read(delivery: Path, tmp_path: Path, codec: str) -> None:
    (delivery / "houses.csv").unlink()
    (delivery / os.fsdecode("huse på øen.csv".encode("cp1252"))).write_bytes("id;name\nH1;Åhuset på øen\n".encode(codec))
    checked = publishing.check(delivery, profile=profile(tmp_path, unit=HOUSES), folder=tmp_path / "none")
    assert checked.frames["unit"].collect()["name"].to_list() == ["Åhuset på øen"]
    told = checked.findings.filter(checked.findings["rule"] != "table_not_used").select("file", "rule").rows()
    assert told == ([("huse på øen.csv", "encoding_corrected")] if codec == "cp1252" else [])


def test_a_link_is_not_read_by_a_profile_either(delivery: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id;name;beds\nS1;Elsewhere;1\n", encoding="utf-8")
    (delivery / "linked.csv").symlink_to(tmp_path / "secret.csv")
    checked = publishing.check(delivery, profile=profile(tmp_path, unit=HOUSES), folder=tmp_path / "none")
    assert checked.frames["unit"].collect()["unit_id"].to_list() == ["H1"]
    assert ("linked.csv", "file_not_used") in checked.findings.select("file", "rule").rows()


def test_an_empty_file_beside_is_told_and_refuses_nothing(delivery: Path, tmp_path: Path) -> None:
    (delivery / "notes.txt").write_bytes(b"")
    checked = publishing.check(delivery, profile=profile(tmp_path, unit=HOUSES), folder=tmp_path / "none")
    assert checked.counts["accepted"].sum() == 1
    assert checked.findings.select("file", "rule").rows() == [("notes.txt", "empty_file")]


def test_why_a_profile_failed_is_told_in_the_readers_language(delivery: Path, tmp_path: Path) -> None:
    with pytest.raises(SampladsError) as told:
        publishing.check(delivery, profile=profile(tmp_path, unit=HOUSES.replace("name,", "nam,")), folder=tmp_path / "none")
    said = i18n.sentence(told.value, "da")
    assert "Kontrollér, at leverancen har de filer, kolonner og værdier" in said
    assert said.endswith("]")
    assert "nam" in said[said.index("[") :]


@pytest.mark.parametrize("value", ["interval 1 day", "1::union(a int, b varchar)", "{'a': [interval 1 day]}", "1::variant", "1::bignum"])
def test_a_column_that_no_frame_can_hold_is_named(delivery: Path, tmp_path: Path, value: str) -> None:
    with pytest.raises(SampladsError, match="profile_type") as told:
        profiles.run(profile(tmp_path, unit=f"select 'A' as unit_id, {value} as wait"), delivery, small.reference(), {})
    assert told.value.values["column"] == "wait"
    assert all("wait" in i18n.sentence(told.value, language) for language in i18n.LANGUAGES)


@pytest.mark.parametrize(
    "value", ["uuid()", "'101'::bit", "timetz '10:00:00+01'", "map {'interval': 1}", "'a'::enum('a', 'union')", "null"]
)
def test_every_other_type_is_read(delivery: Path, tmp_path: Path, value: str) -> None:
    frames = profiles.run(profile(tmp_path, unit=f"select {value} as told"), delivery, small.reference(), {})
    assert frames["unit"].shape == (1, 1)


def test_a_profile_that_is_no_text_is_a_sentence(delivery: Path, tmp_path: Path) -> None:
    folder = Path(profile(tmp_path))
    (folder / "unit.sql").write_bytes("select 'Øen' as name".encode("cp1252"))
    with pytest.raises(SampladsError, match="profile_unreadable"):
        profiles.run(str(folder), delivery, small.reference(), {})
    (folder / "unit.sql").write_bytes("select 'Øen' as name".encode("utf-8-sig"))
    assert profiles.run(str(folder), delivery, small.reference(), {})["unit"].rows() == [("Øen",)]


@pytest.mark.parametrize("name", ["select", "from", "order", "table", "user"])
def test_a_parameter_may_be_called_as_a_word_of_the_language(delivery: Path, tmp_path: Path, name: str) -> None:
    sql = profile(tmp_path, unit=f"select getvariable('{name}') as told")
    assert profiles.run(sql, delivery, small.reference(), {name: "1"})["unit"].rows() == [("1",)]


CELLS = [
    "Jens Hansen",
    "Jens 'O' Hansen",
    'Jens "O" Hansen',
    "Jens\nHansen",
    "Jens\n\nLINE 1: 'Hansen",
    "'Jens' Hansen",
    '{"Jens": Hansen}',
]
ASKED = ["b::int", "b::date", "b::decimal(4, 2)", "b::timestamp", "b::json", "b::int[]", "b::uuid", "b::boolean", "error(b)"]
ASKED += ["strptime(b, '%Y')", "regexp_matches('a', '(' || b)", "date_part(b, date '2026-01-01')", "format('{' || b, 1)", "b::enum('a')"]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("cell", CELLS)
def test_why_a_profile_failed_never_tells_what_stood_in_a_cell(delivery: Path, tmp_path: Path, cell: str, asked: str) -> None:
    (delivery / "houses.csv").write_text(cell, encoding="utf-8")
    sql = f"select {asked} as told from (select content as b from read_text(getvariable('delivery') || '/houses.csv'))"
    try:
        profiles.run(profile(tmp_path, unit=sql), delivery, small.reference(), {})
    except SampladsError as error:
        said = i18n.sentence(error, "en")
        assert "Jens" not in said
        assert "Hansen" not in said
        assert "LINE" not in said
        assert "Error" in said[said.index("[") :]
    else:
        assert cell == '{"Jens": Hansen}' or asked.startswith("regexp"), "nothing failed"


def test_why_a_profile_failed_tells_the_type_the_column_and_the_line(delivery: Path, tmp_path: Path) -> None:
    def reason(sql: str) -> str:
        with pytest.raises(SampladsError, match="profile_failed") as told:
            profiles.run(profile(tmp_path, unit=sql), delivery, small.reference(), {})
        return str(told.value.values["reason"])

    rows = "from (values ('Jens Hansen')) as told (b)"
    assert reason(f"select b::int as told {rows}") == "Conversion Error: Could not convert string, column b"
    assert (
        reason("select 777777::int::tinyint as told")
        == "Conversion Error: Type INT32 with value … cannot be cast because the value is out of range for the destination type INT8"
    )
    assert reason(f"select c {rows}").startswith('Binder Error: Referenced column "c" not found')
    assert reason("select error('The file houses.csv has no beds') as told").endswith("The file houses.csv has no beds")
    (delivery / "houses.csv").write_text("id;beds\nH1;1\nH2;Jens Hansen\n", encoding="utf-8")
    read = "read_csv(getvariable('delivery') || '/*.csv', delim = ';', header = true, columns = {'id': 'varchar', 'beds': 'int'})"
    told = reason(f"select * from {read}")
    assert "CSV Error on Line: 3" in told
    assert '"beds"' in told
    assert "Jens" not in told
