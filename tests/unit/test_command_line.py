"""The command answers on standard output, complains in one sentence on standard error, and tells by its exit code which it was."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest

from samplads.__main__ import main
from tests import small


def test_query_writes_all_rows_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    arguments = ["query", "capacity_totals", "--param", "as_of=2026-11-30", "--warehouse", str(tmp_path), "--format"]
    assert main([*arguments, "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"units": 3, "maximum": 24, "occupied": 19, "reserved": 1, "accepting": 3}]
    assert main([*arguments, "csv"]) == 0
    assert pl.read_csv(io.StringIO(capsys.readouterr().out))["maximum"].to_list() == [24]
    assert main([*arguments, "table"]) == 0
    assert "24" in capsys.readouterr().out


def test_query_without_a_name_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query"]) == 0
    assert "occupancy_by_unit" in capsys.readouterr().out


@pytest.mark.parametrize(("language", "words"), [("da", "findes ikke"), ("en", "There is no query")])
def test_an_unknown_query_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, words: str) -> None:
    assert main(["--language", language, "query", "no_such", "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_wrong_parameters_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    assert main(["query", "capacity_totals", "--param", "day=2026-11-01", "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "as_of" in told
    assert "day" in told


def test_rollback_without_a_version_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(tmp_path)
    assert main(["rollback", "--warehouse", str(tmp_path)]) == 2
    assert "ingen tidligere version" in capsys.readouterr().err
