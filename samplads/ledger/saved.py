"""What people save under a name: analysts' queries, and scenarios of the planning pages.

Private is the owner's alone. Shared is for all to use and for the owner to change. Each change counts `edition` up; who saves says which
edition he saw, so that nobody overwrites what he has not seen.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import SCOPES, SavedQuery, Scenario

Owned = TypeVar("Owned", SavedQuery, Scenario)


def save_query(ledger: Ledger, *, name: str, sql: str, scope: str, owner: str, seen: int | None = None) -> SavedQuery:
    """Save a query under a name of its owner's. `seen` is the edition that was changed; None for a new one.

    Raises SampladsError `ledger_scope_unknown`, `ledger_name_taken` where the owner has one of that name and `seen` is None,
    `ledger_changed_since` where it is no longer the edition that was seen, `ledger_saved_unknown`, and what `Ledger.text` raises.
    """
    fields = {"sql": ledger.text(sql, "sql", longest=models.SQL_LONGEST)}
    keys = {"name": ledger.text(name, "name", longest=models.NAME_LONGEST)}
    return _save(ledger, SavedQuery, keys, fields, scope, owner, seen)


def save_scenario(ledger: Ledger, *, kind: str, name: str, content: Any, scope: str, owner: str, seen: int | None = None) -> Scenario:
    """Save a scenario of a page (`kind`). Raises as `save_query` does."""
    fields = {"content": ledger.content(content, "content")}
    keys = {"kind": kind, "name": ledger.text(name, "name", longest=models.NAME_LONGEST)}
    return _save(ledger, Scenario, keys, fields, scope, owner, seen)


def queries(ledger: Ledger, who: str) -> list[SavedQuery]:
    """Queries that a person may use: his own and the shared ones, by name."""
    with ledger.read() as session:
        return list(session.scalars(_visible(SavedQuery, who)))


def scenarios(ledger: Ledger, who: str, kind: str) -> list[Scenario]:
    """Scenarios of a page that a person may use: his own and the shared ones, by name."""
    with ledger.read() as session:
        return list(session.scalars(_visible(Scenario, who).where(Scenario.kind == kind)))


def delete_query(ledger: Ledger, query_id: int, *, owner: str) -> None:
    """Delete one's own query. Raises SampladsError `ledger_saved_unknown`, also for somebody else's."""
    _delete(ledger, SavedQuery, query_id, owner)


def delete_scenario(ledger: Ledger, scenario_id: int, *, owner: str) -> None:
    """Delete one's own scenario. Raises SampladsError `ledger_saved_unknown`, also for somebody else's."""
    _delete(ledger, Scenario, scenario_id, owner)


def _visible(table: type[Owned], who: str) -> sa.Select[Owned]:
    return sa.select(table).where(sa.or_(table.owner == who, table.scope == "shared")).order_by(table.name, table.id)


def _save(
    ledger: Ledger, table: type[Owned], keys: dict[str, str], fields: dict[str, Any], scope: str, owner: str, seen: int | None
) -> Owned:
    if scope not in SCOPES:
        raise SampladsError("ledger_scope_unknown", scope=scope)
    name = ledger.text(owner, "who", longest=models.NAME_LONGEST)
    with ledger.write() as session:
        ledger.alone(session, table.__tablename__, name, *keys.values())
        found = _own(session, table, keys, name)
        at: dt.datetime = ledger.clock()
        if seen is None:
            if found is not None:
                raise SampladsError("ledger_name_taken", name=keys["name"])
            found = table(**keys, **fields, scope=scope, owner=name, made_at=at, changed_at=at, edition=1)
            session.add(found)
        elif found is None:
            raise SampladsError("ledger_saved_unknown")
        elif found.edition != seen:
            raise SampladsError("ledger_changed_since", name=keys["name"])
        else:
            for field, value in {**fields, "scope": scope, "changed_at": at, "edition": seen + 1}.items():
                setattr(found, field, value)
    return found


def _own(session: Session, table: type[Owned], keys: dict[str, str], owner: str) -> Owned | None:
    query = sa.select(table).where(table.owner == owner, *(getattr(table, key) == value for key, value in keys.items()))
    return session.scalars(query).one_or_none()


def _delete(ledger: Ledger, table: type[Owned], row_id: int, owner: str) -> None:
    with ledger.write() as session:
        gone = session.execute(sa.delete(table).where(table.id == row_id, table.owner == owner).returning(table.id)).first()
        if gone is None:
            raise SampladsError("ledger_saved_unknown")
