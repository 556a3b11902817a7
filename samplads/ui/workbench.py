"""SQL-værksted: reviewed questions, tables, the editor, what runs, its result, and its whole export.

Nothing of a statement is run or read in this process: it goes to `samplads.workbench` and comes back as rows or as a sentence. What a
visitor has under way lies in their session; a statement goes on in the queue while they read, and is stopped when they start another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import polars as pl
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from samplads import disk, i18n
from samplads.errors import SampladsError
from samplads.ledger import saved
from samplads.ledger.models import SavedQuery
from samplads.presenting import exports, formats, tables
from samplads.presenting import workbench as shown
from samplads.ui import data, pick, session, show, written
from samplads.ui.page import answer, empty, note
from samplads.ui.session import language, say
from samplads.workbench import analyst_copy, export, faults, handover, library, pool, worker
from samplads.workbench.faults import SqlError
from samplads.workbench.library import Reviewed
from samplads.workbench.pool import Ticket

log = logging.getLogger("samplads.pages")

SQL = "sql"
"""The editor's key."""
FIRST = "open_places_for_group"
"""The question that stands answered when nobody has asked another."""
MAIN = "unit_now"
EXAMPLE = "select name, accepting from unit_now where accepting > 0"
LONGEST_LINK = 6000
"""Longest address that is offered, in characters: browsers and proxies take it."""
_LINKS = ("q", "saved", "sql")
_VALUE = "v."
"""Before a parameter's name in the address of a statement that is not saved."""
USERS = ("placement officer", "director", "analyst")
HISTORY = 30

_STATE = "_workbench"
_TOO_MUCH_TO_SHOW = frozenset({"sql_result_wide", "sql_timeout"})
"""What stops the shown part of a result, and need not stop its whole file."""
_BROWSER_COOKIES = ("_streamlit_xsrf", "_xsrf")
"""What Streamlit sets once in each browser."""
_CHECK = worker.Limits(seconds=1, memory_mb=64, address_mb=640)
_CHECKING = threading.BoundedSemaphore(1)
"""Reading a statement's `$names` is outside the queue: one at a time, with little memory and a second at most."""
_AT_ONCE = 0.8
"""Seconds that a run waits for its answer before the page shows that it is under way."""
_AWAY = 60.0
"""Seconds without the visitor's browser after which what they started is stopped: a tab that is loaded anew is back long before."""
_LOOK = 0.5
"""Seconds between two looks at what is under way."""


@dataclass(frozen=True)
class Asked:
    """A statement that was run, as it was run."""

    sql: str
    values: dict[str, object]
    title: str | None
    opened: tuple[str, str] | None = None


@dataclass
class Bench:
    """What one visitor has on the bench."""

    token: str = field(default_factory=lambda: secrets.token_hex(6))
    opened: tuple[str, str] | None = None
    """`("q", name)` of a reviewed query, `("saved", id)`, or `("sql", text)` of a link with the statement in it."""
    original: str = ""
    title: str | None = None
    edition: int | None = None
    owner: str = ""
    asked: Asked | None = None
    ticket: Ticket | None = None
    outcome: worker.Outcome | None = None
    error: SampladsError | None = None
    history: list[tuple[Asked, str]] = field(default_factory=list)
    exporting: Ticket | None = None
    form: str = ""
    exported: worker.Exported | None = None
    export_error: SampladsError | None = None
    folder: disk.Aside | None = None
    """Where the last export lies; it goes with the visit."""
    handed: str = ""
    """Under which the last export can be fetched."""


def bench() -> Bench:
    """This visitor's."""
    found: Bench = st.session_state.setdefault(_STATE, Bench())
    return found


class Presence:
    """Whether a visit goes on; asked by the thread that waits for its statement."""

    def __init__(self, is_active: Callable[[], bool], away: float = _AWAY) -> None:
        self._is_active, self._away = is_active, away
        self._seen = time.monotonic()

    def __call__(self) -> bool:
        """False once the visitor's browser has been away for long."""
        if self._is_active():
            self._seen = time.monotonic()
        return time.monotonic() - self._seen <= self._away


