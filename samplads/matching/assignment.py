"""The exact core of the allocation: needs to places at the greatest total value, with prices that prove it.

The model, in the textbook's symbols (transportation problem; Burkard, Dell'Amico and Martello, "Assignment Problems", 2012, ch. 4-6):

    maximise  sum v_ij x_ij    subject to    sum_j x_ij <= 1 (need i)    sum_i x_ij <= c_j (lot j)    x in {0, 1}

A *lot* is so many like places of one unit. A need that gets none has the value 0, so only values above 0 are of interest.
The dual has a utility u_i >= 0 for each need and a price p_j >= 0 for each lot with u_i + p_j >= v_ij, and any such pair bounds the
total: sum u_i + sum c_j p_j. The steps:

1. Needs whose best lot has room for all who like it best stay there; only the rest (the kernel) compete. Where the kernel's prices
   make a need outside it look elsewhere, that need joins the kernel and the step is done again. Nothing is cut away: step 4 tests all.
2. The kernel is solved as a sparse matching with each lot's places side by side (Jonker-Volgenant as in
   `scipy.sparse.csgraph.min_weight_full_bipartite_matching`); the scarcer side makes the rows, which halves the time.
3. The least optimal prices follow from the longest gaining path into each lot (Bellman-Ford on the lots that changed). The least price is
   exactly what one more place of the lot would be worth.
4. All values are integers; u and p are tested on every edge of the whole graph, in integers. If the bound and the value differ, the answer
   is not handed out (`ArithmeticError`, a bug): a rounded float can cost time, never truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Tick = Callable[[], None]

LARGEST = 2**53
"""The matching works in float64: whole numbers are exact below this."""

_SEAT_EDGES = 6_000_000
"""Above so many (need, place) pairs the matching starts from each need's best lots and grows by what the prices ask for."""

_PLENTY, _BEST = 3, 8
"""With so many places for each need the matching starts from so many best lots of each: its time grows with needs x places."""

_SEAT_EDGES_LP = 30_000_000
"""Above so many, lots are so large that a linear programme without single places is the smaller problem."""


