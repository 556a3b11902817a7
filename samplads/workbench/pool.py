"""A fair queue before the workers: many analysts, two processors.

1. Each analyst has a line of their own; a free slot goes to the line that has waited longest for one (round robin), so that nobody's
   twentieth statement goes before somebody else's first.
2. A statement begins in one of `quick` slots. When it has run for `slow_after` seconds it moves to one of `slow` slots, if one is free,
   and lets others have the processor first: short statements do not wait behind long ones. Where no slow slot is free and somebody waits,
   it is stopped and begins anew when a slow slot is: what it had done is lost, and nobody's short statement waits for it.
3. An analyst runs at most `each` statements at a time, however long their line is.
4. At most `exports` exports run at a time: each is two processes.

With the limits of `worker.Limits`, the processes of the pool can hold (quick + slow) x 1,152 + exports x 768 MiB: 6 GiB.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from samplads.errors import SampladsError
from samplads.workbench import worker
from samplads.workbench.faults import SqlError


class Work(Protocol):
    """What the pool runs: `worker.Run` and `worker.Export` are such."""

    def result(self) -> Any:
        """Run to the end."""

    def cancel(self) -> None:
        """Stop."""


@dataclass(eq=False)
class Ticket:
    """One statement's place in the queue, and later its result."""

    analyst: str
    work: Work
    queued_at: float
    started_at: float | None = None
    ended_at: float | None = None
    slow: bool = False
    cancelled: bool = False
    outcome: Any = None
    error: BaseException | None = None
    _done: threading.Event = field(default_factory=threading.Event)
    _pool: Pool | None = None
    _timer: threading.Timer | None = None
    _stopped: bool = False
    """Stopped to make room; it begins anew."""

    @property
    def state(self) -> str:
        """`queued`, `running` or `done`."""
        return "done" if self._done.is_set() else "running" if self.started_at is not None else "queued"

    def seconds(self, now: float | None = None) -> float:
        """Seconds it has run, 0 before it starts."""
        if self.started_at is None:
            return 0.0
        return (self.ended_at if self.ended_at is not None else now if now is not None else time.monotonic()) - self.started_at

    def ahead(self) -> int:
        """How many statements start before this one, as things stand."""
        return self._pool.ahead(self) if self._pool is not None and self.state == "queued" else 0

    def cancel(self) -> None:
        """Stop it, or take it out of the queue."""
        if self._pool is not None:
            self._pool.cancel(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is done; False where it is not yet."""
        return self._done.wait(timeout)

    def result(self, timeout: float | None = None) -> Any:
        """The result. Raises what the work raised, or TimeoutError where it is not done in time."""
        if not self._done.wait(timeout):
            raise TimeoutError
        if self.error is not None:
            raise self.error
        return self.outcome


class Pool:
    """See the module's text. Threads of this process only wait; the work is in the workers'."""

    def __init__(
        self, *, quick: int = 2, slow: int = 2, slow_after: float = 2.0, each: int = 2, exports: int = 2, longest_queue: int = 200
    ) -> None:
        self.quick, self.slow, self.slow_after, self.each, self.exports, self.longest_queue = (
            quick,
            slow,
            slow_after,
            each,
            exports,
            longest_queue,
        )
        self._lines: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._running: list[Ticket] = []
        self._parked: list[Ticket] = []
        self._lock = threading.Lock()

    def submit(self, analyst: str, work: Work) -> Ticket:
        """Put a piece of work in its analyst's line.

        Raises SampladsError `queue_full`.
        """
        with self._lock:
            waiting = sum(len(line) for line in self._lines.values()) + len(self._parked)
            if waiting >= self.longest_queue:
                raise SampladsError("queue_full", waiting=waiting)
            ticket = Ticket(analyst, work, time.monotonic(), _pool=self)
            self._lines.setdefault(analyst, deque()).append(ticket)
            self._start_next()
            self._make_room()
        return ticket

    def run(
        self,
        analyst: str,
        sql: str,
        copy: Path | None,
        *,
        parameters: dict[str, object] | None = None,
        limits: worker.Limits | None = None,
        wanted: Callable[[], bool] | None = None,
    ) -> Ticket:
        """Queue a statement."""
        return self.submit(analyst, worker.Run(sql, copy, parameters=parameters, limits=limits, wanted=wanted))

    def export(
        self,
        analyst: str,
        sql: str,
        copy: Path | None,
        target: Path,
        form: str,
        *,
        parameters: dict[str, object] | None = None,
        limits: worker.Limits | None = None,
        wanted: Callable[[], bool] | None = None,
    ) -> Ticket:
        """Queue an export."""
        return self.submit(analyst, worker.Export(sql, copy, target, form, parameters=parameters, limits=limits, wanted=wanted))

    def ahead(self, ticket: Ticket) -> int:
        """How many queued statements start before this one: one per earlier turn of each other line."""
        with self._lock:
            if ticket in self._parked:
                return self._parked.index(ticket)
            line = self._lines.get(ticket.analyst)
            if line is None or ticket not in line:
                return 0
            turns = line.index(ticket)
            names = list(self._lines)
            mine = names.index(ticket.analyst)
            others = sum(
                min(len(queue), turns + (1 if names.index(name) < mine else 0))
                for name, queue in self._lines.items()
                if name != ticket.analyst
            )
            return turns + others

    def cancel(self, ticket: Ticket) -> None:
        """Stop a ticket's work, or take it out of its line."""
        with self._lock:
            ticket.cancelled = True
            if ticket in self._parked:
                self._parked.remove(ticket)
                ticket.error = SqlError("sql_cancelled")
                ticket._done.set()
                return
            line = self._lines.get(ticket.analyst)
            if line is not None and ticket in line:
                line.remove(ticket)
                if not line:
                    del self._lines[ticket.analyst]
                ticket.error = SqlError("sql_cancelled")
                ticket._done.set()
                return
        ticket.work.cancel()

    def _taken(self, slow: bool) -> int:
        return sum(ticket.slow is slow for ticket in self._running)

    def most_memory(self, limits: worker.Limits) -> int:
        """The most MiB that the processes of all running statements can hold together."""
        return (self.quick + self.slow) * limits.address_mb + self.exports * limits.writer_mb

    def _may_start(self, ticket: Ticket) -> bool:
        running = sum(other.analyst == ticket.analyst for other in self._running)
        exporting = sum(isinstance(other.work, worker.Export) for other in self._running)
        return running < self.each and not (isinstance(ticket.work, worker.Export) and exporting >= self.exports)

    def _start_next(self) -> None:
        """Start what may start. The lock is held."""
        while self._taken(slow=False) < self.quick:
            name = next((name for name, line in self._lines.items() if self._may_start(line[0])), None)
            if name is None:
                return
            line = self._lines.pop(name)
            ticket = line.popleft()
            if line:
                # To the end of the round: everybody else's next comes first.
                self._lines[name] = line
            self._start(ticket)

    def _start(self, ticket: Ticket) -> None:
        ticket.started_at = time.monotonic()
        self._running.append(ticket)
        threading.Thread(target=self._carry, args=(ticket,), name="workbench", daemon=True).start()
        ticket._timer = threading.Timer(self.slow_after, self._slow_down, args=(ticket,))
        ticket._timer.daemon = True
        ticket._timer.start()

    def _start_parked(self) -> None:
        """Begin anew, in free slow slots, what was stopped to make room. The lock is held."""
        while self._taken(slow=True) < self.slow:
            ticket = next((one for one in self._parked if self._may_start(one)), None)
            if ticket is None:
                return
            self._parked.remove(ticket)
            ticket.slow = True
            self._start(ticket)

    def _make_room(self) -> None:
        """Where somebody waits for a quick slot that a long statement holds, stop that one. The lock is held."""
        if self._taken(slow=False) < self.quick or not any(self._may_start(line[0]) for line in self._lines.values()):
            return
        long = [one for one in self._running if not one.slow and one.seconds() >= self.slow_after]
        if not long or self.slow == 0 or any(one._stopped for one in long):
            return
        if self._taken(slow=True) < self.slow:
            long[0].slow = True
            self._start_next()
        elif getattr(long[0].work, "restart", None) is not None:
            long[0]._stopped = True
            long[0].work.cancel()

    def _slow_down(self, ticket: Ticket) -> None:
        with self._lock:
            if ticket not in self._running:
                return
            give_way: Callable[[], None] | None = getattr(ticket.work, "yield_to_others", None)
            if give_way is not None:
                give_way()
            if ticket.slow:
                return
            if self._taken(slow=True) < self.slow:
                ticket.slow = True
                self._start_next()
            self._make_room()

    def _carry(self, ticket: Ticket) -> None:
        try:
            ticket.outcome = ticket.work.result()
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            ticket.error = error
        if ticket._timer is not None:
            ticket._timer.cancel()
        with self._lock:
            self._running.remove(ticket)
            if ticket._stopped and not ticket.cancelled and isinstance(ticket.error, SqlError) and ticket.error.key == "sql_cancelled":
                ticket._stopped, ticket.error, ticket.started_at = False, None, None
                restart: Callable[[], None] = ticket.work.restart  # type: ignore[attr-defined]  # only such are stopped
                restart()
                self._parked.append(ticket)
            else:
                ticket.ended_at = time.monotonic()
                ticket._done.set()
            self._start_parked()
            if ticket.slow and self._taken(slow=True) < self.slow:
                # A long one that still holds a quick slot can have the slow slot now.
                old = next((other for other in self._running if not other.slow and other.seconds() > self.slow_after), None)
                if old is not None:
                    old.slow = True
            self._start_next()
            self._make_room()


_shared: list[Pool] = []
_shared_lock = threading.Lock()


def shared() -> Pool:
    """The one pool of this process."""
    with _shared_lock:
        if not _shared:
            _shared.append(Pool())
        return _shared[0]
