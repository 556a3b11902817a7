"""How fast and how good: couplings, risk and plans on made instances. Deterministic; the last column says whether the aim was met."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
from scipy.spatial import cKDTree

from benches import memory
from samplads.nightcover import coupling, overlap


def country(units: int, neighbours: float, seed: int, towns: int = 0, spread: float = 0.03) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, yearly cost of each post in øre, and pairs so near that a unit has `neighbours` on average; strewn evenly or around towns."""
    rng = np.random.default_rng(seed)
    points = rng.random((units, 2))
    if towns:
        points = rng.random((towns, 2))[rng.integers(0, towns, units)] + rng.normal(0, spread, (units, 2))
    tree = cKDTree(points)
    near, far = 0.0, 1.0
    for _ in range(40):
        middle = (near + far) / 2
        near, far = (middle, far) if 2 * len(tree.query_pairs(middle)) / units < neighbours else (near, middle)
    pairs = tree.query_pairs(near, output_type="ndarray").astype(np.int64)
    return points / near, rng.integers(90_000_000, 140_000_000, units), pairs


def savings(points: np.ndarray, costs: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Posts saved less gear, and a risk that grows with distance and with the square of the size."""
    size = groups.shape[1]
    apart = sum(np.hypot(*(points[groups[:, i]] - points[groups[:, j]]).T) for i in range(size) for j in range(i + 1, size)) / (
        size * (size - 1) / 2
    )
    risk = 36_000_000 * apart * (size - 1) + 12_000_000 * (size - 2) ** 2
    return np.rint(costs[groups].sum(axis=1) - costs[groups].max(axis=1) - 6_000_000 * size - risk).astype(np.int64)


def group_frame(units: int, neighbours: float, seed: int, towns: int = 0, spread: float = 0.03) -> pl.DataFrame:
    """All groups of two to four that save anything, as `group_up` takes them."""
    points, costs, pairs = country(units, neighbours, seed, towns, spread)
    frames, before = [], 0
    for size, groups in coupling.cliques(units, pairs, 4).items():
        saving = savings(points, costs, groups)
        groups, saving = groups[saving > 0], saving[saving > 0]
        number = np.arange(before, before + len(groups))
        before += len(groups)
        frames.append(pl.DataFrame({"group_id": np.repeat(number, size), "unit_id": groups.ravel(), "saving_ore": np.repeat(saving, size)}))
    return pl.concat(frames)


def edge_frame(units: int, neighbours: float, seed: int) -> pl.DataFrame:
    """Pairs with their savings, as `pair_up` takes them."""
    points, costs, pairs = country(units, neighbours, seed)
    return pl.DataFrame({"unit_a": pairs[:, 0], "unit_b": pairs[:, 1], "saving_ore": savings(points, costs, pairs)})


def timed(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Median milliseconds and the last answer."""
    took, answer = [], None
    for _ in range(times):
        started = time.perf_counter()
        answer = work()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took), answer


def _grouping(what: str, frame: pl.DataFrame, limit_ms: float, allowed_gap_pct: float) -> dict[str, Any]:
    ms, plan = timed(lambda: coupling.group_up(frame), times=1)
    return {
        "what": f"{what}: {frame['unit_id'].n_unique()} units, {frame['group_id'].n_unique()} groups",
        "median_ms": ms,
        "ratio": ms / limit_ms,
        "memory_mb": memory.peak_mb(),
        "note": f"{plan.status}, gap {plan.gap_pct:.4f} % (allowed {allowed_gap_pct} %), {plan.components} components",
        "ok": ms <= limit_ms and plan.gap_pct <= allowed_gap_pct,
    }


def run() -> list[dict[str, Any]]:
    """One row per measurement: what, median_ms, ratio (to the time allowed, or to the opponent), memory_mb, note, ok."""
    rows: list[dict[str, Any]] = []
    edges = edge_frame(2_000, 17.0, 1)
    ms, plan = timed(lambda: coupling.pair_up(edges))
    rows.append(
        {
            "what": f"pair_up: 2000 units, {edges.height} pairs",
            "median_ms": ms,
            "ratio": ms / 2_000,
            "memory_mb": memory.peak_mb(),
            "note": f"{plan.status}, {plan.chosen.height} couples",
            "ok": ms <= 2_000,
        }
    )
    small = edge_frame(400, 17.0, 1)
    ours, plan = timed(lambda: coupling.pair_up(small))
    graph = nx.Graph()
    graph.add_weighted_edges_from(small.filter(pl.col("saving_ore") > 0).iter_rows())
    theirs, matching = timed(lambda: nx.max_weight_matching(graph), times=1)
    rows.append(
        {
            "what": f"pair_up against networkx: 400 units, {small.height} pairs",
            "median_ms": ours,
            "ratio": ours / theirs,
            "memory_mb": memory.peak_mb(),
            "note": "same optimum",
            "ok": sum(graph[a][b]["weight"] for a, b in matching) == plan.objective_ore and ours < theirs,
        }
    )
    rows.append(_grouping("group_up, sparse towns", group_frame(500, 5.0, 1, towns=60, spread=0.004), 5_000, 0.0))
    rows.append(_grouping("group_up, even country", group_frame(500, 20.0, 1), 60_000, 0.6))
    rows.append(_grouping("group_up, large towns", group_frame(2_000, 16.0, 1, towns=25), 100_000, 0.65))
    demand = overlap.Demand((0.7, 1.1), (25.0, 40.0), (12.0, 12.0), 480.0)
    ms, told = timed(lambda: overlap.risk(demand), times=5)
    rows.append(
        {"what": "risk of one couple", "median_ms": ms, "ratio": ms / 250, "memory_mb": memory.peak_mb(), "note": "", "ok": ms < 250}
    )
    ms, found = timed(lambda: overlap.simulate(demand, np.random.default_rng(1), nights=1_000_000), times=1)
    rows.append(
        {
            "what": "simulation of 1,000,000 nights",
            "median_ms": ms,
            "ratio": ms / 5_000,
            "memory_mb": memory.peak_mb(),
            "note": f"closed form inside its interval: {found.chance_per_night.holds(told.chance_per_night)}",
            "ok": ms < 5_000 and found.chance_per_night.holds(told.chance_per_night),
        }
    )
    return rows


if __name__ == "__main__":
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=90, tbl_width_chars=220, float_precision=3):
        print(pl.DataFrame(run()))
