"""`@entrypoint`: a function as a runnable graph of one node (LangGraph Q1, Q2)."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, Self, TypeVar, cast, overload

from graphrt.channels import EphemeralValue, LastValue
from graphrt.checkpoint import Checkpointer
from graphrt.config import running_task
from graphrt.core.plan import Node, Plan, Target, View
from graphrt.core.retrying import Policy, Retries, policy_of, refuse_sync
from graphrt.core.shape import callable_name, first_parameter, hints_of, is_async_callable
from graphrt.core.state import Task
from graphrt.engine.called import in_thread
from graphrt.errors import GraphValidationError
from graphrt.func.injection import with_injection
from graphrt.func.task import TaskFunction
from graphrt.pregel import Pregel
from graphrt.pregel.subgraphs import reachable
from graphrt.types import CachePolicy, Timeout
from graphrt.typing import ContextT

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.callbacks import GraphCallbackHandler
    from graphrt.drawing import Graph
    from graphrt.observers import Observer
    from graphrt.store.base import BaseStore

__all__ = ["EntrypointGraph", "entrypoint"]

GivenT = TypeVar("GivenT")
ValueT = TypeVar("ValueT")
SaveT = TypeVar("SaveT")

_START, _END, _PREVIOUS = range(3)
_CHANNELS: Final = ("__start__", "__end__", "__previous__")


class EntrypointGraph(Pregel[Any, ContextT, GivenT, ValueT], Generic[GivenT, ValueT, ContextT]):
    """What `entrypoint` makes of a function."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        checkpointer: Any,
        context_schema: Any,
        observers: Any = None,
        policy: Policy | None = None,
        store: BaseStore | None = None,
        cache: BaseCache[Any] | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> None:
        name = callable_name(function) or "entrypoint"
        if policy is not None and policy.timeout is not None:
            refuse_sync(name, is_async=is_async_callable(function))
        hints = hints_of(function)
        self.function = function
        self._setup(
            _plan(name, function, policy, cache_policy),
            checkpointer=checkpointer,
            stream_mode="updates",
            schemas=[
                hints[hint] for hint in (first_parameter(function), "previous", "return") if hint in hints
            ],
            context_schema=context_schema,
            observers=observers,
            store=store,
            cache=cache,
        )

    def validate(self) -> Self:
        """There is nothing in it that could name what does not exist."""
        return self

    def declared(self) -> Graph:
        """The function, and the tasks that it names; what else it calls is not known before it runs."""
        from graphrt.drawing.functions import described_function

        tasks = [value.node.name for value in reachable(self.function) if isinstance(value, TaskFunction)]
        return described_function(self.plan.name, tasks)


