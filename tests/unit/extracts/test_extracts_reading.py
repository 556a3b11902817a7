from __future__ import annotations

import datetime as dt
import io
import os
import zipfile

import polars as pl
import pytest
import xlsxwriter

from samplads.errors import SampladsError
from samplads.extracts import check, encoding, read_delivery, reading
from tests.deliveries import CODES, KNOWN, UNIT, UNITS, checked, rules, short, write
from tests.deliveries import workbook as written

CAPACITY = "unit_id;as_of;maximum;occupied;accepting\n"


def names(found) -> list[str]:
    return found.frames["unit"]["name"].to_list()


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, separator: str, end: str) -> None:
    found = checked(tmp_path, {"unit.csv": UNITS.replace(";", separator).replace("\n", end)})
    assert names(found) == ["Birkehuset 1", "Birkehuset 2"]
    assert not rules(found)


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".txt", ".tsv"])
def test_text_files_of_every_name(tmp_path, suffix: str) -> None:
    assert names(checked(tmp_path, {f"unit{suffix}": UNITS})) == ["Birkehuset 1", "Birkehuset 2"]


def test_titles_blank_rows_and_trailing_blanks_are_no_rows(tmp_path) -> None:
    text = (
        "sep=;\nAfdelinger i Næstved\n\nunit_id;offer_id;name;municipality;;\n\nA-1;T-1;Birk;370;;\n ; ; ;;;\n;;;;;\nA-2;T-1;;370;;\n\n\n"
    )
    found = checked(tmp_path, {"unit.csv": text})
    assert names(found) == ["Birk"]
    assert short(found) == {("unit.csv", 9, "name", "missing_value")}
    assert found.counts["delivered"].to_list() == [2]


def test_headers_in_any_order_and_in_danish(tmp_path) -> None:
    text = "Beliggenhedskommune;TAKST PR. DØGN;Afdelingens navn; Tilbuddets id ;Afdelingens id;Prisår\n370;2.845,50;Birk;T-1;A-1;2026\n"
    found = checked(tmp_path, {"unit.csv": text})
    assert not rules(found)
    assert found.frames["unit"].select("unit_id", "municipality", "daily_rate_ore").rows() == [("A-1", "370", 284550)]


def test_wrong_headers_are_told_with_the_nearest_name(tmp_path) -> None:
    text = "unit_id;offer_id;name;munisipality;night_covr;hobby\nA-1;T-1;Birk;370;awake;skak\n"
    assert short(checked(tmp_path, {"unit.csv": text})) == {
        ("unit.csv", 1, "munisipality", "misspelt_header"),
        ("unit.csv", 1, "night_covr", "near_header"),
        ("unit.csv", 1, "hobby", "unknown_column"),
    }
    assert short(checked(tmp_path, {"unit.csv": "unit_id;offer_id;name\nA-1;T-1;Birk\n"})) == {("unit.csv", 1, None, "missing_column")}
    twice = checked(tmp_path, {"unit.csv": "unit_id;offer_id;name;municipality;Kommune\nA-1;T-1;Birk;370;259\n"})
    assert short(twice) == {("unit.csv", 1, "Kommune", "duplicate_header")}
    assert twice.counts["refused"].to_list() == [1]
    assert "municipality, Kommune" in twice.findings["values"][0]


def test_quotes(tmp_path) -> None:
    text = UNIT + 'A-1;T-1;"Birk; ""det"" grønne";370\nA-2;T-1;"to\nlinjer";370\nA-3;T-1;5" rør;370\nA-4;T-1;Eg;370\n'
    found = checked(tmp_path, {"unit.csv": text})
    assert names(found) == ['Birk; "det" grønne', "to\nlinjer", "Eg"]
    # The row as a person counts it: a cell of two lines is in one row.
    assert short(found) == {("unit.csv", 4, None, "stray_quote")}


@pytest.mark.parametrize("stray", ['"Elm', 'El"m', '"El"m"'])
def test_a_stray_quote_loses_its_row_and_no_other(tmp_path, stray: str) -> None:
    rows = [f"A-{number};T-1;Birk {number};370\n" for number in range(1, 500)]
    rows[2] = f"A-3;T-1;{stray};370\n"
    rows[450] = 'A-451;T-1;"Eg;370\n'
    found = checked(tmp_path, {"unit.csv": UNIT + "".join(rows)})
    assert short(found) >= {("unit.csv", 452, None, "stray_quote")}
    assert found.frames["unit"].height + found.counts["set_aside"][0] == 499
    assert found.counts["set_aside"][0] <= 2
    assert "A-4" in found.frames["unit"]["unit_id"].to_list()


