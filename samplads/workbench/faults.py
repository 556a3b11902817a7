"""What goes wrong with an analyst's SQL, said with its place: line, column, caret, and the nearest names that do exist."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samplads import i18n
from samplads.errors import SampladsError

_WIDE = frozenset("WF")


@dataclass(frozen=True)
class Place:
    """A stretch of the SQL text: line and column count from 1, in characters; `text` is the whole line."""

    line: int
    column: int
    length: int
    text: str

    def excerpt(self, width: int = 100) -> str:
        """The line with a caret under the stretch; a long line is cut around it."""
        start = max(0, self.column - 1 - width // 2)
        shown = self.text[start : start + width].replace("\t", " ")
        before = "… " if start else ""
        # A caret must stand under the sign on the screen: wide signs take two cells, combining marks none.
        offset = sum(cells(sign) for sign in before + shown[: self.column - 1 - start])
        carets = max(1, min(self.length, width - (self.column - 1 - start)))
        return f"{before}{shown}\n{' ' * offset}{'^' * carets}"


def cells(sign: str) -> int:
    """How many cells of a terminal a sign takes, as DuckDB counts them: a tab none."""
    if unicodedata.combining(sign) or unicodedata.category(sign) == "Cc":
        return 0
    return 2 if unicodedata.east_asian_width(sign) in _WIDE else 1


def place(sql: str, start: int, length: int = 1) -> Place:
    """The place of a stretch that begins at byte `start` of the UTF-8 text, as DuckDB counts."""
    data = sql.encode()
    before = data[:start].decode(errors="ignore")
    stretch = data[start : start + length].decode(errors="ignore")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    lines = sql.split("\n")
    return Place(line, column, max(1, len(stretch.split("\n")[0])), lines[line - 1].rstrip("\r"))


class SqlError(SampladsError):
    """A statement that was refused, failed or was stopped.

    `place` is where in the text (None where it has none), `candidates` are names that exist and look like the one that does not:
    only ever names of the analyst copy. The sentence's blanks always include `line` and `column`. `peak_mb` is the most resident memory
    in MiB that the ended process had, 0 where none was started.
    """

    peak_mb: int = 0

    def __init__(self, key: str, /, *, where: Place | None = None, candidates: Sequence[str] = (), **values: object) -> None:
        super().__init__(key, **{"line": where.line if where else "-", "column": where.column if where else "-", **values})
        self.place = where
        self.candidates = tuple(candidates)

    def to_json(self) -> dict[str, Any]:
        """For the way from the worker to the parent."""
        return {
            "key": self.key,
            "values": {name: value if isinstance(value, (int, float)) else str(value) for name, value in self.values.items()},
            "place": None if self.place is None else [self.place.line, self.place.column, self.place.length, self.place.text],
            "candidates": list(self.candidates),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> SqlError:
        """The error that a worker told of."""
        values = {str(name): value for name, value in told["values"].items() if name not in {"line", "column"}}
        where = None if told["place"] is None else Place(*told["place"])
        return cls(str(told["key"]), where=where, candidates=tuple(told["candidates"]), **values)


def sentence(error: SampladsError, language: str) -> str:
    """An error's sentence; without the words on its place where none is known."""
    told = i18n.sentence(error, language)
    return told if getattr(error, "place", None) is not None else told.replace(i18n.text("workbench.no_place", language), "")
