"""Files of strangers are opened apart: whatever they do to the process that opens them, the one that asked lives and gets an answer."""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import subprocess
import sys
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from samplads import opening
from samplads.errors import SampladsError
from samplads.extracts import check, from_frame, mend_archived, read_delivery, what_to_do
from samplads.opening import Opener, Unreadable, child, workbook
from tests.deliveries import CODES, UNITS, checked, rules


def book(path: Path, cells: dict[tuple[int, int], object], sheet: str = "unit") -> Path:
    with xlsxwriter.Workbook(path) as made:
        written = made.add_worksheet(sheet)
        for (row, column), value in cells.items():
            written.write(row, column, value)
    return path


def units(path: Path) -> Path:
    rows = [line.split(";") for line in UNITS.splitlines()]
    return book(path, {(row, column): cell for row, cells in enumerate(rows) for column, cell in enumerate(cells)})


FAR = {(0, 0): "unit_id", (1_048_575, 16_383): "x"}
"""Two cells, with 17 thousand million between them."""


def test_a_cell_in_the_far_corner_refuses_the_sheet_and_says_where_it_is(tmp_path) -> None:
    found = check(read_delivery(book(tmp_path / "unit.xlsx", FAR)), CODES)
    (told,) = from_frame(found.findings)
    assert (told.rule, told.sheet, told.value) == ("sheet_too_wide", "unit", "XFD1048576")
    for language in ("da", "en"):
        assert "XFD1048576" in what_to_do(told, language)


def test_one_file_that_kills_takes_no_other_with_it(tmp_path) -> None:
    far, plain = book(tmp_path / "a.xlsx", FAR).read_bytes(), units(tmp_path / "b.xlsx").read_bytes()
    found = checked(tmp_path, {"a.xlsx": far, "unit.xlsx": plain, "z.xlsx": far})
    assert rules(found) == ["sheet_too_wide", "sheet_too_wide"]
    assert found.frames["unit"]["name"].to_list() == ["Birkehuset 1", "Birkehuset 2"]


def test_a_row_at_the_foot_of_a_sheet_is_read(tmp_path) -> None:
    with Opener(tmp_path) as opener:
        (sheet,) = opener.workbook(book(tmp_path / "unit.xlsx", {(0, 0): "unit_id", (300_000, 2): "x"}))
    assert sheet.cells.shape == (300_001, 3)
    assert sheet.cells["c2"][-1] == "x"


def test_a_sheet_is_the_same_from_the_child_as_here(tmp_path) -> None:
    path = tmp_path / "mixed.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("Ærø")
        sheet.write_row(0, 0, ["Overskrift"])
        sheet.merge_range(2, 1, 4, 1, "A-9")
        sheet.write_row(5, 0, [2.845, "2.845", True, dt.date(2026, 1, 2).isoformat()])
        sheet.write_formula(6, 0, "=1/0", value="#DIV/0!")
        sheet.set_row(5, options={"hidden": True})
        made.add_worksheet("tom")
        hidden = made.add_worksheet("skjult")
        hidden.write(0, 0, "x")
        hidden.hide()
        made.add_chartsheet("kort").set_chart(_chart(made))
    here = workbook.read(path)
    with Opener(tmp_path) as opener:
        there = opener.workbook(path)
    assert [sheet.name for sheet in there] == [sheet.name for sheet in here]
    for one, other in zip(there, here, strict=True):
        assert_frame_equal(one.cells, other.cells)
        assert (one.first_column, one.hidden_rows, one.merges) == (other.first_column, other.hidden_rows, other.merges)
        assert (one.broken, one.visible) == (other.broken, other.visible)
    first = next(sheet for sheet in there if sheet.name == "Ærø")
    assert first.hidden_rows == (6,)
    assert first.merges
    assert first.broken
    assert {"2.8450", "2.845"} <= set(first.cells.row(5))


