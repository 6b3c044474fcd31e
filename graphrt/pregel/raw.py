"""`Pregel`: a program given as channels and nodes that subscribe to them (LangGraph §1.7, A9, P3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self

from graphrt.checkpoint import Checkpointer
from graphrt.config import RunnableConfig
from graphrt.core.plan import TASKS, Channel, Node, Plan, Target, View, overrides
from graphrt.core.retrying import Retries, policy_of, refuse_sync, retries_of
from graphrt.core.shape import Shape
from graphrt.core.state import Task
from graphrt.errors import GraphValidationError, did_you_mean
from graphrt.pregel.nodes import PASSTHROUGH, ChannelWriteEntry, NodeBuilder, PregelNode
from graphrt.pregel.pictures import Drawable
from graphrt.pregel.runnable import GraphRunner
from graphrt.types import All, CachePolicy, RetryPolicy, Send, StreamMode
from graphrt.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.callbacks import GraphCallbackHandler
    from graphrt.core.caching import CacheRule
    from graphrt.drawing import Graph
    from graphrt.observers import Observer
    from graphrt.store.base import BaseStore

__all__ = ["ChannelWriteEntry", "NodeBuilder", "Pregel"]

RESERVED: Final = frozenset({
    "__input__", "__interrupt__", "__resume__", "__error__", "__error_source_node__", "__no_writes__", "__return__",
    "__previous__", TASKS, "__pregel_push", "__pregel_pull",
})  # fmt: skip
"""Names that the specification uses for writes that are not data."""


class Pregel(
    GraphRunner[StateT, ContextT, InputT, OutputT], Drawable, Generic[StateT, ContextT, InputT, OutputT]
):
    """A program on the level below edges: nodes subscribe to channels and write to channels.

    Args:
        nodes: by name, built or still in their builder.
        channels: by name; each is an empty prototype, every run works on its own copy.
        input_channels: what a run's input writes: one channel, or those of its keys that are among these.
        output_channels: what a run returns: one channel's value, or a dict.
        stream_channels: what `values` and `updates` show; all channels by default.
        interrupt_before_nodes: nodes to stop before, `"*"` for all; `interrupt_after_nodes` to stop after.
        step_timeout: seconds that one superstep may take.
        retry_policy: for nodes, and tasks that they call, that have none of their own.
        store: long-term memory, for nodes that ask for it.
        cache: where results of nodes are kept that have a cache policy; `cache_policy` is for those without their own.
        strict: unknown names are errors, not silence.
        observers: are told what happens in all runs, see `graphrt.observers`.

    Raises:
        GraphValidationError: nodes or options name channels that do not exist.

    Example:
        >>> from graphrt.channels import EphemeralValue
        >>> double = NodeBuilder().subscribe_only("a").do(lambda a: a + a).write_to("b")
        >>> app = Pregel(
        ...     nodes={"double": double},
        ...     channels={"a": EphemeralValue(str), "b": EphemeralValue(str)},
        ...     input_channels="a",
        ...     output_channels="b",
        ... )
        >>> app.invoke("foo")
        'foofoo'
    """

    def __init__(
        self,
        *,
        nodes: Mapping[str, PregelNode | NodeBuilder],
        channels: Mapping[str, Channel] | None = None,
        input_channels: str | Sequence[str],
        output_channels: str | Sequence[str],
        stream_channels: str | Sequence[str] | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        auto_validate: bool = True,
        interrupt_before_nodes: All | Sequence[str] = (),
        interrupt_after_nodes: All | Sequence[str] = (),
        step_timeout: float | None = None,
        debug: bool = False,
        checkpointer: Checkpointer | str | bool | None = None,
        context_schema: type[ContextT] | None = None,
        config: RunnableConfig | None = None,
        name: str = "graphrt",
        strict: bool = True,
        observers: Sequence[Observer | GraphCallbackHandler] | None = None,
        retry_policy: Retries = None,
        store: BaseStore | None = None,
        cache: BaseCache[Any] | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> None:
        built = {n: node.build() if isinstance(node, NodeBuilder) else node for n, node in nodes.items()}
        program = _Program(
            name, built, {n: channel.copy() for n, channel in (channels or {}).items()}, strict
        )
        program.retry = retries_of(retry_policy)
        program.cache_policy = cache_policy
        program.input = _names(input_channels)
        program.output = _names(output_channels)
        program.stream = _names(stream_channels) if stream_channels is not None else tuple(program.channels)
        self._program = program
        if auto_validate:
            self.validate()
        self._setup(
            program.plan(),
            checkpointer=checkpointer,
            stream_mode=stream_mode,
            schemas=tuple(channel.ValueType for channel in program.channels.values()),
            debug=debug,
            context_schema=context_schema,
            config=config,
            step_timeout=step_timeout,
            interrupt_before=interrupt_before_nodes,
            interrupt_after=interrupt_after_nodes,
            observers=observers,
            store=store,
            cache=cache,
        )

    def validate(self) -> Self:
        """Check that everything the program names exists.

        Raises:
            GraphValidationError: it does not; the message names it.
        """
        self._program.validate()
        return self

    def declared(self) -> Graph:
        """Its nodes, and which of them write what starts others."""
        from graphrt.drawing.programs import described_program

        program = self._program
        return described_program(program.nodes, _many(program.input), _many(program.output))


def _names(channels: str | Sequence[str]) -> str | tuple[str, ...]:
    return channels if isinstance(channels, str) else tuple(channels)


def _many(channels: str | tuple[str, ...]) -> tuple[str, ...]:
    return (channels,) if isinstance(channels, str) else channels


class _Program:
    """Turns a program's names into a plan."""

    input: str | tuple[str, ...]
    output: str | tuple[str, ...]
    stream: str | tuple[str, ...]
    retry: tuple[RetryPolicy, ...] = ()
    cache_policy: CachePolicy | None = None

    def __init__(
        self, name: str, nodes: dict[str, PregelNode], channels: dict[str, Channel], strict: bool
    ) -> None:
        self.name = name
        self.nodes = nodes
        self.channels = channels
        self.strict = strict
        self.views: dict[View, int] = {}

    def validate(self) -> None:
        """Everything that is named exists (LangGraph P3).

        Raises:
            GraphValidationError: it does not, or a name is reserved.
        """
        for name in self.channels:
            if name in RESERVED:
                raise GraphValidationError(f"Channel name '{name}' is reserved")
        for name, node in self.nodes.items():
            if name in RESERVED:
                raise GraphValidationError(f"Node name '{name}' is reserved")
            for channel in _many(node.channels):
                self._exists(channel, f"Node {name} reads channel '{channel}' not in known channels")
            for channel in node.triggers:
                self._exists(channel, f"Subscribed channel '{channel}' not in known channels: node {name}")
            for entry in node.writes:
                if self.strict and entry.channel != TASKS:
                    self._exists(
                        entry.channel, f"Node {name} writes channel '{entry.channel}' not in known channels"
                    )
        subscribed = {channel for node in self.nodes.values() for channel in node.triggers}
        for channel in _many(self.input):
            self._exists(channel, f"Input channel '{channel}' not in known channels")
        if not subscribed & set(_many(self.input)):
            raise GraphValidationError(
                f"None of the input channels {list(_many(self.input))} are subscribed to"
            )
        for channel in (*_many(self.output), *_many(self.stream)):
            self._exists(channel, f"Output channel '{channel}' not in known channels")

    def _exists(self, channel: str, complaint: str) -> None:
        if channel not in self.channels:
            raise GraphValidationError(f"{complaint}.{did_you_mean(channel, self.channels)}")

    def plan(self) -> Plan:
        self.index = {name: i for i, name in enumerate(self.channels)}
        for name, channel in self.channels.items():
            channel.key = name
        names = sorted(self.nodes)
        nodes = tuple(self.node(name, i) for i, name in enumerate(names))
        triggered: list[list[int]] = [[] for _ in self.channels]
        for node in nodes:
            for trigger in dict.fromkeys(node.triggers):
                triggered[self.index[trigger]].append(node.index)
        return Plan(
            name=self.name,
            nodes=nodes,
            channels=tuple(self.channels.values()),
            channel_names=tuple(self.channels),
            triggered=tuple(map(tuple, triggered)),
            input_channels=self.input,
            output=self.view(self.output),
            stream=self.view(self.stream),
            views=tuple(self.views),
            targets={name: Target(i) for i, name in enumerate(names)},
            strict=self.strict,
            calls=policy_of(self.retry, None),
        )

    def view(self, channels: str | tuple[str, ...]) -> int:
        keys = tuple((name, self.index[name]) for name in dict.fromkeys(_many(channels)))
        return self.views.setdefault(View(keys, bare=isinstance(channels, str)), len(self.views))

    def node(self, name: str, index: int) -> Node:
        spec = self.nodes[name]
        shape = _sequence(spec.actions)
        if spec.timeout is not None:
            refuse_sync(name, is_async=shape is not None and shape.is_async)
        consumes = [c for c in dict.fromkeys(spec.triggers) if overrides(self.channels[c], "consume")]
        return Node(
            name=name,
            index=index,
            call=shape.call if shape is not None else None,
            is_async=shape is not None and shape.is_async,
            inject=shape.inject if shape is not None else (),
            view=self.view(spec.channels),
            mapper=None,
            write=_writer([(self.index.get(entry.channel, -1), entry) for entry in spec.writes]),
            triggers=tuple(sorted(spec.triggers)),
            consumes=tuple(self.index[c] for c in consumes),
            tags=spec.tags,
            metadata=spec.metadata,
            graph=shape.graph if shape is not None else None,
            policy=policy_of(spec.retry_policy or self.retry, spec.timeout),
            cache=_cache_rule(name, spec, self.cache_policy),
        )


