"""The answers of bench_queries written by hand for one case each: in DuckDB, polars, pandas and SQLite.

Nothing here is general: the case's values stand in the text, filters that the case does not set are left out, and each form uses what its
engine does best. `lay_out` writes the warehouse's tables once more for those that cannot read its file.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from samplads import queries, settings, warehouse

FOLDER = settings.ROOT / "var" / "bench" / "national"
DAY = dt.date(2026, 11, 1)
FRESH, AGEING = 30, 90
AUTISM = "9b3fd322-a75a-4ed8-9b74-425fa1e01c95"
EXTERNALISING = "e1b59a4a-9cc2-4113-a5f1-84af588b02a2"
LAT, LON, REACH_KM = 55.4577, 12.1818, 100.0
FIRST_MONTH, LAST_MONTH = dt.date(2023, 11, 1), dt.date(2026, 11, 1)
UNIT = "A-1042"
OCCUPANCY = 98.0

Rows = list[tuple[Any, ...]]
Answer = pl.DataFrame | pd.DataFrame | Rows


@dataclass(frozen=True)
class Case:
    """A query with the values it is asked with, and the columns by which the forms are compared."""

    parameters: Mapping[str, Any]
    essence: tuple[str, ...]
    sure_only: bool = False

    def rows(self, answer: Answer) -> Rows:
        """The compared columns of an answer."""
        if isinstance(answer, pl.DataFrame):
            kept = answer.filter(pl.col("unknowns").list.len() == 0) if self.sure_only and "unknowns" in answer.columns else answer
            kept = kept.filter(pl.col("active")) if "active" in answer.columns else kept
            return kept.select(self.essence).rows()
        if isinstance(answer, pd.DataFrame):
            return list(answer[list(self.essence)].astype(object).itertuples(index=False, name=None))
        return answer


_BANDS = {"day": DAY, "fresh_days": FRESH, "ageing_days": AGEING}
_FILTERS = {
    **_BANDS,
    **{name: [] for name in ("offer_types", "municipalities", "operator_kinds", "night_covers", "freshness")},
    **dict.fromkeys(("age", "support_level", "open_by", "max_rate_ore")),
    "lat": LAT,
    "lon": LON,
    "max_km": REACH_KM,
    "groups": [AUTISM, EXTERNALISING],
    "all_groups": True,
    "places": "open",
}

CASE = {
    "overview_places": Case(
        {"day": DAY, "fresh_days": FRESH}, ("units", "accepting", "reserved", "occupied", "maximum", "accepting_fresh", "open_units")
    ),
    "vacancies_by_municipality": Case(_BANDS, ("municipality", "units", "open_units", "accepting", "reserved", "occupied", "freshness")),
    "vacant_units": Case(
        _FILTERS | {"language": "da", "occupancy_pct": OCCUPANCY}, ("unit_id", "accepting", "km", "rate_normal_ore", "freshness"), True
    ),
    "vacancy_funnel": Case(_FILTERS, ("filter", "remaining", "accepting")),
    "unit_detail": Case(
        _BANDS | {"language": "da", "occupancy_pct": OCCUPANCY, "unit_id": UNIT},
        ("unit_id", "unit_name", "municipality_name", "accepting", "rate_normal_ore", "freshness"),
    ),
    "open_needs": Case({}, ("need_id", "municipality_name", "registered_on", "urgency", "age")),
    "occupancy_by_month": Case(
        {"grouping": "municipality", "first_month": FIRST_MONTH, "last_month": LAST_MONTH},
        ("group_key", "month", "person_days", "capacity_days", "occupancy_pct"),
    ),
    "occupancy_by_unit": Case({"day": DAY}, ("unit_id", "persons", "capacity")),
}

_OPEN = """
    accepting > 0
    and coalesce(status, 'open') = 'open'
    and approval_status in ('approved', 'not_required')
    and (approval_status = 'not_required' or approved_until is null or approved_until >= date '2026-11-01')
"""
_KM = f"""
    2 * 6371.0088 * asin(least(1, sqrt(
        sin(radians(lat - {LAT}) / 2) ** 2 + cos(radians({LAT})) * cos(radians(lat)) * sin(radians(lon - {LON}) / 2) ** 2)))
"""
_BAND = f"""
    case when confirmed_at >= date '{DAY - dt.timedelta(FRESH)}' then 'fresh'
    when confirmed_at >= date '{DAY - dt.timedelta(AGEING)}' then 'ageing' else 'stale' end
