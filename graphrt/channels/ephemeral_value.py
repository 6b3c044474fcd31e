"""A channel whose value lives for one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from graphrt.channels.base import MISSING, Value
from graphrt.channels.cell import GuardedCell

__all__ = ["EphemeralValue"]


class EphemeralValue(GuardedCell[Value], Generic[Value]):
    """Holds what the step before wrote and nothing longer (LangGraph C3).

    Args:
        typ: the type declared for the key.
        guard: refuse several writes in one step; without it the last one wins.
    """

    __slots__ = ()

    reacts_to_idle = True

    def update(self, values: Sequence[Value], /) -> bool:
        if values:
            self._take_last(values)
            return True
        changed = self.value is not MISSING
        self.value = MISSING
        return changed