def _presence() -> Presence | None:
    """This visit's; None where there is no server (a test)."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return None
    session_id, server = context.session_id, runtime.get_instance()
    return Presence(lambda: server.is_active_session(session_id))


def _analyst() -> str:
    """Whose turn it is: the name's, where one is given, else the browser's, however many tabs it has open."""
    if name := _name():
        return f"name:{name.casefold()}"
    about = st.context
    marks = _told_by_browser(*(about.cookies.get(cookie) for cookie in _BROWSER_COOKIES))
    marks = marks or _told_by_browser(about.ip_address, about.headers.get("user-agent"))
    # Without a browser (a test), the visit itself.
    return f"browser:{hashlib.sha256(marks.encode()).hexdigest()[:16]}" if marks else f"visit:{bench().token}"


def _told_by_browser(*marks: object) -> str:
    return "|".join(mark for mark in marks if isinstance(mark, str) and mark)


def copy() -> Path:
    """The analyst copy of the version that this run reads; the worker says so where there is none."""
    return analyst_copy.path_of(session.warehouse().path)


def _lay(sql: str, opened: tuple[str, str] | None, title: str | None) -> None:
    mine = bench()
    st.session_state[SQL] = sql
    mine.opened, mine.original, mine.title, mine.edition, mine.owner = opened, sql, title, None, ""
    _leave_address()
    if opened is not None:
        st.query_params[opened[0]] = opened[1]


def _leave_address() -> None:
    """Take what names or holds a statement out of the address."""
    for key in [key for key in st.query_params if key in _LINKS or key.startswith(_VALUE)]:
        del st.query_params[key]


def open_linked(sql: str) -> None:
    """Lay a statement that stands in the address on the bench, with its parameters' values; it runs when somebody presses Run."""
    values = {key.removeprefix(_VALUE): text for key, text in st.query_params.items() if key.startswith(_VALUE)}
    _lay(sql, ("sql", sql), None)
    for name, told in values.items():
        kind, sign, text = told.partition(":")
        if sign and kind in library.TYPES and re.fullmatch(r"\w+", name):
            st.session_state[f"own_{name}"], st.session_state[f"own_{name}_type"] = text, kind
            st.query_params[f"{_VALUE}{name}"] = told


def open_reviewed(name: str) -> None:
    """Lay a reviewed query on the bench; its answer follows.

    Raises SampladsError `library_unknown`.
    """
    query = library.get(name)
    _lay(shown.without_header(query.sql), ("q", query.name), None)


def open_saved(query: SavedQuery) -> None:
    """Lay a saved query on the bench."""
    _lay(query.sql, ("saved", str(query.id)), query.name)
    bench().edition, bench().owner = query.edition, query.owner


def _open_asked(asked: Asked) -> None:
    """Lay what was run on the bench again, with the values that it was run with."""
    _lay(asked.sql, asked.opened, None if asked.opened and asked.opened[0] == "q" else asked.title)
    start = asked.opened[1] if asked.opened and asked.opened[0] == "q" else "own"
    for name, value in asked.values.items():
        text, kind = _typed(value)
        st.session_state[f"{start}_{name}"] = text
        if start == "own":
            st.session_state[f"{start}_{name}_type"] = kind


def _typed(value: object) -> tuple[str, str]:
    """A parameter's value as it is typed, and its kind."""
    if value is None:
        return "", "text"
    if isinstance(value, bool):
        return ("ja" if value else "nej"), "flag"
    if isinstance(value, list):
        return "|".join(str(one) for one in value), "list"
    if isinstance(value, float):
        return library.typed(value), "number"
    kinds = ((int, "whole"), (dt.date, "day"))
    return str(value), next((kind for form, kind in kinds if isinstance(value, form)), "text")


def begin() -> None:
    """What the link asks for, what was on the bench, or the first question: nobody meets an empty page."""
    mine = bench()
    wanted = next(((kind, st.query_params[kind]) for kind in _LINKS if kind in st.query_params), None)
    try:
        if wanted is not None and wanted != mine.opened:
            if wanted[0] == "q":
                open_reviewed(wanted[1])
            elif wanted[0] == "sql":
                open_linked(wanted[1])
            else:
                open_saved(_visible(wanted[1]))
        elif SQL not in st.session_state and mine.asked is not None:
            _lay(mine.asked.sql, mine.opened, mine.title)
    except SampladsError as error:
        st.query_params.pop(wanted[0] if wanted else "q", None)
        st.warning(i18n.sentence(error, language()))
    if SQL not in st.session_state:
        open_reviewed(FIRST if any(query.name == FIRST for query in library.all_queries()) else library.all_queries()[0].name)


def _visible(query_id: str) -> SavedQuery:
    found = next((query for query in _saved() if str(query.id) == query_id), None)
    if found is None:
        raise SampladsError("ledger_saved_unknown")
    return found


