"""`samplads sql` and `samplads export`: an analyst's SQL on the analyst copy, through the same worker as the page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from samplads.errors import SampladsError

SHOWN = ("table", "json")
WHOLE = ("csv", "xlsx", "parquet")


def register(subparsers: Any) -> None:
    """Add `sql` and `export`."""
    command = subparsers.add_parser("sql", help="run SQL on the analyst copy of the warehouse")
    command.add_argument("statement", nargs="?", help="one SELECT; a hyphen reads it from standard input")
    command.add_argument("--file", type=Path, help="read the statement from a file")
    command.add_argument("--query", help="a reviewed query by name (queries/workbench); `--query list` lists them")
    command.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME[:TYPE]=VALUE",
        help="a $parameter; types: text (default), whole, number, day, flag, list (with |)",
    )
    command.add_argument("--format", choices=(*SHOWN, *WHOLE), default="table")
    command.add_argument(
        "--out", type=Path, help="write the whole result to a file (default: standard output; a terminal takes no xlsx or parquet)"
    )
    command.add_argument("--rows", type=int, default=1000, help="most rows of a table or JSON (default: 1000)")
    command.add_argument("--timeout", type=float, metavar="S", help="most seconds (default: 60; 1800 for a file)")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=sql)
    whole = subparsers.add_parser("export", help="write a whole table of the analyst copy to a file")
    whole.add_argument("--table", required=True)
    whole.add_argument("--format", choices=WHOLE, default="csv")
    whole.add_argument("--out", type=Path, help="default: standard output")
    whole.add_argument("--timeout", type=float, metavar="S", help="most seconds (default: 1800)")
    whole.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    whole.set_defaults(run=export)


def parameters(texts: list[str], declared: dict[str, str]) -> dict[str, object]:
    """`name[:type]=value` texts as values. A reviewed query's own types hold where none is told; otherwise text.

    Raises SampladsError `assignment_shape`, `sql_parameter_…`.
    """
    from samplads.workbench import library

    values: dict[str, object] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name, _, kind = name.partition(":")
        if not name or not sign or (kind and kind not in library.TYPES):
            raise SampladsError("assignment_shape", text=text)
        values[name] = library.value(value, kind or declared.get(name, "text"), name)
    return values


def _statement(given: argparse.Namespace) -> tuple[str, dict[str, str]]:
    from samplads.workbench import library

    if given.query:
        query = library.get(given.query)
        return query.sql, {parameter.name: parameter.type for parameter in query.parameters}
    if given.file:
        try:
            return given.file.read_text(encoding="utf-8-sig"), {}
        except (OSError, UnicodeDecodeError):
            raise SampladsError("sql_file", file=str(given.file)) from None
    if given.statement == "-":
        return sys.stdin.read(), {}
    return given.statement or "", {}


def _list(language: str) -> int:
    from samplads.workbench import library

    for query in library.all_queries():
        print(f"{query.name:<28} {query.title[language]}")
    return 0


def _fault(error: Any, language: str) -> int:
    """A statement's error with its place under the line and the names that look like the one that is missing."""
    from samplads import i18n
    from samplads.workbench import faults

    print(faults.sentence(error, language), file=sys.stderr)
    if error.place is not None:
        print(error.place.excerpt(), file=sys.stderr)
    if error.candidates:
        print(i18n.text("workbench.did_you_mean", language, names=", ".join(error.candidates)), file=sys.stderr)
    return 2


def sql(given: argparse.Namespace) -> int:
    """Run a statement; returns 0, or 2 where it was refused or failed."""
    import dataclasses

    from samplads import i18n
    from samplads.workbench import analyst_copy, worker
    from samplads.workbench.faults import SqlError

    if given.query == "list":
        return _list(given.language)
    statement, declared = _statement(given)
    values = parameters(given.param, declared)
    copy = analyst_copy.current(given.warehouse)
    limits = worker.Limits(rows=max(1, given.rows))
    if given.timeout is not None:
        limits = dataclasses.replace(limits, seconds=given.timeout, export_seconds=given.timeout)
    try:
        if given.out is not None and given.format in WHOLE:
            done = worker.export(statement, copy, given.out, given.format, parameters=values, limits=limits)
            print(i18n.text("workbench.exported", given.language, rows=done.rows, file=str(done.path)), file=sys.stderr)
            return 0
        if given.format in WHOLE:
            return _to_standard_output(statement, copy, given.format, values, limits)
        outcome = worker.run(statement, copy, parameters=values, limits=limits)
    except SqlError as error:
        return _fault(error, given.language)
    if outcome.plan is not None and given.format == "table":
        print(outcome.plan)
    else:
        _show(outcome.frame, given.format, given.out)
    if outcome.truncated:
        print(i18n.text("workbench.truncated", given.language, rows=outcome.rows_shown), file=sys.stderr)
    return 0


def _show(frame: Any, form: str, out: Path | None) -> None:
    from samplads.commands import query

    if out is None:
        query.write(frame, form)
        return
    import contextlib

    with out.open("w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
        query.write(frame, form)


def _to_standard_output(statement: str, copy: Path, form: str, values: dict[str, object], limits: Any) -> int:
    import shutil

    from samplads.workbench import worker

    if form != "csv" and sys.stdout.isatty():
        raise SampladsError("export_terminal", format=form)
    with tempfile.TemporaryDirectory(prefix="samplads-") as folder:
        done = worker.export(statement, copy, Path(folder) / f"result.{form}", form, parameters=values, limits=limits)
        with done.path.open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    return 0


def export(given: argparse.Namespace) -> int:
    """Write a whole table; returns 0, or 2 where it failed."""
    from samplads import i18n
    from samplads.workbench import analyst_copy, worker
    from samplads.workbench.faults import SqlError

    copy = analyst_copy.current(given.warehouse)
    names = analyst_copy.tables(copy)
    if given.table not in names:
        raise SampladsError("export_table_unknown", name=given.table, names=", ".join(names))
    limits = worker.Limits(export_seconds=given.timeout or worker.Limits().export_seconds)
    try:
        if given.out is None:
            return _to_standard_output(f'from "{given.table}"', copy, given.format, {}, limits)
        done = worker.export(f'from "{given.table}"', copy, given.out, given.format, limits=limits)
    except SqlError as error:
        return _fault(error, given.language)
    print(i18n.text("workbench.exported", given.language, rows=done.rows, file=str(done.path)), file=sys.stderr)
    return 0
