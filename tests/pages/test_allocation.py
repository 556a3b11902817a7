"""Samlet fordeling, driven without a browser: the answer equals the plan, and everything it says of itself is found again."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from samplads import extracts, ledger, loading, loading_allocation, overlay, queries, settings
from samplads.ledger import Ledger, holds, overlays
from samplads.loading_allocation import Round
from samplads.matching import allocation as solver
from samplads.matching import outcome
from samplads.matching.allocation import Allocation, allocate
from samplads.matching.check import check
from samplads.presenting import matching
from samplads.ui import allocation as joint
from samplads.ui import waiting


@pytest.fixture
def book(demo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ledger:
    """The ledger that the page reads."""
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", url)
    return ledger.open_(url, extracts.personal.holds_number)


@pytest.fixture
def page(demo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    return AppTest.from_file(str(settings.ROOT / "pages" / "allocation.py"), default_timeout=90)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.error
    assert not page.exception
    return page


def calculate(page: AppTest) -> AppTest:
    page.button(key="run_allocation").click().run()
    assert not page.error
    assert not page.exception
    return page


def frames(page: AppTest) -> list[pl.DataFrame]:
    """Placed, unplaced, scarcity, fairness, comparison."""
    return [pl.from_pandas(shown.value) for shown in page.dataframe]


def sjaelland(demo: Path) -> list[str]:
    """The municipalities that the page begins with."""
    members = queries.run("region_members", demo, day=loading.as_of(demo))
    return members.filter(pl.col("region_name") == "Sjælland")["municipality"].to_list()


def solved(round_: Round, **dated: Any) -> Allocation:
    return allocate(round_.scored, round_.capacity, priority=round_.priority, waiting=round_.waiting, holds=round_.holds, **dated)


def test_the_page_says_what_the_plan_says_and_a_place_more_helps(page: AppTest, demo: Path) -> None:
    run(page)
    placed, unplaced, scarcity, fairness, comparison = frames(page)
    outbid = unplaced.filter(pl.col("explained").str.contains("har pladsen i"))
    assert outbid.height
    assert placed.height + unplaced.height == fairness["needs"].sum()
    assert comparison["placed"].max() == placed.height
    assert scarcity.height

    need = outbid["need_id"][0]
    round_ = loading_allocation.load(loading.as_of(demo), warehouse=demo)
    mine = round_.pairs.filter(pl.col("need_id") == need).sort("points", descending=True)
    page.multiselect(key="more_units").select(mine["unit_id"][0]).run()
    assert not page.error
    assert frames(page)[0].height == placed.height
    assert any("tryk »Beregn«" in told.value for told in page.warning)
    calculate(page)
    after = frames(page)[0]
    assert need in after["need_id"].to_list()
    assert after.height == placed.height + 1
    assert any("får 1 flere en plads" in told.value for told in page.info)
    assert not page.warning


def test_all_municipalities_at_once(page: AppTest, demo: Path) -> None:
    page.query_params["allocation_region"] = "Hele landet"
    run(page)
    assert page.selectbox(key="allocation_region").options[0] == "Hele landet"
    round_ = loading_allocation.load(loading.as_of(demo), warehouse=demo)
    plan = solved(round_)
    table = frames(page)[0]
    assert table.height == plan.placed
    assert any(f"{round_.needs.height} behov" in text.value for text in page.markdown)
    # What the second best costs: a placement, at least so many points, or nothing where there is no other.
    told = dict(table.select("need_id", "second_price").iter_rows())
    costly = 0
    for row in outcome.placed(plan).iter_rows(named=True):
        if row["second_unit"] is None:
            assert told[row["need_id"]] == ""
        elif row["second_tiers"]:
            costly += 1
            assert told[row["need_id"]] == "en plads"
            assert outcome.insist(plan, row["need_id"], row["second_unit"]).allocation.placed < plan.placed
        else:
            assert told[row["need_id"]].startswith("mindst ")
    assert costly


def test_full_pairs_are_the_same_in_many_parts(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = loading.as_of(demo)
    round_ = loading_allocation.load(day, sjaelland(demo), warehouse=demo)
    whole = loading_allocation.full_pairs(day, round_, warehouse=demo)
    monkeypatch.setattr(loading_allocation, "NEEDS_AT_ONCE", 4)
    told: list[float] = []
    parts = loading_allocation.full_pairs(day, round_, warehouse=demo, tell=lambda _, share: told.append(share))
    assert len(told) > 3
    assert sorted(parts.iter_rows()) == sorted(whole.iter_rows())


def test_needs_beyond_the_first_are_said_not_to_be_worked_out(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "MOST_EXPLAINED", 2)
    run(page)
    found = kept(page)
    without = found.unplaced.filter(pl.col("reason") != outcome.OUTBID).height
    said = frames(page)[1]["explained"]
    assert said.str.starts_with("Ikke beregnet").sum() == without - 2 > 0


def test_the_page_speaks_english(page: AppTest) -> None:
    page.session_state["lang"] = "en"
    page.query_params["lang"] = "English"
    run(page)
    assert any("can be placed at the same time" in text.value for text in page.markdown)
    assert page.button(key="run_allocation").label == "Calculate"
    said = " ".join(frames(page)[1]["explained"].to_list())
    assert "fits, but it has no open place" in said
    assert "Cheapest to loosen" in said


def test_what_people_correct_changes_the_plan(page: AppTest, demo: Path, book: Ledger) -> None:
    run(page)
    before = frames(page)[0]
    file = queries.warehouse.current(demo).path
    unit_id = before.select("unit_name").join(queries.run("match_units", demo), left_on="unit_name", right_on="name")["unit_id"][0]
    unit = queries.run("match_units", demo).filter(pl.col("unit_id") == unit_id).row(0, named=True)
    here = before.filter(pl.col("unit_name") == unit["name"]).height
    assert here
    overlays.correct(
        book,
        unit_id=unit_id,
        field="accepting",
        value=0,
        delivered=unit["accepting"],
        why="taken this morning",
        who="Anne",
        version=queries.warehouse.current(demo).id,
    )
    assert overlay.read(book, file).units.height == 1
    run(page)
    after = frames(page)[0]
    assert after.filter(pl.col("unit_name") == unit["name"]).height == 0
    layer = overlay.read(book, file)
    assert after.height == solved(loading_allocation.load(loading.as_of(demo), sjaelland(demo), warehouse=demo, layer=layer)).placed


def test_every_value_of_a_place_is_found_by_solving_again(page: AppTest, demo: Path) -> None:
    run(page)
    day, members = loading.as_of(demo), sjaelland(demo)
    kinds = kept(page).kinds
    assert kinds.height >= 15
    usual = kept(page).allocation
    assert kinds.filter(pl.col("placed") > 0).height > 1
    again: dict[str, tuple[int, int, int]] = {}
    for row in kinds.iter_rows(named=True):
        if row["unit_id"] not in again:
            plan = solved(loading_allocation.load(day, members, more={row["unit_id"]: 1}, warehouse=demo))
            again[row["unit_id"]] = (plan.urgent - usual.urgent, plan.placed - usual.placed, plan.objective - usual.objective)
        assert again[row["unit_id"]] == (row["urgent"], row["placed"], row["points"])
    # The best full unit of the country helps: it would have been left out where only open units are looked at.
    accepting = dict(queries.run("match_units", demo).select("unit_id", "accepting").iter_rows())
    assert any(not accepting[row["unit_id"]] and row["placed"] for row in kinds.iter_rows(named=True))


def kept(page: AppTest) -> joint.Answer:
    """The newest answer that the visit remembers."""
    answers: dict[object, joint.Answer] = page.session_state["_allocations"]
    return list(answers.values())[-1]


def test_no_open_place_is_a_reason_and_its_place_helps(page: AppTest, demo: Path) -> None:
    run(page)
    found = kept(page)
    closed = found.unplaced.filter(pl.col("reason") == "no_open_place")
    assert closed.height
    said = dict(frames(page)[1].select("need_id", "explained").iter_rows())
    units = dict(queries.run("match_units", demo).select("unit_id", "name").iter_rows())
    for row in closed.iter_rows(named=True):
        assert "åben plads" in said[row["need_id"]]
        assert units[row["unit_id"]] in said[row["need_id"]]
        opened = loading_allocation.load(loading.as_of(demo), sjaelland(demo), more={row["unit_id"]: 1}, warehouse=demo)
        assert (row["need_id"], row["unit_id"]) in set(opened.pairs.select("need_id", "unit_id").iter_rows())
        assert solved(opened).placed == found.allocation.placed + 1
    assert any(f"{closed.height} har ingen åben plads" in text.value for text in page.markdown)


def a_pair(demo: Path, plan: pl.DataFrame) -> tuple[str, str]:
    """A need and a unit that suits it, but that the plan did not give it, with one place."""
    round_ = loading_allocation.load(loading.as_of(demo), sjaelland(demo), warehouse=demo)
    other = round_.pairs.join(plan.select("need_id", "unit_id"), on=["need_id", "unit_id"], how="anti")
    one = other.join(round_.capacity.filter(pl.col("places") == 1), on="unit_id").sort("need_id", "unit_id").row(0, named=True)
    return one["need_id"], one["unit_id"]


def test_holds_are_kept_shown_and_taken_from_the_places(page: AppTest, demo: Path, book: Ledger) -> None:
    run(page)
    first = kept(page)
    need, unit = a_pair(demo, first.allocation.chosen)
    day = loading.as_of(demo)

    def hold(need_id: str, unit_id: str) -> None:
        holds.hold(book, unit_id=unit_id, need_id=need_id, until=day + dt.timedelta(30), on=day, open_places=9, who="Anne", version="v")

    hold(need, unit)
    run(page)
    held = kept(page)
    assert (need, unit) in set(held.allocation.chosen.select("need_id", "unit_id").iter_rows())
    assert frames(page)[0].filter(pl.col("held") == "ja")["need_id"].to_list() == [need]
    assert any("1 behov har en reserveret plads og beholder den." in told.value for told in page.info)
    for plan in (held.comparison.first_come, held.comparison.best_pair_first, held.comparison.stable):
        assert (need, unit) in set(plan.chosen.select("need_id", "unit_id").iter_rows())
        assert plan.chosen.filter(pl.col("unit_id") == unit).height == 1

    # A need of another region takes a place; one that holds what is no sure match is left out with it, in a sentence.
    away = first.allocation.chosen.filter(pl.col("unit_id") != unit)["unit_id"][0]
    hold("elsewhere-1", away)
    strange = first.unplaced.filter(pl.col("reason") == "no_eligible_unit")["need_id"][0]
    full = queries.run("match_units", demo).filter(pl.col("accepting") == 0)["unit_id"][0]
    hold(strange, full)
    run(page)
    now = kept(page)
    before = dict(held.round.capacity.iter_rows())
    assert dict(now.round.capacity.iter_rows())[away] == before[away] - 1
    assert strange not in now.round.needs["need_id"].to_list()
    told = " ".join(info.value for info in page.info)
    assert f"Behov {strange}" in told
    assert "1 plads er reserveret til behov, der ikke er med her" in told
    assert check(now.allocation, now.round.scored, now.round.capacity, holds=now.round.holds).right


def test_a_hold_of_the_last_place_twice_is_no_crash(demo: Path) -> None:
    day, members = loading.as_of(demo), sjaelland(demo)
    usual = loading_allocation.load(day, members, warehouse=demo)
    both = usual.pairs.join(usual.capacity.filter(pl.col("places") == 1), on="unit_id")
    unit = both.group_by("unit_id").len().filter(pl.col("len") > 1).sort("unit_id")["unit_id"][0]
    needs = both.filter(pl.col("unit_id") == unit)["need_id"].head(2).to_list()
    told = pl.DataFrame({"need_id": needs, "unit_id": [unit] * 2, "places": [2, 1]})
    round_ = loading_allocation.load(day, members, holds=told, warehouse=demo)
    assert round_.holds.rows() == [(needs[0], unit)]
    assert round_.settled.rows() == [(needs[1], unit)]
    assert (needs[0], unit) in set(solved(round_).chosen.select("need_id", "unit_id").iter_rows())


def test_a_cancelled_run_stays_cancelled_until_asked_again(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    run(page)
    before = frames(page)[0]
    runs = []

    def slow(*arguments: object, progress: Callable[[str, float], None], **options: object) -> Allocation:
        runs.append(options)
        progress("solve", 0.3)
        # What Streamlit does to a script whose visitor has pressed a button, at the next word to the page.
        raise StopException

    page.toggle(key="fair").set_value(True).run()
    monkeypatch.setattr(solver, "allocate", slow)
    monkeypatch.setattr(joint, "allocate", slow)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0)
    page.button(key="run_allocation").click().run()
    assert len(runs) == 1
    page.button(key="cancel_waiting").click().run()
    assert len(runs) == 1
    assert any("Beregningen er afbrudt" in told.value for told in page.info)
    assert not page.dataframe
    page.run()
    assert len(runs) == 1
    monkeypatch.setattr(joint, "allocate", allocate)
    calculate(page)
    assert frames(page)[0].height == before.height
    assert not any("afbrudt" in told.value for told in page.info)


def test_progress_is_told_between_all_steps(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    answer = joint._answer

    def listening(question: joint.Question, held: object, before: object, tell: Callable[[str, float], None]) -> joint.Answer:
        def both(step: str, share: float) -> None:
            told.append(step)
            tell(step, share)

        return answer(question, held, before, both)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(joint, "_answer", listening)
    run(page)
    assert list(dict.fromkeys(told)) == ["read", "solve", "compare", "full", "explain"]


def test_a_rule_left_out_and_fairness(page: AppTest, demo: Path) -> None:
    run(page)
    page.multiselect(key="dropped").select("distance").run()
    calculate(page)
    round_ = loading_allocation.load(loading.as_of(demo), sjaelland(demo), dropped=["distance"], warehouse=demo)
    plan = solved(round_)
    assert frames(page)[0].height == plan.placed
    assert round_.pairs.height > loading_allocation.load(loading.as_of(demo), sjaelland(demo), warehouse=demo).pairs.height
    page.multiselect(key="dropped").unselect("distance").run()
    page.toggle(key="fair").set_value(True).run()
    calculate(page)
    fair = kept(page)
    assert fair.allocation.shares is not None
    table = frames(page)[3]
    assert {"floor", "lacking"} <= set(table.columns)
    assert table["lacking"].sum() == fair.allocation.shares["lacking"].sum()
    assert any("Gennemsnittet er den andel" in told.value for told in page.caption)
    assert any("er tallene omtrentlige" in told.value for told in page.caption)
    assert not fair.kinds["exact"].any()


def test_so_many_places_for_each_unit_and_a_new_unit(page: AppTest, demo: Path) -> None:
    run(page)
    usual = kept(page)
    open_units = usual.round.capacity["unit_id"].head(2).to_list()
    for unit in open_units:
        page.multiselect(key="more_units").select(unit).run()
    page.text_input(key=f"more_{open_units[1]}").input("3").run()
    best = usual.kinds.filter(pl.col("placed") > 0)["unit_id"][0]
    page.selectbox(key="new_like").select(best).run()
    page.text_input(key="new_places").input("2").run()
    calculate(page)
    found = kept(page)
    before, after = dict(usual.round.capacity.iter_rows()), dict(found.round.capacity.iter_rows())
    assert after[open_units[0]] == before[open_units[0]] + 1
    assert after[open_units[1]] == before[open_units[1]] + 3
    assert after[joint.NEW] == 2
    mine = found.round.pairs.filter(pl.col("unit_id") == joint.NEW)
    opened = loading_allocation.load(loading.as_of(demo), sjaelland(demo), more={best: 1}, warehouse=demo).pairs
    like = opened.filter(pl.col("unit_id") == best)
    assert mine.height >= like.height
    assert set(like["need_id"]) <= set(mine["need_id"])
    assert joint.NEW in found.allocation.chosen["unit_id"].to_list()
    assert any(str(name).startswith("Ny afdeling som ") for name in frames(page)[0]["unit_name"])
    # Nobody else's points change because of a place that is thought of.
    both = usual.round.pairs.join(found.round.pairs, on=["need_id", "unit_id"], suffix="_after")
    assert both.height == usual.round.pairs.height
    assert (both["points"] == both["points_after"]).all()


def test_places_to_come_are_counted_over_a_horizon(page: AppTest, demo: Path) -> None:
    page.session_state["allocation_region"] = None
    run(page)
    usual = kept(page)
    page.text_input(key="horizon").input("24").run()
    calculate(page)
    found = kept(page)
    day = loading.as_of(demo)
    planned = queries.run("places_to_come", demo, as_of=day, until=dt.date(day.year + 2, day.month, day.day))
    assert planned.height
    assert found.round.capacity["places"].sum() == usual.round.capacity["places"].sum() + planned["places"].sum()
    assert set(usual.round.pairs.select("need_id", "unit_id").iter_rows()) < set(found.round.pairs.select("need_id", "unit_id").iter_rows())
    plan = found.allocation
    assert plan.placed >= usual.allocation.placed
    longest = 6
    wanted = dict(found.round.wanted.iter_rows())  # type: ignore[union-attr]  # there is a horizon
    for row in plan.chosen.iter_rows(named=True):
        months = 12 * (row["opens"].year - wanted[row["need_id"]].year) + row["opens"].month - wanted[row["need_id"]].month
        assert row["months_waited"] == max(0, months) <= longest
    assert check(plan, found.round.scored, found.round.capacity, waiting_points=5).right
    assert plan.chosen["months_waited"].sum() > 0
    shown = frames(page)[0]
    assert {"moves_in", "months_waited"} <= set(shown.columns)
    late = plan.chosen.filter(pl.col("months_waited") > 0).row(0, named=True)
    month = ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"][late["opens"].month - 1]
    told = shown.filter(pl.col("need_id") == late["need_id"])["moves_in"][0]
    assert told.startswith(month)
    assert told.endswith(f" {late['opens'].year}")
    # The month alone judges when a place opens: no explanation names the day as the limit to loosen.
    assert found.relaxed
    assert not any(f"»{matching.rule('open_by', 'da')}«" in told for told in found.relaxed.values())
    # What one more place is worth is found by solving again with one, which opens now.
    kinds = found.kinds
    assert kinds.filter(pl.col("placed") > 0).height > 1
    again: dict[str, tuple[int, int, int]] = {}
    for row in kinds.iter_rows(named=True):
        if row["unit_id"] not in again:
            more = loading_allocation.load(day, more={row["unit_id"]: 1}, horizon=24, warehouse=demo)
            after = solved(more, wanted=more.wanted, waiting_points=5, longest_wait=longest)
            again[row["unit_id"]] = (after.urgent - plan.urgent, after.placed - plan.placed, after.objective - plan.objective)
        assert again[row["unit_id"]] == (row["urgent"], row["placed"], row["points"])
    # A unit that has planned places only is asked what a place now is worth, too.
    opening = queries.run("open_places", demo, as_of=day)
    only_planned = set(planned["unit_id"]) - set(opening["unit_id"])
    assert only_planned
    first = dict(found.round.capacity.group_by("unit_id").agg(pl.col("opens").min()).iter_rows())
    assert {first[unit] for unit in only_planned} == {dt.date(day.year, day.month, 1)}
    # With more places thought of beside the planned ones: they open now.
    page.multiselect(key="more_units").select(planned["unit_id"][0]).run()
    calculate(page)
    lots = kept(page).round.capacity.filter(pl.col("unit_id") == planned["unit_id"][0])
    assert lots["opens"].min() == dt.date(day.year, day.month, 1)


def test_some_must_not_live_together(page: AppTest, demo: Path) -> None:
    run(page)
    # Two of those without a place meet where most of them could go, once there are places enough.
    first = kept(page)
    full = loading_allocation.full_pairs(loading.as_of(demo), first.round, warehouse=demo).join(first.unplaced, on="need_id", how="semi")
    unit = full.group_by("unit_id").len().sort(["len", "unit_id"], descending=[True, False])["unit_id"][0]
    page.multiselect(key="more_units").select(unit).run()
    page.text_input(key=f"more_{unit}").input("9").run()
    calculate(page)
    usual = kept(page).allocation.chosen
    crowded = usual.group_by("unit_id").agg("need_id").filter(pl.col("need_id").list.len() > 1).sort("unit_id")
    assert crowded.height
    couple = sorted(crowded["need_id"][0].to_list())[:2]
    for need in couple:
        page.multiselect(key="apart_1").select(need).run()
    assert page.multiselect(key="apart_2").label == "Heller ikke disse"
    calculate(page)
    found = kept(page)
    where = dict(found.allocation.chosen.select("need_id", "unit_id").iter_rows())
    assert where.get(couple[0]) is None or where.get(couple[0]) != where.get(couple[1])
    assert found.allocation.status == "optimal"


def test_the_proposal_is_one_workbook_that_nobody_has_decided(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, bytes] = {}

    def press(_label: str, *, data: Callable[[], bytes], key: str, **_options: object) -> bool:
        """Each button of a file, pressed while the page is drawn."""
        made[key] = data()
        return False

    monkeypatch.setattr(st, "download_button", press)
    run(page)
    found = kept(page)
    book = made["download_proposal"]
    names = ("Får plads", "Uden plads", "Én plads mere")
    sheets = {name: pl.read_excel(io.BytesIO(book), sheet_name=name) for name in names}
    assert sheets["Får plads"].height == found.allocation.placed
    assert sheets["Uden plads"].height == found.unplaced.height
    assert sheets["Uden plads"]["Årsag"].null_count() == 0
    assert sheets["Én plads mere"].height
    first = pl.read_excel(io.BytesIO(book), sheet_name="Forslag", has_header=False)
    premises = dict(first.iter_rows())
    assert first.row(0) == ("Status", "FORSLAG. Ingen har besluttet det, og intet er reserveret ved det.")
    assert premises["Grundlagets aftryk"] == found.allocation.digest
    assert premises["Bevis"].startswith("Bevist bedst")
    assert premises["Pr."] == "01.11.2026"
    assert premises["Reserverede pladser"] == "Ingen"
    # The tables' own exports have all rows too, the reason in a column of its own.
    unplaced = pl.read_excel(io.BytesIO(made["unplaced_export_xlsx"]))
    assert unplaced.height == found.unplaced.height
    assert "Årsag" in unplaced.columns


def test_the_map_says_in_words_how_far_they_move(page: AppTest) -> None:
    run(page)
    found = kept(page)
    charts = page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")
    told = [chart.proto.alt for chart in charts]
    at_home = found.allocation.chosen.join(found.round.needs.select("need_id", "municipality"), on="need_id")
    units = found.round.pairs.select("unit_id").unique()
    assert units.height
    assert any(f"{at_home.height} behov får plads" in text for text in told)
