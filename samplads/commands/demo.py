"""`samplads demo`: write a made-up delivery."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

AS_OF = dt.date(2026, 11, 1)
"""The day a demo is "today" in unless told otherwise: fixed, so that the same command always gives the same files."""


def register(subparsers: Any) -> None:
    """Add `demo`."""
    command = subparsers.add_parser("demo", help="write a made-up delivery (synthetic, drawn from a seed)")
    command.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="an empty folder, or one with an earlier demo")
    command.add_argument("--scale", default="small", choices=("small", "national", "tiny"), help="how large (default: small)")
    command.add_argument("--seed", default=1, type=int, help="the same seed gives the same files (default: 1)")
    command.add_argument(
        "--as-of", default=AS_OF, type=dt.date.fromisoformat, metavar="DATE", help=f"the day it is today in (default: {AS_OF.isoformat()})"
    )
    command.add_argument("--reference", type=Path, help="folder of reference facts")
    command.set_defaults(run=demo)


def demo(given: argparse.Namespace) -> int:
    """Write the delivery and say how much it holds."""
    from samplads import demo as made_up
    from samplads import i18n, reference, settings

    facts = reference.read(given.reference or settings.read().reference)
    done = made_up.write(given.out, facts, scale=given.scale, seed=given.seed, as_of=given.as_of)
    rows = sum(table.height for table in done.tables.values())
    print(i18n.text("demo.written", given.language, folder=given.out, rows=rows, faults=done.faults.height, day=given.as_of.isoformat()))
    return 0
