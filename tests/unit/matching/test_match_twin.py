"""The whole match against its slow twin, and what must hold whatever the units and the need."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benches import bench_match
from samplads import loading
from samplads.matching.eligibility import BIT
from samplads.matching.places import SCHEMA, Places
from samplads.matching.ranking import MatchResult, failing, match
from samplads.matching.score import CRITERIA
from tests import reference_matching
from tests.strategies_matching import AS_OF, CLOSURE, MUNICIPALITIES, cases, open_cases, units

WEIGHTS = loading.weights(AS_OF)
TREE = pl.DataFrame(CLOSURE, schema=["ancestor", "descendant"], orient="row")
MANY = settings(deadline=None, max_examples=50)
MODEST = settings(deadline=None, max_examples=15)


BENCH_UNITS, BENCH_TREE, BENCH_POINTS = bench_match.units(300, seed=7)


def matched(rows, case, **more) -> MatchResult:
    places = Places.from_frame(pl.DataFrame(rows, schema=SCHEMA), TREE)
    return match(case, places, WEIGHTS, as_of=AS_OF, municipalities=MUNICIPALITIES, **more)


def same_as_twin(rows, case) -> None:
    compare_with_twin(matched(rows, case).to_json(), reference_matching.match(rows, case, WEIGHTS, CLOSURE, AS_OF, MUNICIPALITIES))


def compare_with_twin(told, twin) -> None:
    assert told["units"] == twin["units"]
    assert [{key: hit[key] for key in ("unit_id", "points", "points_by_rule")} for hit in told["hits"]] == twin["hits"]
    assert [{key: unit[key] for key in ("unit_id", "points", "unknown")} for unit in told["needs_assessment"]] == twin["needs_assessment"]
    assert told["excluded"] == twin["excluded"]
    assert {miss["unit_id"]: (miss["rule"], miss["by"], miss["relaxable"]) for miss in told["near_misses"]} == twin["near_misses"]


@pytest.mark.parametrize("case", bench_match.needs(BENCH_POINTS, 12, seed=3), ids=lambda case: case.need_id)
def test_a_match_among_some_hundred_units_is_what_its_slow_twin_says(case):
    told = match(case, Places.from_frame(BENCH_UNITS, BENCH_TREE), WEIGHTS, as_of=AS_OF, municipalities=BENCH_POINTS).to_json()
    compare_with_twin(told, reference_matching.match(BENCH_UNITS.to_dicts(), case, WEIGHTS, BENCH_TREE.rows(), AS_OF, BENCH_POINTS))


@MANY
@given(units(), cases())
def test_a_match_is_what_its_slow_twin_says(rows, case):
    same_as_twin(rows, case)


@MANY
@given(units(), open_cases())
def test_a_need_that_asks_little_is_ranked_as_its_slow_twin_says(rows, case):
    same_as_twin(rows, case)


@MODEST
@given(units(), cases())
def test_hits_assessment_and_excluded_are_all_units(rows, case):
    result = matched(rows, case)
    parts = [result.verdict.hits, result.verdict.needs_assessment, result.verdict.excluded]
    assert sorted(row for part in parts for row in part) == list(range(len(rows)))
    assert sum(result.counts.values()) == result.units == len(rows)
    assert not (result.violations & result.unknowns).any()
    excluded = {unit_id for rule in result.excluded for unit_id in failing(result, rule)}
    assert len(excluded) == result.counts["excluded"], "every excluded unit has a named rule"
    assert sum(told.only_this for told in result.excluded.values()) == result.near_misses.height


@MODEST
@given(units(), open_cases())
def test_points_are_the_sum_of_their_criteria_and_stale_never_ranks_above_fresh(rows, case):
    result = matched(rows, case)
    for frame in (result.hits, result.needs_assessment):
        summed = frame.select(pl.sum_horizontal(f"points_{name}" for name in CRITERIA)).to_series()
        assert summed.to_list() == frame["points"].to_list()
        assert all(0 <= points <= result.possible_points <= 100 for points in frame["points"])
        bands = frame["freshness"].to_list()
        assert "fresh" not in bands[bands.index("stale") :] if "stale" in bands else True


@MODEST
@given(units(), cases(), st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_rows_changes_nothing_and_top_only_cuts(rows, case, shuffler: random.Random, top):
    whole = matched(rows, case).to_json()
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert matched(shuffled, case).to_json() == whole
    assert matched(rows, case, top=top).to_json() == whole | {"hits": whole["hits"][:top]}


@MODEST
@given(units(), cases())
def test_every_unknown_has_its_question(rows, case):
    listed = matched(rows, case).needs_assessment
    for row in listed.iter_rows(named=True):
        assert len(row["questions"]) == len(row["unknown"])
        for rule in row["unknown"]:
            assert any(question == rule or question.startswith(f"{rule}_") for question in row["questions"])


@MODEST
@given(units(), cases())
def test_loosening_a_set_of_limits_admits_exactly_the_units_it_names(rows, case):
    result = matched(rows, case)
    for row in result.relaxations.iter_rows(named=True):
        loosened = sum(BIT[rule] for rule in row["rules"])
        admitted = (result.violations & ~np.uint16(loosened) == 0) & (result.violations != 0)
        assert int(admitted.sum()) == row["units"]
        assert int((admitted & (result.unknowns == 0)).sum()) == row["sure"]
        assert not {"target_group", "target_group_excluded", "age", "approval", "intake"} & set(row["rules"])


def test_the_twin_shares_no_code_with_the_product():
    text = Path(reference_matching.__file__).read_text(encoding="utf-8")
    assert "import samplads" not in text
    assert "from samplads" not in text
