"""What comes back from the worker process, and what it cannot do."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import stat
import string
import subprocess
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import psutil
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplads import i18n
from samplads.errors import SampladsError
from samplads.workbench import faults, plain, wire, worker
from samplads.workbench.faults import SqlError

REPOSITORY = Path(__file__).parents[3]
DATABASE = duckdb.connect()


def test_first_rows_and_whether_there_are_more(copy: Path) -> None:
    exact = worker.run("from range(1000)", copy)
    assert (exact.rows_shown, exact.truncated) == (1000, False)
    more = worker.run("from range(1001)", copy)
    assert (more.rows_shown, more.truncated) == (1000, True)
    assert more.frame["range"].to_list() == list(range(1000))
    assert worker.run("from range(5) limit 2", copy).frame["range"].to_list() == [0, 1]
    assert worker.run("from range(100000) order by range desc", copy, limits=worker.Limits(rows=2)).frame["range"].to_list() == [
        99999,
        99998,
    ]


def test_no_rows_keep_their_columns(copy: Path) -> None:
    outcome = worker.run("select 1 as a, 'x' as b where false", copy)
    assert outcome.columns == (("a", "INTEGER"), ("b", "VARCHAR"))
    assert outcome.frame.columns == ["a", "b"]
    assert outcome.rows_shown == 0


def test_every_type_comes_back(copy: Path) -> None:
    outcome = worker.run(
        """
        select 1::tinyint, 2::ubigint, 3::hugeint, 1000000000000000000000000000000::hugeint, 1.5::float, 2.5::double,
            1.25::decimal(10, 2), true, 'æøå', 'x'::blob, date '2026-11-01', time '10:30:00', timestamp '2026-11-01 10:00:00',
            timestamptz '2026-11-01 10:00:00+01', timestamp_s '2026-01-01 00:00:00', timestamp_ns '2026-01-01 00:00:00',
            interval '1 month 2 days', [1, 2], {'a': 1}, map {'k': 1}, '101'::bit, uuid(), 'b'::enum('a', 'b'), null,
            [{'a': [1]}], (1, 'x'), union_value(a := 1), '{"a": 1}'::json, timetz '10:00:00+02', [1, 2]::integer[2], interval 0 days
        """,
        copy,
    )
    row = outcome.frame.row(0)
    assert len(row) == 31
    assert row[2] == 3
    assert row[3] == Decimal(10**30)
    assert row[8] == "æøå"
    assert row[10] == dt.date(2026, 11, 1)
    assert row[13].astimezone(dt.UTC) == dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
    assert row[16] == "1 months 2 days"
    assert row[17] == [1, 2]
    assert row[19] == "{k: 1}"
    assert row[20] == "101"
    assert row[22] == "b"


def test_same_name_twice_becomes_two_columns(copy: Path) -> None:
    assert worker.run("select 1 as a, 2 as a, 3 as A", copy).frame.row(0) == (1, 2, 3)


def test_a_name_made_different_is_not_one_that_is_there(copy: Path) -> None:
    frame = worker.run("select 1 a, 2 a, 3 a_2, 4 a, 5 a_2", copy).frame
    assert frame.row(0) == (1, 2, 3, 4, 5)
    assert frame.columns[::2] == ["a", "a_2", "a_2_2"]


STRANGE = {
    "'infinity'::date": "infinity",
    "date '20000-01-01'": "20000-01-01",
    "date '-0044-01-01'": "0045-01-01 (BC)",
    "'-infinity'::timestamp": "-infinity",
    "timestamp '20000-01-01 10:30:00.5'": "20000-01-01 10:30:00.5",
    "timestamptz '20000-01-02 01:00:00+01'": "20000-01-02 00:00:00+00",
    "170141183460469231731687303715884105727": "170141183460469231731687303715884105727",
    "-170141183460469231731687303715884105728": "-170141183460469231731687303715884105728",
    "md5_number('x')": "221188521546444818284084528980898927773",
    "340282366920938463463374607431768211455::uhugeint": "340282366920938463463374607431768211455",
    "'123456789012345678901234567890123456789012'::bignum": "123456789012345678901234567890123456789012",
    "time '24:00:00'": "24:00:00",
    "timetz '10:00:00+02'": "10:00:00+02",
    "{'a': '101'::bit}": "{'a': 101}",
    "map {1: 'infinity'::date}": "{1=infinity}",
    "[interval '1 day', null]": "[1 day, NULL]",
}


@pytest.mark.parametrize("sql", STRANGE)
def test_what_a_frame_cannot_hold_is_text_and_exact(copy: Path, tmp_path: Path, sql: str) -> None:
    assert worker.run(f"select {sql} as d, 1 as n", copy).frame.row(0) == (STRANGE[sql], 1)
    done = worker.export(f"select {sql} as d, 1 as n", copy, tmp_path / "out.csv", "csv")
    last = done.path.read_text(encoding="utf-8-sig").splitlines()[-1]
    assert last.rpartition(";")[0].strip('"').lstrip("'").replace('""', '"') == STRANGE[sql]
    done = worker.export(f"select {sql} as d, 1 as n", copy, tmp_path / "out.xlsx", "xlsx")
    assert openpyxl.load_workbook(done.path)["Resultat"]["A2"].value == STRANGE[sql]
    assert worker.export(f"select {sql} as d, 1 as n", copy, tmp_path / "out.parquet", "parquet").rows == 1


def test_strange_values_within_lists_and_beside_nulls(copy: Path) -> None:
    frame = worker.run(
        "select * from (values ([[date 'infinity', null], null, []], {'a': [time '24:00:00']}, [date 'infinity', null]::date[2]), "
        "(null, null, null), ([[date '2026-01-01']], {'a': null}, null)) t(a, b, c)",
        copy,
    ).frame
    assert frame["a"].to_list() == [[["infinity", None], None, []], None, [["2026-01-01"]]]
    assert frame["b"].to_list() == [{"a": ["24:00:00"]}, None, {"a": None}]
    assert frame["c"].to_list() == [["infinity", None], None, None]


@settings(deadline=None, max_examples=200)
@given(st.integers(-2_000_000, 1_000_000_000), st.integers(-(2**62), 2**62))
def test_days_and_moments_are_written_as_duckdb_does(days: int, moment: int) -> None:
    table = pa.table({"d": pa.array([days], pa.date32()), "t": pa.array([moment], pa.timestamp("us")), "n": [1]})
    told = DATABASE.from_arrow(table).project("d::varchar, t::varchar").fetchall()
    shown = plain.readable(table)
    for name, text in zip(("d", "t"), told[0], strict=True):
        if pa.types.is_string(shown.schema.field(name).type):
            assert shown[name].to_pylist() == [text]


def test_a_value_that_cannot_be_read_is_said(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "readable", lambda table: table)
    with pytest.raises(SqlError) as caught:
        worker.run("select 'infinity'::date d", copy)
    assert caught.value.key == "sql_unreadable"


def test_parameters_are_bound_with_their_types(copy: Path) -> None:
    outcome = worker.run(
        "select $text as a, $whole + 1 as b, $number * 2 as c, $day + 1 as d, $flag as e, "
        "'y' in $list as f, $gone is null as g, $amount as h",
        copy,
        parameters={
            "text": "'; drop table unit; --",
            "whole": 41,
            "number": 1.5,
            "day": dt.date(2026, 10, 31),
            "flag": True,
            "list": ["x", "y"],
            "gone": None,
            "amount": Decimal("1.10"),
        },
    )
    assert outcome.frame.row(0)[:7] == ("'; drop table unit; --", 42, 3.0, dt.date(2026, 11, 1), True, True, True)
    assert outcome.frame.row(0)[7] == Decimal("1.10")
    # Text is compared with numbers and days as DuckDB does it: a form may send text.
    assert (
        worker.run(
            "select count(*) from capacity where as_of = $d and maximum >= $m", copy, parameters={"d": "2026-10-01", "m": "0"}
        ).frame.item()
        == 40
    )


def test_parameters_that_lack_or_are_not_used(copy: Path) -> None:
    with pytest.raises(SqlError) as missing:
        worker.run("select $a, $b", copy, parameters={"a": 1})
    assert (missing.value.key, missing.value.values["names"]) == ("sql_parameters_missing", "$b")
    with pytest.raises(SqlError) as unknown:
        worker.run("select 1", copy, parameters={"a": 1})
    assert unknown.value.key == "sql_parameters_unknown"
    with pytest.raises(SampladsError) as kind:
        worker.run("select $a", copy, parameters={"a": {1}})
    assert kind.value.key == "sql_parameter_type"


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "æ", dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 10, 5), dt.time(10), Decimal("1.5"), [1, "x", None], []],
)
def test_a_value_survives_the_wire(value: object) -> None:
    assert wire.decode(wire.encode(value)) == value


def test_plan(copy: Path) -> None:
    outcome = worker.run("explain select * from unit where lat > 55", copy)
    assert outcome.kind == "explain"
    assert outcome.plan is not None
    assert "lat" in outcome.plan


def test_check_does_not_run(copy: Path) -> None:
    checked = worker.check("select error('ran') from unit where municipality = $m", copy)
    assert checked == worker.Checked("select", ("m",), ("unit",))


@pytest.mark.parametrize(
    ("sql", "key", "line", "column", "candidates"),
    [
        ("select\n  nam from unit", "sql_column_unknown", 2, 3, ("name",)),
        ("select 'æ', x.name from unit", "sql_alias_unknown", 1, 13, ("unit",)),
        ("select 1,\n\n\t'a'::integer", "sql_value", 3, 5, ()),
        ("select sum(lat), name from unit", "sql_group_by", 1, 18, ()),
        ("select a from unti", "sql_table_unknown", 1, 15, ("unit",)),
        ("\tselect nam from unit", "sql_column_unknown", 1, 9, ("name",)),
        ("select\t\tnam from unit", "sql_column_unknown", 1, 9, ("name",)),
        ("select 'e\u0301',\tnam from unit", "sql_column_unknown", 1, 14, ("name",)),
    ],
)
def test_errors_have_their_place(copy: Path, sql: str, key: str, line: int, column: int, candidates: tuple[str, ...]) -> None:
    with pytest.raises(SqlError) as caught:
        worker.run(sql, copy)
    error = caught.value
    assert (error.key, error.values["line"]) == (key, line)
    assert error.values["column"] == column
    assert error.candidates[: len(candidates)] == candidates
    for language in i18n.LANGUAGES:
        assert i18n.sentence(error, language)


def test_cancel_from_another_thread(copy: Path) -> None:
    running = worker.Run("select count(*) from range(100000000000)", copy)
    threading.Timer(0.4, running.cancel).start()
    with pytest.raises(SqlError) as caught:
        running.result()
    assert caught.value.key == "sql_cancelled"
    again = worker.Run("select 1", copy)
    again.cancel()
    with pytest.raises(SqlError) as before:
        again.result()
    assert before.value.key == "sql_cancelled"


def _children() -> list[psutil.Process]:
    """The engine's own processes: other tests of this worker may have left servers of theirs running."""
    running = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and any("workbench.forkserver" in word for word in child.cmdline()):
                running.append(child)
    return running


