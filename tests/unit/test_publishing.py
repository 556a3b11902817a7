"""What a delivery may be on disk: a folder, one file, an archive; and what each of them may not do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from samplads import publishing
from samplads.errors import SampladsError

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
