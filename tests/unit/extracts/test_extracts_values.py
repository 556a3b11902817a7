from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from samplads.contracts import CONTRACTS
from samplads.extracts import headers, personal, values
from samplads.extracts.values import Convention, Signs

COLUMN = {"whole": ("capacity", "occupied"), "number": ("unit", "lat"), "money": ("unit", "daily_rate_ore"), "day": ("capacity", "as_of")}
COLUMN |= {"time": ("night_roster", "shift_start"), "flag": ("unit", "single_person"), "choice": ("unit", "night_cover")}
COLUMN |= {"list": ("need", "target_groups"), "text": ("unit", "name"), "code": ("unit", "unit_id")}


def convert(kind: str, cells: Any, how: Convention | None = None, *, ore: bool = False) -> values.Converted:
    extract, column = COLUMN[kind]
    series = cells if isinstance(cells, pl.Series) else pl.Series(cells, dtype=pl.String)
    made = values.convert(extract, headers.Target(column, ore=ore), series, how or Convention())
    made.values.cast(CONTRACTS[extract].create_empty().schema[column])
    return made


def outcome(made: values.Converted) -> list[Any]:
    """Each cell's value, or the rule it broke."""
    out = made.values.to_list()
    for rule, where in made.faults.items():
        for position in where.fill_null(False).arg_true().to_list():
            assert out[position] is None
            out[position] = rule
    return out


def how(cells: list[str], kind: str = "number", *, separator: str | None = None, others: tuple[str, ...] = (), **more: Any) -> Convention:
    signs, rest = Signs(), Signs()
    typed = more.get("numbers_are_typed", False)
    see = (lambda s, c: s.see_days(pl.Series(c))) if kind == "day" else (lambda s, c: s.see_numbers(pl.Series(c), numbers_are_typed=typed))
    see(signs, cells)
    if others:
        see(rest, list(others))
    return values.convention(signs, [signs, rest], kind, separator=separator, numbers_are_typed=typed, manifest=more.get("manifest", {}))


@pytest.mark.parametrize("word", ["", " ", "ukendt", "Ukendt", "UKENDT", "unknown", "?", "-", "–", "n/a", "uoplyst", "\u00a0-\u00a0"])
@pytest.mark.parametrize("kind", COLUMN)
def test_unknown_is_null_and_no_fault(kind: str, word: str) -> None:
    assert outcome(convert(kind, [word, None])) == [None, None]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *(("8", 8.0), ("+8", 8.0), ("-8", -8.0), ("−8", -8.0), (" 8 ", 8.0), ("0008", 8.0), ("98,5", 98.5), ("98.5", 98.5)),
        *(("2.845,50", 2845.5), ("2,845.50", 2845.5), ("1.234.567", 1234567.0), ("1,234,567", 1234567.0), ("1 234 567", 1234567.0)),
        *(("1 046", 1046.0), ("1\u00a0046,5", 1046.5), ("1'046.5", 1046.5), ("0,125", 0.125), ("0.125", 0.125), (",5", 0.5), ("-.5", -0.5)),
        *(("55,2299", 55.2299), ("1234,567", 1234.567), ("1.5e2", 150.0), ("1E-05", 0.00001)),
        *(("98 %", 98.0), ("kr. 2845,50", 2845.5), ("2845 kr", 2845.0), ("2845,-", 2845.0), ("60 km", 60.0), ("1.200,50 kr/døgn", 1200.5)),
    ],
)
def test_numbers_that_can_be_read_in_one_way_are_read_so(cell: str, value: float) -> None:
    for decimal in (",", ".", None):
        assert outcome(convert("number", [cell], Convention(decimal))) == [pytest.approx(value)]


@pytest.mark.parametrize("cell", ["x", "8-9", "1,2,3", "12.34.567", "1,23.456", "inf", "nan", "NaN", "8 stk", "--5", "1e999", "9" * 30])
def test_what_is_no_number_says_so(cell: str) -> None:
    assert outcome(convert("number", [cell], Convention(","))) == ["not_a_number"]


@pytest.mark.parametrize(
    ("decimal", "comma", "point"), [(",", 2.845, 2845.0), (".", 2845.0, 2.845), (None, "ambiguous_number", "ambiguous_number")]
)
def test_thousands_or_decimals_follow_the_columns_sign(decimal: str | None, comma: object, point: object) -> None:
    assert outcome(convert("number", ["2,845", "2.845"], Convention(decimal))) == [comma, point]


