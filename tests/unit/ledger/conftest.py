"""The ledger on both databases: every test that takes `ledger` runs on SQLite and on a PostgreSQL of its own.

PostgreSQL is Debian's (`apt-get install postgresql`), started once a session in a folder and on a socket of its own, as another than root.
Where it is not installed the tests are skipped with a reason; SAMPLADS_REQUIRE_POSTGRES=1 makes that a failure.
"""

from __future__ import annotations

import datetime as dt
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from samplads import ledger as book
from samplads.extracts import personal
from samplads.ledger import Ledger

HOW_TO_GET_POSTGRES = "no PostgreSQL server found: apt-get install postgresql"
TODAY = dt.date(2026, 11, 22)


class Watch:
    """A clock that is told what time it is, and goes on a second at each look."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.time += dt.timedelta(seconds=1)
        return self.time


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _unprivileged() -> list[str]:
    """The words before a command that make it run as somebody else than root: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return []
    user = next(name for name in ("postgres", "nobody") if any(entry.pw_name == name for entry in pwd.getpwall()))
    group = str(pwd.getpwnam(user).pw_gid)
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[..., str]]:
    """Makes a new database at each call, empty or as another one, and gives its address."""
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("SAMPLADS_REQUIRE_POSTGRES") == "1":
            pytest.fail(HOW_TO_GET_POSTGRES)
        pytest.skip(HOW_TO_GET_POSTGRES)
    before = _unprivileged()
    # Not under pytest's folders: those are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="samplads-postgres-"))
    data = folder / "data"

    def run(*command: str) -> None:
        # Output to a file: a server that is left running would hold a pipe open for ever.
        with (folder / "log").open("a") as log:
            done = subprocess.run(
                [*before, *command], stdout=log, stderr=log, cwd=folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
            )
        assert done.returncode == 0, (folder / "log").read_text()

    (folder / "log").touch()
    if before:
        owner = pwd.getpwnam(before[1].partition("=")[2])
        for path in (folder, folder / "log"):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    run(str(binaries / "initdb"), "-D", str(data), "-U", "samplads", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c shared_buffers=32MB -c max_connections=60"
    run(str(binaries / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "server.log"), "-w", "-t", "60", "start")
    made = 0
    server = sa.create_engine(f"postgresql+psycopg://samplads@/postgres?host={folder}", isolation_level="AUTOCOMMIT")

    def new(template: str = "template0") -> str:
        nonlocal made
        made += 1
        with server.connect() as connection:
            connection.execute(sa.text(f"create database ledger_{made} template {template}"))
        return f"postgresql://samplads@/ledger_{made}?host={folder}"

    try:
        yield new
    finally:
        server.dispose()
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger in a file, to be copied."""
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite"
    book.open_(f"sqlite:///{path}", personal.holds_number).close()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: Callable[..., str]) -> str:
    """The name of an empty ledger in PostgreSQL, to be copied."""
    address = postgres()
    book.open_(address, personal.holds_number).close()
    return str(sa.make_url(address).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a place where no ledger is yet, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    new: Callable[[], str] = request.getfixturevalue("postgres")
    return new()


@pytest.fixture
def plain(tmp_path: Path, migrated_file: Path) -> Iterator[Ledger]:
    """An open, empty ledger on SQLite, for what no database has a say in. Its clock starts at 22 November 2026, 9:00 UTC."""
    shutil.copy(migrated_file, tmp_path / "ledger.sqlite")
    opened = book.open_(f"sqlite:///{tmp_path / 'ledger.sqlite'}", personal.holds_number, clock=Watch())
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """The same on each database in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("plain")
        return
    new: Callable[..., str] = request.getfixturevalue("postgres")
    opened = book.open_(new(request.getfixturevalue("migrated_database")), personal.holds_number, clock=Watch())
    yield opened
    opened.close()
    server = sa.create_engine(opened.engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"drop database {opened.engine.url.database}"))
    server.dispose()
