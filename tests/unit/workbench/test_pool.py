"""The queue is fair: turns go round, short work does not wait behind long, nobody takes every slot."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from samplads.errors import SampladsError
from samplads.workbench.faults import SqlError
from samplads.workbench.pool import Pool, Ticket


class Work:
    """Work that ends when it is told to, and notes when it began."""

    def __init__(self, name: str, began: list[str], *, ends: bool = False) -> None:
        self.name, self.began = name, began
        self.end = threading.Event()
        self.cancelled = False
        self.gave_way = False
        if ends:
            self.end.set()

    def result(self) -> str:
        self.began.append(self.name)
        assert self.end.wait(20)
        if self.cancelled:
            raise SqlError("sql_cancelled")
        return self.name

    def cancel(self) -> None:
        self.cancelled = True
        self.end.set()

    def yield_to_others(self) -> None:
        self.gave_way = True


def until(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_turns_go_round() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=0, each=5)
    gate = Work("gate", began)
    pool.submit("x", gate)
    tickets = [pool.submit("a", Work(f"a{nth}", began, ends=True)) for nth in range(4)]
    tickets += [pool.submit(name, Work(f"{name}{nth}", began, ends=True)) for nth in range(2) for name in ("b", "c")]
    gate.end.set()
    for ticket in tickets:
        ticket.result(20)
    assert began == ["gate", "a0", "b0", "c0", "a1", "b1", "c1", "a2", "a3"]


def test_ahead_counts_what_starts_before() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=0)
    gate = Work("gate", began)
    pool.submit("x", gate)
    queued = {f"{name}{nth}": pool.submit(name, Work(f"{name}{nth}", began, ends=True)) for name in ("a", "b") for nth in range(3)}
    late = pool.submit("c", Work("c0", began, ends=True))
    told = {name: ticket.ahead() for name, ticket in {**queued, "c0": late}.items()}
    gate.end.set()
    for ticket in [*queued.values(), late]:
        ticket.result(20)
    order = began[1:]
    assert told == {name: order.index(name) for name in told}
    assert late.ahead() == 0


def test_twenty_analysts_each_get_a_turn_before_anybody_gets_two() -> None:
    began: list[str] = []
    pool = Pool(quick=2, slow=0)
    gates = [Work(f"gate{nth}", began) for nth in range(2)]
    for nth, gate in enumerate(gates):
        pool.submit(f"early{nth}", gate)
    tickets: list[Ticket] = []
    for analyst in range(20):
        tickets += [pool.submit(f"n{analyst:02}", Work(f"n{analyst:02}", began, ends=True)) for _ in range(3)]
    for gate in gates:
        gate.end.set()
    for ticket in tickets:
        ticket.result(20)
    turns = began[2:]
    # Two slots start side by side, so that neighbours may change places, no more.
    for start in (0, 20, 40):
        assert len(set(turns[start : start + 20])) >= 19
    assert sorted(turns) == sorted([f"n{analyst:02}" for analyst in range(20)] * 3)


def test_short_work_does_not_wait_behind_long() -> None:
    began: list[str] = []
    pool = Pool(quick=2, slow=2, slow_after=0.05, each=2)
    long = [Work(f"long{nth}", began) for nth in range(2)]
    tickets = [pool.submit(f"l{nth}", work) for nth, work in enumerate(long)]
    until(lambda: all(ticket.slow for ticket in tickets))
    assert all(work.gave_way for work in long)
    for nth in range(6):
        assert pool.submit("quick", Work(f"short{nth}", began, ends=True)).result(20) == f"short{nth}"
    assert [ticket.state for ticket in tickets] == ["running", "running"]
    for work in long:
        work.end.set()
    assert [ticket.result(20) for ticket in tickets] == ["long0", "long1"]


def test_one_analyst_does_not_take_every_slot() -> None:
    began: list[str] = []
    pool = Pool(quick=4, slow=0, each=2)
    greedy = [Work(f"g{nth}", began) for nth in range(4)]
    tickets = [pool.submit("greedy", work) for work in greedy]
    until(lambda: len(began) == 2)
    assert pool.submit("other", Work("other", began, ends=True)).result(20) == "other"
    assert [ticket.state for ticket in tickets].count("queued") == 2
    for work in greedy:
        work.end.set()
    for ticket in tickets:
        ticket.result(20)


def test_cancel_queued_and_running() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=0)
    running, queued = pool.submit("a", Work("run", began)), pool.submit("b", Work("wait", began))
    assert queued.state == "queued"
    queued.cancel()
    assert queued.state == "done"
    until(lambda: began == ["run"])
    running.cancel()
    for ticket in (running, queued):
        with pytest.raises(SqlError) as caught:
            ticket.result(20)
        assert caught.value.key == "sql_cancelled"
    assert running.seconds() > 0
    assert queued.seconds() == 0
    assert began == ["run"]


def test_a_full_queue_says_so() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=0, longest_queue=2)
    first = Work("first", began)
    tickets = [pool.submit("a", first), *(pool.submit("b", Work("next", began, ends=True)) for _ in range(2))]
    with pytest.raises(SampladsError) as caught:
        pool.submit("c", Work("never", began))
    assert caught.value.key == "queue_full"
    first.end.set()
    for ticket in tickets:
        ticket.result(20)


def test_real_queries_through_the_pool(copy: Path, tmp_path: Path) -> None:
    pool = Pool(quick=2)
    tickets = [pool.run(f"n{nth % 5}", f"select {nth} as a, count(*) from unit", copy) for nth in range(10)]
    assert [ticket.result(60).frame["a"].item() for ticket in tickets] == list(range(10))
    wrong = pool.run("n1", "selec", copy)
    with pytest.raises(SqlError):
        wrong.result(60)
    assert pool.export("n1", "from unit", copy, tmp_path / "unit.csv", "csv").result(60).rows == 40
    held = pool.run("n1", "select count(*) from range(100000000000)", copy)
    with pytest.raises(TimeoutError):
        held.result(0.2)
    held.cancel()
    assert held.wait(20)


def test_no_more_exports_at_once_than_their_memory_allows(copy: Path, tmp_path: Path) -> None:
    pool = Pool(quick=3, slow=3, exports=1, each=9)
    endless = "from range(100000000000)"
    first = pool.export("a", endless, copy, tmp_path / "a.csv", "csv")
    second = pool.export("b", endless, copy, tmp_path / "b.csv", "csv")
    other = pool.run("c", "select 1 as n", copy)
    assert other.result(30).frame.item() == 1
    assert (first.state, second.state) == ("running", "queued")
    first.cancel()
    until(lambda: second.state == "running")
    second.cancel()
    for ticket in (first, second):
        with pytest.raises(SqlError):
            ticket.result(30)


class Reader(Work):
    """Work that can begin anew."""

    def restart(self) -> None:
        self.cancelled = False
        self.end.clear()


def test_long_statements_never_hold_the_last_quick_slot() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=1, slow_after=0.05)
    first, second = Reader("long1", began), Reader("long2", began)
    one, two = pool.submit("a", first), pool.submit("b", second)
    until(lambda: one.slow and two.state == "running" and two.seconds() > 0.1)
    # Nobody waits: it goes on where it is.
    assert two.state == "running"
    short = pool.submit("c", Work("short", began, ends=True))
    assert short.result(20) == "short"
    until(lambda: two.state == "queued")
    assert two.ahead() == 0
    first.end.set()
    assert one.result(20) == "long1"
    until(lambda: two.state == "running")
    second.end.set()
    assert two.result(20) == "long2"
    assert began == ["long1", "long2", "short", "long2"]


def test_what_was_stopped_to_make_room_can_be_cancelled() -> None:
    began: list[str] = []
    pool = Pool(quick=1, slow=1, slow_after=0.05)
    first, second = Reader("long1", began), Reader("long2", began)
    one, two = pool.submit("a", first), pool.submit("b", second)
    until(lambda: one.slow and two.seconds() > 0.1)
    pool.submit("c", Work("short", began, ends=True)).result(20)
    until(lambda: two.state == "queued")
    two.cancel()
    with pytest.raises(SqlError):
        two.result(20)
    first.end.set()
    assert one.result(20) == "long1"
    assert began == ["long1", "long2", "short"]


def test_a_statement_begins_anew_and_answers(copy: Path) -> None:
    pool = Pool(quick=1, slow=1, slow_after=0.2)
    endless = pool.run("a", "select count(*) from range(100000000000)", copy)
    until(lambda: endless.slow)
    long = pool.run("b", "select count(*) as n from range(4000000) where md5(range::varchar) > ''", copy)
    until(lambda: long.seconds() > 0.2 or long.state == "done")
    assert pool.run("c", "select 1 as n", copy).result(30).frame.item() == 1
    endless.cancel()
    assert long.result(60).frame.item() == 4_000_000
