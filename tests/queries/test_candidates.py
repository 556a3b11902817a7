"""The pairs of all needs at once are those of each need alone: same units, same points; and those of the slow twin."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import loading, queries, reference
from samplads.demo import generate
from samplads.extracts import COUNTS, SCHEMA
from samplads.loading_allocation import DROPPABLE, candidates
from samplads.matching.case import Case
from samplads.matching.ranking import match
from samplads.warehouse import Archived, publish
from tests import reference_matching, small, strategies_matching, strategies_reference
from tests.strategies_matching import AS_OF, CLOSURE, MUNICIPALITIES

SCALES = ("distance_zero_km", "wish_near_zero_km", "date_zero_days", "reference_tolerance_pct")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up warehouse with unknowns sprinkled over units and needs."""
    folder = tmp_path_factory.mktemp("warehouse")
    chance = random.Random(7)
    frames = generate(small.reference(), scale="small", seed=11, as_of=small.DAY)

    def sprinkle(frame: pl.DataFrame, columns: list[str], unknown: float) -> pl.DataFrame:
        for column in columns:
            keep = pl.Series([chance.random() > unknown for _ in range(frame.height)])
            frame = frame.with_columns(pl.when(keep).then(pl.col(column)).alias(column))
        return frame

    of_units = [
        "age_from",
        "support_level_to",
        "night_cover",
        "daily_rate_ore",
        "approval_status",
        "operator_kind",
        "single_person",
        "offer_type",
    ]
    unit = sprinkle(frames["unit"], of_units, 0.05)
    of_needs = ["age", "support_level", "wanted_from", "offer_types", "target_groups", "least_night_cover", "urgency"]
    need = sprinkle(frames["need"], of_needs, 0.5)
    told = {**frames, "unit": unit, "need": need}
    kept = {name: told[name].lazy() for name in ("unit", "target_group_approval", "capacity", "need")}
    delivery = Archived("made", "made", small.DAY, True, kept, pl.DataFrame(schema=SCHEMA), pl.DataFrame(schema=COUNTS))
    publish([delivery], small.reference(), folder)
    return folder


@pytest.mark.parametrize("later", [0, 45, 400])
def test_pairs_are_the_sure_hits_of_every_need(folder: Path, later: int) -> None:
    day = small.DAY + dt.timedelta(days=later)
    found = candidates(day, warehouse=folder)
    got = {(need, unit): points for need, unit, points in found.select("need_id", "unit_id", "match_points").iter_rows()}
    places, weights, points = loading.places(folder), loading.weights(day), loading.municipalities(folder)
    wanted = {}
    for row in queries.run("open_needs", folder).iter_rows(named=True):
        result = match(Case.from_row(row), places, weights, as_of=day, municipalities=points)
        wanted |= {(row["need_id"], unit): total for unit, total in result.hits.select("unit_id", "points").iter_rows()}
        ranked = found.filter(pl.col("need_id") == row["need_id"]).sort(["points", "unit_id"], descending=[True, False])
        assert ranked["unit_id"].to_list() == result.hits["unit_id"].to_list()
    assert got == wanted
    assert len(got) > (300 if later == 0 else 0)


def test_what_if(folder: Path) -> None:
    usual = candidates(small.DAY, warehouse=folder)
    without = candidates(small.DAY, dropped=["distance", "price", "offer_type"], warehouse=folder)
    assert set(usual.select("need_id", "unit_id").iter_rows()) <= set(without.select("need_id", "unit_id").iter_rows())
    assert without.height > usual.height
    full = queries.run("match_units", folder).filter((pl.col("accepting") == 0) & (pl.col("approval_status") == "approved"))
    opened = candidates(small.DAY, more_places=full["unit_id"].to_list(), warehouse=folder)
    assert opened.height > usual.height
    one = usual["need_id"][0]
    home = queries.run("open_needs", folder).filter(pl.col("need_id") == one)["municipality"].item()
    own = candidates(small.DAY, municipalities=[home], warehouse=folder)
    assert one in own["need_id"].to_list()
    assert own.height < usual.height


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> reference.Reference:
    folder = tmp_path_factory.mktemp("country") / "reference"
    return reference.read(strategies_reference.write(folder, strategies_matching.country()))


@settings(max_examples=15, deadline=None)
@given(
    units=strategies_matching.open_units(),
    needs=strategies_matching.needs(),
    what_ifs=st.lists(
        st.fixed_dictionaries(
            {
                "municipalities": st.none() | st.lists(st.sampled_from([*MUNICIPALITIES]), unique=True),
                "more_places": st.lists(st.sampled_from([f"A-{number}" for number in range(1, 12)]), unique=True, max_size=6),
                "dropped": st.lists(st.sampled_from(DROPPABLE), unique=True, max_size=4),
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
        for asked in [{"municipalities": None, "more_places": [], "dropped": [], "weights": loading.weights(AS_OF), "later": 0}, *what_ifs]:
            day, weights = AS_OF + dt.timedelta(days=asked["later"]), asked["weights"]
            limits = {name: asked[name] for name in ("municipalities", "more_places", "dropped")}
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
