"""Slow, obvious twins of the night-cover domain: loops over minutes, all subsets, all orders."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction

import holidays

NET_HOURS = 1924 - 25 * 7.4 - 7.14 * 7.4 - 37 - 14.4 * 7.4


def stylised_year(start: float, end: float, pay: float, rates: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """(fte, base, supplements) in kroner by the formula beside the reference table. Hours of the night 23.0 to 31.0 for 23:00-07:00."""
    evening, night, saturday, sunday = (rate / 100 for rate in rates)
    hours = end - start

    def inside(a: float, b: float) -> float:
        return max(0.0, min(end, b) - max(start, a))

    fte = hours * 365 / NET_HOURS
    hourly = pay * 12 / 1924
    before, after = inside(0, 24), inside(24, 48)
    supplements = hourly * (
        365 * (inside(17, 23) * evening + inside(23, 30) * night)
        + 52 * (before * saturday + after * sunday)
        + 52 * before * sunday
        + 8 * hours * sunday
    )
    return fte, fte * pay * 12 * 1.142, supplements


def real_year(
    year: int,
    start: dt.time,
    end: dt.time,
    pay: float,
    rates: tuple[float, float, float, float],
    weekdays: frozenset[int] = frozenset(range(7)),
) -> tuple[float, float]:
    """(hours, supplements in kroner) of a year's nights, minute by minute on the calendar of Denmark."""
    evening, night, saturday, sunday = rates
    days_off = holidays.Denmark(years=[year, year + 1])
    day, hours, percent_minutes = dt.date(year, 1, 1), 0.0, 0.0
    while day.year == year:
        if day.weekday() in weekdays:
            moment = dt.datetime.combine(day, start)
            if start < dt.time(12) and end <= dt.time(12) and end > start:
                moment += dt.timedelta(days=1)
            last = dt.datetime.combine(moment.date(), end)
            if last <= moment:
                last += dt.timedelta(days=1)
            while moment < last:
                hour = moment.hour
                if 17 <= hour < 23:
                    percent_minutes += evening
                if hour >= 23 or hour < 6:
                    percent_minutes += night
                if moment.weekday() == 6 or moment.date() in days_off:
                    percent_minutes += sunday
                elif moment.weekday() == 5 and hour >= 8:
                    percent_minutes += saturday
                hours += 1 / 60
                moment += dt.timedelta(minutes=1)
        day += dt.timedelta(days=1)
    return hours, pay * 12 / 1924 * percent_minutes / 60 / 100


def best_packing(groups: Sequence[tuple[frozenset[str], int]]) -> int:
    """The largest total of disjoint groups, trying all."""
    if not groups:
        return 0
    (units, saving), rest = groups[0], groups[1:]
    without = best_packing(rest)
    with_it = saving + best_packing([(others, s) for others, s in rest if not units & others])
    return max(without, with_it)


def shapley_by_orders(units: int, value: Mapping[frozenset[int], int]) -> list[Fraction]:
    """The mean over all orders of what each unit adds as it arrives."""
    worth = [Fraction(0)] * units
    for order in itertools.permutations(range(units)):
        there: frozenset[int] = frozenset()
        for unit in order:
            worth[unit] += value[there | {unit}] - value[there]
            there |= {unit}
    return [total / math.factorial(units) for total in worth]


def refund_by_kroner(yearly_kr: int, brackets: Sequence[tuple[int, float]]) -> float:
    """The refund of a case, kroner by kroner in steps of 1,000."""
    total = 0.0
    for krone in range(0, yearly_kr, 1_000):
        pct = max((share for above, share in brackets if krone >= above), default=0.0)
        total += min(1_000, yearly_kr - krone) * pct / 100
    return total


def no_overlap_formula(rate: float, handling: float, night: float) -> float:
    """sum_k e^-L L^k/k! (1 - (k-1) d/T)_+^k: no two of all incidents within d of each other."""
    total = math.exp(-rate) * (1 + rate)
    for k in range(2, 80):
        total += math.exp(-rate) * rate**k / math.factorial(k) * max(0.0, 1 - (k - 1) * handling / night) ** k
    return total


def played_nights(
    rates: Sequence[float], handling: Sequence[float], night: float, seed: int, nights: int, exponential: bool = False
) -> tuple[float, float, float]:
    """(chance of a night with an overlap between units, overlaps a night, mean wait before the guard sets out), one event at a time."""
    chance = random.Random(seed)
    bad, overlaps, waits, incidents = 0, 0, 0.0, 0
    for _ in range(nights):
        events: list[tuple[float, int, float]] = []
        for unit, rate in enumerate(rates):
            moment = chance.expovariate(rate / night) if rate else math.inf
            while moment < night:
                lasts = chance.expovariate(1 / handling[unit]) if exponential else handling[unit]
                events.append((moment, unit, lasts))
                moment += chance.expovariate(rate / night)
        events.sort()
        free, found = 0.0, 0
        for place, (begins, unit, lasts) in enumerate(events):
            if any(other != unit and start + length > begins for start, other, length in events[:place]):
                found += 1
            waits += max(0.0, free - begins)
            free = max(free, begins) + lasts
        incidents += len(events)
        overlaps += found
        bad += found > 0
    return bad / nights, overlaps / nights, waits / max(1, incidents)
