"""A profile maps an export by SELECTs that can read the delivery and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from samplads import profiles
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
