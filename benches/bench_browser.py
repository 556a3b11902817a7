"""What a visitor waits for, on a national demonstration: the server's start, a first visit, a reload, a changed filter on Ledige pladser.

Real Chromium against `samplads serve` on this machine; nothing is remembered from an earlier run but the made-up warehouse in
var/bench/browser. A filter change is the time from Enter to the answer having changed and the page standing still.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from typing import Any

import psutil

from samplads import demo, publishing, reference, settings, warehouse

FOLDER = settings.ROOT / "var" / "bench" / "browser"
KILOMETRES = [10, 20, 40, 80, 15, 30, 60, 120, 25, 50, 100, 200]
VISITS = 5


def _publish() -> int:
    """A national demonstration in FOLDER, made once; returns its number of units."""
    published = FOLDER / "warehouse"
    if not warehouse.history(published):
        facts = reference.read(settings.read().reference)
        demo.write(FOLDER / "delivery", facts, scale="national", seed=1, as_of=demo_day())
        publishing.publish([FOLDER / "delivery"], folder=published)
    from samplads import queries

    return queries.run("unit_ids", published).height


def demo_day() -> Any:
    """The day that the demonstration is "today" in."""
    from samplads.commands.demo import AS_OF

    return AS_OF


def _row(what: str, seconds: list[float], units: int, cpu_seconds: float | None = None) -> dict[str, Any]:
    milliseconds = sorted(1000 * one for one in seconds)
    return {
        "what": what,
        "median_ms": statistics.median(milliseconds),
        "worst_ms": milliseconds[-1],
        "runs": len(milliseconds),
        "units": units,
        "server_cpu_ms": None if cpu_seconds is None else 1000 * cpu_seconds / len(milliseconds),
    }


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used: a measure that a busy machine does not stretch."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def run() -> list[dict[str, Any]]:
    """Rows: what, median_ms, worst_ms, runs, units, server_cpu_ms (mean of a run). Without Chromium: only the start of the server."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import serving, visiting
    from tests.browser.runs import asking, settled

    units = _publish()
    starts = []
    for _ in range(VISITS):
        begun = time.perf_counter()
        with serving(FOLDER):
            starts.append(time.perf_counter() - begun)
    rows = [_row("samplads serve: from the command to the first answer", starts, units)]
    chromium = shutil.which("chromium")
    if chromium is None:
        return rows
    first, again, changed = [], [], []
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with serving(FOLDER) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--lang=da", *as_root])
        with visiting(browser, served.address) as warm:
            warm.open("/vacancies")
        for _ in range(VISITS):
            with visiting(browser, served.address) as one:
                begun = time.perf_counter()
                page = one.open("/vacancies")
                page.locator(".st-key-units canvas").first.wait_for()
                first.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                page.reload()
                settled(page)
                page.locator(".st-key-units canvas").first.wait_for()
                again.append(time.perf_counter() - begun)
        with visiting(browser, served.address) as one:
            page = one.open("/vacancies")
            box = page.locator(".st-key-max_km input").first
            spent = _cpu(served.pid)
            for km in KILOMETRES:
                before = page.locator(".st-key-answer").inner_text()
                box.fill(str(km))
                begun = time.perf_counter()
                with asking(page):
                    box.press("Enter")
                page.wait_for_function("before => document.querySelector('.st-key-answer').innerText !== before", arg=before)
                changed.append(time.perf_counter() - begun)
            spent = _cpu(served.pid) - spent
        browser.close()
    return [
        *rows,
        _row("Ledige pladser: a first visit, nothing in the browser's cache", first, units),
        _row("Ledige pladser: the same page again", again, units),
        _row("Ledige pladser: a changed filter", changed, units, spent),
    ]


if __name__ == "__main__":
    for row in run():
        spent = "" if row["server_cpu_ms"] is None else f", {row['server_cpu_ms']:.0f} ms of the server's processor"
        told = f"worst {row['worst_ms']:.0f}, {row['runs']} runs, {row['units']} units{spent}"
        print(f"{row['what']:<70}{row['median_ms']:>8.0f} ms ({told})")
