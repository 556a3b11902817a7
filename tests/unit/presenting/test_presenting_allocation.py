"""The map of a joint allocation: a line for each need as long as the eye can tell them apart, streams between municipalities after that."""

from __future__ import annotations

import polars as pl

from samplads.presenting import allocation

POINTS = pl.DataFrame({"code": ["1", "2", "3"], "lat": [55.0, 56.0, 57.0], "lon": [9.0, 10.0, 11.0]})


def plan(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """So many needs of one municipality that get a place in a unit of another."""
    each = [(one, other) for one, other, times in rows for _ in range(times)]
    return pl.DataFrame(
        {
            "need_id": [f"N{number}" for number in range(len(each))],
            "acting": [one for one, _ in each],
            "acting_name": [f"town {one}" for one, _ in each],
            "municipality": [other for _, other in each],
            "municipality_name": [f"town {other}" for _, other in each],
            "unit_name": ["Birkehuset"] * len(each),
            "lat": [55.5] * len(each),
            "lon": [9.5] * len(each),
            "km": [1.0] * len(each),
        }
    )


def test_few_needs_have_a_line_each_to_their_unit() -> None:
    few = plan(("1", "2", 3), ("2", "2", 1), ("9", "1", 1))
    picture = allocation.moves_map(few, POINTS, None, "da")
    # A municipality without a point has no line.
    assert [row["need_id"] for row in picture.data["rows"]] == ["N0", "N1", "N2", "N3"]
    assert {(row["lat"], row["lon"]) for row in picture.data["rows"]} == {(55.5, 9.5)}
    assert allocation.moves_note(few, "da") is None


def test_many_needs_are_streams_between_municipalities() -> None:
    many = plan(("1", "2", 100), ("1", "3", 30), ("2", "2", 1200))
    picture = allocation.moves_map(many, POINTS, None, "da")
    streams = [(row["acting_name"], row["municipality_name"], row["placed"]) for row in picture.data["rows"]]
    assert streams == [("town 2", "town 2", 1200), ("town 1", "town 2", 100), ("town 1", "town 3", 30)]
    assert [(row["from_lat"], row["lat"]) for row in picture.data["rows"]] == [(56.0, 56.0), (55.0, 56.0), (55.0, 57.0)]
    assert allocation.moves_note(many, "da") == (
        "Kortet viser strømme mellem kommuner: de 3 største, med 1.330 af 1.330 behov. Jo bredere, jo flere."
    )


def test_only_the_largest_streams_are_drawn_and_the_note_says_how_many_needs_they_hold() -> None:
    many = plan(*(("1", f"far {number}", 1) for number in range(allocation.MOST_LINES)), ("1", "2", 2))
    assert allocation.moves_note(many, "en") == (
        "The map shows streams between municipalities: the 150 largest, with 151 of 152 needs. The broader, the more."
    )
    assert [row["placed"] for row in allocation.moves_map(many, POINTS, None, "en").data["rows"]] == [2]
