"""Run an analyst's SQL in a process of its own, from the application's side.

    outcome = worker.run("select ...", copy)              # first 1,000 rows, and whether there are more
    running = worker.Run("select ...", copy); running.cancel()
    worker.export("select ...", copy, Path("all.parquet"), "parquet")

Nothing of the statement is read here: it is handed over, and what comes back is Arrow with a limit on its bytes, and messages. The child
is made by a fork server (`forkserver`) in about a hundredth of a second, and killed when its time is up, when it is cancelled, or when
this process goes away.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from samplads import disk, settings
from samplads.errors import SampladsError
from samplads.workbench import landing, wire
from samplads.workbench.faults import SqlError

log = logging.getLogger("samplads.workbench")

_GONE: dict[str, Any] = {"exit": "fork server", "peak_mb": 0, "cpu": 0.0}
"""A child's end where the fork server went away before it could tell of it."""
_MUCH = 0.75
"""The share of its memory from which on a killed process is thought to have been killed for it."""
_LOOK = 0.5
"""Seconds between two looks at what no message tells: how much is written, whether anybody still waits."""

FORMATS = ("csv", "xlsx", "parquet")


@dataclass(frozen=True)
class Limits:
    """What one statement may use. Memory in MiB, time in seconds."""

    rows: int = 1000
    seconds: float = 60.0
    export_seconds: float = 1800.0
    memory_mb: int = 512
    """DuckDB's own limit."""
    address_mb: int = 1152
    """The operating system's limit on the whole process: code (360 MiB), Arrow and allocations that DuckDB does not count."""
    writer_mb: int = 768
    """The same for the process that writes an export's file."""
    threads: int = 1
    preview_mb: int = 32
    """Most bytes of a shown result; the parent holds them in memory."""
    export_mb: int = 16384


@dataclass(frozen=True)
class Outcome:
    """The shown part of a result.

    `frame` holds the first `rows_shown` rows; `truncated` says that there are more. `columns` are (name, DuckDB's type). `plan` is the
    text of an EXPLAIN.
    """

    kind: str
    columns: tuple[tuple[str, str], ...]
    frame: pl.DataFrame
    truncated: bool
    rows_shown: int
    seconds: float
    plan: str | None = None
    peak_mb: int = 0


@dataclass(frozen=True)
class Checked:
    """A statement that may run: its kind, its parameters and the tables that it reads."""

    kind: str
    parameters: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Exported:
    """A whole result on disk."""

    path: Path
    rows: int
    sheets: int
    bytes: int
    seconds: float
    peak_mb: int


