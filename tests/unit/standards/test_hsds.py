"""Open Referral packages: what is wrong in a real one is found, and what we write reads back equal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from samplads import settings
from samplads.contracts import CONTRACTS
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
