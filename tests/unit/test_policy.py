"""Every rule file loads, is dated, and says where it comes from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from samplads import policy, settings
from samplads.errors import SampladsError

RULES = settings.ROOT / "data" / "rules"
TODAY = dt.date(2026, 11, 1)


@pytest.mark.parametrize("name", sorted(path.stem for path in RULES.glob("*.yaml")))
def test_every_rule_file_is_in_force_and_has_a_source(name: str) -> None:
    loaded = policy.load(name, TODAY, RULES)
    assert loaded.values
    assert loaded.source.strip()
    told = yaml.safe_load((RULES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(told["title"]) == {"da", "en"}
    days = [version["valid_from"] for version in told["versions"]]
    assert all(isinstance(day, dt.date) for day in days)
    assert len(set(days)) == len(days)


def test_the_version_in_force_is_the_last_that_has_begun(tmp_path: Path) -> None:
    versions = [{"valid_from": dt.date(year, 1, 1), "source": "law", "values": {"year": year}} for year in (2028, 2020, 2025)]
    (tmp_path / "limits.yaml").write_text(yaml.safe_dump({"versions": versions}), encoding="utf-8")
    assert policy.load("limits", dt.date(2024, 12, 31), tmp_path).values == {"year": 2020}
    assert policy.load("limits", dt.date(2025, 1, 1), tmp_path).values == {"year": 2025}
    with pytest.raises(SampladsError, match="policy_not_in_force"):
        policy.load("limits", dt.date(2019, 12, 31), tmp_path)
    with pytest.raises(SampladsError, match="policy_missing"):
        policy.load("nothing", TODAY, tmp_path)
