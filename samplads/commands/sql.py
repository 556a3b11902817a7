"""`samplads sql` and `samplads export`: an analyst's SQL on the analyst copy, through the same worker as the page."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from samplads.errors import SampladsError

SHOWN = ("table", "json")
WHOLE = ("csv", "xlsx", "parquet")
_ALL = 1 << 40
"""More rows than there are: the bytes of a shown result have a limit of their own."""
_LONGEST = 86_400
"""Most seconds that may be asked for."""


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
    command.add_argument("--format", choices=(*SHOWN, *WHOLE), help="default: what the name of the file ends in, else table")
    command.add_argument(
        "--out", type=Path, help="write the whole result to a file (default: standard output; a terminal takes no xlsx or parquet)"
    )
    command.add_argument("--rows", type=int, default=1000, help="most rows of a shown table or JSON (default: 1000); a file has all")
    command.add_argument("--timeout", metavar="S", help="most seconds (default: 60; 1800 for a file)")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=sql)
    whole = subparsers.add_parser("export", help="write a whole table of the analyst copy to a file")
    whole.add_argument("--table", required=True)
    whole.add_argument("--format", choices=WHOLE, help="default: what the name of the file ends in, else csv")
    whole.add_argument("--out", type=Path, help="default: standard output")
    whole.add_argument("--timeout", metavar="S", help="most seconds (default: 1800)")
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
    form = given.format or _by_name(given.out, (*SHOWN, *WHOLE)) or "table"
    limits = worker.Limits()
    if (seconds := _seconds(given.timeout)) is not None:
        limits = dataclasses.replace(limits, seconds=seconds, export_seconds=seconds)
    try:
        if given.out is not None and form in WHOLE:
            done = worker.export(statement, copy, given.out, form, parameters=values, limits=limits)
            print(i18n.text("workbench.exported", given.language, rows=done.rows, file=str(done.path)), file=sys.stderr)
            return 0
        if form in WHOLE:
            return _to_standard_output(statement, copy, form, values, limits)
        if given.out is not None:
            limits = dataclasses.replace(limits, rows=_ALL, seconds=limits.export_seconds)
        else:
            limits = dataclasses.replace(limits, rows=max(1, given.rows))
        outcome = worker.run(statement, copy, parameters=values, limits=limits)
        _show(outcome, form, given.out)
    except SqlError as error:
        return _fault(error, given.language)
    if outcome.truncated:
        print(i18n.text("workbench.truncated", given.language, rows=outcome.rows_shown), file=sys.stderr)
    return 0


def _by_name(out: Path | None, forms: tuple[str, ...]) -> str | None:
    """The format that a file's name ends in."""
    ending = out.suffix.lower().removeprefix(".") if out is not None else ""
    return ending if ending in forms else None


def _seconds(text: str | None) -> float | None:
    """The most seconds that were told. Raises SampladsError `timeout_shape`."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST:
        raise SampladsError("timeout_shape", value=text, most=_LONGEST)
    return seconds


def _show(outcome: Any, form: str, out: Path | None) -> None:
    """The rows or the plan, on standard output or in a file that gets its name when it is whole."""
    import contextlib
    import io

    from samplads import disk
    from samplads.commands import query
    from samplads.workbench import landing
    from samplads.workbench.faults import SqlError

    def write() -> None:
        if outcome.plan is not None and form == "table":
            print(outcome.plan)
        else:
            query.write(outcome.frame, form)

    if out is None:
        write()
        return
    try:
        with disk.Aside(disk.EXPORT_PREFIX) as folder, landing.landing(out, folder) as file:
            stream = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
            try:
                with contextlib.redirect_stdout(stream):
                    write()
            finally:
                # The file is the landing's to close.
                stream.detach()
    except OSError as error:
        raise SqlError("export_disk", reason=error.strerror or "") from None


def _to_standard_output(statement: str, copy: Path, form: str, values: dict[str, object], limits: Any) -> int:
    import shutil

    from samplads import disk
    from samplads.workbench import worker

    if form != "csv" and sys.stdout.isatty():
        raise SampladsError("export_terminal", format=form)
    disk.sweep()
    with disk.Aside(disk.EXPORT_PREFIX) as folder:
        done = worker.export(statement, copy, folder / f"result.{form}", form, parameters=values, limits=limits)
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
    limits = worker.Limits(export_seconds=_seconds(given.timeout) or worker.Limits().export_seconds)
    form = given.format or _by_name(given.out, WHOLE) or "csv"
    try:
        if given.out is None:
            return _to_standard_output(f'from "{given.table}"', copy, form, {}, limits)
        done = worker.export(f'from "{given.table}"', copy, given.out, form, limits=limits)
    except SqlError as error:
        return _fault(error, given.language)
    print(i18n.text("workbench.exported", given.language, rows=done.rows, file=str(done.path)), file=sys.stderr)
    return 0
