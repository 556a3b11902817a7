"""`samplads match`: one need against all units, from the list of needs or described on the command line."""

from __future__ import annotations

import argparse
import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samplads.matching.case import Case
    from samplads.matching.places import Places
    from samplads.matching.ranking import MatchResult

LISTED = 10
"""How many near misses and units to assess the table shows; the JSON has all."""


def _amount(text: str) -> float:
    """A number of 0 or more as typed, with point or comma."""
    number = float(text.replace(",", "."))
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def register(subparsers: Any) -> None:
    """Add `match`."""
    command = subparsers.add_parser("match", help="find a place for one need, and say why not where there is none")
    command.add_argument("--need", metavar="ID", help="a need in the warehouse; the options below then set further limits only")
    described = command.add_argument_group("a need described here")
    described.add_argument("--municipality", metavar="CODE", help="acting municipality")
    described.add_argument("--target-group", action="append", metavar="CODE", help="all of them must be covered; the first is the primary")
    described.add_argument("--age", type=_count, metavar="YEARS")
    described.add_argument("--from", dest="wanted_from", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="wanted from")
    described.add_argument("--offer-type", action="append", metavar="CODE", help="one of these types")
    described.add_argument("--support-level", type=int, choices=range(5))
    described.add_argument("--night-cover", choices=("awake", "sleeping", "on_call", "none"), help="the least night cover")
    described.add_argument("--max-km", type=_amount, metavar="KM")
    described.add_argument("--max-rate", type=_amount, metavar="KR", help="highest daily rate in kroner")
    described.add_argument("--current-unit", metavar="ID", help="where the citizen lives now")
    described.add_argument("--wish-near", action="append", metavar="CODE", help="a municipality that the citizen wishes to live near")
    described.add_argument("--wish-setting", choices=("alone", "with_others"))
    limits = command.add_argument_group("limits of this search")
    limits.add_argument("--operator-kind", action="append", choices=("municipal", "regional", "self_owning", "private"))
    limits.add_argument("--located-in", action="append", metavar="CODE", help="only units in these municipalities")
    limits.add_argument("--reference-rate", type=_amount, metavar="KR", help="daily rate of the offer that the municipality points to")
    command.add_argument(
        "--as-of", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="the day that counts as today (default: the warehouse's)"
    )
    command.add_argument("--top", type=_count, default=10, metavar="N", help="how many hits to list")
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=run)


DESCRIBING = {
    "municipality": "--municipality",
    "target_group": "--target-group",
    "age": "--age",
    "wanted_from": "--from",
    "offer_type": "--offer-type",
    "support_level": "--support-level",
    "night_cover": "--night-cover",
    "max_km": "--max-km",
    "max_rate": "--max-rate",
    "current_unit": "--current-unit",
    "wish_near": "--wish-near",
    "wish_setting": "--wish-setting",
}
"""The options that describe a need: with --need they would contradict it."""


def run(given: argparse.Namespace) -> int:
    """Match and print the answer. The exit code is 0 also where nothing fits: that is an answer."""
    import json

    from samplads import loading
    from samplads.matching.ranking import match

    # One version for the whole answer, whatever is published meanwhile.
    given.warehouse = loading.version_in_force(given.warehouse)
    places = loading.places(given.warehouse)
    today = given.as_of or loading.as_of(given.warehouse)
    result = match(
        case(given, places),
        places,
        loading.weights(today),
        as_of=today,
        municipalities=loading.municipalities(given.warehouse),
        top=given.top,
    )
    if given.format == "json":
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=1))
    else:
        print(table(result, given.language))
    return 0