class _Server:
    """The fork server of this process, started on first use and again if it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Nothing of our environment goes along but what a Python needs: no tokens, no addresses, no proxies.
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(settings.ROOT), *(path for path in sys.path if path.endswith("site-packages"))]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            "OPENBLAS_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "1",
        }
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "samplads.workbench.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(60)
        if ours.recv(1) != b"r":
            raise RuntimeError("the fork server did not start")
        ours.settimeout(None)
        self._owner = os.getpid()
        return ours

    def ensure(self) -> None:
        """Start it unless it runs."""
        with self._lock:
            self._running()

    def _running(self) -> socket.socket:
        if self._control is None or self._owner != os.getpid() or (self._process is not None and self._process.poll() is not None):
            self._control = self._start()
        return self._control

    def spawn(self, message: bytes, *fds: int) -> None:
        """Have a child made that owns copies of these descriptors."""
        with self._lock:
            try:
                socket.send_fds(self._running(), [message], list(fds))
            except OSError:
                self._control = self._start()
                socket.send_fds(self._control, [message], list(fds))

    def stop(self) -> None:
        """End the fork server and every child of it."""
        with self._lock:
            if self._control is not None and self._owner == os.getpid():
                self._control.close()
                if self._process is not None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(5)
            self._control = self._process = None


_server = _Server()
atexit.register(_server.stop)


def start() -> None:
    """Start the fork server before the first query asks for it (half a second otherwise spent by the first user)."""
    _server.ensure()


def stop() -> None:
    """End the fork server."""
    _server.stop()


@dataclass
class _Child:
    """One child's ends on our side, and what is known of it."""

    leash: socket.socket
    status: socket.socket
    reader: wire.Reader = field(default_factory=wire.Reader)
    held: bytes = b""
    ended: dict[str, Any] | None = None
    done: dict[str, Any] | None = None
    error: SqlError | None = None

    @classmethod
    def spawn(cls, kind: bytes, job: Mapping[str, Any], *fds: int) -> _Child:
        leash, their_leash = socket.socketpair()
        status, their_status = socket.socketpair()
        with their_leash, their_status:
            _server.spawn(kind + os.fsencode(job.get("file", "")), their_leash.fileno(), their_status.fileno(), *fds)
        with contextlib.suppress(BrokenPipeError):
            wire.send(status, dict(job))
        return cls(leash, status)

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.leash.sendall(b"k")

    def yield_to_others(self) -> None:
        with contextlib.suppress(OSError):
            self.leash.sendall(b"n")

    def hear(self, tell: Callable[[dict[str, Any]], None] | None = None) -> bool:
        """Read the status channel; False when it is closed."""
        try:
            data = self.status.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        for message in self.reader.feed(data):
            if "error" in message:
                self.error = SqlError.from_json(message["error"])
            elif "done" in message:
                self.done = message["done"]
            elif tell is not None:
                tell(message)
        return bool(data)

    def hear_leash(self) -> bool:
        """Read the leash; False when the fork server has let go of it."""
        try:
            data = self.leash.recv(1 << 12)
        except ConnectionResetError:
            data = b""
        self.held += data
        for line in self.held.split(b"\n")[:-1]:
            told = json.loads(line)
            if "exit" in told:
                self.ended = told
        self.held = self.held.rpartition(b"\n")[2]
        return bool(data)

    def hear_rest(self) -> bool:
        """Read what an ended child said last; True where it was done."""
        while self.hear():
            pass
        return self.done is not None

    def unread(self) -> bool:
        """True where it ended because nobody read its rows any longer: then the reader is the one to ask why."""
        return self.ended is not None and self.ended.get("exit") == wire.EXIT_UNREAD

    def close(self) -> None:
        # Closing the leash kills what still runs.
        self.leash.close()
        self.status.close()


def _always() -> bool:
    return True


def _check_copy(copy: Path | None) -> str:
    if copy is None or not copy.is_file():
        raise SampladsError("analyst_copy_missing")
    return str(copy.resolve())


