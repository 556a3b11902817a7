"""Offers and their units: where they lie, what they are for, what they cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from samplads.demo.draws import Bools, Floats, Ints, apportion, months_back, pick, pick_rows, unless, words
from samplads.demo.profile import Profile, Speciality
from samplads.model import haversine_km
from samplads.reference import Reference

OPERATOR_KINDS = ("municipal", "regional", "self_owning", "private")
NIGHT_COVERS = ("awake", "sleeping", "on_call", "none")

HOSTS_OF_SINGLE_PERSON_OFFERS = 0.6
"""Share of municipalities with single-person offers: they cluster, as the published cases do (59 municipalities told of them)."""

SINGLE_RATE = (7_000.0, 0.24, 5_520.0, 16_000.0)
"""Median, spread, least and most of a single-person offer, kr a day: 5,480 is 2 million a year. An assumption."""

MOST_SHARED_RATE = 5_300.0
"""kr a day; keeps a place in a shared unit below 2 million a year, so that the expensive cases are the ones that are meant."""


@dataclass(frozen=True)
class Estate:
    """All units of a demo, in the order of unit_id.

    units       the contract's columns
    approvals   the contract's columns
    type, speciality, municipality, offer   positions in the profile, in the reference and among the offers, one per unit
    maximum, single, risky                  places, whether it is a single-person offer, whether its nights are particularly risky
    """

    units: pl.DataFrame
    approvals: pl.DataFrame
    type: Ints
    speciality: Ints
    municipality: Ints
    offer: Ints
    maximum: Ints
    single: Bools
    risky: Bools


@dataclass(frozen=True)
class _Layout:
    """Which units there are: offer, places and kind of each; home and type of each offer."""

    offer: Ints
    maximum: Ints
    single: Bools
    offer_home: Ints
    offer_type: Ints

    @property
    def home(self) -> Ints:
        return self.offer_home[self.offer]

    @property
    def type(self) -> Ints:
        return self.offer_type[self.offer]


def distances(reference: Reference) -> Floats:
    """km between the points of all municipalities (rows x columns); 0 where a point is unknown."""
    lat, lon = (reference.municipality[column].cast(pl.Float64).fill_null(np.nan).to_numpy() for column in ("lat", "lon"))
    return np.nan_to_num(haversine_km(lat[:, None], lon[:, None], lat[None, :], lon[None, :]), nan=0.0)


def populations(reference: Reference) -> Floats:
    """Inhabitants by municipality; the mean of the known ones where unknown, 1 where none is."""
    known = reference.municipality["population"].cast(pl.Float64)
    mean = known.mean()
    return np.asarray(known.fill_null(float(mean) if isinstance(mean, float) and mean > 0 else 1.0).to_numpy(), dtype=np.float64)


def _rings(outline: dict[str, Any] | None) -> list[Floats]:
    """The rings of a GeoJSON object's polygons, as arrays of (lon, lat)."""
    if outline is None:
        return []
    if outline["type"] == "FeatureCollection":
        return [ring for feature in outline["features"] for ring in _rings(feature)]
    geometry = outline.get("geometry", outline)
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry.get("coordinates", [])]
    return [np.asarray(ring, dtype=np.float64) for polygon in polygons for ring in polygon]


def on_land(rings: list[Floats], lat: Floats, lon: Floats) -> Bools:
    """Which points lie inside the outline (even-odd rule over all rings); all of them where there is no outline."""
    inside = np.full(len(lat), not rings)
    for ring in rings:
        near = np.flatnonzero((lat >= ring[:, 1].min()) & (lat <= ring[:, 1].max()) & (lon <= ring[:, 0].max()))
        x, y = lon[near, None], lat[near, None]
        x0, y0, x1, y1 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            crosses = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        inside[near] ^= crosses.sum(axis=1) % 2 == 1
    return inside


def _scatter(rng: np.random.Generator, rings: list[Floats], lat: Floats, lon: Floats, sigma_km: Floats) -> tuple[Floats, Floats]:
    """Points around points, on land where the outline tells; one that stays at sea after some tries lies on its centre."""
    got_lat, got_lon = lat.copy(), lon.copy()
    waiting = np.flatnonzero(~np.isnan(lat) & ~np.isnan(lon))
    for shrink in (1.0, 1.0, 0.7, 0.5, 0.3):
        reach = sigma_km[waiting] * shrink / 111.2
        try_lat = lat[waiting] + rng.normal(size=len(waiting)) * reach
        try_lon = lon[waiting] + rng.normal(size=len(waiting)) * reach / np.cos(np.radians(lat[waiting]))
        good = on_land(rings, try_lat, try_lon)
        got_lat[waiting[good]], got_lon[waiting[good]] = try_lat[good], try_lon[good]
        waiting = waiting[~good]
    return np.round(got_lat, 4), np.round(got_lon, 4)


