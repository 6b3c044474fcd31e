"""Channels that wait for several named writers: what a join `add_edge(["a", "b"], "c")` compiles to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, Self

from graphrt.channels.base import (
    MISSING,
    BaseChannel,
    Checkpoint,
    Missing,
    Value,
    empty_channel,
    of_same_class,
)
from graphrt.errors import InvalidUpdateError

__all__ = ["NamedBarrierValue", "NamedBarrierValueAfterFinish"]


class Barrier(BaseChannel[None, Value, Checkpoint], Generic[Value, Checkpoint]):  # noqa: PLW1641 - mutable
    """A set of names to wait for and those seen so far; `seen` never holds anything but names waited for."""

    __slots__ = ("names", "seen")

    reacts_to_idle = False

    def __init__(self, typ: type[Value] | Any, names: Iterable[Value]) -> None:
        super().__init__(typ)
        self.names = frozenset(names)
        self.seen: set[Value] = set()

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and other.names == self.names

    @property
    def missing(self) -> AbstractSet[Value]:
        """The names that have not been written yet."""
        return self.names - self.seen

    def _with_seen(self, seen: Iterable[Value]) -> Self:
        new = type(self)(self.typ, self.names)
        new.key = self.key
        # A thread may be older than its graph: a name nobody waits for any more must not block the join.
        new.seen.update(name for name in seen if name in new.names)
        return new

    def get(self) -> None:
        if not self.is_available():
            raise empty_channel(self.key)

    def update(self, values: Sequence[Value], /) -> bool:
        for value in values:
            if value not in self.names:
                raise InvalidUpdateError(
                    f"At key {self.key!r}: Value {value} not in {sorted(map(str, self.names))}, "
                    "the names that this barrier waits for. Write one of these.",
                    channel=self.key,
                )
        before = len(self.seen)
        self.seen.update(values)
        return len(self.seen) != before


class NamedBarrierValue(Barrier[Value, set[Value]], Generic[Value]):
    """Available without a value (`get()` is None) once every name has been written (LangGraph C7)."""

    __slots__ = ()

    def from_checkpoint(self, checkpoint: set[Value] | Missing, /) -> Self:
        return self._with_seen(() if checkpoint is MISSING else checkpoint)

    def checkpoint(self) -> set[Value] | Missing:
        return set(self.seen) if self.seen else MISSING

    def is_available(self) -> bool:
        return len(self.seen) == len(self.names)

    def consume(self) -> bool:
        if len(self.seen) != len(self.names):
            return False
        self.seen = set()
        return True


class NamedBarrierValueAfterFinish(Barrier[Value, tuple[set[Value], bool]], Generic[Value]):
    """A `NamedBarrierValue` held back until the run would end: the join of a deferred node (LangGraph C8)."""

    __slots__ = ("finished",)

    def __init__(self, typ: type[Value] | Any, names: Iterable[Value]) -> None:
        super().__init__(typ, names)
        self.finished = False

    def from_checkpoint(self, checkpoint: tuple[set[Value], bool] | Missing, /) -> Self:
        if checkpoint is MISSING:
            return self._with_seen(())
        seen, finished = checkpoint
        new = self._with_seen(seen)
        new.finished = finished
        return new

    def checkpoint(self) -> tuple[set[Value], bool] | Missing:
        return (set(self.seen), self.finished) if self.seen or self.finished else MISSING

    def is_available(self) -> bool:
        return self.finished and len(self.seen) == len(self.names)

    def consume(self) -> bool:
        if not self.is_available():
            return False
        self.seen = set()
        self.finished = False
        return True

    def finish(self) -> bool:
        if self.finished or len(self.seen) != len(self.names):
            return False
        self.finished = True
        return True
