"""Delivered text to values: numbers, amounts, days, times, yes and no, choices, lists of codes.

Everything works on whole columns. A conversion gives the values, the cells it could not read (each with the rule that says why) and the
cells it read by a rule that changes what was written (each with that rule). A cell that tells nothing (empty, "ukendt", "?", "-") is null.

How the decimal sign of a column is decided (`Signs.decimal`), most telling first:
1. the manifest says;
2. cells that can be read in one way only (98,5 or 2.845,50 or 1.234.567) all say the same, in the column, else in the file;
3. in a column of whole numbers a cell like 1,046 can only be thousands, unless it ends in 000;
4. a CSV file is divided by `;` (as Excel writes where the decimal sign is a comma) or by `,` (where it is a point): assumed, and reported.
Where nothing decides, a cell like 2.845 is ambiguous: it is set aside and never guessed. The order of day and month in 03/04/2026 is
decided in the same way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl

from samplads import i18n
from samplads.contracts import CONTRACTS
from samplads.extracts import headers
from samplads.extracts.encoding import GARBLED
from samplads.extracts.personal import few, repeats, squeezed

NUMBER_KINDS = frozenset({"whole", "number", "money"})

FIRST_YEAR, LAST_YEAR, ENDLESS_YEAR = 1900, 2199, 9999
"""Days outside these years are no days, but for those in 9999, with which registers write "no end"."""

EPOCH = dt.date(1899, 12, 30)
"""Day 0 of Excel's serial numbers, for all days after February 1900."""

EXACT = 2.0**53
"""Whole numbers below this are exact as floating-point numbers."""

_EDGES = "\t\n\v\f\r \u00a0\u200b\u200c\u200d\u2060\ufeff\u202f"

_WHOLE = r"^[+-]?[0-9]{1,18}$"
_COMMA = (
    r"^[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,}"
    r"|[0-9]+,[0-9]{1,2}|[0-9]+,[0-9]{4,}|[0-9]{4,},[0-9]+|0+,[0-9]+|,[0-9]+)$"
)
"""Cells that can be read only with a comma as the decimal sign; `_POINT` likewise."""
_POINT = (
    r"^[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,}"
    r"|[0-9]+\.[0-9]{1,2}|[0-9]+\.[0-9]{4,}|[0-9]{4,}\.[0-9]+|0+\.[0-9]+|\.[0-9]+)$"
)
_PLAIN_POINT = r"^[+-]?[0-9]*\.[0-9]+$"
_EITHER_COMMA = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
_EITHER_POINT = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_POWER = r"^[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,2}$"
_SPACED = "^[+-]?[0-9]{1,3}(?:[ \u00a0\u202f'’][0-9]{3})+(?:[.,][0-9]+)?$"
_UNIT_AFTER = r"(?i)\s*(?:,-|(?:kr\.?|dkk|pct\.?|%|km|år|pladser|dage|minutter|min\.?)(?:\s*/\s*\w+)?)$"
_UNIT_BEFORE = r"(?i)^(?:kr\.?|dkk)\s*"

_CLOCK = r"(?:[T ][0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?\s*(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_YEAR_FIRST = rf"^(?P<y>[0-9]{{4}})[-./](?P<m>[0-9]{{1,2}})[-./](?P<d>[0-9]{{1,2}}){_CLOCK}$"
_DAY_FIRST = rf"^(?P<d>[0-9]{{1,2}})\s?[-.]\s?(?P<m>[0-9]{{1,2}})\s?[-.]\s?(?P<y>[0-9]{{4}}){_CLOCK}$"
_SLASHED = rf"^(?P<a>[0-9]{{1,2}})/(?P<b>[0-9]{{1,2}})/(?P<y>[0-9]{{4}}){_CLOCK}$"
_RUN_TOGETHER = r"^(?P<y>(?:19|20|21)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})$"
_SERIAL = r"^(?P<n>[2-7][0-9]{4})(?:\.[0-9]+)?$"

_TIME = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?(?P<h>[0-9]{1,2})[:.](?P<m>[0-9]{2})(?:[:.](?P<s>[0-9]{2})(?:\.[0-9]+)?)?$"


def _words(key: str) -> list[str]:
    """The catalogue's words at a key, every language, as they are likely to be written."""
    words = [word for language in i18n.LANGUAGES for word in i18n.text(f"deliveries.words.{key}", language).split("|")]
    return sorted({form for word in words for form in (word, word.lower(), word.upper(), word.capitalize())})


