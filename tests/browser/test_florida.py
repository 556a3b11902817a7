"""The pages on real input: Florida's daily census of hospital beds, counties as municipalities, published with nothing Danish in it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from samplads import publishing, queries, settings
from samplads.presenting import formats
from tests.browser import grid
from tests.browser.conftest import Served, serving, visiting

DELIVERY = settings.ROOT.parent / "shared" / "real" / "florida-beds"
FIRST_DAY = "2020-07-17"
TOTALS = {"maximum": 60_543, "occupied": 47_300, "accepting": 13_243}
"""The state's own total of its first day (the row "All", which is no hospital)."""

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DELIVERY.is_dir(), reason="needs ../shared/real/florida-beds, the public bed census of Florida"),
]


def rows(day: str) -> list[dict[str, str]]:
    with (DELIVERY / f"Hospital_BedsHospital1_crosstab_{day}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def whole(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The first day's file as a delivery, and a reference folder with the counties of all days as municipalities."""
    folder = tmp_path_factory.mktemp("florida")
    reference, delivery = folder / "reference", folder / "delivery"
    reference.mkdir()
    delivery.mkdir()
    days = [path.stem[-10:] for path in DELIVERY.glob("*.csv")]
    counties = sorted({row["County"] for day in days for row in rows(day)} - {"All"})
    lines = [f"{county},{county.title()}" for county in counties]
    (reference / "municipalities.csv").write_text("\n".join(["code,name", *lines, ""]), encoding="utf-8")
    name = f"Hospital_BedsHospital1_crosstab_{FIRST_DAY}.csv"
    (delivery / name).write_bytes((DELIVERY / name).read_bytes())
    return delivery, reference


@pytest.fixture(scope="module")
def florida(chromium: str, delivered: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application on the first day's census."""
    delivery, reference = delivered
    folder = tmp_path_factory.mktemp("florida_served")
    done = publishing.publish([delivery], profile="florida_beds", reference=reference, folder=folder / "warehouse")
    assert done.deliveries[0].counts.filter(extract="unit")["accepted"].sum() == len(rows(FIRST_DAY)) - 1
    with serving(folder, "--no-demo", SAMPLADS_REFERENCE=str(reference)) as running:
        yield running


def test_the_census_is_what_the_state_says(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    """All three days, with reports of the rows that are no hospital with beds."""
    _, reference = delivered
    done = publishing.publish([DELIVERY], profile="florida_beds", reference=reference, folder=tmp_path)
    day = dt.date.fromisoformat(FIRST_DAY)
    totals = queries.run("capacity_totals", tmp_path, as_of=day).row(0, named=True)
    assert {name: totals[name] for name in TOTALS} == TOTALS
    assert totals["units"] == len(rows(FIRST_DAY)) - 1
    assert "All" not in queries.run("unit_ids", tmp_path)["unit_id"].to_list()
    days = [path.stem[-10:] for path in DELIVERY.glob("*.csv")]
    without = [row for on in days for row in rows(on) if row["County"] != "All" and whole(row["Total Staffed Bed Capacity"]) == 0]
    found = done.deliveries[0].findings
    assert found.filter(rule="no_places").height == len(without) > 0
    # Every hospital's newest count, thousands with a comma ("1,046") among them.
    newest = {row["FileNumber"]: row for on in sorted(days) for row in rows(on) if row["County"] != "All"}
    assert any("," in row["Total Staffed Bed Capacity"] for row in newest.values())
    units = queries.run("units_by_id", tmp_path, unit_ids=list(newest)).select("unit_id", "maximum", "occupied", "accepting").rows()
    columns = ("Total Staffed Bed Capacity", "Bed Census", "Available")
    assert units == sorted((number, *(whole(row[name]) for name in columns)) for number, row in newest.items())


def test_the_vacancies_page_shows_the_state(florida: Served, browser: Browser) -> None:
    told = json.loads(florida.get("/ready")[2])
    assert told["status"] == "ready"
    assert told["synthetic"] is False
    hospitals = [row for row in rows(FIRST_DAY) if row["County"] != "All"]
    opened = [row for row in hospitals if whole(row["Available"]) > 0]
    with visiting(browser, florida.address) as one:
        page = one.open("/vacancies?places=Alle+afdelinger")
        answer = page.locator(".st-key-answer")
        expect(answer).to_contain_text("13.243 åbne pladser")
        expect(answer).to_contain_text(f"{formats.number(TOTALS['occupied'], 'da')} belagte")
        expect(answer).to_contain_text(f"{formats.number(TOTALS['maximum'], 'da')} pladser i alt")
        assert page.get_by_text("Demo-data").count() == 0
        page = one.open("/vacancies")
        expect(answer).to_contain_text(f"13.243 åbne pladser på {len(opened)} afdelinger passer")
        assert set(grid.column(page, "units", "Kommune")) <= {row["County"].title() for row in hospitals}
        # The start page says the same, and nothing on the way needed a Danish code.
        page = one.open("/")
        expect(page.locator(".st-key-answer")).to_contain_text("13.243 pladser er åbne")
        assert page.locator('[data-testid="stException"]').count() == 0
        assert one.foreign() == []


def test_the_vacancies_page_shows_the_newest_day_of_three(
    browser: Browser, delivered: tuple[Path, Path], tmp_path: Path, chromium: str
) -> None:
    """Each hospital's last count: the state's total of the newest day, and what the hospitals had that its file no longer names."""
    _, reference = delivered
    days = sorted(path.stem[-10:] for path in DELIVERY.glob("*.csv"))
    assert len(days) == 3
    counted = {day: {row["FileNumber"]: row for row in rows(day)} for day in days}
    state = counted[days[-1]].pop("All")
    last = {number: row for day in days for number, row in counted[day].items() if number != "All"}
    columns = {"maximum": "Total Staffed Bed Capacity", "occupied": "Bed Census", "accepting": "Available"}
    expected = {name: sum(whole(row[column]) for row in last.values()) for name, column in columns.items()}
    gone = [row for number, row in last.items() if number not in counted[days[-1]]]
    assert expected == {name: whole(state[column]) + sum(whole(row[column]) for row in gone) for name, column in columns.items()}
    assert expected["accepting"] > TOTALS["accepting"]
    opened = [row for row in last.values() if whole(row["Available"]) > 0]

    publishing.publish([DELIVERY], profile="florida_beds", reference=reference, folder=tmp_path / "warehouse")
    number = {name: formats.number(count, "da") for name, count in expected.items()}
    with serving(tmp_path, "--no-demo", SAMPLADS_REFERENCE=str(reference)) as running, visiting(browser, running.address) as one:
        page = one.open("/vacancies?places=Alle+afdelinger")
        answer = page.locator(".st-key-answer")
        expect(answer).to_contain_text(f"{number['accepting']} åbne pladser på {len(opened)} afdelinger passer")
        expect(answer).to_contain_text(f"På disse {len(last)} afdelinger: {number['accepting']} åbne")
        expect(answer).to_contain_text(f"{number['occupied']} belagte")
        expect(answer).to_contain_text(f"{number['maximum']} pladser i alt")
        page = one.open("/")
        expect(page.locator(".st-key-answer")).to_contain_text(f"{number['accepting']} pladser er åbne")
        expect(page.locator(".st-key-answer")).to_contain_text("Rigtige data, pr. ")
