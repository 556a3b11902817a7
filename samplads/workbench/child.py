"""What a worker process does: one query, or one export, and then it ends.

A query's walls, in the order in which they are put up:
 1. limits of the operating system: address space, processor seconds, no bytes written to any file, no core file;
 2. Landlock: no file can be opened (the analyst copy is open already) and no network reached;
 3. DuckDB: read-only, no external access, the local file system off, no extensions, secrets or Python variables, no temporary files,
    memory, threads and time limited, and the configuration locked;
 4. no further file descriptor can be made;
 5. the gate: the statement is parsed and judged before it runs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import io
import os
import re
import resource
import signal
import socket
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa

from samplads.workbench import faults, gate, landlock, plain, wire
from samplads.workbench.faults import Place, SqlError, place

BATCH = 20_000
"""Rows in one piece of a stream."""
_MACHINE = tuple(Path(path) for path in ("/proc/self/cgroup", "/proc/stat", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"))
"""What DuckDB and the C library read of the machine's size when a database is opened; DuckDB ends the process where it may not."""
_NICE = 10
_TELL_EVERY = 0.4
"""Seconds between two words on how far a statement is; a short one says none."""
_EXIT_DONE, _EXIT_REFUSED = 0, 3


def warm_up() -> None:
    """Have everything imported that is imported on first use, before the fork."""
    # DuckDB imports it when it meets a moment with a zone.
    importlib.import_module("pytz")
    sink = io.BytesIO()
    batch = pa.record_batch({"a": pa.array(["x"]), "b": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)])})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    batch.to_pylist()
    duckdb.tokenize("select 1")
    SqlError("sql_failed", message="").to_json()
    unicodedata.east_asian_width("x")


def main(kind: str, opened: Opened | None, status_fd: int, stream_fd: int, target_fd: int | None = None) -> int:
    """Do one job; returns the exit code."""
    landlock.die_with_parent(signal.SIGKILL)
    # The application's answers come first, whatever an analyst asks for.
    os.nice(_NICE)
    status = socket.socket(fileno=status_fd)
    job = wire.receive(status)
    try:
        told = query(job, stream_fd, status, opened) if kind == "q" else _formatted(job, stream_fd, target_fd or 0, status)
    except SqlError as error:
        wire.send(status, {"error": error.to_json()})
        return _EXIT_REFUSED
    except BrokenPipeError:
        return wire.EXIT_UNREAD
    except MemoryError:
        wire.send(status, {"error": SqlError("sql_memory", megabytes=job.get("memory_mb", job["address_mb"])).to_json()})
        return _EXIT_REFUSED
    wire.send(status, {"done": told})
    return _EXIT_DONE


def _limit(job: dict[str, Any]) -> None:
    def at_most(what: int, most: int) -> None:
        resource.setrlimit(what, (most, most))

    at_most(resource.RLIMIT_AS, job["address_mb"] << 20)
    at_most(resource.RLIMIT_CPU, int(job["seconds"] * job["threads"]) + 5)
    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_FSIZE, 0)


@dataclass(frozen=True)
class Opened:
    """The analyst copy, open and shut off from everything else, and the names of its tables."""

    connection: duckdb.DuckDBPyConnection
    tables: tuple[str, ...]


def connect(file: str) -> Opened:
    """Open the analyst copy behind its locks; only the job's own limits and the last lock are still to be set (`_lock`).

    One thread and no helpers: the fork server opens the copy once and every child inherits it, which a fork with threads could not do.
    """
    connection = duckdb.connect(
        file,
        read_only=True,
        config={
            "threads": 1,
            "async_threads": 0,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
        },
    )
    for setting in (
        "temp_directory = ''",
        "search_path = 'main'",
        "timezone = 'Europe/Copenhagen'",
        "enable_external_access = false",
        "disabled_filesystems = 'LocalFileSystem'",
    ):
        connection.execute(f"set {setting}")
    rows = connection.execute("select table_name from duckdb_tables() where schema_name = 'main' order by all").fetchall()
    return Opened(connection, tuple(str(row[0]) for row in rows))