def test_rows_of_wrong_width(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNIT + "A-1;T-1;Birk;370;;\nA-2;T-1;Eg;370;for meget\nA-3;T-1;Elm\n"})
    assert short(found) == {("unit.csv", 3, None, "too_many_cells"), ("unit.csv", 4, "municipality", "missing_value")}
    assert names(found) == ["Birk"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b";;;\n", b"   \r\n"])
def test_empty_files(tmp_path, content: bytes) -> None:
    found = checked(tmp_path, {"unit.csv": content, "capacity.csv": CAPACITY + "A-1;2026-11-01;8;6;1\n"}, KNOWN)
    assert short(found) == {("unit.csv", None, None, "empty_file")}


def test_a_file_of_headers_alone_has_no_rows_and_says_so(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNIT})
    assert short(found) == {("unit.csv", None, None, "empty_file")}
    assert found.frames["unit"].is_empty()


@pytest.mark.parametrize(
    ("file", "extract"),
    [
        *(("unit.csv", "unit"), ("UNIT_2026-11.csv", "unit"), ("næstved-afdelinger 2026.csv", "unit"), ("units2026.csv", "unit")),
        *(("target_group_approval.csv", "target_group_approval"), ("night_roster_unit.csv", "night_roster"), ("community.csv", None)),
        *(("planned_capacity.csv", "planned_capacity"), ("unit_stay.csv", None), ("data.csv", None)),
    ],
)
def test_files_are_given_to_extracts_by_name(tmp_path, file: str, extract: str | None) -> None:
    read = read_delivery(write(tmp_path, {file: "a;b\n1;2\n"}))
    assert read.tables[0].extract == extract
    found = check(read, CODES)
    assert found.findings["rule"].to_list()[0] in ({"table_not_used"} if extract is None else {"missing_column", "unknown_column"})


def test_files_are_given_to_extracts_by_headers(tmp_path) -> None:
    read = read_delivery(write(tmp_path, {"a.csv": UNITS, "b.csv": CAPACITY + "A-1;2026-11-01;8;6;1\n", "c.csv": "x;y\n1;2\n"}))
    assert [table.extract for table in read.tables] == ["unit", "capacity", None]
    assert set(read.frames) == {"unit", "capacity"}
    assert read.frames["unit"].columns == ["unit_id", "offer_id", "name", "municipality"]
    assert read.of("unit")[0].file == "a.csv"


def test_the_manifest_speaks_first(tmp_path) -> None:
    manifest = "as_of: 2026-11-01\nsender: Næstved Kommune\nsynthetic: true\ndecimal: '.'\ndate_order: mdy\n"
    manifest += "extracts: {x.csv: unit, y.csv: nonsense}\nignore: [facit.csv]\n"
    read = read_delivery(write(tmp_path, {"x.csv": UNITS, "facit.csv": "a;b\n1;2\n", "manifest.yaml": manifest}))
    assert read.as_of == dt.date(2026, 11, 1)
    assert read.manifest == {
        **{"as_of": dt.date(2026, 11, 1), "sender": "Næstved Kommune", "synthetic": True, "decimal": ".", "date_order": "mdy"},
        "extracts": {"x.csv": "unit"},
        "ignore": ["facit.csv"],
    }
    assert [table.extract for table in read.tables] == ["unit"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        *(("manifest.yaml", "{"), ("manifest.yaml", "- a"), ("manifest.json", "{'a'}"), ("manifest.yaml", "as_of: i går")),
        *(("manifest.json", "[" * 100_000), ("manifest.yaml", "a: " + "x" * (1 << 21)), ("manifest.yml", "\xff")),
    ],
)
def test_a_manifest_that_cannot_be_read_is_told(tmp_path, file: str, text: str) -> None:
    found = checked(tmp_path, {"unit.csv": UNITS, file: text.encode("latin-1")})
    assert rules(found) == ["manifest_unreadable"]
    assert found.frames["unit"].height == 2


