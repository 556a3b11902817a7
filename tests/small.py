"""A small warehouse made by hand: three units in two municipalities, for tests that need one and care about every row."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from samplads import settings, warehouse
from samplads.contracts import CONTRACTS
from samplads.extracts import MUNICIPALITY_COUNTS
from samplads.extracts import SCHEMA as FINDINGS
from samplads.reference import Reference, read

AUTISM = "9b3fd322-a75a-4ed8-9b74-425fa1e01c95"
EXTERNALISING = "e1b59a4a-9cc2-4113-a5f1-84af588b02a2"
DEVELOPMENTAL = "34449052-1150-4900-9d69-c56eb9b26793"
DAY = dt.date(2026, 11, 1)

UNITS: list[dict[str, Any]] = [
    {"unit_id": "A-1", "offer_id": "T-1", "name": "Birkehuset 1", "municipality": "370", "offer_type": "A108", "night_cover": "awake"},
    {"unit_id": "A-2", "offer_id": "T-1", "name": "Birkehuset 2", "municipality": "370", "offer_type": "A108", "night_cover": "sleeping"},
    {"unit_id": "B-1", "offer_id": "T-2", "name": "Kløverstien", "municipality": "259", "offer_type": "A107"},
]
UNITS = [unit | {"approval_status": "approved"} for unit in UNITS]
CAPACITY: list[dict[str, Any]] = [
    {"unit_id": "A-1", "as_of": DAY, "maximum": 8, "occupied": 6, "reserved": 1, "accepting": 1, "status": "open", "confirmed_at": DAY},
    {"unit_id": "A-2", "as_of": DAY, "maximum": 6, "occupied": 6, "reserved": 0, "accepting": 0, "status": "waiting_list"},
    {"unit_id": "B-1", "as_of": DAY, "maximum": 10, "occupied": 7, "reserved": 0, "accepting": 2, "status": "open"},
]
APPROVALS: list[dict[str, Any]] = [
    {"unit_id": "A-1", "target_group": AUTISM, "rank": "primary"},
    {"unit_id": "A-1", "target_group": EXTERNALISING, "rank": "secondary"},
    {"unit_id": "A-2", "target_group": DEVELOPMENTAL, "rank": "primary"},
    {"unit_id": "B-1", "target_group": EXTERNALISING, "rank": "excluded"},
]


def frame(extract: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of the contract's types; columns not given are unknown."""
    contract = CONTRACTS[extract]
    return pl.concat([contract.create_empty(), pl.DataFrame(rows, schema_overrides=contract.create_empty().schema)], how="diagonal")


def archived(
    frames: Mapping[str, list[dict[str, Any]]] | None = None, *, name: str = "small", as_of: dt.date = DAY, synthetic: bool = False
) -> warehouse.Archived:
    """A delivery as the archive keeps it, without files: by default the small warehouse's rows."""
    rows = {"unit": UNITS, "capacity": CAPACITY, "target_group_approval": APPROVALS} if frames is None else frames
    return warehouse.Archived(
        digest=hashlib.sha256(repr((name, as_of, synthetic, sorted(rows.items()))).encode()).hexdigest()[:20],
        name=name,
        as_of=as_of,
        synthetic=synthetic,
        frames={extract: frame(extract, told).lazy() for extract, told in rows.items()},
        findings=pl.DataFrame(schema=FINDINGS),
        counts=pl.DataFrame(schema=MUNICIPALITY_COUNTS),
    )


def reference() -> Reference:
    """The shipped reference facts."""
    return read(settings.ROOT / "data" / "reference")


def publish(folder: Path, *deliveries: warehouse.Archived) -> warehouse.Version:
    """Publish deliveries (default: the small one) into a folder."""
    version, _ = warehouse.publish(deliveries or (archived(),), reference(), folder)
    return version
