"""The first of two passes over a table: is there anything in it that must not be there, and how does it write numbers and days?

Nothing of a table is kept before it has been scouted to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

import polars as pl

from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.extracts import headers, personal, side_by_side, values
from samplads.extracts.findings import RULES, Finding
from samplads.extracts.reading import EXTRA, ROW, STRAY, Delivery, Table
from samplads.opening import column_letters

KEPT_BYTES = 128 << 20
"""Tables of together this size are kept in memory between the passes; what is beyond is read twice."""

MOST_PERSONAL = 100
"""Cells with personal data that are told of one table: the sender has to look at all of it anyway."""


@dataclass
class Scouted:
    """What the first pass saw of a table. `refused`: a finding that refuses its file is among `findings`. `keep`: its rows may be kept in
    memory. `nameless`: columns that hold something under no header."""

    table: Table
    rows: int = 0
    signs: list[values.Signs] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    kept: list[pl.DataFrame] | None = None
    refused: bool = False
    keep: bool = True
    nameless: list[int] = field(default_factory=list)

    def batches(self) -> Iterator[pl.DataFrame]:
        """The rows again, for the second pass."""
        return iter(self.kept) if self.kept is not None else self.table.batches()

    def last_batches(self) -> Iterator[pl.DataFrame]:
        """The same, and what is kept is let go of as it is taken."""
        if self.kept is None:
            yield from self.table.batches()
            return
        held, self.kept = self.kept[::-1], None
        while held:
            yield held.pop()


def header_of(table: Table, position: int) -> str:
    """The header of a column, or its letters where it has none."""
    return table.headers[position] or column_letters(position + table.first_column)


def kinds(table: Table) -> dict[int, str]:
    """The kind of each position that feeds a column of the table's extract."""
    if table.extract is None:
        return {}
    columns = CONTRACTS[table.extract].columns()
    found = headers.mapped(table.headers, table.extract).positions
    return {position: str((columns[name].metadata or {})["kind"]) for name, (position, _) in found.items()}


def scout(delivery: Delivery, table: Table, *, keep: bool = True) -> Scouted:
    """Read a table once, to its end; `keep` says whether its rows may be kept in memory until they are asked for again."""
    found = Scouted(table, findings=list(table.findings), keep=keep)
    _names(delivery, found)
    try:
        _pass(delivery, found)
    except SampladsError as error:
        if error.key != "table_unreadable":
            raise
        if table.careful is None:
            _refuse(delivery, found, "unreadable_file")
            return found
        _again(delivery, found)
    else:
        if table.careful is not None and found.kept == []:
            _again(delivery, found)
    return found


def _again(delivery: Delivery, found: Scouted) -> None:
    """Scout a table whose quotes do not pair by the careful reader."""
    table = found.table
    assert table.careful is not None  # noqa: S101 - the callers see to it
    table.source, table.careful = table.careful, None
    found.findings = list(table.findings)
    found.refused = False
    _names(delivery, found)
    try:
        _pass(delivery, found)
    except SampladsError as error:
        if error.key != "table_unreadable":
            raise
        _refuse(delivery, found, "unreadable_file")


def _refuse(delivery: Delivery, found: Scouted, rule: str, *, row: int | None = None, column: str | None = None) -> None:
    table = found.table
    found.refused = True
    if len(found.findings) < MOST_PERSONAL + len(table.findings):
        found.findings.append(
            Finding(
                delivery=delivery.name,
                file=table.file,
                rule=rule,
                severity=RULES[rule],
                sheet=table.sheet,
                row=row,
                column=column,
                extract=table.extract,
            )
        )


def _names(delivery: Delivery, found: Scouted) -> None:
    """Headers and titles."""
    table = found.table
    for position, header in enumerate(table.headers):
        if personal.holds_number(header):
            _refuse(
                delivery,
                found,
                "personal_number_in_header",
                row=table.header_row or None,
                column=column_letters(position + table.first_column),
            )
        elif personal.promises_citizens(
            header, headers.all_names() if table.extract is None else headers.names(table.extract), table.extract
        ):
            _refuse(delivery, found, "personal_column", row=table.header_row or None, column=header)
    for row, title in table.titles:
        if personal.holds_number(title):
            _refuse(delivery, found, "personal_number", row=row)


def _swallowed(cells: pl.Series, separator: str, width: int) -> bool:
    """Whether a cell holds line ends and so many separators that an open quote may have swallowed whole rows."""
    lines = cells.filter(cells.str.contains("\n", literal=True))
    return bool(lines.len() and (lines.str.count_matches(separator, literal=True) >= max(width - 1, 1)).any())


@dataclass(frozen=True)
class _Looked:
    """What a column of a batch holds: rows with a civil registration number, how many cells look like one without its zero (of how many;
    `other` where the column is something else), and whether an open quote has swallowed rows."""

    numbers: Sequence[int]
    shortened: tuple[int, int] | None
    other: bool
    swallowed: bool


