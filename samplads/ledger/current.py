"""The ledger that the settings name, opened once in a process."""

from __future__ import annotations

import threading

from samplads import settings
from samplads.extracts import personal
from samplads.ledger.engine import Ledger, open_

_lock = threading.Lock()
_open: dict[str, Ledger] = {}


def current() -> Ledger:
    """The open ledger; free for all threads. Texts are looked through for civil registration numbers as deliveries are.

    Raises what `open_` raises; the next call tries again.
    """
    url = settings.read().ledger_url
    with _lock:
        if url not in _open:
            _open[url] = open_(url, personal.holds_number)
        return _open[url]
