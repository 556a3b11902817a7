"""Every error that the allocation raises, every state and column it shows, has a sentence in both languages."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from samplads import i18n, policy
from samplads.matching import allocation, comparison, outcome
from samplads.settings import ROOT

SOURCES = [
    ROOT / "samplads" / "matching" / f"{name}.py"
    for name in ("market", "allocation", "outcome", "scarcity", "stable", "comparison", "apart")
]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_all_words_are_there(language: str) -> None:
    raised = {key for path in SOURCES for key in re.findall(r'SampladsError\(\s*"(\w+)"', Path(path).read_text(encoding="utf-8"))}
    assert len(raised) > 15
    wanted = {f"errors.{key}" for key in raised}
    wanted |= {f"allocation.method.{name}" for name in comparison.METHODS} | {
        f"allocation.method_help.{name}" for name in comparison.METHODS
    }
    wanted |= {f"allocation.status.{name}" for name in (allocation.OPTIMAL, allocation.LIMIT)}
    wanted |= {f"allocation.reason.{name}" for name in (outcome.NO_ELIGIBLE_UNIT, outcome.NO_OPEN_PLACE, outcome.OUTBID)}
    wanted |= {f"allocation.step.{name}" for name in ("read", "solve", "ties", "apart", "compare", "full", "explain", "done")}
    assert not {key for key in wanted if not i18n.has(key, language)}


def test_every_rule_of_the_allocation_is_used_and_the_urgencies_have_one_home() -> None:
    from samplads.contracts.need import URGENCIES
    from samplads.loading_allocation import DROPPABLE

    values = policy.load("allocation", dt.date(2026, 11, 22), ROOT / "data" / "rules").values
    assert set(values) == {"fairness", "relaxation_step", "node_limit"}
    assert 0 <= values["fairness"]["value"] <= 1
    assert set(values["relaxation_step"]) == set(DROPPABLE)
    assert values["node_limit"]["value"] > 0
    tiers = policy.load("matching", dt.date(2026, 11, 22), ROOT / "data" / "rules").values["urgency_tiers"]
    assert set(tiers) == set(URGENCIES)
    assert tiers["acute"]["value"] <= tiers["urgent"]["value"] < tiers["normal"]["value"]
    read = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "samplads" / "ui").glob("allocation*.py"))
    assert [name for name in values if f'"{name}"' not in read] == []