@pytest.mark.parametrize(
    ("cells", "kind", "more", "decimal", "assumed"),
    [
        (["1,046", "98,5"], "number", {}, ",", False),
        (["1.046", "1.046,5"], "number", {}, ",", False),
        (["1,046", "0.2"], "number", {}, ".", False),
        (["1,046", "98,5", "98.5"], "number", {"separator": ";"}, None, False),  # the column contradicts itself
        (["2.845"], "number", {}, None, False),
        (["2.845"], "money", {"separator": ";"}, ",", True),
        (["2,845"], "money", {"separator": ","}, ".", True),
        (["2.845"], "money", {"separator": "\t"}, None, False),
        (["2.845"], "money", {"separator": ";", "others": ("0.5",)}, ".", False),
        (["2.845"], "money", {"separator": ";", "others": ("0.5", "0,5")}, None, False),
        (["2.845"], "money", {"manifest": {"decimal": "."}}, ".", False),
        (["1,046", "2,000"], "whole", {}, ".", False),  # whole numbers: the comma must divide thousands
        (["1,000", "2,000"], "whole", {}, None, False),
        (["1,046"], "whole", {"others": ("0,5",)}, ",", False),  # the file's own sign comes first
        (["1,046", "2.046"], "whole", {}, None, False),
        (["2.845", "2845.5"], "number", {"numbers_are_typed": True}, None, False),  # a number cell says nothing of text cells
        (["8", "9"], "number", {"separator": ";"}, None, False),
        ([], "number", {"separator": ";"}, None, False),
    ],
)
def test_the_decimal_sign_is_decided_by_evidence(cells, kind, more, decimal, assumed) -> None:
    found = how(cells, kind, **more)
    assert (found.decimal, "decimal" in found.assumed) == (decimal, assumed)


def test_the_usual_sign_is_that_of_most_cells() -> None:
    assert how(["98,5", "98.5", "97.5"]).usual == "."
    assert how(["98,5"]).usual == ","
    assert how(["98,5", "98.5"]).usual is None
    assert how(["98,5"], others=("1.5", "2.5")).usual == "."


def test_a_sign_unlike_the_files_is_read_and_told() -> None:
    made = convert("number", ["98,5", "98.5"], Convention(usual="."))
    assert outcome(made) == [98.5, 98.5]
    assert made.mended["other_decimal_sign"].to_list() == [True, False]


def test_whole_numbers_have_no_fraction() -> None:
    cells = ["8", "8,0", "8.0", "8,5", "1,046", "9007199254740993"]
    assert outcome(convert("whole", cells, Convention("."))) == [8, 8, 8, "not_whole", 1046, "not_a_number"]


def test_money_is_delivered_in_kroner_and_kept_in_ore() -> None:
    assert outcome(convert("money", ["2.845,50", "2.845", "0,005", "1e15"], Convention(","))) == [284550, 284500, 0, "not_a_number"]
    assert outcome(convert("money", ["284550"], ore=True)) == [284550]
    assert outcome(convert("money", pl.Series([2845.5, None, float("nan"), float("inf")]))) == [284550, None, None, "not_a_number"]
    assert outcome(convert("money", pl.Series([284550, None]), ore=True)) == [284550, None]
    assert outcome(convert("money", pl.Series([Decimal("2845.50")]))) == [284550]


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-11-01", "01-11-2026", "01.11.2026", "1.11.2026", "1-11-2026", "1. 11. 2026", "2026/11/01", "2026.11.01", "20261101"),
        *("2026-11-01 00:00:00", "2026-11-01T13:30:00", "2026-11-01T13:30:00.5+01:00", "01.11.2026 13.30", "46327", "46327.0", "46327.5"),
    ],
)
def test_days_in_every_form(cell: str) -> None:
    for column in ([cell], ["2026-11-01", cell], ["01.11.2026", cell]):
        assert outcome(convert("day", column))[-1] == dt.date(2026, 11, 1)


@pytest.mark.parametrize(
    "cell",
    ["31.02.2026", "2026-13-01", "01-11-26", "1. november", "i morgen", "11", "0026-11-01", "2300-01-01", "99999", "2026-11"],
)
def test_what_is_no_day_says_so(cell: str) -> None:
    assert outcome(convert("day", [cell, "2026-11-01"]))[0] == "not_a_date"
    assert outcome(convert("day", [cell]))[0] == "not_a_date"


