"""A published warehouse is whole, named by its content, switched at once, and can be rolled back."""

from __future__ import annotations

import datetime as dt
import itertools
import multiprocessing
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from samplads import queries, warehouse
from samplads.errors import SampladsError
from tests import small

LATER = small.DAY + dt.timedelta(days=14)


def later_delivery() -> warehouse.Archived:
    return small.archived(
        {
            "unit": [{**small.UNITS[0], "name": "Birkehuset Nord", "daily_rate_ore": 284500, "price_year": 2026}],
            "capacity": [{**small.CAPACITY[0], "as_of": LATER, "occupied": 7, "accepting": 0}],
            "target_group_approval": [small.APPROVALS[0]],
        },
        name="later",
        as_of=LATER,
    )


def contents(version: warehouse.Version, table: str) -> pl.DataFrame:
    import duckdb

    with duckdb.connect(str(version.path), read_only=True) as connection:
        return connection.sql(f"select * from {table}").pl()


def test_unit_now_joins_places_and_expands_groups(tmp_path: Path) -> None:
    now = contents(small.publish(tmp_path), "unit_now").sort("unit_id")
    assert now["unit_id"].to_list() == ["A-1", "A-2", "B-1"]
    assert now["accepting"].to_list() == [1, 0, 2]
    assert now["municipality_name"].to_list() == ["Næstved", "Næstved", "Køge"]
    # A parent's approval covers its leaves; the delivered list stays as it was told.
    assert small.AUTISM in now["covered_primary"][1].to_list()
    assert now["primary_groups"][1].to_list() == [small.DEVELOPMENTAL]
    assert now["covered_excluded"][2].to_list() == [small.EXTERNALISING]
    assert now["covered_primary"][2].to_list() == []


def test_publishing_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    first, changed = warehouse.publish([small.archived()], small.reference(), tmp_path)
    again, changed_again = warehouse.publish([small.archived()], small.reference(), tmp_path)
    assert changed
    assert not changed_again
    assert first == again
    assert len(warehouse.history(tmp_path)) == 1


def test_order_of_publishing_does_not_matter(tmp_path: Path) -> None:
    third = small.archived({"capacity": [{**small.CAPACITY[2], "as_of": LATER, "accepting": 5}]}, name="third", as_of=LATER)
    deliveries = [small.archived(), later_delivery(), third]
    ids = set()
    for number, order in enumerate(itertools.permutations(deliveries)):
        for delivery in order:
            version = small.publish(tmp_path / str(number), delivery)
        ids.add(version.id)
        tables = {table: contents(version, table) for table in ("unit", "capacity", "unit_change", "target_group_approval")}
        if number == 0:
            expected = tables
        for table, told in tables.items():
            assert told.equals(expected[table]), table
    # Two are of the same day: which of them came last is part of what went into a version, though here it changes nothing.
    assert len(ids) == 2


def test_days_decide_whatever_the_order(tmp_path: Path) -> None:
    third = small.archived({"capacity": [{**small.CAPACITY[2], "accepting": 5}]}, name="third", as_of=LATER + dt.timedelta(days=1))
    orders = itertools.permutations([small.archived(), later_delivery(), third])
    versions = [[small.publish(tmp_path / str(number), delivery) for delivery in order][-1] for number, order in enumerate(orders)]
    assert len({version.id for version in versions}) == 1


def test_of_the_same_day_the_last_that_came_counts(tmp_path: Path) -> None:
    def told(accepting: int) -> warehouse.Archived:
        return small.archived({"capacity": [{**small.CAPACITY[2], "accepting": accepting}]}, name=f"{accepting} ledige")

    for number, order in enumerate(itertools.permutations([1, 2, 3])):
        version = small.publish(tmp_path / str(number), small.archived())
        for accepting in order:
            version = small.publish(tmp_path / str(number), told(accepting))
        row = contents(version, "capacity").filter(
            pl.col("unit_id") == small.CAPACITY[2]["unit_id"], pl.col("as_of") == small.CAPACITY[2]["as_of"]
        )
        assert row["accepting"].to_list() == [order[-1]]


