"""Deliveries made by hand for tests: files in a folder, and what was found as short tuples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import xlsxwriter

from samplads.extracts import Checked, check, read_delivery

CODES = {
    "municipality.code": ["259", "370", "0101"],
    "target_group.code": ["g-autism", "g-other"],
    "offer_type.code": ["A107", "A108"],
}

UNIT = "unit_id;offer_id;name;municipality\n"
UNITS = UNIT + "A-1;T-1;Birkehuset 1;370\nA-2;T-1;Birkehuset 2;259\n"
KNOWN = {"unit": pl.DataFrame({"unit_id": ["A-1", "A-2"]})}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files in a folder of their own; text is written as UTF-8."""
    target = folder / "delivery"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return target


def workbook(path: Path, sheets: Mapping[str, list[list[object]]]) -> Path:
    """A workbook of sheets of rows; text stays text."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(number, column, cell)
    return path


def checked(folder: Path, files: Mapping[str, str | bytes], known: Mapping[str, pl.DataFrame] | None = None) -> Checked:
    """Files written, read and checked."""
    return check(read_delivery(write(folder, files)), CODES, known or {})


def short(found: Checked) -> set[tuple[str, int | None, str | None, str]]:
    """Findings as (file, row, column, rule)."""
    return set(found.findings.select("file", "row", "column", "rule").rows())


def rules(found: Checked) -> list[str]:
    """The rules of all findings, sorted."""
    return sorted(found.findings["rule"].to_list())
