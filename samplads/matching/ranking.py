"""The match of one need with all units: hard rules exclude, open points rank, and everything left out is accounted for.

1. Ask every rule of every unit (`eligibility.judge`); each answers pass, fail or unknown.
2. Units that pass all are hits; units that fail none but leave one unanswered need assessment; the rest are excluded. The three are all.
3. Give every unit its points (`score.score`).
4. Sort hits, and after them those that need assessment, by (tier of freshness, points descending, unit id).
5. Explain the rest (`explanation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from samplads.errors import SampladsError
from samplads.matching import eligibility, explanation
from samplads.matching.case import Case
from samplads.matching.eligibility import BIT, Point, Verdict
from samplads.matching.explanation import Excluded
from samplads.matching.places import UNKNOWN, Places
from samplads.matching.score import CRITERIA, Score, Weights, score
from samplads.model import FRESHNESS_BANDS

MOST_COMPARED: Final = 4


@dataclass(frozen=True, eq=False)
class MatchResult:
    """The answer to one need. Frames are made when they are first read."""

    case: Case
    places: Places
    as_of: dt.date
    verdict: Verdict
    score: Score
    weights: Weights
    metres: NDArray[np.int64]
    """From the acting municipality's point to each unit, -1 unknown."""
    top: int | None
    """How many hits `hits` lists at most; counts and explanations are always of all units."""

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.places)

    @property
    def possible_points(self) -> int:
        """The most points that a unit could have in this case."""
        return self.score.possible

    @property
    def violations(self) -> NDArray[np.uint16]:
        """Which rules each unit fails: bits of `eligibility.BIT`, in the order of `places.unit_id`."""
        return self.verdict.violations

    @property
    def unknowns(self) -> NDArray[np.uint16]:
        """Which rules each unit could not answer."""
        return self.verdict.unknowns

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many units are hits, need assessment and are excluded; they sum to `units`."""
        parts = {"hits": self.verdict.hits, "needs_assessment": self.verdict.needs_assessment, "excluded": self.verdict.excluded}
        return {name: len(rows) for name, rows in parts.items()}

    @cached_property
    def hits(self) -> pl.DataFrame:
        """The sure hits, best first, at most `top`.

        Columns: unit_id, points, freshness (band), tier, metres and km (null unknown), reference_ore (null where there is none), and
        points_<criterion> for each of `score.CRITERIA`.
        """
        return self._listing(self._ranked(self.verdict.hits)[: self.top])

    @cached_property
    def needs_assessment(self) -> pl.DataFrame:
        """All units that fail no rule but leave one unanswered, best first: the columns of `hits`, and the lists unknown (rules) and
        questions (names of `explanation.QUESTIONS`). Points are those of what is known."""
        rows = self._ranked(self.verdict.needs_assessment)
        return self._listing(rows).with_columns(
            explanation.lists_of(self.unknowns[rows]).alias("unknown"),
            explanation.questions(self.places, self.verdict, rows, acting_point_known="distance" in self.score.applied).alias("questions"),
        )

    @cached_property
    def excluded(self) -> dict[str, Excluded]:
        """For every rule that applies: how many units fail it, and for how many it is the only one."""
        return explanation.why_not(self.verdict)

    @cached_property
    def near_misses(self) -> pl.DataFrame:
        """Every unit that fails exactly one rule (`explanation.near_misses`)."""
        return explanation.near_misses(self.case, self.places, self.verdict, self.metres, self.as_of)

    @cached_property
    def relaxations(self) -> pl.DataFrame:
        """Which limits to loosen (`explanation.relaxations`)."""
        return explanation.relaxations(self.verdict)

    def _ranked(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        # Rows are in the order of unit_id, and lexsort is stable: equal points stay in that order.
        return rows[np.lexsort((-self.score.total[rows], self.score.tier[rows]))]

    def _listing(self, rows: NDArray[np.intp]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "unit_id": self.places.frame["unit_id"].gather(rows),
                "points": self.score.total[rows],
                "freshness": pl.Series(FRESHNESS_BANDS).gather(self.score.band[rows]),
                "tier": self.score.tier[rows],
                "metres": self.metres[rows],
                "reference_ore": self.score.reference_ore[rows],
                **{f"points_{name}": self.score.by_criterion[name][rows] for name in CRITERIA},
            }
        ).with_columns(
            pl.when(pl.col("metres") != UNKNOWN).then("metres").alias("metres"),
            pl.when(pl.col("metres") != UNKNOWN).then(pl.col("metres") / 1000).alias("km"),
            pl.when(pl.col("reference_ore") != UNKNOWN).then("reference_ore").alias("reference_ore"),
        )

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values, as `samplads match --format json` prints it.

        units, counts, possible_points; hits (unit_id, points, points_by_rule, km, freshness); needs_assessment (unit_id, points, unknown,
        questions); excluded (rule -> failed, only_this); near_misses (unit_id, rule, by, unit, has, relaxable).
        """
        return {
            "need_id": self.case.need_id,
            "as_of": self.as_of.isoformat(),
            "units": self.units,
            "counts": self.counts,
            "possible_points": self.possible_points,
            "hits": [
                {
                    "unit_id": row["unit_id"],
                    "points": row["points"],
                    "points_by_rule": {name: row[f"points_{name}"] for name in CRITERIA},
                    "km": row["km"],
                    "freshness": row["freshness"],
                }
                for row in self.hits.iter_rows(named=True)
            ],
            "needs_assessment": self.needs_assessment.select("unit_id", "points", "unknown", "questions", "km", "freshness").to_dicts(),
            "excluded": {rule: {"failed": told.failed, "only_this": told.only_this} for rule, told in self.excluded.items()},
            "near_misses": self.near_misses.select("unit_id", "rule", "by", pl.col("by_unit").alias("unit"), "has", "relaxable").to_dicts(),
        }