def test_an_empty_manifest_says_nothing(tmp_path) -> None:
    read = read_delivery(write(tmp_path, {"unit.csv": UNITS, "manifest.yaml": ""}))
    assert read.manifest == {}
    assert read.as_of is None
    assert not read.findings


def test_a_manifest_of_json_and_a_time_for_a_day(tmp_path) -> None:
    read = read_delivery(write(tmp_path, {"manifest.json": '{"as_of": "2026-11-01"}', "unit.csv": UNITS}))
    assert read.as_of == dt.date(2026, 11, 1)
    other = read_delivery(write(tmp_path / "other", {"manifest.yaml": "as_of: 2026-11-02 10:00:00", "unit.csv": UNITS}))
    assert other.as_of == dt.date(2026, 11, 2)


def test_files_that_are_no_data(tmp_path) -> None:
    files = {
        "læsmig.pdf": b"%PDF-1.4",
        ".DS_Store": b"x",
        "~$unit.xlsx": b"x",
        "__MACOSX/unit.csv": b"x",
        "Thumbs.db": b"x",
        "unit.csv": UNITS,
    }
    assert short(checked(tmp_path, files)) == {("læsmig.pdf", None, None, "file_not_used")}


def _zip(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_archives(tmp_path) -> None:
    inner = _zip({"capacity.csv": (CAPACITY + "A-1;2026-11-01;8;6;1\n").encode()})
    raw = _zip(
        {"mappe/unit.csv": UNITS.encode(), "anden/unit.csv": (UNIT + "B-1;T;C;370\n").encode(), "inner.zip": inner, "__MACOSX/x.csv": b"x"}
    )
    (tmp_path / "levering.zip").write_bytes(raw)
    read = read_delivery(tmp_path / "levering.zip")
    found = check(read, CODES)
    assert not rules(found)
    assert found.frames["unit"].height == 3
    assert found.frames["capacity"].height == 1
    assert {table.file for table in read.tables} == {"mappe/unit.csv", "anden/unit.csv", "inner.zip/capacity.csv"}
    assert sorted(path.name for path in read.folder.iterdir()) == ["1-unit.csv", "inner.zip", "unit.csv"]
    unpacked = read.unpacked
    del read, found
    assert not unpacked.exists()


def test_an_archive_in_a_folder_is_unpacked_too(tmp_path) -> None:
    assert checked(tmp_path, {"a.zip": _zip({"unit.csv": UNITS.encode()})}).frames["unit"].height == 2


def test_archives_that_cannot_be_unpacked(tmp_path, monkeypatch) -> None:
    whole = _zip({"unit.csv": UNITS.encode() * 50})
    assert rules(checked(tmp_path, {"a.zip": whole[:-40]})) == ["archive_refused"]
    assert rules(checked(tmp_path, {"a.zip": b"no archive"})) == ["archive_refused"]
    damaged = bytearray(whole)
    damaged[60:90] = b"\xff" * 30
    assert rules(checked(tmp_path, {"a.zip": bytes(damaged)})) == ["archive_refused"]
    assert rules(checked(tmp_path, {"a.zip": _zip({})})) == ["empty_file"]
    astray = bytearray(_zip({"unit.csv": UNITS.encode()}))
    astray[astray.find(b"PK\x01\x02") + 42 + 3] = 0xFF  # the member is said to begin far beyond the file
    assert rules(checked(tmp_path, {"a.zip": bytes(astray)})) == ["archive_refused"]
    future = bytearray(_zip({"unit.csv": UNITS.encode()}))
    future[future.find(b"PK\x01\x02") + 6] = 0xFF  # it takes a version of the format that nobody has
    assert rules(checked(tmp_path, {"a.zip": bytes(future)})) == ["archive_refused"]
    encrypted = bytearray(_zip({"unit.csv": UNITS.encode()}))
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.find(header) + place] |= 1
    assert rules(checked(tmp_path, {"a.zip": bytes(encrypted)})) == ["archive_refused"]
    deep = UNITS.encode()
    for level in range(5):
        deep = _zip({"unit.csv" if not level else "x.zip": deep})
    assert rules(checked(tmp_path, {"a.zip": deep})) == ["archive_refused"]
    monkeypatch.setattr(reading, "LARGEST_ARCHIVE", 100)
    assert rules(checked(tmp_path, {"a.zip": whole})) == ["archive_refused"]
    monkeypatch.setattr(reading, "MOST_MEMBERS", 0)
    assert rules(checked(tmp_path, {"a.zip": _zip({"unit.csv": b"x"})})) == ["archive_refused"]