def _lay_out(profile: Profile, people: Floats, share: float, rng: np.random.Generator) -> _Layout:
    """Whole numbers of places, units and offers for each type, spread over the municipalities by population.

    Places by type follow from persons a year: N = P / (o (1 + 1/L)), since P = N o (there at the start) + N o / L (come during the year),
    with o the occupancy and L the mean stay in years.
    """
    types = profile.offer_types
    places = np.array([max(round(share * t.persons_a_year / (t.occupancy * (1 + 1 / t.stay_years))), 2) for t in types])
    single_shares = np.array([t.single_share for t in types])
    singles = apportion(round(share * profile.single_person_units), single_shares) if single_shares.sum() > 0 else places * 0
    shared = np.maximum(places - singles, 2)
    units = np.maximum(np.round(shared / np.array([t.places_a_unit for t in types])).astype(np.int64), 1)
    offers = np.minimum(apportion(max(round(share * profile.offers), len(types)), units.astype(np.float64), least=1), units)

    offer_home = rng.permutation(np.repeat(np.arange(len(people)), apportion(int(offers.sum()), people, least=1)))
    offer_type = np.repeat(np.arange(len(types)), offers)
    hosts = np.zeros(len(people), dtype=np.bool_)
    host_count = max(round(len(people) * HOSTS_OF_SINGLE_PERSON_OFFERS), 1)
    hosts[rng.choice(len(people), size=host_count, replace=False, p=people / people.sum())] = True

    unit_offer, maximum, single = [], [], []
    for position in range(len(types)):
        mine = np.flatnonzero(offer_type == position)
        extra = rng.multinomial(units[position] - offers[position], rng.dirichlet(np.full(offers[position], 1.2)))
        welcoming = mine[hosts[offer_home[mine]]]
        alone = rng.choice(welcoming if len(welcoming) else mine, size=singles[position])
        unit_offer += [np.repeat(mine, 1 + extra), alone]
        maximum += [apportion(int(shared[position]), rng.gamma(5.0, size=units[position]), least=2), np.ones(len(alone), np.int64)]
        single += [np.zeros(units[position], np.bool_), np.ones(len(alone), np.bool_)]

    # Offers are numbered by municipality, units by offer; single-person units come after the offer's others.
    by_home = np.lexsort((np.arange(len(offer_home)), offer_home))
    rank = np.empty(len(offer_home), dtype=np.int64)
    rank[by_home] = np.arange(len(offer_home))
    offer = rank[np.concatenate(unit_offer)]
    is_single = np.concatenate(single)
    order = np.lexsort((is_single, offer))
    return _Layout(
        offer=offer[order],
        maximum=np.concatenate(maximum)[order],
        single=is_single[order],
        offer_home=offer_home[by_home],
        offer_type=offer_type[by_home],
    )


def _specialise(profile: Profile, layout: _Layout, rng: np.random.Generator) -> Ints:
    """What each unit is for: mostly what its offer is for; single-person units have a mix of their own."""

    def fit(weight: str) -> Floats:
        return np.array(
            [[getattr(s, weight) if t.code in s.offer_types else 0.0 for s in profile.specialities] for t in profile.offer_types]
        )

    usual, alone = fit("weight"), fit("single")
    usual[usual.sum(axis=1) == 0] = 1.0
    alone = np.where(alone.sum(axis=1, keepdims=True) > 0, alone, usual)
    of_offer = pick_rows(rng, usual[layout.offer_type])[layout.offer]
    shared = np.where(rng.random(len(layout.offer)) < 0.8, of_offer, pick_rows(rng, usual[layout.type]))
    return np.where(layout.single, pick_rows(rng, alone[layout.type]), shared)


