"""From what units deliver to a plan: candidates with money, risk and verdicts, the best couplings, and what they mean for whom.

1. `prepare` lays out the units that have a night post: the cost of each part of the night, incidents, place on the map. Units that cannot
   be considered are listed with the reason.
2. `candidates` finds the pairs within reach, values them and judges every rule.
3. `best` chooses couplings of two, or up to four, among the candidates that keep the rules; it adds risk, money over time and shares.
4. `frontier`, `sensitivity`, `break_even` and `co_locations` answer "what if".

What a coupling of units saves a year is what the hours cost in which one guard replaces several, less what sharing itself costs:

    posts    = sum over parts of the night of (sum of the units' costs - the dearest unit's cost)
    call-out = expected overlapping incidents x cost of a call
    driving  = incidents x km from the farthest other unit x rate
    gear     = units x (equipment / its life + running cost)
    saving   = posts - call-out - driving - gear

So units whose shifts do not meet save nothing, the order of the units is without importance, and with free gear and no incidents sharing
never costs more than apart. Money is integer øre, times minutes, a year 365 nights for incidents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from samplads.errors import SampladsError
from samplads.model import EARTH_RADIUS_M, NIGHT_COVERS, haversine_km
from samplads.nightcover import coupling, overlap, post_cost, rules, savings

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Tick = Callable[[float], None]
"""Is told now and then which share of a long work is done; what it raises ends the work."""
One = TypeVar("One")

NIGHTS = 365
LEAST_NIGHTS = 30
"""Nights delivered from which a unit's incidents count as known, none among them."""
SHARING = ("by_cost", "equal", "shapley")
LARGEST_GROUP = 4
RISKS_TOGETHER = 32
"""Couplings whose risk is reckoned together."""


@dataclass(frozen=True)
class Assumptions:
    """Everything a plan rests on beside what units deliver; made from data/rules by the caller, each value can be changed.

    Amounts in øre. `max_overlaps`: the planner's ceiling on overlapping incidents a year in one coupling (None: none). `pay_factor`,
    `supplement_factor`, `incident_factor` and `minutes_factor` scale what is delivered, for "what if". `allow_unknown` lets couplings
    that are to be assessed into the plan. `single_person_only` leaves out units that are not single-person offers. `colocation_minutes`
    is how far apart two units may lie for a move to be thought of, `colocation_years` how long the move is written off.
    """

    terms: post_cost.Terms
    default_pay_ore: int
    limits: rules.Limits
    practice: rules.Practice
    refund: savings.Refund
    max_minutes: float = 30.0
    speed_kmh: float = 60.0
    detour: float = 1.3
    call_out_ore: int = 0
    km_ore: int = 0
    equipment_ore: int = 0
    equipment_years: float = 5.0
    running_ore: int = 0
    incidents_per_night: float = 0.3
    minutes_per_incident: float = 30.0
    clustering: float = 0.0
    law: overlap.Law = "fixed"
    discount_pct: float = 3.5
    colocation_ore: int = 0
    colocation_minutes: float = 60.0
    colocation_years: float = 10.0
    max_overlaps: float | None = None
    group_size: int = 2
    allow_unknown: bool = False
    single_person_only: bool = True
    sharing: str = "by_cost"
    pay_factor: float = 1.0
    supplement_factor: float = 1.0
    incident_factor: float = 1.0
    minutes_factor: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.group_size <= LARGEST_GROUP:
            raise SampladsError("night_group_size", most=LARGEST_GROUP)
        if self.sharing not in SHARING:
            raise SampladsError("night_sharing_unknown", name=self.sharing, names=", ".join(SHARING))
        if (
            min(self.speed_kmh, self.detour, self.equipment_years, self.colocation_years) <= 0
            or min(self.max_minutes, self.colocation_minutes) < 0
        ):
            raise SampladsError("night_assumption_not_positive")

    def changed(self, **values: Any) -> Assumptions:
        """The same assumptions with some values changed."""
        return replace(self, **values)


@dataclass(frozen=True)
class Inputs:
    """What units deliver, as frames (the columns are those of queries/night_*.sql), and the day that counts as today.

    units: unit_id, name, municipality, lat, lon, has_own_point, operator_kind, approval_status, approved_until, single_person,
        daily_rate_ore, groups (all it is approved for, descendants included)
    roster: unit_id, night_cover, posts, shift_start, shift_end, monthly_pay_ore, one_to_one, risky_work, lone_work_danger, danger_met_by,
        response_minutes_limit, excludes_groups, excludes_covered (descendants included); one row per unit
    incidents: unit_id, incidents, minutes_mean, staff_most, nights; units whose municipality delivers incidents, `incidents` 0 in a quiet
        one, `nights` those delivered
    residents: unit_id, municipality (who pays), daily_rate_ore; one row per case
    travel: unit_a, unit_b, minutes, by the user; replaces the reckoned minutes of the pairs it holds
    """

    units: pl.DataFrame
    roster: pl.DataFrame
    incidents: pl.DataFrame
    residents: pl.DataFrame
    as_of: dt.date
    travel: pl.DataFrame | None = None

    @cached_property
    def residents_of(self) -> Mapping[str, Sequence[savings.Resident]]:
        """The cases of each unit, by who pays and the rate."""
        found: dict[str, list[savings.Resident]] = {}
        rows = self.residents.sort("unit_id", "municipality", "daily_rate_ore").select("unit_id", "municipality", "daily_rate_ore")
        for unit, payer, rate in rows.iter_rows():
            yearly = None if rate is None else rate * savings.DAYS_A_YEAR
            found.setdefault(unit, []).append(savings.Resident(unit, payer, yearly))
        return found

    def only(self, unit_ids: Iterable[str]) -> Inputs:
        """The same for some units."""
        kept = list(unit_ids)
        here = pl.col("unit_id").is_in(kept)
        return replace(
            self,
            units=self.units.filter(here),
            roster=self.roster.filter(here),
            incidents=self.incidents.filter(here),
            residents=self.residents.filter(here),
        )


