"""Tells a run's subscriber what happens: builds the payloads that were asked for, in LangGraph's order (J1-J8, J10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphrt.core.ids import NS_SEP, path_text
from graphrt.core.interrupts import PAUSED, questions_of
from graphrt.core.report import (
    Selection,
    has_values,
    has_written,
    in_words,
    message_metadata,
    recorded_of,
    task_finished,
    task_paused,
    task_started,
    update_of,
    values_of,
    with_interrupts,
)
from graphrt.core.state import State, Task
from graphrt.engine.places import place_of
from graphrt.engine.random_ids import random_id
from graphrt.engine.stream import SILENT, Writer, Writers

if TYPE_CHECKING:
    from graphrt.checkpoint import Checkpoint, TaskResult
    from graphrt.engine.journal import Journal
    from graphrt.engine.run import Run
    from graphrt.engine.stream import Hub, Targets
    from graphrt.types import Interrupt, StreamWriter

__all__ = ["Publisher", "checkpoint_config", "metadata_of"]


class Wants(NamedTuple):
    """Reports that are worth preparing."""

    checkpoints: bool
    tasks: bool
    custom: bool
    messages: bool
    tools: bool


class Publisher:
    """One run's reports, under its namespace. Methods do nothing for modes that nobody subscribed to.

    Attributes:
        leads: the stream is this run's own, not that of a run around it.
        beside: the publisher of another stream that shows the same run: a node reads a graph's stream, and whoever
            reads that of the node's graph wants to see graphs inside it.
    """

    __slots__ = (
        "acquainted",
        "beside",
        "hub",
        "journal",
        "leads",
        "ns",
        "reported",
        "selection",
        "state_keys",
        "wants",
    )

    def __init__(
        self,
        hub: Hub,
        *,
        selection: Selection,
        state_keys: Selection,
        journal: Journal | None = None,
        ns: tuple[str, ...] = (),
        leads: bool = True,
    ) -> None:
        self.hub = hub
        self.ns = ns
        self.leads = leads
        self.beside: Publisher | None = None
        self.acquainted = not hub.wants_messages
        self.wants = Wants(
            hub.wants_checkpoints, hub.wants_tasks, hub.wants_custom, hub.wants_messages, hub.wants_tools
        )
        self.selection = selection
        self.state_keys = state_keys
        self.journal = journal
        self.reported: Checkpoint | None = None

    def inside(self, run: Run, selection: Selection, state_keys: Selection) -> Publisher | None:
        """The publisher of a run inside this one, if anybody wants to know (LangGraph M8)."""
        found: Publisher | None = None
        if self.hub.subgraphs:
            ns = tuple(run.namespace.split(NS_SEP))
            found = Publisher(
                self.hub, selection=selection, state_keys=state_keys, journal=run.journal, ns=ns, leads=False
            )
        other = self.beside.inside(run, selection, state_keys) if self.beside is not None else None
        return other if found is None else found.joined(other)

    def joined(self, other: Publisher | None) -> Publisher:
        """Report to another stream as well."""
        if other is not None:
            self.beside = other
            self.wants = Wants(*(map(any, zip(self.wants, other.wants, strict=True))))
        return self

    async def ready(self) -> None:
        """Wait until the consumer wants the next step: whose stream it is until it has taken everything (J12)."""
        if self.leads:
            await self.hub.drained()
        else:
            await self.hub.room()
        if self.beside is not None:
            await self.beside.ready()

    def put(self, mode: str, payload: Any) -> None:
        """One chunk."""
        if self.leads:
            self.hub.put(mode, payload, self.ns)
        else:
            self.hub.tell(mode, payload, self.ns)

    def writer(self) -> StreamWriter:
        """What a task writes to the `custom` streams by."""
        own: StreamWriter | None = Writer(self.hub, self.ns) if self.hub.wants_custom else None
        other = self.beside.writer() if self.beside is not None and self.beside.wants.custom else None
        if own is None or other is None:
            return own or other or SILENT
        return Writers(own, other)

    def targets(self, mode: str) -> Targets:
        """The streams that want what nodes report in this mode, each with the namespace that they know the run by."""
        found: list[tuple[Hub, tuple[str, ...]]] = []
        publisher: Publisher | None = self
        while publisher is not None:
            if mode in publisher.hub.modes:
                found.append((publisher.hub, publisher.ns))
            publisher = publisher.beside
        return tuple(found)

    def acquaint(self, state: State, tasks: Sequence[Task]) -> None:
        """What the run begins with, and what its tasks are sent, is known and not shown as new (LangGraph J5)."""
        if self.beside is not None:
            self.beside.acquaint(state, tasks)
        if not self.hub.wants_messages:
            return
        from graphrt.engine.messenger import messages_in  # for those who subscribed to messages

        sent = [task.input for task in tasks if task.index >= 0]
        if not self.acquainted:
            self.acquainted = True
            sent += [{str(i): c.get() for i, c in enumerate(state.channels) if c.is_available()}]
        for given in sent:
            values = cast("dict[str, Any]", given).values() if isinstance(given, dict) else (given,)
            self.hub.seen.update(message.id for message in messages_in(values) if message.id is not None)

    def _show_messages(self, task: Task) -> None:
        """Show the messages that a task has written and that nobody has seen (LangGraph J5)."""
        from graphrt.engine.messenger import messages_in

        seen = self.hub.seen
        metadata: dict[str, Any] | None = None
        for message in messages_in([value for _, value in task.writes]):
            if getattr(message, "type", None) == "remove":
                continue
            if message.id is None:
                message.id = random_id()
            if message.id in seen:
                continue
            seen.add(message.id)
            if not (task.node.hidden or task.restored):
                metadata = metadata or message_metadata(task)
                self.put("messages", (message, metadata))

    def paused(
        self, state: State, task: Task, identity: str, step: int, interrupts: tuple[Interrupt[Any], ...]
    ) -> None:
        """A task waits for answers (LangGraph I14)."""
        if self.beside is not None:
            self.beside.paused(state, task, identity, step, interrupts)
        if task.node.hidden:
            return
        if self.hub.wants_tasks:
            self._emit("tasks", "task_result", step, task_paused(task, identity, interrupts))
        if self.hub.wants_updates:
            self.put("updates", {"__interrupt__": interrupts})
        if self.hub.wants_values and interrupts:
            self.put("values", with_interrupts(values_of(state, self.selection), interrupts))

    def stopped(self) -> None:
        """The run has stopped at a breakpoint (LangGraph I13)."""
        if self.beside is not None:
            self.beside.stopped()
        if self.hub.wants_updates:
            self.put("updates", {"__interrupt__": ()})

    def values(self, state: State) -> None:
        """The state as it is now."""
        if self.beside is not None:
            self.beside.values(state)
        if self.hub.wants_values and has_values(state, self.selection):
            self.put("values", values_of(state, self.selection))

    def committed(self, state: State, tasks: Sequence[Task]) -> None:
        """A superstep was committed."""
        if self.beside is not None:
            self.beside.committed(state, tasks)
        if self.hub.wants_values and has_written(state, tasks, self.selection):
            self.put("values", values_of(state, self.selection))

    async def checkpoint(self, state: State, tasks: Sequence[Task], known: Mapping[str, TaskResult]) -> None:
        """The newest checkpoint, once it is durable and its next tasks are known.

        Args:
            known: what is known of the tasks from an earlier attempt, by path.
        """
        if self.beside is not None:
            await self.beside.checkpoint(state, tasks, known)
        journal = self.journal
        if journal is None or not self.hub.wants_checkpoints or journal.last is self.reported:
            return
        await journal.settle()
        last = journal.last
        assert last is not None
        self.reported = last
        payload = {
            "config": checkpoint_config(journal.thread_id, journal.namespace, last.id),
            "parent_config": last.parent_id
            and checkpoint_config(journal.thread_id, journal.namespace, last.parent_id),
            "values": values_of(state, self.state_keys),
            "metadata": metadata_of(last, journal.parents),
            "next": [task.node.name for task in tasks],
            "tasks": [self._planned(task, known) for task in tasks],
        }
        self._emit("checkpoints", "checkpoint", last.step, payload)

    def _planned(self, task: Task, known: Mapping[str, TaskResult]) -> dict[str, Any]:
        assert task.id_ is not None
        planned: dict[str, Any] = {"id": task.id_, "name": task.node.name, "interrupts": (), "state": None}
        journal = self.journal
        assert journal is not None
        if task.node.graph is not None and task.node.graph.checkpointer is not False:
            namespace = place_of(task)
            planned["state"] = {"configurable": {"thread_id": journal.thread_id, "checkpoint_ns": namespace}}
        if task.restored:
            planned["result"] = recorded_of(task, self.state_keys)
        elif (result := known.get(path_text(task))) is not None:
            questions = questions_of(result, journal.decode_raw) or ()
            planned["interrupts"] = tuple([in_words(q.shown(journal.decode_raw)) for q in questions])
            if result.error != PAUSED:
                planned["error"] = result.error
        return planned

    def started(self, task: Task, identity: str, step: int) -> None:
        """A task is about to run."""
        if self.beside is not None:
            self.beside.started(task, identity, step)
        if self.hub.wants_tasks and not task.node.hidden:
            self._emit("tasks", "task", step, task_started(task, identity))

    def finished(self, task: Task, identity: str, step: int, error: BaseException | None = None) -> None:
        """A task has ended; a result that was restored says so and is not reported as a new one (LangGraph J3, J6)."""
        if self.beside is not None:
            self.beside.finished(task, identity, step, error)
        if self.hub.wants_messages and error is None:
            self._show_messages(task)
        if task.node.hidden:
            return
        if self.hub.wants_updates and error is None:
            update: dict[str, Any] = {task.node.name: update_of(task, self.selection)}
            if task.restored:
                update["__metadata__"] = {"cached": True}
            self.put("updates", update)
        if self.hub.wants_tasks and not task.restored:
            self._emit("tasks", "task_result", step, task_finished(task, identity, self.state_keys, error))

    def _emit(self, mode: str, kind: str, step: int, payload: dict[str, Any]) -> None:
        self.put(mode, payload)
        if "debug" in self.hub.modes:
            stamp = datetime.now(UTC).isoformat()
            self.put("debug", {"step": step, "timestamp": stamp, "type": kind, "payload": payload})


def checkpoint_config(thread_id: str, namespace: str, checkpoint: str) -> dict[str, Any]:
    """The config that addresses one checkpoint."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint}}


def metadata_of(checkpoint: Checkpoint, parents: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """A checkpoint's metadata as users see it (LangGraph L4, M4)."""
    return {
        **checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step, "parents": dict(parents)
    }  # fmt: skip