def reviewed() -> Reviewed | None:
    """The reviewed query on the bench, as long as nobody has changed it."""
    mine = bench()
    if mine.opened is None or mine.opened[0] != "q" or st.session_state.get(SQL, "").strip() != mine.original.strip():
        return None
    return library.get(mine.opened[1])


def _leave_link() -> None:
    """What was changed is no longer what the link names."""
    mine = bench()
    if mine.opened is not None and st.session_state.get(SQL, "").strip() != mine.original.strip():
        _leave_address()
        if mine.opened[0] != "saved":
            mine.opened = None


# Beside the editor.


def browse() -> None:
    """Questions, tables, saved queries and history."""
    with st.container(key="beside"):
        _browse()


def _browse() -> None:
    asked, held, kept, past = st.tabs([say(f"workbench_page.tab.{tab}") for tab in ("questions", "tables", "saved", "history")])
    with asked:
        _questions()
    with held, st.container(gap="xsmall"):
        _tables()
    with kept:
        _keep()
    with past:
        _history()


def _questions() -> None:
    queries = library.all_queries()
    note(say("workbench_page.questions", n=len(queries)))
    now = reviewed()
    for place, user in enumerate(USERS):
        title = say(f"workbench_page.user.{user.replace(' ', '_')}")
        with st.expander(title, expanded=place == 0), st.container(gap="xxsmall"):
            for query in queries:
                if query.user == user:
                    st.button(
                        query.title[language()],
                        key=f"open_{query.name}",
                        help=query.explain[language()],
                        type="tertiary",
                        on_click=open_reviewed,
                        args=(query.name,),
                        icon=":material/arrow_right:" if now is not None and now.name == query.name else None,
                        wrap=True,
                    )


@st.cache_data(show_spinner=False, max_entries=4)
def _schema(version: str, _copy: Path) -> list[analyst_copy.Column]:  # noqa: ARG001 - the key
    return analyst_copy.schema(_copy)


def schema() -> list[analyst_copy.Column]:
    """The analyst copy's columns; none where there is no copy, which the run says."""
    return _schema(session.warehouse().id, copy()) if copy().is_file() else []


def _about_table(table: str) -> str:
    from samplads.contracts import CONTRACTS

    if i18n.has(f"workbench.table.{table}", language()):
        return i18n.text(f"workbench.table.{table}", language())
    contract = CONTRACTS.get(table)
    return "" if contract is None else str(getattr(contract, language()))


def _about_column(column: analyst_copy.Column) -> str:
    declared = column.da if language() == "da" else column.en
    return shown.about_column(column.table, column.name, declared, column.unit, language())


def _put_table(table: str) -> None:
    columns: dict[str, list[str]] = {}
    for column in schema():
        columns.setdefault(column.table, []).append(column.name)
    st.session_state[SQL] = shown.put_table(st.session_state.get(SQL, ""), table, columns)


def _put_column(table: str, name: str) -> None:
    st.session_state[SQL] = shown.put_column(st.session_state.get(SQL, ""), table, name)


def _clear() -> None:
    _lay("", None, None)


def _tables() -> None:
    note(say("workbench_page.tables"))
    columns = schema()
    # The table that answers most questions comes first.
    for table in sorted({column.table for column in columns}, key=lambda name: (name != MAIN, name)):
        # Only what is unfolded is drawn: the copy has some two hundred columns.
        fold = st.expander(
            f"**{_plain_text(table)}** {_plain_text(_short(_about_table(table), 42))}", key=f"table_{table}", on_change="rerun"
        )
        if not fold.open:
            continue
        with fold:
            note(_about_table(table))
            st.button(say("workbench_page.insert", name=table), key=f"put_{table}", on_click=_put_table, args=(table,), type="tertiary")
            for column in columns:
                if column.table == table:
                    with st.container(gap=None, key=f"column_{table}_{column.name}"):
                        st.button(
                            f"`{column.name}`",
                            key=f"put_{table}_{column.name}",
                            on_click=_put_column,
                            args=(table, column.name),
                            type="tertiary",
                            help=say("workbench_page.insert", name=f"{table}.{column.name}"),
                        )
                        sample = say("workbench_page.sample", values=", ".join(_short(value) for value in column.sample))
                        told = [_about_column(column), column.type.casefold(), sample if column.sample else ""]
                        st.caption(_plain_text(" · ".join(part for part in told if part)))


def _short(value: str, most: int = 24) -> str:
    return value if len(value) <= most else f"{value[: most - 1]}…"


