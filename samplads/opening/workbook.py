"""Sheets of a workbook as text, with the rows that Excel shows, and what the text alone does not tell.

fastexcel reads the cells. Three things it does not tell are read from the file itself: which rows are hidden, which cells are merged, and
where a sheet's used range begins.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fastexcel
import polars as pl

LARGEST_UNPACKED = 1 << 30
"""Bytes that the parts of one workbook may unpack to: far above the million rows that a sheet can hold, far below a bomb."""

# No attribute holds a bare "<": with it left out, what is never closed ends the search at the next tag instead of at the file's end.
_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*>")
_NUMBER_OF_ROW = re.compile(rb'\br="([0-9]{1,7})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\b[^<>]*\bref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_PLACE = re.compile(rb'<(?:\w+:)?c\b[^<>]*\br="([A-Z]{1,3})([0-9]{1,7})"')
_CELL = re.compile(rb'<(?:\w+:)?c\b[^<>]*\br="([A-Z]{1,3})[0-9]{1,7}"[^<>]*(?<!/)>(?!</)')
_UNSAVED = re.compile(
    rb'<(?:\w+:)?c\b(?![^<>]*\bt="str")[^<>]*\br="([A-Z]{1,3})([0-9]{1,7})"[^<>]*>'
    rb"<(?:\w+:)?f\b[^<>]*(?:/>|>[^<>]*</(?:\w+:)?f>)(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)
"""A formula beside which no result stands, as programs write it that cannot reckon. An empty text is a result."""
_SHEET = re.compile(r"<(?:\w+:)?sheet\b([^<>]*)>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b([^<>]*)>")
_ATTRIBUTE = re.compile(r'([\w:]+)\s*=\s*"([^"]*)"')
MOST_CELLS = 20_000_000
"""Between the first and the last cell of a sheet. Each costs fastexcel up to a hundred bytes, empty or not."""

_AMBIGUOUS = r"^[+-]?[0-9]{1,3}\.[0-9]{3}$"


class Unreadable(Exception):  # noqa: N818 - a fact about a file, caught by the reader and told as a finding
    """The file cannot be read. `reason` is the rule of the finding; `sheet` and `cell` say where, if that is known."""

    def __init__(self, reason: str = "unreadable_file", sheet: str | None = None, cell: str | None = None) -> None:
        self.reason = reason
        self.sheet = sheet
        self.cell = cell
        super().__init__(reason)


@dataclass(frozen=True)
class Merge:
    """Cells merged into one: rows as Excel counts them, columns from 0."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass
class Sheet:
    """One sheet. `cells` has a String column for each used column, named c0, c1, ...; row n of the frame is row n + 1 in Excel.

    Numbers stand in their canonical form, with a point, so that 2845.5 was a number cell and 2.845,50 was text; a number cell whose text
    could be taken for thousands (2.845) is written with one more digit (2.8450). `broken` are the cells with a formula's error: (row as
    Excel counts it, column position).
    """

    name: str
    cells: pl.DataFrame
    first_column: int = 0
    hidden_rows: tuple[int, ...] = ()
    merges: tuple[Merge, ...] = ()
    broken: tuple[tuple[int, int], ...] = ()
    visible: bool = True


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def column_letters(position: int) -> str:
    """The letters of a column from its position (0 is A)."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _sheet_files(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive that holds each sheet, by the sheet's name."""
    try:
        book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return {}
    targets: dict[str, str] = {}
    for found in _RELATION.finditer(relations):
        attributes = dict(_ATTRIBUTE.findall(found.group(1)))
        target = attributes.get("Target", "")
        targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    files: dict[str, str] = {}
    for found in _SHEET.finditer(book):
        attributes = dict(_ATTRIBUTE.findall(found.group(1)))
        identity = next((value for name, value in attributes.items() if name == "id" or name.endswith(":id")), "")
        files[html.unescape(attributes.get("name", ""))] = targets.get(identity, "")
    return files


@dataclass(frozen=True)
class _Details:
    """What the text of a sheet's cells does not tell. `unsaved`: formulas without their result, as `Sheet.broken`."""

    hidden: tuple[int, ...] = ()
    merges: tuple[Merge, ...] = ()
    first: int = 0
    unsaved: tuple[tuple[int, int], ...] = ()


