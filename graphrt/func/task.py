"""`@task`: functions whose calls are tasks of the run that they are made in."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from graphrt.core.plan import Node
from graphrt.core.retrying import Policy, Retries, policy_of, refuse_sync
from graphrt.core.shape import callable_name, is_async_callable
from graphrt.engine.called import call_task
from graphrt.func.injection import with_injection
from graphrt.types import CachePolicy, Timeout

if TYPE_CHECKING:
    from graphrt.cache import BaseCache

__all__ = ["TaskFunction", "TaskFuture", "task"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TaskFuture(Protocol[T_co]):
    """What calling a task gives: an `asyncio.Task` in async code, to be awaited, else a `concurrent.futures.Future`."""

    def __await__(self) -> Generator[Any, None, T_co]: ...
    def result(self, timeout: float | None = None) -> T_co:
        """What the task returned, or raise what it raised. In sync code this waits for it."""
        ...

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the task raised."""
        ...

    def done(self) -> bool:
        """Whether the task has ended."""
        ...

    def cancelled(self) -> bool:
        """Whether it ended because it was cancelled."""
        ...

    def cancel(self) -> bool:
        """Ask the task to stop; False if it has ended already."""
        ...

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call `fn` with this future when the task has ended."""
        ...


class TaskFunction(Generic[P, T]):
    """A function made a task by `task`. Calling it begins a task and returns its future."""

    func: Callable[P, Any]
    node: Node
    __name__: str

    def __init__(
        self,
        function: Callable[P, Any],
        *,
        name: str | None = None,
        policy: Policy | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.func = function
        self.__name__ = name or callable_name(function) or "task"
        if policy is not None and policy.timeout is not None:
            refuse_sync(self.__name__, is_async=is_async_callable(function), kind="Task")
        call = with_injection(function)
        rule = None
        if cache_policy is not None:
            from graphrt.engine.caching import cached_call
            from graphrt.engine.marks import cache_rule

            rule = cache_rule(function, cache_policy)
            call = cached_call(call, rule)
        self.node = Node(
            name=self.__name__, index=-1, call=call, is_async=is_async_callable(call), inject=(), view=0,
            mapper=None, write=_writes_nothing, policy=policy, cache=rule,
        )  # fmt: skip

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[T]:
        """Begin a task with these arguments in the node, entrypoint or task that is running.

        Raises:
            OutsideRunError: none is running here (a RuntimeError).
        """
        future: TaskFuture[T] = call_task(self.node, args, kwargs)
        return future

    def clear_cache(self, cache: BaseCache[Any]) -> None:
        """Forget the results of this task that a cache keeps."""
        if self.node.cache is not None:
            cache.clear([self.node.cache.namespace])

    async def aclear_cache(self, cache: BaseCache[Any]) -> None:
        """`clear_cache`, without blocking the event loop."""
        if self.node.cache is not None:
            await cache.aclear([self.node.cache.namespace])

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<task {self.__name__}>"


def _writes_nothing(plan: Any, task: Any, output: Any) -> None:
    return None


class _Decorator(Protocol):
    @overload
    def __call__(self, function: Callable[P, Awaitable[T]], /) -> TaskFunction[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> TaskFunction[P, T]: ...


@overload
def task(function: Callable[P, Awaitable[T]], /) -> TaskFunction[P, T]: ...
@overload
def task(function: Callable[P, T], /) -> TaskFunction[P, T]: ...
@overload
def task(
    *,
    name: str | None = None,
    retry_policy: Retries = None,
    timeout: Timeout = None,
    cache_policy: CachePolicy | None = None,
) -> _Decorator: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry_policy: Retries = None,
    timeout: Timeout = None,
    cache_policy: CachePolicy | None = None,
) -> Any:
    """Make a function a task: each call runs beside its caller and leaves its result, so that no resume repeats it.

    Call it in an entrypoint, in a graph's node or in another task. In async code the call returns an `asyncio.Task`,
    in sync code a `concurrent.futures.Future`. A sync function runs in a worker thread. Whoever calls a task does not
    end before it.

    With a checkpointer the result is stored before the future is done. When the caller runs again (after an
    interrupt, a failure, a crash), its n-th call finds the result of its n-th call: between two calls do only what
    comes out the same each time.

    Args:
        name: under which it is streamed and named in errors; the function's by default.
        retry_policy: when to try again if it fails; by default what the entrypoint says that calls it.
        timeout: how long an attempt may take: seconds, a timedelta or a `TimeoutPolicy`. For async functions.
        cache_policy: keep its results for arguments that come again, if the graph that runs has a cache.

    Raises:
        GraphValidationError: something is no policy, or the function has a timeout and is not async.

    Example:
        >>> @task
        ... async def fetch(url: str) -> str: ...
        >>> @entrypoint()
        ... async def pages(urls: list[str]) -> list[str]:
        ...     return await asyncio.gather(*(fetch(url) for url in urls))
    """

    policy = policy_of(retry_policy, timeout)

    def decorate(function: Callable[..., Any]) -> TaskFunction[..., Any]:
        return TaskFunction(function, name=name, policy=policy, cache_policy=cache_policy)

    return decorate if function is None else decorate(function)
