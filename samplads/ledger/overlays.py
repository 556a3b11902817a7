"""Manual corrections: a value laid over a delivered one, with who and why. The delivery itself is never edited.

A correction holds for as long as the delivery says what it said when the correction was made. When a later delivery says something else,
the sender has spoken again: the correction is overtaken, it no longer counts, and it is listed so that a person can look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dataframely as dy
import polars as pl
import sqlalchemy as sa

from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.ledger import models
from samplads.ledger.engine import Ledger
from samplads.ledger.models import Overlay


def correctable() -> dict[str, dy.Column]:
    """The fields that may be corrected: what a unit and its latest places say. No keys; and no confirmation, which has a way of its own."""
    columns: dict[str, dy.Column] = {}
    for extract in ("unit", "capacity"):
        for name, column in CONTRACTS[extract].columns().items():
            if not column.primary_key and name not in {"confirmed_by", "confirmed_at"}:
                columns[name] = column
    return columns


def correct(
    ledger: Ledger,
    *,
    unit_id: str,
    field: str,
    value: Any,
    delivered: Any,
    why: str,
    who: str,
    version: str,
    instead_of: int | None = None,
) -> Overlay:
    """Lay a value over a delivered one. `delivered` is what the screen showed from the delivery; `value` None is "unknown".

    `instead_of` is the id of the correction in force that the screen showed, None where it showed none: two who correct the same field at
    once are taken one after the other, and the second is told of the first.

    Raises SampladsError `ledger_field_unknown`, `ledger_value_shape`, `ledger_nothing_corrected`, `ledger_corrected_since` and what
    `Ledger.text` raises.
    """
    column = correctable().get(field)
    if column is None:
        raise SampladsError("ledger_field_unknown", field=field)
    if value == delivered:
        raise SampladsError("ledger_nothing_corrected", field=field)
    value = ledger.content(value, field)
    if not _fits(column, value):
        raise SampladsError("ledger_value_shape", field=field)
    unit = ledger.text(unit_id, "unit_id", longest=models.ID_LONGEST)
    with ledger.write() as session:
        ledger.alone(session, "overlay", unit, field)
        last = session.scalar(
            sa.select(Overlay).where(Overlay.unit_id == unit, Overlay.field == field).order_by(Overlay.id.desc()).limit(1)
        )
        if last is not None and (last.id if last.kind == "set" else None) != instead_of:
            raise SampladsError("ledger_corrected_since", field=field, who=last.who)
        overlay = Overlay(
            at=ledger.clock(),
            who=ledger.text(who, "who", longest=models.NAME_LONGEST),
            why=ledger.text(why, "why"),
            kind="set",
            unit_id=unit,
            field=field,
            value=value,
            delivered=ledger.content(delivered, field),
            version=version,
        )
        session.add(overlay)
    return overlay


def withdraw(ledger: Ledger, overlay_id: int, *, why: str, who: str) -> Overlay:
    """Take a correction back; both stay in the history.

    Raises SampladsError `ledger_correction_unknown` where it is not the one in force.
    """
    with ledger.write() as session:
        found = session.get(Overlay, overlay_id)
        if found is None or found.kind != "set":
            raise SampladsError("ledger_correction_unknown")
        ledger.alone(session, "overlay", found.unit_id, found.field)
        last = session.scalar(sa.select(sa.func.max(Overlay.id)).where(Overlay.unit_id == found.unit_id, Overlay.field == found.field))
        if last != overlay_id:
            raise SampladsError("ledger_correction_unknown")
        taken_back = Overlay(
            at=ledger.clock(),
            who=ledger.text(who, "who", longest=models.NAME_LONGEST),
            why=ledger.text(why, "why"),
            kind="withdraw",
            unit_id=found.unit_id,
            field=found.field,
            value=None,
            delivered=found.delivered,
            version=found.version,
        )
        session.add(taken_back)
    return taken_back


def in_force(ledger: Ledger, unit_ids: Iterable[str] | None = None) -> list[Overlay]:
    """The last correction of each unit and field that is not withdrawn, by unit and field."""
    last = sa.select(sa.func.max(Overlay.id)).group_by(Overlay.unit_id, Overlay.field)
    query = sa.select(Overlay).where(Overlay.id.in_(last), Overlay.kind == "set").order_by(Overlay.unit_id, Overlay.field)
    if unit_ids is not None:
        query = query.where(Overlay.unit_id.in_(list(unit_ids)))
    with ledger.read() as session:
        return list(session.scalars(query))


def history(ledger: Ledger, unit_id: str) -> list[Overlay]:
    """Everything written about a unit, the newest first."""
    with ledger.read() as session:
        return list(session.scalars(sa.select(Overlay).where(Overlay.unit_id == unit_id).order_by(Overlay.id.desc())))


@dataclass(frozen=True)
class Corrected:
    """Units with the corrections laid over them.

    `units` has the columns it came with and `corrected_fields` (list of text: the fields whose value a person gave); `laid` are the
    corrections that count, `overtaken` those that no longer do because a delivery has said something new.
    """

    units: pl.DataFrame
    laid: tuple[Overlay, ...]
    overtaken: tuple[Overlay, ...]


def apply(units: pl.DataFrame, corrections: Sequence[Overlay]) -> Corrected:
    """Lay corrections over rows of units. Corrections of units or fields that the frame does not have are passed over.

    `units`: one row a unit, with `unit_id`.
    """
    columns = correctable()
    rows: Mapping[str, int] = {unit_id: row for row, unit_id in enumerate(units["unit_id"])}
    changed: dict[str, dict[int, Any]] = {}
    laid: list[Overlay] = []
    overtaken: list[Overlay] = []
    fields: list[list[str]] = [[] for _ in range(units.height)]
    for correction in corrections:
        row = rows.get(correction.unit_id)
        if row is None or correction.field not in units.columns or correction.field not in columns:
            continue
        if _told(units[correction.field][row]) != correction.delivered:
            overtaken.append(correction)
            continue
        changed.setdefault(correction.field, {})[row] = _value(columns[correction.field], correction.value)
        fields[row].append(correction.field)
        laid.append(correction)
    frames = [
        pl.Series(name, [values.get(row, old) for row, old in enumerate(units[name])], dtype=units.schema[name])
        for name, values in changed.items()
    ]
    marked = pl.Series("corrected_fields", fields, dtype=pl.List(pl.String))
    return Corrected(units.with_columns(*frames, marked), tuple(laid), tuple(overtaken))


def _told(value: Any) -> Any:
    """A delivered value as the ledger keeps it."""
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _value(column: dy.Column, kept: Any) -> Any:
    """A kept value as the frame's: days come back from ISO text."""
    if kept is not None and column.dtype == pl.Date:
        return dt.date.fromisoformat(kept)
    return kept


def _fits(column: dy.Column, value: Any) -> bool:
    """Whether a value passes the type and the rules of its column in the contract."""
    try:
        frame = pl.DataFrame({"value": pl.Series([_value(column, value)], dtype=column.dtype, strict=True)})
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return False
    rules = column.validation_rules(pl.col("value"))
    return all(frame.select(rule).item() is not False for rule in rules.values())
