"""docs/reading-the-warehouse.md is run: what it says works on a published folder."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

import duckdb
import polars as pl
import pytest

from samplads.__main__ import main
from samplads.workbench import library, worker

PAGE = (Path(__file__).parents[3] / "docs" / "reading-the-warehouse.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for tag, text in BLOCKS if tag == language]


@pytest.fixture(scope="module")
def published(copy: Path, warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse folder whose version in force is the fixture's."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copy(warehouse_file, folder)
    shutil.copy(copy, folder)
    entry = {"id": warehouse_file.stem, "deliveries": [], "published_at": "2026-11-01T00:00:00+00:00"}
    before = {**entry, "id": "f" * 20, "published_at": "2026-10-01T00:00:00+00:00"}
    (folder / "current.json").write_text(json.dumps({"format": 1, "history": [before, entry]}))
    return folder


@pytest.fixture(scope="module")
def desk(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's shell lines have been run."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SAMPLADS_WAREHOUSE", str(published))
        for line in blocks("sh")[0].splitlines():
            assert line.startswith("samplads ")
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_exports_are_whole(desk: Path, copy: Path) -> None:
    assert sorted(path.name for path in desk.iterdir()) == ["capacity.csv", "occupancy.xlsx", "unit_now.parquet"]
    with duckdb.connect(str(copy), read_only=True) as connection:
        for table, rows in (("unit_now", pl.read_parquet(desk / "unit_now.parquet").height), ("capacity", _csv_rows(desk))):
            assert connection.execute(f"select count(*) from {table}").fetchall() == [(rows,)]


def test_the_workbook_holds_the_whole_answer_typed(desk: Path, copy: Path) -> None:
    query = library.get("occupancy_by_region")
    expected = worker.run(query.sql, copy, parameters=query.example()).frame
    found = pl.read_excel(desk / "occupancy.xlsx")
    assert tuple(found.columns) == query.columns
    assert found.height == expected.height > 0
    for name in found.columns:
        assert found[name].dtype.is_numeric() == expected[name].dtype.is_numeric()
        assert found[name].to_list() == pytest.approx(expected[name].to_list())


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_a_workbook_is_not_written_to_a_terminal(
    capsys: pytest.CaptureFixture[str], published: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for arguments in (("sql", "from unit"), ("export", "--table", "unit")):
        code, out, err = run(capsys, published, *arguments, "--format", form)
        assert (code, out) == (2, "")
        assert "--out" in err
    code, out, _ = run(capsys, published, "sql", "select 1 as a", "--format", "csv")
    assert (code, out.lstrip("\ufeff").split()) == (0, ["a", "1"])


def _csv_rows(desk: Path) -> int:
    with (desk / "capacity.csv").open(encoding="utf-8-sig", newline="") as stream:
        return sum(1 for _ in csv.DictReader(stream, delimiter=";"))


def test_python_blocks_run(desk: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(published))
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert names["same_copy"] == names["copy"]
    assert isinstance(names["frame"], pl.DataFrame)
    assert names["frame"].height > 0
    capacity = names["capacity"]
    assert isinstance(capacity, pl.DataFrame)
    assert capacity.schema["as_of"] == pl.Date
    assert capacity.schema["maximum"] == pl.Int64
    assert isinstance(names["by_type"], pl.DataFrame)


def test_sql_blocks_run(copy: Path) -> None:
    with duckdb.connect(str(copy), read_only=True) as connection:
        for block in blocks("sql"):
            for statement in connection.extract_statements(block):
                assert connection.execute(statement).fetchall()


def test_the_command_line_of_duckdb_reads_it(copy: Path) -> None:
    program = shutil.which("duckdb")
    if program is None:
        # The same file through the same library: what the program would open.
        assert "-readonly" in blocks("text")[0]
        with duckdb.connect(str(copy), read_only=True) as connection:
            assert connection.execute("show tables").fetchall()
        return
    done = subprocess.run([program, "-readonly", str(copy), "-c", "show tables"], capture_output=True, text=True, check=True)
    assert "unit_now" in done.stdout


def test_power_query_and_r_name_files_and_settings_that_hold(desk: Path) -> None:
    for block in (*blocks("powerquery"), *blocks("r")):
        for name in re.findall(r'"(?:S:\\samplads\\)?([\w.]+\.(?:csv|parquet))"', block):
            assert (desk / name).is_file()
    typed = next(block for block in blocks("powerquery") if "Csv.Document" in block)
    assert 'Delimiter = ";"' in typed
    assert "Encoding = 65001" in typed
    data = (desk / "capacity.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    with (desk / "capacity.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    for column, kind in re.findall(r'\{"(\w+)", (?:type )?([\w.]+)\}', typed):
        values = [row[column] for row in rows if row[column]]
        assert values
        pattern = r"\d{4}-\d\d-\d\d" if kind == "date" else r"-?\d+"
        assert all(re.fullmatch(pattern, value) for value in values), column
    if program := shutil.which("Rscript"):
        script = 'x <- read.csv2("capacity.csv", fileEncoding = "UTF-8-BOM"); cat(nrow(x))'
        done = subprocess.run([program, "-e", script], capture_output=True, text=True, check=True, cwd=desk)
        assert done.stdout == str(len(rows))


def run(capsys: pytest.CaptureFixture[str], published: Path, *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments, "--warehouse", str(published)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_sql_shows_a_table_and_says_when_it_is_cut(capsys: pytest.CaptureFixture[str], published: Path) -> None:
    code, out, err = run(capsys, published, "sql", "select range as n from range(10)", "--rows", "3")
    assert code == 0
    assert "│ 2 " in out
    assert "│ 3 " not in out
    assert "Viser 3 af flere rækker" in err
    code, out, err = run(capsys, published, "sql", "select 1 as a", "--format", "json")
    assert (code, json.loads(out), err) == (0, [{"a": 1}], "")


def test_sql_says_what_and_where(capsys: pytest.CaptureFixture[str], published: Path) -> None:
    code, out, err = run(capsys, published, "sql", "select nam\nfrom unti")
    assert (code, out) == (2, "")
    assert "»unti«" in err
    assert "from unti\n     ^^^^" in err
    assert "Mente du: unit?" in err
    code, _, err = run(capsys, published, "sql", "select nam from unit")
    assert code == 2
    assert "select nam from unit\n       ^^^" in err


def test_sql_takes_a_file_parameters_and_a_reviewed_query(capsys: pytest.CaptureFixture[str], published: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("select $a + 1 as x, $b as y", encoding="utf-8-sig")
    arguments = ("sql", "--file", str(file), "--param", "a:number=1,5", "--param", "b=0101", "--format", "csv")
    code = main([*arguments, "--warehouse", str(published)])
    assert code == 0
    assert "2,5;0101" in capsys.readouterr().out
    code, out, _ = run(capsys, published, "sql", "--query", "stale_vacancies", "--param", "days=1", "--format", "json")
    assert code == 0
    assert json.loads(out)
    code, out, _ = run(capsys, published, "sql", "--query", "list")
    assert "stale_vacancies" in out
    for wrong in (("sql", "--query", "nothing"), ("sql", "--file", "nothing.sql"), ("sql", "select 1", "--param", "a"), ("sql",)):
        code, _, err = run(capsys, published, *wrong)
        assert (code, bool(err)) == (2, True), wrong


def test_sql_stops_at_its_time_and_exports_a_plan(capsys: pytest.CaptureFixture[str], published: Path) -> None:
    code, _, err = run(capsys, published, "sql", "select count(*) from range(100000000000)", "--timeout", "0.3")
    assert code == 2
    assert "stoppet" in err
    code, out, _ = run(capsys, published, "sql", "explain from unit")
    assert code == 0
    assert "Scan" in out


def test_export_of_a_table_that_is_not(capsys: pytest.CaptureFixture[str], published: Path) -> None:
    code, _, err = run(capsys, published, "export", "--table", "need")
    assert code == 2
    assert "need_count" in err
    code, out, _ = run(capsys, published, "export", "--table", "region")
    assert code == 0
    assert "code;name" in out


def test_without_an_analyst_copy(capsys: pytest.CaptureFixture[str], published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    shutil.copytree(published, folder, ignore=shutil.ignore_patterns("*.analyst.duckdb"))
    code, _, err = run(capsys, folder, "sql", "select 1")
    assert code == 2
    assert "analysekopi" in err


def test_a_file_holds_every_row_whatever_its_format(capsys: pytest.CaptureFixture[str], published: Path, tmp_path: Path) -> None:
    statement = ("sql", "select range as n from range(3000)")
    for name, more in (("all.json", ()), ("all.txt", ("--format", "json")), ("ALL.JSON", ())):
        assert run(capsys, published, *statement, "--out", str(tmp_path / name), *more)[0] == 0
        assert len(json.loads((tmp_path / name).read_text(encoding="utf-8"))) == 3000
    assert run(capsys, published, *statement, "--out", str(tmp_path / "table"))[0] == 0
    assert "│ 2999 │" in (tmp_path / "table").read_text(encoding="utf-8")
    assert run(capsys, published, *statement, "--out", str(tmp_path / "all.csv"))[0] == 0
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines()) == 3001
    assert run(capsys, published, *statement, "--out", str(tmp_path / "all.parquet"))[0] == 0
    assert pl.read_parquet(tmp_path / "all.parquet").height == 3000
    assert run(capsys, published, "export", "--table", "unit", "--out", str(tmp_path / "unit.parquet"))[0] == 0
    assert pl.read_parquet(tmp_path / "unit.parquet").height > 0
    # How many are shown says nothing of a file.
    assert run(capsys, published, *statement, "--rows", "5", "--out", str(tmp_path / "five.json"))[0] == 0
    assert len(json.loads((tmp_path / "five.json").read_text(encoding="utf-8"))) == 3000
    code, _, err = run(capsys, published, *statement, "--out", str(tmp_path / "no" / "all.json"))
    assert (code, bool(err)) == (2, True)
    code, _, err = run(capsys, published, "sql", "explain from unit", "--out", str(tmp_path / "plan.txt"))
    assert (code, "Scan" in (tmp_path / "plan.txt").read_text(encoding="utf-8")) == (0, True)
    assert not list(tmp_path.glob(".*"))


def test_a_table_in_a_file_goes_through_a_pipe_too(capsys: pytest.CaptureFixture[str], published: Path, tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    assert run(capsys, published, "sql", "select 1 as a", "--format", "json", "--out", str(pipe))[0] == 0
    reader.join(20)
    assert json.loads(got[0]) == [{"a": 1}]


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "x", "1e9", ""])
def test_a_time_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str], published: Path, seconds: str) -> None:
    for arguments in (("sql", "select 1"), ("export", "--table", "region")):
        code, out, err = run(capsys, published, *arguments, "--timeout", seconds)
        assert (code, out) == (2, "")
        assert "--timeout" in err
