"""Checking against its slow twin, on made deliveries."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings

from samplads.extracts import check, read_delivery
from tests import reference_extracts, strategies_extracts
from tests.deliveries import CODES

AS_OF = dt.date(2026, 11, 1)


def _csv(columns: Any, rows: list[dict[str, str]]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(columns), delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


@settings(max_examples=50, deadline=None)
@given(strategies_extracts.UNITS, strategies_extracts.CAPACITIES)
def test_checking_agrees_with_its_twin(units: list[dict[str, str]], capacities: list[dict[str, str]]) -> None:
    expected, good_units, good_capacities = reference_extracts.check(units, capacities, set(CODES["municipality.code"]), AS_OF)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "unit.csv").write_text(_csv(reference_extracts.UNIT, units), encoding="utf-8")
        (folder / "capacity.csv").write_text(_csv(reference_extracts.CAPACITY, capacities), encoding="utf-8")
        (folder / "manifest.yaml").write_text(f"as_of: {AS_OF}\ndecimal: ','\n", encoding="utf-8")
        found = check(read_delivery(folder), CODES)
    assert set(found.findings.select("extract", "row", "column", "rule").rows()) == expected
    assert found.findings.height == len(expected)
    renamed = [{("daily_rate_ore" if name == "daily_rate" else name): value for name, value in row.items()} for row in good_units]
    columns = [("daily_rate_ore" if name == "daily_rate" else name) for name in reference_extracts.UNIT]
    assert found.frames["unit"].select(columns).to_dicts() == renamed
    assert found.frames["capacity"].select(list(reference_extracts.CAPACITY)).to_dicts() == good_capacities
