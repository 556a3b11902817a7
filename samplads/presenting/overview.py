"""The state of the whole warehouse in a few sentences, and the first question of each of its users."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samplads import i18n
from samplads.presenting import formats
from samplads.presenting.vacancies import Summary


@dataclass(frozen=True)
class Wanted:
    """A set of target groups that open needs ask for, and what there is for it."""

    groups: tuple[str, ...]
    found: Summary


def answer(places: Mapping[str, Any], fresh_days: int, language: str) -> str:
    """How many places are open, where, and how many are freshly confirmed."""
    return i18n.text(
        "overview.answer",
        language,
        places=formats.plural(places["accepting"], "overview.places", language),
        municipalities=formats.plural(places["open_municipalities"], "ui.map.municipalities", language),
        share=formats.share(places["accepting_fresh"], places["accepting"], language),
        days=fresh_days,
    )


def confirmed(places: Mapping[str, Any], language: str) -> str:
    """How many of the open places somebody has confirmed this month, and how many more may be open where a unit has to say more."""
    parts = []
    if places["accepting"]:
        month, opened = (formats.number(places[name], language) for name in ("accepting_month", "accepting"))
        parts.append(i18n.text("overview.confirmed_month", language, n=month, total=opened))
    if places["accepting_unsure"]:
        parts.append(formats.plural(places["accepting_unsure"], "overview.unsure", language))
    return " ".join(parts)


def basis(deliveries: Mapping[str, Any], synthetic: bool, day: dt.date, language: str) -> str:
    """What the page rests on: how many deliveries and the last one's day, and that data are real (made-up ones say so beside the title)."""
    return i18n.text(
        "overview.basis",
        language,
        real="" if synthetic else i18n.text("overview.real", language, day=formats.date(day, language)),
        deliveries=formats.plural(deliveries["deliveries"], "overview.deliveries", language),
        last=formats.date(deliveries["last_delivery"], language),
    )


def asked_for(demanded: Sequence[Sequence[str]], look: Callable[[list[str]], Summary]) -> Wanted | None:
    """The most asked-for set of target groups that something is open for, else the most asked-for; None where nobody asks."""
    first = None
    for groups in demanded:
        wanted = Wanted(tuple(groups), look(list(groups)))
        if wanted.found.accepting:
            return wanted
        first = first or wanted
    return first


def find_sentence(wanted: Wanted | None, names: Sequence[str], language: str) -> str:
    """What is open for the set that is most asked for."""
    if wanted is None:
        return i18n.text("overview.find_any", language)
    return i18n.text(
        "overview.find_sentence",
        language,
        groups=" + ".join(names),
        open=formats.number(wanted.found.accepting, language),
        fresh=formats.number(wanted.found.fresh, language),
    )


def share_sentence(places: Mapping[str, Any], language: str) -> str:
    """How many single-person offers have a night guard of their own."""
    if not places["night_units"]:
        return i18n.text("overview.share_none", language)
    return i18n.text(
        "overview.share_sentence",
        language,
        units=formats.number(places["night_units"], language),
        municipalities=formats.plural(places["night_municipalities"], "ui.map.municipalities", language),
    )


def state(needs: Mapping[str, Any], deliveries: Mapping[str, Any], fresh_days: int, language: str) -> list[tuple[str, str, str | None]]:
    """Needs that wait, how complete the deliveries are, what awaits correction: label, value, explanation."""
    longest = needs["longest_days"]
    shown = "–" if longest is None else formats.plural(longest, "formats.days", language)
    delivered = i18n.text(
        "overview.delivered_of",
        language,
        n=formats.number(deliveries["delivered"], language),
        total=formats.number(deliveries["municipalities"], language),
    )
    return [
        (i18n.text("overview.waiting", language), formats.plural(needs["needs"], "overview.needs", language), None),
        (i18n.text("overview.longest", language), shown, None),
        (i18n.text("overview.delivered", language, days=fresh_days), delivered, i18n.text("overview.delivered_help", language)),
        (
            i18n.text("overview.findings", language),
            formats.plural(deliveries["set_aside"], "overview.rows", language),
            i18n.text("overview.findings_help", language, flagged=formats.number(deliveries["flagged"], language)),
        ),
    ]
