"""What a call of a graph becomes: a Run with everything it needs, from its options and from what surrounds it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from graphrt.checkpoint import Checkpointer
from graphrt.config import RunnableConfig, belongs, current_task, merge_configs, run_config
from graphrt.config import recursion_limit as limit_of
from graphrt.core.ids import NS_SEP
from graphrt.core.plan import Plan
from graphrt.core.report import select
from graphrt.core.state import Task
from graphrt.engine.door import running_loop
from graphrt.engine.journal import Journal
from graphrt.engine.pausing import stops_of
from graphrt.engine.publish import Publisher
from graphrt.engine.run import Run
from graphrt.engine.scope import Inside, scope_of
from graphrt.engine.turns import Turns, turns_of
from graphrt.engine.watch import Watch
from graphrt.errors import GraphValidationError
from graphrt.pregel.caches import Cached
from graphrt.pregel.editing import StateEditor
from graphrt.pregel.options import (
    DURABILITIES,
    STRATEGIES,
    check_choice,
    metadata_scalars,
    resolve_checkpointer,
    thread_of,
)
from graphrt.runtime import RunControl
from graphrt.types import All, Durability, MultitaskStrategy, StreamMode

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.callbacks import GraphCallbackHandler
    from graphrt.observers import Observer
    from graphrt.serde import Serializer
    from graphrt.store.base import BaseStore

__all__ = ["RunMaker"]

log = logging.getLogger("graphrt")
Execute: TypeAlias = Callable[..., Coroutine[Any, Any, None]]
"""`Run.execute`, or what tells observers of the whole run as well."""


class RunMaker(StateEditor, Cached):
    """What a compiled graph knows, and how its runs begin."""

    plan: Plan
    checkpointer: Checkpointer | bool | None
    config: RunnableConfig | None
    debug: bool
    interrupt_before: All | Sequence[str]
    interrupt_after: All | Sequence[str]
    stream_mode: StreamMode | Sequence[StreamMode]
    step_timeout: float | None
    context_schema: Any
    store: BaseStore | None
    cache: BaseCache[Any] | None
    observers: tuple[Observer, ...] = ()

    def _setup(
        self,
        plan: Plan,
        *,
        checkpointer: Any,
        stream_mode: StreamMode | Sequence[StreamMode],
        schemas: Sequence[Any],
        debug: bool = False,
        context_schema: Any = None,
        config: RunnableConfig | None = None,
        step_timeout: float | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        observers: Sequence[Observer | GraphCallbackHandler] | None = None,
        cache: BaseCache[Any] | None = None,
        store: BaseStore | None = None,
    ) -> None:
        self.plan = plan
        self.cache = cache
        self.store = store
        if observers is not None:
            from graphrt.engine.audience import observers_of

            self.observers = observers_of(observers, strict=True)
        self.interrupt_before = interrupt_before or ()
        self.interrupt_after = interrupt_after or ()
        self._stops = stops_of(plan, interrupt_before, interrupt_after)
        self.checkpointer = resolve_checkpointer(checkpointer)
        self.stream_mode = stream_mode
        self.debug = debug
        self.context_schema = context_schema
        self.config = config
        self.step_timeout = step_timeout
        self._schemas = schemas
        self._serializer: Serializer | None = None
        self._turns: tuple[Any, Turns] = (None, cast(Turns, None))
        if self.checkpointer or cache is not None:
            self.serializer  # noqa: B018 - built now: a run must not stop the event loop for imports

    def _plain(self) -> bool:
        """Nothing to look up before a run: no config, no checkpointer, no run around this one."""
        return (
            not self.checkpointer
            and self.config is None
            and self._stops is None
            and self.store is None
            and self.cache is None
            and not self.observers
            and current_task.get(None) is None
        )

    def _run(
        self,
        config: RunnableConfig | None,
        context: Any,
        durability: Durability | None,
        before: All | Sequence[str] | None = None,
        after: All | Sequence[str] | None = None,
        control: RunControl | None = None,
        publisher: Publisher | None = None,
    ) -> Run:
        """A run with everything it needs; nothing has happened yet."""
        if durability is not None:
            check_choice("durability", durability, DURABILITIES)
        around: Any = current_task.get(None)
        stops = self._stops
        if before is not None or after is not None:
            stops = stops_of(
                self.plan,
                self.interrupt_before if before is None else before,
                self.interrupt_after if after is None else after,
            )
        if around is not None and (
            (config is None and self.config is None) or belongs(around, self.config, config)
        ):
            run = self._run_inside(around, config, context, durability, publisher)
        else:
            run = self._run_alone(config, context, durability, publisher)
        run.stops = stops
        run.own_store = self.store
        if self.cache is not None or self.plan.cached:
            run.own_cache = self.cache
            run.own_codec = self.serializer
        configured = run.own_config if run.config_ is None else run.config_
        callbacks = configured.get("callbacks") if configured else None
        if callbacks or self.observers or (around is not None and around.owner.observed):
            from graphrt.pregel.watching import observe  # runs that nobody observes do without

            observe(run, self.observers, callbacks, around)
        if control is not None:
            run.family = run.kin.under(control)
        return run

    def _run_alone(
        self,
        config: RunnableConfig | None,
        context: Any,
        durability: Durability | None,
        publisher: Publisher | None,
    ) -> Run:
        full = run_config(self.config, config)
        around = current_task.get(None)
        if context is None and around is not None:
            context = around.runtime.context
        journal = None
        if self.checkpointer is True:
            raise RootCheckpointerError("checkpointer=True cannot be used for root graphs.")
        if self.checkpointer:
            journal = Journal(
                self.checkpointer,
                self.serializer,
                thread_id=thread_of(full),
                namespace="",
                durability=durability or "async",
                metadata=metadata_scalars(full),
            )
        elif durability is not None:
            log.warning(
                "durability=%r has no effect: graph %r has no checkpointer", durability, self.plan.name
            )
        if publisher is not None:
            publisher.journal = journal
        return Run(
            self.plan,
            full,
            limit=limit_of(full),
            context=self._context(context),
            journal=journal,
            publisher=publisher,
            max_concurrency=full.get("max_concurrency"),
            step_timeout=self.step_timeout,
            watch=Watch(self.serializer.dumps) if self.debug else None,
        )

    def _run_inside(
        self,
        around: Task,
        config: RunnableConfig | None,
        context: Any,
        durability: Durability | None,
        publisher: Publisher | None,
    ) -> Run:
        """A run as part of the task that it is called in: what it is not told it takes from there."""
        owner: Run = around.owner
        if around.node.graph is self:
            number = 0  # the task runs nothing else
        else:
            scope = scope_of(around)
            number = scope.graphs
            scope.graphs += 1
        own = merge_configs(self.config, config) if self.config or config else None
        run = Run(
            self.plan,
            None,
            limit=limit_of(own) if own and "recursion_limit" in own else owner.limit,
            context=owner.context if context is None else self._context(context),
            publisher=publisher,
            max_concurrency=own["max_concurrency"]
            if own and "max_concurrency" in own
            else owner.max_concurrency,
            step_timeout=self.step_timeout,
            watch=Watch(self.serializer.dumps) if self.debug else None,
            around=around,
            keeper_around=owner.keeper,
            number=number,
            family=owner.family,
            lasts=self.checkpointer is True,
            own_config=own,
        )
        run.unstored = self.checkpointer is False or owner.unstored
        run.trial = trial = owner.trial if around.scope is None else around.scope.trial
        if trial is not None:
            trial.sign()
        keeper = run.keeper_around
        if keeper is not None and keeper.journal is not None and not run.unstored:
            lent = keeper.journal
            run.journal = Journal(
                lent.saver,
                self.serializer,
                thread_id=lent.thread_id,
                namespace=run.namespace,
                durability=durability or lent.durability,
                metadata=lent.metadata,
            )
            run.journal.forgetful = not run.lasts
        outer = owner.publisher
        if publisher is not None:
            publisher.journal = run.journal
            publisher.ns = tuple(run.namespace.split(NS_SEP))
        if outer is not None:
            keys = select(self.plan, None, self.plan.stream)
            shown = outer.inside(run, select(self.plan, None, self.plan.output), keys)
            run.publisher = publisher.joined(shown) if publisher is not None else shown
        return run

    def _execute(self, run: Run, input: Any, strategy: MultitaskStrategy | None) -> Coroutine[Any, Any, None]:
        """What is to be awaited for the run to happen; the coroutine of the run itself, where nothing is around it."""
        if strategy is not None:
            check_choice("multitask_strategy", strategy, STRATEGIES)
        execute: Execute = run.execute if run.observed is None else partial(run.observed.whole, run)
        around = run.around
        if around is None:
            return execute(input) if run.journal is None else self._in_turn(run, execute, input, strategy)
        if around.node.graph is self:  # the task awaits it itself
            run.loop = around.owner.loop
            return execute(input)
        run.loop = running_loop()
        if run.loop is None:  # nothing else runs
            return execute(input)
        return self._beside(run.loop, around, execute, input)

    async def _in_turn(
        self, run: Run, execute: Execute, input: Any, strategy: MultitaskStrategy | None
    ) -> None:
        """A run on a thread, which other runs of this process may be on."""
        assert run.journal is not None
        thread_id = run.journal.thread_id
        configurable = run.config.get("configurable", {})
        checkpoint = configurable.get("checkpoint_id")
        run.inner = configurable.get("checkpoint_ns") or ""
        saver, turns = self._turns
        if saver is not self.checkpointer:
            turns = turns_of(self.checkpointer)
            self._turns = (self.checkpointer, turns)
        await turns.enter(thread_id, strategy)
        try:
            await execute(input, checkpoint=checkpoint)
        finally:
            turns.leave(thread_id)

    async def _beside(
        self, loop: asyncio.AbstractEventLoop, around: Task, execute: Execute, input: Any
    ) -> None:
        """A run that a task's function has called: the task must not end before it."""
        alive = scope_of(around).alive
        ended = Inside(loop=loop)
        ended.caller = asyncio.current_task(loop)
        alive.add(ended)
        try:
            await execute(input)
        finally:
            alive.discard(ended)
            ended.set_result(None)

    def _context(self, context: Any) -> Any:
        """The run's context as an instance of the graph's context schema, if it came as a dict (LangGraph U1)."""
        schema = self.context_schema
        if isinstance(context, dict) and isinstance(schema, type) and not issubclass(schema, dict):
            return schema(**context)
        return context  # pyright: ignore[reportUnknownVariableType]


class RootCheckpointerError(GraphValidationError, RuntimeError):
    """`checkpointer=True` borrows the checkpointer of a surrounding graph, and there is none."""
