"""Who gains by a coupling, and how much: gross, net of state refund, over time, and shared in three ways side by side.

    refund of a case of yearly cost c   = sum over brackets of pct x the part of c inside the bracket  (SEL § 176: marginal, per case)
    net saving of a case                = saving - (refund before - refund after)
    present value over Y years          = sum_{t=1..Y} yearly saving / (1 + r)^t - one-off cost - what is bought anew on the way / (1 + r)^t
    pay-back month                      = the first whole month in which the savings so far reach the one-off cost
    Shapley value of i                  = sum over coalitions S without i of |S|! (n - |S| - 1)! / n! x (v(S + i) - v(S))

All amounts are integer øre. Whatever is split is rounded by largest remainder, so that parts sum to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, factorial, floor

import polars as pl
from scipy.optimize import brentq

from samplads.errors import SampladsError

DAYS_A_YEAR = 365
MONTHS = 12
CALLS_CAP = 50.0
"""Calls a night beyond which a break-even is not sought: the guard would never sit down."""


@dataclass(frozen=True)
class Refund:
    """The state's share of a case's yearly cost: pairs (above this many øre, percent), marginal and ascending."""

    brackets: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        limits = [above for above, _ in self.brackets]
        if limits != sorted(set(limits)) or any(not 0 <= pct <= 100 for _, pct in self.brackets):
            raise SampladsError("refund_brackets")

    def of(self, yearly_ore: int) -> int:
        """Refund of one case a year in øre, rounded half up."""
        total = Fraction(0)
        for position, (above, pct) in enumerate(self.brackets):
            upper = self.brackets[position + 1][0] if position + 1 < len(self.brackets) else None
            inside = max(0, (yearly_ore if upper is None else min(yearly_ore, upper)) - above)
            total += Fraction(str(pct)) * inside / 100
        return floor(total + Fraction(1, 2))

    @property
    def highest_pct(self) -> float:
        """The largest share the state can take of a saving."""
        return max((pct for _, pct in self.brackets), default=0.0)


def largest_remainder(total: int, weights: Sequence[int | float | Fraction]) -> list[int]:
    """A whole amount split by weights >= 0 into whole parts that sum to it; equal parts where all weights are 0; first come first at a
    tie.
    """
    if not weights:
        raise SampladsError("savings_nobody")
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if whole == 0:
        exact, whole = [Fraction(1)] * len(exact), Fraction(len(exact))
    return _rounded([total * weight / whole for weight in exact], total)


def _rounded(parts: Sequence[Fraction], total: int) -> list[int]:
    """Exact parts that sum to `total`, rounded to whole numbers that do too."""
    floors = [floor(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (-(parts[i] - floors[i]), i))
    for position in order[: total - sum(floors)]:
        floors[position] += 1
    return floors


def shapley(units: int, value: Callable[[frozenset[int]], int]) -> list[Fraction]:
    """Exact Shapley value of a game given by the value of each coalition; v(empty) is taken as 0. Meant for up to about 12 units."""
    values = [0] * (1 << units)
    for mask in range(1, 1 << units):
        values[mask] = value(frozenset(unit for unit in range(units) if mask >> unit & 1))
    weight = [Fraction(factorial(size) * factorial(units - size - 1), factorial(units)) for size in range(units)]
    worth = [Fraction(0)] * units
    for mask in range(1 << units):
        size = mask.bit_count()
        for unit in range(units):
            if not mask >> unit & 1:
                worth[unit] += weight[size] * (values[mask | 1 << unit] - values[mask])
    return worth


def share(costs: Sequence[int], saving_ore: int, value: Callable[[frozenset[int]], int]) -> pl.DataFrame:
    """A coupling's saving shared between its units in three ways.

    `costs`: what each unit's post costs alone (øre a year). `value(S)`: what the units S would save on their own, of which the whole
    coupling's is `saving_ore`. One row per unit, in order: member, alone_ore, by_cost_ore, equal_ore, shapley_ore (each the share of the
    saving; each column sums to `saving_ore`), dearer_<way> (the unit pays more than alone).
    """
    grand = frozenset(range(len(costs)))
    worth = shapley(len(costs), lambda units: saving_ore if units == grand else value(units))
    shares = {
        "by_cost": largest_remainder(saving_ore, costs),
        "equal": largest_remainder(saving_ore, [1] * len(costs)),
        "shapley": _rounded(worth, saving_ore),
    }
    return pl.DataFrame(
        {
            "member": list(range(len(costs))),
            "alone_ore": list(costs),
            **{f"{way}_ore": parts for way, parts in shares.items()},
            **{f"dearer_{way}": [part < 0 for part in parts] for way, parts in shares.items()},
        },
        schema_overrides=dict.fromkeys(("alone_ore", "by_cost_ore", "equal_ore", "shapley_ore"), pl.Int64),
    )


@dataclass(frozen=True)
class Resident:
    """One case in a unit: who pays, and what it costs a year (None: not told)."""

    unit_id: str
    municipality: str
    yearly_ore: int | None


@dataclass(frozen=True)
class Gain:
    """What one case saves: gross, the refund that falls away, and net for the municipality. `known`: its cost and payer were told."""

    unit_id: str
    municipality: str
    gross_ore: int
    refund_lost_ore: int
    net_ore: int
    known: bool


def gains(unit_saving_ore: Mapping[str, int], residents: Iterable[Resident], located_in: Mapping[str, str], refund: Refund) -> list[Gain]:
    """Each unit's share of the saving, spread over those whose stays pay for it (equally: each resident pays the same share of the night).

    A unit without known residents is counted to the municipality it lies in, and marked not known. Where a case's cost is not told the
    state is taken to keep its highest share, and to bear nothing of a loss, so that no net saving is overstated. Gross sums to the units'
    savings to the øre. A negative saving (a dearer coupling) gives negative gains, and refund gained where the cost is told.
    """
    by_unit: dict[str, list[Resident]] = {unit: [] for unit in unit_saving_ore}
    for resident in residents:
        if resident.unit_id in by_unit:
            by_unit[resident.unit_id].append(resident)
    result: list[Gain] = []
    for unit, saving in unit_saving_ore.items():
        cases = sorted(by_unit[unit], key=lambda one: (one.municipality, -(one.yearly_ore or 0)))
        told = bool(cases)
        cases = cases or [Resident(unit, located_in.get(unit, ""), None)]
        for case, gross in zip(cases, largest_remainder(saving, [1] * len(cases)), strict=True):
            if case.yearly_ore is None:
                # Of a loss the state need not bear anything.
                lost = floor(max(0, gross) * Fraction(str(refund.highest_pct)) / 100)
            else:
                lost = refund.of(case.yearly_ore) - refund.of(max(0, case.yearly_ore - gross))
            result.append(Gain(unit, case.municipality, gross, lost, gross - lost, told and case.yearly_ore is not None))
    return result


def by_municipality(found: Iterable[Gain]) -> pl.DataFrame:
    """Gains added up by acting municipality: municipality, cases, gross_ore, refund_lost_ore, net_ore, unknown_cases. Sorted by net, then
    code.
    """
    rows = [(gain.municipality, 1, gain.gross_ore, gain.refund_lost_ore, gain.net_ore, int(not gain.known)) for gain in found]
    frame = pl.DataFrame(
        rows,
        schema={
            "municipality": pl.String,
            "cases": pl.Int64,
            "gross_ore": pl.Int64,
            "refund_lost_ore": pl.Int64,
            "net_ore": pl.Int64,
            "unknown_cases": pl.Int64,
        },
        orient="row",
    )
    return frame.group_by("municipality").agg(pl.all().sum()).sort(["net_ore", "municipality"], descending=[True, False])


def payback_month(yearly_ore: int, one_off_ore: int, life_years: float | None = None, *, lasting_ore: int = 0) -> int | None:
    """The first whole month after the start in which the savings so far reach the one-off cost; 0 where there is none, None where never.

    What is bought lasts `life_years` (None: for good): what it has not earned by then it never earns, since it must be bought anew.
    `lasting_ore` is paid once beside it; it may be earned by what each life of the other leaves, with every purchase on the way reckoned.
    """
    if one_off_ore + lasting_ore <= 0:
        return 0
    if yearly_ore <= 0:
        return None
    lives = 1
    if life_years is not None:
        left = yearly_ore * life_years - one_off_ore
        # An øre's rounding is no reason to buy anew.
        if left < -1 or (left <= 0 < lasting_ore):
            return None
        if lasting_ore > 0:
            lives = max(1, ceil((lasting_ore - 1) / left))
    return -(-(lasting_ore + lives * one_off_ore) * MONTHS // yearly_ore)


def present_value(yearly_ore: int, one_off_ore: int, *, years: int = 5, discount_pct: float = 3.5, life_years: float | None = None) -> int:
    """Present value in øre of a saving at each year's end for `years` years, less the one-off cost now.

    What is bought lasts `life_years` (None: for good) and is bought anew each time it is worn out before the years are over; what is left
    of it at their end counts for nothing.
    """
    grown = 1 + discount_pct / 100
    factor = sum(grown**-year for year in range(1, years + 1))
    bought = 1.0
    if life_years is not None:
        bought += sum(grown ** -(life_years * time) for time in range(1, ceil(years / life_years - 1e-9)))
    return round(yearly_ore * factor) - round(one_off_ore * bought)


def break_even_calls(value: Callable[[float], float], *, cap: float = CALLS_CAP) -> float | None:
    """Calls a night up to which a coupling pays: the zero of `value` (øre a year as a function of calls a night, falling).

    0 where it does not pay even uncalled, None where it still pays at `cap` calls a night. Brent's method, to a thousandth of a call.
    """
    if value(0.0) <= 0:
        return 0.0
    if value(cap) > 0:
        return None
    return float(brentq(value, 0.0, cap, xtol=1e-3))


@dataclass(frozen=True)
class Span:
    """One assumption's low, present and high value."""

    name: str
    low: float
    base: float
    high: float


def tornado(value: Callable[[Mapping[str, float]], int], spans: Sequence[Span], most: int = 10) -> pl.DataFrame:
    """The assumptions that matter most, one at a time, all others at their present value.

    `value` gives øre a year for all assumptions by name. One row per assumption, largest swing first, at most `most` rows:
    assumption, low, base, high, at_low_ore, at_base_ore, at_high_ore, swing_ore.
    """
    present = {span.name: span.base for span in spans}
    at_base = value(present)
    rows = []
    for span in spans:
        at_low, at_high = value({**present, span.name: span.low}), value({**present, span.name: span.high})
        swing = max(at_low, at_base, at_high) - min(at_low, at_base, at_high)
        rows.append((span.name, span.low, span.base, span.high, at_low, at_base, at_high, swing))
    names = ("assumption", "low", "base", "high", "at_low_ore", "at_base_ore", "at_high_ore", "swing_ore")
    kinds = (pl.String, pl.Float64, pl.Float64, pl.Float64, pl.Int64, pl.Int64, pl.Int64, pl.Int64)
    frame = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    return frame.sort(["swing_ore", "assumption"], descending=[True, False]).head(most)
