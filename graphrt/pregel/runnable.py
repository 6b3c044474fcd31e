"""What every builder compiles to: run it, stream it, look at its threads. Thin: the engine does the work."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Self, Unpack, cast, overload

from graphrt.channels.base import MISSING
from graphrt.checkpoint import Checkpointer
from graphrt.config import (
    DEFAULT_RECURSION_LIMIT,
    RunnableConfig,
    current_task,
    merge_configs,
    names_thread,
    run_config,
)
from graphrt.config import recursion_limit as limit_of
from graphrt.core.plan import Plan
from graphrt.core.report import select, values_of
from graphrt.engine.consumer import RunStream
from graphrt.engine.door import drive, drive_stream, enter_loop
from graphrt.engine.fanout import run_together
from graphrt.engine.journal import Journal
from graphrt.engine.publish import Publisher
from graphrt.engine.run import Run
from graphrt.engine.stream import Hub
from graphrt.engine.turns import Turns, turns_of
from graphrt.engine.watch import Watch
from graphrt.errors import GraphValidationError
from graphrt.pregel.options import (
    DURABILITIES,
    STRATEGIES,
    check_choice,
    chunk_shape,
    metadata_scalars,
    modes_of,
    resolve_checkpointer,
    thread_of,
)
from graphrt.pregel.threads import history_of, state_of
from graphrt.types import (
    Command,
    Durability,
    GraphOutput,
    MultitaskStrategy,
    StateSnapshot,
    StreamMode,
    StreamVersion,
)
from graphrt.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.pregel.signatures import InvokeOptions, RunOptions, StreamOptions
    from graphrt.serde import Serializer

__all__ = ["GraphRunner"]

log = logging.getLogger("graphrt")
_DEFAULTS: Final[RunnableConfig] = {
    "tags": [], "metadata": {}, "configurable": {}, "recursion_limit": DEFAULT_RECURSION_LIMIT, "callbacks": None,
}  # fmt: skip
"""The config of a run that was given none. Never changed: a task's config is built from it, not in it."""


