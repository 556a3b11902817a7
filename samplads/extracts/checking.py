"""Hold the tables of a delivery against the contracts: keep the good rows, set the bad ones aside, say why.

1. Every table is scouted (`scouting`): personal data refuse its file; how it writes numbers and days is decided for each column.
2. Its headers are held against its extract: without a required column, or with one twice, it is refused.
3. Batch by batch, cells become values; a row with a cell that cannot be read is set aside.
4. The contract (dataframely) judges the rest: what is required, bounds, rules of the row.
5. Codes are looked up in the reference and in the extracts before this one; a row that refers to a row which was set aside follows it,
   and its finding names the cause.
6. Of rows with the same key the first is kept.
7. What a contract flags is kept and reported.

Good rows are never looped over; extracts are taken in the order in which they refer to each other.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from samplads import disk
from samplads.contracts import CONTRACTS, Contract
from samplads.extracts import headers, personal, scouting, side_by_side, values
from samplads.extracts.findings import LONGEST_VALUE, RULES, SCHEMA, Finding, findings_frame, rules
from samplads.extracts.reading import EXTRA, ROW, STRAY, Delivery, Table, table_of_frame

MOST_FINDINGS = 10_000
"""Findings told one by one for a rule in a column of a table; those beyond are summed up in one `and_more`."""

MEMORY_BYTES = 256 << 20
"""Deliveries larger than this lay their accepted rows aside on disk while the rest is read."""

MOST_DAYS_AHEAD = 31
"""Days after the day of a delivery, or after today, that a count, a confirmation or a registration may be dated: else its year is a typing
mistake, and it would be the newest word for as long as that."""

DATED = ("as_of", "confirmed_at", "registered_on", "night_of")
"""Columns that say when something was: none of them lies ahead."""

SHARE = 500_000
"""Rows that may share a key with another, judged at a time."""

TABLE, HASH, FLAGGED, MENDED = "__table", "__hash", "__flagged", "__mended"
"""Columns that accepted rows carry until they are handed out: where they stood, the hash of their key, what was told of them."""

COUNTS: dict[str, pl.DataType] = {
    "delivery": pl.String(),
    "extract": pl.String(),
    "delivered": pl.Int64(),
    "accepted": pl.Int64(),
    "set_aside": pl.Int64(),
    "refused": pl.Int64(),
    "flagged": pl.Int64(),
    "corrected": pl.Int64(),
}
"""Columns of `Checked.counts`. Rows: delivered = accepted + set_aside + refused (in files that were refused); flagged and corrected are
among the accepted."""

MUNICIPALITY_COUNTS: dict[str, pl.DataType] = {
    "delivery": pl.String(),
    "extract": pl.String(),
    "municipality": pl.String(),
    **{name: kind for name, kind in COUNTS.items() if name not in {"delivery", "extract"}},
}
"""Columns of `Checked.by_municipality`: the same counts, one row an extract and municipality (a code; null where it cannot be told)."""

SET_ASIDE: dict[str, pl.DataType] = {
    "file": pl.String(),
    "sheet": pl.String(),
    "extract": pl.String(),
    "header_row": pl.Int64(),
    "headers": pl.List(pl.String()),
    "titles": pl.String(),
    "row": pl.Int64(),
    "cells": pl.List(pl.String()),
    "read": pl.List(pl.Boolean()),
    "beyond": pl.String(),
    "municipality": pl.String(),
}
"""Columns of `Checked.set_aside`. `cells` are as delivered, but what could be read as a number or a day is written with a point or as
year-month-day, and `read` is true for it; `titles` is a JSON list of (row, text) above the header; `beyond` lay beyond the last header."""

TALLIES = ("delivered", "set_aside", "refused", "flagged", "corrected")

SUMMED = frozenset({"serial_date", "endless_date", "unit_word_removed", "leading_zeros"})
"""Corrections that are the same for a whole column: told once, with their count."""


class Frames(Mapping[str, pl.DataFrame]):
    """Accepted rows by extract, each loaded when it is asked for; those of a large delivery lie on disk until then."""

    def __init__(self, parts: dict[str, list[pl.DataFrame | Path]]) -> None:
        self._parts = parts

    def __getitem__(self, extract: str) -> pl.DataFrame:
        contract = CONTRACTS[extract]
        parts = self._parts[extract]
        columns = list(contract.columns())
        frames = [pl.read_parquet(part, columns=columns, memory_map=False) if isinstance(part, Path) else part for part in parts]
        if not frames:
            return contract.create_empty()
        return pl.concat([frame.select(columns) for frame in frames], rechunk=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def scan(self, extract: str) -> pl.LazyFrame:
        """The rows of an extract without loading them."""
        columns = list(CONTRACTS[extract].columns())
        lazy = [pl.scan_parquet(part) if isinstance(part, Path) else part.lazy() for part in self._parts[extract]]
        if not lazy:
            return CONTRACTS[extract].create_empty().lazy()
        return pl.concat([frame.select(columns) for frame in lazy])

    def height(self, extract: str) -> int:
        """How many rows of an extract were accepted."""
        return int(self.scan(extract).select(pl.len()).collect().item())


@dataclass
class Checked:
    """What came of a delivery: accepted rows by extract (each has exactly its contract's columns), findings, and how many rows went where.

    `frames` lives as long as this object does. `counts` has the columns of `COUNTS`, one row an extract that was delivered;
    `by_municipality` those of `MUNICIPALITY_COUNTS`. `municipality` is the delivery's only one, None where it has several or none is known.

    A row belongs to the municipality that it names, if that is a known code, else to the one of the unit that it speaks of; what cannot be
    told from a row, and what concerns a whole file, belongs to the delivery's only municipality, where it has only one: that of its units,
    or else that of all its rows.

    `set_aside` has the columns of `SET_ASIDE`: the rows that were set aside, for the sender to mend, at most `MOST_FINDINGS` of a table. Of
    a file that was refused it holds nothing, nor of what a profile made, and never a cell that looks like somebody's name.
    """

    frames: Frames
    findings: pl.DataFrame
    counts: pl.DataFrame
    by_municipality: pl.DataFrame
    set_aside: pl.DataFrame
    as_of: dt.date | None = None
    municipality: str | None = None


def check(
    delivery: Delivery,
    reference: Mapping[str, Iterable[str]],
    known: Mapping[str, pl.DataFrame] | None = None,
    *,
    as_of: dt.date | None = None,
) -> Checked:
    """Check a delivery against the contracts.

    `reference`: codes by what `refers_to` calls them ("municipality.code"); an empty list is not held against anything. `known`: keys that
    are in the warehouse already, by extract. `as_of`: the day the delivery speaks of, where its manifest does not say; else its newest
    count. Raises nothing for what the delivery holds, and SampladsError `temporary_full` where a large one cannot be laid aside.
    """
    with disk.told_when_full():
        return _Check(delivery, reference, known or {}, as_of).run()


def check_frames(
    frames: Mapping[str, pl.DataFrame],
    reference: Mapping[str, Iterable[str]],
    known: Mapping[str, pl.DataFrame] | None = None,
    *,
    delivery: str,
    as_of: dt.date | None = None,
) -> Checked:
    """Check frames that are in memory already, as a profile makes them: by the same rules as a file.

    Columns `_file`, `_sheet` and `_row`, where there are any, tell findings where a row stood; else the file is called by the extract.
    """
    made = Delivery(name=delivery, folder=Path())
    for extract, frame in frames.items():
        for (file, sheet), part in _by_place(frame):
            table = table_of_frame(part, extract, file or f"{extract}")
            table.sheet = sheet
            made.tables.append(table)
    return check(made, reference, known, as_of=as_of)


def screen(delivery: Delivery) -> pl.DataFrame:
    """What refuses files of a delivery before anything is made of them: for raw files that a profile is going to read."""
    scouted = scouting.screen(delivery)
    found = [*delivery.findings, *(finding for one in scouted for finding in one.findings)]
    return findings_frame(finding for finding in found if finding.severity == "refused_file")


def _by_place(frame: pl.DataFrame) -> Iterator[tuple[tuple[str | None, str | None], pl.DataFrame]]:
    places = [name for name in ("_file", "_sheet") if name in frame.columns]
    if not places or frame.is_empty():
        yield (None, None), frame
        return
    for part in frame.partition_by(places, maintain_order=True):
        first = part.row(0, named=True)
        file, sheet = (None if first.get(name) is None else str(first[name]) for name in ("_file", "_sheet"))
        yield (file, sheet), part


@cache
def _indexed(extract: str) -> type[Contract]:
    """The contract with one column more, the position of the row in its batch, so that a failure can be traced back; without its key's
    being the only one, which is judged over all batches at once (`duplicates`)."""
    keys = {}
    for name, column in CONTRACTS[extract].columns().items():
        if column.primary_key:
            keys[name] = copy.copy(column)
            keys[name].primary_key = False
    return type(f"Indexed{extract}", (CONTRACTS[extract],), {**keys, "position": dy.UInt32(nullable=False)})


def today() -> dt.date:
    """The clock's day."""
    return dt.datetime.now().astimezone().date()


def _hash(keys: Sequence[str]) -> pl.Expr:
    """A 64-bit number for a key: rows of equal key have equal numbers; of unequal key, nearly never."""
    return pl.struct(keys).hash()


def _references(extract: str) -> dict[str, str]:
    """Columns that hold codes, and what they refer to."""
    found: dict[str, str] = {}
    for name, column in CONTRACTS[extract].columns().items():
        if target := (column.metadata or {}).get("refers_to"):
            found[name] = target
    return found


@cache
def _targets() -> frozenset[str]:
    """Extracts that others refer to."""
    return frozenset(target.split(".")[0] for extract in CONTRACTS for target in _references(extract).values()) & CONTRACTS.keys()


class _Findings:
    """Findings of many rows at once, capped for each rule, column and table."""

    def __init__(self, delivery: str) -> None:
        self.delivery = delivery
        self.frames: list[pl.DataFrame] = []
        self.told: dict[tuple[int, str, str | None], int] = {}
        self.beyond: dict[tuple[int, str, str | None], int] = {}
        self.tables: dict[int, Table] = {}
        # Frames of findings whose rows are those of a table that a profile made, not of a file.
        self.made: dict[int, Table] = {}
        self.severity = rules()

    def one(self, finding: Finding) -> None:
        self.frames.append(findings_frame([finding]))

    def rows(
        self,
        number: int,
        table: Table,
        rule: str,
        rows: pl.Series,
        *,
        column: str | None = None,
        cells: pl.Series | None = None,
        blanks: Mapping[str, Any] | None = None,
        blanks_by_row: pl.Series | None = None,
        towns: pl.Series | None = None,
    ) -> None:
        """Tell a rule of many rows of a table; `cells` are their values as delivered, `towns` their municipalities."""
        if not rows.len():
            return
        key = (number, rule, column)
        self.tables[number] = table
        room = MOST_FINDINGS - self.told.get(key, 0)
        if rows.len() > room:
            self.beyond[key] = self.beyond.get(key, 0) + rows.len() - max(room, 0)
            rows = rows.head(max(room, 0))
            cells = None if cells is None else cells.head(max(room, 0))
            blanks_by_row = None if blanks_by_row is None else blanks_by_row.head(max(room, 0))
            towns = None if towns is None else towns.head(max(room, 0))
        if not rows.len():
            return
        self.told[key] = self.told.get(key, 0) + rows.len()
        frame = self._frame(table, rule, rows, column, cells)
        given = json.dumps(blanks or {}, ensure_ascii=False, default=str)
        frame = frame.with_columns(
            (pl.lit(given) if blanks_by_row is None else blanks_by_row).alias("values"),
            (pl.lit(None, dtype=pl.String) if towns is None else towns).alias("municipality"),
        )
        if table.made is not None:
            self.made[len(self.frames)] = table
        self.frames.append(frame.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items()))

    def _frame(self, table: Table, rule: str, rows: pl.Series, column: str | None, cells: pl.Series | None) -> pl.DataFrame:
        shown = pl.repeat(None, rows.len(), dtype=pl.String, eager=True) if cells is None else _shown(cells)
        return pl.DataFrame({"row": rows, "value": shown}).with_columns(
            pl.lit(personal.redacted(self.delivery)).alias("delivery"),
            pl.lit(personal.redacted(table.file)).alias("file"),
            pl.lit(None if table.sheet is None else personal.redacted(table.sheet), dtype=pl.String).alias("sheet"),
            pl.lit(column, dtype=pl.String).alias("column"),
            pl.lit(rule).alias("rule"),
            pl.lit(self.severity[rule]).alias("severity"),
            pl.lit(table.extract, dtype=pl.String).alias("extract"),
        )

    def place(self, first: int, rows: pl.Series, towns: pl.Series, keys: pl.Series | None = None) -> None:
        """Give the findings told since the `first` frame the municipalities of their rows; and their `keys`, where those are told, for whom
        no row of a file is."""
        for index in range(first, len(self.frames)):
            frame = self.frames[index]
            here = rows.is_in(frame["row"].implode()).fill_null(False)
            known = pl.DataFrame({"row": rows.filter(here), "municipality": towns.filter(here)}).unique("row", keep="first")
            frame = frame.drop("municipality").join(known, on="row", how="left", maintain_order="left")
            if keys is not None:
                named = pl.DataFrame({"row": rows.filter(here), "key": _shown(keys.filter(here))}).unique("row", keep="first")
                same = pl.col("key").is_null() | (pl.col("key") == pl.col("value"))
                both = pl.concat_str("key", "value", separator=": ", ignore_nulls=True)
                value = pl.when(same).then("value").otherwise(both).alias("value")
                frame = frame.join(named, on="row", how="left", maintain_order="left").with_columns(value).drop("key")
            self.frames[index] = frame.select(*SCHEMA)

    def frame(self) -> pl.DataFrame:
        """All findings, those of one file together, its own first, then by row."""
        for (number, rule, column), count in self.beyond.items():
            table = self.tables[number]
            self.one(
                Finding(
                    delivery=self.delivery,
                    file=table.file,
                    sheet=table.sheet,
                    column=column,
                    rule="and_more",
                    severity=self.severity[rule],
                    extract=table.extract,
                    values={"count": count, "rule": rule},
                )
            )
        if not self.frames:
            return findings_frame([])
        for index, table in self.made.items():
            self.frames[index] = self.frames[index].with_columns(table.rows_in_file(self.frames[index]["row"]).alias("row"))
        return pl.concat(self.frames).sort("file", "sheet", "row", "column", "rule", nulls_last=False, maintain_order=True)


