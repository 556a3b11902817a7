"""Columns of a batch worked on side by side.

Each column is work of its own, most of it inside polars, which lets other threads run meanwhile. Answers come in the order asked for,
so that nothing depends on which thread was first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST_THREADS = 4


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """The threads of a process; a forked child gets its own."""
    return ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS), thread_name_prefix=f"columns-{process}")


def each(work: Callable[[Asked], Answer], asked: Iterable[Asked]) -> list[Answer]:
    """`work` of each, in order. Raises what the first of them raised."""
    return list(_pool(os.getpid()).map(work, asked))
