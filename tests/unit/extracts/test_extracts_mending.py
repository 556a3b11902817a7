from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from samplads import i18n
from samplads.extracts import check, checking, mend_archived, mend_workbook, mending, read_delivery
from tests.deliveries import CODES, UNIT, UNITS, rules, write


def mended(folder: Path, files: dict[str, str | bytes], language: str = "da") -> tuple[bytes, openpyxl.Workbook]:
    read = read_delivery(write(folder, files))
    raw = mend_workbook(read, check(read, CODES).findings, language)
    return raw, openpyxl.load_workbook(io.BytesIO(raw))


def test_the_sheet_has_the_delivered_shape_and_a_last_column(tmp_path) -> None:
    head = "Afdelingens id;offer_id;name;municipality;daily_rate;price_year;approved_until;ekstra\n"
    unit = head + "A-1;T;a;370;2.845;2026;31.12.2028;x\nA-2;T;;370;2.845,50;2026;i morgen;\n;T;b;0259;;;;y\n"
    _, book = mended(tmp_path, {"unit.csv": unit, "capacity.csv": "unit_id;as_of;maximum;occupied;accepting\n"})
    assert book.sheetnames == ["unit", "Fund"]
    rows = [[cell.value for cell in row] for row in book["unit"].iter_rows()]
    assert rows[0] == [*head.strip().split(";"), "fejl"]
    assert rows[1][:8] == ["A-1", "T", "a", "370", 2845, 2026, dt.datetime(2028, 12, 31), "x"]
    assert rows[2][:8] == ["A-2", "T", None, "370", 2845.5, 2026, "i morgen", None]
    assert rows[1][8] is None
    assert "må ikke være tomt" in rows[2][8]
    assert "»i morgen« er ikke en dato" in rows[2][8]
    assert "nøgle" in rows[3][8]
    told = [[cell.value for cell in row] for row in book["Fund"].iter_rows()]
    assert told[0][:4] == ["Leverance", "Fil", "Ark", "Række"]
    assert [row[3] for row in told[1:]] == [None, 1, 3, 3, 4]


def test_a_mended_sheet_comes_back_without_faults(tmp_path) -> None:
    head = "unit_id;offer_id;name;municipality;daily_rate;price_year;approved_until\n"
    _, book = mended(tmp_path, {"unit.csv": head + "A-1;T;a;370;2.845;2026;03/04/2028\nA-2;T;;370;3.100;2026;04/05/2028\n"})
    book["unit"]["C3"] = "b"
    book.save(tmp_path / "retur.xlsx")
    found = check(read_delivery(tmp_path / "retur.xlsx"), CODES)
    assert not rules(found)
    assert found.frames["unit"].select("name", "daily_rate_ore", "approved_until").rows() == [
        ("a", 284500, dt.date(2028, 4, 3)),
        ("b", 310000, dt.date(2028, 5, 4)),
    ]


def test_a_sheet_that_comes_back_as_it_is_gives_the_same_findings(tmp_path) -> None:
    unit = UNIT + 'A-1;T;"a\nb";370\nA-2;T;a;370;for meget\nA-3;T;"a;370\nA-4;T;a;999\n'
    read = read_delivery(write(tmp_path, {"unit.csv": unit}))
    first = check(read, CODES)
    (tmp_path / "retur.xlsx").write_bytes(mend_workbook(read, first.findings))
    again = check(read_delivery(tmp_path / "retur.xlsx"), CODES)
    assert again.frames["unit"].equals(first.frames["unit"])
    assert again.counts.drop("delivery").equals(first.counts.drop("delivery"))
    assert rules(first) == ["stray_quote", "too_many_cells", "unknown_code"]


def test_nothing_becomes_a_formula(tmp_path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "http://x", "\t=1", "\x01\x02"]
    unit = UNIT + "".join(f'{text};T;"{text}";999\n' for text in texts)
    _, book = mended(tmp_path, {"unit.csv": unit})
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}, cell.value
                assert cell.hyperlink is None
                if cell.value in texts:
                    assert cell.data_type == "s"
    assert [row[2].value for row in book["unit"].iter_rows(min_row=2)][:2] == ["=1+1", "+1"]