def _look(found: Scouted, known: Mapping[int, str], others: Set[int], name: str, cells: pl.Series) -> _Looked:
    """Look through a column of a batch; only the column's own signs are written to."""
    table = found.table
    position = None if name == EXTRA else int(name[1:])
    header = "" if position is None else personal.read_as(table.headers[position], table.headers)
    # A cell must have ten signs to hold a number or to have swallowed a row.
    most = cells.str.len_bytes().max() if cells.dtype == pl.String else None
    longest = most if isinstance(most, int) else 0
    short = cells.dtype == pl.String and longest < personal.SHORTEST
    kind = None if position is None or cells.dtype != pl.String else known.get(position)
    different = personal.few(cells) if cells.dtype == pl.String and (not short or kind in values.NUMBER_KINDS | {"day"}) else cells
    numbers = () if short else tuple(personal.rows_with_numbers(cells, header, limit=MOST_PERSONAL, different=different))
    shortened, other = None, False
    if position is not None and position not in others and not (cells.dtype == pl.String and longest < personal.SHORTEST - 1):
        shortened = personal.looks_shortened(cells, header)
        other = shortened is None
    swallowed = bool(
        cells.dtype == pl.String
        and table.quotes
        and not short
        and table.careful is not None
        and table.separator
        and _swallowed(cells, table.separator, len(table.headers))
    )
    if position is not None and cells.dtype == pl.String and not swallowed:
        if kind in values.NUMBER_KINDS:
            found.signs[position].see_numbers(cells, different, numbers_are_typed=table.numbers_are_typed)
        elif kind == "day":
            found.signs[position].see_days(cells, different)
    return _Looked(numbers, shortened, other, swallowed)


def _pass(delivery: Delivery, found: Scouted) -> None:
    table = found.table
    width = len(table.headers)
    known = kinds(table)
    found.signs = [values.Signs() for _ in range(width)]
    found.rows = 0
    kept: list[pl.DataFrame] | None = [] if found.keep else None
    shortened: dict[int, tuple[int, int]] = {}
    others: set[int] = set()
    nameless = [position for position, header in enumerate(table.headers) if not header]
    found.nameless = []
    for batch in table.batches():
        found.nameless += [position for position in nameless if position not in found.nameless and _holds_something(batch[f"c{position}"])]
        found.rows += batch.height - _blank(batch)

        def look(name: str, batch: pl.DataFrame = batch) -> _Looked:
            return _look(found, known, others, name, batch[name])

        names = [name for name in batch.columns if name not in {ROW, STRAY}]
        looked = side_by_side.each(look, names)
        for name, saw in zip(names, looked, strict=True):
            position = None if name == EXTRA else int(name[1:])
            for hit in saw.numbers:
                row = batch[ROW][hit]
                _refuse(
                    delivery,
                    found,
                    "personal_number",
                    row=None if row is None else int(row),
                    column=None if position is None else header_of(table, position),
                )
            if position is not None and saw.other:
                others.add(position)
            elif position is not None and saw.shortened is not None:
                before = shortened.get(position, (0, 0))
                shortened[position] = (before[0] + saw.shortened[0], before[1] + saw.shortened[1])
        if any(saw.swallowed for saw in looked):
            # An empty list tells the caller to begin again.
            found.kept = []
            return
        if kept is not None:
            kept.append(batch)
    for position, (like, filled) in shortened.items():
        if position not in others and like >= max(personal.SHORTENED_LEAST, personal.SHORTENED_SHARE * filled):
            _refuse(delivery, found, "personal_number_shortened", column=header_of(table, position))
    found.kept = kept if kept else None


def _holds_something(cells: pl.Series) -> bool:
    filled = cells.drop_nulls()
    return bool((filled.str.strip_chars() != "").any()) if filled.dtype == pl.String else filled.len() > 0


def _blank(batch: pl.DataFrame) -> int:
    return batch.height - told(batch).height


def told(batch: pl.DataFrame) -> pl.DataFrame:
    """The rows of a batch in which any cell holds more than blanks."""
    cells = [name for name in batch.columns if name not in {ROW, STRAY}]
    if not cells:
        return batch.clear()
    # Where the first column tells something in every row, as a key does, no row is blank.
    first = batch[cells[0]]
    if first.null_count() == 0 and (first.dtype != pl.String or not personal.few(first).str.contains(r"^\s*$").any()):
        return batch
    filled = (
        (pl.col(name).str.strip_chars() != "").fill_null(False) if batch[name].dtype == pl.String else pl.col(name).is_not_null()
        for name in cells
    )
    return batch.filter(batch.select(pl.any_horizontal(filled).alias("filled"))["filled"])


def screen(delivery: Delivery) -> list[Scouted]:
    """Scout every table of a delivery; a finding that concerns people refuses all tables of the same file."""
    scouted = []
    room = KEPT_BYTES
    for table in delivery.tables:
        one = scout(delivery, table, keep=table.bytes <= room)
        if one.kept is not None:
            room -= table.bytes
        scouted.append(one)
    refused = {one.table.file for one in scouted if one.refused and any(finding.rule.startswith("personal") for finding in one.findings)}
    for one in scouted:
        if one.table.file in refused:
            one.refused = True
            one.kept = None
    return scouted
