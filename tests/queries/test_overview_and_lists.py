"""Lists, Overblik, details and what a match reads give what their twins give, on made deliveries."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import extracts, queries, reference, warehouse
from samplads import settings as places
from samplads.contracts import CONTRACTS
from samplads.contracts.capacity import STATUSES
from samplads.contracts.need import NEED_STATUSES
from samplads.contracts.unit import APPROVAL_STATUSES, NIGHT_COVERS, OPERATOR_KINDS
from tests import reference_queries as twin
from tests import small, strategies_reference

FIRST = dt.date(2026, 6, 1)
FACTS = twin.Facts(
    {row["code"]: row for row in small.reference().municipality.to_dicts()},
    {row["code"]: row for row in small.reference().offer_type.to_dicts()},
    {row["code"]: row for row in small.reference().target_group.to_dicts()},
)
PARENT = next(row["parent_code"] for code, row in FACTS.groups.items() if code == small.AUTISM)
GROUPS = [small.AUTISM, small.EXTERNALISING, small.DEVELOPMENTAL, PARENT]
FIELDS = {extract: tuple(CONTRACTS[extract].columns()) for extract in ("unit", "capacity", "target_group_approval", "need")}

unit_ids = st.sampled_from([f"U-{number}" for number in range(6)])
towns = st.sampled_from(["101", "259", "370", "740"])
count = st.integers(0, 9)
days = st.integers(0, 200).map(lambda n: FIRST + dt.timedelta(days=n))


def told(extract: str, **values: Any) -> dict[str, Any]:
    """A row of an extract with every field, unknown where none is given."""
    return dict.fromkeys(FIELDS[extract]) | values


@st.composite
def unit(draw: st.DrawFn, unit_id: str) -> dict[str, Any]:
    own = draw(st.none() | st.just((55.5, 11.25)))
    return told(
        "unit",
        unit_id=unit_id,
        offer_id="T-1",
        name=draw(st.sampled_from(["Birkehuset", "Åhuset", "Ærtevej 2"])),
        municipality=draw(towns),
        lat=own and own[0],
        lon=own and own[1],
        offer_type=draw(st.none() | st.sampled_from(["A107", "A108"])),
        operator_kind=draw(st.none() | st.sampled_from(OPERATOR_KINDS)),
        approval_status=draw(st.none() | st.sampled_from(APPROVAL_STATUSES) | st.just("approved")),
        approved_until=draw(st.none() | days),
        night_cover=draw(st.none() | st.sampled_from(NIGHT_COVERS)),
        single_person=draw(st.none() | st.booleans()),
        daily_rate_ore=draw(st.none() | st.integers(100_000, 900_000)),
        assumed_occupancy_pct=draw(st.none() | st.sampled_from([92.0, 98.0, 100.0])),
    )


@st.composite
def delivery(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """One delivery: the same units again and again, counted on any day, with groups and needs."""
    units = [draw(unit(unit_id)) for unit_id in draw(st.lists(unit_ids, unique=True, min_size=1))]
    known = st.sampled_from([row["unit_id"] for row in units])
    counts = [
        told(
            "capacity",
            unit_id=unit_id,
            as_of=day,
            maximum=draw(count),
            occupied=draw(count),
            reserved=draw(st.none() | count),
            accepting=draw(count),
            status=draw(st.none() | st.sampled_from(STATUSES)),
            confirmed_at=draw(st.none() | days),
        )
        for unit_id, day in draw(st.lists(st.tuples(known, days), unique=True, max_size=12))
    ]
    approvals = [
        told("target_group_approval", unit_id=unit_id, target_group=group, rank=draw(st.sampled_from(["primary", "secondary", "excluded"])))
        for unit_id, group in draw(st.lists(st.tuples(known, st.sampled_from(GROUPS)), unique=True, max_size=10))
    ]
    needs = [
        told(
            "need",
            need_id=f"N-{number}",
            municipality=draw(towns),
            registered_on=draw(days),
            status=draw(st.none() | st.sampled_from(NEED_STATUSES)),
            target_groups=draw(st.none() | st.lists(st.sampled_from(GROUPS), unique=True)),
            age=draw(st.none() | st.integers(0, 90)),
        )
        for number in draw(st.lists(st.integers(1, 9), unique=True))
    ]
    return {"unit": units, "capacity": counts, "target_group_approval": approvals, "need": needs}


def published(folder: str, deliveries: list[dict[str, list[dict[str, Any]]]]) -> tuple[twin.Told, Path]:
    """Deliveries a month apart, published together."""
    on = [FIRST + dt.timedelta(days=210 + 30 * nth) for nth in range(len(deliveries))]
    made = [small.archived(rows, name=f"d{nth}", as_of=day) for nth, (day, rows) in enumerate(zip(on, deliveries, strict=True))]
    return twin.Told(on, deliveries), small.publish(Path(folder), *made).path


@settings(max_examples=8, deadline=None)
@given(
    deliveries=st.lists(delivery(), min_size=1, max_size=3),
    asked=st.lists(days, min_size=2, max_size=2),
    language=st.sampled_from(["da", "en"]),
)
def test_units_needs_and_overviews(deliveries: list[dict[str, Any]], asked: list[dt.date], language: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        said, path = published(folder, deliveries)
        units = twin.units_now(said, FACTS)
        rows = list(units.values())

        assert queries.run("unit_ids", path)["unit_id"].to_list() == sorted(units)
        read = queries.run("match_units", path)
        assert read.to_dicts() == [{name: unit[name] for name in read.columns} for unit in rows]
        some = sorted(units)[::2]
        whole = queries.run("units_by_id", path, unit_ids=some).to_dicts()
        assert [{name: unit[name] for name in units[some[0]]} for unit in whole] == [units[unit_id] for unit_id in some]
        assert queries.run("open_places", path, as_of=asked[0]).rows() == [
            (unit_id, unit["accepting"], unit["accepting_from"])
            for unit_id, unit in units.items()
            if (unit["accepting"] or 0) >= 1
            and unit["status"] in (None, "open")
            and (
                unit["approval_status"] == "not_required"
                or (unit["approval_status"] == "approved" and (unit["approved_until"] is None or unit["approved_until"] >= asked[0]))
            )
        ]
        reported = {row["unit_id"]: (row["as_of"], row["confirmed_at"]) for row in queries.run("reporting_units", path).to_dicts()}
        assert reported == {unit_id: (unit["as_of"], unit["confirmed_at"]) for unit_id, unit in units.items()}
        for name, kept in (("hsds_units", said.units), ("hsds_approvals", said.approvals)):
            assert queries.run(name, path).to_dicts() == kept
        last = {row["unit_id"]: row for row in sorted(said.counts, key=lambda row: row["as_of"])}
        assert queries.run("hsds_capacity", path).to_dicts() == [last[unit_id] for unit_id in sorted(last)]
        called = [f"d{nth}" for nth in range(len(deliveries))]
        of_count = [name for name in FIELDS["capacity"] if name not in {"unit_id", "as_of"}]
        for unit_id in units:
            changes = queries.run("unit_history", path, unit_id=unit_id).rows()
            assert changes == twin.history(said, unit_id, FIELDS["unit"], of_count, called)

        needs = {need["need_id"]: need for need in said.needs}
        waiting = queries.run("open_needs", path).to_dicts()
        named = [dict(need) | {"municipality_name": FACTS.towns[need["municipality"]]["name"]} for need in twin.waiting(said.needs)]
        assert [{key: need[key] for key in one} for need, one in zip(waiting, named, strict=True)] == named
        for need_id, need in needs.items():
            row = queries.run("need_by_id", path, need_id=need_id).to_dicts()
            assert [{key: one[key] for key in need} for one in row] == [need]
        assert queries.run("need_by_id", path, need_id="N-none").is_empty()
        meta = queries.run("warehouse_meta", path).row(0, named=True)
        assert meta == {
            "as_of": max(said.days),
            "synthetic": False,
            "deliveries": len(deliveries),
            "units": len(units),
            "needs": len(needs),
        }
        used = dict(queries.run("offer_types", path).select("code", "units").iter_rows())
        assert used == {code: sum(unit["offer_type"] == code for unit in rows) for code in FACTS.offer_types}

        for day in asked:
            for fresh, ageing in ((30, 90), (0, 1)):
                limits = {"day": day, "fresh_days": fresh}
                assert queries.run("overview_places", path, **limits).row(0, named=True) == twin.overview_places(rows, day, fresh)
                seen = queries.run("vacancies_by_municipality", path, ageing_days=ageing, **limits)
                expected = twin.by_municipality(rows, day, fresh, ageing)
                names = list(next(iter(expected.values())))
                assert {row["municipality"]: {name: row[name] for name in names} for row in seen.to_dicts()} == expected
                counted = queries.run("overview_deliveries", path, **limits).row(0, named=True)
                assert counted["delivered"] == twin.delivered(rows, day, fresh)
                assert (counted["deliveries"], counted["last_delivery"]) == (len(deliveries), max(said.days))
            assert queries.run("overview_needs", path, day=day).row(0, named=True) == twin.overview_needs(said.needs, day)
            assert queries.run("overview_demand", path, day=day).rows() == twin.overview_demand(said.needs, day)

        for unit_id, unit in units.items():
            day, fresh, ageing = asked[0], 30, 90
            limits = {"day": day, "fresh_days": fresh, "ageing_days": ageing}
            added = queries.run("unit_detail", path, unit_id=unit_id, language=language, occupancy_pct=98.0, **limits).row(0, named=True)
            of_unit = twin.detail(unit, FACTS, language, day, fresh, ageing, 98.0)
            assert {name: added[name] for name in of_unit} == of_unit
            assert (added["lat"], added["as_of"]) == (unit["lat"], unit["as_of"])
            assert (added["unit_delivery"], added["count_delivery"]) == twin.sources(said, unit_id, called)


def test_the_biggest_town_stands_first_and_equals_by_name(tmp_path: Path) -> None:
    units = [
        told("unit", unit_id=f"U-{code}", offer_id="T", name="x", municipality=code, approval_status="approved")
        for code in ("101", "259", "370")
    ]
    counts = [
        told("capacity", unit_id=f"U-{code}", as_of=FIRST, maximum=5, occupied=0, accepting=places_open)
        for code, places_open in (("101", 2), ("259", 4), ("370", 2))
    ]
    path = small.publish(tmp_path, small.archived({"unit": units, "capacity": counts})).path
    seen = queries.run("vacancies_by_municipality", path, day=FIRST, fresh_days=30, ageing_days=90)
    assert seen["municipality_name"].to_list() == ["Køge", "København", "Næstved"]


def test_findings_are_counted_by_what_became_of_the_row(tmp_path: Path) -> None:
    of = {severity: next(rule for rule, told_of in extracts.RULES.items() if told_of == severity) for severity in extracts.RULES.values()}
    found = {"refused_file": 1, "set_aside": 3, "flagged": 2, "corrected": 4}
    assert set(found) == set(of)
    rows = [extracts.Finding("d", "unit.csv", of[severity], severity, row=number) for severity, n in found.items() for number in range(n)]
    made = dataclasses.replace(small.archived(), findings=extracts.findings_frame(rows))
    counted = queries.run("overview_deliveries", small.publish(tmp_path, made).path, day=small.DAY, fresh_days=30).row(0, named=True)
    assert (counted["set_aside"], counted["flagged"]) == (4, 2)


SEEN = st.lists(
    st.tuples(
        st.sampled_from(["unit.csv", "need.csv", "Ark.xlsx"]),
        st.sampled_from(sorted(extracts.RULES)),
        st.none() | st.sampled_from(["Ark 1", "Ark 2"]),
        st.none() | st.integers(2, 12),
    ),
    unique=True,
    max_size=9,
)


@settings(max_examples=10, deadline=None)
@given(seen=st.lists(SEEN, min_size=1, max_size=2))
def test_findings_come_with_the_worst_first_each_where_it_stands(seen: list[list[Any]]) -> None:
    deliveries, told = [], []
    for number, rows in enumerate(seen):
        found = [extracts.Finding(f"d{number}", file, rule, extracts.RULES[rule], row=row, sheet=sheet) for file, rule, sheet, row in rows]
        frame = extracts.findings_frame(found)
        told += frame.to_dicts()
        deliveries.append(dataclasses.replace(small.archived(name=f"d{number}"), findings=frame))
    with tempfile.TemporaryDirectory() as folder:
        listed = queries.run("findings", small.publish(Path(folder), *deliveries).path)
    names = [name for name in extracts.SCHEMA if name in listed.columns]
    where = ("severity", "delivery", "file", "sheet", "row")
    expected = [{name: row[name] for name in names} for row in twin.findings(told)]
    assert [tuple(row[name] for name in where) for row in listed.to_dicts()] == [tuple(row[name] for name in where) for row in expected]
    assert sorted(listed.select(names).to_dicts(), key=repr) == sorted(expected, key=repr)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.publish(tmp_path_factory.mktemp("lists")).path


def rows_of(name: str) -> list[dict[str, str]]:
    with (places.ROOT / "data" / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_municipalities_are_those_of_the_file_in_the_order_of_the_alphabet(shipped: Path) -> None:
    seen = queries.run("municipalities", shipped)
    facts = {row["code"]: (row["name"], row["region"], int(row["population"]), float(row["lat"])) for row in rows_of("municipalities.csv")}
    assert {code: tuple(rest) for code, *rest in seen.select("code", "name", "region", "population", "lat").iter_rows()} == facts
    assert seen["name"].to_list() == sorted(seen["name"], key=twin.alphabetical)
    assert seen["name"][-1] == "Aarhus"


def test_the_closure_is_every_group_with_all_above_it(shipped: Path) -> None:
    pairs = set(queries.run("target_group_closure", shipped).rows())
    assert pairs == {(group, below) for group in FACTS.groups for below in FACTS.below(group)}


def test_target_groups_come_as_a_tree_read_aloud(shipped: Path) -> None:
    children: dict[str | None, list[str]] = {}
    for code, row in FACTS.groups.items():
        children.setdefault(row["parent_code"], []).append(code)

    def aloud(parent: str | None) -> list[str]:
        below = sorted(children.get(parent, ()), key=lambda code: twin.alphabetical(FACTS.groups[code]["da"]))
        return [code for child in below for code in (child, *aloud(child))]

    seen = queries.run("target_groups", shipped)
    assert seen["code"].to_list() == aloud(None)
    leaves = {code: sum(FACTS.groups[below]["kind"] == "leaf" and below != code for below in FACTS.below(code)) for code in FACTS.groups}
    assert dict(seen.select("code", "leaves").iter_rows()) == leaves


def test_offer_types_in_use_come_first_then_those_one_lives_in(shipped: Path) -> None:
    seen = queries.run("offer_types", shipped)
    used = {unit["offer_type"] for unit in small.UNITS}

    def place(code: str) -> tuple[bool, int, str]:
        lived_in = FACTS.offer_types[code]["residential"]
        return code not in used, 2 if lived_in is None else 1 - lived_in, code

    assert seen["code"].to_list() == sorted(FACTS.offer_types, key=place)


@settings(max_examples=30, deadline=None)
@given(day=st.dates(dt.date(2006, 1, 1), dt.date(2030, 1, 1)))
def test_regions_have_the_members_of_the_day(shipped: Path, day: dt.date) -> None:
    seen = queries.run("region_members", shipped, day=day)
    assert set(seen.select("region", "municipality").iter_rows()) == twin.members(rows_of("region_membership.csv"), day)
    assert seen["region_name"].to_list() == sorted(seen["region_name"], key=twin.alphabetical)


@settings(max_examples=20, deadline=None)
@given(files=strategies_reference.countries(), types=st.lists(st.sampled_from([None, "t1", "t2", "T4"]), max_size=5))
def test_lists_of_any_country_are_those_of_its_folder(files: dict[str, list[dict[str, Any]]], types: list[str | None]) -> None:
    country = twin.Country(files)
    town = files["municipalities"][0]["code"]
    units = [told("unit", unit_id=f"U-{at}", offer_id="T", name="x", municipality=town, offer_type=kind) for at, kind in enumerate(types)]
    with tempfile.TemporaryDirectory() as folder:
        facts = reference.read(strategies_reference.write(Path(folder) / "reference", files))
        version, _ = warehouse.publish([small.archived({"unit": units})], facts, Path(folder) / "warehouse")
        assert queries.run("municipalities", version.path).to_dicts() == country.municipalities()
        assert queries.run("target_group_closure", version.path).rows() == country.closure()
        assert queries.run("target_groups", version.path).to_dicts() == country.groups()
        assert queries.run("offer_types", version.path).to_dicts() == country.offer_types(units)
        turning = {row[end] for row in files.get("region_membership", ()) for end in ("valid_from", "valid_to")} - {None}
        for day in sorted({at + dt.timedelta(days=step) for at in turning for step in (-1, 0, 1)} | {FIRST}):
            seen = queries.run("region_members", version.path, day=day)
            assert len(set(seen.rows())) == seen.height
            assert set(seen.rows()) == country.members(day)
            order = [(twin.alphabetical(region), code, twin.alphabetical(name)) for code, region, _, name in seen.iter_rows()]
            assert order == sorted(order)


def test_another_countrys_reference_is_listed_as_it_is(tmp_path: Path) -> None:
    """Nothing in the queries knows a Danish code: a reference with municipalities only gives lists of nothing else."""
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "municipalities.csv").write_text("code,name\nALACHUA,Alachua\nBAKER,Baker\n", encoding="utf-8")
    units = [told("unit", unit_id="H", offer_id="H", name="Hospital", municipality="BAKER")]
    facts = reference.read(folder)
    version, _ = warehouse.publish([small.archived({"unit": units})], facts, tmp_path / "warehouse")
    assert queries.run("municipalities", version.path)["code"].to_list() == ["ALACHUA", "BAKER"]
    for name in ("target_groups", "target_group_closure", "offer_types"):
        assert queries.run(name, version.path).is_empty(), name
    assert queries.run("region_members", version.path, day=FIRST).is_empty()
    assert queries.run("match_units", version.path)["lat"].to_list() == [None]
