"""Public data of others, published as they come: the numbers that an independent count gives, whatever order they arrive in.

The files lie beside the project (`../shared/real`); where they are not, these tests are skipped.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest

from samplads import extracts, publishing, queries, settings, warehouse
from samplads.__main__ import main
from samplads.errors import SampladsError
from samplads.presenting import exports
from tests import small

REAL = settings.ROOT.parent / "shared" / "real"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REAL.is_dir(), reason="the public acceptance data are not beside the project (../shared/real)"),
]


def snapshots() -> list[Path]:
    return sorted((REAL / "florida-beds").glob("*.csv"))


def publish_beds(order: tuple[Path, ...], folder: Path) -> warehouse.Version:
    for file in order:
        version = publishing.publish([file], profile="florida_beds", values={"municipality": "101"}, folder=folder).version
    return version


def test_bed_snapshots_in_any_order_are_the_same_warehouse_with_each_units_history(tmp_path: Path) -> None:
    orders = list(itertools.permutations(snapshots()))
    versions = [publish_beds(order, tmp_path / str(number)) for number, order in enumerate((orders[0], orders[-1], orders[2]))]
    assert len({version.id for version in versions}) == 1
    first, *others = (queries.run("unit_history", version.path, unit_id=_busiest(version)) for version in versions)
    assert all(first.equals(other) for other in others)
    counted = first.filter(pl.col("field") == "occupied")
    assert counted["changed_on"].to_list() == [dt.date(2020, 11, 27), dt.date(2020, 8, 14)]
    days = queries.run("units_by_id", versions[0].path, unit_ids=[_busiest(versions[0])])
    assert days["as_of"].to_list() == [dt.date(2020, 11, 27)]

    totals = queries.run("capacity_totals", versions[0].path, as_of=dt.date(2020, 7, 17)).row(0, named=True)
    assert (totals["maximum"], totals["occupied"], totals["accepting"]) == (60_543, 47_300, 13_243)


def line(file: Path, row: int) -> dict[str, str]:
    """A row of a CSV file by its number as a person counts it: the header is row 1."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    return dict(zip(rows[0], rows[row - 1], strict=True))


def test_a_finding_of_beds_names_the_line_of_the_file(tmp_path: Path) -> None:
    checked = publishing.check(REAL / "florida-beds", profile="florida_beds", values={"municipality": "101"}, folder=tmp_path)
    empty = checked.findings.filter(pl.col("rule") == "no_places")
    assert empty.height
    for file, row in empty.select("file", "row").iter_rows():
        assert line(REAL / "florida-beds" / file, row)["Total Staffed Bed Capacity"] == "0"
    kept = checked.frames["capacity"].collect()
    # A full hospital says neither that it keeps a list nor that it is closed.
    assert set(kept["status"].to_list()) == {"open", None}
    assert (kept["status"].is_null() == (kept["accepting"] <= 0)).all()


def test_a_finding_of_stays_and_projects_names_the_line_of_the_file(hmis: publishing.Published) -> None:
    (delivery,) = hmis.deliveries
    assert set(delivery.findings["file"]) <= {path.name for path in (REAL / "hmis-2022").iterdir()}
    file, row = delivery.findings.filter(pl.col("extract") == "stay").select("file", "row").row(0)
    enrolled = line(REAL / "hmis-2022" / file, row)
    with (REAL / "hmis-2022" / "Exit.csv").open(encoding="utf-8-sig", newline="") as stream:
        (left,) = (one["ExitDate"] for one in csv.DictReader(stream) if one["EnrollmentID"] == enrolled["EnrollmentID"])
    assert left < enrolled["EntryDate"]
    for file, row, value in delivery.findings.filter(pl.col("extract") == "capacity").select("file", "row", "value").iter_rows():
        assert line(REAL / "hmis-2022" / file, row)["ProjectID"], (file, row, value)


def _busiest(version: warehouse.Version) -> str:
    """The unit whose places differ between all three counts by most: one with a history to show."""
    rows = queries.run("match_units", version.path).sort("occupied", "unit_id", descending=[True, False])
    return str(rows["unit_id"][0])


@pytest.fixture(scope="module")
def hmis(tmp_path_factory: pytest.TempPathFactory) -> publishing.Published:
    folder = tmp_path_factory.mktemp("hmis")
    return publishing.publish([REAL / "hmis-2022"], profile="hmis", values={"municipality": "101"}, folder=folder)