@cache
def unknown_words() -> tuple[str, ...]:
    """Cells that say that nothing is known."""
    return ("", *_words("unknown"))


@cache
def _answers() -> Mapping[str, bool]:
    return {word.casefold(): answer for answer, key in ((True, "affirmative"), (False, "negative")) for word in _words(key)}


@cache
def _choices(extract: str, column: str) -> Mapping[str, str]:
    """Every squeezed word for a choice: its code, its texts in both languages, and the words that the catalogue adds."""
    contract_column = CONTRACTS[extract].columns()[column]
    found: dict[str, str] = {}
    choices: tuple[str, ...] = (contract_column.metadata or {})["choices"]
    for choice in choices:
        found[squeezed(choice)] = choice
    for choice in choices:
        for language in i18n.LANGUAGES:
            for key in (f"choices.{column}.{choice}", f"deliveries.choices.{column}.{choice}"):
                if i18n.has(key, language):
                    for word in i18n.text(key, language).split("|"):
                        found.setdefault(squeezed(word), choice)
    return found


def clean(cells: pl.Series) -> pl.Series:
    """Text without blanks at its edges; what tells nothing is null."""
    text = cells.str.strip_chars(_EDGES)
    unknown = text.is_in(list(unknown_words()))
    return _without(text, unknown) if unknown.any() else text


@dataclass
class Signs:
    """What the cells of one column say about how numbers and days are written in it. Filled batch by batch."""

    comma: int = 0
    point: int = 0
    either_comma: bool = False
    either_point: bool = False
    comma_thousands: bool = False
    point_thousands: bool = False
    day_first: int = 0
    month_first: int = 0
    slashed: bool = False

    def see_numbers(self, cells: pl.Series, different: pl.Series | None = None, *, numbers_are_typed: bool) -> None:
        """Count what the cells of a batch say about the decimal sign; `different` are its `few` cells, where they are at hand."""
        different = few(cells) if different is None else different
        digits = different.cast(pl.Int64, strict=False)
        if digits.null_count() == different.null_count():
            return
        if different.len() == cells.len():
            cells = cells.filter(digits.is_null() & cells.is_not_null())
        # Amounts repeat themselves: each text is looked at once and counted as often as it stands there.
        counted = cells.rename("text").value_counts(name="cells")
        counted = counted.filter(counted["text"].cast(pl.Int64, strict=False).is_null() & counted["text"].is_not_null())
        if counted.is_empty():
            return
        counted = counted.select(clean(counted["text"]).alias("text"), "cells").drop_nulls()
        text, cells_of = _bare(counted["text"]), counted["cells"]
        if not text.len():
            return
        self.comma += int(cells_of.filter(text.str.contains(_COMMA)).sum())
        points = text.str.contains(_POINT)
        if numbers_are_typed:
            points &= ~text.str.contains(_PLAIN_POINT)
        self.point += int(cells_of.filter(points).sum())
        for either, seen, thousands in (
            (_EITHER_COMMA, "either_comma", "comma_thousands"),
            (_EITHER_POINT, "either_point", "point_thousands"),
        ):
            matches = text.filter(text.str.contains(either))
            if matches.len():
                setattr(self, seen, True)
                if not matches.str.ends_with("000").all():
                    setattr(self, thousands, True)

    def see_days(self, cells: pl.Series, different: pl.Series | None = None) -> None:
        """Count what the cells of a batch say about the order of day and month; `different` are its `few` cells, where they are at hand."""
        if not (few(cells) if different is None else different).str.contains("/", literal=True).any():
            return
        parts = cells.str.strip_chars(_EDGES).str.extract_groups(_SLASHED).struct.unnest()
        first, second = parts["a"].cast(pl.Int64), parts["b"].cast(pl.Int64)
        self.slashed |= bool(first.is_not_null().any())
        self.day_first += int(((first > 12) & (second <= 12)).sum())
        self.month_first += int(((second > 12) & (first <= 12)).sum())

    @property
    def decimal(self) -> str | None:
        """The decimal sign that cells which can be read in one way only agree on."""
        if bool(self.comma) == bool(self.point):
            return None
        return "," if self.comma else "."

    @property
    def order(self) -> str | None:
        """The order that days which can be read in one way only agree on."""
        if bool(self.day_first) == bool(self.month_first):
            return None
        return "dmy" if self.day_first else "mdy"


