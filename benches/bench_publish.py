"""Publishing the national set: rows a second and peak memory, beside a bare DuckDB `COPY ... TO parquet` of the same files.

The set is `national.make` (12,000 units, 288,000 counts, 2 million stays, all eleven extracts). Each measurement runs in a process of its
own, so that its peak is its own; the peak of the child that opens Parquet is added, as if both fell together. `copy` reads the files and
writes them again as Parquet. `check` does the same with checked rows: it reads, checks, and writes what was accepted as Parquet, with its
findings; the aim is at most 3 times the copy. `publish` goes the whole way to a warehouse in force: checked, kept, built with its
aggregates, and the analysts' copy with its suppression beside it. The second set is the units, counts and stays as CSV, as municipalities
send them, where reading text is part of the work for both.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benches import memory

ROUNDS = 3
DEMO = Path(__file__).resolve().parent.parent / "data" / "demo"
NATIONAL = Path(__file__).resolve().parent.parent / "var" / "bench" / "national" / "delivery"


def _copy(delivery: Path, out: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        for file in sorted([*delivery.glob("*.parquet"), *delivery.glob("*.csv")]):
            source = f"read_csv('{file}', delim = ';', decimal_separator = ',')" if file.suffix == ".csv" else f"'{file}'"
            connection.execute(f"copy (from {source}) to '{out / file.stem}.parquet'")


def _check(delivery: Path, out: Path) -> None:
    from samplads import publishing, warehouse

    (out / "deliveries").mkdir()
    warehouse.archive(out, publishing.check(delivery, folder=out))


def _publish(delivery: Path, out: Path) -> None:
    from samplads import publishing

    publishing.publish([delivery], folder=out)


WAYS = {"copy": _copy, "check": _check, "publish": _publish}


def _child(way: str, delivery: Path, out: Path) -> dict[str, float]:
    """One run in a fresh process: seconds of the work alone (imports apart) and the peak of its memory."""
    code = "import sys; from benches import bench_publish; bench_publish.measured(*sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, way, str(delivery), str(out)], capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def measured(way: str, delivery: str, out: str) -> None:
    """In the child: do it, and print seconds and peak memory."""
    import duckdb  # noqa: F401 - paid before the clock starts, as by a server that runs
    import polars  # noqa: F401

    from samplads import opening, publishing  # noqa: F401
    from samplads.contracts import CONTRACTS  # noqa: F401

    opened: list[float] = []
    close = opening.Opener.close

    def noted(opener: opening.Opener) -> None:
        if opener.child is not None:
            opened.append(memory.peak_mb(opener.child))
        close(opener)

    opening.Opener.close = noted  # type: ignore[method-assign]
    # Warm, as in a server that runs: once on the small demonstration.
    with tempfile.TemporaryDirectory(prefix="samplads-bench-") as aside:
        WAYS[way](DEMO, Path(aside))
    opened.clear()
    before = memory.peak_mb()
    start = time.perf_counter()
    WAYS[way](Path(delivery), Path(out))
    seconds = time.perf_counter() - start
    peak = memory.peak_mb() + max(opened, default=0.0)
    print(json.dumps({"seconds": seconds, "memory_mb": peak, "above_start_mb": peak - before}))


def _as_csv(delivery: Path, target: Path) -> int:
    """Units, counts and stays as a municipality would send them: `;`, decimal comma, days as ISO text. Returns the rows."""
    import polars as pl

    target.mkdir()
    rows = 0
    for extract in ("unit", "capacity", "stay"):
        frame = pl.read_parquet(delivery / f"{extract}.parquet")
        money = {"daily_rate_ore": "daily_rate"}
        frame = frame.with_columns(pl.col(name) / 100 for name in money if name in frame.columns).rename(money, strict=False)
        frame.write_csv(target / f"{extract}.csv", separator=";", decimal_comma=True)
        rows += frame.height
    (target / "manifest.yaml").write_text((delivery / "manifest.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return rows


def run() -> list[dict[str, Any]]:
    """One row a way and set: what, rows, median_ms, rows_s, ratio to the bare copy of the same files, memory_mb, above_start_mb."""
    from benches import national
    from samplads.contracts import CONTRACTS

    found: list[dict[str, Any]] = []
    made = national.make(NATIONAL)
    with tempfile.TemporaryDirectory(prefix="samplads-bench-") as aside:
        root = Path(aside)
        delivery = root / "parquet"
        delivery.mkdir()
        for name in (*(f"{extract}.parquet" for extract in CONTRACTS), "manifest.yaml"):
            shutil.copy(NATIONAL / name, delivery)
        sets = {"parquet": (delivery, sum(made[extract] for extract in CONTRACTS))}
        sets["csv"] = (root / "csv", _as_csv(delivery, root / "csv"))
        for form, (source, rows) in sets.items():
            copied = 0.0
            for way in WAYS:
                runs = []
                for number in range(ROUNDS):
                    out = root / f"{form}-{way}-{number}"
                    out.mkdir()
                    runs.append(_child(way, source, out))
                    shutil.rmtree(out)
                seconds = statistics.median(one["seconds"] for one in runs)
                copied = copied or seconds
                found.append(
                    {
                        "what": f"{way} ({form})",
                        "rows": rows,
                        "median_ms": round(1000 * seconds),
                        "rows_s": round(rows / seconds),
                        "ratio": round(seconds / copied, 2),
                        "memory_mb": round(max(one["memory_mb"] for one in runs)),
                        "above_start_mb": round(max(one["above_start_mb"] for one in runs)),
                    }
                )
    return found


if __name__ == "__main__":
    for line in run():
        print(
            f"{line['what']:<20} {line['rows']:>10,} rows {line['median_ms']:>8,} ms {line['rows_s']:>12,} rows/s  x{line['ratio']:<6} "
            f"{line['memory_mb']:>6} MB (+{line['above_start_mb']})"
        )
