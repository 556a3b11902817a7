"""The pairs of all needs at once are those of each need alone: same units, same points."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import polars as pl
import pytest

from samplads import loading, queries
from samplads.demo import generate
from samplads.extracts import COUNTS, SCHEMA
from samplads.loading_allocation import candidates
from samplads.matching.case import Case
from samplads.matching.ranking import match
from samplads.warehouse import Archived, publish
from tests import small


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