@dataclass(frozen=True)
class Convention:
    """How one column writes numbers and days. `assumed` names what rests on the file's separator alone.

    `decimal` is the sign that cells which can be read in two ways are read by. `usual` is the sign of most cells that can be read in one
    way only: a cell with the other sign is read, and told.
    """

    decimal: str | None = None
    usual: str | None = None
    order: str | None = None
    assumed: frozenset[str] = frozenset()
    numbers_are_typed: bool = False


def convention(
    signs: Signs, others: list[Signs], kind: str, *, separator: str | None, numbers_are_typed: bool, manifest: Mapping[str, Any]
) -> Convention:
    """Decide how a column is written, as the module says. `others` are the signs of all columns of the table."""
    assumed: set[str] = set()
    decimal: str | None = None
    usual: str | None = None
    order: str | None = None
    if kind in NUMBER_KINDS:
        commas, points = sum(other.comma for other in others), sum(other.point for other in others)
        usual = "," if commas > points else "." if points > commas else None
        decimal = manifest.get("decimal") or signs.decimal
        mixed = bool(signs.comma and signs.point)
        if decimal is None and not mixed:
            decimal = Signs(comma=commas, point=points).decimal
            if decimal is None and kind == "whole" and signs.comma_thousands != signs.point_thousands:
                decimal = "." if signs.comma_thousands else ","
            if decimal is None and not (commas or points) and (signs.either_comma or signs.either_point):
                decimal = {";": ",", ",": "."}.get(separator or "")
                if decimal:
                    assumed.add("decimal")
    elif kind == "day" and signs.slashed:
        order = manifest.get("date_order") or signs.order
        if order is None and not (signs.day_first and signs.month_first):
            both = Signs(day_first=sum(other.day_first for other in others), month_first=sum(other.month_first for other in others))
            order = both.order
            if order is None and not (both.day_first or both.month_first) and separator == ";":
                order = "dmy"
                assumed.add("order")
    return Convention(decimal, usual, order, frozenset(assumed), numbers_are_typed)