def test_the_last_delivery_has_the_word_and_changes_are_kept(tmp_path: Path) -> None:
    version = small.publish(tmp_path, small.archived(), later_delivery())
    unit = contents(version, "unit").filter(pl.col("unit_id") == "A-1")
    assert unit["name"].to_list() == ["Birkehuset Nord"]
    # One approval was not repeated, so it is gone.
    assert contents(version, "target_group_approval").filter(pl.col("unit_id") == "A-1").height == 1
    assert contents(version, "capacity").filter(pl.col("unit_id") == "A-1").height == 2
    changes = contents(version, "unit_change")
    assert set(changes.select("unit_id", "field", "before", "after").rows()) == {
        ("A-1", "name", "Birkehuset 1", "Birkehuset Nord"),
        ("A-1", "daily_rate_ore", None, "284500"),
        ("A-1", "price_year", None, "2026"),
        ("A-1", "approvals", f"primary:{small.AUTISM} secondary:{small.EXTERNALISING}", f"primary:{small.AUTISM}"),
    }
    assert changes["changed_on"].unique().to_list() == [LATER]


def test_rollback_returns_to_the_version_before(tmp_path: Path) -> None:
    first = small.publish(tmp_path)
    second = small.publish(tmp_path, later_delivery())
    assert warehouse.current(tmp_path) == second
    assert warehouse.rollback(tmp_path) == first
    assert warehouse.current(tmp_path).path.is_file()
    with pytest.raises(SampladsError, match="rollback_impossible"):
        warehouse.rollback(tmp_path)


def test_a_withdrawn_version_can_be_read_until_the_next_publication(tmp_path: Path) -> None:
    small.publish(tmp_path)
    withdrawn = small.publish(tmp_path, later_delivery())
    copy = withdrawn.path.with_suffix(".analyst.duckdb")
    copy.touch()
    warehouse.rollback(tmp_path)
    # A page that began before the rollback asks for the first time now.
    assert read_version(withdrawn.path) == 1
    assert copy.is_file()
    newest = small.publish(tmp_path, small.archived(name="another", as_of=LATER + dt.timedelta(days=1)))
    assert not withdrawn.path.exists()
    assert not copy.exists()
    assert warehouse.current(tmp_path) == newest


def test_keeping_one_version_never_takes_it_from_who_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLADS_KEEP", "1")
    first = small.publish(tmp_path)
    second = small.publish(tmp_path, later_delivery())
    assert read_version(first.path) == 0
    assert [version.id for version in warehouse.history(tmp_path)] == [second.id]
    small.publish(tmp_path, small.archived(name="another", as_of=LATER + dt.timedelta(days=1)))
    assert not first.path.exists()
    assert second.path.is_file()


def read_version(path: Path) -> int:
    """How many units of a published file have the later delivery's name, asked as a reader with no connection open."""
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("select count(*) from unit_now where name = 'Birkehuset Nord'").fetchone()
    assert row is not None
    return int(row[0])


def test_only_the_last_versions_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLADS_KEEP", "2")
    for day in range(4):
        as_of = small.DAY + dt.timedelta(days=day)
        small.publish(tmp_path, small.archived(name=f"day {day}", as_of=as_of))
    assert len(warehouse.history(tmp_path)) == 2
    assert len(list(tmp_path.glob("*.duckdb"))) == 2
    assert len(list((tmp_path / "deliveries").iterdir())) == 4


def test_real_data_set_demonstration_data_aside_and_never_the_other_way(tmp_path: Path) -> None:
    small.publish(tmp_path, small.archived(name="demo", synthetic=True))
    version = small.publish(tmp_path, later_delivery())
    assert contents(version, "unit")["unit_id"].to_list() == ["A-1"]
    with pytest.raises(SampladsError, match="demo_over_real"):
        small.publish(tmp_path, small.archived(name="demo", synthetic=True))


