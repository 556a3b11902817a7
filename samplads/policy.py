"""Policy is dated data: weights, limits and terms that laws and agreements change, read from `data/rules/<name>.yaml`.

A file holds versions; the one in force on a day is the last whose `valid_from` is not after it:

    title: {da: ..., en: ...}
    versions:
      - valid_from: 2026-01-01
        source: where it was decided, or the word "assumption"
        values: {...}
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samplads import settings, yamlfile
from samplads.errors import SampladsError


@dataclass(frozen=True)
class Policy:
    """One version of one rule file, in force on the day asked for."""

    name: str
    valid_from: dt.date
    source: str
    values: dict[str, Any]


def load(name: str, on: dt.date, folder: Path | None = None) -> Policy:
    """The version of `data/rules/<name>.yaml` in force on a day.

    Raises SampladsError `policy_missing` where there is no such file, `policy_not_in_force` where the first version is later than `on`.
    """
    path = (folder or settings.read().rules) / f"{name}.yaml"
    if not path.is_file():
        raise SampladsError("policy_missing", name=name, file=path.name)
    versions = sorted(yamlfile.load(path.read_text(encoding="utf-8"))["versions"], key=lambda v: v["valid_from"])
    in_force = [version for version in versions if version["valid_from"] <= on]
    if not in_force:
        raise SampladsError("policy_not_in_force", name=name, day=on.isoformat())
    chosen = in_force[-1]
    return Policy(name=name, valid_from=chosen["valid_from"], source=str(chosen["source"]), values=chosen["values"])