@dataclass
class Converted:
    """The values of a batch's column. `faults` and `mended` hold, by rule, a mask of the cells; `lacking` is where nothing was told."""

    values: pl.Series
    faults: dict[str, pl.Series] = field(default_factory=dict)
    mended: dict[str, pl.Series] = field(default_factory=dict)
    flagged: dict[str, pl.Series] = field(default_factory=dict)

    def spread(self, which: pl.Series) -> Converted:
        """From different cells to all cells: `which` of them each one is, null where it tells nothing."""

        def told(masks: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
            return {rule: mask.gather(which).fill_null(False) for rule, mask in masks.items() if mask.any()}

        return Converted(self.values.gather(which), told(self.faults), told(self.mended), told(self.flagged))


def convert(extract: str, target: headers.Target, cells: pl.Series, how: Convention) -> Converted:
    """A delivered column as the contract's type. Never raises for what the cells hold."""
    kind = str((CONTRACTS[extract].columns()[target.column].metadata or {})["kind"])
    if kind in {"whole", "money"} and (digits := _digits(cells)) is not None:
        return Converted(digits * _factor(kind, target))
    if cells.dtype == pl.String and repeats(cells):
        # Each different text is read once.
        words = cells.unique(maintain_order=True).drop_nulls()
        return _converted(extract, target, kind, words, how).spread(cells.cast(pl.Enum(words)).to_physical())
    return _converted(extract, target, kind, cells, how)


def _factor(kind: str, target: headers.Target) -> int:
    """What a delivered number is multiplied by: kroner become øre."""
    return 1 if kind == "whole" or target.ore else 100


def _converted(extract: str, target: headers.Target, kind: str, cells: pl.Series, how: Convention) -> Converted:
    if kind in NUMBER_KINDS:
        made = _numbers(cells, how)
        return made if kind == "number" else _whole(made, _factor(kind, target))
    if kind == "choice":
        return _translated(as_text(cells), lambda word: _choices(extract, target.column).get(squeezed(word)), pl.String(), "unknown_choice")
    if kind == "flag":
        if cells.dtype == pl.Boolean:
            return Converted(cells)
        return _translated(as_text(cells), lambda word: _answers().get(word.casefold()), pl.Boolean(), "not_yes_or_no")
    if kind == "day":
        return _days(cells, how)
    if kind == "time":
        return _times(cells)
    if kind == "list":
        return _lists(cells)
    text = clean(as_text(cells))
    if kind == "text":
        # Only what is not ASCII can be garbled, and most cells are.
        if (text.str.len_bytes() == text.str.len_chars()).all():
            return Converted(text)
        garbled = text.str.contains(GARBLED.pattern) | text.str.contains("\ufffd", literal=True)
        return Converted(text, flagged={"garbled_text": garbled.fill_null(False)})
    return Converted(text)


def _pick(where: pl.Series, this: pl.Series, other: pl.Series) -> pl.Series:
    """`this` where the mask is true, else `other`."""
    return pl.select(pl.when(where).then(this).otherwise(other).alias("picked"))["picked"]


def _without(values: pl.Series, where: pl.Series) -> pl.Series:
    """Values, null where the mask is true."""
    return pl.select(pl.when(where).then(None).otherwise(values).cast(values.dtype).alias("left"))["left"]


def _decoded(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def as_text(cells: pl.Series) -> pl.Series:
    """A column of any type as text; whole floating-point numbers lose their .0, as tools that know no missing integers add it."""
    kind = cells.dtype
    if kind == pl.String:
        return cells
    if kind.is_float():
        whole = ((cells == cells.floor()) & (cells.abs() < EXACT)).fill_null(False)
        return _pick(whole, cells.cast(pl.Int64, strict=False).cast(pl.String), cells.fill_nan(None).cast(pl.String))
    if isinstance(kind, pl.List):
        return _joined(cells)
    if isinstance(kind, pl.Array):
        return _joined(cells.arr.to_list())
    if isinstance(kind, pl.Struct):
        return cells.struct.json_encode()
    if kind in (pl.Binary, pl.Object):
        return cells.map_elements(
            lambda raw: raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw), return_dtype=pl.String
        )
    # A span of time is no value of any contract: its number is shown, so that the sender can find it.
    return (cells.to_physical() if kind == pl.Duration else cells).cast(pl.String, strict=False)


def _joined(cells: pl.Series) -> pl.Series:
    inner = cells.dtype.inner if isinstance(cells.dtype, pl.List) else None
    if inner is None or inner.is_nested() or inner == pl.Binary:
        return cells.map_elements(lambda items: str(items.to_list()), return_dtype=pl.String)
    if inner == pl.Duration:
        cells = cells.cast(pl.List(pl.Int64))
    return cells.list.eval(pl.element().cast(pl.String)).list.join("|", ignore_nulls=True)


def _bare(text: pl.Series) -> pl.Series:
    """Numbers without the unit words around them, without grouping blanks, with a plain minus."""
    bare = text.str.replace("^[\u2212\u2013]", "-").str.replace(_UNIT_AFTER, "").str.replace(_UNIT_BEFORE, "")
    spaced = bare.str.contains(_SPACED)
    if spaced.any():
        bare = _pick(spaced, bare.str.replace_all("[ \u00a0\u202f'’]", ""), bare)
    return bare


def _nowhere(length: int) -> pl.Series:
    return pl.repeat(False, length, dtype=pl.Boolean, eager=True)


def _digits(cells: pl.Series) -> pl.Series | None:
    """A column of plain whole numbers, as most are; None for any other."""
    if cells.dtype != pl.String and not cells.dtype.is_integer():
        return None
    whole = cells.cast(pl.Int64, strict=False)
    if whole.null_count() > cells.null_count():
        return None
    low, high = whole.min(), whole.max()
    return whole if low is None or (isinstance(low, int) and isinstance(high, int) and max(-low, high) < EXACT / 100) else None


def _numbers(cells: pl.Series, how: Convention) -> Converted:
    """Numbers as Float64; whole numbers beyond 2^53 are no numbers here."""
    kind = cells.dtype
    if kind.is_integer() or kind.is_float() or kind.is_decimal():
        values = cells.cast(pl.Float64, strict=False).fill_nan(None)
        beyond = (values.is_infinite() | (values.abs() >= EXACT)).fill_null(False)
        return Converted(_without(values, beyond), {"not_a_number": beyond})
    text = as_text(cells)
    values = text.cast(pl.Int64, strict=False).cast(pl.Float64)
    if values.null_count() > text.null_count():
        # Most columns hold digits alone, and those need no cleaning.
        text = clean(text)
        values = text.cast(pl.Int64, strict=False).cast(pl.Float64)
    rest = (values.is_null() & text.is_not_null()) | (values.abs() >= EXACT).fill_null(False)
    if not rest.any():
        return Converted(values)
    where = rest.arg_true()
    part = _some_numbers(text.gather(where), how)

    def spread(mask: pl.Series) -> pl.Series:
        return _nowhere(text.len()).scatter(where, mask)

    return Converted(
        values.scatter(where, part.values),
        {rule: spread(mask) for rule, mask in part.faults.items() if mask.any()},
        {rule: spread(mask) for rule, mask in part.mended.items() if mask.any()},
    )


def _some_numbers(text: pl.Series, how: Convention) -> Converted:
    """Cells that are not plain digits."""
    bare = _bare(text)
    comma, point = bare.str.contains(_COMMA), bare.str.contains(_POINT)
    either_comma, either_point = bare.str.contains(_EITHER_COMMA), bare.str.contains(_EITHER_POINT)
    either = either_comma | either_point
    as_comma = comma | (either & (how.decimal == ","))
    as_point = point | (either & (how.decimal == "."))
    frame = pl.DataFrame({"bare": bare, "as_comma": as_comma, "as_point": as_point, "power": bare.str.contains(_POWER)})
    values = frame.select(
        pl.when("as_comma")
        .then(pl.col("bare").str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when("as_point")
        .then(pl.col("bare").str.replace_all(",", "", literal=True))
        .when("power")
        .then(pl.col("bare").str.replace(",", ".", literal=True))
        # Digits alone: what was around them is gone.
        .when(pl.col("bare").str.contains(_WHOLE))
        .then("bare")
        .cast(pl.Float64, strict=False)
        .alias("values")
    )["values"]
    values = _without(values, (values.abs() >= EXACT).fill_null(False) | values.is_infinite().fill_null(False))
    ambiguous = either & (how.decimal is None)
    other = (comma & (how.usual == ".")) | (point & (how.usual == ","))
    if how.numbers_are_typed:
        other &= ~bare.str.contains(_PLAIN_POINT)
    worded = text.str.contains(_UNIT_AFTER) | text.str.contains(_UNIT_BEFORE)
    read = values.is_not_null()
    return Converted(
        values,
        {"ambiguous_number": ambiguous, "not_a_number": ~read & ~ambiguous},
        {"other_decimal_sign": other & read, "unit_word_removed": worded & read},
    )


def _whole(made: Converted, factor: int) -> Converted:
    """Numbers as Int64, times a factor. With a factor of 1 a number with a fraction is a fault; an amount is rounded to the øre."""
    values = made.values
    if factor == 1:
        broken = (values != values.floor()).fill_null(False)
        faults = made.faults | ({"not_whole": broken} if broken.any() else {})
        return Converted(_without(values, broken).cast(pl.Int64, strict=False), faults, made.mended)
    ore = (values * factor).round()
    beyond = (ore.abs() >= EXACT).fill_null(False)
    faults = dict(made.faults)
    if beyond.any():
        faults["not_a_number"] = faults.get("not_a_number", _nowhere(values.len())) | beyond
    return Converted(_without(ore, beyond).cast(pl.Int64, strict=False), faults, made.mended)


def _translated(cells: pl.Series, meaning: Callable[[str], Any], kind: pl.DataType, rule: str) -> Converted:
    """Cells of few different words, each looked up once."""
    text = clean(cells)
    words = [word for word in text.unique().to_list() if word is not None]
    meanings = [meaning(word) for word in words]
    values = (
        text.replace_strict(words, pl.Series(meanings, dtype=kind), default=None, return_dtype=kind)
        if words
        else pl.repeat(None, text.len(), dtype=kind, eager=True)
    )
    return Converted(values, {rule: values.is_null() & text.is_not_null()})


def _plausible(days: pl.Series) -> pl.Series:
    return days.is_between(dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 31)).fill_null(False)


def _made_of(year: pl.Series, month: pl.Series, day: pl.Series) -> pl.Series:
    """Days of parts as text; null where there is no such day."""
    whole = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    return whole.str.to_date("%Y-%m-%d", strict=False)


_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y")


def _likely_form(text: pl.Series) -> str:
    """The form in which the first day of a column is written: tried before the others."""
    told = text.drop_nulls()
    first = str(told[0]).strip() if told.len() else ""
    return "%d.%m.%Y" if "." in first else "%Y-%m-%d" if first[:4].isdigit() else "%d-%m-%Y"


def _days(cells: pl.Series, how: Convention) -> Converted:
    kind = cells.dtype
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        days = cells.cast(pl.Date)
        told, text = cells.is_not_null(), None
    else:
        text = as_text(cells)
        days = text.str.to_date(_likely_form(text), strict=False)
        if days.null_count() > text.null_count():
            text = clean(text)
            for form in _FORMS:
                if days.null_count() > text.null_count():
                    days = _pick(days.is_not_null(), days, text.str.to_date(form, strict=False))
        told = text.is_not_null()
    if days.null_count() == cells.len() - int(told.sum()) and _plausible(days.drop_nulls()).all():
        return Converted(days)
    endless = (days.dt.year() == ENDLESS_YEAR).fill_null(False)
    days = _without(days, ~_plausible(days))
    rest = days.is_null() & told & ~endless
    if text is None:
        return Converted(days, {"not_a_date": rest}, {"endless_date": endless})
    if not rest.any():
        return Converted(days, {}, {"endless_date": endless})
    where = rest.arg_true()
    odd = text.gather(where)
    found = pl.repeat(None, odd.len(), dtype=pl.Date, eager=True)
    for pattern in (_YEAR_FIRST, _DAY_FIRST, _RUN_TOGETHER):
        parts = odd.str.extract_groups(pattern).struct.unnest()
        found = _pick(found.is_not_null(), found, _made_of(parts["y"], parts["m"], parts["d"]))
    slashed = odd.str.extract_groups(_SLASHED).struct.unnest()
    is_slashed = slashed["a"].is_not_null()
    if how.order and is_slashed.any():
        first, second = ("a", "b") if how.order == "dmy" else ("b", "a")
        found = _pick(found.is_not_null(), found, _made_of(slashed["y"], slashed[second], slashed[first]))
    serial = odd.str.extract(_SERIAL).cast(pl.Int64, strict=False)
    by_serial = serial.is_not_null() & found.is_null()
    if by_serial.any():
        counted = pl.DataFrame({"n": serial}).select((pl.lit(EPOCH) + pl.duration(days="n")).cast(pl.Date).alias("n"))["n"]
        found = _pick(by_serial, counted, found)
    late = (found.dt.year() == ENDLESS_YEAR).fill_null(False)
    found = _without(found, ~_plausible(found))
    ambiguous = is_slashed & found.is_null() & (how.order is None)

    def spread(mask: pl.Series) -> pl.Series:
        return _nowhere(text.len()).scatter(where, mask)

    return Converted(
        days.scatter(where, found),
        {"ambiguous_date": spread(ambiguous), "not_a_date": spread(found.is_null() & ~ambiguous & ~late)},
        {"endless_date": endless | spread(late), "serial_date": spread(by_serial)},
    )


def _times(cells: pl.Series) -> Converted:
    if cells.dtype == pl.Time:
        return Converted(cells)
    if isinstance(cells.dtype, pl.Datetime):
        return Converted(cells.dt.time())
    text = clean(as_text(cells))
    parts = text.str.extract_groups(_TIME).struct.unnest()
    whole = parts["h"].str.zfill(2) + ":" + parts["m"] + ":" + parts["s"].fill_null("00")
    values = whole.str.to_time("%H:%M:%S", strict=False)
    return Converted(values, {"not_a_time": values.is_null() & text.is_not_null()})


def _lists(cells: pl.Series) -> Converted:
    """Lists of codes, in the order told, each once."""
    text = clean(as_text(cells))
    items = text.str.replace_all(r"[;,\n]", "|").str.split("|").list.eval(pl.element().str.strip_chars(_EDGES))
    kept = items.list.eval(pl.element().filter(~pl.element().is_in(list(unknown_words())))).list.unique(maintain_order=True)
    return Converted(_without(kept, kept.list.len() == 0) if kept.len() else kept)
