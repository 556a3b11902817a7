"""What became of a unit's values, in words."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from samplads.i18n import LANGUAGES
from samplads.ledger import overlays
from samplads.presenting import history, quality, vacancies
from tests import small

DAY = dt.date(2026, 11, 1)
NAMES = {"approvals": {"g1": "Autisme"}, "municipality": {"370": "Næstved"}}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("night_cover", "awake", "vågen"),
        ("daily_rate_ore", "284500", "2.845,00"),
        ("daily_rate_ore", 290050, "2.900,50"),
        ("single_person", "false", "nej"),
        ("single_person", True, "ja"),
        ("approved_until", "2028-12-31", "31.12.2028"),
        ("approved_until", DAY, "01.11.2026"),
        ("assumed_occupancy_pct", "97.5", "97,5"),
        ("price_year", 2026, "2026"),
        ("accepting", "1200", "1.200"),
        ("status", None, "ukendt"),
        ("municipality", "370", "Næstved"),
        ("municipality", "999", "999"),
        ("approvals", "primary:g1 secondary:g2", "Autisme (primær) og g2 (sekundær)"),
        ("note", "=1+1", "=1+1"),
    ],
)
def test_a_value_is_told_as_a_person_reads_it(field: str, value: object, words: str) -> None:
    assert history.worded(field, value, "da", NAMES) == words


def test_changes_name_their_event_and_their_delivery() -> None:
    rows = pl.DataFrame(
        {
            "changed_on": [DAY] * 3,
            "event": ["counted", "restated", "told"],
            "field": ["accepting", "occupied", "night_cover"],
            "before": ["0", "6", "sleeping"],
            "after": ["1", "4", "awake"],
            "delivery": ["a", "b", "b"],
            "as_of": [DAY, DAY - dt.timedelta(days=31), None],
        }
    )
    told = history.changes(rows, "da")
    assert told["event"].to_list() == ["Ny optælling", "Optælling pr. 01.10.2026 oplyst igen", "Ny oplysning"]
    assert told.select("field", "before", "after", "delivery").rows() == [
        ("Åbne", "0", "1", "a"),
        ("Belagt", "6", "4", "b"),
        ("Nat", "sovende", "vågen", "b"),
    ]
    assert history.changes(rows.clear(), "da").is_empty()


def test_where_a_unit_and_its_places_come_from() -> None:
    one = {"unit_delivery": "a", "unit_delivered_on": DAY, "count_delivery": "a", "count_delivered_on": DAY}
    assert history.source(one, "da") == "Kilde: leverance a, 01.11.2026."
    two = one | {"count_delivery": "b", "count_delivered_on": DAY + dt.timedelta(days=7)}
    assert history.source(two, "da") == "Kilde: afdelingen fra leverance a, 01.11.2026; pladserne fra leverance b, 08.11.2026."
    never = one | {"count_delivery": None, "count_delivered_on": None}
    assert history.source(never, "da").endswith("Pladserne er aldrig leveret.")


def test_places_that_do_not_add_up_are_said() -> None:
    counts = {"maximum": 8, "occupied": 6, "reserved": None, "accepting": 2}
    assert history.too_many(counts, "da") is None
    assert "tilsammen 9, men der er kun 8 pladser" in str(history.too_many(counts | {"reserved": 1}, "da"))
    assert history.too_many(counts | {"maximum": None}, "da") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_facts_knows_the_fields_behind_it(language: str) -> None:
    """A correction is marked beside its value: no line of the panel shows a field that may be corrected without saying so."""
    unit = dict.fromkeys(
        (*overlays.correctable(), "rate_normal_ore", "offer_type_name", "primary_names", "secondary_names", "excluded_names")
    )
    labels = [label for label, _ in vacancies.facts(unit, 98.0, language, DAY)]
    behind = history.facts_of(98.0, language)
    of_approvals = {label for label in labels if label not in behind}
    assert len(of_approvals) == 3
    assert set(behind) <= set(labels)
    assert {field for fields in behind.values() for field in fields} <= set(overlays.correctable())


def test_the_first_sentence_of_quality_names_the_three_worst() -> None:
    def issues(*codes: str) -> pl.DataFrame:
        return pl.DataFrame({"issue": codes, "unit_id": [unit["unit_id"] for unit in small.UNITS][:1] * len(codes)})

    codes = [check.code for check in quality.CHECKS]
    said = plain(quality.answer(issues(*codes, "stale"), "da"))
    assert said == (
        f"**{len(codes) + 1} forhold på 1 afdeling at se efter.** Vigtigst: 1 overbelagte, 1 med flere personer end pladser og "
        "1 lukkede med åbne pladser. Resten står i tabellen."
    )
    assert "Resten" not in quality.answer(issues("stale", "missing_rate"), "da")
    assert quality.answer(issues("stale", "missing_rate").clear(), "da").startswith("**Intet at se efter.**")
