"""The shared nouns: the same words as the contracts, freshness at its borders, distances that a database reproduces."""

import datetime as dt

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import model
from samplads.contracts import capacity, need, unit
from samplads.errors import SampladsError

TODAY = dt.date(2026, 11, 22)
LIMITS = model.FreshnessLimits(fresh_days=30, ageing_days=90)


def test_the_domain_and_the_contracts_use_the_same_words():
    assert set(model.OPERATOR_KINDS) == set(unit.OPERATOR_KINDS)
    assert set(model.NIGHT_COVERS) == set(unit.NIGHT_COVERS)
    assert set(model.APPROVAL_STATUSES) == set(unit.APPROVAL_STATUSES)
    assert set(model.INTAKE_STATUSES) == set(capacity.STATUSES)
    assert set(model.URGENCIES) == set(need.URGENCIES)
    assert set(model.SETTINGS) == set(need.SETTINGS)


def test_night_cover_is_ordered_from_none_to_awake():
    assert sorted(["awake", "none", "sleeping", "on_call"], key=model.night_cover_rank) == ["none", "on_call", "sleeping", "awake"]
    with pytest.raises(ValueError, match="not in tuple"):
        model.night_cover_rank("half awake")


@pytest.mark.parametrize(("age", "band"), [(-3, "fresh"), (0, "fresh"), (30, "fresh"), (31, "ageing"), (90, "ageing"), (91, "stale")])
def test_freshness_changes_the_day_after_its_limit(age, band):
    assert LIMITS.band(TODAY - dt.timedelta(days=age), TODAY) == band


def test_what_nobody_has_confirmed_is_stale():
    assert LIMITS.band(None, TODAY) == "stale"


@pytest.mark.parametrize(("fresh", "ageing"), [(31, 30), (-1, 30), (0, 0)])
def test_limits_out_of_order_are_refused(fresh, ageing):
    with pytest.raises(SampladsError, match="freshness_limits_out_of_order"):
        model.FreshnessLimits(fresh, ageing)


def test_a_degree_along_a_meridian_and_half_the_earth():
    assert model.haversine_m(0, 0, 1, 0) == pytest.approx(2 * np.pi * model.EARTH_RADIUS_M / 360)
    assert model.haversine_km(0, 0, 0, 180) == pytest.approx(np.pi * model.EARTH_RADIUS_M / 1000)
    assert np.isnan(model.haversine_m(55, 12, float("nan"), 12))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.floats(54, 58), st.floats(8, 16), st.floats(54, 58), st.floats(8, 16)), min_size=1, max_size=30))
def test_whole_metres_are_the_same_in_the_database(pairs):
    """The formula in the head of score.py, as a set-based query has to write it."""
    a, b, c, d = (np.array(column) for column in zip(*pairs, strict=True))
    here = np.floor(model.haversine_m(a, b, c, d) + 0.5).astype(int).tolist()
    connection = duckdb.connect()
    there = connection.sql(
        """
        select floor(2 * 6371008.8 * asin(least(1, sqrt(
            pow(sin((radians(lat_b) - radians(lat_a)) / 2), 2)
            + cos(radians(lat_a)) * cos(radians(lat_b)) * pow(sin((radians(lon_b) - radians(lon_a)) / 2), 2)
        ))) + 0.5)::bigint as metres
        from (select unnest($a) as lat_a, unnest($b) as lon_a, unnest($c) as lat_b, unnest($d) as lon_b)
        """,
        params={"a": a.tolist(), "b": b.tolist(), "c": c.tolist(), "d": d.tolist()},
    ).fetchall()
    assert [metres for (metres,) in there] == here
