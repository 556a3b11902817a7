"""The warehouse: deliveries that were accepted, published as one immutable file that is named by its content.

    <warehouse>/current.json              which version is in force, and what was in force before
    <warehouse>/<digest>.duckdb           one published version; never changed after it is named
    <warehouse>/<digest>.analyst.duckdb   the same without a row about a person, for analysts' own SQL
    <warehouse>/deliveries/<digest>/      what was accepted of one delivery, as Parquet, with its findings: the archive
    <warehouse>/publish.lock              held by the one who publishes

Publishing goes: check, keep the accepted rows in the archive, build a version aside from the archive, name it by the digest of everything
that went into it, and switch `current.json` in one rename. Killed anywhere before the rename, the old version stands and the next publish
cleans up; the same deliveries in any order give the same digest, so publishing twice changes nothing.

Builds are SQL: `queries/warehouse/<table>.sql` makes one table each, in the order of `order.txt`.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from samplads import disk, settings
from samplads.errors import SampladsError
from samplads.reference import Reference

FORMAT = 3
"""Raised when a published file changes its shape, so that an old file is never read as a new one."""

_DIGEST = "[0-9a-f]{20}"
_VERSION = re.compile(rf"({_DIGEST})(\.analyst)?\.duckdb(\.wal)?")
_LEFT_OVER = re.compile(rf"\.building-(\d+|{_DIGEST}\.analyst)\.duckdb(\.wal|\.tmp)?|\.current\.json\.\d+")
"""How our own files are called. Whatever else lies in a warehouse's folder is somebody's, and is never removed."""


@dataclass(frozen=True)
class Version:
    """One published version: its digest, its file, and the archived deliveries it was made from."""

    id: str
    path: Path
    deliveries: tuple[str, ...]
    published_at: str


@dataclass(frozen=True)
class Archived:
    """One delivery on its way into the archive.

    `frames` are the accepted rows by extract, lazy, so that a delivery larger than memory passes through; `source` is whatever they read
    from, kept alive as long as this is. `set_aside` are rows to be mended by the sender; they stay in the archive and enter no warehouse.
    `digest` is of what the delivery came to, `files` of its files alone.
    """

    digest: str
    name: str
    as_of: dt.date
    synthetic: bool
    frames: Mapping[str, pl.LazyFrame]
    findings: pl.DataFrame
    counts: pl.DataFrame
    sender: str | None = None
    source: object = None
    set_aside: pl.DataFrame | None = None
    files: str = ""

    def __post_init__(self) -> None:
        # What is called like a citizen's number is refused where it is read; here is the last place before the name is written down.
        from samplads.extracts.personal import redacted

        object.__setattr__(self, "name", redacted(self.name))
        object.__setattr__(self, "sender", None if self.sender is None else redacted(self.sender))


def _folder(folder: Path | None) -> Path:
    return folder or settings.read().warehouse


def _called(folder: Path) -> str:
    return folder.name or str(folder)


def _unusable(folder: Path) -> SampladsError:
    """Why nothing can be read or written in a warehouse's folder: it is no folder, or the system forbids it."""
    with suppress(OSError):
        if any(path.exists() and not path.is_dir() for path in (folder, *folder.parents)):
            return SampladsError("warehouse_no_folder", folder=_called(folder))
    return SampladsError("warehouse_unusable", folder=_called(folder))


def _pointer(folder: Path) -> dict[str, Any]:
    """What `current.json` says.

    Raises SampladsError `warehouse_pointer_damaged`, `warehouse_no_folder`, `warehouse_unusable`.
    """
    try:
        pointer = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"history": []}
    except OSError as error:
        raise _unusable(folder) from error
    except (ValueError, RecursionError) as error:
        raise SampladsError("warehouse_pointer_damaged", folder=_called(folder)) from error
    if not isinstance(pointer, dict) or not isinstance(pointer.get("history"), list) or not all(map(_is_entry, pointer["history"])):
        raise SampladsError("warehouse_pointer_damaged", folder=_called(folder))
    return pointer


