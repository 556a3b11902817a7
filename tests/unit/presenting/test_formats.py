from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.presenting import formats

SPACE = formats.NARROW


@pytest.mark.parametrize(
    ("value", "decimals", "da", "en"),
    [
        (1234567.5, 2, "1.234.567,50", "1,234,567.50"),
        (12031, 0, "12.031", "12,031"),
        (0, 0, "0", "0"),
        (-1234.5, 1, "−1.234,5", "−1,234.5"),
        (2.5, 0, "3", "3"),
        (0.125, 2, "0,13", "0.13"),
        (1e-9, 0, "0", "0"),
        (None, 0, "ukendt", "unknown"),
        (float("nan"), 0, "ukendt", "unknown"),
        (float("inf"), 0, "∞", "∞"),
        (123456789012345678901234567890, 0, "123.456.789.012.345.678.901.234.567.890", "123,456,789,012,345,678,901,234,567,890"),
        (1e30, 2, "1." + ".".join(["000"] * 10) + ",00", "1," + ",".join(["000"] * 10) + ".00"),
        (
            Decimal("12345678901234567890123456789.125"),
            2,
            "12.345.678.901.234.567.890.123.456.789,13",
            "12,345,678,901,234,567,890,123,456,789.13",
        ),
    ],
)
def test_numbers(value, decimals, da, en):
    assert formats.number(value, "da", decimals) == da
    assert formats.number(value, "en", decimals) == en


def test_amounts_and_shares_carry_their_unit():
    assert formats.kr(123456750, "da", 2) == f"1.234.567,50{SPACE}kr."
    assert formats.kr(284500, "da") == f"2.845{SPACE}kr."
    assert formats.kr_per_day(284500, "en") == f"2,845{SPACE}kr a day"
    assert formats.millions(1140000000, "da") == f"11,4{SPACE}mio. kr."
    assert formats.percent(47.2, "da") == f"47{SPACE}%"
    assert formats.share(1, 3, "da", 1) == f"33,3{SPACE}%"
    assert formats.share(1, 0, "da") == "ukendt"
    assert formats.km(41.3, "da") == f"41{SPACE}km"
    for write in (formats.kr, formats.kr_per_day, formats.millions, formats.percent, formats.km):
        assert write(None, "da") == "ukendt"


@pytest.mark.parametrize(
    "value", [sys.float_info.max, -sys.float_info.max, sys.float_info.min, 5e-324, 2**127, float("inf"), float("-inf")]
)
def test_no_number_is_too_large_to_be_written(value):
    for write in (formats.kr, formats.kr_per_day, formats.millions, formats.percent, formats.km, formats.number):
        assert write(value, "da") != formats.unknown("da")
    assert formats.kr(1e300, "da").startswith("10.000.000.")
    assert formats.number(value, "en", 3)


def test_days():
    day = dt.date(2026, 11, 2)
    assert formats.date(day, "da") == "02.11.2026"
    assert formats.date(day, "en") == "2 Nov 2026"
    assert formats.date(None, "da") == "ukendt"
    assert formats.age(day, day, "da") == "i dag"
    assert formats.age(dt.date(2026, 11, 1), day, "da") == "1 dag"
    assert formats.age(dt.date(2026, 10, 2), day, "en") == "31 days"
    assert len(formats.months("da")) == len(formats.months("en")) == 12


def test_words():
    assert formats.listing([], "da") == ""
    assert formats.listing(["a"], "da") == "a"
    assert formats.listing(["a", "b", "c"], "da") == "a, b og c"
    assert formats.choice("night_cover", "awake", "da") == "vågen"
    assert formats.choice("night_cover", "hammock", "da") == "hammock"
    assert formats.choice("night_cover", None, "en") == "unknown"
    assert formats.yes_no(True, "da") == "ja"
    assert formats.yes_no(None, "da") == "ukendt"
    assert formats.capital("åbne pladser i København") == "Åbne pladser i København"


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.234,5", "da", 1234.5),
        ("1,234.5", "en", 1234.5),
        ("2,5", "da", 2.5),
        ("1234,5", "da", 1234.5),
        (" 1 234 567 ", "da", 1234567),
        ("-3", "da", -3),
        ("−3,25", "da", -3.25),
        ("0,05", "da", 0.05),
    ],
)
def test_a_typed_number_is_read_in_the_language_of_the_page(text, language, value):
    assert formats.parse_number(text, language) == value


@pytest.mark.parametrize(
    "text", ["2.5", "1.23", "1,2,3", "1.234.5", "", "ti", "1e5", "12,", ",5", "١٢", "0x10", "1..234", "inf", "nan", "=1+1"]
)
def test_what_is_not_a_danish_number_is_refused_with_the_right_form(text):
    with pytest.raises(SampladsError, match="typed_not_a_number") as refused:
        formats.parse_number(text, "da")
    assert refused.value.values["example"] == "1.234,5"


def test_bounds_are_said_in_the_form_of_the_page():
    with pytest.raises(SampladsError) as small:
        formats.parse_number("1", "da", least=1.5)
    assert (small.value.key, small.value.values["least"]) == ("typed_too_small", "1,5")
    with pytest.raises(SampladsError) as large:
        formats.parse_number("121", "da", most=120)
    assert (large.value.key, large.value.values["most"]) == ("typed_too_large", "120")
    assert formats.parse_number("120", "da", least=0, most=120) == 120
    # No field takes more than anybody types in earnest, whether it says a bound or not.
    for typed in ("9" * 31, "9" * 400):
        with pytest.raises(SampladsError) as endless:
            formats.parse_number(typed, "da")
        assert (endless.value.key, endless.value.values["most"]) == ("typed_too_large", "1.000.000.000.000")


def test_a_whole_number_has_no_decimals():
    assert formats.parse_number("24", "da", whole=True) == 24
    with pytest.raises(SampladsError, match="typed_not_whole"):
        formats.parse_number("24,7", "da", whole=True)


def test_amounts_are_read_to_the_oere():
    assert formats.parse_kr("2.845,50 kr.", "da") == 284550
    assert formats.parse_kr("2845", "da") == 284500
    assert formats.parse_kr("0,29", "da") == 29
    with pytest.raises(SampladsError, match="typed_too_small"):
        formats.parse_kr("-1", "da")


def test_days_are_read_in_every_usual_form():
    assert {formats.parse_day(text) for text in ("22.11.2026", "22-11-2026", "22/11/2026", " 2026-11-22 ")} == {dt.date(2026, 11, 22)}
    for text in ("31.02.2026", "22.11.26", "i morgen", ""):
        with pytest.raises(SampladsError, match="typed_not_a_day"):
            formats.parse_day(text)


@settings(deadline=None, max_examples=200)
@given(st.decimals(-(10**12), 10**12, places=3), st.sampled_from(["da", "en"]))
def test_what_is_written_can_be_typed_again(value, language):
    assert formats.parse_number(formats.number(float(value), language, 3), language) == float(value)
    assert formats.parse_number(formats.typed(float(value), language), language) == float(value)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**12), st.sampled_from(["da", "en"]))
def test_an_amount_survives_being_written_and_typed(ore, language):
    assert formats.parse_kr(formats.kr(ore, language, 2), language) == ore
