"""The data dictionary as tables: every column of every contract in both languages, and what every query says of itself."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from samplads import i18n
from samplads.contracts import CONTRACTS, dictionary

COLUMNS = ("table", "column", "delivered_header", "danish", "english", "value_kind", "value_unit", "example", "column_rules")
"""Columns of the table of columns, in the order of the screen."""

QUERY_COLUMNS = ("query", "query_row", "query_grain", "query_readers", "query_kind")


def columns(language: str) -> pl.DataFrame:
    """One row a column of a contract: table, column, how a delivery heads it, both texts, kind, unit, example, rules."""
    rows = [
        (one.table, one.column, one.header, one.da, one.en, one.kind, one.unit, one.example, "; ".join(one.rules))
        for one in dictionary.entries(language)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def tables(language: str) -> pl.DataFrame:
    """One row a contract: table, what it holds, how many columns, its key, the rules a row must keep, and what is only remarked on."""
    rows = [
        {
            "table": extract,
            "holds": contract.da if language == "da" else contract.en,
            "columns_count": len(contract.columns()),
            "key_columns": ", ".join(contract.primary_key()),
            "row_rules": "; ".join(dictionary.row_rules(extract, language)),
            "remarks": "; ".join(dictionary.flags(extract, language)),
        }
        for extract, contract in CONTRACTS.items()
    ]
    return pl.DataFrame(rows)


def queries(told: Sequence[tuple[str, str, str, str, str]], language: str) -> pl.DataFrame:
    """One row a query: name, what one row is, grain and parameters, who reads it, and what it is for.

    `told` is (name, row, grain, readers, kind) with the kinds "page", "build" and "analyst".
    """
    rows = [(name, row, grain, readers, i18n.text(f"dictionary.kinds.{kind}", language)) for name, row, grain, readers, kind in told]
    return pl.DataFrame(rows, schema=dict.fromkeys(QUERY_COLUMNS, pl.String), orient="row")


def found(frame: pl.DataFrame, words: str) -> pl.DataFrame:
    """The rows in which every word stands somewhere, whatever its case."""
    text = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=" ").str.to_lowercase()
    for word in words.lower().split():
        frame = frame.filter(text.str.contains(word, literal=True))
    return frame
