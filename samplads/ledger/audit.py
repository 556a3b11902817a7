"""Look-ups of rows about persons: who looked, when, at what, and for what purpose. Written before the rows are shown; never changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl
import sqlalchemy as sa

from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import Audit

SCHEMA = {
    "at": pl.Datetime("us", "UTC"),
    "who": pl.String(),
    "what": pl.String(),
    "subjects": pl.List(pl.String),
    "purpose": pl.String(),
    "version": pl.String(),
}


def log(ledger: Ledger, *, who: str, what: str, subjects: Iterable[str], purpose: str, version: str) -> Audit:
    """Write that somebody is about to see these rows. Where this raises, the rows must not be shown.

    `what` is a name of ours ("need.open", "stay.list", "export.needs"); `subjects` the ids shown; `purpose` is the person's own words or
    the purpose that the page states.
    """
    row = Audit(
        at=ledger.clock(),
        who=ledger.text(who, "who", longest=models.NAME_LONGEST),
        what=what,
        subjects=ledger.content(list(subjects), "subjects"),
        purpose=ledger.text(purpose, "purpose"),
        version=version,
    )
    with ledger.write() as session:
        session.add(row)
    return row


def entries(
    ledger: Ledger,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    who: str | None = None,
    subject: str | None = None,
) -> pl.DataFrame:
    """Look-ups from `since` to before `until`, the newest first; of one person, or of one row. One row a look-up, columns of `SCHEMA`."""
    query = sa.select(Audit).order_by(Audit.id.desc())
    if since is not None:
        query = query.where(Audit.at >= since)
    if until is not None:
        query = query.where(Audit.at < until)
    if who is not None:
        query = query.where(Audit.who == who)
    with ledger.read() as session:
        rows = [
            (row.at, row.who, row.what, row.subjects, row.purpose, row.version)
            for row in session.scalars(query)
            if subject is None or subject in row.subjects
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
