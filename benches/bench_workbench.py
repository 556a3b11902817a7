"""The workbench: what the walls cost, how soon a query stops, twenty analysts at once, ten million rows to a file, the copy's build.

Run by itself: python -m benches.bench_workbench [--large]; without --large the export is a million rows.
"""

from __future__ import annotations

import contextlib
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import duckdb

from samplads.workbench import analyst_copy, worker
from samplads.workbench.faults import SqlError
from samplads.workbench.pool import Pool, Ticket

LONG = "select count(*) from range(100000000000)"
SHORT = "select offer_type, count(*), avg(daily_rate_ore) from unit group by all"


def _warehouse(folder: Path) -> tuple[Path, Path]:
    from tests.unit.workbench.conftest import make_warehouse

    file = folder / "0123456789abcdef0123.duckdb"
    make_warehouse(file)
    copy = analyst_copy.path_of(file)
    analyst_copy.build(file, copy, analyst_copy.Disclosure())
    return file, copy


def _median(call: Any, times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _quietly(call: Any) -> None:
    with contextlib.suppress(SqlError):
        call()


def _cancel(copy: Path) -> float:
    """Milliseconds from cancel to the error, for a query that runs at full speed."""
    running = worker.Run(LONG, copy)
    done = threading.Event()

    def carry() -> None:
        _quietly(running.result)
        done.set()

    threading.Thread(target=carry).start()
    time.sleep(0.5)
    began = time.perf_counter()
    running.cancel()
    done.wait(30)
    return 1000 * (time.perf_counter() - began)


def _twenty(copy: Path) -> dict[str, Any]:
    """Twenty analysts: five with statements that run until they are stopped at 8 s, fifteen who ask four short ones each."""
    pool = Pool()
    began = time.perf_counter()
    limits = worker.Limits(seconds=8)
    long = [pool.run(f"long{nth}", LONG, copy, limits=limits) for nth in range(5)]
    waits: list[float] = []
    lock = threading.Lock()

    def analyst(name: str) -> None:
        for _ in range(4):
            asked = time.perf_counter()
            pool.run(name, SHORT, copy).result(120)
            with lock:
                waits.append(time.perf_counter() - asked)

    threads = [threading.Thread(target=analyst, args=(f"short{nth}",)) for nth in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    short_done = time.perf_counter() - began
    for ticket in long:
        _quietly(lambda ticket=ticket: _result(ticket))
    waits.sort()
    return {
        "what": "20 analysts: 60 short queries beside 5 that never end",
        "median_ms": 1000 * statistics.median(waits),
        "p95_ms": 1000 * waits[int(0.95 * len(waits))],
        "worst_ms": 1000 * waits[-1],
        "seconds": short_done,
    }


def _result(ticket: Ticket) -> Any:
    return ticket.result(120)


def run(*, large: bool = False) -> list[dict[str, Any]]:
    """Rows: what, median_ms, p95_ms, worst_ms, ratio, rows, seconds, memory_mb."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="samplads-bench-") as name:
        folder = Path(name)
        file, copy = _warehouse(folder)
        worker.stop()
        began = time.perf_counter()
        worker.start()
        rows.append({"what": "start of the fork server", "median_ms": 1000 * (time.perf_counter() - began)})
        worker.run(SHORT, copy)

        with duckdb.connect(str(copy), read_only=True) as connection:
            bare = _median(lambda: connection.sql(SHORT).pl(), 50)
        walled = _median(lambda: worker.run(SHORT, copy), 30)
        rows.append({"what": "short query in this process", "median_ms": bare})
        rows.append({"what": "the same behind all walls, a process of its own", "median_ms": walled, "ratio": walled / bare})
        refused = _median(lambda: _quietly(lambda: worker.run("from read_csv('/etc/passwd')", copy)), 20)
        rows.append({"what": "refused statement", "median_ms": refused})
        stops = sorted(_cancel(copy) for _ in range(10))
        rows.append({"what": "cancel of a running query", "median_ms": statistics.median(stops), "worst_ms": stops[-1]})
        rows.append(_twenty(copy))

        count = 10_000_000 if large else 1_000_000
        columns = "range as n, 'row ' || range as t, range * 0.5 as h, date '2000-01-01' + (range % 9000)::integer as d"
        sql = f"select {columns} from range({count})"
        for form in ("parquet", "csv"):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            done = worker.export(sql, copy, folder / f"whole.{form}", form)
            if done.rows != count:
                raise RuntimeError("an export must be whole")
            rows.append({"what": f"export of all rows as {form}", "rows": done.rows, "seconds": done.seconds, "memory_mb": done.peak_mb})
            done.path.unlink()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        rows.append({"what": "growth of the asking process meanwhile", "memory_mb": grown})
        done = worker.export(sql.replace(f"range({count})", "range(100000)"), copy, folder / "some.xlsx", "xlsx")
        rows.append({"what": "export of all rows as xlsx", "rows": done.rows, "seconds": done.seconds, "memory_mb": done.peak_mb})
        began = time.perf_counter()
        analyst_copy.build(file, folder / "again.duckdb", analyst_copy.Disclosure())
        rows.append({"what": "build of the analyst copy (small warehouse)", "seconds": time.perf_counter() - began})
        worker.stop()
    return rows


if __name__ == "__main__":
    for row in run(large="--large" in sys.argv):
        print("  ".join(f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}" for key, value in row.items()))
