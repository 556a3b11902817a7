"""Publishing killed at random moments (SIGKILL) loses nothing: readers keep the old version, the next publish works and tidies up."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from samplads import publishing, queries, settings, warehouse
from tests import small

KILLS = 50
DEMO = settings.ROOT / "data" / "demo"


PARTS = ("manifest.yaml", "unit.parquet", "target_group_approval.parquet", "capacity.parquet", "stay.parquet")
"""The files of the demo that are published: every kind of build is made of these, and fifty kills stay within a minute."""


MOST_PUBLISHED = 200
"""Publishes that may come to their end before the blow falls, until fifty were killed."""


@dataclass
class Seen:
    """What one who reads all the while saw."""

    answers: int = 0
    faults: list[str] = field(default_factory=list)


@contextmanager
def reading(folder: Path, expected: Mapping[str, pl.DataFrame]) -> Iterator[Seen]:
    """A thread that asks the version in force again and again, and holds each answer against what that version holds."""
    seen, done = Seen(), threading.Event()

    def read() -> None:
        while not done.is_set():
            version = warehouse.current(folder)
            try:
                if not queries.run("unit_ids", version.path).equals(expected[version.id]):
                    seen.faults.append(f"another answer of {version.id}")
                seen.answers += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, a reader must not see it
                # A version that this test has rolled back meanwhile may be gone.
                if warehouse.current(folder).id == version.id:
                    seen.faults.append(repr(error))
            done.wait(0.01)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        done.set()
        reader.join()


def publish_one(delivery: Path, folder: Path) -> None:
    publishing.publish([delivery], folder=folder)


def published_files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.duckdb")}


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    first = small.publish(folder, small.archived(synthetic=True))
    units = queries.run("unit_ids", first.path)
    whole = tmp_path / "whole"
    delivery = tmp_path / "demo"
    delivery.mkdir()
    for name in PARTS:
        shutil.copy(DEMO / name, delivery)
    started = time.monotonic()
    target = publishing.publish([delivery], folder=whole).version
    seconds = time.monotonic() - started

    # Each publish in a process of its own, forked from one that has imported everything: a kill falls into the publish, not into Python's
    # start. The fork server starts no thread before it forks.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["samplads.publishing", "samplads.workbench.analyst_copy"])
    moments = random.Random(20261101)
    whole_units = queries.run("unit_ids", target.path)
    killed = published = 0
    with reading(folder, {first.id: units, target.id: whole_units}) as seen:
        while killed < KILLS:
            process = context.Process(target=publish_one, args=(delivery, folder))
            process.start()
            process.join(moments.uniform(0.0, 1.1) * seconds)
            process.kill()
            process.join()
            # One that came to its end before the blow is no kill.
            killed += process.exitcode == -signal.SIGKILL
            published += process.exitcode == 0
            assert published <= MOST_PUBLISHED, "the moments fall after the publish: none is killed"
            # Whatever the moment: what is in force is whole, and it is the old version or the new one.
            now = warehouse.current(folder)
            assert now.id in {first.id, target.id}
            if now.id == first.id:
                assert queries.run("unit_ids", now.path).equals(units)
            else:
                assert queries.run("unit_ids", now.path).equals(whole_units)
                warehouse.rollback(folder)
                assert warehouse.current(folder).id == first.id
                # What a rollback leaves for its readers would spare the next publish its work, and the kills their moments.
                for file in folder.glob(f"{target.id}.*"):
                    file.unlink()
                for digest in {*target.deliveries} - {*first.deliveries}:
                    shutil.rmtree(folder / "deliveries" / digest)
    assert killed == KILLS
    assert seen.faults == []
    # The reader read all the while, before the kills and between them.
    assert seen.answers > KILLS

    after = publishing.publish([delivery], folder=folder).version
    assert after.id == target.id
    pointer = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    known = {entry["id"] for entry in pointer["history"]}
    assert {name.split(".")[0] for name in published_files(folder)} <= known
    # Nothing half-made is left: no building files, no archive of a delivery without a name.
    assert not [path for path in folder.rglob(".*") if path.name.startswith((".building", ".current"))]
    assert {path.name for path in (folder / "deliveries").iterdir()} == {
        digest for entry in pointer["history"] for digest in entry["deliveries"]
    }
