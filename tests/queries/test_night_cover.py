"""What night cover asks gives what slow twins give on made rows; and the command plans on a warehouse, end to end."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pytest

from samplads import __main__ as command
from samplads import loading_nightcover, queries
from samplads.errors import SampladsError
from samplads.nightcover import plan
from tests import small

DAY = small.DAY
ROSTER = {"night_cover": "awake", "posts": 1, "shift_start": dt.time(23), "shift_end": dt.time(7), "monthly_pay_ore": 3_400_000}
ANSWERS = {
    "one_to_one": False,
    "risky_work": False,
    "lone_work_danger": False,
    "danger_met_by": "no_special_danger",
    "response_minutes_limit": 30,
}
BELOW: dict[str, set[str]] = {}
for ancestor, descendant in small.reference().target_group_closure.iter_rows():
    BELOW.setdefault(ancestor, set()).add(descendant)


def made(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Units with rosters over time, incidents around the year's edge, stays around the day."""
    chance = random.Random(seed)
    parent = max(BELOW, key=lambda code: len(BELOW[code]))
    units, rosters, incidents, stays, approvals = [], [], [], [], []
    for number in range(14):
        unit_id = f"N-{number:02}"
        units.append(
            {
                "unit_id": unit_id,
                "offer_id": "T",
                "name": f"Hus {number}",
                "municipality": "370" if number % 2 else "306",
                "lat": round(55.2 + chance.random() * 0.2, 4),
                "lon": round(11.7 + chance.random() * 0.2, 4),
                "operator_kind": "municipal",
                "approval_status": "approved",
                "single_person": number != 13,
                "daily_rate_ore": chance.choice([600_000, None, 900_000]),
            }
        )
        approvals.append({"unit_id": unit_id, "target_group": small.AUTISM, "rank": chance.choice(["primary", "secondary"])})
        for _ in range(chance.randint(0, 3)):
            day = DAY + dt.timedelta(days=chance.choice([-700, -300, -30, 0, 40]))
            if not any(row["unit_id"] == unit_id and row["valid_from"] == day for row in rosters):
                excludes = chance.choice([None, None, [parent], [small.EXTERNALISING, parent]])
                rosters.append({"unit_id": unit_id, "valid_from": day, **ROSTER, **ANSWERS, "excludes_groups": excludes})
        for _ in range(chance.randint(0, 12)):
            incidents.append(
                {
                    "incident_id": f"H-{len(incidents)}",
                    "unit_id": unit_id,
                    "night_of": DAY - dt.timedelta(days=chance.choice([0, 1, 1, 2, 200, 365, 366])),
                    "minutes": float(chance.randint(5, 90)),
                    "staff_needed": chance.choice([None, 1, 2]),
                }
            )
        for _ in range(chance.randint(0, 3)):
            ends = chance.choice([None, DAY, DAY + dt.timedelta(days=1)])
            stays.append(
                {
                    "stay_id": f"S-{len(stays)}",
                    "person_ref": f"p-{len(stays)}",
                    "unit_id": unit_id,
                    "municipality": chance.choice(["370", "259"]),
                    "starts_on": DAY - dt.timedelta(days=chance.choice([-1, 0, 500])) if ends != DAY else DAY - dt.timedelta(days=9),
                    "ends_on": ends,
                    "daily_rate_ore": chance.choice([None, 700_000]),
                }
            )
    for stay in stays:
        if stay["ends_on"] is not None and stay["ends_on"] < stay["starts_on"]:
            stay["ends_on"] = None
    return {"unit": units, "night_roster": rosters, "night_incident": incidents, "stay": stays, "target_group_approval": approvals}


@pytest.fixture(params=[1, 2, 3])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, list[dict[str, Any]]], Path]:
    rows = made(request.param)
    small.publish(tmp_path, small.archived(rows))
    return rows, tmp_path


def test_the_roster_in_force_and_what_it_excludes(world: tuple[dict[str, list[dict[str, Any]]], Path]) -> None:
    rows, folder = world
    wanted = {}
    for row in sorted(rows["night_roster"], key=lambda row: row["valid_from"]):
        if row["valid_from"] <= DAY:
            wanted[row["unit_id"]] = row
    found = {row["unit_id"]: row for row in queries.run("night_rosters", folder, as_of=DAY).iter_rows(named=True)}
    assert found.keys() == wanted.keys()
    for unit, row in wanted.items():
        assert found[unit]["valid_from"] == row["valid_from"]
        below = sorted({code for group in row["excludes_groups"] or () for code in BELOW[group]})
        assert (found[unit]["excludes_covered"] or []) == below


