"""Showing: numbers, tables and charts in the page's language, each with what a screen reader needs and a way to take it along."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import polars as pl
import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from samplads import i18n, settings
from samplads.presenting import charts, exports, formats, tables
from samplads.presenting.tables import Column
from samplads.ui import data, session
from samplads.ui.session import LANGUAGE_NAMES, language, say

MOST_ROWS = 2000
"""Rows that a table draws: nobody reads further, and each has its numbers written out. An export always has them all."""


@dataclass(frozen=True)
class Metric:
    """One number of an answer, already written out with its unit."""

    label: str
    value: str
    help: str | None = None


def metrics(*items: Metric) -> None:
    """Numbers side by side; on a narrow screen below each other."""
    with st.container(horizontal=True):
        for item in items:
            st.metric(item.label, item.value, help=item.help, border=True, height="stretch")


def selected(key: str, link: str | None = None) -> bool:
    """Whether a row of the table `key` is selected, before the table is drawn: for a layout that makes room for its details."""
    state = st.session_state.get(_widget(key))
    if state is None:
        return link is not None and link in st.query_params
    return bool(state["selection"]["rows"])


def _widget(key: str) -> str:
    """The key under which the table `key` is drawn now: a new one whenever its selection had to be set anew."""
    turn = st.session_state.get(f"_turn_{key}", 0)
    return f"{key}_turn{turn}" if turn else key


def _follow(drawn: pl.DataFrame, key: str, link: str) -> None:
    """Before a table is drawn: where other rows stand under a selection that nobody has moved, let the selection go along with its row.

    Streamlit knows a selected row by its number alone: when a filter or a correction changes the rows, the number is somebody else's. The
    table is then drawn as a new one, which selects what the link names; nothing where that is no longer among the rows.
    """
    state, before = st.session_state.get(_widget(key)), st.session_state.get(f"_row_{key}")
    if state is None or before is None or list(state["selection"]["rows"]) != [before[0]]:
        return
    row, value = before
    if row < drawn.height and drawn[link][row] == value:
        return
    st.session_state[f"_turn_{key}"] = st.session_state.get(f"_turn_{key}", 0) + 1
    if value is not None and value in drawn[link]:
        st.query_params[link] = value
    else:
        st.query_params.pop(link, None)


def _look(spec: Column, text: str, language: str) -> Any:
    settings: dict[str, Any] = {
        "width": spec.width,
        "help": tables.help_text(spec, language),
        "pinned": spec.pinned or None,
        "alignment": "right" if spec.right else "left",
    }
    if spec.kind in tables.RIGHT:
        return st.column_config.NumberColumn(text, **settings)
    if spec.kind == "day":
        return st.column_config.DateColumn(text, **settings)
    return st.column_config.TextColumn(text, **settings)


def _drawn(frame: pl.DataFrame, specs: Sequence[Column], language: str) -> Any:
    """The frame with each value's written form beside its value: sorted by the value, read in the page's language.

    Streamlit would write numbers in the browser's language; a pandas Styler carries the written form along. Styler itself takes a second
    for two thousand rows, so it is handed what it would have worked out: the cells' texts, by row and column.
    """
    values = tables.plain(frame, specs, language)
    forms = [(index, spec) for index, spec in enumerate(specs) if spec.kind in tables.RIGHT or spec.kind == "day"]
    table = values.to_pandas()
    if not forms or values.is_empty():
        return table
    cells = [
        [{"id": f"row{row}_col{index}", "display_value": text} for row, text in enumerate(tables.written(values[spec.key], spec, language))]
        for index, spec in forms
    ]
    styler = table.style
    styler._compute = lambda: styler
    styler._translate = lambda *_arguments, **_options: {"body": cells}
    return styler


def table(
    frame: pl.DataFrame,
    *,
    key: str,
    columns: Iterable[str | Column] | None = None,
    select: Literal["single-row", "multi-row"] | None = None,
    alt: str | None = None,
    height: int | Literal["auto", "content", "stretch"] = "auto",
    name: str | None = None,
    link: str | None = None,
    exported: Iterable[str | Column] | None = None,
    about: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """A table in the page's language, with buttons that export all its rows; returns the selected rows (all columns of `frame`).

    `columns` are keys or `tables.Column`s (default: all), `exported` those of the export (default: the same). `name` names the exported
    file (None: no export). `link` is a column whose value goes into the URL as `?<link>=...` when a single row is selected, and selects it
    again when the link is opened. `alt` says what the table shows; default: its row count and headers.
    """
    lang = language()
    specs = tables.columns(frame, columns)
    drawn = frame.head(MOST_ROWS)
    names = tables.headers(specs, lang)
    rows = formats.plural(frame.height, "ui.table.rows", lang)
    if select is not None and link is not None:
        _follow(drawn, key, link)
    widget = _widget(key)
    arguments: dict[str, Any] = {
        "hide_index": True,
        "height": height,
        "key": widget,
        "placeholder": formats.unknown(lang),
        "column_config": {spec.key: _look(spec, text, lang) for spec, text in zip(specs, names, strict=True)},
        "alt": alt or say("ui.table.alt", rows=rows, columns=", ".join(names)),
    }
    selected = frame.clear()
    if select is None:
        st.dataframe(_drawn(drawn, specs, lang), **arguments)
    else:
        if link is not None and widget not in st.session_state:
            arguments["selection_default"] = {"selection": {"rows": _linked(drawn, link)}}
        # The place keeps its name whatever the table in it is called.
        with contextlib.nullcontext() if widget == key else st.container(key=key):
            event = st.dataframe(_drawn(drawn, specs, lang), on_select="rerun", selection_mode=select, **arguments)
        chosen = [row for row in event["selection"]["rows"] if row < drawn.height]
        selected = drawn[chosen]
        if link is not None:
            _write_link(link, selected)
            st.session_state[f"_row_{key}"] = (chosen[0], selected[link][0]) if len(chosen) == 1 else None
    if name is not None or frame.height > drawn.height:
        _below(frame, drawn.height, specs if exported is None else exported, name, key, about)
    return selected


def _linked(drawn: pl.DataFrame, link: str) -> list[int]:
    wanted = st.query_params.get(link)
    return [] if wanted is None else drawn.with_row_index("_row").filter(pl.col(link) == wanted)["_row"].to_list()[:1]


def _write_link(link: str, selected: pl.DataFrame) -> None:
    value = selected[link][0] if selected.height == 1 else None
    if value is None:
        st.query_params.pop(link, None)
    elif st.query_params.get(link) != value:
        st.query_params[link] = value


def _below(
    frame: pl.DataFrame,
    drawn: int,
    exported: Iterable[str | Column],
    name: str | None,
    key: str,
    about: Mapping[str, str] | None,
) -> None:
    lang = language()
    if frame.height > drawn:
        shown, total = formats.number(drawn, lang), formats.number(frame.height, lang)
        st.caption(say("ui.table.cut", shown=shown, total=total))
    if name is not None:
        export(frame, name, columns=exported, key=f"{key}_export", about=about)


def export(
    frame: pl.DataFrame,
    name: str,
    *,
    columns: Iterable[str | Column] | None = None,
    key: str | None = None,
    about: Mapping[str, str] | None = None,
) -> None:
    """Buttons that hand over all rows of a frame as XLSX, CSV and Parquet; nothing is made before a button is pressed."""
    lang = language()
    specs = tables.columns(frame, columns)
    key = key or f"{exports.file_name(name, None, 'x')[:-2]}_export"
    day = session.day()
    facts = {
        say("ui.export.title"): name,
        say("ui.export.day"): formats.date(day, lang),
        say("ui.export.rows"): formats.number(frame.height, lang),
        say("ui.export.source"): say("ui.export.source_text", version=session.warehouse().id[:12]),
        **({say("ui.export.data"): say("app.demo_help")} if session.meta()["synthetic"] else {}),
        **(about or {}),
    }
    files: dict[str, tuple[Callable[[], bytes], str]] = {
        "XLSX": (
            lambda: exports.xlsx(frame, lang, columns=specs, title=name, about=facts),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        "CSV": (lambda: exports.csv(frame, lang, columns=specs), "text/csv"),
        "Parquet": (lambda: exports.parquet(frame), "application/vnd.apache.parquet"),
    }
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        st.caption(formats.plural(frame.height, "ui.export.all", lang), width="content")
        for form, (make, mime) in files.items():
            st.download_button(
                form,
                data=make,
                file_name=exports.file_name(name, day, form.casefold()),
                mime=mime,
                key=f"{key}_{form.casefold()}",
                on_click="ignore",
                type="tertiary",
                help=say("ui.export.help", form=form),
            )


def dark() -> bool:
    """Whether the visitor reads on a dark page."""
    return getattr(st.context.theme, "type", None) == "dark"


def chart(picture: charts.Picture | alt.TopLevelMixin, *, alt: str, key: str, select: str | None = None) -> list[dict[str, Any]]:
    """A chart in our type and the page's language, with its text alternative.

    `select` names a click selection of the chart; returns what is selected.
    """
    spec = charts.themed(picture, language(), dark())
    if select is None:
        with st.container(key=key):
            st.vega_lite_chart(spec, theme=None, alt=alt, width="stretch")
        return []
    event = st.vega_lite_chart(spec, theme=None, alt=alt, width="stretch", key=key, on_select="rerun", selection_mode=select)
    chosen = event["selection"].get(select, [])
    return list(chosen) if isinstance(chosen, list) else [dict(chosen)]


def place_map(towns: pl.DataFrame, *, key: str = "map", size: str = "accepting") -> None:
    """A map of municipalities (columns of `charts.bubble_map`) with where its coast comes from; nothing where no point is known."""
    if towns.drop_nulls(["lat", "lon"]).is_empty():
        return
    lang = language()
    chart(charts.bubble_map(towns, data.outline(), lang, size=size), alt=charts.bubble_map_alt(towns, lang, size=size), key=key)
    if data.outline() is not None:
        st.caption(data.map_caption())


def link(name: str, label: str, **values: str | Sequence[str]) -> None:
    """A link to another page, with what it should show: keys of its picks and their shown texts. Nothing where there is no such page."""
    if not (settings.ROOT / "pages" / f"{name}.py").is_file() or not i18n.has(f"{name}.title", language()):
        return
    parameters: dict[str, str | list[str]] = {
        key: value if isinstance(value, str) else list(value) for key, value in values.items() if value
    }
    if language() != i18n.LANGUAGES[0]:
        parameters[session.LANGUAGE_KEY] = LANGUAGE_NAMES[language()]
    # A page that is run on its own, without `app.py` around it, has no others to lead to.
    with contextlib.suppress(StreamlitPageNotFoundError):
        st.page_link(f"pages/{name}.py", label=f"{label} →", query_params=parameters or None)
