"""When the script behind a page has answered all that the page asked of it.

Streamlit's page says `notRunning` until the server tells it otherwise: right after a click it still looks finished, and who reads it then
reads what stood there before. Here the page's own WebSocket is watched: what was asked of the script, and what was answered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

WATCH = """
(() => {
  const runs = (window.scriptRuns = {asked: 0, answered: 0});
  // Fields of Streamlit's messages: BackMsg.rerun_script; ForwardMsg.script_finished, and its value "finished early for a rerun".
  const RERUN = 11, FINISHED = 6, EARLY = 2;
  // The fields of a message of Protocol Buffers, outermost level only: numbers as they are, the rest as null.
  const fields = (bytes) => {
    const found = new Map();
    let at = 0;
    const varint = () => {
      let value = 0, unit = 1, byte;
      do { byte = bytes[at++]; value += (byte & 127) * unit; unit *= 128; } while (byte & 128);
      return value;
    };
    while (at < bytes.length) {
      const tag = varint(), kind = tag & 7, field = Math.floor(tag / 8);
      found.set(field, kind === 0 ? varint() : null);
      if (kind === 2) { const length = varint(); at += length; }
      else if (kind === 1) at += 8;
      else if (kind === 5) at += 4;
      else if (kind !== 0) break;
    }
    return found;
  };
  window.WebSocket = class extends window.WebSocket {
    constructor(...told) {
      super(...told);
      this.addEventListener("message", ({data}) => {
        if (!(data instanceof ArrayBuffer)) return;
        const end = fields(new Uint8Array(data)).get(FINISHED);
        if (end === undefined || end === EARLY) return;
        // Answered once it is drawn, too: Streamlit gathers elements for 10 ms before it draws them.
        const answered = runs.asked;
        setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => { runs.answered = answered; })), 50);
      });
    }
    send(data) {
      if (data instanceof Uint8Array && fields(data).has(RERUN)) runs.asked += 1;
      super.send(data);
    }
  };
})();
"""
"""For `add_init_script`: counts in `window.scriptRuns` the runs asked for and, of these, the ones that are answered."""

_SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app?.dataset.testConnectionState === "CONNECTED" && app.dataset.testScriptState === "notRunning"
        && window.scriptRuns.asked > 0 && window.scriptRuns.answered === window.scriptRuns.asked
        && document.querySelectorAll('[data-stale="true"]').length === 0;
}"""


def settled(page: Page) -> None:
    """Wait until Streamlit is connected, every run asked for is answered, and nothing on the page is marked as out of date."""
    page.wait_for_function(_SETTLED)


@contextlib.contextmanager
def asking(page: Page) -> Iterator[None]:
    """What is done inside asks the script for a run, at once or a moment later: wait until it has asked and is answered."""
    before = page.evaluate("window.scriptRuns.asked")
    yield
    page.wait_for_function("before => window.scriptRuns.asked > before", arg=before)
    settled(page)


def eventually(page: Page, check: Callable[[], object], seconds: float = 10) -> None:
    """Make an assertion hold within some seconds: the copy of a table that is read follows what is drawn a moment later."""
    for _ in range(round(seconds / 0.1)):
        with contextlib.suppress(AssertionError, KeyError, ValueError):
            check()
            return
        page.wait_for_timeout(100)
    check()
