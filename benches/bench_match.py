"""How long one need takes against 12,000 units in a warm process: the hits with their points, why not, near misses and the JSON.

Units and needs are drawn from a fixed seed with the shares of a national year (half of the confirmations stale, one unit in eight with an
open place, a tenth of the values unknown). The floor is the time numpy needs to read the same columns once.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from benches import memory
from samplads import loading
from samplads.matching.case import Case
from samplads.matching.places import SCHEMA, Places
from samplads.matching.ranking import match

AS_OF = dt.date(2026, 11, 22)
UNITS = 12_000
GROUPS = 57
RUNS = 60


def units(count: int = UNITS, seed: int = 20261122) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, tuple[float, float]]]:
    """Rows of `unit_now`, the closure of a tree of target groups (roots of eight leaves), and the municipalities' points."""
    rng = np.random.default_rng(seed)
    codes = [str(101 + number) for number in range(98)]
    points = {
        code: (float(lat), float(lon))
        for code, lat, lon in zip(codes, rng.uniform(54.6, 57.7, 98), rng.uniform(8.1, 12.6, 98), strict=True)
    }
    groups = [f"G{number:02}" for number in range(GROUPS)]
    closure = [(groups[number - number % 8], groups[number]) for number in range(GROUPS)] + [(group, group) for group in groups]

    def some(values: Any, unknown: float = 0.1) -> list[Any]:
        drawn = np.array(values, dtype=object)
        drawn[rng.random(count) < unknown] = None
        return drawn.tolist()

    def pick(words: list[str], shares: list[float]) -> Any:
        return rng.choice(words, count, p=shares)

    def day(least: int, most: int) -> list[dt.date]:
        return [AS_OF + dt.timedelta(days=int(offset)) for offset in rng.integers(least, most, count)]

    where = rng.integers(0, 98, count)
    maximum = rng.integers(1, 20, count)
    accepting = np.where(rng.random(count) < 0.125, rng.integers(1, 3, count), 0)
    age_from = rng.choice([0, 18, 18, 18, 40], count)
    level = rng.integers(0, 4, count)
    columns: dict[str, Any] = {
        "unit_id": [f"A-{number:05}" for number in rng.permutation(count)],
        "name": [f"Afdeling {number}" for number in range(count)],
        "offer_name": [None] * count,
        "operator": [None] * count,
        "operator_kind": some(pick(["municipal", "regional", "self_owning", "private"], [0.55, 0.1, 0.15, 0.2]), 0.02),
        "municipality": [codes[index] for index in where],
        "municipality_name": [codes[index] for index in where],
        "lat": [points[codes[index]][0] + shift for index, shift in zip(where, rng.normal(0, 0.05, count), strict=True)],
        "lon": [points[codes[index]][1] + shift for index, shift in zip(where, rng.normal(0, 0.08, count), strict=True)],
        "offer_type": some(pick(["A107", "A108", "A85B"], [0.3, 0.2, 0.5]), 0.02),
        "age_from": some(age_from),
        "age_to": some(age_from + rng.choice([30, 60], count)),
        "support_level_from": some(level),
        "support_level_to": some(np.minimum(4, level + 2)),
        "approval_status": some(
            pick(["approved", "conditional", "suspended", "withdrawn", "not_required"], [0.9, 0.03, 0.01, 0.01, 0.05]), 0.03
        ),
        "approved_until": some(day(-60, 1500), 0.3),
        "night_cover": some(pick(["awake", "sleeping", "on_call", "none"], [0.4, 0.3, 0.2, 0.1])),
        "single_person": some(rng.random(count) < 0.07),
        "daily_rate_ore": some(rng.integers(120_000, 500_000, count)),
        "price_year": [2026] * count,
        "assumed_occupancy_pct": [98.0] * count,
        "maximum": maximum.tolist(),
        "occupied": np.maximum(0, maximum - accepting).tolist(),
        "reserved": [0] * count,
        "accepting": some(accepting, 0.03),
        "accepting_from": some(day(-60, 120), 0.05),
        "status": some(pick(["open", "closed", "waiting_list", "needs_assessment"], [0.85, 0.03, 0.08, 0.04]), 0.1),
        "confirmed_by": ["afdelingsleder"] * count,
        "confirmed_at": some(day(-180, 0), 0.1),
        "primary_groups": [[groups[index] for index in row] for row in rng.integers(0, GROUPS, (count, 2))],
        "secondary_groups": [[groups[index] for index in row] for row in rng.integers(0, GROUPS, (count, 3))],
        "excluded_groups": [
            [groups[index]] if taken else [] for index, taken in zip(rng.integers(0, GROUPS, count), rng.random(count) < 0.1, strict=True)
        ],
    }
    return pl.DataFrame(columns, schema=SCHEMA), pl.DataFrame(closure, schema=["ancestor", "descendant"], orient="row").unique(), points


