"""SQL-værksted, driven without a browser: an answer first, own queries, what is wrong and where, parameters, exports, saved queries."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from samplads import i18n, settings
from samplads.ledger import saved
from samplads.presenting import tables
from samplads.presenting import workbench as shown
from samplads.ui import workbench as bench
from samplads.ui import written
from samplads.workbench import analyst_copy, handover, library, pool, worker


@pytest.fixture(scope="module", autouse=True)
def _workers() -> Iterator[None]:
    yield
    worker.stop()


@pytest.fixture
def page(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    return AppTest.from_file(str(settings.ROOT / "pages" / "workbench.py"), default_timeout=120)


def finished(page: AppTest) -> AppTest:
    """What is under way has come to its end, and the page shows it."""
    mine = page.session_state["_workbench"]
    for ticket in (mine.ticket, mine.exporting):
        if ticket is not None:
            assert ticket.wait(60)
            page.run()
    assert not page.exception
    return page


def ask(page: AppTest, sql: str) -> AppTest:
    page.text_area(key="sql").input(sql).run()
    page.button(key="run").click().run()
    return finished(page)


def said(page: AppTest) -> str:
    return " ".join(text.value for text in page.markdown)


def rows(page: AppTest) -> pl.DataFrame:
    return pl.from_pandas(page.dataframe[0].value)


def test_a_visitor_meets_an_answer_and_the_twenty_questions(page: AppTest, demo: Path) -> None:
    finished(page.run())
    assert not page.error
    query = library.get("open_places_for_group")
    assert query.title["da"].rstrip("?") in said(page)
    expected = worker.run(query.sql, analyst_copy.current(demo), parameters=query.example())
    assert rows(page).height == expected.rows_shown > 0
    assert {button.key for button in page.button} >= {f"open_{one.name}" for one in library.all_queries()}
    # Under the answer stand the columns that it gives.
    (promised,) = [caption.value for caption in page.caption if caption.value.startswith("Kolonner")]
    assert all(header in promised for header in ("Navn", "Kommune", "Bekræftet den", "Prisår"))
    # A question with another choice is answered anew.
    page.button(key="open_approvals_running_out").click()
    finished(page.run())
    soon = rows(page).height
    page.text_input(key="approvals_running_out_days").input("3650").run()
    assert rows(finished(page)).height > soon
    assert "approvals_running_out" in page.query_params["q"]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_reviewed_question_opens_by_its_link(page: AppTest, language: str) -> None:
    page.session_state["lang"] = language
    for name in ("what_is_hidden", "occupancy_history", "both_groups_at_once"):
        page.query_params["q"] = name
        finished(page.run())
        assert not page.error
        assert shown.without_header(library.get(name).sql) == page.text_area(key="sql").value
        assert library.get(name).title[language].rstrip("?") in said(page)


def test_a_saved_query_opens_by_its_link(page: AppTest) -> None:
    kept = saved.save_query(written.book(), name="Alle afdelinger", sql="from unit_now", scope="shared", owner="Ane", seen=None)
    page.query_params["saved"] = str(kept.id)
    finished(page.run())
    assert page.text_area(key="sql").value == "from unit_now"
    assert "Tryk Kør" in said(page)
    page.button(key="run").click().run()
    assert rows(finished(page)).height > 0
    assert "".join(page.query_params["saved"]) == str(kept.id)


def opened_link(page: AppTest) -> dict[str, list[str]]:
    """What stands behind the question mark of the link that the page offers."""
    page.session_state["link"] = True
    page.run()
    (address,) = [code.value for code in page.code if "?" in code.value]
    return parse_qs(address.split("?", 1)[1], keep_blank_values=True, strict_parsing=True)


def test_an_unsaved_statement_is_linked_with_its_values_and_runs_only_when_asked(page: AppTest, demo: Path) -> None:
    sql = "select name & '=%+æ' as a -- why?\nfrom unit_now where accepting > $least and municipality = $where".replace("&", "||")
    finished(page.run())
    page.text_area(key="sql").input(sql).run()
    page.text_input(key="own_least").input("1").run()
    page.selectbox(key="own_least_type").select("whole").run()
    page.text_input(key="own_where").input("101").run()
    link = opened_link(page)
    assert link == {"sql": [sql], "v.least": ["whole:1"], "v.where": ["text:101"]}

    other = AppTest.from_file(str(settings.ROOT / "pages" / "workbench.py"), default_timeout=120)
    for key, values in link.items():
        other.query_params[key] = values[0]
    other.run()
    assert not other.exception
    assert other.text_area(key="sql").value == sql
    assert (other.text_input(key="own_least").value, other.text_input(key="own_where").value) == ("1", "101")
    mine = other.session_state["_workbench"]
    assert (mine.ticket, mine.outcome, mine.error, mine.history) == (None, None, None, [])
    other.button(key="run").click().run()
    finished(other)
    expected = worker.run(sql, analyst_copy.current(demo), parameters={"least": 1, "where": "101"}).frame
    assert other.session_state["_workbench"].outcome.frame.equals(expected)
    # What is changed is no longer what the address holds.
    other.text_area(key="sql").input("select 1 as n").run()
    other.run()
    assert not {"sql", "v.least", "v.where"} & set(other.query_params)
    assert other.text_area(key="sql").value == "select 1 as n"


def test_a_linked_statement_meets_the_same_gate(page: AppTest) -> None:
    page.query_params["sql"] = "from read_text('/etc/passwd')"
    page.query_params["v.x"] = "nonsense"
    page.run()
    assert page.session_state["_workbench"].history == []
    page.button(key="run").click().run()
    finished(page)
    assert "read_text" in page.error[0].value
    page.text_area(key="sql").input(f"select '{'x' * 7000}' as t").run()
    page.session_state["link"] = True
    page.run()
    assert not [code.value for code in page.code if "?" in code.value]
    assert any("6.000 tegn" in caption.value for caption in page.caption)


def test_an_analysts_tabs_have_one_turn_together(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    kept = pool.shared().run

    def noted(analyst: str, *given: Any, **more: Any) -> Any:
        asked.append(analyst)
        return kept(analyst, *given, **more)

    monkeypatch.setattr(pool.shared(), "run", noted)
    cookies: dict[str, str] = {}
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: cookies))
    tabs = [page, AppTest.from_file(str(settings.ROOT / "pages" / "workbench.py"), default_timeout=120)]
    for cookie in ("one", "two"):
        cookies["_streamlit_xsrf"] = cookie
        for tab in tabs:
            tab.run()
            ask(tab, f"select '{cookie}' as n")
    assert len(set(asked)) == 2
    for tab, name in zip(tabs, ("Ane Analytiker", "ane analytiker "), strict=True):
        tab.text_input(key="who").input(name).run()
        ask(tab, f"select '{name}' as n")
    assert asked[-2:] == ["name:ane analytiker"] * 2


def test_every_column_of_the_published_copy_has_a_text(demo: Path) -> None:
    columns = analyst_copy.schema(analyst_copy.current(demo))
    assert len(columns) > 150
    for language in i18n.LANGUAGES:
        lacking = [
            f"{one.table}.{one.name}"
            for one in columns
            if not shown.about_column(one.table, one.name, one.da if language == "da" else one.en, one.unit, language)
        ]
        assert lacking == []


@pytest.mark.parametrize("query", library.all_queries(), ids=lambda query: query.name)
def test_every_reviewed_question_has_an_answer_on_the_demonstration(demo: Path, query: library.Reviewed) -> None:
    outcome = worker.run(query.sql, analyst_copy.current(demo), parameters=query.example())
    assert tuple(name for name, _ in outcome.columns) == query.columns
    assert outcome.rows_shown > 0


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_column_of_a_reviewed_question_has_a_header_in_words(language: str) -> None:
    for query in library.all_queries():
        for name in query.columns:
            assert tables.header(tables.column(name, pl.String()), language).split(" (")[0] != name or name == "km", (query.name, name)


def test_private_is_promised_no_more_than_it_is(page: AppTest) -> None:
    finished(page.run())
    assert any("ingen adgangskode" in caption.value for caption in page.caption)


def test_an_unknown_link_says_so_and_answers_the_first(page: AppTest) -> None:
    page.query_params["q"] = "nothing"
    finished(page.run())
    assert "nothing" in page.warning[0].value
    assert page.dataframe


def test_a_cut_result_says_so_and_its_export_is_whole(page: AppTest) -> None:
    finished(page.run())
    ask(page, "select range as n, 'x' || range as t from range(12345)")
    assert rows(page).height == 1000
    assert "Viser 1.000 af flere rækker" in said(page)
    assert "Viser 1.000 af flere" in page.warning[0].value
    assert "q" not in page.query_params
    page.button(key="export_parquet").click()
    finished(page.run())
    mine = page.session_state["_workbench"]
    assert mine.exported.rows == 12345
    assert pl.read_parquet(mine.exported.path)["n"].to_list() == list(range(12345))
    kept = mine.exported.path
    ask(page, "select 1 as n")
    assert not kept.exists()
    assert [asked.sql for asked, _ in mine.history][-1] == "select 1 as n"


def quoted(page: AppTest) -> str:
    """The button that an error's sentence names."""
    found = re.search(r"»(Hent [^»]*)«", page.error[0].value)
    assert found
    return found[1]


