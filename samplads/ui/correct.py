"""Correcting a value of a unit by hand: laid over what was delivered, with who and why, and taken back the same way.

What is written is decided when the form is drawn: the value of the published file and the correction in force that the person saw go along
with the press of the button, so that a delivery or a colleague who comes in between is noticed and never overwritten unseen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from samplads import i18n, queries
from samplads.errors import SampladsError
from samplads.ledger import overlays
from samplads.ledger.models import Overlay
from samplads.presenting import formats, history
from samplads.ui import pick, session, written
from samplads.ui.session import language, say

FIRST = ("accepting", "occupied", "reserved", "maximum", "accepting_from", "status", "daily_rate_ore", "night_cover")
"""The fields that are wrong most often, in this order before the others."""

COUNTS = ("maximum", "occupied", "reserved", "accepting")
"""The counts of a unit that must add up."""

MOST = {"maximum": 1000, "occupied": 1000, "reserved": 1000, "accepting": 1000, "funded": 1000, "daily_rate_ore": pick.MOST_RATE}
"""The most that a field takes, where its contract says none; amounts in kroner."""

_SAID = "_correct_said"
_ROUND = "_correct_round"
"""Counts up with everything written: the fields of the form are then new and empty."""


def correct(told: dict[str, Any]) -> None:
    """The tab: one field of a unit (a row of `unit_detail`) corrected at a time; below, what is corrected and can be taken back."""
    unit_id = str(told["unit_id"])
    with st.container(key="correct_said"):
        _say_wrong(unit_id)
    written.who(with_role=False)
    columns = overlays.correctable()
    fields = [*FIRST, *(name for name in columns if name not in FIRST)]
    field = st.selectbox(
        say("written.correct.field"),
        fields,
        index=None,
        format_func=lambda name: history.field(name, language()),
        key="correct_field",
        placeholder=say("written.correct.choose"),
    )
    if field is None:
        st.caption(say("written.correct.about"))
    else:
        _form(told, field)
    _in_force(unit_id)


@st.cache_data(show_spinner=False, max_entries=40)
def _delivered(version: str, unit_id: str, _path: Path) -> dict[str, Any]:  # noqa: ARG001 - the version is the key
    """A unit as the published file has it, with nothing laid over."""
    row: dict[str, Any] = queries.run("units_by_id", _path, unit_ids=[unit_id]).row(0, named=True)
    return row


def _key(part: str, unit_id: str, field: str) -> str:
    return f"correct_{part}_{st.session_state.get(_ROUND, 0)}_{field}_{unit_id}"


def _form(told: dict[str, Any], field: str) -> None:
    unit_id, lang, version = str(told["unit_id"]), language(), session.warehouse()
    row = _delivered(version.id, unit_id, version.path)
    delivered = row[field]
    # A unit without a point of its own stands at its municipality's: that is no delivered value to a reader.
    borrowed = field in {"lat", "lon"} and not row["has_own_point"]
    words = formats.unknown(lang) if borrowed else history.worded(field, delivered, lang, written.names())
    of_count = field not in _unit_fields()
    source = (told["count_delivery"], told["count_delivered_on"]) if of_count else (told["unit_delivery"], told["unit_delivered_on"])
    key = "written.correct.delivered" if source[0] else "written.correct.never_delivered"
    st.caption(formats.plain(say(key, value=words, delivery=source[0], day=formats.date(source[1], lang))))
    seen = written.corrections(unit_id).get(field) or _overtaken(unit_id).get(field)
    with st.form(_key("form", unit_id, field), border=False):
        _widget(field, _key("value", unit_id, field))
        if overlays.correctable()[field].nullable:
            st.checkbox(say("written.correct.unknown"), key=_key("unknown", unit_id, field))
        st.text_input(say("written.correct.why"), key=_key("why", unit_id, field), placeholder=say("written.correct.why_example"))
        st.form_submit_button(
            say("written.correct.do"),
            on_click=_write,
            args=(unit_id, field, delivered, version.id, None if seen is None else seen.id, {name: told[name] for name in COUNTS}),
        )


def _unit_fields() -> frozenset[str]:
    from samplads.contracts import CONTRACTS

    return frozenset(CONTRACTS["unit"].columns())


def _kind(field: str) -> str:
    told = overlays.correctable()[field].metadata or {}
    return str(told["kind"])


def _choices(field: str) -> dict[str, str] | None:
    """The values that a field may have, code -> text; None where it is typed."""
    lang, about = language(), overlays.correctable()[field].metadata or {}
    if about.get("choices"):
        return {code: formats.choice(field, code, lang) for code in about["choices"]}
    if about.get("refers_to"):
        return written.names()[field]
    if about["kind"] == "flag":
        return {str(value): formats.yes_no(value, lang) for value in (True, False)}
    return None


def _widget(field: str, key: str) -> None:
    label = say("written.correct.value", field=history.field(field, language()))
    choices = _choices(field)
    if choices is not None:
        st.selectbox(
            label, list(choices), index=None, format_func=choices.__getitem__, key=key, placeholder=say("written.correct.choose_value")
        )
    elif _kind(field) == "day":
        st.date_input(label, value=None, format="DD.MM.YYYY", min_value=dt.date(1990, 1, 1), max_value=dt.date(2100, 12, 31), key=key)
    else:
        st.text_input(label, key=key)


def _value(field: str, given: Any) -> Any:
    """What was typed or chosen as the field's value. Raises SampladsError for what cannot be read."""
    kind, lang = _kind(field), language()
    if given is None or given == "":
        raise SampladsError("ledger_value_missing", field=field)
    if kind == "flag":
        return given == str(True)
    if kind == "money":
        return int(_bounded(field, given, lambda least, most: formats.parse_kr(given, lang, least, most)))
    if kind == "number":
        return _bounded(field, given, lambda least, most: formats.parse_number(given, lang, least, most))
    if kind == "whole":
        return int(_bounded(field, given, lambda least, most: formats.parse_number(given, lang, least, most, whole=True)))
    return given


