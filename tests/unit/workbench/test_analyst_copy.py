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
from samplads.presenting import workbench as shown
from samplads.workbench import analyst_copy, worker
from samplads.workbench.suppression import Table, bounds
from tests.unit.workbench.conftest import AS_OF, DISCLOSURE, make_warehouse
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
    assert not names & {"need", "stay", "youth", "night_incident", "finding", "change", "delivery", "unit_month", "unit_change"}
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
    analyst_copy.build(warehouse_file, again, DISCLOSURE)
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


Key = tuple[str, str, str, str]


def true_counts(rows: pl.DataFrame, regions: dict[str, str], traits: list[str]) -> dict[Key, int]:
    """The obvious count of every cell: `rows` has municipality, the traits as text, and persons."""
    counted: dict[Key, int] = {}
    placed = rows.with_columns(region=pl.col("municipality").replace_strict(regions, default="unknown"), country=pl.lit("all"))
    for level in ("country", "region", "municipality"):
        for trait in ["all", *(traits if level != "municipality" else [])]:
            held = placed.with_columns(of=pl.lit("all") if trait == "all" else pl.col(trait).fill_null("unknown"))
            for area, of, persons in held.group_by(level, "of").agg(pl.col("persons").sum()).iter_rows():
                counted[level, area, trait, of] = persons
    return counted


def needs(truth: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, list[str]]:
    age = pl.when(pl.col("age") < 18).then(pl.lit("00-17")).when(pl.col("age") < 30).then(pl.lit("18-29"))
    waited = (pl.lit(AS_OF) - pl.col("registered_on")).dt.total_days()
    frame = (
        truth.sql("from need where status = 'open'")
        .pl()
        .select(
            "municipality",
            "urgency",
            "least_night_cover",
            target_group=pl.col("target_groups").list.first(),
            offer_type=pl.col("offer_types").list.first(),
            age=age.when(pl.col("age") < 45).then(pl.lit("30-44")).when(pl.col("age") < 65).then(pl.lit("45-64")).otherwise(pl.lit("65+")),
            support_level=pl.col("support_level").cast(pl.String),
            waiting=pl.when(waited < 90)
            .then(pl.lit("0-2 months"))
            .when(waited < 180)
            .then(pl.lit("3-5 months"))
            .when(waited < 365)
            .then(pl.lit("6-11 months"))
            .otherwise(pl.lit("12+ months")),
            persons=pl.lit(1),
        )
    )
    return frame, [name for name in frame.columns if name not in {"municipality", "persons"}]


def youths(truth: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, list[str]]:
    frame = truth.sql("select municipality, age::varchar as age, target_group, function_level::varchar as function_level, "
                      "expected_offer_type, persons from youth where persons > 0").pl()  # fmt: skip
    return frame, [name for name in frame.columns if name not in {"municipality", "persons"}]


def stays(truth: duckdb.DuckDBPyConnection, day: dt.date, regions: dict[str, str]) -> tuple[pl.DataFrame, list[str]]:
    located = dict(truth.execute("select unit_id, municipality from unit").fetchall())
    rows = {
        (municipality, regions[located[unit]], person)
        for municipality, unit, person, start, end in truth.execute(
            "select municipality, unit_id, person_ref, starts_on, ends_on from stay"
        ).fetchall()
        if start <= day and (end is None or end > day)
    }
    schema = {"municipality": pl.String, "located_region": pl.String, "person": pl.String}
    return pl.DataFrame(sorted(rows), schema=schema, orient="row").with_columns(persons=pl.lit(1)), ["located_region"]


def stand_attack(shown: pl.DataFrame, real: dict[Key, int], regions: dict[str, str]) -> int:
    """Every truly small cell is hidden, and at least four counts apart stay possible; returns how many there were."""
    keys = [tuple(row) for row in shown.select("area_level", "area", "dimension", "value").rows()]
    assert set(keys) == {key for key, count in real.items() if count > 0}
    for key, persons in zip(keys, shown["persons"], strict=True):
        assert persons is None or persons == real[key]
    table, hidden = attackers_table(shown, regions)
    small = [at for at, key in enumerate(keys) if real[key] < 5]
    for cell in small:
        assert hidden[cell], keys[cell]
        low, high = bounds(table, hidden, [cell])[0]
        assert high - low >= 4 - 1e-6, keys[cell]
        least, most = possible(table, hidden, cell)
        assert most - least >= 4, keys[cell]
    # The attacker cannot tell primary from secondary: no hidden count at all may be known exactly.
    for low, high in bounds(table, hidden, np.flatnonzero(hidden).tolist()):
        assert high - low >= 1 - 1e-6
    return len(small)


