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


EVERY_FAULT: set[tuple[str, int | None, str | None, str]] = {
    ("unit.csv", None, None, "encoding_corrected"),
    ("unit.csv", 3, "unit_id", "missing_key"),
    ("unit.csv", 4, "municipality", "unknown_code"),
    ("unit.csv", 5, "approved_until", "approval_expired"),
    ("unit.csv", 6, "assumed_occupancy_pct", "other_decimal_sign"),
    ("unit.csv", 7, "unit_id", "duplicate_key"),
    ("unit.csv", 8, "price_year", "rate_without_price_year"),
    ("capacity.csv", 3, "accepting", "states_within_maximum"),
    ("capacity.csv", 4, "unit_id", "refers_to_set_aside"),
    ("capacity.csv", 5, "as_of", "not_a_date"),
    ("target_group_approval.csv", 3, "target_group", "unknown_code"),
    ("target_group_approval.csv", 4, "rank", "unknown_choice"),
    ("need.csv", 2, "note", "personal_number"),
}
"""What is found in `every_fault`: file, row, column, rule."""


def every_fault(group: str = "g-autism", other: str = "g-other") -> dict[str, str | bytes]:
    """The files of a delivery with one fault of every kind, beside rows that have none."""
    unit = (
        "unit_id,offer_id,name,municipality,approved_until,assumed_occupancy_pct,daily_rate,price_year\n"
        "A-1,T-1,Sæby,370,2028-12-31,98.5,2845.50,2026\n"
        ",T-1,Uden id,370,,,,\n"
        "A-3,T-1,Ukendt kommune,999,,,,\n"
        "A-4,T-1,Udløbet,259,2020-12-31,,,\n"
        'A-5,T-1,Komma,259,,"97,5",,\n'
        "A-1,T-1,Den samme igen,370,,,,\n"
        "A-6,T-1,Uden prisår,370,,,2000.00,\n"
    ).encode("cp1252")
    capacity = (
        "unit_id;as_of;maximum;occupied;reserved;accepting\n"
        "A-1;01.11.2026;8;6;1;1\n"
        "A-4;01.11.2026;8;6;2;1\n"
        "A-3;01.11.2026;8;6;1;1\n"
        "A-5;1. november;8;6;1;1\n"
    )
    approval = f"unit_id;target_group;rank\nA-1;{group};primær\nA-1;g-ukendt;primær\nA-1;{other};måske\n"
    need = "need_id;municipality;registered_on;note\nN-1;370;01.11.2026;for 010199-1234\n"
    return {"unit.csv": unit, "capacity.csv": capacity, "target_group_approval.csv": approval, "need.csv": need}


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
