"""The gate: which statements an analyst may run, decided on DuckDB's own parse tree.

The tree comes from `json_serialize_sql` of the same DuckDB that will run the statement, so that gate and engine cannot read a text in two
ways. Everything is allowed by name: kinds of statement, nodes of the tree, tables, functions. What is not on a list is refused, with its
name and its place. The gate runs inside the worker process (see `child`), never in the application's: a text that breaks the parser breaks
a process that was going to end anyway.

1. `extract_statements` must find exactly one statement.
2. EXPLAIN is judged by the statement behind it; a PIVOT without IN (which DuckDB expands to several statements) by itself with parentheses
   round each ON expression and `in (0)` behind it: that adds to the tree and takes nothing away.
3. The tree is walked with the names of the WITH clauses in scope, each from where DuckDB itself knows it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from samplads.workbench import functions
from samplads.workbench.faults import Place, SqlError, place

LONGEST = 100_000
"""Longest statement, in characters."""

QUERY_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
TABLE_NODES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "PIVOT", "SHOW_REF", "EMPTY"})
MODIFIERS = frozenset(
    {"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING"}
)
EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "PARAMETER",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
SHOWS = frozenset({"DESCRIBE", "SUMMARY"})
_KIND_OF_SHOW = {"DESCRIBE": "describe", "SUMMARY": "summarize"}
_WORDS_OF_NODE = {"COPY_QUERY_NODE": "COPY", "INSERT_QUERY_NODE": "INSERT", "UPDATE_QUERY_NODE": "UPDATE", "DELETE_QUERY_NODE": "DELETE"}
_EVERYWHERE = 1 << 63
"""DuckDB's "no place" is the largest 64-bit number."""


@dataclass(frozen=True)
class Statement:
    """A statement that passed: what it is, which `$parameters` it takes and which tables it reads, both in order of appearance."""

    kind: str
    parameters: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    kind: str
    text: str


def _tokens(data: bytes) -> list[_Token]:
    """DuckDB's own tokens without comments; offsets in bytes."""
    found = duckdb.tokenize(data.decode())
    bounds = [start for start, _ in found] + [len(data)]
    tokens = []
    for (start, kind), end in zip(found, bounds[1:], strict=True):
        text = data[start:end].decode(errors="replace").strip()
        if kind.name != "comment":
            tokens.append(_Token(start, end, kind.name, text.lower()))
    return tokens


