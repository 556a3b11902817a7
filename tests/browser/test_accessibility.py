"""No page breaks a rule of accessibility seriously or critically, but for what Streamlit itself causes and docs/ lists."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from samplads import i18n
from tests.browser import axe
from tests.browser.conftest import Served, visiting


def judged(browser: Browser, served: Served, pages: list[str], query: str = "", **options: object) -> dict[str, list[str]]:
    """The violations of each page that has any."""
    with visiting(browser, served.address, **options) as one:
        found = {path: [str(violation) for violation in axe.violations(one.open(path + query))] for path in pages}
    return {path: violations for path, violations in found.items() if violations}


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{path}\n    " + "\n    ".join(violations) for path, violations in found.items())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule(browser: Browser, served: Served, pages: list[str], scheme: str) -> None:
    found = judged(browser, served, pages, color_scheme=scheme)
    assert not found, told(found)


def test_no_page_breaks_a_rule_on_a_telephone(browser: Browser, served: Served, pages: list[str]) -> None:
    found = judged(browser, served, pages, viewport={"width": 390, "height": 844})
    assert not found, told(found)


def test_the_start_page_breaks_no_rule_in_english(browser: Browser, served: Served, pages: list[str]) -> None:
    found = judged(browser, served, pages[:1], query=f"?lang={i18n.text('serving.language', 'en')}")
    assert not found, told(found)


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    """The judge himself: a page with a picture without words is caught, and a listed element is let go."""
    page = browser.new_page()
    try:
        page.set_content('<html lang="da"><title>t</title><main><h1>t</h1><img src="data:,"><div data-testid="x"><input></div></main>')
        assert {violation.rule for violation in axe.violations(page)} == {"image-alt", "label"}
    finally:
        page.close()


def test_the_list_names_rules_and_elements_of_streamlit() -> None:
    listed = axe.known()
    assert len(set(listed)) == len(listed)
    assert all(re.search(r"\.st|\[data-testid|\.vega|svg", one.element) for one in listed)
