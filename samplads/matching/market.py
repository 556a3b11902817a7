"""The needs, units and pairs of an allocation as arrays, checked and put in one order so that the order of the rows cannot matter.

Ids are text or whole numbers; numbers are their places in the sorted list of ids (text by code point). A *lot* is so many like places of
one unit; a unit has several only where its places open in different months.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from samplads.errors import SampladsError
from samplads.matching.assignment import Bools, Ints


@dataclass(frozen=True, eq=False)
class Market:
    """Everything an allocation is decided on."""

    need_ids: pl.Series
    unit_ids: pl.Series
    pair_need: Ints
    """By pair, sorted by (need, unit) without repeats."""
    pair_unit: Ints
    pair_points: Ints
    lot_unit: Ints
    """By lot, sorted by (unit, month)."""
    lot_places: Ints
    """By lot: places, never below 0."""
    lot_month: Ints | None
    """By lot: the month in which it opens (year x 12 + month - 1, or as given), None where places have no month."""
    wanted_month: Ints | None
    """By need, None where places have no month."""
    edge_pair: Ints
    """By edge (need, lot), sorted: the pair it comes from."""
    edge_lot: Ints
    edge_points: Ints
    """By edge: the pair's points less what waiting costs."""
    edge_waits: Ints
    """By edge: months from the wanted month until the place opens."""
    tier: Ints
    """By need: 0 for the most urgent tier and so on."""
    tiers: tuple[int | None, ...]
    """The tiers as given, the most urgent first; None, the last, where some need was given no tier."""
    turn: Ints
    """By need: its place in the queue, 0 for who has waited longest."""

    @property
    def edge_need(self) -> Ints:
        """By edge: its need."""
        return self.pair_need[self.edge_pair]


def columns(frame: pl.DataFrame, name: str, *needed: str) -> None:
    """Raise `allocation_columns_missing` where a frame lacks a column, `allocation_value_missing` where one has a gap."""
    missing = [column for column in needed if column not in frame.columns]
    if missing:
        raise SampladsError("allocation_columns_missing", frame=name, columns=", ".join(missing))
    for column in needed:
        gaps = frame[column].null_count()
        if gaps:
            raise SampladsError("allocation_value_missing", frame=name, column=column, rows=gaps)