@dataclass(frozen=True, eq=False)
class Network:
    """Who can use what, at what value. Edges are sorted by (need, lot) without repeats; all values are above 0."""

    needs: int
    capacity: Ints
    """By lot: its places, 0 or more."""
    need: Ints
    lot: Ints
    value: Ints
    first: Ints
    """By need: the position of its first edge; one more at the end."""

    @classmethod
    def of(cls, needs: int, capacity: Ints, need: Ints, lot: Ints, value: Ints) -> Network:
        """A network of edges sorted by need."""
        return cls(needs, capacity, need, lot, value, np.searchsorted(need, np.arange(needs + 1)).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Assignment:
    """An optimal assignment and its proof."""

    edge: Ints
    """By need: the position of its edge, -1 where it gets none."""
    price: Ints
    """By lot: the least optimal price, that is the value of one more place."""
    utility: Ints
    """By need: value minus price of what it gets."""
    value: int
    bound: int


def spans(starts: Ints, counts: Ints) -> Ints:
    """The positions starts[0] .. starts[0]+counts[0]-1, starts[1] .. and so on, one after the other."""
    ends = np.cumsum(counts)
    count = int(ends[-1]) if len(ends) else 0
    positions: Ints = np.arange(count, dtype=np.int64) + np.repeat(starts - (ends - counts), counts)
    return positions


def total(values: Ints) -> int:
    """The sum as a Python integer, which does not overflow."""
    return sum(values.tolist())


def optimum(network: Network, tick: Tick | None = None) -> Assignment:
    """The greatest total value, proven. `tick` is called between steps and may raise to cancel."""
    tick = tick or _nothing
    usable = (network.capacity[network.lot] > 0) & (network.value > 0)
    positions = np.flatnonzero(usable)
    part = _part(network, positions)
    if len(positions) == 0:
        edge = np.full(network.needs, -1, dtype=np.int64)
        price = np.zeros(len(network.capacity), dtype=np.int64)
    else:
        chosen, price = _kernel(part, tick)
        edge = np.where(chosen >= 0, positions[np.maximum(chosen, 0)], -1)
    return prove(network, edge, price)


def prove(network: Network, edge: Ints, price: Ints) -> Assignment:
    """The assignment with its bound; `ArithmeticError` where the prices do not prove it on every edge."""
    placed = edge >= 0
    taken = edge[placed]
    utility = np.zeros(network.needs, dtype=np.int64)
    utility[placed] = network.value[taken] - price[network.lot[taken]]
    load = np.bincount(network.lot[taken], minlength=len(network.capacity))
    usable = network.capacity[network.lot] > 0
    slack = utility[network.need] + price[network.lot] - network.value
    value, bound = total(network.value[taken]), total(utility) + sum((network.capacity * price.astype(object)).tolist())
    feasible = not (load > network.capacity).any() and utility.min(initial=0) >= 0 and price.min(initial=0) >= 0
    if not feasible or (slack[usable] < 0).any() or value != bound:
        raise ArithmeticError("the assignment is not proven optimal")
    return Assignment(edge, price, utility, value, bound)


def least_prices(network: Network, edge: Ints) -> Ints:
    """By lot: what one more place would add to an optimal assignment (the longest gaining path that ends there).

    g_j = max(0, max over needs i that can use j of v_ij - v_i,m(i) + g_m(i)), with 0 for what an unplaced need has.
    """
    lots = len(network.capacity)
    placed = edge >= 0
    has = np.zeros(network.needs, dtype=np.int64)
    has[placed] = network.value[edge[placed]]
    at = np.full(network.needs, lots, dtype=np.int64)
    at[placed] = network.lot[edge[placed]]
    gain = network.value - has[network.need]
    price = np.zeros(lots, dtype=np.int64)
    better = gain > 0
    np.maximum.at(price, network.lot[better], gain[better])
    members = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[members], np.arange(lots + 1))
    changed = np.flatnonzero(price > 0)
    for _ in range(lots + 2):
        if len(changed) == 0:
            return price
        who = members[spans(starts[changed], starts[changed + 1] - starts[changed])]
        degree = network.first[who + 1] - network.first[who]
        edges = spans(network.first[who], degree)
        offer = gain[edges] + np.repeat(price[at[who]], degree)
        target = network.lot[edges]
        higher = offer > price[target]
        before = price.copy()
        np.maximum.at(price, target[higher], offer[higher])
        changed = np.flatnonzero(price != before)
    raise ArithmeticError("a gaining cycle: the assignment is not optimal")


def greatest_prices(network: Network, edge: Ints) -> Ints:
    """By lot: what one place fewer would take from an optimal assignment (0 where the lot has a vacant place or none at all).

    h_j = min over needs k at j of min(v_kj, min over other lots j' of k of v_kj - v_kj' + h_j').
    """
    lots = len(network.capacity)
    placed = np.flatnonzero(edge >= 0)
    lot_of, value_of = network.lot[edge[placed]], network.value[edge[placed]]
    load = np.bincount(lot_of, minlength=lots)
    far = np.iinfo(np.int64).max // 4
    price = np.full(lots, far, dtype=np.int64)
    np.minimum.at(price, lot_of, value_of)
    price[load < network.capacity] = 0
    price[network.capacity <= 0] = 0
    closed = network.capacity <= 0
    # Edges backwards: for each lot, those placed elsewhere who could come to it.
    at = np.full(network.needs, -1, dtype=np.int64)
    has = np.zeros(network.needs, dtype=np.int64)
    at[placed], has[placed] = lot_of, value_of
    movable = np.flatnonzero((at[network.need] >= 0) & ~closed[network.lot] & (at[network.need] != network.lot))
    by_target = movable[np.argsort(network.lot[movable], kind="stable")]
    starts = np.searchsorted(network.lot[by_target], np.arange(lots + 1))
    changed = np.flatnonzero((price < far) & ~closed)
    for _ in range(lots + 2):
        if len(changed) == 0:
            return np.where(price == far, 0, price)
        edges = by_target[spans(starts[changed], starts[changed + 1] - starts[changed])]
        cost = has[network.need[edges]] - network.value[edges] + price[network.lot[edges]]
        origin = at[network.need[edges]]
        lower = cost < price[origin]
        before = price.copy()
        np.minimum.at(price, origin[lower], cost[lower])
        changed = np.flatnonzero(price != before)
    raise ArithmeticError("a gaining cycle: the assignment is not optimal")