def test_no_end_is_unknown_and_told() -> None:
    made = convert("day", ["31-12-9999", "9999-12-31", "2026-11-01", "31. 12. 9999"])
    assert outcome(made) == [None, None, dt.date(2026, 11, 1), None]
    assert made.mended["endless_date"].to_list() == [True, True, False, True]
    typed = convert("day", pl.Series([dt.date(9999, 12, 31), dt.date(1, 1, 1), None, dt.date(2026, 1, 1)]))
    assert outcome(typed) == [None, "not_a_date", None, dt.date(2026, 1, 1)]


@pytest.mark.parametrize(
    ("cells", "more", "order", "assumed"),
    [
        (["03/04/2026", "13/04/2026"], {}, "dmy", False),
        (["03/04/2026", "04/13/2026"], {}, "mdy", False),
        (["03/04/2026"], {}, None, False),
        (["03/04/2026"], {"separator": ";"}, "dmy", True),
        (["03/04/2026"], {"others": ("04/13/2026",)}, "mdy", False),
        (["13/04/2026", "04/13/2026"], {"separator": ";"}, None, False),
        (["03/04/2026"], {"manifest": {"date_order": "mdy"}}, "mdy", False),
    ],
)
def test_the_order_of_day_and_month_is_decided_by_evidence(cells, more, order, assumed) -> None:
    found = how(cells, "day", **more)
    assert (found.order, "order" in found.assumed) == (order, assumed)


def test_slashed_days() -> None:
    assert outcome(convert("day", ["03/04/2026"], Convention(order="dmy"))) == [dt.date(2026, 4, 3)]
    assert outcome(convert("day", ["03/04/2026"], Convention(order="mdy"))) == [dt.date(2026, 3, 4)]
    assert outcome(convert("day", ["03/04/2026"])) == ["ambiguous_date"]
    assert outcome(convert("day", ["13/13/2026"], Convention(order="dmy"))) == ["not_a_date"]


def test_times() -> None:
    cells = ["23:00", "7.30", "07:30:15", "1899-12-31 12:00:00", "24:00", "23", "x", "23:61"]
    made = outcome(convert("time", cells))
    assert made == [dt.time(23), dt.time(7, 30), dt.time(7, 30, 15), dt.time(12), *["not_a_time"] * 4]
    assert outcome(convert("time", pl.Series([dt.time(1, 2)]))) == [dt.time(1, 2)]
    assert outcome(convert("time", pl.Series([dt.datetime(2026, 1, 1, 1, 2)]))) == [dt.time(1, 2)]


def test_yes_and_no_in_both_languages() -> None:
    cells = ["ja", "Ja", "JA", "j", "yes", "true", "1", "x", "nej", "N", "no", "false", "0", "sand", "måske", "2"]
    assert outcome(convert("flag", cells)) == [True] * 8 + [False] * 5 + [True, "not_yes_or_no", "not_yes_or_no"]
    assert outcome(convert("flag", pl.Series([True, None, False]))) == [True, None, False]
    assert outcome(convert("flag", pl.Series([1, 0, 2]))) == [True, False, "not_yes_or_no"]


def test_choices_by_code_and_by_words_of_both_languages() -> None:
    cells = ["awake", "Awake", "vågen", "VÅGEN", "Vågen nattevagt", "on_call", "on call", "tilkald", "ingen", "none", "vagt"]
    assert outcome(convert("choice", cells)) == [*["awake"] * 5, *["on_call"] * 3, "none", "none", "unknown_choice"]


def test_every_choice_is_understood_by_its_texts() -> None:
    from samplads import i18n

    for extract, contract in CONTRACTS.items():
        for name, column in contract.columns().items():
            for choice in (column.metadata or {}).get("choices", ()):
                words = [choice, *(i18n.text(f"choices.{name}.{choice}", language) for language in i18n.LANGUAGES)]
                made = values.convert(extract, headers.Target(name), pl.Series(words), Convention())
                assert made.values.to_list() == [choice] * 3


def test_lists_keep_their_order_and_hold_each_code_once() -> None:
    cells = ["a|b", "b;a ; b", "a, b\nc", "|", "a||?", None]
    assert outcome(convert("list", cells)) == [["a", "b"], ["b", "a"], ["a", "b", "c"], None, ["a"], None]
    assert outcome(convert("list", pl.Series([["a", None, "b"], [], None]))) == [["a", "b"], None, None]
    assert outcome(convert("list", pl.Series([[1, 2]]))) == [["1", "2"]]


