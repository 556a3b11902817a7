"""All units as a struct of arrays: what a match reads, one contiguous column per field, made once per version of the warehouse.

Unknown is a value of its own in every column: -1 for counts and codes, `UNKNOWN_DAY` for days, NaN for points. Target groups are a matrix
with one row per group and one byte per unit; the bits of the byte say how the unit stands to the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from samplads.errors import SampladsError
from samplads.model import APPROVAL_STATUSES, INTAKE_STATUSES, NIGHT_COVERS, OPERATOR_KINDS

UNKNOWN: Final = -1
UNKNOWN_DAY: Final = np.iinfo(np.int32).min

PRIMARY: Final = 1
"""Bit: approved for the group, or for one above it, as a primary group."""
SECONDARY: Final = 2
"""Bit: approved for the group, or for one above it, as a secondary group."""
PART: Final = 4
"""Bit: approved for at least one group below this one (which says nothing of the others below it)."""
EXCLUDED: Final = 8
"""Bit: expressly does not take the group, or one above it."""
EXCLUDED_PART: Final = 16
"""Bit: expressly does not take at least one group below this one."""

SCHEMA: Final[dict[str, pl.DataType]] = {
    "unit_id": pl.String(),
    "name": pl.String(),
    "offer_name": pl.String(),
    "operator": pl.String(),
    "operator_kind": pl.String(),
    "municipality": pl.String(),
    "municipality_name": pl.String(),
    "lat": pl.Float64(),
    "lon": pl.Float64(),
    "offer_type": pl.String(),
    "age_from": pl.Int64(),
    "age_to": pl.Int64(),
    "support_level_from": pl.Int64(),
    "support_level_to": pl.Int64(),
    "approval_status": pl.String(),
    "approved_until": pl.Date(),
    "night_cover": pl.String(),
    "single_person": pl.Boolean(),
    "daily_rate_ore": pl.Int64(),
    "price_year": pl.Int64(),
    "assumed_occupancy_pct": pl.Float64(),
    "maximum": pl.Int64(),
    "occupied": pl.Int64(),
    "reserved": pl.Int64(),
    "accepting": pl.Int64(),
    "accepting_from": pl.Date(),
    "status": pl.String(),
    "confirmed_by": pl.String(),
    "confirmed_at": pl.Date(),
    "primary_groups": pl.List(pl.String()),
    "secondary_groups": pl.List(pl.String()),
    "excluded_groups": pl.List(pl.String()),
}
"""The columns of `unit_now` that a match reads or shows beside its answer (more may follow and are kept in `Places.frame`)."""

CLOSURE_SCHEMA: Final[dict[str, pl.DataType]] = {"ancestor": pl.String(), "descendant": pl.String()}
"""Every pair of a target group and one at or below it. Pairs of a group with itself may lack."""


@dataclass(frozen=True, eq=False)
class Places:
    """N units in ascending order of their id; every array has N elements, `groups` is G x N. Made by `Places.from_frame`."""

    frame: pl.DataFrame
    """The rows as they came, in the same order."""
    unit_id: NDArray[np.object_]
    offer_type: NDArray[np.int16]
    """Index into `offer_types`, -1 unknown."""
    offer_types: tuple[str, ...]
    municipality: NDArray[np.int16]
    """Index into `municipalities`."""
    municipalities: tuple[str, ...]
    operator_kind: NDArray[np.int8]
    """Index into `model.OPERATOR_KINDS`, -1 unknown. The same for the next three."""
    approval_status: NDArray[np.int8]
    night_cover: NDArray[np.int8]
    status: NDArray[np.int8]
    age_from: NDArray[np.int16]
    age_to: NDArray[np.int16]
    support_level_from: NDArray[np.int16]
    support_level_to: NDArray[np.int16]
    accepting: NDArray[np.int32]
    accepting_from: NDArray[np.int32]
    """Days since 1970-01-01, as all days here."""
    approved_until: NDArray[np.int32]
    confirmed_at: NDArray[np.int32]
    rate_ore: NDArray[np.int64]
    single_person: NDArray[np.int8]
    """1 yes, 0 no, -1 unknown."""
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    has_approvals: NDArray[np.bool_]
    """Whether any approval for a target group is known at all."""
    groups: NDArray[np.uint8]
    group_codes: tuple[str, ...]

    @classmethod
    def from_frame(cls, units: pl.DataFrame, closure: pl.DataFrame | None = None) -> Places:
        """Lay out the rows of `unit_now` (columns of `SCHEMA`) in arrays.

        `closure` has the columns of `CLOSURE_SCHEMA`; without it every group stands alone. Groups that only the units name are known too.
        Raises SampladsError `match_columns_missing` and `match_unit_twice`.
        """
        lacking = [name for name in SCHEMA if name not in units.columns]
        if lacking:
            raise SampladsError("match_columns_missing", columns=", ".join(lacking))
        frame = units.with_columns(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("unit_id")
        if frame["unit_id"].n_unique() != frame.height:
            raise SampladsError("match_unit_twice", unit=frame.filter(pl.col("unit_id").is_duplicated())["unit_id"][0])
        offer_types = tuple(frame["offer_type"].drop_nulls().unique().sort())
        municipalities = tuple(frame["municipality"].drop_nulls().unique().sort())
        groups, group_codes = _group_bits(frame, closure if closure is not None else pl.DataFrame(schema=CLOSURE_SCHEMA))
        return cls(
            frame=frame,
            unit_id=frame["unit_id"].to_numpy(),
            offer_type=_codes(frame["offer_type"], offer_types).astype(np.int16),
            offer_types=offer_types,
            municipality=_codes(frame["municipality"], municipalities).astype(np.int16),
            municipalities=municipalities,
            operator_kind=_codes(frame["operator_kind"], OPERATOR_KINDS).astype(np.int8),
            approval_status=_codes(frame["approval_status"], APPROVAL_STATUSES).astype(np.int8),
            night_cover=_codes(frame["night_cover"], NIGHT_COVERS).astype(np.int8),
            status=_codes(frame["status"], INTAKE_STATUSES).astype(np.int8),
            age_from=_whole(frame["age_from"]).astype(np.int16),
            age_to=_whole(frame["age_to"]).astype(np.int16),
            support_level_from=_whole(frame["support_level_from"]).astype(np.int16),
            support_level_to=_whole(frame["support_level_to"]).astype(np.int16),
            accepting=_whole(frame["accepting"]).astype(np.int32),
            accepting_from=_days(frame["accepting_from"]),
            approved_until=_days(frame["approved_until"]),
            confirmed_at=_days(frame["confirmed_at"]),
            rate_ore=_whole(frame["daily_rate_ore"]),
            single_person=_whole(frame["single_person"].cast(pl.Int64)).astype(np.int8),
            lat=frame["lat"].fill_null(float("nan")).to_numpy(),
            lon=frame["lon"].fill_null(float("nan")).to_numpy(),
            has_approvals=(
                (frame["primary_groups"].list.len().fill_null(0) + frame["secondary_groups"].list.len().fill_null(0)) > 0
            ).to_numpy(),
            groups=groups,
            group_codes=group_codes,
        )

    def __len__(self) -> int:
        return self.frame.height

    def group_bits(self, codes: Sequence[str]) -> NDArray[np.uint8]:
        """One row of bits per code (len(codes) x N); a group that nobody knows has none."""
        index = {code: row for row, code in enumerate(self.group_codes)}
        nobody = np.zeros(len(self), dtype=np.uint8)
        return np.stack([self.groups[index[code]] if code in index else nobody for code in codes])

    def rows(self, unit_ids: Sequence[str]) -> list[int]:
        """Row numbers of some units, in the order asked for. Raises SampladsError `match_unit_unknown`."""
        found = []
        for unit_id in unit_ids:
            row = int(self.frame["unit_id"].search_sorted(unit_id))
            if row == len(self) or self.unit_id[row] != unit_id:
                raise SampladsError("match_unit_unknown", unit=unit_id)
            found.append(row)
        return found


def _codes(column: pl.Series, words: Sequence[str]) -> NDArray[np.int64]:
    """The index of each value in `words`; -1 for null and for any other word."""
    return column.replace_strict(
        pl.Series(words, dtype=pl.String), pl.Series(range(len(words)), dtype=pl.Int64), default=UNKNOWN, return_dtype=pl.Int64
    ).to_numpy()


def _whole(column: pl.Series) -> NDArray[np.int64]:
    return column.fill_null(UNKNOWN).to_numpy()


def _days(column: pl.Series) -> NDArray[np.int32]:
    return column.to_physical().fill_null(int(UNKNOWN_DAY)).to_numpy()


def _group_bits(frame: pl.DataFrame, closure: pl.DataFrame) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The G x N matrix of bits and the codes of its rows.

    1. Every approval (unit, group, rank) is a row.
    2. It covers each group at or below its own: bit of its rank there.
    3. It tells a part of each group strictly above its own: bit PART (or EXCLUDED_PART) there.
    """
    numbered = frame.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("unit"), "primary_groups", "secondary_groups", "excluded_groups")
    ranks = (("primary_groups", PRIMARY, PART), ("secondary_groups", SECONDARY, PART), ("excluded_groups", EXCLUDED, EXCLUDED_PART))
    told = pl.concat(
        numbered.select("unit", pl.col(column).alias("group"), pl.lit(bit).alias("bit"), pl.lit(part).alias("part")).explode("group")
        for column, bit, part in ranks
    ).drop_nulls("group")
    pairs = closure.select("ancestor", "descendant").cast(CLOSURE_SCHEMA)  # type: ignore[arg-type]
    known = pl.concat([pairs["ancestor"], pairs["descendant"], told["group"]]).unique().sort()
    # Every group stands at or below itself, also one that the tree does not know.
    pairs = pl.concat([pairs, pl.DataFrame({"ancestor": known, "descendant": known})]).unique()
    codes = tuple(known)
    below = told.join(pairs, left_on="group", right_on="ancestor").select("unit", pl.col("descendant").alias("group"), "bit")
    above = told.join(pairs.filter(pl.col("ancestor") != pl.col("descendant")), left_on="group", right_on="descendant").select(
        "unit", pl.col("ancestor").alias("group"), pl.col("part").alias("bit")
    )
    bits = np.zeros((len(codes), frame.height), dtype=np.uint8)
    for part in (below, above):
        np.bitwise_or.at(bits, (_codes(part["group"], codes), part["unit"].to_numpy()), part["bit"].to_numpy().astype(np.uint8))
    return bits, codes
