"""The child that opens binary files: one question a line comes in, one answer a line goes out.

Its limits are the system's. Where it asks for more memory than it may have it dies, and only it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import polars as pl

from samplads import disk
from samplads.opening import workbook
from samplads.opening.simple import simplified

WORKBOOK_MEMORY = 4 << 30
"""Bytes of addresses for a workbook: four times what the largest that is taken may unpack to."""

PARQUET_MEMORY = max(WORKBOOK_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
"""And for Parquet, where one group of rows may be the whole file: all that the machine has."""

MOST_SECONDS = 1800
"""Of processor, for all files of a delivery: a gigabyte of Parquet takes a minute."""

LARGEST_FILE = 64 << 30
"""Bytes that one file which it writes may have."""


def limited() -> None:
    """Put the limits on this process. No core file either: it would hold what was read."""
    resource.setrlimit(resource.RLIMIT_AS, (PARQUET_MEMORY, PARQUET_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        # Where the machine itself runs out, this is the process to give up.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def opened(what: str, file: Path, into: Path) -> dict[str, Any]:
    """The answer to one question: what a file holds, or `refused` with the rule of the finding, or `full` where the disk is."""
    try:
        if what == "workbook":
            return {"sheets": [_told(sheet, into.with_name(f"{into.name}-{number}")) for number, sheet in enumerate(workbook.read(file))]}
        if what == "far":
            return {"far": workbook.far(file)}
        return _rows(file, into)
    except workbook.Unreadable as refused:
        return {"refused": refused.reason}
    except BaseException as error:
        # A damaged file may raise anything, a Rust panic included, whose class derives from BaseException.
        if disk.is_full(error):
            return {"full": True}
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            return {"refused": "unreadable_file"}
        raise


def _told(sheet: workbook.Sheet, into: Path) -> dict[str, Any]:
    cells = None
    if not sheet.cells.is_empty():
        sheet.cells.write_ipc(into)
        cells = str(into)
    told = {field.name: getattr(sheet, field.name) for field in dataclasses.fields(sheet) if field.name not in {"cells", "extra"}}
    return told | {"merges": [dataclasses.astuple(merge) for merge in sheet.merges], "cells": cells}


def _rows(file: Path, into: Path) -> dict[str, Any]:
    kinds = pl.read_parquet_schema(file)
    if kinds:
        lazy = pl.scan_parquet(file, glob=False, hive_partitioning=False)
        cells = (simplified(name, kind).alias(f"c{position}") for position, (name, kind) in enumerate(kinds.items()))
        lazy.select(cells).sink_ipc(into, compression="uncompressed")
    return {"names": list(kinds), "rows": str(into)}


def main() -> None:
    """Answer until nobody asks."""
    limited()
    for line in sys.stdin:
        question = json.loads(line)
        most = PARQUET_MEMORY if question["what"] == "parquet" else WORKBOOK_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, PARQUET_MEMORY))
        answer = opened(question["what"], Path(question["file"]), Path(question["into"]))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
