"""What a node can learn about the run it is part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypedDict, Unpack, cast, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from graphrt.config import running_task
from graphrt.errors import GraphError
from graphrt.types import StreamWriter
from graphrt.typing import ContextT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrt.store.base import BaseStore

__all__ = ["BaseUser", "ExecutionInfo", "RunControl", "Runtime", "ServerInfo", "get_runtime"]


class ExecutionInfo(Struct, frozen=True):
    """Which execution this is. `checkpoint_id` is the checkpoint the superstep started from, "" without one.

    Attributes:
        node_attempt: 1 for the first attempt at the task, one more for each retry.
        node_first_attempt_time: when the first attempt began, in seconds since 1970.
    """

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None
    node_attempt: int = 1
    node_first_attempt_time: float | None = None

    def patch(self, **overrides: Any) -> ExecutionInfo:
        """A copy with some fields replaced."""
        return replace(self, **overrides)


@runtime_checkable
class BaseUser(Protocol):
    """Whom a server has authenticated, as far as nodes may rely on it."""

    @property
    def identity(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def is_authenticated(self) -> bool: ...
    @property
    def permissions(self) -> Sequence[str]: ...


class ServerInfo(Struct, frozen=True):
    """What a server says of a run in `configurable`: `assistant_id`, `graph_id`, and the user it has authenticated."""

    assistant_id: str
    graph_id: str
    user: BaseUser | None = None


class RunControl:
    """Asks a run to stop between two supersteps, from any thread: pass it as `control=`, keep it, call `request_drain`.

    The run then raises `GraphDrained` as soon as the superstep at hand is committed; one that ends by then ends as
    usual. Graphs inside the run stop with it (LangGraph O7).
    """

    __slots__ = ("drain_reason",)

    def __init__(self) -> None:
        self.drain_reason: str | None = None

    def request_drain(self, reason: str = "shutdown") -> None:
        """Stop the run before its next superstep; of several reasons the last one counts."""
        self.drain_reason = reason

    @property
    def drain_requested(self) -> bool:
        """Whether somebody asked for it."""
        return self.drain_reason is not None


class _Silent:
    """A stream writer that nobody listens to."""

    __slots__ = ()

    def __call__(self, chunk: Any, /) -> None:
        return None

    async def asend(self, chunk: Any, /) -> None:
        return None


_SILENT: Final = _Silent()


def _no_heartbeat() -> None:
    return None


class _Fields(TypedDict, Generic[ContextT], total=False):
    context: ContextT
    store: BaseStore | None
    stream_writer: StreamWriter
    heartbeat: Callable[[], None]
    previous: Any
    execution_info: ExecutionInfo | None
    server_info: ServerInfo | None
    control: RunControl | None


class Runtime(Generic[ContextT]):
    """Handed to a node that has a parameter named `runtime`; built when first asked for.

    Nothing of it is meant to be changed: `override` gives a copy. In a test, make one and call the node by hand:
    `node(state, runtime=Runtime(context=Context(user="Ada")))`.

    Attributes:
        context: the run's `context=` argument, as an instance of the graph's `context_schema` if it has one.
        store: the long-term memory that the graph was compiled with, or a graph around it; None without one.
        stream_writer: writes to the run's `custom` stream.
        heartbeat: tells a node's idle timeout that it is alive.
        previous: what an entrypoint saved on this thread before, None in other graphs.
        execution_info: which task of which run this is, computed on first access; None outside of runs.
        server_info: what a server says of the run, None without one.
        control: the run's `control=`.
    """

    __slots__ = (
        "_execution_info", "_identify", "context", "control", "heartbeat", "previous", "server_info", "store",
        "stream_writer",
    )  # fmt: skip

    def __init__(
        self,
        *,
        context: ContextT = cast(Any, None),
        store: BaseStore | None = None,
        stream_writer: StreamWriter = _SILENT,
        heartbeat: Callable[[], None] = _no_heartbeat,
        previous: Any = None,
        execution_info: ExecutionInfo | None = None,
        server_info: ServerInfo | None = None,
        control: RunControl | None = None,
        identify: Callable[[], ExecutionInfo] | None = None,
    ) -> None:
        self.context = context
        self.store = store
        self.stream_writer = stream_writer
        self.heartbeat = heartbeat
        self.previous = previous
        self.server_info = server_info
        self.control = control
        self._execution_info = execution_info
        self._identify = identify

    @property
    def drain_requested(self) -> bool:
        """Whether somebody has asked the run to stop: a long node may want to come to an end."""
        return self.control is not None and self.control.drain_requested

    @property
    def drain_reason(self) -> str | None:
        """Why it was asked to."""
        return None if self.control is None else self.control.drain_reason

    @property
    def execution_info(self) -> ExecutionInfo:
        """Ids of the thread, run, checkpoint and task; None in a Runtime that was made by hand without."""
        if self._execution_info is None and self._identify is not None:
            self._execution_info = self._identify()
        return cast(ExecutionInfo, self._execution_info)

    def override(self, **overrides: Unpack[_Fields[ContextT]]) -> Runtime[ContextT]:
        """A copy with some attributes replaced."""
        fields: Any = {
            "context": self.context, "store": self.store, "stream_writer": self.stream_writer,
            "heartbeat": self.heartbeat, "previous": self.previous, "execution_info": self._execution_info,
            "server_info": self.server_info, "control": self.control, "identify": self._identify, **overrides,
        }  # fmt: skip
        return Runtime(**fields)

    def merge(self, other: Runtime[ContextT]) -> Runtime[ContextT]:
        """A copy in which everything that `other` has takes the place of what is here."""
        given: Any = {
            name: value
            for name in ("context", "store", "previous", "server_info", "control")
            if (value := getattr(other, name)) is not None
        }
        if other.stream_writer is not _SILENT:
            given["stream_writer"] = other.stream_writer
        if other.heartbeat is not _no_heartbeat:
            given["heartbeat"] = other.heartbeat
        if cast(Any, other.execution_info) is not None:
            given["execution_info"] = other.execution_info
        return self.override(**given)

    def patch_execution_info(self, **overrides: Any) -> Runtime[ContextT]:
        """A copy whose `execution_info` has some fields replaced.

        Raises:
            NoExecutionError: there is no `execution_info` (a RuntimeError).
        """
        info: Any = self.execution_info
        if info is None:
            raise NoExecutionError
        return self.override(execution_info=info.patch(**overrides))

    def __repr__(self) -> str:
        return f"Runtime(context={self.context!r})"


class NoExecutionError(GraphError, RuntimeError):
    """A Runtime that was made by hand was asked which execution it belongs to."""

    def __init__(self) -> None:
        super().__init__(
            "This Runtime belongs to no execution, so there is no execution_info to patch. Pass "
            "execution_info=ExecutionInfo(...) when you make it."
        )


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """The running task's runtime; `context_schema` only tells type checkers what `context` is.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
    """
    return cast("Runtime[ContextT]", cast(Any, running_task("get_runtime")).runtime)
