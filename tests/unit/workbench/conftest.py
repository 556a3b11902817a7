"""A small warehouse with made-up rows in the published shape, and its analyst copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from samplads import policy
from samplads.contracts import CONTRACTS
from samplads.workbench import analyst_copy, worker

AS_OF = dt.date(2026, 11, 1)
REGIONS = ("Nord", "Midt", "Syd")
DISCLOSURE = analyst_copy.Disclosure.from_values(policy.load("disclosure", AS_OF).values)
GROUPS = ("autism", "outward", "self-harm", "psychosis")
TYPES = ("A107", "A108", "A110")


def make_warehouse(path: Path, seed: int = 7, needs: int = 160, municipalities: int = 9) -> None:
    """Write a warehouse file. Counts are spread unevenly, so that small cells occur on every level."""
    draw = np.random.default_rng(seed)
    codes = [f"{100 + nth}" for nth in range(municipalities)]
    region_of = {code: REGIONS[nth % len(REGIONS)] for nth, code in enumerate(codes)}
    uneven = draw.dirichlet(np.full(municipalities, 0.6))

    def some(pool: tuple[str, ...] | list[str], weights: np.ndarray | None = None) -> str:
        return str(draw.choice(pool, p=weights))

    def day(first: int = 2019) -> dt.date:
        return dt.date(first, 1, 1) + dt.timedelta(days=int(draw.integers(0, (AS_OF - dt.date(first, 1, 1)).days)))

    units = [
        {
            "unit_id": f"A-{nth}",
            "offer_id": f"T-{nth // 2}",
            "name": f"Hus {nth}",
            "municipality": some(codes),
            "offer_type": some(TYPES),
            "operator": "Kommunen",
            "operator_kind": "municipal",
            "night_cover": some(("awake", "sleeping", "on_call", "none")),
            "single_person": bool(nth % 10 == 0),
            "daily_rate_ore": int(draw.integers(100_000, 900_000)),
            "price_year": 2026,
            "budgeted_occupancy_pct": 95.0,
            "approved_until": AS_OF + dt.timedelta(days=int(draw.integers(-100, 900))),
            "lat": 55 + float(draw.random()),
            "lon": 9 + float(draw.random()),
        }
        for nth in range(40)
    ]
    capacity = []
    for unit in units:
        maximum = 1 if unit["single_person"] else int(draw.integers(2, 12))
        for month in (8, 9, 10):
            occupied = int(draw.integers(0, maximum + 1))
            capacity.append(
                {
                    "unit_id": unit["unit_id"],
                    "as_of": dt.date(2026, month, 1),
                    "maximum": maximum,
                    "occupied": occupied,
                    "reserved": 0,
                    "accepting": maximum - occupied,
                    "status": "open",
                    "confirmed_by": "leder",
                    "confirmed_at": dt.date(2026, month, 1),
                }
            )
    rows: dict[str, list[dict[str, object]]] = {
        "unit": units,
        "target_group_approval": [
            {"unit_id": unit["unit_id"], "target_group": group, "rank": rank}
            for nth, unit in enumerate(units)
            for group, rank in zip(GROUPS[nth % 3 : nth % 3 + 2], ("primary", "secondary"), strict=True)
        ],
        "capacity": capacity,
        "need": [
            {
                "need_id": f"N-{nth}",
                "municipality": some(codes, uneven),
                "registered_on": day(2025),
                "status": some(("open", "open", "placed")),
                "offer_types": [some(TYPES)],
                "target_groups": [some(GROUPS, np.array([0.6, 0.3, 0.07, 0.03]))],
                "age": int(draw.integers(16, 80)),
                "support_level": int(draw.integers(0, 5)),
                "urgency": some(("normal", "urgent", "acute")),
            }
            for nth in range(needs)
        ],
        "stay": [
            {
                "stay_id": f"S-{nth}",
                "person_ref": f"p-{nth}",
                "unit_id": some([str(unit["unit_id"]) for unit in units]),
                "municipality": some(codes, uneven),
                "starts_on": day(),
                "ends_on": None if nth % 3 else AS_OF,
            }
            for nth in range(260)
        ],
        "night_roster": [
            {
                "unit_id": unit["unit_id"],
                "valid_from": dt.date(2026, 1, 1),
                "night_cover": unit["night_cover"],
                "posts": 1,
                "shift_start": dt.time(23),
                "shift_end": dt.time(7),
                "monthly_pay_ore": 3_450_000,
                "one_to_one": True,
            }
            for unit in units
        ],
        "night_incident": [
            {"incident_id": f"H-{nth}", "unit_id": f"A-{int(draw.integers(0, 40))}", "night_of": day(2025), "minutes": 10.0}
            for nth in range(80)
        ],
        "spend": [
            {
                "municipality": code,
                "year": 2025,
                "offer_type": kind,
                "target_group": group,
                "amount_ore": int(draw.integers(10, 900)) * 1_000_000,
                "recipients": int(draw.integers(0, 14)),
            }
            for code in codes
            for kind in TYPES
            for group in GROUPS
        ],
        "indicator": [
            {"municipality": code, "year": 2025, "code": name, "group_key": key, "value": float(draw.integers(0, 9))}
            for code in codes
            for name in ("waiting_list", "own_occupancy_pct")
            for key in ("A107", "A108", "A110")
        ],
        "youth": [
            {
                "municipality": code,
                "age": age,
                "target_group": some(GROUPS),
                "function_level": int(draw.integers(0, 5)),
                "expected_offer_type": some(TYPES),
                "persons": int(draw.integers(0, 5)),
            }
            for code in codes
            for age in range(14, 19)
        ],
        "planned_capacity": [
            {
                "plan_id": "P-1",
                "municipality": codes[0],
                "target_groups": ["autism"],
                "offer_type": "A108",
                "places": 6,
                "opens_on": dt.date(2027, 8, 1),
                "financing": "own_budget",
                "certainty": "decided",
            }
        ],
    }
    for code in codes:
        # Shares of few and of many, in tenths of a per cent as they are delivered; they add up to the whole.
        recipients = int(draw.integers(0, 90))
        levels = draw.multinomial(recipients, (0.06, 0.5, 0.3, 0.14))
        told = {"recipients": {"alle": float(recipients)}, "mean_wait": {"A107": 2.5, "A108": float(draw.integers(1, 9)), "A110": 17.0}}
        if recipients:
            told["support_level_share_pct"] = {str(level): round(100 * count / recipients, 1) for level, count in enumerate(levels)}
            told["match_of_group_and_offer_pct"] = {"alle": round(100 * int(draw.integers(0, recipients + 1)) / recipients, 1)}
        told["unnamed_pct"] = {"alle": 12.5}
        told["contacts_per_1000"] = {"alle": round(float(draw.integers(0, 12)) / 40, 3)}
        rows["indicator"] += [
            {"municipality": code, "year": 2025, "code": name, "group_key": key, "value": value}
            for name, groups in told.items()
            for key, value in groups.items()
        ]
        total = sum(float(row["value"]) for row in rows["indicator"] if row["municipality"] == code and row["code"] == "waiting_list")  # type: ignore[arg-type]
        rows["indicator"].append({"municipality": code, "year": 2025, "code": "waiting_list", "group_key": "alle", "value": total})
    connection = duckdb.connect(str(path))
    frames = {name: pl.DataFrame(rows[name], schema=contract.create_empty().schema) for name, contract in CONTRACTS.items()}
    frames |= {
        "municipality": pl.DataFrame(
            {
                "code": codes,
                "name": [f"By {code}" for code in codes],
                "region": [region_of[code] for code in codes],
                "population": [40_000] * len(codes),
                "lat": [55.5] * len(codes),
                "lon": [9.5] * len(codes),
            }
        ),
        "region": pl.DataFrame({"code": REGIONS, "name": REGIONS}),
        "region_membership": pl.DataFrame(
            {"region": [region_of[code] for code in codes], "municipality": codes, "valid_from": None, "valid_to": None},
            schema_overrides={"valid_from": pl.Date, "valid_to": pl.Date},
        ),
        "target_group": pl.DataFrame(
            {"code": GROUPS, "parent_code": None, "da": GROUPS, "en": GROUPS, "level": 1, "kind": "leaf"},
            schema_overrides={"parent_code": pl.String},
        ),
        "target_group_closure": pl.DataFrame({"ancestor": GROUPS, "descendant": GROUPS}),
        "offer_type": pl.DataFrame({"code": TYPES, "da": TYPES, "en": TYPES, "paragraph": TYPES, "residential": True}),
        "vum_level": pl.DataFrame({"scale": ["Støttebehov"], "value": [0], "code": ["x"], "da": ["intet"], "en": ["none"]}),
        "meta": pl.DataFrame({"as_of": [AS_OF], "synthetic": [True], "deliveries": [1], "units": [40], "needs": [needs]}),
        "finding": pl.DataFrame({"value": ["010190-1234"]}),
    }
    for name, frame in frames.items():
        connection.register("made", frame)
        connection.execute(f'create table "{name}" as select * from made')
        connection.unregister("made")
    connection.execute(
        "create table capacity_latest as from capacity qualify row_number() over (partition by unit_id order by as_of desc) = 1"
    )
    connection.execute(
        """
        create table unit_now as
        with groups as (
            select
                unit_id,
                coalesce(list(target_group) filter (where rank = 'primary'), []) as primary_groups,
                coalesce(list(target_group) filter (where rank = 'secondary'), []) as secondary_groups,
                coalesce(list(target_group) filter (where rank = 'excluded'), []) as excluded_groups
            from target_group_approval group by all
        )
        select
            unit.*, municipality.name as municipality_name, true as has_own_point, capacity_latest.* exclude (unit_id),
            groups.* exclude (unit_id), primary_groups as covered_primary, secondary_groups as covered_secondary,
            excluded_groups as covered_excluded
        from unit join municipality on unit.municipality = municipality.code
        left join capacity_latest using (unit_id) left join groups using (unit_id)
        order by unit.unit_id
        """
    )
    connection.close()


@pytest.fixture(scope="session")
def warehouse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "0123456789abcdef0123.duckdb"
    make_warehouse(path)
    return path


@pytest.fixture(scope="session")
def copy(warehouse_file: Path) -> Path:
    target = analyst_copy.path_of(warehouse_file)
    analyst_copy.build(warehouse_file, target, DISCLOSURE)
    return target


@pytest.fixture(scope="session", autouse=True)
def _workers() -> Iterator[None]:
    yield
    worker.stop()
