"""How a column of a result is shown: its header, its unit, its form and its side, said once for screen and export alike.

A column is known by its key. What a key means comes from three places, in this order: `SHOWN` below, the contracts (a delivered column
says its own kind and unit), and at last the key's ending (`_ore` is money, `_pct` percent, `_km` kilometres) and the frame's type. The
header is the catalogue's `columns.<key>`, then the contract's own words, then the key itself (an analyst's column).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import polars as pl

from samplads import i18n
from samplads.contracts import CONTRACTS
from samplads.presenting import formats

Kind = Literal["text", "whole", "number", "money", "percent", "km", "day", "time", "flag", "choice", "list"]

RIGHT: frozenset[Kind] = frozenset({"whole", "number", "money", "percent", "km"})
"""Kinds that stand to the right, so that digits stand under digits."""


@dataclass(frozen=True)
class Column:
    """One column as a person sees it.

    `unit` is a key of the catalogue's `units`; `family` names the choices a code belongs to (`choices.<family>.<code>`) where it is not
    the key; `decimals` counts for numbers, percents and money; `text` gives the header word for word (a header with a year in it);
    `write` puts a value in other words than its kind would, while it sorts as the value it is; `left` holds it to the left.
    """

    key: str
    kind: Kind = "text"
    unit: str | None = None
    decimals: int = 0
    width: Literal["small", "medium", "large"] | int | None = None
    family: str | None = None
    text: str | None = None
    pinned: bool = False
    left: bool = False
    write: Callable[[Any], str] | None = None

    @property
    def right(self) -> bool:
        """Whether the column stands to the right."""
        return self.kind in RIGHT and not self.left


SHOWN: dict[str, Column] = {
    column.key: column
    for column in (
        Column("unit_name", width=170),
        Column("municipality_name", width=115),
        Column("km", "km", "km", width=60),
        Column("accepting", "whole", width=70),
        Column("reserved", "whole", width=90),
        Column("occupied", "whole", width=70),
        Column("maximum", "whole", width=70),
        Column("idle", "whole", width=70),
        Column("occupied_of_maximum", width=95),
        Column("freshness", "choice", width=110),
        Column("freshness_text", width=130),
        Column("daily_rate_ore", "money", "kr_per_day", width=115),
        Column("rate_normal_ore", "money", "kr_per_day", width=125),
        Column("price_year", "whole", width=75),
        Column("year", "whole"),
        Column("accepting_from", "day", width=95),
        Column("confirmed_at", "day", width=105),
        Column("age_from", "whole", "years", width=80),
        Column("age_to", "whole", "years", width=80),
        Column("units", "whole"),
        Column("value", "number", decimals=1),
        Column("points", "whole"),
        Column("population", "whole", "inhabitants"),
        Column("primary_names", "list"),
        Column("secondary_names", "list"),
        Column("excluded_names", "list"),
        Column("unknowns", "list"),
        Column("fits", "choice", width=150),
        Column("before", "text"),
        Column("after", "text"),
    )
}
"""Columns whose look is not told by a contract or by their name."""

_CONTRACT_UNITS = {
    "kr": "kr",
    "kr/døgn": "kr_per_day",
    "kr/måned": "kr_per_month",
    "%": "percent",
    "km": "km",
    "år": "years",
    "dage": "days",
    "minutter": "minutes",
    "personer": "persons",
    "pladser": "places",
    "poster": "posts",
}
_CONTRACT_KINDS: dict[str, Kind] = {
    "text": "text",
    "code": "text",
    "whole": "whole",
    "number": "number",
    "money": "money",
    "day": "day",
    "time": "time",
    "flag": "flag",
    "choice": "choice",
    "list": "list",
}
_YEARS = frozenset({"price_year", "year", "pop_year"})
"""Whole numbers that are names of years: written without a thousands mark."""


@cache
def _delivered() -> Mapping[str, Mapping[str, Any]]:
    """What the contracts say of each column name; the first contract to use a name says what it means."""
    told: dict[str, Mapping[str, Any]] = {}
    for contract in CONTRACTS.values():
        for name, field in contract.columns().items():
            told.setdefault(name, field.metadata or {})
    return told


def column(key: str, dtype: pl.DataType | None = None) -> Column:
    """What is known of a column by its key, else by the ending of its name, else by its type."""
    if key in SHOWN:
        return SHOWN[key]
    told = _delivered().get(key)
    if told:
        unit = _CONTRACT_UNITS.get(str(told.get("unit")))
        kind = "percent" if unit == "percent" else _CONTRACT_KINDS[str(told["kind"])]
        return Column(key, kind, unit, decimals=1 if kind == "number" else 0)
    if key.endswith("_ore"):
        return Column(key, "money", "kr")
    if key.endswith("_pct"):
        return Column(key, "percent", "percent", decimals=1)
    if key.endswith("_km"):
        return Column(key, "km", "km")
    if dtype is None:
        return Column(key)
    if dtype.is_integer():
        return Column(key, "whole")
    if dtype.is_float() or dtype.is_decimal():
        return Column(key, "number", decimals=2)
    if dtype == pl.Boolean:
        return Column(key, "flag")
    if dtype == pl.Date:
        return Column(key, "day")
    if dtype == pl.Time:
        return Column(key, "time")
    if isinstance(dtype, pl.List):
        return Column(key, "list")
    return Column(key)


def columns(frame: pl.DataFrame, wanted: Iterable[str | Column] | None = None) -> list[Column]:
    """The columns to show of a frame, in order: those wanted, or all."""
    return [
        wish if isinstance(wish, Column) else column(wish, frame.schema.get(wish)) for wish in (frame.columns if wanted is None else wanted)
    ]


def with_text(key: str, text: str) -> Column:
    """A known column under a header of its own, such as a rate with its occupancy."""
    return dataclasses.replace(column(key), text=text)


def header(shown: Column, language: str) -> str:
    """The header with its unit: "Takst (kr./døgn)"."""
    told = _delivered().get(shown.key, {})
    name = shown.text or (
        i18n.text(f"columns.{shown.key}", language) if i18n.has(f"columns.{shown.key}", language) else str(told.get(language, shown.key))
    )
    return f"{name} ({i18n.text(f'units.{shown.unit}', language)})" if shown.unit else name


def headers(shown: Sequence[Column], language: str) -> list[str]:
    """The headers of several columns, no two alike: a repeated one gets its key behind it."""
    seen: set[str] = set()
    names = []
    for spec in shown:
        name = header(spec, language)
        names.append(name if name not in seen else f"{name} [{spec.key}]")
        seen.add(names[-1])
    return names


def help_text(shown: Column, language: str) -> str | None:
    """What the catalogue (`columns_help.<key>`) or the contract says of a column, for the header's tooltip."""
    if i18n.has(f"columns_help.{shown.key}", language):
        return i18n.text(f"columns_help.{shown.key}", language)
    told = _delivered().get(shown.key)
    return str(told[language]) if told else None


