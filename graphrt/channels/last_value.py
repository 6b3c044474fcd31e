"""The default channel, which keeps what was written last, and its variant for deferred nodes."""

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
from graphrt.channels.cell import Cell

__all__ = ["LastValue", "LastValueAfterFinish"]


class LastValue(Cell[Value], Generic[Value]):
    """Keeps the value until the next write; one write per step (LangGraph C1)."""

    __slots__ = ()

    reacts_to_idle = False

    def update(self, values: Sequence[Value], /) -> bool:
        if len(values) == 1:
            self.value = values[0]
            return True
        if not values:
            return False
        raise one_value_only(self.key, len(values), "Use an Annotated key to handle multiple values.")


class LastValueAfterFinish(BaseChannel[Value, Value, tuple[Value, bool]], Generic[Value]):  # noqa: PLW1641 - mutable
    """Keeps the last write back until the run would end, then offers it to one step (LangGraph C9).

    A write takes it back again, so a deferred node that is triggered late still waits for the end.
    """

    __slots__ = ("finished", "value")

    reacts_to_idle = False

    value: Value | Missing
    finished: bool

    def __init__(self, typ: type[Value] | Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.value = MISSING
        self.finished = False

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self)

    def from_checkpoint(self, checkpoint: tuple[Value, bool] | Missing, /) -> Self:
        new = type(self)(self.typ, self.key)
        if checkpoint is not MISSING:
            new.value, new.finished = checkpoint
        return new

    def checkpoint(self) -> tuple[Value, bool] | Missing:
        return MISSING if self.value is MISSING else (self.value, self.finished)

    def get(self) -> Value:
        if self.value is MISSING or not self.finished:
            raise empty_channel(self.key)
        return self.value

    def is_available(self) -> bool:
        return self.finished and self.value is not MISSING

    def update(self, values: Sequence[Value], /) -> bool:
        if not values:
            return False
        self.value = values[-1]
        self.finished = False
        return True

    def consume(self) -> bool:
        if not self.finished:
            return False
        self.value = MISSING
        self.finished = False
        return True

    def finish(self) -> bool:
        if self.finished or self.value is MISSING:
            return False
        self.finished = True
        return True
