"""Which texts of one language stand on a page that is shown in the other."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from samplads import i18n

if TYPE_CHECKING:
    from playwright.sync_api import Page

BLANK = re.compile(r"\{[^{}]*\}")
LETTERS = re.compile(r"[^\W\d_]{3,}")
MARKUP = re.compile(r"[*`]")
OF_STREAMLIT = frozenset({"Open", "Close", "Clear", "Search"})
"""Labels of Streamlit's own parts that are English whatever the page's language, and happen to be texts of ours."""

_COLLECT = """() => {
    const seen = new Set(document.body.innerText.split("\\n"));
    for (const one of document.querySelectorAll("[aria-label], [placeholder], [title]"))
        for (const name of ["aria-label", "placeholder", "title"]) seen.add(one.getAttribute(name) || "");
    for (const one of document.querySelectorAll("[role=columnheader]")) seen.add(one.textContent);
    return [...seen].map((text) => text.trim()).filter((text) => text.length > 1);
}"""


@cache
def _patterns(language: str, but: str) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Texts of a language that the other does not share: whole ones, and those with blanks as patterns of their fixed words."""
    other = set(i18n.catalogue(but).values())
    # A language is called by its own name in both.
    shared = OF_STREAMLIT | {i18n.text("serving.language", one) for one in i18n.LANGUAGES}
    whole, formed = set(), []
    for text in i18n.catalogue(language).values():
        if text in other or text in shared or not LETTERS.search(BLANK.sub(" ", text)):
            continue
        plain = MARKUP.sub("", text).strip()
        if BLANK.search(plain):
            parts = (re.escape(part) for part in BLANK.split(plain))
            formed.append(re.compile(r"\S(?:.*\S)?".join(parts)))
        else:
            whole.add(plain)
    return frozenset(whole), tuple(formed)


def strangers(page: Page, language: str) -> list[str]:
    """Lines and labels of a page in `language` that are texts of the other language's catalogue and none of its own."""
    other = next(one for one in i18n.LANGUAGES if one != language)
    wrong, wrong_formed = _patterns(other, language)
    right, right_formed = _patterns(language, other)
    lines: list[str] = page.evaluate(_COLLECT)
    return sorted(
        line
        for line in lines
        if (line in wrong or any(form.fullmatch(line) for form in wrong_formed))
        and not (line in right or any(form.fullmatch(line) for form in right_formed))
    )


def strangers_at_last(page: Page, language: str, tries: int = 40) -> list[str]:
    """`strangers`, given ten seconds: the copy of a table that is read here follows what is drawn a moment later."""
    for _ in range(tries):
        if not (found := strangers(page, language)):
            return found
        page.wait_for_timeout(250)
    return strangers(page, language)