def _chart(made: xlsxwriter.Workbook) -> object:
    chart = made.add_chart({"type": "line"})
    chart.add_series({"values": "=Ærø!$A$1:$A$2"})
    return chart


VALUES = {
    "text": ["æ", None, ""],
    "whole": [2**40, None, -1],
    "real": [1.5, None, float("nan")],
    "truth": [True, None, False],
    "day": [dt.date(2026, 1, 2), None, dt.date(1, 1, 1)],
    "moment": [dt.datetime(2026, 1, 2, 3, 4, 5, 6), None, dt.datetime(1970, 1, 1)],
    "time": [dt.time(23, 59), None, dt.time(0)],
    "span": [dt.timedelta(days=1), None, dt.timedelta(0)],
    "money": [Decimal("98.50"), None, Decimal("-1.00")],
    "bytes": [b"\xff", None, b""],
    "nothing": [None, None, None],
    "list": [["a", None], None, []],
    "lists": [[[1], []], None, []],
    "struct": [{"a": 1}, None, {"a": None}],
    "kind": pl.Series(["x", None, "y"], dtype=pl.Categorical),
    "choice": pl.Series(["x", None, "y"], dtype=pl.Enum(["x", "y"])),
    "small": pl.Series([1, None, 255], dtype=pl.UInt8),
    "utc": pl.Series([dt.datetime(2026, 1, 2), None, None], dtype=pl.Datetime("ms", "Europe/Copenhagen")),
}


def test_rows_of_parquet_are_the_same_from_the_child_as_here(tmp_path) -> None:
    frame = pl.DataFrame({f"{name} {'x' * position}": values for position, (name, values) in enumerate(VALUES.items())}, strict=False)
    frame.write_parquet(tmp_path / "x.parquet")
    with Opener(tmp_path) as opener:
        told, rows = opener.parquet(tmp_path / "x.parquet")
        again, others = opener.parquet(tmp_path / "x.parquet")
    assert told == again == frame.columns
    assert rows != others
    expected = pl.read_parquet(tmp_path / "x.parquet").rename({name: f"c{position}" for position, name in enumerate(frame.columns)})
    found = pl.read_ipc(rows)
    other = {name: f"c{position}" for position, name in enumerate(VALUES) if name in {"lists", "struct", "utc"}}
    assert_frame_equal(found.drop(other.values()), expected.drop(other.values()))
    assert found[other["lists"]].to_list() == ["[[1], []]", None, "[]"]
    assert found[other["struct"]].to_list() == ["{'a': 1}", None, "{'a': None}"]
    assert found[other["utc"]].to_list() == [dt.datetime(2026, 1, 2, 1), None, None]