def _lock(connection: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> None:
    for setting in (
        f"memory_limit = '{int(job['memory_mb'])}MB'",
        f"threads = {int(job['threads'])}",
        f"max_execution_time = {int(job['seconds'] * 1000)}",
        "progress_bar_time = 0",
        "enable_progress_bar_print = false",
        "enable_progress_bar = true",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")


def query(job: dict[str, Any], stream_fd: int, status: socket.socket, opened: Opened | None = None) -> dict[str, Any]:
    """Run a statement and stream its result as Arrow; returns what there is to tell of it.

    `opened` is the analyst copy as the fork server opened it; without it the copy is opened here.
    """
    sys.setrecursionlimit(20_000)  # a parse tree may be a thousand expressions deep, and each is several levels of JSON
    began = time.monotonic()
    _limit(job)
    # What the fork server has opened stays open; nothing else can be opened from here on.
    walled = landlock.only_read() if opened else landlock.only_read(Path(job["file"]), *_MACHINE)
    try:
        copy = opened or connect(job["file"])
        _lock(copy.connection, job)
    except duckdb.Error as error:
        raise SqlError("analyst_copy_damaged", message=_first_line(str(error))) from None
    connection = copy.connection
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    statement = gate.check(connection, job["sql"], copy.tables)
    about: dict[str, Any] = {"kind": statement.kind, "parameters": list(statement.parameters), "tables": list(statement.tables)}
    if job["only_check"]:
        return about
    parameters = _parameters(job["parameters"], statement.parameters)
    wire.send(status, {"started": about, "walled": walled})
    with _progress(connection, status):
        about |= _stream(connection, job, parameters, os.fdopen(stream_fd, "wb", buffering=1 << 20))
    return about | {"seconds": time.monotonic() - began}


@contextlib.contextmanager
def _progress(connection: duckdb.DuckDBPyConnection, status: socket.socket) -> Iterator[None]:
    """Tell how far the statement is, as DuckDB reckons it, as long as the block runs; nothing where it cannot say."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_TELL_EVERY):
            share = connection.query_progress()
            if 0 <= share <= 100:
                try:
                    wire.send(status, {"progress": share / 100})
                except OSError:
                    return

    threading.stack_size(1 << 18)
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        # Whoever speaks on the channel next speaks alone.
        ended.set()
        teller.join()


def _parameters(given: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, object]:
    lower = {name.lower(): name for name in given}
    missing = [name for name in wanted if name.lower() not in lower]
    unknown = [name for name in given if name.lower() not in {wish.lower() for wish in wanted}]
    if missing:
        raise SqlError("sql_parameters_missing", names=", ".join(f"${name}" for name in missing))
    if unknown:
        raise SqlError("sql_parameters_unknown", names=", ".join(f"${name}" for name in unknown))
    return {name: wire.decode(given[lower[name.lower()]]) for name in wanted}


def _stream(connection: duckdb.DuckDBPyConnection, job: dict[str, Any], parameters: dict[str, object], stream: IO[bytes]) -> dict[str, Any]:
    most: int | None = job["rows"]
    try:
        # `sql` and not `execute`: only a relation hands its rows over as they are made. One row more than shown is asked for, so
        # that "cut" is known; the user's statement itself stays as it was written.
        relation = connection.sql(job["sql"], params=parameters) if parameters else connection.sql(job["sql"])
        if relation is None:
            raise SqlError("sql_statement_refused", statement="")
        types = [str(kind) for kind in relation.types]
        reader = plain.as_text(relation).to_arrow_reader(min(BATCH, most + 1) if most is not None else BATCH)
        schema, texts = _plain_schema(reader.schema, types)
        writer = pa.ipc.new_stream(stream, schema)
        rows, truncated = 0, False
        for batch in reader:
            left = batch.num_rows if most is None else most - rows
            truncated = batch.num_rows > left
            kept = _plain(batch.slice(0, min(left, batch.num_rows)), schema, texts)
            rows += kept.num_rows
            writer.write_batch(kept)
            if truncated:
                break
        writer.close()
        stream.flush()
    except duckdb.OutOfMemoryException:
        raise SqlError("sql_memory", megabytes=job["memory_mb"]) from None
    except duckdb.InterruptException:
        raise SqlError("sql_timeout", seconds=job["seconds"]) from None
    except BrokenPipeError:
        raise
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise said(job["sql"], _with_place(connection, job["sql"], parameters, str(error)), job) from None
    return {"rows": rows, "truncated": truncated, "columns": [[field.name, kind] for field, kind in zip(schema, types, strict=True)]}


def _with_place(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, object], message: str) -> str:
    """The message with DuckDB's mark of the place, which a relation's errors lack where they come from binding: EXPLAIN binds again."""
    if "\n\nLINE " in message:
        return message
    try:
        connection.cursor().execute(f"explain\n{sql}", parameters or None).fetchall()
    except duckdb.Error as error:
        text, _, marked = str(error).partition("\n\nLINE ")
        number, _, rest = marked.partition(":")
        if text == message and number.isdigit() and int(number) > 1:
            # One line up, and as many signs to the left as the number has lost.
            lost = len(number) - len(str(int(number) - 1))
            excerpt, _, caret = rest.partition("\n")
            return f"{text}\n\nLINE {int(number) - 1}:{excerpt}\n{caret[lost:]}"
    return message


def _plain_schema(schema: pa.Schema, types: list[str]) -> tuple[pa.Schema, list[int]]:
    """The schema with names made different, and types that a data frame does not know as text; which columns those are."""
    written = set(schema.names)
    taken: set[str] = set()
    seen: dict[str, int] = {}
    fields, texts = [], []
    for index, field in enumerate(schema):
        name = field.name
        while name in taken or (name != field.name and name in written):
            # A second `a` is `a_2`, unless the statement has an `a_2` of its own.
            seen[field.name] = seen.get(field.name, 1) + 1
            name = f"{field.name}_{seen[field.name]}"
        taken.add(name)
        is_plain = types[index] != "BIT" and _is_plain(field.type)
        if not is_plain:
            texts.append(index)
        fields.append(pa.field(name, field.type if is_plain else pa.string()))
    return pa.schema(fields), texts


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        if pa.types.is_struct(kind):
            return all(_is_plain(kind.field(index).type) for index in range(kind.num_fields))
        return (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)) and _is_plain(kind.value_type)
    known = (
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_binary,
        pa.types.is_date32,
        pa.types.is_timestamp,
        pa.types.is_time64,
        pa.types.is_null,
    )
    if pa.types.is_decimal128(kind):
        return True
    if pa.types.is_dictionary(kind):
        return bool(pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type))
    return any(check(kind) for check in known)


def _plain(batch: pa.RecordBatch, schema: pa.Schema, texts: list[int]) -> pa.RecordBatch:
    columns = list(batch.columns)
    for index in texts:
        columns[index] = pa.array([None if value is None else _as_text(value) for value in columns[index].to_pylist()], pa.string())
    return pa.record_batch(columns, schema=schema)


def _as_text(value: object) -> str:
    if isinstance(value, pa.MonthDayNano):
        parts = [(value.months, "months"), (value.days, "days"), (value.nanoseconds / 1e9, "seconds")]
        return " ".join(f"{amount:g} {unit}" for amount, unit in parts if amount) or "0 seconds"
    if isinstance(value, bytes):
        # DuckDB's BIT: how many bits of padding, then padding and bits.
        return "".join(f"{byte:08b}" for byte in value[1:])[value[0] :]
    if isinstance(value, list) and all(isinstance(item, tuple) and len(item) == 2 for item in value):
        return "{" + ", ".join(f"{key}: {_as_text(item)}" for key, item in value) + "}"
    return str(value)


def _first_line(message: str) -> str:
    return message.split("\n")[0][:300]


_SAID: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (key, re.compile(pattern, re.DOTALL))
    for key, pattern in (
        ("sql_column_unknown", r'Referenced column "(?P<name>.*?)" (?:was )?not found'),
        ("sql_column_unknown", r'Table ".*?" does not have a column named "(?P<name>.*?)"'),
        ("sql_column_unknown", r'[Cc]olumn "(?P<name>.*?)" does not exist on (?:left|right) side of join'),
        ("sql_alias_unknown", r'Referenced table "(?P<name>.*?)" not found'),
        ("sql_group_by", r'column "(?P<name>.*?)" must appear in the GROUP BY clause'),
        ("sql_ambiguous", r'Ambiguous reference to (?:column name|table) "(?P<name>.*?)" \(use: (?P<choices>.*?)\)'),
        ("sql_arguments", r"No function matches the given name and argument types '(?P<name>[^'(]*)\((?P<types>[^']*)\)'"),
        ("sql_arguments", r'Could not choose a best candidate function for the function call "(?P<name>[^"(]*)\((?P<types>[^"]*)\)"'),
        ("sql_value_day", r'(?:field value out of range|invalid \w+ field format): "(?P<value>.*?)"'),
        ("sql_value", r"Could not convert string '(?P<value>.*?)' to (?P<type>\w+)"),
        ("sql_value_large", r"Type \w+ with value (?P<value>\S+) can't be cast because the value is out of range"),
        ("sql_value_large", r"Overflow in \w+ of \w+ \((?P<value>.*?)\)"),
        ("sql_date_part", r'extract specifier "(?P<value>.*?)" not recognized'),
        ("sql_one_row", r"More than one row returned by a subquery"),
        ("sql_one_column", r"Subquery returns (?P<count>\d+) columns - expected 1"),
        ("sql_where_aggregate", r"(?:WHERE|JOIN|GROUP BY)(?: clause| condition)? cannot contain aggregates"),
        ("sql_where_window", r"(?:WHERE|HAVING|GROUP BY)(?: clause)? cannot contain window functions"),
        ("sql_nested_aggregate", r"aggregate function calls cannot be nested"),
        ("sql_set_columns", r"Set operations can only apply to expressions with the same number of result columns"),
        ("sql_order_place", r"(?:ORDER|GROUP BY) term out of range - should be between 1 and (?P<most>\d+)"),
        ("sql_division", r"Division by zero in expression \((?P<expression>.*?)\)"),
    )
)
"""What DuckDB 2.0 says, and our sentence for it."""
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def said(sql: str, message: str, job: dict[str, Any]) -> SqlError:
    """DuckDB's message as an error with its place.

    What DuckDB suggests ("Did you mean ...") comes from its whole catalogue, so it is dropped; the candidates that it names for a column
    come from the statement's own tables and stay.
    """
    text, _, marked = message.partition("\n\nLINE ")
    where = _marked_place(sql, marked) if marked else None
    lowered = text.lower()
    if "out of memory" in lowered or "bad_alloc" in lowered or "failed to allocate" in lowered or "could not allocate" in lowered:
        return SqlError("sql_memory", megabytes=job["memory_mb"])
    if "max_execution_time" in lowered or "interrupt" in lowered:
        return SqlError("sql_timeout", seconds=job["seconds"])
    body = re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", text)
    lines = [
        line
        for line in body.split("\n")
        if line.strip() and not re.match(r"\s*(Did you mean|Candidate|Possible|Extension|\t|Hint|HINT|.*SET )", line)
    ]
    said_candidates = [name for line in body.split("\n") if line.startswith("Candidate") for name in _QUOTED.findall(line)]
    for key, pattern in _SAID:
        if found := pattern.search(body):
            told = {name: value[:80].replace("_LITERAL", "") for name, value in found.groupdict().items()}
            return SqlError(key, where=where, candidates=said_candidates[:5], **told)
    if text.startswith("Parser Error"):
        return SqlError("sql_syntax_other", message=" ".join(lines)[:300], where=where)
    return SqlError("sql_failed", message=" ".join(lines)[:400] or _first_line(body), where=where)


def _marked_place(sql: str, marked: str) -> Place | None:
    """The place that DuckDB marks with a caret under an excerpt of the line."""
    found = re.match(r"(\d+): (.*)\n( *)(\^+)", marked)
    if found is None:
        return None
    number, excerpt, spaces, carets = int(found[1]), found[2], len(found[3]), len(found[4])
    lines = sql.split("\n")
    if not 1 <= number <= len(lines):
        return None
    shown = excerpt.removeprefix("...")
    start = lines[number - 1].find(shown.removesuffix("...").rstrip()) if excerpt.startswith("...") else 0
    # The caret is placed in cells of a terminal, after "LINE n: " and the dots of a cut line.
    cells = spaces - len(f"LINE {number}: ") - (3 if excerpt.startswith("...") else 0)
    signs = 0
    for sign in shown:
        width = faults.cells(sign)
        # A sign without width before the caret stands under the same cell as the sign that is meant.
        if cells <= 0 and width:
            break
        cells -= width
        signs += 1
    before = "\n".join([*lines[: number - 1], lines[number - 1][: max(start, 0) + signs]])
    return place(sql, len(before.encode()), carets)


def _formatted(job: dict[str, Any], stream_fd: int, target_fd: int, status: socket.socket) -> dict[str, Any]:
    from samplads.workbench import export

    for what, most in ((resource.RLIMIT_AS, job["address_mb"] << 20), (resource.RLIMIT_FSIZE, job["export_mb"] << 20)):
        resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def progress(rows: int) -> None:
        wire.send(status, {"rows": rows})

    try:
        # Closing the target writes what its buffer still holds, so that a full disk may show only there.
        with os.fdopen(stream_fd, "rb", buffering=1 << 20) as source, os.fdopen(target_fd, "wb") as target:
            return export.write(_batches(source), target, job["format"], temporary=Path(job["temporary"]), progress=progress)
    except OSError as error:
        # Arrow's own errors have no number.
        reason = os.strerror(error.errno) if error.errno else _first_line(str(error)) or type(error).__name__
        raise SqlError("export_disk", reason=reason) from None


def _batches(source: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """The batches of a stream; the first yields even where there are no rows, so that a header is known."""
    reader = pa.ipc.open_stream(source)
    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
    yield from reader
