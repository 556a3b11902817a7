"""The bench's set: exact in size, the same for the same arguments, and consistent with itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from benches import national

SIZE = {"needs": 60, "units": 300, "places": 2_400, "stays": 9_000, "daily_years": 1, "daily_units": 150}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("national")
    national.make(folder, **SIZE)
    return folder


def test_sizes_are_the_ones_asked_for(made: Path) -> None:
    assert pl.read_parquet(made / "unit.parquet").height == 300
    assert pl.read_parquet(made / "stay.parquet").height == 9_000
    newest = pl.read_parquet(made / "capacity.parquet").filter(pl.col("as_of") == national.AS_OF)
    assert newest["maximum"].sum() == 2_400
    assert pl.read_parquet(made / "need.parquet").filter(pl.col("status") == "open").height == pytest.approx(60, abs=1)
    assert pl.read_parquet(made / "daily.parquet").height == 150 * 365


def test_daily_persons_are_the_stays_of_the_day(made: Path) -> None:
    stays = pl.read_parquet(made / "stay.parquet")
    daily = pl.read_parquet(made / "daily.parquet").with_columns(pl.col("unit_id").cast(pl.String))
    for day in (dt.date(2025, 11, 2), dt.date(2026, 3, 1), national.AS_OF):
        there = stays.filter((pl.col("starts_on") <= day) & (pl.col("ends_on").is_null() | (pl.col("ends_on") > day)))
        told = daily.filter(pl.col("day") == day).join(there.group_by("unit_id").len(), on="unit_id", how="left")
        assert told.height == 150
        assert (told["persons"] == told["len"].fill_null(0)).all()
        assert (told["persons"] <= told["capacity"]).all()


def test_same_arguments_same_bytes_and_no_work_twice(made: Path, tmp_path: Path) -> None:
    rows = national.make(tmp_path, **SIZE)
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    before = (tmp_path / "stay.parquet").stat().st_mtime_ns
    assert national.make(tmp_path, **SIZE) == rows
    assert (tmp_path / "stay.parquet").stat().st_mtime_ns == before
