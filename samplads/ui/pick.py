"""Choosing: every widget has a key, lives in the URL, and keeps its value across pages and across a change of language.

Streamlit writes a choice into the URL, and keeps it, by its shown text. The texts change with the language, so each pick remembers what
was chosen by code and hands it over when the language changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from samplads.errors import SampladsError
from samplads.i18n import LANGUAGES, sentence
from samplads.presenting import formats
from samplads.ui import data, session
from samplads.ui.session import LANGUAGE_NAMES, language, say

_HELD = "_held_choices"

MOST_RATE = 1_000_000
"""Kroner a day that anything costs at most: what is typed above is a slip."""

MOST_KM = 20_000
"""Kilometres that anything is away at most: half way around the earth."""


def _hand_over(key: str, write: Callable[[Any], Any] = lambda value: value) -> None:
    """Before a widget is drawn: where the language has changed since, put its value back by code (or as newly written text)."""
    held = st.session_state.setdefault(_HELD, {}).get(key)
    if held is not None and held[0] != language() and key in st.session_state:
        st.session_state[key] = write(held[1])


def _hold(key: str, value: Any) -> None:
    st.session_state.setdefault(_HELD, {})[key] = (language(), value)


def pick_language() -> str:
    """The language switch."""
    chosen = st.segmented_control(
        say("ui.pick.language"),
        LANGUAGES,
        format_func=LANGUAGE_NAMES.__getitem__,
        default=LANGUAGES[0],
        required=True,
        key=session.LANGUAGE_KEY,
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )
    return str(chosen)


def pick_one(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    help: str | None = None,
    placeholder: str | None = None,
) -> str | None:
    """One out of a list of code -> text; None where nothing is chosen and there is no default."""
    _hand_over(key)
    texts = _distinct(options)
    codes = list(texts)
    chosen = st.selectbox(
        label,
        codes,
        index=codes.index(default) if default in texts else None,
        format_func=lambda code: texts.get(code, str(code)),
        key=key,
        help=help,
        placeholder=placeholder or say("ui.pick.all"),
        bind="query-params",
        persist_state="session",
    )
    # A link may name what no longer exists.
    chosen = chosen if chosen in texts else None
    _hold(key, chosen)
    return chosen


def pick_several(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: Sequence[str] = (),
    help: str | None = None,
    placeholder: str | None = None,
    most: int | None = None,
) -> list[str]:
    """Several out of a list of code -> text; none chosen means no limit."""
    _hand_over(key)
    texts = _distinct(options)
    chosen = st.multiselect(
        label,
        list(texts),
        default=[code for code in default if code in texts],
        format_func=lambda code: texts.get(code, str(code)),
        key=key,
        help=help,
        placeholder=placeholder or say("ui.pick.all"),
        max_selections=most,
        select_all=False,
        wrap=True,
        bind="query-params",
        persist_state="session",
    )
    known = [code for code in chosen if code in texts]
    _hold(key, known)
    return known


def _distinct(options: Mapping[str, str]) -> dict[str, str]:
    """The texts, with the code behind those that occur twice: a choice is known by its text."""
    count: dict[str, int] = {}
    for text in options.values():
        count[text] = count.get(text, 0) + 1
    return {code: text if count[text] == 1 else f"{text} ({code})" for code, text in options.items()}


def pick_choices(label: str, family: str, codes: Sequence[str], *, key: str | None = None, help: str | None = None) -> list[str]:
    """Several of a contract's choices (`choices.<family>.<code>`)."""
    options = {code: formats.choice(family, code, language()) for code in codes}
    return pick_several(label, options, key=key or family, help=help)


def _municipalities() -> pl.DataFrame:
    return data.query("municipalities")


def _default_municipality() -> str | None:
    code = data.reference_texts().get("default_municipality")
    known = _municipalities()["code"]
    if code is not None and str(code) in known:
        return str(code)
    return str(known[0]) if known.len() else None


def municipality_names() -> dict[str, str]:
    """Municipalities, code -> name."""
    return dict(_municipalities().select("code", "name").iter_rows())


def pick_municipality() -> None:
    """The visitor's own municipality, beside every page; read it with `municipality()`."""
    pick_one(say("ui.pick.my_municipality"), municipality_names(), key="municipality", default=_default_municipality())


def municipality() -> dict[str, Any] | None:
    """The visitor's municipality as a row (code, name, region, population, lat, lon); None where the reference has none."""
    frame = _municipalities()
    chosen = st.session_state.get("municipality")
    if chosen not in frame["code"]:
        chosen = _default_municipality()
    rows = frame.filter(pl.col("code") == chosen).to_dicts()
    return rows[0] if rows else None


