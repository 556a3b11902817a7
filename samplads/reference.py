"""A reference folder: the facts of a country that the code must not know by heart.

Only `municipalities.csv` with the columns `code` and `name` is required. Every other file and column is optional: what is missing
becomes an empty table or an unknown value, so that another country's folder works unchanged.

    municipalities.csv      code, name [, region, population, lat, lon]
    regions.csv             code [, name, full_name]
    region_membership.csv   region, municipality [, valid_from, valid_to]      both days included; blank is open-ended
    target_groups.csv       code [, parent_code, da, en, level, kind]          a parent that is not in the file counts as none
    offer_types.csv         code [, da, en, law, paragraph, residential, age]
    vum_levels.csv          scale, value [, code, da, en]
    outline.geojson         the coast, as one GeoJSON object
    reference.yaml          names, captions, the municipalities that pages begin with
    demo.yaml               what a made-up delivery for this country looks like (only `samplads demo` reads it)

Files are CSV with `,` or `;`, UTF-8 (with or without a byte order mark) or Windows-1252. Codes are always text: `0101` stays `0101`.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from samplads import yamlfile
from samplads.errors import SampladsError

FILES = (
    "municipalities.csv",
    "regions.csv",
    "region_membership.csv",
    "target_groups.csv",
    "offer_types.csv",
    "vum_levels.csv",
    "outline.geojson",
    "reference.yaml",
)
"""The files that are read; others in the folder are left alone."""

_YES = frozenset({"1", "true", "yes", "ja", "x"})
_NO = frozenset({"0", "false", "no", "nej"})


@dataclass(frozen=True, eq=False)
class Reference:
    """The facts of one reference folder, as polars frames; two folders with the same `digest` say the same.

    municipality          code, name, region, population (Int64), lat, lon (Float64)
    region                code, name
    region_membership     region, municipality, valid_from, valid_to (Date, both included, null is open-ended)
    target_group          code, parent_code, da, en, level (Int64, 1 is the top), kind ("group" or "leaf")
    target_group_closure  ancestor, descendant; every group is its own ancestor
    offer_type            code, da, en, law, paragraph, residential (Boolean), age
    vum_level             scale, value (Int64; null is "not relevant"), code, da, en
    outline               the coast as a GeoJSON object, or None
    texts                 what reference.yaml says
    demo                  what demo.yaml says
    digest                sha256 of the files that were read, without demo.yaml: it says nothing about the country
    """

    municipality: pl.DataFrame
    region: pl.DataFrame
    region_membership: pl.DataFrame
    target_group: pl.DataFrame
    target_group_closure: pl.DataFrame
    offer_type: pl.DataFrame
    vum_level: pl.DataFrame
    outline: dict[str, Any] | None = None
    texts: dict[str, Any] = field(default_factory=dict)
    demo: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames by the names their tables carry in the warehouse."""
        return {
            "municipality": self.municipality,
            "region": self.region,
            "region_membership": self.region_membership,
            "target_group": self.target_group,
            "target_group_closure": self.target_group_closure,
            "offer_type": self.offer_type,
            "vum_level": self.vum_level,
        }

    def codes(self) -> dict[str, pl.Series]:
        """The codes that a foreign key may name, by the `refers_to` of the contracts."""
        return {
            "municipality.code": self.municipality["code"],
            "target_group.code": self.target_group["code"],
            "offer_type.code": self.offer_type["code"],
        }