def test_refused_files_are_told_and_not_repeated(tmp_path) -> None:
    _, book = mended(tmp_path, {"unit.csv": UNITS.replace("Birkehuset 2", "hos 010199-1234"), "stay.csv": "a;b\n1;2\n"})
    assert book.sheetnames == ["stay", "Fund"]
    text = "".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    assert "1234" not in text
    assert "Birkehuset" not in text
    assert "CPR" in text
    assert "skal være der" in book["stay"]["C1"].comment.text


def test_names_of_sheets_are_legal_and_unlike(tmp_path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("unit a", "unit b"):
            sheet = book.add_worksheet(name)
            for number, line in enumerate((UNIT + "A;T;a;999\n").splitlines()):
                sheet.write_row(number, 0, line.split(";"))
        book.add_worksheet("hobby").write_row(0, 0, ["x", "y"])
        book.get_worksheet_by_name("hobby").write_row(1, 0, ["1", "2"])
    read = read_delivery(path)
    out = openpyxl.load_workbook(io.BytesIO(mend_workbook(read, check(read, CODES).findings, "en")))
    assert out.sheetnames == ["unit a", "unit b", "hobby", "Findings"]
    assert out["unit a"]["E1"].value == i18n.text("deliveries.mend.column", "en")


def test_a_large_table_goes_back_with_its_faults_only(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mending, "MOST_ROWS", 3)
    _, book = mended(tmp_path, {"unit.csv": UNIT + "".join(f"A-{n};T;a;{'999' if n == 5 else '370'}\n" for n in range(9))})
    assert [row[0].value for row in book["unit"].iter_rows(min_row=2)] == ["A-5"]


def test_typed_files_go_back_too(tmp_path) -> None:
    target = io.BytesIO()
    frame = pl.DataFrame(
        {"unit_id": ["A-1"], "offer_id": ["T"], "name": [None], "municipality": [370], "lat": [55.5], "single_person": [True]}
    )
    frame.with_columns(pl.lit(dt.date(1899, 1, 1)).alias("approved_until"), pl.lit(284550).alias("daily_rate_ore")).write_parquet(target)
    _, book = mended(tmp_path, {"unit.parquet": target.getvalue()})
    assert [cell.value for cell in book["unit"][2]][:8] == ["A-1", "T", None, "370", 55.5, "true", "1899-01-01", 284550]


def test_the_list_of_findings_that_comes_back_is_passed_over(tmp_path) -> None:
    raw, _ = mended(tmp_path, {"unit.csv": UNIT + "A;T;a;999\n"})
    (tmp_path / "retur.xlsx").write_bytes(raw)
    assert [table.sheet for table in read_delivery(tmp_path / "retur.xlsx").tables] == ["unit"]


def odd_sheet(path: Path, name: str) -> Path:
    """A sheet with two titles and a blank row above its header."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["Afdelinger i Næstved", "pr. 1. november"])
        sheet.write_row(1, 0, ["Udarbejdet af socialafdelingen"])
        sheet.write_row(3, 0, ["unit_id", "offer_id", "name", "municipality", "daily_rate", "price_year", "approved_until"])
        sheet.write_row(4, 0, ["A-1", "T", "a", "370", 2845.5, 2026, "31.12.2028"])
        sheet.write_row(5, 0, ["A-2", "T", "b", "999", 2845, 2026, "31.12.2028"])
        sheet.write_row(6, 0, ["A-3", "T", "c", "999", "2.900,50", 2026, "i morgen"])
    return path


@pytest.mark.parametrize("name", ["Ark1", "Afdelinger nu", "Behov"])
@pytest.mark.parametrize("archived", [False, True])
def test_a_sheet_keeps_its_name_and_titles_and_is_known_again(tmp_path, name: str, archived: bool) -> None:
    read = read_delivery(odd_sheet(tmp_path / "unit.xlsx", name))
    found = check(read, CODES)
    if name == "Behov":  # a sheet's own name goes before the file's
        assert set(rules(found)) >= {"missing_column"}
        return
    raw = mend_archived(found.set_aside, found.findings) if archived else mend_workbook(read, found.findings)
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert book.sheetnames == [name, "Fund"]
    sheet = book[name]
    assert [cell.value for cell in sheet[1]][:2] == ["Afdelinger i Næstved", "pr. 1. november"]
    assert sheet["A2"].value == "Udarbejdet af socialafdelingen"
    assert [cell.value for cell in sheet[4]] == [
        "unit_id",
        "offer_id",
        "name",
        "municipality",
        "daily_rate",
        "price_year",
        "approved_until",
        "fejl",
    ]
    faulty = [[cell.value for cell in row][:7] for row in sheet.iter_rows(min_row=5)][-2:]
    assert faulty == [
        ["A-2", "T", "b", "999", 2845, 2026, dt.datetime(2028, 12, 31)],
        ["A-3", "T", "c", "999", 2900.5, 2026, "i morgen"],
    ]
    for row in sheet.iter_rows(min_row=5):
        if row[3].value == "999":
            row[3].value = "370"
        if row[6].value == "i morgen":
            row[6].value = "01.01.2029"
    book.save(tmp_path / "retur.xlsx")
    again = check(read_delivery(tmp_path / "retur.xlsx"), CODES)
    assert not rules(again)
    kept = again.frames["unit"].filter(pl.col("unit_id") != "A-1")
    assert kept.select("name", "daily_rate_ore", "approved_until").rows() == [
        ("b", 284500, dt.date(2028, 12, 31)),
        ("c", 290050, dt.date(2029, 1, 1)),
    ]


def test_a_sheet_whose_name_tells_nothing_is_called_by_its_extract_too(tmp_path) -> None:
    """Two extracts understand these headers: only the file's name told which was meant, and the sheet comes back in another file."""
    path = tmp_path / "unit.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Ark1")
        sheet.write_row(0, 0, ["unit_id", "name", "municipality"])
        sheet.write_row(1, 0, ["A-1", "a", "370"])
    read = read_delivery(path)
    book = openpyxl.load_workbook(io.BytesIO(mend_workbook(read, check(read, CODES).findings)))
    assert book.sheetnames == ["unit Ark1", "Fund"]


