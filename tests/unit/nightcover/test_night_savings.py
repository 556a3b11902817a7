"""Money: refunds, shares that sum, Shapley, time, break-even and the tornado."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.nightcover import savings
from samplads.nightcover.savings import Refund, Resident, Span
from tests import reference_nightcover as reference
from tests.strategies_nightcover import assumptions

REFUND = assumptions().refund
KR = 100


def test_refund_by_hand() -> None:
    assert REFUND.of(860_000 * KR) == 0
    assert REFUND.of(1_680_000 * KR) == 205_000 * KR
    assert REFUND.of(2_120_000 * KR) == 425_000 * KR
    assert REFUND.of(3_120_000 * KR) == 1_175_000 * KR
    assert REFUND.highest_pct == 75


@given(st.integers(0, 6000))
@settings(deadline=None, max_examples=40)
def test_refund_krone_by_krone(thousands: int) -> None:
    brackets = [(860_000, 25.0), (1_680_000, 50.0), (2_120_000, 75.0)]
    assert REFUND.of(thousands * 1_000 * KR) / KR == pytest.approx(reference.refund_by_kroner(thousands * 1_000, brackets))


def test_brackets_out_of_order_are_refused() -> None:
    with pytest.raises(SampladsError, match="refund_brackets"):
        Refund(((2, 25.0), (1, 50.0)))
    with pytest.raises(SampladsError, match="refund_brackets"):
        Refund(((1, 125.0),))


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_parts_sum_to_the_whole_and_are_fair_to_an_ore(total: int, weights: list[int]) -> None:
    parts = savings.largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
        assert abs(part - exact) < 1


def test_nobody_to_share_with_is_said() -> None:
    with pytest.raises(SampladsError, match="savings_nobody"):
        savings.largest_remainder(5, [])


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 4).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, 1000), min_size=2**n, max_size=2**n))))
def test_shapley_is_the_mean_over_all_orders(told: tuple[int, list[int]]) -> None:
    units, worths = told
    coalitions = [frozenset(some) for size in range(units + 1) for some in itertools.combinations(range(units), size)]
    value = dict(zip(coalitions, worths, strict=False)) | {frozenset(): 0}
    assert savings.shapley(units, lambda some: value[some]) == reference.shapley_by_orders(units, value)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=4), st.integers(0, 10**9))
def test_three_ways_of_sharing_each_sum_to_the_saving(costs: list[int], saving: int) -> None:
    shares = savings.share(costs, saving, lambda some: saving // 3 if len(some) > 1 else 0)
    for way in ("by_cost", "equal", "shapley"):
        assert shares[f"{way}_ore"].sum() == saving
    alike = savings.share([5] * len(costs), saving, lambda some: 0)
    assert alike["shapley_ore"].max() - alike["shapley_ore"].min() <= 1


def test_whoever_pays_more_than_alone_is_flagged() -> None:
    # The second and third save much together; with the first the whole saves less than that.
    shares = savings.share([10, 10, 10], 6, lambda some: 12 if some == {1, 2} else 0)
    assert shares["shapley_ore"].to_list() == [-2, 4, 4]
    assert shares["dearer_shapley"].to_list() == [True, False, False]


def test_gross_and_net_by_who_pays() -> None:
    residents = [
        Resident("A", "370", 3_000_000 * KR),
        Resident("B", "306", 1_000_000 * KR),
        Resident("B", "259", 500_000 * KR),
        Resident("Z", "101", 900_000 * KR),
    ]
    found = savings.gains({"A": 400_000 * KR, "B": 300_001 * KR, "C": 100 * KR}, residents, {"C": "320"}, REFUND)
    by = {row["municipality"]: row for row in savings.by_municipality(found).iter_rows(named=True)}
    assert set(by) == {"370", "306", "259", "320"}
    assert by["370"]["net_ore"] == 100_000 * KR
    # 150.000,50 of 1.000.000: only what lies above 860.000 loses its quarter.
    assert by["306"]["refund_lost_ore"] == 35_000 * KR
    assert by["259"]["refund_lost_ore"] == 0
    assert by["320"]["net_ore"] == 25 * KR
    assert by["320"]["unknown_cases"] == 1
    assert sum(row["gross_ore"] for row in by.values()) == 700_101 * KR
    assert all(row["gross_ore"] - row["refund_lost_ore"] == row["net_ore"] for row in by.values())


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.sampled_from("ABCD"), st.integers(-(10**7), 10**8), min_size=1),
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from(["1", "2", "3"]), st.none() | st.integers(0, 5 * 10**8)), max_size=8),
)
def test_gains_sum_to_the_saving(by_unit: dict[str, int], told: list[tuple[str, str, int | None]]) -> None:
    found = savings.gains(by_unit, [Resident(*one) for one in told], {}, REFUND)
    assert sum(gain.gross_ore for gain in found) == sum(by_unit.values())
    for gain in found:
        assert gain.net_ore + gain.refund_lost_ore == gain.gross_ore
        assert 0 <= gain.refund_lost_ore * (1 if gain.gross_ore >= 0 else -1) <= abs(gain.gross_ore)


def test_money_over_time() -> None:
    assert savings.payback_month(1200, 1000) == 10
    assert savings.payback_month(1200, 1001) == 11
    assert savings.payback_month(0, 1) is None
    assert savings.payback_month(-5, 0) == 0
    assert savings.present_value(100_00, 50_00, years=5, discount_pct=0) == 450_00
    assert savings.present_value(100_000, 0, years=1, discount_pct=25) == 80_000


def test_what_lasts_is_earned_by_what_each_life_of_the_gear_leaves() -> None:
    # 1.000 a year, gear of 3.000 for five years: each five years leave 2.000.
    assert savings.payback_month(1000, 3000, 5.0) == 36
    assert savings.payback_month(1000, 3000, 5.0, lasting_ore=2000) == 60
    assert savings.payback_month(1000, 3000, 5.0, lasting_ore=2100) == (2100 + 2 * 3000) * 12 // 1000 + 1
    assert savings.payback_month(1000, 5000, 5.0, lasting_ore=1) is None
    assert savings.payback_month(1000, 0, 5.0, lasting_ore=7000) == 84
    assert savings.payback_month(1000, 0, 5.0) == 0
    for gear, lasting, yearly in ((700, 900, 500), (700, 4000, 300), (2400, 5000, 500)):
        month, balance = 0, -gear - lasting
        while balance < 0:
            month += 1
            balance = yearly * month // 12 - lasting - gear * -(-month // 60)
        assert savings.payback_month(yearly, gear, 5.0, lasting_ore=lasting) == month


def test_of_a_loss_that_nobody_can_reckon_the_state_bears_nothing() -> None:
    residents = [Resident("A", "370", None), Resident("B", "306", 3_000_000 * KR)]
    by_unit = {gain.unit_id: gain for gain in savings.gains({"A": -1000, "B": -1000, "C": -1000}, residents, {"C": "320"}, REFUND)}
    assert [by_unit[unit].refund_lost_ore for unit in "ABC"] == [0, -750, 0]
    assert [by_unit[unit].net_ore for unit in "ABC"] == [-1000, -250, -1000]


def test_break_even() -> None:
    assert savings.break_even_calls(lambda calls: 10 - calls**2) == pytest.approx(10**0.5, abs=2e-3)
    assert savings.break_even_calls(lambda calls: -1 - calls) == 0.0
    assert savings.break_even_calls(lambda calls: 5.0) is None


def test_tornado_puts_the_largest_swing_first() -> None:
    spans = [Span("small", 0, 1, 2), Span("large", 0, 1, 3), Span("none", 1, 1, 1)]
    found = savings.tornado(lambda values: round(values["small"] + 10 * values["large"]), spans, most=2)
    assert found["assumption"].to_list() == ["large", "small"]
    assert found["swing_ore"].to_list() == [30, 2]
    assert found["at_base_ore"].to_list() == [11, 11]
