"""Who stayed where and when, and what the units told about their places month by month."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from samplads.demo.draws import Bools, Floats, Ints, day_number, months_back, pick, pick_rows, unless, words
from samplads.demo.estate import Estate, distances, populations
from samplads.demo.profile import Profile
from samplads.reference import Reference

OPEN = 10_000_000
"""The day number of an end that is not known yet."""

LEAST_STAY_DAYS, LEAST_GAP_DAYS = 5, 3
DISTANCE_SCALE_KM = 34.0
"""How fast the pull of another municipality's units falls with distance, in exp(-km / scale). An assumption."""

FRESH, AGEING, STALE, UNCONFIRMED = 0.44, 0.08, 0.43, 0.05
"""Shares of units by the age of their last confirmation: about half is stale or was never confirmed."""

HIGHEST_OCCUPANCY = 0.985


@dataclass(frozen=True)
class Stays:
    """Stays as arrays of day numbers; `end` is the first day not there any more, OPEN where the person still is there."""

    unit: Ints
    start: Ints
    end: Ints
    municipality: Ints
    person: Ints
    rate_ore: Ints

    def present(self, day: int) -> Bools:
        """Who is there on a day: start <= day < end."""
        return (self.start <= day) & (day < self.end)

    def persons(self, day: int, units: int) -> Ints:
        """Persons there on a day, by unit."""
        return np.bincount(self.unit[self.present(day)], minlength=units)


@dataclass(frozen=True)
class Places:
    """A unit's maximum is `now`, and was `before` until the day `changed` (day number; OPEN never)."""

    now: Ints
    before: Ints
    changed: Ints

    def maximum(self, day: int) -> Ints:
        """Places by unit on a day."""
        return np.where(day < self.changed, self.before, self.now)


def changes(estate: Estate, as_of: dt.date, months: int, rng: np.random.Generator) -> Places:
    """One in twenty-five shared units grew or shrank by a place or two within the window: capacity has dates."""
    total = len(estate.maximum)
    changing = (rng.random(total) < 0.04) & ~estate.single & (estate.maximum >= 3)
    step = rng.choice([-2, -1, 1, 2], size=total)
    before = np.where(changing, np.maximum(estate.maximum - step, 1), estate.maximum)
    moments = [day_number(months_back(as_of, month)) for month in range(1, max(months, 2))]
    when = rng.choice(moments, size=total)
    return Places(now=estate.maximum, before=before, changed=np.where(before != estate.maximum, when, -OPEN))