def test_rows_set_aside_are_kept_as_they_came_and_nothing_of_a_citizen(tmp_path) -> None:
    stay = "stay_id;person_ref;unit_id;municipality;starts_on\nS-1;Ib Hansen;A-1;370;2026-01-01\nS-2;p-2;A-1;370;2026-01-01\n"
    files = {
        "unit.csv": UNIT + "A-1;T;a;370\nA-1;T;a;370\nA-1;T;b;370;for;meget\nA-9;T;c;999\n",
        "stay.csv": stay + "S-2;p-2;A-1;370;2026-01-01\n",
        "need.csv": "need_id;municipality;registered_on;note\nN-1;999;x;for 010199-1234\n",
    }
    found = check(read_delivery(write(tmp_path, files)), CODES)
    kept = found.set_aside.select("file", "row", "cells", "beyond").rows()
    assert kept == [
        ("stay.csv", 2, ["S-1", None, "A-1", "370", "2026-01-01"], None),
        ("stay.csv", 4, ["S-2", "p-2", "A-1", "370", "2026-01-01"], None),
        ("unit.csv", 3, ["A-1", "T", "a", "370"], None),
        ("unit.csv", 4, ["A-1", "T", "b", "370"], "for;meget"),
        ("unit.csv", 5, ["A-9", "T", "c", "999"], None),
    ]
    text = str(found.set_aside.rows())
    assert "Hansen" not in text
    assert "1234" not in text


def test_only_so_many_rows_of_a_table_are_kept_to_be_mended(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checking, "MOST_FINDINGS", 3)
    unit = UNIT + "".join(f"A-{n};T;a;999\n" for n in range(4)) + "B;T;a;370\n" * 3
    found = check(read_delivery(write(tmp_path, {"unit.csv": unit, "unit 2.csv": UNIT + "C;T;a;999\n"})), CODES)
    assert found.set_aside.select("file", "row").rows() == [("unit 2.csv", 2), ("unit.csv", 2), ("unit.csv", 3), ("unit.csv", 4)]
    assert mend_archived(found.set_aside, found.findings)
