"""The national stress set that benches measure on: larger than the country, made by the demo's own parts, the same for the same arguments.

`make(folder)` writes one Parquet file per extract that matching, occupancy and the warehouse need, `daily.parquet` (one row per unit and
day) and `manifest.yaml`; a folder that already holds the same set is left as it is.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sys
import time
from pathlib import Path

import numpy as np
import yaml

from samplads import reference as references
from samplads import settings
from samplads.contracts import CONTRACTS
from samplads.demo import estate as estates
from samplads.demo import needs as demo_needs
from samplads.demo import nights, occupancy, planning, profile
from samplads.demo.draws import apportion, day_number
from samplads.reference import Reference

AS_OF = dt.date(2026, 11, 1)
MONTHS_OF_COUNTS = 24
BATCH_DAYS = 200
"""Days of daily occupancy that are held in memory at a time."""


def _stretched(told: profile.Profile, units: int, places: int, single: int) -> profile.Profile:
    """The profile with so many places in so many units; each type keeps its share of the places."""
    weights = np.array([t.persons_a_year / (t.occupancy * (1 + 1 / t.stay_years)) for t in told.offer_types])
    of_type = apportion(places, weights)
    shares = np.array([t.single_share for t in told.offer_types])
    singles = apportion(single, shares) if shares.sum() > 0 else of_type * 0
    shared_units = apportion(units - int(singles.sum()), (of_type - singles).astype(np.float64), least=1)
    types = tuple(
        dataclasses.replace(
            t,
            persons_a_year=float(of_type[position]) * t.occupancy * (1 + 1 / t.stay_years),
            places_a_unit=float((of_type[position] - singles[position]) / shared_units[position]),
        )
        for position, t in enumerate(told.offer_types)
    )
    return dataclasses.replace(told, offer_types=types, single_person_units=float(single))


def _faster(told: profile.Profile, places: int, stays: int, years: float) -> profile.Profile:
    """The profile with one mean stay for all, so short that about `stays` stays touch the last `years`: S = N o (1 + T / L)."""
    occupied = places * float(np.mean([t.occupancy for t in told.offer_types]))
    mean = years / max(stays / occupied - 1, 1e-3)
    return dataclasses.replace(told, offer_types=tuple(dataclasses.replace(t, stay_years=mean) for t in told.offer_types))


def _daily(
    folder: Path, estate: estates.Estate, found: occupancy.Stays, places: occupancy.Places, units: int, first: int, last: int
) -> int:
    """Write persons and capacity by unit and day, sorted by day and unit; returns the number of rows.

    Comings count +1 on the first day, goings -1 on the first day away; the running sum by unit is the number of persons there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    days = last - first + 1
    mine = (found.unit < units) & (found.end > first)
    unit, start, end = found.unit[mine], np.maximum(found.start[mine] - first, 0), np.minimum(found.end[mine] - first, days)
    steps = np.bincount(start[start < days] * units + unit[start < days], minlength=days * units).astype(np.int32)
    steps -= np.bincount(end[end < days] * units + unit[end < days], minlength=days * units).astype(np.int32)
    persons = steps.reshape(days, units)
    np.cumsum(persons, axis=0, out=persons)
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.arange(units, dtype=np.int32)), pa.array(estate.units["unit_id"].head(units).to_list())
    )
    schema = pa.schema(
        [("day", pa.date32()), ("unit_id", pa.dictionary(pa.int32(), pa.string())), ("persons", pa.int32()), ("capacity", pa.int32())]
    )
    with pq.ParquetWriter(folder / "daily.parquet", schema, compression="zstd", compression_level=1) as writer:
        for begin in range(0, days, BATCH_DAYS):
            several = range(begin, min(begin + BATCH_DAYS, days))
            capacity = np.concatenate([places.maximum(first + day)[:units] for day in several]).astype(np.int32)
            index = np.tile(np.arange(units, dtype=np.int32), len(several))
            writer.write_table(
                pa.table(
                    [
                        pa.array(np.repeat(np.arange(first + several.start, first + several.stop, dtype=np.int32), units), pa.date32()),
                        pa.DictionaryArray.from_arrays(pa.array(index), names.dictionary),
                        pa.array(persons[several.start : several.stop].ravel()),
                        pa.array(capacity),
                    ],
                    schema=schema,
                )
            )
    return days * units


