"""Decisions on needs: what a person decided, why, and what the screen showed. Never changed: a new decision follows an old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import OUTCOMES, Decision


def decide(
    ledger: Ledger,
    *,
    need_id: str,
    outcome: str,
    why: str,
    who: str,
    version: str,
    unit_id: str | None = None,
    basis: Mapping[str, Any] | None = None,
) -> Decision:
    """Write a decision. `outcome` is one of `OUTCOMES`; `basis` is what it rests on: points by criterion, what was unknown, rules in force.

    Raises SampladsError `ledger_outcome_unknown`, `ledger_decision_unit` where a placing names no unit, and what `Ledger.text` raises.
    """
    if outcome not in OUTCOMES:
        raise SampladsError("ledger_outcome_unknown", outcome=outcome)
    if unit_id is None and outcome in {"offered", "accepted", "placed"}:
        raise SampladsError("ledger_decision_unit")
    decision = Decision(
        at=ledger.clock(),
        who=ledger.text(who, "who", longest=models.NAME_LONGEST),
        why=ledger.text(why, "why"),
        need_id=ledger.text(need_id, "need_id", longest=models.ID_LONGEST),
        unit_id=None if unit_id is None else ledger.text(unit_id, "unit_id", longest=models.ID_LONGEST),
        outcome=outcome,
        basis=ledger.content(basis or {}, "basis"),
        version=version,
    )
    with ledger.write() as session:
        session.add(decision)
    return decision


def of_need(ledger: Ledger, need_id: str) -> list[Decision]:
    """Every decision on a need, the newest first."""
    with ledger.read() as session:
        return list(session.scalars(sa.select(Decision).where(Decision.need_id == need_id).order_by(Decision.id.desc())))


def latest(ledger: Ledger) -> dict[str, Decision]:
    """The last decision on each need."""
    last = sa.select(sa.func.max(Decision.id)).group_by(Decision.need_id)
    with ledger.read() as session:
        return {row.need_id: row for row in session.scalars(sa.select(Decision).where(Decision.id.in_(last)).order_by(Decision.need_id))}
