"""The columns of a file of any origin as types that the rest can work with: nothing that a Parquet file may hold is left to surprise it."""

from __future__ import annotations

import datetime as dt

import polars as pl

_FIRST, _LAST = dt.date.min.toordinal() - dt.date(1970, 1, 1).toordinal(), dt.date.max.toordinal() - dt.date(1970, 1, 1).toordinal()
_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}

_SIMPLE = (pl.String, pl.Boolean)


def simplified(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as it is worked with.

    * Days before year 1 or after year 9999, as some systems write "for ever", become the first or the last day there is.
    * A moment with a time zone becomes the clock's time there: midnight in Copenhagen is that day, not the one before in London.
    * What is nested becomes text, unless it is a list of texts, numbers or truth values.
    """
    column = pl.col(name)
    if kind == pl.Date:
        return column.to_physical().clip(_FIRST, _LAST).cast(pl.Date)
    if isinstance(kind, pl.Datetime):
        day = _A_DAY[kind.time_unit]
        within = column.to_physical().clip(max(_FIRST * day, -(2**63) + 1), min((_LAST + 1) * day - 1, 2**63 - 1))
        moment = within.cast(pl.Datetime(kind.time_unit))
        if kind.time_zone is None:
            return moment
        return moment.dt.replace_time_zone("UTC").dt.convert_time_zone(kind.time_zone).dt.replace_time_zone(None)
    if isinstance(kind, pl.List) and (kind.inner in _SIMPLE or kind.inner.is_numeric()):
        return column
    if kind.is_nested() or isinstance(kind, pl.Map | pl.BaseExtension):
        return column.map_batches(_written, return_dtype=pl.String, is_elementwise=True)
    return column


def _written(cells: pl.Series) -> pl.Series:
    return pl.Series(cells.name, [None if cell is None else str(cell) for cell in cells.to_list()], dtype=pl.String)
