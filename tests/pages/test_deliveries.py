"""Dataleverancer, Datakvalitet and Dataordbog as a person uses them, without a browser."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
import xlsxwriter
from streamlit.testing.v1 import AppTest

from samplads import i18n, ledger, overlay, queries, settings, warehouse
from samplads.extracts import personal
from samplads.ledger import confirmations
from samplads.presenting import quality
from samplads.ui import uploads

NUMBER = "010190-1234"


@pytest.fixture
def installed(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own: the demo published, a ledger that nobody has written in. Gives the ledger's file."""
    book = tmp_path / "ledger.sqlite"
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(demo))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{book}")
    # The test's own runner takes every run for a fresh server's first; beginning anew would lose a click.
    monkeypatch.setattr(sys.modules["samplads.ui.page"], "_begin_with_app", lambda: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield book
    st.cache_resource.clear()


def opened(page: str, **link: str) -> AppTest:
    app = AppTest.from_file(str(settings.ROOT / "app.py"), default_timeout=120)
    app.run()
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    return app


def answer(app: AppTest) -> str:
    """The first bold line after the page's head: its answer."""
    return next(text.value for text in app.markdown if text.value.startswith("**") and "Data" not in text.value[:8])


def test_deliveries_open_with_who_has_reported_and_what_was_found(installed: Path, demo: Path) -> None:
    app = opened("deliveries")
    said = answer(app)
    assert "af 98 kommuner har leveret i november-runden" in said
    count = queries.run("findings", warehouse.current(demo).path).height
    assert f"{count} fund: 0 afviste filer, 25 rækker lagt til side" in said
    # Looking makes no ledger.
    assert not installed.exists()
    rows = app.dataframe[0].value
    assert rows["delivered"].tolist() == queries.run("deliveries", warehouse.current(demo).path)["delivered"].to_list()
    # No severe finding is left without what to do, in the page's language.
    findings = next(frame.value for frame in app.dataframe if "what_to_do" in frame.value.columns)
    assert len(findings) == count
    assert findings["what_to_do"].str.len().min() > 20
    assert findings.iloc[0]["severity_text"] == "lagt til side"


def test_what_is_delivered_is_shown_by_municipality_and_its_findings_can_be_picked(installed: Path, demo: Path) -> None:
    app = opened("deliveries")
    file = warehouse.current(demo).path
    rows = app.dataframe[1].value
    told = queries.run("deliveries_by_municipality", file)
    assert rows["delivered"].sum() == told["delivered"].sum() == queries.run("deliveries", file)["delivered"].sum()
    assert rows["findings"].sum() == queries.run("findings", file).height
    assert set(rows["municipality_name"]) == set(told["municipality_name"].fill_null("Hele leverancen"))
    code = queries.run("findings", file)["municipality"].drop_nulls()[0]
    app.selectbox(key="found_in").set_value(code).run()
    found = next(frame.value for frame in app.dataframe if "what_to_do" in frame.value.columns)
    assert len(found) == queries.run("findings", file).filter(pl.col("municipality") == code).height
    assert found["municipality_name"].nunique() == 1


def test_confirming_unchanged_renews_the_confirmation_alone_and_every_page_knows(installed: Path, demo: Path) -> None:
    app = opened("deliveries")
    late = next(text.value for text in app.markdown if "mangler at blive bekræftet" in text.value)
    assert late.startswith("11 afdelinger hos Køge")
    every = next(button for button in app.button if button.label.startswith("Bekræft alle"))
    assert every.disabled
    app.text_input(key="who").set_value("Ida Prøve")
    app.text_input(key="role").set_value("afdelingsleder")
    app.run()
    next(button for button in app.button if button.label.startswith("Bekræft alle")).click().run()
    assert [message.value for message in app.success] == ["11 afdelinger er bekræftet 01.11.2026 af Ida Prøve."]
    assert any("er bekræftet i denne runde" in message.value for message in app.info)

    book = ledger.open_(f"sqlite:///{installed}", personal.holds_number)
    file = warehouse.current(demo).path
    layer = overlay.read(book, file)
    assert layer.units.height == len(layer.confirmed) == 11
    assert layer.units["confirmed_by"].unique().to_list() == ["afdelingsleder"]
    before = queries.run("units_by_id", file, unit_ids=layer.units["unit_id"].to_list())
    same = [name for name in before.columns if name not in {"confirmed_by", "confirmed_at"}]
    assert layer.units.select(same).sort("unit_id").equals(before.select(same).sort("unit_id"))
    assert confirmations.latest(book)["confirmed_at"].n_unique() == 1

    stale = queries.run("quality_issues", file, day=layer.units["confirmed_at"][0], ageing_days=90, expiry_days=90, deviation_points=5)
    expected = stale.filter(pl.col("issue") == "stale", ~pl.col("unit_id").is_in(layer.units["unit_id"].implode())).height
    app.switch_page("pages/quality.py").run()
    checks = app.dataframe[0].value
    assert (
        checks.loc[checks["check"] == "Forældet eller ubekræftet", "found"].item()
        == expected
        < stale.filter(pl.col("issue") == "stale").height
    )
    book.close()


def test_a_name_is_no_markup_in_what_is_said_of_a_confirmation(installed: Path) -> None:
    app = opened("deliveries")
    app.text_input(key="who").set_value("Ida *Prøve* [x](y)")
    app.text_input(key="role").set_value("afdelingsleder")
    app.run()
    next(button for button in app.button if button.label.startswith("Bekræft alle")).click().run()
    assert [message.value for message in app.success] == [r"11 afdelinger er bekræftet 01.11.2026 af Ida \*Prøve\* \[x\]\(y\)."]


def test_a_ledger_that_does_not_answer_is_said_and_the_page_shows_what_was_delivered(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.write_bytes(b"not a database at all" * 1000)
    app = opened("quality")
    assert len(app.warning) == 1
    assert "kun det leverede" in app.warning[0].value
    assert answer(app).startswith("**1.2")


def test_quality_answers_with_counts_and_shows_the_worst_check(installed: Path) -> None:
    app = opened("quality")
    assert "3 overbelagte" in answer(app)
    # Only the worst are named; the rest stands in the table.
    assert answer(app).count(",") <= 2
    assert "godkendelser" not in answer(app)
    assert len(app.dataframe[0].value) == 11
    assert len(app.dataframe[1].value) == 3
    said = next(text.value for text in app.markdown if text.value.startswith("**Belægningen er"))
    assert "over 12 måneder" in said
    app.selectbox(key="grouping").set_value("offer_type").run()
    assert [error.value for error in app.error] == []
    by_type = next(frame.value for frame in app.dataframe if "group_name" in frame.value.columns)
    assert by_type["occupancy_pct"].between(50, 110).all()


@pytest.mark.parametrize("check", quality.CHECKS, ids=lambda check: check.code)
def test_every_check_of_quality_shows_its_rows_with_numbers_and_days_as_such(installed: Path, check: quality.Check) -> None:
    app = opened("quality", check_code=check.code)
    assert i18n.text(f"quality.checks.{check.code}.name", "da") in [heading.value for heading in app.subheader]
    found = int(app.dataframe[0].value.set_index("check").loc[i18n.text(f"quality.checks.{check.code}.name", "da"), "found"])
    if not found:
        assert any(i18n.text("quality.none_of_check", "da") in message.value for message in app.info)
        return
    rows = app.dataframe[1].value
    assert len(rows) == found
    kinds = {"whole": "i", "percent": "f", "day": "M", "text": "O"}
    for key, kind in (("told", check.told), ("held_against", check.held_against)):
        if kind is not None and key in rows:
            assert rows[key].dtype.kind in (kinds[kind], "f"), key


def test_the_dictionary_finds_words_in_columns_rules_and_queries(installed: Path) -> None:
    app = opened("dictionary")
    assert len(app.dataframe[0].value) == 110
    app.text_input(key="search").set_value("prisår").run()
    assert set(app.dataframe[0].value["column"]) == {"price_year"}
    app.text_input(key="search").set_value("findes-slet-ikke").run()
    assert any("findes-slet-ikke" in message.value for message in app.info)


@pytest.fixture
def pinned(installed: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads.session, "warehouse", lambda: warehouse.current(demo))
    monkeypatch.setattr(uploads, "language", lambda: "da")


def csv(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")


def test_a_checked_file_comes_back_with_a_column_of_faults(pinned: None) -> None:
    content = csv(
        "unit_id;as_of;maximum;occupied;accepting", "A-1001;01.11.2026;8;6;1", "Z-9;01.11.2026;8;6;1", "A-1002;01.11.2026;=1+1;6;1"
    )
    checked = uploads.check("pladser.csv", content)
    assert checked.counts.select("delivered", "accepted").rows() == [(3, 1)]
    assert checked.findings["row"].to_list() == [3, 4]
    assert checked.mend is not None
    with zipfile.ZipFile(io.BytesIO(checked.mend)) as book:
        texts = b"".join(book.read(name) for name in book.namelist())
    assert b"fejl" in texts
    assert b"<f>" not in texts


@pytest.mark.parametrize("name", ["pladser.csv", f"{NUMBER}.csv"])
def test_a_file_with_a_civil_number_is_refused_without_its_echo(
    pinned: None, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = csv("unit_id;as_of;maximum;occupied;accepting;note", f"A-1001;01.11.2026;8;6;1;ring {NUMBER}")
    if NUMBER in name:
        with pytest.raises(uploads.SampladsError, match="upload_name_refused") as told:
            uploads.check(name, content)
        assert NUMBER not in str(told.value)
    else:
        checked = uploads.check(name, content)
        assert checked.personal
        assert checked.mend is None
        assert NUMBER not in str(checked.findings.to_dicts())
    with pytest.raises(uploads.SampladsError):
        uploads.unit_ids(name, content)
    assert NUMBER not in "".join(capfd.readouterr())


def test_a_workbook_that_no_process_can_hold_is_a_sentence_in_the_page(pinned: None) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet("enheder")
        sheet.write(0, 0, "unit_id")
        sheet.write(1_048_575, 16_383, "x")
    checked = uploads.check("enheder.xlsx", target.getvalue())
    assert checked.findings["rule"].to_list() == ["sheet_too_wide"]
    with pytest.raises(uploads.SampladsError, match="upload_refused") as told:
        uploads.unit_ids("enheder.xlsx", target.getvalue())
    assert "XFD1048576" in i18n.sentence(told.value, "da")


@pytest.mark.parametrize(("name", "content"), [("tom.csv", b""), ("skadet.xlsx", b"PK\x03\x04 nothing"), ("skadet.parquet", b"PAR1 x")])
def test_a_file_that_cannot_be_read_is_not_said_to_hold_personal_data(pinned: None, name: str, content: bytes) -> None:
    with pytest.raises(uploads.SampladsError, match="upload_refused"):
        uploads.unit_ids(name, content)


def test_an_archive_in_the_page_unpacks_to_less_than_one_on_the_command_line(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("capacity.csv", csv("unit_id;as_of;maximum;occupied;accepting", *["A-1001;01.11.2026;8;6;1"] * 100))
    assert uploads.check("pladser.zip", target.getvalue()).counts["delivered"].to_list() == [100]
    monkeypatch.setattr(uploads, "LARGEST_UNPACKED", 1000)
    assert uploads.check("pladser.zip", target.getvalue()).findings["rule"].to_list() == ["archive_refused"]


def test_a_file_confirms_the_units_it_names(pinned: None) -> None:
    assert uploads.unit_ids("enheder.csv", csv("Afdelings-id;Navn", "A-1001;x", " A-1002 ;y", "A-1001;z", ";", "Z-9;w")) == [
        "A-1001",
        "A-1002",
        "Z-9",
    ]
    assert uploads.unit_ids("andet.csv", csv("noget;andet", "1;2")) == []
    target = io.BytesIO()
    pl.DataFrame({"unit_id": [1001.0, None, 1002.0]}).write_parquet(target)
    assert uploads.unit_ids("enheder.parquet", target.getvalue()) == ["1001", "1002"]
