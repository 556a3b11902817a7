"""The analyst copy: a DuckDB file beside the warehouse that holds supply in full and persons only as counts.

Copied whole: units, approvals, capacity, plans, reference facts. Copied in part: the night roster without what it tells of a resident or
of one employee's pay; spend and indicators with small counts of persons hidden. Needs, stays, youth and night incidents become counts:

    need_count            open needs by municipality, and by region and one trait at a time
    stay_count            stays on the last day of a year, by acting municipality, and by region and where the unit lies
    youth_count           youths with an expected need, by municipality, and by region and one trait at a time
    night_incident_count  incidents at night by year, municipality and region
    spend_total           spend by municipality and year

A count below the threshold is hidden (`persons` is null, `suppressed` true), and so are as many others as it takes that no total or
difference gives it back (`suppression`). A count that is zero has no row. What is not published here cannot be asked: there is no row
about a person in the file, and no second file that the worker could open.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from samplads import warehouse
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.workbench.suppression import Relation, Table, protect

ALL = "all"
UNKNOWN = "unknown"
COUNTRY = "country"
PLACES = "places"
POPULATION = "population"

WHOLE = (
    "meta",
    "municipality",
    "region",
    "region_membership",
    "target_group",
    "target_group_closure",
    "offer_type",
    "vum_level",
    "unit",
    "target_group_approval",
    "capacity",
    "capacity_latest",
    "planned_capacity",
    "unit_now",
)
"""Tables without a word about a person; those that the warehouse has are copied whole, in their own order."""
NIGHT_ROSTER = ("unit_id", "valid_from", "night_cover", "posts", "shift_start", "shift_end")
INTERNAL = ("delivery_digest",)
"""Columns of the build itself."""
COUNTS_OF_PERSONS = {"meta": ("needs",)}
"""Columns of whole tables that count persons exactly: one more total from which hidden counts could be computed."""


@dataclass(frozen=True)
class Disclosure:
    """What may be shown: counts of 1 to `threshold - 1` persons may not. From `data/rules/disclosure.yaml`."""

    threshold: int = 5
    floor: int = 3
    indicator_total: str = "alle"
    indicators_not_persons: tuple[str, ...] = ()
    indicator_shares: Mapping[str, float] = field(default_factory=dict)
    indicator_bases: Mapping[str, str] = field(default_factory=dict)
    base_floor: int = 20

    def __post_init__(self) -> None:
        if self.threshold < max(self.floor, 2):
            raise SampladsError("disclosure_floor", threshold=self.threshold, floor=self.floor)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Disclosure:
        """From a version of the rule file."""
        return cls(
            threshold=int(values["threshold"]),
            floor=int(values["floor"]),
            indicator_total=str(values["indicator_total"]),
            indicators_not_persons=tuple(values["indicators_not_persons"]),
            indicator_shares={str(ending): float(scale) for ending, scale in values["indicator_shares"].items()},
            indicator_bases={str(code): str(base) for code, base in values["indicator_bases"].items()},
            base_floor=int(values["base_floor"]),
        )


@dataclass
class Cells:
    """A table of counts under construction: cells by their key, and the sums that tie them."""

    keys: list[tuple[Any, ...]] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    sensitive: list[bool] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    _place: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def add(self, key: tuple[Any, ...], value: int, sensitive: bool, weight: float = 1.0) -> int:
        """The cell's number. A cell that is there keeps what it has. `weight` is how much more than its size hiding it loses."""
        if key not in self._place:
            self._place[key] = len(self.keys)
            self.keys.append(key)
            self.values.append(value)
            self.sensitive.append(sensitive)
            self.weights.append(weight)
        return self._place[key]

    def total(self, whole: int, parts: Iterable[int]) -> None:
        """Tie a total to its parts."""
        self.relations.append((whole, tuple(parts)))

    def table(self) -> Table:
        """As `suppression` reads it."""
        return Table(
            np.asarray(self.values, dtype=np.int64),
            np.asarray(self.sensitive, dtype=bool),
            tuple(self.relations),
            np.asarray(self.values) * np.asarray(self.weights),
        )

    def hide(self, threshold: int) -> list[bool]:
        """Which cells to hide."""
        return [bool(flag) for flag in protect(self.table(), threshold)]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def build(warehouse_file: Path, target: Path, limits: Disclosure) -> None:
    """Make the analyst copy of a published warehouse at `target`, aside and then in one rename, not writable.

    The same warehouse and limits give the same rows in the same order.
    """
    aside = target.with_name(f".building-{target.name}")
    aside.unlink(missing_ok=True)
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": 2})
    try:
        connection.execute(f"attach {_quoted(warehouse_file)} as warehouse (read_only)")
        connection.execute(f"attach {_quoted(aside)} as copy_file")
        _fill(connection, limits)
        connection.execute("checkpoint copy_file")
        connection.execute("detach copy_file")
        aside.chmod(0o444)
        aside.replace(target)
    finally:
        connection.close()
        aside.unlink(missing_ok=True)


