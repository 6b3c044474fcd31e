"""State to records: what a commit stores of a step (LangGraph C4, K7).

`encode` turns one value into bytes; this module and `core.book` decide which values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, structs

from graphrt.channels import LastValue
from graphrt.channels.base import MISSING
from graphrt.checkpoint import ChannelData, TaskResult
from graphrt.constants import START
from graphrt.core.book import SMALL, Book, Entry
from graphrt.core.ids import path_text
from graphrt.core.plan import TASKS, Channel, Plan, arm_write
from graphrt.core.state import State, Task
from graphrt.errors import SerializationError
from graphrt.types import Send

__all__ = ["Recorded", "before_of", "names_of", "record_step", "result_record", "unstorable_input"]

Encode: TypeAlias = Callable[[Any], bytes]

_LAST_PART: bytes = b""
"""What a write says whose bytes are the part that the commit appends (`ChannelData`)."""


class Recorded(Struct, frozen=True):
    """What one commit changes: `channels` stored whole, `appends` in parts, `results` of its tasks."""

    channels: tuple[ChannelData, ...]
    appends: tuple[ChannelData, ...]
    results: tuple[TaskResult, ...]


def record_step(state: State, tasks: Iterable[Task], book: Book, encode: Encode) -> Recorded:
    """Records of the state's last commit and of the tasks whose results are not stored yet.

    Raises:
        SerializationError: a write cannot be stored; it names node, channel and path.
    """
    plan = state.plan
    names = plan.channel_names
    writers: dict[int, list[tuple[Task, Any]]] = {}
    for task in tasks:
        for i, value in task.writes:
            writers.setdefault(i, []).append((task, value))
    channels: list[ChannelData] = []
    appends: list[ChannelData] = []
    known: dict[int, bytes | None] = {}
    for i in dict.fromkeys(state.changed):  # a deferred channel is consumed and released in one commit
        if i in plan.untracked:
            continue
        channel = state.channels[i]
        content = channel.checkpoint()
        if content is MISSING:
            book.forget(i)
            channels.append(ChannelData(names[i], None))
            continue
        by = writers.get(i, ())
        try:
            entry = book.enter(i, channel, content, [value for _, value in by], encode)
        except SerializationError as error:
            raise _unstorable(error, names[i], by) from None
        if entry.data is not None:
            (appends if entry.part else channels).append(ChannelData(names[i], entry.data))
        if len(by) == 1:
            _refer(known, i, channel, entry)
    if state.sends_changed:
        sends = [_storable(plan, send) for send in state.sends] if plan.untracked else state.sends
        channels.append(ChannelData(TASKS, encode(sends) if sends else None))
    results = tuple([_result(plan, task, encode, known, path_text(task)) for task in tasks if not task.kept])
    return Recorded(tuple(channels), tuple(appends), results)


def _refer(known: dict[int, bytes | None], index: int, channel: Channel, entry: Entry) -> None:
    """Note how the result of a channel's only writer can do without bytes of its own."""
    if type(channel) is LastValue:
        small = entry.data is not None and not entry.part and len(entry.data) <= SMALL
        known[index] = entry.data if small else None
    elif entry.as_written and entry.data is not None:
        known[index] = entry.data if len(entry.data) <= SMALL else _LAST_PART


def result_record(plan: Plan, task: Task, encode: Encode, *, path: str | None = None) -> TaskResult:
    """A finished task's writes as a record of its own, for a step that is not committed yet.

    Args:
        path: the record's name within the step, if it is not the task's.

    Raises:
        SerializationError: a write cannot be stored; it names node, channel and path.
    """
    result = _result(plan, task, encode, {}, path_text(task) if path is None else path)
    sends: list[ChannelData] = []
    for send in task.sends or ():
        try:
            sends.append(ChannelData(TASKS, encode(_storable(plan, send))))
        except SerializationError as error:
            raise _unstorable(error, f"Send to {send.node}", ((task, send),)) from None
    return TaskResult(result.path, result.node, (*result.writes, *sends))


def _result(plan: Plan, task: Task, encode: Encode, known: dict[int, bytes | None], path: str) -> TaskResult:
    """Without the Sends: a commit has them in the content of `__pregel_tasks`, so that payloads are stored once."""
    names = plan.channel_names
    writes: list[ChannelData] = []
    for i, value in task.writes:
        if i in plan.untracked:
            continue
        try:
            writes.append(ChannelData(names[i], known[i] if i in known else encode(value)))
        except SerializationError as error:
            raise _unstorable(error, names[i], ((task, value),)) from None
    writes += task.node.arm_writes
    if task.arms:
        writes += [arm_write(plan.nodes[i]) for i in dict.fromkeys(task.arms) if i not in task.node.arms]
    writes += before_of(task)
    return TaskResult(path, task.node.name, tuple(writes))


def before_of(task: Task) -> tuple[ChannelData, ...]:
    """The questions that a task has asked in an earlier attempt: its history shows them (LangGraph N1)."""
    before: ChannelData | None = None if task.scope is None else task.scope.before
    return () if before is None else (before,)


def _unstorable(
    error: SerializationError, channel: str, by: Sequence[tuple[Task, Any]]
) -> SerializationError:
    if not by and channel == START:
        return unstorable_input(error)
    if len(by) == 1:
        what = f"Node {by[0][0].node.name!r} wrote a value to {channel!r} that cannot be stored"
    else:
        what = f"Channel {channel!r} holds a value that cannot be stored"
    return SerializationError(f"{what}: {error}", path=error.path, type_name=error.type_name)


def unstorable_input(error: SerializationError) -> SerializationError:
    """The error for a run whose input cannot be stored."""
    return SerializationError(
        f"The run's input holds a value that cannot be stored: {error}",
        path=error.path,
        type_name=error.type_name,
    )


def _storable(plan: Plan, send: Send) -> Send:
    """A Send without the keys of its argument that name untracked channels (LangGraph C4)."""
    arg = send.arg
    if not plan.untracked or not isinstance(send.arg, dict):
        return send
    hidden = {plan.channel_names[i] for i in plan.untracked}
    return structs.replace(send, arg={key: value for key, value in arg.items() if key not in hidden})


def names_of(plan: Plan, nodes: Sequence[int]) -> tuple[str, ...]:
    """The names of nodes given by index."""
    if len(nodes) == 1:
        return plan.alone[nodes[0]]
    return tuple([plan.nodes[i].name for i in nodes])
