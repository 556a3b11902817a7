"""Hide small counts in tables whose totals are published, so that no arithmetic gives them back.

Words (A. Hundepool et al., Statistical Disclosure Control, Wiley 2012, ch. 4): a *primary* cell must not be told; *secondary* cells are
hidden so that the primary ones cannot be computed from totals. A table is a list of cells and *relations* `total = sum of parts`; linked
tables are one list whose relations share cells.

The attacker knows every published cell, every relation, that cells are not negative, and that a hidden cell is at least 1 (zeros are
published). For each primary cell the attacker's interval, from linear programming over everything hidden, must be at least
`threshold - 1` wide: as many values stay possible as there are counts below the threshold, and one more.

1. Hide the primary cells.
2. Line by line: where the hidden members of a relation can be computed or are boxed in too closely by that relation alone, hide its
   cheapest published member that is not zero. Repeat until no line changes.
3. Attack everything hidden with linear programmes. For a primary cell whose interval is too narrow, hide the cheapest published member
   of a relation that reaches it, and go to 2. Each round hides more, so it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

Relation = tuple[int, tuple[int, ...]]
"""A total's cell and its parts' cells."""

_ROUNDS_TOGETHER = 24
"""Linear programmes that push many cells at once before single cells are tried: most are shown safe by these."""


@dataclass(frozen=True)
class Table:
    """`values` (n,) whole counts; `sensitive` (n,) marks primary cells; relations between cells hold exactly.

    `cost` (n,) is what hiding a cell loses its readers; the default is its value.
    """

    values: NDArray[np.int64]
    sensitive: NDArray[np.bool_]
    relations: tuple[Relation, ...]
    cost: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for total, parts in self.relations:
            if int(self.values[list(parts)].sum()) != int(self.values[total]):
                raise ValueError(f"cell {total} is not the sum of its parts")
        if (self.values < 0).any():
            raise ValueError("counts are not negative")


def protect(table: Table, threshold: int) -> NDArray[np.bool_]:
    """Which cells to hide (n,): the primary ones that are not zero and enough others."""
    hidden: NDArray[np.bool_] = table.sensitive & (table.values > 0)
    by_cell = _relations_of(table)
    while True:
        _line_by_line(table, hidden, threshold)
        if len(table.relations) < 2:
            # One line by itself is all that the attacker has, and it was judged as such.
            return hidden
        exposed = weak(table, hidden, threshold)
        if exposed.size == 0:
            return hidden
        for cell in exposed:
            _hide_near(table, hidden, by_cell, int(cell))


def _relations_of(table: Table) -> list[list[int]]:
    by_cell: list[list[int]] = [[] for _ in table.values]
    for number, (total, parts) in enumerate(table.relations):
        for cell in (total, *parts):
            by_cell[cell].append(number)
    return by_cell


def _cheapest(table: Table, hidden: NDArray[np.bool_], cells: Sequence[int]) -> int | None:
    open_cells = [cell for cell in cells if not hidden[cell] and table.values[cell] > 0]
    cost = table.values if table.cost is None else table.cost
    return min(open_cells, key=lambda cell: (cost[cell], cell), default=None)


def _line_by_line(table: Table, hidden: NDArray[np.bool_], threshold: int) -> None:
    changed = True
    while changed:
        changed = False
        for total, parts in table.relations:
            while True:
                hidden_parts = [cell for cell in parts if hidden[cell]]
                if hidden[total]:
                    # The total can be computed only where every part is told.
                    exposed = not hidden_parts
                elif not hidden_parts:
                    exposed = False
                else:
                    slack = int(table.values[hidden_parts].sum()) - len(hidden_parts)
                    wanted = threshold - 1 if table.sensitive[hidden_parts].any() else 1
                    exposed = len(hidden_parts) < 2 or slack < wanted
                if not exposed:
                    break
                cell = _cheapest(table, hidden, (total, *parts))
                if cell is None:
                    break
                hidden[cell] = changed = True


def _hide_near(table: Table, hidden: NDArray[np.bool_], by_cell: list[list[int]], cell: int) -> None:
    """Hide one more cell in a relation of `cell`, or of the hidden cells that it is tied to."""
    seen, border = {cell}, [cell]
    while border:
        reached = sorted({other for at in border for number in by_cell[at] for other in _members(table, number)})
        more = _cheapest(table, hidden, reached)
        if more is not None:
            hidden[more] = True
            return
        border = [other for other in reached if other not in seen]
        seen.update(border)


def _members(table: Table, number: int) -> tuple[int, ...]:
    total, parts = table.relations[number]
    return (total, *parts)


def _system(table: Table, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.int64], csr_matrix, NDArray[np.float64]]:
    """What the attacker writes down: cells (m,), matrix (k, m) and right side (k,) over the hidden cells."""
    cells = np.flatnonzero(hidden)
    column = np.full(hidden.size, -1)
    column[cells] = np.arange(cells.size)
    rows: list[int] = []
    columns: list[int] = []
    signs: list[float] = []
    right: list[float] = []
    for total, parts in table.relations:
        members = [(total, -1.0), *((part, 1.0) for part in parts)]
        unknown = [(cell, sign) for cell, sign in members if hidden[cell]]
        if not unknown:
            continue
        known = sum(sign * float(table.values[cell]) for cell, sign in members if not hidden[cell])
        for cell, sign in unknown:
            rows.append(len(right))
            columns.append(column[cell])
            signs.append(sign)
        right.append(-known)
    matrix = csr_matrix((signs, (rows, columns)), shape=(len(right), cells.size))
    return cells, matrix, np.asarray(right)


def bounds(table: Table, hidden: NDArray[np.bool_], cells: Sequence[int]) -> list[tuple[float, float]]:
    """The attacker's interval of each of some hidden cells: (least, most), most may be infinite."""
    found = []
    known, matrix, right = _system(table, hidden)
    place = {int(cell): at for at, cell in enumerate(known)}
    for cell in cells:
        objective = np.zeros(known.size)
        objective[place[int(cell)]] = 1.0
        ends = []
        for sign in (1.0, -1.0):
            solved = linprog(sign * objective, A_eq=matrix, b_eq=right, bounds=(1, None), method="highs")
            ends.append(np.inf * -sign if solved.status == 3 else sign * float(solved.fun))
        found.append((ends[0], ends[1]))
    return found


