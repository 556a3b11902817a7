"""A full disk is a sentence, whichever library meets it first; what a killed process left aside is swept away."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from samplads import disk, i18n, publishing, settings, warehouse
from samplads.errors import SampladsError
from samplads.extracts import check, checking, read_delivery
from tests import small
from tests.deliveries import CODES, UNITS, write

FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    pl.exceptions.ComputeError("parquet: File out of specification: underlying IO error: No space left on device (os error 28)"),
    pl.exceptions.ComputeError("Disk quota exceeded (os error 122)"),
    duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
    duckdb.TransactionException("TransactionContext Error: Failed to commit: Could not write file: No space left on device"),
    duckdb.OutOfMemoryException("Out of Memory Error: not enough disk space in temp_directory"),
]
"""What a full disk was seen to raise, by type and words."""


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", ["archive", "_build"])
def test_a_full_disk_is_a_sentence_and_leaves_the_old_version(tmp_path, monkeypatch, error: Exception, step: str) -> None:
    first = small.publish(tmp_path)

    def full(root: Path, *_: object) -> None:
        (root / ".building-1.duckdb").write_bytes(b"half")
        (root / "deliveries" / f".{'0' * 20}").mkdir()
        raise error

    monkeypatch.setattr(warehouse, step, full)
    with pytest.raises(SampladsError, match="disk_full"):
        small.publish(tmp_path, small.archived(name="later"))
    assert warehouse.current(tmp_path) == first
    assert not list(tmp_path.rglob(".*"))


def test_other_errors_are_bugs_and_surface(tmp_path, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise duckdb.BinderException("no such column")

    monkeypatch.setattr(warehouse, "_build", broken)
    with pytest.raises(duckdb.BinderException):
        small.publish(tmp_path)


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_full_disk_for_temporary_files_is_a_sentence(tmp_path, monkeypatch, error: Exception) -> None:
    read = read_delivery(write(tmp_path, {"unit.csv": UNITS}))

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(checking, "MEMORY_BYTES", 0)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(SampladsError, match="temporary_full"):
        check(read, CODES)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", mount], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", mount], check=True)


def many_units(folder: Path) -> Path:
    rows = "".join(f"A-{number};T-{number % 97};Huset på bakken nummer {number * 7919 % 100_003};370\n" for number in range(20_000))
    return write(folder, {"unit.csv": "unit_id;offer_id;name;municipality\n" + rows})


def test_a_real_disk_that_is_full_when_publishing(tmp_path, small_disk: Path) -> None:
    folder = small_disk / "warehouse"
    with pytest.raises(SampladsError) as told:
        publishing.publish([many_units(tmp_path)], folder=folder)
    assert told.value.key == "disk_full"
    for language in i18n.LANGUAGES:
        assert "warehouse" in i18n.sentence(told.value, language)
    # The room is free again.
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {"publish.lock"}


def test_a_real_disk_that_is_full_while_the_version_is_built(tmp_path, small_disk: Path) -> None:
    """The archive of a few rows fits, DuckDB's file with the reference does not."""
    with pytest.raises(SampladsError, match="disk_full"):
        publishing.publish([write(tmp_path, {"unit.csv": UNITS})], folder=small_disk / "warehouse")
    assert not list((small_disk / "warehouse").glob("*.duckdb"))
    assert not list((small_disk / "warehouse").glob(".building-*"))


def test_a_real_disk_that_is_full_when_reading(tmp_path, small_disk: Path, monkeypatch) -> None:
    delivery = many_units(tmp_path)
    (delivery / "unit.csv").write_bytes((delivery / "unit.csv").read_text().encode("cp1252"))
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(SampladsError, match="temporary_full"):
        publishing.check(delivery, folder=tmp_path / "none")
    monkeypatch.setattr(checking, "MEMORY_BYTES", 0)
    with pytest.raises(SampladsError, match="temporary_full"):
        publishing.check(many_units(tmp_path), folder=tmp_path / "none")
    assert not list(small_disk.iterdir())


HOLDER = """
import sys, time
from samplads.extracts import read_delivery
from pathlib import Path
read = read_delivery(Path(sys.argv[1]))
print(read.unpacked, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_aside_is_swept_and_nothing_else(tmp_path, monkeypatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    delivery = write(tmp_path, {"unit.csv": UNITS.replace("Birkehuset", "Bøgehuset").encode("cp1252")})
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (temporary / "samplads-other").mkdir()
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(delivery)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        for _ in range(2)
    ]
    try:
        left, alive = (Path(holder.stdout.readline().strip()) for holder in holders if holder.stdout is not None)
        assert list(left.iterdir())
        holders[0].send_signal(signal.SIGKILL)
        holders[0].wait()
        assert left.is_dir()
        mine = read_delivery(delivery)
        assert not left.exists()
        assert list(alive.iterdir())
        assert mine.unpacked is not None
        assert mine.unpacked.is_dir()
        assert (temporary / "samplads-other").is_dir()
        assert disk.sweep() == 0
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            if holder.stdout is not None:
                holder.stdout.close()
