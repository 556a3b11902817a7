"""What planning needs: spend, indicators, youths on their way, and places that are planned."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from samplads.demo.draws import day_number, months_back, pick, pick_rows, words
from samplads.demo.estate import Estate, populations
from samplads.demo.occupancy import Stays
from samplads.demo.profile import Profile
from samplads.reference import Reference

YEARS = 5
FINANCINGS = ("own_budget", "state_loan_pool", "objective_financing", "deficit_guarantee", "private")
CERTAINTIES = ("decided", "planned", "idea")
COST_GROWTH, RECIPIENT_GROWTH = 0.032, 0.018
"""Yearly growth that spend is carried back by (assumption)."""


def _group(profile: Profile, estate: Estate) -> list[str | None]:
    """The first primary group of each unit's speciality."""
    firsts = [(s.primary or (None,))[0] for s in profile.specialities]
    return [firsts[position] for position in estate.speciality.tolist()]


def spend_frame(
    profile: Profile, reference: Reference, estate: Estate, stays: Stays, as_of: dt.date, rng: np.random.Generator
) -> pl.DataFrame:
    """Five years of spend by acting municipality, offer type and first target group, in the contract's columns.

    The last twelve months of stays are what the newest whole year cost; earlier years follow by growth and a little noise.
    """
    today = day_number(as_of)
    start, end = np.maximum(stays.start, today - 365), np.minimum(stays.end, today)
    days = np.maximum(end - start, 0)
    offer_type = [profile.offer_types[position].code for position in estate.type.tolist()]
    base = (
        pl.DataFrame(
            {
                "municipality": reference.municipality["code"].gather(stays.municipality),
                "offer_type": pl.Series(offer_type, dtype=pl.String).gather(stays.unit),
                "target_group": pl.Series(_group(profile, estate), dtype=pl.String).gather(stays.unit),
                "amount_ore": days * stays.rate_ore,
                "person": stays.person,
            }
        )
        .filter(pl.col("amount_ore") > 0)
        .drop_nulls(["offer_type", "target_group"])
        .group_by("municipality", "offer_type", "target_group")
        .agg(pl.col("amount_ore").sum(), pl.col("person").n_unique().alias("recipients"))
        .sort("municipality", "offer_type", "target_group")
    )
    frames = []
    for back in range(YEARS):
        recipients = np.maximum(
            np.round(base["recipients"].to_numpy() * (1 - RECIPIENT_GROWTH) ** back + rng.normal(size=base.height) * 0.3 * back), 1
        )
        each = base["amount_ore"].to_numpy() / base["recipients"].to_numpy() * (1 + COST_GROWTH) ** -back
        noise = np.exp(rng.normal(size=base.height) * 0.04 * min(back, 2))
        frames.append(
            base.select(
                "municipality",
                pl.lit(as_of.year - 1 - back, dtype=pl.Int64).alias("year"),
                "offer_type",
                "target_group",
                pl.Series("amount_ore", np.round(each * recipients * noise / 100_000).astype(np.int64) * 100_000),
                pl.Series("recipients", recipients.astype(np.int64)),
            )
        )
    return pl.concat(frames).sort("municipality", "year", "offer_type", "target_group")


def indicator_frame(profile: Profile, reference: Reference, share: float, as_of: dt.date, rng: np.random.Generator) -> pl.DataFrame:
    """Five years of the profile's indicators by municipality, in the contract's columns. Counts follow the scale, levels do not."""
    people = (
        populations(reference)
        if reference.municipality["population"].drop_nulls().len()
        else np.full(reference.municipality.height, 20_000.0)
    )
    codes = reference.municipality["code"]
    frames = []
    for series in profile.indicators:
        for position, group in enumerate(series.groups):
            lean = np.exp(rng.normal(size=len(people)) * 0.25)
            for back in range(YEARS):
                if series.per_1000:
                    mean = people / 1000 * series.per_1000[position] * share * lean * (1 + series.growth) ** -back
                    value = rng.poisson(mean).astype(np.float64)
                else:
                    level = series.level[position] + (lean - 1) * 4 * series.spread / 2 + rng.normal(size=len(people)) * series.spread / 3
                    most = 100.0 if series.code.endswith("_pct") else np.inf
                    value = np.round(np.clip(level, 0.0, most), 1).astype(np.float64)
                frames.append(
                    pl.DataFrame(
                        {
                            "municipality": codes,
                            "year": pl.repeat(as_of.year - 1 - back, len(people), eager=True, dtype=pl.Int64),
                            "code": pl.repeat(series.code, len(people), eager=True, dtype=pl.String),
                            "group_key": pl.repeat(group, len(people), eager=True, dtype=pl.String),
                            "value": value,
                        }
                    )
                )
    return pl.concat(frames).sort("municipality", "year", "code", "group_key")


