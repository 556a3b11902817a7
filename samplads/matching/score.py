"""The open points: nine criteria, each a whole number from 0 to its weight, each a formula that a reader can do by hand.

All values are integers; `//` is division with the remainder thrown away; every operand is at least 0, so that `//` in Python, numpy and
DuckDB agree. W is the criterion's weight (`points` of data/rules/matching.yaml; the weights sum to 100), d the day of the move (`Case.day`:
max(wanted_from, as_of); as_of where none is wanted), m whole metres between two points:

    m = floor(2 R asin(min(1, sqrt(sin²((φ2-φ1)/2) + cos φ1 cos φ2 sin²((λ2-λ1)/2)))) + 0.5),   R = 6371008.8

    criterion      applies when             points                                                                    else
    target_groups  the need has groups      W * sum(s) // (2 n)      n distinct groups; s = 2 covered as primary,
                                                                     1 covered as secondary only, 0 not covered
    distance       the acting municipality  W - min(W, W * m // (1000 * distance_zero_km))                            0 unknown
                   has a point
    price          the unit's type has a    r <= R: W                                                                 0 unknown
                   reference rate R         r > R and 100 * (r - R) <= T * R: W - W * 100 * (r - R) // (2 * T * R)
                                            beyond: 0                T = reference_tolerance_pct (10)
    operator_kind  always                   W * operator_share_pct[kind] // 100                                       0 unknown
    night_cover    a least cover is told    W - W * (u - l) // 3     u, l = ranks none 0 .. awake 3, u >= l           0 unknown, u < l
    date           a day is wanted          W - min(W, W * (d - max(accepting_from, as_of)) // date_zero_days)        0 unknown, after d
    freshness      always                   W - min(W, W * max(0, as_of - confirmed_at) // ageing_days)               0 unconfirmed
    wish_near      a wish is told           W where the unit lies in a wished municipality; else
                                            W - min(W, W * m // (1000 * wish_near_zero_km)), m = the least distance
                                            from a wished municipality's point                                        0 unknown
    wish_setting   a wish is told           W where single_person is true (alone) / false (with_others), else 0       0 unknown

A criterion that does not apply gives nobody points: it cannot rank. `possible` is the sum of the weights that apply.

The reference rate R. Where the officer names the offer that the municipality itself points to, its rate is R for every type. Else R is the
lowest known rate among the need's sure hits of the unit's own offer type (unknown type is a type of its own); where a type has no sure hit
with a rate, the lowest among its units that need assessment. In SQL over sure hits: min(daily_rate_ore) over (partition by need_id,
offer_type). Rates are compared as they are charged, not normalised, because the 10 % of free choice is a share of what is paid. The free
choice is law for SEL § 108 (Lov 747/2025); for other types the same yardstick is an assumption.

Ranking sorts by (tier of the freshness band, points descending, unit_id ascending by code point). A set-based form that wants one number
per pair may use points + 1000 * (highest tier - tier): it sorts the same, because points never exceed 100.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samplads.errors import SampladsError
from samplads.matching.case import Case
from samplads.matching.eligibility import Point, Verdict, days, metres_from, point_of
from samplads.matching.places import PRIMARY, SECONDARY, UNKNOWN, UNKNOWN_DAY, Places
from samplads.model import FRESHNESS_BANDS, NIGHT_COVERS, OPERATOR_KINDS, FreshnessLimits, night_cover_rank

CRITERIA: Final = (
    "target_groups",
    "distance",
    "price",
    "operator_kind",
    "night_cover",
    "date",
    "freshness",
    "wish_near",
    "wish_setting",
)
"""Every criterion in the order in which it is shown."""

Points = NDArray[np.int64]


@dataclass(frozen=True)
class Weights:
    """The open points of data/rules/matching.yaml, in force on a day.

    Raises SampladsError `weights_incomplete` where a criterion, operator kind or band lacks, `weights_not_hundred` where the weights do
    not sum to 100, `weights_out_of_range` for a negative weight, an operator's share outside 0-100 or a scale below 1.
    """

    points: Mapping[str, int]
    distance_zero_km: int
    wish_near_zero_km: int
    date_zero_days: int
    reference_tolerance_pct: int
    operator_share_pct: Mapping[str, int]
    tiers: Mapping[str, int]
    """Freshness band -> tier; a lower tier ranks first whatever the points."""
    freshness: FreshnessLimits

    def __post_init__(self) -> None:
        for given, needed in (
            (self.points, CRITERIA),
            (self.operator_share_pct, OPERATOR_KINDS),
            (self.tiers, FRESHNESS_BANDS),
        ):
            if set(given) != set(needed):
                raise SampladsError("weights_incomplete", needed=", ".join(needed))
        if sum(self.points.values()) != 100:
            raise SampladsError("weights_not_hundred", total=sum(self.points.values()))
        scales = (self.distance_zero_km, self.wish_near_zero_km, self.date_zero_days, self.reference_tolerance_pct)
        shares = self.operator_share_pct.values()
        if min(self.points.values()) < 0 or min(shares) < 0 or max(shares) > 100 or min(scales) < 1:
            raise SampladsError("weights_out_of_range")
        if not self.tiers["fresh"] <= self.tiers["ageing"] <= self.tiers["stale"] or self.tiers["fresh"] == self.tiers["stale"]:
            raise SampladsError("weights_stale_first")

    @classmethod
    def from_policy(cls, values: Mapping[str, Any], freshness: FreshnessLimits) -> Weights:
        """From the `values` of data/rules/matching.yaml, where each number is {value, da, en, source}."""

        def numbers(section: str) -> dict[str, int]:
            return {name: int(entry["value"]) for name, entry in values[section].items()}

        scales = numbers("scales")
        return cls(
            points=numbers("points"),
            distance_zero_km=scales["distance_zero_km"],
            wish_near_zero_km=scales["wish_near_zero_km"],
            date_zero_days=scales["date_zero_days"],
            reference_tolerance_pct=scales["reference_tolerance_pct"],
            operator_share_pct=numbers("operator_share_pct"),
            tiers=numbers("tiers"),
            freshness=freshness,
        )


@dataclass(frozen=True, eq=False)
class Score:
    """Points of every unit by criterion, and what they were measured against."""

    by_criterion: Mapping[str, Points]
    total: Points
    applied: tuple[str, ...]
    possible: int
    """The most points that a unit could have in this case."""
    reference_ore: Points
    """The reference rate of each unit's type, -1 where there is none."""
    band: NDArray[np.int8]
    """Index into `model.FRESHNESS_BANDS`."""
    tier: NDArray[np.int8]


