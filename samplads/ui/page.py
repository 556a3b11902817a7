"""The frame around a page: its title, what it is about, how it answers, and what happens when something is wrong."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from samplads import i18n, settings
from samplads.errors import SampladsError
from samplads.presenting import formats
from samplads.ui import data, pick, session, waiting
from samplads.ui.session import say

log = logging.getLogger("samplads.pages")

# Streamlit's wide layout leaves 5rem at each side, too much where people compare columns; on a phone every pixel counts. Metric labels
# and values may wrap rather than be cut, and the answer is the largest text of a page after its title. An empty date field asks for its
# year in English whatever the page's language.
_STYLE = """<style>
.stMainBlockContainer { padding-left: clamp(1rem, 2.5vw, 3rem); padding-right: clamp(1rem, 2.5vw, 3rem); max-width: 1600px; }
.st-key-answer { margin-bottom: 0.4rem; }
.st-key-answer [data-testid="stMarkdownContainer"]:not([data-testid="stCaptionContainer"] *) p { font-size: 1.25rem; line-height: 1.45; }
[data-testid="stMetricLabel"] p, [data-testid="stMetricValue"] > div { white-space: normal; overflow: visible; text-overflow: clip; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
:lang(da) [data-testid="stDateInputField"] [data-placeholder="true"][data-type="year"] { font-size: 0; }
:lang(da) [data-testid="stDateInputField"] [data-placeholder="true"][data-type="year"]::after {
  content: "åååå"; font-size: 0.875rem; line-height: 1.4;
}
.stMarkdown [data-testid="stCaptionContainer"] { color: inherit; opacity: 0.78; }
</style>"""


def configure() -> None:
    """Name, icon and layout of the app; the first call of `app.py`."""
    st.set_page_config(page_title="Samplads", page_icon=str(settings.ROOT / "static" / "icon.png"), layout="wide")
    st.html(_STYLE)


def navigate(groups: Mapping[str, Sequence[str]]) -> Any:
    """The pages in their groups, those that exist, under titles in the visitor's language; the first of all is the start page.

    `groups` maps a group's key (`app.groups.<key>`) to the names of pages (`pages/<name>.py`, titled `<name>.title`).
    """
    session.pin()
    # The language is chosen below the pages, yet names them: the choice of this run is already in the session when the run begins.
    initial = st.query_params.get(session.LANGUAGE_KEY)
    if session.LANGUAGE_KEY not in st.session_state and initial == session.LANGUAGE_NAMES["en"]:
        st.session_state["_first_language"] = "en"
    first = st.session_state.pop("_first_language", None)
    language = first or session.language()
    folder = settings.ROOT / "pages"
    pages = {}
    start = True
    for group, names in groups.items():
        listed = []
        for name in names:
            if (folder / f"{name}.py").is_file() and i18n.has(f"{name}.title", language):
                listed.append(st.Page(folder / f"{name}.py", title=i18n.text(f"{name}.title", language), url_path=name, default=start))
                start = False
        if listed:
            pages[i18n.text(f"app.groups.{group}", language)] = listed
    return st.navigation(pages, expanded=True)


def shell() -> None:
    """What every page has beside it: the name, the visitor's municipality, the language, the day, and whether the data are made up."""
    st.logo(str(settings.ROOT / "static" / "logo.svg"), size="large")
    with st.sidebar:
        pick.pick_language()
        try:
            meta = session.meta()
        except SampladsError as error:
            st.error(i18n.sentence(error, session.language()))
            return
        pick.pick_municipality()
        st.caption(say("app.as_of", day=formats.date(session.day(), session.language())))
        if meta["synthetic"]:
            st.badge(say("app.demo"), color="orange", help=say("app.demo_help"))


def _begin_with_app() -> None:
    """Run `app.py` first where a fresh server is asked for a page by its address.

    Streamlit takes a folder `pages/` for its older kind of app until somebody's run has come to `st.navigation`: the first visitor who
    opens a link would get the page without everything around it.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


@contextmanager
def page(name: str) -> Iterator[None]:
    """One page: title and text, then its own lines; what goes wrong becomes a sentence.

    A `SampladsError` is shown as its sentence. Anything else is a bug: it is logged with its traceback under a number, and the number is
    shown. Streamlit's own signals (rerun, stop) pass through.
    """
    _begin_with_app()
    data.interrupt_previous()
    language = session.language()
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        st.title(i18n.text(f"{name}.title", language), anchor=False, width="content")
        text = settings.ROOT / "pages" / "text" / language / f"{name}.md"
        if text.is_file():
            with st.popover(say("app.about_page"), type="tertiary"):
                st.markdown(text.read_text(encoding="utf-8"))
        try:
            if session.meta()["synthetic"]:
                st.badge(say("app.demo_as_of", day=formats.date(session.day(), language)), color="orange")
        except SampladsError:
            # Said below, where the page itself asks.
            pass
    try:
        yield
        waiting.end()
    except SampladsError as error:
        waiting.end()
        st.error(i18n.sentence(error, language))
    except duckdb.InterruptException:
        # A newer run of the same visitor has taken over; this one has nobody left to show anything to.
        st.stop()
    except (Exception, pl.exceptions.PanicException):
        # A panic inside Polars is no `Exception`: uncaught, the page would stand still with what it showed before.
        reference = secrets.token_hex(3)
        log.exception("page %s failed (%s)", name, reference)
        waiting.end()
        st.error(say("app.bug", reference=reference))
    finally:
        session.pin()


def answer(sentence: str, *details: str | None) -> None:
    """The page's answer: the first thing read. `details` are quieter lines under it. Markdown."""
    with st.container(key="answer", gap="xxsmall"):
        st.markdown(sentence)
        for detail in details:
            if detail:
                st.caption(detail)


def note(sentence: str) -> None:
    """A quiet line: a source, a reservation."""
    st.caption(sentence)


def warn(sentence: str) -> None:
    """Something to be aware of before acting on the numbers."""
    st.warning(sentence)


def empty(sentence: str) -> None:
    """Nothing to show: the sentence says what is missing and the one thing to do."""
    st.info(sentence)
