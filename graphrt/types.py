"""The words that users and the engine share: what nodes return, what runs are asked for, what they report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypedDict

from msgspec import Struct

from graphrt.typing import NodeName, ValueT

if TYPE_CHECKING:
    from graphrt.config import RunnableConfig

__all__ = [
    "All",
    "Command",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "MultitaskStrategy",
    "Overwrite",
    "PregelTask",
    "Send",
    "StateSnapshot",
    "StreamMode",
    "StreamPart",
    "StreamVersion",
    "StreamWriter",
]

All: TypeAlias = Literal["*"]
"""Every node."""

Durability: TypeAlias = Literal["sync", "async", "exit"]
"""When a step becomes durable: before the next one starts, while the next one runs, or once at the end of the run."""

StreamMode: TypeAlias = Literal["values", "updates", "custom", "tasks", "checkpoints", "debug"]
"""What a stream reports; docs/streaming.md shows the payload of each."""

StreamVersion: TypeAlias = Literal["v1", "v2"]
"""`v1`: bare payloads or `(mode, payload)`; `v2`: always a `StreamPart`."""

MultitaskStrategy: TypeAlias = Literal["reject", "enqueue"]
"""What a run does when its thread already has a run in this process: raise `ThreadBusy`, or wait for its turn."""


class StreamWriter(Protocol):
    """Puts chunks on the run's `custom` stream; without a subscriber both forms do nothing."""

    def __call__(self, chunk: Any, /) -> None:
        """Queue `chunk`. Blocks a node that runs in a worker thread while the consumer is behind.

        Raises:
            StreamOverflowError: an async node wrote tens of thousands of chunks that nobody read.
        """
        ...

    async def asend(self, chunk: Any, /) -> None:
        """Queue `chunk` as soon as the stream's buffer has room: a slow consumer slows this node down."""
        ...


class Send(Struct, frozen=True):
    """Run `node` in the next superstep with `arg` as its input, once per Send.

    Returned by a router or in `Command.goto`. `arg` reaches the node as it is: it is not merged with the state.

    Example:
        >>> def to_workers(state):
        ...     return [Send("work", item) for item in state["items"]]
    """

    node: str
    arg: Any


class Command(Struct, Generic[NodeName], frozen=True, kw_only=True):
    """A node's return value (or a run's input) that updates the state and says where to go next.

    Annotated as `Command[Literal["a", "b"]]` it also tells where a node may go, for validation and drawings.

    Args:
        update: what a plain return value would be: a dict, a list of `(key, value)` pairs or an annotated object.
        goto: a node's name, a `Send`, or a sequence of them. The node's static edges fire as well.
    """

    update: Any = None
    goto: Send | NodeName | Sequence[Send | NodeName] | tuple[()] = ()


class Overwrite(Struct, frozen=True):
    """Replace the value of a key that has a reducer instead of reducing into it (LangGraph C11)."""

    value: Any


class Interrupt(Struct, frozen=True):
    """A question a node asked before it can go on."""

    value: Any
    id: str


class PregelTask(NamedTuple):
    """One node's execution in one superstep, as a snapshot shows it.

    `result` holds the task's writes by key, `{}` if it finished without any, None if it has not finished.
    """

    id: str
    name: str
    path: tuple[str | int | bool, ...]
    error: Exception | str | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: Any = None
    result: Any = None


class StateSnapshot(NamedTuple):
    """A thread's state at one checkpoint. `next` names the nodes that run next, `()` if there is nothing to do."""

    values: Any
    next: tuple[str, ...]
    config: RunnableConfig
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: RunnableConfig | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


class GraphOutput(Struct, Generic[ValueT], frozen=True):
    """What `ainvoke(..., version="v2")` returns: the output, and the questions that are open if it was paused."""

    value: ValueT
    interrupts: tuple[Interrupt, ...] = ()


class StreamPart(TypedDict, total=False):
    """One chunk of a `version="v2"` stream. `interrupts` is there in `values` parts only."""

    type: StreamMode
    ns: tuple[str, ...]
    data: Any
    interrupts: tuple[Interrupt, ...]