@cache
def _words(family: str, language: str) -> dict[str, str]:
    """The words of a family of choices, code -> word."""
    prefix = f"choices.{family}."
    return {key.removeprefix(prefix): text for key, text in i18n.catalogue(language).items() if key.startswith(prefix)}


def _plain(spec: Column, dtype: pl.DataType, language: str) -> pl.Expr:
    value = pl.col(spec.key)
    words = _words(spec.family or spec.key, language)
    if spec.kind == "money":
        return value.cast(pl.Float64) / 100
    if spec.kind == "km":
        return value.cast(pl.Float64).round(1)
    if spec.kind == "choice":
        return value.replace(words)
    if spec.kind == "list" and isinstance(dtype, pl.List):
        texts = value.list.eval(pl.element().cast(pl.String).replace(words))
        return pl.when(value.is_null()).then(None).otherwise(texts.list.join(", "))
    if spec.kind == "flag" and dtype == pl.Boolean:
        yes, no = formats.yes_no(True, language), formats.yes_no(False, language)
        return pl.when(value.is_null()).then(None).when(value).then(pl.lit(yes)).otherwise(pl.lit(no))
    if spec.kind == "time" and dtype == pl.Time:
        return value.dt.strftime("%H:%M")
    return value


def plain(frame: pl.DataFrame, shown: Sequence[Column], language: str) -> pl.DataFrame:
    """The values as a person sorts and calculates with them: kroner as decimals, choices and yes/no as words, lists in one cell.

    Column names stay keys; unknown stays null. Days and numbers keep their types.
    """
    return frame.select(_plain(spec, frame.schema[spec.key], language).alias(spec.key) for spec in shown)


def written(values: pl.Series, shown: Column, language: str) -> list[str]:
    """A plain column as it is written on the screen; what repeats is written once."""
    if values.dtype == pl.Date:
        return _written_days(values, shown, language)
    write = display(shown, language)
    memory: dict[Any, str] = {}
    texts = []
    for value in values:
        if value not in memory:
            memory[value] = write(value)
        texts.append(memory[value])
    return texts


_NEVER = 2**31 - 1
"""The day number that DuckDB gives a day it calls infinity; below zero for the one before all others."""


def _written_days(values: pl.Series, shown: Column, language: str) -> list[str]:
    """Days as written. Polars cannot hand over a day outside Python's years 1 to 9999 and panics: such a one is written from its number."""
    write, numbers = display(shown, language), values.to_physical()
    epoch = dt.date(1970, 1, 1).toordinal()
    memory: dict[int | None, str] = {}
    texts = []
    for number in numbers:
        if number not in memory:
            ordinal = None if number is None else number + epoch
            if ordinal is None:
                memory[number] = write(None)
            elif 1 <= ordinal <= dt.date.max.toordinal():
                memory[number] = write(dt.date.fromordinal(ordinal))
            elif abs(number) == _NEVER:
                memory[number] = formats.number(math.copysign(math.inf, number), language)
            else:
                memory[number] = str(np.datetime64(number, "D"))
        texts.append(memory[number])
    return texts


def display(shown: Column, language: str) -> Callable[[Any], str]:
    """How one plain value is written on the screen."""
    if shown.write is not None:
        return shown.write
    if shown.kind == "whole" and shown.key in _YEARS:
        return lambda value: formats.number(value, language) if value is None or not math.isfinite(value) else str(int(value))
    if shown.kind in {"money", "number", "percent", "whole", "km"}:
        return lambda value: formats.number(value, language, shown.decimals)
    if shown.kind == "day":
        return lambda day: formats.date(day if isinstance(day, dt.date) and day == day else None, language)
    return lambda value: formats.unknown(language) if value is None or value != value else str(value)
