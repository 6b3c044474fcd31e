"""`step`: parts of a node or task that are done once, although its function may run several times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, ParamSpec, TypeVar, overload

from graphrt.engine.steps import take_step, take_step_here

__all__ = ["step"]

P = ParamSpec("P")
T = TypeVar("T")


class _Step:
    """The type of `step`."""

    __slots__ = ()

    @overload
    async def __call__(
        self, key: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    async def __call__(
        self, key: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def __call__(self, key: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call `function` and keep what it returns, durably, before going on; return what was kept if there is that.

        A node or task that is interrupted, fails, or dies with its process runs again from the top: a step that it
        had taken by then is not repeated. Without a checkpointer nothing runs again, and nothing is kept.

        Args:
            key: names the step within its task. Other tasks, and other runs of this one in later supersteps, have
                steps of their own.
            function: async, or sync: then it is called in a worker thread. It may run graphs, tasks and `interrupt()`.

        Raises:
            RepeatedStepError: this attempt at the task has taken a step of that key already.
            SerializationError: what it returned cannot be stored.
            OutsideRunError: no node is running here (a RuntimeError).
            whatever `function` raises; such a step is taken again next time.

        Example:
            >>> async def review(state):
            ...     draft = await step("draft", write_draft, state["topic"])  # a model was paid for this
            ...     return {"draft": draft, "approved": interrupt(draft)}
        """
        return await take_step(key, function, args, kwargs)

    def sync(self, key: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for functions that are not async: blocks until the result is kept.

        It has a name of its own because nothing could tell `step(...)` in a sync function from one in an async
        function whose `await` was forgotten: that one would silently never run.

        Raises:
            RunningLoopError: an event loop is running in this thread; use `await step(...)` there.
            GraphValidationError: `function` is async.
            whatever `step` raises.

        Example:
            >>> def review(state):
            ...     return {"draft": step.sync("draft", write_draft, state["topic"])}
        """
        result: T = take_step_here(key, function, args, kwargs)
        return result


step: Final = _Step()
"""Do a part of a node or task once, although its function may run several times; `step.sync` in functions that are not
async."""