def _details(raw: bytes) -> _Details:
    """Hidden rows, merged cells, first used column and formulas without a result of one sheet's XML."""
    hidden = []
    if _HIDDEN.search(raw):
        for row in _ROW.finditer(raw):
            number = _NUMBER_OF_ROW.search(row.group())
            if number and _HIDDEN.search(row.group()):
                hidden.append(int(number.group(1)))
    merges = tuple(
        Merge(int(found.group(2)), int(found.group(4)), _column_number(found.group(1)), _column_number(found.group(3)))
        for found in _MERGE.finditer(raw)
    )
    unsaved = [(int(found.group(2)), _column_number(found.group(1))) for found in _UNSAVED.finditer(raw)]
    first = min((_column_number(found.group(1)) for found in _CELL.finditer(raw)), default=0) if merges or unsaved else 0
    return _Details(tuple(hidden), merges, first, tuple((row, column - first) for row, column in unsaved if column >= first))


def _frame(sheet: fastexcel.ExcelSheet) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    batch, errors = sheet.to_arrow_with_errors()
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a record batch is a frame
    broken = [(error.position[0] + 1, error.position[1]) for error in (errors.errors if errors else [])]
    return frame.rename({name: f"c{position}" for position, name in enumerate(frame.columns)}), broken


def _truth(reader: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    return _frame(reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="boolean"))[0]


def _marked(text: pl.DataFrame, truth: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Write a digit more on number cells whose text could be taken for thousands.

    Read as booleans, a number cell is true or false and a text cell is nothing: that tells them apart. It is asked for only where there
    is such a text, for it reads the sheet once more.
    """
    doubted = [name for name in text.columns if text[name].str.contains(_AMBIGUOUS).any()]
    if not doubted:
        return text
    told = truth()
    return text.with_columns(
        pl.when(told[name].is_not_null() & text[name].str.contains(_AMBIGUOUS)).then(text[name] + "0").otherwise(text[name]).alias(name)
        for name in doubted
        if name in told.columns
    )


def read(path: Path) -> list[Sheet]:
    """Every sheet of a workbook; one that holds no cell has an empty frame, for its name still is a name.

    Raises Unreadable `archive_refused` where it unpacks to too much; a damaged one raises anything that three libraries can raise.
    """
    sheets: list[Sheet] = []
    details_of: dict[str, str] = {}
    details: dict[str, _Details] = {}
    raw = path.read_bytes()
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
                raise Unreadable("archive_refused")
            details_of = _sheet_files(archive)
            for name, part in details_of.items():
                if part in archive.namelist():
                    details[name] = _details(archive.read(part))
    reader = fastexcel.read_excel(raw)
    # Chart sheets and the like hold no cells, but they have names too.
    sheets += [Sheet(name, pl.DataFrame()) for name in details_of if name not in reader.sheet_names]
    for name in reader.sheet_names:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        if not sheet.width or not sheet.height:
            sheets.append(Sheet(name, pl.DataFrame()))
            continue
        text, broken = _frame(sheet)
        marked = _marked(text, partial(_truth, reader, name))
        more = details.get(name, _Details())
        told = tuple(sorted({*broken, *more.unsaved}))
        sheets.append(Sheet(name, marked, more.first, more.hidden, more.merges, told, sheet.visible == "visible"))
    return sheets


def far(path: Path) -> dict[str, str]:
    """The first sheet of a workbook between whose cells more than MOST_CELLS lie, and its last cell, as Excel writes it; {} for none.

    To be asked when a workbook could not be opened: it looks at every cell's name. Raises what zipfile raises.
    """
    with zipfile.ZipFile(path) as archive:
        for name, part in _sheet_files(archive).items():
            places = _PLACE.findall(archive.read(part)) if part in archive.namelist() else []
            columns = {letters: _column_number(letters) for letters in {letters for letters, _ in places}}
            rows = [int(number) for _, number in places]
            if rows and (max(rows) - min(rows) + 1) * (max(columns.values()) - min(columns.values()) + 1) > MOST_CELLS:
                return {"sheet": name, "cell": f"{column_letters(max(columns.values()))}{max(rows)}"}
    return {}