def _bounded(field: str, given: str, read: Callable[[float | None, float | None], float]) -> float:
    """A typed number within what its field takes; outside it, both bounds are said."""
    column = overlays.correctable()[field]
    least, most = getattr(column, "min", None), MOST.get(field, getattr(column, "max", None))
    least = 0 if least is None and _kind(field) == "money" else least
    try:
        return read(least, most)
    except SampladsError as error:
        if error.key not in {"typed_too_small", "typed_too_large"} or least is None or most is None:
            raise
        ends = [100 * end if _kind(field) == "money" else end for end in (least, most)]
        words = [history.worded(field, end, language()) for end in ends]
        raise SampladsError("correct_out_of_bounds", text=given.strip()[:40], field=field, least=words[0], most=words[1]) from None


def _check_places(told: Mapping[str, int | None], field: str, value: Any) -> None:
    """Refuse a count with which a unit would have more places in use and open than it has.

    Where its counts do not add up to begin with, they are mended one at a time: none may make it worse.
    """
    if field not in told:
        return
    before, after = _beyond(told), _beyond({**told, field: value})
    if after > max(0, before):
        counts = {**told, field: value}
        used = sum(counts[name] or 0 for name in ("occupied", "reserved", "accepting"))
        numbers = {name: formats.number(count, language()) for name, count in (("used", used), ("maximum", counts["maximum"]))}
        raise SampladsError("correct_too_many_places", **numbers)


def _beyond(counts: Mapping[str, int | None]) -> int:
    """How many more places are in use and open than there are; below zero where some are left, or where nobody has told."""
    maximum, occupied, accepting = (counts[name] for name in ("maximum", "occupied", "accepting"))
    if maximum is None or occupied is None or accepting is None:
        return -1
    return occupied + (counts["reserved"] or 0) + accepting - maximum


def _write(unit_id: str, field: str, delivered: Any, version: str, seen: int | None, counts: Mapping[str, int | None]) -> None:
    """Lay the value of the form over the delivered one: runs before the page does, with what the person saw when pressing."""
    state = st.session_state
    try:
        name = (state.get("who") or "").strip()
        if not name:
            raise SampladsError("ledger_name_missing")
        value = None if state.get(_key("unknown", unit_id, field)) else _value(field, state.get(_key("value", unit_id, field)))
        _check_places(counts, field, value)
        overlays.correct(
            written.book(),
            unit_id=unit_id,
            field=field,
            value=value,
            delivered=delivered,
            why=state.get(_key("why", unit_id, field)) or "",
            who=name,
            version=version,
            instead_of=seen,
        )
    except SampladsError as error:
        state[_SAID] = (unit_id, _sentence(error))
        return
    _done(say("written.correct.done", field=history.field(field, language())))


def _done(sentence: str) -> None:
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    # Beside the page: the unit may have left the list, and its panel with it, because of what was written.
    st.toast(sentence, duration="long")
    written.renewed()


def _sentence(error: SampladsError) -> str:
    """The error in words, its fields by the names that the form shows."""
    values = dict(error.values)
    if isinstance(field := values.get("field"), str):
        values["field"] = history.field(field, language())
    if isinstance(what := values.get("what"), str):
        labels = {"why": say("written.correct.why"), "who": say("written.name")}
        values["what"] = labels.get(what) or history.field(what, language())
    return i18n.sentence(SampladsError(error.key, **values), language())


def _say_wrong(unit_id: str) -> None:
    said = st.session_state.pop(_SAID, None)
    if said and said[0] == unit_id:
        st.error(said[1])


def _overtaken(unit_id: str) -> dict[str, Overlay]:
    return {one.field: one for one in written.layer().overtaken if one.unit_id == unit_id}


def _in_force(unit_id: str) -> None:
    """The corrections that count, and those that a later delivery has overtaken, each with a way to take it back."""
    counting, overtaken = written.corrections(unit_id), _overtaken(unit_id)
    if not counting and not overtaken:
        return
    lang, known = language(), written.names()
    st.markdown(f"**{say('written.correct.in_force')}**")
    for one in (*counting.values(), *overtaken.values()):
        values = [formats.plain(history.worded(one.field, value, lang, known)) for value in (one.value, one.delivered)]
        words = formats.plain(history.correction(one.who, one.at, one.why, lang))
        line = say("written.corrected_here", field=history.field(one.field, lang), now=values[0], delivered=values[1], words=words)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{line} {say('written.correct.overtaken')}" if one.field in overtaken else line, width="stretch")
            with st.popover(say("written.correct.withdraw")):
                key = f"withdraw_why_{one.id}"
                st.text_input(say("written.correct.why"), key=key)
                st.button(say("written.correct.withdraw"), key=f"withdraw_{one.id}", on_click=_withdraw, args=(one, key))


def _withdraw(one: Overlay, key: str) -> None:
    state = st.session_state
    try:
        name = (state.get("who") or "").strip()
        if not name:
            raise SampladsError("ledger_name_missing")
        overlays.withdraw(written.book(), one.id, why=state.get(key) or "", who=name)
    except SampladsError as error:
        state[_SAID] = (one.unit_id, _sentence(error))
        return
    _done(say("written.correct.withdrawn", field=history.field(one.field, language())))
