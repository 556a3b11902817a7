"""Answers remembered by a name, as many and as heavy as may be; a bar only for who has waited."""

from __future__ import annotations

import pytest
import streamlit as st

from samplads.ui import waiting


@pytest.fixture(autouse=True)
def forgotten() -> None:
    st.cache_resource.clear()


def test_the_last_answers_are_kept_and_the_oldest_go() -> None:
    asked: list[str] = []

    @waiting.remembered(2)
    def slow(key: str, more: int) -> str:
        asked.append(key)
        return f"{key} {more}"

    assert [slow(key, 1) for key in ("a", "b", "a", "c", "a", "b")] == ["a 1", "b 1", "a 1", "c 1", "a 1", "b 1"]
    assert asked == ["a", "b", "c", "b"]


def test_heavy_answers_make_room_but_the_newest_stays() -> None:
    asked: list[str] = []

    @waiting.remembered(10, len, 5)
    def slow(key: str) -> str:
        asked.append(key)
        return key

    for key in ("aa", "bb", "aa", "ccc", "bb", "dddddddd", "dddddddd", "a"):
        slow(key)
    assert asked == ["aa", "bb", "ccc", "bb", "dddddddd", "a"]


def test_what_fails_is_not_remembered() -> None:
    asked: list[str] = []

    @waiting.remembered(2)
    def fails(key: str) -> str:
        asked.append(key)
        raise ValueError(key)

    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            fails("a")
    assert asked == ["a", "a"]


class Place:
    """Stands for a place on a page: what is drawn in it and whether it is empty again."""

    def __init__(self) -> None:
        self.drawn: list[object] = []

    def container(self) -> Place:
        self.drawn.append("container")
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def empty(self) -> None:
        self.drawn.clear()


def test_a_bar_comes_only_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    shown: list[tuple[float, str]] = []
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now)
    monkeypatch.setattr(waiting.st, "button", lambda *_, **__: False)
    bar = type("Bar", (), {"progress": lambda _, share, text: shown.append((round(share, 3), text))})()
    monkeypatch.setattr(waiting.st, "progress", lambda _: bar)
    place = Place()
    steps = waiting.Steps(place, {"first": (0.0, 0.4), "last": (0.4, 0.6)}, str.upper, lambda: None)  # type: ignore[arg-type]
    steps.tell("first")
    assert place.drawn == []
    now += waiting.PATIENCE_SECONDS + 0.1
    steps.tell("first", 0.5)
    steps.tell("last", 0.5)
    steps.tell("last", 7)
    assert place.drawn == ["container"]
    assert shown == [(0.2, "STEP.FIRST"), (0.7, "STEP.LAST"), (1.0, "STEP.LAST")]
    steps.done()
    assert place.drawn == []
