"""The reporting round: a window in each month, which units have reported in it, and who is behind. Pure functions; the day is told."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Round:
    """The round of one month: open from `opens` to and with `closes`. What was told from `counts_from` on counts for it."""

    opens: dt.date
    closes: dt.date
    counts_from: dt.date


def _day_of(year: int, month: int, day: int) -> dt.date:
    """A day of a month; the month's last day where it has none of that number."""
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def round_of(day: dt.date, first_day: int, last_day: int) -> Round:
    """The round of a day's month.

    It counts what was told from the day after the round before closed: who reports early has reported.
    """
    before = day.replace(day=1) - dt.timedelta(days=1)
    return Round(
        opens=_day_of(day.year, day.month, first_day),
        closes=_day_of(day.year, day.month, last_day),
        counts_from=_day_of(before.year, before.month, last_day) + dt.timedelta(days=1),
    )


def standing(units: pl.DataFrame, this: Round) -> pl.DataFrame:
    """Units with `reported` (their places counted or confirmed for this round) and `confirmed` (somebody has vouched for them).

    `units` has as_of and confirmed_at (days or null); null is neither.
    """
    confirmed = (pl.col("confirmed_at") >= this.counts_from).fill_null(False)
    counted = (pl.col("as_of") >= this.counts_from).fill_null(False)
    return units.with_columns(reported=confirmed | counted, confirmed=confirmed)


def compliance(standings: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """One row a group of units: how many, how many reported and confirmed, the oldest confirmation, how it stands; those behind first.

    Columns: `by`, units, reported_units, confirmed_units, never_confirmed, oldest_confirmation, standing ("missing", "partly", "reported").
    """
    reported, everyone = pl.col("reported_units"), pl.col("units")
    return (
        standings.group_by(by)
        .agg(
            units=pl.len().cast(pl.Int64),
            reported_units=pl.col("reported").sum().cast(pl.Int64),
            confirmed_units=pl.col("confirmed").sum().cast(pl.Int64),
            never_confirmed=pl.col("confirmed_at").is_null().sum().cast(pl.Int64),
            oldest_confirmation=pl.col("confirmed_at").min(),
        )
        .with_columns(
            standing=pl.when(reported == 0)
            .then(pl.lit("missing"))
            .when(reported < everyone)
            .then(pl.lit("partly"))
            .otherwise(pl.lit("reported"))
        )
        .sort(reported / everyone, pl.col("confirmed_units") / everyone, *by)
    )


def behind(standings: pl.DataFrame) -> pl.DataFrame:
    """The units that nobody has vouched for in this round, the longest unconfirmed first."""
    return standings.filter(~pl.col("confirmed")).sort("confirmed_at", "unit_id", nulls_last=False)
