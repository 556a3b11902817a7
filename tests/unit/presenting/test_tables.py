from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from samplads import i18n
from samplads.presenting import tables
from samplads.presenting.tables import Column


@pytest.mark.parametrize(
    ("key", "dtype", "kind", "header"),
    [
        ("daily_rate_ore", None, "money", "Takst (kr./døgn)"),
        ("km", None, "km", "Afstand (km)"),
        ("night_cover", None, "choice", "Nat"),
        ("saved_gross_ore", None, "money", "saved_gross_ore (kr.)"),
        ("filled_pct", None, "percent", "filled_pct (%)"),
        ("far_km", None, "km", "far_km (km)"),
        ("answer", pl.Int64(), "whole", "answer"),
        ("answer", pl.Float64(), "number", "answer"),
        ("answer", pl.Boolean(), "flag", "answer"),
        ("answer", pl.Date(), "day", "answer"),
        ("answer", pl.Time(), "time", "answer"),
        ("answer", pl.List(pl.String()), "list", "answer"),
        ("answer", pl.String(), "text", "answer"),
    ],
)
def test_a_column_is_known_by_its_key_then_its_ending_then_its_type(key, dtype, kind, header):
    spec = tables.column(key, dtype)
    assert spec.kind == kind
    assert tables.header(spec, "da") == header


def test_delivered_columns_speak_the_contracts_words():
    assert tables.header(tables.column("budgeted_occupancy_pct"), "da") == "Budgetteret belægning (%)"
    assert tables.header(tables.column("gross"), "en") == "gross"
    assert tables.help_text(tables.column("daily_rate_ore"), "da") == "Takst pr. døgn"
    assert tables.help_text(Column("gross"), "da") is None


def test_no_two_headers_are_alike():
    shown = [Column("a", text="Sum"), Column("b", text="Sum")]
    assert tables.headers(shown, "da") == ["Sum", "Sum [b]"]


def test_plain_values_sort_and_calculate():
    frame = pl.DataFrame(
        {
            "daily_rate_ore": [284550, None],
            "night_cover": ["awake", "hammock"],
            "single_person": [True, None],
            "at": [dt.time(23, 0), None],
            "groups": [["x", "y"], None],
            "km": [1.26, None],
        }
    )
    plain = tables.plain(frame, tables.columns(frame), "da")
    assert plain.row(0) == (2845.5, "vågen", "ja", "23:00", "x, y", 1.3)
    assert plain.row(1) == (None, "hammock", None, None, None, None)


def test_values_are_written_in_the_form_of_the_page():
    def written(key, value, dtype=None, language="da"):
        return tables.display(tables.column(key, dtype), language)(value)

    assert written("daily_rate_ore", 2845.5) == "2.846"
    assert written("price_year", 2026) == "2026"
    assert written("confirmed_at", dt.date(2026, 1, 2)) == "02.01.2026"
    assert written("confirmed_at", None) == "ukendt"
    assert written("assumed_occupancy_pct", 97.5) == "98"
    assert written("unit_name", "Birkehuset") == "Birkehuset"
    assert written("unit_name", None) == "ukendt"
    assert tables.display(Column("n", "whole", write=lambda n: f"nr. {n}"), "da")(3) == "nr. 3"
    assert tables.written(pl.Series([1000, None, 1000]), tables.column("accepting"), "da") == ["1.000", "ukendt", "1.000"]


def test_every_shown_column_has_a_header_in_both_languages():
    for language in i18n.LANGUAGES:
        for key in tables.SHOWN:
            assert i18n.has(f"columns.{key}", language), key
        for column in tables.SHOWN.values():
            assert column.unit is None or i18n.has(f"units.{column.unit}", language)


def test_a_day_that_python_does_not_know_is_written_all_the_same():
    days = pl.Series("d", [0, None, 2**31 - 1, -(2**31) + 1, 2932897, 20000], dtype=pl.Int32).cast(pl.Date)
    frame = pl.DataFrame([days])
    assert tables.written(tables.plain(frame, tables.columns(frame), "da")["d"], tables.columns(frame)[0], "da") == [
        "01.01.1970",
        "ukendt",
        "∞",
        "−∞",
        "10000-01-01",
        "04.10.2024",
    ]