class Run:
    """One statement under way. `result()` waits for it; `cancel()` may be called by another thread, and it is cancelled when `wanted` says
    that nobody waits for it any more.

    `progress` is the share from 0 to 1 that DuckDB reckons done, None where it has said nothing.
    """

    def __init__(
        self,
        sql: str,
        copy: Path | None,
        *,
        parameters: Mapping[str, object] | None = None,
        limits: Limits | None = None,
        only_check: bool = False,
        wanted: Callable[[], bool] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._wanted = wanted or _always
        self.sql = sql
        self._only_check = only_check
        self._job = _job(sql, _check_copy(copy), parameters, self.limits, rows=self.limits.rows, seconds=self.limits.seconds)
        self._job["only_check"] = only_check
        self._child: _Child | None = None
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self.progress: float | None = None

    def _heard(self, message: dict[str, Any]) -> None:
        self.progress = message.get("progress", self.progress)

    def cancel(self) -> None:
        """Stop it: the process is killed."""
        with self._lock:
            self._cancelled.set()
            if self._child is not None:
                self._child.kill()

    def restart(self) -> None:
        """Make ready to run again after it was stopped: it only reads, so that nothing is left of its first run."""
        with self._lock:
            self._cancelled.clear()
            self.progress = None

    def yield_to_others(self) -> None:
        """Let shorter statements go first from now on."""
        with self._lock:
            if self._child is not None:
                self._child.yield_to_others()

    def result(self) -> Outcome:
        """Run to the end and hand over the shown part.

        Raises SqlError: what the gate or the database says, `sql_timeout`, `sql_cancelled`, `sql_memory`, `sql_result_wide`.
        """
        done, data, peak = self._drive()
        columns = tuple((str(name), str(kind)) for name, kind in done["columns"])
        frame = _frame(data, columns)
        plan = None
        if done["kind"] == "explain" and "explain_value" in frame.columns:
            plan = "\n".join(str(value) for value in frame["explain_value"])
        return Outcome(done["kind"], columns, frame, bool(done["truncated"]), frame.height, float(done["seconds"]), plan, peak)

    def checked(self) -> Checked:
        """Judge without running."""
        done, _, _ = self._drive()
        return Checked(done["kind"], tuple(done["parameters"]), tuple(done["tables"]))

    def _drive(self) -> tuple[dict[str, Any], bytearray, int]:
        read_end, write_end = os.pipe()
        try:
            with self._lock:
                if self._cancelled.is_set():
                    raise SqlError("sql_cancelled")
                child = self._child = _Child.spawn(b"q", self._job, write_end)
        finally:
            os.close(write_end)
        data = bytearray()
        too_wide = False
        deadline = time.monotonic() + self.limits.seconds + 1
        waiting = selectors.DefaultSelector()
        waiting.register(read_end, selectors.EVENT_READ, "data")
        waiting.register(child.status, selectors.EVENT_READ, "status")
        waiting.register(child.leash, selectors.EVENT_READ, "leash")
        timed_out = False
        try:
            while child.ended is None:
                left = deadline - time.monotonic()
                if left <= 0 and not timed_out:
                    timed_out = True
                    child.kill()
                elif not self._wanted():
                    self.cancel()
                for key, _ in waiting.select(min(max(left, 0), _LOOK) if not timed_out else 5):
                    if key.data == "data":
                        piece = os.read(read_end, 1 << 20)
                        data += piece
                        if not piece:
                            waiting.unregister(read_end)
                        elif len(data) > self.limits.preview_mb << 20 and not too_wide:
                            too_wide = True
                            child.kill()
                            waiting.unregister(read_end)
                    elif key.data == "status":
                        if not child.hear(self._heard):
                            waiting.unregister(child.status)
                    elif not child.hear_leash():
                        child.ended = child.ended or dict(_GONE)
            _drain(child, read_end, data if not too_wide else None)
        finally:
            waiting.close()
            os.close(read_end)
            with self._lock:
                child.close()
                self._child = None
        peak = int((child.ended or {}).get("peak_mb", 0))
        if child.done is None or too_wide:
            if self._cancelled.is_set() and child.done is None:
                error = SqlError("sql_cancelled")
            elif too_wide:
                error = SqlError("sql_result_wide", megabytes=self.limits.preview_mb)
            else:
                error = _why(child, self.limits.memory_mb, timed_out, self.limits.seconds)
            error.peak_mb = peak
            raise error
        return child.done, data, peak


def _frame(data: bytearray, columns: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """What a child sent, as a frame.

    Raises SqlError `sql_unreadable` where a value has no place in one.
    """
    import pyarrow as pa

    from samplads.workbench import plain

    try:
        table = pa.ipc.open_stream(data).read_all() if data else pa.table({})
        frame = _plain_wholes(pl.DataFrame(pl.from_arrow(plain.readable(table))), columns)
        # Whatever polars cannot hand over as a value is found here, not where a page shows it.
        frame.rows()
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OverflowError) as error:
        log.warning("a result that cannot be read: %s", error)
        raise SqlError("sql_unreadable") from None
    return frame


def _plain_wholes(frame: pl.DataFrame, columns: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """DuckDB's sums of whole numbers are 128 bits wide; where what is shown fits in 64, charts and tables get plain numbers."""
    wide = [name for name, kind in columns if kind in {"HUGEINT", "UHUGEINT"} and frame.schema[name].is_decimal()]
    most = 2**63 - 1
    fit = [name for name in wide if all(abs(value) <= most for value in frame[name].drop_nulls().to_list())]
    return frame.with_columns(pl.col(name).cast(pl.Int64) for name in fit)


def _drain(child: _Child, read_end: int, data: bytearray | None) -> None:
    """What an ended child left in its pipes: their writing ends are closed, so this ends."""
    while child.hear():
        pass
    while data is not None and (piece := os.read(read_end, 1 << 20)):
        data += piece


def _why(child: _Child, most_mb: int, timed_out: bool, seconds: float) -> SqlError:
    """Why a child ended that did not say so itself."""
    if child.error is not None:
        return child.error
    end = child.ended or {}
    code = end.get("exit")
    if timed_out or float(end.get("cpu", 0)) >= seconds or code == -signal.SIGXCPU:
        return SqlError("sql_timeout", seconds=round(seconds))
    if not isinstance(code, int):
        return SqlError("sql_died", code="-" if code is None else code)
    if code >= 0:
        return SqlError("sql_died", code=code)
    # An allocation that does not succeed ends a process by SIGABRT or SIGSEGV, a machine without memory by SIGKILL; each of them can
    # have another reason, and then it had not taken much.
    took = int(end.get("peak_mb", 0)) >= most_mb * _MUCH
    if code == -signal.SIGABRT or (took and code in {-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS}):
        return SqlError("sql_memory", megabytes=most_mb)
    return SqlError("sql_died", code=signal.Signals(-code).name)


def _job(
    sql: str, file: str, parameters: Mapping[str, object] | None, limits: Limits, *, rows: int | None, seconds: float
) -> dict[str, Any]:
    return {
        "sql": sql,
        "file": file,
        "parameters": {name: wire.encode(value) for name, value in (parameters or {}).items()},
        "rows": rows,
        "seconds": seconds,
        "memory_mb": limits.memory_mb,
        "address_mb": limits.address_mb,
        "threads": limits.threads,
        "only_check": False,
    }


def run(sql: str, copy: Path | None, *, parameters: Mapping[str, object] | None = None, limits: Limits | None = None) -> Outcome:
    """Run a statement on the analyst copy and show its first rows; see `Run`."""
    return Run(sql, copy, parameters=parameters, limits=limits).result()


def check(sql: str, copy: Path | None, *, limits: Limits | None = None) -> Checked:
    """Judge a statement without running it: for a form that asks for its parameters."""
    return Run(sql, copy, limits=limits, only_check=True).checked()


class Export:
    """A whole result on its way to a file. `result()` waits; `cancel()` may be called by another thread, and it is cancelled when `wanted`
    says that nobody waits for it any more; `rows` counts along.

    Two processes: the query's, behind all its walls, writes Arrow into a pipe; a second one, which reads no SQL, writes the file. Neither
    holds more than a few batches at a time.
    """

    def __init__(
        self,
        sql: str,
        copy: Path | None,
        target: Path,
        form: str,
        *,
        parameters: Mapping[str, object] | None = None,
        limits: Limits | None = None,
        wanted: Callable[[], bool] | None = None,
    ) -> None:
        if form not in FORMATS:
            raise SampladsError("export_format", format=form, formats=", ".join(FORMATS))
        self._wanted = wanted or _always
        self.limits = limits or Limits()
        self.target = target
        self.form = form
        self.rows = 0
        self.progress: float | None = None
        seconds = self.limits.export_seconds
        self._job = _job(sql, _check_copy(copy), parameters, self.limits, rows=None, seconds=seconds)
        self._children: list[_Child] = []
        self._cancelled = threading.Event()
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Stop it; no file is left."""
        with self._lock:
            self._cancelled.set()
            for child in self._children:
                child.kill()

    def restart(self) -> None:
        """Make ready to run again after it was stopped; no file is left of its first run."""
        with self._lock:
            self._cancelled.clear()
            self.rows, self.progress = 0, None

    def yield_to_others(self) -> None:
        """Let shorter statements go first from now on."""
        with self._lock:
            for child in self._children:
                child.yield_to_others()

    def _heard(self, message: dict[str, Any]) -> None:
        self.rows = int(message.get("rows", self.rows))
        self.progress = message.get("progress", self.progress)

    def result(self) -> Exported:
        """Wait for the file.

        Raises SqlError as `Run.result`, and `export_disk` where the file cannot be written.
        """
        began = time.monotonic()
        disk.sweep()
        try:
            with disk.Aside(disk.EXPORT_PREFIX) as folder, landing.landing(self.target, folder) as file:
                told, peak = self._drive(file.fileno(), folder)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise SqlError("export_disk", reason=error.strerror or "") from None
        return Exported(self.target, told["rows"], told["sheets"], size, time.monotonic() - began, peak)

    def _drive(self, target_fd: int, folder: Path) -> tuple[dict[str, Any], int]:
        read_end, write_end = os.pipe()
        try:
            with self._lock:
                if self._cancelled.is_set():
                    raise SqlError("sql_cancelled")
                form = {
                    "format": self.form,
                    "address_mb": self.limits.writer_mb,
                    "export_mb": self.limits.export_mb,
                    "temporary": str(folder),
                }
                query = _Child.spawn(b"q", self._job, write_end)
                self._children.append(query)
                writer = _Child.spawn(b"f", form, read_end, target_fd)
                self._children.append(writer)
            os.close(read_end)
            os.close(write_end)
            read_end = write_end = -1
            ended = self._wait(query, writer, target_fd, folder)
        finally:
            for end in (read_end, write_end):
                if end >= 0:
                    os.close(end)
            with self._lock:
                for child in self._children:
                    child.close()
                self._children.clear()
        timed_out = ended == "time"
        if self._cancelled.is_set() and writer.done is None:
            raise SqlError("sql_cancelled")
        if ended == "size":
            raise SqlError("export_disk", reason=os.strerror(errno.EFBIG))
        if query.done is None and query.error is not None and query.error.key != "sql_failed":
            raise query.error
        if query.done is None and query.error is None and not query.unread():
            # It was killed: what the writer says of half a stream is not the reason.
            raise _why(query, self.limits.memory_mb, timed_out, self.limits.export_seconds)
        if writer.error is not None:
            raise writer.error
        if query.done is None and not query.unread():
            raise _why(query, self.limits.memory_mb, timed_out, self.limits.export_seconds)
        if writer.done is None or query.done is None:
            raise _why(writer, self.limits.writer_mb, timed_out, self.limits.export_seconds)
        if int(writer.done["rows"]) != int(query.done["rows"]):
            raise SqlError("export_short", written=writer.done["rows"], rows=query.done["rows"])
        peak = max(int((child.ended or {}).get("peak_mb", 0)) for child in (query, writer))
        return writer.done, peak

    def _wait(self, query: _Child, writer: _Child, target_fd: int, folder: Path) -> str:
        """Wait for both to end; says `time` or `size` where they were stopped for it."""
        deadline = time.monotonic() + self.limits.export_seconds + 1
        stopped = ""
        with selectors.DefaultSelector() as waiting:
            for child in (query, writer):
                waiting.register(child.status, selectors.EVENT_READ, (child, "status"))
                waiting.register(child.leash, selectors.EVENT_READ, (child, "leash"))
            while query.ended is None or writer.ended is None:
                if not stopped:
                    # The system's limit is on each file; a workbook is laid in many before it is one.
                    stopped = "time" if time.monotonic() >= deadline else "size" if self._is_large(target_fd, folder) else ""
                    if stopped:
                        query.kill()
                        writer.kill()
                    elif not self._wanted():
                        self.cancel()
                for key, _ in waiting.select(min(max(deadline - time.monotonic(), 0), _LOOK) if not stopped else 5):
                    child, what = key.data
                    if what == "status":
                        if not child.hear(self._heard):
                            waiting.unregister(child.status)
                    elif not child.hear_leash():
                        child.ended = child.ended or dict(_GONE)
                        waiting.unregister(child.leash)
                    if (
                        query.ended is not None
                        and not query.unread()
                        and query.done is None
                        and not query.hear_rest()
                        and writer.ended is None
                    ):
                        # The query failed: what the writer makes of a half stream is thrown away.
                        writer.kill()
        for child in (query, writer):
            while child.hear(self._heard):
                pass
        return stopped

    def _is_large(self, target_fd: int, folder: Path) -> bool:
        size = os.fstat(target_fd).st_size
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                told = path.stat()
                # The target itself may lie there.
                size += told.st_size if told.st_ino != os.fstat(target_fd).st_ino else 0
        return size > self.limits.export_mb << 20


def export(
    sql: str,
    copy: Path | None,
    target: Path,
    form: str,
    *,
    parameters: Mapping[str, object] | None = None,
    limits: Limits | None = None,
) -> Exported:
    """Write a statement's whole result to a file; see `Export`."""
    return Export(sql, copy, target, form, parameters=parameters, limits=limits).result()