"""


def _reach(group: str) -> str:
    """The groups that an approval may name to cover `group`: those below it and those above."""
    return f"(select list(descendant) from target_group_closure where ancestor = '{group}')"


DUCKDB = {
    "overview_places": f"""
        select count(*) as units,
            sum(accepting) filter (where is_open)::bigint as accepting, sum(reserved)::bigint as reserved,
            sum(occupied)::bigint as occupied, sum(maximum)::bigint as maximum,
            sum(accepting) filter (where is_open and confirmed_at >= date '{DAY - dt.timedelta(FRESH)}')::bigint as accepting_fresh,
            count(*) filter (where is_open) as open_units,
            count(distinct municipality) as municipalities,
            count(distinct municipality) filter (where is_open) as open_municipalities,
            count(*) filter (where single_person and night_cover in ('awake', 'sleeping')) as night_units,
            count(distinct municipality) filter (where single_person and night_cover in ('awake', 'sleeping')) as night_municipalities,
            sum(accepting) filter (where not is_open and may_open)::bigint as accepting_unsure,
            sum(accepting) filter (
                where is_open and confirmed_at between date '{DAY.replace(day=1)}' and date '{DAY}'
            )::bigint as accepting_month
        from (
            select *, coalesce({_OPEN}, false) as is_open,
                coalesce(status, 'open') <> 'closed' and coalesce(approval_status not in ('suspended', 'withdrawn'), true)
                and coalesce(approved_until >= date '{DAY}' or approval_status = 'not_required', true) as may_open
            from unit_now
        )
    """,
    "vacancies_by_municipality": f"""
        select summed.*, municipality.name as municipality_name, municipality.lat, municipality.lon,
            case when fresh * 2 > accepting then 'fresh' when (fresh + ageing) * 2 > accepting then 'ageing' else 'stale' end as freshness
        from (
            select municipality, count(*) as units, count(*) filter (where open_now > 0) as open_units,
                sum(open_now)::bigint as accepting, coalesce(sum(reserved), 0)::bigint as reserved,
                coalesce(sum(occupied), 0)::bigint as occupied, sum(maximum)::bigint as maximum,
                coalesce(sum(open_now) filter (where band = 'fresh'), 0)::bigint as fresh,
                coalesce(sum(open_now) filter (where band = 'ageing'), 0)::bigint as ageing
            from (select *, if(coalesce({_OPEN}, false), accepting, 0) as open_now, {_BAND} as band from unit_now)
            group by municipality
        ) as summed
        left join municipality on summed.municipality = municipality.code
        order by accepting desc, municipality_name
    """,
    "vacant_units": f"""
        with found as (
            select *, {_KM} as km, {_BAND} as freshness,
                date_diff('day', confirmed_at, date '{DAY}') as confirmed_days,
                round(daily_rate_ore * assumed_occupancy_pct / {OCCUPANCY})::bigint as rate_normal_ore,
                coalesce(status, 'open') in ('waiting_list', 'needs_assessment') as asks_intake,
                approval_status is null or approval_status = 'conditional' as asks_approval,
                len(primary_groups) + len(secondary_groups) = 0 as asks_groups
            from unit_now
            where coalesce(accepting > 0, true) and coalesce(status <> 'closed', true)
                and coalesce(approval_status not in ('suspended', 'withdrawn'), true)
                and coalesce(approved_until >= date '{DAY}' or approval_status = 'not_required', true)
                and (len(primary_groups) + len(secondary_groups) = 0
                    or (list_has_any(covered_primary || covered_secondary, {_reach(AUTISM)})
                        and list_has_any(covered_primary || covered_secondary, {_reach(EXTERNALISING)})))
                and not list_has_any(covered_excluded, ['{AUTISM}', '{EXTERNALISING}'])
                and coalesce({_KM} <= {REACH_KM}, true)
        ),
        words as (select map_from_entries(list((code, da))) as da from target_group)
        select found.* exclude (covered_primary, covered_secondary, covered_excluded, note, cvr, p_number, address, funded),
            coalesce(offer_type.paragraph || ' · ', '') || offer_type.da as offer_type_name,
            list_sort(list_transform(primary_groups, lambda code: coalesce(words.da[code], code))) as primary_names,
            list_sort(list_transform(secondary_groups, lambda code: coalesce(words.da[code], code))) as secondary_names,
            list_sort(list_transform(excluded_groups, lambda code: coalesce(words.da[code], code))) as excluded_names,
            list_filter([if(accepting is null, 'places', null), if(asks_intake, 'intake', null), if(asks_approval, 'approval', null),
                if(asks_groups, 'groups', null), if(km is null, 'max_km', null)], lambda name: name is not null) as unknowns
        from found cross join words left join offer_type on found.offer_type = offer_type.code
        order by len(unknowns) > 0, case freshness when 'fresh' then 0 when 'ageing' then 1 else 2 end, km nulls last,
            rate_normal_ore nulls last, unit_id
    """,
    "vacancy_funnel": f"""
        with judged as (
            select accepting,
                coalesce({_OPEN}, false) as is_open,
                coalesce(list_has_any(covered_primary || covered_secondary, {_reach(AUTISM)})
                    and list_has_any(covered_primary || covered_secondary, {_reach(EXTERNALISING)})
                    and not list_has_any(covered_excluded, ['{AUTISM}', '{EXTERNALISING}']), false) as is_group,
                coalesce({_KM} <= {REACH_KM}, false) as is_near
            from unit_now
        ),
        summed as (
            select count(*) as n0, count(*) filter (where is_open) as n1, count(*) filter (where is_open and is_group) as n2,
                count(*) filter (where is_open and is_group and is_near) as n3,
                coalesce(sum(accepting) filter (where is_open), 0)::bigint as a1,
                coalesce(sum(accepting) filter (where is_open and is_group), 0)::bigint as a2,
                coalesce(sum(accepting) filter (where is_open and is_group and is_near), 0)::bigint as a3
            from judged
        )
        select unnest(['all_units', 'places', 'groups', 'max_km']) as filter, unnest([n0, n1, n2, n3]) as remaining,
            unnest([a1, a1, a2, a3]) as accepting
        from summed
    """,
    "unit_detail": f"""
        select unit_now.* exclude (covered_primary, covered_secondary, covered_excluded, name), name as unit_name,
            coalesce(offer_type.paragraph || ' · ', '') || offer_type.da as offer_type_name,
            (select list(da order by da) from target_group where list_contains(unit_now.primary_groups, code)) as primary_names,
            (select list(da order by da) from target_group where list_contains(unit_now.secondary_groups, code)) as secondary_names,
            (select list(da order by da) from target_group where list_contains(unit_now.excluded_groups, code)) as excluded_names,
            round(daily_rate_ore * assumed_occupancy_pct / {OCCUPANCY})::bigint as rate_normal_ore,
            date_diff('day', confirmed_at, date '{DAY}') as confirmed_days, {_BAND} as freshness
        from unit_now left join offer_type on unit_now.offer_type = offer_type.code
        where unit_id = '{UNIT}'
    """,
    "open_needs": """
        select need.* exclude (delivery_digest), municipality.name as municipality_name
        from need left join municipality on need.municipality = municipality.code
        where need.status = 'open' or need.status is null
        order by registered_on, need_id
    """,
    "occupancy_by_month": f"""
        select unit_now.municipality as group_key, month, sum(person_days)::bigint as person_days,
            sum(capacity_days)::bigint as capacity_days,
            coalesce(sum(person_days) filter (where capacity_days > 0), 0)::bigint as covered_days,
            round(100.0 * sum(person_days) filter (where capacity_days > 0) / nullif(sum(capacity_days), 0), 1) as occupancy_pct
        from unit_month join unit_now using (unit_id)
        where month between date '{FIRST_MONTH}' and date '{LAST_MONTH}'
        group by all
        order by all
    """,
    "occupancy_by_unit": f"""
        select unit_id, coalesce(persons, 0) as persons, coalesce(maximum, 0) as capacity
        from (
            select unit_id, max(maximum) as most, arg_max(maximum, as_of) filter (where as_of <= date '{DAY}') as maximum
            from capacity group by unit_id
        )
        left join (
            select unit_id, count(*) as persons from stay
            where starts_on <= date '{DAY}' and (ends_on > date '{DAY}' or ends_on is null) group by unit_id
        ) using (unit_id)
        where most > 0 and (persons > 0 or maximum > 0)
        order by unit_id
    """,
}

TABLES = ("unit_now", "need", "stay", "capacity", "unit_month", "municipality", "offer_type", "target_group", "target_group_closure")
_LISTS = ("primary_groups", "secondary_groups", "excluded_groups", "covered_primary", "covered_secondary", "covered_excluded")


def lay_out(file: Path) -> None:
    """The warehouse's tables as Parquet for polars and pandas, and as an indexed SQLite file."""
    target = FOLDER / "tables"
    target.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        quoted = str(file).replace("'", "''")
        connection.execute(f"attach '{quoted}' as warehouse (read_only)")
        connection.execute("use warehouse")
        for table in TABLES:
            connection.execute(f"copy {table} to '{target / table}.parquet'")
    database = target / "tables.sqlite"
    database.unlink(missing_ok=True)
    with sqlite3.connect(database) as lite:
        for table in TABLES:
            frame = pl.read_parquet(target / f"{table}.parquet")
            plain = frame.drop([name for name, kind in frame.schema.items() if isinstance(kind, pl.List)])
            _store(lite, table, plain)
        units = pl.read_parquet(target / "unit_now.parquet")
        covered = [units.select("unit_id", pl.col(name).alias("target_group")).explode("target_group").drop_nulls() for name in _LISTS]
        _store(lite, "unit_covers", pl.concat([covered[3], covered[4]]).unique(maintain_order=True))
        _store(lite, "unit_excludes", covered[5].unique(maintain_order=True))
        for table, columns in (
            ("unit_now", "unit_id"),
            ("unit_covers", "target_group, unit_id"),
            ("unit_excludes", "target_group, unit_id"),
            ("target_group_closure", "ancestor, descendant"),
            ("municipality", "code"),
            ("unit_month", "month, unit_id, person_days, capacity_days"),
            ("stay", "starts_on, ends_on, unit_id"),
            ("capacity", "unit_id, as_of, maximum"),
            ("need", "registered_on, need_id"),
        ):
            lite.execute(f"create index {table}_{columns.split(',')[0]} on {table} ({columns})")
        lite.execute("analyze")