def test_a_result_too_wide_or_too_slow_to_show_can_be_fetched_whole(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(page.run())
    ask(page, "select repeat('x', 100000) as wide, range as n from range(900)")
    assert page.session_state["_workbench"].error.key == "sql_result_wide"
    assert quoted(page) in [button.label for button in page.button]
    page.button(key="export_parquet").click()
    finished(page.run())
    mine = page.session_state["_workbench"]
    assert (mine.exported.rows, pl.scan_parquet(mine.exported.path).select(pl.len()).collect().item()) == (900, 900)
    # What took too long to show may take longer as a file.
    limits = worker.Limits
    monkeypatch.setattr(worker, "Limits", lambda **given: limits(**{"seconds": 0.3, **given}))
    ask(page, "select max(md5(range::varchar)) as n from range(4000000)")
    assert page.session_state["_workbench"].error.key == "sql_timeout"
    page.button(key="export_csv").click()
    finished(page.run())
    assert page.session_state["_workbench"].exported.rows == 1
    ask(page, "with x as (delete from unit) select 1")
    assert quoted(page) == i18n.text("workbench_page.export.as", "da", form="CSV")
    assert not [button.key for button in page.button if button.key == "export_csv"]


def test_the_whole_file_is_fetched_by_a_link_where_the_hull_serves_it(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Under `streamlit run app.py` there is no hull.
    monkeypatch.setattr(handover.shared, "served", False)
    finished(page.run())
    ask(page, "select range as n from range(12345)")
    page.button(key="export_csv").click()
    finished(page.run())
    label = "Hent fil (12.345 rækker, 0,1 MB)"
    assert [button.label for button in page.get("download_button")] == [label]
    monkeypatch.setattr(handover.shared, "served", True)
    page.run()
    assert not page.get("download_button")
    (link,) = page.get("link_button")
    assert link.proto.label == label
    token = link.proto.url.removeprefix(f"./{handover.PATH}/").split("?")[0]
    found = handover.shared.find(token)
    assert found is not None
    assert (found.path, found.name.endswith(".csv")) == (page.session_state["_workbench"].exported.path, True)
    page.run()
    assert page.get("link_button")[0].proto.url == link.proto.url
    ask(page, "select 1 as n")
    assert handover.shared.find(token) is None


def test_what_is_shown_can_be_copied_into_a_spreadsheet(page: AppTest) -> None:
    finished(page.run())
    ask(page, "select range as n, range * 0.5 as h, '=' || range as t, date '2026-11-01' as d, range > 0 as f from range(3)")
    page.session_state["copy"] = True
    page.run()
    assert page.code[0].value == ("n\th\tt\td\tf\n0\t0,0\t'=0\t01.11.2026\tnej\n1\t0,5\t'=1\t01.11.2026\tja\n2\t1,0\t'=2\t01.11.2026\tja")
    assert "Alle 3 rækker er med" in said(page)
    ask(page, "select range as n, 'x' || range as t from range(2000)")
    assert len(page.code[0].value.splitlines()) == 1001
    assert "Kun de første 1.000 rækker er med" in said(page)
    # The chart, too, says that it draws a part.
    assert any("kun de første 1.000 af flere rækker" in caption.value for caption in page.caption)


def test_copied_text_is_cut_at_whole_rows_and_says_how_many() -> None:
    frame = pl.DataFrame({"a": ["x" * 100] * 50, "b": ["to\tab", "line\nbreak"] * 25})
    text, rows = shown.for_spreadsheet(frame, "da", most=1000)
    assert 0 < rows < 50
    assert len(text) <= 1000
    assert pl.read_csv(text.encode(), separator="\t").equals(frame.head(rows))


def test_what_is_wrong_stands_under_its_line(page: AppTest) -> None:
    finished(page.run())
    ask(page, "select\n  nam\nfrom unit_now")
    assert "linje 2" in page.error[0].value
    assert page.code[0].value == "  nam\n  ^^^"
    assert any("`name`" in caption.value for caption in page.caption)
    assert not page.dataframe
    ask(page, "drop table unit")
    assert "DROP" in page.error[0].value
    ask(page, "")
    assert "ingen forespørgsel" in page.error[0].value


def test_parameters_are_fields_of_their_kind(page: AppTest) -> None:
    finished(page.run())
    # An empty field is unknown, as it is on the command line.
    ask(page, "select $least + 1 as n, $who as w")
    assert rows(page).rows() == [(None, None)]
    page.text_input(key="own_least").input("1.234,5").run()
    page.selectbox(key="own_least_type").select("number").run()
    page.text_input(key="own_who").input("Køge").run()
    page.button(key="run").click().run()
    assert rows(finished(page)).rows() == [(1235.5, "Køge")]
    page.selectbox(key="own_least_type").select("day").run()
    assert "1.234,5" in page.error[0].value
    # Back from the history with the values it was run with.
    finished(page.button(key="open_what_is_hidden").click().run())
    mine = page.session_state["_workbench"]
    past = next(place for place, (asked, _) in enumerate(mine.history, start=1) if asked.values.get("who") == "Køge")
    page.button(key=f"past_{past}").click().run()
    page.button(key="run").click().run()
    assert rows(finished(page)).rows() == [(1235.5, "Køge")]


@pytest.mark.parametrize(
    "sql", ["explain select 1", "-- min\nexplain select 1", "/* a\n b */ -- c\n\n EXPLAIN select 1", "--\nselect 1", "select 1"]
)
def test_a_plan_of_an_explain_is_asked_for_once(page: AppTest, sql: str) -> None:
    finished(page.run())
    page.text_area(key="sql").input(sql).run()
    page.button(key="plan").click().run()
    finished(page)
    assert not page.error
    assert "Dummy Scan" in page.code[0].value


def test_a_value_that_nobody_foresaw_ends_its_statement_alone(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(page.run())
    ask(page, "select 'infinity'::date as d, 170141183460469231731687303715884105727 as n")
    assert rows(page).rows() == [("infinity", "170141183460469231731687303715884105727")]

    def broken(*_: object) -> None:
        raise pl.exceptions.PanicException("out of range")

    monkeypatch.setattr(worker.Run, "result", broken)
    ask(page, "select 1 as a")
    assert "::varchar" in page.error[0].value
    assert not page.dataframe
    monkeypatch.undo()


def test_a_visit_that_has_ended_is_waited_for_a_while() -> None:
    here = [True]
    visit = bench.Presence(lambda: here[0], away=0.2)
    assert visit()
    here[0] = False
    assert visit()
    time.sleep(0.3)
    assert not visit()
    here[0] = True
    assert visit()


def test_a_plan_runs_nothing_and_cancel_stops(page: AppTest) -> None:
    finished(page.run())
    page.text_area(key="sql").input("select name from unit_now where accepting > 2").run()
    page.button(key="plan").click().run()
    finished(page)
    assert "unit_now" in page.code[0].value
    page.text_area(key="sql").input("select max(md5(range::varchar)) from range(500000000)").run()
    page.button(key="run").click().run()
    mine = page.session_state["_workbench"]
    while mine.ticket.work.progress is None:
        assert mine.ticket.state == "running"
    page.run()
    (bar,) = page.get("progress")
    assert bar.proto.text.startswith("Kører · ")
    assert bar.proto.text.endswith(" %")
    page.button(key="cancel").click().run()
    finished(page)
    assert "afbrudt" in page.error[0].value


def test_columns_are_inserted_and_queries_saved(page: AppTest) -> None:
    finished(page.run())
    page.button(key="clear").click().run()
    assert page.text_area(key="sql").value == ""
    page.text_area(key="sql").input("from unit_now").run()
    page.text_input(key="who").input("Ane Analytiker").run()
    page.text_input(key="save_as_None").input("Alle afdelinger").run()
    page.button(key="save").click().run()
    assert not page.error
    kept = "".join(page.query_params["saved"])
    assert any(button.label == "Alle afdelinger" for button in page.button)
    page.button(key="open_what_is_hidden").click().run()
    finished(page)
    page.button(key=f"saved_{kept}").click().run()
    assert page.text_area(key="sql").value == "from unit_now"
    page.button(key=f"delete_{kept}").click().run()
    assert not any(button.label == "Alle afdelinger" for button in page.button)


COLUMNS = {"unit": ["unit_id", "name"], "capacity": ["unit_id", "as_of"], "region": ["code", "name"]}


@pytest.mark.parametrize(
    ("before", "table", "after"),
    [
        ("", "unit", "from unit"),
        ("select 1 from", "unit", "select 1 from unit"),
        ("select", "unit", "select *\nfrom unit"),
        ("select name", "unit", "select name\nfrom unit"),
        ("select * from unit", "capacity", "select * from unit\njoin capacity using (unit_id)"),
        ("select * from unit;", "region", "select * from unit, region"),
        ("select * from unit u", "capacity", "select * from unit u\njoin capacity using (unit_id)"),
        ("select * from unit join", "capacity", "select * from unit join capacity"),
        ("select * from region,", "unit", "select * from region, unit"),
        ("select * from unit where name = 'from x'", "region", "select * from unit, region where name = 'from x'"),
        ("from unit order by name limit 3", "capacity", "from unit\njoin capacity using (unit_id) order by name limit 3"),
        ("from unit -- all of them", "region", "from unit, region -- all of them"),
        ("select * from unit where unit_id in (", "capacity", "select * from unit where unit_id in (from capacity"),
        (
            "select * from unit where unit_id in (select unit_id from",
            "capacity",
            "select * from unit where unit_id in (select unit_id from capacity",
        ),
        ("select name from unit union all", "region", "select name from unit union all\nfrom region"),
        ("with a as (from unit)", "region", "with a as (from unit)\nfrom region"),
        ("summarize", "unit", "summarize unit"),
        ("describe unit", "region", "describe unit;\n\nfrom region"),
    ],
)
def test_a_table_is_put_where_one_can_stand(before: str, table: str, after: str) -> None:
    assert shown.put_table(before, table, COLUMNS) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "from unit\nselect unit.name"),
        ("from unit", "from unit\nselect unit.name"),
        ("from unit\nselect unit.cvr", "from unit\nselect unit.cvr, unit.name"),
        ("select", "select unit.name"),
        ("select *", "select *, unit.name"),
        ("select a from unit", "select a, unit.name from unit"),
        ("select a from unit where", "select a from unit where unit.name"),
        ("select a from unit where a > 1 and", "select a from unit where a > 1 and unit.name"),
        ("select a from unit where a > 1", "select a, unit.name from unit where a > 1"),
        ("select a from unit u group by", "select a from unit u group by u.name"),
        ("select a from unit as u", "select a, u.name from unit as u"),
        ("from unit where a > 1", "from unit\nselect unit.name where a > 1"),
        ("select count(", "select count(unit.name"),
        ("select a, (select max(b) from capacity) from unit", "select a, (select max(b) from capacity), unit.name from unit"),
    ],
)
def test_a_column_is_put_where_the_query_goes_on(before: str, after: str) -> None:
    assert shown.put_column(before, "unit", "name") == after


