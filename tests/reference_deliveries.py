"""Slow, obvious twins of the queries over deliveries by municipality and over places that are planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
COUNTED = ("delivered", "accepted", "corrected", "flagged", "set_aside", "refused")


def deliveries_by_municipality(deliveries: Sequence[Row], units: Mapping[str, str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What each delivery holds of each municipality, from what was counted and found in it.

    A delivery has name, digest, as_of, counts, findings and capacity; `units` tells each unit's municipality. A unit's confirmation is that
    of its last count, and belongs to the delivery that told it: the last one that tells that day.
    """
    by_day = sorted(deliveries, key=lambda one: (one["as_of"], one["digest"]))
    last: dict[str, tuple[Row, Row]] = {}
    for delivery in by_day:
        for count in delivery["capacity"]:
            before = last.get(count["unit_id"])
            if before is None or count["as_of"] >= before[0]["as_of"]:
                last[count["unit_id"]] = (count, delivery)
    found = []
    for delivery in deliveries:
        spoken_of = {row["municipality"] for row in (*delivery["counts"], *delivery["findings"])}
        for municipality in spoken_of:
            counts = [row for row in delivery["counts"] if row["municipality"] == municipality]
            confirmed = [
                count["confirmed_at"]
                for unit, (count, teller) in last.items()
                if teller is delivery and units[unit] == municipality and count["confirmed_at"] is not None
            ]
            found.append(
                {
                    "municipality": municipality,
                    "municipality_name": names.get(municipality, municipality),
                    "delivery": delivery["name"],
                    "digest": delivery["digest"],
                    "as_of": delivery["as_of"],
                    **{name: sum(row[name] for row in counts) for name in COUNTED},
                    "findings": sum(row["municipality"] == municipality for row in delivery["findings"]),
                    "oldest_confirmation": min(confirmed, default=None),
                }
            )
    return sorted(found, key=lambda row: (row["municipality"] or "", row["digest"]))


def places_to_come(planned: Sequence[Row], as_of: dt.date, until: dt.date) -> list[tuple[str, dt.date, int]]:
    """Places of a unit that are planned to open after one day and on another at the latest, by the first day of the month."""
    found: dict[tuple[str, dt.date], int] = {}
    for row in planned:
        if row["unit_id"] is not None and row["opens_on"] is not None and as_of < row["opens_on"] <= until:
            key = (row["unit_id"], row["opens_on"].replace(day=1))
            found[key] = found.get(key, 0) + row["places"]
    return [(unit, month, places) for (unit, month), places in sorted(found.items())]
