"""The parts of Dataleverancer that ask and write: confirming as unchanged, checking a file, and reminders to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from samplads import extracts, rounds, warehouse
from samplads.ledger import confirmations, models
from samplads.presenting import deliveries, formats
from samplads.presenting.tables import Column
from samplads.rounds import Round
from samplads.ui import data, pick, session, show, uploads, written
from samplads.ui.page import empty, note
from samplads.ui.session import language, say

GROUPS = ("municipality_name", "operator")
"""By whom the round is followed: the municipality a unit lies in, or who runs it."""

TALL = 12
"""Rows from which a table of findings gets a height of its own."""

TABS = ("standing", "findings", "confirm", "upload", "reminders")

WHOLE = "whole"
"""Stands for the findings that concern no one municipality."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_DONE = "_confirmed_now"
_TURNED = "_deliveries_turned"


def tabs() -> Sequence[DeltaGenerator]:
    """The page's tabs; the one to confirm in is in front where a button has just led to it."""
    turned = st.session_state.get(_TURNED, 0)
    names = [say(f"deliveries.page.tab.{name}") for name in TABS]
    # Tabs under a new key begin with their default.
    return st.tabs(names, default=names[TABS.index("confirm")] if turned else None, key=f"deliveries_tabs_{turned}")


def by_municipality(found: pl.DataFrame) -> None:
    """What each delivery holds of each municipality; for the one selected, the sheet to mend and the way to confirm its units."""
    lang = language()
    rows = deliveries.at_home(data.query("deliveries_by_municipality"), lang)
    name = say("deliveries.page.by_municipality")
    columns = deliveries.MUNICIPALITY_COLUMNS
    height: int | Literal["auto"] = 480 if rows.height > TALL else "auto"
    chosen = show.table(rows, columns=columns, key="by_municipality", select="single-row", name=name, height=height)
    if chosen.is_empty():
        note(say("deliveries.page.pick_municipality"))
        return
    one = chosen.row(0, named=True)
    mine = found.filter(pl.col("digest") == one["digest"], pl.col("municipality").eq_missing(pl.lit(one["municipality"], dtype=pl.String)))
    with st.container(horizontal=True):
        if mine.filter(pl.col("severity") != "corrected").height:
            st.download_button(
                say("deliveries.page.upload.mend"),
                data=_mend(session.warehouse().id, lang, one["digest"], one["municipality"], mine),
                file_name="samplads-fejl.xlsx",
                mime=XLSX,
                key="mend_published",
                on_click="ignore",
                help=say("deliveries.page.mend_help"),
            )
        if one["municipality"] is not None:
            st.button(say("deliveries.page.tab.confirm"), key="to_confirm", on_click=_turn, args=(one["municipality_name"],))
    if mine.is_empty():
        note(say("deliveries.page.no_findings"))


@st.cache_data(show_spinner=False, max_entries=8)
def _mend(version: str, lang: str, digest: str, municipality: str | None, _found: pl.DataFrame) -> bytes:  # noqa: ARG001 - the key
    kept = warehouse.set_aside(digest)
    rows = pl.DataFrame(schema=extracts.SET_ASIDE) if kept is None else kept
    mine = rows.filter(pl.col("municipality").eq_missing(pl.lit(municipality, dtype=pl.String)))
    return extracts.mend_archived(mine, _found, lang)


def _turn(municipality: str) -> None:
    """Lead to the tab to confirm in, with a municipality chosen."""
    st.session_state[_TURNED] = st.session_state.get(_TURNED, 0) + 1
    st.session_state["confirm_by"] = GROUPS[0]
    st.session_state[f"whose_{GROUPS[0]}"] = municipality


