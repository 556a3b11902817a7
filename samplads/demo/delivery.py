"""A whole made-up delivery: all extracts, its manifest and the list of the faults that were planted in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from samplads.contracts import CONTRACTS
from samplads.demo import estate as estates
from samplads.demo import faults, needs, nights, occupancy, planning, profile
from samplads.demo.draws import Ints, day_number
from samplads.errors import SampladsError
from samplads.reference import Reference


@dataclass(frozen=True)
class Scale:
    """How large a demo is: the share of the national totals, the months of history, open needs, faults of each kind."""

    share: float
    months: int
    needs: int
    faults: int


SCALES: Mapping[str, Scale] = {
    "tiny": Scale(share=0.02, months=12, needs=20, faults=1),
    "small": Scale(share=0.21, months=12, needs=138, faults=3),
    "national": Scale(share=1.0, months=24, needs=900, faults=6),
}


@dataclass(frozen=True)
class Demo:
    """Extracts by name in the contracts' columns and types, and the planted faults (extract, key, column, rule, outcome)."""

    tables: dict[str, pl.DataFrame]
    faults: pl.DataFrame


def compose(reference: Reference, *, scale: str, seed: int, as_of: dt.date) -> Demo:
    """Draw a demo. The same reference, scale, seed and day give the same rows.

    Each part draws from a generator of its own, spawned from the seed, so that a change in one part leaves the others as they were.
    Raises SampladsError `demo_scale_unknown` for a scale that is not in SCALES.
    """
    if scale not in SCALES:
        raise SampladsError("demo_scale_unknown", scale=scale, scales=", ".join(SCALES))
    size = SCALES[scale]
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(12)]
    told = profile.read(reference)

    estate = estates.build(told, reference, size.share, as_of, rngs[0])
    stage = needs.set_stage(told, reference, estate, as_of, rngs[1])
    units, approvals = needs.staged(stage, estate)
    estate = replace(estate, units=units, approvals=approvals)

    places = occupancy.changes(estate, as_of, size.months, rngs[2])
    stays = occupancy.stays(told, reference, estate, places, as_of, size.months, rngs[3])
    open_units = _must_be_open(estate, stage, as_of, stays, places)
    stays = occupancy.vacate(stays, open_units, places, as_of, 1, rngs[4])
    cases = round(told.expensive_cases * size.share)
    stays = occupancy.make_expensive(stays, estate, as_of, cases, told.expensive_kr_a_year, rngs[4])
    capacity = occupancy.capacity_frame(told, estate, stays, places, as_of, size.months, open_units, rngs[5])
    if stage is not None:
        capacity = _staged_capacity(capacity, stage, estate, as_of)

    rosters = nights.roster_frame(told, estate, as_of, rngs[6])
    clean = {
        "unit": units,
        "target_group_approval": approvals,
        "capacity": capacity,
        "need": needs.need_frame(told, reference, estate, stays, size.needs, as_of, rngs[7]),
        "stay": occupancy.stay_frame(told, reference, estate, stays, seed, rngs[8]),
        "night_roster": rosters,
        "night_incident": nights.incident_frame(estate, rosters, as_of, rngs[9]),
        "spend": planning.spend_frame(told, reference, estate, stays, as_of, rngs[10]),
        "indicator": planning.indicator_frame(told, reference, size.share, as_of, rngs[10]),
        "youth": planning.youth_frame(told, reference, size.share, rngs[10]),
        "planned_capacity": planning.planned_frame(told, reference, estate, size.share, as_of, rngs[10]),
    }
    kept = frozenset(units["unit_id"].gather(stage.units)) if stage is not None else frozenset()
    tables, planted = faults.plant(clean, kept, as_of, size.faults, rngs[11])
    return Demo({extract: CONTRACTS[extract].cast(tables[extract]) for extract in CONTRACTS}, planted)


def _must_be_open(
    estate: estates.Estate, stage: needs.Stage | None, as_of: dt.date, stays: occupancy.Stays, places: occupancy.Places
) -> Ints:
    """Units that must have an open place on the day: those of the stage, and one of each municipality with hardly any free place."""
    day = day_number(as_of)
    free = places.maximum(day) - stays.persons(day, len(estate.maximum))
    chosen = set() if stage is None else set(stage.units.tolist())
    for municipality in range(int(estate.municipality.max(initial=-1)) + 1):
        mine = np.flatnonzero((estate.municipality == municipality) & ~estate.single)
        if len(mine) and free[mine].sum() <= 1:
            chosen.add(int(mine[np.argmax(free[mine] * 1000 + estate.maximum[mine])]))
    return np.array(sorted(chosen), dtype=np.int64)


def _staged_capacity(capacity: pl.DataFrame, stage: needs.Stage, estate: estates.Estate, as_of: dt.date) -> pl.DataFrame:
    ids = estate.units["unit_id"]
    told = {ids[position]: values for position, values in stage.capacity.items()}
    newest = (pl.col("as_of") == as_of) & pl.col("unit_id").is_in(list(told))
    rows = [row | dict(told[row["unit_id"]]) for row in capacity.filter(newest).to_dicts()]
    # What was kept in reserve is open too: the stage's units say so.
    for row in rows:
        row["accepting"] = row["maximum"] - row["occupied"]
    changed = pl.DataFrame(rows, schema=capacity.schema, orient="row")
    return pl.concat([capacity.filter(~newest), changed]).sort("unit_id", "as_of", maintain_order=True)


def generate(reference: Reference, *, scale: str, seed: int, as_of: dt.date) -> dict[str, pl.DataFrame]:
    """The extracts of a demo by name; see `compose`."""
    return compose(reference, scale=scale, seed=seed, as_of=as_of).tables


def write(folder: Path, reference: Reference, *, scale: str, seed: int, as_of: dt.date) -> Demo:
    """Write a demo as a delivery: one Parquet file per extract, manifest.yaml and faults.csv. The same arguments give the same bytes.

    Raises SampladsError `demo_scale_unknown`, `demo_folder_not_empty` where the folder holds anything that is not such a delivery.
    """
    names = {f"{extract}.parquet" for extract in CONTRACTS} | {"manifest.yaml", "faults.csv"}
    if folder.exists() and (not folder.is_dir() or any(path.name not in names for path in folder.iterdir())):
        raise SampladsError("demo_folder_not_empty", folder=str(folder))
    demo = compose(reference, scale=scale, seed=seed, as_of=as_of)
    folder.mkdir(parents=True, exist_ok=True)
    for extract, table in demo.tables.items():
        table.write_parquet(folder / f"{extract}.parquet", compression="zstd", compression_level=12)
    demo.faults.write_csv(folder / "faults.csv")
    manifest = {
        "sender": profile.read(reference).words.sender,
        "as_of": as_of,
        "synthetic": True,
        "scale": scale,
        "seed": seed,
        "ignore": ["faults.csv"],
    }
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return demo