def _shown(cells: pl.Series) -> pl.Series:
    """Delivered values as a finding shows them: cut, and free of civil registration numbers."""
    text = cells if cells.dtype == pl.String else values.as_text(cells)
    if text.str.contains(personal.BROAD).any():
        text = text.map_elements(personal.redacted, return_dtype=pl.String)
    short = text.str.slice(0, LONGEST_VALUE - 1) + "…"
    return pl.select(pl.when(text.str.len_chars() > LONGEST_VALUE).then(short).otherwise(text).alias("value"))["value"]


@dataclass
class _Extract:
    """What is kept of one extract while its tables are read."""

    parts: list[pl.DataFrame | Path] = field(default_factory=list)
    hashes: list[pl.Series] = field(default_factory=list)
    delivered: int = 0
    set_aside: int = 0
    refused: int = 0
    flagged: int = 0
    corrected: int = 0
    tallies: list[pl.DataFrame] = field(default_factory=list)
    keys_set_aside: list[pl.DataFrame] = field(default_factory=list)
    a_file_was_refused: bool = False


FARTHEST_DAY = dt.date(9999, 1, 1)
"""A manifest may name any day; with days added to it, it must still be one."""


class _Check:
    def __init__(
        self, delivery: Delivery, reference: Mapping[str, Iterable[str]], known: Mapping[str, pl.DataFrame], as_of: dt.date | None
    ) -> None:
        self.delivery = delivery
        self.codes = {name: pl.Series(list(codes), dtype=pl.String).unique().sort() for name, codes in reference.items()}
        self.known = known
        self.as_of = delivery.as_of or as_of
        self.latest = max(min(self.as_of or dt.date.min, FARTHEST_DAY), today()) + dt.timedelta(days=MOST_DAYS_AHEAD)
        self.found = _Findings(delivery.name)
        self.extracts: dict[str, _Extract] = {}
        self.keys: dict[str, pl.Series] = {}
        # Where units lie, as this delivery tells and as is known from before: the first word counts.
        self.unit_towns: list[pl.DataFrame] = []
        self.units_lie: pl.DataFrame | None = None
        self.to_mend: list[pl.DataFrame] = []
        self.kept_rows: dict[int, int] = {}
        self.aside: disk.Aside | None = None
        self.summed: dict[tuple[int, str, str], tuple[Any, str | None, int]] = {}

    def run(self) -> Checked:
        for finding in self.delivery.findings:
            self.found.one(finding)
        scouted = scouting.screen(self.delivery)
        if sum(one.table.bytes for one in scouted) > MEMORY_BYTES:
            self.aside = disk.Aside()
        try:
            for extract in CONTRACTS:
                tables = [(number, one) for number, one in enumerate(scouted) if one.table.extract == extract]
                if tables:
                    self.extract(extract, tables)
            for one in scouted:
                if one.table.extract is None:
                    self.unassigned(one)
            self.expired(scouted)
        except BaseException:
            if self.aside is not None:
                self.aside.close()
            raise
        frames = Frames({extract: kept.parts for extract, kept in self.extracts.items()})
        if self.aside is not None:
            weakref.finalize(frames, self.aside.close)
        tallies = self.by_municipality()
        only = self.only_municipality(tallies)
        findings, tallies = _at_home(self.found.frame(), only), _at_home(tallies, only)
        tallies = tallies.group_by("delivery", "extract", "municipality", maintain_order=True).sum()
        aside = _at_home(pl.concat([pl.DataFrame(schema=SET_ASIDE), *self.to_mend]), only).sort("file", "sheet", "row", maintain_order=True)
        return Checked(frames, findings, self.counts(frames), tallies, aside, self.as_of, only)

    def keep(
        self,
        number: int,
        one: scouting.Scouted,
        rows: pl.DataFrame,
        towns: pl.Series,
        *,
        typed: Mapping[str, pl.Series] | None = None,
        secret: pl.Series | None = None,
    ) -> None:
        """Keep rows that were set aside as they were delivered, so that the sender can be given them back.

        `typed` are their columns as they were read. The cells of `secret` rows that hold a reference to a person are left empty.
        """
        table = one.table
        room = MOST_FINDINGS - self.kept_rows.get(number, 0)
        if table.made is not None or not rows.height or room <= 0:
            return
        self.kept_rows[number] = self.kept_rows.get(number, 0) + min(rows.height, room)
        rows, towns = rows.head(room), towns.head(room)
        mapping = headers.mapped(table.headers, str(table.extract)).positions
        feeds = {position: (column, target) for column, (position, target) in mapping.items()}
        cells, read = [], []
        for position in range(len(table.headers)):
            text = values.as_text(rows[f"c{position}"])
            known = pl.repeat(None, rows.height, dtype=pl.String, eager=True)
            if position in feeds:
                column, target = feeds[position]
                kind = scouting.kinds(table)[position]
                if typed is not None and kind in values.NUMBER_KINDS | {"day"}:
                    told = typed[column].head(room)
                    known = values.as_text(told.cast(pl.Float64) / 100 if kind == "money" and not target.ore else told)
                if column == "person_ref" and secret is not None:
                    text = text.set(secret.head(room), None)
            cells.append(pl.select(pl.coalesce(known, text).alias(f"c{position}")).to_series())
            read.append(known.is_not_null().alias(f"c{position}"))
        names = [f"c{position}" for position in range(len(table.headers))]
        frame = pl.DataFrame(
            {
                "row": rows[ROW],
                "cells": pl.DataFrame(cells).select(pl.concat_list(names).alias("cells"))["cells"],
                "read": pl.DataFrame(read).select(pl.concat_list(names).alias("read"))["read"],
                "beyond": rows[EXTRA] if EXTRA in rows.columns else pl.repeat(None, rows.height, dtype=pl.String, eager=True),
                "municipality": towns,
            }
        ).with_columns(
            pl.lit(personal.redacted(table.file)).alias("file"),
            pl.lit(table.sheet, dtype=pl.String).alias("sheet"),
            pl.lit(table.extract).alias("extract"),
            pl.lit(table.header_row).alias("header_row"),
            pl.lit(json.dumps(table.titles, ensure_ascii=False)).alias("titles"),
            pl.lit(list(table.headers), dtype=pl.List(pl.String)).alias("headers"),
        )
        self.to_mend.append(frame.select(pl.col(name).cast(kind) for name, kind in SET_ASIDE.items()))

    def keep_repeated(self, later: pl.DataFrame, tables: Mapping[int, scouting.Scouted]) -> None:
        """Keep rows that were set aside because an earlier one has their key: they are read again, as they were delivered."""
        towns = self.towns(later)
        for number in later[TABLE].unique(maintain_order=True).to_list():
            one = tables[number]
            here = later[TABLE] == number
            wanted = pl.DataFrame({ROW: later[ROW].filter(here), "__town": towns.filter(here)})
            if one.table.made is not None or self.kept_rows.get(number, 0) >= MOST_FINDINGS:
                continue
            for batch in one.batches():
                rows = batch.join(wanted, on=ROW, how="inner", maintain_order="left")
                self.keep(number, one, rows.drop("__town"), rows["__town"])

    def towns(self, frame: pl.DataFrame, strange: pl.Series | None = None) -> pl.Series:
        """The municipality of each row of a typed frame; null where it cannot be told. `strange`: rows whose own code is unknown."""
        if "municipality" in frame.columns:
            own = frame["municipality"] if strange is None or not strange.any() else frame["municipality"].set(strange, None)
        else:
            own = pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias("municipality")
        if not own.null_count() or "unit_id" not in frame.columns:
            return own
        if self.units_lie is None:
            before = self.known.get("unit")
            told = [before.select("unit_id", "municipality")] if before is not None and "municipality" in before.columns else []
            every = pl.concat([pl.DataFrame(schema={"unit_id": pl.String(), "municipality": pl.String()}), *self.unit_towns, *told])
            self.units_lie = every.drop_nulls().unique("unit_id", keep="first", maintain_order=True)
        unknown = own.is_null()
        lie = frame.select("unit_id").filter(unknown).join(self.units_lie, on="unit_id", how="left", maintain_order="left")["municipality"]
        return lie if lie.len() == own.len() else own.scatter(unknown.arg_true(), lie)

    def tally(self, extract: str, towns: pl.Series, sign: int = 1, **which: pl.Series) -> None:
        """Count rows by municipality, each as those of `which` whose mask is true; -1 takes them away again."""
        for name, where in which.items():
            if not where.any():
                continue
            counted = (towns if where.all() else towns.filter(where)).alias("municipality").value_counts()
            told = [pl.col("count").cast(pl.Int64) * sign if name == one else pl.lit(0, dtype=pl.Int64) for one in TALLIES]
            self.extracts[extract].tallies.append(
                counted.select("municipality", *(column.alias(one) for column, one in zip(told, TALLIES, strict=True)))
            )

    def by_municipality(self) -> pl.DataFrame:
        """The counts of every extract by municipality."""
        empty = pl.DataFrame(schema=MUNICIPALITY_COUNTS)
        parts = [
            pl.concat(kept.tallies)
            .group_by("municipality", maintain_order=True)
            .sum()
            .sort("municipality", nulls_last=True)
            .with_columns(
                pl.lit(personal.redacted(self.delivery.name)).alias("delivery"),
                pl.lit(extract).alias("extract"),
                (pl.col("delivered") - pl.col("set_aside") - pl.col("refused")).alias("accepted"),
            )
            .select(pl.col(name).cast(kind) for name, kind in MUNICIPALITY_COUNTS.items())
            for extract, kept in self.extracts.items()
            if kept.tallies
        ]
        return pl.concat([empty, *parts])

    @staticmethod
    def only_municipality(tallies: pl.DataFrame) -> str | None:
        """The only municipality of a delivery: that of its units, where it tells any; else of all its rows."""
        units = tallies.filter(pl.col("extract") == "unit").drop_nulls("municipality")
        found = (tallies.drop_nulls("municipality") if units.is_empty() else units)["municipality"].unique()
        return str(found[0]) if found.len() == 1 else None

    def counts(self, frames: Frames) -> pl.DataFrame:
        rows = [
            {
                "delivery": personal.redacted(self.delivery.name),
                "extract": extract,
                "delivered": kept.delivered,
                "accepted": frames.height(extract),
                "set_aside": kept.set_aside,
                "refused": kept.refused,
                "flagged": kept.flagged,
                "corrected": kept.corrected,
            }
            for extract, kept in self.extracts.items()
        ]
        return pl.DataFrame(rows, schema=COUNTS)

    def tell(self, one: scouting.Scouted, rule: str, *, column: str | None = None, row: int | None = None, **blanks: Any) -> None:
        table = one.table
        self.found.one(
            Finding(
                delivery=self.delivery.name,
                file=table.file,
                sheet=table.sheet,
                row=row,
                column=column,
                rule=rule,
                severity=RULES[rule],
                extract=table.extract,
                values=blanks,
            )
        )

    def unassigned(self, one: scouting.Scouted) -> None:
        for finding in one.findings:
            self.found.one(finding)
        # A sheet of one cell is a heading or a remark, and no table.
        if not one.refused and (one.rows or one.table.sheet is None or sum(map(bool, one.table.headers)) > 1):
            self.tell(one, "table_not_used", extracts=", ".join(CONTRACTS))

    def extract(self, extract: str, tables: list[tuple[int, scouting.Scouted]]) -> None:
        kept = self.extracts[extract] = _Extract()
        for number, one in tables:
            for finding in one.findings:
                self.found.one(finding)
            kept.delivered += one.rows
            if not one.rows and not one.refused and one.table.made is None:
                self.tell(one, "empty_file")
            mapping = headers.mapped(one.table.headers, extract)
            if one.refused or not self.headers_hold(one, mapping):
                kept.refused += one.rows
                if one.rows:
                    zero = pl.DataFrame(
                        {"municipality": [None], **{name: [one.rows if name in {"delivered", "refused"} else 0] for name in TALLIES}}
                    )
                    kept.tallies.append(zero.cast({"municipality": pl.String, **dict.fromkeys(TALLIES, pl.Int64)}))
                kept.a_file_was_refused = True
                continue
            self.table(number, one, mapping)
        self.duplicates(extract, dict(tables))
        if extract in _targets():
            key = CONTRACTS[extract].primary_key()[0]
            frames = Frames({extract: kept.parts})
            keys = frames.scan(extract).select(key).collect()[key]
            if extract in self.known:
                keys = pl.concat([keys, self.known[extract][key].cast(pl.String)])
            self.keys[f"{extract}.{key}"] = keys.unique()

    def headers_hold(self, one: scouting.Scouted, mapping: headers.Mapped) -> bool:
        """Tell what is wrong with a table's headers; whether it can be read all the same."""
        table = one.table
        extract = str(table.extract)
        near: dict[str, str] = {}
        for position in mapping.unknown:
            header = table.headers[position]
            meant = headers.nearest(header, extract)
            if meant is not None:
                near.setdefault(meant, header)
        lacking = {headers.label(extract, column) for column in mapping.missing}
        for wanted in sorted(lacking):
            if wanted in near:
                self.tell(one, "misspelt_header", column=near[wanted], row=table.header_row or None, wanted=wanted)
            else:
                self.tell(one, "missing_column", row=table.header_row or None, wanted=wanted)
        for column, claimed in mapping.twice.items():
            self.tell(one, "duplicate_header", column=claimed[-1], row=table.header_row or None, wanted=column, headers=", ".join(claimed))
        for position in one.nameless:
            self.tell(one, "unknown_column", column=scouting.header_of(table, position), row=table.header_row or None)
        for position in mapping.unknown:
            header = table.headers[position]
            meant = headers.nearest(header, extract)
            if meant in lacking:
                continue
            taken = {headers.label(extract, column) for column in mapping.positions}
            if meant is not None and meant not in taken:
                self.tell(one, "near_header", column=header, row=table.header_row or None, wanted=meant)
            else:
                self.tell(one, "unknown_column", column=header, row=table.header_row or None)
        return not mapping.missing and not mapping.twice

    def conventions(self, one: scouting.Scouted, mapping: headers.Mapped) -> dict[str, values.Convention]:
        table = one.table
        extract = str(table.extract)
        columns = CONTRACTS[extract].columns()
        found: dict[str, values.Convention] = {}
        for column, (position, _) in mapping.positions.items():
            kind = str((columns[column].metadata or {})["kind"])
            how = values.convention(
                one.signs[position] if one.signs else values.Signs(),
                one.signs,
                kind,
                separator=table.separator,
                numbers_are_typed=table.numbers_are_typed,
                manifest=self.delivery.manifest,
            )
            if "decimal" in how.assumed:
                self.tell(one, "number_sign_assumed", column=table.headers[position], sign=how.decimal, separator=table.separator)
            if "order" in how.assumed:
                self.tell(one, "date_order_assumed", column=table.headers[position], separator=table.separator)
            found[column] = how
        return found

    def table(self, number: int, one: scouting.Scouted, mapping: headers.Mapped) -> None:
        """The second pass over a table."""
        conventions = self.conventions(one, mapping)
        part = 0
        for batch in one.last_batches():
            rows = scouting.told(batch)
            if rows.is_empty():
                continue
            accepted = self.batch(number, one, mapping, conventions, rows)
            if accepted.is_empty():
                continue
            kept = self.extracts[str(one.table.extract)]
            kept.hashes.append(accepted[HASH])
            if self.aside is None:
                kept.parts.append(accepted)
            else:
                file = self.aside.path / f"{one.table.extract}-{number}-{part}.parquet"
                accepted.write_parquet(file, compression="lz4")
                kept.parts.append(file)
                part += 1
        for (owner, column, rule), (row, value, count) in list(self.summed.items()):
            if owner != number:
                continue
            self.found.one(
                Finding(
                    delivery=self.delivery.name,
                    file=one.table.file,
                    sheet=one.table.sheet,
                    row=row,
                    column=column,
                    rule=rule,
                    severity=RULES[rule],
                    value=value,
                    extract=one.table.extract,
                    values={"count": count},
                )
            )
            del self.summed[owner, column, rule]

    def batch(
        self,
        number: int,
        one: scouting.Scouted,
        mapping: headers.Mapped,
        conventions: Mapping[str, values.Convention],
        rows: pl.DataFrame,
    ) -> pl.DataFrame:
        """Judge a batch: tell its findings, return its accepted rows with `__table` and `__row`."""
        table = one.table
        extract = str(table.extract)
        kept = self.extracts[extract]
        contract = CONTRACTS[extract]
        first = len(self.found.frames)
        judged = _Judged(self, number, table, rows)
        judged.shape()
        typed: dict[str, pl.Series] = {}

        def convert(column: str) -> values.Converted:
            position, target = mapping.positions[column]
            return values.convert(extract, target, rows[f"c{position}"], conventions[column])

        told = [column for column in contract.columns() if column in mapping.positions]
        converted = dict(zip(told, side_by_side.each(convert, told), strict=True))
        for column, kind in contract.create_empty().schema.items():
            if column not in converted:
                typed[column] = pl.repeat(None, rows.height, dtype=kind, eager=True)
                continue
            typed[column] = judged.converted(column, mapping.positions[column][0], converted[column]).cast(kind)
        frame = pl.DataFrame(typed)
        for column, target_of in _references(extract).items():
            if column in mapping.positions:
                frame = judged.codes(frame, column, mapping.positions[column][0], target_of)
        judged.contract(frame, mapping)
        judged.pseudonyms(frame, mapping)
        judged.ahead(frame, mapping)
        good = ~judged.bad
        if extract in _targets() and judged.bad.any():
            key = contract.primary_key()[0]
            aside = pl.DataFrame(
                {"key": frame[key], "row": table.rows_in_file(rows[ROW]), "rules": judged.reasons()},
                schema={"key": pl.String, "row": pl.Int64, "rules": pl.String},
            )
            kept.keys_set_aside.append(
                aside.filter(judged.bad & frame[key].is_not_null()).with_columns(pl.lit(personal.redacted(table.file)).alias("file"))
            )
        kept.set_aside += int(judged.bad.sum())
        flagged = judged.flags(frame, good, mapping)
        kept.flagged += int(flagged.sum())
        kept.corrected += int((judged.mended & good).sum())
        towns = self.towns(frame, judged.strangers)
        if extract == "unit":
            self.unit_towns.append(frame.select("unit_id", towns.alias("municipality")))
            self.units_lie = None
        everyone = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
        self.tally(extract, towns, delivered=everyone, set_aside=judged.bad, flagged=flagged, corrected=judged.mended & good)
        untold = table.made is not None and bool(table.made.null_count())
        keys = (
            frame.select(
                pl.concat_str([pl.col(name).cast(pl.String) for name in contract.primary_key()], separator=" · ", ignore_nulls=True).alias(
                    "key"
                )
            )["key"]
            if untold
            else None
        )
        self.found.place(first, rows[ROW], towns, keys)
        if judged.bad.any():
            bad = judged.bad
            read = {column: series.filter(bad) for column, series in typed.items() if column in mapping.positions}
            self.keep(
                number,
                one,
                rows.filter(bad),
                towns.filter(bad),
                typed=read,
                secret=None if judged.named is None else judged.named.filter(bad),
            )
        return frame.with_columns(
            pl.lit(number, dtype=pl.UInt16).alias(TABLE),
            rows[ROW].alias(ROW),
            flagged.alias(FLAGGED),
            (judged.mended & good).alias(MENDED),
            _hash(contract.primary_key()).alias(HASH),
        ).filter(good)

    def duplicates(self, extract: str, tables: Mapping[int, scouting.Scouted]) -> None:
        """Of rows with the same key keep the first; 64-bit hashes find the candidates, the keys themselves decide.

        Candidates are taken in shares of about `SHARE` rows by their hash, so that a file sent twice over is judged in bounded memory.
        """
        kept = self.extracts[extract]
        if not kept.hashes:
            return
        hashes = pl.concat(kept.hashes)
        kept.hashes.clear()
        if hashes.n_unique() == hashes.len():
            return
        doubtful = hashes.filter(hashes.is_duplicated())
        shares = doubtful.len() // SHARE + 1
        twice = doubtful.unique()
        del hashes, doubtful
        gone: list[pl.DataFrame] = []
        for share in range(shares):
            wanted = twice.filter(twice % shares == share).implode()
            candidates = pl.concat(
                self._load(part).filter(pl.col(HASH).is_in(wanted)).with_columns(pl.lit(index, dtype=pl.UInt32).alias("__part"))
                for index, part in enumerate(kept.parts)
            )
            gone.append(self.later_ones(extract, candidates, tables))
        rows = pl.concat(gone)
        for index in rows["__part"].unique().to_list():
            part = kept.parts[index]
            left = self._load(part).join(rows.filter(pl.col("__part") == index), on=[TABLE, ROW], how="anti", maintain_order="left")
            if isinstance(part, Path):
                left.write_parquet(part, compression="lz4")
            else:
                kept.parts[index] = left

    def later_ones(self, extract: str, candidates: pl.DataFrame, tables: Mapping[int, scouting.Scouted]) -> pl.DataFrame:
        """Tell of the rows whose key an earlier row has; returns where they lie: `__part`, `__table`, `__row`."""
        kept = self.extracts[extract]
        keys = CONTRACTS[extract].primary_key()
        others = [name for name in CONTRACTS[extract].columns() if name not in keys]
        numbered = candidates.with_row_index("__index")
        first = numbered.unique(keys, keep="first", maintain_order=True)
        later = (
            numbered.join(first.select("__index"), on="__index", how="anti", maintain_order="left")
            .join(first, on=keys, how="left", suffix="__first", maintain_order="left")
            .with_columns(
                pl.all_horizontal(pl.lit(True), *(pl.col(name).eq_missing(pl.col(f"{name}__first")) for name in others)).alias("__same")
            )
        )
        if later.is_empty():
            return later.select("__part", TABLE, ROW)
        files = {number: personal.redacted(one.table.file) for number, one in tables.items()}
        for (number, same), group in later.group_by([TABLE, "__same"], maintain_order=True):
            one = tables[int(str(number))]
            key_column = headers.mapped(one.table.headers, extract).positions[keys[0]][0]
            told = group.head(MOST_FINDINGS)
            blanks = [
                json.dumps(
                    {"first_file": files[table], "first_row": tables[table].table.rows_in_file(pl.Series([row]))[0] or "–"},
                    ensure_ascii=False,
                )
                for table, row in told.select(f"{TABLE}__first", f"{ROW}__first").iter_rows()
            ]
            self.found.rows(
                int(str(number)),
                one.table,
                "duplicate_row" if same else "duplicate_key",
                group[ROW],
                column=scouting.header_of(one.table, key_column),
                cells=group.select(pl.concat_str([pl.col(name).cast(pl.String) for name in keys], separator=" · ").alias("v"))["v"],
                blanks_by_row=pl.Series(blanks + ["{}"] * (group.height - told.height), dtype=pl.String),
                towns=self.towns(group),
            )
        towns = self.towns(later)
        self.tally(extract, towns, set_aside=pl.repeat(True, later.height, dtype=pl.Boolean, eager=True))
        self.tally(extract, towns, -1, flagged=later[FLAGGED], corrected=later[MENDED])
        self.keep_repeated(later, tables)
        kept.set_aside += later.height
        kept.flagged -= int(later[FLAGGED].sum())
        kept.corrected -= int(later[MENDED].sum())
        self._forget(later.filter(pl.col(FLAGGED) | pl.col(MENDED)), files)
        return later.select("__part", TABLE, ROW)

    def _forget(self, rows: pl.DataFrame, files: Mapping[int, str]) -> None:
        """A row that was set aside as a duplicate is not also reported as kept and flagged."""
        if rows.is_empty():
            return
        gone = rows.select(pl.col(TABLE).replace_strict(files, return_dtype=pl.String).alias("file"), pl.col(ROW).alias("row")).unique()
        remark = pl.col("severity").is_in(["flagged", "corrected"]) & pl.col("row").is_not_null()
        self.found.frames = [
            pl.concat([frame.filter(~remark), frame.filter(remark).join(gone, on=["file", "row"], how="anti", maintain_order="left")])
            for frame in self.found.frames
        ]

    @staticmethod
    def _load(part: pl.DataFrame | Path) -> pl.DataFrame:
        return pl.read_parquet(part, memory_map=False) if isinstance(part, Path) else part

    def expired(self, scouted: list[scouting.Scouted]) -> None:
        """Flag units whose approval has run out on the day the delivery speaks of."""
        if self.as_of is None and "capacity" in self.extracts:
            newest = Frames({"capacity": self.extracts["capacity"].parts}).scan("capacity").select(pl.col("as_of").max()).collect().item()
            self.as_of = newest
        if self.as_of is None or "unit" not in self.extracts:
            return
        kept = self.extracts["unit"]
        for part in kept.parts:
            late = self._load(part).filter(pl.col("approved_until") < self.as_of)
            for number in late[TABLE].unique(maintain_order=True).to_list():
                one = scouted[number]
                rows = late.filter(pl.col(TABLE) == number)
                position = headers.mapped(one.table.headers, "unit").positions["approved_until"][0]
                days = rows["approved_until"].dt.strftime("%Y-%m-%d")
                untold = one.table.made is not None and bool(one.table.made.null_count())
                self.found.rows(
                    number,
                    one.table,
                    "approval_expired",
                    rows[ROW],
                    column=scouting.header_of(one.table, position),
                    cells=rows["unit_id"] + ": " + days if untold else days,
                    blanks={"day": self.as_of.isoformat()},
                    towns=self.towns(rows),
                )
            self.tally("unit", self.towns(late), flagged=~late[FLAGGED])
            kept.flagged += int((~late[FLAGGED]).sum())


