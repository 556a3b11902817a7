"""Where a finished file comes down: under its name when it is whole, or into what stands there already."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_ASIDE = ".samplads-{}-{}.part"


@contextmanager
def landing(target: Path, folder: Path) -> Iterator[IO[bytes]]:
    """A file to write to; when the block ends well it is `target`'s.

    A file is laid beside its target and takes its name at the end; a link stays a link, to the new file. A pipe or a device is written
    through: the file is made in `folder` first, so that nothing half goes out.

    Raises OSError.
    """
    if _is_no_file(target):
        with (folder / "whole").open("w+b") as file:
            yield file
            file.flush()
            file.seek(0)
            # Added to, never cut: it may be what the shell opened as our output.
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_APPEND), "wb") as stream:
                shutil.copyfileobj(file, stream)
        return
    try:
        target = target.resolve()
    except RuntimeError:
        raise OSError(None, "Too many levels of symbolic links") from None
    sweep(target.parent)
    with _locked(target.parent / _ASIDE.format(os.getpid(), threading.get_ident())) as (aside, file):
        yield file
        file.flush()
        aside.replace(target)


def _is_no_file(target: Path) -> bool:
    """Whether something stands there that is no file, or is a name for what this process has open."""
    if not target.exists():
        return False
    parent = target.parent.resolve()
    return not target.is_file() or parent == Path("/dev") or parent.is_relative_to("/proc")


@contextmanager
def _locked(aside: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    while True:
        file = aside.open("wb")
        # Where a file system knows no locks, a name of process and thread is all that keeps it apart.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if aside.stat().st_ino == os.fstat(file.fileno()).st_ino:
                break
        # Somebody swept it away before it was locked.
        file.close()
    try:
        with file:
            yield aside, file
    finally:
        aside.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes of this user laid aside in a folder."""
    for aside in folder.glob(_ASIDE.format("*", "*")):
        with contextlib.suppress(OSError), aside.open("r+b") as file:
            if os.fstat(file.fileno()).st_uid == os.getuid():
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                aside.unlink()
