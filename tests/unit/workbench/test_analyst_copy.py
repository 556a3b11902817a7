"""The analyst copy holds supply whole and no row about a person; its hidden counts stand attack from every published row."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from samplads import i18n, policy
from samplads.errors import SampladsError
from samplads.workbench import analyst_copy, worker
from samplads.workbench.suppression import Table, bounds
from tests.unit.workbench.test_suppression import possible

COUNTS = ("need_count", "stay_count", "youth_count")


@pytest.fixture(scope="module")
def held(copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(copy), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def truth(warehouse_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        yield connection


def test_no_table_and_no_column_about_a_person(copy: Path, held: duckdb.DuckDBPyConnection) -> None:
    names = set(analyst_copy.tables(copy))
    assert not names & {"need", "stay", "youth", "night_incident", "finding", "change", "delivery", "occupancy_month", "unit_change"}
    columns = {row[0] for row in held.execute("select column_name from duckdb_columns()").fetchall()}
    assert not columns & {
        "person_ref",
        "need_id",
        "stay_id",
        "incident_id",
        "one_to_one",
        "excludes_groups",
        "monthly_pay_ore",
        "delivery_digest",
    }
    assert held.execute("describe night_roster").fetchall()
    # Nothing of the warehouse's own pages has come along: the file is written anew.
    assert b"p-17" not in copy.read_bytes()
    assert b"010190-1234" not in copy.read_bytes()


def test_supply_is_whole(held: duckdb.DuckDBPyConnection, truth: duckdb.DuckDBPyConnection) -> None:
    for table in ("unit", "unit_now", "capacity", "target_group_approval", "planned_capacity", "municipality"):
        assert held.sql(f"from {table}").pl().equals(truth.sql(f"from {table}").pl()), table


def test_no_total_beside_the_counts_tells_how_few_they_are(tmp_path: Path) -> None:
    from tests.unit.workbench.conftest import make_warehouse

    file, target = tmp_path / "few.duckdb", tmp_path / "copy.duckdb"
    make_warehouse(file, needs=3)
    with duckdb.connect(str(file)) as connection:
        connection.execute("update need set status = 'open'")
        assert connection.execute("select needs from meta").fetchall() == [(3,)]
    analyst_copy.build(file, target, analyst_copy.Disclosure())
    with duckdb.connect(str(target), read_only=True) as connection:
        assert [row[0] for row in connection.execute("describe meta").fetchall()] == ["as_of", "synthetic", "deliveries", "units"]
        cells, told = connection.execute("select count(*), count(persons) from need_count").fetchall()[0]
        assert cells > 0
        assert told == 0


def test_it_cannot_be_written(copy: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o444


def test_the_same_warehouse_gives_the_same_copy(warehouse_file: Path, copy: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.duckdb"
    analyst_copy.build(warehouse_file, again, analyst_copy.Disclosure(indicators_not_persons=("_pct",)))
    with duckdb.connect() as connection:
        connection.execute(f"attach '{copy}' as a (read_only); attach '{again}' as b (read_only)")
        for table in analyst_copy.tables(copy):
            assert connection.sql(f"from a.{table}").pl().equals(connection.sql(f"from b.{table}").pl()), table
    assert [path.name for path in tmp_path.iterdir()] == ["again.duckdb"]


def test_shown_counts_are_true_and_not_small(held: duckdb.DuckDBPyConnection, truth: duckdb.DuckDBPyConnection) -> None:
    for table in COUNTS:
        shown = held.execute(f"select min(persons), count(*) filter (where suppressed and persons is not null) from {table}").fetchall()[0]
        assert shown[0] >= 5, table
        assert shown[1] == 0
    told = dict(held.execute("select area, persons from need_count where area_level = 'municipality' and not suppressed").fetchall())
    real = dict(truth.execute("select municipality, count(*) from need where status = 'open' group by all").fetchall())
    assert told
    assert all(real[area] == persons for area, persons in told.items())
    country = held.execute("select persons from need_count where area_level = 'country' and dimension = 'all'").fetchall()
    assert country == [(sum(real.values()),)]


def attackers_table(rows: pl.DataFrame, regions: dict[str, str]) -> tuple[Table, np.ndarray]:
    """What an attacker builds of one count table's published rows: every sum that must hold. Hidden values stand as 1 (unknown)."""
    keys = [tuple(row) for row in rows.select("area_level", "area", "dimension", "value").rows()]
    place = {key: at for at, key in enumerate(keys)}
    relations = []
    region_names = sorted({key[1] for key in keys if key[0] == "region"})
    traits = sorted({key[2] for key in keys} - {"all"})

    def total(whole: tuple[str, ...], parts: list[tuple[str, ...]]) -> None:
        relations.append((place[whole], tuple(place[part] for part in parts if part in place)))

    everywhere = ("country", "all")
    total((*everywhere, "all", "all"), [("region", name, "all", "all") for name in region_names])
    for name in region_names:
        total(("region", name, "all", "all"), [("municipality", code, "all", "all") for code, region in regions.items() if region == name])
    for trait in traits:
        values = sorted({key[3] for key in keys if key[2] == trait})
        for area in (everywhere, *(("region", name) for name in region_names)):
            total((*area, "all", "all"), [(*area, trait, value) for value in values])
        for value in values:
            total((*everywhere, trait, value), [("region", name, trait, value) for name in region_names])
    hidden = rows["suppressed"].to_numpy().copy()
    made = object.__new__(Table)
    for field, value in {
        "values": rows["persons"].fill_null(1).to_numpy(),
        "sensitive": hidden,
        "relations": tuple(relations),
        "cost": None,
    }.items():
        object.__setattr__(made, field, value)
    return made, hidden


