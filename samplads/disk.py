"""The disk as deliveries meet it: full in many words, and folders aside that a killed process left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samplads.errors import SampladsError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers by which a system says that no byte more can be written: the disk is full, or the user's share of it is."""

WORDS = ("no space left", "os error 28", "os error 122", "not enough disk space", "disk quota exceeded", "database or disk is full")
"""How libraries say the same in an error of their own (lower case). 28 and 122 are ENOSPC and EDQUOT."""

PREFIX = "samplads-read-"
"""How folders aside are called. Each is locked by the process that works in it, for as long as it lives."""

EXPORT_PREFIX = "samplads-export-"
"""The same for what an analyst's export lays aside, and for the exports that a visit still holds."""


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, says that the disk is full, whichever library raised it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if any(words in str(error).lower() for words in WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def told_when_full(folder: str | None = None) -> Iterator[None]:
    """Turn any error that means a full disk into SampladsError `disk_full`, naming `folder`; let every other error through.

    Without a folder it is the one for temporary files: SampladsError `temporary_full`.
    """
    try:
        yield
    except SampladsError:
        raise
    except BaseException as error:
        # polars may panic where it cannot write, and its panic is no Exception.
        if not is_full(error):
            raise
        raise (SampladsError("temporary_full") if folder is None else SampladsError("disk_full", folder=folder)) from error


class Aside:
    """A folder for what a delivery needs while it is read: gone with this object, or swept away by the next who reads.

    It holds what somebody delivered, before it was found to be free of personal data: it must not outlive its process.
    """

    def __init__(self, prefix: str = PREFIX) -> None:
        # Named only once it is locked, so that nobody takes a new folder for one that was left behind.
        unnamed = Path(tempfile.mkdtemp(prefix="new-samplads-"))
        self._lock = os.open(unnamed, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = unnamed.with_name(prefix + unnamed.name.removeprefix("new-samplads-"))
        unnamed.rename(self.path)
        self._done = weakref.finalize(self, _gone, self.path, self._lock)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all in it."""
        self._done()


def _gone(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def sweep() -> int:
    """Remove this user's folders aside whose process is dead; returns how many."""
    swept = 0
    folder = Path(tempfile.gettempdir())
    for path in [*folder.glob(f"{PREFIX}*"), *folder.glob(f"{EXPORT_PREFIX}*")]:
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Somebody else's, no folder, or gone already.
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                swept += 1
        except OSError:
            # Its process lives.
            continue
        finally:
            os.close(lock)
    return swept