@pytest.mark.parametrize(
    ("day", "present", "over"),
    [
        (dt.date(2020, 9, 30), 87, None),
        (dt.date(2021, 9, 30), 289, {(90, 10), (13, 7), (21, 9)}),
        (dt.date(2022, 3, 31), 275, 5),
    ],
)
def test_persons_in_projects_with_beds_in_force(
    hmis: publishing.Published, day: dt.date, present: int, over: set[tuple[int, int]] | int | None
) -> None:
    rows = queries.run("occupancy_by_unit", hmis.version.path, day=day)
    with_beds = rows.filter(pl.col("capacity") > 0)
    assert with_beds["persons"].sum() == present
    crowded = with_beds.filter(pl.col("persons") > pl.col("capacity")).select("persons", "capacity").rows()
    if isinstance(over, set):
        assert set(crowded) == over
    elif over is not None:
        assert len(crowded) == over
    # Beds that begin later: shown with capacity 0. Projects that never have beds (outreach) are not among the rows.
    assert rows["persons"].sum() - present == (8 if day == dt.date(2020, 9, 30) else 0)
    asked = {"day": day, "ageing_days": 90, "expiry_days": 90, "deviation_points": 5}
    issues = queries.run("quality_issues", hmis.version.path, **asked).filter(pl.col("issue") == "persons_over_maximum")
    listed = issues.select(pl.col("told", "held_against").cast(pl.Int64)).rows()
    assert sorted(listed) == sorted(crowded)


def test_every_inventory_and_bed_is_in_the_warehouse(hmis: publishing.Published) -> None:
    with (REAL / "hmis-2022" / "Inventory.csv").open(encoding="utf-8-sig", newline="") as stream:
        inventories = list(csv.DictReader(stream))
    assert (len(inventories), sum(int(row["BedInventory"]) for row in inventories)) == (21, 297)
    counts = queries.run("hsds_capacity", hmis.version.path)
    by_project: dict[str, int] = {}
    for row in inventories:
        by_project[row["ProjectID"]] = by_project.get(row["ProjectID"], 0) + int(row["BedInventory"])
    assert dict(counts.select("unit_id", "maximum").iter_rows()) == by_project
    assert queries.run("capacity_totals", hmis.version.path, as_of=dt.date(2022, 3, 31))["maximum"].to_list() == [297]


def test_the_one_stay_that_ends_before_it_starts_is_the_one_finding_about_stays(hmis: publishing.Published) -> None:
    (delivery,) = hmis.deliveries
    stays = delivery.findings.filter(pl.col("extract") == "stay")
    assert stays["rule"].to_list() == ["ends_after_it_starts"]
    assert queries.run("capacity_totals", hmis.version.path, as_of=dt.date(2022, 3, 31)).height == 1


def test_an_hsds_package_is_published_with_all_that_is_wrong_in_it_told(tmp_path: Path) -> None:
    done = publishing.publish([REAL / "hsds-3.1"], values={"municipality": "101"}, folder=tmp_path)
    found = done.deliveries[0].findings
    by_rule = dict(found.group_by("rule").len().iter_rows())
    assert by_rule["hsds_dangling_key"] == 7
    assert found.filter(pl.col("rule") == "hsds_available_above_maximum")["value"].to_list() == ["12 > 10"]
    assert found.filter(pl.col("rule") == "hsds_not_a_place")["value"].to_list() == ["Kilogram"]
    for language in ("da", "en"):
        for finding in extracts.from_frame(found):
            assert extracts.what_to_do(finding, language)
    # The one capacity speaks of a service that is not in the package: set aside and told, not hung on another.
    assert found.filter(pl.col("severity") == "set_aside").select("extract", "rule").rows() == [("capacity", "unknown_reference")]
    assert queries.run("unit_ids", done.version.path).height == 1


def naughty() -> list[str]:
    strings: list[str] = json.loads((REAL / "blns.json").read_text(encoding="utf-8"))
    return strings


def csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_naughty_strings_as_names_and_notes_are_kept_or_told_and_harmless_in_every_export(tmp_path: Path) -> None:
    strings = naughty()
    delivery = tmp_path / "blns"
    delivery.mkdir()
    lines = ["unit_id;offer_id;name;municipality;note"]
    lines += [f"U-{number};T-1;{csv_cell(text)};101;{csv_cell(text)}" for number, text in enumerate(strings)]
    (delivery / "unit.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogatepass"))
    done = publishing.publish([delivery], folder=tmp_path / "warehouse")
    counts = done.deliveries[0].counts.row(0, named=True)
    assert counts["accepted"] + counts["set_aside"] == len(strings)
    kept = queries.run("hsds_units", done.version.path)
    told = set(done.deliveries[0].findings["row"].drop_nulls())
    assert kept.height + len(told) >= len(strings)

    frame = kept.select("unit_id", "name", "note")
    rows = exports.csv(frame, "da").decode("utf-8-sig")
    for row in csv.reader(io.StringIO(rows, newline=""), delimiter=";"):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    book = exports.xlsx(frame, "da", title="blns")
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"<hyperlink" not in sheet


def told_in_words(findings: pl.DataFrame) -> None:
    """Every finding has its sentence and its place in both languages."""
    for language in ("da", "en"):
        for finding in extracts.from_frame(findings):
            assert extracts.what_to_do(finding, language)
            assert extracts.place(finding, language)


def test_naughty_strings_as_headers_give_a_sentence_each(tmp_path: Path) -> None:
    facts = publishing.read_reference(settings.ROOT / "data" / "reference").codes()
    strings = naughty()
    delivery = tmp_path / "blns"
    delivery.mkdir()
    headers = ";".join(csv_cell(text) for text in strings)
    (delivery / "unit.csv").write_text(
        f"unit_id;offer_id;name;municipality;{headers}\nU-1;T-1;Birk;101{';x' * len(strings)}\n", encoding="utf-8"
    )
    checked = extracts.check(extracts.read_delivery(delivery, name="blns"), facts)
    assert checked.findings.height
    told_in_words(checked.findings)


@pytest.mark.parametrize("packed", [False, True])
def test_naughty_strings_as_file_names_are_read_or_told(tmp_path: Path, packed: bool) -> None:
    """Every string that can be a name: its file is read, or told, or hidden as files of systems are."""
    names = {
        name
        for text in naughty()
        if (name := f"{text}.csv") and "/" not in name and "\0" not in name and len(name.encode("utf-8", "surrogateescape")) <= 255
    }
    assert len(names) > 300
    delivery = tmp_path / "blns"
    delivery.mkdir()
    content = "unit_id;offer_id;name;municipality\nU-1;T-1;Birk;101\n"
    if packed:
        delivery = tmp_path / "blns.zip"
        with zipfile.ZipFile(delivery, "w") as archive:
            for name in names:
                archive.writestr(name, content)
    else:
        for name in names:
            (delivery / name).write_text(content, encoding="utf-8")
    done = publishing.publish([delivery], folder=tmp_path / "warehouse")
    told_in_words(done.deliveries[0].findings)
    counts = done.deliveries[0].counts
    hidden = {name for name in names if any(part.startswith((".", "~$")) for part in name.replace("\\", "/").split("/"))}
    refused = set(done.deliveries[0].findings.filter(pl.col("severity") == "refused_file")["file"])
    assert len(names) - len(hidden) - len(refused) <= counts["delivered"].sum() <= len(names)
    assert counts["accepted"].sum() == 1
    assert queries.run("unit_ids", done.version.path)["unit_id"].to_list() == ["U-1"]


def test_a_query_as_csv_holds_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.publish(
        tmp_path, small.archived({"unit": [small.UNITS[0] | {"name": text, "unit_id": f"U-{n}"} for n, text in enumerate(naughty())]})
    )
    capsys.readouterr()
    assert main(["query", "hsds_units", "--format", "csv", "--warehouse", str(tmp_path)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert len(rows) == len(naughty())
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_real_files_leave_no_trace_of_a_refused_number(tmp_path: Path) -> None:
    """A bed census with a civil registration number in one cell: refused whole, the number is nowhere on the disk."""
    number = "010190-1234"
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    shutil.copy(snapshots()[0], delivery)
    (delivery / "unit.csv").write_text(f"unit_id;offer_id;name;municipality;note\nU-1;T-1;Birk;101;ring {number}\n", encoding="utf-8")
    (delivery / "target_group_approval.csv").write_text("unit_id;target_group;rank\n", encoding="utf-8")
    folder = tmp_path / "warehouse"
    with pytest.raises(SampladsError) as told:
        publishing.publish([delivery], folder=folder)
    assert number not in str(told.value)
    for path in folder.rglob("*") if folder.exists() else ():
        assert not path.is_file() or number.encode() not in path.read_bytes()