def test_nothing_published_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SampladsError, match="warehouse_missing"):
        warehouse.current(tmp_path / "nowhere")


def test_a_query_sees_the_new_version_while_an_old_one_is_open(tmp_path: Path) -> None:
    small.publish(tmp_path)
    before = queries.run("capacity_totals", tmp_path, as_of=LATER)
    small.publish(tmp_path, later_delivery())
    after = queries.run("capacity_totals", tmp_path, as_of=LATER)
    assert before["accepting"].item() == 3
    assert after["accepting"].item() == 2


def _publish_in_a_child(folder: str) -> None:
    small.publish(Path(folder), later_delivery())


def test_killed_at_any_moment_the_old_warehouse_stands(tmp_path: Path) -> None:
    first = small.publish(tmp_path)
    context = multiprocessing.get_context("spawn")
    # Spread over the life of a publish: start-up, archive, build, switch.
    for attempt in range(8):
        child = context.Process(target=_publish_in_a_child, args=(str(tmp_path),))
        child.start()
        time.sleep(0.15 * attempt)
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        version = warehouse.current(tmp_path)
        assert contents(version, "unit").height == 3
        if version.id != first.id:
            warehouse.rollback(tmp_path)
    small.publish(tmp_path, later_delivery())
    assert not list(tmp_path.glob(".building-*"))
    assert not list((tmp_path / "deliveries").glob(".*"))


def test_a_second_publisher_waits_or_says_so(tmp_path: Path) -> None:
    with warehouse._publishing(tmp_path, 1), pytest.raises(SampladsError, match="publish_busy"):
        warehouse.publish([small.archived()], small.reference(), tmp_path, wait_seconds=0.1)
    release = threading.Event()

    def hold() -> None:
        with warehouse._publishing(tmp_path, 1):
            release.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    threading.Timer(0.2, release.set).start()
    version, changed = warehouse.publish([small.archived()], small.reference(), tmp_path, wait_seconds=10)
    holder.join()
    assert changed
    assert version.path.is_file()


