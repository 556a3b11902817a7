"""The risk of sharing a guard: how often two units need the guard at once, how long people wait, and how long nobody is there.

A coupling of units i = 1..n shares one guard for T minutes a night, N nights a year. Unit i has Poisson incidents, l_i a night at random
times; an incident keeps the guard for d_i = its minutes + the travel to i from the farthest other unit (the guard is always assumed to be
at the worst place, so the figures err on the side of caution and do not depend on the order of the units). d_i is fixed, or exponential
with that mean.

An incident *overlaps* when it begins while an earlier incident in another unit still keeps somebody busy. That is what sharing adds;
overlaps within one unit exist with an own guard too and are counted in `any_overlaps_per_year` only.

    expected overlaps a night = sum_i l_i/T * int_0^T 1 - exp(-sum_{j != i} l_j/T h_j(t)) dt,   h_j(t) = min(t, d_j)  or  d_j (1 -
        exp(-t/d_j)) (Poisson arrivals see time averages; the busy indicator of an M/G/infinity system that starts empty)
    P(no overlap in a night), fixed d: given k incidents, their times are k uniform points, and each change from unit i to another needs a
        gap of at least d_i: (1 - sum of gaps / T)_+^k, averaged over the sequences of units and over k. With every two incidents counted
        and one common d this is sum_k e^-LT (LT)^k/k! (1 - (k-1) d/T)_+^k.
    P(no overlap in a night), exponential d: absorbing star chain: idle, or k incidents under way in unit i alone; any incident in another
        unit absorbs; matrix exponential over T.
    waiting: virtual work V(t) of one guard who takes incidents in order, from an empty evening, on a grid of minutes: V loses a minute a
        minute and gains d_i at each incident. The wait in unit i is V + travel to i; Poisson arrivals see the time average of V.
    clustering c: all rates of a night are multiplied by one gamma variable of mean 1 and variance c ("the same bad night"); c = 0 is
    Poisson.

More incidents, longer incidents or longer travel never lower any of the figures. Times in minutes, rates per night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import expm
from scipy.stats import beta, nbinom, norm, poisson

from samplads.errors import SampladsError

Array = NDArray[np.float64]
Law = Literal["fixed", "exponential"]

QUADRATURE = 24
"""Gauss-Legendre nodes on each smooth piece of the night."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(QUADRATURE)
MIXTURE = 16
"""Gauss-Laguerre nodes of the gamma mixture of bad nights."""
GAP_STEP = 0.1
"""Minutes of the grid on which required gaps are added up; a gap between two grid points is split so that its mean is kept."""
GRIDS = ((180, 1e-9), (720, 1e-5), (1440, 1e-5), (2880, 1.0))
"""Minutes of work ahead of the guard that the waiting grid holds, and the probability that may spill over it without the next being
tried. What spills over the largest is counted as the largest, and said (`Risk.beyond_grid`).
"""
LARGEST_GRID = GRIDS[-1][0]
BATCH_ROWS = 64
"""Kinds of night that are reckoned together: enough to make each step's own cost small, few enough to stay in the processor's memory."""


@dataclass(frozen=True)
class Demand:
    """What one coupling asks of its guard. Tuples have one entry per unit.

    `per_night`: incidents a night. `minutes`: mean minutes an incident takes. `travel`: minutes from the farthest other unit.
    Raises SampladsError `overlap_demand` for a negative or missing figure.
    """

    per_night: tuple[float, ...]
    minutes: tuple[float, ...]
    travel: tuple[float, ...]
    night_minutes: float
    nights: float = 365.0
    law: Law = "fixed"
    clustering: float = 0.0

    def __post_init__(self) -> None:
        figures = [*self.per_night, *self.minutes, *self.travel, self.night_minutes, self.nights, self.clustering]
        same = len(self.per_night) == len(self.minutes) == len(self.travel)
        if not same or not all(np.isfinite(figure) and figure >= 0 for figure in figures):
            raise SampladsError("overlap_demand")

    @property
    def handling(self) -> Array:
        """Minutes an incident keeps the guard, travel included."""
        return np.asarray(self.minutes, dtype=np.float64) + np.asarray(self.travel, dtype=np.float64)


