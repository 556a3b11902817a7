"""Every attack of `attacks.yaml` is refused, stopped or harmless, and leaves no trace."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from samplads.workbench import child, pool, worker
from samplads.workbench.faults import SqlError

LIMITS = worker.Limits(seconds=20)
RESIDENT_MB = 1152
"""What no process may exceed, whatever it is asked to do (decision 49)."""
BRIEF = dataclasses.replace(LIMITS, seconds=1.0)
HEAVY = {"memory_and_time", "big_but_finished"}
ATTACKS = [
    (group, told["expect"], sql)
    for group, told in yaml.safe_load((Path(__file__).parent / "attacks.yaml").read_text(encoding="utf-8")).items()
    for sql in told["sql"]
]
STOPPED = {"sql_timeout", "sql_memory", "sql_result_wide"}
FAILED = {"sql_failed", *(key for key, _ in child._SAID)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def tried(copy: Path, warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, int]]:
    """Each statement -> (what became of it, everything that was said or shown, peak memory in MB)."""
    here = tmp_path_factory.mktemp("here")
    (here / "secret.csv").write_text("a\nSECRET-7\n")
    (here / "secret.json").write_text('{"a": "SECRET-7"}')
    (here / "secret.parquet").write_bytes(b"PAR1SECRET-7PAR1")
    os.environ["SECRET_TOKEN"] = "SECRET-7"
    before = {path: _digest(path) for path in (copy, warehouse_file)}
    beside = sorted(copy.parent.iterdir())
    names = {"here": here, "db": copy, "warehouse": warehouse_file, "db_name": "analyst"}

    def attack(entry: tuple[str, str, str]) -> tuple[str, tuple[str, str, int]]:
        sql = entry[2]
        text = sql
        for name, value in names.items():
            text = text.replace("{" + name + "}", str(value))
        try:
            outcome = worker.run(text, copy, limits=BRIEF if entry[0] in HEAVY else LIMITS)
        except SqlError as error:
            kind = "stopped" if error.key in STOPPED else "failed" if error.key in FAILED else "refused"
            return sql, (kind, f"{error} {error.candidates}", error.peak_mb)
        return sql, ("harmless", str(outcome.frame.rows()), outcome.peak_mb)

    with ThreadPoolExecutor(3) as threads:
        results = dict(threads.map(attack, ATTACKS))
    del os.environ["SECRET_TOKEN"]
    assert {path: _digest(path) for path in before} == before
    assert sorted(copy.parent.iterdir()) == beside
    assert sorted(path.name for path in here.iterdir()) == ["secret.csv", "secret.json", "secret.parquet"]
    return results


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 200
    assert len({sql for _, _, sql in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize(("group", "expect"), sorted({(group, expect) for group, expect, _ in ATTACKS}))
def test_attack(group: str, expect: str, tried: dict[str, tuple[str, str, int]]) -> None:
    wrong = {sql: tried[sql] for of, _, sql in ATTACKS if of == group and expect != "any" and tried[sql][0] != expect}
    assert not wrong


def test_nothing_is_given_away(tried: dict[str, tuple[str, str, int]]) -> None:
    for sql, (_, said, _) in tried.items():
        assert "SECRET-7" not in said, sql
        assert "root:" not in said, sql
        assert "010190" not in said, sql
        for hidden in ("finding", "stay_id", "person_ref", "duckdb_tables", "information_schema"):
            assert hidden in sql or hidden not in said, (sql, said)


def test_memory_stays_under_its_cap(tried: dict[str, tuple[str, str, int]]) -> None:
    assert LIMITS.address_mb <= RESIDENT_MB
    # Also, and above all, of those that had to be stopped: a killed process leaves its peak behind.
    assert all(peak > 0 for _, _, peak in tried.values())
    assert max(peak for _, _, peak in tried.values()) < RESIDENT_MB
    # The measure is one: some of the stopped ones took a good part of what they may.
    assert max(peak for kind, _, peak in tried.values() if kind == "stopped") > LIMITS.memory_mb / 2


def test_all_that_may_run_at_once_fits_a_small_server() -> None:
    assert pool.Pool().most_memory(worker.Limits()) <= 6.25 * 1024
    assert pool.Pool().most_memory(worker.Limits()) == 4 * RESIDENT_MB + 2 * worker.Limits().writer_mb


def test_the_workbench_still_serves(copy: Path, tried: dict[str, tuple[str, str, int]]) -> None:
    assert tried
    assert worker.run("select count(*) from unit", copy).frame.item() == 40
