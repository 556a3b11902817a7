"""One need, as a match reads it: a row of the contract `need`, or what an officer describes. What is None or empty is left open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from samplads.errors import SampladsError
from samplads.model import NIGHT_COVERS, OPERATOR_KINDS, SETTINGS


@dataclass(frozen=True)
class Case:
    """What is needed. Only the acting municipality must be told; a rule or criterion whose field is left open does not apply.

    Raises SampladsError `match_word_unknown` for a word outside its list, `match_number_negative` for a negative number.
    """

    municipality: str
    need_id: str | None = None
    wanted_from: dt.date | None = None
    offer_types: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    """All of them must be covered; the first is the primary one."""
    age: int | None = None
    support_level: int | None = None
    least_night_cover: str | None = None
    max_daily_rate_ore: int | None = None
    max_km: float | None = None
    current_unit: str | None = None
    wish_near: tuple[str, ...] = ()
    wish_setting: str | None = None
    operator_kinds: tuple[str, ...] = ()
    """A limit that an officer may set for the search: only these kinds of operator."""
    located_in: tuple[str, ...] = ()
    """A limit that an officer may set for the search: only units in these municipalities."""
    reference_rate_ore: int | None = None
    """The rate of the offer that the acting municipality itself points to, where one is named."""

    def __post_init__(self) -> None:
        words: tuple[tuple[str, Sequence[str | None], Sequence[str]], ...] = (
            ("least_night_cover", [self.least_night_cover], NIGHT_COVERS),
            ("wish_setting", [self.wish_setting], SETTINGS),
            ("operator_kinds", self.operator_kinds, OPERATOR_KINDS),
        )
        for field, given, allowed in words:
            for word in given:
                if word is not None and word not in allowed:
                    raise SampladsError("match_word_unknown", field=field, word=word, allowed=", ".join(allowed))
        for field in ("age", "support_level", "max_daily_rate_ore", "max_km", "reference_rate_ore"):
            number = getattr(self, field)
            if number is not None and not number >= 0:
                raise SampladsError("match_number_negative", field=field, number=number)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Case:
        """A case from a row of the contract `need` (as of `DataFrame.row(named=True)`); other columns are passed over."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items() if name in known and value is not None
        }
        return cls(**values)

    @property
    def groups(self) -> tuple[str, ...]:
        """The target groups, each once, in the order told."""
        return tuple(dict.fromkeys(self.target_groups))

    def day(self, as_of: dt.date) -> dt.date:
        """The day the move is for: the day wanted, today where that day has passed or none was told."""
        return as_of if self.wanted_from is None else max(self.wanted_from, as_of)

    @property
    def max_metres(self) -> int | None:
        """`max_km` in whole metres, halves up."""
        return None if self.max_km is None else int(self.max_km * 1000 + 0.5)