def _fill(connection: duckdb.DuckDBPyConnection, limits: Disclosure) -> None:
    present = {
        (row[0], row[1])
        for row in connection.execute(
            "select table_name, column_name from duckdb_columns() where database_name = 'warehouse' and schema_name = 'main'"
        ).fetchall()
    }
    tables = {table for table, _ in present}
    for table in WHOLE:
        if table in tables:
            left_out = [column for column in (*INTERNAL, *COUNTS_OF_PERSONS.get(table, ())) if (table, column) in present]
            exclude = f" exclude ({', '.join(left_out)})" if left_out else ""
            connection.execute(f'create table copy_file."{table}" as select *{exclude} from warehouse."{table}"')  # noqa: S608 - our own names
    if "night_roster" in tables:
        columns = ", ".join(NIGHT_ROSTER)
        select = f"select {columns} from warehouse.night_roster order by {columns}"  # noqa: S608 - our own names
        connection.execute(f"create table copy_file.night_roster as {select}")
    areas = _areas(connection)
    _store(connection, "need_count", _needs(connection, areas, limits))
    _store(connection, "stay_count", _stays(connection, areas, limits))
    _store(connection, "youth_count", _youth(connection, areas, limits))
    _store(connection, "night_incident_count", _incidents(connection, areas, limits))
    spend, totals = _spend(connection, limits)
    _store(connection, "spend", spend)
    _store(connection, "spend_total", totals)
    _store(connection, "indicator", _indicators(connection, limits))
    _comment(connection)


