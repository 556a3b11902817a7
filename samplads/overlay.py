"""What people have written, laid over what was delivered: confirmations and corrections of the ledger on the units of one warehouse.

Neither side is changed. `read` makes a `Layer`: the rows of `unit_now` that somebody has written about, with the written values in place.
`Layer.lay` puts it before a query: on the query's own cursor a temporary view called `unit_now` hides the published table and gives the
same columns, so that every named query filters, ranks and counts by what is known now, and none of them says so in its SQL. What holds the
published file alone (an analyst's SQL, `samplads query`, an export of deliveries) sees what was delivered.

    layer = overlay.read(ledger, file)
    queries.run("vacant_units", file, on_start=layer.lay, ...)

An answer depends on the version and on `layer.stamp`; both belong in the key of whatever remembers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import sqlalchemy as sa

from samplads import queries
from samplads.ledger import Ledger, confirmations, overlays
from samplads.ledger.models import Confirmation, Overlay

SOURCES_SCHEMA = {
    "at": pl.Datetime("us", "UTC"),
    "kind": pl.String(),
    "field": pl.String(),
    "before": pl.String(),
    "after": pl.String(),
    "who": pl.String(),
    "why": pl.String(),
}
"""Columns of `written_about`. `kind` is "confirmed", "corrected" or "withdrawn"."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Units as they read with what people have written.

    `units` are whole rows of `unit_now`, only those that differ from the published ones; `confirmed` and `corrections` tell by unit what
    was written; `overtaken` are corrections that no longer count, because a delivery has said something new.
    """

    stamp: str
    units: pl.DataFrame
    confirmed: frozenset[str]
    corrections: Mapping[str, tuple[Overlay, ...]]
    overtaken: tuple[Overlay, ...]

    @property
    def corrected(self) -> dict[str, tuple[str, ...]]:
        """The corrected fields by unit."""
        return {unit_id: tuple(one.field for one in told) for unit_id, told in self.corrections.items()}

    def lay(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Hide `unit_now` of the warehouse in use behind the written one, for this cursor alone."""
        if self.units.is_empty():
            return
        cursor.register("unit_written", self.units)
        cursor.execute(
            "create temp view unit_now as "
            "from warehouse.unit_now anti join unit_written using (unit_id) union all by name from unit_written"
        )


EMPTY = Layer("", pl.DataFrame(), frozenset(), {}, ())
"""Nothing written: every query answers with what was delivered."""


def stamp(ledger: Ledger) -> str:
    """What the layer is made of, in a word: changes with every confirmation and correction. Both tables only ever grow."""
    with ledger.read() as session:
        newest = session.execute(sa.select(sa.select(sa.func.max(Confirmation.id)).scalar_subquery(), sa.func.max(Overlay.id))).one()
    return ".".join(str(number or 0) for number in newest)


def read(ledger: Ledger, file: Path) -> Layer:
    """The layer over one published file.

    1. Take each unit's last confirmation and each field's correction in force.
    2. Fetch the rows of `unit_now` they speak of; what speaks of a unit that is not there is passed over.
    3. Renew who confirmed and when, where the ledger knows a later day; lay each correction whose delivered value still stands.
    """
    written = stamp(ledger)
    confirmed = confirmations.latest(ledger)
    corrections = overlays.in_force(ledger)
    unit_ids = sorted({*confirmed["unit_id"], *(one.unit_id for one in corrections)})
    if not unit_ids:
        return Layer(written, pl.DataFrame(), frozenset(), {}, ())
    before = queries.run("units_by_id", file, unit_ids=unit_ids)
    renewed = confirmations.apply(before, confirmed)
    laid = overlays.apply(renewed, corrections)
    newer = renewed.filter(
        renewed["confirmed_at"].ne_missing(before["confirmed_at"]) | renewed["confirmed_by"].ne_missing(before["confirmed_by"])
    )
    corrected: dict[str, tuple[Overlay, ...]] = {}
    for one in laid.laid:
        corrected[one.unit_id] = (*corrected.get(one.unit_id, ()), one)
    touched = {*newer["unit_id"], *corrected}
    units = laid.units.filter(pl.col("unit_id").is_in(list(touched)))
    if any(one.field in _PLACE for one in laid.laid):
        units = _moved(units, file)
    return Layer(written, units.drop("corrected_fields"), frozenset(newer["unit_id"]), corrected, laid.overtaken)


_PLACE = frozenset({"municipality", "lat", "lon"})


def _moved(units: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Units with the name of the municipality they are in now, and its point where they have none of their own: as the build made them.

    A corrected point is a point of their own; one that is taken away is none.
    """
    told = pl.col("corrected_fields").list.set_intersection(["lat", "lon"]).list.len() > 0
    units = units.with_columns(has_own_point=(pl.col("has_own_point") | told) & pl.col("lat").is_not_null() & pl.col("lon").is_not_null())
    town = queries.run("municipalities", file).select(municipality="code", town_name="name", town_lat="lat", town_lon="lon")
    placed = units.join(town, on="municipality", how="left", maintain_order="left")
    own = pl.col("has_own_point")
    return placed.with_columns(
        municipality_name=pl.col("town_name"),
        lat=pl.when(own).then("lat").otherwise("town_lat"),
        lon=pl.when(own).then("lon").otherwise("town_lon"),
    ).drop("town_name", "town_lat", "town_lon")


def written_about(ledger: Ledger, unit_id: str) -> pl.DataFrame:
    """Everything people have written about a unit, newest first: one row a confirmation or a corrected field.

    Columns of `SOURCES_SCHEMA`.
    """
    rows: list[tuple[object, ...]] = [
        (one.at, "confirmed", "confirmed_at", None, one.confirmed_at.isoformat(), f"{one.who} ({one.confirmed_by})", None)
        for one in confirmations.history(ledger, unit_id)
    ]
    standing: dict[str, Overlay] = {}
    for correction in reversed(overlays.history(ledger, unit_id)):
        taken_back, earlier = correction.kind == "withdraw", standing.pop(correction.field, None)
        after = correction.delivered if taken_back else correction.value
        # A correction that a delivery had overtaken counted no longer: what came before the next is what that delivery said.
        counted = earlier is not None and (taken_back or earlier.delivered == correction.delivered)
        before = earlier.value if earlier is not None and counted else correction.delivered
        if not taken_back:
            standing[correction.field] = correction
        rows.append(
            (
                correction.at,
                "withdrawn" if taken_back else "corrected",
                correction.field,
                _text(before),
                _text(after),
                correction.who,
                correction.why,
            )
        )
    # Of what was written in one moment the last comes first too.
    return pl.DataFrame(rows[::-1], schema=SOURCES_SCHEMA, orient="row").sort("at", descending=True, maintain_order=True)


def _text(value: object) -> str | None:
    """A value as the history of a unit writes it."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
