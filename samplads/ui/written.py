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
from samplads.ledger.models import Overlay
from samplads.overlay import Layer
from samplads.presenting import formats, history
from samplads.ui import data, session, show
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


def who(*, with_role: bool = True) -> tuple[str, str]:
    """The name and the role of whoever writes, asked for once a visit; empty until told. Never part of a link."""
    named, roled = st.columns(2) if with_role else (st.container(), None)
    role: str | None = None
    with named:
        name = st.text_input(say("written.name"), key="who", persist_state="session", help=say("written.name_help"), autocomplete="name")
    if roled is not None:
        with roled:
            role = st.text_input(say("written.role"), key="role", persist_state="session", placeholder=say("written.role_example"))
    return (name or "").strip(), (role or "").strip()


def names() -> dict[str, dict[str, str]]:
    """What the codes in a unit's fields are called."""
    lang = language()
    towns = dict(data.query("municipalities").select("code", "name").iter_rows())
    kinds = dict(data.query("offer_types").select("code", pl.concat_str("paragraph", lang, separator=" · ", ignore_nulls=True)).iter_rows())
    groups = dict(data.query("target_groups").select("code", lang).iter_rows())
    return {"municipality": towns, "offer_type": kinds, history.APPROVALS: groups}


def corrections(unit_id: str) -> dict[str, Overlay]:
    """The corrections that count for a unit, by field."""
    return {one.field: one for one in layer().corrections.get(unit_id, ())}


def mark(unit_id: str) -> None:
    """Say of a unit which of its values come from a person here and not from a delivery; nothing where all are delivered."""
    if unit_id in layer().confirmed:
        st.caption(say("written.confirmed_here"))
    told = corrections(unit_id)
    if not told:
        return
    lang, known = language(), names()
    for field, one in told.items():
        words = history.correction(one.who, one.at, one.why, lang)
        values = [formats.plain(history.worded(field, value, lang, known)) for value in (one.value, one.delivered)]
        st.markdown(
            say("written.corrected_here", field=history.field(field, lang), now=values[0], delivered=values[1], words=formats.plain(words))
        )


def told_here(unit_id: str) -> None:
    """What people have confirmed and corrected about a unit, newest first; nothing where nobody has."""
    if stamp() == NOTHING:
        return
    told = overlay.written_about(book(), unit_id)
    if told.is_empty():
        return
    st.markdown(f"**{say('written.tab')}**")
    rows = history.written(told, language(), names())
    columns = ["changed_on", "event", "field", "before", "after", "who", "why"]
    show.table(rows, columns=columns, key="unit_written", name=say("written.tab"))
