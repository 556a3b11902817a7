"""Single-person offers that could share a guard, ranked, and why the others cannot: one reason each, so that the counts sum.

Reasons, in the order in which they are tried: not_single_person, cost_unknown, below_limit, then those of `plan.prepare` (no_roster,
no_post, shift_unusable, no_position), no_neighbour (nobody of the same kind within reach), no_common_group (neighbours, but for other
target groups), rule:<id> (the rule that its best neighbour breaks; the first by id where it breaks several), to_be_assessed (an answer
lacks), no_saving; else `can`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from samplads.nightcover import plan, savings


@dataclass(frozen=True)
class Found:
    """`pairs`: ranked, best first: unit_a, unit_b, minutes, km, yearly_ore_a, yearly_ore_b, common_groups, saving_ore, overlaps_per_year,
    status.

    `reasons`: unit_id, reason for every unit asked about. `counts`: reason, units; the units sum to all.
    """

    pairs: pl.DataFrame
    reasons: pl.DataFrame
    counts: pl.DataFrame


def find(inputs: plan.Inputs, assumptions: plan.Assumptions, *, least_yearly_ore: int) -> Found:
    """Pairs of single-person offers that each cost at least `least_yearly_ore` a year (daily rate x 365) and could share a guard.

    A pair is ranked where both are for a common target group and no hard rule is broken; those with an unanswered question come after those
    without, each by saving.
    """
    reasons: dict[str, str] = {}
    for unit, single, rate in inputs.units.select("unit_id", "single_person", "daily_rate_ore").iter_rows():
        if not single:
            reasons[unit] = "not_single_person"
        elif rate is None:
            reasons[unit] = "cost_unknown"
        elif rate * savings.DAYS_A_YEAR < least_yearly_ore:
            reasons[unit] = "below_limit"
    dear = inputs.only(unit for unit in inputs.units["unit_id"].to_list() if unit not in reasons)
    found = plan.candidates(plan.prepare(dear, assumptions.changed(single_person_only=True)))
    reasons.update(found.nights.left_out.iter_rows())
    members = {member.unit_id: member for member in found.nights.members}
    common = [len(members[a].groups & members[b].groups) for a, b in found.pairs.select("unit_a", "unit_b").iter_rows()]
    yearly = {unit: rate * savings.DAYS_A_YEAR for unit, rate in dear.units.select("unit_id", "daily_rate_ore").iter_rows()}
    pairs = found.pairs.with_columns(
        pl.Series("common_groups", common, dtype=pl.Int64),
        pl.Series("yearly_ore_a", [yearly[unit] for unit in found.pairs["unit_a"]], dtype=pl.Int64),
        pl.Series("yearly_ore_b", [yearly[unit] for unit in found.pairs["unit_b"]], dtype=pl.Int64),
    )
    for unit in members:
        reasons[unit] = _reason(pairs.filter((pl.col("unit_a") == unit) | (pl.col("unit_b") == unit)))
    ranked = (
        pairs.filter((pl.col("common_groups") > 0) & (pl.col("status") != "fail") & (pl.col("saving_ore") > 0))
        .with_columns((pl.col("status") == "unknown").alias("open"))
        .sort(["open", "saving_ore", "unit_a", "unit_b"], descending=[False, True, False, False])
        .select(
            "unit_a",
            "unit_b",
            "minutes",
            "km",
            "yearly_ore_a",
            "yearly_ore_b",
            "common_groups",
            "saving_ore",
            "overlaps_per_year",
            "status",
            "failed",
            "unknown",
            "warned",
        )
    )
    told = pl.DataFrame(sorted(reasons.items()), schema={"unit_id": pl.String, "reason": pl.String}, orient="row")
    counts = told.group_by("reason").agg(pl.len().cast(pl.Int64).alias("units")).sort(["units", "reason"], descending=[True, False])
    return Found(pairs=ranked, reasons=told, counts=counts)


def _reason(mine: pl.DataFrame) -> str:
    """Why one unit cannot, from its pairs; `can` where one of them stands."""
    if mine.is_empty():
        return "no_neighbour"
    near = mine.filter(pl.col("common_groups") > 0)
    if near.is_empty():
        return "no_common_group"
    ordered = near.sort(["saving_ore", "unit_a", "unit_b"], descending=[True, False, False])
    lawful = ordered.filter(pl.col("status") != "fail")
    if lawful.is_empty():
        return f"rule:{min(ordered['failed'][0].to_list())}"
    worth = lawful.filter(pl.col("saving_ore") > 0)
    if worth.is_empty():
        return "no_saving"
    return "can" if (worth["status"] != "unknown").any() else "to_be_assessed"
