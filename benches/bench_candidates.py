"""All open needs against all open places on the national warehouse: candidates and allocation together, each scene in a process of its own.

The set is that of bench_queries: 10,000 open needs, 12,000 units with 100,000 places. In `national` the places are open that the deliveries
say are open. In `100,000 open places` every fourth unit is open with 34 places, so that each need has some fifty units to choose from. In
`more needs than places` that fourth has two places each. `candidates` is the query alone, `load` with what else a plan needs,
`allocate` from frames to who gets what; `together` is load and allocate, as the page waits for it. `memory_mb` is the process's peak
after the first round, `full pairs` the second query, which finds where one more place would help (Samlet fordeling asks it for the value
of a place).
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benches import memory
from benches.queries_by_hand import DAY, FOLDER
from samplads import settings

ROUNDS = 3
PLACES = {"national": None, "100,000 open places": 34, "more needs than places": 2}


def _file(scene: str) -> Path:
    """The warehouse, or a copy of it in which every fourth unit is open with so many places."""
    import duckdb

    from samplads import warehouse

    file = warehouse.current(FOLDER / "warehouse").path
    places = PLACES[scene]
    if places is None:
        return file
    copy = FOLDER / f"open-{places}.duckdb"
    shutil.copy(file, copy)
    copy.chmod(0o644)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            update unit_now set
                accepting = if(unit_no % 4 = 0, $places, 0),
                status = 'open',
                accepting_from = least(accepting_from, $day)
            from (select unit_id as id, row_number() over (order by hash(unit_id)) as unit_no from unit_now) as numbered
            where unit_now.unit_id = numbered.id
            """,
            {"places": places, "day": DAY},
        )
    return copy


def measure(scene: str) -> dict[str, Any]:
    """One scene in this process."""
    from samplads import loading_allocation
    from samplads.matching.allocation import allocate

    file = _file(scene)
    day: dt.date = DAY
    told: dict[str, list[float]] = {"candidates": [], "load": [], "allocate": [], "together": []}
    peak = 0.0
    for number in range(ROUNDS):
        begun = time.perf_counter()
        asked = loading_allocation.load(day, warehouse=file)
        loaded = time.perf_counter()
        plan = allocate(asked.scored, asked.capacity, priority=asked.priority, waiting=asked.waiting)
        done = time.perf_counter()
        told["load"].append(loaded - begun)
        told["allocate"].append(done - loaded)
        told["together"].append(done - begun)
        if number == 0:
            # Of one question: later rounds still hold the answer before.
            peak = memory.peak_mb()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        loading_allocation.candidates(day, warehouse=file)
        told["candidates"].append(time.perf_counter() - begun)
    begun = time.perf_counter()
    full = loading_allocation.full_pairs(day, asked, warehouse=file)
    told["full pairs"] = [time.perf_counter() - begun]
    return {
        "ms": {name: 1000 * statistics.median(values) for name, values in told.items()},
        "memory_mb": peak,
        "needs": asked.needs.height,
        "places": int(asked.capacity["places"].sum()),
        "pairs": asked.pairs.height,
        "full_pairs": full.height,
        "placed": plan.placed,
        "gap": plan.gap,
    }


def run() -> list[dict[str, Any]]:
    """Rows: what, median_ms, memory_mb, needs, places, pairs, placed, gap."""
    from benches import bench_queries

    bench_queries.published()
    rows: list[dict[str, Any]] = []
    for scene in PLACES:
        command = [sys.executable, "-m", "benches.bench_candidates", "--one", scene]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=settings.ROOT)
        got = json.loads(answer.stdout.splitlines()[-1])
        for name, milliseconds in got["ms"].items():
            row: dict[str, Any] = {"what": f"{scene}: {name}", "median_ms": milliseconds}
            if name == "together":
                row |= {key: got[key] for key in ("memory_mb", "needs", "places", "pairs", "placed", "gap")}
            elif name == "full pairs":
                row["pairs"] = got["full_pairs"]
            rows.append(row)
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        for line in run():
            print(" | ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items()))