class GraphRunner(Generic[StateT, ContextT, InputT, OutputT]):
    """A compiled graph. It holds nothing of its runs: any number may go on at once, on any event loop."""

    plan: Plan
    checkpointer: Checkpointer | bool | None
    config: RunnableConfig | None
    debug: bool
    stream_mode: StreamMode | Sequence[StreamMode]
    step_timeout: float | None
    context_schema: Any

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
    ) -> None:
        self.plan = plan
        self.checkpointer = resolve_checkpointer(checkpointer)
        self.stream_mode = stream_mode
        self.debug = debug
        self.context_schema = context_schema
        self.config = config
        self.step_timeout = step_timeout
        self._schemas = schemas
        self._serializer: Serializer | None = None
        self._turns: tuple[Any, Turns] = (None, cast(Turns, None))
        if self.checkpointer:
            self.serializer  # noqa: B018 - built now: a run must not stop the event loop for imports

    @property
    def name(self) -> str:
        """The graph's name in messages and traces."""
        return self.plan.name

    @property
    def input_channels(self) -> str | list[str]:
        """What a run's input writes."""
        channels = self.plan.input_channels
        return channels if isinstance(channels, str) else list(channels)

    @property
    def output_channels(self) -> str | list[str]:
        """The keys that a run returns; one bare name for a graph that returns one value."""
        view = self.plan.views[self.plan.output]
        keys = [key for key, _ in view.channels]
        return keys[0] if view.bare else keys

    def copy(self, update: Mapping[str, Any] | None = None) -> Self:
        """The same graph with some attributes changed, such as `checkpointer` or `config`."""
        other = copy(self)
        for name, value in (update or {}).items():
            if name == "checkpointer":
                value = resolve_checkpointer(value)
            setattr(other, name, value)
        return other

    @property
    def serializer(self) -> Serializer:
        """Turns this graph's values into bytes and back; it knows the types that the schemas mention."""
        if self._serializer is None:
            from graphrt.serde import Serializer, TypeRegistry  # 20 ms, for graphs that store something

            registry = TypeRegistry()
            for schema in self._schemas:
                registry.register_schema(schema)
            self._serializer = Serializer(registry)
        return self._serializer

    def with_config(self, config: RunnableConfig | None = None, **more: Any) -> Self:
        """A copy whose runs start from this config; what a call passes wins."""
        other = copy(self)
        other.config = merge_configs(self.config, config, more)
        return other

    # -- invoke --------------------------------------------------------------------------------------------------

    @overload
    async def ainvoke(
        self, input: InputT | Command[Any] | None, config: RunnableConfig | None = None, *,
        stream_mode: Literal["values"] = "values", version: Literal["v2"], **options: Unpack[RunOptions[ContextT]],
    ) -> GraphOutput[OutputT]: ...  # fmt: skip
    @overload
    async def ainvoke(
        self, input: InputT | Command[Any] | None, config: RunnableConfig | None = None,
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> Any: ...  # fmt: skip
    async def ainvoke(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        durability: Durability | None = None,
        version: StreamVersion = "v1",
        multitask_strategy: MultitaskStrategy | None = None,
    ) -> Any:
        """Run the graph to its end and return its output.

        Args:
            input: the state to start from; None goes on with the thread's unfinished run; a Command updates and
                redirects it.
            config: `configurable.thread_id` names the thread; `recursion_limit`, `max_concurrency`, `tags`,
                `metadata`, `run_id` as in LangGraph.
            context: what nodes read as `runtime.context`.
            stream_mode: with anything but "values", the list of chunks that the stream would have had is returned.
            print_mode: chunks to print while the run goes on.
            output_keys: the keys to return instead of those of the output schema.
            durability: when steps become durable, see `graphrt.types.Durability`; "async" by default.
            version: "v2" returns a `GraphOutput`.
            multitask_strategy: what to do if the thread has a run in this process already.

        Raises:
            GraphRecursionError: the graph did not end within `recursion_limit` supersteps.
            InvalidUpdateError: a step's writes cannot be applied.
            ThreadConflict: another run has moved the thread.
            EmptyInputError: there is neither input nor anything to go on with.
            whatever a node raises.
        """
        if stream_mode == "values" and not print_mode and not self.debug:
            plain = config is None and context is None and durability is None and multitask_strategy is None
            if plain and self._plain():
                run = Run(self.plan, _DEFAULTS, limit=DEFAULT_RECURSION_LIMIT, step_timeout=self.step_timeout)
                await run.execute(input)
            else:
                run = self._run(config, context, durability)
                await self._execute(run, input, multitask_strategy)
            return self._output(run, output_keys, version)
        await enter_loop()
        single = isinstance(stream_mode, str)
        chunks: list[Any] = []
        stream = self.astream(
            input, config, context=context, stream_mode=stream_mode, print_mode=print_mode,
            output_keys=self.output_channels if output_keys is None else output_keys,
            durability=durability, version=version, multitask_strategy=multitask_strategy,
        )  # fmt: skip
        async with stream:
            async for chunk in stream:
                if single and stream_mode == "values":
                    chunks = [chunk]
                else:
                    chunks.append(chunk)
        if not single or stream_mode != "values":
            return chunks
        last = chunks[0] if chunks else None
        return last if version == "v1" else GraphOutput(last["data"] if last else None)

    @overload
    def invoke(
        self, input: InputT | Command[Any] | None, config: RunnableConfig | None = None, *,
        stream_mode: Literal["values"] = "values", version: Literal["v2"], **options: Unpack[RunOptions[ContextT]],
    ) -> GraphOutput[OutputT]: ...  # fmt: skip
    @overload
    def invoke(
        self, input: InputT | Command[Any] | None, config: RunnableConfig | None = None,
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> Any: ...  # fmt: skip
    def invoke(
        self, input: Any, config: RunnableConfig | None = None, **options: Unpack[InvokeOptions[ContextT]]
    ) -> Any:
        """Run the graph to its end from a thread without a running event loop; options as of `ainvoke`.

        Raises:
            RunningLoopError: an event loop is running in this thread; use `ainvoke` there.
            whatever `ainvoke` raises.
        """
        return drive(self.ainvoke(input, config, **options), "invoke")

    async def abatch(
        self,
        inputs: Sequence[InputT | Command[Any] | None],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> list[Any]:
        """Run the graph on several inputs concurrently, at most the config's `max_concurrency` at a time.

        Args:
            config: one for all, or one per input.
            return_exceptions: put errors into the list instead of raising the first and cancelling the others.

        Returns:
            the outputs, in the order of `inputs`.

        Raises:
            GraphValidationError: there are not as many configs as inputs.
            whatever `ainvoke` raises, unless `return_exceptions`.
        """
        configs = [config] * len(inputs) if config is None or isinstance(config, Mapping) else list(config)
        if len(configs) != len(inputs):
            raise GraphValidationError(f"abatch got {len(inputs)} inputs and {len(configs)} configs.")
        results: list[Any] = [None] * len(inputs)

        async def one(i: int) -> None:
            try:
                results[i] = await self.ainvoke(inputs[i], cast(Any, configs[i]), **options)
            except Exception as error:
                if not return_exceptions:
                    raise
                results[i] = error

        limit = configs[0].get("max_concurrency") if configs and configs[0] else None
        if inputs:
            await enter_loop()
            await run_together(range(len(inputs)), one, limit=limit)
        return results

    def batch(
        self,
        inputs: Sequence[InputT | Command[Any] | None],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> list[Any]:
        """`abatch` from a thread without a running event loop.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `abatch` raises.
        """
        return drive(self.abatch(inputs, config, return_exceptions=return_exceptions, **options), "batch")

    # -- stream --------------------------------------------------------------------------------------------------

    def astream(
        self,
        input: InputT | Command[Any] | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        durability: Durability | None = None,
        debug: bool | None = None,
        version: StreamVersion = "v1",
        multitask_strategy: MultitaskStrategy | None = None,
    ) -> RunStream:
        """Run the graph and report what happens, as an async iterator.

        The next superstep starts when the consumer has taken all chunks of the last one and asks for more. Leaving
        the iteration early cancels the run: by `aclose()`, `async with`, or by dropping the iterator.

        Args:
            stream_mode: one mode gives bare payloads, a list gives `(mode, payload)`; the graph's own mode by default.
            print_mode: modes to print, not to yield.
            output_keys: keys of `values` and `updates`; all of the state's by default.
            debug: print `updates` and `values`.
            version: "v2" gives every chunk as a `StreamPart`.

        Raises:
            what `ainvoke` raises, out of the iteration.
        """
        wanted = self.stream_mode if stream_mode is None else stream_mode
        modes = modes_of(wanted)
        printed = (
            *modes_of(print_mode, "print_mode"),
            *(("updates", "values") if (self.debug if debug is None else debug) else ()),
        )
        check_choice("multitask_strategy", multitask_strategy, STRATEGIES)
        selection = select(self.plan, output_keys, self.plan.stream)
        keys = select(self.plan, None, self.plan.stream)

        async def execute(hub: Hub) -> None:
            publisher = Publisher(hub, selection=selection, state_keys=keys)
            run = self._run(config, context, durability, publisher)
            await self._execute(run, input, multitask_strategy)

        shape = chunk_shape(isinstance(wanted, str), version, self._coerce)
        return RunStream(execute, modes=frozenset(modes), printed=frozenset(printed), shape=shape)

    def stream(
        self,
        input: InputT | Command[Any] | None,
        config: RunnableConfig | None = None,
        **options: Unpack[StreamOptions[ContextT]],
    ) -> Iterator[Any]:
        """`astream` from a thread without a running event loop; options as of `astream`.

        Raises:
            RunningLoopError: an event loop is running in this thread.
        """
        stream = self.astream(input, config, **options)
        return drive_stream(stream, stream.aclose, "stream")

    # -- threads -------------------------------------------------------------------------------------------------

    async def aget_state(self, config: RunnableConfig) -> StateSnapshot:
        """The thread's state now, or at the checkpoint that `config` names.

        Raises:
            GraphValidationError: the graph has no checkpointer, or the config names no thread.
        """
        saver = self._saver()
        return await state_of(self.plan, saver, self.serializer, merge_configs(self.config, config))

    def get_state(self, config: RunnableConfig) -> StateSnapshot:
        """`aget_state` from a thread without a running event loop.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `aget_state` raises.
        """
        return drive(self.aget_state(config), "get_state")

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: Mapping[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """The thread's states, newest first.

        Args:
            filter: metadata that a state must have, such as `{"source": "input"}`.
            before: only states older than the checkpoint that this config names.
            limit: at most so many.

        Raises:
            GraphValidationError: the graph has no checkpointer, or the config names no thread.
        """
        saver = self._saver()
        merged = merge_configs(self.config, config)
        async for snapshot in history_of(
            self.plan, saver, self.serializer, merged, filter=filter, before=before, limit=limit
        ):
            yield snapshot

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: Mapping[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """`aget_state_history` from a thread without a running event loop; reads all of it before it returns.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `aget_state_history` raises.
        """

        async def collect() -> list[StateSnapshot]:
            return [
                s async for s in self.aget_state_history(config, filter=filter, before=before, limit=limit)
            ]

        return iter(drive(collect(), "get_state_history"))

    # -- inside --------------------------------------------------------------------------------------------------

    def _plain(self) -> bool:
        """Nothing to look up before a run: no config, no checkpointer, no run around this one."""
        return not self.checkpointer and self.config is None and current_task.get(None) is None

    def _saver(self) -> Checkpointer:
        if not self.checkpointer or self.checkpointer is True:
            raise GraphValidationError(
                "No checkpointer set. Pass one to compile: compile(checkpointer=InMemorySaver())."
            )
        return self.checkpointer

    def _run(
        self,
        config: RunnableConfig | None,
        context: Any,
        durability: Durability | None,
        publisher: Publisher | None = None,
    ) -> Run:
        """A run with everything it needs; nothing has happened yet."""
        full = run_config(self.config, config)
        check_choice("durability", durability, DURABILITIES)
        around = current_task.get(None)
        if context is None and around is not None:
            context = around.runtime.context
        journal = None
        if self.checkpointer is True:
            raise RootCheckpointerError("checkpointer=True cannot be used for root graphs.")
        if self.checkpointer and (around is None or names_thread(self.config, config)):
            journal = Journal(
                self.checkpointer,
                self.serializer,
                thread_id=thread_of(full),
                namespace="",
                durability=durability or "async",
                metadata=metadata_scalars(full),
            )
        elif durability is not None:
            log.warning("durability=%r has no effect: graph %r has no checkpointer", durability, self.name)
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

    async def _execute(self, run: Run, input: Any, strategy: MultitaskStrategy | None) -> None:
        journal = run.journal
        check_choice("multitask_strategy", strategy, STRATEGIES)
        if journal is None:
            await run.execute(input)
            return
        checkpoint = run.config.get("configurable", {}).get("checkpoint_id")
        saver, turns = self._turns
        if saver is not self.checkpointer:
            turns = turns_of(self.checkpointer)
            self._turns = (self.checkpointer, turns)
        await turns.enter(journal.thread_id, strategy)
        try:
            await run.execute(input, checkpoint=checkpoint)
        finally:
            turns.leave(journal.thread_id)

    def _context(self, context: Any) -> Any:
        """The run's context as an instance of the graph's context schema, if it came as a dict (LangGraph U1)."""
        schema = self.context_schema
        if isinstance(context, dict) and isinstance(schema, type) and not issubclass(schema, dict):
            return schema(**context)
        return context  # pyright: ignore[reportUnknownVariableType]

    def _output(self, run: Run, output_keys: str | Sequence[str] | None, version: StreamVersion) -> Any:
        state = run.state
        if output_keys is not None:
            value = values_of(state, select(self.plan, output_keys, self.plan.output))
        else:
            value = state.read(self.plan.output)
            if value is MISSING:
                value = None
        if version == "v1":
            return value
        check_choice("version", version, ("v1", "v2"))
        return GraphOutput(self._coerce("values", value) if output_keys is None else value)

    def _coerce(self, mode: str, payload: Any) -> Any:
        """A v2 payload as its schema's class; graphs with schemas know how (LangGraph A14)."""
        return payload


class RootCheckpointerError(GraphValidationError, RuntimeError):
    """`checkpointer=True` borrows the checkpointer of a surrounding graph, and there is none."""
