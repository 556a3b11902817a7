"""Why not: how many units each rule holds out, which units were nearly right, what to ask, and which limits to loosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from samplads.matching.case import Case
from samplads.matching.eligibility import BIT, RELAXABLE, RULES, RuleKind, Verdict, days
from samplads.matching.places import EXCLUDED, PART, PRIMARY, SECONDARY, UNKNOWN, UNKNOWN_DAY, Places
from samplads.model import APPROVAL_STATUSES, INTAKE_STATUSES, NIGHT_COVERS, OPERATOR_KINDS, night_cover_rank

Whole = NDArray[np.int64]

UNMEASURED: Final = np.iinfo(np.int64).max
"""Inside this file: a miss without a measure, which sorts last."""

MEASURED_IN: Final = {
    "target_group": "groups",
    "target_group_excluded": "groups",
    "age": "years",
    "support_level": "levels",
    "night_cover": "steps",
    "open_place": "places",
    "open_by": "days",
    "price": "pct",
    "distance": "km",
    "approval": "days",
}
"""What the measure of a near miss counts."""

QUESTIONS: Final = (
    "target_group",
    "target_group_part",
    "target_group_excluded",
    "offer_type",
    "age",
    "support_level",
    "night_cover",
    "open_place",
    "intake_waiting_list",
    "intake_needs_assessment",
    "open_by",
    "price",
    "distance",
    "distance_case",
    "approval",
    "approval_conditional",
    "operator_kind",
    "area",
)
"""What to ask where a rule met an unknown: a rule's name, or its name and what kind of unknown it met."""


@dataclass(frozen=True)
class Excluded:
    """What one rule does: how many units fail it, and for how many it is the only rule they fail."""

    failed: int
    only_this: int


def why_not(verdict: Verdict) -> dict[str, Excluded]:
    """For every rule that applies, in the order of `RULES`."""
    counts = np.bincount(verdict.violations, minlength=1)
    masks = np.flatnonzero(counts)
    return {
        rule: Excluded(
            failed=int(counts[masks[(masks & BIT[rule]) != 0]].sum()),
            only_this=int(counts[BIT[rule]]) if BIT[rule] < len(counts) else 0,
        )
        for rule in verdict.applied
    }


def names_of(mask: int) -> list[str]:
    """The rules of a mask, in the order of `RULES`."""
    return [rule for rule, bit in BIT.items() if mask & bit]


def lists_of(masks: NDArray[np.uint16]) -> pl.Series:
    """Each mask as the list of its rules' names. The few distinct masks are spelled once."""
    distinct, place = np.unique(masks, return_inverse=True)
    return pl.Series([names_of(int(mask)) for mask in distinct], dtype=pl.List(pl.String)).gather(place)


def near_misses(case: Case, places: Places, verdict: Verdict, metres: NDArray[np.int64], as_of: dt.date) -> pl.DataFrame:
    """Every unit that fails exactly one rule: which, and by how much.

    Columns: unit_id; rule; by (a whole number above 0, null where the rule has no measure); by_unit (groups, years, levels, steps,
    places, days, pct, km); has (the unit's own word or code where the rule is about one); relaxable (whether the rule is a limit of the
    need itself; the law, an approval and a fact are shown but never offered); unknown (how many other rules could not be answered).
    Rounded up, so that a miss is never told smaller than it is. Order: relaxable first, then rule, by, unit_id.
    """
    once = np.flatnonzero(np.bitwise_count(verdict.violations) == 1)
    place = np.bitwise_count(verdict.violations[once] - 1)
    by = np.full(len(once), UNMEASURED, dtype=np.int64)
    has = np.full(len(once), None, dtype=np.object_)
    for number in np.unique(place):
        here = place == number
        measured, words = _measure(list(RULES)[number], once[here], case, places, metres, as_of)
        if measured is not None:
            by[here] = measured
        if words is not None:
            has[here] = words
    relaxable = np.array([kind is RuleKind.LIMIT for kind in RULES.values()])[place]
    order = np.lexsort((once, by, place, ~relaxable))
    once, place, by = once[order], place[order], by[order]
    return pl.DataFrame(
        {
            "unit_id": places.frame["unit_id"].gather(once),
            "rule": pl.Series(list(RULES), dtype=pl.String).gather(place),
            "by": by,
            "by_unit": pl.Series([MEASURED_IN.get(rule) for rule in RULES], dtype=pl.String).gather(place),
            "has": pl.Series(has[order].tolist(), dtype=pl.String),
            "relaxable": relaxable[order],
            "unknown": np.bitwise_count(verdict.unknowns[once]),
        },
        schema_overrides={"unknown": pl.Int64},
    ).with_columns(
        pl.when(pl.col("by") != UNMEASURED).then("by").alias("by"),
        pl.when(pl.col("by") != UNMEASURED).then("by_unit").alias("by_unit"),
    )


