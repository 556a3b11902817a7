"""Small drawing tools that the parts of the demo share. All take their generator; none keeps state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01: the integer that polars keeps a date as."""
    return (day - EPOCH).days


def months_back(day: dt.date, months: int) -> dt.date:
    """The same day of an earlier month, or its last day where that month is shorter."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


def apportion(total: int, weights: Floats, least: int = 0) -> Ints:
    """`total` in whole parts by weight (largest remainder; equal remainders by position), each at least `least` where the total allows."""
    size = len(weights)
    if size == 0:
        return np.zeros(0, dtype=np.int64)
    floor = least if least * size <= total else 0
    share = weights / weights.sum() if weights.sum() > 0 else np.full(size, 1 / size)
    exact = share * total
    if floor:
        # What the small ones are lifted by is taken from the others in proportion.
        for _ in range(size):
            low = exact < floor
            if not low.any() or low.all():
                break
            exact = np.where(low, floor, exact * (total - floor * low.sum()) / exact[~low].sum())
            if (exact[~low] >= floor).all():
                break
    parts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: max(total - int(parts.sum()), 0)]] += 1
    return parts


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Positions drawn by weight, with replacement."""
    return rng.choice(len(weights), size=size, p=weights / weights.sum()).astype(np.int64)


def pick_rows(rng: np.random.Generator, weights: Floats) -> Ints:
    """One position per row of a matrix of weights (rows x choices)."""
    cumulative = np.cumsum(weights, axis=1)
    thresholds = rng.random(len(weights)) * cumulative[:, -1]
    return np.asarray((cumulative > thresholds[:, None]).argmax(axis=1), dtype=np.int64)


def words(choices: Sequence[str], positions: Ints) -> list[str]:
    """The words at positions."""
    return [choices[position] for position in positions.tolist()]


def unless(condition: Bools, values: Sequence[Any]) -> list[Any]:
    """The values, with unknown (None) where the condition holds."""
    return [None if missing else value for missing, value in zip(condition.tolist(), values, strict=True)]
