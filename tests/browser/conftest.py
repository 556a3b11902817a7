"""The application as a person meets it: served by `samplads serve` on demonstration data, driven in Debian's Chromium.

Browser tests share one server and one browser, so they run in one worker (`xdist_group`). A page load costs about two seconds: few loads,
many assertions.

SAMPLADS_SLOWLY=0.7 lets the server answer everything 0.7 s later and gives the browser a quarter of its processor: a test that reads before
the page has answered fails then, and does not wait for a busy machine to fail on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samplads import settings
from tests.browser import runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

WIDE = {"width": 1440, "height": 900}
START_SECONDS = 120  # the first start publishes the demonstration data, on a machine that may be busy
SLOWLY = float(os.environ.get("SAMPLADS_SLOWLY", "0"))
SLOW_SERVER = f"""
import asyncio

from streamlit.runtime.app_session import AppSession

at_once = AppSession._handle_rerun_script_request
AppSession._handle_rerun_script_request = lambda *told: asyncio.get_running_loop().call_later({SLOWLY}, at_once, *told)
"""
HOW_TO_GET_CHROMIUM = "no Chromium on PATH: apt-get install chromium chromium-l10n"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test, in one worker."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass(frozen=True)
class Served:
    """A running application: its address, the folder of its warehouse, what it printed, its process."""

    address: str
    warehouse: Path
    log: Path
    pid: int

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of a plain request."""
        request = urllib.request.Request(f"{self.address}{path}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
        except urllib.error.HTTPError as error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, first: str = "", **environment: str) -> Iterator[Served]:
    """Run `samplads serve` on a free port until the block ends. The warehouse and the ledger lie in `folder`.

    `first` is Python that the server runs before anything else, to make it slow or otherwise unlike itself.
    """
    warehouse = folder / "warehouse"
    log = folder / "serve.log"
    env = os.environ | {
        "SAMPLADS_WAREHOUSE": str(warehouse),
        "SAMPLADS_LEDGER_URL": f"sqlite:///{folder / 'ledger.sqlite'}",
        "PYTHONUNBUFFERED": "1",
        **environment,
    }
    if first or SLOWLY:
        customized = folder / "first"
        customized.mkdir(exist_ok=True)
        (customized / "sitecustomize.py").write_text(first + (SLOW_SERVER if SLOWLY else ""), encoding="utf-8")
        env["PYTHONPATH"] = f"{customized}{os.pathsep}{settings.ROOT}"
    command = [sys.executable, "-m", "samplads", "serve", "--port", "0", *arguments]
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=settings.ROOT, env=env, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield Served(_address(process, log), warehouse, log, process.pid)
    finally:
        # Children of the server (an analyst's query) end with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the server says it serves on, once it answers there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        words = log.read_text(encoding="utf-8").split()
        address = next((word for word in words if word.startswith("http://")), None)
        if address:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5) as response:
                if json.load(response)["status"] == "alive":
                    return address
        time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium's executable; without one the test is skipped, or fails where SAMPLADS_REQUIRE_BROWSER=1."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("SAMPLADS_REQUIRE_BROWSER") == "1":
        pytest.fail(HOW_TO_GET_CHROMIUM)
    pytest.skip(HOW_TO_GET_CHROMIUM)


@pytest.fixture(scope="session")
def served(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application on its demonstration data, which it publishes itself on this first start."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A Danish Chromium without a window."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=["--lang=da", "--disable-dev-shm-usage", *as_root],
            env={**os.environ, "LANGUAGE": "da"},
        )
        yield running
        running.close()


@dataclass
class Visit:
    """A visitor's page with what happened on it: requests, console errors, and the way to wait."""

    page: Page
    address: str
    requested: list[str]
    complaints: list[str]

    def open(self, path: str = "/") -> Page:
        """Go to a page of the application and wait until it has drawn."""
        self.page.goto(f"{self.address}{path}")
        return self.settle()

    def settle(self) -> Page:
        """Wait until the script has run and the page stands still. No sleeping."""
        runs.settled(self.page)
        return self.page

    def foreign(self) -> list[str]:
        """Requests that left this machine."""
        local = (self.address, self.address.replace("http://", "ws://"), "data:", "blob:", "about:")
        return [url for url in self.requested if not url.startswith(local)]


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    """A new visitor: no cookies, no cache, Danish, 1440 by 900."""
    with visiting(browser, served.address) as one:
        yield one


def _is_complaint(message: ConsoleMessage) -> bool:
    """An error for developers. Not: opened at a page's address, Streamlit asks there for its server first and gets 404."""
    probing = str(message.location.get("url", "")).endswith(("/_stcore/health", "/_stcore/host-config"))
    return message.type == "error" and not probing


@contextlib.contextmanager
def visiting(browser: Browser, address: str, **options: object) -> Iterator[Visit]:
    """A visitor with options of playwright's `new_context`."""
    context = browser.new_context(**{"locale": "da-DK", "viewport": WIDE, "accept_downloads": True, **options})  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.add_init_script(runs.WATCH)
    if SLOWLY:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    one = Visit(page, address, [], [])
    page.on("request", lambda request: one.requested.append(request.url))
    page.on("websocket", lambda socket: one.requested.append(socket.url))
    page.on("console", lambda message: one.complaints.append(message.text) if _is_complaint(message) else None)
    page.on("pageerror", lambda error: one.complaints.append(str(error)))
    try:
        yield one
    finally:
        context.close()


@pytest.fixture(scope="session")
def pages(served: Served, browser: Browser) -> list[str]:
    """The addresses of all pages, as the application's own navigation lists them."""
    with visiting(browser, served.address) as one:
        links = one.open().locator('[data-testid="stSidebarNavLink"]')
        links.first.wait_for()
        found = [str(links.nth(index).get_attribute("href")) for index in range(links.count())]
    return ["/" + href.removeprefix(served.address).lstrip("/").split("?")[0] for href in found]
