"""A channel whose reducer takes all of a step's writes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Self

from graphrt.channels.base import MISSING, Missing, Value, of_same_class
from graphrt.channels.binop import constructor_of, is_overwrite, same_reducer, sole_overwrite
from graphrt.channels.cell import Cell
from graphrt.errors import GraphValidationError

__all__ = ["DeltaChannel"]


class DeltaChannel(Cell[Value], Generic[Value]):  # noqa: PLW1641 - mutable
    """Folds a step's writes into the value in one call: `value = reducer(value, [write, ...])` (LangGraph V1).

    Of lists, dicts and strings graphrt stores only what is new, whatever their channel; so this one differs from
    `BinaryOperatorAggregate` in how its reducer is called, and in nothing that is stored.

    Args:
        reducer: must give the same for writes in one call as for the same ones in several.
        typ: makes the empty value; what the key is annotated with if it is left out.
        snapshot_frequency: LangGraph's; how often a value is stored whole is storage's affair here.
    """

    __slots__ = ("_new", "reducer", "snapshot_frequency")

    reacts_to_idle = False

    def __init__(
        self,
        reducer: Callable[[Value, Sequence[Any]], Value],
        typ: type[Value] | Any = None,
        *,
        snapshot_frequency: int = 100,
    ) -> None:
        super().__init__(typ)
        if snapshot_frequency < 1:
            raise GraphValidationError(f"snapshot_frequency must be at least 1, got {snapshot_frequency}.")
        self.reducer = reducer
        self.snapshot_frequency = snapshot_frequency
        self._new: Callable[[], Any] | None = None if typ is None else constructor_of(typ)[0]

    def __eq__(self, other: object) -> bool:
        return of_same_class(other, self) and same_reducer(self.reducer, other.reducer)

    def declared(self, typ: Any) -> Self:
        """The channel of a key with this annotation."""
        own = self.typ if self.typ is not None else typ
        new = type(self)(self.reducer, own, snapshot_frequency=self.snapshot_frequency)
        new.key = self.key
        return new

    def _empty_like(self) -> Self:
        return self.declared(self.typ)

    def fresh(self) -> Self:
        new = self._empty_like()
        new.value = new._empty()
        return new

    def from_checkpoint(self, checkpoint: Value | Missing, /) -> Self:
        new = self._empty_like()
        new.value = new._empty() if checkpoint is MISSING else checkpoint
        return new

    def _empty(self) -> Any:
        return MISSING if self._new is None else self._new()

    def update(self, values: Sequence[Any], /) -> bool:
        """Reduce the writes. After an Overwrite those of the same step are lost; `Overwrite(None)` empties (C11, V4).

        Raises:
            InvalidUpdateError: several Overwrites.
            whatever the reducer raises.
        """
        if not values:
            return False
        if any(is_overwrite(write) for write in values):
            base = sole_overwrite(self.key, values)
            self.value = self._empty() if base is None else base
        else:
            value: Any = self._empty() if self.value is MISSING else self.value
            self.value = self.reducer(value, list(values))
        return True
