from __future__ import annotations

import csv
import datetime as dt
import io

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads.errors import SampladsError
from samplads.presenting import exports, tables

FRAME = pl.DataFrame(
    {
        "unit_name": ["Birkehuset 2", "=HYPERLINK(1)", "https://example.org", None],
        "daily_rate_ore": [284550, None, 100, 0],
        "accepting": [1, 2, 0, 12031],
        "confirmed_at": [dt.date(2026, 10, 28), None, dt.date(1899, 1, 1), dt.date(2026, 1, 2)],
        "night_cover": ["awake", "none", None, "hammock"],
        "single_person": [True, False, None, True],
        "km": [41.34, None, 0.0, 1234.56],
        "primary_groups": [["a", "b"], [], None, ["c"]],
    }
)


def sheet(data: bytes, index: int = 0):
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[index]


def read_csv(data: bytes, delimiter: str) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_a_workbook_has_danish_headers_typed_cells_and_a_frozen_header():
    book = sheet(exports.xlsx(FRAME, "da", title="Ledige pladser: [alle]", about={"Pr.": "01.11.2026"}))
    rows = list(book.iter_rows(values_only=True))
    assert rows[0][:4] == ("Afdeling", "Takst (kr./døgn)", "Åbne", "Bekræftet den")
    assert rows[1][:7] == ("Birkehuset 2", 2845.5, 1, dt.datetime(2026, 10, 28), "vågen", "ja", 41.3)
    assert rows[3][3] == "1899-01-01"
    assert rows[4][2] == 12031
    assert len(rows) == 5
    assert book.freeze_panes == "A2"
    assert book.title == "Ledige pladser   alle "
    assert book["B2"].number_format == "#,##0.00"
    assert book["D2"].number_format == "dd.mm.yyyy"


def test_text_in_a_workbook_is_never_a_formula_or_a_link():
    book = sheet(exports.xlsx(FRAME, "da"))
    assert book["A3"].value == "=HYPERLINK(1)"
    assert book["A3"].data_type == "s"
    assert book["A4"].hyperlink is None


def test_what_was_asked_is_told_on_a_second_sheet():
    facts = sheet(exports.xlsx(FRAME, "da", about={"Målgrupper": "Autismespektrum"}), 1)
    assert facts.title == "Om udtrækket"
    assert [cell.value for cell in facts[1]] == ["Målgrupper", "Autismespektrum"]


def test_a_danish_csv_opens_in_a_danish_spreadsheet():
    rows = read_csv(exports.csv(FRAME, "da"), ";")
    assert rows[1] == ["Birkehuset 2", "2845,5", "1", "28.10.2026", "vågen", "ja", "41,3", "a, b"]
    assert rows[2][0] == "'=HYPERLINK(1)"
    assert rows[4] == ["", "0", "12031", "02.01.2026", "hammock", "ja", "1234,6", "c"]


def test_an_english_csv_has_commas_and_points():
    assert read_csv(exports.csv(FRAME, "en"), ",")[1][1] == "2845.5"


def test_parquet_keeps_codes_and_oere():
    assert pl.read_parquet(io.BytesIO(exports.parquet(FRAME))).equals(FRAME)


def test_more_rows_than_a_sheet_holds_say_what_to_do():
    long = pl.DataFrame({"accepting": pl.zeros(exports.XLSX_ROWS + 1, eager=True)})
    with pytest.raises(SampladsError, match="export_too_long"):
        exports.xlsx(long, "da")


def test_nothing_is_exported_as_a_header_alone():
    empty = FRAME.clear()
    assert len(list(sheet(exports.xlsx(empty, "da")).iter_rows())) == 1
    assert len(read_csv(exports.csv(empty, "da"), ";")) == 1


def test_file_names_hold_nothing_a_file_system_minds():
    assert exports.file_name("Ledige pladser: Køge/Næstved", dt.date(2026, 11, 1), "xlsx") == "ledige-pladser-køge-næstved-2026-11-01.xlsx"
    assert exports.file_name("../..", None, "csv") == "samplads.csv"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_any_text_stays_text_in_both_files(texts):
    frame = pl.DataFrame({"unit_name": texts})
    for row in read_csv(exports.csv(frame, "da"), ";")[1:]:
        assert not row or not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    book = sheet(exports.xlsx(frame, "da"))
    assert all(cell.data_type in {"s", "n", "inlineStr"} for column in book.iter_cols() for cell in column)


def test_a_column_of_its_own_is_exported_under_its_own_header():
    column = tables.Column("accepting", "whole", text="Åbne nu")
    assert read_csv(exports.csv(FRAME, "da", columns=[column]), ";")[0] == ["Åbne nu"]