def ids(frame: pl.DataFrame, name: str, column: str, like: pl.DataType | None = None) -> pl.Series:
    """A column of ids as String or Int64. Raises `allocation_ids_differ` where it is neither, or not what `like` is."""
    series = frame[column]
    if series.len() == 0:
        return series.cast(like or (pl.Int64() if series.dtype.is_integer() else pl.String()))
    if series.dtype.is_integer():
        series = series.cast(pl.Int64)
    elif series.dtype in (pl.String, pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    else:
        raise SampladsError("allocation_ids_differ", frame=name, column=column, kind=str(series.dtype), expected="String, Int64")
    if like is not None and series.dtype != like:
        raise SampladsError("allocation_ids_differ", frame=name, column=column, kind=str(series.dtype), expected=str(like))
    return series


def plain(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Ids that are whole numbers of whatever width as Int64, so that all frames agree."""
    narrow = [name for name in names if name in frame.columns and frame.schema[name].is_integer()]
    return frame.with_columns(pl.col(narrow).cast(pl.Int64)) if narrow else frame


def kind(known: pl.Series) -> pl.DataType | None:
    """What ids have to be like: those that are known, if any."""
    return known.dtype if known.len() else None


def whole(frame: pl.DataFrame, name: str, column: str) -> Ints:
    """A column of whole numbers. Raises `allocation_not_whole` for other kinds, and for decimals that are not whole."""
    series = frame[column]
    if series.len() == 0:
        return np.zeros(0, dtype=np.int64)
    if not series.dtype.is_integer():
        whole_decimals = series.dtype.is_float() and bool((series.is_finite() & (series == series.round()) & (series.abs() < 2**53)).all())
        if not whole_decimals:
            raise SampladsError("allocation_not_whole", frame=name, column=column)
    elif int(series.max()) >= 2**62 or int(series.min()) <= -(2**62):  # type: ignore[arg-type]  # whole numbers, and not empty
        raise SampladsError("allocation_points_too_large", frame=name, column=column)
    return series.cast(pl.Int64).to_numpy().astype(np.int64)


def numbers(series: pl.Series, known: pl.Series) -> Ints:
    """The place of each id in a sorted list of ids, -1 where it is not there."""
    if series.len() == 0:
        return np.zeros(0, dtype=np.int64)
    if known.len() == 0:
        return np.full(series.len(), -1, dtype=np.int64)
    if series.dtype == pl.String:
        codes = series.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
        return codes.to_numpy().astype(np.int64)
    table, wanted = known.to_numpy(), series.to_numpy()
    place = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return np.where(table[place] == wanted, place, -1).astype(np.int64)


def months(frame: pl.DataFrame, name: str, column: str) -> Ints:
    """A column of months: days count as their month (year x 12 + month - 1), whole numbers stand as they are."""
    series = frame[column]
    if series.dtype in (pl.Date, pl.Datetime):
        return (series.dt.year().cast(pl.Int64) * 12 + series.dt.month().cast(pl.Int64) - 1).to_numpy().astype(np.int64)
    return whole(frame, name, column)


def month_value(month: int, dates: bool) -> dt.date | int:
    """A month as it was given: the first day of it, or the number."""
    return dt.date(month // 12, month % 12 + 1, 1) if dates else month


def by_need(frame: pl.DataFrame, name: str, known: pl.Series, *needed: str) -> tuple[Ints, pl.DataFrame]:
    """The rows of a frame with one row a need: the number of each need (-1 where it has no pair) and the frame itself.

    Raises `allocation_need_twice` where a need stands twice.
    """
    columns(frame, name, "need_id", *needed)
    series = ids(frame, name, "need_id", kind(known))
    twice = series.filter(series.is_duplicated())
    if twice.len():
        raise SampladsError("allocation_need_twice", frame=name, need=twice.min())
    return numbers(series, known), frame


def read(
    pairs: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    priority: pl.DataFrame | None = None,
    waiting: pl.DataFrame | None = None,
    wanted: pl.DataFrame | None = None,
    waiting_points: int = 0,
    longest_wait: int | None = None,
    holds: pl.DataFrame | None = None,
) -> Market:
    """The market of the frames that `samplads.matching.allocation.allocate` describes. Raises SampladsError for what cannot be read."""
    columns(pairs, "pairs", "need_id", "unit_id", "points")
    columns(capacity, "capacity", "unit_id", "places")
    pair_needs, pair_units = ids(pairs, "pairs", "need_id"), ids(pairs, "pairs", "unit_id")
    like = pair_units.dtype if pair_units.len() else None
    capacity_units = ids(capacity, "capacity", "unit_id", like)
    need_ids = pair_needs.unique().sort()
    unit_ids = pl.concat([pair_units.cast(capacity_units.dtype), capacity_units]).unique().sort()

    need, unit, points = numbers(pair_needs, need_ids), numbers(pair_units.cast(unit_ids.dtype), unit_ids), whole(pairs, "pairs", "points")
    key = need * max(1, unit_ids.len()) + unit
    order = np.argsort(key, kind="stable")
    key, need, unit, points = key[order], need[order], unit[order], points[order]
    again = np.flatnonzero(key[1:] == key[:-1]) + 1
    if len(again):
        clash = again[points[again] != points[again - 1]]
        if len(clash):
            raise SampladsError("allocation_pair_twice", need=need_ids[int(need[clash[0]])], unit=unit_ids[int(unit[clash[0]])])
        keep = np.ones(len(key), dtype=bool)
        keep[again] = False
        need, unit, points = need[keep], unit[keep], points[keep]

    lot_unit, lot_places, lot_month = _lots(capacity, capacity_units, unit_ids, wanted is not None)
    wanted_month = _wanted(wanted, need_ids, lot_month)
    tier, tiers = _tiers(priority, need_ids)
    edge_pair, edge_lot = _edges(unit, lot_unit, unit_ids.len(), lot_month is not None)
    waits = np.zeros(len(edge_pair), dtype=np.int64)
    if lot_month is not None and wanted_month is not None:
        waits = np.maximum(0, lot_month[edge_lot] - wanted_month[need[edge_pair]])
        if longest_wait is not None:
            soon = waits <= longest_wait
            if holds is not None and holds.height:
                # What is promised is waited for.
                number, frame = by_need(holds, "holds", need_ids, "unit_id")
                promised = number * max(1, unit_ids.len()) + numbers(ids(frame, "holds", "unit_id", kind(unit_ids)), unit_ids)
                soon |= np.isin(need[edge_pair] * max(1, unit_ids.len()) + unit[edge_pair], promised[number >= 0])
            edge_pair, edge_lot, waits = edge_pair[soon], edge_lot[soon], waits[soon]
    return Market(
        need_ids=need_ids,
        unit_ids=unit_ids,
        pair_need=need,
        pair_unit=unit,
        pair_points=points,
        lot_unit=lot_unit,
        lot_places=lot_places,
        lot_month=lot_month,
        wanted_month=wanted_month,
        edge_pair=edge_pair,
        edge_lot=edge_lot,
        edge_points=points[edge_pair] - waits * waiting_points,
        edge_waits=waits,
        tier=tier,
        tiers=tiers,
        turn=_turns(waiting, need_ids),
    )


def _lots(capacity: pl.DataFrame, series: pl.Series, unit_ids: pl.Series, dated: bool) -> tuple[Ints, Ints, Ints | None]:
    unit, places = numbers(series, unit_ids), np.maximum(0, whole(capacity, "capacity", "places"))
    month: Ints | None = None
    if "opens" in capacity.columns:
        if not dated:
            raise SampladsError("allocation_wanted_missing")
        columns(capacity, "capacity", "opens")
        month = months(capacity, "capacity", "opens")
        order = np.lexsort((month, unit))
        unit, places, month = unit[order], places[order], month[order]
        same = (unit[1:] == unit[:-1]) & (month[1:] == month[:-1])
    else:
        if dated:
            raise SampladsError("allocation_opens_missing")
        order = np.argsort(unit, kind="stable")
        unit, places = unit[order], places[order]
        same = unit[1:] == unit[:-1]
    if same.any():
        raise SampladsError("allocation_unit_twice", unit=unit_ids[int(unit[np.flatnonzero(same)[0]])])
    return unit, places, month


def _wanted(wanted: pl.DataFrame | None, need_ids: pl.Series, lot_month: Ints | None) -> Ints | None:
    if wanted is None or lot_month is None:
        return None
    number, frame = by_need(wanted, "wanted", need_ids, "wanted_from")
    month = np.full(need_ids.len(), lot_month.min(initial=0) if len(lot_month) == 0 else lot_month.min(), dtype=np.int64)
    known = number >= 0
    month[number[known]] = months(frame, "wanted", "wanted_from")[known]
    return month


def _tiers(priority: pl.DataFrame | None, need_ids: pl.Series) -> tuple[Ints, tuple[int | None, ...]]:
    if priority is None:
        return np.zeros(need_ids.len(), dtype=np.int64), (None,)
    number, frame = by_need(priority, "priority", need_ids, "tier")
    given = whole(frame, "priority", "tier")
    known: Bools = number >= 0
    steps = np.unique(given)
    tier = np.full(need_ids.len(), len(steps), dtype=np.int64)
    tier[number[known]] = np.searchsorted(steps, given[known])
    names: list[int | None] = [int(step) for step in steps]
    if len(names) == 0 or (tier == len(steps)).any():
        names.append(None)
    return tier, tuple(names)


def _turns(waiting: pl.DataFrame | None, need_ids: pl.Series) -> Ints:
    count = need_ids.len()
    if waiting is None:
        return np.arange(count, dtype=np.int64)
    number, frame = by_need(waiting, "waiting", need_ids, "since")
    known = number >= 0
    steps = frame["since"].rank("dense").to_numpy().astype(np.int64)
    since = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    since[number[known]] = steps[known]
    turn = np.empty(count, dtype=np.int64)
    turn[np.lexsort((np.arange(count), since))] = np.arange(count)
    return turn


def _edges(pair_unit: Ints, lot_unit: Ints, units: int, several: bool) -> tuple[Ints, Ints]:
    """By edge: its pair and its lot; pairs of units without a lot have none."""
    first = np.searchsorted(lot_unit, np.arange(units))
    lots = np.bincount(lot_unit, minlength=units)
    counts = lots[pair_unit]
    edge_pair = np.repeat(np.arange(len(pair_unit), dtype=np.int64), counts)
    edge_lot = first[pair_unit[edge_pair]]
    if several:
        starts = np.cumsum(counts) - counts
        edge_lot = edge_lot + (np.arange(len(edge_pair)) - starts[edge_pair])
    return edge_pair, edge_lot.astype(np.int64)
