"""`samplads query`: the answer of a named query, for scripts and checks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

FORMATS = ("table", "csv", "json", "parquet")


def register(subparsers: Any) -> None:
    """Add `query`."""
    command = subparsers.add_parser("query", help="ask a named query")
    command.add_argument("name", nargs="?", help="the query's name; without one, all names are listed")
    command.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter; | between the parts of a list, null for unknown"
    )
    command.add_argument("--format", choices=FORMATS, default="table")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Ask the query and write its answer to standard output."""
    import duckdb

    from samplads import queries
    from samplads.commands.publish import assignments
    from samplads.errors import SampladsError

    if given.name is None:
        for name in queries.names():
            print(f"{name:<36} {queries.get(name).row}")
        return 0
    values = {name: queries.parameter(name, value) for name, value in assignments(given.param).items()}
    try:
        answer = queries.run(given.name, given.warehouse, **values)
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        # Each value has its form, and the query still cannot use it: a number too large, a list of another length.
        reason = str(error).splitlines()[0]
        raise SampladsError("query_values", name=given.name, given=", ".join(given.param) or "-", reason=reason) from error
    write(answer, given.format)
    return 0


def write(frame: Any, form: str) -> None:
    """A frame to standard output in one of `FORMATS`: all rows, never cut."""
    import polars as pl

    if form == "table":
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, fmt_str_lengths=80):
            print(frame)
    elif form == "json":
        print(frame.write_json())
    elif form == "csv":
        from samplads.presenting.exports import harmless

        flat = frame.with_columns(
            pl.col(name).cast(pl.List(pl.String)).list.join("|") for name, kind in frame.schema.items() if kind == pl.List
        )
        # Whoever opens it in a spreadsheet must not run what somebody delivered.
        flat = flat.with_columns(
            pl.col(name).map_elements(harmless, return_dtype=pl.String) for name, kind in flat.schema.items() if kind == pl.String
        )
        print(flat.write_csv(), end="")
    else:
        frame.write_parquet(sys.stdout.buffer)
