"""What night cover asks gives what slow twins give, whatever the deliveries say of nights."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from samplads import queries, reference
from samplads.contracts import CONTRACTS
from samplads.warehouse import publish
from tests import reference_queries as twin
from tests import small, strategies_matching, strategies_night_deliveries, strategies_reference
from tests.strategies_matching import AS_OF, CLOSURE

UNIT = tuple(CONTRACTS["unit"].columns())
TOWNS = {row["code"]: row for row in strategies_matching.country()["municipalities"]}


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> reference.Reference:
    folder = tmp_path_factory.mktemp("country") / "reference"
    return reference.read(strategies_reference.write(folder, strategies_matching.country()))


@settings(max_examples=14, deadline=None)
@given(rows=strategies_night_deliveries.deliveries())
def test_rosters_residents_and_units(country: reference.Reference, rows: dict[str, list[dict[str, Any]]]) -> None:
    rows = rows | {"unit": [{name: row.get(name) for name in UNIT} for row in rows["unit"]]}
    units = {row["unit_id"]: row for row in rows["unit"]}
    with tempfile.TemporaryDirectory() as folder:
        version, _ = publish([small.archived(rows, as_of=AS_OF)], country, Path(folder))
        told = queries.run("night_units", version.path).to_dicts()
        approvals = rows["target_group_approval"]
        assert told == [
            twin.night_unit(units[unit_id], TOWNS[units[unit_id]["municipality"]], approvals, CLOSURE) for unit_id in sorted(units)
        ]
        for later in (-32, -1, 0, 1, 31):
            day = AS_OF + dt.timedelta(days=later)
            assert queries.run("night_rosters", version.path, as_of=day).to_dicts() == twin.night_rosters(
                rows["night_roster"], CLOSURE, day
            )
            here = queries.run("night_residents", version.path, as_of=day).to_dicts()
            assert here == twin.night_residents(rows["stay"], units, rows["night_roster"], day)
