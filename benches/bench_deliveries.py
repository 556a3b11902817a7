"""Checking deliveries of national scale, beside DuckDB's bare `COPY (select * from read_csv(...)) to parquet` of the same files.

Each row is one run in a process of its own: wall time, processor time, rows a second, and how far memory rose at its peak above what the
process held before it opened the file. `ratio` is against the bare copy. The 2 GB file is there for its memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

UNITS = 2_500
CODES = ["101", "259", "370", "461", "751", "851"]

CHILD = """
import json, resource, sys, time
from pathlib import Path
import duckdb, polars as pl
from samplads import extracts

what, file, units = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
codes = {"municipality.code": json.loads(sys.argv[4])}
known = {"unit": pl.DataFrame({"unit_id": [f"A-{n}" for n in range(units)]})}

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

def used():
    told = resource.getrusage(resource.RUSAGE_SELF)
    return told.ru_utime + told.ru_stime

before, wall, processor = peak(), time.perf_counter(), used()
if what == "copy":
    duckdb.sql("set enable_progress_bar = false")
    reader = f"read_parquet('{file}')" if file.suffix == ".parquet" else f"read_csv('{file}')"
    duckdb.sql(f"copy (select * from {reader}) to '{file}.copy' (format parquet)")
    rows = accepted = duckdb.sql(f"select count(*) from read_parquet('{file}.copy')").fetchall()[0][0]
elif what == "read":
    rows = accepted = sum(batch.height for batch in extracts.read_delivery(file).tables[0].batches())
else:
    checked = extracts.check(extracts.read_delivery(file), codes, known)
    rows, accepted = checked.counts["delivered"].sum(), checked.counts["accepted"].sum()
    for extract in checked.frames:
        checked.frames.scan(extract).sink_parquet(f"{file}.{extract}")
wall, processor, rise = time.perf_counter() - wall, used() - processor, peak() - before
print(json.dumps({"wall": wall, "processor": processor, "rows": rows, "accepted": accepted, "rise": rise}))
"""


def _run(what: str, file: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, what, str(file), str(UNITS), json.dumps(CODES)], capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _numbers(rows: int) -> pl.LazyFrame:
    return pl.DataFrame({"number": pl.int_range(rows, dtype=pl.Int64, eager=True)}).lazy()


def _capacity(rows: int) -> pl.LazyFrame:
    number = pl.col("number")
    day = (pl.date(1980, 1, 1) + pl.duration(days=number // UNITS)).dt.strftime("%d.%m.%Y")
    return _numbers(rows).select(
        ("A-" + (number % UNITS).cast(pl.String)).alias("unit_id"),
        day.alias("as_of"),
        pl.lit(8).alias("maximum"),
        (number % 7).alias("occupied"),
        pl.lit(0).alias("reserved"),
        pl.lit(1).alias("accepting"),
        pl.lit("open").alias("status"),
        pl.lit("afdelingsleder").alias("confirmed_by"),
        day.alias("confirmed_at"),
    )


def _stays(rows: int) -> pl.LazyFrame:
    number = pl.col("number")
    start = pl.date(2015, 1, 1) + pl.duration(days=number % 4000)
    return _numbers(rows).select(
        ("S-" + number.cast(pl.String)).alias("stay_id"),
        ("p-" + (number // 3).cast(pl.String)).alias("person_ref"),
        ("A-" + (number % UNITS).cast(pl.String)).alias("unit_id"),
        (number % len(CODES)).replace_strict(dict(enumerate(CODES)), return_dtype=pl.String).alias("municipality"),
        start.dt.strftime("%Y-%m-%d").alias("starts_on"),
        (start + pl.duration(days=1 + number % 900)).dt.strftime("%Y-%m-%d").alias("ends_on"),
        ((number % 3000 + 1500).cast(pl.String) + ",50").alias("daily_rate"),
    )


def run() -> list[dict[str, Any]]:
    """One row a run; see the module."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="samplads-bench-") as name:
        folder = Path(name)
        made = (
            ("stay 2 M rows, CSV", folder / "stay.csv", _stays(2_000_000)),
            ("stay 2 M rows, Parquet", folder / "stay.parquet", _stays(2_000_000)),
            ("capacity 10 M rows, CSV", folder / "capacity.csv", _capacity(10_000_000)),
            ("capacity 2 GB, CSV", folder / "capacity_large.csv", _capacity(37_000_000)),
        )
        for what, file, frame in made:
            if file.suffix == ".csv":
                frame.sink_csv(file, separator=";")
            else:
                frame.sink_parquet(file)
            copied = _run("copy", file)
            ways = {"bare copy": copied, "check": _run("check", file)}
            if file.suffix == ".csv":
                ways["reading alone, its buffers"] = _run("read", file)
            for label, told in ((f"{way}: {what}", told) for way, told in ways.items()):
                rows.append(
                    {
                        "what": label,
                        "file_mb": file.stat().st_size / 1e6,
                        "rows": told["rows"],
                        "accepted": told["accepted"],
                        "wall_s": told["wall"],
                        "processor_s": told["processor"],
                        "rows_per_s": told["rows"] / told["wall"],
                        "ratio": told["wall"] / copied["wall"],
                        "processor_ratio": told["processor"] / copied["processor"],
                        "memory_mb": told["rise"],
                    }
                )
            for left in folder.glob(f"{file.name}*"):
                left.unlink()
    return rows


if __name__ == "__main__":
    from benches.__main__ import table

    print(table(run()))