def test_no_delivery_and_no_room(tmp_path, monkeypatch) -> None:
    with pytest.raises(SampladsError, match="delivery_missing"):
        read_delivery(tmp_path / "010199-1234")
    (tmp_path / "a.zip").write_bytes(_zip({"unit.csv": UNITS.encode()}))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(SampladsError, match="temporary_full"):
        read_delivery(tmp_path / "a.zip")


def test_parquet_of_the_contracts_own_types(tmp_path) -> None:
    frame = pl.DataFrame(
        {"unit_id": ["A-1"], "offer_id": ["T-1"], "name": ["Birk"], "municipality": [370], "daily_rate_ore": [284550], "price_year": [2026]}
    ).with_columns(pl.lit(dt.date(2028, 12, 31)).alias("approved_until"), pl.lit(True).alias("single_person"))
    target = io.BytesIO()
    frame.write_parquet(target)
    found = checked(tmp_path, {"unit.parquet": target.getvalue()})
    assert not rules(found)
    row = found.frames["unit"].row(0, named=True)
    assert (row["municipality"], row["daily_rate_ore"], row["approved_until"], row["single_person"]) == (
        *("370", 284550),
        *(dt.date(2028, 12, 31), True),
    )


def test_rows_of_parquet_are_counted_from_one(tmp_path) -> None:
    target = io.BytesIO()
    pl.DataFrame({"unit_id": ["A-1", None], "offer_id": "T", "name": "x", "municipality": "370"}).write_parquet(target)
    assert short(checked(tmp_path, {"unit.parquet": target.getvalue()})) == {("unit.parquet", 2, "unit_id", "missing_key")}


def test_damaged_parquet(tmp_path) -> None:
    target = io.BytesIO()
    pl.DataFrame({"unit_id": [f"A-{n}" for n in range(1000)], "offer_id": "T", "name": "x", "municipality": "370"}).write_parquet(target)
    raw = bytearray(target.getvalue())
    assert rules(checked(tmp_path, {"unit.parquet": b"PAR1 nothing"})) == ["unreadable_file"]
    raw[20:400] = b"\xff" * 380
    assert rules(checked(tmp_path, {"unit.parquet": bytes(raw)})) == ["unreadable_file"]
    empty = io.BytesIO()
    pl.DataFrame().write_parquet(empty)
    assert rules(checked(tmp_path, {"unit.parquet": empty.getvalue()})) in (["empty_file"], ["unreadable_file"])
    taken = io.BytesIO()
    pl.DataFrame({reading.ROW: [1]}).write_parquet(taken)
    assert rules(checked(tmp_path, {"unit.parquet": taken.getvalue()})) == ["missing_column"] * 4 + ["unknown_column"]


def test_a_workbook_as_municipalities_send_it(tmp_path) -> None:
    path = tmp_path / "Afdelinger 2026.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Ark1")
        day = book.add_format({"num_format": "dd-mm-yyyy"})
        sheet.write(1, 1, "Afdelinger i Næstved, opgjort 1. november")
        sheet.write_row(3, 1, ["unit_id", "offer_id", "name", "municipality", "approved_until", "daily_rate", "price_year"])
        sheet.merge_range(4, 2, 5, 2, "T-1")
        sheet.write_row(4, 1, ["A-1"])
        sheet.write_row(4, 3, ["Birk", 370])
        sheet.write_datetime(4, 5, dt.datetime(2028, 12, 31), day)
        sheet.write_row(4, 6, [2845.5, 2026])
        sheet.write_row(5, 1, ["A-2"])
        sheet.write_row(5, 3, ["Eg", 259, 47118, 2.846, 2026])
        sheet.set_row(5, None, None, {"hidden": True})
        sheet.write_row(7, 1, ["A-3", "T-1", "Elm", 370, None, "2.845", 2026])
        sheet.write_row(8, 1, ["A-4", "T-1", "Ask", 370, "31.12.2028", "2.845,00", 2026, "  "])
        sheet.write_row(9, 1, ["A-5", "T-1", "Pil", 370])
        sheet.write_formula(9, 6, "=1/0", None, "#DIV/0!")
        sheet.write_row(10, 1, [" ", "", None])
        book.add_worksheet("Tomt")
    found = check(read_delivery(path), CODES)
    file = path.name
    assert short(found) == {
        (file, 6, "offer_id", "merged_cell_filled"),
        (file, 6, None, "hidden_rows"),
        (file, 6, "approved_until", "serial_date"),
        (file, 10, "daily_rate", "cell_error"),
    }
    assert found.frames["unit"].select("unit_id", "offer_id", "municipality", "approved_until", "daily_rate_ore").rows() == [
        ("A-1", "T-1", "370", dt.date(2028, 12, 31), 284550),
        # A number cell of 2.846 is no text of thousands.
        ("A-2", "T-1", "259", dt.date(2028, 12, 31), 285),
        # The text cell beside it is: 2.845,00 in the same column shows which sign divides decimals.
        ("A-3", "T-1", "370", None, 284500),
        ("A-4", "T-1", "370", dt.date(2028, 12, 31), 284500),
    ]


