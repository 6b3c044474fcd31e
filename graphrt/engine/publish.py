"""Tells a run's subscriber what happens: builds the payloads that were asked for, in LangGraph's order (J1-J8, J10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graphrt.checkpoint import time_of
from graphrt.core.ids import path_text
from graphrt.core.report import (
    Selection,
    has_written,
    result_of,
    task_finished,
    task_started,
    update_of,
    values_of,
)
from graphrt.core.state import State, Task

if TYPE_CHECKING:
    from graphrt.checkpoint import Checkpoint, TaskResult
    from graphrt.engine.journal import Journal
    from graphrt.engine.stream import Hub

__all__ = ["Publisher", "checkpoint_config", "created_at", "metadata_of"]


class Publisher:
    """One run's reports. Every method does nothing for modes that nobody subscribed to."""

    __slots__ = ("hub", "journal", "reported", "selection", "state_keys")

    def __init__(
        self, hub: Hub, *, selection: Selection, state_keys: Selection, journal: Journal | None = None
    ) -> None:
        self.hub = hub
        self.selection = selection
        self.state_keys = state_keys
        self.journal = journal
        self.reported: Checkpoint | None = None

    def values(self, state: State) -> None:
        """The state as it is now."""
        if self.hub.wants_values:
            self.hub.put("values", values_of(state, self.selection))

    def committed(self, state: State, tasks: Sequence[Task]) -> None:
        """A superstep was committed."""
        if self.hub.wants_values and has_written(state, tasks, self.selection):
            self.hub.put("values", values_of(state, self.selection))

    async def checkpoint(self, state: State, tasks: Sequence[Task], known: Mapping[str, TaskResult]) -> None:
        """The newest checkpoint, once it is durable and its next tasks are known.

        Args:
            known: what is known of the tasks from an earlier attempt, by path.
        """
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
            "metadata": metadata_of(last),
            "next": [task.node.name for task in tasks],
            "tasks": [self._planned(task, known) for task in tasks],
        }
        self._emit("checkpoints", "checkpoint", last.step, payload)

    def _planned(self, task: Task, known: Mapping[str, TaskResult]) -> dict[str, Any]:
        assert task.id_ is not None
        planned: dict[str, Any] = {"id": task.id_, "name": task.node.name, "interrupts": (), "state": None}
        if task.restored:
            planned["result"] = result_of(task, self.state_keys)
        elif (result := known.get(path_text(task))) is not None:
            planned["error"] = result.error
        return planned

    def started(self, task: Task, identity: str, step: int) -> None:
        """A task is about to run."""
        if self.hub.wants_tasks and not task.node.hidden:
            self._emit("tasks", "task", step, task_started(task, identity))

    def finished(self, task: Task, identity: str, step: int, error: BaseException | None = None) -> None:
        """A task has ended; a result that was restored says so and is not reported as a new one (LangGraph J3, J6)."""
        if task.node.hidden:
            return
        if self.hub.wants_updates and error is None:
            update: dict[str, Any] = {task.node.name: update_of(task, self.selection)}
            if task.restored:
                update["__metadata__"] = {"cached": True}
            self.hub.put("updates", update)
        if self.hub.wants_tasks and not task.restored:
            self._emit("tasks", "task_result", step, task_finished(task, identity, self.state_keys, error))

    def _emit(self, mode: str, kind: str, step: int, payload: dict[str, Any]) -> None:
        self.hub.put(mode, payload)
        if "debug" in self.hub.modes:
            stamp = datetime.now(UTC).isoformat()
            self.hub.put("debug", {"step": step, "timestamp": stamp, "type": kind, "payload": payload})


def checkpoint_config(thread_id: str, namespace: str, checkpoint: str) -> dict[str, Any]:
    """The config that addresses one checkpoint."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint}}


def metadata_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint's metadata as users see it (LangGraph L4)."""
    return {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step, "parents": {}}


def created_at(checkpoint: Checkpoint) -> str | None:
    """When a checkpoint was made, as ISO 8601 in UTC; None if its id does not tell."""
    made = time_of(checkpoint.id)
    return None if made is None else made.isoformat()
