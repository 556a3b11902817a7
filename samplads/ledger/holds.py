"""Holds: places of a unit kept for a need until a day, so that two people do not promise the same place.

How many places can be held is told by the caller (the warehouse knows how many are open); that no more than those are held at once is
decided here, one transaction at a time for each unit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import Hold


def hold(
    ledger: Ledger,
    *,
    unit_id: str,
    need_id: str,
    until: dt.date,
    on: dt.date,
    open_places: int,
    who: str,
    version: str,
    places: int = 1,
    why: str = "",
) -> Hold:
    """Keep places of a unit for a need, from `on` ("today") to `until`, both included. `open_places` is how many the unit says are open.

    Raises SampladsError `ledger_hold_full` where fewer than `places` are left, `ledger_hold_twice` where the need holds the unit already,
    `ledger_hold_over` where `until` is before `on`, `ledger_hold_places`, and what `Ledger.text` raises.
    """
    if until < on:
        raise SampladsError("ledger_hold_over", until=until.isoformat())
    if places < 1:
        raise SampladsError("ledger_hold_places")
    row = Hold(
        at=ledger.clock(),
        who=ledger.text(who, "who", longest=models.NAME_LONGEST),
        why=ledger.text(why, "why", required=False),
        unit_id=ledger.text(unit_id, "unit_id", longest=models.ID_LONGEST),
        need_id=ledger.text(need_id, "need_id", longest=models.ID_LONGEST),
        places=places,
        until=until,
        version=version,
        ended_at=None,
        ended_by=None,
        ended_why=None,
    )
    with ledger.write() as session:
        ledger.alone(session, "hold", row.unit_id)
        standing = _standing(session, on, unit_ids=[row.unit_id])
        if any(other.need_id == row.need_id for other in standing):
            raise SampladsError("ledger_hold_twice", need=row.need_id, unit=row.unit_id)
        left = open_places - sum(other.places for other in standing)
        if places > left:
            raise SampladsError("ledger_hold_full", unit=row.unit_id, left=max(left, 0))
        session.add(row)
    return row


def end(ledger: Ledger, hold_id: int, *, why: str, who: str) -> Hold:
    """Let a hold go before its day. Raises SampladsError `ledger_hold_unknown`, `ledger_hold_ended`."""
    name = ledger.text(who, "who", longest=models.NAME_LONGEST)
    reason = ledger.text(why, "why")
    with ledger.write() as session:
        found = session.get(Hold, hold_id, with_for_update=True)
        if found is None:
            raise SampladsError("ledger_hold_unknown")
        if found.ended_at is not None:
            raise SampladsError("ledger_hold_ended", who=found.ended_by)
        found.ended_at = ledger.clock()
        found.ended_by = name
        found.ended_why = reason
    return found


def standing(ledger: Ledger, on: dt.date, *, unit_ids: Iterable[str] | None = None, need_id: str | None = None) -> list[Hold]:
    """Holds that count on a day: not let go, and not past their last day. By unit, then in the order they were made."""
    with ledger.read() as session:
        return _standing(session, on, unit_ids=unit_ids, need_id=need_id)


def _standing(session: Session, on: dt.date, *, unit_ids: Iterable[str] | None = None, need_id: str | None = None) -> list[Hold]:
    query = sa.select(Hold).where(Hold.ended_at.is_(None), Hold.until >= on).order_by(Hold.unit_id, Hold.id)
    if unit_ids is not None:
        query = query.where(Hold.unit_id.in_(list(unit_ids)))
    if need_id is not None:
        query = query.where(Hold.need_id == need_id)
    return list(session.scalars(query))
