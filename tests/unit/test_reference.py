"""Reference folders: ours is complete and sourced, and any other with a municipalities.csv works."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from samplads import i18n, reference, settings
from samplads.contracts import CONTRACTS
from samplads.errors import SampladsError

OURS = settings.ROOT / "data" / "reference"


@pytest.fixture(scope="module")
def ours() -> reference.Reference:
    return reference.read(OURS)


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(content, encoding="utf-8")
    return folder


def failure(folder: Path) -> SampladsError:
    with pytest.raises(SampladsError) as caught:
        reference.read(folder)
    for language in i18n.LANGUAGES:
        assert i18n.sentence(caught.value, language)
    return caught.value


class TestOurFolder:
    def test_every_row_of_every_table_names_its_source(self) -> None:
        tables = sorted(OURS.glob("*.csv"))
        assert len(tables) == 8
        for path in tables:
            with path.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.DictReader(lines))
            assert rows, path.name
            assert all(row["source"].strip() for row in rows), path.name

    def test_municipalities_by_region(self, ours: reference.Reference) -> None:
        counts = dict(ours.municipality.group_by("region").len().iter_rows())
        assert counts == {"Hovedstaden": 29, "Sjælland": 17, "Syddanmark": 22, "Midtjylland": 19, "Nordjylland": 11}
        assert ours.municipality.height == 98
        assert ours.municipality.null_count().sum_horizontal().item() == 0

    def test_populations_add_up_to_the_published_ones(self, ours: reference.Reference) -> None:
        with (OURS / "figures.csv").open(encoding="utf-8", newline="") as lines:
            row = next(row for row in csv.DictReader(lines) if row["item"].startswith("Sum of 98 municipalities"))
        assert ours.municipality["population"].sum() == int(row["value"])
        published = {
            name: int(number.replace(",", "")) for name, number in (part.strip().rsplit(" ", 1) for part in row["note"].split(";"))
        }
        assert dict(ours.municipality.group_by("region").agg(pl.col("population").sum()).iter_rows()) == published

    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            (dt.date(2026, 12, 31), {"Hovedstaden": 29, "Sjælland": 17, "Syddanmark": 22, "Midtjylland": 19, "Nordjylland": 11}),
            (dt.date(2027, 1, 1), {"Østdanmark": 46, "Syddanmark": 22, "Midtjylland": 19, "Nordjylland": 11}),
        ],
    )
    def test_regions_change_hands_at_new_year(self, ours: reference.Reference, day: dt.date, expected: dict[str, int]) -> None:
        in_force = ours.region_membership.filter(
            (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= day))
        )
        assert dict(in_force.group_by("region").len().iter_rows()) == expected
        assert in_force["municipality"].is_unique().all()

    def test_target_groups_form_a_tree_and_leaves_roll_up(self, ours: reference.Reference) -> None:
        groups, closure = ours.target_group, ours.target_group_closure
        assert closure.filter(pl.col("ancestor") == pl.col("descendant")).height == groups.height
        depth = closure.group_by("descendant").len().rename({"descendant": "code", "len": "depth"})
        assert groups.join(depth, on="code").filter(pl.col("depth") != pl.col("level")).is_empty()
        named = dict(groups.select("code", "en").iter_rows())
        autism = next(code for code, name in named.items() if name == "Autism spectrum")
        above = {named[code] for code in closure.filter(pl.col("descendant") == autism)["ancestor"]}
        assert {"Autism spectrum", "Developmental disorder", "Mental impairment", "Functional impairment"} <= above

    def test_pages_find_name_caption_and_group(self, ours: reference.Reference) -> None:
        assert ours.texts["name"]["da"] == "Danmark"
        assert "Natural Earth" in ours.texts["map_caption"]["da"]
        assert "public domain" in ours.texts["map_caption"]["en"]
        members = set(ours.texts["default_group"]["municipalities"])
        assert members == set(ours.municipality.filter(pl.col("region") == "Sjælland")["code"])
        assert ours.texts["default_municipality"] in members
        assert ours.outline is not None
        assert ours.outline["geometry"]["type"] == "MultiPolygon"

    def test_codes_answer_every_foreign_key_to_the_reference(self, ours: reference.Reference) -> None:
        named = {
            column.metadata["refers_to"]
            for contract in CONTRACTS.values()
            for column in contract.columns().values()
            if column.metadata and "refers_to" in column.metadata
        }
        assert {key for key in named if not key.startswith("unit.")} == set(ours.codes())
        assert all(codes.dtype == pl.String and codes.is_unique().all() for codes in ours.codes().values())


class TestAnyFolder:
    def test_code_and_name_are_enough(self, tmp_path: Path) -> None:
        got = reference.read(write(tmp_path, municipalities_csv="\ufeffCode; Name\n0101; Alachua \n0102;Baker\n;\n"))
        assert got.municipality["code"].to_list() == ["0101", "0102"]
        assert got.municipality["name"].to_list() == ["Alachua", "Baker"]
        assert got.municipality["population"].to_list() == [None, None]
        assert got.outline is None
        assert got.texts == {}
        for name, frame in got.tables().items():
            assert (name == "municipality") == (not frame.is_empty()), name

    def test_regions_come_from_municipalities_where_no_membership_covers_them(self, tmp_path: Path) -> None:
        got = reference.read(
            write(
                tmp_path,
                municipalities_csv='code,name,region,lat,lon\na,A,North,"1,5",2\nb,B,South,,\nc,C,,,\n',
                region_membership_csv="region,municipality,valid_from,valid_to\nEast,a,01.01.2020,31-12-2025\nEast,zz,,\n",
            )
        )
        assert got.region_membership.rows() == [
            ("East", "a", dt.date(2020, 1, 1), dt.date(2025, 12, 31)),
            ("South", "b", None, None),
        ]
        assert got.region.rows() == [("East", "East"), ("South", "South")]
        assert got.municipality["lat"].to_list() == [1.5, None, None]

    def test_windows_1252_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "municipalities.csv").write_bytes("code,name\n370,Næstved\n".encode("cp1252"))
        assert reference.read(tmp_path).municipality["name"].to_list() == ["Næstved"]

    def test_target_groups_without_levels_get_them_from_the_tree(self, tmp_path: Path) -> None:
        got = reference.read(
            write(
                tmp_path,
                municipalities_csv="code,name\n1,A\n",
                target_groups_csv="code,parent_code,name\nx,nowhere,Ex\ny,x,Why\nz,y,\n",
                offer_types_csv="code,residential\nR,ja\nS,\n",
            )
        )
        assert got.target_group.rows() == [
            ("x", None, "Ex", "Ex", 1, "group"),
            ("y", "x", "Why", "Why", 2, "group"),
            ("z", "y", "z", "z", 3, "leaf"),
        ]
        assert got.target_group_closure.rows() == [("x", "x"), ("x", "y"), ("x", "z"), ("y", "y"), ("y", "z"), ("z", "z")]
        assert got.offer_type.select("code", "residential").rows() == [("R", True), ("S", None)]

    def test_digest_follows_what_is_read_and_nothing_else(self, tmp_path: Path) -> None:
        write(tmp_path, municipalities_csv="code,name\n1,A\n")
        first = reference.read(tmp_path).digest
        write(tmp_path, notes_csv="anything")
        assert reference.read(tmp_path).digest == first
        write(tmp_path, municipalities_csv="code,name\n1,B\n")
        assert reference.read(tmp_path).digest != first

    @pytest.mark.parametrize(
        ("files", "key", "row"),
        [
            ({}, "reference_missing", None),
            ({"municipalities_csv": "code,name\n"}, "reference_empty", None),
            ({"municipalities_csv": "code,navn\n1,A\n"}, "reference_column_missing", None),
            ({"municipalities_csv": "code,name\n1,A\n2,\n"}, "reference_value_missing", 3),
            ({"municipalities_csv": "code,name\n1,A\n1,B\n"}, "reference_key_twice", 3),
            ({"municipalities_csv": "code,name,population\n1,A,many\n"}, "reference_value_unreadable", 2),
            ({"municipalities_csv": "code,name,population\n1,A,1.5\n"}, "reference_value_unreadable", 2),
            (
                {"municipalities_csv": "code,name\n1,A\n", "region_membership_csv": "region,municipality,valid_from\nR,1,soon\n"},
                "reference_value_unreadable",
                2,
            ),
            (
                {
                    "municipalities_csv": "code,name\n1,A\n",
                    "region_membership_csv": "region,municipality,valid_from,valid_to\nR,1,2026-01-01,2025-01-01\n",
                },
                "reference_dates_reversed",
                2,
            ),
            (
                {"municipalities_csv": "code,name\n1,A\n", "offer_types_csv": "code,residential\nR,perhaps\n"},
                "reference_value_unreadable",
                2,
            ),
            ({"municipalities_csv": "code,name\n1,A\n", "target_groups_csv": "code,parent_code\nx,y\ny,x\n"}, "reference_cycle", None),
            ({"municipalities_csv": "code,name\n1,A\n", "outline_geojson": "{"}, "reference_file_unreadable", None),
            ({"municipalities_csv": "code,name\n1,A\n", "outline_geojson": "[]"}, "reference_file_unreadable", None),
            ({"municipalities_csv": "code,name\n1,A\n", "reference_yaml": "a: [\n"}, "reference_file_unreadable", None),
            ({"municipalities_csv": "code,name\n1,A\n", "reference_yaml": "- a\n"}, "reference_file_unreadable", None),
        ],
    )
    def test_faults_are_sentences_that_name_the_place(self, tmp_path: Path, files: dict[str, str], key: str, row: int | None) -> None:
        error = failure(write(tmp_path, **files))
        assert error.key == key
        assert error.values.get("row") == row

    def test_a_missing_folder_is_a_sentence(self, tmp_path: Path) -> None:
        assert failure(tmp_path / "nowhere").key == "reference_folder_missing"
