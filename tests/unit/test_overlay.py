"""What people have written is laid over what was delivered for one query at a time; neither file nor delivery changes."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from samplads import ledger, overlay, queries
from samplads.extracts import personal
from samplads.ledger import Ledger, confirmations, overlays
from samplads.warehouse import Version
from tests import small

LATER = small.DAY + dt.timedelta(days=3)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    opened = ledger.open_(f"sqlite:///{tmp_path / 'ledger.sqlite'}", personal.holds_number)
    yield opened
    opened.close()


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return small.publish(tmp_path / "warehouse")


def correct(book: Ledger, unit_id: str, field: str, value: Any, delivered: Any, instead_of: int | None = None) -> int:
    return overlays.correct(
        book,
        unit_id=unit_id,
        field=field,
        value=value,
        delivered=delivered,
        why="ringet op",
        who="Ida Prøve",
        version="v",
        instead_of=instead_of,
    ).id


def confirm(book: Ledger, *unit_ids: str, on: dt.date = LATER) -> None:
    confirmations.confirm(book, unit_ids, confirmed_by="afdelingsleder", on=on, who="Ida Prøve")


def rows(version: Version, layer: overlay.Layer | None = None) -> pl.DataFrame:
    ids = [unit["unit_id"] for unit in small.UNITS]
    return queries.run("units_by_id", version.path, on_start=None if layer is None else layer.lay, unit_ids=ids)


def test_nothing_written_is_nothing_laid(book: Ledger, version: Version) -> None:
    layer = overlay.read(book, version.path)
    assert layer.units.is_empty()
    assert rows(version, layer).equals(rows(version))
    assert rows(version, overlay.EMPTY).equals(rows(version))


def test_a_later_confirmation_renews_who_and_when_and_nothing_else(book: Ledger, version: Version) -> None:
    confirm(book, "A-2", "Z-99")
    confirm(book, "A-1", on=small.DAY - dt.timedelta(days=1))
    layer = overlay.read(book, version.path)
    assert layer.confirmed == {"A-2"}
    before, after = rows(version), rows(version, layer)
    same = [name for name in before.columns if name not in {"confirmed_by", "confirmed_at"}]
    assert after.select(same).equals(before.select(same))
    assert after.select("unit_id", "confirmed_by", "confirmed_at").rows() == [
        ("A-1", None, small.DAY),
        ("A-2", "afdelingsleder", LATER),
        ("B-1", None, None),
    ]
    # One cursor alone: the next question without a layer sees the delivery.
    assert rows(version).equals(before)


def test_a_correction_counts_in_what_queries_sum(book: Ledger, version: Version) -> None:
    correct(book, "B-1", "accepting", 0, 2)
    layer = overlay.read(book, version.path)
    assert layer.corrected == {"B-1": ("accepting",)}
    asked = {"day": small.DAY, "fresh_days": 30}
    assert queries.run("overview_places", version.path, **asked)["accepting"].to_list() == [3]
    assert queries.run("overview_places", version.path, on_start=layer.lay, **asked)["accepting"].to_list() == [1]


def test_a_unit_that_is_moved_takes_the_name_and_the_point_of_its_new_municipality(book: Ledger, version: Version) -> None:
    correct(book, "A-1", "municipality", "259", "370")
    moved = rows(version, overlay.read(book, version.path)).filter(pl.col("unit_id") == "A-1")
    there = rows(version).filter(pl.col("unit_id") == "B-1")
    assert moved.select("municipality_name", "lat", "lon").rows() == there.select("municipality_name", "lat", "lon").rows()


def test_a_corrected_point_is_the_units_own_and_one_taken_away_is_none(book: Ledger, version: Version) -> None:
    town = rows(version).filter(pl.col("unit_id") == "A-1").row(0, named=True)
    assert not town["has_own_point"]
    first = correct(book, "A-1", "lat", 55.5, town["lat"])
    moved = rows(version, overlay.read(book, version.path)).filter(pl.col("unit_id") == "A-1")
    assert moved.select("lat", "lon", "has_own_point").rows() == [(55.5, town["lon"], True)]
    overlays.withdraw(book, first, why="nej", who="Ida Prøve")
    correct(book, "A-1", "lon", None, town["lon"])
    back = rows(version, overlay.read(book, version.path)).filter(pl.col("unit_id") == "A-1")
    assert back.select("lat", "lon", "has_own_point").rows() == [(town["lat"], town["lon"], False)]


def test_a_new_delivered_value_overtakes_the_correction_and_a_withdrawn_one_is_gone(book: Ledger, version: Version, tmp_path: Path) -> None:
    correct(book, "A-1", "accepting", 0, 1)
    taken_back = correct(book, "B-1", "accepting", 0, 2)
    overlays.withdraw(book, taken_back, why="alligevel", who="Ida Prøve")
    assert set(overlay.read(book, version.path).corrected) == {"A-1"}
    newer = {"capacity": [{**small.CAPACITY[0], "as_of": LATER, "accepting": 3}]}
    later = small.publish(tmp_path / "warehouse", small.archived(newer, name="later", as_of=LATER))
    layer = overlay.read(book, later.path)
    assert layer.corrected == {}
    assert [one.unit_id for one in layer.overtaken] == ["A-1"]
    assert rows(later, layer).filter(pl.col("unit_id") == "A-1")["accepting"].to_list() == [3]


def test_the_stamp_changes_with_every_word_and_the_file_never_does(book: Ledger, version: Version) -> None:
    digest = hashlib.sha256(version.path.read_bytes()).hexdigest()
    stamps = [overlay.stamp(book)]
    confirm(book, "A-1")
    stamps.append(overlay.stamp(book))
    number = correct(book, "A-1", "accepting", 0, 1)
    stamps.append(overlay.stamp(book))
    overlays.withdraw(book, number, why="nej", who="Ida Prøve")
    stamps.append(overlay.stamp(book))
    assert len(set(stamps)) == 4
    rows(version, overlay.read(book, version.path))
    assert hashlib.sha256(version.path.read_bytes()).hexdigest() == digest


def test_who_wrote_what_about_a_unit_newest_first(book: Ledger, version: Version) -> None:
    confirm(book, "A-1")
    number = correct(book, "A-1", "single_person", True, None)
    overlays.withdraw(book, number, why="nej", who="Bo Prøve")
    told = overlay.written_about(book, "A-1")
    assert told.select("kind", "field", "before", "after", "who", "why").rows() == [
        ("withdrawn", "single_person", "true", None, "Bo Prøve", "nej"),
        ("corrected", "single_person", None, "true", "Ida Prøve", "ringet op"),
        ("confirmed", "confirmed_at", None, LATER.isoformat(), "Ida Prøve (afdelingsleder)", None),
    ]
    assert overlay.written_about(book, "A-2").is_empty()


def test_before_a_correction_stood_the_one_before_it(book: Ledger, version: Version) -> None:
    first = correct(book, "A-1", "accepting", 0, 1)
    second = correct(book, "A-1", "accepting", 2, 1, instead_of=first)
    overlays.withdraw(book, second, why="nej", who="Bo Prøve")
    third = correct(book, "A-1", "accepting", 3, 1)
    # A delivery has come in between: what the earlier correction said counted no longer.
    correct(book, "A-1", "accepting", 5, 4, instead_of=third)
    told = overlay.written_about(book, "A-1")
    assert told.select("kind", "before", "after").rows()[::-1] == [
        ("corrected", "1", "0"),
        ("corrected", "0", "2"),
        ("withdrawn", "2", "1"),
        ("corrected", "1", "3"),
        ("corrected", "4", "5"),
    ]