@pytest.fixture(scope="module", params=[(7, 160), (11, 60), (23, 400)], ids=lambda given: f"{given[1]} needs")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, ...]]:
    """A warehouse and its analyst copy, for few needs and for many."""
    folder = tmp_path_factory.mktemp("pair")
    seed, count = request.param
    make_warehouse(folder / "w.duckdb", seed=seed, needs=count)
    analyst_copy.build(folder / "w.duckdb", folder / "c.duckdb", DISCLOSURE)
    with (
        duckdb.connect(str(folder / "w.duckdb"), read_only=True) as truth,
        duckdb.connect(str(folder / "c.duckdb"), read_only=True) as held,
    ):
        yield truth, held


def test_no_small_count_of_persons_can_be_computed_from_all_that_is_published(pair: tuple[duckdb.DuckDBPyConnection, ...]) -> None:
    truth, held = pair
    regions = dict(truth.execute("select code, region from municipality").fetchall())
    frame, traits = needs(truth)
    assert stand_attack(held.sql("from need_count").pl(), true_counts(frame, regions, traits), regions) > 0
    frame, traits = youths(truth)
    assert stand_attack(held.sql("from youth_count").pl(), true_counts(frame, regions, traits), regions) > 0
    found = 0
    days = held.sql("from stay_count").pl().partition_by("day", as_dict=True)
    for (day,), counted in days.items():
        frame, traits = stays(truth, day, regions)
        found += stand_attack(counted.drop("day"), true_counts(frame, regions, traits), regions)
    assert found > 0


def line_table(counts: list[int | None], total: int | None, *, total_hidden: bool) -> tuple[Table, np.ndarray]:
    """Parts and their total as the attacker has them; a hidden one stands as 1."""
    values = np.asarray([1 if count is None else count for count in (*counts, 0 if total is None and not total_hidden else total)])
    hidden = np.asarray([count is None for count in counts] + [total_hidden])
    made = object.__new__(Table)
    for name, value in {
        "values": values,
        "sensitive": hidden,
        "relations": ((len(counts), tuple(range(len(counts)))),),
        "cost": None,
    }.items():
        object.__setattr__(made, name, value)
    return made, hidden


def assert_wide(counts: list[int | None], real: list[float], total: int | None, *, total_hidden: bool = False) -> int:
    """Every small part among `real` is hidden and leaves at least four counts apart; returns how many there were."""
    table, hidden = line_table(counts, total, total_hidden=total_hidden)
    small = [at for at, count in enumerate(real) if 0 < count < 5]
    for cell in small:
        assert hidden[cell], (counts, real)
        least, most = possible(table, hidden, cell)
        assert most - least >= 4, (counts, real, total)
    return len(small)


def test_no_few_incidents_can_be_computed(pair: tuple[duckdb.DuckDBPyConnection, ...]) -> None:
    truth, held = pair
    regions = dict(truth.execute("select code, region from municipality").fetchall())
    told = truth.execute(
        "select year(night_of), municipality, count(*) from night_incident join unit using (unit_id) group by all order by all"
    ).fetchall()
    shown = {
        tuple(row[:3]): row[3] for row in held.execute("select year, area_level, area, incidents from night_incident_count").fetchall()
    }
    found = 0
    for year in sorted({row[0] for row in told}):
        by_code = {code: count for at, code, count in told if at == year}
        by_region: dict[str, int] = {}
        for code, count in by_code.items():
            by_region[regions[code]] = by_region.get(regions[code], 0) + count
        everything = shown[year, "country", "all"]
        names = sorted(by_region)
        found += assert_wide(
            [shown[year, "region", name] for name in names],
            [by_region[name] for name in names],
            everything,
            total_hidden=everything is None,
        )
        for name in names:
            codes = [code for code in sorted(by_code) if regions[code] == name]
            whole = shown[year, "region", name]
            found += assert_wide(
                [shown[year, "municipality", code] for code in codes],
                [by_code[code] for code in codes],
                whole,
                total_hidden=whole is None,
            )
    assert found > 0


def test_no_few_recipients_can_be_computed(pair: tuple[duckdb.DuckDBPyConnection, ...]) -> None:
    truth, held = pair
    key = "municipality, year, offer_type, target_group"
    real = {tuple(row[:4]): row[4] for row in truth.execute(f"select {key}, recipients from spend").fetchall()}
    shown = {tuple(row[:4]): row[4:] for row in held.execute(f"select {key}, recipients, amount_ore from spend").fetchall()}
    assert set(shown) == set(real)
    found = 0
    for municipality, year, recipients, amount in held.execute(
        "select municipality, year, recipients, amount_ore from spend_total"
    ).fetchall():
        lines = [line for line in sorted(real) if line[:2] == (municipality, year)]
        counts = [shown[line][0] for line in lines]
        found += assert_wide(counts, [real[line] for line in lines], recipients, total_hidden=recipients is None)
        # One hidden amount beside a told total would be told, too.
        assert sum(shown[line][1] is None for line in lines) != 1 or amount is None
    assert found > 0


