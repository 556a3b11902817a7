"""Write a whole result to a file, batch by batch, in the forms that Danish offices open.

CSV      UTF-8 with a mark, `;` between fields, decimal comma: what Danish Excel opens with a double click. Text that a spreadsheet would
         run as a formula gets an apostrophe before it (OWASP, "CSV Injection").
XLSX     typed cells; text stays text. A sheet ends at Excel's 1,048,576 rows and the result goes on in the next.
Parquet  typed, for Python, R, DuckDB and Power Query.

Runs in a process of its own (`child`); it reads Arrow, never SQL.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from samplads.workbench import plain
from samplads.workbench.faults import SqlError

SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, its header among them."""
CELL_SIGNS = 32_767
EXCEL_DIGITS = 15
EXCEL_COLUMNS = 16_384
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_ROW_GROUP = 200_000


def write(
    batches: Iterable[pa.RecordBatch],
    target: IO[bytes],
    form: str,
    *,
    temporary: Path,
    progress: Callable[[int], None] | None = None,
    sheet_rows: int = SHEET_ROWS,
) -> dict[str, Any]:
    """Write all batches; the first tells the columns and may be empty. Returns rows, and sheets for XLSX (0 otherwise).

    `temporary` is a folder for XLSX to lay its sheets in until they are zipped; the caller removes it.

    Raises SqlError `export_cell` and `export_columns` for what an Excel sheet cannot hold.
    """
    tell = progress or _nobody
    if form == "csv":
        return {"rows": _csv(batches, target, tell), "sheets": 0}
    if form == "parquet":
        return {"rows": _parquet(batches, target, tell), "sheets": 0}
    rows, sheets = _xlsx(batches, target, temporary, tell, sheet_rows)
    return {"rows": rows, "sheets": sheets}


def _nobody(rows: int) -> None:
    del rows


