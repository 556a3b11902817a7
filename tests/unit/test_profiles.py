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
