"""Describing a need and matching it: the widgets of Find match, and a match remembered for the warehouse's version."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import streamlit as st

from samplads import loading
from samplads.matching.case import Case
from samplads.matching.ranking import MatchResult, match
from samplads.model import NIGHT_COVERS, SETTINGS
from samplads.presenting import formats
from samplads.ui import data, pick, session, show, written
from samplads.ui.session import language, say


@dataclass(frozen=True)
class Names:
    """What codes are called in the page's language."""

    target_groups: dict[str, str]
    municipalities: dict[str, str]
    offer_types: dict[str, str]


def names() -> Names:
    """The names of target groups, municipalities and offer types (an offer type by its paragraph, where it has one)."""
    groups = dict(data.query("target_groups").select("code", language()).iter_rows())
    kinds = data.query("offer_types").select("code", pl.coalesce("paragraph", language()))
    return Names(groups, dict(data.query("municipalities").select("code", "name").iter_rows()), dict(kinds.iter_rows()))


def show_points() -> None:
    """The open points that rank hits, with their sources, in a fold-out."""
    rules = data.rules("matching")
    rows = [
        {"criterion": entry[language()], "most_points": entry["value"], "source": entry["source"]}
        for entry in rules.values["points"].values()
    ]
    with st.expander(say("match.points.title")):
        st.caption(say("match.points.about", day=formats.date(rules.valid_from, language())))
        show.table(pl.DataFrame(rows), key="points", name=say("match.points.title"))


DESCRIBED = "described"
"""The choice that means: no need of the list, but one that is described here."""


def pick_case() -> Case:
    """A need: one that waits, or one described in the sidebar. A waiting one is changed by nobody here; describe it to try other limits."""
    waiting = data.query("open_needs")
    names = {DESCRIBED: say("match.pick.described")} | {row["need_id"]: _label(row) for row in waiting.iter_rows(named=True)}
    home = pick.municipality()
    own = waiting.filter(pl.col("municipality") == (home["code"] if home else None))["need_id"].to_list()
    first = next(iter([*own, *(code for code in names if code != DESCRIBED)]), DESCRIBED)
    chosen = pick.pick_one(say("match.pick.need"), names, key="need", default=first)
    if chosen is not None and chosen != DESCRIBED:
        return Case.from_row(waiting.filter(pl.col("need_id") == chosen).row(0, named=True))
    return _described()


def _label(row: dict[str, object]) -> str:
    parts = [str(row["need_id"]), str(row["municipality_name"] or row["municipality"])]
    if row["age"] is not None:
        parts.append(say("match.summary.age", age=row["age"]))
    return " · ".join(parts)


def _described() -> Case:
    home = pick.municipality()
    with st.sidebar:
        groups = pick.pick_target_groups()
        offer_types = pick.pick_offer_types()
        age = pick.pick_number(say("match.pick.age"), key="age", least=0, most=120, unit="years")
        support = pick.pick_number(say("match.pick.support"), key="support_level", least=0, most=4)
        covers = {cover: formats.choice("night_cover", cover, language()) for cover in NIGHT_COVERS if cover != "none"}
        cover = pick.pick_one(say("match.pick.cover"), covers, key="least_night_cover")
        wanted = pick.pick_day(say("match.pick.wanted"), key="wanted_from")
        most_km = pick.pick_number(say("match.pick.km"), key="max_km", least=0, unit="km")
        most_rate = pick.pick_kr(say("match.pick.rate"), key="max_rate", unit="kr_per_day")
        near = pick.pick_municipalities(say("match.pick.near"), key="wish_near")
        settings = {setting: formats.choice("wish_setting", setting, language()) for setting in SETTINGS}
        setting = pick.pick_one(say("match.pick.setting"), settings, key="wish_setting")
    return Case(
        municipality=str(home["code"]) if home else "",
        target_groups=tuple(groups),
        offer_types=tuple(offer_types),
        age=None if age is None else int(age),
        support_level=None if support is None else int(support),
        least_night_cover=cover,
        wanted_from=wanted,
        max_km=most_km,
        max_daily_rate_ore=most_rate,
        wish_near=tuple(near),
        wish_setting=setting,
    )


@st.cache_resource(show_spinner=False, max_entries=50)
def _match(version: str, case: Case, day: dt.date, rules: str, _path: Path) -> MatchResult:  # noqa: ARG001
    towns = loading.municipalities(_path)
    return match(case, loading.places(_path, written.layer()), loading.weights(day), as_of=day, municipalities=towns)


def matched(case: Case) -> MatchResult:
    """The match of a case with all units of the version in force, on the warehouse's day."""
    rules = data.rules("matching")
    version = session.warehouse()
    return _match(version.id, case, session.day(), f"{written.stamp()} {rules.valid_from}{rules.values}", version.path)
