"""Numbers, amounts, days and lists as a person reads and writes them, in Danish or English.

Everything shown goes through here, so that 1234567.5 is "1.234.567,50" on a Danish page whatever language the browser speaks. `None` (and
NaN) is "ukendt": unknown is a value of its own, never a zero and never blank.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

from samplads import i18n
from samplads.errors import SampladsError

NARROW = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that a line never breaks there."""

_MARKS = {"da": (".", ","), "en": (",", ".")}
"""Thousands mark and decimal mark."""

_MINUS = "\N{MINUS SIGN}"
MOST_TYPED = 1_000_000_000_000
"""The largest number that anybody types in earnest, either side of zero: where a field says no bound of its own."""
_SPACES = re.compile(r"[\s\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]+")
_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})|(\d{4})-(\d{2})-(\d{2})")


def unknown(language: str) -> str:
    """The word for what nobody has told."""
    return i18n.text("formats.unknown", language)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _grouped(value: float | Decimal, language: str, decimals: int, shift: int = 0) -> str:
    """The value divided by ten to the power `shift`, with marks and rounded half up."""
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return f"{_MINUS}∞" if value < 0 else "∞"
    if decimals == 0 and shift == 0 and isinstance(value, int):
        plain = f"{abs(value):,}".replace(",", _MARKS[language][0])
        return f"{_MINUS}{plain}" if value < 0 else plain
    exact = Decimal(str(value))
    with localcontext() as context:
        # As many digits as the number has: the usual 28 are too few for what an analyst's query may hold.
        context.prec = max(context.prec, exact.adjusted() + decimals + 2, len(exact.as_tuple().digits))
        rounded = exact.scaleb(-shift).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    thousands, decimal = _MARKS[language]
    plain = f"{rounded.copy_abs():,f}"
    marked = plain.replace(",", "\0").replace(".", decimal).replace("\0", thousands)
    return f"{_MINUS}{marked}" if rounded < 0 else marked


def number(value: float | None, language: str, decimals: int = 0) -> str:
    """A number with thousands marks, rounded half up: 12031 -> "12.031"."""
    if value is None or _missing(value):
        return unknown(language)
    return _grouped(value, language, decimals)


def kr(ore: float | None, language: str, decimals: int = 0) -> str:
    """An amount of øre in kroner: 284550 -> "2.846 kr.", with two decimals "2.845,50 kr."."""
    if ore is None or _missing(ore):
        return unknown(language)
    return f"{_grouped(ore, language, decimals, shift=2)}{NARROW}{i18n.text('formats.kr', language)}"


def kr_per_day(ore: float | None, language: str) -> str:
    """A daily rate in whole kroner: 284500 -> "2.845 kr. pr. døgn"."""
    if ore is None or _missing(ore):
        return unknown(language)
    return i18n.text("formats.per_day", language, amount=kr(ore, language))


def millions(ore: float | None, language: str, decimals: int = 1) -> str:
    """A large amount in millions of kroner: 1140000000 -> "11,4 mio. kr."."""
    if ore is None or _missing(ore):
        return unknown(language)
    amount = _grouped(ore, language, decimals, shift=8)
    return f"{amount}{NARROW}{i18n.text('formats.millions', language)}"


def percent(value_pct: float | None, language: str, decimals: int = 0) -> str:
    """A share that is already in percent: 47.2 -> "47 %"."""
    if value_pct is None or _missing(value_pct):
        return unknown(language)
    return f"{_grouped(value_pct, language, decimals)}{NARROW if language == 'da' else ''}%"


def share(part: float, whole: float, language: str, decimals: int = 0) -> str:
    """A part of a whole in percent; of nothing it is unknown."""
    return percent(100 * part / whole if whole else None, language, decimals)


def km(value: float | None, language: str) -> str:
    """A distance in whole kilometres: 41.3 -> "41 km"."""
    if value is None or _missing(value):
        return unknown(language)
    return f"{_grouped(value, language, 0)}{NARROW}km"


def date(day: dt.date | None, language: str) -> str:
    """A day: "22.11.2026" in Danish, "22 Nov 2026" in English."""
    if day is None:
        return unknown(language)
    if language == "da":
        return f"{day.day:02d}.{day.month:02d}.{day.year}"
    return f"{day.day} {months(language)[day.month - 1]} {day.year}"