def _is_entry(told: object) -> bool:
    """Whether something in `current.json` names a version. Its names become paths: none may lead out of the folder."""
    if not isinstance(told, dict) or not isinstance(told.get("deliveries"), list) or not isinstance(told.get("published_at"), str):
        return False
    return all(isinstance(name, str) and re.fullmatch(r"\w[\w-]*", name) for name in (told.get("id"), *told["deliveries"]))


def _version(folder: Path, entry: Mapping[str, Any]) -> Version:
    return Version(entry["id"], folder / f"{entry['id']}.duckdb", tuple(entry["deliveries"]), entry["published_at"])


def current(folder: Path | None = None) -> Version:
    """The version in force.

    Raises SampladsError `warehouse_missing` where nothing is published, `warehouse_damaged` where its file is gone, and what `history`
    raises where the folder cannot be read.
    """
    root = _folder(folder)
    history = _pointer(root)["history"]
    if not history:
        raise SampladsError("warehouse_missing", folder=root.name)
    version = _version(root, history[-1])
    if not version.path.is_file():
        raise SampladsError("warehouse_damaged", file=version.path.name)
    return version


def history(folder: Path | None = None) -> list[Version]:
    """Every version that can be rolled back to, the one in force last.

    Raises SampladsError `warehouse_pointer_damaged`, `warehouse_no_folder`, `warehouse_unusable`.
    """
    root = _folder(folder)
    return [_version(root, entry) for entry in _pointer(root)["history"]]


def file_of(place: Path | None = None) -> Path:
    """The published file to read: the one given, else the one in force in a folder.

    Raises what `current` raises.
    """
    try:
        if place is not None and place.is_file():
            return place
    except OSError as error:
        raise _unusable(place or _folder(place)) from error
    return current(place).path


