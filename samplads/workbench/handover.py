"""Finished files under names that nobody can guess, so that the served application can stream them from disk.

A page hands over a file that an export made and gets a token; the route of `samplads.serving` gives the file to whoever has it, until the
file is gone, the token is taken back, or an hour has passed. Nothing but a file that was handed over here can be fetched.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SECONDS: Final = 3600.0
PATH: Final = "hent"
"""The route's first part: `/hent/<token>`."""

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Offered:
    """A file that may be fetched: where it lies, what it is called for its reader, and until when (seconds of the monotonic clock)."""

    path: Path
    name: str
    media_type: str
    until: float


class Handover:
    """The files of one process that may be fetched."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.served = False
        """Whether a route gives them out; without one a page must hand the bytes over itself."""
        self._offered: dict[str, Offered] = {}
        self._lock = threading.Lock()

    def offer(self, path: Path, name: str, form: str) -> str:
        """Let a finished file be fetched under `name`; returns the token. `form` is one of `MEDIA_TYPES`."""
        token = secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            self._offered = {held: one for held, one in self._offered.items() if one.until > now and one.path.is_file()}
            self._offered[token] = Offered(path, name, MEDIA_TYPES[form], now + self.seconds)
        return token

    def find(self, token: str) -> Offered | None:
        """What may be fetched with a token; None where it never could, or no longer can."""
        with self._lock:
            found = self._offered.get(token)
            if found is None:
                return None
            if found.until <= time.monotonic() or not found.path.is_file():
                del self._offered[token]
                return None
            return found

    def take_back(self, token: str) -> None:
        """Let nobody fetch it any more; a fetch under way goes on."""
        with self._lock:
            self._offered.pop(token, None)


shared: Final = Handover()
"""The one of this process."""
