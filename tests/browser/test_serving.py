"""What the served application says about itself, and that nothing of it leaves the machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser

from samplads import i18n, settings
from tests.browser.conftest import START_SECONDS, Served, Visit, serving, visiting


def test_the_readiness_route_names_the_version_in_force(served: Served) -> None:
    status, headers, body = served.get("/ready")
    told = json.loads(body)
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert told["status"] == "ready"
    assert told["synthetic"] is True
    assert (served.warehouse / f"{told['version']}.duckdb").is_file()


def test_the_page_and_its_parts_carry_security_headers(served: Served) -> None:
    for path in ("/", "/_stcore/health", "/health"):
        headers = served.get(path)[1]
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json"):
        assert served.get(path)[0] == 404
    assert json.loads(served.get("/_stcore/host-config")[2])["allowedOrigins"] == []


def test_a_visit_asks_no_other_machine_and_breaks_no_policy(visit: Visit, pages: list[str]) -> None:
    for path in pages:
        visit.open(path)
    assert any(url.startswith("ws://") for url in visit.requested)
    assert visit.foreign() == []
    assert [complaint for complaint in visit.complaints if "Content Security Policy" in complaint] == []
    assert visit.complaints == []


def test_the_language_of_the_page_follows_its_address(browser: Browser, served: Served) -> None:
    english = i18n.text("serving.language", "en")
    with visiting(browser, served.address) as one:
        page = one.open("/")
        assert page.evaluate("document.documentElement.lang") == "da"
        # Without a new page, as the language switch does it.
        page.evaluate("history.pushState(null, '', '?lang=en')")
        assert page.evaluate("document.documentElement.lang") == "en"
        page.evaluate("history.replaceState(null, '', '?lang=')")
        assert page.evaluate("document.documentElement.lang") == "da"
        page = one.open(f"/?lang={english}")
        assert page.evaluate("document.documentElement.lang") == "en"


def test_without_data_the_application_answers_and_says_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, "--no-demo") as empty, visiting(browser, empty.address) as one:
        for language in i18n.LANGUAGES:
            status, _, body = empty.get(f"/ready?lang={language}")
            assert status == 503
            assert json.loads(body)["why"] == i18n.text("errors.warehouse_missing", language, folder="warehouse")
        assert empty.get("/health")[0] == 200
        page = one.open("/")
        page.get_by_text(i18n.text("errors.warehouse_missing", "da", folder="warehouse")).first.wait_for()
        assert page.locator('[data-testid="stException"]').count() == 0


def test_streamlit_itself_can_serve_the_pages_too(browser: Browser, served: Served, tmp_path: Path) -> None:
    """`streamlit run app.py`: the same pages without the hull, on the same warehouse."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1"]
    env = {**os.environ, "SAMPLADS_WAREHOUSE": str(served.warehouse), "SAMPLADS_LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.sqlite'}"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=settings.ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        with visiting(browser, f"http://127.0.0.1:{port}") as one:
            wait_for(one.address + "/_stcore/health")
            page = one.open("/")
            page.locator(".st-key-answer p").first.wait_for()
            assert one.foreign() == []
    finally:
        process.terminate()
        process.wait(10)


def wait_for(address: str) -> None:
    """Until something answers there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_taken_port_is_one_sentence(chromium: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "samplads", "serve", "--port", str(port)], cwd=settings.ROOT, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip() == i18n.text("errors.port_taken", "da", port=port, other=port + 1)
