"""Made-up needs, units and pairs, small enough for brute force and full of ties."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
from hypothesis import strategies as st


@dataclass
class Made:
    """One problem as plain dictionaries, and as frames."""

    points: dict[tuple[str, str], int]
    places: dict[str, int]
    tier: dict[str, int]
    side: dict[str, str]
    apart: set[frozenset[str]] = field(default_factory=set)
    holds: dict[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> list[str]:
        """Needs with at least one pair."""
        return sorted({need for need, _ in self.points})

    @property
    def pairs(self) -> pl.DataFrame:
        rows = [(need, unit, points) for (need, unit), points in self.points.items()]
        return pl.DataFrame(rows, schema={"need_id": pl.String, "unit_id": pl.String, "points": pl.Int64}, orient="row")

    @property
    def capacity(self) -> pl.DataFrame:
        return pl.DataFrame({"unit_id": list(self.places), "places": list(self.places.values())}, schema_overrides={"places": pl.Int64})

    @property
    def priority(self) -> pl.DataFrame:
        return pl.DataFrame({"need_id": list(self.tier), "tier": list(self.tier.values())})

    @property
    def group(self) -> pl.DataFrame:
        return pl.DataFrame({"need_id": list(self.side), "municipality": list(self.side.values())})

    @property
    def incompatible(self) -> pl.DataFrame:
        rows = sorted(tuple(sorted(couple)) for couple in self.apart)
        return pl.DataFrame(rows, schema={"need_a": pl.String, "need_b": pl.String}, orient="row")

    @property
    def held(self) -> pl.DataFrame:
        columns: dict[str, Any] = {"need_id": list(self.holds), "unit_id": list(self.holds.values())}
        return pl.DataFrame(columns, schema={"need_id": pl.String, "unit_id": pl.String})


@st.composite
def problems(draw: st.DrawFn, most_needs: int = 6, most_units: int = 4) -> Made:
    """Few needs and units; points from narrow ranges (ties) to wide ones, also negative; places from -1 (over-occupied) to 2."""
    needs = [f"N{number}" for number in range(draw(st.integers(1, most_needs)))]
    units = [f"U{number}" for number in range(draw(st.integers(1, most_units)))]
    top = draw(st.sampled_from([0, 1, 3, 100, 10**6]))
    couples = [(need, unit) for need in needs for unit in units]
    chosen = draw(st.lists(st.sampled_from(couples), unique=True, min_size=1, max_size=len(couples)))
    values = draw(st.lists(st.integers(-top, top), min_size=len(chosen), max_size=len(chosen)))
    places = {unit: draw(st.integers(-1, 2)) for unit in units}
    tier = {need: draw(st.integers(0, 2)) for need in needs}
    side = {need: draw(st.sampled_from("AB")) for need in needs}
    points = dict(zip(chosen, values, strict=True))
    foes = [frozenset((one, other)) for one in needs for other in needs if one < other]
    apart = set(draw(st.lists(st.sampled_from(foes), unique=True, max_size=4))) if foes else set()
    holds: dict[str, str] = {}
    open_pairs = [pair for pair in chosen if places[pair[1]] > 0]
    if open_pairs and draw(st.booleans()):
        need, unit = draw(st.sampled_from(open_pairs))
        holds[need] = unit
    return Made(points, places, tier, side, apart, holds)