class entrypoint(Generic[ContextT]):  # noqa: N801 - LangGraph's name
    """Make a function a graph: run it with `ainvoke`, stream it, keep its threads.

    The first parameter is the input. `previous`, `config`, `writer`, `store` and `runtime` are given to parameters of
    these names; `previous` is what the last call on the same thread returned, or saved by `entrypoint.final`. A sync
    function runs in a worker thread.

    Args:
        checkpointer: makes calls with a `thread_id` durable: a saver, or a URL such as "memory://".
        store: long-term memory, for functions that ask for it.
        cache: where results of the function and of tasks are kept that have a `cache_policy`.
        context_schema: what `context=` of a call is made an instance of.
        cache_policy: keep the function's own results for inputs that come again. Tasks have policies of their own.
        observers: are told what happens in all runs, see `graphrt.observers`.
        retry_policy: when to try again if the function fails, and so for the tasks that it calls, unless they say
            something else. Tasks and steps that have finished are not repeated.
        timeout: how long an attempt may take: seconds, a timedelta or a `TimeoutPolicy`. For async functions.

    Raises:
        GraphValidationError: the function is a generator, has no parameter, or has a timeout and is not async.

    Example:
        >>> @entrypoint(checkpointer=InMemorySaver())
        ... async def total(number: int, *, previous: int | None = None) -> int:
        ...     return number + (previous or 0)
        >>> await total.ainvoke(1, {"configurable": {"thread_id": "a"}})
    """

    @dataclass(frozen=True, kw_only=True, slots=True)
    class final(Generic[ValueT, SaveT]):  # noqa: N801 - LangGraph's name
        """What an entrypoint returns if `value` is its result, and `save` what the next call gets as `previous`."""

        value: ValueT
        save: SaveT

    def __init__(
        self,
        checkpointer: Checkpointer | str | bool | None = None,
        *,
        store: BaseStore | None = None,
        cache: BaseCache[Any] | None = None,
        context_schema: type[ContextT] | None = None,
        cache_policy: CachePolicy | None = None,
        observers: Sequence[Observer | GraphCallbackHandler] | None = None,
        retry_policy: Retries = None,
        timeout: Timeout = None,
    ) -> None:
        if inspect.isroutine(checkpointer):
            raise GraphValidationError(
                "Write @entrypoint() with parentheses: its argument is a checkpointer."
            )
        self.checkpointer = checkpointer
        self.context_schema = context_schema
        self.observers = observers
        self.store = store
        self.cache = cache
        self.cache_policy = cache_policy
        self.policy = policy_of(retry_policy, timeout)

    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], Awaitable[entrypoint.final[ValueT, Any]]], /
    ) -> EntrypointGraph[GivenT, ValueT, ContextT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], Awaitable[ValueT]], /
    ) -> EntrypointGraph[GivenT, ValueT, ContextT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], entrypoint.final[ValueT, Any]], /
    ) -> EntrypointGraph[GivenT, ValueT, ContextT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], ValueT], /
    ) -> EntrypointGraph[GivenT, ValueT, ContextT]: ...
    def __call__(self, function: Callable[..., Any], /) -> EntrypointGraph[Any, Any, ContextT]:
        """The graph.

        Raises:
            GraphValidationError: the function cannot be an entrypoint.
        """
        _check(function)
        return EntrypointGraph(
            function,
            checkpointer=self.checkpointer,
            context_schema=self.context_schema,
            observers=self.observers,
            policy=self.policy,
            store=self.store,
            cache=self.cache,
            cache_policy=self.cache_policy,
        )


class GeneratorError(GraphValidationError, NotImplementedError):
    """An entrypoint returns one result."""


def _check(function: Callable[..., Any]) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise GeneratorError(
            f"Entrypoint {callable_name(function)!r} is a generator, but an entrypoint returns one result. Write what "
            "is to be seen on the way to the stream: give it a parameter `writer`."
        )
    if first_parameter(function) is None:
        raise GraphValidationError(
            f"Entrypoint {callable_name(function)!r} must have at least one parameter: it takes the input."
        )


def _plan(
    name: str, function: Callable[..., Any], policy: Policy | None, cache_policy: CachePolicy | None
) -> Plan:
    rule = None
    if cache_policy is not None:
        from graphrt.engine.marks import cache_rule

        rule = cache_rule(function, cache_policy, node=name)
    node = Node(
        name=name,
        index=0,
        call=_callable(with_injection(function, skip=1)),
        is_async=True,
        inject=(),
        view=0,
        mapper=None,
        write=_write,
        triggers=("__start__",),
        policy=policy,
        cache=rule,
    )
    channels = (EphemeralValue[Any](Any), LastValue[Any](Any), LastValue[Any](Any))
    for channel, key in zip(channels, _CHANNELS, strict=True):
        channel.key = key
    return Plan(
        name=name,
        nodes=(node,),
        channels=channels,
        channel_names=_CHANNELS,
        triggered=((0,), (), ()),
        input_channels="__start__",
        output=1,
        stream=1,
        views=(View((("__start__", _START),), bare=True), View((("__end__", _END),), bare=True)),
        targets={name: Target(0)},
        calls=policy_of(policy.retry, None) if policy is not None else None,
    )


def _callable(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A sync function waits for its tasks, and those need the loop: it goes to a worker thread in any case."""
    if is_async_callable(function):
        return function

    @wraps(function)
    async def threaded(given: Any) -> Any:
        return await in_thread(cast(Task, running_task("entrypoint")), function, given)

    return threaded


def _write(plan: Plan, task: Task, output: Any) -> None:
    if output.__class__ is entrypoint.final:
        task.writes += [(_END, output.value), (_PREVIOUS, output.save)]
    else:
        task.writes += [(_END, output), (_PREVIOUS, output)]
