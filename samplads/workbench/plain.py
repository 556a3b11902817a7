"""Values that a column's type can hold in DuckDB and not in Python or polars: they are shown as the text that DuckDB gives them.

Some are known by their type (`by_database`): DuckDB hands them over in a shape that loses something, so it is asked for their text. Others
are single values of an ordinary type (`readable`): a day after 9999 or before year 1, infinity, 24:00:00, a whole number of 39 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

_LOST = frozenset({"uhugeint", "bignum", "time with time zone", "geometry", "variant", "union"})
"""Types that Arrow hands over as another number, without their offset, or as bytes."""
_LOST_WITHIN = _LOST | {"bit", "interval", "map"}
_MOMENTS = ("date", "time")
_DAY = 86_400
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, in days since 1970-01-01."""
_MOST_DIGITS = 38
_MOST = 10**_MOST_DIGITS
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def by_database(kind: Any) -> bool:
    """Whether DuckDB must make text of a column of this type (a `DuckDBPyType`)."""
    return kind.id in _LOST or any(_lost_within(child, in_map=kind.id == "map") for child in _children(kind))


def _lost_within(kind: Any, *, in_map: bool) -> bool:
    nested = bool(_children(kind))
    return kind.id in _LOST_WITHIN or (in_map and (nested or kind.id.startswith(_MOMENTS))) or (nested and by_database(kind))


def _children(kind: Any) -> list[Any]:
    if kind.id not in {"list", "array", "struct", "map", "tuple"}:
        return []
    # An array's length is told beside its type.
    return [child for _, child in kind.children if not isinstance(child, int)]


def as_text(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation with the columns of `by_database` as text; itself where there are none."""
    columns, lost = [], False
    for place, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True), 1):
        quoted = '"' + name.replace('"', '""') + '"'
        cast = "::varchar" if by_database(kind) else ""
        lost = lost or bool(cast)
        columns.append(f"#{place}{cast} as {quoted}")
    return relation.project(", ".join(columns)) if lost else relation


def readable(table: pa.Table) -> pa.Table:
    """The table with every column as text that holds a value which Python or polars cannot read."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if any(_strange(chunk) for chunk in column.chunks):
            chunks = [_texts(chunk) for chunk in column.chunks]
            table = table.set_column(place, field.name, pa.chunked_array(chunks))
    return table


def _parts(array: pa.Array) -> list[pa.Array]:
    kind = array.type
    if pa.types.is_struct(kind):
        return [array.field(place) for place in range(kind.num_fields)]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [array.flatten()]
    return []


def _strange(array: pa.Array) -> bool:
    if parts := _parts(array):
        return any(_strange(part) for part in parts)
    kind = array.type
    if pa.types.is_decimal128(kind) and kind.scale == 0 and kind.precision == _MOST_DIGITS:
        # The upper halves of the numbers: what reaches 10^38 is seen there, or is a little below and as well off as text.
        upper = _halves(array)[1::2]
        return bool(((upper >= _MOST >> 64) | (upper < -(_MOST >> 64))).any())
    bounds = _bounds(kind)
    if bounds is None:
        return False
    numbers = _numbers(array)
    return bool(((numbers < bounds[0]) | (numbers > bounds[1])).any())


def _bounds(kind: pa.DataType) -> tuple[int, int] | None:
    if pa.types.is_date32(kind):
        return _FIRST_DAY, _LAST_DAY
    if pa.types.is_timestamp(kind):
        unit = _PER_SECOND[kind.unit]
        if kind.unit == "ns":
            # They end in 1677 and 2262 anyway; the last numbers stand for infinity.
            return -(2**63) + 2, 2**63 - 2
        # A zone may move it by a day.
        return (_FIRST_DAY + 1) * _DAY * unit, _LAST_DAY * _DAY * unit - 1
    if pa.types.is_time64(kind):
        return 0, _DAY * _PER_SECOND[kind.unit] - 1
    return None


def _numbers(array: pa.Array) -> np.ndarray[Any, Any]:
    """What days and times are in memory, 0 for null."""
    whole = array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    numbers: np.ndarray[Any, Any] = whole.fill_null(0).to_numpy(zero_copy_only=False)
    return numbers


def _halves(array: pa.Array) -> np.ndarray[Any, Any]:
    """The lower and upper halves of 128-bit numbers in turn, 0 for null."""
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(0, np.int64)
    halves = np.frombuffer(buffer, np.int64)[2 * array.offset : 2 * (array.offset + len(array))].copy()
    halves[np.repeat(~array.is_valid().to_numpy(zero_copy_only=False), 2)] = 0
    return halves


def _texts(array: pa.Array) -> pa.Array:
    """The array with what is strange in it as text, its lists and fields as they were."""
    kind = array.type
    if pa.types.is_struct(kind):
        parts = [_texts(part) if _strange(part) else part for part in _parts(array)]
        return pa.StructArray.from_arrays(parts, [field.name for field in kind], mask=array.is_null())
    if _parts(array):
        lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        if pa.types.is_fixed_size_list(kind):
            offsets = pa.array(np.concatenate([[0], np.cumsum(np.where(array.is_valid(), kind.list_size, 0))]), pa.int32())
        return pa.ListArray.from_arrays(offsets, _texts(array.flatten()), mask=array.is_null())
    valid = array.is_valid().to_pylist()
    if pa.types.is_decimal128(kind):
        halves = _halves(array).tolist()
        values = [(upper << 64) | (lower & (1 << 64) - 1) for lower, upper in zip(halves[::2], halves[1::2], strict=True)]
        return pa.array([str(value) if told else None for value, told in zip(values, valid, strict=True)], pa.string())
    said = _saying(kind)
    return pa.array([said(value) if told else None for value, told in zip(_numbers(array).tolist(), valid, strict=True)], pa.string())


def _saying(kind: pa.DataType) -> Callable[[int], str]:
    if pa.types.is_date32(kind):
        return lambda value: _infinite(value, 2**31 - 1) or _day(value)
    unit = _PER_SECOND[kind.unit]
    if pa.types.is_time64(kind):
        return lambda value: _clock(value, unit)
    zone = "+00" if kind.tz else ""

    def moment(value: int) -> str:
        days, rest = divmod(value, _DAY * unit)
        return _infinite(value, 2**63 - 1) or f"{_day(days)} {_clock(rest, unit)}{zone}"

    return moment


def _infinite(value: int, most: int) -> str:
    return "infinity" if value == most else "-infinity" if value == -most else ""


def _clock(value: int, unit: int) -> str:
    seconds, rest = divmod(value, unit)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{shown}.{rest:0{len(str(unit)) - 1}}".rstrip("0") if rest else shown


def _day(days: int) -> str:
    """A day of the Gregorian calendar without end, as DuckDB writes it."""
    # Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years that begin on 1 March.
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + 400 * era + (month <= 2)
    told = f"{year if year > 0 else 1 - year:04}-{month:02}-{of_year - (153 * from_march + 2) // 5 + 1:02}"
    return told if year > 0 else f"{told} (BC)"