def test_only_what_is_called_as_ours_is_ever_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLADS_KEEP", "1")
    foreign = [tmp_path / name for name in ("sales.duckdb", "2026.duckdb", ".hidden.duckdb", ".building-notes.txt", ".current.json.old")]
    folders = [tmp_path / "deliveries" / name for name in ("letters", "cafe", ".git")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "kept.txt").write_text("mine", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").write_text("mine", encoding="utf-8")
    linked = tmp_path / "deliveries" / ("b" * 20)
    linked.symlink_to(elsewhere)
    note = tmp_path / "deliveries" / "note.txt"
    for file in [*foreign, note]:
        file.write_text("mine", encoding="utf-8")
    ours = [tmp_path / f"{'a' * 20}.duckdb", tmp_path / f"{'a' * 20}.analyst.duckdb", tmp_path / ".building-7.duckdb.wal"]
    for file in ours:
        file.write_text("old", encoding="utf-8")
    (tmp_path / "deliveries" / ("c" * 20)).mkdir()
    for day in range(3):
        small.publish(tmp_path, small.archived(name=f"day {day}", as_of=small.DAY + dt.timedelta(days=day)))
    assert all(file.read_text(encoding="utf-8") == "mine" for file in [*foreign, note, *(folder / "kept.txt" for folder in folders)])
    assert (elsewhere / "kept.txt").is_file()
    assert not any(file.exists() for file in ours)
    assert not linked.is_symlink()
    assert not (tmp_path / "deliveries" / ("c" * 20)).exists()


def test_a_file_among_the_deliveries_does_not_stop_a_publication(tmp_path: Path) -> None:
    (tmp_path / "deliveries").mkdir()
    (tmp_path / "deliveries" / ("d" * 20)).write_text("a file", encoding="utf-8")
    (tmp_path / "deliveries" / "note.txt").write_text("a file", encoding="utf-8")
    small.publish(tmp_path)
    version = small.publish(tmp_path, later_delivery())
    assert warehouse.current(tmp_path) == version
    assert (tmp_path / "deliveries" / ("d" * 20)).is_file()


NO_ENTRIES = ['{"history": [7]}', '{"history": [{"id": "../x", "deliveries": [], "published_at": ""}]}', '{"history": [{"id": "x"}]}']


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "not json", '{"history": {}}', "\ud800", "[" * 100_000, *NO_ENTRIES])
def test_a_damaged_pointer_is_a_sentence_and_nothing_is_removed(tmp_path: Path, text: str) -> None:
    version = small.publish(tmp_path)
    (tmp_path / "current.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    for asked in (warehouse.current, warehouse.history, warehouse.rollback, small.publish):
        with pytest.raises(SampladsError, match="warehouse_pointer_damaged"):
            asked(tmp_path)
    assert version.path.is_file()
    assert all((tmp_path / "deliveries" / digest).is_dir() for digest in version.deliveries)


def test_a_warehouse_that_is_a_file_or_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a file", encoding="utf-8")
    for asked in (warehouse.current, warehouse.history, warehouse.rollback, small.publish):
        for folder in (file, file / "below"):
            with pytest.raises(SampladsError, match=rf"warehouse_no_folder .folder={folder.name}"):
                asked(folder)
    for asked in (warehouse.rollback, small.publish):
        with pytest.raises(SampladsError, match=r"warehouse_unusable .folder=nope"):
            asked(Path("/proc/nope"))
    with pytest.raises(SampladsError, match="warehouse_missing"):
        warehouse.current(Path("/proc/nope"))
    # A database reads tables of text too, by their names.
    for name in ("file", "table.csv", "empty.duckdb"):
        (tmp_path / name).write_text("" if name == "empty.duckdb" else "a;b\n1;2\n", encoding="utf-8")
        with pytest.raises(SampladsError, match=rf"warehouse_unreadable .file={name}"):
            queries.run("unit_ids", tmp_path / name)


@pytest.mark.parametrize("method", ["read_text", "open", "mkdir"])
def test_what_the_system_forbids_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    small.publish(tmp_path)
    told = getattr(Path, method)

    def forbidden(path: Path, *arguments: object, **named: object) -> object:
        if path.is_relative_to(tmp_path):
            raise PermissionError(13, "Permission denied", str(path))
        return told(path, *arguments, **named)

    monkeypatch.setattr(Path, method, forbidden)
    with pytest.raises(SampladsError, match="warehouse_unusable"):
        small.publish(tmp_path, later_delivery())
    if method == "read_text":
        with pytest.raises(SampladsError, match="warehouse_unusable"):
            warehouse.current(tmp_path)


@pytest.mark.parametrize("lost", [".", "manifest.json", "finding.parquet", "capacity.parquet"])
def test_an_archived_delivery_that_is_gone_is_a_sentence(tmp_path: Path, lost: str) -> None:
    version = small.publish(tmp_path)
    (digest,) = version.deliveries
    folder = tmp_path / "deliveries" / digest
    shutil.rmtree(folder) if lost == "." else (folder / lost).unlink()
    with pytest.raises(SampladsError, match="archive_damaged") as caught:
        small.publish(tmp_path, later_delivery())
    assert caught.value.values["digest"] == digest
    assert warehouse.current(tmp_path) == version
    # Delivered again it is archived again, and the next one lies on top.
    assert small.publish(tmp_path) == version
    assert contents(small.publish(tmp_path, later_delivery()), "unit").height == 3


def test_rolling_back_to_a_version_whose_file_is_gone_changes_nothing(tmp_path: Path) -> None:
    first = small.publish(tmp_path)
    second = small.publish(tmp_path, later_delivery())
    first.path.unlink()
    with pytest.raises(SampladsError, match="rollback_damaged"):
        warehouse.rollback(tmp_path)
    assert warehouse.current(tmp_path) == second
