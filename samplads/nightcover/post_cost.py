"""What one night post costs a year.

With H hours a night (handover included), N nights a year, a monthly pay p and a share w of the hours that counts as working time
(1 for an awake post, less for a sleeping or on-call one):

    net hours   = gross hours - (holidays + public holidays on weekdays + sickness + other absence) x hours a day - extra holiday hours
    posts (fte) = w x N x H / net hours
    base        = fte x 12 p x (1 + pension)
    supplements = 12 p / gross hours x w x (sum over clock windows of hours in the window a year x the window's percentage)
    on-costs    = (base + supplements) x on-cost percentage
    total       = base + supplements + on-costs

The hours in a window are counted either over a real year, minute by minute with its Saturdays, Sundays and public holidays, or over a
stylised year: so many nights, Saturdays, Sundays and holiday nights (source: `night_post_cost_derived.md` beside the reference figures).
The clock is the wall clock: the night an hour shorter in March and the night an hour longer in October cancel out.

Times are minutes after the midnight before the night's first day: 23:00 to 07:00 is 1380 to 1860. Money is integer øre.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import holidays
import numpy as np
from numpy.typing import NDArray

from samplads.errors import SampladsError

DAY = 1440
NOON = 720
EVERY_NIGHT = frozenset(range(7))

Days = Literal["every", "saturday", "sunday", "holiday"]
Kind = Literal["awake", "sleeping", "on_call"]


@dataclass(frozen=True)
class Window:
    """Clock hours that carry a supplement: on which days, from which minute to which (past midnight: more than 1440), and how many
    percent.

    A public holiday is a kind of day of its own, whatever weekday it falls on. Where no window of the terms is for holidays, a holiday
    counts as a Sunday.
    """

    name: str
    days: Days
    start: int
    end: int
    pct: float


@dataclass(frozen=True)
class StylisedYear:
    """A year of round numbers: holiday nights carry the holiday supplement on top of what they carry anyway; where none is told, that of
    Sundays for all their hours.
    """

    nights: int = 365
    saturdays: int = 52
    sundays: int = 52
    holiday_nights: int = 8


@dataclass(frozen=True)
class RealYear:
    """A calendar year with the public holidays of a country (ISO code); a day is a holiday, a Saturday, a Sunday or none, once."""

    year: int
    country: str


@dataclass(frozen=True)
class Terms:
    """Everything that turns hours into kroner, except the pay itself. Hours and days are a year's for one full-time post."""

    name: str
    calendar: StylisedYear | RealYear
    windows: tuple[Window, ...]
    gross_hours: float = 1924.0
    hours_a_day: float = 7.4
    holiday_days: float = 25.0
    public_holiday_days: float = 7.14
    extra_holiday_hours: float = 37.0
    sick_days: float = 14.4
    other_absence_days: float = 0.0
    pension_pct: float = 14.2
    on_cost_pct: float = 0.0
    handover_minutes: int = 0
    working_share: tuple[tuple[str, float], ...] = (("awake", 1.0), ("sleeping", 0.75), ("on_call", 1 / 3))

    @property
    def net_hours(self) -> float:
        """Hours at work a year of one full-time post. Raises SampladsError `terms_no_hours` where absence leaves none."""
        away = self.holiday_days + self.public_holiday_days + self.sick_days + self.other_absence_days
        net = self.gross_hours - away * self.hours_a_day - self.extra_holiday_hours
        if net <= 0:
            raise SampladsError("terms_no_hours", terms=self.name)
        return net

    def share(self, kind: str) -> float:
        """Share of a post's hours that counts as working time."""
        shares = dict(self.working_share)
        if kind not in shares:
            raise SampladsError("post_kind_unknown", kind=kind)
        return shares[kind]

    def changed(self, **values: object) -> Terms:
        """The same terms with some values changed."""
        return replace(self, **values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Post:
    """One night post: start and end in minutes (see the module), monthly pay in øre, kind, and the weekdays (Monday 0) whose nights are
    worked.
    """

    start: int
    end: int
    monthly_pay_ore: int
    kind: str = "awake"
    weekdays: frozenset[int] = EVERY_NIGHT

    def __post_init__(self) -> None:
        if not 0 < self.end - self.start <= DAY:
            raise SampladsError("post_shift_empty")
        if self.monthly_pay_ore < 0:
            raise SampladsError("post_pay_negative")

    @property
    def hours(self) -> float:
        """Hours a night, without handover."""
        return (self.end - self.start) / 60


@dataclass(frozen=True)
class PostCost:
    """A year of one post. `by_window` splits the supplements; base + supplements + on-costs = total to the øre."""

    nights: float
    hours: float
    fte: float
    base_ore: int
    supplements_ore: int
    on_costs_ore: int
    by_window: Mapping[str, int]

    @property
    def total_ore(self) -> int:
        """Cost a year in øre."""
        return self.base_ore + self.supplements_ore + self.on_costs_ore

    @property
    def per_night_ore(self) -> int:
        """Cost a night in øre, 0 where no night is worked."""
        return round(self.total_ore / self.nights) if self.nights else 0


def minutes_of(start: dt.time, end: dt.time) -> tuple[int, int]:
    """A shift by the clock as minutes after the midnight before the night's first day.

    A shift that starts before noon and ends by noon belongs to the night that began the day before (00:00 to 07:00 is 1440 to 1860), so
    that all night posts lie between noon and noon. One that runs across noon starts on its own day. Raises SampladsError
    `post_shift_empty` where start and end are the same.
    """
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    if first == last:
        raise SampladsError("post_shift_empty")
    length = (last - first) % DAY
    if first < NOON and first + length <= NOON:
        first += DAY
    return first, first + length


def cost(post: Post, terms: Terms) -> PostCost:
    """The yearly cost of a post under terms; the formula is the module's."""
    end = post.end + terms.handover_minutes
    nights, percent_hours = _year(post.start, end, post.weekdays, terms.windows, terms.calendar)
    share = terms.share(post.kind)
    hours = share * nights * (end - post.start) / 60
    fte = hours / terms.net_hours
    yearly = post.monthly_pay_ore * 12
    base = fte * yearly * (1 + terms.pension_pct / 100)
    by_window = {name: yearly / terms.gross_hours * share * value / 100 for name, value in percent_hours}
    supplements = sum(by_window.values())
    total = round((base + supplements) * (1 + terms.on_cost_pct / 100))
    base_ore = round(base)
    supplements_ore = round(base + supplements) - base_ore
    return PostCost(
        nights=nights,
        hours=hours,
        fte=fte,
        base_ore=base_ore,
        supplements_ore=supplements_ore,
        on_costs_ore=total - base_ore - supplements_ore,
        by_window=MappingProxyType(dict(zip(by_window, _round_to(list(by_window.values()), supplements_ore), strict=True))),
    )


def split(post: Post, cuts: Iterable[int], terms: Terms) -> NDArray[np.int64]:
    """A post's yearly cost by the part of the night: one amount per interval between consecutive `cuts` (ascending minutes), in øre.

    Parts outside the shift cost 0; where the cuts embrace the shift, the parts sum to `cost(post, terms).total_ore` (largest remainder).
    Handover is spread over the shift by time.
    """
    edges = sorted(set(cuts))
    total = cost(post, terms).total_ore
    plain = terms.changed(handover_minutes=0)
    parts: list[float] = []
    for left, right in pairwise(edges):
        begin, end = max(left, post.start), min(right, post.end)
        parts.append(float(cost(replace(post, start=begin, end=end), plain).total_ore) if begin < end else 0.0)
    whole = sum(parts)
    embraced = edges and edges[0] <= post.start and post.end <= edges[-1]
    reference = whole if embraced else float(cost(post, plain).total_ore)
    if reference <= 0:
        return np.zeros(len(parts), dtype=np.int64)
    target = total if embraced else round(whole * total / reference)
    return np.array(_round_to([part * total / reference for part in parts], target), dtype=np.int64)


def _round_to(parts: list[float], total: int) -> list[int]:
    """Parts as whole numbers with the given sum: the largest remainders take what is left, the first at a tie."""
    floors = [int(np.floor(part)) for part in parts]
    left = total - sum(floors)
    order = sorted(range(len(parts)), key=lambda i: (-(parts[i] - floors[i]), i))
    for step in range(abs(left)):
        floors[order[step % len(order)] if left > 0 else order[-1 - step % len(order)]] += 1 if left > 0 else -1
    return floors


def _overlap(a: int, b: int, c: int, d: int) -> int:
    return max(0, min(b, d) - max(a, c))


def _in_window(start: int, end: int, window: Window) -> tuple[int, int, int]:
    """Minutes of [start, end) inside a window of the clock, on the night's first calendar day and on the two next: a long shift that starts
    late may end on the third by its handover.

    A window that runs past midnight (23:00 to 30:00) has a tail that belongs to the calendar day it falls on.
    """
    pieces = [(window.start, min(window.end, DAY))]
    if window.end > DAY:
        pieces.append((0, window.end - DAY))
    first, second, third = (sum(_overlap(start, end, a + day * DAY, b + day * DAY) for a, b in pieces) for day in range(3))
    return first, second, third


@lru_cache(maxsize=4096)
def _year(
    start: int, end: int, weekdays: frozenset[int], windows: tuple[Window, ...], calendar: StylisedYear | RealYear
) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Nights a year, and per window the sum over the year of hours x percentage."""
    if isinstance(calendar, StylisedYear):
        return _stylised(start, end, weekdays, windows, calendar)
    return _real(start, end, weekdays, windows, calendar)


def _stylised(
    start: int, end: int, weekdays: frozenset[int], windows: tuple[Window, ...], year: StylisedYear
) -> tuple[float, tuple[tuple[str, float], ...]]:
    part = len(weekdays) / 7
    nights = year.nights * part
    result: list[tuple[str, float]] = []
    for window in windows:
        first, second, third = _in_window(start, end, window)
        if window.days == "every":
            minutes = nights * (first + second + third)
        elif window.days == "saturday":
            minutes = year.saturdays * first * (5 in weekdays)
        elif window.days == "holiday":
            minutes = year.holiday_nights * part * (first + second + third)
        else:
            minutes = year.saturdays * second * (5 in weekdays) + year.sundays * first * (6 in weekdays)
            minutes += 0.0 if _tells_holidays(windows) else year.holiday_nights * part * (end - start)
        result.append((window.name, minutes / 60 * window.pct))
    return nights, tuple(result)


def _tells_holidays(windows: Iterable[Window]) -> bool:
    """Whether public holidays have a supplement of their own."""
    return any(window.days == "holiday" for window in windows)


@lru_cache(maxsize=64)
def _day_kinds(year: int, country: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each day of the year and the two days after it: its weekday (Monday 0), and whether it is a public holiday."""
    try:
        days_off = holidays.country_holidays(country, years=[year, year + 1])
    except NotImplementedError as error:
        raise SampladsError("calendar_country_unknown", country=country) from error
    first = dt.date(year, 1, 1)
    days = [first + dt.timedelta(days=offset) for offset in range((dt.date(year + 1, 1, 1) - first).days + 2)]
    weekday = np.array([day.weekday() for day in days])
    off = np.array([day in days_off for day in days])
    return weekday, off


def _real(
    start: int, end: int, weekdays: frozenset[int], windows: tuple[Window, ...], calendar: RealYear
) -> tuple[float, tuple[tuple[str, float], ...]]:
    weekday, off = _day_kinds(calendar.year, calendar.country)
    worked = np.isin(weekday[:-2], list(weekdays))
    kinds: dict[str, NDArray[np.bool_]] = {
        "every": np.ones_like(off),
        "saturday": (weekday == 5) & ~off,
        "sunday": (weekday == 6) & ~off if _tells_holidays(windows) else (weekday == 6) | off,
        "holiday": off,
    }
    result: list[tuple[str, float]] = []
    for window in windows:
        on = kinds[window.days]
        days = (on[:-2], on[1:-1], on[2:])
        minutes = sum(int((day & worked).sum()) * inside for day, inside in zip(days, _in_window(start, end, window), strict=True))
        result.append((window.name, minutes / 60 * window.pct))
    return float(worked.sum()), tuple(result)
