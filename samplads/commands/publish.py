"""`samplads publish` and `samplads rollback`: put deliveries in force, or put the version before back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from samplads.errors import SampladsError


def register(subparsers: Any) -> None:
    """Add `publish` and `rollback`."""
    command = subparsers.add_parser("publish", help="check deliveries and publish them as one new version of the warehouse")
    command.add_argument("delivery", nargs="+", type=Path, help="a folder, a file or a ZIP")
    command.add_argument("--profile", help="name of a shipped profile, or a folder of SELECTs, that maps somebody else's export")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values", help="a parameter of the profile")
    command.add_argument("--reference", type=Path, help="folder of reference facts")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=publish)
    back = subparsers.add_parser("rollback", help="put the version before the one in force back in force")
    back.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    back.set_defaults(run=rollback)


def assignments(texts: list[str]) -> dict[str, str]:
    """`name=value` texts as a mapping.

    Raises SampladsError `assignment_shape`.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (name, sign, _) in zip(texts, pairs, strict=True):
        if not name or not sign:
            raise SampladsError("assignment_shape", text=text)
    return {name: value for name, _, value in pairs}


def publish(given: argparse.Namespace) -> int:
    """Publish, and say in a line per delivery what was accepted and what was found."""
    from samplads import extracts, i18n, publishing

    done = publishing.publish(
        given.delivery,
        profile=given.profile,
        values=assignments(given.values),
        reference=given.reference,
        folder=given.warehouse,
    )
    for delivery in done.deliveries:
        accepted = int(delivery.counts["accepted"].sum())
        print(
            i18n.text(
                "publish.delivery",
                given.language,
                delivery=delivery.name,
                day=delivery.as_of.isoformat(),
                accepted=accepted,
                findings=delivery.findings.height,
            )
        )
        by_rule = delivery.findings.group_by("rule", "severity").len().sort("len", "rule", descending=[True, False])
        for rule, severity, count in by_rule.iter_rows():
            said = i18n.text(f"deliveries.severity.{severity}", given.language)
            print(f"  {count:>7}  {extracts.rule_name(rule, given.language)} ({said})")
    key = "publish.published" if done.changed else "publish.unchanged"
    print(i18n.text(key, given.language, version=done.version.id))
    return 0


def rollback(given: argparse.Namespace) -> int:
    """Roll back, and say which version is in force."""
    from samplads import i18n, warehouse

    version = warehouse.rollback(given.warehouse)
    print(i18n.text("publish.rolled_back", given.language, version=version.id))
    return 0