def pick_municipalities(
    label: str | None = None, *, key: str = "municipalities", default: Sequence[str] = (), most: int | None = None
) -> list[str]:
    """Codes of several municipalities; none means all."""
    return pick_several(label or say("ui.pick.municipalities"), municipality_names(), key=key, default=default, most=most)


EVERYWHERE = "everywhere"
"""The choice that means: no region, the whole country."""


def pick_region(label: str | None = None, *, key: str = "region", default: str | None = None, on: dt.date | None = None) -> list[str]:
    """The codes of the municipalities of a region as it is on a day (default: the warehouse's); empty where none is chosen.

    A field that begins with a region cannot be emptied: it offers the whole country too.
    """
    members = data.query("region_members", day=on or session.day())
    names = dict(members.select("region", "region_name").unique(maintain_order=True).iter_rows())
    if default is not None:
        names = {EVERYWHERE: say("ui.pick.everywhere"), **names}
    chosen = pick_one(label or say("ui.pick.region"), names, key=key, default=default)
    return members.filter(pl.col("region") == chosen)["municipality"].to_list() if chosen else []


def target_group_names() -> dict[str, str]:
    """Target groups in the order of their tree, code -> text; a group says that it covers all below it."""
    frame = data.query("target_groups")
    below = dict(frame.select("code", "leaves").iter_rows())
    names = {}
    for code, name in frame.select("code", language()).iter_rows():
        names[code] = name if below[code] == 0 else say("ui.pick.group_all", name=name, n=below[code])
    return names


def pick_target_groups(label: str | None = None, *, key: str = "groups", default: Sequence[str] = (), most: int | None = None) -> list[str]:
    """Codes of target groups; a group stands for all below it."""
    return pick_several(label or say("ui.pick.target_groups"), target_group_names(), key=key, default=default, most=most)


def offer_type_names() -> dict[str, str]:
    """Offer types, code -> paragraph and text."""
    told = data.query("offer_types").select("code", "paragraph", language())
    return {code: f"{paragraph} · {name}" if paragraph else name for code, paragraph, name in told.iter_rows()}


def pick_offer_types(label: str | None = None, *, key: str = "offer_types", default: Sequence[str] = ()) -> list[str]:
    """Codes of offer types, named by their paragraph and text."""
    return pick_several(label or say("ui.pick.offer_types"), offer_type_names(), key=key, default=default)


def pick_day(
    label: str | None = None,
    *,
    key: str = "day",
    default: dt.date | None = None,
    least: dt.date | None = None,
    most: dt.date | None = None,
    help: str | None = None,
) -> dt.date | None:
    """A day; None where none is chosen."""
    chosen = st.date_input(
        label or say("ui.pick.day"),
        value=default,
        min_value=least or dt.date(1990, 1, 1),
        max_value=most or dt.date(2100, 12, 31),
        format="DD.MM.YYYY",
        key=key,
        help=help,
        bind="query-params",
        persist_state="session",
    )
    return chosen if isinstance(chosen, dt.date) else None


def _typed(
    label: str,
    key: str,
    default: float | None,
    parse: Callable[[str], float],
    write: Callable[[float], str],
    placeholder: str,
    help: str | None,
) -> float | None:
    """A text field for a number: Streamlit's number field loses the decimal comma in a browser of another language."""
    _hand_over(key, lambda value: "" if value is None else write(value))
    typed = st.text_input(
        label,
        value="" if default is None else write(default),
        key=key,
        placeholder=placeholder,
        help=help,
        bind="query-params",
        persist_state="session",
    )
    if not (typed or "").strip():
        _hold(key, None)
        return None
    try:
        value = parse(typed or "")
    except SampladsError as error:
        st.caption(f":red[✗ {sentence(error, language())}]")
        return default
    _hold(key, value)
    return value


def pick_number(
    label: str,
    *,
    key: str,
    default: float | None = None,
    least: float | None = None,
    most: float | None = None,
    unit: str | None = None,
    whole: bool = False,
    help: str | None = None,
    placeholder: str | None = None,
) -> float | None:
    """A number typed in the page's form (1.234,5); `unit` is a key of `units`, a `whole` number has no decimals.

    Empty is None, and an empty field shows the default, where there is one; what cannot be read says so and counts as the default.
    """
    name = f"{label} ({say(f'units.{unit}')})" if unit else label
    return _typed(
        name,
        key,
        default,
        lambda text: formats.parse_number(text, language(), least, most, whole=whole),
        lambda value: formats.typed(value, language()),
        placeholder or (say("ui.pick.no_limit") if default is None else formats.typed(default, language())),
        help,
    )