def _plain_text(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-!|~<>$:])", r"\\\1", text)


# Saved queries.


def _name() -> str:
    return str(st.session_state.get("who") or "").strip()


def _saved() -> list[SavedQuery]:
    """The visitor's own and the shared ones; looking makes no ledger."""
    if written.stamp() == written.NOTHING and not _name():
        return []
    return saved.queries(written.book(), _name())


def _keep() -> None:
    note(say("workbench_page.saved.about"))
    st.text_input(say("written.name"), key="who", persist_state="session", help=say("workbench_page.saved.name_help"), autocomplete="name")
    name = _name()
    mine = bench()
    try:
        kept = _saved()
    except SampladsError as error:
        st.warning(i18n.sentence(error, language()))
        return
    if not kept:
        note(say("workbench_page.saved.none"))
    for query in kept:
        own = query.owner == name
        scope = say(f"workbench_page.saved.{query.scope}")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                query.name,
                key=f"saved_{query.id}",
                help=scope if own else say("workbench_page.saved.by", owner=query.owner),
                type="tertiary",
                on_click=open_saved,
                args=(query,),
            )
            st.caption(scope, width="content")
            if own:
                st.button(
                    say("workbench_page.saved.delete"),
                    key=f"delete_{query.id}",
                    type="tertiary",
                    on_click=_delete,
                    args=(query.id, name),
                )
    st.divider()
    label = st.text_input(say("workbench_page.saved.title"), value=mine.title or "", key=f"save_as_{mine.opened}")
    scopes = {"private": say("workbench_page.saved.private"), "shared": say("workbench_page.saved.shared")}
    scope = st.radio(
        say("workbench_page.saved.scope"),
        list(scopes),
        format_func=scopes.__getitem__,
        horizontal=True,
        key="save_scope",
    )
    ready = bool(name and (label or "").strip() and st.session_state.get(SQL, "").strip())
    if st.button(say("workbench_page.saved.save"), key="save", disabled=not ready):
        own_one = mine.edition is not None and mine.owner == name and mine.title == label.strip()
        try:
            query = saved.save_query(
                written.book(),
                name=label.strip(),
                sql=st.session_state[SQL],
                scope=str(scope),
                owner=name,
                seen=mine.edition if own_one else None,
            )
        except SampladsError as error:
            st.error(i18n.sentence(error, language()))
            return
        mine.opened, mine.original, mine.title = ("saved", str(query.id)), query.sql, query.name
        mine.edition, mine.owner = query.edition, query.owner
        _leave_address()
        st.query_params["saved"] = str(query.id)
        st.toast(say("workbench_page.saved.done", name=query.name))
        st.rerun()
    if not name:
        note(say("workbench_page.saved.name_first"))


def _delete(query_id: int, owner: str) -> None:
    saved.delete_query(written.book(), query_id, owner=owner)
    mine = bench()
    if mine.opened == ("saved", str(query_id)):
        _lay(st.session_state.get(SQL, ""), None, None)


def _history() -> None:
    past = bench().history
    if not past:
        note(say("workbench_page.history.none"))
    for place, (asked, told) in enumerate(reversed(past)):
        with st.container(gap=None):
            label = _plain_text(asked.title or shown.first_words(asked.sql))
            st.button(label, key=f"past_{len(past) - place}", type="tertiary", on_click=_open_asked, args=(asked,), wrap=True)
            st.caption(told)


# The editor and its parameters.


def _style(lines: int) -> str:
    """The editor's look, with its line numbers as a picture behind the text that scrolls along with it."""
    numbers = "".join(f'<text x="30" y="{14 + 20 * line}">{line + 1}</text>' for line in range(lines))
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="{20 * lines + 8}" font-family="monospace" font-size="12" '
        f'fill="#767676" text-anchor="end">{numbers}</svg>'
    )
    return (
        "<style>.st-key-sql textarea { font-family: 'JetBrains Mono', ui-monospace, monospace; font-size: 14px; line-height: 20px; "
        "white-space: pre; overflow: auto; padding: 8px 8px 8px 44px; tab-size: 4; "
        f'background: url("data:image/svg+xml,{quote(picture)}") no-repeat 0 8px local; }}'
        # Streamlit's English word on how to apply the text; the label says how to run it.
        '.st-key-sql [data-testid="InputInstructions"] { display: none; }'
        '[class*="st-key-open_"] button, [class*="st-key-past_"] button { text-align: left; justify-content: flex-start; }'
        # Beside a long result the questions and tables stay in view; on a phone they stand above it.
        "@media (min-width: 641px) { .st-key-beside { position: sticky; top: 0.5rem; max-height: calc(100vh - 1rem); overflow-y: auto; } }"
        ".st-key-run button * { opacity: 1 !important; color: inherit !important; }"
        "</style>"
    )