@dataclass(frozen=True)
class Risk:
    """The risk of one coupling, a year. Waits are those of the unit that waits longest; `uncovered_minutes` sums every wait of the year.

    `beyond_grid`: the share of nights in which more work piles up than the waiting grid holds (`LARGEST_GRID`). Where it is not nearly 0
    the mean wait and the uncovered minutes are least values, and above 0.05 the 95th percentile may be one too.
    """

    incidents_per_year: float
    overlaps_per_year: float
    any_overlaps_per_year: float
    chance_per_year: float
    chance_per_night: float
    wait_minutes: float
    wait_minutes_p95: float
    uncovered_minutes: float
    beyond_grid: float = 0.0

    @property
    def p95_is_least(self) -> bool:
        """Whether the 95th percentile of the wait lies beyond the grid."""
        return self.beyond_grid >= 0.05

    @property
    def mean_is_least(self) -> bool:
        """Whether so much lies beyond the grid that the mean wait and the uncovered minutes are only least values."""
        return self.beyond_grid > 1e-4


@dataclass(frozen=True)
class Estimate:
    """A simulated figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def holds(self, truth: float) -> bool:
        """Whether the interval holds a value."""
        return self.low <= truth <= self.high


@dataclass(frozen=True)
class Simulated:
    """What a simulation of many nights found, in the terms of `Risk`."""

    nights: int
    chance_per_night: Estimate
    any_chance_per_night: Estimate
    overlaps_per_year: Estimate
    wait_minutes: Estimate
    wait_minutes_p95: float
    uncovered_minutes: Estimate


def risk(demand: Demand) -> Risk:
    """All figures of one coupling, without chance."""
    return risks([demand])[0]


def risks(demands: Sequence[Demand]) -> list[Risk]:
    """All figures of many couplings, without chance, in order: each as if it were asked alone, but faster."""
    return [_risk(demand, *waiting) for demand, waiting in zip(demands, _waiting(demands, 0.95), strict=True)]


def _risk(demand: Demand, mean: float, quantile: float, beyond: float) -> Risk:
    rates, handling = np.asarray(demand.per_night, dtype=np.float64), demand.handling
    cross = expected_overlaps(rates, handling, demand.night_minutes, law=demand.law, clustering=demand.clustering)
    every = expected_overlaps(rates, handling, demand.night_minutes, law=demand.law, clustering=demand.clustering, within=True)
    none = no_overlap_chance(demand)
    travel = np.asarray(demand.travel, dtype=np.float64)
    farthest = float(travel.max(initial=0.0))
    return Risk(
        incidents_per_year=float(rates.sum()) * demand.nights,
        overlaps_per_year=float(cross[0]) * demand.nights,
        any_overlaps_per_year=float(every[0]) * demand.nights,
        chance_per_year=float(1 - none**demand.nights),
        chance_per_night=1 - none,
        wait_minutes=mean + farthest,
        wait_minutes_p95=quantile + farthest,
        uncovered_minutes=float((rates * (mean + travel)).sum()) * demand.nights,
        beyond_grid=beyond,
    )


def expected_overlaps(
    per_night: ArrayLike,
    handling: ArrayLike,
    night_minutes: ArrayLike,
    *,
    law: Law = "fixed",
    clustering: float = 0.0,
    within: bool = False,
) -> Array:
    """Expected overlapping incidents a night, for many couplings at once.

    `per_night`, `handling`: [couplings, units] (or [units] for one); `night_minutes`: [couplings] or one number. `within` counts overlaps
    inside a unit too. Returns [couplings]. Exact: between consecutive d_j the integrand is analytic, and is integrated by Gauss-Legendre.
    """
    rates, spans = np.atleast_2d(np.asarray(per_night, dtype=np.float64)), np.atleast_2d(np.asarray(handling, dtype=np.float64))
    count = max(rates.shape[0], spans.shape[0])
    rates, spans = np.broadcast_to(rates, (count, rates.shape[1])), np.broadcast_to(spans, (count, spans.shape[1]))
    night = np.broadcast_to(np.asarray(night_minutes, dtype=np.float64), (count,))
    a_minute = np.divide(rates, night[:, None], out=np.zeros_like(rates), where=night[:, None] > 0)
    cuts = np.concatenate([np.zeros((count, 1)), np.minimum(np.sort(spans, axis=1), night[:, None]), night[:, None]], axis=1)
    total = np.zeros(count)
    for piece in range(cuts.shape[1] - 1):
        half = (cuts[:, piece + 1] - cuts[:, piece]) / 2
        middle = (cuts[:, piece + 1] + cuts[:, piece]) / 2
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            load = a_minute * _covered(middle + half * node, spans, law)
            others = load.sum(axis=1, keepdims=True) - (0.0 if within else load)
            total += weight * half * (a_minute * _busy(others, clustering)).sum(axis=1)
    return total


def _covered(t: Array, spans: Array, law: Law) -> Array:
    """h_j(t) of the module: expected minutes before t whose incidents still last at t."""
    if law == "fixed":
        return np.minimum(t[:, None], spans)
    ratio = np.divide(t[:, None], spans, out=np.full_like(spans, np.inf), where=spans > 0)
    return np.asarray(spans * -np.expm1(-ratio), dtype=np.float64)


def _busy(load: Array, clustering: float) -> Array:
    """E[G (1 - exp(-G a))] for G of mean 1 and variance c: an incident meets a busy guard; 1 - exp(-a) where c = 0."""
    if clustering == 0:
        return -np.expm1(-load)
    return np.asarray(-np.expm1(-(1 / clustering + 1) * np.log1p(clustering * load)), dtype=np.float64)


def no_overlap_chance(demand: Demand, *, within: bool = False) -> float:
    """Probability of a night without an overlap. `within` counts overlaps inside a unit too."""
    rates = np.asarray(demand.per_night, dtype=np.float64)
    if rates.sum() == 0 or demand.night_minutes == 0:
        return 1.0
    if demand.law == "fixed":
        return _no_overlap_fixed(rates, demand.handling, demand.night_minutes, demand.clustering, within)
    if demand.clustering == 0:
        return _no_overlap_chain(rates, demand.handling, demand.night_minutes, within)
    multipliers, weights = _bad_nights(demand.clustering)
    chances = [_no_overlap_chain(rates * g, demand.handling, demand.night_minutes, within) for g in multipliers]
    return float(np.dot(weights, chances))


def _bad_nights(clustering: float) -> tuple[Array, Array]:
    """Nodes and weights of a gamma variable of mean 1 and variance c.

    Generalised Gauss-Laguerre by the eigenvalues of its Jacobi matrix (Golub and Welsch 1969), which stays finite however small c is.
    """
    shape = 1 / clustering
    k = np.arange(MIXTURE, dtype=np.float64)
    beside = np.sqrt(k[1:] * (k[1:] + shape - 1))
    nodes, vectors = np.linalg.eigh(np.diag(2 * k + shape) + np.diag(beside, 1) + np.diag(beside, -1))
    return np.maximum(0.0, nodes) / shape, np.asarray(vectors[0] ** 2, dtype=np.float64)


def _no_overlap_fixed(rates: Array, handling: Array, night: float, clustering: float, within: bool) -> float:
    """Fixed handling: sum over k of P(k incidents) x P(all gaps are long enough | k), gaps added up on a grid."""
    total = float(rates.sum())
    counts = poisson(total) if clustering == 0 else nbinom(1 / clustering, 1 / (1 + clustering * total))
    most = int(counts.ppf(1 - 1e-13)) + 1
    weights = counts.pmf(np.arange(most + 1))
    mix = rates / total
    points = int(np.ceil(night / GAP_STEP)) + 2
    left = np.maximum(0.0, 1 - np.arange(points) * GAP_STEP / night)
    # ways[i, s]: probability that the sequence so far ends in unit i and needs gaps of s steps in all.
    ways = np.zeros((len(rates), points))
    ways[:, 0] = mix
    answer = float(weights[0] + weights[1])
    for k in range(2, most + 1):
        moved = np.array([_shift(row, span / GAP_STEP) for row, span in zip(ways, handling, strict=True)])
        arriving = moved.sum(axis=0)
        same = ways if not within else moved
        ways = mix[:, None] * (arriving[None, :] - moved + same)
        chance = float(ways.sum(axis=0) @ left**k)
        answer += float(weights[k]) * chance
        if chance == 0.0:
            break
    return min(1.0, answer)


def _shift(row: Array, steps: float) -> Array:
    """A distribution moved to the right by a number of grid steps, split between neighbours; what leaves the grid is lost (no room for
    it).
    """
    whole = int(np.floor(steps))
    part = steps - whole
    moved = np.zeros_like(row)
    if whole < len(row):
        moved[whole:] = (1 - part) * row[: len(row) - whole]
    if part > 0 and whole + 1 < len(row):
        moved[whole + 1 :] += part * row[: len(row) - whole - 1]
    return moved


def _no_overlap_chain(rates: Array, handling: Array, night: float, within: bool) -> float:
    """Exponential handling: survival of the absorbing star chain over the night.

    States: 0 idle; (i, k) with k = 1..K incidents under way in unit i. K leaves out less than 1e-12. `within`: K = 1 and a second
    incident absorbs.
    """
    a_minute = rates / night
    offered = a_minute * handling
    deepest = [1 if within else max(1, int(poisson(max(load, 1e-12)).ppf(1 - 1e-13)) + 2) for load in offered]
    size = 1 + sum(deepest)
    generator = np.zeros((size, size))
    total = float(a_minute.sum())
    generator[0, 0] = -total
    state = 1
    for unit, depth in enumerate(deepest):
        if handling[unit] == 0:  # over at once: nobody can overlap it
            generator[0, 0] += a_minute[unit]
            state += depth
            continue
        leave = 1 / handling[unit]
        generator[0, state] = a_minute[unit]
        for k in range(1, depth + 1):
            here = state + k - 1
            generator[here, here] -= total + k * leave
            generator[here, here - 1 if k > 1 else 0] += k * leave
            if not within:
                generator[here, here + 1 if k < depth else here] += a_minute[unit]
        state += depth
    return float(min(1.0, expm(generator * night)[0].sum()))


@dataclass(frozen=True)
class _Nights:
    """The kinds of night of one coupling: what multiplies its rates in each, and how often each comes. `steps`: the night's minutes."""

    demand: Demand
    steps: int
    multipliers: Array
    weights: Array


