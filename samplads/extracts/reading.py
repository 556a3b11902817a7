"""A delivery on disk as tables of text: files found, unpacked, decoded, their headers located, each table given to its extract.

Nothing is judged here beyond what makes a table a table; values become numbers and days in `values`, rows are checked in `checking`.
Whatever is wrong with a file is a finding. Only a delivery that is not there raises.

Rows are handed out in batches, so that a file of any size is read in bounded memory.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import yaml

from samplads import disk, i18n
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.extracts import encoding, headers, personal
from samplads.extracts.findings import RULES, Finding
from samplads.opening import Merge, Opener, Sheet, Unreadable, column_letters, simplified

BATCH = 250_000
"""Rows in a batch: large enough for vectorised work, small enough for memory."""

HEAD_BYTES = 1 << 16
HEAD_ROWS = 100
"""How far down a header is looked for."""

LARGEST_ARCHIVE = 16 << 30
MOST_MEMBERS = 2_000
LONGEST_LINE = 1 << 24
MOST_JOINED = 200
"""Physical lines that one row in quotes may stretch over before its quote counts as stray."""

SEPARATORS = ";,\t|"
TEXT = frozenset({".csv", ".txt", ".tsv", ".tab"})
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
PARQUET = frozenset({".parquet", ".pq"})
MANIFESTS = ("manifest.yaml", "manifest.yml", "manifest.json")
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

ROW = "__row"
_MADE_UP = re.compile(r"""\bsynthetic["']?\s*:\s*(?!["']?(?:false|no|nej|0)\b)\S""", re.IGNORECASE)
"""In a manifest that cannot be read: something other than no."""

EXTRA = "__extra"
STRAY = "__stray"
"""Columns that a batch carries beside c0, c1, ...: the row as a person counts it; cells beyond the last header; a quote left open."""


class _Unreadable(Exception):  # noqa: N818 - turned into a finding where the table is scouted
    """A table that cannot be read to its end."""


@dataclass
class Table:
    """One table of a delivery: a CSV or Parquet file, or a sheet of a workbook.

    `headers` are as delivered, one a column, "" where a column has none. `header_row` is the header's row as a person counts it (0 where
    the form has none, as Parquet). `extract` is None where the table could not be given to one. `separator` is that of a CSV file.
    `titles` are the texts above the header with their rows. `numbers_are_typed`: a number with a point was a number and no text.
    `careful` reads a CSV file whose quotes do not pair; without `quotes` it holds none. Of a table that a
    profile `made`: which row of the file each of its rows comes from (null where that is not told); it may have no rows.
    """

    file: str
    sheet: str | None
    headers: tuple[str, ...]
    header_row: int
    extract: str | None
    source: Callable[[], Iterator[pl.DataFrame]]
    separator: str | None = None
    titles: tuple[tuple[int, str], ...] = ()
    numbers_are_typed: bool = False
    bytes: int = 0
    merges: tuple[Merge, ...] = ()
    first_column: int = 0
    broken: tuple[tuple[int, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    careful: Callable[[], Iterator[pl.DataFrame]] | None = None
    quotes: bool = True
    made: pl.Series | None = None

    def batches(self) -> Iterator[pl.DataFrame]:
        """The rows below the header, in order: `__row`, c0, c1, ..., and where the form can have them `__extra` and `__stray`.

        Raises SampladsError `table_unreadable` where the file cannot be read to its end.
        """
        try:
            yield from self.source()
        except _Unreadable:
            raise SampladsError("table_unreadable", file=personal.redacted(self.file)) from None

    def rows_in_file(self, rows: pl.Series) -> pl.Series:
        """The numbers of rows as a person finds them in the file: of a table that a profile made, those that it tells, null where none."""
        if self.made is None:
            return rows
        return pl.DataFrame({"row": rows}).select(pl.lit(self.made).gather(pl.col("row") - 1).alias("row"))["row"] if rows.len() else rows

    def frame(self) -> pl.DataFrame:
        """All rows under their delivered headers (with a number where one stands twice), as they came."""
        parts = list(self.batches())
        names: list[str] = []
        for position, header in enumerate(self.headers):
            wanted = header or column_letters(position)
            count = 2
            name = wanted
            while name in names:
                name = f"{wanted} ({count})"
                count += 1
            names.append(name)
        columns = [f"c{position}" for position in range(len(self.headers))]
        if not parts:
            return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
        return pl.concat([part.select(columns) for part in parts], how="vertical_relaxed").rename(dict(zip(columns, names, strict=True)))


@dataclass
class Delivery:
    """What somebody sent, read as tables.

    `folder` holds its plain files (an archive's are unpacked there for as long as the delivery lives). `manifest` holds what the sender
    says of it: as_of (a date), sender, synthetic, decimal ("," or "."), date_order ("dmy" or "mdy"), extracts (file -> extract), ignore
    (files that are no part of it).
    `converted` are the text files that were not UTF-8 (file -> the same in UTF-8, aside).
    `findings` are those of reading; `checking.check` adds its own.
    """

    name: str
    folder: Path
    tables: list[Table] = field(default_factory=list)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unpacked: Path | None = None
    converted: dict[str, Path] = field(default_factory=dict)

    @property
    def as_of(self) -> dt.date | None:
        """The day the delivery speaks of, where its manifest says."""
        day = self.manifest.get("as_of")
        return day if isinstance(day, dt.date) else None

    def of(self, extract: str) -> list[Table]:
        """The tables given to an extract."""
        return [table for table in self.tables if table.extract == extract]

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The rows of each extract as they came, under delivered headers. For small deliveries and tests: it holds all in memory."""
        return {
            extract: pl.concat([table.frame() for table in self.of(extract)], how="diagonal_relaxed")
            for extract in dict.fromkeys(table.extract for table in self.tables if table.extract)
        }


def read_delivery(path: Path, *, name: str | None = None, most_unpacked: int | None = None) -> Delivery:
    """Read a folder, a file or a ZIP archive as a delivery; archives that unpack to more than `most_unpacked` bytes (LARGEST_ARCHIVE
    where it is not said) are refused.

    Tables are given to extracts by the manifest, else by the name of the file (unit.csv, UNIT_2026-11.xlsx) or of the sheet, else by their
    headers. Raises SampladsError `delivery_missing`, and `temporary_full` where there is no room to unpack or convert.
    """
    if not path.exists():
        raise SampladsError("delivery_missing", delivery=personal.redacted(path.name))
    disk.sweep()
    name = clean_name(name or name_of(path))
    with disk.told_when_full():
        aside = disk.Aside()
        delivery = Delivery(name=name, folder=path if path.is_dir() else path.parent, unpacked=aside.path)
        weakref.finalize(delivery, aside.close)
        if personal.holds_number(name) or personal.holds_number(name_of(path)):
            # Its name would stand in every list: nothing of it is read before it has another.
            delivery.findings.append(Finding(name, name, "personal_number_in_name", RULES["personal_number_in_name"]))
        else:
            with Opener(aside.path) as opener:
                _read(_Reader(delivery, aside.path, opener, most_unpacked or LARGEST_ARCHIVE), path)
    return delivery


def name_of(path: Path) -> str:
    """What a delivery is called: the name of its folder or file, also where it is given as "." or ".."."""
    return path.name if path.name not in {"", ".."} else path.resolve().name


def clean_name(name: str) -> str:
    """A name as text: bytes of it that are no UTF-8, as old systems write æ, ø and å, are read as Windows-1252."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("cp1252", "replace")
    return name


def _read(reader: _Reader, path: Path) -> None:
    """Find the files of a delivery and read each into its tables."""
    if path.is_dir():
        files = sorted(_within(path, reader))
        members = [(file.relative_to(path).as_posix(), file) for file in files if not is_link(file)]
        for file in files:
            # A link may lead out of the delivery: it is not followed, and not passed over in silence.
            if is_link(file) and not _hidden(file.relative_to(path).as_posix()):
                reader.found("file_not_used", clean_name(file.relative_to(path).as_posix()))
    else:
        members = [(path.name, path)]
    members = [(clean_name(member), reader.with_clean_name(file)) for member, file in members]
    if len(members) == 1 and _form(members[0][1]) == "archive" and not path.is_dir():
        reader.delivery.folder = reader.aside / "delivery"
        members = reader.unpacked(members[0][0], members[0][1], reader.delivery.folder)
    reader.manifest(members)
    for member, file in members:
        reader.read(member, file)


def _within(folder: Path, reader: _Reader) -> Iterator[Path]:
    """Every file below a folder; what may not be looked into is told of, and not passed over in silence."""

    def closed(error: OSError) -> None:
        reader.found("folder_closed", clean_name(Path(os.fsdecode(error.filename)).relative_to(folder).as_posix()))

    for inside, folders, names in os.walk(folder, onerror=closed):
        links = [name for name in folders if (Path(inside) / name).is_symlink()]
        yield from (Path(inside) / name for name in [*names, *links])


def is_link(file: Path) -> bool:
    """Whether a file is not one itself: a link, a pipe, a device."""
    return file.is_symlink() or not file.is_file()


def table_of_frame(frame: pl.DataFrame, extract: str, file: str) -> Table:
    """A frame that is in memory already as a table; a column `_row` tells which row of the file each was made of, else none is told."""
    shown = [column for column in frame.columns if column not in {"_file", "_sheet", "_row"}]
    renamed = frame.select(simplified(column, frame.schema[column]) for column in shown).rename(
        {column: f"c{position}" for position, column in enumerate(shown)}
    )
    told = (
        frame["_row"].cast(pl.Int64, strict=False) if "_row" in frame.columns else pl.repeat(None, frame.height, dtype=pl.Int64, eager=True)
    )
    # Inside, each row has a number of its own: several may be made of one row of the file, or of none that is told.
    whole = renamed.with_columns(pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(ROW))
    return Table(
        file=file,
        sheet=None,
        headers=tuple(shown),
        header_row=0,
        extract=extract,
        source=lambda: whole.iter_slices(BATCH),
        bytes=int(whole.estimated_size()),
        made=told,
    )


def _hidden(member: str) -> bool:
    parts = PurePosixPath(member).parts
    return any(part.startswith((".", "~$")) or part.casefold() in SYSTEM_FILES for part in parts)


def _form(file: Path) -> str:
    """What a file is: by its first bytes where they tell, else by its name."""
    with file.open("rb") as stream:
        head = stream.read(8)
    suffix = file.suffix.casefold()
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "workbook" if suffix in WORKBOOKS or _is_workbook(file) else "archive"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "workbook"
    if suffix in PARQUET:
        return "parquet"
    if suffix == ".zip":
        return "archive"
    return "text" if suffix in TEXT | WORKBOOKS else "other"


def _is_workbook(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.namelist() or "xl/workbook.bin" in archive.namelist()
    except Exception as error:
        # As in `unpacked`: zipfile raises a dozen kinds of errors. What is no workbook is refused as an archive.
        if disk.is_full(error):
            raise
        return False


def _clean(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


class _Reader:
    def __init__(self, delivery: Delivery, aside: Path, opener: Opener, most_unpacked: int) -> None:
        self.delivery = delivery
        self.aside = aside
        self.opener = opener
        self.most_unpacked = most_unpacked
        self.counter = 0
        self.unpacked_bytes = 0

    def found(self, rule: str, file: str, **more: Any) -> None:
        self.delivery.findings.append(self.finding(rule, file, **more))

    def finding(self, rule: str, file: str, **more: Any) -> Finding:
        return Finding(delivery=self.delivery.name, file=file, rule=rule, severity=RULES[rule], **more)

    def aside_file(self, suffix: str) -> Path:
        self.counter += 1
        return self.aside / f"{self.counter}{suffix}"

    def with_clean_name(self, file: Path) -> Path:
        """A file under a path that is text throughout, as polars needs it: itself, or a link aside."""
        try:
            str(file).encode()
        except UnicodeEncodeError:
            aside = self.aside_file(PurePosixPath(clean_name(file.name)).suffix)
            aside.symlink_to(file.absolute())
            return aside
        return file

    def manifest(self, members: Sequence[tuple[str, Path]]) -> None:
        """Read the manifest.yaml or manifest.json that lies nearest to the top of the delivery, if one is there; others are told of.

        Where one of them may say that all is made up, it is taken to be so: made-up data must not pass for real.
        """
        there = [(member, file) for member, file in members if PurePosixPath(member).name.casefold() in MANIFESTS and not _hidden(member)]
        there.sort(key=lambda one: (len(PurePosixPath(one[0]).parts), one[0]))
        used = None
        made_up = False
        for member, file in there:
            text = ""
            try:
                if file.stat().st_size > 1 << 20:
                    raise ValueError
                text = file.read_text(encoding="utf-8-sig")
                told = _manifest(json.loads(text) if file.suffix.casefold() == ".json" else yaml.safe_load(text))
            except (ValueError, TypeError, AttributeError, yaml.YAMLError, RecursionError):
                self.found("manifest_unreadable", member)
                made_up |= bool(_MADE_UP.search(text))
                continue
            made_up |= told.get("synthetic", False)
            if used is None:
                used = told
            elif told != used:
                self.found("manifest_not_used", member)
        self.delivery.manifest = {**(used or {}), **({"synthetic": True} if made_up else {})}

    def unpacked(self, member: str, file: Path, target: Path, depth: int = 0) -> list[tuple[str, Path]]:
        """The members of an archive, unpacked flat into a folder; [] with a finding where it cannot be."""
        target.mkdir(parents=True, exist_ok=True)
        found: list[tuple[str, Path]] = []
        try:
            with zipfile.ZipFile(file) as archive:
                members = [info for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)]
                if len(members) > MOST_MEMBERS or depth > 2:
                    raise zipfile.BadZipFile
                taken: set[str] = set()
                for info in members:
                    base = PurePosixPath(info.filename.replace("\\", "/")).name[-120:] or "file"
                    plain = base
                    while plain.casefold() in taken:
                        self.counter += 1
                        plain = f"{self.counter}-{base}"
                    taken.add(plain.casefold())
                    with archive.open(info) as source, (target / plain).open("wb") as written:
                        while block := source.read(encoding.BLOCK):
                            self.unpacked_bytes += len(block)
                            if self.unpacked_bytes > self.most_unpacked:
                                raise zipfile.BadZipFile
                            written.write(block)
                    found.append((info.filename, target / plain))
        except Exception as error:
            # Damaged, encrypted, packed in an unknown way, a bomb: zipfile raises a dozen kinds of errors.
            if disk.is_full(error):
                raise
            self.found("archive_refused", member)
            return []
        if not found:
            self.found("empty_file", member)
        return found

    def read(self, member: str, file: Path, depth: int = 0) -> None:
        """Read one file into the delivery's tables."""
        if _hidden(member) or PurePosixPath(member).name.casefold() in MANIFESTS or member in self.delivery.manifest.get("ignore", ()):
            return
        if personal.holds_number(member):
            self.found("personal_number_in_name", member)
            return
        if file.stat().st_size == 0:
            self.found("empty_file", member)
            return
        form = _form(file)
        if form == "archive":
            self.counter += 1
            for inner, path in self.unpacked(member, file, self.aside / f"archive-{self.counter}", depth + 1):
                self.read(f"{member}/{inner}", path, depth + 1)
        elif form == "workbook":
            self.workbook(member, file)
        elif form == "parquet":
            self.parquet(member, file)
        elif form == "text":
            self.text(member, file)
        else:
            self.found("file_not_used", member)

    def extract_of(self, member: str, sheet: str | None, table_headers: Sequence[str], *, alone: bool = True) -> str | None:
        told = self.delivery.manifest.get("extracts", {})
        for key in ([f"{member}#{sheet}", sheet] if sheet else []) + [member, PurePosixPath(member).name]:
            if key in told:
                return str(told[key])
        by_sheet = headers.extract_of_name(sheet) if sheet else None
        by_file = headers.extract_of_name(PurePosixPath(member).stem) if alone else None
        return by_sheet or by_file or headers.extract_of_headers(table_headers)

    def parquet(self, member: str, file: Path) -> None:
        try:
            names, rows = self.opener.parquet(file)
        except Unreadable:
            self.found("unreadable_file", member)
            return
        if not names:
            self.found("empty_file", member)
            return

        def source() -> Iterator[pl.DataFrame]:
            lazy = pl.scan_ipc(rows, glob=False, hive_partitioning=False, row_index_name=ROW, row_index_offset=1)
            yield from _collected(lazy.with_columns(pl.col(ROW).cast(pl.Int64)))

        self.delivery.tables.append(
            Table(
                file=member,
                sheet=None,
                headers=tuple(_clean(name) for name in names),
                header_row=0,
                extract=self.extract_of(member, None, names),
                source=source,
                bytes=file.stat().st_size * 4,
            )
        )

    def workbook(self, member: str, file: Path) -> None:
        try:
            sheets = self.opener.workbook(file)
        except Unreadable as refused:
            self.found(refused.reason, member, sheet=refused.sheet, value=refused.cell)
            return
        for sheet in sheets:
            if personal.holds_number(sheet.name):
                self.found("personal_number_in_name", member, sheet=sheet.name)
                return
        filled = [sheet for sheet in sheets if not sheet.cells.is_empty()]
        if not filled:
            self.found("empty_file", member)
            return
        for sheet in filled:
            self.sheet(member, sheet, alone=len(filled) == 1)

    def sheet(self, member: str, sheet: Sheet, *, alone: bool) -> None:
        # A table may begin far down: the rows above it are empty.
        filled_rows = sheet.cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
        above = int(filled_rows[0]) if filled_rows.len() else 0
        head = sheet.cells.slice(above, HEAD_ROWS).rows()
        named = self.extract_of(member, sheet.name, (), alone=alone)
        position = headers.header_row([[_clean(cell) for cell in row] for row in head], named)
        if position is None:
            return
        names = [_clean(cell) for cell in head[position]]
        header_row = above + position + 1
        if headers.is_our_list(names):
            return
        below = sheet.cells.slice(header_row).with_row_index(ROW, header_row + 1).cast({ROW: pl.Int64})
        below, names = _with_extra(below, names)
        extract = named or self.extract_of(member, sheet.name, names, alone=alone)
        below, filled = _without_merges(below, sheet)
        findings = [
            self.finding(
                "merged_cell_filled",
                member,
                sheet=sheet.name,
                row=merge.first_row + 1,
                column=names[merge.first_column - sheet.first_column],
                extract=extract,
                values={"first": merge.first_row, "last": merge.last_row},
            )
            for merge in filled
        ]
        if not sheet.visible:
            findings.append(self.finding("hidden_sheet", member, sheet=sheet.name, extract=extract))
        if hidden := [row for row in sheet.hidden_rows if row > header_row]:
            findings.append(
                self.finding("hidden_rows", member, sheet=sheet.name, row=hidden[0], extract=extract, values={"count": len(hidden)})
            )
        self.delivery.tables.append(
            Table(
                file=member,
                sheet=sheet.name,
                headers=tuple(names),
                header_row=header_row,
                extract=extract,
                source=lambda: below.iter_slices(BATCH),
                titles=tuple((above + row + 1, _clean(cell)) for row in range(position) for cell in head[row] if cell),
                numbers_are_typed=True,
                bytes=int(below.estimated_size()),
                first_column=sheet.first_column,
                broken=tuple((row, column) for row, column in sheet.broken if row > header_row),
                findings=tuple(findings),
            )
        )

    def text(self, member: str, file: Path) -> None:
        try:
            found = encoding.detect(file)
            plain = file
            if found.codec != "utf-8" or _has_lone_returns(file):
                plain = self.aside_file(".csv")
                encoding.as_utf8(file, found, plain)
                self.delivery.converted[member] = plain
        except encoding.NotText as refused:
            self.found(refused.reason, member)
            return
        with plain.open("r", encoding="utf-8", newline="") as stream:
            text = stream.read(HEAD_BYTES)
        # The last line of a head that was cut is half a line.
        whole = text if len(text) < HEAD_BYTES else text[: text.rfind("\n") + 1] or text
        if not whole.strip("\ufeff \t\r\n;,|"):
            self.found("empty_file", member)
            return
        named = self.extract_of(member, None, ())
        separator, rows = _divided(whole, named)
        position = headers.header_row(rows, named)
        if position is None:
            self.found("empty_file", member)
            return
        names = [_clean(cell) for cell in rows[position]]
        beyond = 1
        while names and not names[-1]:
            names.pop()
            beyond += 1
        width, header_row = len(names), position + 1
        extract = named or self.extract_of(member, None, names)
        findings = []
        if found.guessed:
            findings.append(self.finding("encoding_corrected", member, extract=extract, values={"encoding": found.name}))
        self.delivery.tables.append(
            Table(
                file=member,
                sheet=None,
                headers=tuple(names),
                header_row=header_row,
                extract=extract,
                source=lambda: _fast(plain, separator, width, beyond, header_row),
                careful=lambda: _careful(plain, separator, width, header_row),
                quotes=found.quotes,
                separator=separator,
                titles=tuple((row + 1, cell) for row in range(position) for cell in rows[row] if cell),
                bytes=plain.stat().st_size,
                findings=tuple(findings),
            )
        )


def _manifest(told: Any) -> dict[str, Any]:
    """The parts of a manifest that are understood. Raises ValueError, TypeError or AttributeError where it is no manifest."""
    known: dict[str, Any] = {}
    if told is None:
        return known
    if (day := told.get("as_of")) is not None:
        if isinstance(day, dt.datetime):
            day = day.date()
        known["as_of"] = day if isinstance(day, dt.date) else dt.date.fromisoformat(str(day))
    if told.get("sender") is not None:
        known["sender"] = personal.redacted(str(told["sender"]))[:200]
    if told.get("synthetic") is not None:
        known["synthetic"] = _truth(told["synthetic"])
    if told.get("decimal") in {",", "."}:
        known["decimal"] = told["decimal"]
    if told.get("date_order") in {"dmy", "mdy"}:
        known["date_order"] = told["date_order"]
    if isinstance(told.get("ignore"), list):
        known["ignore"] = [str(file) for file in told["ignore"]]
    extracts = told.get("extracts")
    if isinstance(extracts, dict):
        known["extracts"] = {str(file): str(extract) for file, extract in extracts.items() if extract in CONTRACTS}
    return known


def _truth(told: Any) -> bool:
    """Yes or no as people write it. Raises ValueError where it is neither."""
    if isinstance(told, bool):
        return told
    for answer, key in ((True, "affirmative"), (False, "negative")):
        if str(told).strip().casefold() in {
            word for language in i18n.LANGUAGES for word in i18n.text(f"deliveries.words.{key}", language).split("|")
        }:
            return answer
    raise ValueError


def _has_lone_returns(file: Path) -> bool:
    """Whether lines end in a carriage return alone, as old Macintosh files do."""
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return b"\r" in head and b"\n" not in head


def _divided(text: str, extract: str | None) -> tuple[str, list[list[str]]]:
    """The separator of a CSV file and its first rows, from its head.

    The separator is the one under which most cells of one row are known headers; of equals, the one that divides most rows into the same
    number of cells.
    """
    best: tuple[tuple[int, int, int], str, list[list[str]]] | None = None
    extracts = [extract] if extract else list(CONTRACTS)
    for rank, separator in enumerate(SEPARATORS):
        rows: list[list[str]] = []
        try:
            for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator):
                rows.append([_clean(cell) for cell in row])
                if len(rows) == HEAD_ROWS:
                    break
        except csv.Error:
            # A cell longer than the module allows: the rows before it are enough.
            pass
        known = max(
            (len({personal.squeezed(cell) for cell in row} & headers.names(one).keys()) for row in rows for one in extracts), default=0
        )
        widths = [len(row) for row in rows if len(row) > 1]
        alike = max((widths.count(width) for width in set(widths)), default=0)
        score = (known, alike, -rank)
        if best is None or score > best[0]:
            best = (score, separator, rows)
    assert best is not None  # noqa: S101 - SEPARATORS is not empty
    return best[1], best[2]


def _collected(lazy: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """A lazy frame's batches. Raises _Unreadable, which says nothing of what stood in the file."""
    try:
        yield from lazy.collect_batches(chunk_size=BATCH, maintain_order=True, engine="streaming")
    except GeneratorExit:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if disk.is_full(error):
            # Where a reader spills, the disk is at fault and not the file.
            raise SampladsError("temporary_full") from None
        # polars quotes the file in its message: it must not be chained.
        raise _Unreadable from None


def _fast(file: Path, separator: str, width: int, beyond: int, header_row: int) -> Iterator[pl.DataFrame]:
    """Batches of a well-formed file, by polars' streaming reader; `beyond`: cells that a line may have after the last header.

    A line with more of them makes the file the careful reader's: this one would drop what stands there, or refuse it.
    """
    more = [f"{EXTRA}{position}" for position in range(beyond)]
    lazy = pl.scan_csv(
        file,
        has_header=False,
        separator=separator,
        schema=dict.fromkeys([*(f"c{position}" for position in range(width)), *more], pl.String()),
        missing_columns="insert",
        row_index_name=ROW,
        row_index_offset=1,
        glob=False,
    )
    told = pl.concat_str(more, separator=separator, ignore_nulls=True).replace("", None) if beyond > 1 else pl.col(more[0])
    rows = lazy.with_columns(pl.col(ROW).cast(pl.Int64), told.alias(EXTRA)).drop(more).filter(pl.col(ROW) > header_row)
    yield from _collected(rows)


def _careful(file: Path, separator: str, width: int, header_row: int) -> Iterator[pl.DataFrame]:
    """Batches of a file whose quotes do not pair: slower, and loses only the rows whose quotes are wrong."""
    rows: list[tuple[int, list[str | None], str | None, bool]] = []
    schema = {ROW: pl.Int64(), **{f"c{position}": pl.String() for position in range(width)}, EXTRA: pl.String(), STRAY: pl.Boolean()}

    def batch() -> pl.DataFrame:
        columns: dict[str, list[Any]] = {ROW: [row[0] for row in rows]}
        for position in range(width):
            columns[f"c{position}"] = [row[1][position] for row in rows]
        columns[EXTRA] = [row[2] for row in rows]
        columns[STRAY] = [row[3] for row in rows]
        return pl.DataFrame(columns, schema=schema)

    for number, (cells, stray) in enumerate(_records(file, separator, width), start=1):
        if number <= header_row:
            continue
        filled: list[str | None] = [cell or None for cell in cells[:width]]
        filled += [None] * (width - len(filled))
        # Of a broken row the whole line is kept beyond its cells, which are a guess.
        beyond = separator.join(cells if stray else cells[width:]).strip()
        rows.append((number, filled, beyond.strip(separator) or None, stray))
        if len(rows) == BATCH // 5:
            yield batch()
            rows.clear()
    if rows:
        yield batch()


def _records(file: Path, separator: str, width: int) -> Iterator[tuple[list[str], bool]]:
    """Rows of a CSV file, each with whether its quotes are broken.

    A line with an odd number of quotes is joined with those after it until the quotes pair and the row has the right number of cells; where
    that does not come about within `MOST_JOINED` lines, the line stands alone, as broken, and reading goes on with the next.
    """
    with file.open("r", encoding="utf-8", newline="\n") as stream:
        waiting: list[str] = []

        def line() -> str:
            if waiting:
                return waiting.pop(0)
            text = stream.readline(LONGEST_LINE)
            if len(text) >= LONGEST_LINE:
                raise _Unreadable
            return text

        while text := line():
            if text.count('"') % 2 == 0:
                cells = _cells(text, separator)
                yield (cells, False) if cells is not None else (text.rstrip("\r\n").split(separator), True)
                continue
            joined = text
            ahead: list[str] = []
            whole: list[str] | None = None
            while len(ahead) < MOST_JOINED and (following := line()):
                ahead.append(following)
                joined += following
                if following.count('"') % 2:
                    cells = _cells(joined, separator)
                    whole = cells if cells is not None and len(cells) == width else None
                    break
            if whole is not None:
                yield whole, False
            else:
                waiting[:0] = ahead
                yield text.rstrip("\r\n").split(separator), True


def _cells(text: str, separator: str) -> list[str] | None:
    try:
        rows = list(csv.reader([text.rstrip("\r\n")], delimiter=separator))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else [] if not rows else None


def _with_extra(below: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, list[str]]:
    """In a mend sheet that came back, what stands beyond our own column is what did not fit the row: as in a CSV file it is extra."""
    own = next((position for position, name in enumerate(names) if personal.squeezed(name) in headers.OWN_COLUMNS), None)
    if own is None or own == len(names) - 1:
        return below, names
    beyond = [f"c{position}" for position in range(own + 1, len(names))]
    return below.with_columns(pl.concat_str(beyond, ignore_nulls=True).alias(EXTRA)).drop(beyond), names[: own + 1]


def _without_merges(below: pl.DataFrame, sheet: Sheet) -> tuple[pl.DataFrame, list[Merge]]:
    """Fill the rows that a cell was merged over with that cell's text: to who made the sheet it stands in all of them."""
    filled: list[Merge] = []
    columns: dict[str, list[str | None]] = {}
    first = int(below[ROW][0]) if below.height else 0
    for merge in sheet.merges:
        position = merge.first_column - sheet.first_column
        name = f"c{position}"
        if name not in below.columns or merge.first_row < first or merge.last_row <= merge.first_row:
            continue
        cells = columns.setdefault(name, below[name].to_list())
        value = cells[merge.first_row - first] if merge.first_row - first < len(cells) else None
        if not value:
            continue
        for row in range(merge.first_row + 1, merge.last_row + 1):
            if row - first < len(cells) and not cells[row - first]:
                cells[row - first] = value
        filled.append(merge)
    return below.with_columns(pl.Series(name, cells, dtype=pl.String) for name, cells in columns.items()), filled
