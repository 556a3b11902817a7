"""Eight queries that pages ask, on the national warehouse, beside the same answers written by hand for one case.

The set is `national.make` (98 municipalities, 12,000 units, 100,000 places, 2 million stays, 10,000 open needs), published once in
var/bench/national. Each answer comes from: the page's own query, with every filter a page may set; DuckDB, written by hand for this one
case on the same file; polars (lazy) and pandas on the same tables in memory; SQLite on the same tables with indexes. All five must tell the
same; only then are they timed. `ratio` is against the hand-written DuckDB form; medians and 95th percentiles in milliseconds of a warm
process. The last rows ask 20 million unit-days instead of the warehouse's monthly table, which is what that table is for.
"""

from __future__ import annotations

import datetime as dt
import math
import resource
import sqlite3
import statistics
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl

from samplads import loading, publishing, queries, settings, warehouse

FOLDER = settings.ROOT / "var" / "bench" / "national"
RUNS, SLOW_RUNS = 30, 5
SLOW_SECONDS = 0.5
"""An answer that takes longer is asked fewer times."""
AUTISM = "9b3fd322-a75a-4ed8-9b74-425fa1e01c95"
EXTERNALISING = "e1b59a4a-9cc2-4113-a5f1-84af588b02a2"
HOME, REACH_KM = "259", 100.0
MONTHS = 36
Rows = list[tuple[Any, ...]]
Ask = Callable[[], Rows]


def published() -> Path:
    """The national warehouse's folder, made and published on the first call."""
    from benches import national

    rows = national.make(FOLDER / "delivery")
    marker = FOLDER / "published.txt"
    stamp = f"{rows} {settings.read().queries.stat().st_mtime_ns} {_builds_digest()}"
    if not marker.is_file() or marker.read_text(encoding="utf-8") != stamp:
        publishing.publish([FOLDER / "delivery"], folder=FOLDER / "warehouse")
        marker.write_text(stamp, encoding="utf-8")
    return FOLDER / "warehouse"


def _builds_digest() -> str:
    import hashlib

    digest = hashlib.sha256()
    for path in sorted((settings.read().queries / "warehouse").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def rounded(rows: Rows) -> Rows:
    """Rows that can be compared: whole numbers as such, others to four digits, no NaN."""

    def one(value: Any) -> Any:
        if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
            return None
        if isinstance(value, float) or (hasattr(value, "dtype") and getattr(value.dtype, "kind", "") == "f"):
            return round(float(value), 4)
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, str) and len(value) == 10 and value[4] == "-" == value[7]:
            return dt.date.fromisoformat(value)
        return int(value) if hasattr(value, "item") else value

    return [tuple(one(value) for value in row) for row in rows]
