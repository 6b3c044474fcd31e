"""Debug mode's eye on the state: which node changed, in place, a value that it only got to read.

What a node returns is its write; what it does to the objects it was given is not, and a thread does not store it
(docs/state.md). In a graph compiled with `debug=True` every value is encoded before a step and again after each of its
tasks: that finds any change, at the cost of encoding the whole state all the time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from graphrt.core.state import State, Task
from graphrt.errors import SerializationError, StateMutationWarning

__all__ = ["Watch"]


class Watch:
    """The bytes of each channel's value when the step began."""

    __slots__ = ("_encode", "_seen")

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self._encode = encode
        self._seen: dict[int, bytes | None] = {}

    def begin(self, state: State) -> None:
        """A step starts: this is what its tasks are given."""
        self._seen = {i: self._look(state, i) for i, c in enumerate(state.channels) if c.is_available()}

    def check(self, state: State, task: Task) -> None:
        """A task has ended, nothing is committed yet: warn of every value that is not what it was."""
        for i, before in self._seen.items():
            now = self._look(state, i)
            if now != before:
                self._seen[i] = now
                warnings.warn(
                    f"Node {task.node.name!r} changed the value of {state.plan.channel_names[i]!r} in place, or a node "
                    "that runs beside it did. The change is not a write: it may get lost when the thread is stored. "
                    "Return a new value instead.",
                    StateMutationWarning,
                    stacklevel=2,
                )

    def _look(self, state: State, index: int) -> bytes | None:
        try:
            return self._encode(state.channels[index].get())
        except SerializationError:
            return None  # of what cannot be encoded nothing can be said
