"""The words that users and the engine share: what nodes return, what runs are asked for, what they report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    TypedDict,
    overload,
)

from msgspec import Struct

from graphrt.config import running_task
from graphrt.typing import NodeName, ResponseT, ValueT

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
    "StateUpdate",
    "StreamMode",
    "StreamPart",
    "StreamVersion",
    "StreamWriter",
    "TaskPath",
    "interrupt",
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


TaskPath: TypeAlias = "tuple[str | int | bool | TaskPath, ...]"
"""Where a task stands in its superstep (LangGraph F2)."""


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
        graph: which graph it is for: None for the node's own, `Command.PARENT` for the one around it, or the name of
            the node as which a graph further out runs this one.
        update: what a plain return value would be: a dict, a list of `(key, value)` pairs or an annotated object.
        resume: as a run's input, the answer to the question that is open, or `{interrupt id: answer}`.
        goto: a node's name, a `Send`, or a sequence of them. The node's static edges fire as well.
    """

    graph: str | None = None
    update: Any = None
    resume: Any = None
    goto: Send | NodeName | Sequence[Send | NodeName] | tuple[()] = ()

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"


class Overwrite(Struct, frozen=True):
    """Replace the value of a key that has a reducer instead of reducing into it (LangGraph C11)."""

    value: Any


class Interrupt(Struct, Generic[ResponseT], frozen=True):
    """A question that a node asked before it can go on.

    Attributes:
        value: what `interrupt()` was given.
        id: 32 hexadecimal digits, the same in every process; answer it by `Command(resume={id: answer})`.
        response_schema: JSON Schema of the answer, if one was asked for.
    """

    value: Any
    id: str = "placeholder-id"
    response_schema: dict[str, Any] | None = None


@overload
def interrupt(value: Any, *, response_schema: type[ResponseT]) -> ResponseT: ...
@overload
def interrupt(value: Any, *, response_schema: dict[str, Any] | None = None) -> Any: ...
def interrupt(value: Any, *, response_schema: Any = None) -> Any:
    """Ask the caller of the run something, and return the answer.

    The run pauses: its result shows the question, and `Command(resume=...)` on the same thread answers it, however
    much later and in whichever process. The node then runs again from the top, and this call returns the answer; a
    node that asks several questions must ask them in the same order each time. Keep what was paid for before the
    question by `graphrt.func.step`.

    Args:
        response_schema: a class that the answer must fit (pydantic model, dataclass, TypedDict, Struct): it is shown
            as JSON Schema and the answer is returned as its instance. A dict is shown as it is and not enforced.

    Raises:
        GraphInterrupt: there is no answer yet. Let it pass: it is no `Exception`, so `except Exception` does.
        InvalidResumeError: the answer does not fit; the question stays open.
        OutsideRunError: no node is running here (a RuntimeError).

    Example:
        >>> def review(state):
        ...     return {"approved": interrupt({"draft": state["draft"]})}
    """
    return running_task("interrupt").ask(value, response_schema)


class StateUpdate(NamedTuple):
    """One of several edits that `bulk_update_state` makes in a superstep."""

    values: Any
    as_node: str | None = None
    task_id: str | None = None


class PregelTask(NamedTuple):
    """One node's execution in one superstep, as a snapshot shows it.

    `result` holds the task's writes by key, `{}` if it finished without any, None if it has not finished.
    """

    id: str
    name: str
    path: TaskPath
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
