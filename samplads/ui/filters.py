"""The filters for vacant places: drawn once, the same wherever units are looked for, given as parameters of `queries/vacant_units.sql`."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from samplads.model import FRESHNESS_BANDS, NIGHT_COVERS, OPERATOR_KINDS
from samplads.presenting import formats
from samplads.ui import data, pick, session
from samplads.ui.session import language, say


def vacancy_filters(**given: Any) -> dict[str, Any]:
    """Draw the filters and give the parameters of `vacant_units` and `vacancy_funnel`, but for $language and $occupancy_pct.

    The four asked for most stand open, the rest in a fold-out. Under each filter in use stands how many units are left after it, in the
    order of the funnel. `given` overrides.
    """
    spots: dict[str, DeltaGenerator] = {}
    groups_at, types_at, km_at, day_at = st.columns([3, 3, 2, 2])
    with groups_at:
        groups = pick.pick_target_groups()
    with types_at:
        offer_types = pick.pick_offer_types()
        spots["offer_types"] = st.empty()
    with km_at:
        home = pick.municipality()
        near = say("vacancies.max_km", near=home["name"] if home else formats.unknown(language()))
        max_km = pick.pick_number(near, key="max_km", least=0, most=pick.MOST_KM, unit="km")
        spots["max_km"] = st.empty()
    with day_at:
        open_by = pick.pick_day(say("vacancies.open_by"), key="open_by")
        spots["open_by"] = st.empty()
    more = _more(spots)
    all_groups = True
    with groups_at:
        if len(groups) > 1:
            all_groups = pick.pick_yes(say("vacancies.all_groups"), key="all_groups", default=True)
        spots["groups"] = st.empty()
    chosen = parameters(groups=groups, all_groups=all_groups, offer_types=offer_types, max_km=max_km, open_by=open_by, **more | given)
    left = data.query("vacancy_funnel", **chosen).filter("active").select("filter", "remaining")
    for step, remaining in left.iter_rows():
        if step in spots:
            spots[step].caption(formats.plural(remaining, "vacancies.left", language()))
    return chosen


def filter_names() -> dict[str, dict[str, str]]:
    """What the codes of the filters are called on the page, by filter."""
    return {"groups": pick.target_group_names(), "offer_types": pick.offer_type_names(), "municipalities": pick.municipality_names()}


def _more(spots: dict[str, DeltaGenerator]) -> dict[str, Any]:
    def left(step: str) -> None:
        spots[step] = st.empty()

    with st.expander(say("vacancies.more_filters"), key="more_filters"):
        first, second, third = st.columns(3)
        with first:
            age = pick.pick_number(say("vacancies.age"), key="age", least=0, most=120, unit="years", whole=True)
            left("age")
            support = pick.pick_number(say("vacancies.support"), key="support_level", least=0, most=4, whole=True)
            left("support_level")
            max_rate = pick.pick_kr(say("vacancies.max_rate"), key="max_rate", most=pick.MOST_RATE, unit="kr_per_day")
            left("max_rate")
        with second:
            region = pick.pick_region()
            chosen = pick.pick_municipalities()
            left("municipalities")
            operators = pick.pick_choices(say("columns.operator"), "operator_kind", OPERATOR_KINDS, key="operator_kinds")
            left("operator_kinds")
        with third:
            nights = pick.pick_choices(say("vacancies.night"), "night_cover", NIGHT_COVERS[::-1], key="night_covers")
            left("night_covers")
            bands = pick.pick_choices(say("columns.freshness"), "freshness", FRESHNESS_BANDS, key="freshness")
            left("freshness")
            kinds = {kind: say(f"vacancies.kinds.{kind}") for kind in ("open", "reserved", "all")}
            places = pick.pick_one(say("vacancies.which"), kinds, key="places", default="open")
            left("places")
    return {
        "age": age,
        "support_level": support,
        "max_rate_ore": max_rate,
        "municipalities": sorted({*region, *chosen}),
        "operator_kinds": operators,
        "night_covers": nights,
        "freshness": bands,
        "places": places or "open",
    }


def parameters(**chosen: Any) -> dict[str, Any]:
    """The parameters of `vacant_units` and `vacancy_funnel` for some filters: what is not given is no filter."""
    home, limits = pick.municipality(), data.freshness()
    return {
        "day": session.day(),
        "lat": home["lat"] if home else None,
        "lon": home["lon"] if home else None,
        "fresh_days": limits.fresh_days,
        "ageing_days": limits.ageing_days,
        "places": "open",
        "groups": [],
        "all_groups": True,
        "offer_types": [],
        "age": None,
        "support_level": None,
        "open_by": None,
        "municipalities": [],
        "max_km": None,
        "max_rate_ore": None,
        "operator_kinds": [],
        "night_covers": [],
        "freshness": [],
        **chosen,
    }