def test_no_few_persons_of_an_indicator_can_be_computed(pair: tuple[duckdb.DuckDBPyConnection, ...]) -> None:
    truth, held = pair
    found = 0
    for code in ("waiting_list", "recipients", "mean_wait"):
        real = {
            tuple(row[:2]): row[2]
            for row in truth.execute("select municipality, group_key, value from indicator where code = $code", {"code": code}).fetchall()
        }
        shown = {
            tuple(row[:2]): row[2]
            for row in held.execute("select municipality, group_key, value from indicator where code = $code", {"code": code}).fetchall()
        }
        assert set(real) == set(shown)
        for municipality in sorted({key[0] for key in real}):
            keys = [key for key in sorted(real) if key[0] == municipality and key[1] != "alle"]
            for key in [key for key in real if key[0] == municipality]:
                assert shown[key] is None or shown[key] == real[key]
                # Also beside a value that is no whole number.
                assert shown[key] is None or not 0 < real[key] < 5
            if code != "waiting_list":
                continue
            total = shown[municipality, "alle"]
            counts = [None if shown[key] is None else int(shown[key]) for key in keys]
            found += assert_wide(counts, [real[key] for key in keys], None if total is None else int(total), total_hidden=total is None)
    assert found > 0


def test_a_share_times_its_base_gives_no_few_persons(pair: tuple[duckdb.DuckDBPyConnection, ...]) -> None:
    """The attacker has every base, hidden or not, and knows that the groups of one figure make up the whole."""
    truth, held = pair
    bases = dict(truth.execute("select municipality, value from indicator where code = 'recipients'").fetchall())
    rows = held.execute(
        "select municipality, code, group_key, value from indicator where code in "
        "('support_level_share_pct', 'match_of_group_and_offer_pct') order by all"
    ).fetchall()
    assert any(value is None for *_, value in rows)
    assert any(value is not None for *_, value in rows)
    real = {tuple(row[:3]): row[3] for row in truth.execute("select municipality, code, group_key, value from indicator").fetchall()}
    found = 0
    for municipality, code in sorted({row[:2] for row in rows}):
        base = round(bases[municipality])
        shown = {key: value for of, what, key, value in rows if (of, what) == (municipality, code)}
        counts = {key: round(base * real[municipality, code, key] / 100) for key in shown}
        for key, value in shown.items():
            few = 0 < counts[key] < 5 or 0 < base - counts[key] < 5 or base < 20
            assert value is None or not few, (municipality, code, key)
        if base >= 20 and len(shown) > 1:
            keys = sorted(shown)
            told = [None if shown[key] is None else counts[key] for key in keys]
            found += assert_wide(told, [counts[key] for key in keys], sum(counts.values()))
    assert found > 0
    # A share of nobody knows what, and a rate of all inhabitants that comes to a few.
    assert held.execute("select count(value) from indicator where code = 'unnamed_pct'").fetchall() == [(0,)]
    for municipality, value in held.execute("select municipality, value from indicator where code = 'contacts_per_1000'").fetchall():
        count = round(real[municipality, "contacts_per_1000", "alle"] * 40)
        assert (value is None) == (0 < count < 5)


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
    for language in i18n.LANGUAGES:
        told = {
            (column.table, column.name): shown.about_column(
                column.table, column.name, column.da if language == "da" else column.en, column.unit, language
            )
            for column in described
        }
        assert [key for key, text in told.items() if not text.strip()] == []
    assert told["municipality", "population"].endswith("(inhabitants)")
    assert told["spend_total", "amount_ore"].endswith("(øre)")
    assert told["need_count", "persons"].endswith("(persons)")
    assert told["spend_total", "recipients"].endswith("(persons)")
    # Columns that this small warehouse lacks and a published one has.
    for table, name in (("offer_type", "law"), ("offer_type", "age"), ("target_group", "kind"), ("region_membership", "valid_to")):
        assert shown.about_column(table, name, None, None, "da")
    by_name = {(column.table, column.name): column for column in described}
    assert by_name["unit", "daily_rate_ore"].unit == "kr/døgn"
    assert by_name["unit", "operator_kind"].sample == ("municipal",)
    for table in analyst_copy.tables(copy):
        from samplads.contracts import CONTRACTS

        assert table in CONTRACTS or i18n.has(f"workbench.table.{table}", "da"), table