def _cache_rule(name: str, spec: PregelNode, default: CachePolicy | None) -> CacheRule | None:
    policy = spec.cache_policy or default
    if policy is None or not spec.actions:
        return None
    from graphrt.engine.marks import cache_rule

    first, *others = [shape.action for shape in spec.actions]
    return cache_rule(partial(first, *others) if others else first, policy, node=name)


def _sequence(actions: tuple[Shape, ...]) -> Shape | None:
    """Several actions as one. Only the first can have arguments injected; async if any of them is."""
    if not actions:
        return None
    if len(actions) == 1:
        return actions[0]
    first, *rest = actions
    if any(action.is_async for action in actions):

        async def run_async(value: Any, **injected: Any) -> Any:
            value = first.call(value, **injected)
            value = await value if first.is_async else value
            for action in rest:
                value = action.call(value)
                value = await value if action.is_async else value
            return value

        return Shape(run_async, True, first.inject)

    def run_sync(value: Any, **injected: Any) -> Any:
        value = first.call(value, **injected)
        for action in rest:
            value = action.call(value)
        return value

    return Shape(run_sync, False, first.inject)


def _writer(entries: list[tuple[int, ChannelWriteEntry]]) -> Any:
    def write(plan: Plan, task: Task, output: Any) -> None:
        for index, entry in entries:
            value = output if entry.value is PASSTHROUGH else entry.value
            if entry.mapper is not None:
                value = entry.mapper(value)
            if entry.skip_none and value is None:
                continue
            if index >= 0:
                task.writes.append((index, value))
            elif entry.channel == TASKS:
                for send in (value,) if isinstance(value, Send) else value:
                    task.go(plan, send)

    return write
