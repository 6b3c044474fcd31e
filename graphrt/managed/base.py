"""What a managed value is, and how it is found in annotations (LangGraph 1.6, B2, U4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import (
    Any,
    Generic,
    Protocol,
    TypeAlias,
    TypeGuard,
    TypeVar,
)

__all__ = ["ManagedKeys", "ManagedValue", "Scratchpad", "is_managed_value"]

V = TypeVar("V", covariant=True)


class Scratchpad(Protocol):
    """What a managed value is computed from.

    Attributes:
        step: number of the superstep at hand; a run's input is handed out in step 0.
        stop: the last superstep that the run may take.
    """

    @property
    def step(self) -> int: ...
    @property
    def stop(self) -> int: ...


class ManagedValue(ABC, Generic[V]):
    """A value that a node or router reads from its state although nobody writes it.

    Annotate a key of a state or of a node's input with a subclass, as the last item of `Annotated`. No instance is
    ever made.

    Example:
        >>> class HalfWay(ManagedValue[bool]):
        ...     @staticmethod
        ...     def get(scratchpad: Scratchpad) -> bool:
        ...         return scratchpad.step * 2 > scratchpad.stop
        >>> class State(TypedDict):
        ...     tired: Annotated[bool, HalfWay]
    """

    @staticmethod
    @abstractmethod
    def get(scratchpad: Scratchpad) -> Any:
        """The value now."""


ManagedKeys: TypeAlias = "tuple[tuple[str, type[ManagedValue[Any]]], ...]"
"""Keys of one schema with what computes them."""


def is_managed_value(value: object) -> TypeGuard[type[ManagedValue[Any]]]:
    """Whether it is a class of managed values."""
    return isinstance(value, type) and issubclass(value, ManagedValue)
