"""How one field of a contract is declared: its type, its rules and its words, once.

A contract is a dataframely schema whose columns carry metadata, so that reading (headers, number and date forms), checking,
the data dictionary and the pages all draw on the same declaration:

    da, en      what the column means, in both languages
    kind        how a delivered text becomes a value: text, code, whole, number, money, day, time, flag, choice, list
    unit        what one is, where the value is a quantity ("kr/døgn", "år", "pladser")
    example     a value as a person would deliver it
    choices     the allowed words of a choice
    refers_to   the table and column a code must exist in ("municipality.code"); checked across extracts and the reference
    delivered   the header in a delivery, where it differs from the column (money is delivered in kroner, kept in øre)

Unknown is a value of its own: a column that is not required is nullable, and null means "not told".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dataframely as dy
import polars as pl


def _metadata(kind: str, da: str, en: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "da": da, "en": en, **{key: value for key, value in more.items() if value is not None}}


class _Text(dy.String):
    """Text whose length is counted in characters, as its sender counts: dataframely counts bytes, of which æ, ø and å take two."""

    def validation_rules(self, expr: pl.Expr) -> dict[str, pl.Expr]:
        rules = super().validation_rules(expr)
        if self.max_length is not None:
            rules["max_length"] = expr.str.len_chars() <= self.max_length
        return rules


def text(
    da: str,
    en: str,
    *,
    example: str = "",
    key: bool = False,
    required: bool = False,
    longest: int = 500,
    refers_to: str | None = None,
) -> dy.String:
    """Free text or an identifier. `refers_to` makes it a foreign key."""
    kind = "code" if refers_to or key else "text"
    return _Text(
        nullable=not (key or required),
        primary_key=key,
        min_length=1,
        max_length=longest,
        metadata=_metadata(kind, da, en, example=example, refers_to=refers_to),
    )


def choice(da: str, en: str, choices: Sequence[str], *, example: str = "", key: bool = False, required: bool = False) -> dy.String:
    """One word out of a short list; the words are the codes, their texts are in the catalogue."""
    allowed = list(choices)
    return dy.String(
        nullable=not (key or required),
        primary_key=key,
        check={"choice": lambda column: column.is_in(allowed)},
        metadata=_metadata("choice", da, en, example=example or allowed[0], choices=tuple(allowed)),
    )


def whole(
    da: str,
    en: str,
    *,
    unit: str | None = None,
    example: str = "",
    key: bool = False,
    required: bool = False,
    least: int | None = None,
    most: int | None = None,
) -> dy.Int64:
    """A whole number, bounds included."""
    return dy.Int64(
        nullable=not (key or required),
        primary_key=key,
        min=least,
        max=most,
        metadata=_metadata("whole", da, en, unit=unit, example=example),
    )


def number(
    da: str,
    en: str,
    *,
    unit: str | None = None,
    example: str = "",
    required: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> dy.Float64:
    """A number with decimals, bounds included."""
    return dy.Float64(
        nullable=not required,
        min=least,
        max=most,
        metadata=_metadata("number", da, en, unit=unit, example=example),
    )


def money(da: str, en: str, *, delivered: str, unit: str = "kr", example: str = "", required: bool = False) -> dy.Int64:
    """An amount: delivered in kroner under `delivered`, kept as integer øre."""
    return dy.Int64(
        nullable=not required,
        min=0,
        metadata=_metadata("money", da, en, unit=unit, example=example, delivered=delivered),
    )


def day(da: str, en: str, *, example: str = "", key: bool = False, required: bool = False) -> dy.Date:
    """A calendar day."""
    return dy.Date(nullable=not (key or required), primary_key=key, metadata=_metadata("day", da, en, example=example))


def clock(da: str, en: str, *, example: str = "", required: bool = False) -> dy.Time:
    """A time of day, HH:MM."""
    return dy.Time(nullable=not required, metadata=_metadata("time", da, en, example=example))


def flag(da: str, en: str, *, example: str = "ja", required: bool = False) -> dy.Bool:
    """Yes or no; null is not told."""
    return dy.Bool(nullable=not required, metadata=_metadata("flag", da, en, example=example))


def codes(da: str, en: str, *, refers_to: str, example: str = "", required: bool = False) -> dy.List:
    """Several codes, delivered in one cell with | between them; order is kept (the first is the primary)."""
    return dy.List(
        dy.String(nullable=False),
        nullable=not required,
        min_length=1 if required else None,
        metadata=_metadata("list", da, en, example=example, refers_to=refers_to),
    )


def ordered(lower: str, upper: str) -> pl.Expr:
    """True where `lower` <= `upper` or either is unknown."""
    return (pl.col(lower) <= pl.col(upper)).fill_null(True)