def score(
    case: Case,
    places: Places,
    verdict: Verdict,
    metres: NDArray[np.int64],
    weights: Weights,
    *,
    as_of: dt.date,
    municipalities: Mapping[str, Point],
) -> Score:
    """Points of every unit by the formulas above (excluded units too: a comparison shows them)."""
    w = weights.points
    today, day = days(as_of), days(case.day(as_of))
    reference = reference_rates(case, places, verdict)
    band = freshness_bands(places, weights.freshness, as_of)
    wished = bool(case.wish_near)
    applies = {
        "target_groups": bool(case.groups),
        "distance": point_of(case.municipality, municipalities) is not None,
        "price": bool((reference != UNKNOWN).any()),
        "operator_kind": True,
        "night_cover": case.least_night_cover is not None,
        "date": case.wanted_from is not None,
        "freshness": True,
        "wish_near": wished,
        "wish_setting": case.wish_setting is not None,
    }
    formulas: dict[str, Callable[[], Points]] = {
        "target_groups": lambda: _target_groups(case, places, w["target_groups"]),
        "distance": lambda: _falling(w["distance"], metres, 1000 * weights.distance_zero_km, metres == UNKNOWN),
        "price": lambda: _price(places, reference, w["price"], weights.reference_tolerance_pct),
        "operator_kind": lambda: _operator_kind(places, w["operator_kind"], weights.operator_share_pct),
        "night_cover": lambda: _night_cover(str(case.least_night_cover), places, w["night_cover"]),
        "date": lambda: _date(places, w["date"], today, day, weights.date_zero_days),
        "freshness": lambda: _falling(
            w["freshness"],
            np.maximum(0, today - places.confirmed_at.astype(np.int64)),
            weights.freshness.ageing_days,
            places.confirmed_at == UNKNOWN_DAY,
        ),
        "wish_near": lambda: _wish_near(case, places, w["wish_near"], weights.wish_near_zero_km, municipalities),
        "wish_setting": lambda: w["wish_setting"] * (places.single_person == (case.wish_setting == "alone")).astype(np.int64),
    }
    by_criterion = {name: formulas[name]() if applies[name] else np.zeros(len(places), dtype=np.int64) for name in CRITERIA}
    return Score(
        by_criterion=by_criterion,
        total=np.sum(list(by_criterion.values()), axis=0, dtype=np.int64),
        applied=tuple(name for name in CRITERIA if applies[name]),
        possible=sum(w[name] for name in CRITERIA if applies[name]),
        reference_ore=reference,
        band=band,
        tier=np.array([weights.tiers[name] for name in FRESHNESS_BANDS], dtype=np.int8)[band],
    )


