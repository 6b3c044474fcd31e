"""Stored records as plain data, without the graph's classes: what a person or a program is shown of a thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from graphrt.checkpoint import Stored, TaskResult, ThreadInfo, time_of
from graphrt.core.interrupts import PAUSED, is_null
from graphrt.errors import DeserializationError
from graphrt.serde import Serializer

__all__ = ["checkpoint_record", "state_record", "thread_record"]

_CONTROL: Final = ("__", "branch:to:", "join:")
"""What the names of channels begin with that are not the user's."""
_RESULTS: Final = ("__end__", "__previous__")
"""... except for what an entrypoint returned, and what it saved for its next call."""
_TASKS: Final = "__pregel_tasks"


def thread_record(info: ThreadInfo) -> dict[str, Any]:
    """One line of a list of threads."""
    return {
        "thread_id": info.thread_id,
        "namespaces": list(info.namespaces),
        "checkpoints": info.checkpoints,
        "head": info.head,
        "updated_at": _text(info.updated_at),
        "bytes": info.bytes,
    }


def checkpoint_record(stored: Stored) -> dict[str, Any]:
    """One line of a history."""
    checkpoint = stored.checkpoint
    return {
        "checkpoint_id": checkpoint.id,
        "parent_id": checkpoint.parent_id,
        "created_at": _text(time_of(checkpoint.id)),
        "step": checkpoint.step,
        "source": checkpoint.source,
        "next": list(checkpoint.next),
        "metadata": dict(checkpoint.metadata),
    }


def state_record(
    thread_id: str, namespace: str, stored: Stored, questions: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A checkpoint with its values, with what is known of the tasks that start from it, and with what they ask."""
    serializer = Serializer()
    return {
        "thread_id": thread_id,
        "namespace": namespace,
        **checkpoint_record(stored),
        "values": {
            name: _value(serializer, stored, name)
            for name in sorted(stored.channels)
            if name in _RESULTS or not name.startswith(_CONTROL)
        },
        "sends": _value(serializer, stored, _TASKS) if _TASKS in stored.channels else [],
        "tasks": [_task(result) for result in stored.results if result.node or is_null(result)],
        "interrupts": list(questions),
    }


def _value(serializer: Serializer, stored: Stored, name: str) -> Any:
    try:
        return serializer.loads_grown_raw(stored.channels[name], stored.appends.get(name, ()))
    except DeserializationError as error:  # encrypted, or damaged: the rest is still worth seeing
        return f"<{len(stored.channels[name])} bytes that cannot be read: {error}>"


def _task(result: TaskResult) -> dict[str, Any]:
    paused = result.error == PAUSED
    return {
        "node": result.node,
        "path": result.path,
        "status": "finished" if result.error is None else "paused" if paused else "failed",
        "error": None if paused else result.error,
        "writes": [write.channel for write in result.writes if not write.channel.startswith(_CONTROL)],
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment is not None else None
