"""The business case: what stands in the PDF and the workbook is the plan, all of it, in a font that has the letters."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
from dataclasses import replace
from functools import cache

import openpyxl
import polars as pl
import pytest
from fontTools.ttLib import TTFont

from samplads import loading_nightcover as night
from samplads import settings
from samplads.nightcover import plan, post_cost, rules
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


def squeezed(text: str) -> str:
    """A text without its spaces: a cell of a PDF breaks where it must."""
    return "".join(text.split())


def printed(shown: BusinessCase, *options: str) -> str:
    """The text of the PDF."""
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext")
    done = subprocess.run(["pdftotext", *options, "-", "-"], input=business_case.pdf(shown, "da"), capture_output=True, check=True)
    return done.stdout.decode()


def cells(shown: BusinessCase) -> set[str]:
    """Every cell of the workbook, as text."""
    book = openpyxl.load_workbook(io.BytesIO(business_case.xlsx(shown, "da")), read_only=True)
    return {str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row if value is not None}


@pytest.fixture(scope="module")
def text() -> str:
    """The PDF's text."""
    return printed(case(), "-layout")


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
    assert len(book.sheetnames) == 1 + sum(not frame.is_empty() for _, frame, _ in business_case.parts(case(), "da"))
    money = list(book[business_case.parts(case(), "da")[0][0]].iter_rows(values_only=True))
    net = [row[4] for row in money[1:]]
    assert net[-1] == pytest.approx(sum(net[:-1])) == pytest.approx(planned().net_ore / 100)
    # A name that looks like a formula stays a name.
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert any("=Åsen" in str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)


def chosen(changes: dict[str, object], **more: object) -> BusinessCase:
    """The case under changed assumptions."""
    found = planned().candidates.nights
    best = plan.best(plan.candidates(plan.prepare(found.inputs, found.assumptions.changed(**changes))))
    calls = tuple(plan.break_even(best.candidates, couple) for couple in best.couples)
    return replace(case(), best=best, calls=calls, apart=(), **more)  # type: ignore[arg-type]


GIVEN = planned().candidates.nights.assumptions
WINDOWS = tuple(replace(window, start=20 * 60 + 15) if window.name == "evening" else window for window in GIVEN.terms.windows)
CHOICES: list[tuple[str, dict[str, object], dict[str, object], str]] = [
    ("size", {"group_size": 3}, {}, "op til 3 afdelinger"),
    ("ceiling", {"max_overlaps": 17.5}, {}, "17,5"),
    ("sharing", {"sharing": "shapley"}, {}, "Shapley"),
    ("every_unit", {"single_person_only": False}, {}, "ja"),
    ("unknown", {"allow_unknown": True}, {}, "ja"),
    ("law", {"law": "exponential"}, {}, "eksponentielt fordelt varighed"),
    ("own_pay", {}, {"own_pay": False}, "nej"),
    ("price", {}, {"price_ore": 7_700_000}, "Samtidig hændelse tæller 77.000 kr."),
    ("terms", {}, {"terms_title": "Egne vilkår fra i år"}, "Egne vilkår fra i år"),
    ("year", {"terms": GIVEN.terms.changed(calendar=post_cost.RealYear(2029, "DK"))}, {}, "2029, helligdage i DK"),
    ("year", {"terms": GIVEN.terms.changed(calendar=post_cost.StylisedYear(nights=361))}, {}, "stiliseret år: 361 nætter"),
    ("evening", {"terms": GIVEN.terms.changed(windows=WINDOWS)}, {}, "alle dage kl. 20.15-23.00"),
    ("health_check_before", {"practice": replace(GIVEN.practice, health_check_before=None)}, {"together": ()}, "ukendt"),
    ("rest_agreement", {"practice": replace(GIVEN.practice, rest_agreement=True)}, {}, "ja"),
]


@pytest.mark.parametrize(("name", "changes", "more", "value"), CHOICES, ids=[f"{one[0]}-{number}" for number, one in enumerate(CHOICES)])
def test_every_choice_is_in_the_pdf_and_the_workbook(name: str, changes: dict[str, object], more: dict[str, object], value: str) -> None:
    shown = chosen(changes, **more)
    label = nightcover.word("window", "da", name="Aftentillæg") if name == "evening" else nightcover.word(f"pick.{name}", "da")
    row = business_case.assumed(shown, "da").filter(pl.col("assumption") == label).row(0, named=True)
    assert row["value"].replace("\N{NO-BREAK SPACE}", " ").startswith(value)
    before = business_case.assumed(case(), "da").filter(pl.col("assumption") == label).row(0, named=True)
    assert before["value"] != row["value"]
    # The changed value stands with its name: in the paper's text, and in one row of the workbook.
    told = squeezed(printed(shown, "-raw"))
    assert squeezed(business_case._printable(label)) in told
    assert squeezed(business_case._printable(row["value"])) in told
    book = openpyxl.load_workbook(io.BytesIO(business_case.xlsx(shown, "da")), read_only=True)
    rows = [values for sheet in book for values in sheet.iter_rows(values_only=True)]
    assert any(label in values and row["value"] in values for values in rows)