@dataclass(frozen=True)
class _Row:
    """One row of a CSV file, with its number as a person counts it (the header is row 1)."""

    file: str
    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str | None:
        return self.cells.get(column) or None

    def required(self, column: str) -> str:
        value = self.text(column)
        if value is None:
            raise SampladsError("reference_value_missing", file=self.file, row=self.number, column=column)
        return value

    def number_of(self, column: str) -> float | None:
        value = self.text(column)
        if value is None:
            return None
        try:
            return float(value.replace(",", "."))
        except ValueError:
            raise self._unreadable(column, value) from None

    def whole(self, column: str) -> int | None:
        number = self.number_of(column)
        if number is None:
            return None
        if number != number // 1:
            raise self._unreadable(column, self.cells[column])
        return int(number)

    def day(self, column: str) -> dt.date | None:
        value = self.text(column)
        if value is None:
            return None
        try:
            if value[:4].isdigit():
                return dt.date.fromisoformat(value)
            day, month, year = value.replace("-", ".").split(".")
            return dt.date(int(year), int(month), int(day))
        except ValueError:
            raise self._unreadable(column, value) from None

    def flag(self, column: str) -> bool | None:
        value = self.text(column)
        if value is None:
            return None
        if value.casefold() in _YES:
            return True
        if value.casefold() in _NO:
            return False
        raise self._unreadable(column, value)

    def _unreadable(self, column: str, value: str) -> SampladsError:
        return SampladsError("reference_value_unreadable", file=self.file, row=self.number, column=column, value=value)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(folder: Path, name: str, required: tuple[str, ...]) -> list[_Row]:
    """The rows of a CSV file, without blank ones; none where there is no such file."""
    path = folder / name
    if not path.is_file():
        return []
    text = _decoded(path)
    header_line = text.split("\n", 1)[0]
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    header = [cell.strip().casefold() for cell in next(reader, [])]
    for column in required:
        if column not in header:
            raise SampladsError("reference_column_missing", file=name, column=column)
    rows = []
    for cells in reader:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            rows.append(_Row(file=name, number=reader.line_num, cells=dict(zip(header, stripped, strict=False))))
    return rows


def _unique(rows: list[_Row], *columns: str) -> None:
    """Raise SampladsError `reference_key_twice` where two rows carry the same key."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = tuple(row.required(column) for column in columns)
        if key in seen:
            raise SampladsError("reference_key_twice", file=row.file, row=row.number, value=" / ".join(key), first=seen[key])
        seen[key] = row.number


def _municipalities(folder: Path) -> pl.DataFrame:
    name = "municipalities.csv"
    if not (folder / name).is_file():
        raise SampladsError("reference_missing", folder=folder.name, file=name)
    rows = _rows(folder, name, ("code", "name"))
    if not rows:
        raise SampladsError("reference_empty", file=name)
    _unique(rows, "code")
    return pl.DataFrame(
        [
            (
                row.required("code"),
                row.required("name"),
                row.text("region"),
                row.whole("population"),
                row.number_of("lat"),
                row.number_of("lon"),
            )
            for row in rows
        ],
        schema={
            "code": pl.String,
            "name": pl.String,
            "region": pl.String,
            "population": pl.Int64,
            "lat": pl.Float64,
            "lon": pl.Float64,
        },
        orient="row",
    )


def _membership(folder: Path, municipality: pl.DataFrame) -> pl.DataFrame:
    """Dated memberships as delivered; municipalities without one belong where municipalities.csv says, open-ended.

    Rows of municipalities that the folder does not know are left out: a shared membership file may cover more than one folder.
    """
    known = set(municipality["code"])
    delivered = []
    for row in _rows(folder, "region_membership.csv", ("region", "municipality")):
        if row.required("municipality") not in known:
            continue
        start, end = row.day("valid_from"), row.day("valid_to")
        if start is not None and end is not None and end < start:
            raise SampladsError("reference_dates_reversed", file=row.file, row=row.number)
        delivered.append((row.required("region"), row.required("municipality"), start, end))
    covered = {member for _, member, _, _ in delivered}
    derived = [
        (region, code, None, None)
        for code, region in municipality.select("code", "region").iter_rows()
        if region is not None and code not in covered
    ]
    return pl.DataFrame(
        delivered + derived,
        schema={"region": pl.String, "municipality": pl.String, "valid_from": pl.Date, "valid_to": pl.Date},
        orient="row",
    )


def _regions(folder: Path, membership: pl.DataFrame) -> pl.DataFrame:
    """Regions of regions.csv, then those that only a membership names, under their code."""
    rows = _rows(folder, "regions.csv", ("code",))
    _unique(rows, "code")
    named = {row.required("code"): row.text("name") or row.required("code") for row in rows}
    for code in membership["region"].unique(maintain_order=True):
        named.setdefault(code, code)
    return pl.DataFrame(list(named.items()), schema={"code": pl.String, "name": pl.String}, orient="row")


def _words(row: _Row) -> tuple[str, str]:
    """The Danish and the English text of a row: each stands in for the other, a plain name for both, the code at last."""
    danish, english, name = row.text("da"), row.text("en"), row.text("name")
    return danish or name or english or row.required("code"), english or name or danish or row.required("code")


def _target_groups(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tree of target groups and its reflexive, transitive closure.

    Raises SampladsError `reference_cycle` where a group is among its own ancestors.
    """
    rows = _rows(folder, "target_groups.csv", ("code",))
    _unique(rows, "code")
    codes = {row.required("code") for row in rows}
    parent: dict[str, str | None] = {}
    for row in rows:
        named = row.text("parent_code") or row.text("parent")
        parent[row.required("code")] = named if named in codes else None

    ancestors: dict[str, list[str]] = {}
    for code in parent:
        line = [code]
        while (above := parent[line[-1]]) is not None:
            if above in line:
                raise SampladsError("reference_cycle", file="target_groups.csv", code=code)
            line.append(above)
        ancestors[code] = line

    parents = set(parent.values())
    groups = pl.DataFrame(
        [
            (
                code := row.required("code"),
                parent[code],
                *_words(row),
                row.whole("level") or len(ancestors[code]),
                row.text("kind") or ("group" if code in parents else "leaf"),
            )
            for row in rows
        ],
        schema={"code": pl.String, "parent_code": pl.String, "da": pl.String, "en": pl.String, "level": pl.Int64, "kind": pl.String},
        orient="row",
    )
    closure = pl.DataFrame(
        [(ancestor, code) for code, line in ancestors.items() for ancestor in line],
        schema={"ancestor": pl.String, "descendant": pl.String},
        orient="row",
    )
    return groups, closure.sort("ancestor", "descendant")


