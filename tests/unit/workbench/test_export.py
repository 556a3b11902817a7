"""What lands in the files: nothing lost, nothing run, nothing rounded."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import i18n
from samplads.workbench import export
from samplads.workbench.faults import SqlError

TABLE = pa.table(
    {
        "tekst": ["=1+1", "+47", "-x", "@a", "\tx", "\rx", 'æ;ø"å\nto', "", None],
        "tal": [1.5, -2.25, 0.0, 1e300, None, float("inf"), 3.0, 4.0, 5.0],
        "hele": pa.array([1, -2, 2**60, None, 5, 6, 7, 8, 9], pa.int64()),
        "dag": pa.array([dt.date(2026, 11, 1)] * 8 + [dt.date(1805, 1, 1)]),
        "tid": pa.array([dt.datetime(2026, 11, 1, 10, 30)] * 8 + [None]),
        "liste": [["a", "b"], [], None, ["=x"], ["a"], ["a"], ["a"], ["a"], ["a"]],
        "sammensat": [{"a": 1}] * 8 + [None],
        "beløb": pa.array([Decimal("1.10")] * 9, pa.decimal128(10, 2)),
        "flag": [True, False, None] * 3,
    }
)


def written(form: str, tmp_path: Path, table: pa.Table = TABLE, batch: int = 4, **more: int) -> tuple[bytes, dict[str, int]]:
    target = io.BytesIO()
    batches = [table.schema.empty_table().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]][0]
    told = export.write([*batches[:1], *table.to_batches(max_chunksize=batch)], target, form, temporary=tmp_path, **more)
    return target.getvalue(), told


def test_csv_is_as_danish_excel_wants_it(tmp_path: Path) -> None:
    data, told = written("csv", tmp_path)
    assert told == {"rows": 9, "sheets": 0}
    text = data.decode("utf-8-sig")
    assert data.startswith("\ufeff".encode())
    lines = text.split("\r\n")
    assert lines[0] == "tekst;tal;hele;dag;tid;liste;sammensat;beløb;flag"
    assert lines[1].startswith("'=1+1;1,5;1;2026-11-01;")
    assert ";a|b;" in lines[1]
    assert ";1,10;true" in lines[1]
    back = pl.read_csv(io.BytesIO(data), separator=";", decimal_comma=True)
    assert back["hele"].to_list() == TABLE["hele"].to_pylist()
    assert [None if value is None else value.lstrip("'") for value in back["tekst"].to_list()] == TABLE["tekst"].to_pylist()


@settings(deadline=None, max_examples=80)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=8))
def test_no_text_in_a_csv_begins_a_formula(values: list[str | None]) -> None:
    data, _ = written("csv", Path(), pa.table({"a": pa.array(values, pa.string()), "n": list(range(len(values)))}), batch=3)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
    assert [int(row[1]) for row in rows] == list(range(len(values)))
    for was, (now, _) in zip(values, rows, strict=True):
        assert now == ("'" + was if was and was.startswith(("=", "+", "-", "@", "\t", "\r")) else was or "")


def test_xlsx_keeps_types_and_text(tmp_path: Path) -> None:
    data, told = written("xlsx", tmp_path)
    assert told == {"rows": 9, "sheets": 1}
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Resultat"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == tuple(TABLE.column_names)
    assert rows[1][0] == "=1+1"
    assert sheet["A2"].data_type == "s"
    assert rows[1][1:4] == (1.5, 1, dt.datetime(2026, 11, 1))
    assert rows[1][4] == dt.datetime(2026, 11, 1, 10, 30)
    # What Excel would round, and days before its calendar, stay as text.
    assert rows[3][2] == str(2**60)
    assert rows[9][3] == "1805-01-01"
    assert rows[6][1] == "inf"
    assert rows[1][6] == '{"a": 1}'
    assert rows[1][7] == pytest.approx(1.1)
    assert rows[1][8] is True


def test_xlsx_rounds_no_number(tmp_path: Path) -> None:
    exact = [Decimal("1234567890123456789"), Decimal("123456789012345"), Decimal("-1500000000000000000000"), None]
    shown = pa.table(
        {
            "sum": pa.array(exact, pa.decimal128(38, 0)),
            "beløb": pa.array([Decimal("12345678901234567890.12"), Decimal("1.10"), None, Decimal(0)], pa.decimal128(30, 2)),
        }
    )
    data, _ = written("xlsx", tmp_path, shown)
    rows = list(openpyxl.load_workbook(io.BytesIO(data))["Resultat"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == ["1234567890123456789", 123456789012345, -1.5e21, None]
    assert [row[1] for row in rows] == ["12345678901234567890.12", 1.1, None, 0]


def test_xlsx_goes_on_in_the_next_sheet(tmp_path: Path) -> None:
    table = pa.table({"n": list(range(25))})
    data, told = written("xlsx", tmp_path, table, sheet_rows=11)
    assert told == {"rows": 25, "sheets": 3}
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Resultat", "Resultat 2", "Resultat 3"]
    numbers = [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert numbers == list(range(25))
    assert all(sheet["A1"].value == "n" for sheet in book)
    _, told = written("xlsx", tmp_path, pa.table({"n": list(range(10))}), sheet_rows=11)
    assert told["sheets"] == 1


@pytest.mark.parametrize("text", ["x" * 32_768, "😀" * 16_384, ["y" * 20_000] * 2])
def test_xlsx_cuts_no_cell(tmp_path: Path, text: object) -> None:
    with pytest.raises(SqlError) as caught:
        written("xlsx", tmp_path, pa.table({"n": [1, 2], "lang": [None, text]}))
    assert (caught.value.key, caught.value.values["name"], caught.value.values["row"]) == ("export_cell", "lang", 3)
    with pytest.raises(SqlError) as header:
        written("xlsx", tmp_path, pa.table({"x" * 32_768: [1]}))
    assert header.value.key == "export_cell"
    for language in i18n.LANGUAGES:
        assert "Parquet" in i18n.sentence(caught.value, language)
    data, _ = written("xlsx", tmp_path, pa.table({"a": ["x" * 32_767, "😀" * 16_383]}))
    assert len(openpyxl.load_workbook(io.BytesIO(data))["Resultat"]["A2"].value) == 32_767


def test_xlsx_leaves_no_column_out(tmp_path: Path) -> None:
    wide = pa.table({f"c{nth}": [nth] for nth in range(16_385)})
    with pytest.raises(SqlError) as caught:
        written("xlsx", tmp_path, wide)
    assert (caught.value.key, caught.value.values["columns"]) == ("export_columns", 16_385)
    assert written("xlsx", tmp_path, wide.remove_column(0))[1]["rows"] == 1


def test_a_null_within_a_list_is_seen(tmp_path: Path) -> None:
    table = pa.table({"a": [["x", None, ""], [None], [], None]})
    data, _ = written("csv", tmp_path, table)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
    assert rows == [["x|NULL|"], ["NULL"], [""], [""]] or rows == [["x|NULL|"], ["NULL"], [""], []]


def test_parquet_is_what_came_in(tmp_path: Path) -> None:
    data, told = written("parquet", tmp_path)
    assert told == {"rows": 9, "sheets": 0}
    assert pl.read_parquet(io.BytesIO(data)).equals(pl.DataFrame(pl.from_arrow(TABLE)), null_equal=True)


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_no_rows_still_have_a_header(form: str, tmp_path: Path) -> None:
    data, told = written(form, tmp_path, TABLE.slice(0, 0))
    assert told["rows"] == 0
    if form == "csv":
        assert data.decode("utf-8-sig").startswith("tekst;tal")
    elif form == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(data))["Resultat"]["A1"].value == "tekst"
    else:
        assert pl.read_parquet(io.BytesIO(data)).columns == TABLE.column_names
