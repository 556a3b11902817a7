""" "Uændret": somebody vouches that a unit's places are as they were told. It renews who confirmed and when, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import polars as pl
import sqlalchemy as sa

from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import Confirmation

LATEST_SCHEMA = {"unit_id": pl.String(), "confirmed_by": pl.String(), "confirmed_at": pl.Date()}


def confirm(ledger: Ledger, unit_ids: Iterable[str], *, confirmed_by: str, on: dt.date, who: str, source: str = "click") -> int:
    """Confirm units as unchanged on a day, all or none; returns how many. `confirmed_by` is the role that vouches ("afdelingsleder").

    Raises SampladsError `ledger_nothing_confirmed` and what `Ledger.text` raises.
    """
    chosen = sorted(set(unit_ids))
    if not chosen:
        raise SampladsError("ledger_nothing_confirmed")
    role = ledger.text(confirmed_by, "confirmed_by", longest=models.NAME_LONGEST)
    name = ledger.text(who, "who", longest=models.NAME_LONGEST)
    origin = ledger.text(source, "source", longest=models.NAME_LONGEST)
    at = ledger.clock()
    with ledger.write() as session:
        session.add_all(
            Confirmation(
                at=at,
                who=name,
                unit_id=ledger.text(unit_id, "unit_id", longest=models.ID_LONGEST),
                confirmed_by=role,
                confirmed_at=on,
                source=origin,
            )
            for unit_id in chosen
        )
    return len(chosen)


def latest(ledger: Ledger) -> pl.DataFrame:
    """The last confirmation of each unit: unit_id, confirmed_by, confirmed_at. Of two on one day the later written counts."""
    ranked = sa.select(
        Confirmation.unit_id,
        Confirmation.confirmed_by,
        Confirmation.confirmed_at,
        sa.func.row_number()
        .over(partition_by=Confirmation.unit_id, order_by=(Confirmation.confirmed_at.desc(), Confirmation.id.desc()))
        .label("rank"),
    ).subquery()
    query = sa.select(ranked.c.unit_id, ranked.c.confirmed_by, ranked.c.confirmed_at).where(ranked.c.rank == 1).order_by(ranked.c.unit_id)
    with ledger.read() as session:
        return pl.DataFrame([tuple(row) for row in session.execute(query)], schema=LATEST_SCHEMA, orient="row")


def history(ledger: Ledger, unit_id: str) -> Sequence[Confirmation]:
    """Every confirmation of a unit, the newest first."""
    with ledger.read() as session:
        return list(session.scalars(sa.select(Confirmation).where(Confirmation.unit_id == unit_id).order_by(Confirmation.id.desc())))


def apply(units: pl.DataFrame, confirmed: pl.DataFrame) -> pl.DataFrame:
    """Units with who confirmed and when renewed where the ledger knows a later day than the delivery; all other columns as they were.

    `units` has unit_id, confirmed_by, confirmed_at; `confirmed` is what `latest` gives. Order and columns are kept.
    """
    later = pl.col("_confirmed_at").is_not_null() & (pl.col("confirmed_at").is_null() | (pl.col("_confirmed_at") > pl.col("confirmed_at")))
    return (
        units.join(
            confirmed.select("unit_id", _confirmed_by="confirmed_by", _confirmed_at="confirmed_at"),
            on="unit_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            confirmed_by=pl.when(later).then("_confirmed_by").otherwise("confirmed_by"),
            confirmed_at=pl.when(later).then("_confirmed_at").otherwise("confirmed_at"),
        )
        .drop("_confirmed_by", "_confirmed_at")
    )