def _waiting(demands: Sequence[Demand], quantile: float) -> list[tuple[float, float, float]]:
    """Of each coupling the mean and the quantile of the work ahead of an incident that arrives (minutes before the guard can set out), and
    what spilled over the grid.
    """
    answers = [(0.0, 0.0, 0.0)] * len(demands)
    asked: list[tuple[int, _Nights]] = []
    for place, demand in enumerate(demands):
        steps = round(demand.night_minutes)
        if sum(demand.per_night) > 0 and steps > 0:
            multipliers, weights = (np.ones(1), np.ones(1)) if demand.clustering == 0 else _bad_nights(demand.clustering)
            asked.append((place, _Nights(demand, steps, multipliers, weights)))
    for longest, spill in GRIDS:
        again: list[tuple[int, _Nights]] = []
        # Those of a batch with the longest nights first: the others drop out of its end as their nights are over.
        asked.sort(key=lambda one: -one[1].steps)
        for batch in _batches(asked):
            for (place, nights), (by_night, spilled) in zip(batch, _work_seen([nights for _, nights in batch], longest), strict=True):
                beyond = min(1.0, float(nights.weights @ spilled))
                if beyond > spill:
                    again.append((place, nights))
                else:
                    # An incident is more likely to fall in a bad night: each kind of night counts by its incidents.
                    answers[place] = (*_seen((nights.weights * nights.multipliers) @ by_night, quantile), beyond)
        asked = again
    return answers