def arrow(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_days_beyond_the_calendar_are_its_first_and_last(tmp_path) -> None:
    far = [-(2**31), -800_000, 0, 3_000_000, 2**31 - 1]
    path = arrow(
        tmp_path / "x.parquet",
        day=pa.array(far, pa.int32()).cast(pa.date32()),
        ms=pa.array([-(2**62), 0, 2**62], pa.int64()).cast(pa.timestamp("ms")).take(pa.array([0, 1, 2, 1, 1])),
        ns=pa.array([-(2**62), 0, 2**62], pa.int64()).cast(pa.timestamp("ns")).take(pa.array([0, 1, 2, 1, 1])),
    )
    with Opener(tmp_path) as opener:
        _, rows = opener.parquet(path)
    found = pl.read_ipc(rows)
    assert found["c0"].to_list() == [dt.date.min, dt.date.min, dt.date(1970, 1, 1), dt.date.max, dt.date.max]
    assert found["c1"].dt.date().to_list()[:3] == [dt.date.min, dt.date(1970, 1, 1), dt.date.max]
    assert found["c2"].dt.year().to_list()[:3] == [1823, 1970, 2116]


def test_midnight_in_a_time_zone_is_the_day_that_it_is_there(tmp_path) -> None:
    text = "unit_id;as_of;maximum;occupied;accepting"
    frame = pl.DataFrame({name: [value] for name, value in zip(text.split(";"), ["A-1", "", 8, 6, 1], strict=True)})
    moment = pl.Series("as_of", [dt.datetime(2026, 10, 1)]).dt.replace_time_zone("Europe/Copenhagen")
    frame.with_columns(moment).write_parquet(tmp_path / "capacity.parquet")
    found = check(read_delivery(tmp_path / "capacity.parquet"), CODES, {"unit": pl.DataFrame({"unit_id": ["A-1"]})})
    assert found.frames["capacity"]["as_of"].to_list() == [dt.date(2026, 10, 1)]


NUMBER = "1203851234"


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([Decimal(NUMBER)], pa.decimal128(10, 0)),
        pa.array([Decimal(NUMBER)], pa.decimal128(12, 2)),
        pa.array([int(NUMBER)], pa.int64()),
        pa.array([int(NUMBER)], pa.duration("ms")),
        pa.array([[("cpr", NUMBER)]], pa.map_(pa.string(), pa.string())),
        pa.array([{"a": NUMBER.encode()}], pa.struct([("a", pa.binary())])),
        pa.array([{"a": {"b": [NUMBER]}}]),
        pa.array([[int(NUMBER)]]),
        pa.array([[Decimal(NUMBER)]], pa.list_(pa.decimal128(12, 2))),
        pa.array([NUMBER]).dictionary_encode(),
    ],
    ids=lambda cells: str(cells.type),
)
@pytest.mark.parametrize("column", ["person_ref", "noget_andet"])
def test_a_civil_number_is_seen_in_a_column_of_any_type(tmp_path, cells, column) -> None:
    path = arrow(tmp_path / "stay.parquet", stay_id=pa.array(["S-1"]), unit_id=pa.array(["A-1"]), **{column: cells})
    found = check(read_delivery(path), CODES)
    assert "personal_number" in rules(found)
    assert NUMBER not in str(found.findings.to_dicts())
    assert found.frames["stay"].is_empty()


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([{"a": b"\xff"}, None], pa.struct([("a", pa.binary())])),
        pa.array([[("a", "b")], None], pa.map_(pa.string(), pa.string())),
        pa.array([[dt.timedelta(days=1)], None]),
        pa.array([2**31 - 1, None], pa.int32()).cast(pa.date32()),
        pa.array([2**62, None], pa.int64()).cast(pa.timestamp("ms")),
        pa.array([2**62, None], pa.int64()).cast(pa.duration("ms")),
        pa.array([{"a": [{"b": dt.date(2026, 1, 1)}]}, None]),
    ],
    ids=lambda cells: str(cells.type),
)
@pytest.mark.parametrize("column", ["name", "approved_until", "daily_rate", "noget_andet"])
def test_a_column_of_any_type_is_findings_and_no_traceback(tmp_path, cells, column) -> None:
    told = {"unit_id": ["A-1", ""], "offer_id": ["T", "T"], "name": ["x", "y"], "municipality": ["370", "999"]}
    path = arrow(tmp_path / "unit.parquet", **({name: pa.array(values) for name, values in told.items()} | {column: cells}))
    delivery = read_delivery(path)
    found = check(delivery, CODES)
    assert found.counts["delivered"].sum() == 2
    assert mend_archived(found.set_aside, found.findings)


def test_rows_of_parquet_keep_their_order(tmp_path) -> None:
    pl.DataFrame({"n": range(1_000_000)}).write_parquet(tmp_path / "x.parquet", row_group_size=70_000)
    with Opener(tmp_path) as opener:
        _, rows = opener.parquet(tmp_path / "x.parquet")
    assert pl.read_ipc(rows)["c0"].to_list() == list(range(1_000_000))