def test_every_rule_stands_with_its_limit() -> None:
    told = nightcover.rules_checked(planned(), "da")
    assert [name.split()[0] for name in told["night_rule"]] == [*rules.HARD, *rules.SOFT]
    assert "–" not in told["rule_limit"].to_list()
    limits = dict(zip([name.split()[0] for name in told["night_rule"]], told["rule_limit"], strict=True))
    assert limits["W1"] == "11 timer; 8 timer efter aftale med kompenserende hvile"
    assert limits["W2"] == "35 timer, højst 6 døgn imellem"
    assert limits["W6"] == "3 nætter"
    assert limits["W14"] == "5 timer til 12 timer"
    assert limits["S7"] == "intet loft"
    assert nightcover.rule_limit("S7", GIVEN.limits, 2.5, "en") == "2.5 incidents a year"
    stricter = chosen({"limits": {**GIVEN.limits, "W7": replace(GIVEN.limits["W7"], value=8.5)}, "max_overlaps": 33.0})
    pdf, book = squeezed(printed(stricter, "-raw")), cells(stricter)
    for limit in ("8,5 timer", "33 hændelser pr. år"):
        assert squeezed(limit) in pdf
        assert limit in book


def test_small_counts_of_stays_are_shown_in_ones_own_municipality_only() -> None:
    told = nightcover.by_municipality(planned(), NAMES, "da", own="1")
    stays = dict(told.select("municipality_name", "stays").iter_rows())
    assert stays == {"Køge": "2", "Ærø": "under 5", "I alt": "skjult"}
    assert told["unknown_stays"].to_list().count("under 5") == 1
    assert nightcover.by_municipality(planned(), NAMES, "en")["stays"].to_list() == ["under 5", "under 5", "hidden"]
    assert nightcover.hidden([5, 0, 1], ["a", "b", "c"], "c", "da") == ["5", "0", "1", "6"]
    assert nightcover.hidden([5, 4], ["a", "b"], "a", "da") == ["5", "under 5", "skjult"]
    for shown in (printed(replace(case(), own="1")), " ".join(cells(replace(case(), own="1")))):
        assert "under 5" in " ".join(shown.split())


def test_a_loss_is_not_said_to_be_paid_back_at_once() -> None:
    assert business_case._last([3, None]) is None
    assert business_case._last([3, 8]) == 8
    dear = chosen({"equipment_ore": 900_000_000})
    lost = plan.best(dear.best.candidates, together=[("A", "B")])
    told = dict(business_case.figures(replace(dear, best=lost, calls=(None,) * len(lost.couples)), "da"))
    assert told["Alle koblinger tjent hjem efter"] == told["Tjent hjem efter, kommunernes del"] == "tjenes ikke hjem"
    usual = dict(business_case.figures(case(), "da"))
    assert usual["Alle koblinger tjent hjem efter"].endswith("måneder") or usual["Alle koblinger tjent hjem efter"].endswith("måned")
    assert usual["Nutidsværdi over fem år"] != usual["Nutidsværdi over fem år, kommunernes del"]


def test_the_simulation_and_the_moves_are_in_the_paper() -> None:
    best = planned()
    played = tuple(plan.simulate(best, nights=2_000))
    apart = plan.best(best.candidates, apart=[("A", "B")])
    told = replace(case(), played=played, moved=plan.co_locations(apart.candidates.without(["C"]), apart=[]))
    text = " ".join(printed(told).split())
    for one in played:
        assert nightcover._interval(one.overlaps_per_year, "da", 1) in text
    far = chosen({"max_minutes": 0.0})
    assert "Flytning i stedet for kørsel" in " ".join(printed(far).split())
    assert squeezed("kan ikke dele") in squeezed(printed(far))


def test_verdicts_are_said_in_words() -> None:
    nights = planned().candidates.nights
    roster = nights.inputs.roster.with_columns(
        pl.lit("alarm_response").alias("danger_met_by"),
        pl.lit(True).alias("risky_work"),
        pl.when(pl.col("unit_id") == "A").then(pl.lit(["g"])).alias("excludes_covered"),
    )
    found = plan.candidates(plan.prepare(replace(nights.inputs, roster=roster), nights.assumptions))
    told = nightcover.verdicts(plan.describe(found, ("A", "B")), "da", {"g": "Autisme"})
    value = {(row["night_rule"].split()[0], row["outcome"]): (row["found_value"], row["rule_limit"]) for row in told.iter_rows(named=True)}
    assert value["W10", "ok"] == ("alarm og tilkald", "30 minutter")
    assert value["S2", "bryder en regel"][0] == "Autisme"
    assert value["S3", "ok"][0] == "nej"
    assert value["S4", "ok"][0] == "godkendt"
    assert value["S5", "ok"] == ("vågen", "vågen")
    assert value["S8", "ok"][0] == "23:00-07:00"
    assert value["W11", "bør undersøges"][0] == "ja"
    assert value["W1", "ok"] == ("16 timer", "11 timer")
    english = nightcover.verdicts(plan.describe(found, ("A", "B")), "en")
    assert "16 hours" in english["found_value"].to_list()
    raw = {"alarm_response", "no_special_danger", "approved", "awake", "yes", "no", "before_nights"}
    for frame in (told, english):
        assert not raw & ({*frame["found_value"], *frame["rule_limit"]} - {"yes", "no", "approved", "awake"} if frame is english else set())
    assert not raw & {*told["found_value"], *told["rule_limit"]}


def test_who_pays_more_than_alone_is_told_by_a_sign_and_words() -> None:
    dear = chosen({"equipment_ore": 900_000_000})
    lost = plan.best(dear.best.candidates, together=[("A", "B")])
    told = nightcover.shares(lost, NAMES, "da")
    assert told["dearer"][0].startswith("! dyrere end alene: efter egen udgift, ligeligt")
    assert told["dearer"][-1] == ""
    assert set(nightcover.shares(planned(), NAMES, "da")["dearer"]) == {""}


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
