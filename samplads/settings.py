"""Where things lie: every path and address that an installation may change, read from the environment once.

SAMPLADS_WAREHOUSE   folder of the published warehouse      (default var/warehouse)
SAMPLADS_REFERENCE   folder of reference facts              (default data/reference)
SAMPLADS_RULES       folder of dated policy                 (default data/rules)
SAMPLADS_QUERIES     folder of named queries                (default queries)
SAMPLADS_LEDGER_URL  address of the ledger's database       (default SQLite in var/ledger.sqlite)
SAMPLADS_KEEP        published warehouses kept for rollback (default 5)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project's top level: the folder that holds app.py, pages/, queries/ and data/."""


@dataclass(frozen=True)
class Settings:
    """One installation's choices; `read()` makes it from the environment."""

    warehouse: Path
    reference: Path
    rules: Path
    queries: Path
    ledger_url: str
    keep: int


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that hold now. An empty variable counts as not set."""
    env = os.environ if environment is None else environment

    def folder(name: str, default: str) -> Path:
        return Path(env.get(name) or ROOT / default)

    return Settings(
        warehouse=folder("SAMPLADS_WAREHOUSE", "var/warehouse"),
        reference=folder("SAMPLADS_REFERENCE", "data/reference"),
        rules=folder("SAMPLADS_RULES", "data/rules"),
        queries=folder("SAMPLADS_QUERIES", "queries"),
        ledger_url=env.get("SAMPLADS_LEDGER_URL") or f"sqlite:///{ROOT / 'var' / 'ledger.sqlite'}",
        keep=int(env.get("SAMPLADS_KEEP") or 5),
    )