def test_incidents_of_the_year_before_the_day(world: tuple[dict[str, list[dict[str, Any]]], Path]) -> None:
    rows, folder = world
    wanted: dict[str, list[dict[str, Any]]] = {}
    place = {unit["unit_id"]: unit["municipality"] for unit in rows["unit"]}
    delivered: dict[str, list[int]] = {}
    for row in rows["night_incident"]:
        ago = (DAY - row["night_of"]).days
        if ago >= 1:
            delivered.setdefault(place[row["unit_id"]], []).append(ago)
        if 1 <= ago <= 365:
            wanted.setdefault(row["unit_id"], []).append(row)
    nights = {code: min(365, max(ago)) for code, ago in delivered.items() if min(ago) <= 365}
    # A quiet unit with a roster counts where its municipality delivers; one without a roster only with what it registered.
    for unit in {row["unit_id"] for row in rows["night_roster"]}:
        if place[unit] in nights:
            wanted.setdefault(unit, [])
    found = queries.run("night_incident_rates", folder, as_of=DAY)
    assert found["unit_id"].to_list() == sorted(wanted)
    for row in found.iter_rows(named=True):
        mine = wanted[row["unit_id"]]
        assert row["nights"] == nights[place[row["unit_id"]]]
        held = [one["night_of"] for one in mine]
        assert row["incidents"] == len(mine)
        if mine:
            assert row["minutes_mean"] == pytest.approx(sum(one["minutes"] for one in mine) / len(mine))
        else:
            assert row["minutes_mean"] is None
        assert row["staff_most"] == max((one["staff_needed"] for one in mine if one["staff_needed"]), default=None)
        assert row["squares"] == sum(held.count(night) ** 2 for night in set(held))


def test_nights_delivered_are_counted_from_the_municipalitys_first(tmp_path: Path) -> None:
    def unit(name: str, municipality: str) -> dict[str, Any]:
        return {"unit_id": name, "offer_id": "T", "name": name, "municipality": municipality, "lat": 55.2, "lon": 11.7}

    def incident(number: int, unit_id: str, ago: int) -> dict[str, Any]:
        return {"incident_id": f"H-{number}", "unit_id": unit_id, "night_of": DAY - dt.timedelta(days=ago), "minutes": 20.0}

    units = {"N-new": "370", "N-quiet": "370", "N-silent": "259", "N-ended": "306"}
    rows = {
        "unit": [unit(name, code) for name, code in units.items()],
        "night_roster": [{"unit_id": name, "valid_from": DAY - dt.timedelta(days=400), **ROSTER, **ANSWERS} for name in units],
        "night_incident": [incident(1, "N-new", 40), incident(2, "N-new", 3), incident(3, "N-ended", 500)],
    }
    small.publish(tmp_path, small.archived(rows))
    found = queries.run("night_incident_rates", tmp_path, as_of=DAY).select("unit_id", "incidents", "nights")
    # Nobody delivers in 259, and in 306 they stopped a year ago: nothing is known there.
    assert found.rows() == [("N-new", 2, 40), ("N-quiet", 0, 40)]


def test_stays_under_way_and_what_they_cost(world: tuple[dict[str, list[dict[str, Any]]], Path]) -> None:
    rows, folder = world
    rates = {unit["unit_id"]: unit["daily_rate_ore"] for unit in rows["unit"]}
    rostered = {row["unit_id"] for row in rows["night_roster"]}
    wanted = sorted(
        (stay["unit_id"], stay["municipality"], stay["daily_rate_ore"] or rates[stay["unit_id"]] or -1)
        for stay in rows["stay"]
        if stay["starts_on"] <= DAY and (stay["ends_on"] is None or stay["ends_on"] > DAY) and stay["unit_id"] in rostered
    )
    found = queries.run("night_residents", folder, as_of=DAY)
    assert found.columns == ["unit_id", "municipality", "daily_rate_ore"]
    assert sorted((a, b, -1 if c is None else c) for a, b, c in found.iter_rows()) == wanted


def test_units_and_what_they_are_for(world: tuple[dict[str, list[dict[str, Any]]], Path]) -> None:
    rows, folder = world
    found = queries.run("night_units", folder)
    assert found["unit_id"].to_list() == [unit["unit_id"] for unit in rows["unit"]]
    assert all(groups == sorted(BELOW[small.AUTISM]) for groups in found["groups"].to_list())


