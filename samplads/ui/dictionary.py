"""What every query says of itself, for the data dictionary."""

from __future__ import annotations

import streamlit as st

from samplads import queries, settings
from samplads.ui.session import language
from samplads.workbench import library

Header = tuple[str, str, str, str, str]
"""Name, what one row is, grain and parameters, readers, and the kind: asked by pages, building a table, or an analyst's."""


def query_headers() -> list[Header]:
    """The header of every query, in the page's language where it has one."""
    return _headers(language())


@st.cache_data(show_spinner=False)
def _headers(lang: str) -> list[Header]:
    root = settings.read().queries
    found = []
    for kind, folder in (("page", root), ("build", root / "warehouse")):
        for name in queries.names(folder):
            told = queries.get(name, folder)
            row, grain, readers = told.row.removeprefix("One row is "), told.grain.removeprefix("Grain: "), told.readers
            found.append((name, row, grain, readers.removeprefix("Read by: "), kind))
    for one in library.all_queries():
        parameters = ", ".join(f"${parameter.name} ({parameter.type})" for parameter in one.parameters)
        found.append((one.name, one.explain[lang], parameters, one.user, "analyst"))
    return found