class _Judged:
    """One batch while it is judged: which rows are bad, which were mended, and what is told of them."""

    def __init__(self, owner: _Check, number: int, table: Table, rows: pl.DataFrame) -> None:
        self.owner = owner
        self.number = number
        self.table = table
        self.rows = rows
        self.bad = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
        self.mended = self.bad
        self.unread: dict[str, pl.Series] = {}
        self.why: list[tuple[str, pl.Series]] = []
        # Rows whose municipality is not in the list of codes.
        self.strangers: pl.Series | None = None
        # Rows whose reference to a person is a name.
        self.named: pl.Series | None = None

    def set_aside(self, rule: str, where: pl.Series, position: int | None, **more: Any) -> None:
        """Set rows aside and tell why."""
        where = where.fill_null(False)
        if not where.any():
            return
        self.bad = self.bad | where
        self.why.append((rule, where))
        self.tell(rule, where, position, **more)

    def tell(self, rule: str, where: pl.Series, position: int | None, *, secret: bool = False, **more: Any) -> None:
        """Tell a rule of the rows where a mask is true, and what their cells say unless that is secret."""
        self.owner.found.rows(
            self.number,
            self.table,
            rule,
            self.rows[ROW].filter(where),
            column=None if position is None else scouting.header_of(self.table, position),
            cells=None if position is None or secret else self.rows[f"c{position}"].filter(where),
            **more,
        )

    def reasons(self) -> pl.Series:
        """The rules that set each row aside, with commas between them."""
        frame = pl.DataFrame({str(index): where for index, (_, where) in enumerate(self.why)})
        names = [pl.when(pl.col(str(index))).then(pl.lit(rule)) for index, (rule, _) in enumerate(self.why)]
        return frame.select(pl.concat_str(names, separator=", ", ignore_nulls=True).alias("rules"))["rules"]

    def shape(self) -> None:
        """Cells beyond the last header, quotes left open, cells with a formula's error."""
        if STRAY in self.rows.columns:
            self.set_aside("stray_quote", self.rows[STRAY], None)
        if EXTRA in self.rows.columns and self.rows[EXTRA].null_count() < self.rows.height:
            beyond = self.rows[EXTRA].str.strip_chars().fill_null("") != ""
            if STRAY in self.rows.columns:
                beyond &= ~self.rows[STRAY]
            self.set_aside("too_many_cells", beyond, None, blanks={"count": len(self.table.headers)})
        if self.table.broken:
            for position in sorted({column for _, column in self.table.broken}):
                rows = [row for row, column in self.table.broken if column == position]
                if position < len(self.table.headers):
                    self.set_aside("cell_error", self.rows[ROW].is_in(rows), position)

    def converted(self, column: str, position: int, made: values.Converted) -> pl.Series:
        """Take what a conversion found; returns its values."""
        extract = str(self.table.extract)
        for rule, where in made.faults.items():
            if where.any():
                blanks: dict[str, Any] = {}
                if rule == "unknown_choice":
                    blanks["choices"] = ", ".join((CONTRACTS[extract].columns()[column].metadata or {})["choices"])
                self.set_aside(rule, where, position, blanks=blanks)
                self.unread[column] = self.unread[column] | where if column in self.unread else where
        for rule, where in made.mended.items():
            self.mend(rule, where, position)
        for rule, where in made.flagged.items():
            if where.any():
                self.tell(rule, where, position)
        return made.values

    def mend(self, rule: str, where: pl.Series, position: int) -> None:
        """Tell of cells that were read by a rule that changes what was written."""
        where = where.fill_null(False)
        if not where.any():
            return
        self.mended = self.mended | where
        if rule not in SUMMED:
            self.tell(rule, where, position)
            return
        key = (self.number, scouting.header_of(self.table, position), rule)
        first = int(where.arg_true()[0])
        shown = _shown(self.rows[f"c{position}"].slice(first, 1))[0]
        row, value, count = self.owner.summed.get(key, (self.rows[ROW][first], shown, 0))
        self.owner.summed[key] = (row, value, count + int(where.sum()))

    def codes(self, frame: pl.DataFrame, column: str, position: int, target: str) -> pl.DataFrame:
        """Look the codes of a column up; returns the frame with leading zeros as the list of codes has them."""
        owner = self.owner
        extract = target.split(".")[0]
        across = extract in CONTRACTS
        allowed = owner.keys.get(target) if across else owner.codes.get(target)
        if across and allowed is None:
            known = owner.known.get(extract)
            allowed = pl.Series([], dtype=pl.String) if known is None else known[target.split(".")[1]].cast(pl.String)
        if allowed is None or (not across and not allowed.len()):
            return frame
        cells = frame[column]
        if isinstance(cells.dtype, pl.List):
            single = cells.explode().drop_nulls().unique()
            strange = single.filter(~single.is_in(allowed.implode()))
            if strange.len():
                where = cells.list.eval(pl.element().is_in(strange.implode())).list.any().fill_null(False)
                self.strange(where, position, target)
            return frame
        where = cells.is_not_null() & ~cells.is_in(allowed.implode())
        if not where.any():
            return frame
        if not across:
            padded = _with_zeros(cells.filter(where), allowed)
            if padded.is_not_null().any():
                mended = pl.repeat(None, cells.len(), dtype=pl.String, eager=True).scatter(where.arg_true(), padded)
                self.mend("leading_zeros", mended.is_not_null(), position)
                frame = frame.with_columns(pl.coalesce(mended, cells).alias(column))
                where = where & mended.is_null()
        if column == "municipality":
            self.strangers = where
        self.strange(where, position, target)
        return frame

    def strange(self, where: pl.Series, position: int, target: str) -> None:
        """Tell of codes that are not known: a code of the reference, or a row of an extract, which may itself have been set aside."""
        extract = target.split(".")[0]
        if extract not in CONTRACTS:
            self.set_aside("unknown_code", where, position, blanks={"table": extract})
            return
        kept = self.owner.extracts.get(extract)
        if kept is not None and kept.keys_set_aside:
            causes = pl.concat(kept.keys_set_aside).unique("key", keep="first", maintain_order=True)
            cells = values.clean(values.as_text(self.rows[f"c{position}"]))
            led = where & cells.is_in(causes["key"].implode()).fill_null(False)
            if led.any():
                matched = pl.DataFrame({"key": cells.filter(led)}).join(causes, on="key", how="left", maintain_order="left")
                blanks = matched.select(
                    pl.struct(pl.col("file").alias("cause_file"), pl.col("row").alias("cause_row"), pl.col("rules").alias("cause_rules"))
                    .struct.json_encode()
                    .alias("blanks")
                )["blanks"]
                self.set_aside("refers_to_set_aside", led, position, blanks_by_row=blanks)
                where = where & ~led
        if kept is not None and kept.a_file_was_refused:
            self.set_aside("refers_to_refused_file", where, position, blanks={"table": extract})
        else:
            self.set_aside("unknown_reference", where, position, blanks={"table": extract})

    def contract(self, frame: pl.DataFrame, mapping: headers.Mapped) -> None:
        """Let the contract judge; what was unreadable already is not also told as missing."""
        extract = str(self.table.extract)
        contract = CONTRACTS[extract]
        positions = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
        _, failure = _indexed(extract).filter(frame.with_columns(positions.alias("position")))
        counts = failure.counts()
        if not counts:
            return
        details = failure.details()
        columns = contract.columns()
        for rule in counts:
            failed = details.filter(pl.col(rule) == "invalid")["position"]
            where = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True).scatter(failed, True)
            column, _, kind = rule.partition("|")
            if not kind:
                self.set_aside(rule, where, None)
                continue
            if column in self.unread:
                where = where & ~self.unread[column]
            position = mapping.positions[column][0] if column in mapping.positions else None
            bounds = columns[column]
            if kind == "nullability":
                self.set_aside("missing_key" if bounds.primary_key else "missing_value", where, position)
            elif kind in {"min", "min_exclusive"}:
                self.set_aside("too_small", where, position, blanks={"least": _bound(bounds, "min")})
            elif kind in {"max", "max_exclusive"}:
                self.set_aside("too_large", where, position, blanks={"most": _bound(bounds, "max")})
            elif kind == "max_length":
                self.set_aside("too_long", where, position, blanks={"longest": getattr(bounds, "max_length", None)})
            else:
                self.set_aside("not_a_number", where, position)

    def pseudonyms(self, frame: pl.DataFrame, mapping: headers.Mapped) -> None:
        """A reference to a person that is a name is none; it is not told what it says."""
        if "person_ref" in mapping.positions:
            cells = frame["person_ref"]
            # A blank is found many times faster than words.
            blank = cells.str.contains(" ", literal=True) | cells.str.contains("\u00a0", literal=True)
            if blank.any():
                self.named = (blank & cells.str.contains(personal.NAME_LIKE)).fill_null(False)
                self.set_aside("pseudonym", self.named, mapping.positions["person_ref"][0], secret=True)

    def ahead(self, frame: pl.DataFrame, mapping: headers.Mapped) -> None:
        """What is dated far ahead."""
        for column in DATED:
            if column in mapping.positions:
                latest = self.owner.latest
                self.set_aside("date_in_future", frame[column] > latest, mapping.positions[column][0], blanks={"day": latest.isoformat()})

    def flags(self, frame: pl.DataFrame, good: pl.Series, mapping: headers.Mapped) -> pl.Series:
        """Tell what the contract flags among the good rows; returns which rows were flagged."""
        any_flag = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
        for rule, (column, holds) in CONTRACTS[str(self.table.extract)].flags().items():
            where = good & ~frame.select(holds.fill_null(True).alias("holds"))["holds"]
            if where.any():
                position = mapping.positions[column][0] if column in mapping.positions else None
                self.tell(rule, where, position)
                any_flag = any_flag | where
        return any_flag


def _at_home(frame: pl.DataFrame, municipality: str | None) -> pl.DataFrame:
    """What has no municipality given the delivery's only one."""
    return frame if municipality is None else frame.with_columns(pl.col("municipality").fill_null(municipality))


def _bound(column: Any, name: str) -> Any:
    bound = getattr(column, name)
    # Money is bounded in øre and delivered in kroner; its bounds are whole kroner.
    return bound // 100 if (column.metadata or {}).get("kind") == "money" and bound is not None else bound


def _with_zeros(cells: pl.Series, allowed: pl.Series) -> pl.Series:
    """Codes that differ from a known one by leading zeros alone, as the known one is written; null for the rest and where two fit."""
    bare = allowed.str.strip_chars_start("0")
    known = pl.DataFrame({"bare": bare, "code": allowed}).filter(~pl.col("bare").is_duplicated() & (pl.col("bare") != ""))
    return pl.DataFrame({"bare": cells.str.strip_chars_start("0")}).join(known, on="bare", how="left", maintain_order="left")["code"]