def _turnover(
    slots: Ints, opens: Ints, closes: Ints, mean_stay: Floats, mean_gap: Floats, first: int, last: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Alternate stay and vacancy on every place, both exponential: (place, start, end) of all stays that touch first..last.

    On the first day a place is taken with its long-run share stay / (stay + gap); the stay that covers that day began an exponential time
    earlier (memorylessness makes this the equilibrium).
    """
    there = (rng.random(len(slots)) < mean_stay / (mean_stay + mean_gap)) & (opens <= first)
    begun = first - np.round(rng.exponential(mean_stay)).astype(np.int64)
    left = first + 1 + np.round(rng.exponential(mean_stay)).astype(np.int64)
    found = [(slots[there], begun[there], left[there])]
    free = np.where(there, left, np.maximum(opens, first))
    going = np.arange(len(slots))
    while len(going):
        begin = free[going] + LEAST_GAP_DAYS + np.round(rng.exponential(mean_gap[going])).astype(np.int64)
        end = begin + np.maximum(np.round(rng.exponential(mean_stay[going])).astype(np.int64), LEAST_STAY_DAYS)
        within = (begin <= last) & (begin < closes[going])
        going, begin, end = going[within], begin[within], end[within]
        found.append((slots[going], begin, end))
        free[going] = end
    place, start, end = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return place, start, np.minimum(end, closes[place])


def _acting(estate: Estate, reference: Reference, outside: float, unit: Ints, rng: np.random.Generator) -> Ints:
    """Who pays: `outside` of the residents come from another municipality, near and populous ones first."""
    people = populations(reference)
    pull = people[None, :] * np.exp(-distances(reference) / DISTANCE_SCALE_KM)
    np.fill_diagonal(pull, 0.0)
    home = estate.municipality[unit]
    if pull.sum() == 0:
        return home
    # Municipal offers take fewer from elsewhere than the others; the shares meet the published mean.
    kind = estate.units["operator_kind"].to_numpy()[unit] == "municipal"
    lean = np.where(kind, 0.8, 1.3)
    away = rng.random(len(unit)) < np.minimum(outside * lean / max(lean.mean(), 1e-9), 0.95)
    acting = home.copy()
    for municipality in np.unique(home[away]):
        mine = np.flatnonzero(away & (home == municipality))
        acting[mine] = pick(rng, pull[municipality], len(mine))
    return acting


def _moves(unit: Ints, start: Ints, end: Ints, municipality: Ints, child: Bools, rng: np.random.Generator) -> Ints:
    """Person numbers by stay. One in five of those who could have moved on did: who leaves a unit and who enters another of the same
    acting municipality within a fortnight are taken for one person."""
    stays = pl.DataFrame({"stay": np.arange(len(unit)), "start": start, "end": end, "payer": municipality * 2 + child})
    pairs = (
        stays.filter(pl.Series(rng.random(len(unit)) < 0.2))
        .select("stay", "start", "payer")
        .sort("start", "stay")
        .join_asof(
            stays.select(pl.col("stay").alias("earlier"), pl.col("end").alias("left"), "payer").sort("left", "earlier"),
            left_on="start",
            right_on="left",
            by="payer",
            strategy="backward",
            tolerance=14,
            check_sortedness=False,
        )
        .drop_nulls("earlier")
        .filter(pl.col("earlier") != pl.col("stay"))
        .unique("earlier", keep="first", maintain_order=True)
    )
    before = np.full(len(unit), -1, dtype=np.int64)
    before[pairs["stay"].to_numpy()] = pairs["earlier"].to_numpy()
    # A chain of moves carries the number of its first stay; stays are followed in the order in which they begin.
    person = np.arange(len(unit), dtype=np.int64)
    for stay in np.lexsort((np.arange(len(unit)), start)).tolist():
        if before[stay] >= 0:
            person[stay] = person[before[stay]]
    return person


def stays(
    profile: Profile,
    reference: Reference,
    estate: Estate,
    places: Places,
    as_of: dt.date,
    months: int,
    rng: np.random.Generator,
    *,
    moves: bool = True,
) -> Stays:
    """All stays that touch the last `months` before `as_of`, in the order of unit and first day.

    Without `moves` every stay is a person of its own (for sets of millions, where following persons takes longer than all the rest).
    """
    today = day_number(as_of)
    first = today - round(months * 30.44) - 35
    most = np.maximum(places.now, places.before)
    unit_of = np.repeat(np.arange(len(most)), most)
    number = np.arange(len(unit_of)) - np.repeat(np.cumsum(most) - most, most)
    opens = np.where(number >= places.before[unit_of], places.changed[unit_of], first - 1)
    closes = np.where(number >= places.now[unit_of], places.changed[unit_of], OPEN)

    # Mean vacancy g from occupancy o and mean stay L: o = L / (L + g); units differ, and what they miss on one place they miss on all.
    types = [profile.offer_types[position] for position in estate.type.tolist()]
    mean_stay = np.array([t.stay_years for t in types]) * 365.25
    target = np.where(estate.single, HIGHEST_OCCUPANCY, np.array([t.occupancy for t in types]))
    gap = mean_stay * (1 - target) / target * np.where(estate.single, 1.0, rng.gamma(2.5, 1 / 2.5, size=len(types)))
    place, start, end = _turnover(np.arange(len(unit_of)), opens, closes, mean_stay[unit_of], gap[unit_of], first, today, rng)
    unit = unit_of[place]
    order = np.lexsort((place, start, unit))
    unit, start, end = unit[order], start[order], end[order]
    end = np.where(end > today, OPEN, end)

    acting = _acting(estate, reference, profile.outside, unit, rng)
    child = np.array([t.child for t in types])[unit]
    own = estate.units["daily_rate_ore"].to_numpy()[unit]
    extra = np.where((rng.random(len(unit)) < 0.15) & ~estate.single[unit], 1 + rng.uniform(0.08, 0.45, size=len(unit)), 1.0)
    limit = profile.expensive_kr_a_year * 100 // 365 - 5_000
    rate = np.where(estate.single[unit], own, np.minimum(np.round(own * extra / 100).astype(np.int64) * 100, np.maximum(limit, own)))
    person = _moves(unit, start, end, acting, child, rng) if moves else np.arange(len(unit), dtype=np.int64)
    return Stays(unit, start, end, acting, person, rate)


def make_expensive(found: Stays, estate: Estate, as_of: dt.date, cases: int, kr_a_year: int, rng: np.random.Generator) -> Stays:
    """Raise the rate of so many present residents of shared units with risky nights that `cases` cost `kr_a_year` or more."""
    present = found.present(day_number(as_of))
    there = int((present & (found.rate_ore * 365 >= kr_a_year * 100)).sum())
    able = np.flatnonzero(present & ~estate.single[found.unit] & estate.risky[found.unit])
    chosen = rng.permutation(able)[: max(cases - there, 0)]
    rate = found.rate_ore.copy()
    least = -(-kr_a_year // 365)
    rate[chosen] = (least + np.round(rng.exponential(900.0, size=len(chosen))).astype(np.int64)) * 100
    return replace(found, rate_ore=rate)


def vacate(found: Stays, units: Ints, places: Places, as_of: dt.date, free: int, rng: np.random.Generator) -> Stays:
    """Let residents leave in the last weeks until each of the units has at least `free` free places on `as_of`."""
    today = day_number(as_of)
    end = found.end.copy()
    for unit in units.tolist():
        there = np.flatnonzero((found.unit == unit) & found.present(today))
        leaving = there[: max(len(there) - (int(places.now[unit]) - free), 0)]
        end[leaving] = np.maximum(today - rng.integers(4, 60, size=len(leaving)), found.start[leaving] + 1)
    return replace(found, end=end)


def person_reference(number: Ints, salt: int) -> list[str]:
    """Pseudonyms: eight hexadecimal digits, one to one with the number (odd multiplier modulo 2^32, then an exclusive or).

    Eight digits are too few to look like a civil registration number.
    """
    mixed = (number.astype(np.uint64) * np.uint64(2_654_435_761) % np.uint64(1 << 32)) ^ np.uint64(salt % (1 << 32))
    return [f"p-{value:08x}" for value in mixed.tolist()]


def stay_frame(profile: Profile, reference: Reference, estate: Estate, found: Stays, seed: int, rng: np.random.Generator) -> pl.DataFrame:
    """Stays in the contract's columns."""
    total = len(found.unit)
    types = [profile.offer_types[position] for position in estate.type.tolist()]
    planned = rng.random(total) < np.array([t.planned_end_share for t in types])[found.unit]
    length = np.maximum(np.array([t.stay_years for t in types])[found.unit] * 365 * rng.uniform(0.5, 2.0, size=total), 14)
    # A plan that has passed while the person is there was prolonged by half a year at a time.
    end_planned = found.start + length.astype(np.int64)
    latest = int(found.start.max(initial=0))
    overdue = (found.end == OPEN) & (end_planned <= latest)
    end_planned = np.where(overdue, latest + rng.integers(20, 540, size=total), end_planned)
    return pl.DataFrame(
        {
            "stay_id": [f"S-{number}" for number in range(1, total + 1)],
            "person_ref": person_reference(found.person, seed * 40_503 + 977),
            "unit_id": estate.units["unit_id"].gather(found.unit),
            "municipality": reference.municipality["code"].gather(found.municipality),
            "starts_on": pl.Series(found.start).cast(pl.Int32).cast(pl.Date),
            "ends_on": pl.Series(np.where(found.end == OPEN, -1, found.end)).replace(-1, None).cast(pl.Int32).cast(pl.Date),
            "planned_end": pl.Series(np.where(planned, end_planned, -1)).replace(-1, None).cast(pl.Int32).cast(pl.Date),
            "daily_rate_ore": found.rate_ore,
        }
    )


def confirmations(total: int, as_of: dt.date, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The day number of each unit's last confirmation (-1 never) and the days between its confirmations."""
    band = pick(rng, np.array([FRESH, AGEING, STALE, UNCONFIRMED]), total)
    age = pick_ages(band, rng)
    cadence = np.array([30, 60, 110, 30])[band] + rng.integers(-3, 4, size=total)
    return np.where(band == 3, -1, day_number(as_of) - age), cadence


def pick_ages(band: Ints, rng: np.random.Generator) -> Ints:
    """Days since the last confirmation by band (0 fresh, 1 ageing, 2 stale)."""
    low, high = np.array([0, 31, 91, 0])[band], np.array([30, 90, 480, 0])[band]
    return np.asarray(low + np.floor((high - low + 1) * rng.random(len(band)) ** 1.3), dtype=np.int64)


def capacity_frame(
    profile: Profile,
    estate: Estate,
    found: Stays,
    places: Places,
    as_of: dt.date,
    months: int,
    open_units: Ints,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Monthly counts in the contract's columns, the last one on `as_of`. Occupied is the number of persons there on the day.

    `open_units` are told as open: none of their free places is in reserve or shut.
    """
    total = len(estate.maximum)
    confirmed, cadence = confirmations(total, as_of, rng)
    role = words(profile.words.confirmed_by, pick(rng, np.ones(len(profile.words.confirmed_by)), total))
    shut = rng.random(total) < 0.02
    surely_open = np.zeros(total, dtype=np.bool_)
    surely_open[open_units] = True
    shut &= ~surely_open
    keeps_reserve, unknown_reserve = rng.random(total), rng.random(total) < 0.05
    unknown_funded, underfunded = rng.random(total) < 0.12, (rng.random(total) < 0.03) & ~estate.single
    full_status = pick_rows(rng, np.tile([0.5, 0.14, 0.04, 0.32], (total, 1)))
    free_status = pick_rows(rng, np.tile([0.86, 0.11, 0.03], (total, 1)))
    frames = []
    for month in reversed(range(months)):
        day = months_back(as_of, month)
        number = day_number(day)
        maximum = places.maximum(number)
        occupied = np.minimum(found.persons(number, total), maximum)
        vacant = maximum - occupied
        reserved = np.where(shut | surely_open, 0, rng.binomial(vacant, np.where(keeps_reserve < 0.6, 0.08, 0.4)))
        accepting = np.where(shut, 0, rng.binomial(vacant - reserved, np.where(surely_open, 1.0, 0.93)))
        later = rng.random(total) < 0.4
        wait = rng.integers(3, 75, size=total)
        # The confirmation in force on the day: the last of a regular series that is not after it.
        behind = np.maximum(confirmed - number, 0)
        told = np.where(confirmed < 0, -1, confirmed - cadence * -(-behind // cadence))
        silent = told < 0
        opens = np.where(later, number + wait, np.where(rng.random(total) < 0.5, number - wait, -1))
        frames.append(
            pl.DataFrame(
                {
                    "unit_id": estate.units["unit_id"],
                    "as_of": pl.repeat(day, total, eager=True, dtype=pl.Date),
                    "maximum": maximum,
                    "occupied": occupied,
                    "reserved": unless(unknown_reserve, reserved.tolist()),
                    "accepting": accepting,
                    "funded": unless(unknown_funded, np.maximum(maximum - underfunded, 0).tolist()),
                    "accepting_from": pl.Series(np.where(accepting > 0, opens, -1)).replace(-1, None).cast(pl.Int32).cast(pl.Date),
                    "status": [
                        "closed" if closed else ("open", "needs_assessment", "waiting_list")[free] if some else full
                        for closed, some, free, full in zip(
                            shut.tolist(),
                            (accepting > 0).tolist(),
                            free_status.tolist(),
                            words_or_unknown(full_status),
                            strict=True,
                        )
                    ],
                    "confirmed_by": unless(silent, role),
                    "confirmed_at": pl.Series(told).replace(-1, None).cast(pl.Int32).cast(pl.Date),
                }
            )
        )
    return pl.concat(frames).with_row_index("row").sort("unit_id", "as_of", "row").drop("row")


def words_or_unknown(positions: Ints) -> list[str | None]:
    """What a unit without an accepting place says: mostly that there is a waiting list, often nothing."""
    return [("waiting_list", "closed", "needs_assessment", None)[position] for position in positions.tolist()]
