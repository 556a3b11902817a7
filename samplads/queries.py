"""Named queries: one file, one statement, one result; the file's name is the query's name.

A query lies in `queries/<name>.sql` and opens with three comment lines (what one row is; grain and parameters; who reads it). Values come
in as `$name`, never by putting text together. Every run has a cursor of its own, so that threads never share a result, and the version of
the warehouse is part of every cached answer's key.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from samplads import settings, warehouse
from samplads.errors import SampladsError

PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")
# Answers of pages are small: the extra copy that DuckDB warns of costs less than a second planning.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)

COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True)
class Query:
    """One named query: its text, what its header says and which parameters it takes."""

    name: str
    sql: str
    row: str
    grain: str
    readers: str
    parameters: frozenset[str]


@cache
def get(name: str, folder: Path | None = None) -> Query:
    """The query of a name.

    Raises SampladsError `query_unknown` with the names that exist.
    """
    root = folder or settings.read().queries
    path = root / f"{name}.sql"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not path.is_file():
        raise SampladsError("query_unknown", name=name, names=", ".join(names(root)))
    sql = path.read_text(encoding="utf-8")
    header = [line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--")]
    row, grain, readers = [*header, "", "", ""][:3]
    return Query(name, sql, row, grain, readers, frozenset(PARAMETER.findall(COMMENT.sub("", sql))))


def names(folder: Path | None = None) -> list[str]:
    """The names of all queries that pages and the command line may ask."""
    return sorted(path.stem for path in (folder or settings.read().queries).glob("*.sql"))


class _Readers:
    """One in-memory connection per published file, with the file attached read-only: a replaced warehouse is a new name, never old data."""

    def __init__(self, keep: int = 3) -> None:
        self._keep = keep
        self._open: dict[Path, duckdb.DuckDBPyConnection] = {}
        self._lock = threading.Lock()

    def cursor(self, path: Path) -> duckdb.DuckDBPyConnection:
        """A cursor on a published file. The caller closes it."""
        with self._lock:
            connection = self._open.pop(path, None)
            if connection is None:
                connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
                quoted = str(path).replace("'", "''")
                try:
                    connection.execute(f"attach '{quoted}' as warehouse (type duckdb, read_only)")
                except (duckdb.IOException, duckdb.SerializationException) as error:
                    connection.close()
                    raise SampladsError("warehouse_unreadable", file=path.name) from error
            self._open[path] = connection
            while len(self._open) > self._keep:
                # The oldest version: its cursors finish their query, since each holds the database open itself.
                self._open.pop(next(iter(self._open))).close()
            cursor = connection.cursor()
        cursor.execute("use warehouse")
        return cursor


_readers = _Readers()


@cache
def _parsed(sql: str) -> duckdb.Statement:
    """A query's text, parsed once in a process: execution copies the statement (docs/decisions/0006)."""
    with duckdb.connect() as connection:
        (statement,) = connection.extract_statements(sql)
    return statement


def run(
    name: str,
    path: Path | None = None,
    *,
    on_start: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    **parameters: Any,
) -> pl.DataFrame:
    """The answer of a named query.

    `path` is a published file or a warehouse folder (default: the current version of the warehouse in the settings). `on_start` is
    handed the cursor before it runs, so that a caller may interrupt it.

    Raises SampladsError `query_parameters` where parameters lack or are unknown, `warehouse_missing` where nothing is published,
    `warehouse_unreadable` where the published file is none.
    """
    query = get(name)
    given = frozenset(parameters)
    if given != query.parameters:
        raise SampladsError(
            "query_parameters",
            name=name,
            missing=", ".join(sorted(query.parameters - given)) or "-",
            unknown=", ".join(sorted(given - query.parameters)) or "-",
        )
    file = warehouse.file_of(path)
    cursor = _readers.cursor(file)
    try:
        if on_start is not None:
            on_start(cursor)
        # Not `cursor.sql(...).pl()`, which plans every query twice (docs/decisions/0006).
        cursor.execute(_parsed(query.sql), parameters or None)
        return pl.DataFrame(cursor.to_arrow_table())
    finally:
        cursor.close()


FORMS: dict[str, str] = {
    **dict.fromkeys(("as_of", "day", "first_month", "last_month", "open_by", "until"), "day"),
    **dict.fromkeys(("grouping", "language", "need_id", "places", "unit_id"), "text"),
    **dict.fromkeys(("dropped", "freshness", "groups", "more_places", "municipalities", "night_covers"), "texts"),
    **dict.fromkeys(("offer_types", "operator_kinds", "unit_ids"), "texts"),
    **dict.fromkeys(("age", "ageing_days", "expiry_days", "fresh_days", "max_rate_ore", "support_level"), "whole"),
    **dict.fromkeys(("deviation_points", "lat", "lon", "max_km", "occupancy_pct"), "number"),
    **dict.fromkeys(("all_groups", "full_units"), "yes_no"),
    **dict.fromkeys(("operator_share_pct", "scales", "tiers", "weights"), "record"),
}
"""How each parameter of the named queries is written; a name means the same in all of them."""


def parameter(name: str, text: str) -> Any:
    """A parameter as it is typed, in the form of its name (`FORMS`): `null` is unknown, a list has | between its parts, one part is a list
    of one, nothing is an empty list; codes and ids stay text whatever they look like. A name that no query has stays text.

    Raises SampladsError `query_parameter_<form>` where it is written otherwise.
    """
    form = FORMS.get(name, "text")
    if text == "null":
        return None
    if form == "texts":
        return [part for part in text.split("|") if part]
    if form == "text":
        return text
    if not text:
        return None
    try:
        return _READ[form](text)
    except (ValueError, KeyError):
        raise SampladsError(f"query_parameter_{form}", name=name, text=text[:40]) from None


def _number(text: str) -> float:
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _record(text: str) -> dict[str, Any]:
    record = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError(text)
    return record


_READ: dict[str, Callable[[str], Any]] = {
    "day": dt.date.fromisoformat,
    "whole": int,
    "number": _number,
    "yes_no": {"true": True, "yes": True, "ja": True, "false": False, "no": False, "nej": False}.__getitem__,
    "record": _record,
}
