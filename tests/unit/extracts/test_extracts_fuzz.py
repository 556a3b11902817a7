"""Whatever bytes come in, findings come out: never a traceback, never a number of a citizen.

`SAMPLADS_FUZZ_SECONDS=120` makes the run longer (as CI does); without it a small fixed number of examples is tried. A longer run goes
through the rounds in their order, from `SAMPLADS_FUZZ_FIRST` on.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import itertools
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError
from samplads.extracts import check, from_frame, mend_archived, mend_workbook, personal, read_delivery, screen, what_to_do
from tests.conftest import EXPLORES
from tests.deliveries import CODES, UNIT, UNITS, checked, rules

SECONDS = float(os.environ.get("SAMPLADS_FUZZ_SECONDS") or 0)
FIRST = int(os.environ.get("SAMPLADS_FUZZ_FIRST") or 1)
FUZZ = settings(max_examples=40, deadline=None, derandomize=not EXPLORES, suppress_health_check=list(HealthCheck))
TEXTS = ["unit.csv", "capacity.txt", "x.tsv", os.fsdecode(b"unit \xe6\x81.csv"), 'unit\n;|".csv', "\U0001f4a9.csv"]
NAMES = [
    *TEXTS,
    "unit.xlsx",
    "need.xlsm",
    "stay.xls",
    "unit.parquet",
    "a.zip",
    "manifest.yaml",
    "manifest.json",
    "b",
    os.fsdecode(b"\xff\xfe"),
]
BLNS = Path(__file__).resolve().parents[4] / "shared" / "real" / "blns.json"

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", " ", "A-1", "370", "2.845", "2,845", "98,5", "1e9", "-", "?", "ja", "31.12.2026", "03/04/2026"]),
    st.sampled_from(['"', 'a"b', "9" * 40, "\n", "010199-1234"]),
    st.floats().map(str),
    st.dates().map(str),
)
HEADERS = st.one_of(
    st.sampled_from([name for contract in CONTRACTS.values() for name in contract.columns()]),
    st.text(max_size=8),
)


def for_a_while(attack: Callable[[], None]) -> None:
    """Run an attack once, and again with other examples while there is time left for it.

    The examples follow from the number of the round, so that a run which failed can be repeated; `SAMPLADS_EXPLORE` draws new ones.
    """
    deadline = time.monotonic() + SECONDS / 5
    attack()
    for number in itertools.count(FIRST):
        if time.monotonic() >= deadline:
            return
        (attack if EXPLORES else seed(number)(attack))()


def whatever(files: dict[str, bytes]) -> None:
    """Read, check, mend: only findings, each with its sentence, and no row lost without being counted."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            read = read_delivery(Path(folder), name="fuzz")
            found = check(read, CODES)
            screen(read)
            mend_workbook(read, found.findings)
            mend_archived(found.set_aside, found.findings)
        except SampladsError as told:
            assert told.key  # noqa: PT017 - either a sentence or findings: both are right
            return
        counts = found.counts
        assert (counts["delivered"] == counts["accepted"] + counts["set_aside"] + counts["refused"]).all()
        assert found.set_aside.height == counts["set_aside"].sum()
        summed = found.by_municipality.group_by("extract").agg(pl.col(*counts.columns[2:]).sum()).filter(pl.col("delivered") > 0)
        assert summed.sort("extract").equals(counts.drop("delivery").filter(pl.col("delivered") > 0).sort("extract"))
        for extract in found.frames:
            assert CONTRACTS[extract].is_valid(found.frames[extract])
        for finding in from_frame(found.findings.head(200)):
            assert what_to_do(finding, "da")
        for row in found.findings.select("file", "sheet", "column", "value").rows():
            assert not any(personal.holds_number(cell) for cell in row if cell)


@FUZZ
@given(st.sampled_from(NAMES), st.binary(max_size=400))
def any_bytes(name: str, raw: bytes) -> None:
    whatever({name: raw})


@FUZZ
@given(st.sampled_from(TEXTS), st.lists(HEADERS, min_size=1, max_size=8), st.lists(st.lists(CELLS, max_size=9), max_size=8), st.data())
def any_table_of_text(name: str, head: list[str], rows: list[list[str]], data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from(";,\t|"))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    codec = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850", "latin-1"]))
    text = end.join(separator.join(row) for row in [head, *rows])
    whatever({name: text.encode(codec, "replace")})


