"""Tables as files that a spreadsheet opens rightly: all rows, typed, with the headers of the screen.

* XLSX: numbers are numbers, days are days, the header is frozen; text is always text (never a formula, never a link).
* CSV: `;` between fields and a decimal comma in Danish (`,` and a point in English), UTF-8 with a byte order mark, and text that a
  spreadsheet would run as a formula gets an apostrophe in front.
* Parquet: the frame as it is, codes and øre, for those who calculate on.
"""

from __future__ import annotations

import csv as csv_files
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import xlsxwriter

from samplads import i18n
from samplads.errors import SampladsError
from samplads.presenting import formats, tables
from samplads.presenting.tables import Column

XLSX_ROWS = 1_048_575
"""Rows that a sheet holds below its header."""

_RUNS = ("=", "+", "-", "@", "\t", "\r")
_SHEET_FORBIDS = re.compile(r"[\[\]:*?/\\]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def file_name(name: str, day: dt.date | None, ending: str) -> str:
    """A file's name without anything a file system minds: "ledige-pladser-2026-11-01.xlsx"."""
    stem = re.sub(r"[^\w.-]+", "-", name.strip().casefold(), flags=re.UNICODE).strip("-.") or "samplads"
    return f"{stem}{f'-{day.isoformat()}' if day else ''}.{ending}"


def _cell_format(column: Column) -> str | None:
    if column.kind == "money":
        return "#,##0.00"
    if column.kind in {"number", "percent", "km"}:
        return f"#,##0.{'0' * column.decimals}" if column.decimals else "#,##0"
    if column.kind == "whole":
        return "0" if column.key.endswith("year") else "#,##0"
    if column.kind == "day":
        return "dd.mm.yyyy"
    return None


def xlsx(
    frame: pl.DataFrame,
    language: str,
    *,
    columns: Iterable[str | Column] | None = None,
    title: str = "",
    about: Mapping[str, str] | None = None,
) -> bytes:
    """All rows as an Excel workbook; `about` (what was asked, of which day, from where) becomes a second sheet.

    Raises SampladsError `export_too_long` where there are more rows than a sheet holds.
    """
    name = title or i18n.text("ui.export.sheet", language)
    return workbook([(name, frame, columns)], language, facts=(i18n.text("ui.export.about", language), about or {}))


Sheet = tuple[str, pl.DataFrame, Iterable[str | Column] | None]
"""A sheet's name, its rows and the columns to show (None: all)."""


def workbook(sheets: Sequence[Sheet], language: str, *, facts: tuple[str, Mapping[str, str]], facts_first: bool = False) -> bytes:
    """Several tables as the sheets of one Excel workbook; `facts` are the name and the lines of one more, first or last.

    Raises SampladsError `export_too_long` where there are more rows than a sheet holds.
    """
    for _, frame, _ in sheets:
        if frame.height > XLSX_ROWS:
            raise SampladsError("export_too_long", rows=formats.number(frame.height, language), most=formats.number(XLSX_ROWS, language))
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        if facts_first:
            _facts(book, *facts)
        for title, frame, columns in sheets:
            _sheet(book, title, frame, columns, language)
        if facts[1] and not facts_first:
            _facts(book, *facts)
    return buffer.getvalue()


def _sheet(book: Any, title: str, frame: pl.DataFrame, columns: Iterable[str | Column] | None, language: str) -> None:
    shown = tables.columns(frame, columns)
    values = tables.plain(frame, shown, language)
    sheet = book.add_worksheet(_SHEET_FORBIDS.sub(" ", title)[:31])
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    names = tables.headers(shown, language)
    sheet.write_row(0, 0, names, heading)
    for index, (spec, name) in enumerate(zip(shown, names, strict=True)):
        number_format = _cell_format(spec)
        cell = book.add_format({"num_format": number_format}) if number_format else None
        sheet.set_column(index, index, min(48, max(11, len(name) + 2)), cell)
        for row, value in enumerate(values[spec.key], start=1):
            _write(sheet, row, index, value, cell)
    sheet.freeze_panes(1, 0)
    if shown and values.height:
        sheet.autofilter(0, 0, values.height, len(shown) - 1)


def _facts(book: Any, title: str, about: Mapping[str, str]) -> None:
    sheet = book.add_worksheet(_SHEET_FORBIDS.sub(" ", title)[:31])
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 100)
    for row, (name, value) in enumerate(about.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)


def _write(sheet: Any, row: int, index: int, value: Any, cell: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, index, value, cell)
    elif isinstance(value, int | float):
        # Excel has no word for infinity or not-a-number: the cell stays empty, as unknown does.
        if value == value and abs(value) != float("inf"):
            sheet.write_number(row, index, value, cell)
    elif isinstance(value, dt.date):
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            value = value.astimezone(dt.UTC).replace(tzinfo=None)
        if value.year >= 1900:
            sheet.write_datetime(row, index, value, cell)
        else:
            sheet.write_string(row, index, value.isoformat())
    else:
        # A cell holds 32,767 characters and no control characters.
        sheet.write_string(row, index, _CONTROL.sub("", str(value))[:32767], cell)


def harmless(text: str) -> str:
    """Text that a spreadsheet would take for a formula, with an apostrophe in front, so that it stays text."""
    return f"'{text}" if text.startswith(_RUNS) else text


def _csv_cell(value: Any, decimal: str) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        plain = f"{value:.10f}".rstrip("0").rstrip(".")
        return ("0" if plain in {"", "-0"} else plain).replace(".", decimal)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.strftime("%d.%m.%Y")
    return harmless(str(value))


def csv(frame: pl.DataFrame, language: str, *, columns: Iterable[str | Column] | None = None) -> bytes:
    """All rows as CSV, as a spreadsheet in that language reads it; UTF-8 with a byte order mark."""
    shown = tables.columns(frame, columns)
    values = tables.plain(frame, shown, language)
    separator, decimal = (";", ",") if language == "da" else (",", ".")
    buffer = io.StringIO(newline="")
    writer = csv_files.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in tables.headers(shown, language)])
    writer.writerows([[_csv_cell(value, decimal) for value in row] for row in values.iter_rows()])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8", errors="replace")


def parquet(frame: pl.DataFrame) -> bytes:
    """All rows and columns as Parquet, untouched."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
