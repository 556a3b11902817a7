"""All needs against all places at national scale: `allocate` beside other exact solvers and the two simple ways, on the same pairs.

10,000 needs with about 50 eligible units each of 12,000, once with 100,000 places (roomy) and once with 8,000 (contended). Needs and units
lie in 98 municipalities of unequal size and are of 40 kinds, the commonest forty times as common as the rarest; points fall with
distance and differ by unit; one need in seven is urgent. Each way runs in a process of its own, from polars frames to who gets what;
memory is that process's peak with the frames in it. All exact ways must find the same number of urgent needs, needs and points.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benches import memory

NEEDS, UNITS, DEGREE, KINDS = 10_000, 12_000, 50, 40
SCENES = {"roomy": 100_000, "contended": 8_000}
RUNS = {
    "allocate": 5,
    "sparse matching": 3,
    "OR-tools flow": 3,
    "linear_sum_assignment": 1,
    "stable": 3,
    "best pair first": 3,
    "first come": 3,
}
DENSE_LIMIT = 2 * 10**8
"""Cells of a dense matrix (8 bytes each) above which it is not tried."""

Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
Found = tuple[int, int, int]


def problem(places: int, needs: int = NEEDS, units: int = UNITS, degree: int = DEGREE, seed: int = 20261122) -> Frames:
    """Pairs, capacity and priority."""
    rng = np.random.default_rng(seed)
    spot, size = rng.random((98, 2)), rng.lognormal(0, 0.8, 98)
    unit_at, need_at = rng.choice(98, units, p=size / size.sum()), rng.choice(98, needs, p=size / size.sum())
    share = 1 / np.arange(1, KINDS + 1)
    unit_kind, need_kind = rng.choice(KINDS, units, p=share / share.sum()), rng.choice(KINDS, needs, p=share / share.sum())
    km = np.hypot(*(spot[:, None, axis] - spot[None, :, axis] for axis in (0, 1)))
    quality = rng.integers(0, 300, units)
    rows: list[tuple[int, Any, Any]] = []
    for need in range(needs):
        same = np.flatnonzero(unit_kind == need_kind[need])
        far = km[need_at[need], unit_at[same]] + rng.random(len(same)) * 0.3
        count = min(degree + int(rng.integers(-20, 21)), len(same))
        near = np.argpartition(far, count - 1)[:count]
        rows.append((need, same[near], (1000 - 500 * far[near] + quality[same[near]]).astype(np.int64)))
    unit_names = pl.Series([f"A-{number:05}" for number in range(units)])
    need_names = pl.Series([f"2026-{number:05}" for number in range(needs)])
    pairs = pl.DataFrame(
        {
            "need_id": need_names.gather(np.repeat([row[0] for row in rows], [len(row[1]) for row in rows])),
            "unit_id": unit_names.gather(np.concatenate([row[1] for row in rows])),
            "points": np.concatenate([row[2] for row in rows]),
        }
    ).sample(fraction=1, shuffle=True, seed=seed)
    room = (
        rng.multinomial(places, np.ones(units) / units) if places >= units else rng.multinomial(places, rng.dirichlet(np.full(units, 0.3)))
    )
    capacity = pl.DataFrame({"unit_id": unit_names, "places": room})
    return pairs, capacity, pl.DataFrame({"need_id": need_names, "tier": (rng.random(needs) >= 1 / 7).astype(np.int64)})


def _arrays(frames: Frames) -> tuple[Any, Any, Any, Any, Any]:
    """For the other solvers: need, unit, points, tier by pair, and places by unit, without units that have no place."""
    pairs, capacity, priority = frames
    open_units = capacity.filter(pl.col("places") > 0).with_row_index("unit")
    table = pairs.join(open_units, on="unit_id").join(priority.with_row_index("need"), on="need_id")
    need, unit, points, tier = (table[name].to_numpy().astype(np.int64) for name in ("need", "unit", "points", "tier"))
    return need, unit, points, tier, open_units["places"].to_numpy().astype(np.int64)


def _weights(need: Any, points: Any, tier: Any) -> Any:
    base = 4 * (need.max() + 3) * (points.max() - points.min() + 1)
    return base * (2 - tier) + points - points.min()


def _found(rows: Any, points: Any, tier: Any) -> Found:
    return int((tier[rows] == 0).sum()), len(rows), int(points[rows].sum())


def by_allocate(frames: Frames) -> Found:
    """The product's own."""
    from samplads.matching.allocation import allocate

    got = allocate(frames[0], frames[1], priority=frames[2])
    return got.urgent, got.placed, got.objective