@dataclass(frozen=True)
class Relaxation:
    """The cheapest single limit to loosen: which, for which unit, and whether that unit has a place left."""

    rule: str
    unit_id: str
    has_place: bool
    row: dict[str, Any]
    """The row of `near_misses`."""


def cheapest(near: pl.DataFrame, steps: Mapping[str, float], with_place: Collection[str]) -> Relaxation | None:
    """The cheapest single relaxation that surely makes a unit fit, None where there is none.

    `near`: `near_misses`; `steps`: by rule how large a miss costs one (data/rules/allocation.yaml); rules that are not there are never
    loosened, and one with the step 0 has no measure and comes after all others. `with_place`: units with a place that nobody gets.

    1. Only units that miss one limit and leave nothing unanswered: that one loosened makes them fit for sure.
    2. Units with a place left come first: nobody else has to give way. 3. Then the least miss / step; like ones in the order of `steps`.
    """
    sure = near.filter((pl.col("unknown") == 0) & pl.col("relaxable") & pl.col("rule").is_in([*steps]))
    if sure.is_empty():
        return None
    order = {rule: place for place, rule in enumerate(steps)}
    step = pl.col("rule").replace_strict({rule: float(size) for rule, size in steps.items()}, return_dtype=pl.Float64)
    best = (
        sure.with_columns(
            _no_place=~pl.col("unit_id").is_in(list(with_place)),
            _cost=pl.when((step > 0) & pl.col("by").is_not_null()).then(pl.col("by") / step).otherwise(float("inf")),
            _order=pl.col("rule").replace_strict(order, return_dtype=pl.Int64),
        )
        .sort("_no_place", "_cost", "_order", "unit_id")
        .row(0, named=True)
    )
    row = {name: value for name, value in best.items() if not name.startswith("_")}
    return Relaxation(row["rule"], row["unit_id"], not best["_no_place"], row)


def blocking(near: pl.DataFrame) -> tuple[str, int] | None:
    """The rule that alone holds most units out of those that are near: they fail it only and leave nothing unanswered. With how many."""
    counts = near.filter(pl.col("unknown") == 0).group_by("rule").len().to_dicts()
    order = list(RULES)
    counts.sort(key=lambda told: (-told["len"], order.index(told["rule"])))
    return (counts[0]["rule"], int(counts[0]["len"])) if counts else None