@functools.cache
def _whole(form: str) -> bytes:
    target = io.BytesIO()
    rows = [line.split(";") for line in UNITS.splitlines()]
    if form == "xlsx":
        with xlsxwriter.Workbook(target) as book:
            sheet = book.add_worksheet("unit")
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            sheet.merge_range(5, 0, 7, 0, "A-9")
    elif form == "parquet":
        pl.DataFrame(rows[1:], schema=rows[0], orient="row").write_parquet(target)
    elif form == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("unit.csv", UNITS)
    else:
        target.write(UNITS.encode())
    return target.getvalue()


BLOWS = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=6)), max_size=6)


@FUZZ
@given(st.sampled_from(["xlsx", "parquet", "zip", "csv"]), BLOWS, st.integers(0, 200))
def damaged_files(form: str, hits: list[tuple[int, bytes]], cut: int) -> None:
    raw = bytearray(_whole(form))
    for place, blow in hits:
        place %= len(raw)
        raw[place : place + len(blow)] = blow
    whatever({f"unit.{form}": bytes(raw[: len(raw) - cut])})


KINDS = [
    *(st.text(max_size=5), st.integers(-(2**40), 2**40), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.times()),
    *(st.decimals("-999", "999", places=2), st.binary(max_size=4), st.none(), st.timedeltas(max_value=dt.timedelta(days=9999))),
    *(st.lists(st.text(max_size=3), max_size=3), st.fixed_dictionaries({"a": st.integers(0, 9)})),
    *(st.lists(st.timedeltas(), max_size=2), st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2)),
]


@FUZZ
@given(st.lists(HEADERS, min_size=1, max_size=6, unique=True), st.data())
def any_parquet(head: list[str], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 4))
    columns = {name: data.draw(_columns(data.draw(st.sampled_from(KINDS)), size)) for name in head}
    target = io.BytesIO()
    try:
        pl.DataFrame(columns, strict=False).write_parquet(target)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return
    whatever({"unit.parquet": target.getvalue()})


def _columns(kind: st.SearchStrategy, size: int) -> st.SearchStrategy:
    return st.lists(st.one_of(st.none(), kind), min_size=size, max_size=size)


@FUZZ
@given(st.text(max_size=60))
def redacting_any_text_leaves_no_number(text: str) -> None:
    assert not personal.holds_number(personal.redacted(text))
    assert not personal.holds_number(personal.redacted(f"{text}010199-1234{text}"))


def test_any_bytes() -> None:
    for_a_while(any_bytes)


def test_any_table_of_text() -> None:
    for_a_while(any_table_of_text)


def test_damaged_files() -> None:
    for_a_while(damaged_files)


def test_any_parquet() -> None:
    for_a_while(any_parquet)


def test_redacting_any_text_leaves_no_number() -> None:
    for_a_while(redacting_any_text_leaves_no_number)


@pytest.mark.shared
@pytest.mark.skipif(not BLNS.is_file(), reason="the public list of naughty strings (shared/real/blns.json) is not on this machine")
def test_naughty_strings_are_stored_as_they_are_or_refused_with_a_sentence(tmp_path) -> None:
    strings = [text for text in json.loads(BLNS.read_text(encoding="utf-8")) if isinstance(text, str)]
    rows = pl.DataFrame(
        {"unit_id": [f"A-{n}" for n in range(len(strings))], "offer_id": "T", "name": strings, "municipality": "370", "note": strings}
    )
    text = rows.write_csv(separator=";", quote_style="always")
    found = checked(tmp_path, {"unit.csv": text})
    kept = {row["unit_id"]: row for row in found.frames["unit"].iter_rows(named=True)}
    told = set(found.findings["rule"].to_list())
    assert told <= {"missing_value", "garbled_text", "too_long"}
    assert len(kept) > 0.9 * len(strings)
    for number, text in enumerate(strings):
        if row := kept.get(f"A-{number}"):
            assert row["name"] == text.strip("\t\n\v\f\r \u00a0\u200b\u200c\u200d\u2060\ufeff\u202f")
    for start in range(0, len(strings), 60):
        some = strings[start : start + 60]
        head = ";".join('"' + text.replace('"', '""') + '"' for text in some)
        files = checked(tmp_path, {"unit.csv": f"{UNIT.strip()};{head}\nA-1;T;a;370{';x' * len(some)}\n"})
        told = set(rules(files))
        # A header of blanks alone is none: a cell below the last one is one too many.
        assert files.frames["unit"].height == 1 or told & {"duplicate_header", "personal_column", "too_many_cells"}, (start, told)
        assert told <= {"unknown_column", "near_header", "duplicate_header", "personal_column", "too_many_cells"}
