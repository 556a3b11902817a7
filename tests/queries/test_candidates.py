"""The pairs of all needs at once are those of each need alone: same units, same points."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from samplads import loading, policy, queries, warehouse
from samplads.demo import generate
from samplads.extracts import COUNTS, SCHEMA
from samplads.loading_allocation import candidates
from samplads.matching import explanation
from samplads.matching.case import Case
from samplads.matching.eligibility import BIT
from samplads.matching.places import Places
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


def test_a_reference_without_a_tree_of_target_groups_gives_the_same_answers_as_each_match(folder: Path, tmp_path: Path) -> None:
    before = warehouse.current(folder)
    frames = {
        name: pl.scan_parquet(folder / "deliveries" / before.deliveries[0] / f"{name}.parquet")
        for name in ("unit", "target_group_approval", "capacity", "need")
    }
    facts = small.reference()
    bare = dataclasses.replace(
        facts, target_group=facts.target_group.clear(), target_group_closure=facts.target_group_closure.clear(), digest="without groups"
    )
    delivery = Archived("made", "made", small.DAY, True, frames, pl.DataFrame(schema=SCHEMA), pl.DataFrame(schema=COUNTS))
    publish([delivery], bare, tmp_path)
    found = candidates(small.DAY, warehouse=tmp_path)
    places, weights, points = loading.places(tmp_path), loading.weights(small.DAY), loading.municipalities(tmp_path)
    wanted = {}
    asked = 0
    for row in queries.run("open_needs", tmp_path).iter_rows(named=True):
        result = match(Case.from_row(row), places, weights, as_of=small.DAY, municipalities=points)
        wanted |= {(row["need_id"], unit): total for unit, total in result.hits.select("unit_id", "points").iter_rows()}
        asked += bool(row["target_groups"]) and result.hits.height
    assert {(need, unit): one for need, unit, one in found.select("need_id", "unit_id", "match_points").iter_rows()} == wanted
    assert asked > 0


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


WITHOUT = {
    "distance": {"max_km": None},
    "price": {"max_daily_rate_ore": None},
    "offer_type": {"offer_types": ()},
    "support_level": {"support_level": None},
    "night_cover": {"least_night_cover": None},
}
"""A rule and what it takes from a case to leave it out."""


@pytest.mark.parametrize("dropped", [["distance"], ["price"], ["offer_type"], ["support_level"], ["night_cover"], list(WITHOUT)])
def test_a_rule_left_out_is_a_case_without_the_limit(folder: Path, dropped: list[str]) -> None:
    found = candidates(small.DAY, dropped=dropped, warehouse=folder)
    places, weights, points = loading.places(folder), loading.weights(small.DAY), loading.municipalities(folder)
    changes = {field: value for rule in dropped for field, value in WITHOUT[rule].items()}
    wanted = set()
    for row in queries.run("open_needs", folder).iter_rows(named=True):
        case = dataclasses.replace(Case.from_row(row), **changes)
        result = match(case, places, weights, as_of=small.DAY, municipalities=points)
        wanted |= {(row["need_id"], unit) for unit in result.hits["unit_id"]}
    assert set(found.select("need_id", "unit_id").iter_rows()) == wanted
    assert len(wanted) > candidates(small.DAY, warehouse=folder).height


def opened_frame(folder: Path, opened: list[str]) -> Places:
    """All units, those of a list with a place that is free today."""
    units = queries.run("match_units", folder)
    free = pl.col("unit_id").is_in(opened)
    with_place = units.with_columns(
        pl.when(free).then(1).otherwise("accepting").alias("accepting"),
        pl.when(free).then(pl.lit("open")).otherwise("status").alias("status"),
        # A place that is thought of is there from today, but never is it the sooner one that a wish of a day rewards.
        pl.when(free).then(pl.coalesce("accepting_from", pl.lit(dt.date(1990, 1, 1)))).otherwise("accepting_from").alias("accepting_from"),
    )
    return Places.from_frame(with_place, queries.run("target_group_closure", folder))


def test_full_units_are_those_that_suit_if_they_had_a_place(folder: Path) -> None:
    units = queries.run("match_units", folder)
    full = candidates(small.DAY, warehouse=folder, full=True)
    closed = units.filter((pl.col("accepting") < 1) & (pl.col("status").fill_null("open") != "closed"))["unit_id"].to_list()
    usual = candidates(small.DAY, warehouse=folder)
    assert set(full["unit_id"]) <= set(closed)
    assert not set(full["unit_id"]) & set(usual["unit_id"])
    places, weights, points = opened_frame(folder, closed), loading.weights(small.DAY), loading.municipalities(folder)
    wanted = set()
    for row in queries.run("open_needs", folder).iter_rows(named=True):
        # Places that are thought of are free on any day: the case has no rule of the day, but its day stays what approvals last until.
        result = match(Case.from_row(row), places, weights, as_of=small.DAY, municipalities=points)
        late = BIT["open_by"]
        sure = ((result.violations | result.unknowns) & ~np.uint16(late)) == 0
        wanted |= {(row["need_id"], unit) for unit in places.unit_id[sure] if unit in closed}
    assert set(full.select("need_id", "unit_id").iter_rows()) == wanted
    assert len(wanted) > usual.height
    # Opened one at a time by a what-if, a unit has the very pairs and points that were told, and nobody else's change.
    for unit in full["unit_id"].unique().sort().to_list()[:12]:
        opened = candidates(small.DAY, more_places=[unit], warehouse=folder)
        mine = opened.filter(pl.col("unit_id") == unit)
        assert mine.rows() == full.filter(pl.col("unit_id") == unit).rows()
        assert opened.filter(pl.col("unit_id") != unit).rows() == usual.rows()
        assert candidates(small.DAY, more_places=[unit], warehouse=folder, full=True).filter(pl.col("unit_id") == unit).height == 0


def test_one_more_place_where_there_are_some_changes_no_pair(folder: Path) -> None:
    usual = candidates(small.DAY, warehouse=folder)
    again = candidates(small.DAY, more_places=usual["unit_id"].unique().to_list(), warehouse=folder)
    assert again.rows() == usual.rows()


def test_the_limit_that_is_named_as_the_cheapest_makes_the_unit_fit(folder: Path) -> None:
    places, weights, points = loading.places(folder), loading.weights(small.DAY), loading.municipalities(folder)
    rules = policy.load("allocation", small.DAY).values["relaxation_step"]
    steps = {rule: told["value"] for rule, told in rules.items()}
    opened = {rule: set(candidates(small.DAY, dropped=[rule], warehouse=folder).select("need_id", "unit_id").iter_rows()) for rule in steps}
    named = 0
    for row in queries.run("open_needs", folder).iter_rows(named=True):
        result = match(Case.from_row(row), places, weights, as_of=small.DAY, municipalities=points)
        near = result.near_misses
        best = explanation.cheapest(near, steps, [])
        mine = {
            rule: {unit for need, unit in pairs if need == row["need_id"]} - set(result.hits["unit_id"]) for rule, pairs in opened.items()
        }
        if best is None:
            assert not any(mine.values())
            continue
        named += 1
        assert best.unit_id in mine[best.rule]
        # A unit with a place that nobody gets is preferred, whatever it misses.
        sure = near.filter((pl.col("unknown") == 0) & pl.col("relaxable"))
        last = sure["unit_id"][-1]
        assert explanation.cheapest(near, steps, [last]).unit_id == last  # type: ignore[union-attr]  # there is one
        block = explanation.blocking(near)
        assert block is not None
        assert block[1] == near.filter((pl.col("unknown") == 0) & (pl.col("rule") == block[0])).height
    assert named > 20


def test_the_cheapest_is_the_least_for_its_step_and_a_type_comes_last() -> None:
    rows = [
        ("far", "distance", 50, True, 0),
        ("dear", "price", 10, True, 0),
        ("other", "offer_type", None, True, 0),
        ("ask", "price", 1, True, 1),
    ]
    near = pl.DataFrame(
        [(unit, rule, by, None, relaxable, unknown) for unit, rule, by, relaxable, unknown in [*rows, ("law", "age", 1, False, 0)]],
        schema=["unit_id", "rule", "by", "has", "relaxable", "unknown"],
        orient="row",
    )
    steps = {"distance": 20, "price": 10, "offer_type": 0}

    def cheapest(frame: pl.DataFrame) -> str | None:
        found = explanation.cheapest(frame, steps, [])
        return None if found is None else found.unit_id

    assert cheapest(near) == "dear"
    assert cheapest(near.filter(pl.col("unit_id") != "dear")) == "far"
    assert cheapest(near.filter(pl.col("unit_id").is_in(["other", "ask", "law"]))) == "other"
    assert cheapest(near.filter(pl.col("unit_id").is_in(["ask", "law"]))) is None


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
