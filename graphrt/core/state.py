"""What changes during a run: the channels, what is triggered next, and the tasks of the step at hand.

A State belongs to one run and is changed in place by `core.commit`; nothing here waits, asks the clock or draws a
number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Struct

from graphrt.channels.base import MISSING
from graphrt.core.plan import Channel, Node, Plan
from graphrt.errors import MissingStoreError
from graphrt.types import Send, StreamWriter, TaskPath

if TYPE_CHECKING:
    from graphrt.config import RunnableConfig
    from graphrt.runtime import Runtime

__all__ = ["State", "Task", "TaskOwner"]


class TaskOwner(Protocol):
    """The run a task belongs to: it builds what a node may ask for, when it asks."""

    @property
    def step(self) -> int: ...
    @property
    def stop(self) -> int: ...
    def config_of(self, task: Task) -> RunnableConfig: ...
    def runtime_of(self, task: Task) -> Runtime[Any]: ...
    def writer_of(self, task: Task) -> StreamWriter: ...
    @property
    def store(self) -> Any: ...
    @property
    def previous(self) -> Any: ...
    def ask(self, task: Task, value: Any, response_schema: Any) -> Any: ...
    def shows(self, mode: str) -> Any: ...
    def push(self, task: Task, key: str, value: Any) -> None: ...


class Task(Struct, eq=False):
    """One execution of one node in one superstep, and the writes it leaves behind.

    A Struct, because one is made per superstep: 76 ns instead of 165 for a class with slots.

    Attributes:
        owner: the run, a TaskOwner.
        index: which Send of the step this is, -1 for a node that edges or channels triggered (PULL).
        writes: (channel index, value) in order: the node's state writes, then those of its edges.
        arms: nodes that its gotos and routers lead to; `sends` the Sends among them.
        generation: how often Commands have replaced the Sends of this step.
        finished: it ran to its end beside others.
        kept: the writes are in storage already; `restored` they come from there and the node was not run again.
        reported: subscribers know that it has finished.
        paused: it waits for answers, or something inside it stopped.
        caller: the task whose function called this one (`graphrt.func.task`); `index` is the number of the call then.
        key: what tells this step (`graphrt.func.step`) of its caller from others; None for a call.
        scope: what its function has asked, called and remembered, once it has (`engine.scope`).
        trial: which attempt this is, if the node has a policy or somebody has asked (`engine.trial`).
    """

    node: Node
    input: Any
    owner: Any
    index: int
    output: Any = None
    writes: list[tuple[int, Any]] = []
    arms: list[int] | None = None
    sends: list[Send] | None = None
    id_: str | None = None
    config_: RunnableConfig | None = None
    generation: int = 0
    finished: bool = False
    kept: bool = False
    restored: bool = False
    reported: bool = False
    paused: bool = False
    caller: Task | None = None
    key: str | None = None
    scope: Any = None
    trial: Any = None

    @property
    def path(self) -> TaskPath:
        """LangGraph F2: `("__pregel_pull", name)`, `("__pregel_push", index, False)`, or for calls their caller's."""
        if self.caller is not None:
            return ("__pregel_push", self.caller.path, self.index if self.key is None else self.key, True)
        if self.index < 0:
            return ("__pregel_pull", self.node.name)
        return ("__pregel_push", self.index, False)

    @property
    def _owner(self) -> TaskOwner:
        return cast(TaskOwner, self.owner)

    @property
    def config(self) -> RunnableConfig:
        """The run's config with this task's metadata, built once."""
        if self.config_ is None:
            self.config_ = self._owner.config_of(self)
        return self.config_

    @property
    def runtime(self) -> Runtime[Any]:
        """A Runtime for this task."""
        return self._owner.runtime_of(self)

    @property
    def error(self) -> Any:
        """What an error handler is to handle, a `NodeError`."""
        return None if self.trial is None else self.trial.error

    @property
    def writer(self) -> StreamWriter:
        """The writer to the run's custom stream."""
        return self._owner.writer_of(self)

    @property
    def store(self) -> Any:
        """The run's store, None if it has none."""
        return self._owner.store

    @property
    def needed_store(self) -> Any:
        """The run's store.

        Raises:
            MissingStoreError: it has none.
        """
        store = self._owner.store
        if store is None:
            raise MissingStoreError(self.node.name)
        return store

    @property
    def previous(self) -> Any:
        """What an entrypoint saved on this thread before."""
        return self._owner.previous

    def ask(self, value: Any, response_schema: Any) -> Any:
        """`graphrt.types.interrupt`."""
        return self._owner.ask(self, value, response_schema)

    def shows(self, mode: str) -> Any:
        """The streams that want what nodes report in this mode (`graphrt.engine.stream.Targets`)."""
        return self._owner.shows(mode)

    def push(self, key: str, value: Any) -> None:
        """Write to the state before what the node returns is written."""
        self._owner.push(self, key, value)

    def go(self, plan: Plan, where: str | Send) -> None:
        """Record that this task leads to a node, by name or by Send (LangGraph H1, H4).

        Raises:
            UnknownTargetError: the graph is strict and has no such node.
        """
        if type(where) is Send:
            if plan.target(where.node) is not None:
                if self.sends is None:
                    self.sends = []
                self.sends.append(where)
            return
        target = plan.target(where)
        if target is None:
            return
        if target.channel is not None:
            self.writes.append((target.channel, None))
        elif self.arms is None:
            self.arms = [target.node]
        else:
            self.arms.append(target.node)


