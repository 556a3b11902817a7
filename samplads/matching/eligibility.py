"""Which units a need may use: every rule is asked of every unit, and each answers pass, fail or unknown.

The rules, with d = the day of the move (the day wanted, or today where that has passed or is left open), u = the unit, c = the case. A
rule whose field the case leaves open does not apply: it passes everywhere. "Unknown" holds only where nothing already fails.

    rule                   applies when        fails when                                        unknown when
    target_group           c has groups        u has approvals, and for one of the groups        u has no approvals; or for one of the
                                               neither it, one above it nor one below it         groups only one below it is approved
    target_group_excluded  c has groups        u excludes one of the groups or one above it      u excludes a group below one of them
    offer_type             c has types         u's type is not among them                        type unknown
    age                    c has age           age < age_from or age > age_to                    a bound is unknown
    support_level          c has level         level < from or level > to                        a bound is unknown
    night_cover            c has least, which  u's cover is less                                 cover unknown
                           is not "none"
    open_place             always              accepting < 1                                     no count of places
    intake                 always              status closed                                     status waiting_list or needs_assessment
    open_by                c has wanted_from   accepting_from > d                                accepting_from unknown
    price                  c has a limit       rate > limit                                      rate unknown
    distance               c has a limit       metres > limit                                    u's or c's point unknown
    approval               always              suspended or withdrawn; or approved_until < d     status unknown or conditional
                                               (unless no approval is required)
    current_unit           c has one           u is the unit where the citizen lives             never
    operator_kind          c has kinds         u's kind is not among them                        kind unknown
    area                   c has places        u's municipality is not among them                municipality unknown

A status of places that nobody told is no status that holds anyone out: whether there is a place is open_place's question. An approval
without an end date runs until it is withdrawn, as approvals by the social supervision do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samplads.matching.case import Case
from samplads.matching.places import EXCLUDED, EXCLUDED_PART, PART, PRIMARY, SECONDARY, UNKNOWN, UNKNOWN_DAY, Places
from samplads.model import APPROVAL_STATUSES, INTAKE_STATUSES, OPERATOR_KINDS, haversine_m, night_cover_rank

Mask = NDArray[np.bool_]
Point = tuple[float, float]
"""Latitude and longitude in degrees."""
EPOCH: Final = dt.date(1970, 1, 1)


class RuleKind(StrEnum):
    """Who can loosen a rule."""

    LEGAL = "legal"
    """The law or the unit's approval: nobody who searches."""
    FACT = "fact"
    """How things are: time changes it, not a search."""
    LIMIT = "limit"
    """A limit that the need itself sets: the officer and the citizen may loosen it."""


RULES: Final[dict[str, RuleKind]] = {
    "target_group": RuleKind.LEGAL,
    "target_group_excluded": RuleKind.LEGAL,
    "offer_type": RuleKind.LIMIT,
    "age": RuleKind.LEGAL,
    "support_level": RuleKind.LIMIT,
    "night_cover": RuleKind.LIMIT,
    "open_place": RuleKind.FACT,
    "intake": RuleKind.LEGAL,
    "open_by": RuleKind.LIMIT,
    "price": RuleKind.LIMIT,
    "distance": RuleKind.LIMIT,
    "approval": RuleKind.LEGAL,
    "current_unit": RuleKind.FACT,
    "operator_kind": RuleKind.LIMIT,
    "area": RuleKind.LIMIT,
}
"""Every rule in the order in which it is shown; the bit of a rule in the masks is 1 << its place here."""

BIT: Final[dict[str, int]] = {rule: 1 << place for place, rule in enumerate(RULES)}
RELAXABLE: Final = sum(bit for rule, bit in BIT.items() if RULES[rule] is RuleKind.LIMIT)
"""The bits of the rules that may be offered for loosening."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What every rule says of every unit: two masks of N uint16 that share no bit."""

    violations: NDArray[np.uint16]
    unknowns: NDArray[np.uint16]
    applied: tuple[str, ...]
    """The rules that the case does not leave open."""

    @property
    def hits(self) -> NDArray[np.intp]:
        """Rows that pass every rule."""
        return np.flatnonzero((self.violations | self.unknowns) == 0)

    @property
    def needs_assessment(self) -> NDArray[np.intp]:
        """Rows that fail no rule, but where one or more could not be answered."""
        return np.flatnonzero((self.violations == 0) & (self.unknowns != 0))

    @property
    def excluded(self) -> NDArray[np.intp]:
        """Rows that fail at least one rule."""
        return np.flatnonzero(self.violations != 0)

    def failing(self, rule: str) -> NDArray[np.intp]:
        """Rows that fail a rule, whatever else they fail."""
        return np.flatnonzero(self.violations & BIT[rule])


def days(day: dt.date) -> int:
    """A day as `Places` counts it."""
    return (day - EPOCH).days


def metres_from(point: Point | None, places: Places) -> NDArray[np.int64]:
    """Whole metres (halves up) from a point to each unit; -1 where either point is unknown."""
    if point is None:
        return np.full(len(places), UNKNOWN, dtype=np.int64)
    exact = haversine_m(point[0], point[1], places.lat, places.lon)
    return np.where(np.isnan(exact), UNKNOWN, np.floor(np.nan_to_num(exact) + 0.5)).astype(np.int64)


