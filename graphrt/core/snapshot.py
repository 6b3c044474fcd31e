"""Records to state: what a stored checkpoint stands for (LangGraph K7, L).

`decode` turns stored bytes, a value and the parts behind it, into a value. The other direction is `core.recording`;
what a checkpoint shows to users is found in `core.looking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from graphrt.checkpoint import CHILDREN, PARENTS, ChannelData, Stored, TaskResult
from graphrt.core.book import Book
from graphrt.core.plan import BRANCH_TO, NULL_NODE, TASKS, Channel, Plan
from graphrt.core.state import State, Task, TaskOwner
from graphrt.errors import DeserializationError, GraphError, GraphValidationError, did_you_mean
from graphrt.types import Send

__all__ = ["CHILDREN", "PARENTS", "Decode", "adopt", "adopted", "bytes_of", "channel_with", "indexes_of", "restore",
           "sends_of"]  # fmt: skip

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
        channels[i] = channel_with(plan, i, content)
    state = State(plan, channels, [{} for _ in plan.views])
    state.show_all()
    state.version = checkpoint.version
    state.armed = sorted(indexes_of(plan, checkpoint.next, running=running))
    state.ran = tuple(indexes_of(plan, checkpoint.ran, running=False))
    if (sends := stored.channels.get(TASKS)) is not None:
        state.sends = sends_of(plan, decode(sends, ()), running=running)
    return state


def channel_with(plan: Plan, index: int, content: Any) -> Channel:
    """A channel that holds what is stored of it.

    Raises:
        DeserializationError: it cannot hold that.
    """
    try:
        return plan.channels[index].from_checkpoint(content)
    except GraphError:
        raise
    except Exception as error:  # damaged, or another kind of channel stored it under this name
        raise DeserializationError(
            f"Channel {plan.channel_names[index]!r} of graph {plan.name!r} cannot hold what is stored for it, a "
            f"{type(content).__name__}: {error}"
        ) from error


def sends_of(plan: Plan, content: Any, *, running: bool) -> list[Send]:
    """Stored Sends; without `running` only those to nodes that the graph has.

    Raises:
        DeserializationError: they are something else.
    """
    if type(content) is not list:
        raise DeserializationError(f"Stored Sends are damaged: they are a {type(content).__name__}")
    sends = map(_send, content)  # pyright: ignore[reportUnknownArgumentType]
    return [send for send in sends if running or send.node in plan.targets]


def _send(content: Any) -> Send:
    """A stored Send, if it is that."""
    if type(content) is not Send or type(content.node) is not str:
        raise DeserializationError(f"A stored Send is damaged: it is a {type(content).__name__}")
    return content


def indexes_of(plan: Plan, names: Iterable[str], *, running: bool) -> list[int]:
    """Nodes by their stored names.

    Raises:
        GraphValidationError: `running` is impossible without one that the graph lost.
    """
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
        found = bytes_of(write, child) if not write.data else (write.data, ())
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


def bytes_of(write: ChannelData, child: Stored | None) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The bytes that stand for a write without any of its own (`ChannelData`); None if they are gone."""
    if child is None or write.channel not in child.channels:
        return None
    parts = child.appends.get(write.channel, ())
    if write.data is None:
        return child.channels[write.channel], parts
    return (parts[-1], ()) if parts else None


def adopted(
    plan: Plan, result: TaskResult, decode: Decode, owner: TaskOwner | None, *, running: bool = True
) -> Task:
    """The pseudo-task of a Command that was given as input to a step that is not finished (LangGraph H8)."""
    task = Task(NULL_NODE, None, owner, 0)
    adopt(plan, task, result, decode, running=running)
    return task
