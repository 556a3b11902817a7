"""What the vacancies page asks gives what its slow twins give, on made units and drawn filters."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samplads import loading, queries
from samplads.contracts.capacity import STATUSES
from samplads.contracts.unit import APPROVAL_STATUSES, NIGHT_COVERS, OPERATOR_KINDS
from samplads.matching.case import Case
from samplads.matching.places import Places
from samplads.matching.ranking import failing, match
from samplads.presenting import vacancies
from tests import reference_vacancies as twin
from tests import small

GROUPS = [small.AUTISM, small.EXTERNALISING, small.DEVELOPMENTAL, "f3ec0ccd-2b0c-4a60-85fc-3cdd0ca73cef"]
TOWNS = ["101", "259", "370", "740"]
POINTS = {code: (lat, lon) for code, lat, lon in small.reference().municipality.select("code", "lat", "lon").iter_rows()}
BELOW: dict[str, set[str]] = {}
for ancestor, descendant in small.reference().target_group_closure.iter_rows():
    BELOW.setdefault(ancestor, set()).add(descendant)


def made(seed: int, count: int = 90) -> list[dict[str, Any]]:
    """Units of all kinds: most fields are unknown now and then."""
    chance = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if chance.random() < 0.2 else value

    units = []
    for number in range(count):
        age, support = chance.randint(14, 40), chance.randint(0, 4)
        chosen = chance.sample(GROUPS, chance.randint(0, 3))
        ranks = [chance.choice(("primary", "secondary", "excluded")) for _ in chosen]
        town = chance.choice(TOWNS)
        lat, lon = POINTS[town] if chance.random() < 0.5 else (round(chance.uniform(54.6, 57.7), 4), round(chance.uniform(8.1, 12.7), 4))
        units.append(
            {
                "unit_id": f"U-{number:03}",
                "municipality": town,
                "lat": lat,
                "lon": lon,
                "offer_type": maybe(chance.choice(("A107", "A108"))),
                "age_from": maybe(age),
                "age_to": maybe(age + chance.randint(0, 40)),
                "support_level_from": maybe(min(support, 2)),
                "support_level_to": maybe(max(support, 2)),
                "approval_status": maybe(chance.choice((*APPROVAL_STATUSES, "approved", "approved", "approved"))),
                "approved_until": chance.choice((None, small.DAY + dt.timedelta(days=chance.randint(-40, 60)))),
                "night_cover": maybe(chance.choice(NIGHT_COVERS)),
                "operator_kind": maybe(chance.choice(OPERATOR_KINDS)),
                "daily_rate_ore": maybe(chance.randint(100_000, 900_000)),
                "assumed_occupancy_pct": maybe(float(chance.randint(90, 100))),
                "maximum": 8,
                "occupied": chance.randint(0, 6),
                "reserved": maybe(chance.randint(0, 1)),
                "accepting": chance.randint(0, 2),
                "accepting_from": maybe(small.DAY + dt.timedelta(days=chance.randint(-20, 90))),
                "status": maybe(chance.choice(STATUSES)),
                "confirmed_at": maybe(small.DAY - dt.timedelta(days=chance.choice((0, 3, 30, 31, 90, 91, 400)))),
                **{
                    rank: [group for group, told in zip(chosen, ranks, strict=True) if told == rank]
                    for rank in ("primary", "secondary", "excluded")
                },
            }
        )
    return units


OF_UNIT = (
    *("unit_id", "municipality", "lat", "lon", "offer_type", "age_from", "age_to", "support_level_from", "support_level_to"),
    *("approval_status", "approved_until", "night_cover", "operator_kind", "daily_rate_ore", "assumed_occupancy_pct"),
)
OF_CAPACITY = ("unit_id", "maximum", "occupied", "reserved", "accepting", "accepting_from", "status", "confirmed_at")


@pytest.fixture(scope="module", params=[1, 2])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    units = made(request.param)
    rows = {
        "unit": [{key: unit[key] for key in OF_UNIT} | {"offer_id": "T-1", "name": unit["unit_id"]} for unit in units],
        # One unit in ten has no count of its places at all.
        "capacity": [{key: unit[key] for key in OF_CAPACITY} | {"as_of": small.DAY} for unit in units[len(units) // 10 :]],
        "target_group_approval": [
            {"unit_id": unit["unit_id"], "target_group": group, "rank": rank}
            for unit in units
            for rank in ("primary", "secondary", "excluded")
            for group in unit[rank]
        ],
    }
    for unit in units[: len(units) // 10]:
        unit |= dict.fromkeys(OF_CAPACITY[1:])
    return units, small.publish(tmp_path_factory.mktemp("vacancies"), small.archived(rows)).path


def some(values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), unique=True, max_size=2)


ASKED = st.fixed_dictionaries(
    {
        "day": st.just(small.DAY),
        "lat": st.just(55.4565),
        "lon": st.just(12.1819),
        "fresh_days": st.just(30),
        "ageing_days": st.just(90),
        "places": st.sampled_from(["open", "reserved", "all"]),
        "groups": some(GROUPS),
        "all_groups": st.booleans(),
        "offer_types": some(["A107", "A108"]),
        "age": st.none() | st.integers(14, 80),
        "support_level": st.none() | st.integers(0, 4),
        "open_by": st.none() | st.just(small.DAY + dt.timedelta(days=30)),
        "municipalities": some(TOWNS),
        "max_km": st.none() | st.sampled_from([10.0, 60.0, 200.0]),
        "max_rate_ore": st.none() | st.sampled_from([200_000, 500_000]),
        "operator_kinds": some(OPERATOR_KINDS),
        "night_covers": some(NIGHT_COVERS),
        "freshness": some(["fresh", "ageing", "stale"]),
    }
)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ASKED)
def test_filters_and_funnel_give_what_their_twins_give(published: tuple[list[dict[str, Any]], Path], asked: dict[str, Any]) -> None:
    units, path = published
    found = queries.run("vacant_units", path, language="da", occupancy_pct=98.0, **asked)
    expected = twin.vacant(units, asked | {"occupancy_pct": 98.0}, BELOW)
    assert found.select("unit_id", "unknowns").rows() == expected
    rates = {unit["unit_id"]: twin.normal_rate(unit, 98.0) for unit in units}
    assert dict(found.select("unit_id", "rate_normal_ore").iter_rows()) == {unit_id: rates[unit_id] for unit_id, _ in expected}
    away = {unit["unit_id"]: twin.km(unit, asked["lat"], asked["lon"]) for unit in units}
    assert all(abs(km - away[unit_id]) < 1e-6 for unit_id, km in found.select("unit_id", "km").iter_rows())
    counted = queries.run("vacancy_funnel", path, **asked)
    assert counted.select("remaining", "accepting").rows() == twin.funnel(units, asked, BELOW)
    surely = {unit["unit_id"]: twin.surely_open(unit, twin.move_day(asked)) for unit in units}
    assert dict(found.select("unit_id", "accepting_sure").iter_rows()) == {unit_id: surely[unit_id] for unit_id, _ in expected}
    assert counted["remaining"][-1] == sum(not unknowns for _, unknowns in expected)


def test_without_a_filter_every_unit_is_there_once(published: tuple[list[dict[str, Any]], Path]) -> None:
    units, path = published
    asked = no_filter(places="all")
    found = queries.run("vacant_units", path, language="en", occupancy_pct=98.0, **asked)
    assert sorted(found["unit_id"]) == [unit["unit_id"] for unit in units]
    assert found["km"].null_count() == found.height
    assert [row["active"] for row in queries.run("vacancy_funnel", path, **asked).to_dicts()].count(True) == 1


def no_filter(**chosen: Any) -> dict[str, Any]:
    lists = ("groups", "offer_types", "municipalities", "operator_kinds", "night_covers", "freshness")
    values = ("age", "support_level", "open_by", "max_km", "max_rate_ore", "lat", "lon")
    limits = {"day": small.DAY, "fresh_days": 30, "ageing_days": 90, "places": "open", "all_groups": True}
    return limits | {name: [] for name in lists} | dict.fromkeys(values) | chosen


@pytest.mark.parametrize("open_by", [None, small.DAY + dt.timedelta(days=30)])
@pytest.mark.parametrize("places", ["open", "reserved", "all"])
def test_what_is_surely_open_is_what_a_match_says(
    published: tuple[list[dict[str, Any]], Path], places: str, open_by: dt.date | None
) -> None:
    """A need that asks for nothing but a day meets the rules of place, intake and approval alone; both pages answer alike."""
    _, path = published
    asked = no_filter(places=places, open_by=open_by)
    found = queries.run("vacant_units", path, language="da", occupancy_pct=98.0, **asked)
    laid = Places.from_frame(queries.run("match_units", path), queries.run("target_group_closure", path))
    case = Case(municipality="259", wanted_from=open_by)
    result = match(case, laid, loading.weights(small.DAY), as_of=small.DAY, municipalities=POINTS)
    held_out = {rule: set(failing(result, rule)) for rule in ("open_place", "intake", "approval")}
    surely = found.filter(pl.col("unknowns").list.len() == 0, pl.col("accepting_sure") > 0)["unit_id"].to_list()
    assert sorted(surely) == sorted(result.hits["unit_id"])
    assert len(surely) > 0
    assert all(held_out.values())
    if places == "open":
        unsure = found.filter(pl.col("unknowns").list.len() > 0)["unit_id"].to_list()
        assert sorted(unsure) == sorted(result.needs_assessment["unit_id"])
    if places != "all":
        assert not {*found["unit_id"]} & (held_out["intake"] | held_out["approval"])


def test_all_units_listed_make_no_place_open(published: tuple[list[dict[str, Any]], Path]) -> None:
    units, path = published
    listed = queries.run("vacant_units", path, language="da", occupancy_pct=98.0, **no_filter(places="all"))
    whole = queries.run("overview_places", path, day=small.DAY, fresh_days=30).to_dicts()[0]
    opened = queries.run("vacant_units", path, language="da", occupancy_pct=98.0, **no_filter())
    total = vacancies.summary(listed)
    assert listed["accepting"].sum() > total.accepting == whole["accepting"] == vacancies.summary(opened).accepting
    assert total.units == whole["open_units"]
    assert total.listed == len(units)


def test_null_is_no_filter(published: tuple[list[dict[str, Any]], Path]) -> None:
    _, path = published
    empty = no_filter()
    null = {name: None if value in ([], "open") else value for name, value in empty.items()}
    assert null != empty
    for name, more in (("vacant_units", {"language": "da", "occupancy_pct": 98.0}), ("vacancy_funnel", {})):
        assert queries.run(name, path, **null, **more).equals(queries.run(name, path, **empty, **more))


def test_the_overview_adds_up(published: tuple[list[dict[str, Any]], Path]) -> None:
    units, path = published
    towns = queries.run("vacancies_by_municipality", path, day=small.DAY, fresh_days=30, ageing_days=90)
    whole = queries.run("overview_places", path, day=small.DAY, fresh_days=30).to_dicts()[0]
    for count in ("units", "accepting", "accepting_unsure", "reserved", "occupied", "maximum", "open_units", "accepting_fresh"):
        assert towns[count].sum() == whole[count], count
    opened = [unit for unit in units if twin.surely_open(unit, small.DAY)]
    assert whole["accepting"] == sum(unit["accepting"] for unit in opened)
    asked = {"day": small.DAY, "fresh_days": 30, "ageing_days": 90}
    assert whole["accepting_fresh"] == sum(unit["accepting"] for unit in opened if twin.band(unit["confirmed_at"], asked) == "fresh")
    for town in towns.to_dicts():
        assert town["freshness"] in {"fresh", "ageing", "stale"}
        assert (town["freshness"] == "fresh") == (2 * town["accepting_fresh"] > town["accepting"])


def test_needs_and_deliveries_are_counted(tmp_path: Path) -> None:
    def need(number: int, days: int, groups: list[str], status: str | None = "open") -> dict[str, Any]:
        told = {"need_id": f"N-{number}", "municipality": "259", "registered_on": small.DAY - dt.timedelta(days=days)}
        return told | {"target_groups": groups, "status": status}

    pair = [small.EXTERNALISING, small.AUTISM]
    rows = {
        "unit": small.UNITS,
        "capacity": small.CAPACITY,
        "need": [
            need(1, 214, pair),
            need(2, 3, pair[::-1]),
            need(3, 9, [small.AUTISM], None),
            need(4, 300, pair, "placed"),
            need(5, -1, pair),
        ],
    }
    path = small.publish(tmp_path, small.archived(rows)).path
    waiting = queries.run("overview_needs", path, day=small.DAY).to_dicts()[0]
    assert waiting == {"needs": 3, "municipalities": 1, "longest_days": 214, "median_days": 9.0}
    assert queries.run("overview_demand", path, day=small.DAY).rows() == [(sorted(pair), 2)]
    told = queries.run("overview_deliveries", path, day=small.DAY, fresh_days=30).to_dicts()[0]
    assert told == {"municipalities": 98, "delivered": 2, "deliveries": 1, "last_delivery": small.DAY, "set_aside": 0, "flagged": 0}


def test_a_units_history_says_what_became_of_what(tmp_path: Path) -> None:
    before = small.DAY - dt.timedelta(days=31)
    counted = {"unit_id": "A-1", "maximum": 8, "occupied": 7, "accepting": 0}
    first = small.archived(
        {"unit": [small.UNITS[0] | {"night_cover": "sleeping"}], "capacity": [counted | {"as_of": before}]}, name="first", as_of=before
    )
    second = small.archived(
        {"unit": [small.UNITS[0]], "capacity": [counted | {"as_of": small.DAY, "occupied": 6, "accepting": 1}]}, name="second"
    )
    path = small.publish(tmp_path, first, second).path
    told = queries.run("unit_history", path, unit_id="A-1")
    assert told.select("changed_on", "event", "field", "before", "after", "delivery").rows() == [
        (small.DAY, "counted", "accepting", "0", "1", "second"),
        (small.DAY, "told", "night_cover", "sleeping", "awake", "second"),
        (small.DAY, "counted", "occupied", "7", "6", "second"),
    ]
    assert queries.run("unit_history", path, unit_id="none").is_empty()


def test_a_unit_tells_all_that_is_known_of_it(tmp_path: Path) -> None:
    path = small.publish(tmp_path).path
    asked = {"language": "da", "day": small.DAY, "fresh_days": 30, "ageing_days": 90, "occupancy_pct": 98.0}
    told = queries.run("unit_detail", path, unit_id="A-1", **asked).to_dicts()[0]
    assert told["primary_names"] == ["Autismespektrum"]
    assert told["secondary_names"] == ["Udadreagerende adfærd"]
    assert told["municipality_name"] == "Næstved"
    assert told["offer_type_name"].startswith("§ 108")
    assert (told["confirmed_days"], told["freshness"]) == (0, "fresh")
    assert queries.run("unit_detail", path, unit_id="none", **asked).is_empty()


def test_regions_are_as_they_are_on_the_day(tmp_path: Path) -> None:
    path = small.publish(tmp_path).path

    def members(day: dt.date) -> dict[str, int]:
        return dict(queries.run("region_members", path, day=day).group_by("region").len().iter_rows())

    assert members(dt.date(2026, 12, 31))["Sjælland"] == 17
    after = members(dt.date(2027, 1, 1))
    assert "Sjælland" not in after
    assert sum(after.values()) == 98
    assert max(after.values()) == 17 + 29


def test_target_groups_stand_under_their_parents(tmp_path: Path) -> None:
    groups = queries.run("target_groups", small.publish(tmp_path).path)
    assert groups.height == small.reference().target_group.height
    place = {code: at for at, code in enumerate(groups["code"])}
    for code, parent, leaves in groups.select("code", "parent_code", "leaves").iter_rows():
        assert parent is None or place[parent] < place[code]
        assert leaves == len([leaf for leaf in BELOW[code] if leaf != code and len(BELOW[leaf]) == 1])
