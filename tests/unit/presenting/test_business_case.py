"""The business case: what stands in the PDF and the workbook is the plan, all of it, in a font that has the letters."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
from functools import cache

import openpyxl
import polars as pl
import pytest
from fontTools.ttLib import TTFont

from samplads import loading_nightcover as night
from samplads import settings
from samplads.nightcover import plan
from samplads.presenting import business_case, formats, nightcover
from samplads.presenting.business_case import BusinessCase

DAY = dt.date(2026, 11, 1)
NAMES = {"1": "Køge", "2": "Ærø"}
SQUARE = [[[10.0, 54.0], [14.0, 54.0], [14.0, 57.0], [10.0, 57.0], [10.0, 54.0]]]
ASSUMPTIONS = pl.DataFrame(
    [("Løn", "Månedsløn (kr.)", "36.000", "34.500", "antagelse: prøve æøå"), ("Løn", "Sygedage", "14,4", "", "dknyt.dk")],
    schema=["assumption_part", "assumption", "value", "standing_value", "source"],
    orient="row",
)


@cache
def planned() -> plan.NightPlan:
    """Four single-person units, two by two near each other, with all questions answered."""
    ids = ["A", "B", "C", "D"]
    units = pl.DataFrame(
        {
            "unit_id": ids,
            "name": ["Engparken ÆØÅ", "Birkehuset", "Søbo", "=Åsen"],
            "municipality": ["1", "1", "2", "2"],
            "lat": [55.45, 55.46, 54.9, 54.91],
            "lon": [12.1, 12.12, 10.4, 10.42],
            "has_own_point": [True] * 4,
            "operator_kind": ["municipal"] * 4,
            "approval_status": ["approved"] * 4,
            "approved_until": pl.Series([None] * 4, dtype=pl.Date),
            "single_person": [True] * 4,
            "daily_rate_ore": [700_000] * 4,
            "groups": [["g"]] * 4,
        }
    )
    roster = pl.DataFrame(
        {
            "unit_id": ids,
            "night_cover": ["awake"] * 4,
            "posts": [1] * 4,
            "shift_start": [dt.time(23)] * 4,
            "shift_end": [dt.time(7)] * 4,
            "monthly_pay_ore": [3_450_000, 3_450_000, 3_600_000, None],
            "one_to_one": [False] * 4,
            "risky_work": [False] * 4,
            "lone_work_danger": [False] * 4,
            "danger_met_by": ["no_special_danger"] * 4,
            "response_minutes_limit": [30] * 4,
            "excludes_groups": pl.Series([None] * 4, dtype=pl.List(pl.String)),
            "excludes_covered": pl.Series([None] * 4, dtype=pl.List(pl.String)),
        }
    )
    incidents = pl.DataFrame(
        {"unit_id": ids, "incidents": [40, 50, 60, 70], "minutes_mean": [20.0] * 4, "staff_most": [1, 1, 2, 1], "nights": [365] * 4}
    )
    residents = pl.DataFrame({"unit_id": ids, "municipality": ["1", "2", "2", "1"], "daily_rate_ore": [700_000, 700_000, None, 700_000]})
    inputs = plan.Inputs(units, roster, incidents, residents, DAY)
    return plan.best(plan.candidates(plan.prepare(inputs, night.assumptions(DAY))))


def case(language: str = "da", synthetic: bool = True) -> BusinessCase:
    best = planned()
    return BusinessCase(
        area="Sjælland",
        day=DAY,
        version="0123456789abcdef",
        synthetic=synthetic,
        best=best,
        calls=tuple(plan.break_even(best.candidates, couple) for couple in best.couples),
        tornado=nightcover.tornado(plan.sensitivity(best), language),
        frontier=tuple(plan.frontier(best.candidates, [0, 10_000_000, 3_000_000_000])),
        more_ore=0,
        assumptions=ASSUMPTIONS,
        names=NAMES,
        outline={"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": SQUARE}},
        map_caption="Kort",
        apart=(("A", "D"),),
    )


@pytest.fixture(scope="module")
def text() -> str:
    """The PDF's text."""
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=business_case.pdf(case(), "da"), capture_output=True, check=True)
    return done.stdout.decode()


def test_the_font_has_every_letter_that_the_paper_uses() -> None:
    for name in ("regular", "bold"):
        letters = TTFont(settings.ROOT / "static" / f"samplads-sans-{name}.ttf").getBestCmap()
        told = business_case._printable("æøåÆØÅéöü−–·§×!?½²\N{NO-BREAK SPACE}✓✗→≤≥●")
        assert [letter for letter in told if ord(letter) not in letters] == []


def test_the_plan_of_the_sample_has_two_couplings() -> None:
    assert [couple.unit_ids for couple in planned().couples] in ([("A", "B"), ("C", "D")], [("C", "D"), ("A", "B")])


def test_the_pdf_carries_the_answer_the_money_and_every_assumption(text: str) -> None:
    flat = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
    for sentence in (nightcover.answer(planned(), "da"), *business_case.sentences(case(), "da"), *business_case.notes(case(), "da")):
        assert " ".join(sentence.replace("\N{NO-BREAK SPACE}", " ").split()) in flat
    assert "Opdigtede" in flat or "Demo" in flat
    for shown in ("36.000", "34.500", "prøve", "dknyt.dk", "Køge", "Ærø", "Engparken", "S1", "W10"):
        assert shown in flat
    for amount in planned().by_municipality["net_ore"].to_list():
        assert formats.number(round(amount / 100), "da") in flat


def test_real_data_have_no_badge() -> None:
    assert len(business_case.notes(case(synthetic=True), "en")) == len(business_case.notes(case(synthetic=False), "en")) + 1
    assert business_case.pdf(case("en", synthetic=False), "en").startswith(b"%PDF")


def test_the_workbook_counts_with_numbers_that_sum() -> None:
    book = openpyxl.load_workbook(io.BytesIO(business_case.xlsx(case(), "da")))
    assert len(book.sheetnames) == 1 + len(business_case.parts(case(), "da"))
    money = list(book[business_case.parts(case(), "da")[0][0]].iter_rows(values_only=True))
    net = [row[4] for row in money[1:]]
    assert net[-1] == pytest.approx(sum(net[:-1])) == pytest.approx(planned().net_ore / 100)
    # A name that looks like a formula stays a name.
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert any("=Åsen" in str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)


def test_a_paper_without_couplings_says_why() -> None:
    empty = planned().candidates
    nothing = plan.best(empty, apart=[(a, b) for a, b in empty.pairs.select("unit_a", "unit_b").iter_rows()])
    bare = BusinessCase("Sjælland", DAY, "0" * 12, False, nothing, (), case().tornado.clear(), (), 0, ASSUMPTIONS, NAMES)
    assert business_case.pdf(bare, "da").startswith(b"%PDF")
    assert openpyxl.load_workbook(io.BytesIO(business_case.xlsx(bare, "da"))).sheetnames[-1] == "Antagelser og kilder"


def test_a_coast_is_cut_to_the_region() -> None:
    outline = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "MultiPolygon", "coordinates": [SQUARE, [[[0, 0], [1, 0], [1, 1]]]]},
    }
    inside = nightcover.clipped(outline, (11.0, 55.0, 12.0, 58.0))
    assert len(inside) == 1
    ring = inside[0]["geometry"]["coordinates"][0]
    assert {tuple(point) for point in ring} == {(11.0, 55.0), (12.0, 55.0), (12.0, 57.0), (11.0, 57.0)}
    assert ring[0] == ring[-1]
