"""Workbooks and Parquet files of strangers, opened in a process of their own.

    with Opener(folder) as opener:
        opener.workbook(file)   every sheet, as text
        opener.parquet(file)    the columns' names, and the same rows as a file of our own

A library that reads a binary file believes what the file says of its own size. A cell in the far corner of a sheet, or one turned bit in
a Parquet file, and it asks for more memory than any machine has; that ends the process at once, with no error to catch. So no such file
is opened by the process that serves pages or publishes: a child opens it, within limits, and where the child dies the file is refused
with a sentence like any other damaged one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from samplads.errors import SampladsError
from samplads.opening.simple import simplified
from samplads.opening.workbook import Merge, Sheet, Unreadable, column_letters

__all__ = ["Merge", "Opener", "Sheet", "Unreadable", "column_letters", "simplified"]


COMMAND = (sys.executable, "-P", "-m", "samplads.opening.child")
"""How the child is started."""


class _Died(Exception):  # noqa: N818 - a fact about the child, turned into a finding where it is met
    """The child that opened a file is no more."""


class Opener:
    """A child process that opens files for as long as this object is entered; it starts with the first file, and again after one that
    killed it. What it makes of a file lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    @property
    def child(self) -> int | None:
        """The child's number among the system's processes, while there is one."""
        return None if self._child is None else self._child.pid

    def workbook(self, file: Path) -> list[Sheet]:
        """Every sheet of a workbook, as `samplads.opening.workbook.read`.

        Raises Unreadable, with reason `sheet_too_wide` where a sheet's cells lie so far apart that the table between them holds no
        memory, and SampladsError `temporary_full`.
        """
        try:
            answer = self._asked("workbook", file)
        except _Died:
            far = self._far(file)
            raise (Unreadable("sheet_too_wide", **far) if far else Unreadable()) from None
        return [_sheet(told) for told in answer["sheets"]]

    def parquet(self, file: Path) -> tuple[Sequence[str], Path]:
        """The names of a Parquet file's columns, and its rows in an Arrow file whose columns are c0, c1, ... (none where it has none).

        Raises Unreadable, and SampladsError `temporary_full`.
        """
        try:
            answer = self._asked("parquet", file)
        except _Died:
            raise Unreadable from None
        return answer["names"], Path(answer["rows"])

    def _far(self, file: Path) -> dict[str, str]:
        """Which sheet of a workbook reaches too far, and to which cell; {} where none does."""
        try:
            return dict(self._asked("far", file)["far"])
        except (_Died, Unreadable):
            return {}

    def _asked(self, what: str, file: Path) -> dict[str, Any]:
        """What the child answers. Raises _Died, Unreadable, SampladsError `temporary_full`."""
        self._made += 1
        question = {"what": what, "file": str(file.absolute()), "into": str(self._folder / f"opened-{self._made}")}
        try:
            child = self._started()
            assert child.stdin is not None  # noqa: S101 - a pipe
            assert child.stdout is not None  # noqa: S101 - a pipe
            child.stdin.write(json.dumps(question).encode() + b"\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
        except (OSError, ValueError):
            self.close()
            raise _Died from None
        except BaseException:
            # Cancelled while the child was at work: what it answers would be taken for the answer to the next question.
            self.close()
            raise
        if answer.get("full"):
            raise SampladsError("temporary_full")
        if "refused" in answer:
            raise Unreadable(answer["refused"])
        return dict(answer)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            # What a library writes where it dies may quote the file: it goes nowhere.
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "POLARS_MAX_THREADS": str(min(os.cpu_count() or 1, 4))},
            )
        return self._child


def _sheet(told: dict[str, Any]) -> Sheet:
    cells = told.pop("cells")
    return Sheet(
        cells=pl.read_ipc(cells) if cells else pl.DataFrame(),
        name=told["name"],
        first_column=told["first_column"],
        hidden_rows=tuple(told["hidden_rows"]),
        merges=tuple(Merge(*merge) for merge in told["merges"]),
        broken=tuple((row, column) for row, column in told["broken"]),
        visible=told["visible"],
    )