def _offer_types(folder: Path) -> pl.DataFrame:
    rows = _rows(folder, "offer_types.csv", ("code",))
    _unique(rows, "code")
    return pl.DataFrame(
        [
            (row.required("code"), *_words(row), row.text("law"), row.text("paragraph"), row.flag("residential"), row.text("age"))
            for row in rows
        ],
        schema={
            "code": pl.String,
            "da": pl.String,
            "en": pl.String,
            "law": pl.String,
            "paragraph": pl.String,
            "residential": pl.Boolean,
            "age": pl.String,
        },
        orient="row",
    )


def _vum_levels(folder: Path) -> pl.DataFrame:
    rows = _rows(folder, "vum_levels.csv", ("scale", "value"))
    return pl.DataFrame(
        [
            (
                row.required("scale"),
                row.whole("value"),
                row.text("code"),
                row.text("da") or row.text("en"),
                row.text("en") or row.text("da"),
            )
            for row in rows
        ],
        schema={"scale": pl.String, "value": pl.Int64, "code": pl.String, "da": pl.String, "en": pl.String},
        orient="row",
    )


def _outline(folder: Path) -> dict[str, Any] | None:
    path = folder / "outline.geojson"
    if not path.is_file():
        return None
    try:
        outline = json.loads(_decoded(path))
    except json.JSONDecodeError as error:
        raise SampladsError("reference_file_unreadable", file=path.name, line=error.lineno) from None
    if not isinstance(outline, dict) or "type" not in outline:
        raise SampladsError("reference_file_unreadable", file=path.name, line=1)
    return outline


def _mapping(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        return {}
    try:
        texts = yamlfile.load(_decoded(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SampladsError("reference_file_unreadable", file=path.name, line=mark.line + 1 if mark else 1) from None
    if texts is None:
        return {}
    if not isinstance(texts, dict):
        raise SampladsError("reference_file_unreadable", file=path.name, line=1)
    return texts


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def read(folder: Path) -> Reference:
    """Read a reference folder.

    Raises SampladsError, each naming file and row: `reference_folder_missing`, `reference_missing` (no municipalities.csv),
    `reference_empty`, `reference_column_missing`, `reference_value_missing`, `reference_value_unreadable`, `reference_key_twice`,
    `reference_dates_reversed`, `reference_cycle`, `reference_file_unreadable`.
    """
    if not folder.is_dir():
        raise SampladsError("reference_folder_missing", folder=str(folder))
    municipality = _municipalities(folder)
    membership = _membership(folder, municipality)
    target_group, closure = _target_groups(folder)
    return Reference(
        municipality=municipality,
        region=_regions(folder, membership),
        region_membership=membership,
        target_group=target_group,
        target_group_closure=closure,
        offer_type=_offer_types(folder),
        vum_level=_vum_levels(folder),
        outline=_outline(folder),
        texts=_mapping(folder, "reference.yaml"),
        demo=_mapping(folder, "demo.yaml"),
        digest=_digest(folder),
    )
