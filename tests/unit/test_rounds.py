"""The reporting round: its days, who has reported in it, who is behind; and the words of a reminder."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplads import rounds
from samplads.presenting import deliveries


@given(st.dates(dt.date(2000, 1, 2), dt.date(2100, 1, 1)), st.integers(1, 31), st.integers(1, 31))
def test_rounds_follow_each_other_without_a_gap(day: dt.date, first: int, last: int) -> None:
    this = rounds.round_of(day, first, last)
    following = rounds.round_of(this.closes.replace(day=28) + dt.timedelta(days=10), first, last)
    assert following.counts_from == this.closes + dt.timedelta(days=1)
    assert this.counts_from <= this.closes
    assert this.closes.month == day.month


def test_the_november_round() -> None:
    this = rounds.round_of(dt.date(2026, 11, 1), 8, 14)
    assert this == rounds.Round(dt.date(2026, 11, 8), dt.date(2026, 11, 14), dt.date(2026, 10, 15))
    for day, words in ((1, "åbner 08.11., lukker 14.11."), (8, "lukker 14.11."), (14, "lukker 14.11."), (15, "lukkede 14.11.")):
        assert deliveries.closing(this, dt.date(2026, 11, day), "da") == words


def units() -> pl.DataFrame:
    def unit(name: str, town: str, as_of: dt.date | None, confirmed_at: dt.date | None) -> dict[str, object]:
        return {
            "unit_id": name,
            "unit_name": f"Hus {name}",
            "municipality_name": town,
            "operator": None,
            "as_of": as_of,
            "confirmed_at": confirmed_at,
        }

    early, late = dt.date(2026, 10, 14), dt.date(2026, 10, 15)
    rows = [
        unit("1", "Køge", late, early),
        unit("2", "Køge", early, late),
        unit("3", "Næstved", late, None),
        unit("4", "Næstved", early, early),
        unit("5", "Solrød", None, None),
    ]
    return pl.DataFrame(rows)


def test_who_has_reported_and_who_is_behind() -> None:
    this = rounds.round_of(dt.date(2026, 11, 1), 8, 14)
    standing = rounds.standing(units(), this)
    assert standing["reported"].to_list() == [True, True, True, False, False]
    assert standing["confirmed"].to_list() == [False, True, False, False, False]
    towns = rounds.compliance(standing, ["municipality_name"])
    assert towns.select("municipality_name", "units", "reported_units", "confirmed_units", "never_confirmed", "standing").rows() == [
        ("Solrød", 1, 0, 0, 1, "missing"),
        ("Næstved", 2, 1, 0, 1, "partly"),
        ("Køge", 2, 2, 1, 0, "reported"),
    ]
    assert rounds.behind(standing)["unit_id"].to_list() == ["3", "5", "1", "4"]


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_reminder_names_each_unit_and_its_last_confirmation(language: str) -> None:
    this = rounds.round_of(dt.date(2026, 11, 1), 8, 14)
    standing = rounds.standing(units(), this)
    texts = deliveries.reminders(rounds.behind(standing), standing, "municipality_name", this, language)
    assert texts.select("recipient", "units").rows() == [("Næstved", 2), ("Køge", 1), ("Solrød", 1)]
    text = texts["reminder_text"][0]
    assert "Hus 3 (3, Næstved), " in text
    assert deliveries.formats.date(this.opens, language) in text
    assert deliveries.formats.date(dt.date(2026, 10, 14), language) in text
    assert deliveries.formats.date(this.closes, language) in text
    # An operator that nobody has told gets no letter.
    assert deliveries.reminders(rounds.behind(standing), standing, "operator", this, language).is_empty()
