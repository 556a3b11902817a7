"""The ledger's database: opening it, bringing it up to date, reading and writing in whole transactions, saying what is wrong in our words.

One address decides: `sqlite:///FILE` (the default) or `postgresql://USER:PASSWORD@HOST/DATABASE`. Others are refused: the promise that
nothing written is ever changed is kept by triggers of the database, and we have them for these two.

    SQLite       write-ahead log, so that readers and the writer do not wait for each other; every commit is on the disk before it is told;
                 a write takes the database's one write lock at its start, so that it never fails half-way for lack of it
    PostgreSQL   a read sees one state (repeatable read); a write is read committed, and what must be decided one at a time takes an
                 advisory lock by name (`alone`) until its transaction ends

Whatever a person types passes `text` or `content`: cleaned, bounded, and refused where it holds a civil registration number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from samplads.errors import SampladsError
from samplads.ledger import models

HEAD: Final = "0001"
"""The last migration. Named here so that an up-to-date ledger opens without importing Alembic; a test compares it with the files."""

BUSY_SECONDS: Final = 15
"""How long a write waits for another one before it says so."""

_WRITES: Final = "samplads_writes"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"

Recogniser = Callable[[str], bool]
"""Whether a text holds a civil registration number."""

Clock = Callable[[], dt.datetime]
"""Now, with a time zone."""


def now() -> dt.datetime:
    """The clock of the machine, in UTC."""
    return dt.datetime.now(dt.UTC)


class Ledger:
    """An open ledger. `write` and `read` give a session inside one transaction; the session's objects outlive it."""

    def __init__(self, engine: Engine, recognise: Recogniser, clock: Clock = now) -> None:
        self.engine = engine
        self.clock = clock
        self._recognise = recognise
        self._writes = engine.execution_options(**{_WRITES: True})
        self._reads = engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is kept when the block ends, and undone as a whole when it raises.

        Raises SampladsError `ledger_busy`, `ledger_unreachable`, `ledger_unwritable`, `ledger_damaged`.
        """
        with _in_words(self.engine.url), Session(self._writes, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the ledger and changes nothing."""
        with _in_words(self.engine.url), Session(self._reads, expire_on_commit=False) as session:
            yield session
            session.expunge_all()

    def alone(self, session: Session, *name: str) -> None:
        """Wait until no other transaction holds this name, then hold it to the end of this one: for what others may be deciding too."""
        if session.get_bind().dialect.name == "postgresql":
            key = int.from_bytes(hashlib.sha256("\0".join(name).encode()).digest()[:8], "big", signed=True)
            session.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": key})

    def text(self, value: str, what: str, *, longest: int = models.TEXT_LONGEST, required: bool = True) -> str:
        """What a person typed, cleaned of control signs and blanks around it.

        Raises SampladsError `ledger_text_missing`, `ledger_text_long`, `ledger_civil_number`; `what` names the field in the sentence.
        """
        cleaned = _clean(value)
        if required and not cleaned:
            raise SampladsError("ledger_text_missing", what=what)
        if len(cleaned) > longest:
            raise SampladsError("ledger_text_long", what=what, longest=longest)
        self._refuse_numbers(cleaned, what)
        return cleaned

    def content(self, value: Any, what: str) -> Any:
        """A value as it will come back from JSON: texts cleaned and looked through, days as ISO text.

        Raises SampladsError `ledger_civil_number`, and TypeError for what JSON cannot hold.
        """
        if isinstance(value, str):
            cleaned = _clean(value)
            self._refuse_numbers(cleaned, what)
            return cleaned
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        if isinstance(value, Mapping):
            return {self.content(str(key), what): self.content(one, what) for key, one in value.items()}
        if isinstance(value, Sequence | set | frozenset):
            return [self.content(one, what) for one in value]
        json.dumps(value, allow_nan=False)
        return value

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()

    def _refuse_numbers(self, text: str, what: str) -> None:
        if self._recognise(text):
            raise SampladsError("ledger_civil_number", what=what)


