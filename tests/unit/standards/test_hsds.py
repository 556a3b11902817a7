"""Open Referral packages: what is wrong in a real one is found, and what we write reads back equal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from samplads import extracts, i18n, publishing, settings
from samplads.__main__ import main
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.standards import hsds
from tests import small

REFERENCE = settings.ROOT / "data" / "reference"
REAL = settings.ROOT.parent / "shared" / "real" / "hsds-3.1"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the public HSDS 3.1 example package is not beside the project")

FULL = {
    **small.UNITS[0],
    "operator": 'Næstved "Kommune"; nord',
    "operator_kind": "municipal",
    "cvr": "29189625",
    "p_number": "1003298422",
    "lat": 55.2299,
    "lon": 11.7609,
    "age_from": 18,
    "age_to": 65,
    "single_person": True,
    "daily_rate_ore": 284505,
    "price_year": 2026,
    "assumed_occupancy_pct": 98.0,
    "notice_days": 30,
    "note": "=1+1\nanden linje",
}


@needs_real
def test_the_real_package_is_read_and_nothing_passes_silently() -> None:
    told = hsds.rules(REFERENCE)
    package = hsds.read(REAL, told)
    found = Counter(fault.rule for fault in hsds.faults(package, told))
    assert found["hsds_dangling_key"] == 7
    assert found["hsds_available_above_maximum"] == 1
    assert found["hsds_not_a_place"] == 1
    values = {fault.value for fault in hsds.faults(package, told)}
    assert "12 > 10" in values
    assert "Kilogram" in values
    frames = hsds.to_extracts(package, municipality="101")
    assert frames["unit"]["name"].to_list() == ["Community Counselling"]
    assert frames["capacity"].select("maximum", "accepting").rows() == [("10", "12")]


@needs_real
def test_what_we_write_keeps_what_the_published_descriptor_demands(tmp_path: Path) -> None:
    descriptor = json.loads((REAL / "datapackage.json").read_text(encoding="utf-8"))
    hsds.write(exported(), tmp_path)
    for resource in descriptor["resources"]:
        path = tmp_path / resource["path"]
        if not path.is_file():
            continue
        frame = pl.read_csv(path, infer_schema=False)
        for field in resource["schema"]["fields"]:
            constraints = field.get("constraints", {})
            if constraints.get("required"):
                assert frame[field["name"]].null_count() == 0, (resource["name"], field["name"])
            if field["name"] in frame.columns:
                told = frame[field["name"]].drop_nulls()
                if constraints.get("unique"):
                    assert told.is_unique().all()
                if "enum" in constraints:
                    assert set(told) <= set(constraints["enum"])
                if field["type"] == "number":
                    told.cast(pl.Float64)
                if field["type"] == "date":
                    told.str.to_date("%Y-%m-%d")


def frames() -> dict[str, pl.DataFrame]:
    return {
        "unit": small.frame("unit", [FULL, *small.UNITS[1:]]),
        "capacity": small.frame("capacity", [{**small.CAPACITY[0], "funded": 8, "confirmed_by": "afdelingsleder"}, *small.CAPACITY[1:]]),
        "target_group_approval": small.frame("target_group_approval", small.APPROVALS),
    }


def exported() -> dict[str, bytes]:
    ours = frames()
    groups = small.reference().target_group
    return hsds.export(ours["unit"], ours["capacity"], ours["target_group_approval"], groups, hsds.rules(REFERENCE))


@pytest.mark.parametrize("form", ["folder", "package.zip"])
def test_a_round_trip_is_equal(tmp_path: Path, form: str) -> None:
    target = tmp_path / form
    hsds.write(exported(), target)
    if target.is_file():
        import zipfile

        zipfile.ZipFile(target).extractall(tmp_path / "folder")
    told = hsds.rules(REFERENCE)
    package = hsds.read(tmp_path / "folder", told)
    assert hsds.faults(package, told) == []
    back = hsds.to_extracts(package)
    for extract, ours in frames().items():
        key = CONTRACTS[extract].primary_key()
        as_text = ours.with_columns(pl.selectors.boolean().cast(pl.String), pl.selectors.date().dt.to_string("%Y-%m-%d"))
        numbers = [name for name, kind in ours.schema.items() if kind.is_numeric()]
        read = back[extract].select(ours.columns).with_columns(pl.col(name).cast(ours.schema[name]) for name in numbers).sort(key)
        assert read.equals(as_text.sort(key)), extract


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    hsds.write(exported(), tmp_path / "a.zip")
    hsds.write(exported(), tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_each_fault_is_found_where_it_stands(tmp_path: Path) -> None:
    hsds.write(exported(), tmp_path)
    services = (tmp_path / "services.csv").read_text(encoding="utf-8").splitlines()
    services[1] = services[1].replace("active", "asleep", 1)
    (tmp_path / "services.csv").write_text("\n".join([*services, services[2]]) + "\n", encoding="utf-8")
    told = hsds.rules(REFERENCE)
    found = {(fault.table, fault.row, fault.column, fault.rule) for fault in hsds.faults(hsds.read(tmp_path, told), told)}
    assert found == {
        ("service", 2, "status", "hsds_choice"),
        ("service", 3, "id", "hsds_id_doubled"),
        ("service", 5, "id", "hsds_id_doubled"),
    }


def package(folder: Path, **files: str) -> Path:
    """A package of one service S1, and whatever else is given."""
    told = {"services": "id,organization_id,name,status\nS1,O,N,active\n"} | files
    (folder / "datapackage.json").write_text("{}", encoding="utf-8")
    for name, text in told.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def checked(folder: Path) -> tuple[dict[str, pl.DataFrame], list[tuple[str, str | None, str]]]:
    """The extracts that a package makes, and file, column and rule of what is wrong in it."""
    told = hsds.rules(REFERENCE)
    read = hsds.read(folder, told)
    return hsds.to_extracts(read, municipality="370"), [(fault.file, fault.column, fault.rule) for fault in hsds.faults(read, told)]


@pytest.mark.parametrize(
    ("amount", "rate"),
    [
        ("abc", None),
        ('"2.845,00"', None),
        ("nan", None),
        ("1_000", None),
        ("2845.5", "284550"),
        (" 5 ", "500"),
        ("1e3", "100000"),
        ("", None),
    ],
)
def test_a_rate_that_is_no_number_is_found_and_the_unit_has_none(tmp_path: Path, amount: str, rate: str | None) -> None:
    cost = f"id,service_id,amount,currency,amount_description\nC1,S1,{amount},DKK,day\n"
    frames, found = checked(package(tmp_path, cost_options=cost))
    assert frames["unit"].select("unit_id", "daily_rate_ore").rows() == [("S1", rate)]
    assert (("cost_options.csv", "amount", "hsds_number") in found) == (rate is None and bool(amount))
    publishing.check(tmp_path, folder=tmp_path / "none", values={"municipality": "370"})


def test_of_two_attributes_that_say_the_same_the_first_counts(tmp_path: Path) -> None:
    terms = [f"T{code},{code},{code},{code},samplads" for code in ("operator_kind", "as_of", "link_id", "name_right")]
    links = [
        ("S1", "service", "operator_kind", "municipal"),
        ("S1", "service", "operator_kind", "private"),
        ("S1", "service", "link_id", "x"),
    ]
    links += [("S1", "service", "name_right", "x"), ("C1", "service_capacity", "as_of", "2026-11-01")]
    links += [("C1", "service_capacity", "as_of", "2026-11-02"), ("C1", "service_capacity", "operator_kind", "x")]
    rows = [f"A{number},{link},T{code},{entity},{value}" for number, (link, entity, code, value) in enumerate(links)]
    frames, _ = checked(
        package(
            tmp_path,
            taxonomy_terms="\n".join(["id,code,name,description,taxonomy", *terms]) + "\n",
            attributes="\n".join(["id,link_id,taxonomy_term_id,link_entity,value", *rows]) + "\n",
            service_capacity="id,service_id,unit_id,available,maximum\nC1,S1,U,1,2\n",
        )
    )
    assert frames["unit"]["unit_id"].to_list() == ["S1"]
    assert frames["unit"]["operator_kind"].to_list() == ["municipal"]
    assert frames["capacity"]["as_of"].to_list() == ["2026-11-01"]


@pytest.mark.parametrize("header", ["id, id", "id,id", '"id ",id'])
def test_headers_that_stand_twice_are_a_finding(tmp_path: Path, header: str) -> None:
    capacity = f"{header},service_id,unit_id,available,maximum\nC1,C2,S1,U,1,2\n"
    frames, found = checked(package(tmp_path, service_capacity=capacity))
    assert ("service_capacity.csv", "id", "duplicate_header") in found
    assert frames["unit"].height == 1
    assert frames["capacity"].is_empty()
    told = publishing.check(tmp_path, folder=tmp_path / "none", values={"municipality": "370"})
    (finding,) = extracts.from_frame(told.findings.filter(pl.col("rule") == "duplicate_header"))
    assert (finding.file, finding.row, finding.column) == ("service_capacity.csv", 1, "id")


def test_a_table_with_a_header_twice_leaves_no_dangling_keys(tmp_path: Path) -> None:
    cost = "id,service_id,amount\nC1,S1,5\n"
    _, found = checked(package(tmp_path, services="id, id,name\nS1,S2,N\n", cost_options=cost))
    assert ("services.csv", "id", "duplicate_header") in found
    assert not [rule for _, _, rule in found if rule == "hsds_dangling_key"]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_what_is_no_package_is_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    (tmp_path / "unit.csv").write_text("unit_id;offer_id;name;municipality\nA-1;T-1;Eg;370\n", encoding="utf-8")
    assert main(["--language", language, "check", str(tmp_path), "--profile", "hsds", "--warehouse", str(tmp_path / "none")]) == 2
    told = capsys.readouterr()
    assert told.err.strip() == i18n.sentence(SampladsError("hsds_no_package"), language)
    assert told.out == ""