def test_a_click_on_a_table_joins_it_and_never_becomes_an_alias(page: AppTest) -> None:
    page.session_state["table_capacity"] = True
    finished(page.run())
    page.text_area(key="sql").input("select * from unit").run()
    page.button(key="put_capacity").click().run()
    assert page.text_area(key="sql").value == "select * from unit\njoin capacity using (unit_id)"
    page.button(key="run").click().run()
    finished(page)
    assert not page.error
    assert {"offer_id", "occupied"} <= {name for name, _ in page.session_state["_workbench"].outcome.columns}
    page.text_area(key="sql").input("select unit.name from unit join capacity using (unit_id) where").run()
    page.button(key="put_capacity_occupied").click().run()
    assert page.text_area(key="sql").value.endswith("where capacity.occupied")


def test_a_name_promises_nothing_that_its_values_do_not_hold() -> None:
    frame = pl.DataFrame(
        {
            "accepting": ["a", "b"],
            "daily_rate_ore": [1.5, 2.5],
            "occupied": [0.5, 1.5],
            "as_of": [1, 2],
            "x.y[0]": [1, 2],
            "unit_id": [1, 2],
        }
    )
    kinds = {spec.key: spec.kind for spec in shown.columns(frame)}
    assert kinds == {
        "accepting": "text",
        "daily_rate_ore": "money",
        "occupied": "number",
        "as_of": "whole",
        "x.y[0]": "whole",
        "unit_id": "text",
    }
    for x in frame.columns:
        for y in shown.numbers(frame):
            for shape in shown.shapes(frame, x):
                picture, alt = shown.chart(frame, x, y, shape, "da")
                assert picture.data["rows"]
                assert alt


@pytest.mark.parametrize(
    "sql",
    [
        "select 1e300 as n",
        "select 123456789012345678901234567890::hugeint as n",
        "select date 'infinity' as n",
        "select date '-infinity' as n union all select date '20000-02-03'",
        "select timestamp 'infinity' as n",
    ],
)
def test_what_is_larger_than_anything_is_shown_all_the_same(page: AppTest, sql: str) -> None:
    page.run()
    ask(page, sql)
    assert not page.error
    assert page.session_state["_workbench"].error is None
    assert page.dataframe[0].value.columns.tolist() == ["n"]
