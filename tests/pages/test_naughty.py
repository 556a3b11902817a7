"""Every page opens on a warehouse whose units, offers and notes are called by the worst strings there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from samplads import settings, ui  # noqa: F401 - ui brings its modules in
from tests import naughty

PAGES = sorted(path.stem for path in (settings.ROOT / "pages").glob("*.py"))
LOOKED_AT = range(0, len(naughty.strings()), 25)
"""Units whose details are opened: one in so many."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("naughty")
    naughty.publish(made)
    return made


@pytest.fixture
def installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(folder))
    monkeypatch.setenv("SAMPLADS_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    # The test's own runner takes every run for a fresh server's first; beginning anew would lose a click.
    monkeypatch.setattr(sys.modules["samplads.ui.page"], "_begin_with_app", lambda: None)
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(installed: None, page: str) -> None:
    app = AppTest.from_file(str(settings.ROOT / "app.py"), default_timeout=120)
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == []


def test_the_details_of_a_unit_open(installed: None) -> None:
    """One after the other on one page, as a visitor clicks through them."""
    texts = naughty.strings()
    for number in LOOKED_AT:
        app = AppTest.from_file(str(settings.ROOT / "pages" / "vacancies.py"), default_timeout=120)
        app.query_params["unit_id"] = f"U-{number}"
        app.run()
        assert not app.exception, texts[number]
        assert [error.value for error in app.error] == [], texts[number]
        # Its table of all units is there, with every string as it was delivered.
        assert set(app.dataframe[0].value["unit_name"]) >= {texts[number][:500]}
