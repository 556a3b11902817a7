"""Answers for pages: named queries, policy and reference, each remembered for the version of the warehouse that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import streamlit as st

from samplads import loading, policy, queries, reference, settings
from samplads.model import FreshnessLimits
from samplads.policy import Policy
from samplads.ui import session, written
from samplads.ui.session import meta

__all__ = ["coast_caption", "freshness", "map_caption", "meta", "outline", "query", "reference_texts", "rules"]

_RUNNING = "_running_cursor"


def _remember_cursor(cursor: duckdb.DuckDBPyConnection) -> None:
    st.session_state[_RUNNING] = cursor


@st.cache_data(show_spinner=False, max_entries=400)
def _query(version: str, written_stamp: str, _path: Path, name: str, parameters: dict[str, Any]) -> pl.DataFrame:  # noqa: ARG001
    def start(cursor: duckdb.DuckDBPyConnection) -> None:
        written.layer().lay(cursor)
        _remember_cursor(cursor)

    try:
        return queries.run(name, _path, on_start=start, **parameters)
    finally:
        st.session_state.pop(_RUNNING, None)


def interrupt_previous() -> None:
    """Stop what the visitor's last run still asks: they have moved on, and it would only hold up the others."""
    cursor = st.session_state.pop(_RUNNING, None)
    if cursor is not None:
        try:
            cursor.interrupt()
        except duckdb.Error:
            # It ended by itself between the look and the call.
            return


def query(name: str, /, **parameters: Any) -> pl.DataFrame:
    """The answer of `queries/<name>.sql` with what people have written laid over; remembered until the warehouse or the ledger changes."""
    version = session.warehouse()
    return _query(version.id, written.stamp(), version.path, name, parameters)


def rules(name: str) -> Policy:
    """The policy of `data/rules/<name>.yaml` in force on the warehouse's day."""
    return _policy(name, session.day().isoformat(), _changed(settings.read().rules / f"{name}.yaml"))


def freshness() -> FreshnessLimits:
    """How many days a confirmation counts as fresh and as ageing."""
    return loading.freshness(session.day())


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@st.cache_data(show_spinner=False, max_entries=60)
def _policy(name: str, day: str, changed: int) -> Policy:  # noqa: ARG001
    return policy.load(name, session.day())


@st.cache_resource(show_spinner=False, max_entries=4)
def _reference(folder: Path, version: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:  # noqa: ARG001
    facts = reference.read(folder)
    return facts.outline, facts.texts


def outline() -> dict[str, Any] | None:
    """The coast of the reference folder as GeoJSON, or None."""
    return _reference(settings.read().reference, session.warehouse().id)[0]


def reference_texts() -> dict[str, Any]:
    """What reference.yaml says: captions, and the municipalities that pages begin with."""
    return _reference(settings.read().reference, session.warehouse().id)[1]


def map_caption() -> str:
    """Where the coast and the points of a map come from, as the reference says."""
    caption = reference_texts().get("map_caption") or {}
    return str(caption.get(session.language(), "")) if isinstance(caption, dict) else str(caption)


def coast_caption() -> str:
    """Where the coast of a map comes from: the caption's first sentence, for a map that draws other points than municipalities."""
    first, stop, _ = map_caption().partition(". ")
    return f"{first}." if stop else first