@dataclass(frozen=True)
class Nights:
    """Units that can be considered, laid out by number (ascending id). `slots` [units, parts of the night] costs in øre; `lasts` the
    parts' minutes.
    """

    members: tuple[rules.Member, ...]
    names: tuple[str, ...]
    municipalities: tuple[str, ...]
    slots: Whole
    lasts: Floats
    active: NDArray[np.bool_]
    lat: Floats
    lon: Floats
    per_night: Floats
    minutes: Floats
    pay_known: tuple[bool, ...]
    left_out: pl.DataFrame
    inputs: Inputs
    assumptions: Assumptions

    @cached_property
    def assessor(self) -> rules.Assessor:
        """The rules of night work as they are assumed, remembering what they said of each unit."""
        return rules.Assessor(self.assumptions.limits, self.assumptions.practice, self.inputs.as_of)

    @cached_property
    def told_pairs(self) -> frozenset[tuple[int, ...]]:
        """Pairs of unit numbers, ascending, whose journey the user told."""
        return frozenset(_told_minutes(self))

    @property
    def ids(self) -> list[str]:
        """Unit ids by number."""
        return [member.unit_id for member in self.members]

    @cached_property
    def number(self) -> Mapping[str, int]:
        """The number of each unit."""
        return {unit: position for position, unit in enumerate(self.ids)}

    @property
    def alone_ore(self) -> Whole:
        """What each unit's post costs a year alone."""
        return np.asarray(self.slots.sum(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Values:
    """Money and risk of many groups of one size: arrays [groups], and `travel` [groups, size]."""

    posts_ore: Whole
    call_out_ore: Whole
    driving_ore: Whole
    gear_ore: Whole
    overlaps: Floats
    shared_minutes: Floats
    travel: Floats

    @property
    def saving_ore(self) -> Whole:
        """Posts less what sharing costs."""
        return self.posts_ore - self.call_out_ore - self.driving_ore - self.gear_ore


@dataclass(frozen=True)
class Candidates:
    """Pairs within reach. `pairs`: one row per pair (see `PAIR_SCHEMA`); `at` [pairs, 2] their unit numbers; `km` and `minutes` by pair.

    `told`: whether the minutes are the user's own. `excluded`: units that were taken out of the plan by hand; no pair holds one of them.
    """

    nights: Nights
    pairs: pl.DataFrame
    at: Whole
    km: Floats
    minutes: Floats
    told: NDArray[np.bool_]
    excluded: frozenset[str] = frozenset()

    def without(self, units: Iterable[str]) -> Candidates:
        """The same with some units out of the plan. Raises SampladsError `night_unit_unknown` for one that has no night post to share."""
        out = frozenset(units)
        unknown = sorted(out - set(self.nights.ids))
        if unknown:
            raise SampladsError("night_unit_unknown", units=", ".join(unknown))
        if not out:
            return self
        kept = (~(self.pairs["unit_a"].is_in(list(out)) | self.pairs["unit_b"].is_in(list(out)))).to_numpy()
        return replace(
            self,
            pairs=self.pairs.filter(pl.Series(kept)),
            at=self.at[kept],
            km=self.km[kept],
            minutes=self.minutes[kept],
            told=self.told[kept],
            excluded=self.excluded | out,
        )

    def travel_of(self, groups: Whole) -> tuple[Floats, Floats]:
        """Minutes and km to each unit from the farthest other of its group: two arrays [groups, size]. All pairs inside must be
        candidates.
        """
        rows = self._rows_of(groups)
        return _farthest(groups, rows, self.minutes), _farthest(groups, rows, self.km)

    @cached_property
    def _keys(self) -> Whole:
        """The pairs as one ascending number each."""
        return np.asarray(self.at[:, 0] * len(self.nights.members) + self.at[:, 1], dtype=np.int64)

    def _rows_of(self, groups: Whole) -> dict[tuple[int, int], Whole]:
        """By two places of a group, the row of each group's pair of them."""
        units = len(self.nights.members)
        size = groups.shape[1]
        return {
            (i, j): np.searchsorted(self._keys, groups[:, i] * units + groups[:, j]).astype(np.int64)
            for i in range(size)
            for j in range(i + 1, size)
        }


PAIR_SCHEMA: dict[str, Any] = {
    "unit_a": pl.String,
    "unit_b": pl.String,
    "km": pl.Float64,
    "minutes": pl.Float64,
    "shared_minutes": pl.Float64,
    "posts_ore": pl.Int64,
    "call_out_ore": pl.Int64,
    "driving_ore": pl.Int64,
    "gear_ore": pl.Int64,
    "saving_ore": pl.Int64,
    "overlaps_per_year": pl.Float64,
    "status": pl.String,
    "failed": pl.List(pl.String),
    "unknown": pl.List(pl.String),
    "warned": pl.List(pl.String),
}


@dataclass(frozen=True)
class Couple:
    """One coupling of the plan, with everything a committee asks of it."""

    unit_ids: tuple[str, ...]
    names: tuple[str, ...]
    municipalities: tuple[str, ...]
    minutes: float
    km: float
    shared_minutes: float
    alone_ore: tuple[int, ...]
    posts_ore: int
    call_out_ore: int
    driving_ore: int
    gear_ore: int
    saving_ore: int
    net_ore: int
    one_off_ore: int
    payback_month: int | None
    present_value_ore: int
    net_payback_month: int | None
    net_present_value_ore: int
    risk: overlap.Risk
    verdicts: tuple[rules.Verdict, ...]
    status: str
    shares: pl.DataFrame
    gains: tuple[savings.Gain, ...]


@dataclass(frozen=True)
class NightPlan:
    """The chosen couplings, the proof of the choice, and their sums."""

    couples: tuple[Couple, ...]
    proof: coupling.Plan
    candidates: Candidates
    by_municipality: pl.DataFrame

    @property
    def saving_ore(self) -> int:
        """Saving a year, gross of state refund."""
        return sum(couple.saving_ore for couple in self.couples)

    @property
    def net_ore(self) -> int:
        """Saving a year for the municipalities, net of the refund that falls away."""
        return sum(couple.net_ore for couple in self.couples)

    @property
    def one_off_ore(self) -> int:
        """One-off cost of all couplings."""
        return sum(couple.one_off_ore for couple in self.couples)

    @property
    def overlaps_per_year(self) -> float:
        """Expected overlapping incidents a year, all couplings together."""
        return sum(couple.risk.overlaps_per_year for couple in self.couples)


# --- laying out --------------------------------------------------------------------------------------------------------------------------


def prepare(inputs: Inputs, assumptions: Assumptions) -> Nights:
    """Units that can share at all, in numbers; the others in `left_out` (unit_id, reason), each with the first reason that holds:

    not_single_person, no_roster, no_post, shift_unusable, no_position.
    """
    joined = inputs.units.sort("unit_id").join(inputs.roster, on="unit_id", how="left", suffix="_roster")
    joined = joined.join(inputs.incidents, on="unit_id", how="left")
    kept: list[dict[str, Any]] = []
    out: list[tuple[str, str]] = []
    for row in joined.iter_rows(named=True):
        reason = _reason(row, assumptions)
        if reason is None:
            kept.append(row)
        else:
            out.append((row["unit_id"], reason))
    members = tuple(_member(row) for row in kept)
    terms = _scaled_terms(assumptions.terms, assumptions.supplement_factor)
    cuts = tuple(sorted({minute for member in members for minute in (member.start, member.end)}))
    slots = np.zeros((len(members), max(0, len(cuts) - 1)), dtype=np.int64)
    active = np.zeros(slots.shape, dtype=bool)
    for number, (member, row) in enumerate(zip(members, kept, strict=True)):
        pay = row["monthly_pay_ore"] if row["monthly_pay_ore"] is not None else assumptions.default_pay_ore
        tight = _tight(member, assumptions.limits)
        kind = "awake" if member.night_cover == "on_call" and tight else member.night_cover
        slots[number] = _slots(member.start, member.end, round(pay * assumptions.pay_factor), kind, cuts, terms)
        active[number] = [member.start <= left < member.end for left in cuts[:-1]]
    told = np.array([row["incidents"] is not None and row["nights"] >= LEAST_NIGHTS for row in kept], dtype=bool)
    rate = [_rate(row["incidents"], row["nights"], assumptions.incidents_per_night) for row in kept]
    length = [row["minutes_mean"] if row["minutes_mean"] is not None else assumptions.minutes_per_incident for row in kept]
    return Nights(
        members=tuple(replace(member, incidents_known=bool(known)) for member, known in zip(members, told, strict=True)),
        names=tuple(row["name"] for row in kept),
        municipalities=tuple(row["municipality"] for row in kept),
        slots=slots,
        lasts=np.diff(np.array(cuts, dtype=np.float64)) if cuts else np.zeros(0),
        active=active,
        lat=np.array([row["lat"] for row in kept], dtype=np.float64),
        lon=np.array([row["lon"] for row in kept], dtype=np.float64),
        per_night=np.array(rate, dtype=np.float64) * assumptions.incident_factor,
        minutes=np.array(length, dtype=np.float64) * assumptions.minutes_factor,
        pay_known=tuple(row["monthly_pay_ore"] is not None for row in kept),
        left_out=pl.DataFrame(out, schema={"unit_id": pl.String, "reason": pl.String}, orient="row"),
        inputs=inputs,
        assumptions=assumptions,
    )


def _reason(row: Mapping[str, Any], assumptions: Assumptions) -> str | None:
    if assumptions.single_person_only and not row["single_person"]:
        return "not_single_person"
    if row["posts"] is None:
        return "no_roster"
    if row["posts"] < 1 or row["night_cover_roster" if "night_cover_roster" in row else "night_cover"] in (None, "none"):
        return "no_post"
    if row["shift_start"] is None or row["shift_end"] is None or row["shift_start"] == row["shift_end"]:
        return "shift_unusable"
    start, end = post_cost.minutes_of(row["shift_start"], row["shift_end"])
    if start < post_cost.NOON or end > post_cost.NOON + post_cost.DAY:
        return "shift_unusable"
    if row["lat"] is None or row["lon"] is None:
        return "no_position"
    return None


def _member(row: Mapping[str, Any]) -> rules.Member:
    start, end = post_cost.minutes_of(row["shift_start"], row["shift_end"])
    # An empty list cannot be delivered. Where the roster's other safety answers were given, no exclusion named means none; else it is not
    # told.
    answered = row["danger_met_by"] is not None or row["lone_work_danger"] is not None
    told = row["excludes_covered"] if row["excludes_covered"] else row["excludes_groups"]
    excludes = frozenset(told) if told else frozenset() if answered else None
    return rules.Member(
        unit_id=row["unit_id"],
        night_cover=row["night_cover_roster"] if "night_cover_roster" in row else row["night_cover"],
        posts=row["posts"],
        start=start,
        end=end,
        operator_kind=row["operator_kind"],
        approval_status=row["approval_status"],
        approved_until=row["approved_until"],
        one_to_one=row["one_to_one"],
        risky_work=row["risky_work"],
        lone_work_danger=row["lone_work_danger"],
        danger_met_by=row["danger_met_by"],
        response_minutes_limit=row["response_minutes_limit"],
        groups=frozenset(row["groups"] or ()),
        excludes=excludes,
        staff_needed=row["staff_most"],
        located=bool(row["has_own_point"]),
    )


def _rate(incidents: int | None, nights: int | None, assumed: float) -> float:
    """Incidents a night: those registered over the nights delivered.

    A quiet unit gets the upper end of the 95 % interval of none in so many nights (3.7 a year where a year is delivered): none seen is not
    none to come. Where nothing is delivered, or too little to tell quiet from new, the assumption holds.
    """
    if incidents is None or not nights:
        return assumed
    if incidents > 0:
        return incidents / nights
    return overlap.rate_interval(0, nights)[1] if nights >= LEAST_NIGHTS else assumed


def _tight(member: rules.Member, limits: rules.Limits) -> bool:
    """Whether a unit's own response limit makes an on-call night working time (W12)."""
    figure = limits["W12"].value
    return figure is not None and member.response_minutes_limit is not None and member.response_minutes_limit <= figure


@lru_cache(maxsize=64)
def _scaled_terms(terms: post_cost.Terms, factor: float) -> post_cost.Terms:
    if factor == 1.0:
        return terms
    return terms.changed(windows=tuple(replace(window, pct=window.pct * factor) for window in terms.windows))


@lru_cache(maxsize=8192)
def _slots(start: int, end: int, pay_ore: int, kind: str, cuts: tuple[int, ...], terms: post_cost.Terms) -> Whole:
    return post_cost.split(post_cost.Post(start, end, pay_ore, kind), cuts, terms)


# --- candidates --------------------------------------------------------------------------------------------------------------------------


def _ticking(work: Sequence[One], tick: Tick | None) -> Iterator[One]:
    for done, one in enumerate(work):
        if tick is not None:
            tick(done / len(work))
        yield one


def candidates(nights: Nights, tick: Tick | None = None) -> Candidates:
    """Every pair within reach, valued and judged; sorted by unit ids."""
    at, km, minutes, told = _reachable(nights, nights.assumptions.max_minutes)
    values = value(nights, at, _both(minutes), _both(km))
    # Pairs by the thousand lapse in the same few ways: each way is written once.
    ways: dict[tuple[tuple[str, ...], ...], int] = {}
    lapsed: list[int] = []
    for row, (a, b) in enumerate(at.tolist()):
        if tick is not None and row % TICK_PAIRS == 0:
            tick(row / at.shape[0])
        members = _located(nights, (a, b))
        lapses = nights.assessor.lapses(members, _shared(nights, members, values.travel[row], float(values.overlaps[row])))
        way = tuple(_named(lapses, outcome) for outcome in WORST_FIRST)
        lapsed.append(ways.setdefault(way, len(ways)))
    told_of = {
        "status": [next((outcome for outcome, names in zip(WORST_FIRST, way, strict=True) if names), "pass") for way in ways],
        **{column: [list(way[place]) for way in ways] for place, column in enumerate(("failed", "unknown", "warned"))},
    }
    named = pl.DataFrame(told_of, schema={column: PAIR_SCHEMA[column] for column in told_of})
    named = named.select(pl.all().gather(pl.Series(lapsed, dtype=pl.UInt32)))
    ids = nights.ids
    pairs = pl.DataFrame(
        {
            "unit_a": [ids[a] for a in at[:, 0]],
            "unit_b": [ids[b] for b in at[:, 1]],
            "km": km,
            "minutes": minutes,
            "shared_minutes": values.shared_minutes,
            "posts_ore": values.posts_ore,
            "call_out_ore": values.call_out_ore,
            "driving_ore": values.driving_ore,
            "gear_ore": values.gear_ore,
            "saving_ore": values.saving_ore,
            "overlaps_per_year": values.overlaps * NIGHTS,
            **named.to_dict(),
        },
        schema=PAIR_SCHEMA,
    )
    return Candidates(nights=nights, pairs=pairs, at=at, km=km, minutes=minutes, told=told)


TICK_PAIRS = 2000
WORST_FIRST: tuple[rules.Outcome, ...] = ("fail", "unknown", "warn")


def _named(verdicts: Sequence[rules.Verdict], outcome: str) -> tuple[str, ...]:
    return tuple(sorted({verdict.rule for verdict in verdicts if verdict.outcome == outcome}))


def _both(values: Floats) -> Floats:
    return np.repeat(values[:, None], 2, axis=1)


def _reachable(nights: Nights, most_minutes: float) -> tuple[Whole, Floats, Floats, NDArray[np.bool_]]:
    """Pairs within some minutes: numbers [pairs, 2] ascending, km (road, reckoned), minutes, and whether the user told the minutes."""
    assumptions = nights.assumptions
    count = len(nights.members)
    furthest_km = most_minutes / 60 * assumptions.speed_kmh / assumptions.detour
    found = np.empty((0, 2), dtype=np.int64)
    if count >= 2:
        phi, lam = np.radians(nights.lat), np.radians(nights.lon)
        sphere = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        chord = 2 * np.sin(min(np.pi / 2, furthest_km * 1000 / EARTH_RADIUS_M / 2))
        found = cKDTree(sphere).query_pairs(chord * (1 + 1e-9) + 1e-12, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    told = _told_minutes(nights)
    if told:
        found = np.concatenate([found, np.array(list(told), dtype=np.int64)])
    found = np.unique(np.sort(found, axis=1), axis=0)
    a, b = found[:, 0], found[:, 1]
    km = haversine_km(nights.lat[a], nights.lon[a], nights.lat[b], nights.lon[b]) * assumptions.detour
    minutes = km / assumptions.speed_kmh * 60
    by_user = np.zeros(len(found), dtype=bool)
    for row, pair in enumerate(map(tuple, found.tolist()) if told else ()):
        if pair in told:
            minutes[row], by_user[row] = told[pair], True
    near = minutes <= most_minutes + 1e-9
    return found[near], km[near], minutes[near], by_user[near]


def _told_minutes(nights: Nights) -> dict[tuple[int, ...], float]:
    """The user's minutes by pair of unit numbers; of a pair told twice (there and back) the longer journey.

    Ids are read as text, so that a table whose ids are numbers means the same units. Rows about units that are not among these (they may
    lie elsewhere) are passed over. Raises SampladsError `night_travel_columns`, `night_travel_minutes`, `night_travel_negative`.
    """
    table = nights.inputs.travel
    if table is None:
        return {}
    missing = [name for name in ("unit_a", "unit_b", "minutes") if name not in table.columns]
    if missing:
        raise SampladsError("night_travel_columns", missing=", ".join(missing))
    number = {unit: position for position, unit in enumerate(nights.ids)}
    told: dict[tuple[int, ...], float] = {}
    for row, (a, b, minutes) in enumerate(
        table.select(pl.col("unit_a", "unit_b").cast(pl.String).str.strip_chars(), "minutes").iter_rows(), 1
    ):
        if minutes is None:
            continue
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not np.isfinite(minutes):
            raise SampladsError("night_travel_minutes", row=row, text=str(minutes))
        if minutes < 0:
            raise SampladsError("night_travel_negative", row=row, text=f"{minutes:g}")
        if a in number and b in number and a != b:
            pair = (min(number[a], number[b]), max(number[a], number[b]))
            told[pair] = max(float(minutes), told.get(pair, 0.0))
    return told


def _farthest(groups: Whole, rows: Mapping[tuple[int, int], Whole], values: Floats) -> Floats:
    """For each unit of each group the largest value to another of the group; `rows` tells where the value of each two stands."""
    result = np.zeros(groups.shape, dtype=np.float64)
    for (i, j), row in rows.items():
        result[:, i] = np.maximum(result[:, i], values[row])
        result[:, j] = np.maximum(result[:, j], values[row])
    return result


def value(nights: Nights, groups: Whole, travel: Floats, km: Floats) -> Values:
    """Money and risk of groups: `groups` [count, size] of unit numbers, `travel` and `km` to each from the farthest other."""
    assumptions = nights.assumptions
    count, size = groups.shape
    posts = np.zeros(count, dtype=np.int64)
    shared = np.zeros(count, dtype=np.float64)
    for part in range(nights.slots.shape[1]):
        costs, active = nights.slots[:, part][groups], nights.active[:, part][groups]
        posts += costs.sum(axis=1) - costs.max(axis=1, initial=0)
        shared += nights.lasts[part] * (active.sum(axis=1) >= 2)
    per_night, minutes = nights.per_night[groups], nights.minutes[groups]
    overlaps = overlap.expected_overlaps(per_night, minutes + travel, shared, law=assumptions.law, clustering=assumptions.clustering)
    driven = (per_night * km).sum(axis=1) * NIGHTS
    gear = round(size * (assumptions.equipment_ore / assumptions.equipment_years + assumptions.running_ore))
    # Shifts that never meet are not a coupling: nothing saved, nothing spent.
    meets = shared > 0
    return Values(
        posts_ore=posts,
        call_out_ore=np.rint(overlaps * NIGHTS * assumptions.call_out_ore * meets).astype(np.int64),
        driving_ore=np.rint(driven * assumptions.km_ore * meets).astype(np.int64),
        gear_ore=(gear * meets).astype(np.int64),
        overlaps=overlaps * meets,
        shared_minutes=shared,
        travel=travel,
    )


def judge(nights: Nights, units: Sequence[int], travel: Iterable[float], overlaps_a_night: float) -> tuple[rules.Verdict, ...]:
    """Every rule's verdict on units (by number) that would share one post."""
    members = _located(nights, units)
    return nights.assessor.assess(members, _shared(nights, members, travel, overlaps_a_night))


def _shared(nights: Nights, members: Sequence[rules.Member], travel: Iterable[float], overlaps_a_night: float) -> rules.Shared:
    """The post that the members would share."""
    assumptions = nights.assumptions
    kind = max((member.night_cover for member in members), key=NIGHT_COVERS.index)
    tight = any(_tight(member, assumptions.limits) for member in members)
    return rules.Shared(
        kind=kind,
        travel=tuple(float(minutes) for minutes in travel),
        handover_minutes=assumptions.terms.handover_minutes,
        working_share=1.0 if kind == "on_call" and tight else assumptions.terms.share(kind),
        overlaps=overlaps_a_night * NIGHTS,
        ceiling=assumptions.max_overlaps,
    )


def _located(nights: Nights, units: Sequence[int]) -> list[rules.Member]:
    """The members; one without a point of its own counts as located where the user told the journeys to all the others."""
    members = [nights.members[unit] for unit in units]
    if nights.inputs.travel is None or all(member.located for member in members):
        return members
    told = nights.told_pairs
    return [
        member
        if member.located
        else replace(member, located=all((min(unit, other), max(unit, other)) in told for other in units if other != unit))
        for unit, member in zip(units, members, strict=True)
    ]


# --- the plan ----------------------------------------------------------------------------------------------------------------------------


def choose(
    found: Candidates,
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    price_ore: int = 0,
) -> tuple[coupling.Plan, list[list[str]]]:
    """The choice alone: the proof, and the unit ids of each coupling. Arguments as `best`."""
    assumptions = found.nights.assumptions
    demanded = list(together)
    _check_together(found, demanded)
    wanted = {frozenset(pair) for pair in demanded}
    open_statuses = ["pass", "warn", *(["unknown"] if assumptions.allow_unknown else [])]
    usable = found.pairs["status"].is_in(open_statuses).to_numpy().copy()
    for row in np.flatnonzero((found.pairs["status"] == "unknown").to_numpy()) if wanted else ():
        usable[row] |= frozenset(found.pairs.row(int(row))[:2]) in wanted
    if assumptions.group_size == 2:
        edges = found.pairs.filter(pl.Series(usable)).select(
            "unit_a",
            "unit_b",
            (pl.col("saving_ore") - (pl.col("overlaps_per_year") * price_ore).round().cast(pl.Int64)).alias("saving_ore"),
        )
        proof = coupling.pair_up(edges, together=demanded, apart=apart)
        chosen = [list(pair) for pair in proof.chosen.select("unit_a", "unit_b").iter_rows()]
    else:
        groups = _groups(found, usable | _broken_by_risk_alone(found, wanted), price_ore, demanded)
        _check_groups(found, groups, demanded)
        proof = coupling.group_up(groups, together=demanded, apart=apart)
        gathered = proof.chosen.group_by("group_id", maintain_order=True).agg(pl.col("unit_id").sort())
        chosen = [list(units) for units in gathered["unit_id"]]
    return proof, chosen


def best(
    found: Candidates,
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    price_ore: int = 0,
    tick: Tick | None = None,
) -> NightPlan:
    """The couplings that save the most among the candidates that keep the rules.

    `price_ore` is what one expected overlapping incident counts for against the saving (0: money only); it steers the choice and is not
    in the sums. A pair in `together` must be a candidate; a hard rule that it breaks is not overridden: SampladsError `night_rule_broken`.
    """
    proof, chosen = choose(found, together=together, apart=apart, price_ore=price_ore)
    couples = tuple(sorted(_described(found, chosen, tick), key=lambda couple: (-couple.saving_ore, couple.unit_ids)))
    return NightPlan(
        couples=couples,
        proof=proof,
        candidates=found,
        by_municipality=savings.by_municipality(gain for couple in couples for gain in couple.gains),
    )


def _check_together(found: Candidates, together: Sequence[tuple[str, str]]) -> None:
    for a, b in together:
        lower, upper = min(a, b), max(a, b)
        if found.excluded & {a, b}:
            raise SampladsError("night_unit_left_out", unit=min(found.excluded & {a, b}), unit_a=a, unit_b=b)
        row = found.pairs.filter((pl.col("unit_a") == lower) & (pl.col("unit_b") == upper))
        if row.is_empty():
            raise SampladsError("coupling_pair_unknown", unit_a=a, unit_b=b)
        failed = row["failed"][0].to_list()
        if row["status"][0] == "fail" and not (found.nights.assumptions.group_size > 2 and failed == list(OF_THE_GROUP)):
            raise SampladsError("night_rule_broken", unit_a=a, unit_b=b, rules=", ".join(failed))


OF_THE_GROUP = ("S7",)
"""The hard rules that a pair may break and a group that holds it keep: over more hours two incidents meet less often."""


def _broken_by_risk_alone(found: Candidates, wanted: set[frozenset[str]]) -> NDArray[np.bool_]:
    """By pair: whether it may be part of a larger group though it is over the ceiling itself; questions as for the usable ones."""
    allowed = pl.lit(found.nights.assumptions.allow_unknown)
    asked = pl.Series([frozenset(pair) in wanted for pair in found.pairs.select("unit_a", "unit_b").iter_rows()] if wanted else [False])
    alone = (pl.col("failed").list.len() == len(OF_THE_GROUP)) & pl.col("failed").list.contains(OF_THE_GROUP[0])
    return found.pairs.select(alone & (allowed | asked | (pl.col("unknown").list.len() == 0))).to_series().to_numpy()


def _check_groups(found: Candidates, groups: pl.DataFrame, together: Sequence[tuple[str, str]]) -> None:
    """Raise where a pair demanded breaks a rule as a pair, and no group that holds it keeps it either."""
    for a, b in together:
        row = found.pairs.filter((pl.col("unit_a") == min(a, b)) & (pl.col("unit_b") == max(a, b)))
        if row["status"][0] != "fail":
            continue
        held = groups.filter(pl.col("unit_id").is_in([a, b])).group_by("group_id").len()
        if held.filter(pl.col("len") == 2).is_empty():
            raise SampladsError("night_rule_broken", unit_a=a, unit_b=b, rules=", ".join(row["failed"][0].to_list()))


def _keeps_risky_hours(nights: Nights, groups: Whole, together: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    """By group: whether it keeps W5: the long hours may come of two units and the risky work of a third, so that no pair shows it.

    A group where W5 is to be assessed is left out unless that is allowed, or what is demanded of its units raises the question by itself.
    """
    assumptions = nights.assumptions
    most = assumptions.limits["W5"].value
    if most is None:
        raise ValueError("W5")
    start = np.array([member.start for member in nights.members], dtype=np.int64)
    end = np.array([member.end for member in nights.members], dtype=np.int64)
    risky = np.array([member.risky_work is True for member in nights.members], dtype=bool)
    untold = np.array([member.risky_work is None for member in nights.members], dtype=bool)
    demanded = np.zeros(len(nights.members), dtype=bool)
    demanded[[nights.number[unit] for pair in together for unit in pair]] = True

    def long(some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        first = np.where(some, start[groups], np.iinfo(np.int64).max // 4).min(axis=1)
        last = np.where(some, end[groups], np.iinfo(np.int64).min // 4).max(axis=1)
        return np.asarray((last - first + assumptions.terms.handover_minutes) / 60 > most + 1e-9)

    too_long = long(np.ones(groups.shape, dtype=bool))
    kept = ~(too_long & risky[groups].any(axis=1))
    if not assumptions.allow_unknown:
        insisted = demanded[groups]
        asked_for = long(insisted) & (untold[groups] & insisted).any(axis=1)
        kept &= ~(too_long & untold[groups].any(axis=1)) | asked_for
    return np.asarray(kept)


def _groups(found: Candidates, usable: NDArray[np.bool_], price_ore: int, together: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """All groups of usable pairs, up to the size assumed, that keep the rules of the group: group_id, unit_id, saving_ore.

    Every other rule that a group breaks is broken by a pair in it: hours are those of the pair that starts first and ends last, journeys
    and exclusions are between two, the rest is each unit's own.
    """
    nights, assumptions = found.nights, found.nights.assumptions
    ids = np.array(nights.ids, dtype=object)
    frames: list[pl.DataFrame] = []
    before = 0
    for size, groups in coupling.cliques(len(nights.members), found.at[usable], assumptions.group_size).items():
        travel, km = found.travel_of(groups)
        values = value(nights, groups, travel, km)
        kept = _keeps_risky_hours(nights, groups, together)
        if assumptions.max_overlaps is not None:
            kept &= values.overlaps * NIGHTS <= assumptions.max_overlaps
        worth = values.saving_ore[kept] - np.rint(values.overlaps[kept] * NIGHTS * price_ore).astype(np.int64)
        number = np.arange(before, before + int(kept.sum()))
        before += len(number)
        frames.append(
            pl.DataFrame(
                {
                    "group_id": np.repeat(number, size),
                    "unit_id": pl.Series(ids[groups[kept].ravel()].tolist(), dtype=pl.String),
                    "saving_ore": np.repeat(worth, size),
                }
            )
        )
    return pl.concat(frames)


def describe(found: Candidates, units: Sequence[str]) -> Couple:
    """One coupling by its unit ids, with money, risk, verdicts and shares. Each two of the units must be a candidate pair."""
    return next(_described(found, [units], None))


def _described(found: Candidates, chosen: Sequence[Sequence[str]], tick: Tick | None) -> Iterator[Couple]:
    """Couplings by their unit ids, in order, each as `describe`. The risks of some are reckoned together."""
    number = found.nights.number
    batches = [chosen[start : start + RISKS_TOGETHER] for start in range(0, len(chosen), RISKS_TOGETHER)]
    for batch in _ticking(batches, tick):
        priced = []
        for units in batch:
            group = np.array([sorted(number[unit] for unit in units)], dtype=np.int64)
            travel, km = found.travel_of(group)
            priced.append((group[0].tolist(), travel, km, value(found.nights, group, travel, km)))
        asked = [demand(found.nights, at, travel[0], float(values.shared_minutes[0])) for at, travel, _, values in priced]
        for (at, travel, km, values), risk in zip(priced, overlap.risks(asked), strict=True):
            yield _couple(found, at, travel, km, values, risk)


def _couple(found: Candidates, at: Sequence[int], travel: Floats, km: Floats, values: Values, risk: overlap.Risk) -> Couple:
    """One coupling by its unit numbers, with what it is worth and risks; the others are arrays of this one group."""
    nights, assumptions = found.nights, found.nights.assumptions
    at = list(at)
    verdicts = judge(nights, at, travel[0], float(values.overlaps[0]))
    saving = int(values.saving_ore[0])
    alone = [int(cost) for cost in nights.alone_ore[at]]
    shares = savings.share(alone, saving, lambda some: _worth(found, [at[i] for i in sorted(some)])).with_columns(
        pl.Series("unit_id", [nights.ids[i] for i in at])
    )
    by_unit = dict(zip(shares["unit_id"].to_list(), shares[f"{assumptions.sharing}_ore"].to_list(), strict=True))
    located = {nights.ids[i]: nights.municipalities[i] for i in at}
    residents = [resident for unit in sorted(by_unit) for resident in nights.inputs.residents_of.get(unit, ())]
    gains = savings.gains(by_unit, residents, located, assumptions.refund)
    net = sum(gain.net_ore for gain in gains)
    one_off, life = assumptions.equipment_ore * len(at), assumptions.equipment_years
    # Cash is the saving before the write-off. The refund that falls away is the same, so net of it the cash is less by just that.
    written_off = round(one_off / life)

    def present(yearly_ore: int) -> int:
        return savings.present_value(yearly_ore, one_off, discount_pct=assumptions.discount_pct, life_years=life)

    return Couple(
        unit_ids=tuple(nights.ids[i] for i in at),
        names=tuple(nights.names[i] for i in at),
        municipalities=tuple(nights.municipalities[i] for i in at),
        minutes=float(travel.max()),
        km=float(km.max()),
        shared_minutes=float(values.shared_minutes[0]),
        alone_ore=tuple(alone),
        posts_ore=int(values.posts_ore[0]),
        call_out_ore=int(values.call_out_ore[0]),
        driving_ore=int(values.driving_ore[0]),
        gear_ore=int(values.gear_ore[0]),
        saving_ore=saving,
        net_ore=net,
        one_off_ore=one_off,
        payback_month=savings.payback_month(saving + written_off, one_off, life),
        present_value_ore=present(saving + written_off),
        net_payback_month=savings.payback_month(net + written_off, one_off, life),
        net_present_value_ore=present(net + written_off),
        risk=risk,
        verdicts=verdicts,
        status=rules.status(verdicts),
        shares=shares,
        gains=tuple(gains),
    )


def demand(nights: Nights, at: Sequence[int], travel: Iterable[float], shared_minutes: float) -> overlap.Demand:
    """What units (by number) would ask of one guard; all their incidents are taken to fall in the hours they share."""
    return overlap.Demand(
        per_night=tuple(float(rate) for rate in nights.per_night[list(at)]),
        minutes=tuple(float(minutes) for minutes in nights.minutes[list(at)]),
        travel=tuple(float(minutes) for minutes in travel),
        night_minutes=shared_minutes,
        nights=NIGHTS,
        law=nights.assumptions.law,
        clustering=nights.assumptions.clustering,
    )


def _worth(found: Candidates, at: Sequence[int]) -> int:
    """What some of a coupling's units would save among themselves; nobody couples at a loss."""
    if len(at) < 2:
        return 0
    group = np.array([at], dtype=np.int64)
    travel, km = found.travel_of(group)
    return max(0, int(value(found.nights, group, travel, km).saving_ore[0]))


PARTNER_SCHEMA: dict[str, Any] = {
    "partner": pl.String,
    "minutes": pl.Float64,
    "km": pl.Float64,
    "saving_ore": pl.Int64,
    "overlaps_per_year": pl.Float64,
    "cost_to_plan_ore": pl.Int64,
    "in_best_plan": pl.Boolean,
    "status": pl.String,
    "failed": pl.List(pl.String),
    "unknown": pl.List(pl.String),
    "warned": pl.List(pl.String),
}


def partners(
    found: Candidates,
    unit: str,
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    price_ore: int = 0,
    most: int = 10,
) -> pl.DataFrame:
    """Who a unit could share with, best first, and what the plan as a whole loses if the two are insisted on.

    One row per pair within reach that is not held apart (`PARTNER_SCHEMA`), at most `most`: those that keep the hard rules by saving, then
    those that break one. cost_to_plan_ore: how far the best plan that holds the two is below the best plan (in what the plan is chosen
    by: kroner, less the price on risk); it may be negative for a pair that is to be assessed, since insisting lets it in; null where the
    two cannot be insisted on. Raises SampladsError `night_unit_unknown`.
    """
    if unit not in found.nights.ids:
        raise SampladsError("night_unit_unknown", units=unit)
    together, apart = tuple(together), tuple(apart)
    held = {frozenset(pair) for pair in apart}
    proof, chosen = choose(found, together=together, apart=apart, price_ore=price_ore)
    shared = next((set(units) for units in chosen if unit in units), set())
    mine = found.pairs.filter((pl.col("unit_a") == unit) | (pl.col("unit_b") == unit))
    mine = mine.with_columns((pl.col("status") == "fail").alias("broken")).sort(
        ["broken", "saving_ore", "unit_a", "unit_b"], descending=[False, True, False, False]
    )
    rows: list[dict[str, Any]] = []
    for row in mine.iter_rows(named=True):
        pair = (row["unit_a"], row["unit_b"])
        if frozenset(pair) in held or len(rows) == most:
            continue
        cost: int | None = None
        if not row["broken"]:
            try:
                insisted, _ = choose(found, together=(*together, pair), apart=apart, price_ore=price_ore)
                cost = proof.objective_ore - insisted.objective_ore
            except SampladsError:
                # What is demanded already leaves no room for the two.
                cost = None
        partner = row["unit_b"] if row["unit_a"] == unit else row["unit_a"]
        rows.append({**row, "partner": partner, "cost_to_plan_ore": cost, "in_best_plan": partner in shared})
    return pl.DataFrame([{key: row[key] for key in PARTNER_SCHEMA} for row in rows], schema=PARTNER_SCHEMA)


# --- what if -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FrontierPoint:
    """One best plan for a price on risk: couplings, saving and overlaps a year."""

    price_ore: int
    couples: int
    saving_ore: int
    overlaps_per_year: float
    units: tuple[tuple[str, ...], ...] = field(default=())


def priced(
    found: Candidates,
    prices_ore: Iterable[int],
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    tick: Tick | None = None,
) -> list[FrontierPoint]:
    """The best plan for each price on an overlapping incident that meets what is demanded by hand (as in `best`); ascending price."""
    together, apart = tuple(together), tuple(apart)
    points: list[FrontierPoint] = []
    for price in _ticking(sorted(set(prices_ore)), tick):
        _, chosen = choose(found, together=together, apart=apart, price_ore=price)
        groups = [sorted(found.nights.number[unit] for unit in units) for units in chosen]
        saving, overlaps = 0, 0.0
        for size in sorted({len(group) for group in groups}):
            alike = np.array([group for group in groups if len(group) == size], dtype=np.int64)
            values = value(found.nights, alike, *found.travel_of(alike))
            saving += int(values.saving_ore.sum())
            overlaps += float(values.overlaps.sum()) * NIGHTS
        points.append(FrontierPoint(price, len(chosen), saving, overlaps, tuple(tuple(sorted(units)) for units in chosen)))
    return points


def efficient(points: Iterable[FrontierPoint], chosen_ore: int | None = None) -> list[FrontierPoint]:
    """Points of which none saves more at as little risk (the supported points of the two-sided problem), each plan once. Ascending risk.

    The plan for the price `chosen_ore` stays whatever the others are: groups whose gap is open, or a tie in saving, may put another
    ahead of it, and the plan in force must be seen among its rivals.
    """
    once: dict[tuple[int, float], FrontierPoint] = {}
    standing: tuple[int, float] | None = None
    for point in points:
        key = (point.saving_ore, round(point.overlaps_per_year, 6))
        once.setdefault(key, point)
        if point.price_ore == chosen_ore:
            standing = key
    kept: list[FrontierPoint] = []
    most: int | None = None
    for key, point in sorted(once.items(), key=lambda item: (item[1].overlaps_per_year, -item[1].saving_ore)):
        if most is None or point.saving_ore > most:
            most = point.saving_ore
            kept.append(point)
        elif key == standing:
            kept.append(point)
    return kept


def frontier(
    found: Candidates,
    prices_ore: Sequence[int],
    *,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
    chosen_ore: int | None = None,
) -> list[FrontierPoint]:
    """Saving against risk: `priced` plans of which no other saves more at as little risk. Arguments as there and in `efficient`."""
    return efficient(priced(found, prices_ore, together=together, apart=apart), chosen_ore)


def revalue(plan: NightPlan, **changes: Any) -> int:
    """The saving of the plan's couplings under changed assumptions: fields of `Assumptions` or of its terms, and `share_<kind>` for the
    share of working time of a kind of post. Journeys that the user told stay as told.
    """
    found = plan.candidates
    if not plan.couples:
        return 0
    assumptions = found.nights.assumptions
    of_terms = {name: changes.pop(name) for name in list(changes) if name in _OF_TERMS}
    shares = {name.removeprefix("share_"): changes.pop(name) for name in list(changes) if name.startswith("share_")}
    changed = assumptions.changed(**changes)
    if "handover_minutes" in of_terms:
        of_terms["handover_minutes"] = round(of_terms["handover_minutes"])
    if shares:
        of_terms["working_share"] = tuple((kind, shares.get(kind, share)) for kind, share in changed.terms.working_share)
    if of_terms:
        changed = changed.changed(terms=changed.terms.changed(**of_terms))
    # The couplings stand; only what they cost, save and risk is reckoned anew.
    changed = changed.changed(max_minutes=1e9 if changed.max_minutes < 1e9 else changed.max_minutes)
    nights = prepare(found.nights.inputs.only(unit for couple in plan.couples for unit in couple.unit_ids), changed)
    number = {unit: position for position, unit in enumerate(nights.ids)}
    slower = assumptions.speed_kmh / changed.speed_kmh * changed.detour / assumptions.detour
    farther = changed.detour / assumptions.detour
    then = replace(found, minutes=np.where(found.told, found.minutes, found.minutes * slower), km=found.km * farther)
    at = {unit: position for position, unit in enumerate(found.nights.ids)}
    total = 0
    # All couplings of a size at once.
    for size in sorted({len(couple.unit_ids) for couple in plan.couples}):
        sized = [couple.unit_ids for couple in plan.couples if len(couple.unit_ids) == size]
        old = np.array([[at[unit] for unit in units] for units in sized], dtype=np.int64)
        group = np.array([[number[unit] for unit in units] for units in sized], dtype=np.int64)
        total += int(value(nights, group, *then.travel_of(old)).saving_ore.sum())
    return total


_OF_TERMS = frozenset(
    {
        "sick_days",
        "holiday_days",
        "public_holiday_days",
        "extra_holiday_hours",
        "other_absence_days",
        "gross_hours",
        "hours_a_day",
        "pension_pct",
        "on_cost_pct",
        "handover_minutes",
    }
)
"""Assumptions that are fields of the terms of pay and hours."""


def spans(assumptions: Assumptions) -> list[savings.Span]:
    """Every numeric assumption that touches the saving, each with a low and a high value; the tornado keeps the ten that move it most."""
    terms = assumptions.terms

    def scaled(of: Any, name: str, low: float, high: float) -> savings.Span:
        base = float(getattr(of, name))
        return savings.Span(name, base * low, base, base * high)

    def moved(of: Any, name: str, less: float, more: float) -> savings.Span:
        base = float(getattr(of, name))
        return savings.Span(name, max(0.0, base - less), base, base + more)

    return [
        scaled(assumptions, "pay_factor", 0.9, 1.1),
        scaled(assumptions, "supplement_factor", 0.8, 1.3),
        scaled(assumptions, "default_pay_ore", 0.9, 1.1),
        scaled(terms, "sick_days", 0.5, 1.5),
        moved(terms, "holiday_days", 2, 5),
        moved(terms, "public_holiday_days", 1, 2),
        moved(terms, "extra_holiday_hours", 37, 0),
        moved(terms, "other_absence_days", 5, 5),
        scaled(terms, "gross_hours", 0.97, 1.03),
        scaled(terms, "hours_a_day", 0.95, 1.05),
        moved(terms, "pension_pct", 2, 2),
        moved(terms, "on_cost_pct", 10, 10),
        moved(terms, "handover_minutes", 15, 15),
        *(
            savings.Span(f"share_{kind}", share * 0.8, share, min(1.0, share * 1.2))
            for kind, share in terms.working_share
            if kind != "awake"
        ),
        scaled(assumptions, "incident_factor", 0.5, 2.0),
        scaled(assumptions, "minutes_factor", 0.5, 2.0),
        scaled(assumptions, "incidents_per_night", 0.5, 2.0),
        scaled(assumptions, "minutes_per_incident", 0.5, 2.0),
        moved(assumptions, "clustering", 1, 1),
        scaled(assumptions, "speed_kmh", 0.7, 1.2),
        scaled(assumptions, "detour", 0.9, 1.2),
        scaled(assumptions, "call_out_ore", 0.5, 2.0),
        scaled(assumptions, "km_ore", 0.5, 2.0),
        scaled(assumptions, "equipment_ore", 0.5, 2.0),
        scaled(assumptions, "equipment_years", 0.6, 1.6),
        scaled(assumptions, "running_ore", 0.5, 2.0),
    ]


def sensitivity(plan: NightPlan) -> pl.DataFrame:
    """The ten assumptions that move the plan's saving the most (columns of `savings.tornado`), found among all of `spans`."""
    return savings.tornado(lambda values: revalue(plan, **values), spans(plan.candidates.nights.assumptions))


def break_even(found: Candidates, couple: Couple) -> float | None:
    """Calls a night, all units of the coupling together, below which it pays; None where it pays at any number of calls.

    The calls are spread over the units as their incidents are now, evenly where they have none.
    """
    nights = found.nights
    at = [nights.number[unit] for unit in couple.unit_ids]
    group = np.array([at], dtype=np.int64)
    travel, km = found.travel_of(group)
    present = nights.per_night[at]
    mix = present / present.sum() if present.sum() > 0 else np.full(len(at), 1 / len(at))

    def at_calls(calls: float) -> float:
        rates = nights.per_night.copy()
        rates[at] = mix * calls
        return float(value(replace(nights, per_night=rates), group, travel, km).saving_ore[0])

    return savings.break_even_calls(at_calls)


COLOCATION_SCHEMA: dict[str, Any] = {
    "unit_a": pl.String,
    "unit_b": pl.String,
    "minutes": pl.Float64,
    "saving_ore": pl.Int64,
    "sharing_ore": pl.Int64,
    "more_ore": pl.Int64,
    "one_off_ore": pl.Int64,
    "payback_months": pl.Int64,
    "overlaps_per_year": pl.Float64,
    "status": pl.String,
    "unknown": pl.List(pl.String),
    "warned": pl.List(pl.String),
}


def co_locations(found: Candidates, *, apart: Iterable[tuple[str, str]] = (), most: int = 100) -> pl.DataFrame:
    """The variant of moving one resident to a place beside the other: no journey, one move. A move is always a decision of its own.

    1. Pairs up to `colocation_minutes` apart are looked at, also those too far from each other to share a guard; not those with a unit
       out of the plan, nor those held apart.
    2. Money and risk are reckoned without a journey; the move is written off over `colocation_years`.
    3. A pair is listed where that saves something, and more than sharing across the distance does where sharing keeps the hard rules.
    4. Every rule is judged anew without a journey (S1 holds at no distance, S7 holds the new risk against the ceiling); a pair that still
       breaks one is not listed.

    One row per pair (`COLOCATION_SCHEMA`), the best first, at most `most`: sharing_ore is null where the two cannot share as they lie.
    """
    nights, assumptions = found.nights, found.nights.assumptions
    at, _, minutes, _ = _reachable(nights, assumptions.colocation_minutes)
    zero = np.zeros(at.shape, dtype=np.float64)
    values = value(nights, at, zero, zero)
    moving = round(assumptions.colocation_ore / assumptions.colocation_years)
    gear, life = 2 * assumptions.equipment_ore, assumptions.equipment_years
    one_off = assumptions.colocation_ore + gear
    yearly = values.saving_ore - moving
    sharing = {
        (a, b): saving
        for a, b, saving, status in found.pairs.select("unit_a", "unit_b", "saving_ore", "status").iter_rows()
        if status != "fail"
    }
    held = {frozenset(pair) for pair in apart}
    ids = nights.ids
    here = replace(nights, members=tuple(replace(member, located=True) for member in nights.members))
    rows: list[dict[str, Any]] = []
    order = sorted(np.flatnonzero(yearly > 0).tolist(), key=lambda row: (-int(yearly[row]), int(at[row, 0]), int(at[row, 1])))
    for row in order:
        if len(rows) == most:
            break
        a, b = (int(unit) for unit in at[row])
        saving, apart_ore = int(yearly[row]), sharing.get((ids[a], ids[b]))
        if found.excluded & {ids[a], ids[b]} or frozenset((ids[a], ids[b])) in held or saving <= (apart_ore or 0):
            continue
        verdicts = judge(here, (a, b), (0.0, 0.0), float(values.overlaps[row]))
        status = rules.status(verdicts)
        if status == "fail":
            continue
        rows.append(
            {
                "unit_a": ids[a],
                "unit_b": ids[b],
                "minutes": float(minutes[row]),
                "saving_ore": saving,
                "sharing_ore": apart_ore,
                "more_ore": saving - (apart_ore or 0),
                "one_off_ore": one_off,
                "payback_months": savings.payback_month(
                    saving + moving + round(gear / life), gear, life, lasting_ore=assumptions.colocation_ore
                ),
                "overlaps_per_year": float(values.overlaps[row]) * NIGHTS,
                "status": status,
                "unknown": _named(verdicts, "unknown"),
                "warned": _named(verdicts, "warn"),
            }
        )
    return pl.DataFrame(rows, schema=COLOCATION_SCHEMA)


def simulate(plan: NightPlan, *, seed: int = 1, nights: int = 20_000, tick: Tick | None = None) -> list[overlap.Simulated]:
    """The plan's couplings played night by night, one result each, in order; every coupling has a stream of its own from the seed."""
    found = plan.candidates
    number = found.nights.number
    played = []
    streams = np.random.SeedSequence(seed).spawn(len(plan.couples))
    for couple, stream in _ticking(list(zip(plan.couples, streams, strict=True)), tick):
        at = [number[unit] for unit in couple.unit_ids]
        travel, _ = found.travel_of(np.array([at], dtype=np.int64))
        asked = demand(found.nights, at, travel[0], couple.shared_minutes)
        played.append(overlap.simulate(asked, np.random.default_rng(stream), nights))
    return played


def potential(found: Candidates) -> coupling.Plan:
    """The best pairs if every unanswered question were answered well: what it is worth to ask."""
    edges = found.pairs.filter(pl.col("status") != "fail").select("unit_a", "unit_b", "saving_ore")
    return coupling.pair_up(edges)
