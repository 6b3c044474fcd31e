"""A compiled graph: names turned into indexes, everything a superstep needs looked up once.

Rules of this file:
- A Plan is immutable and shared by all runs; what changes during a run lives in `core.state.State`.
- Nodes are sorted by name, so ascending node indexes are LangGraph's task order (E1).
- An edge to a plain node needs no channel object: `branch:to:x` of the specification is the bit "x is armed" (D1-D5).
  Where the channel has a behaviour of its own (deferred nodes, joins) it is a real channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from msgspec import Struct

from graphrt.channels import BaseChannel, BinaryOperatorAggregate, LastValue, UntrackedValue
from graphrt.checkpoint import ChannelData
from graphrt.errors import UnknownTargetError, did_you_mean
from graphrt.types import Command

if TYPE_CHECKING:
    from graphrt.core.caching import CacheRule
    from graphrt.core.retrying import Policy
    from graphrt.core.state import Task
    from graphrt.managed.base import ManagedKeys

__all__ = [
    "BRANCH_TO",
    "NULL_NODE",
    "TASKS",
    "Branch",
    "Channel",
    "Injection",
    "Node",
    "Plan",
    "Target",
    "View",
    "arm_write",
    "overrides",
]

Channel: TypeAlias = BaseChannel[Any, Any, Any]
Injection: TypeAlias = tuple[tuple[str, str], ...]
"""(parameter name, what it gets) of the arguments a callable asks for besides its input."""

Cell: TypeAlias = tuple[int, bool, tuple[tuple[int, str], ...]]
"""(channel index, it is a LastValue, views that show it) of a key."""

NOTHING: Final = b"\xc0"
"""None in MessagePack."""
BRANCH_TO: Final = "branch:to:"
TASKS: Final = "__pregel_tasks"
"""The channel that holds the Sends of the next superstep."""


class View(Struct, frozen=True):
    """What is read together: the keys of one schema, or a single channel read bare.

    `channels` are (key, channel index) in schema order.
    """

    channels: tuple[tuple[str, int], ...]
    bare: bool = False


class Target(Struct, frozen=True):
    """What going to a node means: arm it, or write to the channel that holds it back."""

    node: int
    channel: int | None = None


class Branch(Struct, eq=False):
    """A conditional edge: `path` decides after its node ran, `ends` translates what it says into node names.

    Attributes:
        quick: `path` is called with the state's dict and nothing else, in place.
        hops: the node that an answer leads to, None for END, for answers that lead to plain nodes.
        managed: keys that it reads besides those of its view; then there is a `mapper` in any case.
    """

    name: str
    path: Callable[..., Any]
    is_async: bool
    inject: Injection
    ends: Mapping[Any, str] | None
    view: int
    mapper: Callable[[dict[str, Any]], Any] | None = None
    typed: bool = False
    quick: bool = False
    hops: Mapping[str, int | None] = {}
    managed: ManagedKeys = ()


class Node(Struct, eq=False):
    """One node, in the shape in which it is called.

    Attributes:
        call: the user's function; None hands the input on unchanged.
        inject: what it is called with besides its input.
        view: index of the View it reads.
        mapper: builds the input from the view's dict (dataclass, pydantic, Struct schemas).
        write: turns its return value into writes on the task.
        arms: nodes that its static edges lead to.
        static_writes: channel writes of its edges into joins and deferred nodes.
        consumes: its trigger channels that take notice of having been used.
        path: names its triggered task within a step.
        arm_writes: `arms` as stored results show them.
        express: nothing about the node keeps it off the express way (`engine.express`).
        keys: the channels it writes by key; `cells` those of them that the express way can write by itself.
        graph: the compiled graph that the node is, if it is one; it enters an event loop by itself if it needs one.
        policy: how it is tried again, how long it may take, who handles its errors; None for nothing of it.
        suffix: what its tasks' paths have behind those of the tasks that they stand in for (`core.handled`).
        managed: keys that it reads besides those of its view; then there is a `mapper` in any case.
        cache: how its results are found in a cache, if they are kept.
    """

    name: str
    index: int
    call: Callable[..., Any] | None
    is_async: bool
    inject: Injection
    view: int
    mapper: Callable[[dict[str, Any]], Any] | None
    write: Callable[[Plan, Task, Any], None]
    arms: tuple[int, ...] = ()
    static_writes: tuple[tuple[int, Any], ...] = ()
    branches: tuple[Branch, ...] = ()
    triggers: tuple[str, ...] = ()
    consumes: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    hidden: bool = False
    path: str = ""
    arm_writes: tuple[ChannelData, ...] = ()
    express: bool = False
    keys: Mapping[str, int] = {}
    cells: dict[str, Cell] = {}
    graph: Any = None
    is_graph: bool = False
    policy: Policy | None = None
    suffix: str = ""
    managed: ManagedKeys = ()
    cache: CacheRule | None = None

    def __post_init__(self) -> None:
        self.path = f"~__pregel_pull, {self.name}"
        self.is_graph = self.graph is not None


def _writes_nothing(plan: Plan, task: Task, output: Any) -> None:
    return None


NULL_NODE: Final = Node("", -1, None, False, (), 0, None, _writes_nothing)
"""Stands for whoever writes without being a node: a Command given as input."""


class Plan(Struct, eq=False):
    """Everything that does not change between runs.

    Attributes:
        channels: one empty prototype per channel; a run gets its own by `fresh()`.
        triggered: per channel, the nodes that run when it changed and is available.
        shown: per channel, (view, key) pairs that show it.
        idle: channels that may change in a step that does not write them (E8).
        finishers: channels that want to know when nothing else is left to do (E9).
        untracked: channels whose values are never stored.
        prepare: per channel that wants to, what makes a write storable (`BaseChannel.prepare`).
        alone: per node, a tuple with its name.
        initial: some channel has a value before its first write.
        start: the node that hands out the input, if the graph has one.
        joins: (channel, node it leads to) of every join, to name what a run left waiting.
        strict: names that LangGraph would ignore are errors (docs/differences.md).
        cached: results of some nodes are kept.
        calls: the policy of tasks that its nodes call, where those have none of their own.
    """

    name: str
    nodes: tuple[Node, ...]
    channels: tuple[Channel, ...]
    channel_names: tuple[str, ...]
    triggered: tuple[tuple[int, ...], ...]
    views: tuple[View, ...]
    input_channels: str | tuple[str, ...]
    output: int
    stream: int
    targets: Mapping[str, Target]
    joins: tuple[tuple[int, str], ...] = ()
    start: Node | None = None
    strict: bool = True
    calls: Policy | None = None
    node_index: dict[str, int] = {}
    channel_index: dict[str, int] = {}
    shown: tuple[tuple[tuple[int, str], ...], ...] = ()
    idle: frozenset[int] = frozenset()
    finishers: tuple[int, ...] = ()
    initial: bool = False
    untracked: frozenset[int] = frozenset()
    prepare: dict[int, Callable[[Any], Any]] = {}
    alone: tuple[tuple[str], ...] = ()
    cached: bool = False

    def __post_init__(self) -> None:
        self.node_index = {node.name: node.index for node in self.nodes}
        self.channel_index = {name: i for i, name in enumerate(self.channel_names)}
        shown: list[list[tuple[int, str]]] = [[] for _ in self.channels]
        for number, view in enumerate(self.views):
            if not view.bare:
                for key, channel in view.channels:
                    shown[channel].append((number, key))
        self.shown = tuple(map(tuple, shown))
        self.idle = frozenset(i for i, c in enumerate(self.channels) if c.reacts_to_idle)
        self.initial = any(channel.fresh().is_available() for channel in self.channels)
        self.cached = any(node.cache is not None for node in self.nodes)
        self.alone = tuple((node.name,) for node in self.nodes)
        for node in self.nodes:
            node.arm_writes = tuple(arm_write(self.nodes[i]) for i in node.arms)
            if node.express:
                node.cells = {
                    key: cell for key, i in node.keys.items() if (cell := self._cell(i)) is not None
                }
        self.untracked = frozenset(i for i, c in enumerate(self.channels) if isinstance(c, UntrackedValue))
        self.prepare = {i: c.prepare for i, c in enumerate(self.channels) if overrides(c, "prepare")}
        self.finishers = tuple(i for i, c in enumerate(self.channels) if overrides(c, "finish"))

    def _cell(self, index: int) -> Cell | None:
        kind = type(self.channels[index])
        if self.triggered[index] or kind not in (LastValue, BinaryOperatorAggregate):
            return None
        return index, kind is LastValue, self.shown[index]

    def prepared(self, given: Any) -> Any:
        """A run's input as it is to be stored: what its keys mean to channels that want to say something about it.

        Raises:
            InvalidUpdateError: a channel cannot take it.
        """
        if not self.prepare or self.start is None or type(given) is Command:
            return given
        keys = self.start.keys
        if len(keys) == 1 and "__root__" in keys:
            prepare = self.prepare.get(keys["__root__"])
            return given if prepare is None else prepare(given)
        if not isinstance(given, dict):
            return given
        values = cast("dict[str, Any]", given)
        wanted = [(key, self.prepare[i]) for key, i in keys.items() if i in self.prepare and key in values]
        return {**values, **{key: prepare(values[key]) for key, prepare in wanted}} if wanted else values

    def target(self, name: object) -> Target | None:
        """Where `name` leads, None for a name that does not exist and may be ignored.

        Raises:
            UnknownTargetError: the name does not exist and the graph is strict.
        """
        found = self.targets.get(name) if isinstance(name, str) else None
        if found is None and self.strict:
            raise UnknownTargetError(
                f"Graph {self.name!r} has no node {name!r} to go to.{did_you_mean(name, self.targets)} "
                "Compile with strict=False to ignore unknown targets as LangGraph does.",
                target=name,
            )
        return found


def arm_write(node: Node) -> ChannelData:
    """How a stored result says that a task led to a plain node."""
    return ChannelData(BRANCH_TO + node.name, NOTHING)


def overrides(channel: Channel, method: str) -> bool:
    """Whether the channel's class has its own version of a BaseChannel method that does nothing by default."""
    return getattr(type(channel), method) is not getattr(BaseChannel, method)
