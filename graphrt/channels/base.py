"""What a channel is: one cell of a graph's state and the rule by which a superstep's writes change it.

The engine promises a channel: no two calls at a time; `update` gets all of a step's writes to the channel at
once, in task order; a call that raises aborts the step, and an aborted step is not committed.
A channel promises the engine: no I/O, no waiting, and an `update` that raises leaves the value as it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Generic, Self, TypeGuard, TypeVar

from graphrt.errors import EmptyChannelError, ErrorCode, InvalidUpdateError

__all__ = [
    "MISSING",
    "BaseChannel",
    "Checkpoint",
    "Missing",
    "Value",
    "empty_channel",
    "of_same_class",
    "one_value_only",
]

Value = TypeVar("Value")
Update = TypeVar("Update")
Checkpoint = TypeVar("Checkpoint")
Channel = TypeVar("Channel")


class Missing(Enum):
    """The type of `MISSING`: an enum, because its member stays one object through `copy` and `pickle`."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING
"""No value: what an empty channel holds, and what its checkpoint is."""


class BaseChannel(ABC, Generic[Value, Update, Checkpoint]):
    """A cell of state that nodes read as `Value`, write as `Update` and storage keeps as `Checkpoint`.

    Your own channels implement `from_checkpoint`, `get` and `update`, and whatever else needs another answer.

    Args:
        typ: the type declared for the key.
        key: the key the channel is stored under; the builder sets it.
    """

    __slots__ = ("key", "typ")

    reacts_to_idle: bool = True
    """May `update(())` change the channel? False spares it that call in every step that does not write it."""

    def __init__(self, typ: Any, key: str = "") -> None:
        self.typ = typ
        self.key = key

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What a parent knows about its own `update` does not hold for another one.
        if "update" in cls.__dict__ and "reacts_to_idle" not in cls.__dict__:
            cls.reacts_to_idle = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self.typ, '__name__', self.typ)}, key={self.key!r})"

    @property
    def ValueType(self) -> Any:  # noqa: N802 - LangGraph's name
        """The type that `get` returns: `typ` if nothing else is said."""
        return self.typ

    @property
    def UpdateType(self) -> Any:  # noqa: N802 - LangGraph's name
        """The type of one write: `typ` if nothing else is said."""
        return self.typ

    @abstractmethod
    def from_checkpoint(self, checkpoint: Checkpoint | Missing, /) -> Self:
        """A new channel of this configuration that holds what `checkpoint` says, nothing for `MISSING`.

        The new channel must not change `checkpoint` later: copy what `update` changes in place.
        """

    @abstractmethod
    def get(self) -> Value:
        """The current value.

        Raises:
            EmptyChannelError: there is none.
        """

    @abstractmethod
    def update(self, values: Sequence[Update], /) -> bool:
        """Apply the writes of one superstep, in task order, `()` for none. True if anything changed.

        Raises:
            InvalidUpdateError: the channel cannot take these writes. Its value is as before.
        """

    def checkpoint(self) -> Checkpoint | Missing:
        """What `from_checkpoint` needs, safe from later updates; `MISSING` if there is nothing to keep."""
        try:
            # By default a channel is stored as its value: a subclass whose Checkpoint differs overrides this.
            return self.get()  # type: ignore[return-value]  # pyright: ignore[reportReturnType]
        except EmptyChannelError:
            return MISSING

    def fresh(self) -> Self:
        """An empty channel of this configuration; the engine takes one of each channel for every run."""
        return self.from_checkpoint(MISSING)

    def copy(self) -> Self:
        """A channel with the same configuration and value: updating either does not change the other."""
        return self.from_checkpoint(self.checkpoint())

    def declared(self, typ: Any, /) -> Self:
        """The channel of a key that is annotated with `typ` and this channel."""
        return self.copy()

    def prepare(self, value: Any, /) -> Any:
        """A write as it is to be stored, before anybody sees it; what it is given may have been changed.

        Raises:
            InvalidUpdateError: it can be no write to this channel.
        """
        return value

    def part_since(self, content: object, /) -> Any:
        """What turns `content`, a former checkpoint, into this one (`graphrt.edits`), if the channel knows.

        `MISSING` if nothing does, as it is the same; None for a channel that cannot tell.
        """
        return None

    def is_available(self) -> bool:
        """Would `get` return a value?"""
        try:
            self.get()
        except EmptyChannelError:
            return False
        return True

    def consume(self) -> bool:
        """A node that this channel triggers has run. True if that changed the channel (LangGraph C12)."""
        return False

    def finish(self) -> bool:
        """Nothing is left to trigger, the run would end. True if that changed the channel (LangGraph C12)."""
        return False


def of_same_class(other: object, channel: Channel) -> TypeGuard[Channel]:
    """Is `other` of exactly the channel's class? A subclass may update differently, so it is another kind."""
    return type(other) is type(channel)


def empty_channel(key: str) -> EmptyChannelError:
    """The error for reading a channel without a value."""
    return EmptyChannelError(
        f"Channel {key!r} has no value yet: no node and no input has written it. "
        "Write it first, or read it only where it is available.",
        channel=key,
    )


def one_value_only(key: str, count: int, advice: str) -> InvalidUpdateError:
    """The error for several writes in one step to a channel that takes one."""
    return InvalidUpdateError(
        f"At key {key!r}: Can receive only one value per step. {advice} (This step wrote {count} values.)",
        code=ErrorCode.INVALID_CONCURRENT_GRAPH_UPDATE,
        channel=key,
    )
