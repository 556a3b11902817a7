"""Every reviewed query gives what its slow twin gives, in the order that its header promises."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import reference
from samplads.contracts import CONTRACTS
from samplads.warehouse import publish
from samplads.workbench import analyst_copy, library
from tests import reference_queries, small, strategies_reference, strategies_workbench
from tests import reference_workbench as twin
from tests.strategies_matching import AS_OF

COUNTRY = reference_queries.Country(strategies_workbench.country())
FACTS = reference_queries.Facts(
    {row["code"]: row for row in COUNTRY.rows("municipalities")}, {}, {row["code"]: row for row in COUNTRY.groups()}
)
LIMITS = analyst_copy.Disclosure(threshold=strategies_workbench.MANY, floor=strategies_workbench.MANY)
GROUPS = st.sampled_from(strategies_workbench.KNOWN_GROUPS)
ASKED: Mapping[str, dict[str, st.SearchStrategy[Any]]] = {
    "approvals_running_out": {"days": st.sampled_from([0, 180])},
    "both_groups_at_once": {"first": GROUPS, "second": GROUPS},
    "nearest_open_units": {"municipality": st.sampled_from(strategies_workbench.TOWNS)},
    "occupancy_history": {"region": st.sampled_from(["East", "West"])},
    "open_places_for_group": {"target_group": GROUPS},
    "rate_against_others": {"offer_type": st.sampled_from(["A107", "A108"])},
    "spend_per_inhabitant": {"year": st.sampled_from([2024, 2025])},
    "stale_vacancies": {"days": st.sampled_from([0, 90])},
}
"""Parameters by query, besides the examples in their headers."""
LAST = float("inf")
Order = Callable[[Mapping[str, Any]], tuple[Any, ...]]


def falling(value: float | None, *, none_first: bool = False) -> float:
    return (-LAST if none_first else LAST) if value is None else -value


ORDER: Mapping[str, Order] = {
    "actual_against_budgeted": lambda row: (-abs(row["difference"]), row["unit_id"]),
    "approvals_running_out": lambda row: (row["approved_until"], row["unit_id"]),
    "both_groups_at_once": lambda row: (falling(row["accepting"]), row["unit_id"]),
    "coming_adults": lambda row: (row["area"], row["turns_18_within_years"]),
    "nearest_open_units": lambda row: (LAST if row["km"] is None else row["km"], row["unit_id"]),
    "needs_against_places": lambda row: (-row["waiting"], row["da"]),
    "night_cover_by_municipality": lambda row: (-row["units"], row["municipality_name"]),
    "occupancy_by_region": lambda row: (row["region"] or "~",),
    "occupancy_history": lambda row: (row["month"],),
    "open_places_for_group": lambda row: (falling(row["confirmed_at"] and row["confirmed_at"].toordinal()), row["unit_id"]),
    "places_on_their_way": lambda row: (row["opens_in"] or LAST, row["offer_type"] or "~", row["certainty"] or "~"),
    "places_that_do_not_add_up": lambda row: (row["unit_id"],),
    "rate_against_others": lambda row: (-row["deviation_pct"], row["unit_id"]),
    "single_person_offers": lambda row: (falling(row["rate_a_year"]), row["unit_id"]),
    "spend_per_inhabitant": lambda row: (-row["spend_per_inhabitant"],),
    "stale_vacancies": lambda row: (falling(row["days_since"], none_first=True), row["unit_id"]),
    "thin_supply_by_group": lambda row: (row["maximum"], row["da"]),
    "waiting_time": lambda row: (row["area"], row["value"]),
    "what_is_hidden": lambda row: (row["table_name"], row["area_level"]),
    "where_citizens_live": lambda row: (row["area"], -row["persons"]),
}
OF_THE_COPY = {"what_is_hidden"}
"""Twins that look at the tables of the copy, not at the delivery."""


def identity(row: Mapping[str, Any]) -> str:
    """What tells a row from the others: its words and days, and years that are no measure."""
    years = ("opens_in", "turns_18_within_years")
    return repr([(name, value) for name, value in sorted(row.items()) if isinstance(value, str | dt.date | bool) or name in years])


def same(query: library.Reviewed, found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert sorted(found, key=identity) == sorted(expected, key=identity), query.name
    order = [ORDER[query.name](row) for row in found]
    assert order == sorted(order), query.name
    assert all(tuple(row) == query.columns for row in found), query.name


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> reference.Reference:
    return reference.read(strategies_reference.write(tmp_path_factory.mktemp("country") / "reference", strategies_workbench.country()))


def complete(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Rows with every field of their contract, unknown where none is given."""
    return {extract: [dict.fromkeys(CONTRACTS[extract].columns()) | row for row in told] for extract, told in rows.items()}


@settings(max_examples=10, deadline=None)
@given(rows=strategies_workbench.deliveries(), data=st.data())
def test_the_reviewed_queries_give_what_their_twins_give(country: reference.Reference, rows: Any, data: st.DataObject) -> None:
    told = complete(rows)
    units = reference_queries.units_now(reference_queries.Told([AS_OF], [told]), FACTS)
    world = twin.World(told, COUNTRY, list(units.values()), AS_OF)
    with tempfile.TemporaryDirectory() as folder:
        version, _ = publish([small.archived(rows, as_of=AS_OF)], country, Path(folder))
        copy = analyst_copy.path_of(version.path)
        analyst_copy.build(version.path, copy, LIMITS)
        connection = duckdb.connect(str(copy), read_only=True)
        try:
            for query in library.all_queries():
                if query.name in OF_THE_COPY:
                    continue
                asked = {name: data.draw(values, label=name) for name, values in ASKED.get(query.name, {}).items()}
                assert asked.keys() == query.example().keys(), query.name
                found = connection.sql(query.sql, params=asked or None).pl().to_dicts()
                same(query, found, getattr(twin, query.name)(world, **asked))
        finally:
            connection.close()


def test_what_is_hidden_is_counted_row_by_row(copy: Path) -> None:
    query = library.get("what_is_hidden")
    connection = duckdb.connect(str(copy), read_only=True)
    try:
        held = {row[0] for row in connection.execute("select table_name from duckdb_columns() where column_name = 'suppressed'").fetchall()}
        tables = {name: connection.sql(f'from "{name}"').pl().to_dicts() for name in sorted(held)}
        found = connection.sql(query.sql).pl().to_dicts()
    finally:
        connection.close()
    assert any(row["hidden"] for row in found)
    same(query, found, twin.what_is_hidden(tables))


def test_every_reviewed_query_has_a_twin() -> None:
    assert [query.name for query in library.all_queries() if not callable(getattr(twin, query.name, None))] == []
