"""What an officer waits for outside the browser, on a national demonstration: `samplads match` as a fresh process, and each page's queries.

The demonstration (6,800 units) is made and published once in var/bench/pages. A match is timed from the start of the process to its end,
with Python's start and all imports in it; `cpu_ms` is time on the processor, which a busy machine stretches less. Queries are medians in a
warm process. How long a changed filter takes in Chromium is told by bench_browser.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samplads import demo, loading, publishing, queries, reference, settings, warehouse

FOLDER = settings.ROOT / "var" / "bench" / "pages"
AS_OF = dt.date(2026, 11, 1)
PROCESSES = 9
RUNS = 25
NEED = "2026-118"
AUTISM = "9b3fd322-a75a-4ed8-9b74-425fa1e01c95"
EXTERNALISING = "e1b59a4a-9cc2-4113-a5f1-84af588b02a2"


def _published() -> Path:
    folder = FOLDER / "warehouse"
    if not warehouse.history(folder):
        facts = reference.read(settings.read().reference)
        demo.write(FOLDER / "delivery", facts, scale="national", seed=1, as_of=AS_OF)
        publishing.publish([FOLDER / "delivery"], folder=folder)
    return folder


def _process(what: str, arguments: list[str], folder: Path) -> dict[str, Any]:
    """Median wall and processor time of fresh processes, after one that warms the disk's cache."""
    walls, cpus = [], []
    environment = {**os.environ, "SAMPLADS_WAREHOUSE": str(folder)}
    for _ in range(PROCESSES + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
        walls.append((time.perf_counter() - begun) * 1000)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return {"what": what, "median_ms": statistics.median(walls[1:]), "cpu_ms": statistics.median(cpus[1:]), "runs": PROCESSES}


def _asked(folder: Path) -> dict[str, dict[str, Any]]:
    """The queries of the first three pages with the parameters that the pages give."""
    day = loading.as_of(folder)
    limits = loading.freshness(day)
    lat, lon = loading.municipalities(folder)["259"]
    bands = {"day": day, "fresh_days": limits.fresh_days, "ageing_days": limits.ageing_days}
    lists = ("groups", "offer_types", "municipalities", "operator_kinds", "night_covers", "freshness")
    none = dict.fromkeys(("age", "support_level", "open_by", "max_km", "max_rate_ore"))
    filters = {**bands, "lat": lat, "lon": lon, **{name: [] for name in lists}, **none, "places": "open", "all_groups": True}
    pair = filters | {"groups": [AUTISM, EXTERNALISING]}
    shown = {"language": "da", "occupancy_pct": 98.0}
    unit_id = queries.run("unit_ids", folder)["unit_id"][0]
    return {
        "overview_places": {"day": day, "fresh_days": limits.fresh_days},
        "overview_needs": {"day": day},
        "overview_demand": {"day": day},
        "overview_deliveries": {"day": day, "fresh_days": limits.fresh_days},
        "vacancies_by_municipality": bands,
        "vacant_units": filters | shown,
        "vacant_units, two target groups": pair | shown,
        "vacant_units, every unit": filters | shown | {"places": "all"},
        "vacancy_funnel": filters,
        "vacancy_funnel, two target groups": pair,
        "unit_detail": {**bands, **shown, "unit_id": unit_id},
        "unit_history": {"unit_id": unit_id},
        "open_needs": {},
        "match_units": {},
        "municipalities": {},
        "target_groups": {},
        "offer_types": {},
        "region_members": {"day": day},
    }


def _warm(what: str, call: Callable[[], Any]) -> dict[str, Any]:
    call()
    walls, cpus = [], []
    for _ in range(RUNS):
        cpu, begun = time.process_time(), time.perf_counter()
        call()
        walls.append((time.perf_counter() - begun) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return {"what": what, "median_ms": statistics.median(walls), "cpu_ms": statistics.median(cpus), "runs": RUNS}


def run() -> list[dict[str, Any]]:
    """Rows: what, median_ms, cpu_ms, runs, units."""
    folder = _published()
    file = warehouse.current(folder).path
    rows = [
        _process("python, nothing imported (floor)", ["-c", "pass"], folder),
        _process("python, duckdb and polars imported (floor)", ["-c", "import duckdb, polars, pyarrow"], folder),
        _process("samplads match, one need, a fresh process", ["-m", "samplads", "match", "--need", NEED, "--format", "json"], folder),
        _process("samplads query, a fresh process", ["-m", "samplads", "query", "municipalities", "--format", "csv"], folder),
    ]
    for what, parameters in _asked(folder).items():
        name = what.partition(",")[0]
        rows.append(_warm(what, lambda name=name, parameters=parameters: queries.run(name, file, **parameters)))
    units = queries.run("unit_ids", file).height
    return [{**row, "units": units} for row in rows]


if __name__ == "__main__":
    for line in run():
        print(f"{line['what']:<50}{line['median_ms']:>9.1f} ms {line['cpu_ms']:>9.1f} ms cpu  {line['units']} units")
