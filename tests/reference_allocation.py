"""The slow and obvious twin of samplads.matching.allocation: every plan there is, compared by the aims in order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

Pair = tuple[str, str]
Plan = dict[str, str]


def plans(points: dict[Pair, int], places: dict[str, int], holds: Plan, apart: set[frozenset[str]]) -> Iterator[Plan]:
    """Every plan that breaks no rule."""
    needs = sorted({need for need, _ in points})

    def extend(at: int, plan: Plan, left: dict[str, int]) -> Iterator[Plan]:
        if at == len(needs):
            yield dict(plan)
            return
        need = needs[at]
        if need not in holds:
            yield from extend(at + 1, plan, left)
        for other, unit in points:
            if other != need or left.get(unit, 0) <= 0 or holds.get(need, unit) != unit:
                continue
            if any(where == unit and frozenset((who, need)) in apart for who, where in plan.items()):
                continue
            plan[need] = unit
            left[unit] -= 1
            yield from extend(at + 1, plan, left)
            left[unit] += 1
            del plan[need]

    yield from extend(0, {}, dict(places))


def counts(plan: Plan, tier: dict[str, int], tiers: list[int]) -> tuple[int, ...]:
    """How many are placed of each tier and those before it."""
    return tuple(sum(tier[need] <= step for need in plan) for step in tiers)


def floors(side: dict[str, str], placed: int, within: Fraction) -> dict[str, int]:
    """The least number placed by municipality."""
    least = {}
    for municipality in sorted(set(side.values())):
        size = sum(one == municipality for one in side.values())
        number = 0
        while Fraction(number, size) < Fraction(placed, len(side)) - within:
            number += 1
        least[municipality] = number
    return least


def best(
    points: dict[Pair, int],
    places: dict[str, int],
    tier: dict[str, int] | None = None,
    holds: Plan | None = None,
    apart: set[frozenset[str]] | None = None,
    side: dict[str, str] | None = None,
    within: Fraction | None = None,
) -> tuple[int, ...]:
    """The aims of the best plan: placed by tier, [with fairness: minus what is lacking], points."""
    needs = {need for need, _ in points}
    tier = tier or dict.fromkeys(needs, 0)
    tiers = sorted(set(tier.values()))
    everything = list(plans(points, places, holds or {}, apart or set()))
    least: dict[str, int] = {}
    if side is not None and within is not None:
        # The share that floors are measured from is that of the plan without fairness.
        least = floors(side, max(len(plan) for plan in everything), within)

    def value(plan: Plan) -> tuple[int, ...]:
        lacking = sum(max(0, floor - sum((side or {}).get(need) == one for need in plan)) for one, floor in least.items())
        extra = (-lacking,) if side is not None else ()
        return (*counts(plan, tier, tiers), *extra, sum(points[pair] for pair in plan.items()))

    return max(value(plan) for plan in everything)