def _names(profile: Profile, layout: _Layout, rng: np.random.Generator) -> tuple[list[str], list[str], list[str]]:
    """Invented names: of the offer, of the unit, and the address, one each per unit."""
    told = profile.words
    pairs = [(stem, ending) for stem in told.stems for ending in told.endings]
    shuffled = rng.permutation(len(pairs))
    offer_name = ["".join(pairs[shuffled[o % len(pairs)]]) for o in range(len(layout.offer_home))]
    offer_street = words(told.stems, pick(rng, np.ones(len(told.stems)), len(offer_name)))
    offer_way = words(told.streets, pick(rng, np.ones(len(told.streets)), len(offer_name)))
    offer_number = rng.integers(1, 90, size=len(offer_name)).tolist()
    by_part = (rng.random(len(offer_name)) < 0.2).tolist()
    count = np.bincount(layout.offer[~layout.single], minlength=len(offer_name)).tolist()
    own_street = words(told.stems, pick(rng, np.ones(len(told.stems)), len(layout.offer)))
    own_number = rng.integers(1, 120, size=len(layout.offer)).tolist()

    offers, units, addresses = [], [], []
    seen = {"shared": [0] * len(offer_name), "single": [0] * len(offer_name)}
    for position, (offer, single) in enumerate(zip(layout.offer.tolist(), layout.single.tolist(), strict=True)):
        numbers = seen["single" if single else "shared"]
        numbers[offer] += 1
        number, name = numbers[offer], offer_name[offer]
        offers.append(name)
        if single:
            units.append(f"{name}, {told.single[offer % len(told.single)]} {number}")
            addresses.append(f"{own_street[position]}{told.streets[position % len(told.streets)]} {own_number[position]}")
            continue
        by_name = by_part[offer] and count[offer] <= len(told.parts)
        units.append(name if count[offer] == 1 else f"{name}, {told.parts[number - 1]}" if by_name else f"{name} {number}")
        addresses.append(f"{offer_street[offer]}{offer_way[offer]} {offer_number[offer] + 2 * (number - 1)}")
    return offers, units, addresses


def _approvals(unit_ids: list[str], chosen: list[Speciality], rng: np.random.Generator) -> pl.DataFrame:
    """Approvals by the unit's speciality: its primary groups, some of the secondary, sometimes the excluded ones."""
    rows = []
    for unit_id, speciality in zip(unit_ids, chosen, strict=True):
        rows += [(unit_id, code, "primary") for code in speciality.primary]
        rows += [(unit_id, code, "secondary") for code in speciality.secondary if rng.random() < 0.55]
        rows += [(unit_id, code, "excluded") for code in speciality.excluded if rng.random() < 0.4]
    return pl.DataFrame(rows, schema={"unit_id": pl.String, "target_group": pl.String, "rank": pl.String}, orient="row")