def _batches(asked: Sequence[tuple[int, _Nights]]) -> Iterator[Sequence[tuple[int, _Nights]]]:
    """Couplings in batches of at most `BATCH_ROWS` kinds of night (or one coupling)."""
    start = rows = 0
    for end, (_, nights) in enumerate(asked):
        if rows and rows + len(nights.weights) > BATCH_ROWS:
            yield asked[start:end]
            start, rows = end, 0
        rows += len(nights.weights)
    if rows:
        yield asked[start:]


def _seen(work: Array, quantile: float) -> tuple[float, float]:
    """Mean and quantile of a distribution on the grid of minutes."""
    seen = work / work.sum()
    mean = float(seen @ np.arange(len(seen)))
    below = np.cumsum(seen)
    if below[0] >= quantile:
        return mean, 0.0
    at = min(int(np.searchsorted(below, quantile)), len(below) - 1)
    inside = (quantile - below[at - 1]) / (below[at] - below[at - 1])
    return mean, at - 1 + float(inside)


def _work_in_a_minute(nights: _Nights, longest: int) -> Array:
    """Distribution of the work that comes in one minute, one row per kind of night."""
    demand = nights.demand
    total = sum(demand.per_night)
    service = np.zeros(longest + 1)
    for rate, span in zip(demand.per_night, demand.handling, strict=True):
        service += rate / total * _service(float(span), demand.law, longest)
    # For 0, 1, 2 and at least 3 incidents in it.
    a_minute = nights.multipliers * total / demand.night_minutes
    chances = np.array([np.exp(-a_minute) * a_minute**k / (1, 1, 2)[k] for k in range(3)])
    chances = np.vstack([chances, np.maximum(0.0, 1 - chances.sum(axis=0))])
    sums = [np.eye(1, longest + 1)[0]]
    for _ in range(3):
        sums.append(_added(sums[-1], service))
    return np.asarray(chances.T @ np.array(sums), dtype=np.float64)