def weak(table: Table, hidden: NDArray[np.bool_], threshold: int) -> NDArray[np.int64]:
    """The primary cells whose interval is narrower than `threshold - 1`."""
    cells, matrix, right = _system(table, hidden)
    if cells.size == 0:
        return np.empty(0, dtype=np.int64)
    # Hidden cells that no relation ties together are separate riddles.
    ties = csr_matrix((matrix.T @ matrix) != 0)
    count, label = connected_components(ties, directed=False)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])
    row_label = np.full(matrix.shape[0], -1)
    entries = matrix.tocoo()
    row_label[entries.row] = label[entries.col]
    rows_of = np.split(np.argsort(row_label, kind="stable"), np.cumsum(np.bincount(row_label, minlength=count))[:-1])
    exposed: list[int] = []
    for members, rows in zip(groups, rows_of, strict=True):
        aim = np.flatnonzero(table.sensitive[cells[members]])
        if aim.size and rows.size:
            if rows.size == 1:
                # One line by itself needs no programme: parts alone can differ by what is over when each has one; with the total
                # hidden, too, nothing bounds them.
                signs = matrix[rows].toarray()[0]
                free = bool((signs < 0).any()) and members.size > 1
                slack = 0.0 if members.size < 2 else float(table.values[cells[members]].sum()) - members.size
                if not free and slack < threshold - 1:
                    exposed += [int(cells[members[at]]) for at in aim]
                continue
            part = matrix[rows][:, members]
            narrow = _narrow(part, right[rows], table.values[cells[members]].astype(float), aim, threshold - 1)
            exposed += [int(cells[members[at]]) for at in narrow]
    return np.asarray(exposed, dtype=np.int64)


def _narrow(matrix: csr_matrix, right: NDArray[np.float64], truth: NDArray[np.float64], aim: NDArray[np.int64], width: float) -> list[int]:
    """Of the columns `aim`, those whose interval is narrower than `width`.

    Any solution of the attacker's equations widens what is known to be possible for every column at once, so many columns are settled by
    few programmes; only the rest get two of their own.
    """
    least, most = truth.copy(), truth.copy()
    tolerance = 1e-6

    def solve(objective: NDArray[np.float64]) -> None:
        # Cells are bounded, so that a programme without a limit still ends; the bound is far beyond any interval asked for.
        limit = float(truth.sum()) + 10.0 * width + 10.0
        solved = linprog(objective, A_eq=matrix, b_eq=right, bounds=(1, limit), method="highs")
        if solved.x is not None:
            np.minimum(least, solved.x, out=least)
            np.maximum(most, solved.x, out=most)

    def open_cells() -> NDArray[np.int64]:
        return aim[most[aim] - least[aim] < width - tolerance]

    generator = np.random.default_rng(5)
    for nth in range(_ROUNDS_TOGETHER):
        left = open_cells()
        if left.size == 0:
            return []
        objective = np.zeros(truth.size)
        objective[left] = (1.0 if nth == 0 else -1.0) if nth < 2 else generator.choice((-1.0, 1.0), size=left.size)
        before = left.size
        solve(objective)
        if nth > 8 and open_cells().size == before:
            break
    for cell in open_cells():
        if most[cell] - least[cell] >= width - tolerance:
            continue
        for sign in (1.0, -1.0):
            objective = np.zeros(truth.size)
            objective[cell] = sign
            solve(objective)
    return [int(cell) for cell in open_cells()]