def judge(case: Case, places: Places, metres: NDArray[np.int64], as_of: dt.date) -> Verdict:
    """Ask every rule of every unit. `metres` is the distance to each unit from the acting municipality (`metres_from`)."""
    day = days(case.day(as_of))
    answers = _target_groups(case, places) | _suitability(case, places) | _availability(case, places, day) | _limits(case, places, metres)
    violations = np.zeros(len(places), dtype=np.uint16)
    unknowns = np.zeros(len(places), dtype=np.uint16)
    for rule, (fails, unknown) in answers.items():
        violations |= fails * np.uint16(BIT[rule])
        unknowns |= (unknown & ~fails) * np.uint16(BIT[rule])
    return Verdict(violations, unknowns, tuple(rule for rule in RULES if rule in answers))


Answers = dict[str, tuple[Mask, Mask]]
"""Rule -> (fails, unknown) for the rules that apply."""


def _target_groups(case: Case, places: Places) -> Answers:
    if not case.groups:
        return {}
    bits = places.group_bits(case.groups)
    approved = (bits & (PRIMARY | SECONDARY)) != 0
    in_part = (bits & PART) != 0
    fails = places.has_approvals & ~(approved | in_part).all(axis=0)
    return {
        "target_group": (fails, ~places.has_approvals | ~approved.all(axis=0)),
        "target_group_excluded": (((bits & EXCLUDED) != 0).any(axis=0), ((bits & EXCLUDED_PART) != 0).any(axis=0)),
    }


def _between(value: int, least: NDArray[np.int16], most: NDArray[np.int16]) -> tuple[Mask, Mask]:
    fails = ((least != UNKNOWN) & (value < least)) | ((most != UNKNOWN) & (value > most))
    return fails, (least == UNKNOWN) | (most == UNKNOWN)


def _among(column: NDArray[np.int8] | NDArray[np.int16], allowed: tuple[str, ...], words: tuple[str, ...]) -> tuple[Mask, Mask]:
    codes = [words.index(word) for word in allowed if word in words]
    unknown = column == UNKNOWN
    return ~unknown & ~np.isin(column, codes), unknown


def _suitability(case: Case, places: Places) -> Answers:
    """What the unit is: its type, and whom it is for."""
    answers: Answers = {}
    if case.offer_types:
        answers["offer_type"] = _among(places.offer_type, case.offer_types, places.offer_types)
    if case.age is not None:
        answers["age"] = _between(case.age, places.age_from, places.age_to)
    if case.support_level is not None:
        answers["support_level"] = _between(case.support_level, places.support_level_from, places.support_level_to)
    if case.least_night_cover not in (None, "none"):
        unknown = places.night_cover == UNKNOWN
        answers["night_cover"] = (~unknown & (places.night_cover < night_cover_rank(str(case.least_night_cover))), unknown)
    return answers


def _availability(case: Case, places: Places, day: int) -> Answers:
    """Whether and when somebody may move in."""
    status = {word: places.status == code for code, word in enumerate(INTAKE_STATUSES)}
    approval = {word: places.approval_status == code for code, word in enumerate(APPROVAL_STATUSES)}
    no_count = places.accepting == UNKNOWN
    expired = (places.approved_until != UNKNOWN_DAY) & (places.approved_until < day) & ~approval["not_required"]
    answers: Answers = {
        "open_place": (~no_count & (places.accepting < 1), no_count),
        "intake": (status["closed"], status["waiting_list"] | status["needs_assessment"]),
        "approval": (
            approval["suspended"] | approval["withdrawn"] | expired,
            (places.approval_status == UNKNOWN) | approval["conditional"],
        ),
    }
    if case.wanted_from is not None:
        unknown = places.accepting_from == UNKNOWN_DAY
        answers["open_by"] = (~unknown & (places.accepting_from > day), unknown)
    if case.current_unit is not None:
        answers["current_unit"] = (places.unit_id == case.current_unit, np.zeros(len(places), dtype=np.bool_))
    return answers


def _limits(case: Case, places: Places, metres: NDArray[np.int64]) -> Answers:
    """The limits that the need sets to price, distance and operator."""
    answers: Answers = {}
    if case.max_daily_rate_ore is not None:
        unknown = places.rate_ore == UNKNOWN
        answers["price"] = (~unknown & (places.rate_ore > case.max_daily_rate_ore), unknown)
    if case.max_metres is not None:
        unknown = metres == UNKNOWN
        answers["distance"] = (~unknown & (metres > case.max_metres), unknown)
    if case.operator_kinds:
        answers["operator_kind"] = _among(places.operator_kind, case.operator_kinds, OPERATOR_KINDS)
    if case.located_in:
        answers["area"] = _among(places.municipality, case.located_in, places.municipalities)
    return answers


def point_of(municipality: str, municipalities: Mapping[str, Point]) -> Point | None:
    """The point of a municipality, None where it is not known."""
    return municipalities.get(municipality)
