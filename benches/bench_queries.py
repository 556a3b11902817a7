"""Eight queries that pages ask, on the national warehouse, beside the same answers written by hand for one case.

The set is `national.make` (98 municipalities, 12,000 units, 100,000 places, 2 million stays, 10,000 open needs), published once in
var/bench/national. Each answer comes from: the page's own query, which takes every filter that a page may set; DuckDB, written by hand for
this one case on the same file; polars (lazy) and pandas on the same tables in memory; SQLite on the same tables with indexes, in a file.
All five must tell the same, and only then are they timed: medians and 95th percentiles in milliseconds of a warm process. `ratio` is the
median against the hand-written DuckDB form; `memory_mb` the peak of a process that does nothing else. The last two rows ask 20 million
unit-days instead of the warehouse's monthly table, which is what that table is for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benches import memory, national, queries_by_hand
from benches.queries_by_hand import CASE, FOLDER, Rows
from samplads import publishing, settings, warehouse

RUNS, FEWER, SLOW_MS = 40, 5, 400
"""Times an answer is asked; one slower than `SLOW_MS` is asked `FEWER` times."""
WAYS = ("page", "duckdb", "polars", "pandas", "sqlite")


def published() -> Path:
    """The national warehouse's folder, made and published where the set or the builds have changed."""
    rows = national.make(FOLDER / "delivery")
    builds = sorted((settings.read().queries / "warehouse").iterdir())
    stamp = f"{rows} {hashlib.sha256(b''.join(path.read_bytes() for path in builds)).hexdigest()}"
    marker = FOLDER / "published.txt"
    if not marker.is_file() or marker.read_text(encoding="utf-8") != stamp:
        publishing.publish([FOLDER / "delivery"], folder=FOLDER / "warehouse")
        queries_by_hand.lay_out(warehouse.current(FOLDER / "warehouse").path)
        marker.write_text(stamp, encoding="utf-8")
    return FOLDER / "warehouse"


def rounded(rows: Rows) -> Rows:
    """Rows that can be compared: numbers to four digits, days as days, what is missing as None."""

    def one(value: Any) -> Any:
        # NaN and NaT differ from themselves.
        if value is None or value != value:
            return None
        if isinstance(value, str) and len(value) == 10 and value[4] == "-" == value[7]:
            return dt.date.fromisoformat(value)
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, (str, bool, dt.date)):
            return value
        return round(float(value), 4)

    return [tuple(one(value) for value in row) for row in rows]


def measured(name: str, way: str) -> dict[str, Any]:
    """One way of one query in this process: its rows' digest, and how long it took."""
    # The page's query gives its whole answer, not only what is compared.
    ask = (lambda: queries_by_hand.page(name)) if way == "page" else queries_by_hand.ways(way)[name]
    compared = CASE[name].rows(ask())
    walls: list[float] = []
    while len(walls) < (FEWER if walls and walls[0] > SLOW_MS else RUNS):
        begun = time.perf_counter()
        ask()
        walls.append(1000 * (time.perf_counter() - begun))
    rows = rounded(compared)
    return {
        "rows": len(rows),
        "digest": hashlib.sha256(repr(rows).encode()).hexdigest(),
        "first": repr(rows[:2]),
        "median_ms": statistics.median(walls),
        "p95_ms": sorted(walls)[max(math.ceil(0.95 * len(walls)) - 1, 0)],
        "memory_mb": memory.peak_mb(),
    }


def run() -> list[dict[str, Any]]:
    """Rows: what, rows, median_ms, p95_ms, ratio, memory_mb. Raises ArithmeticError where two ways tell different things."""
    published()
    found: list[dict[str, Any]] = []
    for name in CASE:
        told: dict[str, dict[str, Any]] = {}
        for way in WAYS:
            command = [sys.executable, "-m", "benches.bench_queries", "--one", name, way]
            answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=settings.ROOT)
            told[way] = json.loads(answer.stdout.splitlines()[-1])
            if told[way]["digest"] != told["page"]["digest"]:
                raise ArithmeticError(f"{name}: {way} tells {told[way]['rows']} {told[way]['first']}, the page {told['page']['first']}")
        for way, got in told.items():
            label = {"page": "the page's query", "duckdb": "DuckDB by hand", "polars": "polars lazy", "sqlite": "SQLite"}.get(way, way)
            found.append(
                {
                    "what": f"{name}: {label}",
                    "rows": got["rows"],
                    "median_ms": got["median_ms"],
                    "p95_ms": got["p95_ms"],
                    "ratio": got["median_ms"] / told["duckdb"]["median_ms"],
                    "memory_mb": got["memory_mb"],
                }
            )
    for label, ask in queries_by_hand.daily().items():
        walls = []
        for _ in range(FEWER):
            begun = time.perf_counter()
            count = ask()
            walls.append(1000 * (time.perf_counter() - begun))
        found.append({"what": f"occupancy_by_month from 20 M unit-days: {label}", "rows": count, "median_ms": statistics.median(walls)})
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2], sys.argv[3])))
    else:
        for line in run():
            print(" | ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items()))
