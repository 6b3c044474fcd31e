"""What every builder compiles to: run it, stream it, look at its threads. Thin: the engine does the work."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Self, Unpack, cast, overload

from graphrt.channels.base import MISSING
from graphrt.config import (
    DEFAULT_RECURSION_LIMIT,
    RunnableConfig,
    current_task,
    merge_configs,
)
from graphrt.core.report import select, values_of, with_interrupts
from graphrt.engine.consumer import RunStream
from graphrt.engine.door import drive, drive_stream, enter_loop
from graphrt.engine.fanout import run_together
from graphrt.engine.pausing import interrupts_of, stops_of
from graphrt.engine.publish import Publisher
from graphrt.engine.run import Run
from graphrt.engine.stream import Hub
from graphrt.errors import GraphValidationError
from graphrt.pregel.options import (
    STRATEGIES,
    check_choice,
    chunk_shape,
    modes_of,
    resolve_checkpointer,
)
from graphrt.pregel.runs import RunMaker
from graphrt.runtime import RunControl
from graphrt.types import (
    All,
    Command,
    Durability,
    GraphOutput,
    MultitaskStrategy,
    StreamMode,
    StreamVersion,
)
from graphrt.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.pregel.signatures import InvokeOptions, RunOptions, StreamOptions

__all__ = ["GraphRunner"]

log = logging.getLogger("graphrt")
_DEFAULTS: Final[RunnableConfig] = {
    "tags": [], "metadata": {}, "configurable": {}, "recursion_limit": DEFAULT_RECURSION_LIMIT, "callbacks": None,
}  # fmt: skip
"""The config of a run that was given none. Never changed: a task's config is built from it, not in it."""


class GraphRunner(RunMaker, Generic[StateT, ContextT, InputT, OutputT]):
    """A compiled graph. It holds nothing of its runs: any number may go on at once, on any event loop."""

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
        other._stops = stops_of(other.plan, other.interrupt_before, other.interrupt_after)
        return other

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
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: StreamVersion = "v1",
        multitask_strategy: MultitaskStrategy | None = None,
    ) -> Any:
        """Run the graph to its end and return its output.

        A run that pauses returns what it has come to, with the open questions under `"__interrupt__"`.

        Args:
            input: the state to start from; None goes on with the thread's unfinished run; a Command updates and
                redirects it.
            config: `configurable.thread_id` names the thread; `recursion_limit`, `max_concurrency`, `tags`,
                `metadata`, `run_id` as in LangGraph.
            context: what nodes read as `runtime.context`.
            stream_mode: with anything but "values", the list of chunks that the stream would have had is returned.
            print_mode: chunks to print while the run goes on.
            output_keys: the keys to return instead of those of the output schema.
            interrupt_before: nodes to stop before, instead of those that `compile` named; `"*"` for all.
            interrupt_after: the same for stopping after them.
            control: lets others ask the run to stop between two supersteps.
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
            plain = plain and control is None and interrupt_before is None and interrupt_after is None
            if plain and self._plain():
                run = Run(self.plan, _DEFAULTS, limit=DEFAULT_RECURSION_LIMIT, step_timeout=self.step_timeout)
                await run.execute(input)
            else:
                run = self._run(config, context, durability, interrupt_before, interrupt_after, control)
                await self._execute(run, input, multitask_strategy)
            return self._output(run, output_keys, version)
        await enter_loop()
        single = isinstance(stream_mode, str)
        chunks: list[Any] = []
        stream = self.astream(
            input, config, context=context, stream_mode=stream_mode, print_mode=print_mode,
            output_keys=self.output_channels if output_keys is None else output_keys,
            interrupt_before=interrupt_before, interrupt_after=interrupt_after, control=control,
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
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
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
            interrupt_before: nodes to stop before, instead of those that `compile` named; `"*"` for all.
            interrupt_after: the same for stopping after them.
            control: lets others ask the run to stop between two supersteps.
            subgraphs: report what happens in graphs inside this one too, every chunk with its namespace in front.
            debug: print `updates` and `values`.
            version: "v2" gives every chunk as a `StreamPart`.

        Raises:
            what `ainvoke` raises, out of the iteration.
        """
        wanted = stream_mode
        if wanted is None:  # with a node's own config it is the state that counts (LangGraph A4, M8)
            inside = config is not None and "checkpoint_ns" in config.get("configurable", {})
            wanted = "values" if inside and current_task.get(None) is not None else self.stream_mode
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
            run = self._run(
                config, context, durability, interrupt_before, interrupt_after, control, publisher
            )
            await self._execute(run, input, multitask_strategy)

        shape = chunk_shape(isinstance(wanted, str), version, self._coerce, subgraphs=subgraphs)
        return RunStream(
            execute, modes=frozenset(modes), printed=frozenset(printed), shape=shape, subgraphs=subgraphs
        )

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

    # -- inside --------------------------------------------------------------------------------------------------

    def _output(self, run: Run, output_keys: str | Sequence[str] | None, version: StreamVersion) -> Any:
        state = run.state
        if output_keys is not None:
            value = values_of(state, select(self.plan, output_keys, self.plan.output))
        else:
            value = state.read(self.plan.output)
            if value is MISSING:
                value = None
        interrupts = interrupts_of(run) if run.halted else ()
        if version == "v1":
            return value if not interrupts else with_interrupts(value, list(interrupts))
        check_choice("version", version, ("v1", "v2"))
        return GraphOutput(self._coerce("values", value) if output_keys is None else value, interrupts)

    def _coerce(self, mode: str, payload: Any) -> Any:
        """A v2 payload as its schema's class; graphs with schemas know how (LangGraph A14)."""
        return payload
