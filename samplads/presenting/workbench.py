"""An analyst's result on the screen: columns that nobody declared, a first chart of them, and words put into a half-written query.

A result's column may be called anything and hold anything: what the catalogue knows of a name counts only where the values are of its kind.
"""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

from samplads import i18n
from samplads.presenting import charts, tables
from samplads.presenting.charts import Picture
from samplads.presenting.tables import Column
from samplads.workbench.export import safe_text

Shape = Literal["bars", "line", "points"]
SHAPES: tuple[Shape, ...] = ("bars", "line", "points")
MOST_BARS = 40
"""Bars that can be read at once; the chart shows the first and the page says so."""

_NOT_A_FIELD = re.compile(r"[.\[\]\\\"']")
_CLAUSES = re.compile(r"\b(from|where|group|having|qualify|order|limit|offset|union|intersect|except|window)\b", re.IGNORECASE)


def column(key: str, dtype: pl.DataType) -> Column:
    """How a column of a result is shown: by its name where its values are what the name promises, else by its type."""
    known = tables.column(key, dtype)
    numeric = dtype.is_numeric()
    fits = {
        "text": True,
        "whole": dtype.is_integer(),
        "number": numeric,
        "money": numeric,
        "percent": numeric,
        "km": numeric,
        "day": dtype == pl.Date,
        "time": dtype == pl.Time,
        "flag": dtype == pl.Boolean,
        "choice": dtype == pl.String,
        "list": isinstance(dtype, pl.List) or dtype == pl.String,
    }[known.kind]
    if fits:
        return known
    # A name that no contract has: only the type speaks.
    typed = tables.column("\0", dtype)
    return Column(key, typed.kind, decimals=typed.decimals, text=key)


def columns(frame: pl.DataFrame) -> list[Column]:
    """All columns of a result, in its order."""
    return [column(key, dtype) for key, dtype in frame.schema.items()]


def numbers(frame: pl.DataFrame) -> list[str]:
    """Columns that a chart can measure: numbers."""
    return [key for key, dtype in frame.schema.items() if dtype.is_numeric()]


def shapes(frame: pl.DataFrame, x: str) -> list[Shape]:
    """The charts that make sense over a column: a line and points need something that has a distance."""
    if frame.schema[x].is_numeric():
        return ["bars", "line", "points"]
    return ["bars", "line"] if frame.schema[x] == pl.Date else ["bars"]


def first_chart(frame: pl.DataFrame) -> tuple[str, str, Shape] | None:
    """What to draw before anybody has chosen: the first day or name against the first number. None where there is nothing to draw."""
    measured = [key for key in numbers(frame) if not key.endswith(("year", "_id"))]
    if frame.height < 2 or not measured:
        return None
    # A day is an axis where it does not repeat; a name is better told than an id.
    days = [key for key, dtype in frame.schema.items() if dtype == pl.Date and frame[key].n_unique() == frame.height]
    names = [key for key, dtype in frame.schema.items() if dtype == pl.String]
    named = [key for key in names if key.endswith(("name", "da", "en"))]
    x = [*days, *named, *names, *frame.columns][0]
    y = next((key for key in measured if key != x), None)
    return None if y is None else (x, y, "line" if frame.schema[x] == pl.Date else "bars")


def _field(frame: pl.DataFrame, key: str) -> str:
    """A column's name in a chart, which reads signs of its own in names; one that promises another kind of value loses the promise."""
    plain = _NOT_A_FIELD.sub("_", key)
    return plain if column(key, frame.schema[key]).text is None else f"{plain} "


