"""Profiles: SELECTs that put somebody's own export into our shape.

A profile is a folder of `<extract>.sql`, each one SELECT over the files of a delivery. It runs on a DuckDB connection that can read the
delivery's folder and nothing else, and can write nowhere. What it may use:

    getvariable('delivery')     the delivery's folder
    getvariable('<name>')       a parameter given with `--set name=value`; null where not given
    municipality                table of the reference's municipalities: code, name, region, population, lat, lon
    target_group, offer_type    tables of the reference

Columns that the contract does not know are a finding, except `_file` and `_row`, which tell a finding where its row stands: `_row` as a
person counts it, the header being row 1, reckoned before any row is left out (`row_number() over ()` over the bare file). Where a profile
gives no `_row`, its findings name the key instead. Values may be text: they are read by the same rules as a delivered file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
from duckdb.sqltypes import DuckDBPyType

from samplads import settings
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.extracts import redacted
from samplads.reference import Reference

OF_NAMES = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.SyntaxException,
)
"""Errors that quote names of columns, functions and files; every other one may quote what stood in a cell."""

NO_FRAME = frozenset({"interval", "union", "variant", "bignum", "geometry"})
"""Types of the database that no frame can hold."""


def folder(profile: str) -> Path:
    """The folder of a shipped profile's name, or of a path given as one.

    Raises SampladsError `profile_unknown`, `profile_empty`.
    """
    shipped = settings.read().queries / "import" / profile
    found = shipped if re.fullmatch(r"[a-z0-9_]+", profile) and shipped.is_dir() else Path(profile)
    if not found.is_dir():
        names = sorted(path.name for path in (settings.read().queries / "import").iterdir() if path.is_dir())
        raise SampladsError("profile_unknown", profile=profile, names=", ".join(names))
    if not any((found / f"{extract}.sql").is_file() for extract in CONTRACTS):
        raise SampladsError("profile_empty", profile=profile, files=", ".join(f"{extract}.sql" for extract in CONTRACTS))
    return found


def _connection(delivery: Path, reference: Reference, values: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    for name, frame in reference.tables().items():
        connection.register("reference_frame", frame)
        connection.execute(f'create table "{name}" as select * from reference_frame')
        connection.unregister("reference_frame")
    connection.execute("set variable delivery = $value", {"value": str(delivery)})
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise SampladsError("profile_parameter", name=name)
        # In quotes, since a plain name may be a word of the language.
        connection.execute(f'set variable "{name}" = $value', {"value": value})
    allowed = str(delivery).replace("'", "''")
    connection.execute(f"set allowed_directories = ['{allowed}']")
    connection.execute("set temp_directory = ''")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _text(file: Path, profile: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SampladsError("profile_unreadable", profile=profile, file=file.name) from error


def _reason(error: Exception, sql: str) -> str:
    """Why a SELECT failed, in the database's words, without what stood in a cell: that may be somebody's name.

    A cell may hold quotes and line breaks itself, so all goes from the first quote to the last.
    """
    message = str(error).replace("can't", "cannot")
    if isinstance(error, OF_NAMES):
        return message.split("\n")[0]
    kind, _, said = message.partition(": ")
    if isinstance(error, duckdb.InvalidInputException) and not said.startswith(("CSV Error on Line: ", "Could not parse string ")):
        # These may be a cell and nothing else; what the profile says itself is told.
        return message if said in sql else kind
    first = re.split(r"""['"]|\n""", message, maxsplit=1)[0]
    first = re.sub(r"\bwith value \S+", "with value …", first).rstrip(" :")
    column = re.search(r"""column ("[^"\n]*")\. Could""", message) or re.search(r"when casting from source column ([^\n]*)", message)
    return f"{first}, column {column[1]}" if column else first


def _no_frame(kind: DuckDBPyType) -> bool:
    """Whether a type is, or holds, one that no frame can hold."""
    if kind.id in {"list", "struct", "map", "array"}:
        return any(_no_frame(child) for _, child in kind.children if isinstance(child, DuckDBPyType))
    return kind.id in NO_FRAME


def _frame(connection: duckdb.DuckDBPyConnection, sql: str, file: str) -> pl.DataFrame:
    """What one SELECT gives. Raises SampladsError `profile_statement`, `profile_type`."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise SampladsError("profile_statement", file=file)
    # Inside a subquery a COPY or an INSERT cannot hide in a WITH.
    relation = connection.sql(f"select * from (\n{sql.rstrip().rstrip(';')}\n) as profile")
    for column, kind in zip(relation.columns, relation.types, strict=True):
        if _no_frame(kind):
            raise SampladsError("profile_type", file=file, column=column, type=kind.id.upper())
    frame: pl.DataFrame = relation.pl()
    return frame


def run(profile: str, delivery: Path, reference: Reference, values: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """The frames that a profile makes of a delivery, by extract.

    Raises SampladsError `profile_statement` where a file is not one SELECT, `profile_unreadable` where it is no text, `profile_type` where
    it gives a column that no frame can hold, `profile_failed` with the file and the database's reason, and `delivery_missing` where the
    folder is not there.
    """
    if not delivery.exists():
        raise SampladsError("delivery_missing", delivery=delivery.name)
    root = folder(profile)
    frames: dict[str, pl.DataFrame] = {}
    connection = _connection((delivery if delivery.is_dir() else delivery.parent).resolve(), reference, values)
    try:
        for extract in CONTRACTS:
            file = root / f"{extract}.sql"
            if not file.is_file():
                continue
            text = _text(file, root.name)
            try:
                frames[extract] = _frame(connection, text, file.name)
            except (duckdb.Error, pl.exceptions.PolarsError, ValueError) as error:
                reason = redacted(_reason(error, text).replace(str(delivery.resolve()), delivery.name))
                raise SampladsError("profile_failed", profile=root.name, file=file.name, reason=reason) from error
    finally:
        connection.close()
    return frames
