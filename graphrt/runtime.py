"""What a node can learn about the run it is part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, cast

from msgspec import Struct

from graphrt.config import running_task
from graphrt.types import StreamWriter
from graphrt.typing import ContextT

__all__ = ["ExecutionInfo", "RunControl", "Runtime", "get_runtime"]


class ExecutionInfo(Struct, frozen=True):
    """Which execution this is. `checkpoint_id` is the checkpoint the superstep started from, "" without one."""

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None


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


class Runtime(Generic[ContextT]):
    """Handed to a node that has a parameter named `runtime`; built when first asked for.

    Attributes:
        context: the run's `context=` argument, as an instance of the graph's `context_schema` if it has one.
        stream_writer: writes to the run's `custom` stream.
        execution_info: which task of which run this is; computed on first access.
        previous: what an entrypoint saved on this thread before, None in other graphs.
        control: the run's `control=`.
    """

    __slots__ = ("_execution_info", "_identify", "context", "control", "previous", "stream_writer")

    def __init__(
        self,
        *,
        context: ContextT,
        stream_writer: StreamWriter,
        identify: Callable[[], ExecutionInfo],
        previous: Any = None,
        control: RunControl | None = None,
    ) -> None:
        self.context = context
        self.previous = previous
        self.control = control
        self.stream_writer = stream_writer
        self._identify = identify
        self._execution_info: ExecutionInfo | None = None

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
        """Ids of the thread, run, checkpoint and task."""
        if self._execution_info is None:
            self._execution_info = self._identify()
        return self._execution_info

    def __repr__(self) -> str:
        return f"Runtime(context={self.context!r})"


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """The running task's runtime; `context_schema` only tells type checkers what `context` is.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
    """
    return cast("Runtime[ContextT]", cast(Any, running_task("get_runtime")).runtime)
