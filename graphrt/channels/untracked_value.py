"""A channel for what must not be stored: connections, handles, secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Self

from graphrt.channels.base import MISSING, Missing, Value
from graphrt.channels.cell import GuardedCell

__all__ = ["UntrackedValue"]


class UntrackedValue(GuardedCell[Value], Generic[Value]):
    """Keeps the last write for the rest of the run, never stored: a resumed run lacks it (LangGraph C4).

    Args:
        typ: the type declared for the key.
        guard: refuse several writes in one step; without it the last one wins.
    """

    __slots__ = ()

    reacts_to_idle = False

    def checkpoint(self) -> Missing:
        return MISSING

    def from_checkpoint(self, checkpoint: Value | Missing, /) -> Self:
        """An empty channel, also for a value: one may be stored from before the key became untracked."""
        return self._empty_like()

    def update(self, values: Sequence[Value], /) -> bool:
        if not values:
            return False
        self._take_last(values)
        return True