def match(
    case: Case,
    places: Places,
    weights: Weights,
    *,
    as_of: dt.date,
    municipalities: Mapping[str, Point],
    top: int | None = None,
) -> MatchResult:
    """Match one need with all units.

    `municipalities` maps a code to its point; a code that it lacks leaves distances from there unknown. `top` limits how many hits are
    listed. Deterministic, and the same for any order of the units' rows. Raises SampladsError `match_top_out_of_range`.
    """
    if top is not None and top < 0:
        raise SampladsError("match_top_out_of_range", top=top)
    metres = eligibility.metres_from(eligibility.point_of(case.municipality, municipalities), places)
    verdict = eligibility.judge(case, places, metres, as_of)
    points = score(case, places, verdict, metres, weights, as_of=as_of, municipalities=municipalities)
    return MatchResult(case, places, as_of, verdict, points, weights, metres, top)


def failing(result: MatchResult, rule: str) -> list[str]:
    """The units that fail a rule, whatever else they fail, by id. Raises SampladsError `match_rule_unknown`."""
    if rule not in BIT:
        raise SampladsError("match_rule_unknown", rule=rule, rules=", ".join(BIT))
    return result.places.frame["unit_id"].gather(result.verdict.failing(rule)).to_list()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Up to four units side by side: three frames with one row per unit, in the order asked for."""

    units: pl.DataFrame
    """Every column of `Places.frame`, with points, freshness, km and reference_ore."""
    verdicts: pl.DataFrame
    """unit_id, and per rule that applies "pass", "fail" or "unknown"."""
    points: pl.DataFrame
    """unit_id, and per criterion that applies its points (the most possible is `result.weights.points[criterion]`)."""


def compare(result: MatchResult, unit_ids: Sequence[str]) -> Comparison:
    """Lay up to four units beside each other, hits or not.

    Raises SampladsError `compare_too_many` above four, `compare_twice` for a unit named twice, `match_unit_unknown`.
    """
    if len(unit_ids) > MOST_COMPARED:
        raise SampladsError("compare_too_many", most=MOST_COMPARED, given=len(unit_ids))
    if len(set(unit_ids)) != len(unit_ids):
        raise SampladsError("compare_twice")
    rows = np.array(result.places.rows(unit_ids), dtype=np.intp)
    listed = result._listing(rows)
    failed, unknown = result.violations[rows], result.unknowns[rows]

    def words(bit: int) -> list[str]:
        return [
            "fail" if no & bit else "unknown" if open_question & bit else "pass" for no, open_question in zip(failed, unknown, strict=True)
        ]

    return Comparison(
        units=result.places.frame[rows].with_columns(listed.select("points", "freshness", "km", "reference_ore")),
        verdicts=listed.select("unit_id").with_columns(pl.Series(rule, words(BIT[rule]), pl.String) for rule in result.verdict.applied),
        points=listed.select("unit_id", *(pl.col(f"points_{name}").alias(name) for name in result.score.applied)),
    )
