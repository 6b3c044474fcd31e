"""State to records and back: what a commit stores, what stored records stand for (LangGraph K7, L, N1-N3).

`encode` and `decode` turn one value into bytes and back; this module decides which values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from graphrt.channels import LastValue
from graphrt.channels.base import MISSING
from graphrt.checkpoint import ChannelData, Stored, TaskResult
from graphrt.core.commit import commit, commit_null
from graphrt.core.ids import path_text, task_id
from graphrt.core.plan import BRANCH_TO, NULL_NODE, TASKS, Plan, arm_write
from graphrt.core.planning import plan_step
from graphrt.core.report import Selection, result_of, values_of
from graphrt.core.state import State, Task, TaskOwner
from graphrt.errors import GraphValidationError, SerializationError, did_you_mean
from graphrt.types import PregelTask, Send

__all__ = ["Look", "adopt", "adopted", "changed_channels", "look_at", "names_of", "restore", "result_record"]

Encode: TypeAlias = Callable[[Any], bytes]
Decode: TypeAlias = Callable[[bytes], Any]


def result_record(
    plan: Plan,
    task: Task,
    encode: Encode,
    blobs: dict[int, bytes],
    *,
    sends: bool = True,
    path: str | None = None,
) -> TaskResult:
    """A finished task's writes as a record; `blobs` collects the bytes by channel for `changed_channels`.

    Args:
        sends: keep the Sends too. The commit of the step has them in the content of `__pregel_tasks`, so that payloads
            are stored once; a result that is kept before the commit needs them itself.
        path: the record's name within the step, if it is not the task's.

    Raises:
        SerializationError: a write cannot be stored; it names node, channel and path.
    """
    names = plan.channel_names
    writes: list[ChannelData] = []
    for i, value in task.writes:
        if i in plan.untracked:
            continue
        try:
            data = blobs[i] = encode(value)
        except SerializationError as error:
            raise _located(error, task, names[i]) from None
        writes.append(ChannelData(names[i], data))
    writes += task.node.arm_writes
    if task.arms:
        writes += [arm_write(plan.nodes[i]) for i in dict.fromkeys(task.arms) if i not in task.node.arms]
    for send in (task.sends or ()) if sends else ():
        try:
            writes.append(ChannelData(TASKS, encode(_storable(plan, send))))
        except SerializationError as error:
            raise _located(error, task, f"Send to {send.node}") from None
    return TaskResult(path_text(task) if path is None else path, task.node.name, tuple(writes))


def _located(error: SerializationError, task: Task, channel: str) -> SerializationError:
    return SerializationError(
        f"Node {task.node.name!r} wrote a value to {channel!r} that cannot be stored: {error}",
        path=error.path,
        type_name=error.type_name,
    )


def changed_channels(state: State, encode: Encode, blobs: Mapping[int, bytes]) -> tuple[ChannelData, ...]:
    """What the last commit changed, as records. `blobs` has bytes of values that were just encoded."""
    names = state.plan.channel_names
    channels = state.channels
    data: list[ChannelData] = []
    for i in state.changed:
        channel = channels[i]
        if i in blobs and type(channel) is LastValue:
            data.append(ChannelData(names[i], blobs[i]))
            continue
        content = channel.checkpoint()
        data.append(ChannelData(names[i], None if content is MISSING else encode(content)))
    if state.sends_changed:
        sends = [_storable(state.plan, send) for send in state.sends] if state.plan.untracked else state.sends
        data.append(ChannelData(TASKS, encode(sends) if sends else None))
    return tuple(data)


def _storable(plan: Plan, send: Send) -> Send:
    """A Send without the keys of its argument that name untracked channels (LangGraph C4)."""
    arg = send.arg
    if not plan.untracked or not isinstance(send.arg, dict):
        return send
    hidden = {plan.channel_names[i] for i in plan.untracked}
    return Send(send.node, {key: value for key, value in arg.items() if key not in hidden})


def restore(plan: Plan, stored: Stored, decode: Decode, *, running: bool) -> State:
    """The state that a stored checkpoint stands for.

    Raises:
        GraphValidationError: `running` it is impossible, as the checkpoint waits for a node that the graph lost.
        DeserializationError: its bytes are damaged or of an unknown type.
    """
    checkpoint = stored.checkpoint
    channels = [
        prototype.from_checkpoint(decode(data))
        if (data := stored.channels.get(name)) is not None
        else prototype.fresh()
        for name, prototype in zip(plan.channel_names, plan.channels, strict=True)
    ]
    state = State(plan, channels, [{} for _ in plan.views])
    state.show_all()
    state.version = checkpoint.version
    state.armed = sorted(_indexes(plan, checkpoint.next, running=running))
    state.ran = tuple(_indexes(plan, checkpoint.ran, running=False))
    if (sends := stored.channels.get(TASKS)) is not None:
        state.sends = [send for send in decode(sends) if running or send.node in plan.targets]
    return state


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


def adopt(plan: Plan, task: Task, result: TaskResult, decode: Decode, *, running: bool = True) -> None:
    """Take over the writes that an earlier attempt at this step finished with (LangGraph K7).

    Raises:
        UnknownTargetError: they lead to a node that the graph lost, and the step is `running` again.
    """
    task.kept = task.restored = True
    for write in result.writes:
        if write.data is None:
            continue
        if write.channel == TASKS:
            send = decode(write.data)
            if running or send.node in plan.targets:
                task.go(plan, send)
        elif (i := plan.channel_index.get(write.channel)) is not None:
            task.writes.append((i, decode(write.data)))
        elif write.channel.startswith(BRANCH_TO):
            name = write.channel.removeprefix(BRANCH_TO)
            if running or name in plan.targets:
                task.go(plan, name)


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
    plan: Plan, stored: Stored, decode: Decode, selection: Selection, *, namespace: str, live: bool
) -> Look:
    """Read a checkpoint without running anything.

    Args:
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
            adopt(plan, task, found, decode, running=False)
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


def names_of(plan: Plan, nodes: Sequence[int]) -> tuple[str, ...]:
    """The names of nodes given by index."""
    if len(nodes) == 1:
        return plan.alone[nodes[0]]
    return tuple([plan.nodes[i].name for i in nodes])
