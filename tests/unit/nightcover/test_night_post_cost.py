"""A night post's cost: the twelve reference rows, a real year against a walk through its minutes, and what must hold for any post."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import __main__ as command
from samplads import loading_nightcover
from samplads.errors import SampladsError
from samplads.nightcover import post_cost
from samplads.nightcover.post_cost import Post, RealYear, cost, minutes_of, split
from tests import reference_nightcover as reference
from tests.strategies_nightcover import DAY, RULES

SL = (25, 25.5, 20, 50)
COMPARATOR = (30, 35, 30, 50)
SHIFTS = {"8h 23-07": ("23:00", "07:00"), "9h 22:30-07:30": ("22:30", "07:30"), "10h 22-08": ("22:00", "08:00")}
TABLE = """shift,pay,terms,fte,base,supplements,total,per_night
8h 23-07,30361,sl_2016,1.89,787575,170790,958365,2626
8h 23-07,30361,comparator_2025,1.89,787575,217738,1005312,2754
8h 23-07,34500,sl_2016,1.89,894942,194073,1089015,2984
8h 23-07,34500,comparator_2025,1.89,894942,247421,1142363,3130
9h 22:30-07:30,30361,sl_2016,2.13,886022,186095,1072117,2937
9h 22:30-07:30,30361,comparator_2025,2.13,886022,235263,1121285,3072
9h 22:30-07:30,34500,sl_2016,2.13,1006810,211465,1218275,3338
9h 22:30-07:30,34500,comparator_2025,2.13,1006810,267336,1274145,3491
10h 22-08,30361,sl_2016,2.37,984469,201400,1185869,3249
10h 22-08,30361,comparator_2025,2.37,984469,252788,1237257,3390
10h 22-08,34500,sl_2016,2.37,1118677,228857,1347534,3692
10h 22-08,34500,comparator_2025,2.37,1118677,287250,1405928,3852
"""
"""The derived reference table, copied so that the test stands alone."""

ROWS = list(csv.DictReader(TABLE.splitlines()))


def municipal() -> post_cost.Terms:
    return loading_nightcover.terms(DAY, folder=RULES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['shift']} {row['pay']} {row['terms']}")
def test_the_twelve_rows_to_the_krone(row: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    start, end = SHIFTS[row["shift"]]
    given_ = ["night-post", "--start", start, "--end", end, "--pay", row["pay"], "--terms", row["terms"], "--format", "json"]
    assert command.main(given_) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fte"] == float(row["fte"])
    assert [found[f"{name}_kr"] for name in ("base", "supplements", "total", "per_night")] == [
        int(row[name]) for name in ("base", "supplements", "total", "per_night")
    ]


def window(name: str, days: post_cost.Days, pct: float, start: int = 0, end: int = 1440) -> post_cost.Window:
    return post_cost.Window(name, days, start, end, pct)


def test_a_public_holiday_is_a_day_of_its_own_and_falls_back_to_sunday() -> None:
    night = Post(0, 1440, 3_000_000)  # whole days, so that a day's kind is the whole day's

    def days(*windows: post_cost.Window) -> float:
        """Days a year that carry 100 %, by the supplements they cost."""
        found = cost(night, municipal().changed(windows=windows, calendar=RealYear(2026, "DK")))
        return found.supplements_ore / (3_000_000 * 12 / municipal().gross_hours * 24)

    # 2026: 52 Sundays; New Year (Thu), Maundy Thursday, Good Friday, Easter Sunday and Monday, Ascension (Thu), Whit Sunday and Monday,
    # Christmas Day (Fri), St. Stephen's Day (Sat): ten, of which two are Sundays and one is a Saturday.
    assert days(window("s", "sunday", 100)) == pytest.approx(52 + 8, abs=0.01)
    assert days(window("h", "holiday", 100)) == pytest.approx(10, abs=0.01)
    assert days(window("s", "sunday", 100), window("h", "holiday", 100)) == pytest.approx(50 + 10, abs=0.01)
    assert days(window("s", "sunday", 100), window("h", "holiday", 0)) == pytest.approx(50, abs=0.01)
    assert days(window("s", "saturday", 100)) == pytest.approx(51, abs=0.01)
    assert days(window("h", "holiday", 100, 720, 1440)) == pytest.approx(5, abs=0.01)


def test_holiday_nights_of_a_stylised_year_take_their_own_supplement_where_it_is_told() -> None:
    year = post_cost.StylisedYear()
    night = Post(1380, 1860, 3_000_000)

    def hours(*windows: post_cost.Window) -> float:
        found = cost(night, municipal().changed(windows=windows, calendar=year))
        return found.supplements_ore / (3_000_000 * 12 / municipal().gross_hours)

    sundays = 52 * 7 + 52 * 1
    assert hours(window("s", "sunday", 100)) == pytest.approx(sundays + 8 * 8, abs=0.1)
    assert hours(window("s", "sunday", 100), window("h", "holiday", 100)) == pytest.approx(sundays + 8 * 8, abs=0.1)
    assert hours(window("s", "sunday", 100), window("h", "holiday", 200)) == pytest.approx(sundays + 8 * 16, abs=0.1)


def test_a_set_of_terms_holds_from_its_own_day_and_its_year_is_the_days() -> None:
    assert "comparator_2025" not in loading_nightcover.term_names(dt.date(2024, 12, 31), RULES)
    assert "comparator_2025" in loading_nightcover.term_names(dt.date(2025, 1, 1), RULES)
    assert loading_nightcover.term_names(DAY, RULES)[0] == "municipal"
    with pytest.raises(SampladsError, match="night_terms_unknown"):
        loading_nightcover.terms(dt.date(2024, 12, 31), "comparator_2025", RULES)
    assert loading_nightcover.terms_valid_from(DAY, "municipal", RULES) == dt.date(2024, 4, 1)
    assert loading_nightcover.terms(DAY, folder=RULES).calendar == RealYear(DAY.year, "DK")
    assert loading_nightcover.terms(dt.date(2025, 3, 1), folder=RULES).calendar == RealYear(2025, "DK")
    assert loading_nightcover.terms(DAY, folder=RULES, year=2028).calendar == RealYear(2028, "DK")
    assert loading_nightcover.assumptions(DAY, folder=RULES, year=2028).terms.calendar == RealYear(2028, "DK")


@settings(deadline=None, max_examples=60)
@given(st.integers(17 * 4, 24 * 4), st.integers(1, 48), st.integers(0, 6_000_000))
def test_stylised_year_is_the_formula(quarter: int, length: int, pay_ore: int) -> None:
    terms = loading_nightcover.terms(DAY, "sl_2016", folder=RULES)
    start, end = quarter * 15, quarter * 15 + length * 15
    found = cost(Post(start, end, pay_ore), terms)
    fte, base, supplements = reference.stylised_year(start / 60, end / 60, pay_ore / 100, SL)
    assert found.fte == pytest.approx(fte)
    assert found.base_ore / 100 == pytest.approx(base, abs=0.02)
    assert found.supplements_ore / 100 == pytest.approx(supplements, abs=0.02)


@pytest.mark.parametrize(
    ("year", "start", "end", "weekdays"),
    [
        (2026, "23:00", "07:00", range(7)),
        (2024, "22:15", "08:45", range(7)),
        (2025, "00:30", "07:00", range(7)),
        (2026, "21:00", "09:00", (4, 5)),
    ],
)
def test_real_year_is_a_walk_through_its_minutes(year: int, start: str, end: str, weekdays: range) -> None:
    first, last = dt.time.fromisoformat(start), dt.time.fromisoformat(end)
    hours, supplements = reference.real_year(year, first, last, 34_500, SL, frozenset(weekdays))
    terms = municipal().changed(calendar=RealYear(year, "DK"))
    found = cost(Post(*minutes_of(first, last), 3_450_000, weekdays=frozenset(weekdays)), terms)
    assert found.hours == pytest.approx(hours)
    assert found.supplements_ore / 100 == pytest.approx(supplements, abs=0.02)


def test_what_reaches_a_third_day_is_of_that_days_kind() -> None:
    # From 23:50 for 23 hours and 50 minutes, and half an hour of handover: 10 minutes after the second midnight.
    def minutes(weekday: int, days: post_cost.Days, calendar: RealYear | post_cost.StylisedYear) -> float:
        terms = municipal().changed(windows=(window("w", days, 100),), calendar=calendar, handover_minutes=30)
        found = cost(Post(1430, 2860, 3_000_000, weekdays=frozenset({weekday})), terms)
        return found.supplements_ore / (3_000_000 * 12 / municipal().gross_hours / 60) / found.nights

    saturday, year = 5, RealYear(2026, "DK")
    assert minutes(saturday - 2, "saturday", year) == pytest.approx(10, rel=0.05)
    assert minutes(saturday - 1, "saturday", year) == pytest.approx(1440, rel=0.05)
    assert minutes(saturday, "saturday", year) == pytest.approx(10, rel=0.05)
    assert minutes(saturday, "every", year) == pytest.approx(1460, rel=1e-4)
    # Saturday's shift ends on a Monday.
    assert minutes(saturday, "sunday", post_cost.StylisedYear(holiday_nights=0)) == pytest.approx(52 * 1440 / (365 / 7), rel=1e-4)


def test_the_abolished_prayer_day_costs_a_holiday_less() -> None:
    both = [cost(Post(1380, 1860, 3_000_000), municipal().changed(calendar=RealYear(year, "DK"))) for year in (2023, 2025)]
    assert both[0].by_window["sunday"] > both[1].by_window["sunday"]


def test_clock_to_minutes() -> None:
    assert minutes_of(dt.time(23), dt.time(7)) == (1380, 1860)
    assert minutes_of(dt.time(0), dt.time(7)) == (1440, 1860)
    assert minutes_of(dt.time(20), dt.time(23)) == (1200, 1380)
    assert minutes_of(dt.time(8), dt.time(16)) == (480, 960)
    with pytest.raises(SampladsError, match="post_shift_empty"):
        minutes_of(dt.time(7), dt.time(7))


def test_kinds_and_parameters_act_as_they_say() -> None:
    terms = municipal()
    awake = cost(Post(1380, 1860, 3_450_000), terms)
    sleeping = cost(Post(1380, 1860, 3_450_000, "sleeping"), terms)
    on_call = cost(Post(1380, 1860, 3_450_000, "on_call"), terms)
    assert sleeping.total_ore == pytest.approx(awake.total_ore * 0.75, abs=2)
    assert on_call.total_ore == pytest.approx(awake.total_ore / 3, abs=2)
    assert cost(Post(1380, 1860, 3_450_000), terms.changed(handover_minutes=15)).hours == pytest.approx(awake.hours + 365 / 4)
    assert cost(Post(1380, 1860, 3_450_000), terms.changed(on_cost_pct=10)).total_ore == pytest.approx(awake.total_ore * 1.1, abs=1)
    assert cost(Post(1380, 1860, 3_450_000), terms.changed(other_absence_days=5)).base_ore > awake.base_ore
    assert sum(awake.by_window.values()) == awake.supplements_ore
    with pytest.raises(SampladsError, match="post_kind_unknown"):
        cost(Post(1380, 1860, 1, "dozing"), terms)
    with pytest.raises(SampladsError, match="terms_no_hours"):
        cost(Post(1380, 1860, 1), terms.changed(sick_days=300))
    with pytest.raises(SampladsError, match="calendar_country_unknown"):
        cost(Post(1380, 1860, 1), terms.changed(calendar=RealYear(2026, "XX")))
    with pytest.raises(SampladsError, match="post_pay_negative"):
        Post(1380, 1860, -1)
    with pytest.raises(SampladsError, match="post_shift_empty"):
        Post(1380, 1380, 1)


@settings(deadline=None, max_examples=25)
@given(st.integers(17, 24), st.integers(1, 12), st.lists(st.integers(720, 2160), max_size=6), st.sampled_from(["awake", "sleeping"]))
def test_parts_of_the_night_sum_to_the_whole(hour: int, length: int, cuts: list[int], kind: str) -> None:
    post = Post(hour * 60, hour * 60 + length * 60, 3_333_333, kind)
    parts = split(post, [*cuts, post.start, post.end], municipal())
    assert int(parts.sum()) == cost(post, municipal()).total_ore
    assert (parts >= 0).all()


def test_a_split_that_does_not_embrace_the_shift_gives_its_part() -> None:
    post = Post(1380, 1860, 3_333_333)
    inner = split(post, [1440, 1500], municipal())
    whole = split(post, [1380, 1440, 1500, 1860], municipal())
    assert abs(int(inner[0]) - int(whole[1])) <= 1
    assert split(replace(post, monthly_pay_ore=0), [1380, 1860], municipal()).tolist() == [0]


@pytest.mark.parametrize("bad", [["--start", "25:00"], ["--start", "x"], ["--nights", "8"], ["--terms", "none"], ["--pay", "-5"]])
def test_the_command_answers_wrong_words_with_a_sentence(bad: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    options = {"--start": "23:00", "--end": "07:00", "--terms": "sl_2016"} | {bad[0]: bad[1]}
    arguments = [f"{name}={value}" for name, value in options.items()]
    assert command.main(["night-post", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_table_names_its_terms(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        command.main(["night-post", "--start", "23:00", "--end", "24:00", "--year", "2025", "--handover", "10", "--kind", "sleeping"]) == 0
    )
    assert "municipal" in capsys.readouterr().out


def test_every_term_has_a_source_and_every_set_loads() -> None:
    for name in loading_nightcover.term_names(DAY, RULES):
        sources = loading_nightcover.term_sources(DAY, name, RULES)
        assert (sources["source"].str.len_chars() > 5).all()
        assert loading_nightcover.terms(DAY, name, RULES).net_hours > 1000
    assert loading_nightcover.term_names(DAY, RULES)[0] == "municipal"
    assert (loading_nightcover.assumption_sources(DAY, RULES)["source"].str.len_chars() > 5).all()
