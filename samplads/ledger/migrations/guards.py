"""Triggers that hold in the database itself: what is written for good cannot be changed or deleted, whoever asks.

Both databases know enough for that; their words differ. A migration calls `keep` or `end_once` after it has made a table. What is here is
part of past migrations: add to it, never change it.
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

_POSTGRES_REFUSE = """
create or replace function samplads_refuse() returns trigger language plpgsql as $body$
begin
    raise exception 'the ledger keeps every row of %: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$body$
"""


def keep(table: str) -> None:
    """Refuse to change, delete, replace or empty rows of a table."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{verb} before {verb} on {table} "
                f"begin select raise(abort, 'the ledger keeps every row of {table}: {verb} is refused'); end"
            )
        _sqlite_no_replace(table)
    else:
        op.execute(_POSTGRES_REFUSE)
        op.execute(f"create trigger {table}_no_change before update or delete on {table} for each row execute function samplads_refuse()")
        op.execute(f"create trigger {table}_no_truncate before truncate on {table} for each statement execute function samplads_refuse()")


def end_once(table: str, ending: Sequence[str], fixed: Sequence[str]) -> None:
    """Refuse everything but filling all of `ending` once, from null, with `fixed` (all other columns) as they were."""
    equal = "is" if op.get_bind().dialect.name == "sqlite" else "is not distinct from"
    allowed = " and ".join(
        [
            *(f"old.{column} is null and new.{column} is not null" for column in ending),
            *(f"new.{column} {equal} old.{column}" for column in fixed),
        ]
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"create trigger {table}_end_once before update on {table} when not ({allowed}) "
            f"begin select raise(abort, 'the ledger keeps every row of {table}: update is refused'); end"
        )
        op.execute(
            f"create trigger {table}_no_delete before delete on {table} "
            f"begin select raise(abort, 'the ledger keeps every row of {table}: delete is refused'); end"
        )
        _sqlite_no_replace(table)
    else:
        op.execute(_POSTGRES_REFUSE)
        op.execute(
            f"create trigger {table}_end_once before update on {table} for each row "
            f"when (not ({allowed})) execute function samplads_refuse()"
        )
        op.execute(f"create trigger {table}_no_delete before delete on {table} for each row execute function samplads_refuse()")
        op.execute(f"create trigger {table}_no_truncate before truncate on {table} for each statement execute function samplads_refuse()")


def _sqlite_no_replace(table: str) -> None:
    """`insert or replace` deletes without asking the trigger on delete: refuse an insert under an id that exists."""
    op.execute(
        f"create trigger {table}_no_replace before insert on {table} "  # noqa: S608  names of our own tables
        f"when new.id is not null and exists (select 1 from {table} where id = new.id) "
        f"begin select raise(abort, 'the ledger keeps every row of {table}: replace is refused'); end"
    )
