"""What one visitor's page run stands on: the language, and one version of the warehouse from its first line to its last."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from samplads import i18n, queries
from samplads import warehouse as published
from samplads.warehouse import Version

LANGUAGE_KEY = "lang"
LANGUAGE_NAMES = {"da": "Dansk", "en": "English"}
_PINNED = "_pinned_version"
PINNED_STAMP = "_pinned_stamp"
"""What people had written when this run began (ui/written.py): pinned and let go with the version."""


def language() -> str:
    """The page's language: Danish until somebody chooses another."""
    chosen = st.session_state.get(LANGUAGE_KEY)
    return chosen if chosen in i18n.LANGUAGES else i18n.LANGUAGES[0]


def say(key: str, /, **values: object) -> str:
    """A text of the catalogue in the page's language."""
    return i18n.text(key, language(), **values)


def pin() -> None:
    """Begin a run: whatever is published now holds until the run ends. A newer version comes with the next interaction."""
    st.session_state.pop(_PINNED, None)
    st.session_state.pop(PINNED_STAMP, None)


def warehouse() -> Version:
    """The version of the warehouse that this run reads: an argument of every cached answer, so that nothing ever needs to time out.

    Raises SampladsError `warehouse_missing` or `warehouse_damaged`.
    """
    if _PINNED not in st.session_state:
        st.session_state[_PINNED] = published.current()
    version: Version = st.session_state[_PINNED]
    return version


@st.cache_data(show_spinner=False, max_entries=8)
def _meta(version: str) -> dict[str, Any]:  # noqa: ARG001 - the version is the cache's key
    row: dict[str, Any] = queries.run("warehouse_meta", warehouse().path).to_dicts()[0]
    return row


def meta() -> dict[str, Any]:
    """What holds for the whole warehouse: `as_of`, `synthetic`, and how much it holds."""
    return _meta(warehouse().id)


def day() -> dt.date:
    """The day that is "today" on every page: the one that demonstration data declare; the clock's with real data, which thus look old."""
    told = meta()
    as_of: dt.date = told["as_of"]
    return as_of if told["synthetic"] else max(as_of, dt.datetime.now().astimezone().date())