def make(
    folder: Path,
    *,
    needs: int = 10_000,
    units: int = 12_000,
    places: int = 100_000,
    stays: int = 2_000_000,
    daily_years: int = 8,
    daily_units: int = 7_000,
    seed: int = 1,
    reference: Reference | None = None,
) -> dict[str, int]:
    """Write the set and return its rows by table. `daily_units` of the units get a row for each of the days of `daily_years`.

    Stays are exactly `stays` (drawn a little larger, then cut at random); the newest counts and the daily occupancy agree with them.
    """
    arguments = {
        "needs": needs,
        "units": units,
        "places": places,
        "stays": stays,
        "daily_years": daily_years,
        "daily_units": daily_units,
        "seed": seed,
    }
    done = folder / "national.json"
    if done.is_file() and (told := json.loads(done.read_text(encoding="utf-8")))["arguments"] == arguments:
        return dict(told["rows"])
    folder.mkdir(parents=True, exist_ok=True)
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(10)]
    facts = reference or references.read(settings.ROOT / "data" / "reference")
    told_profile = _stretched(profile.read(facts), units, places, min(1_000, units // 12))
    estate = estates.build(told_profile, facts, 1.0, AS_OF, rngs[0])

    last = day_number(AS_OF)
    months = daily_years * 12
    quick = _faster(told_profile, places, stays * 103 // 100, daily_years + 0.1)
    changing = occupancy.changes(estate, AS_OF, months, rngs[1])
    drawn = occupancy.stays(quick, facts, estate, changing, AS_OF, months, rngs[2], moves=False)
    kept = np.sort(rngs[3].permutation(len(drawn.unit))[:stays])
    found = occupancy.Stays(**{field.name: getattr(drawn, field.name)[kept] for field in dataclasses.fields(drawn)})

    rosters = nights.roster_frame(told_profile, estate, AS_OF, rngs[4])
    none = np.zeros(0, dtype=np.int64)
    tables = {
        "unit": estate.units,
        "target_group_approval": estate.approvals,
        "capacity": occupancy.capacity_frame(told_profile, estate, found, changing, AS_OF, MONTHS_OF_COUNTS, none, rngs[5]),
        "need": demo_needs.need_frame(told_profile, facts, estate, found, needs, AS_OF, rngs[6]),
        "stay": occupancy.stay_frame(told_profile, facts, estate, found, seed, rngs[7]),
        "night_roster": rosters,
        "night_incident": nights.incident_frame(estate, rosters, AS_OF, rngs[8]),
        "spend": planning.spend_frame(told_profile, facts, estate, found, AS_OF, rngs[9]),
        "indicator": planning.indicator_frame(told_profile, facts, 1.0, AS_OF, rngs[9]),
        "youth": planning.youth_frame(told_profile, facts, 1.0, rngs[9]),
        "planned_capacity": planning.planned_frame(told_profile, facts, estate, 1.0, AS_OF, rngs[9]),
    }
    rows = {}
    for extract, table in tables.items():
        CONTRACTS[extract].cast(table).write_parquet(folder / f"{extract}.parquet", compression="zstd", compression_level=1)
        rows[extract] = table.height
    first = day_number(AS_OF.replace(year=AS_OF.year - daily_years)) + 1
    rows["daily"] = _daily(folder, estate, found, changing, min(daily_units, estate.units.height), first, last)
    manifest = {"sender": "Bench", "as_of": AS_OF, "synthetic": True, "seed": seed, "ignore": ["daily.parquet", "national.json"]}
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    done.write_text(json.dumps({"arguments": arguments, "rows": rows}, indent=1), encoding="utf-8")
    return rows


def main() -> int:
    """Write the set into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    begun = time.perf_counter()
    rows = make(given.folder)
    for table, count in rows.items():
        print(f"{table:<24}{count:>12}")
    print(f"{time.perf_counter() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