def _work_seen(asked: Sequence[_Nights], longest: int) -> list[tuple[Array, Array]]:
    """Of each coupling the distribution of the work ahead, in minutes, averaged over the night, and the probability that spilled over; one
    row per kind of night. Couplings come with the longest nights first.
    """
    counts = [len(nights.weights) for nights in asked]
    steps = np.repeat([nights.steps for nights in asked], counts)
    step = np.vstack([_work_in_a_minute(nights, longest) for nights in asked])
    # A guard who is idle at the start of a minute has worked half a minute at its end, if an incident came.
    waking = step.copy()
    waking[:, 1:] /= 2
    waking[:, :-1] += step[:, 1:] / 2
    size = next_fast_len(2 * longest + 1, real=True)
    kernel = rfft(step, size, axis=1)
    work = np.zeros((len(step), longest + 1))
    spilled = np.zeros(len(step))
    work[:, 0] = 1.0
    seen = np.zeros_like(work)
    for minute in range(int(steps[0])):
        going = int(np.searchsorted(-steps, -minute, side="left"))
        work = work[:going]
        seen[:going] += work / 2
        idle = work[:, :1].copy()
        work[:, 0] = 0.0
        full = np.maximum(0.0, irfft(rfft(work, size, axis=1) * kernel[:going], size, axis=1))
        work = full[:, 1 : longest + 2]
        over = full[:, longest + 2 : 2 * longest + 1].sum(axis=1)
        spilled[:going] += over
        work[:, -1] += over
        work += idle * waking[:going]
        seen[:going] += work / 2
    seen /= steps[:, None]
    ends = np.cumsum(counts)
    return [(seen[end - count : end], spilled[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def _added(left: Array, right: Array) -> Array:
    """The distribution of a sum on the waiting grid; what lies beyond it gathers at its end."""
    full = np.convolve(left, right)
    kept = full[: len(left)].copy()
    kept[-1] += full[len(left) :].sum()
    return kept


def _service(span: float, law: Law, longest: int) -> Array:
    """The distribution of handling minutes on the grid, its mean kept."""
    if law == "fixed" or span == 0:
        return _shift(np.eye(1, longest + 1)[0], min(span, longest))
    edges = np.arange(longest + 2, dtype=np.float64)
    # Mean-preserving: the mass at k is the second difference of the integrated survival function.
    integrated = span * np.exp(-edges / span)
    mass = np.empty(longest + 1)
    mass[0] = 1 + integrated[1] - integrated[0]
    mass[1:] = integrated[2:] - 2 * integrated[1:-1] + integrated[:-2]
    mass[-1] += 1 - mass.sum()
    return mass


def simulate(demand: Demand, rng: np.random.Generator, nights: int = 20_000) -> Simulated:
    """Play many nights.

    1. The number of incidents of a night comes from its law by inversion of stratified uniforms (each of `nights` equal strata once, in
       random order): unbiased, and the interval, made as if they were independent, is at least as wide as it needs to be.
    2. Times are uniform, units drawn by their rates, handling times by the law; bad nights multiply the rates.
    3. An incident overlaps if an earlier one in another unit lasts beyond its start. The guard takes incidents in order of time.

    Intervals: Clopper-Pearson for chances, normal for means over nights. What lasts beyond the night is the morning's.
    """
    rates, handling, travel = np.asarray(demand.per_night, dtype=np.float64), demand.handling, np.asarray(demand.travel, dtype=np.float64)
    total = float(rates.sum())
    level = np.full(nights, total)
    if demand.clustering > 0:
        level *= rng.gamma(1 / demand.clustering, demand.clustering, nights)
    uniform = (rng.permutation(nights) + rng.random(nights)) / nights
    counts = poisson.ppf(uniform, level).astype(np.int64) if total > 0 else np.zeros(nights, dtype=np.int64)
    counts = np.maximum(counts, 0)
    night_of = np.repeat(np.arange(nights), counts)
    size = len(night_of)
    if size == 0:
        zero = Estimate(0.0, 0.0, 0.0)
        none = _clopper_pearson(0, nights)
        return Simulated(nights, none, none, zero, zero, 0.0, zero)
    times = rng.random(size) * demand.night_minutes
    units = np.searchsorted(np.cumsum(rates) / total, rng.random(size), side="right").clip(max=len(rates) - 1)
    lasts = handling[units] if demand.law == "fixed" else rng.exponential(1.0, size) * handling[units]
    order = np.lexsort((times, night_of))
    night_of, times, units, lasts = night_of[order], times[order], units[order], lasts[order]
    # Nights lie so far apart on one line that nothing lasts from one into the next.
    apart = demand.night_minutes + float(np.bincount(night_of, weights=lasts).max()) + 1
    begins = night_of * apart + times
    cross, every = _overlapping(begins, begins + lasts, units, len(rates))
    waits = _queue(begins, lasts)
    arrived = waits + travel[units]
    per_night = np.bincount(night_of[cross], minlength=nights)
    any_night = np.bincount(night_of[every], minlength=nights)
    uncovered = np.bincount(night_of, weights=arrived, minlength=nights).astype(np.float64)
    delay = _ratio(np.bincount(night_of, weights=waits, minlength=nights).astype(np.float64), counts)
    farthest = float(travel.max(initial=0.0))
    return Simulated(
        nights=nights,
        chance_per_night=_clopper_pearson(int((per_night > 0).sum()), nights),
        any_chance_per_night=_clopper_pearson(int((any_night > 0).sum()), nights),
        overlaps_per_year=_mean(per_night.astype(np.float64), demand.nights),
        wait_minutes=Estimate(delay.value + farthest, delay.low + farthest, delay.high + farthest),
        wait_minutes_p95=float(np.quantile(waits, 0.95)) + farthest,
        uncovered_minutes=_mean(uncovered, demand.nights),
    )


def _overlapping(begins: Array, ends: Array, units: NDArray[np.int64], count: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For incidents in order of time: does an earlier one of another unit still last, and does any earlier one."""
    latest = np.full((count, len(begins)), -np.inf)
    for unit in range(count):
        ended = np.maximum.accumulate(np.where(units == unit, ends, -np.inf))
        latest[unit, 1:] = ended[:-1]
    lasting = latest > begins[None, :]
    every = np.asarray(lasting.any(axis=0), dtype=bool)
    lasting[units, np.arange(len(begins))] = False
    return np.asarray(lasting.any(axis=0), dtype=bool), every


def _queue(begins: Array, lasts: Array) -> Array:
    """Waits of one guard in order of arrival: the guard is free after D_k = max(b_k, D_{k-1}) + s_k = S_k + max_{j<=k} (b_j - S_{j-1})."""
    done = np.cumsum(lasts)
    free = done + np.maximum.accumulate(begins - (done - lasts))
    return np.asarray(np.maximum(0.0, free - lasts - begins), dtype=np.float64)


def _mean(values: Array, factor: float) -> Estimate:
    mean, error = float(values.mean()) * factor, float(values.std(ddof=1)) / len(values) ** 0.5 * factor
    z = float(norm.ppf(0.975))
    return Estimate(mean, max(0.0, mean - z * error), mean + z * error)


def _ratio(sums: Array, counts: NDArray[np.int64]) -> Estimate:
    """A mean per incident from sums per night: ratio estimator with the nights as clusters."""
    value = float(sums.sum() / counts.sum())
    spread = float(np.sqrt(((sums - value * counts) ** 2).sum())) / float(counts.sum())
    z = float(norm.ppf(0.975))
    return Estimate(value, max(0.0, value - z * spread), value + z * spread)


def _clopper_pearson(hits: int, trials: int) -> Estimate:
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(0.975, hits + 1, trials - hits))
    return Estimate(hits / trials, low, high)


def rate_interval(incidents: int, nights: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a rate per night from a count of incidents (Garwood 1936): with none seen the upper end is about 3 / nights."""
    from scipy.stats import chi2

    if nights <= 0:
        raise SampladsError("overlap_demand")
    tail = (1 - confidence) / 2
    low = 0.0 if incidents == 0 else float(chi2.ppf(tail, 2 * incidents)) / 2 / nights
    return low, float(chi2.ppf(1 - tail, 2 * incidents + 2)) / 2 / nights


def dispersion(counts: Sequence[int]) -> float:
    """How clustered nightly counts are: (variance - mean) / mean², at least 0; the `clustering` of a gamma-mixed Poisson law by moments."""
    values = np.asarray(counts, dtype=np.float64)
    if len(values) < 2 or values.mean() == 0:
        return 0.0
    return max(0.0, float((values.var(ddof=1) - values.mean()) / values.mean() ** 2))