def test_text_cells_without_evidence_are_ambiguous_even_beside_number_cells(tmp_path) -> None:
    head = ["unit_id", "offer_id", "name", "municipality", "daily_rate", "price_year"]
    path = written(tmp_path / "unit.xlsx", {"x": [head, ["A-1", "T", "a", "370", 2845.5, 2026], ["A-2", "T", "a", "370", "2.845", 2026]]})
    assert short(check(read_delivery(path), CODES)) == {("unit.xlsx", 3, "daily_rate", "ambiguous_number")}


def test_several_sheets_are_several_tables(tmp_path) -> None:
    unit = [line.split(";") for line in UNITS.splitlines()]
    capacity = [["unit_id", "as_of", "maximum", "occupied", "accepting"], ["A-1", "2026-11-01", 8, 6, 1]]
    path = written(tmp_path / "x.xlsx", {"Vejledning": [["Sådan udfyldes arket"]], "Afdelinger": unit, "Pladser nu": capacity})
    found = check(read_delivery(path), CODES)
    assert found.findings.select("sheet", "rule").rows() == []
    assert (found.frames["unit"].height, found.frames["capacity"].height) == (2, 1)


@pytest.mark.parametrize("hidden", [False, True])
def test_an_empty_sheet_named_by_a_number_refuses_its_file(tmp_path, hidden: bool) -> None:
    path = tmp_path / "unit.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("unit")
        for number, row in enumerate(UNITS.splitlines()):
            sheet.write_row(number, 0, row.split(";"))
        empty = book.add_worksheet("010199-1234")
        if hidden:
            empty.hide()
    found = check(read_delivery(path), CODES)
    assert rules(found) == ["personal_number_in_name"]
    assert "1234" not in found.findings.write_csv()
    assert not found.frames


def test_a_chart_sheet_has_a_name_too(tmp_path) -> None:
    path = tmp_path / "unit.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("unit")
        for number, row in enumerate(UNITS.splitlines()):
            sheet.write_row(number, 0, row.split(";"))
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=unit!$D$2:$D$3"})
        book.add_chartsheet("010199-1234").set_chart(chart)
    assert rules(check(read_delivery(path), CODES)) == ["personal_number_in_name"]


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_delivery_named_by_a_number_is_not_read(tmp_path, form: str) -> None:
    path = write(tmp_path, {"unit.csv": UNITS}).rename(tmp_path / "sag 010199-1234")
    if form == "zip":
        path = tmp_path / "010199-1234.zip"
        path.write_bytes(_zip({"unit.csv": UNITS.encode()}))
    read = read_delivery(path, name="called otherwise")
    assert not read.tables
    found = check(read_delivery(path), CODES)
    assert rules(found) == ["personal_number_in_name"]
    assert "1234" not in found.findings.write_csv()


