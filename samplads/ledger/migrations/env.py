"""Runs migrations on the connection that the ledger hands over: inside its transaction, under its lock."""

from __future__ import annotations

from alembic import context

from samplads.ledger.models import Base

connection = context.config.attributes["connection"]
# SQLite undoes a failed change of tables as PostgreSQL does, once the driver no longer commits behind our back; Alembic cannot know that.
context.configure(
    connection=connection, target_metadata=Base.metadata, transactional_ddl=True, render_as_batch=connection.dialect.name == "sqlite"
)
context.run_migrations()
