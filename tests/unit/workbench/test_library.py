"""The reviewed queries: each has its words, runs on the analyst copy and gives the columns that it promises."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samplads import i18n
from samplads.errors import SampladsError
from samplads.workbench import library, worker

QUERIES = library.all_queries()
HEADER = """-- title.da: T
-- title.en: T
-- explain.da: en
--   to
-- explain.en: e
-- user: analyst
-- param a: whole = 3
-- columns: x, y
select 1
"""


def test_there_are_twenty_for_all_three_users() -> None:
    assert len(QUERIES) >= 20
    by_user = Counter(query.user for query in QUERIES)
    assert set(by_user) == {"placement officer", "director", "analyst"}
    assert min(by_user.values()) >= 4
    assert len({query.title["da"] for query in QUERIES}) == len(QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_query_gives_what_it_promises(query: library.Reviewed, copy: Path) -> None:
    outcome = worker.run(query.sql, copy, parameters=query.example())
    assert tuple(name for name, _ in outcome.columns) == query.columns
    checked = worker.check(query.sql, copy)
    assert set(checked.parameters) == {parameter.name for parameter in query.parameters}
    assert not outcome.truncated


def test_the_first_question_is_answered(copy: Path) -> None:
    frame = worker.run(library.get("both_groups_at_once").sql, copy, parameters={"first": "autism", "second": "outward"}).frame
    assert frame.height > 0
    assert frame["accepting"].is_sorted(descending=True)
    nobody = worker.run(library.get("both_groups_at_once").sql, copy, parameters={"first": "autism", "second": "psychosis"}).frame
    assert nobody.height == 0


def test_price_and_volume_add_up_to_the_difference(copy: Path) -> None:
    frame = worker.run(library.get("spend_per_inhabitant").sql, copy, parameters={"year": 2025}).frame
    assert frame.height > 2
    parts = (frame["from_volume"] + frame["from_price"]).to_list()
    base = [spend - part for spend, part in zip(frame["spend_per_inhabitant"].to_list(), parts, strict=True)]
    # What remains is the mean spend per inhabitant, the same for everybody but for rounding.
    assert max(base) - min(base) <= 4


def test_header() -> None:
    query = library.parse("x", HEADER)
    assert query.explain["da"] == "en to"
    assert query.columns == ("x", "y")
    assert query.example() == {"a": 3}
    for line in ("-- title.en: T\n", "-- columns: x, y\n", "-- user: analyst\n"):
        with pytest.raises(SampladsError) as caught:
            library.parse("x", HEADER.replace(line, ""))
        assert caught.value.key == "library_header"
    with pytest.raises(SampladsError):
        library.parse("x", HEADER.replace("whole", "money"))
    with pytest.raises(SampladsError) as unknown:
        library.get("no_such")
    assert unknown.value.key == "library_unknown"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12", "whole", 12),
        ("1.234.567", "whole", 1234567),
        ("-3", "whole", -3),
        ("2,5", "number", 2.5),
        ("1.234,5", "number", 1234.5),
        ("2.5", "number", 2.5),
        ("0,125", "number", 0.125),
        ("12.3456", "number", 12.3456),
        ("1.234.567", "number", 1_234_567.0),
        ("1,234,567", "number", 1_234_567.0),
        ("1,234.5", "number", 1234.5),
        ("1.234.567,89", "number", 1_234_567.89),
        ("1,2340", "number", 1.234),
        ("1234", "number", 1234.0),
        ("1,5e3", "number", 1500.0),
        (",5", "number", 0.5),
        ("1,234", "whole", 1234),
        ("2026-11-01", "day", dt.date(2026, 11, 1)),
        ("01.11.2026", "day", dt.date(2026, 11, 1)),
        ("1.3.2026", "day", dt.date(2026, 3, 1)),
        ("ja", "flag", True),
        ("No", "flag", False),
        ("101|147", "list", ["101", "147"]),
        ("0101", "text", "0101"),
        ("", "whole", None),
    ],
)
def test_typed_values(text: str, kind: str, value: object) -> None:
    assert library.value(text, kind, "p") == value


@pytest.mark.parametrize(
    ("text", "kind"), [("1,5", "whole"), ("x", "number"), ("31.02.2026", "day"), ("måske", "flag"), ("2,5,1", "number")]
)
def test_values_that_are_not(text: str, kind: str) -> None:
    with pytest.raises(SampladsError) as caught:
        library.value(text, kind, "p")
    assert caught.value.key == f"sql_parameter_{kind}"
    for language in i18n.LANGUAGES:
        assert text in i18n.sentence(caught.value, language)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1_0", "1e999", "1.23.4", "1,2,3", "1.2345,6", "0.125,5", "\u0663", "5,", ".", "0x1"]
)
@pytest.mark.parametrize("kind", ["number", "whole"])
def test_what_is_no_number_is_said(text: str, kind: str) -> None:
    with pytest.raises(SampladsError) as caught:
        library.value(text, kind, "a")
    assert caught.value.key == f"sql_parameter_{kind}"


@pytest.mark.parametrize("text", ["1.234", "1,234", "-55.676", "999,999"])
def test_a_number_of_two_readings_is_not_guessed(text: str) -> None:
    with pytest.raises(SampladsError) as caught:
        library.value(text, "number", "a")
    assert caught.value.key == "sql_parameter_two_ways"
    values = caught.value.values
    for language in i18n.LANGUAGES:
        assert i18n.sentence(caught.value, language)
    # Both of what it is said to be can be written, and are read as that.
    assert library.value(str(values["whole"]), "number", "a") == 1000 * library.value(str(values["measured"]), "number", "a")  # type: ignore[operator]


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1.234)
@example(-55.676)
def test_a_number_typed_again_is_the_same(number: float) -> None:
    assert library.value(library.typed(number), "number", "a") == number
