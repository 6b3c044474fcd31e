"""What is stored of a thread: typed records whose values are bytes, never live objects.

A thread is a chain of checkpoints in each namespace (`""` is the graph itself). A commit carries only what its step
changed, and of a value that grew only what was appended; a checkpointer gives back the whole, as a value and the parts
that came behind it. Values and parts are bytes that only `graphrt.serde` reads.

Records cannot be part of a reference cycle, so the cycle collector need not look at them (`gc=False`): a thread in
memory is thousands of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

__all__ = ["ChannelData", "Checkpoint", "Commit", "Source", "Stored", "TaskResult"]

Source: TypeAlias = Literal["input", "loop", "update", "fork"]
"""What made a checkpoint: a run's input, a superstep, an edit of the state, a copy of an older checkpoint."""


class ChannelData(Struct, frozen=True, array_like=True, gc=False):
    """Bytes under a channel's name: what a task wrote to it, or what it holds after a step; None if that emptied it.

    In a task's writes, edges and Sends are writes to control channels. A value that a commit stores anyway is not
    stored a second time as a write: there None stands for what the channel holds after that commit, and `b""` for the
    part that the commit appended to it (`TaskResult.child` names the commit).
    """

    channel: str
    data: bytes | None


class TaskResult(Struct, frozen=True, array_like=True, gc=False):
    """What came of one task of a superstep: its writes, or the text of its error.

    `path` names the task within its step and sorts results in task order. `node` is "" for the writes of a Command
    that was given as input. `child` is filled in by the checkpointer on reading: the checkpoint whose commit brought
    the result; None for one that was appended before its step was committed.
    """

    path: str
    node: str
    writes: tuple[ChannelData, ...] = ()
    error: str | None = None
    child: str | None = None


class Checkpoint(Struct, frozen=True, array_like=True, gc=False):
    """One state in a thread's history, without its channels.

    Attributes:
        id: sorts by time as text.
        parent_id: the checkpoint that this one was made from.
        version: how many commits led here.
        step: number of the superstep, -1 for the first input (LangGraph A11).
        next: nodes that run next by trigger; pending Sends are the content of the channel `__pregel_tasks`.
        ran: nodes of the last step that ran any node by trigger.
        metadata: scalars from the run's config, by name (LangGraph L4).
    """

    id: str
    parent_id: str | None
    version: int
    step: int
    source: Source
    next: tuple[str, ...]
    ran: tuple[str, ...]
    metadata: Mapping[str, Any]


class Commit(Struct, frozen=True, gc=False):
    """One superstep as one transaction.

    Attributes:
        head: the thread's newest checkpoint as the writer knows it; if it is not, nothing is committed.
        channels: the channels that the step changed, each as it is now.
        results: results of the step's tasks that were not appended before; they belong to the checkpoint's parent.
        appends: parts to put, in this order, behind what a channel holds: at the checkpoint's parent, or by `channels`
            if it is there too. Never behind nothing.
    """

    thread_id: str
    namespace: str
    checkpoint: Checkpoint
    head: str | None
    channels: tuple[ChannelData, ...]
    results: tuple[TaskResult, ...]
    appends: tuple[ChannelData, ...] = ()


class Stored(Struct, frozen=True):
    """A checkpoint as it is read back: every channel that has content, and what is known of the next step's tasks.

    Attributes:
        channels: what each channel held when it was last stored as a whole.
        results: in task order.
        head: the thread's newest checkpoint at the time of reading.
        appends: for channels that have any, the parts that were appended since, oldest first.
    """

    checkpoint: Checkpoint
    channels: Mapping[str, bytes]
    results: tuple[TaskResult, ...]
    head: str
    appends: Mapping[str, tuple[bytes, ...]] = {}