class State(Struct, eq=False):
    """One run's channels and what the next superstep will run.

    Attributes:
        views: per View, the dict of its available keys, kept up to date by every commit.
        armed: nodes to run next (PULL), ascending; `sends` the Sends to run next (PUSH), in order.
        generation: how often Commands given as input have replaced `sends` since the last step.
        awake: channels that may change although nobody writes them, and are available.
        version: number of commits; `changed` the channels that the last one changed, by index.
        sends_changed: the last commit changed `sends`.
        ran: nodes of the last step that ran any node by trigger, for `as_node` (LangGraph N6).
    """

    plan: Plan
    channels: list[Channel]
    views: list[dict[str, Any]]
    armed: tuple[int, ...] | list[int] = ()
    sends: list[Send] = []
    generation: int = 0
    awake: set[int] = set()
    version: int = 0
    changed: list[int] = []
    sends_changed: bool = False
    ran: tuple[int, ...] = ()

    @classmethod
    def empty(cls, plan: Plan) -> State:
        """A state before its first input; reducers start from their empty value (LangGraph C6)."""
        state = cls(plan, [channel.fresh() for channel in plan.channels], [{} for _ in plan.views])
        if plan.initial:
            state.show_all()
        return state

    def show_all(self) -> None:
        """Build every view from the channels, and find out which channels are awake."""
        available = [channel.is_available() for channel in self.channels]
        for number, view in enumerate(self.plan.views):
            if not view.bare:
                self.views[number] = {key: self.channels[i].get() for key, i in view.channels if available[i]}
        self.awake = {i for i in self.plan.idle if available[i]}

    def show(self, index: int) -> bool:
        """Bring the views of one changed channel up to date; True if it is available."""
        channel = self.channels[index]
        available = channel.is_available()
        shown = self.plan.shown[index]
        if available:
            value = channel.get() if shown else None
            for number, key in shown:
                view = self.views[number]
                if key in view:
                    view[key] = value
                else:
                    self.rebuild(number)
        else:
            for number, key in shown:
                self.views[number].pop(key, None)
        if index in self.plan.idle:
            (self.awake.add if available else self.awake.discard)(index)
        return available

    def rebuild(self, number: int) -> None:
        """Build one view anew: a key that was absent takes its place in schema order."""
        self.views[number] = {
            key: channel.get()
            for key, i in self.plan.views[number].channels
            if (channel := self.channels[i]).is_available()
        }

    def read(self, number: int) -> Any:
        """A view's own copy of its dict, or its bare value; MISSING for a bare channel without one."""
        view = self.plan.views[number]
        if not view.bare:
            return self.views[number].copy()
        channel = self.channels[view.channels[0][1]]
        return channel.get() if channel.is_available() else MISSING