def _measure(
    rule: str, rows: NDArray[np.intp], case: Case, places: Places, metres: NDArray[np.int64], as_of: dt.date
) -> tuple[Whole | None, NDArray[np.object_] | None]:
    """By how much some units fail a rule (`UNMEASURED` where it has no measure), and the unit's own word where the rule is about one."""
    day = days(case.day(as_of))
    if rule in ("target_group", "target_group_excluded"):
        bits = places.group_bits(case.groups)[:, rows]
        wrong = (bits & (PRIMARY | SECONDARY | PART)) == 0 if rule == "target_group" else (bits & EXCLUDED) != 0
        return wrong.sum(axis=0), None
    if rule == "age":
        return _outside(int(case.age or 0), places.age_from[rows], places.age_to[rows]), None
    if rule == "support_level":
        return _outside(int(case.support_level or 0), places.support_level_from[rows], places.support_level_to[rows]), None
    if rule == "night_cover":
        steps = night_cover_rank(str(case.least_night_cover)) - places.night_cover[rows].astype(np.int64)
        return steps, _words(places.night_cover[rows], NIGHT_COVERS)
    if rule == "open_place":
        return 1 - places.accepting[rows].astype(np.int64), None
    if rule == "open_by":
        return places.accepting_from[rows].astype(np.int64) - day, None
    if rule == "price":
        limit = int(case.max_daily_rate_ore or 0)
        # A limit of 0 kr has no per cent of it.
        return (-(-100 * (places.rate_ore[rows] - limit) // limit), None) if limit else (None, None)
    if rule == "distance":
        return -(-(metres[rows] - int(case.max_metres or 0)) // 1000), None
    if rule == "approval":
        until = places.approved_until[rows].astype(np.int64)
        expired = np.where((until == UNKNOWN_DAY) | (until >= day), UNMEASURED, day - until)
        return expired, _words(places.approval_status[rows], APPROVAL_STATUSES)
    words: dict[str, tuple[NDArray[np.int8] | NDArray[np.int16], Sequence[str]]] = {
        "intake": (places.status, INTAKE_STATUSES),
        "offer_type": (places.offer_type, places.offer_types),
        "operator_kind": (places.operator_kind, OPERATOR_KINDS),
        "area": (places.municipality, places.municipalities),
    }
    return None, _words(words[rule][0][rows], words[rule][1]) if rule in words else None


def _outside(value: int, least: NDArray[np.int16], most: NDArray[np.int16]) -> Whole:
    """How far a value is below the least or above the most. An unknown bound is not missed."""
    below = np.where(least == UNKNOWN, 0, least - value)
    above = np.where(most == UNKNOWN, 0, value - most)
    return np.maximum(below, above).astype(np.int64)


def _words(codes: NDArray[np.int8] | NDArray[np.int16], words: Sequence[str]) -> NDArray[np.object_]:
    """The word of each code, None for the unknown one (-1, the last)."""
    return np.array([*words, None], dtype=np.object_)[codes]


def questions(places: Places, verdict: Verdict, rows: NDArray[np.intp], *, acting_point_known: bool) -> pl.Series:
    """For some rows, the list of what to ask (names of `QUESTIONS`) to turn each unknown into an answer."""
    masks = np.zeros(len(rows), dtype=np.uint32)

    def ask(question: str, rule: str, where: NDArray[np.bool_] | None = None) -> None:
        open_question = (verdict.unknowns[rows] & BIT[rule]) != 0
        masks[open_question if where is None else open_question & where] |= np.uint32(1 << QUESTIONS.index(question))

    known = places.has_approvals[rows]
    status, approval = places.status[rows], places.approval_status[rows]
    ask("target_group", "target_group", ~known)
    ask("target_group_part", "target_group", known)
    for status_word in ("waiting_list", "needs_assessment"):
        ask(f"intake_{status_word}", "intake", status == INTAKE_STATUSES.index(status_word))
    conditional = approval == APPROVAL_STATUSES.index("conditional")
    ask("approval", "approval", ~conditional)
    ask("approval_conditional", "approval", conditional)
    ask("distance" if acting_point_known else "distance_case", "distance")
    for rule in ("target_group_excluded", "offer_type", "age", "support_level", "night_cover", "open_place", "open_by", "price"):
        ask(rule, rule)
    ask("operator_kind", "operator_kind")
    ask("area", "area")
    distinct, place = np.unique(masks, return_inverse=True)
    spelled = [[question for bit, question in enumerate(QUESTIONS) if int(mask) & (1 << bit)] for mask in distinct]
    return pl.Series(spelled, dtype=pl.List(pl.String)).gather(place)


def relaxations(verdict: Verdict) -> pl.DataFrame:
    """Which limits to loosen: every inclusion-minimal set of limits that would admit units, with how many it admits.

    A unit that fails limits only is admitted by loosening all that it fails. A set is minimal when no smaller set of it admits anybody.
    Columns: rules (list), units, sure (of them without unknowns). Order: fewest rules, most units, order of `RULES`.
    """
    failing_limits = (verdict.violations != 0) & ((verdict.violations & ~np.uint16(RELAXABLE)) == 0)
    masks, counts = np.unique(verdict.violations[failing_limits], return_counts=True)
    sure = {
        int(mask): int(count)
        for mask, count in zip(*np.unique(verdict.violations[failing_limits & (verdict.unknowns == 0)], return_counts=True), strict=True)
    }
    minimal = [
        (int(mask), int(count))
        for mask, count in zip(masks, counts, strict=True)
        if not any(other != mask and other & mask == other for other in masks)
    ]
    minimal.sort(key=lambda pair: (pair[0].bit_count(), -pair[1], pair[0]))
    return pl.DataFrame(
        {
            "rules": [names_of(mask) for mask, _ in minimal],
            "units": [count for _, count in minimal],
            "sure": [sure.get(mask, 0) for mask, _ in minimal],
        },
        schema={"rules": pl.List(pl.String), "units": pl.Int64, "sure": pl.Int64},
    )