def chart(frame: pl.DataFrame, x: str, y: str, shape: Shape, language: str) -> tuple[Picture, str]:
    """A chart of two columns with its text alternative. `frame` is what is to be drawn: bars show its first `MOST_BARS` rows."""
    label, value = _field(frame, x), _field(frame, y)
    if label == value:
        label += " "
    drawn = frame.select(pl.col(x).alias(label), pl.col(y).alias(value)).drop_nulls()
    drawn = drawn.with_columns(pl.col(key).cast(pl.Float64) for key, dtype in drawn.schema.items() if dtype.is_decimal())
    if shape == "line":
        drawn = drawn.sort(label)
        return charts.line(drawn, label, value, language), charts.line_alt(drawn, label, value, language)
    if shape == "points":
        drawn = drawn.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.String))
        return (
            charts.scatter(drawn, label, value, language, name="row"),
            charts.scatter_alt(drawn, label, value, language, name="row"),
        )
    drawn = drawn.head(MOST_BARS)
    worded = tables.plain(drawn, [column(label, drawn.schema[label])], language)[label]
    texts = tables.written(worded, column(label, drawn.schema[label]), language)
    drawn = drawn.with_columns(pl.Series(label, texts, dtype=pl.String))
    return charts.bars(drawn, label, value, language), charts.bars_alt(drawn, label, value, language)


COPIED_SIGNS = 1_000_000
"""Longest text that is laid out for copying."""


def for_spreadsheet(frame: pl.DataFrame, language: str, most: int = COPIED_SIGNS) -> tuple[str, int]:
    """Rows as text that Danish Excel takes apart on pasting: tabulators, decimal comma, header; and how many rows are in it.

    `frame` is flat (`workbench.export.flat`). Text that a spreadsheet would run as a formula gets an apostrophe before it. At most `most`
    signs: whole rows only.
    """
    yes, no = (i18n.text(f"formats.{word}", language) for word in ("yes", "no"))
    texts = [safe_text(pl.col(key)).alias(key) for key, dtype in frame.schema.items() if dtype == pl.String]
    flags = [
        pl.when(pl.col(key)).then(pl.lit(yes)).when(~pl.col(key)).then(pl.lit(no)).alias(key)
        for key, dtype in frame.schema.items()
        if dtype == pl.Boolean
    ]
    plain = frame.with_columns(*texts, *flags)
    rows = plain.height
    while True:
        text = plain.head(rows).write_csv(
            separator="\t", decimal_comma=True, date_format="%d.%m.%Y", datetime_format="%d.%m.%Y %H:%M:%S", time_format="%H:%M:%S"
        )
        if len(text) <= most or rows <= 1:
            return text, rows
        rows = max(1, min(rows - 1, rows * most // len(text)))


def without_header(sql: str) -> str:
    """A reviewed query without the lines that say what it is: the page says that above it."""
    lines = sql.strip().splitlines()
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("--")), 0)
    return "\n".join(lines[first:])


def put_table(sql: str, table: str) -> str:
    """A query with a table put in: `from <table>` where there is nothing yet, else the name at the end."""
    return f"from {table}" if not sql.strip() else f"{sql.rstrip()} {table}"


def put_column(sql: str, table: str, name: str) -> str:
    """A query with `table.column` put in where it goes on: begins a query, begins or goes on with a list of columns, else at the end."""
    word = f"{table}.{name}"
    written = sql.rstrip().rstrip(";")
    if not written:
        return f"from {table}\nselect {word}"
    last = re.split(r"\bselect\b", written, flags=re.IGNORECASE)[-1]
    begins_with_from = re.match(r"from\b", written.lstrip(), re.IGNORECASE) is not None
    if begins_with_from and last == written and not re.search(r"\b(where|order|limit|pivot|union)\b", written, re.IGNORECASE):
        return f"{written}\nselect {word}"
    if last != written and last.strip() and not _CLAUSES.search(last) and not written.endswith((",", "(", ".")):
        return f"{written}, {word}"
    return f"{written} {word}"


def first_words(sql: str, most: int = 60) -> str:
    """A query's beginning on one line: how a history names it."""
    text = " ".join(line.strip() for line in sql.splitlines() if line.strip() and not line.strip().startswith("--"))
    return text if len(text) <= most else f"{text[: most - 1]}…"