def freshness_bands(places: Places, limits: FreshnessLimits, as_of: dt.date) -> NDArray[np.int8]:
    """Each unit's band as an index into `model.FRESHNESS_BANDS`; what nobody has confirmed is stale."""
    age = days(as_of) - places.confirmed_at.astype(np.int64)
    band = (age > limits.fresh_days).astype(np.int8) + (age > limits.ageing_days)
    return np.where(places.confirmed_at == UNKNOWN_DAY, FRESHNESS_BANDS.index("stale"), band).astype(np.int8)


def reference_rates(case: Case, places: Places, verdict: Verdict) -> Points:
    """The reference rate in øre per day of each unit's own offer type, -1 where there is none (see the head of this file)."""
    if case.reference_rate_ore is not None:
        return np.full(len(places), case.reference_rate_ore, dtype=np.int64)
    nothing = np.iinfo(np.int64).max
    # One more slot than there are types: the last is the unknown type, which -1 indexes.
    lowest = np.full(len(places.offer_types) + 1, nothing, dtype=np.int64)
    for rows in (verdict.hits, verdict.needs_assessment):
        here = np.full_like(lowest, nothing)
        priced = rows[places.rate_ore[rows] != UNKNOWN]
        np.minimum.at(here, places.offer_type[priced], places.rate_ore[priced])
        lowest = np.where(lowest == nothing, here, lowest)
    return np.where(lowest == nothing, UNKNOWN, lowest)[places.offer_type]


def _falling(weight: int, amount: NDArray[np.int64], zero_at: int, unknown: NDArray[np.bool_]) -> Points:
    """Full weight at 0, nothing from `zero_at` on."""
    return np.where(unknown, 0, weight - np.minimum(weight, weight * amount // zero_at))


def _target_groups(case: Case, places: Places, weight: int) -> Points:
    bits = places.group_bits(case.groups)
    primary, secondary = (bits & PRIMARY) != 0, (bits & SECONDARY) != 0
    shares = np.where(primary, 2, np.where(secondary, 1, 0)).sum(axis=0, dtype=np.int64)
    return np.asarray(weight * shares // (2 * len(case.groups)))


def _price(places: Places, reference: Points, weight: int, tolerance_pct: int) -> Points:
    over = np.maximum(0, places.rate_ore - reference)
    allowed = tolerance_pct * reference
    within = 100 * over <= allowed
    # A reference rate of 0 allows nothing above it; the divisor is then never used.
    points = weight - weight * 100 * over // np.maximum(1, 2 * allowed)
    return np.where((places.rate_ore == UNKNOWN) | (reference == UNKNOWN) | ~within, 0, points)


def _operator_kind(places: Places, weight: int, share_pct: Mapping[str, int]) -> Points:
    # The last slot is the unknown kind, which -1 indexes.
    table = np.array([*(weight * share_pct[kind] // 100 for kind in OPERATOR_KINDS), 0], dtype=np.int64)
    return table[places.operator_kind]


def _night_cover(least: str, places: Places, weight: int) -> Points:
    steps = places.night_cover.astype(np.int64) - night_cover_rank(least)
    return np.where(steps < 0, 0, weight - weight * np.maximum(0, steps) // (len(NIGHT_COVERS) - 1))


def _date(places: Places, weight: int, today: int, day: int, zero_days: int) -> Points:
    opens = np.maximum(places.accepting_from.astype(np.int64), today)
    return _falling(weight, np.maximum(0, day - opens), zero_days, (places.accepting_from == UNKNOWN_DAY) | (opens > day))


def _wish_near(case: Case, places: Places, weight: int, zero_km: int, municipalities: Mapping[str, Point]) -> Points:
    best = np.zeros(len(places), dtype=np.int64)
    for wished in case.wish_near:
        metres = metres_from(point_of(wished, municipalities), places)
        best = np.maximum(best, _falling(weight, metres, 1000 * zero_km, metres == UNKNOWN))
        if wished in places.municipalities:
            best = np.where(places.municipality == places.municipalities.index(wished), weight, best)
    return best
