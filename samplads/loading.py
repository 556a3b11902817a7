"""What the domain works on, read from the warehouse and the rules: the only place that sees both sides.

Whatever is made from a whole warehouse is kept by the published file, which never changes; a new version is a new file. `warehouse` is a
published file or a warehouse folder everywhere (default: the one in the settings). A folder is asked for its version in force at every
call, so whoever calls twice for one answer asks once (`version_in_force`) and passes the file: never a mix of two versions.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from samplads import policy, queries, settings
from samplads import warehouse as published
from samplads.errors import SampladsError
from samplads.matching.case import Case
from samplads.matching.eligibility import Point
from samplads.matching.places import Places
from samplads.matching.score import Weights
from samplads.model import FreshnessLimits

if TYPE_CHECKING:
    # With it comes the ledger's database library: half a second that a match on the command line has no use for.
    from samplads.overlay import Layer


def version_in_force(warehouse: Path | None = None) -> Path:
    """The published file to read: the one given, else the one in force in a folder.

    Raises SampladsError `warehouse_missing` or `warehouse_damaged`.
    """
    return published.file_of(warehouse)


def places(warehouse: Path | None = None, layer: Layer | None = None) -> Places:
    """All units of a version, with what people have written laid over (None: nothing), laid out for matching.

    Made once per version and layer.
    """
    return _places(version_in_force(warehouse), layer)


@lru_cache(maxsize=4)
def _places(file: Path, layer: Layer | None) -> Places:
    lay = None if layer is None else layer.lay
    return Places.from_frame(queries.run("match_units", file, on_start=lay), queries.run("target_group_closure", file))


def need(need_id: str, warehouse: Path | None = None) -> Case:
    """One need of a version. Raises SampladsError `match_need_unknown`."""
    rows = queries.run("need_by_id", warehouse, need_id=need_id)
    if rows.is_empty():
        raise SampladsError("match_need_unknown", need=need_id)
    return Case.from_row(rows.row(0, named=True))


def as_of(warehouse: Path | None = None) -> dt.date:
    """Today, for a version: a demonstration's own day, the clock's for real data (docs/decisions/0004)."""
    day, synthetic = _as_of(version_in_force(warehouse))
    return day if synthetic else dt.datetime.now(dt.UTC).date()


@lru_cache(maxsize=8)
def _as_of(file: Path) -> tuple[dt.date, bool]:
    told = queries.run("warehouse_meta", file)
    return told.item(0, "as_of"), bool(told.item(0, "synthetic"))


def municipalities(warehouse: Path | None = None) -> dict[str, Point]:
    """The point of each municipality that has one. A copy: the caller may change it."""
    return dict(_municipalities(version_in_force(warehouse)))


@lru_cache(maxsize=8)
def _municipalities(file: Path) -> dict[str, Point]:
    known = queries.run("municipalities", file).drop_nulls(["lat", "lon"])
    return {code: (lat, lon) for code, lat, lon in known.select("code", "lat", "lon").iter_rows()}


def municipality_codes(warehouse: Path | None = None) -> list[str]:
    """Every municipality's code, with or without a point."""
    return queries.run("municipalities", warehouse)["code"].to_list()


def offer_type_codes(warehouse: Path | None = None) -> list[str]:
    """Every offer type's code, in use or not."""
    return queries.run("offer_types", warehouse)["code"].to_list()


def freshness(day: dt.date) -> FreshnessLimits:
    """The limits of freshness in force on a day (data/rules/freshness.yaml)."""
    return _freshness(day, _stamp("freshness"))


def weights(day: dt.date) -> Weights:
    """The open points in force on a day (data/rules/matching.yaml and freshness.yaml)."""
    return _weights(day, _stamp("matching"), _stamp("freshness"))


Stamp = tuple[Path, int]
"""The folder of rules and when a file in it was last changed: an edited rule holds from the next reading on."""


def _stamp(name: str) -> Stamp:
    folder = settings.read().rules
    file = folder / f"{name}.yaml"
    return folder, file.stat().st_mtime_ns if file.is_file() else 0


@lru_cache(maxsize=8)
def _freshness(day: dt.date, stamp: Stamp) -> FreshnessLimits:
    values = policy.load("freshness", day, stamp[0]).values
    return FreshnessLimits(fresh_days=values["fresh_days"]["value"], ageing_days=values["ageing_days"]["value"])


@lru_cache(maxsize=8)
def _weights(day: dt.date, matching: Stamp, freshness: Stamp) -> Weights:
    return Weights.from_policy(policy.load("matching", day, matching[0]).values, _freshness(day, freshness))
