"""What was found in a delivery: where it stands, which rule it broke, what became of it.

A finding never carries a value that looks like a civil registration number, nor a name of a file or column that does: everything that
enters a frame of findings goes through `personal.redacted`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from samplads import i18n
from samplads.extracts import personal

Severity = Literal["refused_file", "set_aside", "flagged", "corrected"]

LONGEST_VALUE = 80
"""A value in a finding is cut after this many characters: enough to find it by."""

SCHEMA: dict[str, pl.DataType] = {
    "delivery": pl.String(),
    "file": pl.String(),
    "sheet": pl.String(),
    "row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "severity": pl.String(),
    "value": pl.String(),
    "extract": pl.String(),
    "values": pl.String(),
    "municipality": pl.String(),
}
"""Columns of a frame of findings. `values` is a JSON object: what fills the blanks of the rule's sentence. `municipality` is a code, null
where a finding concerns the delivery as a whole."""

RULES: dict[str, Severity] = {
    # The file or sheet as a whole.
    "empty_file": "refused_file",
    "unreadable_file": "refused_file",
    "archive_refused": "refused_file",
    "sheet_too_wide": "refused_file",
    "folder_closed": "refused_file",
    "encoding_unknown": "refused_file",
    "encoding_mixed": "refused_file",
    "missing_column": "refused_file",
    "misspelt_header": "refused_file",
    "duplicate_header": "refused_file",
    "personal_number": "refused_file",
    "personal_number_in_name": "refused_file",
    "personal_number_in_header": "refused_file",
    "personal_number_shortened": "refused_file",
    "personal_column": "refused_file",
    "manifest_unreadable": "flagged",
    "manifest_not_used": "flagged",
    "file_not_used": "flagged",
    "table_not_used": "flagged",
    "unknown_column": "flagged",
    "near_header": "flagged",
    "hidden_rows": "flagged",
    "hidden_sheet": "flagged",
    "garbled_text": "flagged",
    "number_sign_assumed": "flagged",
    "date_order_assumed": "flagged",
    "encoding_corrected": "corrected",
    # One row, or one column summed up.
    "merged_cell_filled": "corrected",
    "other_decimal_sign": "corrected",
    "unit_word_removed": "corrected",
    "serial_date": "corrected",
    "endless_date": "corrected",
    "leading_zeros": "corrected",
    "missing_key": "set_aside",
    "missing_value": "set_aside",
    "too_many_cells": "set_aside",
    "stray_quote": "set_aside",
    "cell_error": "set_aside",
    "not_a_number": "set_aside",
    "not_whole": "set_aside",
    "ambiguous_number": "set_aside",
    "not_a_date": "set_aside",
    "ambiguous_date": "set_aside",
    "not_a_time": "set_aside",
    "not_yes_or_no": "set_aside",
    "unknown_choice": "set_aside",
    "too_small": "set_aside",
    "too_large": "set_aside",
    "too_long": "set_aside",
    "unknown_code": "set_aside",
    "unknown_reference": "set_aside",
    "pseudonym": "set_aside",
    "date_in_future": "set_aside",
    "refers_to_set_aside": "set_aside",
    "refers_to_refused_file": "set_aside",
    "duplicate_row": "set_aside",
    "duplicate_key": "set_aside",
    "and_more": "flagged",
    "approval_expired": "flagged",
    # An Open Referral data package.
    "hsds_column_missing": "flagged",
    "hsds_value_missing": "flagged",
    "hsds_uuid": "flagged",
    "hsds_choice": "flagged",
    "hsds_number": "flagged",
    "hsds_id_doubled": "flagged",
    "hsds_dangling_key": "flagged",
    "hsds_available_above_maximum": "flagged",
    "hsds_not_a_place": "flagged",
    "hsds_point_impossible": "corrected",
}
"""Every rule of reading and checking and what becomes of the row or file. Rules of the contracts are added by `rules()`."""

PERSONAL = frozenset(
    {"personal_number", "personal_number_in_name", "personal_number_in_header", "personal_number_shortened", "personal_column"}
)
"""Rules under which nothing of a file may be kept or handed back."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    `row` is the row as a person counts it: the header of a CSV file is row 1, a row of a sheet has the number that Excel shows, the first
    row of a Parquet file is 1. `column` is the header as it was delivered. `values` fills the blanks of the rule's sentence.
    """

    delivery: str
    file: str
    rule: str
    severity: Severity
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    extract: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    municipality: str | None = None


def rules() -> dict[str, Severity]:
    """Every rule there is, those of the contracts included: what a row that breaks it becomes."""
    from samplads.contracts import CONTRACTS

    found = dict(RULES)
    for contract in CONTRACTS.values():
        found |= dict.fromkeys(contract.row_rules(), "set_aside")
        found |= dict.fromkeys(contract.flags(), "flagged")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return personal.redacted(value) if isinstance(value, str) else value


def _cut(value: str | None) -> str | None:
    if value is None:
        return None
    # Redacted before it is cut: half a number would not be recognised.
    clean = personal.redacted(value)
    return clean if len(clean) <= LONGEST_VALUE else clean[: LONGEST_VALUE - 1] + "…"


def findings_frame(findings: Iterable[Finding]) -> pl.DataFrame:
    """Findings as a frame of `SCHEMA`, one row each, in the order given."""
    rows = [
        {
            "delivery": personal.redacted(one.delivery),
            "file": personal.redacted(one.file),
            "sheet": None if one.sheet is None else personal.redacted(one.sheet),
            "row": one.row,
            "column": None if one.column is None else personal.redacted(one.column),
            "rule": one.rule,
            "severity": one.severity,
            "value": _cut(one.value),
            "extract": one.extract,
            "values": json.dumps({name: _plain(value) for name, value in one.values.items()}, ensure_ascii=False, default=str),
            "municipality": one.municipality,
        }
        for one in findings
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def from_frame(frame: pl.DataFrame) -> list[Finding]:
    """The rows of a frame of findings as `Finding`s."""
    return [Finding(**(row | {"values": json.loads(row["values"] or "{}")})) for row in frame.select(*SCHEMA).iter_rows(named=True)]


class _Blanks(dict[str, Any]):
    """Blanks that nothing fills stay visible as a dash rather than break the page."""

    def __missing__(self, key: str) -> str:
        return "–"


def name(rule: str, language: str) -> str:
    """A rule in a few words of the reader's language."""
    return i18n.text(f"deliveries.rules.{rule}.name", language)


def what_to_do(finding: Finding, language: str) -> str:
    """What the sender does about a finding: the rule's sentence with its blanks filled."""
    blanks = _Blanks(
        file=finding.file,
        sheet=finding.sheet or "–",
        row="–" if finding.row is None else finding.row,
        column=finding.column or "–",
        value=finding.value or "",
        extract=finding.extract or "–",
    )
    blanks.update(finding.values)
    if isinstance(causes := finding.values.get("cause_rules"), str):
        blanks["cause_rules"] = ", ".join(name(rule, language).lower() for rule in causes.split(", "))
    return i18n.text(f"deliveries.rules.{finding.rule}.do", language).format_map(blanks)


def place(finding: Finding, language: str) -> str:
    """Where a finding stands, in words: file, sheet, row and column."""
    parts = [finding.file]
    for key, value in (("sheet", finding.sheet), ("row", finding.row), ("column", finding.column)):
        if value is not None:
            parts.append(i18n.text(f"deliveries.place.{key}", language, value=value))
    return ", ".join(parts)