def case(given: argparse.Namespace, places: Places) -> Case:
    """The need that the options tell.

    Raises SampladsError `match_municipality_missing`, `match_need_and_description`, `match_need_unknown`, `match_code_unknown`.
    """
    from dataclasses import replace

    from samplads import loading
    from samplads.errors import SampladsError
    from samplads.matching.case import Case

    known = set(loading.municipality_codes(given.warehouse))
    _known("municipality", [given.municipality, *(given.wish_near or ()), *(given.located_in or ())], known)
    if given.need is not None:
        both = [option for name, option in DESCRIBING.items() if getattr(given, name) is not None]
        if both:
            raise SampladsError("match_need_and_description", options=", ".join(both))
        described = loading.need(given.need, given.warehouse)
    elif given.municipality is None:
        raise SampladsError("match_municipality_missing")
    else:
        _known("target_group", given.target_group, set(places.group_codes))
        _known("offer_type", given.offer_type, set(loading.offer_type_codes(given.warehouse)) | set(places.offer_types))
        if given.current_unit is not None:
            places.rows([given.current_unit])
        described = Case(
            municipality=given.municipality,
            wanted_from=given.wanted_from,
            offer_types=tuple(given.offer_type or ()),
            target_groups=tuple(given.target_group or ()),
            age=given.age,
            support_level=given.support_level,
            least_night_cover=given.night_cover,
            max_daily_rate_ore=_ore(given.max_rate),
            max_km=given.max_km,
            current_unit=given.current_unit,
            wish_near=tuple(given.wish_near or ()),
            wish_setting=given.wish_setting,
        )
    return replace(
        described,
        operator_kinds=tuple(given.operator_kind or ()),
        located_in=tuple(given.located_in or ()),
        reference_rate_ore=_ore(given.reference_rate),
    )


def _ore(kroner: float | None) -> int | None:
    return None if kroner is None else round(kroner * 100)


def _known(what: str, codes: list[str | None] | None, known: set[str]) -> None:
    from samplads.errors import SampladsError

    for code in codes or ():
        if code is not None and code not in known:
            raise SampladsError("match_code_unknown", code=code, what=what)


def table(result: MatchResult, language: str) -> str:
    """The answer as text: the sentence, the hits with their points, why not, near misses, and what to ask."""
    from samplads import i18n
    from samplads.presenting import formats
    from samplads.presenting import matching as words

    def title(name: str) -> str:
        return i18n.text(f"matching.table.{name}", language)

    def cut(lines: list[str], of: int) -> list[str]:
        more = of - len(lines)
        return [*lines, "  " + i18n.text("matching.table.more", language, n=formats.number(more, language))] if more > 0 else lines

    names = dict(result.places.frame.select("unit_id", "name").iter_rows())
    lines = [words.answer(result, language)]
    for rank, row in enumerate(result.hits.iter_rows(named=True), 1):
        points = i18n.text("matching.points", language, points=row["points"], possible=result.possible_points)
        freshness = formats.choice("freshness", row["freshness"], language)
        lines.append(f"{rank:>3}. {row['unit_id']}  {names[row['unit_id']]}  {points}  {formats.km(row['km'], language)}  {freshness}")
        lines.append(f"     {words.points_by_criterion(row, result, language)}")
    if not result.counts["hits"]:
        lines.append(title("no_hits"))
    lines += ["", title("why_not")]
    for rule, told in sorted(result.excluded.items(), key=lambda item: -item[1].failed):
        if told.failed:
            failed, only = formats.number(told.failed, language), formats.number(told.only_this, language)
            lines.append(f"  {words.rule(rule, language)}: {failed} ({title('only_this').lower()}: {only})")
    near = result.near_misses.filter("relaxable")
    if near.height:
        shown = [
            f"  {row['unit_id']}  {names[row['unit_id']]}: {words.near_miss(row, result, language)}"
            for row in near.head(LISTED).iter_rows(named=True)
        ]
        lines += ["", title("near"), *cut(shown, near.height)]
    assessed = result.needs_assessment
    if assessed.height:
        shown = [
            f"  {row['unit_id']}  {names[row['unit_id']]}: {' '.join(words.question(name, language) for name in row['questions'])}"
            for row in assessed.head(LISTED).iter_rows(named=True)
        ]
        lines += ["", title("assessment"), *cut(shown, assessed.height)]
    return "\n".join(lines)
