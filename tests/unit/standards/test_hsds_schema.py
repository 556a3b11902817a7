"""What we export, held against the published table descriptions of HSDS 3.1 by a validator that is not ours."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from samplads import settings
from samplads.standards import hsds
from tests.unit.standards.test_hsds import exported

frictionless = pytest.importorskip("frictionless")

SAMPLE = Path(__file__).parents[2] / "samples" / "hsds-3.1" / "datapackage.json"
"""The published descriptor without its descriptions; see the README beside it."""
REAL = settings.ROOT.parent / "shared" / "real" / "hsds-3.1" / "datapackage.json"
LEFT_OUT = {"service_capacity": ("id", "available", "maximum", "updated"), "unit": ("id", "name", "scheme", "identifier")}
"""Columns of the standard (as its own example package has them) that the published descriptor leaves out of two tables."""


def resources(descriptor: Path) -> dict[str, dict[str, Any]]:
    told: dict[str, Any] = json.loads(descriptor.read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in told["resources"]}


def fields(resource: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a table by name, with what the descriptor leaves out and the columns of ours."""
    told = {
        field["name"]: {key: field[key] for key in ("name", "type", "format", "constraints") if key in field}
        for field in resource["schema"]["fields"]
    }
    table = hsds.rules(settings.ROOT / "data" / "reference")["tables"].get(resource["name"], {})
    more = (*LEFT_OUT.get(resource["name"], ()), *table.get("ours", ()))
    number = set(table.get("numbers", ()))
    return {**{name: {"name": name, "type": "number" if name in number else "string"} for name in more}, **told}


def faults(folder: Path, descriptor: Path) -> Iterator[tuple[str, str]]:
    """Table and what is wrong: columns the standard does not know or demands, and every cell that breaks its type or constraints."""
    described = resources(descriptor)
    for file in sorted(folder.glob("*.csv")):
        table = next((name for name, resource in described.items() if resource["path"] == file.name), None)
        if table is None:
            yield file.name, "unknown table"
            continue
        known = fields(described[table])
        with file.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream))
        yield from ((table, f"unexpected column {name}") for name in header if name not in known)
        yield from (
            (table, f"missing column {name}")
            for name, field in known.items()
            if field.get("constraints", {}).get("required") and name not in header
        )
        schema = frictionless.Schema.from_descriptor({"fields": [known[name] for name in header if name in known]})
        if "id" in header:
            schema.primary_key = ["id"]
        checked = frictionless.Resource(path=file.name, basepath=str(folder), schema=schema, format="csv").validate()
        yield from ((table, f"{error.type}: {error.note}") for task in checked.tasks for error in task.errors)


@pytest.fixture(params=["sample", "published"])
def descriptor(request: pytest.FixtureRequest) -> Path:
    if request.param == "published" and not REAL.is_file():
        pytest.skip("the published descriptor is not beside the project (../shared/real)")
    return SAMPLE if request.param == "sample" else REAL


def test_what_we_export_keeps_types_constraints_and_columns(tmp_path: Path, descriptor: Path) -> None:
    hsds.write(exported(), tmp_path)
    assert list(faults(tmp_path, descriptor)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("services.csv", "active", "asleep", "constraint-error"),
        ("locations.csv", "55.2299", "north", "type-error"),
        ("services.csv", "Birkehuset 1", "", "constraint-error"),
        ("services.csv", "status", "mood", "unexpected column mood"),
        ("services.csv", "status", "mood", "missing column status"),
    ],
)
def test_a_broken_export_is_noticed(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    hsds.write(exported(), tmp_path)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(fault in told for _, told in faults(tmp_path, SAMPLE))


def test_the_sample_says_what_the_published_descriptor_says() -> None:
    if not REAL.is_file():
        pytest.skip("the published descriptor is not beside the project (../shared/real)")
    ours, theirs = resources(SAMPLE), resources(REAL)
    assert {name: fields(one) for name, one in ours.items()} == {name: fields(one) for name, one in theirs.items()}
