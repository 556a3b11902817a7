"""`samplads check`: what would be found in a delivery, without publishing it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SHOWN = 50
"""Findings shown of a delivery unless all are asked for."""


def register(subparsers: Any) -> None:
    """Add `check`."""
    command = subparsers.add_parser("check", help="check deliveries without publishing them")
    command.add_argument("delivery", nargs="+", type=Path, help="a folder, a file or a ZIP archive")
    command.add_argument("--profile", help="name of a shipped profile, or a folder of <extract>.sql")
    command.add_argument("--set", dest="values", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the profile")
    command.add_argument("--reference", type=Path, help="folder of reference facts")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse whose units a delivery may refer to")
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.add_argument("--all", action="store_true", help=f"show every finding, not the first {SHOWN} of a delivery")
    command.add_argument("--mend", type=Path, metavar="FILE", help="write the sheets to mend, with a column that says why, as XLSX")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Check each delivery and print what was found; 1 where something has to be mended."""
    from samplads import publishing, warehouse
    from samplads.commands.publish import assignments
    from samplads.errors import SampladsError

    # A warehouse that cannot be read is not one in which nothing is published.
    warehouse.history(given.warehouse)
    if given.mend and (len(given.delivery) > 1 or given.profile):
        raise SampladsError("mend_one_delivery")
    to_mend = False
    told: list[dict[str, Any]] = []
    for delivery in given.delivery:
        checked = publishing.check(
            delivery,
            profile=given.profile,
            values=assignments(given.values),
            reference=given.reference,
            folder=given.warehouse,
        )
        to_mend = to_mend or bool(checked.findings["severity"].is_in(["refused_file", "set_aside"]).any())
        if given.format == "json":
            told.append(_as_json(checked, given.language))
        else:
            _print(checked, given)
        if given.mend:
            _write_mend(delivery, checked, given)
    if given.format == "json":
        print(json.dumps(told, ensure_ascii=False, indent=1, default=str))
    return 1 if to_mend else 0


NUMBERS = ("delivered", "accepted", "set_aside", "refused", "flagged", "corrected")


def _by(checked: Any, key: str) -> Any:
    """The counts of a delivery by extract or by municipality, with how many findings there are of each municipality."""
    import polars as pl

    counts = checked.counts.group_by(key, maintain_order=True).agg(pl.col(*NUMBERS).sum())
    if key == "extract":
        return counts
    found = checked.findings.group_by(key).agg(pl.len().cast(pl.Int64).alias("findings"))
    joined = counts.join(found, on=key, how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col(*NUMBERS, "findings").fill_null(0)).sort(key, nulls_last=True)


def _as_json(checked: Any, language: str) -> dict[str, Any]:
    from samplads import extracts

    found = extracts.from_frame(checked.findings)
    return {
        "delivery": checked.name,
        "counts": _by(checked, "extract").to_dicts(),
        "municipalities": _by(checked, "municipality").to_dicts(),
        "findings": [
            {
                "file": finding.file,
                "sheet": finding.sheet,
                "row": finding.row,
                "column": finding.column,
                "rule": finding.rule,
                "severity": finding.severity,
                "value": finding.value,
                "extract": finding.extract,
                "municipality": finding.municipality,
                "what_to_do": extracts.what_to_do(finding, language),
            }
            for finding in found
        ],
    }


def _print(checked: Any, given: argparse.Namespace) -> None:
    from samplads import extracts, i18n, reference, settings

    def say(key: str, **values: object) -> None:
        print(i18n.text(f"deliveries.check.{key}", given.language, **values))

    counts = checked.counts
    names = dict(reference.read(given.reference or settings.read().reference).municipality.select("code", "name").iter_rows())
    whole = i18n.text("deliveries.check.whole", given.language)
    say("heading", delivery=checked.name, accepted=counts["accepted"].sum(), delivered=counts["delivered"].sum())
    for row in _by(checked, "extract").iter_rows(named=True):
        say("counts", **row)
    for row in _by(checked, "municipality").iter_rows(named=True):
        say("municipality", **(row | {"municipality": names.get(row["municipality"]) or row["municipality"] or whole}))
    found = checked.findings if given.all else checked.findings.head(SHOWN)
    for finding in extracts.from_frame(found):
        severity = i18n.text(f"deliveries.severity.{finding.severity}", given.language)
        print(f"  {extracts.place(finding, given.language)}")
        print(f"    {extracts.rule_name(finding.rule, given.language)} ({severity}). {extracts.what_to_do(finding, given.language)}")
    if checked.findings.is_empty():
        say("clean")
    elif found.height < checked.findings.height:
        say("more", count=checked.findings.height - found.height)


def _write_mend(delivery: Path, checked: Any, given: argparse.Namespace) -> None:
    from samplads import extracts, i18n
    from samplads.errors import SampladsError

    read = extracts.read_delivery(delivery, name=checked.name)
    try:
        given.mend.write_bytes(extracts.mend_workbook(read, checked.findings, given.language))
    except OSError as error:
        raise SampladsError("mend_not_written", file=given.mend.name) from error
    # JSON is for programs: nothing else may stand beside it.
    if given.format != "json":
        print(i18n.text("deliveries.check.mended", given.language, file=given.mend.name))
