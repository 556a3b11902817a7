"""What several tests of the ledger share."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext


def processes() -> ForkServerContext:
    """A way to start processes that share no connection with this one and need not import everything anew."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["samplads.extracts.personal", "samplads.ledger.holds", "samplads.ledger.audit"])
    return context