def build(profile: Profile, reference: Reference, share: float, as_of: dt.date, rng: np.random.Generator) -> Estate:
    """Draw offers, units and approvals for `share` of the totals. Some optional values are unknown (null), as in real deliveries."""
    layout = _lay_out(profile, populations(reference), share, rng)
    total, offer, home, single = len(layout.offer), layout.offer, layout.home, layout.single
    speciality = _specialise(profile, layout, rng)
    meant = [profile.specialities[position] for position in speciality.tolist()]
    types = [profile.offer_types[position] for position in layout.type.tolist()]
    municipality = reference.municipality

    with_region = municipality["region"].is_not_null().to_numpy()
    weights = np.where(with_region[layout.offer_home, None], [0.60, 0.06, 0.14, 0.20], [0.66, 0.0, 0.14, 0.20])
    kind = pick_rows(rng, weights)[offer]

    # An offer lies near its municipality's town, its units beside it, a single-person unit some kilometres away.
    rings = _rings(reference.outline)
    town = [municipality[column].cast(pl.Float64).fill_null(np.nan).to_numpy() for column in ("lat", "lon")]
    offer_lat, offer_lon = _scatter(
        rng, rings, town[0][layout.offer_home], town[1][layout.offer_home], np.full(len(layout.offer_home), 4.5)
    )
    lat, lon = _scatter(rng, rings, offer_lat[offer], offer_lon[offer], np.where(single, 3.0, 0.15))

    ages = [t.ages[int(draw * len(t.ages))] for t, draw in zip(types, rng.random(total).tolist(), strict=True)]
    support_from = np.minimum(np.array([s.support[0] for s in meant]) + (rng.random(total) < 0.2), 4)
    support_to = np.maximum(np.array([s.support[1] for s in meant]), support_from)
    night_weights = np.array([t.night for t in types])
    night_weights[:, 0] *= np.where([s.awake for s in meant], 6.0, 1.0) * np.where(single, 2.5, 1.0)
    night = pick_rows(rng, night_weights)

    by_night = np.array([1.07, 1.0, 0.97, 0.9])[night]
    by_kind = 1 + (kind == OPERATOR_KINDS.index("private")) * profile.private_premium
    median = np.array([t.rate * s.rate for t, s in zip(types, meant, strict=True)])
    shared_rate = median * by_night * by_kind * np.exp(rng.normal(size=total) * np.array([t.rate_spread for t in types]))
    middle, spread, least, most = SINGLE_RATE
    single_rate = np.clip(middle * np.exp(rng.normal(size=total) * spread), least, most)
    rate = np.round(np.where(single, single_rate, np.minimum(shared_rate, MOST_SHARED_RATE))).astype(np.int64)
    lowest, highest = np.array([t.assumed_occupancy for t in types]).T
    assumed = np.clip(np.round(98 + rng.normal(size=total) * 1.2), lowest, highest)

    def unknown(share_unknown: float, values: list[Any]) -> list[Any]:
        return unless(rng.random(total) < share_unknown, values)

    unit_ids = [f"A-{1001 + position}" for position in range(total)]
    offer_name, unit_name, address = _names(profile, layout, rng)
    ages_told: list[Any] = unknown(0.03, ages)
    support_told: list[Any] = unknown(0.05, list(zip(support_from.tolist(), support_to.tolist(), strict=True)))
    operator = [
        profile.words.operators[kind_name].format(municipality=municipality["name"][place], region=municipality["region"][place], name=name)
        for kind_name, place, name in zip(words(OPERATOR_KINDS, kind), home.tolist(), offer_name, strict=True)
    ]
    # Numbers that no register gives out: one number per operator and per offer; 99 begins neither a business number nor a day.
    business = {name: f"99{position:06d}" for position, name in enumerate(dict.fromkeys(operator), start=1)}
    units = pl.DataFrame(
        {
            "unit_id": unit_ids,
            "offer_id": [f"T-{100 + position}" for position in offer.tolist()],
            "name": unit_name,
            "offer_name": offer_name,
            "operator": operator,
            "operator_kind": words(OPERATOR_KINDS, kind),
            "cvr": [business[name] for name in operator],
            "p_number": [f"99{position + 1:08d}" for position in offer.tolist()],
            "address": address,
            "municipality": words(municipality["code"].to_list(), home),
            "lat": pl.Series(lat).fill_nan(None),
            "lon": pl.Series(lon).fill_nan(None),
            "offer_type": pl.Series([t.code for t in types], dtype=pl.String),
            "age_from": [told and told[0] for told in ages_told],
            "age_to": [told and told[1] for told in ages_told],
            "support_level_from": [told and told[0] for told in support_told],
            "support_level_to": [told and told[1] for told in support_told],
            "approval_status": words(("approved", "conditional", "suspended"), pick(rng, np.array([0.955, 0.035, 0.01]), total)),
            # Five months is beyond the 90 days in which an approval is reported as about to expire: those are planted.
            "approved_until": unknown(
                0.08, [months_back(as_of, -months) - dt.timedelta(days=1) for months in rng.integers(5, 60, size=total).tolist()]
            ),
            "night_cover": unknown(0.03, words(NIGHT_COVERS, night)),
            "single_person": single,
            "daily_rate_ore": rate * 100,
            "price_year": as_of.year - (rng.random(total) < 0.07).astype(np.int64),
            "assumed_occupancy_pct": unknown(0.04, assumed.tolist()),
            "budgeted_occupancy_pct": unknown(0.1, (assumed - rng.integers(0, 4, size=total)).tolist()),
            "notice_days": unknown(0.12, rng.choice([14, 30, 30, 30, 60, 90], size=total).tolist()),
            "note": unknown(0.75, words(profile.words.notes, pick(rng, np.ones(len(profile.words.notes)), total))),
        }
    )
    return Estate(
        units=units,
        approvals=_approvals(unit_ids, meant, rng),
        type=layout.type,
        speciality=speciality,
        municipality=home,
        offer=offer,
        maximum=layout.maximum,
        single=single,
        risky=rng.random(total) < np.array([s.risky for s in meant]),
    )