def true_counts(truth: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    rows = truth.execute(
        """
        select municipality.region, need.offer_types[1], count(*)
        from need join municipality on need.municipality = municipality.code where status = 'open' group by all
        """
    ).fetchall()
    return {(region, kind): count for region, kind, count in rows}


def test_needs_cannot_be_computed_from_all_that_is_published(held: duckdb.DuckDBPyConnection, truth: duckdb.DuckDBPyConnection) -> None:
    regions = dict(truth.execute("select code, region from municipality").fetchall())
    table, hidden = attackers_table(held.sql("from need_count").pl(), regions)
    keys = held.sql("select area_level, area, dimension, value from need_count").pl().rows()
    small = {("region", region, "offer_type", kind) for (region, kind), count in true_counts(truth).items() if count < 5}
    assert small
    for cell in [at for at, key in enumerate(keys) if key in small]:
        assert hidden[cell]
        low, high = bounds(table, hidden, [cell])[0]
        assert high - low >= 4 - 1e-6
        least, most = possible(table, hidden, cell)
        assert most - least >= 4


def test_youths_and_stays_cannot_be_computed_either(held: duckdb.DuckDBPyConnection, truth: duckdb.DuckDBPyConnection) -> None:
    regions = dict(truth.execute("select code, region from municipality").fetchall())
    frames = [held.sql("from youth_count").pl(), *held.sql("from stay_count").pl().partition_by("day", include_key=False)]
    for frame in frames:
        table, hidden = attackers_table(frame, regions)
        cells = np.flatnonzero(hidden)
        # The attacker cannot tell primary from secondary: no hidden count at all may be known exactly.
        for low, high in bounds(table, hidden, cells.tolist()):
            assert high - low >= 1 - 1e-6


@pytest.mark.parametrize(
    "sql",
    [
        # a total less its published parts, where one part is hidden
        """
        select whole.area, any_value(whole.persons) - sum(part.persons) as rest, count(*) filter (where part.suppressed) as hidden
        from need_count whole join need_count part on whole.area = part.area and part.dimension = 'offer_type'
        where whole.dimension = 'all' and whole.area_level = 'region' and part.area_level = 'region' group by all
        """,
        """
        select whole.value as area, any_value(whole.persons) - sum(part.persons) as rest,
            count(*) filter (where part.suppressed) as hidden
        from need_count whole join need_count part on whole.dimension = part.dimension and whole.value = part.value
        where whole.area_level = 'country' and part.area_level = 'region' and whole.dimension != 'all' group by all
        """,
        """
        select region as area, any_value(whole.persons) - sum(part.persons) as rest, count(*) filter (where part.suppressed) as hidden
        from need_count whole join municipality on whole.area = municipality.region
        join need_count part on part.area = municipality.code and part.area_level = 'municipality'
        where whole.area_level = 'region' and whole.dimension = 'all' group by all
        """,
        # the same by windows and running sums
        """
        select area, whole - (running - whole) as rest, hidden from (
            select area, sum(persons) over (partition by area) as running,
                count(*) filter (where suppressed) over (partition by area) as hidden,
                first_value(persons) over (partition by area order by dimension != 'all') as whole
            from need_count where area_level = 'region' and dimension in ('urgency', 'all')
            qualify row_number() over (partition by area) = 1)
        where whole is not null
        """,
        """
        select municipality as area, max(t.recipients) - sum(spend.recipients) as rest,
            count(*) filter (where spend.suppressed) as hidden
        from spend join spend_total t using (municipality, year) group by all
        """,
        """
        select i.municipality as area,
            max(value) filter (where group_key = 'alle') - sum(value) filter (where group_key != 'alle') as rest,
            count(*) filter (where suppressed and group_key != 'alle') as hidden
        from indicator i where code = 'waiting_list' group by all
        """,
    ],
)
def test_differences_leave_at_least_two_hidden_and_room_between_them(copy: Path, sql: str) -> None:
    frame = worker.run(sql, copy).frame
    assert frame.height
    alone = frame.filter((pl.col("hidden") == 1) & pl.col("rest").is_not_null())
    assert alone.is_empty(), alone
    told = frame.filter((pl.col("hidden") > 1) & pl.col("rest").is_not_null() & (pl.col("rest") > 0))
    # Two hidden counts, each at least one: their sum leaves the smaller at least five possible values.
    assert (told["rest"] - told["hidden"] >= 1).all()


def test_an_amount_with_few_behind_it_is_hidden(held: duckdb.DuckDBPyConnection, truth: duckdb.DuckDBPyConnection) -> None:
    key = "municipality, year, offer_type, target_group"
    real = {tuple(row[:4]): row[4] for row in truth.execute(f"select {key}, recipients from spend").fetchall()}
    for *told, amount, recipients, suppressed in held.execute(f"select {key}, amount_ore, recipients, suppressed from spend").fetchall():
        assert suppressed == (amount is None) == (recipients is None)
        if 0 < real[tuple(told)] < 5:
            assert suppressed
    assert held.execute("select count(*) from spend where suppressed").fetchall()[0][0] > 0


def test_incidents_of_few_residents_are_hidden(held: duckdb.DuckDBPyConnection) -> None:
    rows = held.execute("select incidents, suppressed from night_incident_count").fetchall()
    assert any(suppressed for _, suppressed in rows)
    assert all((incidents is None) == suppressed for incidents, suppressed in rows)
    assert all(incidents >= 5 for incidents, _ in rows if incidents is not None)


def test_percentages_are_not_taken_for_persons(held: duckdb.DuckDBPyConnection) -> None:
    assert held.execute("select count(*) from indicator where code = 'own_occupancy_pct' and suppressed").fetchall() == [(0,)]
    assert held.execute("select count(*) from indicator where code = 'waiting_list' and value between 1 and 4").fetchall() == [(0,)]


def test_the_rule_file_holds() -> None:
    rule = analyst_copy.Disclosure.from_values(policy.load("disclosure", dt.date(2026, 1, 1)).values)
    assert rule.threshold == 5
    with pytest.raises(SampladsError) as caught:
        analyst_copy.Disclosure(threshold=2)
    assert caught.value.key == "disclosure_floor"


def test_an_empty_warehouse_gives_empty_counts(tmp_path: Path) -> None:
    from tests.unit.workbench.conftest import make_warehouse

    empty = tmp_path / "empty.duckdb"
    make_warehouse(empty, needs=0)
    with duckdb.connect(str(empty)) as connection:
        for table in ("stay", "youth", "night_incident", "spend", "indicator"):
            connection.execute(f"delete from {table}")
    target = tmp_path / "copy.duckdb"
    analyst_copy.build(empty, target, analyst_copy.Disclosure())
    with duckdb.connect(str(target), read_only=True) as connection:
        for table in (*COUNTS, "night_incident_count", "spend", "spend_total", "indicator"):
            assert connection.execute(f"select count(*) from {table}").fetchall() == [(0,)]
            assert "suppressed" in [row[0] for row in connection.execute(f"describe {table}").fetchall()]


def test_the_schema_has_words_for_every_column(copy: Path) -> None:
    described = analyst_copy.schema(copy)
    assert {column.table for column in described} == set(analyst_copy.tables(copy))
    lacking = [
        f"{column.table}.{column.name}"
        for column in described
        if column.da is None and not i18n.has(f"workbench.column.{column.name}", "da") and not i18n.has(f"columns.{column.name}", "da")
    ]
    reference = ("meta", "municipality", "region", "target_group", "offer_type", "vum_level")
    assert [name for name in lacking if not name.startswith(reference)] == []
    by_name = {(column.table, column.name): column for column in described}
    assert by_name["unit", "daily_rate_ore"].unit == "kr/døgn"
    assert by_name["unit", "operator_kind"].sample == ("municipal",)
    for table in analyst_copy.tables(copy):
        from samplads.contracts import CONTRACTS

        assert table in CONTRACTS or i18n.has(f"workbench.table.{table}", "da"), table
