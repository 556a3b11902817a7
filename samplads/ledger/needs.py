"""Needs that are written here rather than delivered: in the joint needs portal. Each change is a new revision; the last one is the need.

A need has no name and no civil registration number, and its columns are those of the contract `need`, which judges it here too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import NeedRevision

PREFIX = "S"
"""Needs written here have ids of their own (S-2026-0001), so that they never meet a delivered one."""


def register(ledger: Ledger, content: Mapping[str, Any], *, who: str, on: dt.date, why: str = "") -> NeedRevision:
    """Write a new need; its id is given here. `content` has columns of the contract `need`, without need_id; those left out are unknown.

    Raises SampladsError `ledger_need_shape` with the columns that break the contract, and what `Ledger.text` raises.
    """
    with ledger.write() as session:
        ledger.alone(session, "need", str(on.year))
        start = f"{PREFIX}-{on.year}-"
        last = session.scalar(sa.select(sa.func.max(NeedRevision.need_id)).where(NeedRevision.need_id.like(f"{start}%")))
        number = int(last.removeprefix(start)) + 1 if last else 1
        row = _revision(ledger, f"{start}{number:06d}", 1, {"registered_on": on, "status": "open", **content}, who, why)
        session.add(row)
    return row


def revise(ledger: Ledger, need_id: str, changes: Mapping[str, Any], *, seen: int, who: str, why: str) -> NeedRevision:
    """Write a need anew with some columns changed. `seen` is the revision that the person looked at.

    Raises SampladsError `ledger_need_unknown`, `ledger_changed_since` where somebody was first, `ledger_need_shape`.
    """
    with ledger.write() as session:
        ledger.alone(session, "need", need_id)
        last = session.scalar(
            sa.select(NeedRevision).where(NeedRevision.need_id == need_id).order_by(NeedRevision.revision.desc()).limit(1)
        )
        if last is None:
            raise SampladsError("ledger_need_unknown", need=need_id)
        if last.revision != seen:
            raise SampladsError("ledger_changed_since", name=need_id)
        row = _revision(ledger, need_id, seen + 1, {**last.content, **changes}, who, ledger.text(why, "why"))
        session.add(row)
    return row


def current(ledger: Ledger) -> pl.DataFrame:
    """Every need written here as it stands now, in the columns of the contract `need`, by id."""
    last = sa.select(NeedRevision.need_id, sa.func.max(NeedRevision.revision)).group_by(NeedRevision.need_id)
    query = (
        sa.select(NeedRevision.content)
        .where(sa.tuple_(NeedRevision.need_id, NeedRevision.revision).in_(last))
        .order_by(NeedRevision.need_id)
    )
    with ledger.read() as session:
        return _frame([row for (row,) in session.execute(query)])


def history(ledger: Ledger, need_id: str) -> list[NeedRevision]:
    """Every revision of a need, the newest first."""
    with ledger.read() as session:
        query = sa.select(NeedRevision).where(NeedRevision.need_id == need_id).order_by(NeedRevision.revision.desc())
        return list(session.scalars(query))


def _revision(ledger: Ledger, need_id: str, revision: int, content: Mapping[str, Any], who: str, why: str) -> NeedRevision:
    contract = CONTRACTS["need"]
    unknown = sorted(set(content) - set(contract.columns()))
    if unknown:
        raise SampladsError("ledger_need_shape", columns=", ".join(unknown))
    cleaned = {name: ledger.content(value, name) for name, value in content.items()}
    cleaned = {name: value for name, value in cleaned.items() if value not in ("", None, [])} | {"need_id": need_id}
    try:
        frame = _frame([cleaned])
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise SampladsError("ledger_need_shape", columns="?") from error
    _, failure = contract.filter(frame)
    if len(failure):
        raise SampladsError("ledger_need_shape", columns=", ".join(sorted({rule.split("|")[0] for rule in failure.counts()})))
    return NeedRevision(
        at=ledger.clock(),
        who=ledger.text(who, "who", longest=models.NAME_LONGEST),
        why=ledger.text(why, "why", required=False),
        need_id=need_id,
        revision=revision,
        content=cleaned,
    )


def _frame(contents: list[dict[str, Any]]) -> pl.DataFrame:
    """Contents as rows of the contract: days from ISO text, columns left out unknown."""
    columns = CONTRACTS["need"].columns()

    def values(name: str, dtype: pl.DataType) -> pl.Series:
        told = [content.get(name) for content in contents]
        if dtype == pl.Date:
            told = [None if one is None else dt.date.fromisoformat(one) for one in told]
        return pl.Series(name, told, dtype=dtype, strict=True)

    return pl.DataFrame([values(name, column.dtype) for name, column in columns.items()])
