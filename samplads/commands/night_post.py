"""`samplads night-post`: what one night post costs a year."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any


def register(subparsers: Any) -> None:
    """Add `night-post`."""
    command = subparsers.add_parser("night-post", help="the yearly cost of one night post")
    command.add_argument("--start", required=True, metavar="HH:MM", help="when the shift begins")
    command.add_argument("--end", required=True, metavar="HH:MM", help="when it ends; before the start means the next morning")
    command.add_argument("--pay", metavar="KR", help="monthly base pay in kroner (default: that of the terms)")
    command.add_argument("--terms", metavar="NAME", help="set of terms in data/rules/night_terms.yaml (default: the file's default)")
    command.add_argument("--kind", choices=("awake", "sleeping", "on_call"), default="awake")
    command.add_argument(
        "--nights", default="1234567", metavar="DAYS", help="weekdays whose nights are worked, 1 (Monday) to 7 (default: all)"
    )
    command.add_argument(
        "--year",
        type=int,
        metavar="YYYY",
        help="calendar year, where the terms use a real calendar (default: that of --on, else this year)",
    )
    command.add_argument("--handover", type=int, metavar="MIN", help="minutes of overlap at handover")
    command.add_argument(
        "--on", type=dt.date.fromisoformat, default=dt.date.max, metavar="YYYY-MM-DD", help="terms in force on a day (default: the newest)"
    )
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.set_defaults(run=run)


def clock(text: str) -> dt.time:
    """A time of day, HH:MM; 24:00 is midnight. Raises SampladsError `clock_unreadable`."""
    from samplads.errors import SampladsError

    hours, sign, minutes = text.strip().replace(".", ":").partition(":")
    if not (hours.isdecimal() and (minutes.isdecimal() if sign else True)):
        raise SampladsError("clock_unreadable", text=text)
    hour, minute = int(hours), int(minutes or 0)
    if (hour, minute) == (24, 0):
        hour = 0
    if hour > 23 or minute > 59:
        raise SampladsError("clock_unreadable", text=text)
    return dt.time(hour, minute)


def weekdays(text: str) -> frozenset[int]:
    """Weekdays 1-7 as typed ("12345"), as Monday 0 to Sunday 6."""
    from samplads.errors import SampladsError

    digits = [character for character in text if character not in " ,"]
    if not digits or any(character not in "1234567" for character in digits):
        raise SampladsError("night_weekdays", text=text)
    return frozenset(int(character) - 1 for character in digits)


def run(given: argparse.Namespace) -> int:
    """Reckon and print: fte, base_kr, supplements_kr, on_costs_kr, total_kr, per_night_kr (whole kroner, each rounded for itself)."""
    import json

    from samplads import i18n
    from samplads import loading_nightcover as loading
    from samplads.nightcover import post_cost
    from samplads.presenting import formats

    this_year = dt.datetime.now().astimezone().year if given.on == dt.date.max else given.on.year
    terms = loading.terms(given.on, given.terms, year=given.year or this_year)
    if given.handover is not None:
        terms = terms.changed(handover_minutes=given.handover)
    pay = loading.monthly_pay_ore(given.on, given.terms) if given.pay is None else formats.parse_kr(given.pay, given.language, least=0)
    start, end = post_cost.minutes_of(clock(given.start), clock(given.end))
    found = post_cost.cost(post_cost.Post(start, end, pay, given.kind, weekdays(given.nights)), terms)
    amounts = {
        "base": found.base_ore,
        "supplements": found.supplements_ore,
        "on_costs": found.on_costs_ore,
        "total": found.total_ore,
        "per_night": found.per_night_ore,
    }
    if given.format == "json":
        answer: dict[str, float | str] = {"fte": round(found.fte, 2)}
        answer |= {f"{name}_kr": round(ore / 100) for name, ore in amounts.items()}
        answer |= {"nights": found.nights, "hours": round(found.hours, 2), "terms": terms.name}
        print(json.dumps(answer, ensure_ascii=False, indent=1))
        return 0

    def line(name: str, value: str) -> str:
        return f"{i18n.text(f'nightcover.post.{name}', given.language):<28}{value:>18}"

    print(line("terms", terms.name))
    print(line("fte", formats.number(found.fte, given.language, 2)))
    for name, ore in amounts.items():
        print(line(name, formats.kr(ore, given.language)))
    return 0