DEATHS = {
    "aborts": "import os; os.abort()",
    "ends without a word": "pass",
    "leaves half an answer": "print('{\"sheets\": [', end='')",
    "says something else": "print('hello')",
}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_however_a_child_dies_its_file_is_refused(tmp_path, monkeypatch, death) -> None:
    path = units(tmp_path / "unit.xlsx")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x.parquet")
    monkeypatch.setattr(opening, "COMMAND", (sys.executable, "-c", f"import sys; sys.stdin.readline(); {death}"))
    with Opener(tmp_path) as opener:
        with pytest.raises(Unreadable, match="unreadable_file"):
            opener.workbook(path)
        with pytest.raises(Unreadable, match="unreadable_file"):
            opener.parquet(tmp_path / "x.parquet")
        monkeypatch.undo()
        assert opener.workbook(path)[0].cells.height == 3


def test_what_is_cancelled_answers_no_later_question(tmp_path, monkeypatch) -> None:
    one, other = book(tmp_path / "one.xlsx", {(0, 0): "one"}), book(tmp_path / "other.xlsx", {(0, 0): "other"})

    def cancelled(*_: object) -> None:
        raise KeyboardInterrupt

    with Opener(tmp_path) as opener:
        monkeypatch.setattr(json, "loads", cancelled)
        with pytest.raises(KeyboardInterrupt):
            opener.workbook(one)
        monkeypatch.undo()
        assert opener.workbook(other)[0].cells.item() == "other"


def test_no_child_is_left_when_reading_ends(tmp_path, monkeypatch) -> None:
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *given: object, **more: object) -> None:
            super().__init__(*given, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    read_delivery(units(tmp_path / "unit.xlsx"))
    (tmp_path / "x.csv").write_text("a;b\n")
    read_delivery(tmp_path / "x.csv")
    (only,) = started
    assert only.returncode is not None


def test_nothing_of_what_kills_is_written(tmp_path, capfd) -> None:
    read_delivery(book(tmp_path / "unit.xlsx", FAR))
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(opening, "COMMAND", (sys.executable, "-c", "import sys; sys.stdin.readline(); print('{\"full\": true}')"))
    with Opener(tmp_path) as opener, pytest.raises(SampladsError, match="temporary_full"):
        opener.workbook(tmp_path / "any.xlsx")


class PanicException(BaseException):
    """As a Rust library's: no Exception."""


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (PanicException(), {"refused": "unreadable_file"}),
        (ValueError("x"), {"refused": "unreadable_file"}),
        (OSError(28, "No space left on device"), {"full": True}),
    ],
)
def test_the_child_answers_whatever_a_library_raises(tmp_path, monkeypatch, raised, told) -> None:
    def fails(*_: object, **__: object) -> None:
        raise raised

    path = units(tmp_path / "unit.xlsx")
    monkeypatch.setattr(fastexcel, "read_excel", fails)
    monkeypatch.setattr(pl, "read_parquet_schema", fails)
    assert child.opened("workbook", path, tmp_path / "into") == told
    assert child.opened("parquet", path, tmp_path / "into") == told


def test_the_child_can_be_interrupted(tmp_path, monkeypatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    path = units(tmp_path / "unit.xlsx")
    monkeypatch.setattr(fastexcel, "read_excel", stop)
    with pytest.raises(KeyboardInterrupt):
        child.opened("workbook", path, tmp_path / "into")


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch) -> None:
    path = units(tmp_path / "unit.xlsx")
    monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 10)
    assert child.opened("workbook", path, tmp_path / "into") == {"refused": "archive_refused"}


def test_the_child_is_within_its_limits() -> None:
    asked = (
        "import json, resource as r; from pathlib import Path; from samplads.opening import child; child.limited();"
        "print(json.dumps([*(r.getrlimit(k)[0] for k in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE)),"
        "int(Path('/proc/self/oom_score_adj').read_text())]))"
    )
    told = json.loads(subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True).stdout)
    assert told == [child.PARQUET_MEMORY, child.MOST_SECONDS, child.LARGEST_FILE, 0, 1000]


