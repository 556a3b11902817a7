"""Opening, migrating, keeping for good, and what a broken database says: on both databases."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from samplads import i18n
from samplads import ledger as book
from samplads.errors import SampladsError
from samplads.extracts import personal
from samplads.ledger import Ledger, audit, decisions, engine, models, overlays
from tests.strategies_ledger import processes

START = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def look(ledger: Ledger, number: int = 1) -> models.Audit:
    return audit.log(ledger, who="Anne", what="need.open", subjects=[f"2026-{number}"], purpose="visitation", version="v1")


def test_the_tables_are_those_of_the_models(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.Base.metadata) == []


def test_the_last_migration_is_the_one_that_is_named() -> None:
    folder = ScriptDirectory(str(engine._MIGRATIONS))
    assert folder.get_current_head() == engine.HEAD
    assert len(folder.get_heads()) == 1


def test_opening_again_changes_nothing_and_keeps_what_is_there(address: str) -> None:
    first = book.open_(address, personal.holds_number)
    look(first)
    first.close()
    second = book.open_(address, personal.holds_number)
    assert audit.entries(second).height == 1
    second.close()


def test_a_newer_ledger_is_refused(address: str) -> None:
    opened = book.open_(address, personal.holds_number)
    with opened.engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    opened.close()
    with pytest.raises(SampladsError) as raised:
        book.open_(address, personal.holds_number)
    assert raised.value.key == "ledger_newer"


@pytest.mark.parametrize("table", models.APPEND_ONLY)
def test_what_is_written_for_good_cannot_be_changed_or_deleted(ledger: Ledger, table: str) -> None:
    look(ledger)
    decisions.decide(ledger, need_id="2026-1", outcome="declined", why="for langt", who="Anne", version="v1")
    overlays.correct(ledger, unit_id="A", field="note", value="ny", delivered=None, why="ringet", who="Anne", version="v1")
    with ledger.write() as session:
        session.add_all(
            [
                models.Confirmation(at=START, who="Anne", unit_id="A", confirmed_by="leder", confirmed_at=START.date(), source="click"),
                models.NeedRevision(at=START, who="Anne", why="", need_id="S-1", revision=1, content={}),
            ]
        )
    attempts = [f"update {table} set who = 'x'", f"delete from {table}", f"delete from {table} where id = 1"]
    if ledger.engine.dialect.name == "sqlite":
        columns = ", ".join(column.name for column in models.Base.metadata.tables[table].columns)
        attempts.append(f"insert or replace into {table} ({columns}) select {columns} from {table}")
    else:
        attempts.append(f"truncate {table}")
    for attempt in attempts:
        with pytest.raises(sa.exc.DBAPIError, match=f"keeps every row of {table}"), ledger.engine.begin() as connection:
            connection.execute(sa.text(attempt))
    with ledger.engine.connect() as connection:
        assert connection.execute(sa.text(f"select count(*), min(who) from {table}")).one() == (1, "Anne")


def test_a_driver_of_its_own_cannot_replace_a_kept_row_either(tmp_path: Path) -> None:
    """Without our settings (recursive triggers) SQLite deletes on `insert or replace` without asking the trigger on delete."""
    opened = book.open_(f"sqlite:///{tmp_path / 'l.sqlite'}", personal.holds_number)
    look(opened)
    opened.close()
    with sqlite3.connect(tmp_path / "l.sqlite") as connection, pytest.raises(sqlite3.IntegrityError, match="replace is refused"):
        connection.execute("insert or replace into audit select id, at, 'x', what, subjects, purpose, version from audit")


def test_moments_come_back_with_their_zone_and_days_as_they_were(ledger: Ledger) -> None:
    row = look(ledger)
    assert audit.entries(ledger)["at"].to_list() == [START + dt.timedelta(seconds=1)]
    assert row.at.tzinfo is not None
    with pytest.raises(sa.exc.StatementError, match="time zone"), ledger.write() as session:
        session.add(models.Audit(at=dt.datetime(2026, 1, 1), who="a", what="b", subjects=[], purpose="c", version="d"))


def test_a_transaction_that_raises_leaves_nothing(ledger: Ledger) -> None:
    def write_and_fail() -> None:
        with ledger.write() as session:
            session.add(models.Audit(at=START, who="a", what="b", subjects=[], purpose="c", version="d"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert audit.entries(ledger).is_empty()


def test_a_bug_in_a_statement_surfaces_as_one(ledger: Ledger) -> None:
    with pytest.raises(sa.exc.DBAPIError), ledger.read() as session:
        session.execute(sa.text("select no_such_column from audit"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rubbish",
        "mysql://u@h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///x",
        "oracle://u:secret@h/d",
        "postgresql://h:port/d",
    ],
)
def test_an_address_that_will_not_do_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(SampladsError) as raised:
        book.open_(url, personal.holds_number)
    assert raised.value.key == "ledger_address"
    assert "secret" not in i18n.sentence(raised.value, "da")


def test_a_database_that_does_not_answer_is_a_sentence_without_the_password() -> None:
    with pytest.raises(SampladsError) as raised:
        book.open_("postgresql://anne:secret@127.0.0.1:9/ledger", personal.holds_number)
    assert raised.value.key == "ledger_unreachable"
    for language in i18n.LANGUAGES:
        assert "127.0.0.1/ledger" in i18n.sentence(raised.value, language)
        assert "secret" not in i18n.sentence(raised.value, language)


def test_a_database_that_is_not_there_is_a_sentence(postgres: Callable[[], str]) -> None:
    with pytest.raises(SampladsError) as raised:
        book.open_(postgres().replace("/ledger_", "/nowhere_"), personal.holds_number)
    assert raised.value.key == "ledger_unreachable"


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"a letter to the municipality " * 200)
    with pytest.raises(SampladsError) as raised:
        book.open_(f"sqlite:///{tmp_path / 'ledger.sqlite'}", personal.holds_number)
    assert raised.value.key == "ledger_damaged"
    assert str(tmp_path) not in i18n.sentence(raised.value, "da")


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.sqlite").mkdir()
    for name in ("file/ledger.sqlite", "folder.sqlite"):
        with pytest.raises(SampladsError) as raised:
            book.open_(f"sqlite:///{tmp_path / name}", personal.holds_number)
        assert raised.value.key == "ledger_unwritable"


def test_another_writer_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    opened = book.open_(f"sqlite:///{tmp_path / 'ledger.sqlite'}", personal.holds_number)
    with opened.write() as session:
        session.execute(sa.text("select 1"))
        other = book.open_(f"sqlite:///{tmp_path / 'ledger.sqlite'}", personal.holds_number)
        # Reading goes on while somebody writes.
        assert audit.entries(other).is_empty()
        with pytest.raises(SampladsError) as raised:
            look(other)
        assert raised.value.key == "ledger_busy"
        other.close()
    look(opened)
    opened.close()


def test_every_sentence_of_the_ledger_exists_in_both_languages() -> None:
    import re

    # The ledger's own, and those of the page's form for a correction.
    package = Path(engine.__file__).parent
    sources = [*package.glob("*.py"), package.parent / "ui" / "correct.py"]
    keys = {key for path in sources for key in re.findall(r'"(ledger_[a-z_]+)"', path.read_text(encoding="utf-8"))}
    assert len(keys) > 20
    for language in i18n.LANGUAGES:
        told = {key.removeprefix("errors.") for key in i18n.catalogue(language) if key.startswith("errors.ledger_")}
        assert told == keys


# Several processes at once, and one that is killed.


def _open_and_write(address: str, number: int, done: Any) -> None:
    opened = book.open_(address, personal.holds_number)
    look(opened, number)
    opened.close()
    done.put(number)


def test_many_that_open_a_new_ledger_at_once_all_get_one(address: str) -> None:
    spawn = processes()
    done = spawn.Queue()
    others = [spawn.Process(target=_open_and_write, args=(address, number, done)) for number in range(4)]
    for other in others:
        other.start()
    assert sorted(done.get(timeout=60) for _ in others) == [0, 1, 2, 3]
    for other in others:
        other.join(30)
        assert other.exitcode == 0
    opened = book.open_(address, personal.holds_number)
    assert sorted(opened_id for (opened_id,) in audit.entries(opened)["subjects"].to_list()) == ["2026-0", "2026-1", "2026-2", "2026-3"]
    opened.close()


def _write_for_ever(address: str, told: Any) -> None:
    opened = book.open_(address, personal.holds_number)
    number = 0
    while True:
        with opened.write() as session:
            # Two rows in one transaction: both or none.
            for half in ("a", "b"):
                session.add(models.Audit(at=START, who=half, what="pair", subjects=[str(number)], purpose="p", version="v"))
        told.send(number)
        number += 1


def test_a_killed_writer_loses_nothing_that_was_told_and_leaves_no_half(address: str) -> None:
    spawn = processes()
    for wanted in (1, 7, 20):
        receiver, sender = spawn.Pipe(duplex=False)
        writer = spawn.Process(target=_write_for_ever, args=(address, sender))
        writer.start()
        sender.close()
        told = -1
        while told < wanted:
            assert receiver.poll(60)
            told = receiver.recv()
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join(30)
        while receiver.poll(0):
            try:
                told = receiver.recv()
            except EOFError:
                break
        opened = book.open_(address, personal.holds_number)
        rows = audit.entries(opened)
        rows = rows.filter(rows["what"] == "pair")
        pairs = rows.group_by("subjects").len()
        assert pairs.filter(pairs["len"] % 2 != 0).is_empty()
        kept = {int(number) for (number,) in rows["subjects"].to_list()}
        assert kept >= set(range(told + 1))
        look(opened)  # and the next one writes
        look(opened)
        opened.close()
