"""A channel for writers that agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from graphrt.channels.base import MISSING, Value
from graphrt.channels.cell import Cell

__all__ = ["AnyValue"]


class AnyValue(Cell[Value], Generic[Value]):
    """Keeps the last of a step's writes, taken as equal; a step without any empties it (LangGraph C2)."""

    __slots__ = ()

    reacts_to_idle = True

    def update(self, values: Sequence[Value], /) -> bool:
        if values:
            self.value = values[-1]
            return True
        if self.value is MISSING:
            return False
        self.value = MISSING
        return True