def test_the_child_answers_line_by_line(tmp_path, monkeypatch, capsys) -> None:
    limits = []
    monkeypatch.setattr(child, "limited", lambda: None)
    monkeypatch.setattr(resource, "setrlimit", lambda _, most: limits.append(most[0]))
    path = units(tmp_path / "unit.xlsx")
    pl.DataFrame().write_parquet(tmp_path / "empty.parquet")
    asked = [
        {"what": "workbook", "file": str(path), "into": str(tmp_path / "a")},
        {"what": "far", "file": str(path), "into": str(tmp_path / "b")},
        {"what": "parquet", "file": str(tmp_path / "empty.parquet"), "into": str(tmp_path / "c")},
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(json.dumps(question) + "\n" for question in asked)))
    child.main()
    first, second, third = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [sheet["name"] for sheet in first["sheets"]] == ["unit"]
    assert second == {"far": {}}
    assert third["names"] == []
    assert limits == [child.WORKBOOK_MEMORY, child.WORKBOOK_MEMORY, child.PARQUET_MEMORY]


def test_how_far_a_sheet_reaches_is_told_of_the_first_that_reaches_too_far(tmp_path) -> None:
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet("tom")
        made.add_worksheet("lille").write(5, 5, "x")
        far = made.add_worksheet("Stor & tung")
        far.write(3, 1, "x")
        far.write(1_000_002, 25, "x")
    assert workbook.far(path) == {"sheet": "Stor & tung", "cell": "Z1000003"}


def sheet_xml(path: Path, xml: str, *, book: str = '<sheet name="unit" sheetId="1" r:id="r1"/>') -> Path:
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr("xl/workbook.xml", f'<workbook {namespace} xmlns:r="{relations}"><sheets>{book}</sheets></workbook>')
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {namespace}>{xml}</worksheet>")
    return path


HEAD = ["unit_id", "offer_id", "name", "municipality", "note"]


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_tags_that_are_never_closed_do_not_keep_the_child(tmp_path) -> None:
    xml = "<sheetData>" + '<row hidden="1" ' * 300_000 + "<mergeCell " * 300_000 + '<c r="A1" ' * 300_000 + "</sheetData>"
    started = time.monotonic()
    with Opener(tmp_path) as opener, pytest.raises(Unreadable):
        opener.workbook(sheet_xml(tmp_path / "x.xlsx", xml))
    # Quadratic it would be hours.
    assert time.monotonic() - started < 60


def test_empty_cells_before_the_first_column_do_not_shift_what_was_merged(tmp_path) -> None:
    head = "".join(text_cell(f"{letter}1", name) for letter, name in zip("BCDEF", HEAD, strict=True))
    body = "".join(
        f'<row r="{row}"><c r="A{row}" s="0"></c>'
        + "".join(text_cell(f"{letter}{row}", cell) for letter, cell in zip("BCDE", cells, strict=True))
        + more
        + "</row>"
        for row, cells, more in ((2, ["A-1", "T", "x", "370"], text_cell("F2", "fælles")), (3, ["A-2", "T", "y", "370"], '<c r="F3"/>'))
    )
    xml = f'<sheetData><row r="1"><c r="A1" s="0"></c>{head}</row>{body}</sheetData><mergeCells><mergeCell ref="F2:F3"/></mergeCells>'
    found = check(read_delivery(sheet_xml(tmp_path / "unit.xlsx", xml)), CODES)
    assert [(one.rule, one.column) for one in from_frame(found.findings)] == [("merged_cell_filled", "note")]
    assert found.frames["unit"]["note"].to_list() == ["fælles", "fælles"]


def test_letters_of_columns() -> None:
    assert [opening.column_letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert workbook._column_number(b"AAA") == 702
