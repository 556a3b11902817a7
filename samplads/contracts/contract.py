"""What every contract shares: which rules set a row aside and which only flag it."""

from __future__ import annotations

from typing import ClassVar

import dataframely as dy
import polars as pl


class Contract(dy.Schema):
    """A dataframely schema for one extract.

    A row that breaks a type, a key, a bound or a `@dy.rule` is set aside. A row that breaks one of `flags()` is kept, shown and
    reported: the truth about it is worth more than its absence.
    """

    extract: ClassVar[str] = ""
    """The extract's name: also the name of its file, its table and its page in the data dictionary."""
    da: ClassVar[str] = ""
    en: ClassVar[str] = ""

    @classmethod
    def flags(cls) -> dict[str, tuple[str, pl.Expr]]:
        """Rules that report and keep: name -> (the column to look at, an expression that is true where all is well)."""
        return {}

    @classmethod
    def row_rules(cls) -> tuple[str, ...]:
        """Names of the rules that look at a row as a whole and set it aside: those declared with `@dy.rule`."""
        return tuple(name for base in reversed(cls.__mro__) for name, value in vars(base).items() if type(value).__name__ == "RuleFactory")
