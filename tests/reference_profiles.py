"""Slow, obvious twins of the shipped profiles: somebody's own files read with the csv module, row by row, into rows of our extracts.

Written from docs/standards.md and the queries' headers. Values are as the profile gives them: before they are checked, mostly text.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
Towns = Mapping[str, str]
"""The reference's municipalities: code and name."""


def rows(file: Path, delimiter: str = ",") -> list[dict[str, str | None]]:
    """A file's rows; an empty cell is None."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(stream, delimiter=delimiter)]


def florida_beds(folder: Path, towns: Towns, municipality: str | None = None) -> dict[str, Rows]:
    """Hospitals as their last file names them, and their beds on the day of each file; the county by code or name, however capitalised."""
    units: dict[str, dict[str, Any]] = {}
    counts = []
    for file in sorted(folder.glob("*.csv"), key=lambda file: str(re.search(r"\d{4}-\d\d-\d\d", file.name))):
        told = re.search(r"\d{4}-\d\d-\d\d", file.name)
        assert told is not None
        for row in rows(file):
            if row["FileNumber"] == "All":
                continue
            unit_id, county = row["FileNumber"], str(row["County"])
            answers = [code for code, name in towns.items() if county.upper() in (code.upper(), name.upper())]
            where = municipality or (answers[0] if answers else county)
            units[str(unit_id)] = {"unit_id": unit_id, "offer_id": unit_id, "name": row["ProviderName"], "municipality": where}
            beds, taken, free = (int(str(row[name]).replace(",", "")) for name in ("Total Staffed Bed Capacity", "Bed Census", "Available"))
            states = {"maximum": beds, "occupied": taken, "accepting": free, "status": "open" if free > 0 else None}
            counts.append({"unit_id": unit_id, "as_of": told[0], "confirmed_at": told[0], "_file": file.name, **states})
    return {"unit": list(units.values()), "capacity": counts}


def day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text[:10])


def hmis(folder: Path, municipality: str) -> dict[str, Rows]:
    """Projects with their organization and the first of their addresses, enrolments with their exits, beds whenever they change."""
    organizations = {row["OrganizationID"]: row["OrganizationName"] for row in rows(folder / "Organization.csv")}
    exits = {row["EnrollmentID"]: row["ExitDate"] for row in rows(folder / "Exit.csv")}
    places = rows(folder / "ProjectCoC.csv")
    units, stays, counts = [], [], []
    for row in rows(folder / "Project.csv"):
        addresses = [str(place["Address1"]) for place in places if place["ProjectID"] == row["ProjectID"] and place["Address1"]]
        name = organizations.get(row["OrganizationID"])
        units.append(
            {
                "unit_id": row["ProjectID"],
                "offer_id": row["OrganizationID"],
                "name": row["ProjectName"],
                "offer_name": name,
                "operator": name,
                "address": min(addresses, default=None),
                "municipality": municipality,
            }
        )
    for row in rows(folder / "Enrollment.csv"):
        stays.append(
            {
                "stay_id": row["EnrollmentID"],
                "person_ref": f"p-{row['PersonalID']}",
                "unit_id": row["ProjectID"],
                "municipality": municipality,
                "starts_on": row["EntryDate"],
                "ends_on": exits.get(row["EnrollmentID"]),
            }
        )
    inventory = rows(folder / "Inventory.csv")
    for project in sorted({str(row["ProjectID"]) for row in inventory}):
        held = [(day(row["InventoryStartDate"]), day(row["InventoryEndDate"]), row) for row in inventory if row["ProjectID"] == project]
        changes = {first for first, _, _ in held} | {last + dt.timedelta(days=1) for _, last, _ in held if last is not None}
        for at in sorted(change for change in changes if change is not None):
            here = [row for first, last, row in held if first is not None and first <= at and (last is None or at <= last)]
            present = 0
            for stay in stays:
                entry, leaving = day(stay["starts_on"]), day(stay["ends_on"])
                present += stay["unit_id"] == project and entry is not None and entry <= at and (leaving is None or at < leaving)
            beds = sum(int(row["BedInventory"] or 0) for row in here)
            told = [updated for row in here if (updated := day(row["DateUpdated"])) is not None]
            states = {"maximum": beds, "occupied": present, "accepting": max(beds - present, 0)}
            counts.append({"unit_id": project, "as_of": at, "confirmed_at": max(told, default=None), **states})
    return {"unit": units, "capacity": counts, "stay": stays}


KINDS = {"kommun": "municipal", "region": "regional", "selvej": "self_owning", "privat": "private", "fond": "private"}
APPROVALS = {
    "godkendt med": "conditional",
    "godkendt": "approved",
    "suspen": "suspended",
    "ophør": "withdrawn",
    "tilbagekaldt": "withdrawn",
    "kræver ikke": "not_required",
}


def beginning(text: str | None, words: Mapping[str, str]) -> str | None:
    """What the first of some beginnings stands for that a text has."""
    told = (text or "").strip().lower()
    return next((meaning for word, meaning in words.items() if told.startswith(word)), None)


def portal_type(text: str) -> str | None:
    """An offer type by its paragraph, where one paragraph is one type."""
    if "botilbudslignende" in text.lower():
        return "A85B"
    told = re.search(r"§\s*(\d+)", text)
    if told is None or told[1] not in {"103", "104", "105", "107", "108", "109", "110"}:
        return None
    return "A108S" if told[1] == "108" and "sikret" in text.lower() else f"A{told[1]}"


def tilbudsportalen(folder: Path, towns: Towns, day: str | None = None, *, assume_full: bool = False) -> dict[str, Rows]:
    """Departments; with `assume_full` every place of them as occupied on a day. A municipality that nobody knows goes through as told."""
    told = [row for file in sorted(folder.glob("*.csv")) for row in rows(file, ";")]
    units = []
    for row in told:
        bare = re.sub(r"\s+kommune$", "", str(row["Kommune"]), flags=re.IGNORECASE).lower()
        answers = [code for code, name in towns.items() if bare in (name.lower(), code)]
        units.append(
            {
                "unit_id": row["Afdelings-id"],
                "offer_id": row["Tilbuds-id"],
                "name": row["Afdelingsnavn"],
                "offer_name": row["Tilbudsnavn"],
                "operator": row["Driftsherre"],
                "operator_kind": beginning(row["Driftsherretype"], KINDS),
                "cvr": str(row["CVR-nummer"] or "").replace(" ", "") or None,
                "p_number": str(row["P-nummer"] or "").replace(" ", "") or None,
                "address": row["Adresse"],
                "municipality": answers[0] if answers else row["Kommune"],
                "offer_type": portal_type(row["Tilbudstype"] or ""),
                "approval_status": beginning(row["Godkendelsesstatus"], APPROVALS),
            }
        )
    full = [
        {"unit_id": row["Afdelings-id"], "as_of": day, "maximum": row["Antal pladser"], "occupied": row["Antal pladser"]}
        | {"accepting": "0", "status": "needs_assessment"}
        for row in told
    ]
    return {"unit": units, "capacity": full if assume_full else []}


def by_key(told: Sequence[Mapping[str, Any]], *names: str) -> Rows:
    """Rows in the order of some columns."""
    return sorted((dict(row) for row in told), key=lambda row: tuple(str(row[name]) for name in names))