def by_sparse_matching(frames: Frames) -> Found:
    """scipy's sparse matching with each place a column, as it comes."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    need, unit, points, tier, places = _arrays(frames)
    weight = _weights(need, points, tier)
    needs, copies = int(need.max()) + 1, places[unit]
    first = np.append(0, np.cumsum(places))
    where = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies) + np.repeat(first[unit], copies)
    top = weight.max() + 1
    graph = csr_array(
        (
            np.append(np.repeat(top - weight, copies), np.full(needs, top)).astype(float),
            (np.append(np.repeat(need, copies), np.arange(needs)), np.append(where, first[-1] + np.arange(needs))),
        ),
        shape=(needs, int(first[-1]) + needs),
    )
    rows, columns = min_weight_full_bipartite_matching(graph)
    real = columns < first[-1]
    key = need * len(places) + unit
    order = np.argsort(key)
    lot = np.searchsorted(first, columns[real], side="right") - 1
    return _found(order[np.searchsorted(key[order], rows[real] * len(places) + lot)], points, tier)


def by_dense(frames: Frames) -> Found | None:
    """scipy's linear_sum_assignment on the whole matrix; None where that would not fit."""
    from scipy.optimize import linear_sum_assignment

    need, unit, points, tier, places = _arrays(frames)
    seats = int(places.sum())
    if (int(need.max()) + 1) * seats > DENSE_LIMIT:
        return None
    first = np.append(0, np.cumsum(places))
    matrix = np.zeros((int(need.max()) + 1, seats))
    weight, number = _weights(need, points, tier), np.full(matrix.shape, -1, dtype=np.int32)
    for pair in range(len(need)):
        matrix[need[pair], first[unit[pair]] : first[unit[pair] + 1]] = weight[pair]
        number[need[pair], first[unit[pair]] : first[unit[pair] + 1]] = pair
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    chosen = number[rows, columns]
    return _found(chosen[chosen >= 0], points, tier)


def by_flow(frames: Frames) -> Found:
    """OR-tools' minimum-cost flow, without places side by side."""
    from ortools.graph.python import min_cost_flow

    need, unit, points, tier, places = _arrays(frames)
    needs, units = int(need.max()) + 1, len(places)
    source, sink = needs + units, needs + units + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(need, needs + unit, np.ones(len(need), dtype=np.int64), -_weights(need, points, tier))
    every = np.arange(needs)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.full(needs, source), every, np.ones(needs, dtype=np.int64), np.zeros(needs, dtype=np.int64)
    )
    flow.add_arcs_with_capacity_and_unit_cost(needs + np.arange(units), np.full(units, sink), places, np.zeros(units, dtype=np.int64))
    flow.add_arc_with_capacity_and_unit_cost(source, sink, needs, 0)
    flow.set_node_supply(source, needs)
    flow.set_node_supply(sink, -needs)
    if flow.solve() != flow.OPTIMAL:
        raise ArithmeticError("the flow was not solved")
    return _found(np.flatnonzero(flow.flows(arcs)), points, tier)


def _simple(name: str) -> Callable[[Frames], Found]:
    def by(frames: Frames) -> Found:
        from samplads.matching import comparison, market, stable

        ways = {"first come": comparison.first_come, "best pair first": comparison.best_pair_first, "stable": stable.deferred_acceptance}
        case = market.read(frames[0], frames[1], priority=frames[2])
        edge = ways[name](case)
        plan = stable.plan_of(case, edge, frames[0])
        return plan.placed_by_tier[0], plan.placed, plan.objective

    return by


WAYS: dict[str, Callable[[Frames], Found | None]] = {
    "allocate": by_allocate,
    "sparse matching": by_sparse_matching,
    "OR-tools flow": by_flow,
    "linear_sum_assignment": by_dense,
    "stable": _simple("stable"),
    "best pair first": _simple("best pair first"),
    "first come": _simple("first come"),
}
EXACT = ("allocate", "sparse matching", "OR-tools flow", "linear_sum_assignment")


def measure(scene: str, way: str) -> dict[str, Any]:
    """One way on one scene, in this process."""
    frames = problem(SCENES[scene])
    times, work, found = [], [], None
    for _ in range(RUNS[way]):
        began, busy = time.perf_counter(), time.process_time()
        found = WAYS[way](frames)
        times.append(1000 * (time.perf_counter() - began))
        work.append(1000 * (time.process_time() - busy))
    peak = memory.peak_mb()
    return {
        "found": found,
        "median_ms": statistics.median(times),
        "cpu_ms": statistics.median(work),
        "memory_mb": peak,
        "pairs": frames[0].height,
    }


def run() -> list[dict[str, Any]]:
    """One row for each scene and way; `ratio` is time against `allocate`, `gain_pct` how many more needs `allocate` places."""
    rows: list[dict[str, Any]] = []
    for scene in SCENES:
        told: dict[str, dict[str, Any]] = {}
        for way in WAYS:
            command = [sys.executable, "-m", "benches.bench_allocation", "--one", scene, way]
            answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parent.parent)
            told[way] = json.loads(answer.stdout)
        best = told["allocate"]
        for way, got in told.items():
            if got["found"] is None:
                rows.append({"what": f"{scene}: {way}", "note": "not tried: the matrix would take more than 1.6 GB"})
                continue
            if way in EXACT and got["found"] != best["found"]:
                raise ArithmeticError(f"{way} found {got['found']}, allocate {best['found']}")
            urgent, placed, points = got["found"]
            rows.append(
                {
                    "what": f"{scene}: {way}",
                    "median_ms": got["median_ms"],
                    "cpu_ms": got["cpu_ms"],
                    "ratio": got["median_ms"] / best["median_ms"],
                    "memory_mb": got["memory_mb"],
                    "urgent": urgent,
                    "placed": placed,
                    "points": points,
                    "gain_pct": 100 * (best["found"][1] / placed - 1),
                    "note": f"{got['pairs']:,} pairs" if way == "allocate" else "",
                }
            )
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3])))
    else:
        for row in run():
            print(" | ".join(f"{name} {value:,.1f}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items()))
