"""A channel that collects: every write of a step, or of the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self, Union, cast

from graphrt.channels.base import MISSING, BaseChannel, Missing, Value, empty_channel, of_same_class

__all__ = ["Topic"]


class Topic(BaseChannel[Sequence[Value], Value | list[Value], list[Value]], Generic[Value]):  # noqa: PLW1641 - mutable
    """All values written, in task order; a written list counts as its items (LangGraph C5).

    Args:
        typ: the type of one value.
        accumulate: keep the values of earlier steps; without it every step starts from none.
    """

    __slots__ = ("accumulate", "values")

    def __init__(self, typ: type[Value] | Any, accumulate: bool = False) -> None:
        super().__init__(typ)
        self.accumulate = accumulate
        self.values: list[Value] = []

    # The answer depends on the instance; it is asked once, when a graph is compiled.
    @property
    def reacts_to_idle(self) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return not self.accumulate

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and other.accumulate == self.accumulate

    @property
    def ValueType(self) -> Any:  # noqa: N802 - LangGraph's name
        return cast(Any, Sequence)[self.typ]

    @property
    def UpdateType(self) -> Any:  # noqa: N802 - LangGraph's name
        # Not `typ | list[typ]`: typ may be a forward reference.
        return cast(Any, Union)[self.typ, cast(Any, list)[self.typ]]

    def from_checkpoint(self, checkpoint: list[Value] | Missing, /) -> Self:
        new = type(self)(self.typ, self.accumulate)
        new.key = self.key
        if checkpoint is not MISSING:
            new.values = list(checkpoint)
        return new

    def checkpoint(self) -> list[Value] | Missing:
        return list(self.values) if self.values else MISSING

    def get(self) -> Sequence[Value]:
        if not self.values:
            raise empty_channel(self.key)
        return list(self.values)

    def is_available(self) -> bool:
        return bool(self.values)

    def update(self, values: Sequence[Value | list[Value]], /) -> bool:
        added: list[Value] = []
        for value in values:
            if isinstance(value, list):
                added.extend(cast("list[Value]", value))
            else:
                added.append(value)
        if self.accumulate:
            self.values.extend(added)
            return bool(added)
        changed = bool(self.values or added)
        self.values = added
        return changed
