"""The tables of the ledger: what people write. What municipalities deliver is in the warehouse and never here.

Kept for good (a database trigger refuses to change or delete a row): overlay, confirmation, decision, need_revision, audit.
Kept, but may be ended once: hold. Free to change by their owner: saved_query, scenario.

`who` is a person's name as told; `at` is when, with a zone. Rows are read into objects that no longer hang on the database.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, DateTime, Index, MetaData, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger, Date, Integer, String, Text, TypeDecorator

NAME_LONGEST = 120  # signs: names of people, of fields, of saved things
ID_LONGEST = 500  # signs: the same as the contracts allow for ids
TEXT_LONGEST = 4_000  # signs: what a person writes as a reason
SQL_LONGEST = 100_000  # signs


class Moment(TypeDecorator[dt.datetime]):
    """A moment in UTC. SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Into the database. Raises ValueError for a moment without a zone: nobody would know which moment it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002  the base's signature
        """Out of the database, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """What all tables share: names of constraints that migrations can count on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# SQLite counts up by itself only where the key is exactly INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")


class Overlay(Base):
    """A manual correction of one field of one unit: laid over what was delivered, never put in its place."""

    __tablename__ = "overlay"
    __table_args__ = (
        Index(None, "unit_id", "field", "id"),
        CheckConstraint("kind in ('set', 'withdraw')", "kind"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    why: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(8))
    unit_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    field: Mapped[str] = mapped_column(String(NAME_LONGEST))
    value: Mapped[Any] = mapped_column(JSON, nullable=True)
    """The corrected value; dates and times as ISO text; null is unknown. Of a withdrawal: null."""
    delivered: Mapped[Any] = mapped_column(JSON, nullable=True)
    """What the delivery said when the correction was made: the correction holds for as long as the delivery says it."""
    version: Mapped[str] = mapped_column(String(64))
    """The version of the warehouse that the person looked at."""


class Confirmation(Base):
    """Somebody vouches that a unit's places are unchanged. Renews who confirmed and when, and nothing else."""

    __tablename__ = "confirmation"
    __table_args__ = (Index(None, "unit_id", "confirmed_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    unit_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    confirmed_by: Mapped[str] = mapped_column(String(NAME_LONGEST))
    """The role that vouches, as in a delivery: leader, coordinator."""
    confirmed_at: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(NAME_LONGEST))
    """"click", or the name of the file."""


class Hold(Base):
    """Places of a unit kept for a need until a day. May be ended once; is otherwise never changed."""

    __tablename__ = "hold"
    __table_args__ = (
        Index(None, "unit_id", "until"),
        Index(None, "need_id"),
        CheckConstraint("places > 0", "places"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    why: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    need_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    places: Mapped[int] = mapped_column(Integer)
    until: Mapped[dt.date] = mapped_column(Date)
    """The last day that the hold counts."""
    version: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(String(NAME_LONGEST))
    ended_why: Mapped[str | None] = mapped_column(Text)


OUTCOMES = ("offered", "accepted", "declined", "placed", "not_placed", "withdrawn")


class Decision(Base):
    """What a person decided about a need, on what basis. The system ranks and explains; it never decides."""

    __tablename__ = "decision"
    __table_args__ = (
        Index(None, "need_id", "id"),
        CheckConstraint("outcome in ('" + "', '".join(OUTCOMES) + "')", "outcome"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    why: Mapped[str] = mapped_column(Text)
    need_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    unit_id: Mapped[str | None] = mapped_column(String(ID_LONGEST))
    outcome: Mapped[str] = mapped_column(String(16))
    basis: Mapped[Any] = mapped_column(JSON)
    """What the screen showed: points by criterion, what was unknown, the rules in force. So that the decision can be explained later."""
    version: Mapped[str] = mapped_column(String(64))


class NeedRevision(Base):
    """One state of a need that was written here rather than delivered. The last revision is the need; the others are its history."""

    __tablename__ = "need_revision"
    __table_args__ = (UniqueConstraint("need_id", "revision"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    why: Mapped[str] = mapped_column(Text)
    need_id: Mapped[str] = mapped_column(String(ID_LONGEST))
    revision: Mapped[int] = mapped_column(Integer)
    content: Mapped[Any] = mapped_column(JSON)
    """The columns of the contract `need`; dates as ISO text."""


class Audit(Base):
    """A look-up of rows about persons: who, when, what, why."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"), Index(None, "who", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    who: Mapped[str] = mapped_column(String(NAME_LONGEST))
    what: Mapped[str] = mapped_column(String(NAME_LONGEST))
    """What was done: "need.open", "stay.list", "export.needs"."""
    subjects: Mapped[Any] = mapped_column(JSON)
    """The ids that were shown, in order."""
    purpose: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(64))


SCOPES = ("private", "shared")


class SavedQuery(Base):
    """An analyst's question under a name. Private ones are their owner's; shared ones are for all to run and for their owner to change."""

    __tablename__ = "saved_query"
    __table_args__ = (
        UniqueConstraint("owner", "name"),
        CheckConstraint("scope in ('private', 'shared')", "scope"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LONGEST))
    sql: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(NAME_LONGEST))
    made_at: Mapped[dt.datetime] = mapped_column(Moment)
    changed_at: Mapped[dt.datetime] = mapped_column(Moment)
    edition: Mapped[int] = mapped_column(Integer)
    """Counts up with each change, so that nobody overwrites what he has not seen."""


class Scenario(Base):
    """Assumptions and choices under a name: a coupling plan, a pool, a saved search. Owned and shared like a saved query."""

    __tablename__ = "scenario"
    __table_args__ = (
        UniqueConstraint("owner", "kind", "name"),
        CheckConstraint("scope in ('private', 'shared')", "scope"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(NAME_LONGEST))
    """The page it belongs to: "nightcover", "standby", "vacancies"."""
    name: Mapped[str] = mapped_column(String(NAME_LONGEST))
    content: Mapped[Any] = mapped_column(JSON)
    scope: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(NAME_LONGEST))
    made_at: Mapped[dt.datetime] = mapped_column(Moment)
    changed_at: Mapped[dt.datetime] = mapped_column(Moment)
    edition: Mapped[int] = mapped_column(Integer)


APPEND_ONLY = ("overlay", "confirmation", "decision", "need_revision", "audit")
ENDED_ONCE = "hold"
"""Columns of `hold` that may change from null to a value, once, all together: ended_at, ended_by, ended_why."""