def safe_text(column: pl.Expr) -> pl.Expr:
    """Text that a spreadsheet does not take for a formula."""
    runs = column.str.head(1).is_in(_FORMULA_SIGNS)
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def _json_default(value: object) -> str:
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value.hex() if isinstance(value, bytes) else str(value)


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists of plain values as text with | between; other nested values and bytes as JSON or hex text; categories as text."""
    columns = []
    for name, kind in frame.schema.items():
        column = frame[name]
        if isinstance(kind, pl.List) and not kind.inner.is_nested() and kind.inner != pl.Binary:
            # A null within a list is neither nothing nor an empty text.
            column = column.cast(pl.List(pl.String)).list.eval(pl.element().fill_null("NULL")).list.join("|")
        elif kind.is_nested():
            texts = [None if value is None else _json(value) for value in column.to_list()]
            column = pl.Series(name, texts, dtype=pl.String)
        elif kind == pl.Binary:
            column = column.bin.encode("hex")
        elif isinstance(kind, (pl.Categorical, pl.Enum)) or kind == pl.Null:
            column = column.cast(pl.String)
        columns.append(column)
    return pl.DataFrame(columns)


def _json(value: object) -> str:
    if isinstance(value, pl.Series):
        value = value.to_list()
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(plain.readable(pa.table(batch))))


def _csv(batches: Iterable[pa.RecordBatch], target: IO[bytes], tell: Callable[[int], None]) -> int:
    rows = 0
    target.write("\ufeff".encode())
    for nth, batch in enumerate(batches):
        frame = flat(_frame(batch))
        texts = [name for name, kind in frame.schema.items() if kind == pl.String]
        frame = frame.with_columns(safe_text(pl.col(name)).alias(name) for name in texts)
        if nth == 0:
            header = pl.DataFrame({"name": frame.columns}).select(safe_text(pl.col("name")).alias("name"))["name"].to_list()
            frame.rename(dict(zip(frame.columns, header, strict=True))).write_csv(
                target, separator=";", decimal_comma=True, include_header=True, line_terminator="\r\n"
            )
        else:
            frame.write_csv(target, separator=";", decimal_comma=True, include_header=False, line_terminator="\r\n")
        rows += frame.height
        tell(rows)
    return rows


def _parquet(batches: Iterable[pa.RecordBatch], target: IO[bytes], tell: Callable[[int], None]) -> int:
    rows, held, writer = 0, [], None
    waiting = 0
    for batch in batches:
        if writer is None:
            writer = pq.ParquetWriter(target, batch.schema, compression="zstd")
        held.append(batch)
        waiting += batch.num_rows
        rows += batch.num_rows
        if waiting >= _ROW_GROUP:
            writer.write_table(pa.Table.from_batches(held))
            held, waiting = [], 0
        tell(rows)
    if writer is not None:
        if waiting:
            writer.write_table(pa.Table.from_batches(held))
        writer.close()
    return rows


def _xlsx(
    batches: Iterable[pa.RecordBatch], target: IO[bytes], temporary: Path, tell: Callable[[int], None], sheet_rows: int
) -> tuple[int, int]:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "tmpdir": str(temporary),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
        },
    )
    book.use_zip64()
    bold = book.add_format({"bold": True})
    forms = {
        dt.datetime: book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"}),
        dt.date: book.add_format({"num_format": "dd.mm.yyyy"}),
        dt.time: book.add_format({"num_format": "hh:mm:ss"}),
    }
    rows, sheets, line, sheet = 0, 0, sheet_rows, None
    header: list[str] = []
    for batch in batches:
        frame = flat(_frame(batch))
        if not sheets:
            header = frame.columns
            if len(header) > EXCEL_COLUMNS:
                raise SqlError("export_columns", columns=len(header), most=EXCEL_COLUMNS)
            line = sheet_rows  # the first sheet is made even for no rows
        for record in frame.iter_rows():
            if line >= sheet_rows:
                sheet, sheets, line = _sheet(book, header, bold, sheets + 1), sheets + 1, 1
            for place, value in enumerate(record):
                _cell(sheet, line, place, value, forms, header[place])
            line += 1
        rows += frame.height
        if not sheets:
            sheet, sheets, line = _sheet(book, header, bold, 1), 1, 1
        tell(rows)
    book.close()
    return rows, sheets


def _sheet(book: Any, header: list[str], bold: Any, number: int) -> Any:
    sheet = book.add_worksheet("Resultat" if number == 1 else f"Resultat {number}")
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(header):
        sheet.write_string(0, place, _fits_cell(name, name, 0), bold)
    return sheet


def _fits_excel(value: int | float | decimal.Decimal) -> bool:
    """Whether a number is one to Excel and stays what it is: 15 digits, where it is counted and not measured."""
    if isinstance(value, decimal.Decimal):
        return bool(value.is_finite()) and len(value.normalize().as_tuple().digits) <= EXCEL_DIGITS
    if isinstance(value, int):
        return len(str(abs(value))) <= EXCEL_DIGITS
    return math.isfinite(value)


def _fits_cell(text: str, column: str, line: int) -> str:
    """The text, where a cell takes all of it. Excel counts a sign beyond the first 65,536 as two."""
    if len(text) > CELL_SIGNS // 2 and (signs := len(text.encode("utf-16-le", "surrogatepass")) // 2) > CELL_SIGNS:
        raise SqlError("export_cell", name=column[:80], row=line + 1, signs=signs, most=CELL_SIGNS)
    return text


def _cell(sheet: Any, line: int, place: int, value: Any, forms: dict[type, Any], column: str) -> None:
    if value is None:
        return
    kind = type(value)
    if kind is str:
        sheet.write_string(line, place, _fits_cell(value, column, line))
    elif kind is bool:
        sheet.write_boolean(line, place, value)
    elif kind in {int, float, decimal.Decimal}:
        if _fits_excel(value):
            sheet.write_number(line, place, value)
        else:
            sheet.write_string(line, place, format(value, "f") if kind is decimal.Decimal else str(value))
    elif kind in forms:
        if kind is dt.datetime:
            value = value.replace(tzinfo=None)
        if kind is not dt.time and value.year < 1900:
            sheet.write_string(line, place, value.isoformat())
        else:
            sheet.write_datetime(line, place, value, forms[kind])
    else:
        sheet.write_string(line, place, _fits_cell(str(value), column, line))