def youth_frame(profile: Profile, reference: Reference, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """14 to 18-year-olds with an expected need at 18, in the contract's columns: 0.5 per 1,000 inhabitants of each age (assumption)."""
    people = populations(reference)
    total = round(share * 0.0005 * 5 * people.sum()) if reference.municipality["population"].drop_nulls().len() else 20 * len(people)
    adult = [t for t in profile.offer_types if not t.child and t.code is not None]
    young = [s for s in profile.specialities if s.primary and s.need > 0 and s.ages[0] <= 18]
    if not adult or not young:
        return pl.DataFrame(
            schema={
                "municipality": pl.String, "age": pl.Int64, "target_group": pl.String, "function_level": pl.Int64,
                "expected_offer_type": pl.String, "persons": pl.Int64,
            }
        )  # fmt: skip
    groups = [s.primary[0] for s in young]
    group = pick(rng, np.array([s.need for s in young]), total)
    fits = np.array([[t.persons_a_year * (t.code in s.offer_types) for t in adult] for s in young])
    # A child in a children's offer goes on to one that is meant to end.
    temporary = np.array([t.persons_a_year * t.planned_end_share + 1 for t in adult])
    fits = np.where(fits.sum(axis=1, keepdims=True) > 0, fits, temporary)
    drawn = pl.DataFrame(
        {
            "municipality": reference.municipality["code"].gather(pick(rng, people, total)),
            "age": rng.integers(14, 19, size=total),
            "target_group": pl.Series(words(groups, group), dtype=pl.String),
            "function_level": np.minimum(1 + rng.binomial(3, 0.6, size=total), 4),
            "expected_offer_type": pl.Series([adult[position].code for position in pick_rows(rng, fits[group]).tolist()], dtype=pl.String),
        }
    )
    keys = ["municipality", "age", "target_group", "function_level"]
    return (
        drawn.group_by(keys).agg(pl.col("expected_offer_type").mode().sort().first(), pl.len().cast(pl.Int64).alias("persons")).sort(keys)
    )


def planned_frame(
    profile: Profile, reference: Reference, estate: Estate, share: float, as_of: dt.date, rng: np.random.Generator
) -> pl.DataFrame:
    """Places on their way, in the contract's columns: some grow a unit that exists, some are new."""
    total = max(round(180 * share), 6)
    fresh = rng.random(total) < 0.65
    units = rng.choice(len(estate.maximum), size=total)
    by_need = np.array([s.need + 0.05 for s in profile.specialities])
    speciality = np.where(fresh, pick(rng, by_need, total), estate.speciality[units])
    chosen = [profile.specialities[position] for position in speciality.tolist()]
    size = {t.code: t.persons_a_year for t in profile.offer_types}
    new_type = [max(s.offer_types, key=lambda code: (size[code], str(code))) for s in chosen]
    old_type = [profile.offer_types[position].code for position in estate.type[units].tolist()]
    home = np.where(fresh, pick(rng, populations(reference), total), estate.municipality[units])
    certainty = pick(rng, np.array([0.4, 0.35, 0.25]), total)
    months = np.array([8, 16, 30])[certainty] + rng.integers(-6, 9, size=total)
    groups = [list(s.primary) or None for s in chosen]
    return pl.DataFrame(
        {
            "plan_id": [f"P-{number}" for number in range(1, total + 1)],
            "unit_id": [None if new else f"A-{1001 + unit}" for new, unit in zip(fresh.tolist(), units.tolist(), strict=True)],
            "municipality": reference.municipality["code"].gather(home),
            "target_groups": pl.Series(groups, dtype=pl.List(pl.String)),
            "offer_type": pl.Series(
                [new if is_new else old for is_new, new, old in zip(fresh.tolist(), new_type, old_type, strict=True)], dtype=pl.String
            ),
            "places": np.where(fresh, 2 + rng.poisson(4.5, size=total), 1 + rng.poisson(0.8, size=total)),
            "opens_on": pl.Series(
                [None if draw < 0.07 else months_back(as_of.replace(day=1), -max(month, 1)) for draw, month in
                 zip(rng.random(total).tolist(), months.tolist(), strict=True)], dtype=pl.Date,
            ),
            "financing": words(FINANCINGS, pick(rng, np.array([0.5, 0.22, 0.06, 0.08, 0.14]), total)),
            "certainty": words(CERTAINTIES, certainty),
        }
    )  # fmt: skip