def _replace(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new one, and power loss leaves one of the two."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _publishing(root: Path, wait_seconds: float) -> Iterator[list[Path]]:
    """Hold the right to publish; wait for another publisher, then say so. A killed holder lets go by itself.

    Yields a list for what is newly made: where publishing fails, it is removed again unless it came in force.
    """
    with _said_of(root), disk.told_when_full(root.name):
        root.mkdir(parents=True, exist_ok=True)
        with (root / "publish.lock").open("w") as lock:
            deadline = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise SampladsError("publish_busy", seconds=round(wait_seconds)) from None
                    time.sleep(0.05)
            _tidy(root)
            made: list[Path] = []
            try:
                yield made
            except BaseException:
                # What never came in force is worth nothing, and on a full disk its room is.
                _tidy(root)
                in_force = {name for entry in _pointer(root)["history"] for name in (entry["id"], *entry["deliveries"])}
                for path in made:
                    if path.name.split(".")[0] not in in_force:
                        _remove(path)
                raise


@contextmanager
def _said_of(root: Path) -> Iterator[None]:
    """Turn what the system says of a warehouse's folder (no such place, not allowed, read-only) into a SampladsError that names it."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise _unusable(root) from error


def _tidy(root: Path) -> None:
    """Remove what a publish that did not come to its end has left; its own right to publish must be held."""
    for left_over in [*root.glob(".*"), *(root / "deliveries").glob(".*")]:
        if re.fullmatch(rf"\.{_DIGEST}", left_over.name) if left_over.parent != root else _LEFT_OVER.fullmatch(left_over.name):
            _remove(left_over)


def _remove(path: Path) -> None:
    """Remove a file or folder of ours. What cannot be removed does no harm where it lies: the next who tidies up tries again."""
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def archive(root: Path, delivery: Archived) -> None:
    """Keep what was accepted of a delivery; already kept and whole means nothing to do."""
    target = root / "deliveries" / delivery.digest
    if target.is_dir():
        with suppress(SampladsError):
            _manifest(root, delivery.digest)
            return
        shutil.rmtree(target)
    aside = target.with_name(f".{delivery.digest}")
    aside.mkdir(parents=True)
    for extract, frame in delivery.frames.items():
        frame.sink_parquet(aside / f"{extract}.parquet")
    delivery.findings.write_parquet(aside / "finding.parquet")
    delivery.counts.write_parquet(aside / "delivery_count.parquet")
    if delivery.set_aside is not None and delivery.set_aside.height:
        delivery.set_aside.write_parquet(aside / "set_aside.parquet")
    manifest = {
        "digest": delivery.digest,
        "name": delivery.name,
        "as_of": delivery.as_of.isoformat(),
        "synthetic": delivery.synthetic,
        "sender": delivery.sender,
        "extracts": sorted(delivery.frames),
        "files": delivery.files,
        "received_at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
    }
    (aside / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    aside.rename(target)


def _place_in_time(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """Where a delivery stands among others: the day it speaks of, when it came, and its digest."""
    return manifest["as_of"], manifest.get("received_at", ""), manifest["digest"]


def _manifest(root: Path, digest: str) -> dict[str, Any]:
    """What an archived delivery says of itself, all of its files being there: what lacks one would silently be less.

    Raises SampladsError `archive_damaged`.
    """
    folder = root / "deliveries" / digest
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        dt.date.fromisoformat(manifest["as_of"])
        is_whole = {"digest", "name", "synthetic", "sender"} <= set(manifest) and all(
            (folder / f"{name}.parquet").is_file() for name in ("finding", "delivery_count", *manifest["extracts"])
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
        raise SampladsError("archive_damaged", folder=_called(root), digest=digest) from error
    if not is_whole:
        raise SampladsError("archive_damaged", folder=_called(root), digest=digest)
    return manifest


def set_aside(digest: str, folder: Path | None = None) -> pl.DataFrame | None:
    """The rows of an archived delivery that were set aside, to be mended by the sender; None where none were kept."""
    file = _folder(folder) / "deliveries" / digest / "set_aside.parquet"
    return pl.read_parquet(file, memory_map=False) if re.fullmatch(r"[0-9a-f]+", digest) and file.is_file() else None


def _builds(queries: Path) -> list[tuple[str, str]]:
    """The build statements in order: table name and SELECT."""
    folder = queries / "warehouse"
    order = [line.strip() for line in (folder / "order.txt").read_text(encoding="utf-8").splitlines()]
    return [(table, (folder / f"{table}.sql").read_text(encoding="utf-8")) for table in order if table and not table.startswith("#")]


def _content_digest(deliveries: Sequence[str], reference: Reference, builds: Sequence[tuple[str, str]]) -> str:
    digest = hashlib.sha256(f"format {FORMAT}\n{reference.digest}\n".encode())
    for part in [*deliveries, *(f"{table}\n{sql}" for table, sql in builds)]:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:20]


def _extract_source(root: Path, extract: str, deliveries: Sequence[str]) -> str:
    """SQL for all archived rows of an extract, later deliveries first in rank; an empty table of the right types where there are none."""
    # Only who publishes needs the contracts: reading them takes longer than most answers.
    from samplads.contracts import CONTRACTS

    contract = CONTRACTS[extract]
    columns = ", ".join(f'"{name}"' for name in contract.columns())
    parts = []
    for rank, digest in enumerate(deliveries):
        file = root / "deliveries" / digest / f"{extract}.parquet"
        if file.is_file():
            quoted = str(file).replace("'", "''")
            parts.append(f"select {columns}, {rank} as delivery_rank, '{digest}' as delivery_digest from read_parquet('{quoted}')")
    if not parts:
        return "select *, 0 as delivery_rank, '' as delivery_digest from empty_" + extract
    return " union all ".join(parts)


def _last_word(extract: str, key: str) -> str:
    """Which of several delivered rows counts: the last delivery that holds the key.

    A unit's approvals are one statement: the last delivery that speaks of the unit replaces them all, so that one can be taken away.
    """
    if extract == "target_group_approval":
        return "qualify delivery_rank = max(delivery_rank) over (partition by unit_id)"
    return f"qualify row_number() over (partition by {key} order by delivery_rank desc) = 1"


def _build(root: Path, file: Path, deliveries: Sequence[str], reference: Reference, builds: Sequence[tuple[str, str]]) -> None:
    """Build a version into `file`: reference tables, one table per extract, then the tables of `queries/warehouse/`."""
    from samplads.contracts import CONTRACTS

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        quoted = str(file).replace("'", "''")
        connection.execute(f"attach '{quoted}' as built")
        connection.execute("use built")
        connection.execute("set preserve_insertion_order = true")
        for name, frame in reference.tables().items():
            connection.register("reference_frame", frame)
            connection.execute(f'create table "{name}" as select * from reference_frame')
            connection.unregister("reference_frame")
        manifests = [_manifest(root, digest) for digest in deliveries]
        _build_deliveries(connection, root, manifests)
        for extract, contract in CONTRACTS.items():
            connection.register(f"empty_{extract}", contract.create_empty())
            source = _extract_source(root, extract, deliveries)
            # Every delivered state of a row, so that a build can say what changed; not kept in the published file.
            connection.execute(f"create temp view {extract}_delivered as {source}")
            key = ", ".join(f'"{name}"' for name in contract.primary_key())
            connection.execute(
                f"create table {extract} as select * exclude (delivery_rank) from ({source}) "
                f"{_last_word(extract, key) if source.count('read_parquet') > 1 else ''} order by {key}"
            )
        # A group that no tree tells of stands for itself: another country's folder need not have a tree at all.
        connection.execute(
            "insert into target_group_closure by name "
            "select distinct told.code as ancestor, told.code as descendant from ("
            "select target_group as code from target_group_approval "
            "union all select unnest(target_groups) from need union all select unnest(excludes_groups) from night_roster"
            ") as told anti join target_group_closure as known on told.code = known.descendant where told.code is not null order by all"
        )
        for table, sql in builds:
            connection.execute(f'create table "{table}" as {sql}')
        connection.execute("checkpoint")
    finally:
        connection.close()


def _build_deliveries(connection: duckdb.DuckDBPyConnection, root: Path, manifests: Sequence[Mapping[str, Any]]) -> None:
    rows = pl.DataFrame(
        {
            "delivery": [manifest["name"] for manifest in manifests],
            "digest": [manifest["digest"] for manifest in manifests],
            "as_of": [dt.date.fromisoformat(manifest["as_of"]) for manifest in manifests],
            "sender": [manifest["sender"] for manifest in manifests],
            "synthetic": [bool(manifest["synthetic"]) for manifest in manifests],
        },
        schema={"delivery": pl.String, "digest": pl.String, "as_of": pl.Date, "sender": pl.String, "synthetic": pl.Boolean},
    )
    connection.register("delivery_frame", rows)
    connection.execute("create table delivery as select * from delivery_frame order by as_of, digest")
    # Only who publishes needs what is found: it is read with the contracts.
    from samplads.extracts import MUNICIPALITY_COUNTS, SCHEMA

    for table, schema in (("finding", SCHEMA), ("delivery_count", MUNICIPALITY_COUNTS)):
        connection.register("told_frame", pl.DataFrame(schema=schema | {"delivery_digest": pl.String()}))
        # Two deliveries may have the same name, never the same digest.
        parts = ["select * from told_frame"]
        for manifest in manifests:
            quoted = str(root / "deliveries" / manifest["digest"] / f"{table}.parquet").replace("'", "''")
            parts.append(f"select *, '{manifest['digest']}' as delivery_digest from read_parquet('{quoted}')")
        connection.execute(f"create table {table} as " + " union all by name ".join(parts))
        connection.unregister("told_frame")


def publish(
    deliveries: Sequence[Archived],
    reference: Reference,
    folder: Path | None = None,
    *,
    wait_seconds: float = 60,
    queries: Path | None = None,
    beside: Callable[[Path, Path], None] | None = None,
) -> tuple[Version, bool]:
    """Publish deliveries on top of what is in force; returns the version in force afterwards and whether anything changed.

    Demonstration data and real data never mix: the first real delivery sets demonstration deliveries aside, and a demonstration delivery
    replaces another. `beside(version, copy)` makes the analysts' copy `<digest>.analyst.duckdb` of a version, before it is in force.

    Raises SampladsError `publish_busy`, `disk_full`, `nothing_to_publish`, `demo_over_real`, `archive_damaged`, and what `history` raises
    where the folder cannot be used.
    """
    if not deliveries:
        raise SampladsError("nothing_to_publish")
    root = _folder(folder)
    builds = _builds(queries or settings.read().queries)
    with _publishing(root, wait_seconds) as made:
        pointer = _pointer(root)
        before = list(pointer["history"][-1]["deliveries"]) if pointer["history"] else []
        # What is delivered again is archived again where its folder is gone: its manifest is not asked for.
        again = {delivery.digest: delivery.synthetic for delivery in deliveries}
        is_demo = {digest: again[digest] if digest in again else bool(_manifest(root, digest)["synthetic"]) for digest in before}
        synthetic = any(delivery.synthetic for delivery in deliveries)
        if synthetic and not all(is_demo.values()):
            raise SampladsError("demo_over_real", folder=root.name)
        kept = [] if synthetic else [digest for digest in before if not is_demo[digest]]
        for delivery in deliveries:
            if not (root / "deliveries" / delivery.digest).is_dir():
                made.append(root / "deliveries" / delivery.digest)
            archive(root, delivery)
        # The same files again, which came to something else now: what they came to before has had its day.
        turned = {delivery.files: delivery.digest for delivery in deliveries if delivery.files}
        kept = [digest for digest in kept if turned.get(_manifest(root, digest).get("files", ""), digest) == digest]
        chosen = {*kept, *(delivery.digest for delivery in deliveries)}
        # By the day a delivery speaks of, not by the day it came: deliveries of different days in any order are the same warehouse. Of the
        # same day the one that came last has the last word, so that a sheet that was mended and returned counts.
        ordered = sorted(chosen, key=lambda digest: _place_in_time(_manifest(root, digest)))
        version_id = _content_digest(ordered, reference, builds)
        target = root / f"{version_id}.duckdb"
        is_in_force = bool(pointer["history"]) and pointer["history"][-1]["id"] == version_id and target.is_file()
        if not target.is_file():
            made.append(target)
            aside = root / f".building-{os.getpid()}.duckdb"
            _build(root, aside, ordered, reference, builds)
            aside.rename(target)
        copy = target.with_suffix(".analyst.duckdb")
        if beside is not None and not copy.is_file():
            beside(target, copy)
        if is_in_force:
            return _version(root, pointer["history"][-1]), False
        entry = {
            "id": version_id,
            "deliveries": ordered,
            "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
        _switch(root, [*pointer["history"], entry])
        return _version(root, entry), True


def rollback(folder: Path | None = None, *, wait_seconds: float = 60) -> Version:
    """Put the version before the one in force back in force.

    The withdrawn one's file stays until the next publication: pages may be reading it.

    Raises SampladsError `rollback_impossible` where there is none, `rollback_damaged` where its file is gone.
    """
    root = _folder(folder)
    with _publishing(root, wait_seconds):
        entries = _pointer(root)["history"]
        if len(entries) < 2:
            raise SampladsError("rollback_impossible")
        before = _version(root, entries[-2])
        if not before.path.is_file():
            raise SampladsError("rollback_damaged", file=before.path.name, folder=_called(root))
        _point(root, entries[:-1])
        return before


def _point(root: Path, entries: list[Mapping[str, Any]]) -> None:
    """Put the last entry in force."""
    _replace(root / "current.json", json.dumps({"format": FORMAT, "history": entries}, indent=1))


def _switch(root: Path, entries: list[Mapping[str, Any]]) -> None:
    """Put the last entry in force and drop versions and archived deliveries that nothing refers to any more.

    The version that was in force until now keeps its file whatever SAMPLADS_KEEP says: a page that began before this moment reads it to its
    end. The next publication drops it.
    """
    kept = entries[-max(settings.read().keep, 1) :]
    _point(root, kept)
    alive = {entry["id"] for entry in [*kept, *entries[-2:]]}
    # From here on the new version is in force, whatever cannot be tidied away.
    for file in _listed(root):
        version = _VERSION.fullmatch(file.name)
        if version and version[1] not in alive:
            _remove(file)
    used = {digest for entry in kept for digest in entry["deliveries"]}
    for archived in _listed(root / "deliveries"):
        if re.fullmatch(_DIGEST, archived.name) and archived.name not in used and archived.is_dir():
            _remove(archived)


def _listed(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []
