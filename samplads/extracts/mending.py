"""The workbook that goes back to the sender: the delivered sheets with what is wrong in each row, ready to be mended and returned.

One sheet for each table with a finding: called as it was delivered, or with its extract where that name would not be known again; titles,
header and columns as delivered, its rows in order, and a last column that says what to do. A last sheet lists every finding. Numbers and
days that could be read are written as such; all else is written as text, so that no cell can become a formula.

A file that was refused for personal data is not repeated here: only its findings are.

`mend_workbook` makes it of a delivery at hand, with all its rows; `mend_archived` of one that was published, with the rows set aside.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl
import xlsxwriter

from samplads import i18n
from samplads.contracts import CONTRACTS
from samplads.extracts import headers, scouting, values
from samplads.extracts.findings import Finding, from_frame, name, what_to_do
from samplads.extracts.personal import redacted
from samplads.extracts.reading import EXTRA, ROW, Delivery

MOST_ROWS = 100_000
"""A table of more rows goes back with the rows that have a finding only: a sheet holds a million, and nobody mends among them."""

LONGEST_CELL = 32_767
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"-?[0-9]+")
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")

Place = tuple[str, str | None]


def mend_workbook(delivery: Delivery, findings: pl.DataFrame, language: str = "da") -> bytes:
    """An XLSX of what has to be mended in a delivery.

    `findings` is a frame as `check` gives it for this delivery.
    """
    told = from_frame(findings.filter(pl.col("severity") != "corrected"))
    target = io.BytesIO()
    with _book(target) as (book, forms):
        names: set[str] = set()
        for one in scouting.screen(delivery):
            place: Place = (redacted(one.table.file), None if one.table.sheet is None else redacted(one.table.sheet))
            mine = [finding for finding in told if (finding.file, finding.sheet) == place]
            if not mine or any(finding.rule.startswith("personal") for finding in mine) or one.refused or not one.rows:
                continue
            table = one.table
            form = _Form(table.file, table.sheet, table.extract, table.headers, table.header_row, table.titles)
            remarks = _remarks(mine, language)
            rows = _rows(one, delivery, None if one.rows <= MOST_ROWS else set(remarks))
            _sheet(book, forms, form, mine, rows, _sheet_name(form, names), language)
        _list(book, forms, told, _unused(i18n.text("deliveries.mend.findings", language), names), language)
    return target.getvalue()


def mend_archived(set_aside: pl.DataFrame, findings: pl.DataFrame, language: str = "da") -> bytes:
    """An XLSX of what has to be mended in a delivery that was published.

    `set_aside` has the columns of `checking.SET_ASIDE`, `findings` at least those of a frame of findings, both of one delivery.
    """
    told = from_frame(findings.filter(pl.col("severity") != "corrected"))
    target = io.BytesIO()
    with _book(target) as (book, forms):
        names: set[str] = set()
        for rows in set_aside.partition_by("file", "sheet", "extract", maintain_order=True):
            first = rows.row(0, named=True)
            titles = tuple((int(row), str(text)) for row, text in json.loads(first["titles"]))
            form = _Form(first["file"], first["sheet"], first["extract"], tuple(first["headers"]), first["header_row"], titles)
            mine = [finding for finding in told if (finding.file, finding.sheet) == (form.file, form.sheet)]
            _sheet(book, forms, form, mine, _archived_rows(rows), _sheet_name(form, names), language)
        _list(book, forms, told, _unused(i18n.text("deliveries.mend.findings", language), names), language)
    return target.getvalue()


def _archived_rows(rows: pl.DataFrame) -> Iterator[tuple[int, list[Any], str | None]]:
    for row, cells, read, beyond in rows.select("row", "cells", "read", "beyond").iter_rows():
        yield row, [_typed(cell) if known else cell for cell, known in zip(cells, read, strict=True)], beyond


def _typed(cell: str) -> Any:
    """A cell that was read, from its canonical text: a day that Excel can hold, or a number."""
    if _DAY.fullmatch(cell):
        day = dt.date.fromisoformat(cell)
        return day if day.year > 1900 else cell
    return int(cell) if _WHOLE.fullmatch(cell) else float(cell)


@contextmanager
def _book(target: io.BytesIO) -> Iterator[tuple[xlsxwriter.Workbook, dict[str, Any]]]:
    """A workbook in which nothing becomes a formula or a link, and the forms of its cells."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        yield (
            book,
            {
                "head": book.add_format({"bold": True, "bottom": 1}),
                "fault": book.add_format({"bg_color": "#FFF2CC", "text_wrap": True, "valign": "top"}),
                "day": book.add_format({"num_format": "dd-mm-yyyy"}),
                "number": book.add_format({"num_format": "General"}),
            },
        )


@dataclass(frozen=True)
class _Form:
    """What a sheet looked like: `headers` stood in row `header_row` (0: the form has none), `titles` with their rows above."""

    file: str
    sheet: str | None
    extract: str | None
    headers: Sequence[str]
    header_row: int
    titles: Sequence[tuple[int, str]]


def _unused(wanted: str, names: set[str]) -> str:
    found, count = wanted[:31], 2
    while found.casefold() in names:
        found = f"{wanted[:27]} {count}"
        count += 1
    names.add(found.casefold())
    return found


def _sheet_name(form: _Form, names: set[str]) -> str:
    """The name that the sheet had, where it or the headers tell the extract when it comes back alone; else with the extract's name."""
    wanted = form.sheet or form.extract or form.file
    if form.sheet and form.extract and headers.extract_of_name(form.sheet) != form.extract:
        known = headers.extract_of_name(form.sheet) is None and headers.extract_of_headers(form.headers) == form.extract
        wanted = form.sheet if known else f"{form.extract} {form.sheet}"
    return _unused(_FORBIDDEN.sub(" ", redacted(wanted)).strip() or "data", names)


