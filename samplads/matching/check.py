"""An independent check of a plan: it reads the plan and the frames it was made from, and nothing that the solver worked out on the way.

Plain Python on purpose: dictionaries and integers, one rule after the other, no code shared with the solver.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from samplads.matching.allocation import Allocation


@dataclass(frozen=True)
class Check:
    """What was found: `faults` is empty where the plan keeps every rule."""

    faults: tuple[str, ...]
    """`not_eligible`, `placed_twice`, `over_places`, `points_differ`, `objective_differs`, `counts_differ`, `above_bound`, `hold_broken`,
    `together`."""
    placed: int
    points: int

    @property
    def right(self) -> bool:
        """Whether no rule is broken."""
        return not self.faults


def check(
    allocation: Allocation,
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    holds: pl.DataFrame | None = None,
    incompatible: pl.DataFrame | None = None,
    waiting_points: int = 0,
) -> Check:
    """Check a plan against the frames that `allocate` was given.

    Every chosen pair is one of `pairs` with its points (less `waiting_points` for each month waited), no need twice, no unit (and, with
    dated places, no month of it) above its places, holds kept, nobody beside someone incompatible; counts and points are added up again in
    Python integers and are not above the bound.
    """
    faults: list[str] = []
    chosen = allocation.chosen
    rows = list(zip(chosen["need_id"].to_list(), chosen["unit_id"].to_list(), chosen["points"].to_list(), strict=True))
    wanted = pl.DataFrame({"need_id": chosen["need_id"], "unit_id": chosen["unit_id"]})
    known = {
        (need, unit): int(points)
        for need, unit, points in pairs.join(wanted, on=["need_id", "unit_id"], how="semi")
        .select("need_id", "unit_id", "points")
        .iter_rows()
    }
    waits = chosen["months_waited"].to_list() if "months_waited" in chosen.columns else [0] * len(rows)
    for (need, unit, points), months in zip(rows, waits, strict=True):
        if (need, unit) not in known:
            faults.append("not_eligible")
        elif points != known[need, unit] - months * waiting_points:
            faults.append("points_differ")
    if len({need for need, _, _ in rows}) < len(rows):
        faults.append("placed_twice")
    faults += _places(chosen, capacity)
    where = {need: unit for need, unit, _ in rows}
    if holds is not None and any(where.get(need) != unit for need, unit in holds.select("need_id", "unit_id").iter_rows()):
        faults.append("hold_broken")
    if incompatible is not None and any(
        where.get(one) is not None and where.get(one) == where.get(other)
        for one, other in incompatible.select("need_a", "need_b").iter_rows()
    ):
        faults.append("together")
    points = sum(int(one) for _, _, one in rows)
    if points != allocation.objective:
        faults.append("objective_differs")
    if len(rows) != allocation.placed:
        faults.append("counts_differ")
    if (*allocation.placed_bound, allocation.bound) < allocation.value:
        faults.append("above_bound")
    return Check(tuple(sorted(set(faults))), len(rows), points)


def _places(chosen: pl.DataFrame, capacity: pl.DataFrame) -> list[str]:
    dated = "opens" in capacity.columns

    def month(day: object) -> object:
        return (day.year, day.month) if hasattr(day, "year") and hasattr(day, "month") else day

    keys = ["unit_id", "opens"] if dated else ["unit_id"]
    room = {(row[0], *(month(one) for one in row[1:-1])): max(0, int(row[-1])) for row in capacity.select(*keys, "places").iter_rows()}
    used = Counter((row[0], *(month(one) for one in row[1:])) for row in chosen.select(*keys).iter_rows())
    return ["over_places"] if any(count > room.get(key, 0) for key, count in used.items()) else []