def editor() -> None:
    """The statement: line numbers, no wrapping, Ctrl+Enter runs."""
    sql = st.session_state.get(SQL, "")
    lines = sql.count("\n") + 1
    # What is pasted has its numbers before the server knows of it: always many more than there are lines, in steps, so that the picture
    # is the same one from run to run.
    st.html(_style(1000 * (1 + (lines + 500) // 1000)))
    st.text_area(
        say("workbench_page.editor"),
        key=SQL,
        height=20 * max(6, min(16, lines + 1)) + 18,
        placeholder=EXAMPLE,
        persist_state="session",
    )


@st.cache_data(show_spinner=False, max_entries=200)
def _named(version: str, sql: str, _copy: Path) -> tuple[str, ...]:  # noqa: ARG001 - the key
    if not _CHECKING.acquire(timeout=_CHECK.seconds):
        raise SampladsError("queue_full", waiting=1)
    try:
        return worker.check(sql, _copy, limits=_CHECK).parameters
    finally:
        _CHECKING.release()


def _parameter_names(sql: str) -> tuple[str, ...]:
    """The `$names` of a statement as the gate reads it; none where it cannot be read, which the run says."""
    if "$" not in sql:
        return ()
    try:
        return _named(session.warehouse().id, sql, copy())
    except SampladsError:
        return ()


def _choices(name: str) -> dict[str, str]:
    """What a parameter of a known name may be, code -> text; empty where it is free."""
    lang = language()
    match name:
        case "municipality":
            return dict(data.query("municipalities").select("code", "name").iter_rows())
        case "target_group" | "first" | "second":
            return pick.target_group_names()
        case "offer_type":
            frame = data.query("offer_types").select("code", "paragraph", lang)
            return {code: f"{paragraph} · {text}" if paragraph else text for code, paragraph, text in frame.iter_rows()}
        case "region":
            members = data.query("region_members", day=session.day())
            return dict(members.select("region", "region_name").unique(maintain_order=True).iter_rows())
    return {}


def _label(name: str) -> str:
    for key in (f"workbench_page.parameter.{name}", f"columns.{name}"):
        if i18n.has(key, language()):
            return f"{i18n.text(key, language())} (${name})"
    known = tables.header(tables.column(name), language())
    return f"{known} (${name})" if known != name else f"${name}"


def parameters() -> dict[str, object]:
    """The statement's parameters as fields; returns their values, null for an empty field as on the command line. A reviewed query's fields
    hold its examples and live in the link.

    Raises SampladsError `sql_parameter_…`.
    """
    query = reviewed()
    values: dict[str, object] = {}
    if query is not None:
        wanted = [(one.name, one.type, one.example, f"{query.name}_{one.name}") for one in query.parameters]
    else:
        wanted = [(name, "", "", f"own_{name}") for name in _parameter_names(st.session_state.get(SQL, ""))]
    for at, (name, kind, example, key) in zip(st.columns(max(2, len(wanted))) if wanted else [], wanted, strict=False):
        with at:
            options = _choices(name) if kind in {"text", ""} else {}
            if options and (example in options or not example):
                chosen = pick.pick_one(_label(name), options, key=key, default=example or None)
                # What nobody has chosen is asked for by the run.
                if chosen is not None:
                    values[name] = chosen
                continue
            typed = st.text_input(
                _label(name), value=example, key=key, bind="query-params" if query is not None else None, persist_state="session"
            )
            if not kind:
                kinds = {one: say(f"workbench_page.type.{one}") for one in library.TYPES}
                kind = st.selectbox(
                    say("workbench_page.parameter_type"),
                    list(kinds),
                    format_func=kinds.__getitem__,
                    key=f"{key}_type",
                    persist_state="session",
                )
            values[name] = library.value(typed or "", kind, name)
    return values


def link(values: dict[str, object]) -> None:
    """The bench as an address to send on: of a reviewed or saved query its name, of anything else the statement and its values."""
    fold = st.expander(say("workbench_page.link.title"), key="link", on_change="rerun", icon=":material/link:")
    if not fold.open:
        return
    mine = bench()
    sql = st.session_state.get(SQL, "")
    if mine.opened is not None and mine.opened[0] != "sql" and sql.strip() == mine.original.strip():
        told = dict(st.query_params.items())
    else:
        typed = {name: _typed(value) for name, value in values.items()}
        told = {"sql": sql, **{f"{_VALUE}{name}": f"{kind}:{text}" for name, (text, kind) in typed.items()}}
        if "lang" in st.query_params:
            told["lang"] = st.query_params["lang"]
    address = f"{_told_by_browser(st.context.url).split('?')[0]}?{urlencode(told, quote_via=quote)}"
    with fold:
        if not sql.strip() or len(address) > LONGEST_LINK:
            note(say("workbench_page.link.long", most=formats.number(LONGEST_LINK, language())))
            return
        note(say("workbench_page.link.about"))
        st.code(address, language=None, wrap_lines=True)


# Running.


def buttons() -> Literal["run", "plan"] | None:
    """Run, plan and clear; which one was pressed."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        ran = st.button(say("workbench_page.run"), key="run", shortcut="Ctrl+Enter", icon=":material/play_arrow:")
        plan = st.button(say("workbench_page.plan"), key="plan", help=say("workbench_page.plan_help"))
        st.button(say("workbench_page.clear"), key="clear", type="tertiary", on_click=_clear)
    return "run" if ran else "plan" if plan else None


_EXPLAINS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*(?s:.*?)\*/)*+explain\b", re.IGNORECASE)
"""A text that begins with EXPLAIN, after space and comments."""


def _begin_with_explain(sql: str) -> str:
    return sql if _EXPLAINS.match(sql) else f"explain {sql}"


def run(values: dict[str, object], pressed: Literal["run", "plan"] | None) -> None:
    """Run what was pressed, and a reviewed question whenever it or its choices change: asking it is safe and quick."""
    mine = bench()
    query = reviewed()
    sql = st.session_state.get(SQL, "")
    _leave_link()
    asked = Asked(sql, values, query.title[language()] if query else mine.title, mine.opened)
    renewed = query is not None and (mine.asked is None or (mine.asked.sql, mine.asked.values) != (sql, values))
    if pressed == "plan":
        asked = Asked(_begin_with_explain(sql), values, asked.title)
    elif pressed is None and not renewed:
        return
    if mine.ticket is not None:
        mine.ticket.cancel()
    _forget_export()
    mine.asked, mine.outcome, mine.error = asked, None, None
    try:
        mine.ticket = pool.shared().run(_analyst(), asked.sql, copy(), parameters=values, wanted=_presence())
    except SampladsError as error:
        mine.ticket, mine.error = None, error
        return
    mine.ticket.wait(_AT_ONCE)


def _collect() -> None:
    """Take over what has come to its end."""
    mine = bench()
    if mine.ticket is not None and mine.ticket.state == "done" and mine.asked is not None:
        ticket, mine.ticket = mine.ticket, None
        mine.outcome, mine.error = _came_of(ticket)
        mine.history.append((mine.asked, _told(mine)))
        del mine.history[:-HISTORY]
    if mine.exporting is not None and mine.exporting.state == "done":
        ticket, mine.exporting = mine.exporting, None
        mine.exported, mine.export_error = _came_of(ticket)


def _came_of(ticket: Ticket) -> tuple[Any, SampladsError | None]:
    """A ticket's result or error. What nobody foresaw is an error of this statement, too, and not the end of the page."""
    try:
        return ticket.result(), None
    except SampladsError as error:
        return None, error
    except (Exception, pl.exceptions.PanicException):
        log.exception("a statement ended in an error of our own")
        return None, SqlError("sql_unreadable")


def _told(mine: Bench) -> str:
    """A result in one line: how many rows, whether there are more, how long it took."""
    if mine.outcome is None:
        return faults.sentence(mine.error, language()) if mine.error else ""
    seconds = say("workbench_page.seconds", n=formats.number(mine.outcome.seconds, language(), 1 if mine.outcome.seconds >= 0.1 else 2))
    if mine.outcome.plan is not None:
        return f"{say('workbench_page.plan')} · {seconds}"
    rows = formats.number(mine.outcome.rows_shown, language())
    told = (
        say("workbench_page.cut", rows=rows)
        if mine.outcome.truncated
        else formats.plural(mine.outcome.rows_shown, "ui.table.rows", language())
    )
    return f"{told} · {seconds}"


def say_answer() -> None:
    """The page's first line: what was asked, how many rows answer it, and in what time; under it what the question means."""
    _collect()
    mine = bench()
    query = reviewed()
    title = (mine.asked.title if mine.asked else None) or (query.title[language()] if query else None)
    lead = f"**{_plain_text(title)}** " if title else ""
    if mine.ticket is not None:
        told = say("workbench_page.under_way")
    elif mine.error is not None:
        told = say("workbench_page.no_answer")
    else:
        told = _told(mine) or say("workbench_page.not_run")
    answer(f"{lead}{told}", query.explain[language()] if query else None, _promised(query) if query else None)


def _promised(query: Reviewed) -> str:
    """The columns that a reviewed question gives, as they are headed."""
    headers = [tables.header(tables.column(name), language()) for name in query.columns]
    return _plain_text(say("workbench_page.columns", names=", ".join(headers)))


@st.fragment(run_every=_LOOK)
def _watch() -> None:
    """What is under way, renewed by itself: the place in the queue, the seconds, and a way to stop it."""
    mine = bench()
    ticket = mine.ticket or mine.exporting
    if ticket is None:
        return
    if ticket.state == "done":
        st.rerun(scope="app")
    lang = language()
    with st.container(horizontal=True, vertical_alignment="center", key="under_way"):
        if ticket.state == "queued":
            st.markdown(formats.plural(ticket.ahead(), "workbench_page.queued", lang))
        else:
            told = say("workbench_page.running", seconds=formats.number(ticket.seconds(), lang, 1))
            rows = getattr(ticket.work, "rows", None)
            if rows:
                told = f"{told} · {formats.plural(rows, 'workbench_page.written', lang)}"
            progress = getattr(ticket.work, "progress", None)
            if progress is None:
                st.markdown(told)
            else:
                st.progress(min(max(progress, 0.0), 1.0), text=f"{told} · {formats.number(100 * progress, lang)} %")
        st.button(say("workbench_page.cancel"), key="cancel", icon=":material/stop:", on_click=ticket.cancel)


# What came of it.


def result() -> None:
    """The rows, a chart of them, the plan, or what is wrong and where."""
    mine = bench()
    if mine.ticket is not None:
        _watch()
        return
    if mine.error is not None:
        fault(mine.error)
        if mine.error.key in _TOO_MUCH_TO_SHOW:
            note(say("workbench_page.export.longer", minutes=round(worker.Limits().export_seconds / 60)))
            _export_all(mine, _name_of_result(mine))
        return
    if mine.outcome is None:
        return
    if mine.outcome.plan is not None:
        st.code(mine.outcome.plan, language=None)
        return
    _rows(mine, mine.outcome)


def fault(error: SampladsError) -> None:
    """What is wrong, the line with a caret, and the names that look like the one that is missing."""
    st.error(faults.sentence(error, language()))
    if isinstance(error, SqlError):
        if error.place is not None and error.place.text.strip():
            st.code(error.place.excerpt(), language=None)
        if error.candidates:
            note(i18n.text("workbench.did_you_mean", language(), names=", ".join(f"`{name}`" for name in error.candidates)))


def _rows(mine: Bench, outcome: worker.Outcome) -> None:
    frame = export.flat(outcome.frame)
    if frame.is_empty():
        empty(say("workbench_page.no_rows"))
        return
    listed, drawn = st.tabs([say("workbench_page.rows"), say("workbench_page.chart.tab")])
    with listed:
        show.table(frame, columns=shown.columns(frame), key="result", height=420 if frame.height > 11 else "auto", name=None)
        if outcome.truncated:
            st.warning(say("workbench_page.cut_long", rows=formats.number(outcome.rows_shown, language())))
        _export_all(mine, _name_of_result(mine))
        _copy(frame, outcome.truncated)
    with drawn:
        _chart(frame)
        if outcome.truncated and shown.first_chart(frame) is not None:
            note(say("workbench_page.chart.cut", rows=formats.number(outcome.rows_shown, language())))


def _name_of_result(mine: Bench) -> str:
    return (mine.asked.title if mine.asked else None) or say("workbench_page.result")


def _copy(frame: pl.DataFrame, truncated: bool) -> None:
    """The shown rows as text that a spreadsheet takes apart again; made only when it is unfolded."""
    fold = st.expander(say("workbench_page.copy.title"), key="copy", on_change="rerun", icon=":material/content_copy:")
    if not fold.open:
        return
    with fold:
        text, rows = shown.for_spreadsheet(frame, language())
        note(say("workbench_page.copy.about"))
        told = "workbench_page.copy.cut" if truncated or rows < frame.height else "workbench_page.copy.all"
        st.markdown(say(told, rows=formats.number(rows, language())))
        st.code(text, language=None, height=160)


def _chart(frame: pl.DataFrame) -> None:
    first = shown.first_chart(frame)
    if first is None:
        empty(say("workbench_page.chart.none"))
        return
    names = {spec.key: tables.header(spec, language()) for spec in shown.columns(frame)}
    keys = "|".join(frame.columns)
    one, two, three = st.columns(3)
    # A result with other columns has other choices.
    x = one.selectbox(
        say("workbench_page.chart.x"), frame.columns, index=frame.columns.index(first[0]), format_func=names.__getitem__, key=f"x{keys}"
    )
    measured = shown.numbers(frame)
    y = two.selectbox(
        say("workbench_page.chart.y"), measured, index=measured.index(first[1]), format_func=names.__getitem__, key=f"y{keys}"
    )
    shapes = {kind: say(f"workbench_page.chart.{kind}") for kind in shown.shapes(frame, x)}
    shape = three.selectbox(
        say("workbench_page.chart.shape"),
        list(shapes),
        index=list(shapes).index(first[2]) if x == first[0] and first[2] in shapes else 0,
        format_func=shapes.__getitem__,
        key=f"shape{keys}{x}",
    )
    picture, alt = shown.chart(frame, x, y, shape, language())
    show.chart(picture, alt=alt, key="result_chart")
    if shape == "bars" and frame.height > shown.MOST_BARS:
        note(say("workbench_page.chart.first", n=shown.MOST_BARS, rows=formats.number(frame.height, language())))


# The whole result as a file.


def _forget_export() -> None:
    mine = bench()
    if mine.exporting is not None:
        mine.exporting.cancel()
    mine.exporting, mine.exported, mine.export_error = None, None, None
    if mine.handed:
        handover.shared.take_back(mine.handed)
        mine.handed = ""
    if mine.folder is not None:
        mine.folder.close()
        mine.folder = None


def _begin_export(form: str) -> None:
    _forget_export()
    mine = bench()
    if mine.asked is None:
        return
    mine.folder = disk.Aside(disk.EXPORT_PREFIX)
    mine.form = form
    target = mine.folder.path / f"result.{form}"
    asked = mine.asked
    try:
        mine.exporting = pool.shared().export(_analyst(), asked.sql, copy(), target, form, parameters=asked.values, wanted=_presence())
    except SampladsError as error:
        mine.export_error = error
        return
    mine.exporting.wait(_AT_ONCE)


def _export_all(mine: Bench, name: str) -> None:
    """Every row to the end, never only those shown: first the file is written, then it is fetched."""
    with st.container(horizontal=True, vertical_alignment="center", key="result_export"):
        for form in ("xlsx", "csv", "parquet"):
            st.button(
                say("workbench_page.export.as", form="Parquet" if form == "parquet" else form.upper()),
                key=f"export_{form}",
                type="tertiary",
                help=say("workbench_page.export.help"),
                on_click=_begin_export,
                args=(form,),
            )
    _collect()
    if mine.exporting is not None:
        _watch()
    elif mine.export_error is not None:
        fault(mine.export_error)
    elif mine.exported is not None and mine.exported.path.is_file():
        _fetch(mine, mine.exported, exports.file_name(name, session.day(), mine.form))


def _fetch(mine: Bench, done: worker.Exported, file_name: str) -> None:
    """The finished file: a link to it where the application's own hull serves it from disk, else through Streamlit's memory."""
    size = formats.number(max(done.bytes / 1e6, 0.1), language(), 1)
    label = formats.plural(done.rows, "workbench_page.export.fetch", language(), mb=size)
    with st.container(key="fetch"):
        if handover.shared.served:
            if handover.shared.find(mine.handed) is None:
                mine.handed = handover.shared.offer(done.path, file_name, mine.form)
            st.link_button(label, f"./{handover.PATH}/{mine.handed}?lang={language()}", icon=":material/download:")
        else:
            st.download_button(
                label,
                data=lambda: done.path.open("rb"),
                file_name=file_name,
                mime=handover.MEDIA_TYPES[mine.form],
                key="fetch_here",
                on_click="ignore",
                icon=":material/download:",
            )
    if done.sheets > 1:
        note(say("workbench_page.export.sheets", n=done.sheets))
