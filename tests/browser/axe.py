"""axe-core on a page, and the list of what Streamlit itself causes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from samplads import settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIST = settings.ROOT / "docs" / "accessibility-streamlit.md"
GRAVE = ("serious", "critical")


@dataclass(frozen=True)
class Violation:
    """One element that breaks one rule of axe."""

    rule: str
    impact: str
    help: str
    target: str
    html: str

    def __str__(self) -> str:
        return f"{self.impact} {self.rule} at {self.target}: {self.help}\n      {self.html[:200]}"


@dataclass(frozen=True)
class Known:
    """A violation that Streamlit causes: the rule, and the element of Streamlit that every such violation lies in."""

    rule: str
    element: str


@cache
def source() -> str:
    """axe-core's script: SAMPLADS_AXE, else the one of the package `axe-playwright-python`."""
    chosen = os.environ.get("SAMPLADS_AXE")
    if chosen:
        return Path(chosen).read_text(encoding="utf-8")
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def known() -> list[Known]:
    """The rows of the list: `| rule | element | ... |` with both in backquotes."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| `([^`]+)` \|", LIST.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Known(rule, element) for rule, element in rows]


STANDS_STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""
"""No element fades in any longer: half drawn, a text is paler than it is, and no contrast can be judged."""


TRIES, BETWEEN_MS = 5, 600
"""A fade that begins while axe judges makes a text pale that is not: what is wrong is still wrong a moment later."""


def violations(page: Page) -> list[Violation]:
    """Every element of the page that breaks a rule seriously or critically and is not on the list, and still does when judged again."""
    found = _judged(page)
    for _ in range(TRIES - 1):
        if not found:
            break
        page.wait_for_timeout(BETWEEN_MS)
        found = _judged(page)
    return found


def _judged(page: Page) -> list[Violation]:
    page.wait_for_function(STANDS_STILL)
    # Through the browser's driver: the page's own content policy holds and need not be softened for the test.
    page.evaluate(source())
    found = page.evaluate(
        """async ({grave, known}) => {
            const answer = await axe.run(document, {resultTypes: ["violations"]});
            const listed = (rule, node) => known.some((one) => one.rule === rule && node.element && node.element.closest(one.element));
            return answer.violations.filter((one) => grave.includes(one.impact)).flatMap((one) => one.nodes.map((node) => ({
                rule: one.id, impact: one.impact, help: one.help, target: node.target.flat().join(" "), html: node.html,
                element: document.querySelector(node.target.flat()[0]),
            })).filter((node) => !listed(one.id, node)).map(({element, ...rest}) => rest));
        }""",
        {"grave": list(GRAVE), "known": [{"rule": one.rule, "element": one.element} for one in known()]},
    )
    return [Violation(**one) for one in found]
