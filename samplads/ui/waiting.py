"""Long work of a page: answers remembered by what they rest on, and a bar with Cancel while one is worked out.

A step tells how far it is (`Steps.tell`). Streamlit stops the script there when the visitor has asked for something else, so a cancelled
run ends at its next word. The bar comes only when the visitor has waited for a moment: work that is soon done shows none.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

PATIENCE_SECONDS = 0.8
_WAITING = "_waiting"

Rest = ParamSpec("Rest")
Answer = TypeVar("Answer")


@st.cache_resource(show_spinner=False)
def _memory(name: str) -> tuple[OrderedDict[Any, Any], threading.Lock]:  # noqa: ARG001 - the name is the key
    return OrderedDict(), threading.Lock()


def remembered(
    most: int, weigh: Callable[[Any], int] = lambda _: 0, heaviest: int = 0
) -> Callable[[Callable[Concatenate[str, Rest], Answer]], Callable[Concatenate[str, Rest], Answer]]:
    """Keep the last answers of a function, for all visitors, by its first argument: a text that names all it rests on.

    As `st.cache_resource`, but the function may tell a bar on the page how far it is. At most `most` are kept, and no more than `heaviest`
    together unless the last alone weighs more.
    """

    def decorate(work: Callable[Concatenate[str, Rest], Answer]) -> Callable[Concatenate[str, Rest], Answer]:
        def recall(key: str, /, *rest: Rest.args, **named: Rest.kwargs) -> Answer:
            kept, lock = _memory(f"{work.__module__}.{work.__qualname__}")
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    answer: Answer = kept[key]
                    return answer
            answer = work(key, *rest, **named)
            with lock:
                kept[key] = answer
                while len(kept) > most or (len(kept) > 1 and sum(map(weigh, kept.values())) > heaviest):
                    kept.popitem(last=False)
            return answer

        return recall

    return decorate


class Steps:
    """The steps of one run of a page, each with the share of the bar at which it begins and the share it takes."""

    def __init__(
        self, place: DeltaGenerator, steps: Mapping[str, tuple[float, float]], say: Callable[[str], str], cancel: Callable[[], None]
    ):
        self._place, self._steps, self._say, self._cancel = place, steps, say, cancel
        self._begun = time.monotonic()
        self._bar: DeltaGenerator | None = None

    def tell(self, step: str, share: float = 0.0) -> None:
        """So far is this step."""
        if self._bar is None:
            if time.monotonic() - self._begun < PATIENCE_SECONDS:
                return
            with self._place.container():
                self._bar = st.progress(0.0)
                st.button(self._say("cancel"), key="cancel_waiting", help=self._say("cancel_help"), on_click=self._cancel)
        start, part = self._steps[step]
        self._bar.progress(min(1.0, max(0.0, start + part * share)), text=self._say(f"step.{step}"))

    def done(self) -> None:
        """Take the bar away."""
        self._place.empty()


def begin(steps: Steps) -> None:
    """From here on `tell` speaks of this run."""
    st.session_state[_WAITING] = steps


def tell(step: str, share: float = 0.0) -> None:
    """So far is a step of the run at hand; nothing where no run is told of."""
    steps: Steps | None = st.session_state.get(_WAITING)
    if steps is not None:
        steps.tell(step, share)


def end() -> None:
    """The work is done."""
    steps: Steps | None = st.session_state.pop(_WAITING, None)
    if steps is not None:
        steps.done()