def needs(points: dict[str, tuple[float, float]], count: int = RUNS, seed: int = 118) -> list[Case]:
    """Needs as officers tell them: one or two target groups, an age, a level, a night cover, limits on half of them."""
    rng = np.random.default_rng(seed)
    codes = sorted(points)
    drawn = []
    for number in range(count):
        limited = number % 2 == 0
        drawn.append(
            Case(
                need_id=f"N-{number}",
                municipality=codes[int(rng.integers(98))],
                wanted_from=AS_OF + dt.timedelta(days=int(rng.integers(-30, 120))),
                offer_types=("A107", "A108") if limited else (),
                target_groups=tuple(f"G{int(index):02}" for index in rng.choice(GROUPS, 1 + number % 2, replace=False)),
                age=int(rng.integers(18, 60)),
                support_level=int(rng.integers(1, 4)),
                least_night_cover=("on_call", "sleeping", "awake")[number % 3],
                max_daily_rate_ore=350_000 if limited else None,
                max_km=150.0 if limited else None,
                wish_near=(codes[int(rng.integers(98))],) if number % 3 == 0 else (),
                wish_setting="with_others" if number % 5 == 0 else None,
            )
        )
    return drawn


def _medians(calls: list[Callable[[], object]]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds of each call once, after the first few have warmed up."""
    for call in calls[:5]:
        call()
    taken = []
    for call in calls:
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95))


def run() -> list[dict[str, Any]]:
    """One row per question: what, median_ms, p95_ms, ratio to the floor, memory_mb of the process."""
    frame, closure, points = units()
    weights = loading.weights(AS_OF)
    start = time.perf_counter()
    places = Places.from_frame(frame, closure)
    made = (time.perf_counter() - start) * 1000
    cases = needs(points)
    columns = [value for value in vars(places).values() if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype != object]

    def asked(case: Case, what: str) -> Callable[[], object]:
        def call() -> object:
            result = match(case, places, weights, as_of=AS_OF, municipalities=points, top=10)
            if what == "hits":
                return result.hits
            if what == "json":
                return result.to_json()
            return result.hits, result.excluded, result.near_misses, result.needs_assessment

        return call

    floor, floor_p95 = _medians([lambda: [np.count_nonzero(column) for column in columns]] * len(cases))
    rows = [("read every column once (floor)", floor, floor_p95)]
    for title, what in (("top 10", "hits"), ("top 10 with why not, near misses, questions", "all"), ("the same as JSON values", "json")):
        rows.append((f"{title}, one need, {UNITS:,} units", *_medians([asked(case, what) for case in cases])))
    rows.append((f"lay out {UNITS:,} units (once per warehouse version)", made, made))
    used = memory.peak_mb()
    return [
        {
            "what": what,
            "median_ms": round(median, 2),
            "p95_ms": round(p95, 2),
            "ratio": round(median / floor, 1),
            "memory_mb": round(used),
        }
        for what, median, p95 in rows
    ]


if __name__ == "__main__":
    for line in run():
        print(f"{line['what']:<75} {line['median_ms']:>9.2f} ms  p95 {line['p95_ms']:>9.2f} ms  x{line['ratio']:<8} {line['memory_mb']} MB")
