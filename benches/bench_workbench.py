"""The workbench: what the walls cost, how soon a query stops, twenty analysts at once, ten million rows to a file, the copy's build, and
how soon the application answers while attacks run.

Run by itself: python -m benches.bench_workbench [--small]; with --small the export is a million rows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benches import memory
from samplads import policy, settings, warehouse
from samplads.publishing import publish
from samplads.workbench import analyst_copy, library, worker
from samplads.workbench.faults import SqlError
from samplads.workbench.pool import Pool, Ticket, shared

LONG = "select count(*) from range(100000000000)"
SHORT = "select offer_type, count(*), avg(daily_rate_ore) from unit group by all"


def _warehouse(folder: Path) -> tuple[Path, Path]:
    """The demonstration, published: (warehouse file, analyst copy)."""
    publish([settings.ROOT / "data" / "demo"], folder=folder)
    copy = analyst_copy.current(folder)
    return warehouse.current(folder).path, copy


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


def _twenty(copy: Path) -> list[dict[str, Any]]:
    """Twenty analysts, each with five reviewed questions one after another; five of them keep a statement running besides, for 8 s."""
    pool = Pool()
    began = time.perf_counter()
    endless = [pool.run(f"analyst{nth}", LONG, copy, limits=worker.Limits(seconds=8)) for nth in range(5)]
    waits: dict[str, list[float]] = {f"analyst{nth}": [] for nth in range(20)}
    questions = library.all_queries()

    def analyst(nth: int) -> None:
        for turn in range(5):
            query = questions[(nth * 5 + turn) % len(questions)]
            asked = time.perf_counter()
            pool.run(f"analyst{nth}", query.sql, copy, parameters=query.example()).result(120)
            waits[f"analyst{nth}"].append(time.perf_counter() - asked)

    threads = [threading.Thread(target=analyst, args=(nth,)) for nth in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    for ticket in endless:
        _quietly(lambda ticket=ticket: _result(ticket))
    every = sorted(wait for of in waits.values() for wait in of)
    polite = [statistics.mean(waits[f"analyst{nth}"]) for nth in range(5, 20)]
    greedy = [statistics.mean(waits[f"analyst{nth}"]) for nth in range(5)]
    jain = sum(polite) ** 2 / (len(polite) * sum(mean**2 for mean in polite))
    return [
        {
            "what": "20 analysts at once: 100 reviewed questions, 5 endless statements besides",
            "median_ms": 1000 * statistics.median(every),
            "p95_ms": 1000 * every[int(0.95 * len(every))],
            "worst_ms": 1000 * every[-1],
            "seconds": taken,
        },
        {"what": "fairness among the 15 without an endless one (Jain's index of mean waits; 1 is equal)", "ratio": jain},
        {"what": "longest mean wait of those 15 against the shortest", "ratio": max(polite) / min(polite)},
        {"what": "mean wait of the 5 with an endless one against the others'", "ratio": statistics.mean(greedy) / statistics.mean(polite)},
    ]


def _attacks(groups: set[str] | None = None) -> list[str]:
    told = yaml.safe_load((settings.ROOT / "tests" / "unit" / "workbench" / "attacks.yaml").read_text(encoding="utf-8"))
    return [sql for group, of in told.items() if groups is None or group in groups for sql in of["sql"]]


def _under_attack(copy: Path, statements: list[str], ask: Callable[[], None]) -> tuple[list[float], int]:
    """Ask the application again and again while four attackers send statements through its pool: seconds of each answer, statements."""
    pool = shared()
    tickets = [
        pool.run(f"attacker{nth % 4}", sql, copy, limits=worker.Limits(seconds=2))
        for nth, sql in enumerate(statements[: pool.longest_queue])
    ]
    answers = []
    while any(ticket.state != "done" for ticket in tickets):
        began = time.perf_counter()
        ask()
        answers.append(time.perf_counter() - began)
        time.sleep(0.02)
    return sorted(answers), len(tickets)


def _app_under_attack(folder: Path, copy: Path) -> list[dict[str, Any]]:
    """The application in this process, so that its pool is the one that is attacked."""
    os.environ["SAMPLADS_WAREHOUSE"], os.environ["SAMPLADS_LEDGER_URL"] = str(folder), f"sqlite:///{folder / 'ledger.sqlite'}"
    heavy = _attacks({"memory_and_time", "big_but_finished"})
    light = [sql for sql in _attacks() if sql not in heavy]
    rows = []

    import uvicorn

    from samplads import serving

    server = uvicorn.Server(uvicorn.Config(serving.application(), port=0, log_level="warning", ws="websockets-sansio"))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/_stcore/health"

    def health() -> None:
        with urllib.request.urlopen(address, timeout=30) as response:
            response.read()

    health()
    answers, sent = _under_attack(copy, heavy + light, health)
    what = f"/_stcore/health while {sent} attacks run through the pool"
    rows.append(_spread(what, answers))
    server.should_exit = True
    running.join(20)

    from streamlit.testing.v1 import AppTest

    page = AppTest.from_file(str(settings.ROOT / "pages" / "vacancies.py"), default_timeout=60)
    page.run()
    calm = _median(page.run, 10)
    rows.append({"what": "a run of the page of vacancies, nothing else running", "median_ms": calm})
    answers, sent = _under_attack(copy, heavy, lambda: _ran(page.run()))
    rows.append(_spread(f"the same while {sent} attacks on memory and time run through the pool", answers))
    return rows


def _ran(page: Any) -> None:
    if page.exception:
        raise RuntimeError("the page failed")


def _spread(what: str, answers: list[float]) -> dict[str, Any]:
    return {
        "what": what,
        "median_ms": 1000 * statistics.median(answers),
        "p95_ms": 1000 * answers[int(0.95 * len(answers))],
        "worst_ms": 1000 * answers[-1],
    }


def _result(ticket: Ticket) -> Any:
    return ticket.result(120)


def run(*, large: bool = True) -> list[dict[str, Any]]:
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
        rows += _twenty(copy)
        rows += _app_under_attack(folder, copy)

        count = 10_000_000 if large else 1_000_000
        columns = "range as n, 'row ' || range as t, range * 0.5 as h, date '2000-01-01' + (range % 9000)::integer as d"
        sql = f"select {columns} from range({count})"
        before = memory.peak_mb()
        for form in ("parquet", "csv"):
            done = worker.export(sql, copy, folder / f"whole.{form}", form)
            with duckdb.connect(str(copy), read_only=True) as connection:
                counted = connection.execute(f"select count(*) from ({sql})").fetchall()[0][0]
            if not done.rows == counted == count:
                raise RuntimeError("an export must be whole")
            rows.append({"what": f"export of all rows as {form}", "rows": done.rows, "seconds": done.seconds, "memory_mb": done.peak_mb})
            done.path.unlink()
        grown = round(memory.peak_mb() - before)
        rows.append({"what": "growth of the asking process meanwhile", "memory_mb": grown})
        done = worker.export(sql.replace(f"range({count})", "range(100000)"), copy, folder / "some.xlsx", "xlsx")
        rows.append({"what": "export of all rows as xlsx", "rows": done.rows, "seconds": done.seconds, "memory_mb": done.peak_mb})
        began = time.perf_counter()
        limits = analyst_copy.Disclosure.from_values(policy.load("disclosure", dt.date(2026, 1, 1)).values)
        analyst_copy.build(file, folder / "again.duckdb", limits)
        rows.append({"what": "build of the analyst copy (demonstration)", "seconds": time.perf_counter() - began})
        worker.stop()
    return rows


if __name__ == "__main__":
    for row in run(large="--small" not in sys.argv):
        print("  ".join(f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}" for key, value in row.items()))