def _store(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    connection.register("made", frame)
    connection.execute(f'create table copy_file."{table}" as select * from made')  # noqa: S608 - our own names
    connection.unregister("made")


def _comment(connection: duckdb.DuckDBPyConnection) -> None:
    """Danish text of the contracts on tables and columns, for tools that show comments."""
    held = connection.execute("select table_name, column_name from duckdb_columns() where database_name = 'copy_file'").fetchall()
    for table, column in held:
        declared = _declared(table, column)
        if declared is not None:
            text = str(declared["da"]) + (f" ({declared['unit']})" if declared.get("unit") else "")
            connection.execute(f'comment on column copy_file."{table}"."{column}" is \'{text.replace(chr(39), chr(39) * 2)}\'')
    for table, contract in CONTRACTS.items():
        if any(name == table for name, _ in held):
            connection.execute(f"comment on table copy_file.\"{table}\" is '{contract.da.replace(chr(39), chr(39) * 2)}'")


def _areas(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The region of each municipality on the warehouse's day."""
    rows = connection.execute(
        """
        select municipality.code, coalesce(min(region_membership.region), $unknown)
        from warehouse.municipality
        left join warehouse.region_membership
            on municipality.code = region_membership.municipality
            and coalesce(region_membership.valid_from, date '0001-01-01') <= (select max(meta.as_of) from warehouse.meta)
            and coalesce(region_membership.valid_to, date '9999-12-31') >= (select max(meta.as_of) from warehouse.meta)
        group by municipality.code
        """,
        {"unknown": UNKNOWN},
    ).fetchall()
    return {str(code): str(region) for code, region in rows}


_WEIGHTS = {
    ("municipality", True): 1.0,
    ("region", False): 1.0,
    ("region", True): 8.0,
    (COUNTRY, False): 8.0,
    (COUNTRY, True): 64.0,
}
"""What hiding a cell loses, against its size: a total is missed more than a detail. By level, and whether it is a total over traits."""


def count_by_area(
    rows: Sequence[tuple[str, Mapping[str, str], int]],
    regions: Mapping[str, str],
    traits: Sequence[str],
    threshold: int,
) -> pl.DataFrame:
    """Counts by country, region and municipality, and by country, region and one trait at a time.

    `rows` are (municipality, its traits' values, persons). All counts are one system: a region's total ties its municipalities and each
    trait's values together. Columns: area_level, area, dimension, value, persons (null where hidden), suppressed; no row for zero.
    """
    cells = Cells()
    _area_cells(cells, rows, regions, traits, threshold, prefix=())
    return _frame(cells, cells.hide(threshold), ("area_level", "area", "dimension", "value"), "persons")


def _area_cells(
    cells: Cells,
    rows: Sequence[tuple[str, Mapping[str, str], int]],
    regions: Mapping[str, str],
    traits: Sequence[str],
    threshold: int,
    prefix: tuple[Any, ...],
) -> None:
    counts: dict[tuple[str, str, str, str], int] = {}
    lost = sum(persons for municipality, _, persons in rows if regions.get(municipality, UNKNOWN) == UNKNOWN)
    if 0 < lost < threshold:
        # A few persons of no known region would have to be hidden, and whole regions with them: they are not counted.
        rows = [row for row in rows if regions.get(row[0], UNKNOWN) != UNKNOWN]
    # Each row is touched once for its place and once a trait; regions and the country are sums of those.
    places: dict[str, int] = {}
    by_trait: dict[tuple[str, str, str], int] = {}
    for municipality, values, persons in rows:
        places[municipality] = places.get(municipality, 0) + persons
        region = regions.get(municipality, UNKNOWN)
        for trait in traits:
            of = (region, trait, values.get(trait) or UNKNOWN)
            by_trait[of] = by_trait.get(of, 0) + persons
    for municipality, persons in places.items():
        counts["municipality", municipality, ALL, ALL] = persons
        for level, area in ((COUNTRY, ALL), ("region", regions.get(municipality, UNKNOWN))):
            counts[level, area, ALL, ALL] = counts.get((level, area, ALL, ALL), 0) + persons
    for (region, trait, value), persons in by_trait.items():
        for level, area in ((COUNTRY, ALL), ("region", region)):
            key = (level, area, trait, value)
            counts[key] = counts.get(key, 0) + persons
    number = {
        key: cells.add((*prefix, *key), count, 0 < count < threshold, _WEIGHTS[key[0], key[2] == ALL])
        for key, count in sorted(counts.items(), key=lambda entry: (entry[0][0] != COUNTRY, entry[0]))
    }
    country = (COUNTRY, ALL)
    if not counts:
        return
    found_regions = sorted({key[1] for key in counts if key[0] == "region"})
    municipalities = sorted({key[1] for key in counts if key[0] == "municipality"})
    for region in found_regions:
        inside = [number["municipality", code, ALL, ALL] for code in municipalities if regions.get(code, UNKNOWN) == region]
        cells.total(number["region", region, ALL, ALL], inside)
    cells.total(number[(*country, ALL, ALL)], [number["region", region, ALL, ALL] for region in found_regions])
    for trait in traits:
        values_of = sorted({key[3] for key in counts if key[2] == trait})
        for level, area in (country, *(("region", region) for region in found_regions)):
            parts = [number[key] for value in values_of if (key := (level, area, trait, value)) in number]
            cells.total(number[level, area, ALL, ALL], parts)
        for value in values_of:
            parts = [number[key] for region in found_regions if (key := ("region", region, trait, value)) in number]
            cells.total(number[(*country, trait, value)], parts)


def _frame(cells: Cells, hidden: Sequence[bool], names: Sequence[str], measure: str) -> pl.DataFrame:
    kept = [(key, value, hide) for key, value, hide in zip(cells.keys, cells.values, hidden, strict=True) if value > 0]
    columns: dict[str, pl.Series] = {}
    for place, name in enumerate(names):
        values = [key[place] for key, _, _ in kept]
        columns[name] = pl.Series(name, values, dtype=None if values else pl.String)
    columns[measure] = pl.Series(measure, [None if hide else value for _, value, hide in kept], dtype=pl.Int64)
    columns["suppressed"] = pl.Series("suppressed", [hide for _, _, hide in kept], dtype=pl.Boolean)
    return pl.DataFrame(columns)


NEED_TRAITS = ("target_group", "offer_type", "age", "support_level", "urgency", "least_night_cover", "waiting")


def _needs(connection: duckdb.DuckDBPyConnection, regions: Mapping[str, str], limits: Disclosure) -> pl.DataFrame:
    """Open needs. A list's first value counts: it is the primary."""
    rows = connection.execute(
        """
        select
            need.municipality,
            need.target_groups[1] as target_group,
            need.offer_types[1] as offer_type,
            case
                when need.age < 18 then '00-17' when need.age < 30 then '18-29' when need.age < 45 then '30-44'
                when need.age < 65 then '45-64' when need.age >= 65 then '65+'
            end as age,
            need.support_level::varchar as support_level,
            need.urgency,
            need.least_night_cover,
            case
                when date_diff('day', need.registered_on, meta.as_of) < 90 then '0-2 months'
                when date_diff('day', need.registered_on, meta.as_of) < 180 then '3-5 months'
                when date_diff('day', need.registered_on, meta.as_of) < 365 then '6-11 months'
                else '12+ months'
            end as waiting,
            count(*) as persons
        from warehouse.need, (select max(meta.as_of) as as_of from warehouse.meta) as meta
        where coalesce(need.status, 'open') = 'open'
        group by all
        """
    ).fetchall()
    told = [(str(row[0]), dict(zip(NEED_TRAITS, row[1:8], strict=True)), int(row[8])) for row in rows]
    return count_by_area(told, regions, NEED_TRAITS, limits.threshold)


def _stays(connection: duckdb.DuckDBPyConnection, regions: Mapping[str, str], limits: Disclosure) -> pl.DataFrame:
    """Stays on a day, by who acts and by the region in which the unit lies."""
    rows = connection.execute(
        """
        with days as (
            select max(meta.as_of) as day from warehouse.meta
            union
            select make_date(years.year, 12, 31)
            from (select unnest(range(year(max(meta.as_of)) - 8, year(max(meta.as_of)))) as year from warehouse.meta) as years
        )

        select days.day, stay.municipality, unit.municipality as located, count(distinct stay.person_ref) as heads
        from days
        inner join warehouse.stay on stay.starts_on <= days.day and coalesce(stay.ends_on > days.day, true)
        left join warehouse.unit on stay.unit_id = unit.unit_id
        group by all
        order by days.day
        """
    ).fetchall()
    frames = []
    lies = {located: {"located_region": regions.get(str(located), UNKNOWN)} for _, _, located, _ in rows}
    for day, on_day in itertools.groupby(rows, key=lambda row: row[0]):
        told = [(str(municipality), lies[located], int(heads)) for _, municipality, located, heads in on_day]
        counted = count_by_area(told, regions, ("located_region",), limits.threshold)
        frames.append(counted.insert_column(0, pl.Series("day", [day] * counted.height, dtype=pl.Date)))
    empty = count_by_area([], regions, (), limits.threshold).insert_column(0, pl.Series("day", [], dtype=pl.Date))
    made: pl.DataFrame = pl.concat([empty, *frames])
    return made


YOUTH_TRAITS = ("age", "target_group", "function_level", "expected_offer_type")


def _youth(connection: duckdb.DuckDBPyConnection, regions: Mapping[str, str], limits: Disclosure) -> pl.DataFrame:
    rows = connection.execute(
        """
        select
            youth.municipality,
            youth.age::varchar,
            youth.target_group,
            youth.function_level::varchar,
            youth.expected_offer_type,
            sum(youth.persons)::bigint as persons
        from warehouse.youth
        where youth.persons > 0
        group by all
        """
    ).fetchall()
    told = [(str(row[0]), dict(zip(YOUTH_TRAITS, row[1:5], strict=True)), int(row[5])) for row in rows]
    return count_by_area(told, regions, YOUTH_TRAITS, limits.threshold)


def _few_behind(units: Sequence[tuple[int, int]], threshold: int) -> bool:
    """Whether incidents, told by unit with those who live in it, are few, or those of few people but for a few."""
    incidents, residents = sum(count for count, _ in units), sum(living for _, living in units)
    most, living = max(units)
    return incidents < threshold or residents < threshold or (living < threshold and incidents - most < threshold)


def _incidents(connection: duckdb.DuckDBPyConnection, regions: Mapping[str, str], limits: Disclosure) -> pl.DataFrame:
    """Incidents by year and where the unit lies. Hidden where they are few, where few live behind them, and where nearly all of them are
    those of one unit in which few live.

    Who lives in a unit: the most that any count of that year tells, else its latest count.
    """
    rows = connection.execute(
        """
        with told as (
            select year(night_of) as year, unit_id, count(*) as incidents from warehouse.night_incident group by all
        ),
        counted as (
            select year(as_of) as year, unit_id, max(coalesce(occupied, maximum)) as residents from warehouse.capacity group by all
        ),
        latest as (
            select unit_id, arg_max(coalesce(occupied, maximum), as_of) as residents from warehouse.capacity group by all
        )
        select told.year, unit.municipality, told.incidents, coalesce(counted.residents, latest.residents, 0) as residents
        from told
        inner join warehouse.unit on told.unit_id = unit.unit_id
        left join counted on told.unit_id = counted.unit_id and told.year = counted.year
        left join latest on told.unit_id = latest.unit_id
        order by told.year, unit.municipality, told.unit_id
        """
    ).fetchall()
    frames = []
    for year in sorted({row[0] for row in rows}):
        cells = Cells()
        units: dict[str, list[tuple[int, int]]] = {}
        for at, municipality, incidents, residents in rows:
            if at == year:
                units.setdefault(str(municipality), []).append((int(incidents), int(residents)))
        inside: dict[str, list[int]] = {}
        held: dict[str, list[tuple[int, int]]] = {}
        for municipality, told in units.items():
            region = regions.get(municipality, UNKNOWN)
            key = (int(year), "municipality", municipality)
            inside.setdefault(region, []).append(cells.add(key, sum(count for count, _ in told), _few_behind(told, limits.threshold)))
            held.setdefault(region, []).extend(told)
        region_cells = []
        for region, told in sorted(held.items()):
            few = _few_behind(told, limits.threshold)
            region_cells.append(cells.add((int(year), "region", region), sum(count for count, _ in told), few))
            cells.total(region_cells[-1], inside[region])
        everything = [unit for told in held.values() for unit in told]
        few = _few_behind(everything, limits.threshold)
        cells.total(cells.add((int(year), COUNTRY, ALL), sum(count for count, _ in everything), few), region_cells)
        frames.append(_frame(cells, cells.hide(limits.threshold), ("year", "area_level", "area"), "incidents"))
    schema = {"year": pl.Int64, "area_level": pl.String, "area": pl.String, "incidents": pl.Int64, "suppressed": pl.Boolean}
    return pl.concat([pl.DataFrame(schema=schema), *frames])


def _spend(connection: duckdb.DuckDBPyConnection, limits: Disclosure) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spend line by line, and its totals by municipality and year.

    Where few recipients stand behind a line, neither they nor the amount are told: the amount would be one person's. A line that does
    not tell its recipients is counted as if they were few, unless no line of that municipality and year tells them.
    """
    lines = connection.sql(
        "select municipality, year, offer_type, target_group, amount_ore, recipients from warehouse.spend order by all"
    ).pl()
    keys = ["municipality", "year"]
    recipients: list[int | None] = []
    amounts: list[int | None] = []
    hidden_lines: list[bool] = []
    totals: list[dict[str, Any]] = []
    for group in lines.partition_by(keys, maintain_order=True):
        told = group["recipients"].to_list()
        counted = any(value is not None for value in told)
        cells = Cells()
        numbers = []
        for place, value in enumerate(told):
            few = counted and (value is None or 0 < value < limits.threshold)
            # An untold count takes part as one person: it must be hidden, whatever it is.
            numbers.append(cells.add((place,), 1 if value is None and counted else value or 0, few))
        everyone = sum(cells.values)
        whole = cells.add(("total",), everyone, 0 < everyone < limits.threshold)
        cells.total(whole, numbers)
        hidden = cells.hide(limits.threshold) if counted else [False] * len(cells.keys)
        recipients += [None if hide else value for value, hide in zip(told, hidden, strict=False)]
        amounts += [None if hide else value for value, hide in zip(group["amount_ore"].to_list(), hidden, strict=False)]
        hidden_lines += hidden[: group.height]
        totals.append(
            {
                "municipality": group["municipality"][0],
                "year": group["year"][0],
                "amount_ore": None if hidden[whole] else int(group["amount_ore"].sum()),
                "recipients": None if hidden[whole] or not counted or None in told else everyone,
                "suppressed": hidden[whole],
            }
        )
    shown = lines.with_columns(
        pl.Series("amount_ore", amounts, dtype=pl.Int64),
        pl.Series("recipients", recipients, dtype=pl.Int64),
        pl.Series("suppressed", hidden_lines, dtype=pl.Boolean),
    )
    schema = {
        "municipality": pl.String,
        "year": pl.Int64,
        "amount_ore": pl.Int64,
        "recipients": pl.Int64,
        "suppressed": pl.Boolean,
    }
    return shown, pl.DataFrame(totals, schema=schema)


@dataclass(frozen=True)
class _Bases:
    """How many stand behind a share, a rate or a mean: true values by (municipality, year, code, group), and populations."""

    values: Mapping[tuple[str, int, str, str], float]
    groups: Mapping[tuple[str, int, str], tuple[str, ...]]
    population: Mapping[str, float]
    total: str

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, lines: pl.DataFrame, total: str) -> _Bases:
        values: dict[tuple[str, int, str, str], float] = {}
        groups: dict[tuple[str, int, str], tuple[str, ...]] = {}
        for municipality, year, code, group, value in lines.select("municipality", "year", "code", "group_key", "value").iter_rows():
            values[municipality, year, code, group] = float(value)
            groups[municipality, year, code] = (*groups.get((municipality, year, code), ()), group)
        people = connection.execute("select code, population from warehouse.municipality where population is not null").fetchall()
        return cls(values, groups, {str(code): float(count) for code, count in people}, total)

    def of(self, municipality: str, year: int, base: str, wanted: Sequence[str]) -> tuple[list[float | None], bool]:
        """The base of each group of a figure, None where it is not known; and whether they are one and the same base."""
        if base == POPULATION:
            return [self.population.get(municipality)] * len(wanted), True
        held = self.groups.get((municipality, year, base), ())
        own = [self.values.get((municipality, year, base, group)) for group in wanted]
        if any(group in held for group in wanted if group != self.total):
            return own, False
        if self.total in held:
            return [self.values[municipality, year, base, self.total]] * len(wanted), True
        together = sum(self.values[municipality, year, base, group] for group in held) if held else None
        return [together] * len(wanted), True


def _indicators(connection: duckdb.DuckDBPyConnection, limits: Disclosure) -> pl.DataFrame:
    """Indicators, with small counts of persons hidden, also where they come as a share or a mean.

    1. A value between 0 and the threshold is taken for few persons, unless the code's ending says otherwise: judged value by value.
    2. A share or rate times its base is a count, and so is what is left of the base; a share of few is hidden whatever it is, and so is one
       whose base is not known. A mean over few is hidden: it would be one person's.
    3. The groups of an indicator are tied by their total, also where it is not delivered: somebody may have it from elsewhere.
    """
    lines = connection.sql("select municipality, year, code, group_key, value from warehouse.indicator order by all").pl()
    bases = _Bases.read(connection, lines, limits.indicator_total)
    values: list[float | None] = []
    hidden_all: list[bool] = []
    told = lines.select("municipality", "year", "code", "group_key", "value").iter_rows()
    for (municipality, year, code), group in itertools.groupby(told, key=lambda line: line[:3]):
        keys, numbers = (list(column) for column in zip(*((str(line[3]), float(line[4])) for line in group), strict=True))
        scale = next((scale for ending, scale in limits.indicator_shares.items() if code.endswith(ending)), None)
        base = limits.indicator_bases.get(code, POPULATION if scale == 1000 else "")
        whose, same = bases.of(municipality, year, base, keys)
        if base == PLACES:
            hidden = [False] * len(keys)
        elif scale is not None:
            hidden = _hidden_shares(numbers, whose, keys, scale, limits, same=same)
        elif base:
            hidden = [of is None or 0 < of < limits.base_floor for of in whose]
        elif code.endswith(limits.indicators_not_persons or ("\0",)):
            hidden = [False] * len(keys)
        else:
            counts = [max(round(value), 1 if value > 0 else 0) for value in numbers]
            hidden = _hidden_groups(counts, [0 < value < limits.threshold for value in numbers], keys, limits)
        values += [None if hide else value for value, hide in zip(numbers, hidden, strict=True)]
        hidden_all += hidden
    shown: pl.DataFrame = lines.with_columns(
        pl.Series("value", values, dtype=pl.Float64), pl.Series("suppressed", hidden_all, dtype=pl.Boolean)
    )
    return shown


def _hidden_shares(
    shares: Sequence[float], bases: Sequence[float | None], keys: Sequence[str], scale: float, limits: Disclosure, *, same: bool
) -> list[bool]:
    """Which shares of persons to hide. Shares of one base are tied by the whole of it: what the others leave is the hidden one."""
    counts, few = [], []
    for share, base in zip(shares, bases, strict=True):
        count = 0 if base is None else round(base * share / scale)
        rest = 0 if base is None else round(base) - count
        small = base is None or 0 < base < limits.base_floor or any(0 < one < limits.threshold for one in (count, rest))
        counts.append(max(count, 1 if small else 0))
        few.append(small)
    if not same and limits.indicator_total not in keys:
        # Each has a base of its own: none says anything of another.
        return few
    return _hidden_groups(counts, few, keys, limits)


def _hidden_groups(counts: Sequence[int], few: Sequence[bool], keys: Sequence[str], limits: Disclosure) -> list[bool]:
    """Which groups of one figure to hide, their total among them where it has a row."""
    at = next((place for place, key in enumerate(keys) if key == limits.indicator_total), None)
    parts = [place for place in range(len(keys)) if place != at]
    together = sum(counts[place] for place in parts)
    tied = at is not None and bool(parts) and together <= counts[at] + len(parts) / 2
    cells = Cells()
    for place, count in enumerate(counts):
        # Rounded parts may miss their rounded total by a little, and a part may be missing: the tie holds all the same.
        cells.add((place,), together if tied and place == at else max(count, 0), few[place])
    if tied and at is not None:
        cells.total(at, parts)
    elif len(parts) > 1:
        cells.total(cells.add(("total",), together, sensitive=False, weight=64.0), parts)
    return cells.hide(limits.threshold)[: len(keys)]


def path_of(warehouse_file: Path) -> Path:
    """Where the analyst copy of a published file lies: beside it, `<digest>.analyst.duckdb`."""
    return warehouse_file.with_name(f"{warehouse_file.name.split('.')[0]}.analyst.duckdb")


def current(folder: Path | None = None) -> Path:
    """The analyst copy of the warehouse in force.

    Raises SampladsError `warehouse_missing`, `warehouse_damaged`, `analyst_copy_missing`.
    """
    copy = path_of(warehouse.current(folder).path)
    if not copy.is_file():
        raise SampladsError("analyst_copy_missing")
    return copy


def tables(copy: Path) -> list[str]:
    """The names of its tables."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        connection.execute(f"attach {_quoted(copy)} as copy_file (read_only)")
        rows = connection.execute("select table_name from duckdb_tables() where database_name = 'copy_file' order by all").fetchall()
        return [str(row[0]) for row in rows]
    finally:
        connection.close()


@dataclass(frozen=True)
class Column:
    """A column as the schema browser shows it: its words are None where the copy's own tables have theirs in the catalogue."""

    table: str
    name: str
    type: str
    da: str | None
    en: str | None
    unit: str | None
    sample: tuple[str, ...]


def schema(copy: Path, samples: int = 3) -> list[Column]:
    """Every column with its text, unit and sample values, in the tables' order."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        connection.execute(f"attach {_quoted(copy)} as copy_file (read_only)")
        rows = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where database_name = 'copy_file' "
            "order by table_name, column_index"
        ).fetchall()
        found = []
        for table, name, kind in rows:
            declared = _declared(table, name)
            drawn = connection.execute(
                f'select distinct "{name}"::varchar from (from copy_file."{table}" limit 200) as head '  # noqa: S608 - its own names
                f'where "{name}" is not null order by all limit {int(samples)}'
            ).fetchall()
            found.append(
                Column(
                    table,
                    name,
                    kind,
                    None if declared is None else declared["da"],
                    None if declared is None else declared["en"],
                    None if declared is None else declared.get("unit"),
                    tuple(str(value[0]) for value in drawn),
                )
            )
        return found
    finally:
        connection.close()


def _declared(table: str, column: str) -> Mapping[str, Any] | None:
    """What the contracts say of a column; of `unit_now` and `capacity_latest`, what unit and capacity say."""
    names = {"unit_now": ("unit", "capacity"), "capacity_latest": ("capacity",)}.get(table, (table,))
    for name in names:
        contract = CONTRACTS.get(name)
        declared = contract.columns().get(column) if contract is not None else None
        if declared is not None and declared.metadata:
            return dict(declared.metadata)
    return None