def _nothing() -> None:
    return None


def _part(network: Network, positions: Ints) -> Network:
    return Network.of(network.needs, network.capacity, network.need[positions], network.lot[positions], network.value[positions])


def _kernel(network: Network, tick: Tick) -> tuple[Ints, Ints]:
    """Step 1: edge by need and price by lot."""
    lots = len(network.capacity)
    best = _best_edges(network)
    has_edge = best >= 0
    best_lot = np.full(network.needs, lots, dtype=np.int64)
    best_lot[has_edge] = network.lot[best[has_edge]]
    load = np.bincount(best_lot, minlength=lots + 1)[:lots]
    over = np.append(load > network.capacity, False)
    inner = over[best_lot]
    degree = np.bincount(network.lot, minlength=lots)
    if np.minimum(network.capacity, degree).sum() < 1.25 * has_edge.sum():
        inner = has_edge.copy()
    while True:
        tick()
        if inner.sum() > 0.7 * has_edge.sum():
            inner = has_edge.copy()
        outer = has_edge & ~inner
        room = network.capacity - np.bincount(best_lot[outer], minlength=lots)
        positions = np.flatnonzero(inner[network.need] & (room[network.lot] > 0))
        edge = np.where(outer, best, -1)
        price = np.zeros(lots, dtype=np.int64)
        if len(positions):
            who, where = np.unique(network.need[positions]), np.unique(network.lot[positions])
            number = np.zeros(network.needs, dtype=np.int64)
            number[who] = np.arange(len(who))
            place = np.zeros(lots, dtype=np.int64)
            place[where] = np.arange(len(where))
            small = Network.of(
                len(who), room[where], number[network.need[positions]], place[network.lot[positions]], network.value[positions]
            )
            chosen, small_price = _solve(small, tick)
            edge[who] = np.where(chosen >= 0, positions[np.maximum(chosen, 0)], -1)
            price[where] = small_price
        utility = _utility(network, edge, price)
        broken = network.value - price[network.lot] > utility[network.need]
        if not broken.any():
            return edge, price
        wanted = np.zeros(lots + 1, dtype=bool)
        wanted[network.lot[broken]] = True
        grown = inner.copy()
        grown[network.need[broken]] = True
        grown |= wanted[best_lot] & has_edge
        inner = grown


def _best_edges(network: Network) -> Ints:
    """By need: its edge of the highest value, the lowest lot among like ones; -1 without edges."""
    top = np.full(network.needs, -1, dtype=np.int64)
    np.maximum.at(top, network.need, network.value)
    positions = np.flatnonzero(network.value == top[network.need])
    who = network.need[positions]
    keep = np.append(True, who[1:] != who[:-1]) if len(who) else np.zeros(0, dtype=bool)
    best = np.full(network.needs, -1, dtype=np.int64)
    best[who[keep]] = positions[keep]
    return best


def _utility(network: Network, edge: Ints, price: Ints) -> Ints:
    utility = np.zeros(network.needs, dtype=np.int64)
    placed = edge >= 0
    utility[placed] = network.value[edge[placed]] - price[network.lot[edge[placed]]]
    return utility


