"""What a demo is drawn from: totals, shares, rates and words of a reference folder's `demo.yaml`, or even draws where it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from samplads.reference import Reference

PERSONS_A_MUNICIPALITY = 250
"""Residents a year and municipality where a folder says nothing (assumption)."""


@dataclass(frozen=True)
class OfferType:
    """One kind of offer. Rates in kr a day; `night` are the weights of awake, sleeping, on call and none."""

    code: str | None
    child: bool
    persons_a_year: float
    stay_years: float
    occupancy: float
    places_a_unit: float
    rate: float
    rate_spread: float
    ages: tuple[tuple[int, int], ...]
    night: tuple[float, float, float, float]
    planned_end_share: float
    assumed_occupancy: tuple[float, float]
    single_share: float


@dataclass(frozen=True)
class Speciality:
    """What a unit is for: target groups by rank, the offer types it occurs in, and how it bends rates and nights."""

    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    excluded: tuple[str, ...]
    offer_types: frozenset[str | None]
    weight: float
    single: float
    need: float
    rate: float
    support: tuple[int, int]
    risky: float
    awake: bool
    ages: tuple[int, int]


@dataclass(frozen=True)
class Showcase:
    """The need that the manual speaks of."""

    need: str
    municipality: str
    age: int
    target_groups: tuple[str, ...]
    offer_type: str
    support_level: int
    least_night_cover: str
    max_daily_rate: int
    max_km: float
    wish_near: tuple[str, ...]
    first_hit: Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """One yearly indicator: groups, and for each how many per 1,000 inhabitants, or a level with its spread."""

    code: str
    groups: tuple[str, ...]
    per_1000: tuple[float, ...]
    level: tuple[float, ...]
    spread: float
    growth: float


@dataclass(frozen=True)
class Words:
    """The names a demo is told in."""

    stems: tuple[str, ...]
    endings: tuple[str, ...]
    streets: tuple[str, ...]
    parts: tuple[str, ...]
    single: tuple[str, ...]
    operators: Mapping[str, str]
    confirmed_by: tuple[str, ...]
    notes: tuple[str, ...]
    sender: str


@dataclass(frozen=True)
class Profile:
    """Everything a demo is drawn from, with every code known to the reference folder."""

    offers: float
    outside: float
    expensive_cases: float
    expensive_kr_a_year: int
    single_person_units: float
    private_premium: float
    offer_types: tuple[OfferType, ...]
    specialities: tuple[Speciality, ...]
    night_excludes: tuple[str, ...]
    shifts: tuple[tuple[str, str], ...]
    monthly_pay: tuple[int, ...]
    showcase: Showcase | None
    indicators: tuple[Series, ...]
    words: Words


def _offer_type(told: Mapping[str, Any]) -> OfferType:
    rate, spread = told["rate"]
    awake, sleeping, on_call, none = told["night"]
    lowest, highest = told.get("assumed_occupancy", (95, 100))
    return OfferType(
        code=told["code"],
        child=bool(told.get("child", False)),
        persons_a_year=float(told["persons_a_year"]),
        stay_years=float(told["stay_years"]),
        occupancy=float(told["occupancy_pct"]) / 100,
        places_a_unit=float(told["places_a_unit"]),
        rate=float(rate),
        rate_spread=float(spread),
        ages=tuple((int(low), int(high)) for low, high in told["ages"]),
        night=(float(awake), float(sleeping), float(on_call), float(none)),
        planned_end_share=float(told["planned_end_share"]),
        assumed_occupancy=(float(lowest), float(highest)),
        single_share=float(told.get("single_share", 0)),
    )


def _offer_types(reference: Reference, told: Sequence[Mapping[str, Any]]) -> tuple[OfferType, ...]:
    known = set(reference.offer_type["code"])
    named = tuple(_offer_type(one) for one in told if one["code"] in known)
    if named:
        return named
    residential = reference.offer_type.filter(pl.col("residential").fill_null(True))
    chosen: list[str | None] = (residential if residential.height else reference.offer_type)["code"].to_list() or [None]
    even = {
        "persons_a_year": PERSONS_A_MUNICIPALITY * reference.municipality.height / len(chosen),
        "stay_years": 3,
        "occupancy_pct": 92,
        "places_a_unit": 5,
        "rate": (2000, 0.2),
        "ages": [(18, 65), (18, 100)],
        "night": (5, 3, 1, 1),
        "planned_end_share": 0.4,
        "single_share": 1 / len(chosen),
    }
    return tuple(_offer_type({"code": code, **even}) for code in chosen)


def _specialities(
    reference: Reference, told: Sequence[Mapping[str, Any]], groups: Mapping[str, str], offer_types: Sequence[OfferType]
) -> tuple[Speciality, ...]:
    known = set(reference.target_group["code"])
    every = frozenset(offer_type.code for offer_type in offer_types)

    def codes(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(code for name in names if (code := groups.get(name, name)) in known)

    named = tuple(
        Speciality(
            primary=primary,
            secondary=codes(one.get("secondary", ())),
            excluded=codes(one.get("excluded", ())),
            offer_types=types,
            weight=float(one["weight"]),
            single=float(one["single"]),
            need=float(one["need"]),
            rate=float(one["rate"]),
            support=tuple(one["support"]),
            risky=float(one["risky"]),
            awake=one.get("night") == "awake",
            ages=tuple(one["ages"]),
        )
        for one in told
        if (primary := codes(one["primary"])) and (types := every & frozenset(one["offer_types"]))
    )
    # Every offer type needs something to be for; a folder without target groups has units without approvals.
    bare = every - frozenset(code for one in named for code in one.offer_types)
    if not bare:
        return named
    leaves: list[str | None] = reference.target_group.filter(pl.col("kind") == "leaf")["code"].to_list() or [None]
    even = tuple(
        Speciality(
            primary=(leaf,) if leaf else (),
            secondary=(leaves[(place + 1) % len(leaves)] or "",) if len(leaves) > 1 else (),
            excluded=(),
            offer_types=bare,
            weight=1,
            single=1,
            need=1,
            rate=1,
            support=(place % 3, 3 + place % 2),
            risky=0.1,
            awake=place % 4 == 0,
            ages=(18, 60),
        )
        for place, leaf in enumerate(leaves)
    )
    return named + even


def _showcase(reference: Reference, told: Mapping[str, Any] | None, groups: Mapping[str, str]) -> Showcase | None:
    if not told:
        return None
    target_groups = tuple(groups.get(name, name) for name in told["target_groups"])
    known = reference.codes()
    if (
        not set(target_groups) <= set(known["target_group.code"])
        or told["offer_type"] not in set(known["offer_type.code"])
        or not {told["municipality"], *told["wish_near"]} <= set(known["municipality.code"])
    ):
        return None
    return Showcase(
        need=str(told["need"]),
        municipality=told["municipality"],
        age=int(told["age"]),
        target_groups=target_groups,
        offer_type=told["offer_type"],
        support_level=int(told["support_level"]),
        least_night_cover=told["least_night_cover"],
        max_daily_rate=int(told["max_daily_rate"]),
        max_km=float(told["max_km"]),
        wish_near=tuple(told["wish_near"]),
        first_hit=dict(told.get("first_hit", {})),
    )


def _words(told: Mapping[str, Any]) -> Words:
    def several(name: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(word) for word in told.get(name) or otherwise)

    return Words(
        stems=several("stems", ("Oak", "Elm", "Ash", "Birch", "Willow", "Hazel", "Rowan", "Maple", "Larch", "Alder", "Linden", "Cedar")),
        endings=several("endings", (" House", " Lodge", " Court", " Hall", " Cottage")),
        streets=several("streets", (" Street", " Road", " Lane", " Avenue")),
        parts=several("parts", ("East", "West", "North", "South")),
        single=several("single", ("Single",)),
        operators={
            "municipal": "{municipality}",
            "regional": "{region}",
            "self_owning": "{name} Foundation",
            "private": "{name} Ltd",
            **told.get("operators", {}),
        },
        confirmed_by=several("confirmed_by", ("manager", "coordinator", "secretary")),
        notes=several("notes", ("Garden", "Lift", "Own entrance")),
        sender=str(told.get("sender", "Samplads demo (made up)")),
    )


def read(reference: Reference) -> Profile:
    """The profile of a reference folder: its own words and weights, without codes that the folder does not know."""
    told = reference.demo
    totals = {name: float(one["value"]) for name, one in told.get("totals", {}).items()}
    groups: dict[str, str] = told.get("groups", {})
    night = told.get("night", {})
    size = reference.municipality.height
    offer_types = _offer_types(reference, told.get("offer_types", ()))
    known_groups = set(reference.target_group["code"])
    return Profile(
        offers=totals.get("offers", 15.0 * size),
        outside=totals.get("outside_pct", 30.0) / 100,
        expensive_cases=totals.get("expensive_cases", 6.0 * size),
        expensive_kr_a_year=int(totals.get("expensive_kr_a_year", 2_000_000)),
        single_person_units=totals.get("single_person_units", 4.0 * size),
        private_premium=totals.get("private_premium_pct", 0.0) / 100,
        offer_types=offer_types,
        specialities=_specialities(reference, told.get("specialities", ()), groups, offer_types),
        night_excludes=tuple(code for name in night.get("excludes", ()) if (code := groups.get(name, name)) in known_groups),
        shifts=tuple((str(start), str(end)) for start, end in night.get("shifts", (("23:00", "07:00"),))),
        monthly_pay=tuple(int(pay) for pay in night.get("monthly_pay", {}).get("values", (32000, 34000))),
        showcase=_showcase(reference, told.get("showcase"), groups),
        indicators=tuple(
            Series(
                code=one["code"],
                groups=tuple(str(group) for group in one["groups"]),
                per_1000=tuple(float(value) for value in one.get("per_1000", ())),
                level=tuple(float(value) for value in one.get("level", ())),
                spread=float(one.get("spread", 0)),
                growth=float(one.get("growth_pct", 0)) / 100,
            )
            for one in told.get("indicators", ({"code": "waiting_list", "groups": ["all"], "per_1000": [0.2]},))
        ),
        words=_words(told.get("words", {})),
    )