def test_typed_columns_become_text_where_the_contract_wants_text() -> None:
    assert outcome(convert("code", pl.Series([1001, None]))) == ["1001", None]
    assert outcome(convert("code", pl.Series([1001.0, None, 1.5, float("nan")]))) == ["1001", None, "1.5", None]
    assert outcome(convert("text", pl.Series([dt.date(2026, 1, 2)]))) == ["2026-01-02"]
    assert outcome(convert("text", pl.Series([b"x"]))) == ["x"]
    assert outcome(convert("text", pl.Series([{"a": 1}]))) == ['{"a":1}']
    assert outcome(convert("text", pl.Series(["x"], dtype=pl.Categorical))) == ["x"]
    assert outcome(convert("code", pl.Series([["a", "b"]]))) == ["a|b"]
    assert outcome(convert("code", pl.Series([[["a"], ["b"]]]))) == ["[['a'], ['b']]"]
    assert outcome(convert("code", pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)))) == ["1|2"]
    assert outcome(convert("whole", pl.Series([True]))) == ["not_a_number"]
    assert outcome(convert("day", pl.Series([dt.datetime(2026, 1, 2, 3)]))) == [dt.date(2026, 1, 2)]


@pytest.mark.parametrize("kind", COLUMN)
def test_an_empty_batch_has_no_rows(kind: str) -> None:
    assert outcome(convert(kind, [])) == []


ODD = [
    *(
        "12",
        "012",
        " 12 ",
        "-3",
        "1.046",
        "1,046",
        "98,5",
        "2.845,50",
        "12 kr.",
        "1e3",
        "9007199254740993",
        "tolv",
        "",
        "-",
        None,
        "ukendt",
    ),
    *(
        "2026-02-03",
        "03.02.2026",
        "3-2-2026",
        "03/04/2026",
        "13/04/2026",
        "31-12-9999",
        "46055",
        "20260203",
        "30.02.2026",
        "2026-02-03T10:00",
    ),
    *("23:00", "7.30", "24:00", "ja", "NEJ", "måske", "vågen nattevagt", "awake", "a|b;a", " Ã¦ble", "\ufeffnavn\u00a0"),
]


@pytest.mark.parametrize("kind", COLUMN)
@pytest.mark.parametrize("decimal", [",", ".", None])
def test_a_column_that_repeats_itself_is_read_as_its_cells_are_one_by_one(kind: str, decimal: str | None) -> None:
    many = pl.Series([ODD[n * n % len(ODD)] for n in range(21_000)] + ODD, dtype=pl.String)
    assert personal.repeats(many)
    told = Convention(decimal, decimal, "dmy" if decimal else None)
    whole = convert(kind, many, told)
    alone = {cell: convert(kind, [cell], told) for cell in ODD}
    assert whole.values.to_list() == [alone[cell].values.to_list()[0] for cell in many.to_list()]
    for which in ("faults", "mended", "flagged"):
        for rule in {rule for made in alone.values() for rule in getattr(made, which)}:
            wanted = [rule in getattr(alone[cell], which) and bool(getattr(alone[cell], which)[rule][0]) for cell in many.to_list()]
            found = getattr(whole, which).get(rule)
            assert (found.to_list() if found is not None else [False] * many.len()) == wanted, (which, rule)


@pytest.mark.parametrize("kind", COLUMN)
def test_a_long_column_that_tells_nothing_is_unknown_throughout(kind: str) -> None:
    assert convert(kind, [None] * 21_000).values.null_count() == 21_000


def test_signs_of_a_column_that_repeats_itself_are_counted_as_often_as_they_stand_there() -> None:
    cells = ["98,5", "12", "1.046", "98.5", None, "ukendt", "03/04/2026", "13/04/2026"]
    short, long = Signs(), Signs()
    short.see_numbers(pl.Series(cells), numbers_are_typed=False)
    long.see_numbers(pl.Series(cells * 3_000), numbers_are_typed=False)
    assert (long.comma, long.point) == (short.comma * 3_000, short.point * 3_000) == (3_000, 3_000)
    assert (long.either_point, long.point_thousands) == (short.either_point, short.point_thousands) == (True, True)
    short.see_days(pl.Series(cells))
    long.see_days(pl.Series(cells * 3_000))
    assert (long.slashed, long.day_first) == (True, short.day_first * 3_000)