def test_a_link_is_not_followed_and_not_passed_over(tmp_path) -> None:
    (tmp_path / "elsewhere.csv").write_text(UNIT + "A-9;T;a;370\n", encoding="utf-8")
    folder = write(tmp_path, {"unit.csv": UNITS})
    (folder / "unit 2.csv").symlink_to(tmp_path / "elsewhere.csv")
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    found = check(read_delivery(folder), CODES)
    assert short(found) == {(name, None, None, "file_not_used") for name in ("unit 2.csv", "gone.csv", "pipe.csv")}
    assert found.frames["unit"]["unit_id"].to_list() == ["A-1", "A-2"]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("unit på øen.csv".encode("cp1252"), "unit på øen.csv"), (b"unit \x9d\x81.csv", "unit \ufffd\ufffd.csv")],
)
def test_a_file_name_that_is_no_utf8(tmp_path, raw: bytes, clean: str) -> None:
    folder = write(tmp_path, {"capacity.csv": CAPACITY + "A-1;2026-11-01;8;6;1\n"})
    (folder / os.fsdecode(raw)).write_text(UNIT + "A-1;T;a;370\nA-2;T;a;999\n", encoding="utf-8")
    found = check(read_delivery(folder), CODES)
    assert short(found) == {(clean, 3, "municipality", "unknown_code")}
    assert found.frames["unit"].height == 1


def test_a_folder_name_that_is_no_utf8(tmp_path) -> None:
    pl.DataFrame({"unit_id": ["A-2"], "offer_id": ["T"], "name": ["b"], "municipality": ["370"]}).write_parquet(tmp_path / "x.parquet")
    folder = write(tmp_path, {"unit.csv": UNIT + "A-1;T;a;370\n", "unit2.parquet": (tmp_path / "x.parquet").read_bytes()})
    renamed = tmp_path / os.fsdecode("Køge".encode("cp1252"))
    folder.rename(renamed)
    read = read_delivery(renamed)
    assert read.name == "Køge"
    found = check(read, CODES)
    assert not rules(found)
    assert found.frames["unit"]["unit_id"].to_list() == ["A-1", "A-2"]


@pytest.mark.parametrize(
    ("told", "synthetic"), [("nej", False), ("ja", True), ("no", False), ("false", False), ("true", True), ("1", True)]
)
def test_a_manifest_says_yes_or_no_in_words(tmp_path, told: str, synthetic: bool) -> None:
    read = read_delivery(write(tmp_path, {"unit.csv": UNITS, "manifest.yaml": f'synthetic: "{told}"\n'}))
    assert read.manifest["synthetic"] is synthetic
    assert not read.findings


def test_a_manifest_that_says_neither_is_not_believed(tmp_path) -> None:
    read = read_delivery(write(tmp_path, {"unit.csv": UNITS, "manifest.yaml": "synthetic: måske\n"}))
    assert [finding.rule for finding in read.findings] == ["manifest_unreadable"]


def test_a_sheet_named_by_a_number_refuses_its_file(tmp_path) -> None:
    path = written(tmp_path / "unit.xlsx", {"010199-1234": [line.split(";") for line in UNITS.splitlines()]})
    found = check(read_delivery(path), CODES)
    assert rules(found) == ["personal_number_in_name"]
    assert "1234" not in found.findings.write_csv()


def test_one_sheet_with_a_number_refuses_all_sheets_of_its_file(tmp_path) -> None:
    unit = [line.split(";") for line in UNITS.splitlines()]
    path = written(tmp_path / "x.xlsx", {"unit": unit, "noter": [["hvem", "hvad"], ["010199-1234", "x"]]})
    found = check(read_delivery(path), CODES)
    assert short(found) == {("x.xlsx", 2, "hvem", "personal_number")}
    assert found.frames["unit"].is_empty()


def test_workbooks_that_cannot_be_read(tmp_path) -> None:
    path = written(tmp_path / "unit.xlsx", {"x": [["a"]]})
    whole = path.read_bytes()
    for raw in (whole[:-50], b"\xd0\xcf\x11\xe0 old", whole[:200] + b"\0" * 200 + whole[400:]):
        assert rules(checked(tmp_path, {"unit.xlsx": raw})) == ["unreadable_file"]
    blank = written(tmp_path / "b.xlsx", {"x": []}).read_bytes()
    assert rules(checked(tmp_path, {"unit.xlsx": blank})) == ["empty_file"]


def test_what_a_file_is_called_does_not_decide_what_it_is(tmp_path) -> None:
    book = written(tmp_path / "x.xlsx", {"unit": [line.split(";") for line in UNITS.splitlines()]}).read_bytes()
    assert names(checked(tmp_path, {"unit.csv": book})) == ["Birkehuset 1", "Birkehuset 2"]
    assert names(checked(tmp_path, {"unit.csv": b"", "unit.xlsx": UNITS})) == ["Birkehuset 1", "Birkehuset 2"]