def _clean(text: str) -> str:
    """Text that both databases and every page can hold: no control signs but line ends and tabs, no halves of signs, composed letters."""
    whole = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(sign for sign in whole if sign in "\n\t" or unicodedata.category(sign) != "Cc").strip()


def open_(url: str, recognise: Recogniser, *, clock: Clock = now) -> Ledger:
    """Open the ledger at an address, made or brought up to date where it must be. Two that open at once: one waits for the other.

    Raises SampladsError `ledger_address`, `ledger_unreachable`, `ledger_unwritable`, `ledger_damaged`, `ledger_newer`.
    """
    address = _address(url)
    with _in_words(address):
        engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)
        try:
            _bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
    return Ledger(engine, recognise, clock)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise SampladsError("ledger_address") from error
    if backend == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and address.database not in {None, "", ":memory:"} and address.drivername in {"sqlite", "sqlite+pysqlite"}:
        return address
    raise SampladsError("ledger_address")


def _sqlite(address: URL) -> Engine:
    Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Python's driver opens and closes transactions by guessing; SQLAlchemy shall say when.
        connection.isolation_level = None
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "recursive_triggers = on"):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get(_WRITES) else "begin")

    return engine


def _postgresql(address: URL) -> Engine:
    return sa.create_engine(
        address,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": BUSY_SECONDS, "options": f"-c lock_timeout={BUSY_SECONDS * 1000} -c timezone=UTC"},
    )


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(5364728161)"))
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    """Run what is missing, inside the caller's transaction. Raises SampladsError `ledger_newer`."""
    from alembic import command, script
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {revision.revision for revision in script.ScriptDirectory.from_config(config).walk_revisions()}
    # Asked again under the lock: another process may have been first.
    found = _revision(connection)
    if found is not None and found not in known:
        raise SampladsError("ledger_newer", found=found, known=HEAD)
    command.upgrade(config, "head")


@contextmanager
def _in_words(address: URL) -> Iterator[None]:
    """What the database says about itself, as a sentence for a person. What it says about our statements is a bug and passes."""
    try:
        yield
    except OSError as error:
        raise SampladsError("ledger_unwritable", place=_place(address)) from error
    except DBAPIError as error:
        key = _sqlite_key(error) if address.get_backend_name() == "sqlite" else _postgresql_key(error)
        if key is None:
            raise
        raise SampladsError(key, place=_place(address), seconds=BUSY_SECONDS) from error


def _place(address: URL) -> str:
    """Where the ledger is, without a password and without the folders of the machine."""
    name = str(address.database or "")
    return Path(name).name if address.get_backend_name() == "sqlite" else f"{address.host or 'localhost'}/{name}"


_SQLITE_KEYS: Final = {
    "SQLITE_BUSY": "ledger_busy",
    "SQLITE_LOCKED": "ledger_busy",
    "SQLITE_READONLY": "ledger_unwritable",
    "SQLITE_FULL": "ledger_unwritable",
    "SQLITE_IOERR": "ledger_unwritable",
    "SQLITE_PERM": "ledger_unwritable",
    "SQLITE_CANTOPEN": "ledger_unwritable",
    "SQLITE_NOTADB": "ledger_damaged",
    "SQLITE_CORRUPT": "ledger_damaged",
}


def _sqlite_key(error: DBAPIError) -> str | None:
    # Extended names follow the plain one: SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE.
    name = "_".join(str(getattr(error.orig, "sqlite_errorname", "")).split("_")[:2])
    return _SQLITE_KEYS.get(name)


def _postgresql_key(error: DBAPIError) -> str | None:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state in {"55P03", "40P01", "40001"}:  # lock not available, deadlock, serialization
        return "ledger_busy"
    if state[:2] == "53" or state in {"25006", "42501"}:  # no resources (disk full), read-only, no right
        return "ledger_unwritable"
    if state[:2] in {"08", "57", "28", "3D"} or (
        not state and isinstance(error, OperationalError)
    ):  # connection, shutdown, sign-in, no such database
        return "ledger_unreachable"
    return None
