"""The ledger on pages: opened once, laid over every answer, and the one name that is asked for before anything is written."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl
import streamlit as st

from samplads import i18n, ledger, overlay, settings
from samplads.errors import SampladsError
from samplads.extracts import personal
from samplads.ledger import Ledger
from samplads.overlay import Layer
from samplads.presenting import formats, tables, vacancies
from samplads.ui import session, show
from samplads.ui.session import language, say

log = logging.getLogger("samplads.pages")

NOTHING = ""
"""The stamp of a ledger that nobody has written in, or that does not answer."""


@st.cache_resource(show_spinner=False, max_entries=2)
def _open(url: str) -> Ledger:
    return ledger.open_(url, personal.holds_number)


def book() -> Ledger:
    """The ledger of the settings, open; made where it is not there yet.

    Raises what `samplads.ledger.open_` raises.
    """
    return _open(settings.read().ledger_url)


def _begun() -> bool:
    """Whether anybody can have written: looking at a page makes no ledger."""
    url = settings.read().ledger_url
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()


def stamp() -> str:
    """What has been written when this run began: part of the key of every remembered answer.

    A ledger that does not answer is said beside the page, and the page shows what was delivered.
    """
    if session.PINNED_STAMP not in st.session_state:
        found = NOTHING
        if _begun():
            try:
                found = overlay.stamp(book())
            except SampladsError as error:
                log.warning("the ledger does not answer: %s", error)
                st.sidebar.warning(f"{i18n.sentence(error, language())} {say('written.delivered_only')}")
        st.session_state[session.PINNED_STAMP] = found
    return str(st.session_state[session.PINNED_STAMP])


@st.cache_resource(show_spinner=False, max_entries=4)
def _layer(version: str, written_stamp: str, _path: Path) -> Layer:  # noqa: ARG001 - the key
    return overlay.read(book(), _path)


def layer() -> Layer:
    """What people have written over the version that this run reads."""
    if stamp() == NOTHING:
        return overlay.EMPTY
    version = session.warehouse()
    return _layer(version.id, stamp(), version.path)


def renewed() -> None:
    """Let the next answer see what was just written."""
    st.session_state.pop(session.PINNED_STAMP, None)


def who() -> tuple[str, str]:
    """The name and the role of whoever writes, asked for once a visit; empty until told. Never part of a link."""
    named, roled = st.columns(2)
    with named:
        name = st.text_input(say("written.name"), key="who", persist_state="session", help=say("written.name_help"), autocomplete="name")
    with roled:
        role = st.text_input(say("written.role"), key="role", persist_state="session", placeholder=say("written.role_example"))
    return (name or "").strip(), (role or "").strip()


def mark(unit_id: str) -> None:
    """Say of a unit which of its values come from a person here and not from a delivery; nothing where all are delivered."""
    laid = layer()
    if unit_id in laid.confirmed:
        st.caption(say("written.confirmed_here"))
    if fields := laid.corrected.get(unit_id):
        names = formats.listing([tables.header(tables.column(field), language()) for field in fields], language())
        st.caption(say("written.corrected_here", fields=names))


def history(unit_id: str) -> None:
    """What people have confirmed and corrected about a unit, newest first; nothing where nobody has."""
    if stamp() == NOTHING:
        return
    told = overlay.written_about(book(), unit_id)
    if told.is_empty():
        return
    st.markdown(f"**{say('written.tab')}**")
    lang = language()
    worded = vacancies.history(told.rename({"at": "changed_on"}).with_columns(pl.col("changed_on").dt.date()), lang)
    kinds = [say(f"written.history.{kind}") for kind in told["kind"]]
    rows = worded.with_columns(pl.Series("event", kinds, dtype=pl.String), told["who"], told["why"])
    show.table(rows, columns=["changed_on", "event", "field", "before", "after", "who", "why"], key="unit_written", name=say("written.tab"))