def pick_kr(
    label: str,
    *,
    key: str,
    default_ore: int | None = None,
    most: float | None = None,
    unit: str | None = "kr",
    help: str | None = None,
    placeholder: str | None = None,
) -> int | None:
    """An amount typed in kroner (`most` too), in øre; without a `unit` the label says it. Empty is None."""
    chosen = _typed(
        f"{label} ({say(f'units.{unit}')})" if unit else label,
        key,
        default_ore,
        lambda text: formats.parse_kr(text, language(), most=most),
        lambda ore: formats.typed(ore / 100, language()),
        placeholder or (say("ui.pick.no_limit") if default_ore is None else formats.typed(default_ore / 100, language())),
        help,
    )
    return None if chosen is None else int(chosen)


def pick_share(label: str, *, key: str, default: float, least: float = 0, most: float = 1, help: str | None = None) -> float:
    """A share typed in percent, as a fraction: 5 is 0.05."""
    chosen = pick_number(label, key=key, default=100 * default, least=100 * least, most=100 * most, unit="percent", help=help)
    return default if chosen is None else chosen / 100


def pick_yes(label: str, *, key: str, default: bool = False, help: str | None = None) -> bool:
    """A yes or no."""
    return st.toggle(label, value=default, key=key, help=help, bind="query-params", persist_state="session")


def pick_text(label: str, *, key: str, placeholder: str | None = None, help: str | None = None) -> str:
    """A line of text."""
    return st.text_input(label, key=key, placeholder=placeholder or "", help=help, bind="query-params", persist_state="session") or ""


@dataclass(frozen=True)
class Assumption:
    """A number that a result rests on and that a person may change where it is used.

    `label` and `source` are texts; a source that is only an assumption says the word. `unit` is a key of `units` (None: the label says it);
    an amount in øre has `ore=True` and is typed in kroner, as are its bounds.
    """

    key: str
    label: str
    value: float
    source: str
    unit: str | None = None
    least: float | None = None
    most: float | None = None
    ore: bool = False
    whole: bool = False
    help: str | None = None


def assumed(values: Mapping[str, Any], *, units: Mapping[str, str] | None = None) -> list[Assumption]:
    """The numbers of a rule file as assumptions: each entry `{value, da, en, source}` of a policy's values; others are left out.

    `units` gives the unit (a key of `units`) of an entry by its name.
    """
    return [
        Assumption(
            name,
            str(entry[language()]),
            float(entry["value"]),
            say("ui.assumptions.assumption") if str(entry["source"]) == "assumption" else str(entry["source"]),
            unit=(units or {}).get(name),
            least=0,
        )
        for name, entry in values.items()
        if isinstance(entry, Mapping) and isinstance(entry.get("value"), int | float)
    ]


def assumptions(items: Sequence[Assumption], *, key: str = "assumption", columns: int = 3, expanded: bool = False) -> dict[str, float]:
    """All assumptions of a page in one fold-out, each with its source and changeable; returns the values in force.

    A changed one is marked, and one button puts all back.
    """
    values: dict[str, float] = {}
    changed = 0
    with st.expander(say("ui.assumptions.title"), expanded=expanded, key=f"{key}_all"):
        for start in range(0, len(items), columns):
            row = st.columns(columns)
            for place, item in zip(row, items[start : start + columns], strict=False):
                with place:
                    field = f"{key}_{item.key}"
                    if item.ore:
                        chosen: float | None = pick_kr(
                            item.label, key=field, default_ore=int(item.value), most=item.most, unit=item.unit, help=item.help
                        )
                    else:
                        chosen = pick_number(
                            item.label,
                            key=field,
                            default=item.value,
                            least=item.least,
                            most=item.most,
                            unit=item.unit,
                            whole=item.whole,
                            help=item.help,
                        )
                    values[item.key] = item.value if chosen is None else chosen
                    differs = values[item.key] != item.value
                    changed += differs
                    st.caption(f"{say('ui.assumptions.changed')} · {item.source}" if differs else item.source)
        st.button(say("ui.assumptions.reset"), key=f"{key}_reset", on_click=_reset, args=(items, key), disabled=not changed)
    return values


def _reset(items: Sequence[Assumption], key: str) -> None:
    for item in items:
        st.session_state[f"{key}_{item.key}"] = formats.typed(item.value / 100 if item.ore else item.value, language())