def _remarks(mine: list[Finding], language: str) -> dict[int, str]:
    """What to do, by row."""
    found: dict[int, list[str]] = {}
    for finding in mine:
        if finding.row is not None:
            what = what_to_do(finding, language)
            found.setdefault(finding.row, []).append(f"{finding.column}: {what}" if finding.column else what)
    return {row: "\n".join(parts) for row, parts in found.items()}


def _sheet(
    book: xlsxwriter.Workbook,
    forms: dict[str, Any],
    form: _Form,
    mine: list[Finding],
    rows: Iterable[tuple[int, list[Any], str | None]],
    sheet_name: str,
    language: str,
) -> None:
    remarks = _remarks(mine, language)
    sheet = book.add_worksheet(sheet_name)
    top = max(form.header_row - 1, 0)
    sheet.freeze_panes(top + 1, 0)
    beside: dict[int, int] = {}
    for row, title in form.titles:
        sheet.write_string(row - 1, beside.get(row, 0), title[:LONGEST_CELL])
        beside[row] = beside.get(row, 0) + 1
    for position, header in enumerate(form.headers):
        sheet.write_string(top, position, header[:LONGEST_CELL], forms["head"])
    last = len(form.headers)
    sheet.write_string(top, last, i18n.text("deliveries.mend.column", language), forms["head"])
    sheet.set_column(0, max(last - 1, 0), 16)
    sheet.set_column(last, last, 80)
    whole_file = [finding for finding in mine if finding.row is None or finding.row <= form.header_row]
    if whole_file:
        sheet.write_comment(top, last, "\n".join(what_to_do(finding, language) for finding in whole_file)[:LONGEST_CELL])
    for number, (row, cells, beyond) in enumerate(rows, start=top + 1):
        for position, cell in enumerate(cells):
            _write(sheet, number, position, cell, forms)
        if row in remarks:
            sheet.write_string(number, last, remarks[row][:LONGEST_CELL], forms["fault"])
        if beyond:
            # Left where it is, it sets the row aside again: what did not fit must not be lost by sending the sheet back.
            sheet.write_string(number, last + 1, beyond[:LONGEST_CELL])


def _write(sheet: Any, row: int, column: int, cell: Any, forms: dict[str, Any]) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float) and abs(cell) < values.EXACT:
        sheet.write_number(row, column, cell, forms["number"])
    elif isinstance(cell, dt.date) and not isinstance(cell, dt.datetime):
        sheet.write_datetime(row, column, cell, forms["day"])
    else:
        sheet.write_string(row, column, str(cell)[:LONGEST_CELL])


def _rows(one: scouting.Scouted, delivery: Delivery, wanted: set[int] | None) -> Iterator[tuple[int, list[Any], str | None]]:
    """The rows of a table with their numbers and what lay beyond the last header; numbers and days as such where they could be read."""
    table = one.table
    positions = [f"c{position}" for position in range(len(table.headers))]
    for batch in one.batches():
        rows = scouting.told(batch)
        if wanted is not None:
            rows = rows.filter(pl.col(ROW).is_in(list(wanted)))
        if rows.is_empty():
            continue
        columns = [_readable(one, delivery, position, rows[name]) for position, name in enumerate(positions)]
        beyond = rows[EXTRA].to_list() if EXTRA in rows.columns else [None] * rows.height
        for row, extra, *cells in zip(rows[ROW].to_list(), beyond, *columns, strict=True):
            yield row, cells, extra


def _readable(one: scouting.Scouted, delivery: Delivery, position: int, cells: pl.Series) -> list[Any]:
    """A column for the sheet: what could be read as a number or a day is one, so that it reads the same when it comes back."""
    table = one.table
    as_written = values.as_text(cells).to_list()
    if table.extract is None:
        return as_written
    feeds = {place: (column, target) for column, (place, target) in headers.mapped(table.headers, table.extract).positions.items()}
    if position not in feeds:
        return as_written
    column, target = feeds[position]
    kind = str((CONTRACTS[table.extract].columns()[column].metadata or {})["kind"])
    if kind not in values.NUMBER_KINDS | {"day"}:
        return as_written
    how = values.convention(
        one.signs[position],
        one.signs,
        kind,
        separator=table.separator,
        numbers_are_typed=table.numbers_are_typed,
        manifest=delivery.manifest,
    )
    made = values.convert(table.extract, target, cells, how)
    read = made.values
    if kind == "money" and not target.ore:
        read = read.cast(pl.Float64) / 100
    # A date before 1900-03-01 has no number in Excel; what Excel cannot hold stays as it was written.
    return [
        text if value is None or (isinstance(value, dt.date) and value.year < 1901) else value
        for value, text in zip(read.to_list(), as_written, strict=True)
    ]


def _list(book: xlsxwriter.Workbook, forms: dict[str, Any], told: list[Finding], sheet_name: str, language: str) -> None:
    sheet = book.add_worksheet(sheet_name)
    sheet.freeze_panes(1, 0)
    for position, column in enumerate(headers.LIST_COLUMNS):
        sheet.write_string(0, position, i18n.text(f"deliveries.mend.{column}", language), forms["head"])
    sheet.set_column(0, 7, 18)
    sheet.set_column(8, 8, 100)
    for number, finding in enumerate(told[:MOST_ROWS], start=1):
        cells = (
            finding.delivery,
            finding.file,
            finding.sheet,
            finding.row,
            finding.column,
            i18n.text(f"deliveries.severity.{finding.severity}", language),
            name(finding.rule, language),
            finding.value,
            what_to_do(finding, language),
        )
        for position, cell in enumerate(cells):
            _write(sheet, number, position, cell, forms)
