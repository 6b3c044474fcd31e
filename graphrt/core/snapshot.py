"""Records to state: what a stored checkpoint stands for, what it shows (LangGraph K7, L, N1-N3).

`decode` turns stored bytes, a value and the parts behind it, into a value. The other direction is `core.recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from graphrt.checkpoint import ChannelData, Stored, TaskResult
from graphrt.core.book import Book
from graphrt.core.commit import commit, commit_null
from graphrt.core.ids import path_text, task_id
from graphrt.core.plan import BRANCH_TO, NULL_NODE, TASKS, Channel, Plan
from graphrt.core.planning import plan_step
from graphrt.core.report import Selection, result_of, values_of
from graphrt.core.state import State, Task, TaskOwner
from graphrt.errors import DeserializationError, GraphError, GraphValidationError, did_you_mean
from graphrt.types import PregelTask, Send

__all__ = ["Look", "adopt", "adopted", "children_of", "look_at", "restore"]

Decode: TypeAlias = Callable[[bytes, Sequence[bytes]], Any]


def restore(plan: Plan, stored: Stored, decode: Decode, *, running: bool, book: Book | None = None) -> State:
    """The state that a stored checkpoint stands for.

    Args:
        book: learns what is stored of it.

    Raises:
        GraphValidationError: `running` it is impossible, as the checkpoint waits for a node that the graph lost.
        DeserializationError: its bytes are damaged or of an unknown type.
    """
    checkpoint = stored.checkpoint
    channels = [prototype.fresh() for prototype in plan.channels]
    for name, data in stored.channels.items():
        i = plan.channel_index.get(name)
        if i is None:
            continue
        parts = stored.appends.get(name, ())
        content = decode(data, parts)
        if book is not None:
            book.learn(i, content, size=len(data) + sum(map(len, parts)), parts=len(parts))
        channels[i] = _channel_with(plan, i, content)
    state = State(plan, channels, [{} for _ in plan.views])
    state.show_all()
    state.version = checkpoint.version
    state.armed = sorted(_indexes(plan, checkpoint.next, running=running))
    state.ran = tuple(_indexes(plan, checkpoint.ran, running=False))
    if (sends := stored.channels.get(TASKS)) is not None:
        state.sends = [send for send in _sends(decode(sends, ())) if running or send.node in plan.targets]
    return state


def _channel_with(plan: Plan, index: int, content: Any) -> Channel:
    try:
        return plan.channels[index].from_checkpoint(content)
    except GraphError:
        raise
    except Exception as error:  # damaged, or another kind of channel stored it under this name
        raise DeserializationError(
            f"Channel {plan.channel_names[index]!r} of graph {plan.name!r} cannot hold what is stored for it, a "
            f"{type(content).__name__}: {error}"
        ) from error


def _sends(content: Any) -> list[Send]:
    """Stored Sends, if they are that."""
    if type(content) is not list:
        raise DeserializationError(f"Stored Sends are damaged: they are a {type(content).__name__}")
    return [_send(item) for item in content]  # pyright: ignore[reportUnknownVariableType]


def _send(content: Any) -> Send:
    """A stored Send, if it is that."""
    if type(content) is not Send or type(content.node) is not str:
        raise DeserializationError(f"A stored Send is damaged: it is a {type(content).__name__}")
    return content


def _indexes(plan: Plan, names: Iterable[str], *, running: bool) -> list[int]:
    found: list[int] = []
    for name in names:
        index = plan.node_index.get(name)
        if index is not None:
            found.append(index)
        elif running and plan.strict:
            raise GraphValidationError(
                f"The thread waits for node {name!r}, which graph {plan.name!r} does not have any more."
                f"{did_you_mean(name, plan.node_index)} Give the node back, or compile with strict=False to drop it."
            )
    return found


def adopt(
    plan: Plan,
    task: Task,
    result: TaskResult,
    decode: Decode,
    *,
    running: bool = True,
    child: Stored | None = None,
) -> None:
    """Take over the writes that an earlier attempt at this step finished with (LangGraph K7).

    Args:
        child: the checkpoint whose commit brought the result; it has the bytes that the result does without.

    Raises:
        UnknownTargetError: they lead to a node that the graph lost, and the step is `running` again.
    """
    task.kept = task.restored = True
    for write in result.writes:
        found = _found(write, child) if not write.data else (write.data, ())
        if found is None:
            continue
        if write.channel == TASKS:
            send = _send(decode(*found))
            if running or send.node in plan.targets:
                task.go(plan, send)
        elif (i := plan.channel_index.get(write.channel)) is not None:
            task.writes.append((i, decode(*found)))
        elif write.channel.startswith(BRANCH_TO):
            name = write.channel.removeprefix(BRANCH_TO)
            if running or name in plan.targets:
                task.go(plan, name)


def _found(write: ChannelData, child: Stored | None) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The bytes that stand for a write without any of its own (`ChannelData`); None if they are gone."""
    if child is None or write.channel not in child.channels:
        return None
    parts = child.appends.get(write.channel, ())
    if write.data is None:
        return child.channels[write.channel], parts
    return (parts[-1], ()) if parts else None


def children_of(stored: Stored) -> set[str]:
    """The checkpoints that have bytes of this one's results."""
    return {
        result.child
        for result in stored.results
        if result.child is not None and not all(write.data for write in result.writes)
    }


def adopted(
    plan: Plan, result: TaskResult, decode: Decode, owner: TaskOwner | None, *, running: bool = True
) -> Task:
    """The pseudo-task of a Command that was given as input to a step that is not finished (LangGraph H8)."""
    task = Task(NULL_NODE, None, owner, 0)
    adopt(plan, task, result, decode, running=running)
    return task


class Look:
    """What a stored checkpoint shows: its values, its tasks and which of them are still to do."""

    __slots__ = ("next", "tasks", "values")

    def __init__(self, values: Any, next_: tuple[str, ...], tasks: tuple[PregelTask, ...]) -> None:
        self.values = values
        self.next = next_
        self.tasks = tasks


def look_at(
    plan: Plan,
    stored: Stored,
    decode: Decode,
    selection: Selection,
    *,
    namespace: str,
    live: bool,
    children: Mapping[str, Stored] = MappingProxyType({}),
) -> Look:
    """Read a checkpoint without running anything.

    Args:
        children: the checkpoints that `children_of` names, as far as they are still there.
        live: show the thread as it is now, with what tasks of an unfinished step have written; otherwise show the
            checkpoint as the step found it (LangGraph N1).
    """
    state = restore(plan, stored, decode, running=False)
    for result in stored.results:
        if not result.node:
            commit_null(state, adopted(plan, result, decode, None, running=False))
    tasks = plan_step(state, None)
    known = {result.path: result for result in stored.results}
    shown: list[PregelTask] = []
    finished: list[Task] = []
    for task in tasks:
        identity = task_id(
            task, checkpoint=stored.checkpoint.id, namespace=namespace, step=stored.checkpoint.step + 1
        )
        found = known.get(path_text(task))
        if found is not None and found.error is None:
            adopt(plan, task, found, decode, running=False, child=children.get(found.child or ""))
            finished.append(task)
        shown.append(_show(task, identity, found, selection))
    pending = tuple(t.node.name for t in tasks if not (live and t.restored))
    if live and finished:
        commit(state, finished)
    return Look(values_of(state, selection), pending, tuple(shown))


def _show(task: Task, identity: str, result: TaskResult | None, selection: Selection) -> PregelTask:
    return PregelTask(
        id=identity,
        name=task.node.name,
        path=task.path,
        error=result.error if result is not None else None,
        result=result_of(task, selection) if task.restored else None,
    )
