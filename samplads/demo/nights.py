"""Night rosters of residential units, and a year of incidents where nights are risky or somebody lives alone with own staff."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from samplads.demo.draws import day_number, pick, pick_rows, unless, words
from samplads.demo.estate import Estate
from samplads.demo.profile import Profile

DANGER_ANSWERS = ("two_on_duty", "alarm_response", "no_special_danger", "unmet")
NIGHTS = 365
RESPONSE_MINUTES = np.array([5, 10, 15, 20, 30])


def roster_frame(profile: Profile, estate: Estate, as_of: dt.date, rng: np.random.Generator) -> pl.DataFrame:
    """One roster per unit whose night cover is known and not none, in the contract's columns."""
    rows = np.flatnonzero(estate.units["night_cover"].fill_null("none").to_numpy() != "none")
    rows = rows[rng.random(len(rows)) < 0.97]
    total = len(rows)
    cover = estate.units["night_cover"].gather(rows)
    awake = (cover == "awake").to_numpy()
    single, risky = estate.single[rows], estate.risky[rows]

    # Who works alone with a danger must have told how the danger is met; a few have not met it.
    dangerous = rng.random(total) < np.where(risky, 0.7, 0.06)
    answer = pick_rows(rng, np.where(dangerous[:, None], [0.32, 0.52, 0.0, 0.16], [0.02, 0.08, 0.9, 0.0]))
    posts = np.where(awake & (answer == 0) & dangerous, 2, 1)
    shifts = [(dt.time.fromisoformat(start), dt.time.fromisoformat(end)) for start, end in profile.shifts]
    usual = np.r_[0.55, np.full(len(shifts) - 1, 0.45 / max(len(shifts) - 1, 1))]
    # Particularly risky nights are at most eight hours: the first shift of the profile.
    shift = np.where(risky & (rng.random(total) < 0.9), 0, pick(rng, usual, total))
    excludes: list[list[str] | None] = [None] * total
    if profile.night_excludes:
        picky = np.flatnonzero(single & (rng.random(total) < 0.15))
        for position in picky.tolist():
            excludes[position] = [profile.night_excludes[int(rng.integers(len(profile.night_excludes)))]]
    return pl.DataFrame(
        {
            "unit_id": estate.units["unit_id"].gather(rows),
            "valid_from": pl.repeat(dt.date(as_of.year, 1, 1), total, eager=True, dtype=pl.Date),
            "night_cover": cover,
            "posts": posts,
            "shift_start": pl.Series([shifts[position][0] for position in shift.tolist()], dtype=pl.Time),
            "shift_end": pl.Series([shifts[position][1] for position in shift.tolist()], dtype=pl.Time),
            "monthly_pay_ore": unless(rng.random(total) < 0.08, (rng.choice(np.array(profile.monthly_pay), size=total) * 100).tolist()),
            "one_to_one": single & (rng.random(total) < 0.14),
            "risky_work": risky,
            "lone_work_danger": unless(rng.random(total) < 0.04, dangerous.tolist()),
            "danger_met_by": unless(rng.random(total) < 0.04, words(DANGER_ANSWERS, answer)),
            "response_minutes_limit": unless(
                rng.random(total) < np.where(risky | single, 0.1, 0.5),
                RESPONSE_MINUTES[pick_rows(rng, np.where(risky[:, None], [3, 4, 4, 2, 1], [0.5, 1, 3, 4, 4]))].tolist(),
            ),
            "excludes_groups": pl.Series(excludes, dtype=pl.List(pl.String)),
        }
    )


def incident_frame(estate: Estate, rosters: pl.DataFrame, as_of: dt.date, rng: np.random.Generator) -> pl.DataFrame:
    """Incidents of the last 365 nights in single-person and risky units that have a roster, in the contract's columns.

    Rates differ between units (gamma) and between nights (a bad night in ten has four times as many), so that counts are over-dispersed.
    """
    watched = np.flatnonzero((estate.single | estate.risky) & estate.units["unit_id"].is_in(rosters["unit_id"].implode()).to_numpy())
    rate = np.where(estate.single[watched], 0.10, 0.16) * rng.gamma(1.6, 1 / 1.6, size=len(watched))
    bad = rng.random((len(watched), NIGHTS)) < 0.1
    counts = rng.poisson(rate[:, None] * np.where(bad, 3.08, 0.77))
    unit, night = (np.repeat(axis, counts.ravel()) for axis in np.divmod(np.arange(counts.size), NIGHTS))
    total = len(unit)

    roster = (
        estate.units.select("unit_id").join(rosters, on="unit_id", how="left", maintain_order="left").unique("unit_id", maintain_order=True)
    )
    start, end = (roster[column].cast(pl.Int64).fill_null(0).to_numpy() // 60_000_000_000 for column in ("shift_start", "shift_end"))
    begins, length = start[watched][unit], ((end - start) % (24 * 60))[watched][unit]
    # More happens at the two ends of the night than in the middle.
    within = np.where(rng.random(total) < 0.65, rng.beta(0.7, 1.1, size=total), rng.random(total))
    minute = (begins + np.floor(within * length).astype(np.int64)) % (24 * 60)
    order = np.lexsort(((minute - begins) % (24 * 60), night, unit))
    unit, night, minute = unit[order], night[order], minute[order]
    clock = (minute * 60_000_000_000).astype(np.int64)
    untimed = rng.random(total) < 0.03
    return pl.DataFrame(
        {
            "incident_id": [f"H-{number}" for number in range(1, total + 1)],
            "unit_id": estate.units["unit_id"].gather(watched[unit]),
            "night_of": pl.Series(day_number(as_of) - NIGHTS + night).cast(pl.Int32).cast(pl.Date),
            "started_at": pl.Series(np.where(untimed, -1, clock)).replace(-1, None).cast(pl.Time),
            "minutes": np.clip(np.round(np.exp(rng.normal(np.log(18), 0.8, size=total))), 2, 300),
            "staff_needed": 1 + (rng.random(total) < np.where(estate.risky[watched][unit], 0.22, 0.08)).astype(np.int64),
        }
    )
