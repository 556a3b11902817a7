"""`samplads export-hsds`, and the way back: what one warehouse exports, another publishes as the same. And the portal's profile."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from samplads import publishing, queries, settings, warehouse
from samplads.__main__ import main
from samplads.commands import hsds as command
from samplads.errors import SampladsError
from tests import small

PORTAL = Path(__file__).parents[2] / "samples" / "tilbudsportalen"
"""A made-up sample of what the portal's public pages show."""


def differences(one: Path, other: Path, table: str) -> int:
    """Rows of a table that are in one published file and not in the other."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        rows = {name: f"select columns(lambda c: c <> 'delivery_digest') from {name}.{table}" for name in ("one", "other")}
        sql = "select count(*) from (({a} except all {b}) union all ({b} except all {a}))"
        return int(connection.execute(sql.format(a=rows["one"], b=rows["other"])).fetchall()[0][0])


@pytest.mark.parametrize("form", ["folder", "package.zip"])
def test_an_exported_demo_publishes_as_the_same_units_counts_and_approvals(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = publishing.publish([settings.ROOT / "data" / "demo"], folder=tmp_path / "ours").version
    out = tmp_path / form
    assert main(["export-hsds", "--out", str(out), "--warehouse", str(tmp_path / "ours")]) == 0
    assert "HSDS 3.1" in capsys.readouterr().out
    theirs = publishing.publish([out], folder=tmp_path / "theirs")
    assert theirs.deliveries[0].findings.filter(theirs.deliveries[0].findings["severity"] == "set_aside").is_empty()
    # Made-up data do not come back as real.
    assert theirs.deliveries[0].synthetic
    for table in ("unit", "capacity_latest", "target_group_approval"):
        assert differences(ours.path, theirs.version.path, table) == 0, table


def test_an_export_overwrites_only_an_export(tmp_path: Path) -> None:
    small.publish(tmp_path / "warehouse")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SampladsError, match="hsds_out_taken"):
        command.export(taken, warehouse=tmp_path / "warehouse")
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]
    with pytest.raises(SampladsError, match="hsds_out_taken"):
        command.export(taken / "mine.txt", warehouse=tmp_path / "warehouse")
    counts = command.export(tmp_path / "new", warehouse=tmp_path / "warehouse")
    assert counts == command.export(tmp_path / "new", warehouse=tmp_path / "warehouse") == {"units": 3, "counts": 3, "approvals": 4}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "taken", "warehouse"]


def portal(folder: Path, **values: str) -> publishing.Published:
    return publishing.publish([PORTAL], profile="tilbudsportalen", values=values, folder=folder / "warehouse")


def test_the_portals_public_fields_become_units_and_nothing_open(tmp_path: Path) -> None:
    done = portal(tmp_path, day="2026-11-01", assume_full="ja")
    rows = queries.run("units_by_id", done.version.path, unit_ids=["90001-1", "90001-2", "90002-1", "90003-1"])
    told = rows.select("unit_id", "offer_type", "municipality", "operator_kind", "approval_status", "p_number", "maximum", "accepting")
    assert told.rows() == [
        ("90001-1", "A107", "370", "municipal", "approved", "1003298422", 8, 0),
        ("90001-2", "A108S", "370", "municipal", "conditional", "0000000001", 4, 0),
        ("90002-1", "A85B", "259", "self_owning", "suspended", "0000000002", 12, 0),
    ]
    assert rows["confirmed_at"].null_count() == rows.height
    assert done.deliveries[0].as_of == dt.date(2026, 11, 1)
    assert sorted(done.deliveries[0].findings["value"]) == ["90003-1", "Atlantis"]
    # Both speak of the same line of the file.
    assert set(done.deliveries[0].findings.select("file", "row").rows()) == {("afdelinger.csv", 5)}


def test_without_the_assumption_the_portal_tells_no_places(tmp_path: Path) -> None:
    version: warehouse.Version = portal(tmp_path).version
    assert queries.run("capacity_totals", version.path, as_of=dt.date(2030, 1, 1))["units"].to_list() == [0]
    assert queries.run("unit_ids", version.path).height == 3
