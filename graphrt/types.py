"""The words that users and the engine share: what nodes return, what runs are asked for, what they report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    overload,
)

from msgspec import Struct

from graphrt.config import running_task
from graphrt.typing import NodeName, ResponseT, ValueT

if TYPE_CHECKING:
    from graphrt.config import RunnableConfig
    from graphrt.stream_parts import (
        CheckpointPayload,
        CheckpointStreamPart,
        CheckpointTask,
        CustomStreamPart,
        DebugPayload,
        DebugStreamPart,
        MessagesStreamPart,
        StreamPart,
        TaskPayload,
        TaskResultPayload,
        TasksStreamPart,
        ToolsStreamPart,
        UpdatesStreamPart,
        ValuesStreamPart,
    )

__all__ = [
    "All",
    "CachePolicy",
    "CheckpointPayload",
    "CheckpointStreamPart",
    "CheckpointTask",
    "Command",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "MessagesStreamPart",
    "MultitaskStrategy",
    "Overwrite",
    "PregelTask",
    "RetryPolicy",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamPart",
    "StreamVersion",
    "StreamWriter",
    "TaskPath",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "Timeout",
    "TimeoutPolicy",
    "ToolsStreamPart",
    "UpdatesStreamPart",
    "ValuesStreamPart",
    "default_retry_on",
    "interrupt",
]

All: TypeAlias = Literal["*"]
"""Every node."""

Durability: TypeAlias = Literal["sync", "async", "exit"]
"""When a step becomes durable: before the next one starts, while the next one runs, or once at the end of the run."""

StreamMode: TypeAlias = Literal[
    "values", "updates", "custom", "tasks", "checkpoints", "debug", "messages", "tools"
]
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


# ---- policies


def default_retry_on(error: Exception) -> bool:
    """Whether an error may be gone the next time: not what says that a program or its input is wrong (LangGraph O2).

    Connections that broke and HTTP answers from 500 on are tried again, and whatever is not listed here.
    """
    if isinstance(error, ConnectionError):
        return True
    status = _http_status(error)
    if status is not None:
        return 500 <= status < 600
    return not isinstance(error, _NOT_RETRIED)


_NOT_RETRIED = (
    ValueError, TypeError, ArithmeticError, ImportError, LookupError, NameError, SyntaxError, RuntimeError,
    ReferenceError, StopIteration, StopAsyncIteration, OSError,
)  # fmt: skip
_HTTP_ERRORS = (("httpx", "HTTPStatusError"), ("requests", "HTTPError"))


def _http_status(error: Exception) -> int | None:
    """The status in an error of httpx or requests. If the library was never imported, it is none of its errors."""
    for module, name in _HTTP_ERRORS:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(error, kind):
            return getattr(getattr(error, "response", None), "status_code", None)
    return None


class CachePolicy(Struct, frozen=True, kw_only=True):
    """How results of a node or task are kept for inputs that come again; `compile(cache=...)` says where.

    Attributes:
        key_func: names what it is called with, by text or bytes: a node's input, or a task's arguments. The same name
            means the same result. By default it is the whole content (`graphrt.cache.default_cache_key`).
        ttl: seconds after which a result is not used any more; None for never.
    """

    key_func: Callable[..., str | bytes] | None = None
    ttl: float | None = None

    def __post_init__(self) -> None:
        if self.ttl is not None and not self.ttl > 0:
            from graphrt.errors import GraphValidationError

            raise GraphValidationError(f"The ttl of a CachePolicy must be greater than 0, got {self.ttl!r}.")


class RetryPolicy(Struct, frozen=True):
    """Which errors of a node or task are worth another attempt, how many, and how long to wait in between.

    Attributes:
        initial_interval: seconds before the second attempt; each further wait is `backoff_factor` times as long, but
            at most `max_interval` seconds.
        max_attempts: attempts in all, with the first.
        jitter: wait up to a second longer, at random, so that those who failed together do not come back together.
        retry_on: exception classes, or a function that is given the exception.
    """

    initial_interval: float = 0.5
    backoff_factor: float = 2.0
    max_interval: float = 128.0
    max_attempts: int = 3
    jitter: bool = True
    retry_on: type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool] = default_retry_on


class TimeoutPolicy(Struct, frozen=True):
    """How long one attempt at an async node or task may take; then it is cancelled and fails by `NodeTimeoutError`.

    Attributes:
        run_timeout: seconds, or a timedelta, for the whole attempt.
        idle_timeout: the same for a time in which nothing is seen of it.
        refresh_on: what ends an idle time: "auto" is a chunk for the stream, a task called, a graph run inside, or
            `runtime.heartbeat()`; "heartbeat" is only the last.
    """

    run_timeout: float | timedelta | None = None
    idle_timeout: float | timedelta | None = None
    refresh_on: Literal["auto", "heartbeat"] = "auto"

    @classmethod
    def coerce(cls, value: float | timedelta | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """A policy in seconds; a bare number or timedelta is a `run_timeout`. None if nothing is limited.

        Raises:
            GraphValidationError: a time is not positive, or `refresh_on` is neither of its words.
        """
        from graphrt.errors import GraphValidationError

        if value is None:
            return None
        policy = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
        if policy.refresh_on not in ("auto", "heartbeat"):
            raise GraphValidationError(
                f"refresh_on of a TimeoutPolicy must be 'auto' or 'heartbeat', not {policy.refresh_on!r}."
            )
        run = _seconds(policy.run_timeout, "run_timeout")
        idle = _seconds(policy.idle_timeout, "idle_timeout")
        return None if run is None and idle is None else cls(run, idle, policy.refresh_on)


def _seconds(value: float | timedelta | None, field: str) -> float | None:
    from graphrt.errors import GraphValidationError

    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not seconds > 0:
        raise GraphValidationError(f"{field} must be greater than 0, got {value!r}.")
    return seconds


if TYPE_CHECKING:
    Timeout: TypeAlias = float | timedelta | TimeoutPolicy | None
    """A limit for an attempt: seconds, a timedelta, or more exactly."""
else:
    Timeout = Any  # a stored Send is read fast if its fields can be of any type


class Send(Struct, frozen=True, omit_defaults=True):
    """Run `node` in the next superstep with `arg` as its input, once per Send.

    Returned by a router or in `Command.goto`. `arg` reaches the node as it is: it is not merged with the state.

    Attributes:
        timeout: for this task, instead of the node's own (LangGraph H3).

    Example:
        >>> def to_workers(state):
        ...     return [Send("work", item) for item in state["items"]]
    """

    node: str
    arg: Any
    timeout: Timeout = None


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


def _part(name: str) -> Any:
    """What chunks are is loaded by those who say it (`graphrt.stream_parts`)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphrt import stream_parts

    return getattr(stream_parts, name)


if not TYPE_CHECKING:
    __getattr__ = _part
