"""Checking against its slow twin: every rule of every contract by itself, and made deliveries with faults of all kinds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from samplads.contracts import CONTRACTS
from samplads.extracts import check, read_delivery
from tests import reference_extracts as twin
from tests import strategies_extracts as made
from tests.deliveries import CODES

AS_OF = dt.date(2026, 11, 1)
KNOWN = {name.split(".")[0]: set(codes) for name, codes in CODES.items()}
Rows = list[dict[str, str]]

GOOD: dict[str, dict[str, str]] = {
    extract: {column: made.good(extract, column)[0] for column in fields} | {"minutes": "25"} for extract, fields in twin.FIELDS.items()
}
GOOD = {extract: {column: cell for column, cell in row.items() if column in twin.FIELDS[extract]} for extract, row in GOOD.items()}
GOOD["unit"] |= {"unit_id": "A-1", "price_year": "2026", "approved_until": "2028-12-31"}
GOOD["capacity"] |= {"maximum": "8", "occupied": "6", "reserved": "1", "accepting": "1"}


def written(columns: Any, rows: Rows) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(columns), delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def agree(delivery: dict[str, Rows]) -> set[twin.Finding]:
    """Check a delivery, hold it against the twin, return what was found."""
    expected, accepted = twin.check(delivery, KNOWN, AS_OF)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for extract, rows in delivery.items():
            (folder / f"{extract}.csv").write_text(written(twin.FIELDS[extract], rows), encoding="utf-8")
        (folder / "manifest.yaml").write_text(f"as_of: {AS_OF}\ndecimal: ','\n", encoding="utf-8")
        found = check(read_delivery(folder), CODES)
        assert set(found.findings.select("extract", "row", "column", "rule").rows()) == expected
        assert found.findings.height == len(expected)
        for extract, rows in accepted.items():
            kept = [{twin.DELIVERED.get(column, column): value for column, value in row.items()} for row in rows]
            assert found.frames[extract].to_dicts() == kept
    return expected


@settings(max_examples=40, deadline=None)
@given(made.DELIVERIES)
def test_checking_agrees_with_its_twin(delivery: dict[str, Rows]) -> None:
    agree(delivery)


def alone(extract: str, *rows: dict[str, str]) -> dict[str, Rows]:
    """A delivery of good units and the rows of one extract."""
    units = [GOOD["unit"], GOOD["unit"] | {"unit_id": "A-2"}]
    return {"unit": [*units, *rows]} if extract == "unit" else {"unit": units, extract: list(rows)}


@pytest.mark.parametrize("extract", list(twin.FIELDS))
def test_every_rule_of_a_contract_is_judged_as_the_twin_does(extract: str) -> None:
    """Good rows are accepted; then one cell at a time breaks each rule of its column, and rows as a whole break those of the row."""
    contract = CONTRACTS[extract]
    broken: set[tuple[str | None, str]] = set()
    keys = [column for column, field in twin.FIELDS[extract].items() if field.key]
    fields = twin.FIELDS[extract]
    fine = [GOOD[extract] | {column: cell} for column in fields for cell in made.good(extract, column)]
    for row in (*fine, *BROKEN.get(extract, ())):
        free = row | {"unit_id": "A-3"} if extract == "unit" and row["unit_id"] == "A-1" else row
        broken |= {(column, rule) for _, _, column, rule in agree(alone(extract, free))}
    faulty = [GOOD[extract] | {column: cell} for column in fields for cell in made.bad(extract, column)]
    broken |= {(column, rule) for _, _, column, rule in agree(alone(extract, *faulty))}
    assert agree(alone(extract, GOOD[extract] | ({"unit_id": "A-5"} if extract == "unit" else {}))) == set()
    twice = agree(alone(extract, GOOD[extract] | {"note": "b"} if extract == "unit" else GOOD[extract], GOOD[extract]))
    assert {rule for *_, rule in twice} == {"duplicate_row"} | ({"duplicate_key"} if extract == "unit" else set())
    broken |= {(keys[0], rule) for *_, rule in twice}
    assert broken >= demanded(extract)
    assert [twin.DELIVERED.get(column, column) for column in twin.FIELDS[extract]] == list(contract.columns())


BROKEN: dict[str, list[dict[str, str]]] = {
    "unit": [
        GOOD["unit"] | {"age_from": "65", "age_to": "18"},
        GOOD["unit"] | {"support_level_from": "3", "support_level_to": "2"},
        GOOD["unit"] | {"price_year": ""},
    ],
    "capacity": [
        GOOD["capacity"] | {"accepting": "2"},
        GOOD["capacity"] | {"status": "closed"},
        GOOD["capacity"] | {"status": "closed", "accepting": "0"},
        GOOD["capacity"] | {"maximum": "0", "occupied": "0", "reserved": "", "accepting": "0"},
    ],
    "stay": [GOOD["stay"] | {"starts_on": "2026-11-02", "ends_on": "2026-11-01"}],
    "night_incident": [GOOD["night_incident"] | {"minutes": minutes} for minutes in ("720", "720,5", "721")],
    "planned_capacity": [
        GOOD["planned_capacity"] | {"unit_id": "", "municipality": ""},
        GOOD["planned_capacity"] | {"unit_id": "A-1", "municipality": ""},
        GOOD["planned_capacity"] | {"unit_id": "", "municipality": "370"},
    ],
}


def demanded(extract: str) -> set[tuple[str | None, str]]:
    """(column, rule) of all that the product's contract declares: what the rows of the test must have broken."""
    contract = CONTRACTS[extract]
    delivered = {column: header for header, column in twin.DELIVERED.items()}
    rules: set[tuple[str | None, str]] = {(None, rule) for rule in contract.row_rules()}
    rules |= {(column, rule) for rule, (column, _) in contract.flags().items()}
    unread = {"whole": "not_a_number", "number": "not_a_number", "money": "not_a_number", "day": "not_a_date", "time": "not_a_time"}
    unread |= {"flag": "not_yes_or_no", "choice": "unknown_choice"}
    for name, column in contract.columns().items():
        told = column.metadata or {}
        header = delivered.get(name, name)
        rules |= {(header, unread[told["kind"]])} if told["kind"] in unread else set()
        rules |= {(header, "not_whole")} if told["kind"] == "whole" else set()
        rules |= {(header, "missing_key" if column.primary_key else "missing_value")} if not column.nullable else set()
        rules |= {(header, "too_small")} if getattr(column, "min", None) is not None else set()
        rules |= {(header, "too_large")} if getattr(column, "max", None) is not None else set()
        if "refers_to" in told:
            rules.add((header, "unknown_reference" if told["refers_to"].startswith("unit.") else "unknown_code"))
        elif getattr(column, "max_length", None) is not None:
            rules.add((header, "too_long"))
    return rules


def test_a_row_follows_the_unit_that_was_set_aside() -> None:
    """Of every extract that speaks of a unit: the cause is named where the unit was delivered, and only there."""
    speaking = [extract for extract, fields in twin.FIELDS.items() if any(field.of == "unit" for field in fields.values())]
    delivery: dict[str, Rows] = {"unit": [GOOD["unit"], GOOD["unit"] | {"unit_id": "A-2", "municipality": "999"}]}
    for extract in speaking:
        (column,) = (column for column, field in twin.FIELDS[extract].items() if field.of == "unit")
        key = next(iter(twin.FIELDS[extract]))
        delivery[extract] = [
            GOOD[extract] | {key: GOOD[extract][key] if key == column else f"K-{unit}"} | {column: unit} for unit in ("A-1", "A-2", "A-9")
        ]
    found = agree(delivery)
    assert {(extract, rule) for extract, _, _, rule in found} == {
        ("unit", "unknown_code"),
        *((extract, rule) for extract in speaking for rule in ("refers_to_set_aside", "unknown_reference")),
    }