def pick_findings() -> pl.DataFrame:
    """The findings in words, of one municipality and of some outcomes where those are chosen."""
    shown = findings()
    severities = {name: say(f"deliveries.severity.{name}") for name in deliveries.SEVERITIES}
    towns = {
        code: name
        for code, name in shown.select("municipality", "municipality_name").unique().sort("municipality_name").iter_rows()
        if code
    }
    if shown["municipality"].null_count():
        towns = {WHOLE: say("deliveries.check.whole"), **towns}
    where_at, what_at = st.columns(2)
    with where_at:
        where = pick.pick_one(say("columns.municipality_name"), towns, key="found_in")
    with what_at:
        wanted = pick.pick_several(say("deliveries.page.severity"), severities, key="severity")
    if where is not None:
        shown = shown.filter(pl.col("municipality").eq_missing(pl.lit(None if where == WHOLE else where, dtype=pl.String)))
    return shown.filter(pl.col("severity").is_in(wanted)) if wanted else shown


def this_round() -> Round:
    """The round of the warehouse's day (data/rules/reporting.yaml)."""
    values = data.rules("reporting").values
    return rounds.round_of(session.day(), values["first_day"]["value"], values["last_day"]["value"])


@st.cache_data(show_spinner=False, max_entries=8)
def _worded(version: str, lang: str, _findings: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - the key
    return deliveries.worded(_findings, lang)


def findings() -> pl.DataFrame:
    """Every finding of the deliveries in force, in words."""
    return _worded(session.warehouse().id, language(), data.query("findings"))


def findings_table(rows: pl.DataFrame, key: str, name: str) -> None:
    """Findings in words; the one that is selected is written out in full below."""
    # The findings of a file that is checked here carry no municipality's name.
    columns = [one for one in deliveries.FINDING_COLUMNS if (one if isinstance(one, str) else one.key) in rows.columns]
    chosen = show.table(rows, columns=columns, key=key, select="single-row", height=480 if rows.height > TALL else "auto", name=name)
    if chosen.is_empty():
        note(say("deliveries.page.pick_finding"))
    else:
        st.info(deliveries.in_full(chosen.row(0, named=True), language()))


def pick_group(key: str) -> str:
    """By municipality or by operator."""
    names = {name: say(f"deliveries.page.by.{name}") for name in GROUPS}
    return pick.pick_one(say("deliveries.page.by.label"), names, key=key, default=GROUPS[0]) or GROUPS[0]


def confirm(standings: pl.DataFrame) -> None:
    """Confirm units as unchanged: of one municipality or operator, one by one or all; or those that a file names."""
    st.markdown(say("deliveries.page.confirm.about"))
    _say_done()
    name, role = written.who()
    ready = bool(name and role)
    if not ready:
        note(say("deliveries.page.confirm.who_first"))
    by_at, whose_at = st.columns(2)
    with by_at:
        by = pick_group("confirm_by")
    with whose_at:
        known = {one: one for one in standings[by].drop_nulls().unique().sort()}
        home = pick.municipality()
        mine = home["name"] if home and home["name"] in known else None
        whose = pick.pick_one(say("deliveries.page.confirm.whose"), known, key=f"whose_{by}", default=mine)
    if whose is not None:
        late = rounds.behind(standings.filter(pl.col(by) == whose))
        if late.is_empty():
            empty(say("deliveries.page.confirm.none", name=formats.plain(whose)))
        else:
            units = formats.plural(late.height, "deliveries.page.units", language())
            st.markdown(say("deliveries.page.confirm.waiting", name=formats.plain(whose), units=units))
            # A new key for each group and after each confirmation: rows chosen in one list are not the rows of another.
            key = f"late_{whose}_{late.height}"
            chosen = show.table(late, columns=deliveries.UNIT_COLUMNS, key=key, select="multi-row", name=say("deliveries.page.tab.confirm"))
            note(say("deliveries.page.confirm.pick"))
            if chosen.height:
                _button("selected", chosen["unit_id"].to_list(), name, role, "click", ready)
            _button("all", late["unit_id"].to_list(), name, role, "click", ready)
    with st.expander(say("deliveries.page.confirm.file")):
        given = uploads.pick_file(say("deliveries.page.confirm.file"), key="confirm_file", help=say("deliveries.page.confirm.file_help"))
        note(say("deliveries.page.confirm.file_help"))
        if given is not None:
            _from_file(given, standings, name, role, ready)


def _from_file(given: tuple[str, bytes], standings: pl.DataFrame, name: str, role: str, ready: bool) -> None:
    named = uploads.unit_ids(*given)
    known = [unit_id for unit_id in named if unit_id in set(standings["unit_id"])]
    if not known:
        empty(say("deliveries.page.confirm.file_nothing"))
        return
    lang = language()
    counted = formats.plural(len(known), "deliveries.page.units", lang)
    st.markdown(say("deliveries.page.confirm.from_file", known=counted, unknown=formats.number(len(named) - len(known), lang)))
    _button("all", known, name, role, given[0], ready, key="file")


def _button(words: str, unit_ids: list[str], name: str, role: str, source: str, ready: bool, key: str = "") -> None:
    label = formats.plural(len(unit_ids), f"deliveries.page.confirm.{words}", language())
    if st.button(label, key=f"confirm_{words}{key}", disabled=not ready):
        count = confirmations.confirm(
            written.book(), unit_ids, confirmed_by=role, on=session.day(), who=name, source=source[: models.NAME_LONGEST]
        )
        st.session_state[_DONE] = (count, name)
        written.renewed()
        st.rerun()


def _say_done() -> None:
    if done := st.session_state.pop(_DONE, None):
        count, name = done
        day = formats.date(session.day(), language())
        st.success(formats.plural(count, "deliveries.page.confirm.done", language(), day=day, who=formats.plain(name)))


def check_file() -> None:
    """Check a file as if it were delivered, say what was found, and hand back the sheet to mend."""
    st.markdown(say("deliveries.page.upload.about"))
    given = uploads.pick_file(say("deliveries.page.upload.label"), key="check_file")
    if given is None:
        return
    lang = language()
    checked = uploads.check(*given)
    st.markdown(deliveries.outcome(checked.counts, checked.findings, lang))
    if checked.personal:
        st.error(say("deliveries.page.upload.refused"))
    if checked.mend is not None:
        st.download_button(
            say("deliveries.page.upload.mend"),
            data=checked.mend,
            file_name="samplads-fejl.xlsx",
            mime=XLSX,
            key="mend",
            on_click="ignore",
            help=say("deliveries.page.upload.mend_help"),
        )
    if checked.findings.height:
        rows = deliveries.worded(checked.findings, lang)
        findings_table(rows, "upload_findings", say("deliveries.page.upload.found"))
    told = checked.counts.with_columns(
        pl.Series("extract_name", deliveries.named(checked.counts["extract"].to_list(), lang), dtype=pl.String)
    )
    numbers = [Column(name, "whole") for name in ("delivered", "accepted", "corrected", "flagged", "set_aside", "refused")]
    show.table(told, columns=["extract_name", *numbers], key="upload_counts", name=say("deliveries.page.upload.counts"))


def reminders(standings: pl.DataFrame, this: Round) -> None:
    """A reminder to each municipality or operator with units to confirm: a list to take along, and one text at a time to copy."""
    st.markdown(say("deliveries.page.reminders.about"))
    by = pick_group("remind_by")
    texts = deliveries.reminders(rounds.behind(standings), standings, by, this, language())
    if texts.is_empty():
        empty(say("deliveries.page.reminders.none"))
        return
    chosen = show.table(
        texts,
        columns=["recipient", Column("units", "whole"), Column("oldest_confirmation", "day"), Column("reminder_text", width=500)],
        key=f"reminders_{by}",
        select="single-row",
        name=say("deliveries.page.tab.reminders"),
    )
    if chosen.is_empty():
        note(say("deliveries.page.reminders.pick"))
        return
    st.code(chosen["reminder_text"][0], language=None, wrap_lines=True)
