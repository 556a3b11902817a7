"""What a delivery may be on disk: a folder, one file, an archive; and what each of them may not do."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from pathlib import Path

import duckdb
import polars as pl
import pytest

from samplads import publishing, queries, warehouse
from samplads.errors import SampladsError
from tests import deliveries, small

UNIT = "unit_id;offer_id;name;municipality\nA-1;T-1;Birkehuset;370\n"
CAPACITY = "unit_id;as_of;maximum;occupied;accepting\nA-1;01.11.2026;8;6;1\n"


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "november"
    folder.mkdir()
    (folder / "unit.csv").write_text(UNIT, encoding="utf-8")
    (folder / "capacity.csv").write_text(CAPACITY, encoding="utf-8")
    return folder


def test_an_archive_is_its_files(delivery: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "november.zip", "w") as archive:
        for file in delivery.iterdir():
            archive.write(file, file.name)
    packed = publishing.check(tmp_path / "november.zip", folder=tmp_path / "none")
    plain = publishing.check(delivery, folder=tmp_path / "none")
    assert packed.digest == plain.digest
    assert packed.as_of == plain.as_of
    assert packed.counts["accepted"].sum() == plain.counts["accepted"].sum() == 2


def test_a_damaged_archive_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 this is no archive")
    with pytest.raises(SampladsError, match="nothing_accepted"):
        publishing.publish([tmp_path / "bad.zip"], folder=tmp_path / "warehouse")


def test_a_profile_on_one_file_does_not_see_its_neighbours(delivery: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    profile.mkdir()
    (profile / "unit.sql").write_text(
        "select unit_id, offer_id, name, municipality from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true)",
        encoding="utf-8",
    )
    alone = publishing.check(delivery / "unit.csv", profile=str(profile), folder=tmp_path / "none")
    assert alone.counts.filter(alone.counts["extract"] == "unit")["accepted"].item() == 1
    # With its neighbour in view the two files do not fit together.
    with pytest.raises(SampladsError, match="profile_failed"):
        publishing.check(delivery, profile=str(profile), folder=tmp_path / "none")


def test_an_empty_folder_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SampladsError, match="delivery_empty"):
        publishing.check(tmp_path / "empty", folder=tmp_path / "none")
    with pytest.raises(SampladsError, match="delivery_missing"):
        publishing.check(tmp_path / "nowhere", folder=tmp_path / "none")


@pytest.mark.parametrize("packed", [False, True])
def test_a_delivery_named_by_a_number_is_refused_and_its_name_is_nowhere(delivery: Path, tmp_path: Path, packed: bool) -> None:
    number = "010190-1234"
    named = delivery.rename(tmp_path / f"sag {number}")
    if packed:
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            for file in named.iterdir():
                archive.write(file, file.name)
        named = tmp_path / f"{number}.zip"
    checked = publishing.check(named, folder=tmp_path / "none")
    assert checked.findings["rule"].to_list() == ["personal_number_in_name"]
    assert checked.counts.is_empty()
    assert number not in checked.name
    assert number not in checked.findings.write_csv()
    with pytest.raises(SampladsError, match="nothing_accepted") as told:
        publishing.publish([named], folder=tmp_path / "warehouse")
    assert number not in str(told.value)
    for profile in ("florida_beds", "hsds"):
        with pytest.raises(SampladsError, match="delivery_refused") as told:
            publishing.check(named, profile=profile, folder=tmp_path / "none")
        assert number not in str(told.value)
    assert not list((tmp_path / "warehouse").rglob("*.duckdb"))


def test_an_archived_delivery_is_never_called_by_a_number() -> None:
    archived = small.archived(name="borger 010190-1234")
    assert "1234" not in archived.name


def test_a_delivery_given_as_the_folder_one_stands_in_has_its_name(delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(delivery)
    assert publishing.check(Path(), folder=tmp_path / "none").name == "november"
    (delivery / "below").mkdir()
    monkeypatch.chdir(delivery / "below")
    assert publishing.check(Path(".."), folder=tmp_path / "none").name == "november"


def test_names_of_old_systems_are_read_and_published(delivery: Path, tmp_path: Path) -> None:
    (delivery / "unit.csv").rename(delivery / os.fsdecode("unit på øen.csv".encode("cp1252")))
    named = delivery.rename(tmp_path / os.fsdecode("Køge".encode("cp1252")))
    done = publishing.publish([named], folder=tmp_path / "warehouse")
    assert done.deliveries[0].name == "Køge"
    assert done.deliveries[0].counts["accepted"].sum() == 2


def test_a_year_mistyped_does_not_date_a_delivery(delivery: Path, tmp_path: Path) -> None:
    with (delivery / "capacity.csv").open("a", encoding="utf-8") as file:
        file.write("A-1;01.11.2062;8;6;1\n")
    checked = publishing.check(delivery, folder=tmp_path / "none")
    assert checked.findings["rule"].to_list() == ["date_in_future"]
    assert checked.as_of.isoformat() == "2026-11-01"
    (delivery / "capacity.csv").unlink()
    named = delivery.rename(tmp_path / "november 2062-11-01")
    assert publishing.check(named, folder=tmp_path / "none").as_of.year < 2062


def test_two_deliveries_of_one_name_are_counted_apart(delivery: Path, tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    (delivery / "unit.csv").write_text(UNIT + "A-2;T-1;Eg;999\n", encoding="utf-8")
    publishing.publish([delivery], folder=folder)
    (delivery / "unit.csv").write_text(UNIT + "B-1;T-2;Elm;259\n", encoding="utf-8")
    (delivery / "capacity.csv").write_text("unit_id;as_of;maximum;occupied;accepting;confirmed_at\nB-1;15.11.2026;8;9;1;14.11.2026\n")
    version = publishing.publish([delivery], folder=folder).version
    rows = queries.run("deliveries", version.path)
    assert rows["delivery"].to_list() == ["november", "november"]
    assert rows.select("delivered", "accepted", "set_aside", "findings").rows() == [(3, 3, 0, 1), (3, 2, 1, 1)]
    assert queries.run("findings", version.path).select("rule", "municipality_name").rows() == [
        ("unknown_code", "Næstved"),
        ("states_within_maximum", "Køge"),
    ]
    by_town = queries.run("deliveries_by_municipality", version.path)
    counted = by_town.select("municipality_name", "as_of", "delivered", "accepted", "set_aside", "findings", "oldest_confirmation")
    assert counted.rows() == [
        ("Køge", dt.date(2026, 11, 15), 2, 2, 0, 1, dt.date(2026, 11, 14)),
        ("Næstved", dt.date(2026, 11, 15), 1, 1, 0, 0, None),
        ("Næstved", dt.date(2026, 11, 1), 3, 2, 1, 1, None),
    ]


def test_archives_of_the_shape_before_are_built_again(delivery: Path, tmp_path: Path) -> None:
    """An archive without municipalities still counts: what it does not tell concerns the whole delivery."""
    folder = tmp_path / "warehouse"
    (delivery / "unit.csv").write_text(UNIT + "A-2;T-1;Eg;999\n", encoding="utf-8")
    first = publishing.publish([delivery], folder=folder)
    archive = folder / "deliveries" / first.deliveries[0].digest
    for name in ("finding", "delivery_count"):
        kept = pl.read_parquet(archive / f"{name}.parquet", memory_map=False).drop("municipality")
        kept.write_parquet(archive / f"{name}.parquet")
    later = delivery.parent / "december"
    later.mkdir()
    (later / "unit.csv").write_text(UNIT.replace("A-1", "B-1"), encoding="utf-8")
    version = publishing.publish([later], folder=folder).version
    assert queries.run("findings", version.path).select("rule", "municipality").rows() == [("unknown_code", None)]
    assert queries.run("deliveries", version.path)["accepted"].to_list() == [1, 2]


def test_rows_set_aside_stay_in_the_archive_and_enter_no_warehouse(delivery: Path, tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    (delivery / "unit.csv").write_text(UNIT + "A-2;T-1;Hemmelig Have;999\n", encoding="utf-8")
    done = publishing.publish([delivery], folder=folder)
    kept = warehouse.set_aside(done.deliveries[0].digest, folder)
    assert kept is not None
    assert kept["cells"].to_list() == [["A-2", "T-1", "Hemmelig Have", "999"]]
    assert b"Hemmelig Have" not in done.version.path.read_bytes()
    assert warehouse.set_aside("../deliveries", folder) is None
    assert warehouse.set_aside("0" * 20, folder) is None


def rows(version: warehouse.Version, columns: str, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(version.path), read_only=True) as connection:
        return connection.execute(f"select {columns} from {table} order by all").fetchall()


def test_a_delivery_with_one_fault_of_every_kind_publishes_the_rest(tmp_path: Path) -> None:
    delivery = deliveries.write(tmp_path, deliveries.every_fault(small.AUTISM, small.EXTERNALISING))
    version = publishing.publish([delivery], folder=tmp_path / "warehouse").version
    assert set(rows(version, 'file, row, "column", rule', "finding")) == deliveries.EVERY_FAULT
    assert len(rows(version, "rule", "finding")) == len(deliveries.EVERY_FAULT)
    assert rows(version, "unit_id, name, municipality, assumed_occupancy_pct, daily_rate_ore", "unit") == [
        ("A-1", "Sæby", "370", 98.5, 284550),
        ("A-4", "Udløbet", "259", None, None),
        ("A-5", "Komma", "259", 97.5, None),
        ("A-6", "Uden prisår", "370", None, 200000),
    ]
    day = dt.date(2026, 11, 1)
    assert rows(version, "unit_id, as_of, maximum, occupied, reserved, accepting", "capacity") == [
        ("A-1", day, 8, 6, 1, 1),
        ("A-4", day, 8, 6, 2, 1),
    ]
    assert rows(version, "unit_id, target_group, rank", "target_group_approval") == [("A-1", small.AUTISM, "primary")]
    assert rows(version, "need_id", "need") == []
    counted = queries.run("deliveries", version.path).select("delivered", "accepted", "set_aside", "refused").rows()
    assert counted == [(15, 7, 7, 1)]
    assert b"010199" not in version.path.read_bytes()


def test_a_number_in_the_file_of_units_takes_what_refers_to_them_with_it_unless_they_are_known(delivery: Path, tmp_path: Path) -> None:
    """The file of units is refused whole; rows about units that an earlier delivery told are accepted, those about others set aside."""
    refused = UNIT.replace("Birkehuset", "Hos 010190-1234") + "B-1;T-2;Elm;259\n"
    later = deliveries.write(tmp_path, {"unit.csv": refused, "capacity.csv": CAPACITY.replace("01.11", "15.11") + "B-1;15.11.2026;8;6;1\n"})
    folder = tmp_path / "warehouse"
    with pytest.raises(SampladsError, match="nothing_accepted"):
        publishing.publish([later], folder=folder)
    publishing.publish([delivery], folder=folder)
    version = publishing.publish([later], folder=folder).version
    assert rows(version, "unit_id, name", "unit") == [("A-1", "Birkehuset")]
    assert rows(version, "unit_id, as_of", "capacity") == [("A-1", dt.date(2026, 11, 1)), ("A-1", dt.date(2026, 11, 15))]
    assert rows(version, "file, row, rule, severity", "finding") == [
        ("capacity.csv", 3, "refers_to_refused_file", "set_aside"),
        ("unit.csv", 2, "personal_number", "refused_file"),
    ]
    for path in folder.rglob("*"):
        assert not path.is_file() or b"010190" not in path.read_bytes()


def told(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def units_counted(root: Path) -> list[str]:
    with duckdb.connect(str(warehouse.current(root).path), read_only=True) as connection:
        return [unit for (unit,) in connection.execute("select distinct unit_id from capacity order by all").fetchall()]


TWO = "unit_id;as_of;maximum;occupied;accepting\nA-1;01.11.2026;8;6;1\nA-3;01.11.2026;4;4;0\n"
THIRD = {"unit.csv": "unit_id;offer_id;name;municipality\nA-3;T-1;Tredje;370\n", "manifest.yaml": "as_of: 2026-09-01"}


def test_what_is_sent_again_once_the_missing_unit_has_come_is_taken(tmp_path: Path) -> None:
    first, second = told(tmp_path / "a", {"unit.csv": UNIT, "capacity.csv": TWO}), told(tmp_path / "b", THIRD)
    root, other = tmp_path / "warehouse", tmp_path / "other"
    before = publishing.publish([first], folder=root)
    assert units_counted(root) == ["A-1"]
    publishing.publish([second], folder=root)
    again = publishing.publish([first], folder=root)
    assert again.changed
    assert units_counted(root) == ["A-1", "A-3"]
    assert not publishing.publish([first], folder=root).changed
    # What the same files came to before is no longer in force, and the other order is the same warehouse.
    assert before.deliveries[0].digest not in again.version.deliveries
    publishing.publish([second], folder=other)
    assert publishing.publish([first], folder=other).version.id == again.version.id


@pytest.mark.parametrize("turned", [False, True])
def test_deliveries_published_together_may_refer_to_each_other(tmp_path: Path, turned: bool) -> None:
    both = [told(tmp_path / "a", {"unit.csv": UNIT, "capacity.csv": TWO}), told(tmp_path / "b", THIRD)]
    made = publishing.publish(both[::-1] if turned else both, folder=tmp_path / "warehouse")
    assert units_counted(tmp_path / "warehouse") == ["A-1", "A-3"]
    assert sum(one.findings.height for one in made.deliveries) == 0


def test_files_of_units_and_of_counts_may_be_given_one_by_one(delivery: Path, tmp_path: Path) -> None:
    publishing.publish([delivery / "unit.csv", delivery / "capacity.csv"], folder=tmp_path / "warehouse")
    assert units_counted(tmp_path / "warehouse") == ["A-1"]


def test_a_mended_sheet_of_the_same_day_counts(tmp_path: Path) -> None:
    for number in range(4):
        root = tmp_path / f"warehouse-{number}"
        for step, accepting in enumerate((2, 0, 1)):
            capacity = f"unit_id;as_of;maximum;occupied;accepting;note\nA-1;01.11.2026;8;6;{accepting};{number}\n"
            publishing.publish([told(tmp_path / f"{number}-{step}", {"unit.csv": UNIT, "capacity.csv": capacity})], folder=root)
        with duckdb.connect(str(warehouse.current(root).path), read_only=True) as connection:
            assert connection.execute("select accepting from capacity").fetchall() == [(1,)]


def test_real_deliveries_do_not_refer_to_the_demonstrations_units(tmp_path: Path) -> None:
    root = tmp_path / "warehouse"
    publishing.publish([told(tmp_path / "demo", {"unit.csv": UNIT.replace("A-1", "A-3"), "manifest.yaml": "synthetic: true"})], folder=root)
    real = publishing.publish([told(tmp_path / "a", {"unit.csv": UNIT, "capacity.csv": TWO})], folder=root)
    assert real.deliveries[0].findings["rule"].to_list() == ["unknown_reference"]
    assert units_counted(root) == ["A-1"]


def test_the_day_in_the_name_of_a_file_or_an_archive_counts_as_that_of_a_folder(tmp_path: Path) -> None:
    folder = told(tmp_path / "lev-2026-09-01", {"unit.csv": UNIT})
    with zipfile.ZipFile(tmp_path / "lev-2026-09-01.zip", "w") as archive:
        archive.write(folder / "unit.csv", "unit.csv")
    single = tmp_path / "unit-2026-09-01.csv"
    single.write_text(UNIT, encoding="utf-8")
    for path in (folder, tmp_path / "lev-2026-09-01.zip", single):
        assert publishing.check(path, folder=tmp_path / "none").as_of == dt.date(2026, 9, 1)


def test_a_file_without_a_day_is_of_the_day_it_was_written(tmp_path: Path) -> None:
    single = tmp_path / "unit.csv"
    single.write_text(UNIT, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "alt.zip", "w") as archive:
        archive.write(single, "unit.csv")
    for path in (single, tmp_path / "alt.zip"):
        os.utime(path, (1_750_000_000, 1_750_000_000))
        assert publishing.check(path, folder=tmp_path / "none").as_of == dt.date(2025, 6, 15)


@pytest.mark.parametrize("day", ["2062-11-01", "9999-12-31"])
def test_a_manifest_that_is_decades_ahead_is_refused_with_its_day(tmp_path: Path, day: str) -> None:
    with pytest.raises(SampladsError, match="delivery_day_ahead") as refused:
        publishing.check(told(tmp_path / "a", {"unit.csv": UNIT, "manifest.yaml": f"as_of: {day}"}), folder=tmp_path / "none")
    assert day in str(refused.value.values)
    made_up = told(tmp_path / "b", {"unit.csv": UNIT, "manifest.yaml": f"as_of: {day}\nsynthetic: true"})
    assert publishing.check(made_up, folder=tmp_path / "none").synthetic
