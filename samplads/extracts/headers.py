"""Which extract a table holds, which of its rows is the header, and which column each header names.

A header names a column where, compared by letters and digits only, it is the column's name, its delivered name, its Danish or English
text (with or without what stands in parentheses), or one of the words that the catalogue lists for it (`deliveries.headers.<column>`).
A header that is merely near a name is never taken for it: the nearest name is suggested to the sender.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from samplads import i18n
from samplads.contracts import CONTRACTS
from samplads.extracts.personal import squeezed

LONGEST_HEADER = 80
"""A header longer than this is a sentence and no misspelt name."""

OWN_COLUMNS = frozenset(squeezed(i18n.text("deliveries.mend.column", language)) for language in i18n.LANGUAGES)
"""Squeezed headers of the column that a mend sheet adds: passed over in silence when the sheet comes back."""

LIST_COLUMNS = ("delivery", "file", "sheet", "row", "field", "severity", "rule", "value", "what_to_do")
"""Columns of the sheet of findings in a mend workbook, as `deliveries.mend.<column>`."""

LEAST_LIKENESS = 0.75
"""How alike (difflib's ratio) a header must be to a name to be suggested for it."""


@dataclass(frozen=True)
class Target:
    """What a header stands for: a column of the contract, and for money whether it is delivered in kroner or in øre."""

    column: str
    ore: bool = False


def _words(key: str) -> list[str]:
    """The catalogue's list at a key in every language, parts divided by |."""
    return [word for language in i18n.LANGUAGES if i18n.has(key, language) for word in i18n.text(key, language).split("|")]


def _without_parentheses(text: str) -> str:
    return re.sub(r"\([^)]*\)", "", text)


@cache
def names(extract: str) -> Mapping[str, Target]:
    """Every squeezed header that an extract understands."""
    found: dict[str, Target] = {}
    columns = CONTRACTS[extract].columns()
    for name, column in columns.items():
        metadata = column.metadata or {}
        found[squeezed(name)] = Target(name, ore=metadata.get("kind") == "money")
        if "delivered" in metadata:
            found[squeezed(metadata["delivered"])] = Target(name)
    # Texts come after names, so that a text never takes a name away from its column.
    for name, column in columns.items():
        metadata = column.metadata or {}
        texts = [metadata["da"], metadata["en"]]
        for text in (*texts, *map(_without_parentheses, texts), *_words(f"deliveries.headers.{name}")):
            found.setdefault(squeezed(text), Target(name))
    found.pop("", None)
    return found


@cache
def all_names() -> frozenset[str]:
    """Every squeezed header that any contract asks for."""
    return frozenset(name for extract in CONTRACTS for name in names(extract))


@cache
def required(extract: str) -> frozenset[str]:
    """Columns that a table of an extract cannot do without."""
    return frozenset(name for name, column in CONTRACTS[extract].columns().items() if not column.nullable)


def label(extract: str, column: str) -> str:
    """The header that a sender is asked for: the delivered name, else the column's name."""
    return str((CONTRACTS[extract].columns()[column].metadata or {}).get("delivered", column))


@lru_cache(maxsize=4096)
def nearest(header: str, extract: str) -> str | None:
    """The column's header that a header is most like, if it is like one at all."""
    if len(header) > LONGEST_HEADER:
        return None
    found = difflib.get_close_matches(squeezed(header), list(names(extract)), n=1, cutoff=LEAST_LIKENESS)
    return label(extract, names(extract)[found[0]].column) if found else None


def is_our_list(table_headers: Sequence[str]) -> bool:
    """Whether a sheet is the list of findings of a mend workbook that came back with it."""
    return any(
        list(table_headers[: len(LIST_COLUMNS)]) == [i18n.text(f"deliveries.mend.{column}", language) for column in LIST_COLUMNS]
        for language in i18n.LANGUAGES
    )


@dataclass(frozen=True)
class Mapped:
    """Which position of a table feeds which column. `twice` names the headers of columns that more than one position claims."""

    positions: Mapping[str, tuple[int, Target]]
    unknown: tuple[int, ...]
    twice: Mapping[str, tuple[str, ...]]
    missing: frozenset[str]


def mapped(headers: Sequence[str], extract: str) -> Mapped:
    """Hold the headers of a table against an extract."""
    positions: dict[str, tuple[int, Target]] = {}
    claims: dict[str, list[str]] = {}
    unknown: list[int] = []
    known = names(extract)
    for position, header in enumerate(headers):
        name = squeezed(header)
        target = known.get(name)
        if target is None:
            if name and name not in OWN_COLUMNS:
                unknown.append(position)
            continue
        claims.setdefault(target.column, []).append(header)
        positions.setdefault(target.column, (position, target))
    return Mapped(
        positions=positions,
        unknown=tuple(unknown),
        twice={column: tuple(found) for column, found in claims.items() if len(found) > 1},
        missing=required(extract) - positions.keys(),
    )


@cache
def _extract_words() -> Mapping[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for extract in CONTRACTS:
        for word in (extract, f"{extract}s", *_words(f"deliveries.extracts.{extract}.words")):
            found[tuple(_parts(word))] = extract
    return found


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[\W_]+|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])", name.casefold()) if part]


def extract_of_name(name: str) -> str | None:
    """The extract that a file's or sheet's name speaks of: the one with the longest name that stands in it, None where none or two do."""
    parts = _parts(name)
    found: dict[int, set[str]] = {}
    for words, extract in _extract_words().items():
        size = len(words)
        if any(tuple(parts[start : start + size]) == words for start in range(len(parts) - size + 1)):
            found.setdefault(size, set()).add(extract)
    longest = found.get(max(found, default=0), set())
    return next(iter(longest)) if len(longest) == 1 else None


def extract_of_headers(headers: Sequence[str]) -> str | None:
    """The extract whose required columns all stand among the headers; of several, the one that understands most; None where two tie."""
    scores: dict[str, int] = {}
    for extract in CONTRACTS:
        found = mapped(headers, extract)
        if not found.missing:
            scores[extract] = len(found.positions)
    best = [extract for extract, score in scores.items() if score == max(scores.values())]
    return best[0] if len(best) == 1 else None


def header_row(rows: Sequence[Sequence[str | None]], extract: str | None) -> int | None:
    """Which of the first rows of a table is its header: the one in which most cells are names of columns.

    `rows` are the first rows as text. Where no cell of any row is known, the first row that holds text throughout is taken, so that its
    strange headers can be told to the sender; None where every row is empty.
    """
    extracts = [extract] if extract else list(CONTRACTS)
    best, best_score = None, 0
    for position, row in enumerate(rows):
        cells = {squeezed(cell) for cell in row if cell} - {""}
        score = max(len(cells & names(one).keys()) for one in extracts)
        # One known word alone may stand in a title; it makes a header only where the table is narrow.
        if score > best_score and (score >= 2 or len(cells) <= 2):
            best, best_score = position, score
    if best is not None:
        return best
    filled = [position for position, row in enumerate(rows) if sum(bool(cell) for cell in row) >= 2]
    if filled:
        return filled[0]
    return next((position for position, row in enumerate(rows) if any(row)), None)
