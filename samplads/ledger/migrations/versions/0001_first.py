"""The first tables: corrections, confirmations, holds, decisions, needs, look-ups, saved queries, scenarios."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from samplads.ledger.migrations import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _id(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    column = sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)
    return column, sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _told() -> tuple[sa.Column[object], ...]:
    return sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("who", sa.String(120), nullable=False)


def _owned() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    """Make the tables and what guards them."""
    op.create_table(
        "overlay",
        *_id("overlay"),
        *_told(),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("unit_id", sa.String(500), nullable=False),
        sa.Column("field", sa.String(120), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("delivered", sa.JSON(), nullable=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.CheckConstraint("kind in ('set', 'withdraw')", name="ck_overlay_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_overlay_unit_id_field_id", "overlay", ["unit_id", "field", "id"])
    op.create_table(
        "confirmation",
        *_id("confirmation"),
        *_told(),
        sa.Column("unit_id", sa.String(500), nullable=False),
        sa.Column("confirmed_by", sa.String(120), nullable=False),
        sa.Column("confirmed_at", sa.Date(), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_confirmation_unit_id_confirmed_at", "confirmation", ["unit_id", "confirmed_at"])
    op.create_table(
        "hold",
        *_id("hold"),
        *_told(),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.String(500), nullable=False),
        sa.Column("need_id", sa.String(500), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(120), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.CheckConstraint("places > 0", name="ck_hold_places"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hold_unit_id_until", "hold", ["unit_id", "until"])
    op.create_index("ix_hold_need_id", "hold", ["need_id"])
    op.create_table(
        "decision",
        *_id("decision"),
        *_told(),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("need_id", sa.String(500), nullable=False),
        sa.Column("unit_id", sa.String(500), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "outcome in ('offered', 'accepted', 'declined', 'placed', 'not_placed', 'withdrawn')", name="ck_decision_outcome"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decision_need_id_id", "decision", ["need_id", "id"])
    op.create_table(
        "need_revision",
        *_id("need_revision"),
        *_told(),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("need_id", sa.String(500), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.UniqueConstraint("need_id", "revision", name="uq_need_revision_need_id_revision"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        *_id("audit"),
        *_told(),
        sa.Column("what", sa.String(120), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_who_at", "audit", ["who", "at"])
    op.create_table(
        "saved_query",
        *_id("saved_query"),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("sql", sa.Text(), nullable=False),
        *_owned(),
        sa.CheckConstraint("scope in ('private', 'shared')", name="ck_saved_query_scope"),
        sa.UniqueConstraint("owner", "name", name="uq_saved_query_owner_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "scenario",
        *_id("scenario"),
        sa.Column("kind", sa.String(120), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        *_owned(),
        sa.CheckConstraint("scope in ('private', 'shared')", name="ck_scenario_scope"),
        sa.UniqueConstraint("owner", "kind", "name", name="uq_scenario_owner_kind_name"),
        sqlite_autoincrement=True,
    )
    for table in ("overlay", "confirmation", "decision", "need_revision", "audit"):
        guards.keep(table)
    guards.end_once(
        "hold",
        ending=("ended_at", "ended_by", "ended_why"),
        fixed=("id", "at", "who", "why", "unit_id", "need_id", "places", "until", "version"),
    )


def downgrade() -> None:
    """There is no way back: what people wrote is kept. Restore a copy of the database instead."""
    raise NotImplementedError("the ledger's first tables are not taken out again; restore a copy of the database")