def test_batches_make_no_difference(tmp_path, monkeypatch) -> None:
    rows = "".join(f"A-{n % 90};T;navn {n};{'370' if n % 7 else '999'}\n" for n in range(1, 200))
    whole = checked(tmp_path, {"unit.csv": UNIT + rows})
    for size in (5, 64):
        monkeypatch.setattr(reading, "BATCH", size)
        parts = checked(tmp_path, {"unit.csv": UNIT + rows})
        assert parts.frames["unit"].equals(whole.frames["unit"])
        assert parts.findings.equals(whole.findings)
        assert parts.counts.equals(whole.counts)


def test_a_line_without_end_is_unreadable(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    found = checked(tmp_path, {"unit.csv": UNIT + 'A-1;T-1;"' + "x" * 2000 + ";370\n"})
    assert rules(found) == ["unreadable_file"]
    table = read_delivery(write(tmp_path, {"unit.csv": UNIT + 'A-1;T-1;"' + "x" * 2000 + ";370\n"})).tables[0]
    table.source = table.careful
    with pytest.raises(SampladsError, match="table_unreadable"):
        table.frame()


def test_frames_of_a_table_keep_the_delivered_headers(tmp_path) -> None:
    table = read_delivery(write(tmp_path, {"x.csv": "a;a;;b\n1;2;3;4\n"})).tables[0]
    assert table.frame().columns == ["a", "a (2)", "C", "b"]
    empty = read_delivery(write(tmp_path, {"x.csv": "a;b\n"})).tables[0]
    assert empty.frame().columns == ["a", "b"]


def test_the_block_size_of_decoding_does_not_matter(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 3)
    assert names(checked(tmp_path, {"unit.csv": UNITS.encode("utf-16")})) == ["Birkehuset 1", "Birkehuset 2"]


@pytest.mark.parametrize("beyond", [";bemærkning", ";;bemærkning", ";;;;;bemærkning", ";x;bemærkning"])
def test_cells_beyond_the_last_header_are_told_however_far_out(tmp_path, beyond: str) -> None:
    found = checked(tmp_path, {"unit.csv": UNITS + f"A-3;T-1;Tredje;370{beyond}\nA-4;T-1;Fjerde;370;;;\n"})
    assert short(found) == {("unit.csv", 4, None, "too_many_cells")}
    assert found.frames["unit"]["unit_id"].to_list() == ["A-1", "A-2", "A-4"]
    assert "bemærkning" in found.set_aside["beyond"][0]
    number = checked(tmp_path, {"unit.csv": UNITS + f"A-3;T-1;Tredje;370{beyond} 010199-1234\n"})
    assert rules(number) == ["personal_number"]
    assert number.frames["unit"].is_empty()


@pytest.mark.parametrize("above", [0, 39, 45, 5000])
def test_a_table_far_down_in_a_sheet_is_read(tmp_path, above: int) -> None:
    rows: list[list[object]] = [[] for _ in range(above)] + [line.split(";") for line in [*UNITS.splitlines(), "A-3;T-1;x;999"]]
    path = written(tmp_path / "unit.xlsx", {"unit": rows, "noter": [[] for _ in range(above)] + [["hvem"]]})
    found = check(read_delivery(path), CODES)
    assert names(found) == ["Birkehuset 1", "Birkehuset 2"]
    assert ("unit.xlsx", above + 4, "municipality", "unknown_code") in short(found)
    hidden = written(tmp_path / "b.xlsx", {"unit": rows, "noter": [[] for _ in range(above)] + [["hvem"], ["010199-1234"]]})
    told = check(read_delivery(hidden), CODES)
    assert ("b.xlsx", above + 2, "hvem", "personal_number") in short(told)
    assert told.frames["unit"].is_empty()


def test_a_header_below_a_long_guidance_is_found(tmp_path) -> None:
    rows: list[list[object]] = [[f"Vejledning, linje {n}"] for n in range(60)] + [line.split(";") for line in UNITS.splitlines()]
    assert names(check(read_delivery(written(tmp_path / "unit.xlsx", {"unit": rows})), CODES)) == ["Birkehuset 1", "Birkehuset 2"]


@pytest.mark.parametrize("way", ["hide", "very_hidden"])
def test_a_hidden_sheet_is_read_and_told(tmp_path, way: str) -> None:
    with xlsxwriter.Workbook(tmp_path / "unit.xlsx") as book:
        for name, lines in {"unit": UNITS.splitlines()[:2], "unit gammel": [UNITS.splitlines()[0], "A-9;T-1;Nedlagt;370"]}.items():
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line.split(";"))
        getattr(sheet, way)()
    found = check(read_delivery(tmp_path / "unit.xlsx"), CODES)
    assert found.findings.select("sheet", "rule").rows() == [("unit gammel", "hidden_sheet")]
    assert names(found) == ["Birkehuset 1", "Nedlagt"]