def test_the_inputs_of_some_municipalities(world: tuple[dict[str, list[dict[str, Any]]], Path]) -> None:
    _, folder = world
    everything = loading_nightcover.inputs(DAY, warehouse=folder)
    some = loading_nightcover.inputs(DAY, municipalities=["370"], warehouse=folder)
    assert set(some.units["municipality"]) == {"370"}
    assert some.units.height < everything.units.height
    nights = plan.prepare(everything, loading_nightcover.assumptions(DAY))
    assert len(nights.members) + nights.left_out.height == everything.units.height


def town(folder: Path) -> None:
    """Six single-person offers near each other; the last has not answered how fast help must come."""
    rows: dict[str, list[dict[str, Any]]] = {"unit": [], "night_roster": [], "night_incident": [], "stay": []}
    for number in range(6):
        unit_id = f"N-{number}"
        rows["unit"].append(
            {
                "unit_id": unit_id,
                "offer_id": "T",
                "name": f"Solist {number}",
                "municipality": "370",
                "lat": 55.2 + number * 0.01,
                "lon": 11.75,
                "approval_status": "approved",
                "single_person": True,
                "daily_rate_ore": 700_000,
            }
        )
        answers = ANSWERS | ({"response_minutes_limit": None} if number == 5 else {})
        rows["night_roster"].append({"unit_id": unit_id, "valid_from": dt.date(2026, 1, 1), **ROSTER, **answers})
        rows["night_incident"].append({"incident_id": f"H-{number}", "unit_id": unit_id, "night_of": dt.date(2026, 8, 1), "minutes": 20.0})
        rows["stay"].append(
            {
                "stay_id": f"S-{number}",
                "person_ref": f"p-{number}",
                "unit_id": unit_id,
                "municipality": "259" if number % 2 else "370",
                "starts_on": dt.date(2024, 1, 1),
            }
        )
    small.publish(folder, small.archived(rows))


