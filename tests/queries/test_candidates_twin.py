"""All pairs of needs and units at once are those of a slow twin, which asks one need of one unit at a time, on made worlds."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import loading, queries, reference
from samplads.loading_allocation import DROPPABLE
from samplads.warehouse import publish
from tests import reference_matching, small, strategies_matching, strategies_reference
from tests.strategies_matching import AS_OF, CLOSURE, MUNICIPALITIES

SCALES = ("distance_zero_km", "wish_near_zero_km", "date_zero_days", "reference_tolerance_pct")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> reference.Reference:
    folder = tmp_path_factory.mktemp("country") / "reference"
    return reference.read(strategies_reference.write(folder, strategies_matching.country()))


@settings(max_examples=10, deadline=None)
@given(
    units=strategies_matching.open_units(),
    needs=strategies_matching.needs(),
    what_ifs=st.lists(
        st.fixed_dictionaries(
            {
                "municipalities": st.none() | st.lists(st.sampled_from([*MUNICIPALITIES]), unique=True),
                "more_places": st.lists(st.sampled_from([f"A-{number}" for number in range(1, 12)]), unique=True, min_size=3, max_size=8),
                "dropped": st.lists(st.sampled_from(DROPPABLE), unique=True, max_size=4),
                "full_units": st.booleans(),
                "weights": strategies_matching.weights(),
                "later": st.sampled_from([0, 0, 1, 30, 91]),
            }
        ),
        min_size=3,
        max_size=3,
    ),
)
def test_pairs_are_those_of_the_slow_twin(
    country: reference.Reference, units: list[dict[str, Any]], needs: list[dict[str, Any]], what_ifs: list[dict[str, Any]]
) -> None:
    placed = [
        dict(unit) | dict(zip(("lat", "lon"), MUNICIPALITIES.get(unit["municipality"], (None, None)), strict=True))
        if unit["lat"] is None
        else unit
        for unit in units
    ]
    with tempfile.TemporaryDirectory() as folder:
        rows = strategies_matching.delivered(units) | {"need": needs}
        version, _ = publish([small.archived(rows, as_of=AS_OF)], country, Path(folder))
        usual = {"municipalities": None, "more_places": [], "dropped": [], "full_units": False}
        for asked in [usual | {"weights": loading.weights(AS_OF), "later": 0}, *what_ifs]:
            day, weights = AS_OF + dt.timedelta(days=asked["later"]), asked["weights"]
            limits = {name: asked[name] for name in usual}
            found = queries.run(
                "candidates",
                version.path,
                as_of=day,
                weights=dict(weights.points),
                scales={name: getattr(weights, name) for name in SCALES},
                operator_share_pct=dict(weights.operator_share_pct),
                tiers=dict(weights.tiers),
                fresh_days=weights.freshness.fresh_days,
                ageing_days=weights.freshness.ageing_days,
                **limits,
            )
            assert found.to_dicts() == reference_matching.candidates(placed, needs, weights, CLOSURE, day, MUNICIPALITIES, **limits)