def _store(lite: sqlite3.Connection, table: str, frame: pl.DataFrame) -> None:
    text = frame.with_columns(pl.col(pl.Date).cast(pl.String))
    lite.execute(f"create table {table} ({', '.join(text.columns)})")
    lite.executemany(f"insert into {table} values ({', '.join('?' * text.width)})", text.iter_rows())


def _read(table: str) -> pl.DataFrame:
    return pl.read_parquet(FOLDER / "tables" / f"{table}.parquet")


def ways(way: str) -> Mapping[str, Callable[[], Answer]]:
    """The forms of one engine, by query."""
    return {"duckdb": _by_duckdb, "polars": _by_polars, "pandas": _by_pandas, "sqlite": _by_sqlite}[way]()


def _by_duckdb() -> Mapping[str, Callable[[], Answer]]:
    connection = duckdb.connect()
    quoted = str(warehouse.current(FOLDER / "warehouse").path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as warehouse (read_only)")

    def ask(sql: str) -> Callable[[], Answer]:
        def asked() -> pl.DataFrame:
            with connection.cursor() as cursor:
                cursor.execute("use warehouse")
                return cursor.sql(sql).pl()

        return asked

    return {name: ask(sql) for name, sql in DUCKDB.items()}


def _by_polars() -> Mapping[str, Callable[[], Answer]]:
    units, needs, stays, counts, months, towns = (
        _read(name).lazy() for name in ("unit_now", "need", "stay", "capacity", "unit_month", "municipality")
    )
    closure = _read("target_group_closure")
    status, approval = pl.col("status").fill_null("open"), pl.col("approval_status")
    is_open = (
        (pl.col("accepting") > 0)
        & (status == "open")
        & approval.is_in(["approved", "not_required"])
        & ((approval == "not_required") | (pl.col("approved_until") >= DAY).fill_null(True))
    ).fill_null(False)
    band = (
        pl.when(pl.col("confirmed_at") >= DAY - dt.timedelta(FRESH))
        .then(pl.lit("fresh"))
        .when(pl.col("confirmed_at") >= DAY - dt.timedelta(AGEING))
        .then(pl.lit("ageing"))
        .otherwise(pl.lit("stale"))
    )
    lat, lon = pl.col("lat").radians(), pl.col("lon").radians()
    half = ((lat - math.radians(LAT)) / 2).sin() ** 2 + math.cos(math.radians(LAT)) * lat.cos() * ((lon - math.radians(LON)) / 2).sin() ** 2
    km = 2 * 6371.0088 * half.sqrt().arcsin()
    reach = {group: closure.filter(pl.col("ancestor") == group)["descendant"].to_list() for group in (AUTISM, EXTERNALISING)}
    covered = pl.concat_list("covered_primary", "covered_secondary")
    meets = pl.lit(True)
    for group in (AUTISM, EXTERNALISING):
        meets &= covered.list.set_intersection(pl.lit(reach[group])).list.len() > 0
        meets &= ~pl.col("covered_excluded").list.contains(group)
    rate = (pl.col("daily_rate_ore") * pl.col("assumed_occupancy_pct") / OCCUPANCY + 0.5).floor()
    open_now = pl.when(is_open).then(pl.col("accepting")).otherwise(0)

    def places() -> pl.DataFrame:
        fresh = pl.col("confirmed_at") >= DAY - dt.timedelta(FRESH)
        return units.select(
            pl.len().alias("units"),
            open_now.sum().alias("accepting"),
            pl.col("reserved", "occupied", "maximum").sum(),
            pl.col("accepting").filter(is_open & fresh).sum().alias("accepting_fresh"),
            is_open.sum().alias("open_units"),
        ).collect()

    def by_town() -> pl.DataFrame:
        return (
            units.with_columns(open_now.alias("open_now"), band.alias("band"))
            .group_by("municipality", "municipality_name")
            .agg(
                pl.len().alias("units"),
                (pl.col("open_now") > 0).sum().alias("open_units"),
                pl.col("open_now").sum().alias("accepting"),
                pl.col("reserved", "occupied", "maximum").sum(),
                pl.col("open_now").filter(pl.col("band") == "fresh").sum().alias("fresh"),
                pl.col("open_now").filter(pl.col("band") == "ageing").sum().alias("ageing"),
            )
            .with_columns(
                pl.when(pl.col("fresh") * 2 > pl.col("accepting"))
                .then(pl.lit("fresh"))
                .when((pl.col("fresh") + pl.col("ageing")) * 2 > pl.col("accepting"))
                .then(pl.lit("ageing"))
                .otherwise(pl.lit("stale"))
                .alias("freshness")
            )
            .sort(["accepting", "municipality_name"], descending=[True, False])
            .collect()
        )

    def vacant() -> pl.DataFrame:
        return (
            units.filter(is_open & meets)
            .with_columns(km.alias("km"), band.alias("freshness"), rate.alias("rate_normal_ore"))
            .filter(pl.col("km") <= REACH_KM)
            .sort(
                pl.col("freshness").replace_strict({"fresh": 0, "ageing": 1, "stale": 2}, return_dtype=pl.Int8),
                "km",
                "rate_normal_ore",
                "unit_id",
                nulls_last=True,
            )
            .collect()
        )

    def funnel() -> pl.DataFrame:
        told = units.select(pl.col("accepting"), is_open.alias("o"), meets.alias("g"), (km <= REACH_KM).fill_null(False).alias("n"))
        steps = {"places": pl.col("o"), "groups": pl.col("o") & pl.col("g"), "max_km": pl.col("o") & pl.col("g") & pl.col("n")}
        row = told.select(
            pl.len().alias("all_units"),
            *(step.sum().alias(name) for name, step in steps.items()),
            *(pl.col("accepting").filter(step).sum().alias(f"a_{name}") for name, step in steps.items()),
        ).collect()
        names = ["all_units", *steps]
        open_places = [row["a_places"][0], *(row[f"a_{name}"][0] for name in steps)]
        return pl.DataFrame({"filter": names, "remaining": [row[name][0] for name in names], "accepting": open_places})

    def detail() -> pl.DataFrame:
        one = units.filter(pl.col("unit_id") == UNIT)
        return one.with_columns(pl.col("name").alias("unit_name"), rate.alias("rate_normal_ore"), band.alias("freshness")).collect()

    def waiting() -> pl.DataFrame:
        named = towns.select(pl.col("code").alias("municipality"), pl.col("name").alias("municipality_name"))
        told = needs.filter(pl.col("status").fill_null("open") == "open").join(named, on="municipality", how="left")
        return told.sort("registered_on", "need_id").collect()

    def occupancy() -> pl.DataFrame:
        within = pl.col("capacity_days") > 0
        return (
            months.filter(pl.col("month").is_between(FIRST_MONTH, LAST_MONTH))
            .join(units.select("unit_id", pl.col("municipality").alias("group_key")), on="unit_id")
            .group_by("group_key", "month")
            .agg(
                pl.col("person_days", "capacity_days").sum(),
                (100 * pl.col("person_days").filter(within).sum() / pl.col("capacity_days").sum()).alias("pct"),
            )
            .with_columns(pl.when(pl.col("capacity_days") > 0).then((pl.col("pct") * 10 + 0.5).floor() / 10).alias("occupancy_pct"))
            .sort("group_key", "month")
            .collect()
        )

    def present() -> pl.DataFrame:
        here = stays.filter((pl.col("starts_on") <= DAY) & (pl.col("ends_on").is_null() | (pl.col("ends_on") > DAY)))
        persons = here.group_by("unit_id").agg(pl.len().cast(pl.Int64).alias("persons"))
        last = counts.filter(pl.col("as_of") <= DAY).sort("as_of").group_by("unit_id").agg(pl.col("maximum").last().alias("capacity"))
        both = persons.join(last, on="unit_id", how="full", coalesce=True).with_columns(pl.col("persons", "capacity").fill_null(0))
        return both.filter((pl.col("persons") > 0) | (pl.col("capacity") > 0)).sort("unit_id").collect()

    return dict(zip(CASE, (places, by_town, vacant, funnel, detail, waiting, occupancy, present), strict=True))


def _by_pandas() -> Mapping[str, Callable[[], Answer]]:
    def read(table: str) -> pd.DataFrame:
        frame: pd.DataFrame = _read(table).to_pandas()
        return frame

    units, needs, stays, counts, months, towns = (
        read(name) for name in ("unit_now", "need", "stay", "capacity", "unit_month", "municipality")
    )
    closure = read("target_group_closure")
    day = pd.Timestamp(DAY)
    reach = {group: set(closure.loc[closure["ancestor"] == group, "descendant"]) for group in (AUTISM, EXTERNALISING)}

    def is_open(frame: pd.DataFrame) -> pd.Series[bool]:
        approval = frame["approval_status"]
        until = pd.to_datetime(frame["approved_until"])
        return (
            (frame["accepting"] > 0)
            & (frame["status"].fillna("open") == "open")
            & approval.isin(["approved", "not_required"])
            & ((approval == "not_required") | until.isna() | (until >= day))
        )

    def band(frame: pd.DataFrame) -> Any:
        age = (day - pd.to_datetime(frame["confirmed_at"])).dt.days
        return np.select([age <= FRESH, age <= AGEING], ["fresh", "ageing"], "stale")

    def km(frame: pd.DataFrame) -> Any:
        lat, lon = np.radians(frame["lat"].to_numpy(dtype=float)), np.radians(frame["lon"].to_numpy(dtype=float))
        home = math.radians(LAT)
        half = np.sin((lat - home) / 2) ** 2 + math.cos(home) * np.cos(lat) * np.sin((lon - math.radians(LON)) / 2) ** 2
        return 2 * 6371.0088 * np.arcsin(np.sqrt(half))

    def meets(frame: pd.DataFrame) -> Any:
        return np.array(
            [
                all(not wanted.isdisjoint(first) or not wanted.isdisjoint(second) for wanted in reach.values())
                and AUTISM not in shut
                and EXTERNALISING not in shut
                for first, second, shut in zip(frame["covered_primary"], frame["covered_secondary"], frame["covered_excluded"], strict=True)
            ],
            dtype=bool,
        )

    def rate(frame: pd.DataFrame) -> Any:
        return np.floor(frame["daily_rate_ore"] * frame["assumed_occupancy_pct"] / OCCUPANCY + 0.5)

    def places() -> pd.DataFrame:
        opened = is_open(units)
        fresh = band(units) == "fresh"
        told: dict[str, Any] = {
            "units": len(units),
            "accepting": units.loc[opened, "accepting"].sum(),
            **{name: units[name].sum() for name in ("reserved", "occupied", "maximum")},
            "accepting_fresh": units.loc[opened & fresh, "accepting"].sum(),
            "open_units": opened.sum(),
        }
        return pd.DataFrame([told])

    def by_town() -> pd.DataFrame:
        told = units.assign(now=units["accepting"].where(is_open(units), 0), band=band(units))
        told["fresh"] = told["now"].where(told["band"] == "fresh", 0)
        told["ageing"] = told["now"].where(told["band"] == "ageing", 0)
        told["opened"] = told["now"] > 0
        summed = told.groupby(["municipality", "municipality_name"], as_index=False).agg(
            units=("unit_id", "size"),
            open_units=("opened", "sum"),
            accepting=("now", "sum"),
            reserved=("reserved", "sum"),
            occupied=("occupied", "sum"),
            fresh=("fresh", "sum"),
            ageing=("ageing", "sum"),
        )
        summed["freshness"] = np.select(
            [summed["fresh"] * 2 > summed["accepting"], (summed["fresh"] + summed["ageing"]) * 2 > summed["accepting"]],
            ["fresh", "ageing"],
            "stale",
        )
        return summed.sort_values(["accepting", "municipality_name"], ascending=[False, True])

    def vacant() -> pd.DataFrame:
        left = units[is_open(units)]
        left = left[meets(left)]
        left = left.assign(km=km(left), freshness=band(left), rate_normal_ore=rate(left))
        left = left[left["km"] <= REACH_KM]
        order = left["freshness"].map({"fresh": 0, "ageing": 1, "stale": 2})
        return left.assign(order=order).sort_values(["order", "km", "rate_normal_ore", "unit_id"], na_position="last")

    def funnel() -> pd.DataFrame:
        first = is_open(units).to_numpy()
        second = first & meets(units)
        third = second & (km(units) <= REACH_KM)
        accepting = units["accepting"].fillna(0).to_numpy()
        sums = [accepting[mask].sum() for mask in (first, first, second, third)]
        counted = [len(units), first.sum(), second.sum(), third.sum()]
        return pd.DataFrame({"filter": ["all_units", "places", "groups", "max_km"], "remaining": counted, "accepting": sums})

    def detail() -> pd.DataFrame:
        one = units[units["unit_id"] == UNIT]
        return one.assign(unit_name=one["name"], rate_normal_ore=rate(one), freshness=band(one))

    def waiting() -> pd.DataFrame:
        told = needs[needs["status"].fillna("open") == "open"]
        named = towns[["code", "name"]].rename(columns={"code": "municipality", "name": "municipality_name"})
        return told.merge(named, on="municipality", how="left").sort_values(["registered_on", "need_id"])

    def occupancy() -> pd.DataFrame:
        month = pd.to_datetime(months["month"])
        told = months[(month >= pd.Timestamp(FIRST_MONTH)) & (month <= pd.Timestamp(LAST_MONTH))]
        told = told.merge(units[["unit_id", "municipality"]], on="unit_id").rename(columns={"municipality": "group_key"})
        told["covered"] = told["person_days"].where(told["capacity_days"] > 0, 0)
        summed = told.groupby(["group_key", "month"], as_index=False)[["person_days", "capacity_days", "covered"]].sum()
        share = 100 * summed["covered"] / summed["capacity_days"].where(summed["capacity_days"] > 0)
        summed["occupancy_pct"] = np.floor(share * 10 + 0.5) / 10
        return summed.sort_values(["group_key", "month"])

    def present() -> pd.DataFrame:
        starts, ends = pd.to_datetime(stays["starts_on"]), pd.to_datetime(stays["ends_on"])
        persons = stays[(starts <= day) & (ends.isna() | (ends > day))].groupby("unit_id").size().rename("persons")
        told = counts[pd.to_datetime(counts["as_of"]) <= day].sort_values("as_of")
        capacity = told.groupby("unit_id")["maximum"].last().rename("capacity")
        both = pd.concat([persons, capacity], axis=1).fillna(0).reset_index(names="unit_id")
        return both[(both["persons"] > 0) | (both["capacity"] > 0)].sort_values("unit_id")

    return dict(zip(CASE, (places, by_town, vacant, funnel, detail, waiting, occupancy, present), strict=True))


_LITE_OPEN = _OPEN.replace("date '", "'")
_LITE_BAND = _BAND.replace("date '", "'")
_LITE_RATE = f"cast(daily_rate_ore * assumed_occupancy_pct / {OCCUPANCY} + 0.5 as integer)"


def _lite_covers(group: str) -> str:
    return (
        "unit_id in (select unit_id from unit_covers join target_group_closure on target_group = descendant "
        f"where ancestor = '{group}') and unit_id not in (select unit_id from unit_excludes where target_group = '{group}')"
    )


_LITE_MEETS = f"{_lite_covers(AUTISM)} and {_lite_covers(EXTERNALISING)}"
_LITE_KM = (
    _KM.replace("least(1, ", "min(1, ")
    .replace(" ** 2", "")
    .replace("sin(radians(lat", "sin2(radians(lat")
    .replace("sin(radians(lon", "sin2(radians(lon")
)

SQLITE = {
    "overview_places": f"""
        select count(*), sum(case when {_LITE_OPEN} then accepting else 0 end), sum(reserved), sum(occupied), sum(maximum),
            sum(case when {_LITE_OPEN} and confirmed_at >= '{DAY - dt.timedelta(FRESH)}' then accepting else 0 end),
            sum(case when {_LITE_OPEN} then 1 else 0 end)
        from unit_now
    """,
    "vacancies_by_municipality": f"""
        select municipality, units, open_units, accepting, reserved, occupied,
            case when fresh * 2 > accepting then 'fresh' when (fresh + ageing) * 2 > accepting then 'ageing' else 'stale' end
        from (
            select municipality, municipality_name, count(*) as units, sum(now > 0) as open_units, sum(now) as accepting,
                coalesce(sum(reserved), 0) as reserved, coalesce(sum(occupied), 0) as occupied,
                sum(case when band = 'fresh' then now else 0 end) as fresh, sum(case when band = 'ageing' then now else 0 end) as ageing
            from (select *, case when {_LITE_OPEN} then accepting else 0 end as now, {_LITE_BAND} as band from unit_now)
            group by municipality
        )
        order by accepting desc, municipality_name
    """,
    "vacant_units": f"""
        select unit_id, accepting, km, rate, freshness
        from (
            select *, {_LITE_KM} as km, {_LITE_BAND} as freshness, {_LITE_RATE} as rate from unit_now where {_LITE_OPEN} and {_LITE_MEETS}
        )
        where km <= {REACH_KM}
        order by case freshness when 'fresh' then 0 when 'ageing' then 1 else 2 end, km, rate is null, rate, unit_id
    """,
    "vacancy_funnel": f"""
        with judged as (
            select accepting, coalesce({_LITE_OPEN}, 0) as o, {_LITE_MEETS} as g, coalesce({_LITE_KM} <= {REACH_KM}, 0) as n from unit_now
        )
        select 'all_units', count(*), sum(case when o then accepting else 0 end) from judged
        union all select 'places', sum(o), sum(case when o then accepting else 0 end) from judged
        union all select 'groups', sum(o and g), sum(case when o and g then accepting else 0 end) from judged
        union all select 'max_km', sum(o and g and n), sum(case when o and g and n then accepting else 0 end) from judged
    """,
    "unit_detail": f"""
        select unit_id, name, municipality_name, accepting, {_LITE_RATE}, {_LITE_BAND} from unit_now where unit_id = '{UNIT}'
    """,
    "open_needs": """
        select need_id, municipality.name, registered_on, urgency, age
        from need left join municipality on need.municipality = municipality.code
        where status = 'open' or status is null
        order by registered_on, need_id
    """,
    "occupancy_by_month": f"""
        select municipality, month, sum(person_days), sum(capacity_days),
            round(100.0 * sum(case when capacity_days > 0 then person_days end) / nullif(sum(capacity_days), 0) + 1e-9, 1)
        from unit_month join unit_now using (unit_id)
        where month between '{FIRST_MONTH}' and '{LAST_MONTH}'
        group by municipality, month
        order by municipality, month
    """,
    "occupancy_by_unit": f"""
        with present as (
            select unit_id, count(*) as persons from stay
            where starts_on <= '{DAY}' and (ends_on > '{DAY}' or ends_on is null) group by unit_id
        ),
        in_force as (select unit_id, max(as_of), maximum from capacity where as_of <= '{DAY}' group by unit_id)
        select coalesce(present.unit_id, in_force.unit_id) as unit_id, coalesce(persons, 0) as persons, coalesce(maximum, 0) as capacity
        from present full join in_force on present.unit_id = in_force.unit_id
        where persons > 0 or maximum > 0
        order by 1
    """,
}


def _by_sqlite() -> Mapping[str, Callable[[], Answer]]:
    lite = sqlite3.connect(FOLDER / "tables" / "tables.sqlite")
    lite.execute("pragma mmap_size = 2000000000")
    lite.execute("pragma cache_size = -500000")
    lite.create_function("sin2", 1, lambda angle: None if angle is None else math.sin(angle) ** 2, deterministic=True)

    def ask(sql: str) -> Callable[[], Answer]:
        return lambda: lite.execute(sql).fetchall()

    return {name: ask(sql) for name, sql in SQLITE.items()}


def daily() -> Mapping[str, Callable[[], int]]:
    """Occupancy by municipality and month from the 20 million unit-days themselves; each returns its number of rows."""
    file = FOLDER / "delivery" / "daily.parquet"
    within = f"between date '{FIRST_MONTH}' and date '{DAY}'"
    units = FOLDER / "tables" / "unit_now.parquet"
    connection = duckdb.connect()
    sql = f"""
        select municipality, date_trunc('month', day) as month, sum(persons) as person_days, sum(capacity) as capacity_days
        from '{file}' join '{units}' using (unit_id) where day {within} group by all order by all
    """

    def by_polars() -> int:
        frame = (
            pl.scan_parquet(file)
            .filter(pl.col("day").is_between(FIRST_MONTH, DAY))
            .with_columns(pl.col("unit_id").cast(pl.String))
            .join(pl.scan_parquet(units).select("unit_id", "municipality"), on="unit_id")
            .group_by("municipality", pl.col("day").dt.truncate("1mo").alias("month"))
            .agg(pl.col("persons", "capacity").cast(pl.Int64).sum())
            .sort("municipality", "month")
            .collect(engine="streaming")
        )
        return frame.height

    return {"DuckDB by hand": lambda: len(connection.sql(sql).fetchall()), "polars lazy": by_polars}


def page(name: str) -> pl.DataFrame:
    """The page's own answer."""
    return queries.run(name, warehouse.current(FOLDER / "warehouse").path, **CASE[name].parameters)
