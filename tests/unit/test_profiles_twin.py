"""What the shipped profiles make of somebody's files is what a slow twin reads out of them, row by row."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from samplads import profiles, settings
from tests import reference_profiles as twin
from tests import small

REAL = settings.ROOT.parent / "shared" / "real"
PORTAL = settings.ROOT / "tests" / "samples" / "tilbudsportalen"
FACTS = small.reference()
TOWNS = dict(FACTS.municipality.select("code", "name").iter_rows())
KEYS = {"unit": ("unit_id",), "capacity": ("unit_id", "as_of"), "stay": ("stay_id",)}
real = pytest.mark.skipif(not REAL.is_dir(), reason="the public acceptance data are not beside the project (../shared/real)")


def same(profile: str, folder: Path, values: Mapping[str, str], expected: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Run a profile and hold every extract of it, in every column that the twin tells, against the twin's rows."""
    frames = profiles.run(profile, folder, FACTS, values)
    assert frames.keys() == expected.keys()
    for extract, told in expected.items():
        columns = list(told[0]) if told else frames[extract].columns
        found = frames[extract].select(columns).to_dicts()
        assert twin.by_key(found, *KEYS[extract]) == twin.by_key(told, *KEYS[extract]), extract


@real
@pytest.mark.shared
@pytest.mark.parametrize("municipality", [None, "101"])
def test_florida_beds(municipality: str | None) -> None:
    values = {} if municipality is None else {"municipality": municipality}
    expected = twin.florida_beds(REAL / "florida-beds", TOWNS, municipality)
    assert len(expected["unit"]) > 200
    same("florida_beds", REAL / "florida-beds", values, expected)


@real
@pytest.mark.shared
def test_hmis() -> None:
    expected = twin.hmis(REAL / "hmis-2022", "101")
    assert (len(expected["unit"]), len(expected["stay"])) == (24, 819)
    same("hmis", REAL / "hmis-2022", {"municipality": "101"}, expected)


@pytest.mark.parametrize("values", [{}, {"day": "2026-11-01"}, {"day": "2026-11-01", "assume_full": "ja"}])
def test_tilbudsportalen(values: dict[str, str]) -> None:
    expected = twin.tilbudsportalen(PORTAL, TOWNS, values.get("day"), assume_full="assume_full" in values)
    assert len(expected["unit"]) == 4
    same("tilbudsportalen", PORTAL, values, expected)


def written(folder: Path, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows({column: "" if row.get(column) is None else row[column] for column in columns} for row in rows)


FIRST = dt.date(2026, 1, 1)
DAYS = st.integers(0, 4).map(lambda days: FIRST + dt.timedelta(days=days))
PROJECTS = st.sampled_from(["2", "10"])


@tries(max_examples=14, deadline=None)
@given(data=st.data())
def test_any_hmis_export(data: st.DataObject) -> None:
    """Beds that begin, end and overlap; stays of a day, of none and without an end; projects without an organization or an address."""
    draw = data.draw
    projects = [{"ProjectID": code, "OrganizationID": "7", "ProjectName": f"Hus {code}"} for code in draw(st.sets(PROJECTS, min_size=1))]
    inventory, enrollments, exits = [], [], []
    for _ in range(draw(st.integers(1, 5))):
        first, last = sorted([draw(DAYS), draw(DAYS)])
        row = {"ProjectID": draw(PROJECTS), "BedInventory": draw(st.integers(0, 4)), "InventoryStartDate": first}
        inventory.append(row | {"InventoryEndDate": draw(st.none() | st.just(last)), "DateUpdated": f"{draw(DAYS)} 00:00:00"})
    for number in range(draw(st.integers(2, 8))):
        entry, leaving = sorted([draw(DAYS), draw(DAYS)])
        enrollments.append({"EnrollmentID": number, "PersonalID": number % 3, "ProjectID": draw(PROJECTS), "EntryDate": entry})
        if draw(st.booleans()):
            exits.append({"EnrollmentID": number, "ExitDate": leaving})
    organizations = [{"OrganizationID": draw(st.sampled_from(["7", "8"])), "OrganizationName": "Org"}]
    addresses = [{"ProjectID": draw(PROJECTS), "Address1": draw(st.sampled_from([None, "Vej 1", "Alle 2"]))} for _ in range(4)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, "Project", ["ProjectID", "OrganizationID", "ProjectName"], projects)
        written(folder, "Organization", ["OrganizationID", "OrganizationName"], organizations)
        written(folder, "ProjectCoC", ["ProjectID", "Address1"], addresses)
        beds = ["ProjectID", "BedInventory", "InventoryStartDate", "InventoryEndDate", "DateUpdated"]
        written(folder, "Inventory", beds, inventory)
        written(folder, "Enrollment", ["EnrollmentID", "PersonalID", "ProjectID", "EntryDate"], enrollments)
        written(folder, "Exit", ["EnrollmentID", "ExitDate"], exits)
        same("hmis", folder, {"municipality": "101"}, twin.hmis(folder, "101"))


PORTAL_CELLS: dict[str, st.SearchStrategy[str | None]] = {
    "Tilbuds-id": st.just("9"),
    "Tilbudsnavn": st.sampled_from([None, "Eg"]),
    "Afdelingsnavn": st.just("Hus"),
    "Tilbudstype": st.sampled_from(
        [None, "§ 107", "SEL §108, Sikret", "§ 1070", "§ 108", "Botilbudslignende, § 105", "§105", "107", "Servicelovens § 66"]
    ),
    "Antal pladser": st.sampled_from(["0", "8", None]),
    "Godkendelsesstatus": st.sampled_from([None, " Godkendt", "godkendt MED vilkår", "Suspenderet", "Ophørt", "Kræver ikke", "Ukendt"]),
    "Driftsherre": st.just("X"),
    "Driftsherretype": st.sampled_from([None, "Kommunal", "REGION", "selvejende", "Privat", "Fonden", "andet"]),
    "CVR-nummer": st.sampled_from([None, "12 34"]),
    "P-nummer": st.sampled_from([None, "1"]),
    "Adresse": st.sampled_from([None, "Vej 1"]),
    "Kommune": st.sampled_from(["Køge", "KØGE  kommune", "259", "Atlantis", "Århus", "Næstved Kommune"]),
}


@tries(max_examples=14, deadline=None)
@given(told=st.lists(st.fixed_dictionaries(PORTAL_CELLS), max_size=6), full=st.sampled_from(["ja", "YES", "nej"]))
def test_any_file_of_the_portal(told: list[dict[str, Any]], full: str) -> None:
    rows = [row | {"Afdelings-id": f"9-{number}"} for number, row in enumerate(told)]
    with tempfile.TemporaryDirectory() as name:
        written(Path(name), "afdelinger", ["Afdelings-id", *PORTAL_CELLS], rows, ";")
        values = {"day": "2026-11-01", "assume_full": full}
        same("tilbudsportalen", Path(name), values, twin.tilbudsportalen(Path(name), TOWNS, "2026-11-01", assume_full=full != "nej"))