def test_the_command_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town(tmp_path)
    arguments = ["night-cover", "--warehouse", str(tmp_path)]
    assert command.main([*arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["proof"]["status"] == "optimal"
    assert len(found["couples"]) == 2
    assert found["saving_ore"] == sum(couple["saving_ore"] for couple in found["couples"])
    assert sum(row["gross_ore"] for row in found["by_municipality"]) == found["saving_ore"]
    assert {row["municipality"] for row in found["by_municipality"]} == {"370", "259"}

    assert command.main([*arguments, "--format", "json", "--include-unassessed"]) == 0
    assert len(json.loads(capsys.readouterr().out)["couples"]) == 3
    assert command.main([*arguments, "--format", "json", "--group-size", "4", "--municipality", "370"]) == 0
    assert any(len(couple["units"]) > 2 for couple in json.loads(capsys.readouterr().out)["couples"])
    assert command.main([*arguments, "--format", "json", "--apart", "N-0,N-1", "--together", "N-2,N-4"]) == 0
    units = [couple["units"] for couple in json.loads(capsys.readouterr().out)["couples"]]
    assert ["N-2", "N-4"] in units
    assert ["N-0", "N-1"] not in units
    assert command.main([*arguments, "--format", "json", "--without", "N-0", "N-1", "--without", "N-2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["without"] == ["N-0", "N-1", "N-2"]
    assert [couple["units"] for couple in told["couples"]] == [["N-3", "N-4"]]
    assert command.main([*arguments, "--format", "json", "--partner", "N-2", "--apart", "N-1,N-2"]) == 0
    partners = json.loads(capsys.readouterr().out)["partners"]
    assert {row["partner"] for row in partners} == {"N-0", "N-3", "N-4", "N-5"}
    assert all(row["cost_to_plan_ore"] >= 0 for row in partners if row["status"] == "pass")
    for language, word in (("da", "Planen mister"), ("en", "The plan loses")):
        assert command.main(["--language", language, *arguments, "--partner", "N-5"]) == 0
        shown = capsys.readouterr().out
        assert word in shown
        assert "S1" in shown
    for language, word in (("da", "kræver vurdering"), ("en", "need assessment")):
        assert command.main(["--language", language, *arguments]) == 0
        assert word in capsys.readouterr().out
    assert command.main([*arguments, "--max-minutes", "0"]) == 0
    assert "Ingen afdelinger" in capsys.readouterr().out
    assert command.main([*arguments, "--max-overlaps-per-year", "0"]) == 0
    assert "Ingen afdelinger" in capsys.readouterr().out


def test_the_command_takes_several_codes_and_hides_small_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town(tmp_path)
    arguments = ["night-cover", "--warehouse", str(tmp_path), "--format", "json"]
    with pytest.raises(SystemExit):
        command.main([*arguments, "--municipality"])
    capsys.readouterr()
    # Nobody lies in 259: both codes were read, together and repeated.
    for codes in (["--municipality", "370", "259"], ["--municipality", "370", "--municipality", "259"]):
        assert command.main([*arguments, *codes]) == 2
        assert "259" in capsys.readouterr().err
    assert command.main([*arguments]) == 0
    assert {row["cases"] for row in json.loads(capsys.readouterr().out)["by_municipality"]} == {"under 5"}
    assert command.main([*arguments, "--own", "370"]) == 0
    cases = {row["municipality"]: row["cases"] for row in json.loads(capsys.readouterr().out)["by_municipality"]}
    assert cases == {"370": "2", "259": "under 5"}
    assert command.main(["night-cover", "--warehouse", str(tmp_path)]) == 0
    assert "under 5" in capsys.readouterr().out


def test_the_command_reads_travel_times_and_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town(tmp_path)
    table = tmp_path / "travel.csv"
    table.write_text("Unit_A;unit_b;minutes\nN-0;N-1;29,5\nN-0;N-2;29\n\nN-0;N-3;31\nN-0;N-4;31\n", encoding="utf-8")
    arguments = ["night-cover", "--warehouse", str(tmp_path), "--format", "json", "--travel", str(table)]
    assert command.main([*arguments, "--partner", "N-0"]) == 0
    partners = {row["partner"]: row["minutes"] for row in json.loads(capsys.readouterr().out)["partners"]}
    assert partners["N-1"] == 29.5
    assert not {"N-3", "N-4"} & set(partners)  # farther than the 30 minutes assumed
    assert command.main([*arguments, "--without", "N-1", "N-2", "N-5", "--municipality", "370"]) == 0
    told = json.loads(capsys.readouterr().out)
    moved = {(row["unit_a"], row["unit_b"]): row for row in told["co_locations"]}
    assert moved["N-0", "N-3"]["sharing_ore"] is None
    assert moved["N-0", "N-3"]["payback_months"] > 0
    assert command.main([*arguments[:3], "--travel", str(table), "--without", "N-1", "N-2", "N-5"]) == 0
    shown = capsys.readouterr().out
    assert "Flytning i stedet for kørsel" in shown
    assert "kan ikke dele" in shown


def test_a_travel_table_of_a_workbook_with_numbers_for_ids(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["about this file"])
    sheet = book.create_sheet("tider")
    for row in (["unit_a", "unit_b", "minutes"], [101, 102, 12.5], ["0103", 101, 7]):
        sheet.append(row)
    path = tmp_path / "tider.xlsx"
    book.save(path)
    told = loading_nightcover.travel_table(path, ["101", "102", "0103"])
    assert told.rows() == [("101", "102", 12.5), ("0103", "101", 7.0)]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (None, "night_travel_missing"),
        (b"PK\x03\x04 not a workbook", "night_travel_unreadable"),
        (b"unit_a,unit_b\nN-0,N-1\n", "night_travel_columns"),
        (b"unit_a,unit_b,minutes\nN-0,N-1,twelve\n", "night_travel_minutes"),
        (b"unit_a,unit_b,minutes\nN-0,N-1,\n", "night_travel_minutes"),
        (b"unit_a,unit_b,minutes\nN-0,N-1,-3\n", "night_travel_negative"),
        (b"unit_a,unit_b,minutes\nN-0,N-99,3\n", "night_travel_unit"),
        (b"unit_a,unit_b,minutes,note\nN-0,N-1,3,010190-1234\n", "upload_personal"),
    ],
)
def test_a_travel_table_that_cannot_be_used_says_why(content: bytes | None, key: str, tmp_path: Path) -> None:
    path = tmp_path / ("travel.xlsx" if content and content.startswith(b"PK") else "travel.csv")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SampladsError, match=key):
        loading_nightcover.travel_table(path, ["N-0", "N-1"])


@pytest.mark.parametrize(
    "wrong",
    [
        ["--municipality", "999"],
        ["--together", "N-0"],
        ["--together", "N-0,N-99"],
        ["--terms", "none"],
        ["--travel", "TABLE"],
        ["--partner", "N-99"],
        ["--without", "N-99"],
        ["--max-overlaps-per-year", "-1"],
        ["--max-minutes", "ten"],
        ["--travel", "nowhere.csv"],
    ],
)
def test_the_command_answers_wrong_words_with_a_sentence(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town(tmp_path)
    table = tmp_path / "travel.csv"
    table.write_text("unit_a,unit_b\nN-0,N-1\n", encoding="utf-8")
    arguments = [str(table) if word == "TABLE" else word for word in wrong]
    assert command.main(["night-cover", "--warehouse", str(tmp_path), *arguments]) == 2
    assert len(capsys.readouterr().err.strip()) > 20