def test_no_process_is_left_behind(copy: Path) -> None:
    worker.run("select 1", copy)
    for sql in ("select 1", "select count(*) from range(100000000000)", "selec"):
        with contextlib.suppress(SqlError):
            worker.run(sql, copy, limits=worker.Limits(seconds=0.2))
    assert len(_children()) == 1  # the fork server


def test_a_dead_fork_server_is_replaced(copy: Path) -> None:
    worker.run("select 1", copy)
    (server,) = _children()
    server.send_signal(signal.SIGKILL)
    server.wait(5)
    assert worker.run("select 2 as a", copy).frame.item() == 2


def test_stopping_the_server_ends_what_runs(copy: Path) -> None:
    failed: list[str] = []

    def long() -> None:
        try:
            worker.run("select count(*) from range(100000000000)", copy)
        except SqlError as error:
            failed.append(error.key)

    thread = threading.Thread(target=long)
    thread.start()
    while len(_children()) < 2:
        time.sleep(0.01)
    worker.stop()
    thread.join(20)
    assert failed
    assert _children() == []
    assert worker.run("select 1", copy).rows_shown == 1


def test_the_child_has_no_environment_of_ours_and_few_descriptors(copy: Path) -> None:
    os.environ["SAMPLADS_SECRET"] = "x"
    try:
        worker.stop()
        running = worker.Run("select count(*) from range(100000000000)", copy, limits=worker.Limits(seconds=20))
        thread = threading.Thread(target=_quietly, args=(running,))
        thread.start()
        while not (found := [child for parent in _children()[:1] for child in parent.children()]):
            time.sleep(0.01)
        time.sleep(0.5)
        child = found[0]
        assert "SAMPLADS_SECRET" not in child.environ()
        assert child.cwd() == "/"
        assert [file.path for file in child.open_files()] in ([str(copy)], [str(copy), str(copy)], [str(copy)] * 3)
        limits = {name: child.rlimit(getattr(psutil, f"RLIMIT_{name}")) for name in ("AS", "FSIZE", "NOFILE", "CORE")}
        assert limits == {"AS": (worker.Limits().address_mb << 20,) * 2, "FSIZE": (0, 0), "NOFILE": (0, 0), "CORE": (0, 0)}
        running.cancel()
        thread.join(10)
    finally:
        del os.environ["SAMPLADS_SECRET"]


