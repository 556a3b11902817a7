"""A placement officer's way through the house in Chromium, each number on the screen held against the same question asked outside it.

Overblik, its door to Ledige pladser, a unit, Excel, the link, English and back; then a need, its matches, why not, side by side.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pytest
from playwright.sync_api import expect

from samplads import i18n, loading, policy, queries
from samplads.matching.ranking import MatchResult, match
from samplads.presenting import formats, match_tables, tables
from samplads.presenting import matching as match_words
from samplads.presenting import vacancies as vacancy_words
from tests.browser import grid, words
from tests.browser.conftest import Served, Visit
from tests.browser.runs import asking, eventually, settled
from tests.small import AUTISM, EXTERNALISING

if TYPE_CHECKING:
    from playwright.sync_api import Download, Locator, Page

HOME = "259"
"""The municipality that the shipped reference begins with (Køge)."""
NEED = "2026-118"
NEAR_KM = 60


def say(key: str, language: str = "da", **values: object) -> str:
    return i18n.text(key, language, **values)


def answer(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def words_of(text: str) -> re.Pattern[str]:
    """A text as the screen has it: without Markdown, whatever its spaces are."""
    return re.compile(r"\s+".join(re.escape(part) for part in text.replace("**", "").split()))


def rows_exported(page: Page, key: str, count: int) -> None:
    """The buttons under a table say how many rows they hand over."""
    told = page.locator(f".st-key-{key}_export").first
    expect(told).to_contain_text(words_of(formats.plural(count, "ui.export.all", "da")))


@pytest.fixture
def asked(served: Served) -> dict[str, Any]:
    """What the page asks of the queries when no filter is chosen."""
    day = loading.as_of(served.warehouse)
    limits = loading.freshness(day)
    lat, lon = loading.municipalities(served.warehouse)[HOME]
    told: dict[str, Any] = {"day": day, "lat": lat, "lon": lon, "fresh_days": limits.fresh_days, "ageing_days": limits.ageing_days}
    lists = ("groups", "offer_types", "municipalities", "operator_kinds", "night_covers", "freshness")
    values = ("age", "support_level", "open_by", "max_km", "max_rate_ore")
    return told | {name: [] for name in lists} | dict.fromkeys(values) | {"places": "open", "all_groups": True}


def normal_occupancy(day: dt.date) -> float:
    return float(policy.load("rate_comparison", day).values["normal_occupancy_pct"]["value"])


def vacant(served: Served, asked: dict[str, Any], language: str = "da", **chosen: Any) -> pl.DataFrame:
    pct = normal_occupancy(asked["day"])
    return queries.run("vacant_units", served.warehouse, language=language, occupancy_pct=pct, **(asked | chosen))


def expect_vacancies(page: Page, served: Served, asked: dict[str, Any], **chosen: Any) -> pl.DataFrame:
    """The Vacancies page shows exactly what the queries give for these filters; returns the units."""
    units = vacant(served, asked, **chosen)
    total = vacancy_words.summary(units)
    counted = queries.run("vacancy_funnel", served.warehouse, **(asked | chosen))
    for line in (
        vacancy_words.answer(total, asked["fresh_days"], "Køge", "da"),
        vacancy_words.counts(total, "da"),
        vacancy_words.unsure(total, "da") or "",
        vacancy_words.funnel_line(counted, "da"),
    ):
        expect(answer(page)).to_contain_text(words_of(line))
    rows_exported(page, "units", units.height)
    settled(page)
    # Once without our own words for it, and against the rows themselves.
    sure = units.filter(pl.col("unknowns").list.len() == 0)
    assert counted["remaining"][-1] == sure.height
    first = f"{formats.number(sure['accepting'].sum(), 'da')} åbne pladser på {formats.number(sure.height, 'da')} afdelinger passer."
    assert answer(page).inner_text().startswith(first)
    grid.shows(page, "units", say("columns.unit_name"), units["unit_name"].to_list())
    grid.shows(page, "units", tables.header(tables.column("accepting"), "da"), [str(count) for count in units["accepting"]])
    return units


def opened(download: Download) -> openpyxl.Workbook:
    """A downloaded workbook, read by another library than the one that wrote it."""
    return openpyxl.load_workbook(io.BytesIO(Path(download.path()).read_bytes()))


def cell(value: object) -> object:
    """A cell as the query's value would be: days without a time, whole numbers as such."""
    if isinstance(value, dt.datetime):
        return value.date()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def expect_workbook(book: openpyxl.Workbook, units: pl.DataFrame) -> None:
    """All rows of the query with equal values under Danish headers: numbers are numbers, days are days, codes are words."""
    heads, *rows = [[cell(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    assert len(rows) == units.height
    told = dict(zip([str(head) for head in heads], zip(*rows, strict=True), strict=True))
    sure = [told[tables.header(tables.column("fits"), "da")][row] == say("choices.fits.fits") for row in range(len(rows))]
    assert sure == [not unknowns for unknowns in units["unknowns"].to_list()]
    counts = ("accepting", "reserved", "occupied", "maximum")
    for key in ("unit_id", "unit_name", "municipality_name", *counts, "accepting_from", "confirmed_at"):
        assert list(told[tables.header(tables.column(key), "da")]) == units[key].to_list(), key
    rates = told[tables.header(tables.column("daily_rate_ore"), "da")]
    assert [None if rate is None else round(float(str(rate)) * 100) for rate in rates] == units["daily_rate_ore"].to_list()
    covers = told[tables.header(tables.column("night_cover"), "da")]
    assert list(covers) == [None if code is None else say(f"choices.night_cover.{code}") for code in units["night_cover"]]
    groups = told[tables.header(tables.column("primary_names"), "da")]
    assert [text or "" for text in groups] == [", ".join(names) for names in units["primary_names"]]
    about = {str(row[0]): str(row[1]) for row in book.worksheets[1].iter_rows(values_only=True)}
    assert about[say("ui.export.rows")] == formats.number(units.height, "da")
    assert about[say("ui.export.data")] == say("app.demo_help")


def view(page: Page) -> tuple[str, list[str], str, str]:
    """What stands on the Vacancies page: answer, first rows, the details, and a filter's field."""
    names = grid.column(page, "units", say("columns.unit_name"))[:4]
    typed = page.locator(".st-key-max_km input").input_value()
    return answer(page).inner_text(), names, page.locator(".st-key-unit").inner_text(), typed


def test_from_the_start_page_to_a_place_a_workbook_and_a_link(visit: Visit, served: Served, asked: dict[str, Any]) -> None:
    page = visit.open("/")
    whole = queries.run("overview_places", served.warehouse, day=asked["day"], fresh_days=asked["fresh_days"]).to_dicts()[0]
    waiting = queries.run("overview_needs", served.warehouse, day=asked["day"]).to_dicts()[0]
    expect(answer(page)).to_contain_text(f"{formats.number(whole['accepting'], 'da')} pladser er åbne")
    main = page.locator('[data-testid="stMain"]')
    expect(main).to_contain_text(words_of(formats.plural(waiting["needs"], "overview.needs", "da")))
    expect(main.get_by_text(say("app.demo_as_of", day=formats.date(asked["day"], "da")))).to_be_visible()
    settled(page)
    assert words.strangers_at_last(page, "da") == []

    # The door: the pair of groups that most open needs ask for. Both are met by every unit behind it, and excluded by none.
    pair = sorted([AUTISM, EXTERNALISING])
    assert queries.run("overview_demand", served.warehouse, day=asked["day"])["target_groups"].to_list()[0] == pair
    page.get_by_role("link", name=say("overview.find_link")).click()
    expect(page.get_by_role("heading", name=say("vacancies.title"), exact=True)).to_be_visible()
    both = expect_vacancies(page, served, asked, groups=pair)
    surely = set(both.filter(pl.col("unknowns").list.len() == 0)["unit_id"])
    assert surely
    for unit in queries.run("units_by_id", served.warehouse, unit_ids=both["unit_id"].to_list()).to_dicts():
        approved = {*unit["covered_primary"], *unit["covered_secondary"]}
        assert set(pair) <= approved or unit["unit_id"] not in surely, unit["unit_id"]
        # One that fits in part says so: it has told no groups at all.
        assert set(pair) <= approved or not approved, unit["unit_id"]
        assert not set(pair) & set(unit["covered_excluded"]), unit["unit_id"]

    # Either of the two, then both again, then near: a filter more is never a unit more.
    toggle = page.locator(".st-key-all_groups label").first
    with asking(page):
        toggle.click()
    either = expect_vacancies(page, served, asked, groups=pair, all_groups=False)
    assert set(both["unit_id"]) < set(either["unit_id"])
    with asking(page):
        toggle.click()
    expect(answer(page)).to_contain_text(words_of(vacancy_words.counts(vacancy_words.summary(both), "da")))
    field = page.locator(".st-key-max_km input")
    field.fill(str(NEAR_KM))
    with asking(page):
        field.press("Enter")
    near = expect_vacancies(page, served, asked, groups=pair, max_km=float(NEAR_KM))
    assert 1 < near.height < both.height

    # A unit with all that is known, and what nobody has told.
    grid.select(page, "units", 1)
    chosen = near.row(1, named=True)
    details = page.locator(".st-key-unit")
    expect(details).to_contain_text(chosen["unit_id"])
    pct = normal_occupancy(asked["day"])
    limits = {name: asked[name] for name in ("day", "fresh_days", "ageing_days")}
    of_unit = {"unit_id": chosen["unit_id"], "language": "da", "occupancy_pct": pct}
    told = queries.run("unit_detail", served.warehouse, **of_unit, **limits).to_dicts()[0]
    for label, value in vacancy_words.facts(told, pct, "da", asked["day"]):
        expect(details).to_contain_text(words_of(f"{label}: {value}"))
    if untold := vacancy_words.untold(told, "da"):
        expect(details).to_contain_text(words_of(say("vacancies.untold", what=formats.listing(untold, "da"))))
    expect(details).to_contain_text(words_of(f"{told['occupied']} belagt, {told['reserved']} reserveret, {told['accepting']} åben"))
    details.get_by_role("tab", name=say("vacancies.tab_history")).click()
    changes = queries.run("unit_history", served.warehouse, unit_id=chosen["unit_id"])
    if changes.is_empty():
        expect(details).to_contain_text(say("vacancies.no_history"))
    else:
        rows_exported(page, "unit_history", changes.height)
    details.get_by_role("tab", name=say("vacancies.tab_facts")).click()

    # All rows in Excel, not only those in view.
    with page.expect_download() as handed:
        page.locator(".st-key-units_export_xlsx button").first.click()
    assert handed.value.suggested_filename == f"ledige-pladser-{asked['day'].isoformat()}.xlsx"
    expect_workbook(opened(handed.value), near)

    # The address is the view.
    before = view(page)
    assert f"unit_id={chosen['unit_id']}" in page.url
    page.reload()
    expect(page.locator(".st-key-unit")).to_contain_text(chosen["unit_id"])
    settled(page)
    grid.shows(page, "units", say("columns.unit_name"), near["unit_name"].to_list())
    assert view(page) == before
    assert words.strangers_at_last(page, "da") == []

    # English and back, with the same choices.
    english = vacant(served, asked, "en", groups=pair, max_km=float(NEAR_KM))
    with asking(page):
        page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", name=say("vacancies.title", "en"), exact=True)).to_be_visible()
    expect(answer(page)).to_contain_text(words_of(vacancy_words.answer(vacancy_words.summary(english), asked["fresh_days"], "Køge", "en")))
    expect(page.locator(".st-key-unit")).to_contain_text(say("vacancies.tab_facts", "en"))
    settled(page)
    grid.shows(page, "units", say("columns.unit_name", "en"), english["unit_name"].to_list())
    assert page.evaluate("document.documentElement.lang") == "en"
    assert words.strangers_at_last(page, "en") == []
    with asking(page):
        page.get_by_role("radio", name="Dansk").click()
    expect(page.get_by_role("heading", name=say("vacancies.title"), exact=True)).to_be_visible()
    expect(answer(page)).to_contain_text(words_of(vacancy_words.answer(vacancy_words.summary(near), asked["fresh_days"], "Køge", "da")))
    settled(page)
    assert words.strangers_at_last(page, "da") == []

    assert visit.foreign() == []
    assert visit.complaints == []


def matched(served: Served) -> MatchResult:
    day = loading.as_of(served.warehouse)
    return match(
        loading.need(NEED, served.warehouse),
        loading.places(served.warehouse),
        loading.weights(day),
        as_of=day,
        municipalities=loading.municipalities(served.warehouse),
    )


def test_from_a_need_to_its_matches_why_not_and_a_comparison(visit: Visit, served: Served) -> None:
    result = matched(served)
    assert sum(result.counts.values()) == result.units
    page = visit.open("/match")
    field = page.locator(".st-key-need input").first
    field.click()
    field.fill(NEED)
    with asking(page):
        page.get_by_role("option", name=f"{NEED} · Køge · 24 år", exact=True).click()
    expect(answer(page)).to_contain_text(words_of(match_words.answer(result, "da")))
    expect(answer(page)).to_contain_text(f"Behov {NEED}")
    settled(page)
    names = dict(result.places.frame.select("unit_id", "name").iter_rows())
    hits = [names[unit_id] for unit_id in result.hits["unit_id"]]
    grid.shows(page, "hits", say("columns.unit_name"), hits)
    grid.shows(page, "hits", say("columns.points"), [str(points) for points in result.hits["points"]])
    assert words.strangers_at_last(page, "da") == []

    # Why not: every rule with how many it holds out, and for how many it is the only one.
    expected = sorted(
        ((match_words.rule(rule, "da"), told.failed, told.only_this) for rule, told in result.excluded.items() if told.failed),
        key=lambda row: (-row[1], row[0]),
    )
    for place, key in enumerate(("rule", "failed", "only_this")):
        grid.shows(page, "why_not", say(f"columns.{key}"), [str(row[place]) for row in expected])

    # Nearly, and whom to ask.
    page.get_by_role("tab", name=say("match.tab.near")).click()
    rows_exported(page, "near_misses", result.near_misses.height)
    settled(page)
    near = match_tables.near_misses(result, {}, "da")
    grid.shows(page, "near_misses", say("columns.unit_name"), near["unit_name"].to_list())
    page.get_by_role("tab", name=say("match.tab.assessment")).click()
    grid.shows(page, "assessment", say("columns.unit_name"), [names[unit_id] for unit_id in result.needs_assessment["unit_id"]])

    # Two beside each other.
    grid.select(page, "hits", 0)
    grid.select(page, "hits", 1)
    expect(page.get_by_role("heading", name=say("match.compare.title"))).to_be_visible()
    fact = say("columns.fact")
    grid.heads(page, "comparison", [fact, *hits[:2]])

    def facts_are_shown() -> None:
        labels, first = (grid.column(page, "comparison", head) for head in (fact, hits[0]))
        facts = dict(zip(labels, first, strict=True))
        assert facts[say("columns.points")] == str(result.hits["points"][0])
        assert facts[say("columns.municipality_name")] == result.places.frame.filter(pl.col("name") == hits[0])["municipality_name"][0]

    eventually(page, facts_are_shown)

    # One that nearly fits and one to assess can stand beside them; a fifth tick is told that it is one too many.
    missed, to_ask = near["unit_name"][0], names[result.needs_assessment["unit_id"][0]]
    grid.select(page, "assessment", 0)
    page.get_by_role("tab", name=say("match.tab.near")).click()
    grid.select(page, "near_misses", 0)
    grid.heads(page, "comparison", [fact, *hits[:2], missed, to_ask])
    grid.select(page, "near_misses", 1)
    expect(page.get_by_text(words_of(say("match.compare.most", most=4, ticked=5)))).to_be_visible()
    grid.heads(page, "comparison", [fact, *hits[:2], *near["unit_name"][:2]])

    # Exported: all hits with what the screen has no room for.
    with page.expect_download() as handed:
        page.locator(".st-key-hits_export_xlsx button").first.click()
    heads, *lines = [[str(value) for value in row] for row in opened(handed.value).worksheets[0].iter_rows(values_only=True)]
    at = heads.index(tables.header(tables.column("unit_id"), "da"))
    assert [line[at] for line in lines] == result.hits["unit_id"].to_list()

    # English, and the link of it.
    with asking(page):
        page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", name=say("match.title", "en"), exact=True)).to_be_visible()
    expect(answer(page)).to_contain_text(words_of(match_words.answer(result, "en")))
    settled(page)
    assert words.strangers_at_last(page, "en") == []
    page.reload()
    expect(answer(page)).to_contain_text(words_of(match_words.answer(result, "en")))
    expect(answer(page)).to_contain_text(NEED)

    assert visit.foreign() == []
    assert visit.complaints == []
