"""Hvad betyder en tabel, en kolonne eller en forespørgsel?"""

import streamlit as st

from samplads import ui
from samplads.presenting import dictionary, formats, tables
from samplads.ui.dictionary import query_headers

with ui.page("dictionary"):
    lang = ui.language()
    columns, holdings = dictionary.columns(lang), dictionary.tables(lang)
    asked = dictionary.queries(query_headers(), lang)
    counted = {"tables": holdings.height, "columns": columns.height, "queries": asked.height}
    ui.answer(ui.say("dictionary.answer", **{name: formats.number(count, lang) for name, count in counted.items()}))

    words = ui.pick_text(ui.say("dictionary.search"), key="search", placeholder=ui.say("dictionary.search_example"))
    columns, holdings, asked = (dictionary.found(frame, words) for frame in (columns, holdings, asked))
    if columns.is_empty() and holdings.is_empty() and asked.is_empty():
        ui.empty(ui.say("dictionary.nothing", words=words))
    labels = [
        f"{ui.say(f'dictionary.tab.{name}')} ({formats.number(frame.height, lang)})"
        for name, frame in (("columns", columns), ("tables", holdings), ("queries", asked))
    ]
    by_column, by_table, by_query = st.tabs(labels)
    with by_column:
        ui.table(columns, columns=dictionary.COLUMNS, key="columns", height=560, name=ui.say("dictionary.tab.columns"))
    with by_table:
        count = tables.Column("columns_count", "whole", width=80)
        ui.table(
            holdings,
            columns=("table", "holds", count, "key_columns", "row_rules", "remarks"),
            key="tables",
            name=ui.say("dictionary.tab.tables"),
        )
    with by_query:
        ui.table(asked, columns=dictionary.QUERY_COLUMNS, key="queries", height=560, name=ui.say("dictionary.tab.queries"))
        ui.note(ui.say("dictionary.queries_about"))