def _solve(network: Network, tick: Tick) -> tuple[Ints, Ints]:
    """Step 2 with step 3: on all edges at once, or on a growing choice of them where places are very many. Edge by need, price by lot."""
    degree = np.bincount(network.lot, minlength=len(network.capacity))
    seats = np.minimum(network.capacity, degree)
    plenty = int(seats.sum()) > _PLENTY * network.needs
    if not plenty and int(seats[network.lot].sum()) <= _SEAT_EDGES:
        edge = _match(network)
        return edge, least_prices(network, edge)
    order = np.lexsort((network.lot, -network.value, network.need))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - network.first[network.need[order]]
    at_first = _BEST if plenty else max(4, int(_SEAT_EDGES / max(1.0, float(seats[network.lot].mean()) * network.needs)))
    working = rank < at_first
    while True:
        tick()
        positions = np.flatnonzero(working)
        part = _part(network, positions)
        part_seats = np.minimum(network.capacity, np.bincount(part.lot, minlength=len(network.capacity)))
        chosen = _match(part) if int(part_seats[part.lot].sum()) <= _SEAT_EDGES_LP else _programme(part)
        price = least_prices(part, chosen)
        edge = np.where(chosen >= 0, positions[np.maximum(chosen, 0)], -1)
        excess = network.value - price[network.lot] - _utility(network, edge, price)[network.need]
        broken = np.flatnonzero(excess > 0)
        if len(broken) == 0:
            return edge, price
        broken = broken[np.lexsort((network.lot[broken], -excess[broken], network.need[broken]))]
        who = network.need[broken]
        nth = np.arange(len(broken)) - np.searchsorted(who, who)
        working[broken[nth < 10]] = True


def _match(network: Network) -> Ints:
    """Step 2: each lot's places side by side, at most as many as needs that can use it; the scarcer side makes the rows."""
    lots = len(network.capacity)
    seats = np.minimum(network.capacity, np.bincount(network.lot, minlength=lots))
    first = np.append(0, np.cumsum(seats))
    count = int(first[-1])
    copies = seats[network.lot]
    seat = spans(first[network.lot], copies)
    who = np.repeat(network.need, copies)
    # Costs are above 0 (explicit zeros are dropped by scipy); every row has a column of its own at the cost of value 0.
    ceiling = int(network.value.max()) + 1
    cost = np.repeat((ceiling - network.value).astype(np.float64), copies)
    by_need = network.needs <= count
    rows, columns, height, width = (who, seat, network.needs, count) if by_need else (seat, who, count, network.needs)
    alone = np.arange(height)
    weights = np.concatenate([cost, np.full(height, float(ceiling))])
    where = (np.concatenate([rows, alone]), np.concatenate([columns, width + alone]))
    graph = coo_array((weights, where), shape=(height, width + height)).tocsr()
    row, column = min_weight_full_bipartite_matching(graph)
    real = column < width
    row, column = row[real].astype(np.int64), column[real].astype(np.int64)
    need, place = (row, column) if by_need else (column, row)
    lot = np.searchsorted(first, place, side="right") - 1
    edge = np.full(network.needs, -1, dtype=np.int64)
    edge[need] = np.searchsorted(network.need * lots + network.lot, need * lots + lot)
    return edge


def _programme(network: Network) -> Ints:
    """Step 2 for very large lots: the same problem as a linear programme, whose corners are whole numbers."""
    edges, lots = len(network.need), len(network.capacity)
    matrix = csr_array(
        (np.ones(2 * edges), (np.concatenate([network.need, network.needs + network.lot]), np.tile(np.arange(edges), 2))),
        shape=(network.needs + lots, edges),
    )
    scale = float(network.value.max())
    limits = np.concatenate([np.ones(network.needs), network.capacity.astype(np.float64)])
    answer = linprog(-network.value / scale * 1e6, A_ub=matrix, b_ub=limits, bounds=(0, 1), method="highs-ds")
    taken = np.flatnonzero(answer.x > 0.5)
    edge = np.full(network.needs, -1, dtype=np.int64)
    edge[network.need[taken]] = taken
    return edge
