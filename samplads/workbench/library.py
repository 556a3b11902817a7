"""The reviewed queries of the workbench: `queries/workbench/<name>.sql`, each with its words in its header.

    -- title.da: ...            -- title.en: ...
    -- explain.da: ...          -- explain.en: ...
    -- user: placement officer | director | analyst
    -- param region: text = Sjælland        (none or several; text, whole, number, day, flag, list; the value is an example)
    -- columns: municipality, persons

A line that begins with `--` and two more spaces goes on with the field before it.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from samplads import settings
from samplads.errors import SampladsError

TYPES = ("text", "whole", "number", "day", "flag", "list")
_EXAMPLES = {"whole": "12", "number": "2,5", "day": "2026-11-01", "flag": "ja", "list": "101|147", "text": "101"}
_FIELD = re.compile(r"--\s?([a-z]+(?:\.(?:da|en))?|param [a-z_][a-z0-9_]*):\s*(.*)")
REQUIRED = ("title.da", "title.en", "explain.da", "explain.en", "user", "columns")
_NO = frozenset({"false", "nej", "no", "0"})
_YES = frozenset({"true", "ja", "yes", "1"})


@dataclass(frozen=True)
class Parameter:
    """A `$name` of a query: its type and an example that gives an answer."""

    name: str
    type: str
    example: str


@dataclass(frozen=True)
class Reviewed:
    """One reviewed query."""

    name: str
    sql: str
    title: Mapping[str, str]
    explain: Mapping[str, str]
    user: str
    columns: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def example(self) -> dict[str, object]:
        """Its parameters' examples as values."""
        return {parameter.name: value(parameter.example, parameter.type, parameter.name) for parameter in self.parameters}


_SIGN = "[+-]?"
_PLAIN = re.compile(rf"{_SIGN}[0-9]+")
_BY_THOUSANDS = re.compile(rf"{_SIGN}[1-9][0-9]{{0,2}}(?:(?:\.[0-9]{{3}})+|(?:,[0-9]{{3}})+)")
_TWO_WAYS = re.compile(rf"{_SIGN}[1-9][0-9]{{0,2}}[.,][0-9]{{3}}")
"""Thousands to one and thousandths to another (decision 12)."""
_MEASURED = re.compile(rf"({_SIGN})([0-9]*|[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+(?=,)|[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?=\.))[.,]([0-9]+)")
_POWER = re.compile(rf"({_SIGN}[0-9]+)(?:[.,]([0-9]+))?([eE]{_SIGN}[0-9]+)")


def _whole(text: str) -> int:
    if not _PLAIN.fullmatch(text) and not _BY_THOUSANDS.fullmatch(text):
        raise ValueError(text)
    return int(re.sub("[.,]", "", text))


def _number(text: str) -> float:
    """A number that can be read in one way only."""
    if found := _MEASURED.fullmatch(text):
        number = float(f"{found[1]}{re.sub('[.,]', '', found[2])}.{found[3]}")
    elif found := _POWER.fullmatch(text):
        number = float(f"{found[1]}.{found[2] or 0}{found[3]}")
    else:
        number = float(_whole(text))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def typed(number: float) -> str:
    """A number as it is read again by `value`."""
    text = str(number)
    return f"{text}0" if _TWO_WAYS.fullmatch(text) else text


def value(text: str, kind: str, name: str) -> object:
    """A typed text as a parameter's value; empty is unknown (null).

    Numbers may have a decimal comma, lists a | between. A number that can be read in two ways (1.234) is not guessed at.

    Raises SampladsError `sql_parameter_whole`, `sql_parameter_number`, `sql_parameter_two_ways`, `sql_parameter_day`,
    `sql_parameter_flag`.
    """
    text = text.strip()
    if text == "":
        return None
    try:
        match kind:
            case "whole":
                return _whole(text)
            case "number":
                if _TWO_WAYS.fullmatch(text):
                    digits = re.sub("[.,]", "", text)
                    measured = re.sub("[.,]", ",", text) + "0"
                    raise SampladsError("sql_parameter_two_ways", name=name, value=text, whole=digits, measured=measured)
                return _number(text)
            case "day":
                shaped = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
                return dt.date(int(shaped[3]), int(shaped[2]), int(shaped[1])) if shaped else dt.date.fromisoformat(text)
            case "flag":
                if text.lower() not in _YES | _NO:
                    raise ValueError(text)
                return text.lower() in _YES
            case "list":
                return [part.strip() for part in text.split("|") if part.strip()]
            case "text":
                return text
    except (ValueError, OverflowError):
        pass
    raise SampladsError(f"sql_parameter_{kind}", name=name, value=text, example=_EXAMPLES[kind])


def parse(name: str, sql: str) -> Reviewed:
    """A query from its text.

    Raises SampladsError `library_header` where its header lacks a field.
    """
    fields: dict[str, str] = {}
    last = ""
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        if found := _FIELD.fullmatch(line):
            last = found[1]
            fields[last] = found[2].strip()
        elif last and line.startswith("--   "):
            fields[last] += " " + line[2:].strip()
    for needed in REQUIRED:
        if not fields.get(needed):
            raise SampladsError("library_header", file=f"{name}.sql", field=needed)
    parameters = []
    for key, told in fields.items():
        if key.startswith("param "):
            kind, _, example = (part.strip() for part in told.partition("="))
            if kind not in TYPES:
                raise SampladsError("library_header", file=f"{name}.sql", field=key)
            parameters.append(Parameter(key.removeprefix("param "), kind, example))
    return Reviewed(
        name=name,
        sql=sql,
        title={language: fields[f"title.{language}"] for language in ("da", "en")},
        explain={language: fields[f"explain.{language}"] for language in ("da", "en")},
        user=fields["user"],
        columns=tuple(column.strip() for column in fields["columns"].split(",")),
        parameters=tuple(parameters),
    )


@cache
def all_queries(folder: Path | None = None) -> tuple[Reviewed, ...]:
    """All reviewed queries, by name."""
    root = folder or settings.read().queries / "workbench"
    return tuple(parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(root.glob("*.sql")))


def get(name: str, folder: Path | None = None) -> Reviewed:
    """The query of a name.

    Raises SampladsError `library_unknown`.
    """
    found = {query.name: query for query in all_queries(folder)}
    if name not in found:
        raise SampladsError("library_unknown", name=name, names=", ".join(found))
    return found[name]
