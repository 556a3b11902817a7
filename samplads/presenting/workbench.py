"""An analyst's result on the screen: columns that nobody declared, a first chart of them, and words put into a half-written query.

A result's column may be called anything and hold anything: what the catalogue knows of a name counts only where the values are of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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


def about_column(table: str, name: str, declared: str | None, unit: str | None, language: str) -> str:
    """What a column of the analyst copy holds, with its unit; empty where nothing is told of it. `declared` is the contract's own text."""
    keys = (f"workbench.of.{table}.{name}", f"workbench.column.{name}", f"columns.{name}")
    told = declared or next((i18n.text(key, language) for key in keys if i18n.has(key, language)), "")
    measure = unit or (i18n.text(f"workbench.unit.{name}", language) if i18n.has(f"workbench.unit.{name}", language) else "")
    return f"{told} ({measure})" if told and measure else told


def without_header(sql: str) -> str:
    """A reviewed query without the lines that say what it is: the page says that above it."""
    lines = sql.strip().splitlines()
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("--")), 0)
    return "\n".join(lines[first:])


_SET = re.compile(r"\b(?:union(?:\s+all)?(?:\s+by\s+name)?|except|intersect)\b", re.IGNORECASE)
_KEYWORDS = re.compile(
    r"\b(select|from|where|group\s+by|having|qualify|window|order\s+by|limit|offset|using\s+sample|tablesample)\b", re.IGNORECASE
)
_GOES_ON = re.compile(
    r"(?:\b(?:select|distinct|where|and|or|not|on|by|having|qualify|when|then|else|case|between|in|like|ilike)|[,(=<>+/|%-])\s*$",
    re.IGNORECASE,
)
_NOT_PLAIN = re.compile(r"--[^\n]*|/\*.*?(?:\*/|$)|'(?:[^']|'')*(?:'|$)|\"(?:[^\"]|\"\")*(?:\"|$)|\$\$.*?(?:\$\$|$)", re.DOTALL)
_NO_ALIAS = (
    "join|inner|left|right|full|cross|natural|asof|semi|anti|positional|lateral|on|using|as|where|group|order|limit|select|having|qualify"
)
_JOINED_BY = "unit_id"
"""The column that two tables are joined by where both have it."""


def _plain(sql: str) -> tuple[str, int]:
    """The text, equally long, with comments blanked and texts, quoted names and finished brackets filled; and where its last part begins.

    The last part is what is being written: behind the last open bracket, behind the last UNION.
    """

    def fill(found: re.Match[str]) -> str:
        return (" " if found[0].startswith(("--", "/*")) else "x") * len(found[0])

    signs = list(_NOT_PLAIN.sub(fill, sql))
    opened: list[int] = []
    for at, sign in enumerate(signs):
        if sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            begin = opened.pop()
            signs[begin : at + 1] = "x" * (at + 1 - begin)
    plain = "".join(signs)
    start = opened[-1] + 1 if opened else 0
    for found in _SET.finditer(plain, start):
        start = found.end()
    return plain, start


def _clauses(plain: str, start: int) -> list[tuple[str, int, int, int]]:
    """The clauses of the last part: word, where it begins, where its content begins and ends (without blanks at its end)."""
    found = [(re.sub(r"\s+", " ", one[1].lower()), one.start(), one.end()) for one in _KEYWORDS.finditer(plain, start)]
    ends = [*(begin for _, begin, _ in found[1:]), len(plain)][: len(found)]
    return [
        (word, begin, content, max(content, len(plain[:end].rstrip()))) for (word, begin, content), end in zip(found, ends, strict=True)
    ]


def _put(sql: str, at: int, text: str) -> str:
    """The text with something put in; behind a comment it begins a line."""
    before, after = sql[:at], sql[at:]
    if after and not after[0].isspace() and after[0] != ")":
        after = f" {after}"
    return f"{before}{text}{after}"


def put_table(sql: str, table: str, columns: Mapping[str, Collection[str]] | None = None) -> str:
    """A query with a table put in where one can stand: begins a query, follows FROM, joins what is there, or begins a query of its own.

    `columns` are each table's columns: tables that share `unit_id` are joined by it. A name is never put where it would be read as
    another's alias.
    """
    written = sql.rstrip().rstrip(";").rstrip()
    if not written:
        return f"from {table}"
    plain, start = _plain(written)
    if not plain[start:].strip():
        return f"{written}from {table}" if plain.endswith("(") else f"{written}\nfrom {table}"
    if re.fullmatch(r"\s*(describe|summarize|pivot|unpivot|show)\s*", plain[start:], re.IGNORECASE):
        return f"{written} {table}"
    clauses = _clauses(plain, start)
    froms = [clause for clause in clauses if clause[0] == "from"]
    if not froms:
        if [word for word, *_ in clauses] == ["select"]:
            return f"{written}{'' if plain[clauses[0][2] :].strip() else ' *'}\nfrom {table}"
        if re.match(r"\s*with\b", plain[start:], re.IGNORECASE) and not clauses and plain.endswith("x"):
            return f"{written}\nfrom {table}"
        # Nowhere to put it: a query of its own, and the run says that there are two.
        return f"{written};\n\nfrom {table}"
    _, _, content, end = froms[-1]
    told = plain[content:end].strip()
    if not told or re.search(r"(,|\bjoin|\blateral)$", told, re.IGNORECASE):
        return _put(written, end, f" {table}")
    held = next((name for name in columns or {} if re.search(rf"\b{re.escape(name)}\b", told, re.IGNORECASE)), None)
    shared = columns is not None and held is not None and all(_JOINED_BY in columns.get(name, ()) for name in (held, table))
    return _put(written, end, f"\njoin {table} using ({_JOINED_BY})" if shared else f", {table}")


def _called(plain: str, table: str) -> str:
    """What a table is called in a query: its alias where it has one."""
    found = re.search(rf"\b{re.escape(table)}\s+(?:as\s+)?(?!(?:{_NO_ALIAS})\b)([a-z_]\w*)", plain, re.IGNORECASE)
    return found[1] if found else table


def put_column(sql: str, table: str, name: str) -> str:
    """A query with `table.column` put in where it goes on: begins one, follows a word that asks for a value, or joins what is selected."""
    written = sql.rstrip().rstrip(";").rstrip()
    if not written:
        return f"from {table}\nselect {table}.{name}"
    plain, start = _plain(written)
    word = f"{_called(plain[start:], table)}.{name}"
    if _GOES_ON.search(plain):
        return f"{written}{'' if plain.endswith('(') else ' '}{word}"
    clauses = _clauses(plain, start)
    for clause, _, content, end in clauses:
        if clause == "select":
            return _put(written, end, f", {word}" if plain[content:end].strip() else f" {word}")
    for clause, _, _, end in clauses:
        if clause == "from":
            return _put(written, end, f"\nselect {word}")
    return f"{written} {word}"


def first_words(sql: str, most: int = 60) -> str:
    """A query's beginning on one line: how a history names it."""
    text = " ".join(line.strip() for line in sql.splitlines() if line.strip() and not line.strip().startswith("--"))
    return text if len(text) <= most else f"{text[: most - 1]}…"
