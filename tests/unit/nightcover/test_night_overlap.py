"""The risk of sharing: closed forms against each other, a simulation, and nights played one event at a time; and it never falls."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.nightcover import overlap
from samplads.nightcover.overlap import Demand, expected_overlaps, no_overlap_chance, risk, simulate
from tests import reference_nightcover as reference

rates = st.floats(0, 2)
minutes = st.floats(0, 120)
two_or_three = st.integers(2, 3).flatmap(
    lambda n: st.tuples(
        st.tuples(*[rates] * n), st.tuples(*[minutes] * n), st.tuples(*[st.floats(0, 40)] * n), st.sampled_from(["fixed", "exponential"])
    )
)


def demand(told: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], str], clustering: float = 0.0) -> Demand:
    per_night, long, travel, law = told
    return Demand(per_night, long, travel, 480, law=law, clustering=clustering)  # type: ignore[arg-type]


@pytest.mark.parametrize(("rate", "span"), [(0.4, 20), (2.5, 45), (6.0, 61.7), (1.0, 480), (3.0, 0)])
def test_all_incidents_counted_is_the_textbook_formula(rate: float, span: float) -> None:
    here = Demand((rate / 3, rate * 2 / 3), (span, span), (0, 0), 480)
    assert no_overlap_chance(here, within=True) == pytest.approx(reference.no_overlap_formula(rate, span, 480), abs=1e-9)


def slow_wait(asked: Demand, longest: int) -> tuple[float, float]:
    """Mean and 95th percentile of the work ahead, minute by minute and one kind of night at a time, on one grid."""
    rates, total = np.array(asked.per_night), sum(asked.per_night)
    kinds = [(1.0, 1.0)] if asked.clustering == 0 else list(zip(*overlap._bad_nights(asked.clustering), strict=True))
    service = sum(
        rate / total * overlap._service(float(span), asked.law, longest) for rate, span in zip(rates, asked.handling, strict=True)
    )
    seen = np.zeros(longest + 1)
    for multiplier, weight in kinds:
        a_minute = multiplier * total / asked.night_minutes
        chances = [np.exp(-a_minute), np.exp(-a_minute) * a_minute, np.exp(-a_minute) * a_minute**2 / 2]
        chances.append(max(0.0, 1 - sum(chances)))
        arrives, step = np.eye(1, longest + 1)[0], np.zeros(longest + 1)
        for chance in chances:
            step += chance * arrives
            arrives = overlap._added(arrives, service)
        waking = step.copy()
        waking[1:] /= 2
        waking[:-1] += step[1:] / 2
        work = np.eye(1, longest + 1)[0]
        for _ in range(round(asked.night_minutes)):
            idle, busy = work[0], np.concatenate([[0.0], work[1:]])
            after = np.convolve(busy, step)[1:]
            later = after[: longest + 1].copy()
            later[-1] += after[longest + 1 :].sum()
            later += idle * waking
            seen += weight * multiplier * (work + later) / 2
            work = later
    seen /= seen.sum()
    below = np.cumsum(seen)
    at = int(np.searchsorted(below, 0.95))
    return float(seen @ np.arange(longest + 1)), 0.0 if at == 0 else at - 1 + float((0.95 - below[at - 1]) / (below[at] - below[at - 1]))


DEMANDS = [
    Demand((0.3, 0.2), (30, 25), (12, 12), 480),
    Demand((0.3, 0.2), (30, 25), (12, 12), 480, clustering=0.7),
    Demand((0.01, 0.01), (10, 5), (0, 0), 90),
    Demand((0.7, 1.1, 0.4), (25, 40, 20), (12, 8, 15), 605, law="exponential"),
    Demand((0, 0), (25, 40), (12, 8), 480),
    Demand((1, 1), (25, 40), (12, 8), 0),
    Demand((2.5, 2), (60, 55), (20, 25), 600),
    Demand((2, 2), (220, 220), (20, 20), 600),
    Demand((0.4, 0.3), (30, 25), (9, 9), 481, clustering=0.5, law="exponential"),
]


def test_risks_reckoned_together_are_those_reckoned_alone(monkeypatch) -> None:
    alone = [risk(each) for each in DEMANDS]
    for rows in (1, 20, 1000):
        monkeypatch.setattr(overlap, "BATCH_ROWS", rows)
        for one, other in zip(overlap.risks(DEMANDS), alone, strict=True):
            assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(other), rel=1e-9, abs=1e-12)
    assert overlap.risks([]) == []


@pytest.mark.parametrize("asked", [each for each in DEMANDS if sum(each.per_night) and each.night_minutes])
def test_waits_are_those_of_a_slow_walk_through_the_night_on_a_large_grid(asked) -> None:
    mean, quantile = slow_wait(asked, 2880 if max(asked.handling) > 200 else 720)
    told = risk(asked)
    farthest = max(asked.travel)
    assert told.wait_minutes - farthest == pytest.approx(mean, rel=1e-4, abs=1e-6)
    assert told.wait_minutes_p95 - farthest == pytest.approx(quantile, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("law", ["fixed", "exponential"])
@pytest.mark.parametrize("clustering", [0.0, 0.7])
def test_simulation_holds_the_closed_form_in_its_own_interval(law: overlap.Law, clustering: float) -> None:
    here = Demand((0.7, 1.1), (25, 40), (12.3, 9.7), 480, law=law, clustering=clustering)
    chance, every = 1 - no_overlap_chance(here), 1 - no_overlap_chance(here, within=True)
    expected = float(expected_overlaps(here.per_night, here.handling, 480, law=law, clustering=clustering)[0]) * 365
    hits = np.zeros(3, dtype=int)
    for seed in range(100):
        found = simulate(here, np.random.default_rng(seed), nights=2_500)
        hits += [
            found.chance_per_night.holds(chance),
            found.any_chance_per_night.holds(every),
            found.overlaps_per_year.holds(expected),
        ]
    assert (hits >= 93).all(), hits


@pytest.mark.parametrize("law", ["fixed", "exponential"])
def test_simulated_waits_hold_the_grids_in_their_own_interval(law: overlap.Law) -> None:
    here = Demand((0.7, 1.1), (25, 40), (12.3, 9.7), 480, law=law)
    told = risk(here)
    hits = np.zeros(2, dtype=int)
    for seed in range(100):
        found = simulate(here, np.random.default_rng(seed), nights=20_000)
        hits += [found.wait_minutes.holds(told.wait_minutes), found.uncovered_minutes.holds(told.uncovered_minutes)]
    assert (hits >= 93).all(), hits


def test_a_wait_beyond_the_grid_is_said() -> None:
    assert risk(Demand((0.7, 1.1), (25, 40), (12, 12), 480)).beyond_grid < 1e-9
    # More than twelve hours of work ahead: the grid grows until it holds it.
    late = Demand((2, 2), (220, 220), (20, 20), 600)
    told, found = risk(late), simulate(late, np.random.default_rng(1), 50_000)
    assert told.wait_minutes_p95 > 720
    assert told.wait_minutes_p95 == pytest.approx(found.wait_minutes_p95, rel=0.02)
    assert told.wait_minutes == pytest.approx(found.wait_minutes.value, rel=0.015)
    assert not told.mean_is_least
    # And what no grid holds is said.
    drowned = risk(Demand((30, 30), (400, 400), (30, 30), 600))
    assert drowned.p95_is_least
    assert drowned.mean_is_least


@pytest.mark.parametrize("law", ["fixed", "exponential"])
def test_waiting_on_the_grid_is_the_simulated_wait(law: overlap.Law) -> None:
    here = Demand((0.7, 1.1, 0.4), (25, 40, 15), (12.3, 12.3, 8), 480, law=law)
    told = risk(here)
    found = simulate(here, np.random.default_rng(3), nights=200_000)
    assert told.wait_minutes == pytest.approx(found.wait_minutes.value, rel=0.01)
    assert told.wait_minutes_p95 == pytest.approx(found.wait_minutes_p95, rel=0.02)
    assert told.uncovered_minutes == pytest.approx(found.uncovered_minutes.value, rel=0.015)


@pytest.mark.parametrize("exponential", [False, True])
def test_nights_played_one_event_at_a_time(exponential: bool) -> None:
    here = Demand((0.9, 1.4), (20, 35), (10, 15), 480, law="exponential" if exponential else "fixed")
    told = risk(here)
    nights = 8_000
    chance, overlaps, wait = reference.played_nights(here.per_night, here.handling.tolist(), 480, 7, nights, exponential)
    p = told.chance_per_night
    assert abs(chance - p) < 4 * (p * (1 - p) / nights) ** 0.5
    assert overlaps * 365 == pytest.approx(told.overlaps_per_year, rel=0.08)
    assert wait + 15 == pytest.approx(told.wait_minutes, rel=0.06)


@settings(deadline=None, max_examples=20)
@given(two_or_three, st.integers(0, 3), st.floats(0, 2), st.floats(0, 60), st.floats(0, 30), st.sampled_from([0.0, 0.6]))
def test_more_longer_and_farther_never_lower_the_risk(told, at, more, longer, farther, clustering) -> None:  # type: ignore[no-untyped-def]
    before = demand(told, clustering)
    at %= len(before.per_night)

    def raised(values: tuple[float, ...], by: float) -> tuple[float, ...]:
        return tuple(value + by * (place == at) for place, value in enumerate(values))

    for after in (
        replace(before, per_night=raised(before.per_night, more)),
        replace(before, minutes=raised(before.minutes, longer)),
        replace(before, travel=raised(before.travel, farther)),
    ):
        low, high = risk(before), risk(after)
        # What lies beyond the grid of waits is no risk but how far the reckoning reaches: the grid grows with the load.
        for name in vars(low).keys() - {"beyond_grid"}:
            assert getattr(high, name) >= getattr(low, name) * (1 - 1e-6) - 1e-6, name


@settings(deadline=None, max_examples=20)
@given(two_or_three, st.permutations(range(4)))
def test_the_order_of_the_units_is_without_importance(told, order) -> None:  # type: ignore[no-untyped-def]
    here = demand(told)
    order = [place for place in order if place < len(here.per_night)]
    turned = Demand(*(tuple(values[place] for place in order) for values in (here.per_night, here.minutes, here.travel)), 480, law=here.law)
    for name, value in vars(risk(here)).items():
        assert getattr(risk(turned), name) == pytest.approx(value, rel=1e-6, abs=1e-9)


def test_nothing_happens_where_nothing_can() -> None:
    for here in (Demand((0, 0), (20, 20), (5, 5), 480), Demand((1, 1), (20, 20), (5, 5), 0), Demand((2, 0), (20, 20), (5, 5), 480)):
        assert risk(here).overlaps_per_year == 0
        assert risk(here).chance_per_year == pytest.approx(0, abs=1e-9)
    found = simulate(Demand((0, 0), (20, 20), (5, 5), 480), np.random.default_rng(1), nights=1_000)
    assert found.chance_per_night.high == pytest.approx(3.69 / 1000, rel=0.02)
    single = simulate(Demand((2, 0), (20, 20), (5, 5), 480), np.random.default_rng(1), nights=1_000)
    assert single.chance_per_night.value == 0
    assert single.any_chance_per_night.value > 0


def test_bad_nights_are_worse_and_fade_into_poisson() -> None:
    here = Demand((0.7, 1.1), (25, 40), (12, 12), 480)
    for law in ("fixed", "exponential"):
        plain = risk(replace(here, law=law))
        worse = risk(replace(here, law=law, clustering=1.0))
        nearly = risk(replace(here, law=law, clustering=1e-4))
        assert worse.overlaps_per_year > 1.5 * plain.overlaps_per_year
        assert worse.wait_minutes > plain.wait_minutes
        for name, value in vars(plain).items():
            assert getattr(nearly, name) == pytest.approx(value, rel=2e-3), name


def test_many_couplings_at_once_are_each_for_itself() -> None:
    rng = np.random.default_rng(2)
    per_night, handling, night = rng.random((20, 3)) * 2, rng.random((20, 3)) * 90, rng.random(20) * 500 + 60
    for law in ("fixed", "exponential"):
        together = expected_overlaps(per_night, handling, night, law=law)
        apart = [expected_overlaps(per_night[i], handling[i], night[i], law=law)[0] for i in range(20)]
        assert together == pytest.approx(apart)


def test_the_same_seed_gives_the_same_nights() -> None:
    here = Demand((0.7, 1.1), (25, 40), (12, 12), 480, clustering=0.5)
    assert simulate(here, np.random.default_rng(5), 500) == simulate(here, np.random.default_rng(5), 500)


def test_wrong_figures_are_refused() -> None:
    for wrong in ((-1.0, 1.0), (float("nan"), 1.0), (1.0,)):
        with pytest.raises(SampladsError, match="overlap_demand"):
            Demand(wrong, (20, 20), (5, 5), 480)


def test_interval_of_a_rate_and_how_clustered_counts_are() -> None:
    assert overlap.rate_interval(0, 365)[0] == 0
    assert overlap.rate_interval(0, 365)[1] == pytest.approx(3.69 / 365, rel=0.01)
    low, high = overlap.rate_interval(50, 365)
    assert low < 50 / 365 < high
    with pytest.raises(SampladsError):
        overlap.rate_interval(3, 0)
    rng = np.random.default_rng(1)
    assert overlap.dispersion(rng.poisson(2, 20_000).tolist()) == pytest.approx(0, abs=0.02)
    assert overlap.dispersion(rng.poisson(2 * rng.gamma(2, 0.5, 20_000)).tolist()) == pytest.approx(0.5, abs=0.04)
    assert overlap.dispersion([0, 0]) == 0