def opening(day: dt.date | None, as_of: dt.date, language: str) -> str:
    """The day from which a place is open: "nu" where it has come."""
    # A frame's own unknown day is no day either.
    if day is None or day != day:
        return unknown(language)
    opens = dt.date(day.year, day.month, day.day)
    return i18n.text("vacancies.now", language) if opens <= as_of else date(opens, language)


def months(language: str) -> list[str]:
    """The twelve months, shortened."""
    return i18n.text("formats.months", language).split()


def age(day: dt.date | None, as_of: dt.date, language: str) -> str:
    """How long ago: "i dag", "3 dage", "ukendt"."""
    if day is None:
        return unknown(language)
    days = (as_of - day).days
    return i18n.text("formats.today", language) if days == 0 else plural(days, "formats.days", language)


def yes_no(value: bool | None, language: str) -> str:
    """Yes, no or unknown."""
    return unknown(language) if value is None else i18n.text("formats.yes" if value else "formats.no", language)


def choice(column: str, code: str | None, language: str) -> str:
    """The word of a choice (`choices.<column>.<code>`); a code without a word is shown as it is."""
    if code is None:
        return unknown(language)
    key = f"choices.{column}.{code}"
    return i18n.text(key, language) if i18n.has(key, language) else code


def listing(parts: Sequence[str], language: str) -> str:
    """Several things in a row: "a, b og c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {i18n.text('formats.and', language)} {parts[-1]}"


def plural(count: float, key: str, language: str, **values: object) -> str:
    """A counted thing: the catalogue's `<key>.one` for exactly 1, `<key>.other` else, with `{n}` as the number in its form."""
    form = "one" if count == 1 else "other"
    return i18n.text(f"{key}.{form}", language, n=number(count, language), **values)


def capital(text: str) -> str:
    """The text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def parse_number(text: str, language: str, least: float | None = None, most: float | None = None, *, whole: bool = False) -> float:
    """A typed number: "1.234,5" in Danish, "1,234.5" in English, both 1234.5.

    Thousands marks must stand where they belong, so that a decimal point typed on a Danish page ("2.5") is refused rather than read as 25.

    Raises SampladsError `typed_not_a_number`, `typed_too_small`, `typed_too_large`, and `typed_not_whole` where it must be `whole`.
    """
    thousands, decimal = _MARKS[language]
    bare = _SPACES.sub("", text).replace(_MINUS, "-")
    pattern = rf"[-+]?(\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)(?:{re.escape(decimal)}\d+)?"
    if not re.fullmatch(pattern, bare, flags=re.ASCII):
        raise SampladsError("typed_not_a_number", text=text.strip()[:40], example=number(1234.5, language, 1))
    value = float(bare.replace(thousands, "").replace(decimal, "."))
    least, most = -MOST_TYPED if least is None else least, MOST_TYPED if most is None else most
    if value < least:
        raise SampladsError("typed_too_small", text=text.strip()[:40], least=typed(least, language))
    if value > most:
        raise SampladsError("typed_too_large", text=text.strip()[:40], most=typed(most, language))
    if whole and value != int(value):
        raise SampladsError("typed_not_whole", text=text.strip()[:40])
    return value


def typed(value: float, language: str) -> str:
    """A number as one would type it: as few decimals as it needs, at most six."""
    decimals = min(6, len(f"{Decimal(str(value)):f}".partition(".")[2].rstrip("0")))
    return number(value, language, decimals).replace(_MINUS, "-")


def parse_kr(text: str, language: str, least: float | None = 0, most: float | None = None) -> int:
    """A typed amount of kroner, with or without its unit, in øre: "2.845,50 kr." -> 284550. Errors as `parse_number`."""
    bare = re.sub(r"\s*kr\.?\s*$", "", text, flags=re.IGNORECASE)
    kroner = parse_number(bare, language, least, most)
    return int((Decimal(str(kroner)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_day(text: str) -> dt.date:
    """A typed day: 22.11.2026, 22-11-2026, 22/11/2026 or 2026-11-22.

    Raises SampladsError `typed_not_a_day`.
    """
    found = _DAY.fullmatch(text.strip())
    if found:
        day, month, year, iso_year, iso_month, iso_day = found.groups()
        try:
            return dt.date(int(year or iso_year), int(month or iso_month), int(day or iso_day))
        except ValueError:
            pass
    raise SampladsError("typed_not_a_day", text=text.strip()[:40], example="22.11.2026")


def plain(text: str) -> str:
    """Text that somebody delivered or wrote, inside Markdown: a name is never a link, a heading or a formula."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#+-!|$~:" else sign for sign in text)