def test_the_manifest_nearest_to_the_top_counts_and_others_are_told(tmp_path) -> None:
    files = {"Faxe/unit.csv": UNITS, "Faxe/2026/manifest.yaml": "as_of: 2026-10-01"}
    assert read_delivery(write(tmp_path / "a", files)).as_of == dt.date(2026, 10, 1)
    more = files | {"manifest.yaml": "as_of: 2026-11-01", "Greve/manifest.yaml": "as_of: 2026-11-01"}
    delivery = read_delivery(write(tmp_path / "b", more))
    assert delivery.as_of == dt.date(2026, 11, 1)
    assert [(one.file, one.rule) for one in delivery.findings] == [("Faxe/2026/manifest.yaml", "manifest_not_used")]


@pytest.mark.parametrize(
    ("text", "made_up"),
    [
        ("synthetic: true", True),
        ("synthetic: måske", True),
        ("{synthetic: måske", True),
        ('{"synthetic": 1, ', True),
        ("synthetic: nej\nas_of: i går", False),
        ("as_of: i går", False),
        ("synthetic: false", False),
    ],
)
def test_what_may_be_made_up_never_passes_for_real(tmp_path, text: str, made_up: bool) -> None:
    for place in ("manifest.yaml", "dybt/nede/manifest.yaml"):
        delivery = read_delivery(write(tmp_path / place.replace("/", "-"), {"unit.csv": UNITS, place: text}))
        assert bool(delivery.manifest.get("synthetic", False)) == made_up


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch) -> None:
    folder = write(tmp_path, {"unit.csv": UNITS, "Faxe/need.csv": "x"})
    looked = os.scandir

    def closed(path: object) -> object:
        if str(path).endswith("Faxe"):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(os, "scandir", closed)
    found = check(read_delivery(folder), CODES)
    assert short(found) == {("Faxe", None, None, "folder_closed")}
    assert names(found) == ["Birkehuset 1", "Birkehuset 2"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_column_without_a_header_is_told_where_it_holds_anything(tmp_path, form: str) -> None:
    rows = [
        ["unit_id", "offer_id", "", "name", "", "municipality"],
        ["A-1", "T-1", "", "x", " ", "370"],
        ["A-2", "T-1", "note", "y", "", "370"],
    ]
    if form == "csv":
        found = checked(tmp_path, {"unit.csv": "".join(";".join(row) + "\n" for row in rows)})
    else:
        found = check(read_delivery(written(tmp_path / "unit.xlsx", {"unit": [list(row) for row in rows]})), CODES)
    assert found.findings.select("row", "column", "rule").rows() == [(1, "C", "unknown_column")]
    assert names(found) == ["x", "y"]


def test_a_formula_whose_result_was_not_saved_is_told_as_that(tmp_path) -> None:
    with xlsxwriter.Workbook(tmp_path / "capacity.xlsx") as book:
        sheet = book.add_worksheet("capacity")
        sheet.write_row(0, 0, ["unit_id", "as_of", "maximum", "occupied", "reserved", "accepting"])
        sheet.write_row(1, 0, ["A-1", "2026-11-01", 8, 6, 0, 1])
        sheet.write_row(2, 0, ["A-1", "2026-11-02", 8, 6])
        sheet.write_formula(2, 4, "=1+0", value="")
        sheet.write_formula(2, 5, "=C3-D3", value=2)
    found = check(read_delivery(tmp_path / "capacity.xlsx"), CODES, KNOWN)
    assert found.findings.select("row", "column", "rule").rows() == [(3, "reserved", "cell_error")]
    assert found.frames["capacity"]["as_of"].to_list() == [dt.date(2026, 11, 1)]
