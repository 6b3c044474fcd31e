"""Channels that hold one value: all they share, except how they take writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self

from graphrt.channels.base import (
    MISSING,
    BaseChannel,
    Missing,
    Value,
    empty_channel,
    of_same_class,
    one_value_only,
)

__all__ = ["Cell", "GuardedCell"]


class Cell(BaseChannel[Value, Value, Value], Generic[Value]):  # noqa: PLW1641 - mutable
    """One value or none, stored as it is. Subclasses say what `update` does.

    Copies share the value object: a reducer that changes its first argument in place changes both.
    """

    __slots__ = ("value",)

    value: Value | Missing

    def __init__(self, typ: type[Value] | Any, key: str = "") -> None:
        # Not through super(): a run makes one of each channel, so this is part of the fixed cost of a run.
        self.typ = typ
        self.key = key
        self.value = MISSING

    def __eq__(self, other: object) -> bool:
        """The same configuration, whatever the values: how schemas sharing a key compare (LangGraph B3)."""
        return of_same_class(other, self)

    def _empty_like(self) -> Self:
        return type(self)(self.typ, self.key)

    def fresh(self) -> Self:
        return self._empty_like()

    def from_checkpoint(self, checkpoint: Value | Missing, /) -> Self:
        new = self._empty_like()
        if checkpoint is not MISSING:
            new.value = checkpoint
        return new

    def checkpoint(self) -> Value | Missing:
        return self.value

    def copy(self) -> Self:
        new = self._empty_like()
        new.value = self.value
        return new

    def get(self) -> Value:
        value = self.value
        if value is MISSING:
            raise empty_channel(self.key)
        return value

    def is_available(self) -> bool:
        return self.value is not MISSING


class GuardedCell(Cell[Value], Generic[Value]):  # noqa: PLW1641 - mutable
    """A cell that its owner may open to several writes per step: with `guard=False` the last one wins."""

    __slots__ = ("guard",)

    def __init__(self, typ: type[Value] | Any, guard: bool = True) -> None:
        super().__init__(typ)
        self.guard = guard

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and other.guard == self.guard

    def _empty_like(self) -> Self:
        new = type(self)(self.typ, self.guard)
        new.key = self.key
        return new

    def _take_last(self, values: Sequence[Value]) -> None:
        if self.guard and len(values) != 1:
            advice = f"{type(self).__name__}(..., guard=False) keeps the last of several."
            raise one_value_only(self.key, len(values), advice)
        self.value = values[-1]