def _statements(connection: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    try:
        return connection.extract_statements(sql)
    except duckdb.Error as error:
        raise _syntax(connection, sql, error) from None


def _kind(statement: duckdb.Statement) -> str:
    try:
        return statement.type.name
    except ValueError:
        # A kind of statement that the client library has no name for (CONNECT).
        return ""


def _first_word(sql: str) -> str:
    tokens = _tokens(sql.encode())
    return re.split(r"\W", tokens[0].text)[0].upper() if tokens else ""


def _serialized(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    rows = connection.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchall()
    try:
        told: dict[str, Any] = json.loads(rows[0][0])
    except RecursionError:
        raise SqlError("sql_too_deep") from None
    return told


def _syntax(connection: duckdb.DuckDBPyConnection, sql: str, error: duckdb.Error) -> SqlError:
    told = _serialized(connection, sql)
    message = str(told.get("error_message") or str(error).split("\n")[0])
    if "expression depth" in message or "nesting" in message.lower():
        return SqlError("sql_too_deep")
    where = None
    if location := re.fullmatch(r"\[(\d+),(\d+)\]", str(told.get("location", ""))):
        where = place(sql, int(location[1]), int(location[2]))
    elif str(told.get("position", "")).isdigit():
        where = place(sql, int(told["position"]))
    if near := re.search(r'at or near "(.*)"', message, re.DOTALL):
        return SqlError("sql_syntax", where=where, near=near[1][:60])
    if "end of input" in message:
        return SqlError("sql_syntax_end", where=where)
    return SqlError("sql_syntax_other", where=where, message=message[:300])


def _behind_explain(sql: str) -> str | None:
    """The text with EXPLAIN, its ANALYZE and its options blanked out, so that places stay; None where it does not begin so."""
    data = sql.encode()
    tokens = _tokens(data)
    if not tokens or tokens[0].text != "explain":
        return None
    at = 1
    while at < len(tokens) and tokens[at].text in {"analyze", "verbose"}:
        at += 1
    if at < len(tokens) and tokens[at].text.startswith("(") and _is_options(tokens, at):
        while at < len(tokens) and tokens[at].text != ")":
            at += 1
        at += 1
    if at >= len(tokens):
        return None
    start = tokens[at].start
    return "".join("\n" if sign == "\n" else " " for sign in data[:start].decode("latin-1")) + data[start:].decode()


def _is_options(tokens: list[_Token], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at].text == "(" and tokens[at + 1].text in {"format", "analyze", "verbose"}


_PUT_BEFORE, _PUT_BEHIND = b"(", b") in (0) "
_ENDS_ON = frozenset({",", ";", ")", "using", "group", "order", "limit", "union", "except", "intersect"})


def _with_pivot_values(sql: str) -> tuple[str, list[tuple[int, bytes]]]:
    """The text with each ON expression of a PIVOT that has no IN as `(expression) in (0)`, and what was put before which byte."""
    data = sql.encode()
    tokens = _tokens(data)
    put: dict[tuple[int, int], bytes] = {}
    for index, token in enumerate(tokens):
        if token.text not in {"pivot", "pivot_wider"}:
            continue
        depth, inside_on, has_in = 0, False, False
        first: int | None = None
        for before, follower in zip(tokens[index:], [*tokens[index + 1 :], _Token(len(data), len(data), "end", ";")], strict=True):
            word = follower.text
            if inside_on and depth == 0 and word in _ENDS_ON:
                if not has_in and first is not None:
                    put[first, 1], put[before.end, 0] = _PUT_BEFORE, _PUT_BEHIND
                first, has_in = None, False
                if word != ",":
                    break
            elif depth == 0 and word in {")", ";"}:
                break
            elif depth == 0 and not inside_on and word == "on":
                inside_on = True
            elif inside_on:
                first = follower.start if first is None else first
                has_in = has_in or (depth == 0 and word == "in")
            if follower.kind == "operator":
                depth += word.count("(") - word.count(")")
            elif follower.kind == "keyword":
                # An IN within CASE is not the PIVOT's.
                depth += (word == "case") - (word == "end")
    places = sorted(put.items())
    for (at, _), text in reversed(places):
        data = data[:at] + text + data[at:]
    return data.decode(), [(at, text) for (at, _), text in places]


def _place_of_word(sql: str, word: str) -> Place | None:
    for token in _tokens(sql.encode()):
        if token.text.strip('"') == word.lower():
            return place(sql, token.start, len(word.encode()))
    return None


def _fold(name: str) -> str:
    """A name as DuckDB compares it: A to Z alone are folded. Python also makes a k of the Kelvin sign."""
    return name.encode(errors="replace").lower().decode()


def _in_query(node: dict[str, Any], scope: frozenset[str]) -> list[tuple[Any, frozenset[str]]]:
    """What is below a query, each with the names of WITH in scope there, as DuckDB resolves them.

    A body sees the names before its own and never its own: there the name is still the table's. Only the second half of a recursive one
    sees itself, and not in its first half nor in a WITH before the two.
    """
    below = []
    for entry in node["cte_map"]["map"]:
        below.append((entry["value"], scope))
        scope = scope | {_fold(entry["key"])}
    itself = scope | {_fold(str(node["cte_name"]))} if "cte_name" in node else scope
    for name, child in node.items():
        if name != "cte_map" and isinstance(child, (dict, list)):
            below.append((child, itself if name in {"right", "child"} else scope))
    return below


class _Walk:
    """One pass over a parse tree."""

    def __init__(self, sql: str, tables: Iterable[str], put_in: list[tuple[int, bytes]]) -> None:
        self.sql = sql
        self.put_in = put_in
        self.names = {_fold(name): name for name in tables}
        self.parameters: dict[str, None] = {}
        self.tables: dict[str, None] = {}
        self.shows: list[str] = []

    def _place(self, node: dict[str, Any]) -> Place | None:
        """Where a node stands in the text as it was typed."""
        start, length = node.get("query_location", _EVERYWHERE), node.get("query_location_length", 1)
        for at, text in self.put_in:
            start -= len(text) if start >= at + len(text) else 0
        return place(self.sql, start, length) if 0 <= start < len(self.sql.encode()) else None

    def run(self, tree: Any) -> None:
        # A stack of our own, since a chain of a thousand operators is deeper than Python's.
        stack: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
        while stack:
            node, scope = stack.pop()
            if isinstance(node, list):
                stack.extend((child, scope) for child in reversed(node))
            elif isinstance(node, dict):
                stack.extend(reversed(self._node(node, scope)))

    def _node(self, node: dict[str, Any], scope: frozenset[str]) -> list[tuple[Any, frozenset[str]]]:
        """Judge a node; returns what is below it, each with the names in scope there."""
        kind = node.get("type")
        if isinstance(kind, str):
            if "class" in node:
                self._expression(node)
            elif kind in QUERY_NODES:
                return _in_query(node, scope)
            elif kind in TABLE_NODES:
                self._table(node, kind, scope)
            elif kind not in MODIFIERS:
                word = _WORDS_OF_NODE.get(kind, kind.removesuffix("_QUERY_NODE"))
                raise SqlError("sql_write_refused", statement=word, where=self._place(node) or _place_of_word(self.sql, word))
        return [(child, scope) for child in node.values() if isinstance(child, (dict, list))]

    def _expression(self, node: dict[str, Any]) -> None:
        kind = node["class"]
        if kind not in EXPRESSIONS:
            raise SqlError("sql_construct_refused", name=str(node["type"]).lower(), where=self._place(node))
        if kind in {"FUNCTION", "WINDOW"}:
            self._function(node, functions.CALLABLE_LOWER)
        elif kind == "PARAMETER":
            name = str(node["identifier"])
            if name.isdigit():
                raise SqlError("sql_parameter_unnamed", where=self._place(node))
            self.parameters[name] = None

    def _function(self, node: dict[str, Any], allowed: frozenset[str], where: Place | None = None) -> None:
        name = str(node.get("function_name", ""))
        path = node.get("qualified_name", {}).get("path", [name])
        here = where or self._place(node) or _place_of_word(self.sql, name)
        # What stands before the name may be a schema or, in `a.len()`, the first argument: the last name alone says what is called.
        name = str(path[-1]) if path else name
        known = _fold(name) in allowed or _fold(name).startswith("collate_")
        if not known:
            raise SqlError("sql_function_refused", name=name[:80], where=here, candidates=_like(name, functions.CALLABLE, 0.75))

    def _table(self, node: dict[str, Any], kind: str, scope: frozenset[str]) -> None:
        where = self._place(node)
        if kind == "TABLE_FUNCTION":
            call = node["function"]
            if call.get("class") != "FUNCTION":
                raise SqlError("sql_construct_refused", name=str(call.get("type")).lower(), where=where)
            self._function(call, functions.TABLE_LOWER, where)
        elif kind == "SHOW_REF":
            show, special = str(node["show_type"]), str(node["table_name"]).strip('"')
            if show in SHOWS and node["query"] is not None:
                self.shows.append(_KIND_OF_SHOW[show])
            elif special == "tables" and not node["catalog_name"] and not node["schema_name"]:
                self.shows.append("show")
            elif _fold(special) in self.names:
                self.tables[self.names[_fold(special)]] = None
                self.shows.append("describe")
            else:
                raise SqlError("sql_show_refused", name=special[:80].removeprefix("__") or show.lower(), where=where)
        elif kind == "BASE_TABLE":
            path = [str(part) for part in node["qualified_name"]["path"]]
            name = path[-1]
            if len(path) == 1 and _fold(name) in scope:
                return
            if len(path) > 2 or (len(path) == 2 and _fold(path[0]) != "main") or _fold(name) not in self.names:
                raise SqlError(
                    "sql_table_unknown",
                    name=".".join(path)[:120],
                    where=where or _place_of_word(self.sql, name),
                    candidates=_like(name, self.names.values()),
                )
            self.tables[self.names[_fold(name)]] = None


def _like(name: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    return difflib.get_close_matches(name.lower(), sorted(names), n=3, cutoff=cutoff)


def check(connection: duckdb.DuckDBPyConnection, sql: str, tables: Iterable[str]) -> Statement:
    """Judge a statement.

    `connection` is any DuckDB connection: it only parses. `tables` are the names that may be read.

    Raises SqlError `sql_empty`, `sql_too_long`, `sql_several`, `sql_syntax…`, `sql_too_deep`, `sql_statement_refused`,
    `sql_write_refused`, `sql_construct_refused`, `sql_show_refused`, `sql_table_unknown`, `sql_function_refused`,
    `sql_parameter_unnamed`, `sql_pivot_parameters`.
    """
    if len(sql) > LONGEST:
        raise SqlError("sql_too_long", length=len(sql), most=LONGEST)
    if "\0" in sql or any(0xD800 <= ord(sign) <= 0xDFFF for sign in sql):
        raise SqlError("sql_bad_sign")
    statements = _statements(connection, sql)
    if not statements:
        raise SqlError("sql_empty")
    if len(statements) > 1:
        first = len(statements[0].query.encode())
        after = re.search(rb"[^\s;]", sql.encode()[first:])
        raise SqlError("sql_several", count=len(statements), where=place(sql, first + (after.start() if after else 0)))
    kind = _kind(statements[0])
    behind = _behind_explain(sql)
    # EXPLAIN of a PIVOT that is expanded is told as several statements.
    explain = kind == "EXPLAIN" or (kind == "MULTI" and behind is not None)
    text = sql
    if explain:
        if behind is None:
            raise SqlError("sql_statement_refused", statement="EXPLAIN", where=place(sql, 0))
        text = behind
        inner = _statements(connection, text)
        kind = _kind(inner[0]) if len(inner) == 1 else ""
    expanded = kind == "MULTI"
    put_in: list[tuple[int, bytes]] = []
    if expanded:
        text, put_in = _with_pivot_values(text)
    if kind not in {"SELECT", "MULTI"}:
        word = _first_word(text)
        raise SqlError("sql_statement_refused", statement=word or kind, where=_place_of_word(sql, word) or place(sql, 0))
    told = _serialized(connection, text)
    if told.get("error") or len(told.get("statements", [])) != 1:
        key = "sql_pivot_values" if expanded else "sql_statement_refused"
        raise SqlError(key, statement=_first_word(text), where=_place_of_word(sql, "pivot") if expanded else place(sql, 0))
    walk = _Walk(sql, tables, put_in)
    walk.run(told["statements"])
    if expanded and walk.parameters:
        raise SqlError("sql_pivot_parameters", where=_place_of_word(sql, "pivot"))
    described = walk.shows[0] if walk.shows and _is_show(told["statements"][0]["node"]) else "select"
    return Statement("explain" if explain else described, tuple(walk.parameters), tuple(walk.tables))


def _is_show(node: dict[str, Any]) -> bool:
    table = node.get("from_table")
    return isinstance(table, dict) and table.get("type") == "SHOW_REF"