def _quietly(running: worker.Run) -> None:
    with contextlib.suppress(SqlError):
        running.result()


def test_a_missing_copy_is_said(tmp_path: Path) -> None:
    for missing in (None, tmp_path / "none.duckdb"):
        with pytest.raises(SampladsError) as caught:
            worker.run("select 1", missing)
        assert caught.value.key == "analyst_copy_missing"
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"not a database" * 1000)
    with pytest.raises(SqlError) as broken:
        worker.run("select 1", damaged)
    assert broken.value.key == "analyst_copy_damaged"


@pytest.mark.parametrize("form", worker.FORMATS)
def test_export_holds_every_row(copy: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"whole.{form}"
    done = worker.export("select range as n, 'x' || range as t, range * 0.5 as h from range(21000)", copy, target, form)
    assert (done.rows, done.path, done.bytes) == (21000, target, target.stat().st_size)
    if form == "csv":
        lines = target.read_text(encoding="utf-8-sig").splitlines()
        assert lines[0] == "n;t;h"
        assert lines[-1] == "20999;x20999;10499,5"
        assert len(lines) == 21001
    elif form == "parquet":
        frame = pl.read_parquet(target)
        assert frame["n"].to_list() == list(range(21000))
    else:
        assert pl.read_excel(target, engine="calamine")["n"].to_list() == list(range(21000))
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_failed_export_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    for sql, key in (
        ("select 1 // (range - 25000) from range(30000)", "sql_division"),
        ("selec", "sql_syntax"),
        ("copy unit to 'x'", "sql_statement_refused"),
    ):
        with pytest.raises(SqlError) as caught:
            worker.export(sql, copy, tmp_path / "out.csv", "csv")
        assert caught.value.key == key
    with pytest.raises(SqlError) as late:
        worker.export("from range(100000000000)", copy, tmp_path / "out.csv", "csv", limits=worker.Limits(export_seconds=0.5))
    assert late.value.key == "sql_timeout"
    running = worker.Export("from range(100000000000)", copy, tmp_path / "out.parquet", "parquet")
    threading.Timer(0.4, running.cancel).start()
    with pytest.raises(SqlError) as cancelled:
        running.result()
    assert cancelled.value.key == "sql_cancelled"
    # The query may notice that its reader is gone before the reader has said why; whichever ends first, the reason told is the same.
    for form_of_file in ("csv", "parquet", "xlsx"):
        for _ in range(5):
            with pytest.raises(SqlError) as full:
                worker.export("from range(1000000)", copy, tmp_path / "out", form_of_file, limits=worker.Limits(export_mb=1))
            assert full.value.key == "export_disk"
    with pytest.raises(SampladsError) as form:
        worker.export("select 1", copy, tmp_path / "out.csv", "ods")
    assert form.value.key == "export_format"
    with pytest.raises(SqlError) as nowhere:
        worker.export("select 1", copy, tmp_path / "no" / "out.csv", "csv")
    assert nowhere.value.key == "export_disk"
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_through_and_a_link_stays_one(copy: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for form in worker.FORMATS:
        got: list[bytes] = []
        reader = threading.Thread(target=lambda into: into.append(pipe.read_bytes()), args=(got,))
        reader.start()
        done = worker.export("select range as n from range(3)", copy, pipe, form)
        reader.join(20)
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert (done.rows, done.bytes) == (3, len(got[0]))
        assert got[0].startswith({"csv": "\ufeffn".encode(), "xlsx": b"PK", "parquet": b"PAR1"}[form])
    real = tmp_path / "real.csv"
    real.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    worker.export("select 1 as a", copy, link, "csv")
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8-sig") == "a\n1\n"
    dangling = tmp_path / "dangling.csv"
    dangling.symlink_to("new.csv")
    worker.export("select 1 as a", copy, dangling, "csv")
    assert (dangling.is_symlink(), (tmp_path / "new.csv").is_file()) == (True, True)
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    for wrong in (loop, tmp_path):
        with pytest.raises(SqlError) as caught:
            worker.export("select 1 as a", copy, wrong, "csv")
        assert caught.value.key == "export_disk"
        assert caught.value.values["reason"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling.csv", "link.csv", "loop", "new.csv", "pipe", "real.csv"]


def test_what_a_killed_export_left_is_swept_by_the_next(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, here = tmp_path / "temporary", tmp_path / "here"
    temporary.mkdir()
    here.mkdir()
    script = (
        "import sys; from pathlib import Path; from samplads.workbench import worker\n"
        "worker.export('select range, md5(range::varchar) from range(100000000)', Path(sys.argv[1]), Path(sys.argv[2]), 'xlsx')"
    )
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(REPOSITORY)}
    killed = subprocess.Popen([sys.executable, "-c", script, str(copy), str(here / "all.xlsx")], env=environment)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    until = time.monotonic() + 30
    while not list(temporary.glob("samplads-export-*/*")) and time.monotonic() < until:
        time.sleep(0.05)
    # As long as it lives, nobody sweeps what is its own.
    worker.export("select 1 as a", copy, here / "other.csv", "csv")
    assert len(list(temporary.glob("samplads-export-*"))) == 1
    assert len(list(here.glob(".*"))) == 1
    killed.kill()
    killed.wait(10)
    time.sleep(0.5)
    worker.export("select 1 as a", copy, here / "other.csv", "csv")
    assert list(temporary.iterdir()) == []
    assert [path.name for path in here.iterdir()] == ["other.csv"]


def test_what_a_workbook_cannot_hold_is_said_and_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    sql = "select string_agg(range::varchar) as all_of_them from range(20000)"
    with pytest.raises(SqlError) as caught:
        worker.export(sql, copy, tmp_path / "out.xlsx", "xlsx")
    assert "»all_of_them« har 108889 i række 2" in i18n.sentence(caught.value, "da")
    assert list(tmp_path.iterdir()) == []
    assert worker.export(sql, copy, tmp_path / "out.csv", "csv").rows == 1


def test_all_that_an_export_lays_aside_has_one_limit(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "aside"
    folder.mkdir()
    running = worker.Export("select 1", copy, tmp_path / "out.xlsx", "xlsx", limits=worker.Limits(export_mb=1))
    with (tmp_path / "target").open("wb") as target:
        assert not running._is_large(target.fileno(), folder)
        for name in ("one", "two", "three"):
            (folder / name).write_bytes(b"x" * 400_000)
        assert running._is_large(target.fileno(), folder)
    monkeypatch.setattr(worker.Export, "_is_large", lambda *_: True)
    with pytest.raises(SqlError) as caught:
        worker.export("from range(100000000)", copy, tmp_path / "out.csv", "csv")
    assert caught.value.key == "export_disk"


@pytest.mark.parametrize("kind", ["run", "export"])
def test_what_nobody_waits_for_is_stopped(copy: Path, tmp_path: Path, kind: str) -> None:
    until = time.monotonic() + 0.7

    def wanted() -> bool:
        return time.monotonic() < until

    sql = "from range(100000000000)"
    if kind == "run":
        work: worker.Run | worker.Export = worker.Run(f"select count(*) {sql}", copy, wanted=wanted)
    else:
        work = worker.Export(sql, copy, tmp_path / "out.csv", "csv", wanted=wanted)
    with pytest.raises(SqlError) as caught:
        work.result()
    assert caught.value.key == "sql_cancelled"
    assert time.monotonic() < until + 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
@pytest.mark.parametrize("kind", ["run", "export"])
def test_a_killed_worker_is_not_said_to_want_memory(copy: Path, tmp_path: Path, kind: str, number: signal.Signals) -> None:
    worker.run("select 1", copy)
    caught: list[SqlError] = []

    def work() -> None:
        try:
            if kind == "run":
                worker.run("select count(*) from range(100000000000)", copy)
            else:
                worker.export("from range(100000000000)", copy, tmp_path / "out.csv", "csv")
        except SqlError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    (server,) = [child for child in _children() if child.ppid() == os.getpid()]
    while len(server.children()) < (1 if kind == "run" else 2):
        time.sleep(0.01)
    time.sleep(0.3)
    # The query's is the first to be made.
    min(server.children(), key=lambda child: child.pid).send_signal(number)
    thread.join(20)
    assert [(error.key, error.values["code"]) for error in caught] == [("sql_died", number.name)]


def test_a_fork_server_that_dies_is_not_said_to_want_memory(copy: Path) -> None:
    worker.run("select 1", copy)
    running = worker.Run("select count(*) from range(100000000000)", copy)
    (server,) = _children()
    threading.Timer(0.5, server.kill).start()
    with pytest.raises(SqlError) as caught:
        running.result()
    assert (caught.value.key, caught.value.values["code"]) == ("sql_died", "fork server")


@pytest.mark.slow
def test_a_large_export_is_whole_and_its_memory_bounded(copy: Path, tmp_path: Path) -> None:
    sql = "select range as n, 'row ' || range as t, date '2000-01-01' + (range % 9000)::integer as d from range({})"
    small = worker.export(sql.format(200_000), copy, tmp_path / "small.parquet", "parquet")
    large = worker.export(sql.format(2_000_000), copy, tmp_path / "large.parquet", "parquet")
    assert large.rows == 2_000_000
    assert pl.scan_parquet(large.path).select(pl.len()).collect().item() == 2_000_000
    assert large.peak_mb < small.peak_mb + 100


def test_a_running_statement_tells_how_far_it_is(copy: Path) -> None:
    running = worker.Run("select max(md5(range::varchar)) from range(200000000)", copy)
    thread = threading.Thread(target=_quietly, args=(running,))
    thread.start()
    seen = set()
    while thread.is_alive() and len(seen) < 3:
        if running.progress is not None:
            seen.add(running.progress)
        time.sleep(0.02)
    running.cancel()
    thread.join()
    assert len(seen) == 3
    assert all(0 <= share < 1 for share in seen)
    assert running.progress == max(seen)


@pytest.mark.parametrize(
    ("sql", "key", "says"),
    [
        ("select municipality, count(*) from unit", "sql_group_by", "»municipality« skal stå i GROUP BY"),
        ("select name a from unit having a", "sql_group_by", "any_value(name)"),
        ("select unit_id from unit join capacity on true", "sql_ambiguous", "unit.unit_id"),
        ("select sum(name) from unit", "sql_arguments", "»sum« kan ikke bruges på VARCHAR"),
        ("select name + 1 from unit", "sql_arguments", "»+« kan ikke bruges på VARCHAR, INTEGER (linje 1, tegn 13)"),
        ("select name::integer from unit", "sql_value", "kan ikke læses som INT32"),
        ("select * from unit where name = 1", "sql_value", "try_cast"),
        ("select date '31-12-2026'", "sql_value_day", "»31-12-2026« er ikke en dag"),
        ("select cast('2026-13-01' as date)", "sql_value_day", "»2026-13-01« er ikke en dag"),
        ("select 300::tinyint", "sql_value_large", "»300« er for stort"),
        ("select 9223372036854775807 + 1", "sql_value_large", "for stort"),
        ("select date_diff('dag', date '2026-01-01', date '2026-02-01')", "sql_date_part", "»dag«"),
        ("select * from unit where unit_id = (select unit_id from unit)", "sql_one_row", "Skriv IN i stedet for ="),
        ("select (select name, unit_id from unit limit 1)", "sql_one_column", "giver 2 kolonner"),
        ("select * from unit where count(*) > 1", "sql_where_aggregate", "HAVING"),
        ("select * from unit where row_number() over () = 1", "sql_where_window", "QUALIFY"),
        ("select sum(count(*)) from unit", "sql_nested_aggregate", "inde i en anden"),
        ("select 1 union select 1, 2", "sql_set_columns", "UNION BY NAME"),
        ("select name from unit order by 5", "sql_order_place", "fra 1 til 1"),
        ("select 5 // 0", "sql_division", "nullif"),
        ("select nam from unit", "sql_column_unknown", "»nam«"),
        ("select u.nam from unit u", "sql_column_unknown", "»nam«"),
        ("select * from unit join capacity using (foo)", "sql_column_unknown", "»foo«"),
        ("select x.name from unit", "sql_alias_unknown", "»x«"),
        ("from unti", "sql_table_unknown", "»unti«"),
        ("select medain(lat) from unit", "sql_function_refused", "»medain« findes ikke"),
    ],
)
def test_what_databases_say_most_often_is_said_in_our_words(copy: Path, sql: str, key: str, says: str) -> None:
    with pytest.raises(SqlError) as caught:
        worker.run(sql, copy)
    assert caught.value.key == key
    assert says in faults.sentence(caught.value, "da")
    for language in i18n.LANGUAGES:
        told = faults.sentence(caught.value, language)
        assert "-, " not in told
        assert "Binder" not in told


def test_where_no_place_is_known_none_is_told() -> None:
    for language in i18n.LANGUAGES:
        for key, text in i18n.catalogue(language).items():
            if key.startswith("errors.sql_") and "{line}" in text and key != "errors.sql_several":
                words = {name: "x" for _, name, _, _ in string.Formatter().parse(text) if name and name not in {"line", "column"}}
                told = faults.sentence(SqlError(key.removeprefix("errors."), **words), language)
                assert " -," not in told, told
                assert " -)" not in told, told
