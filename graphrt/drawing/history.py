"""What a thread's history says of each node.

Known is what is stored. A checkpoint is made when a step is over, so that the time of a step is known, not that of a
task: of several tasks side by side each took at most so long, and storing is part of it. A step that waited for an
answer, or went on under another `run_id`, is not timed. One that was run again after it had failed, or after its
process had died, is timed from its first attempt: nothing stored tells it from a slow one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from graphrt.checkpoint import Checkpointer, ListsThreads, Stored, TaskResult, time_of
from graphrt.core.handled import ERROR_SOURCE
from graphrt.core.interrupts import INTERRUPT, PAUSED, is_answer
from graphrt.drawing.marks import Mark
from graphrt.errors import DeserializationError

__all__ = ["marks_of", "marks_of_thread"]

_SENDS = "__pregel_tasks"


async def marks_of_thread(saver: Checkpointer, thread_id: str, namespace: str = "") -> dict[str, Mark]:
    """Marks by the id that a node has in a picture with `xray=True`: those of graphs inside are `outer:name`.

    Nodes that did not run have none. Graphs inside are read if the checkpointer knows its threads.

    Example:
        >>> marks = await marks_of_thread(saver, "chat-1")
        >>> picture = graph.get_graph(xray=True).draw_svg(marks=marks)
    """
    marks = await _read(saver, thread_id, namespace)
    for inner in await _namespaces(saver, thread_id, namespace):
        below = inner.removeprefix(f"{namespace}|") if namespace else inner
        place = _names_in(below)
        around = marks.get(":".join(place))
        for name, mark in (await _read(saver, thread_id, inner)).items():
            id = ":".join((*place, name))
            if around is None or not around.state:  # it was left, in whatever state it was
                mark = _settled(mark)
            marks[id] = marks[id] + mark if id in marks else mark
    return marks


async def _read(saver: Checkpointer, thread_id: str, namespace: str) -> dict[str, Mark]:
    return marks_of([stored async for stored in saver.history(thread_id, namespace)])


async def _namespaces(saver: Checkpointer, thread_id: str, namespace: str) -> Sequence[str]:
    """Those of graphs inside, the outer ones first."""
    if not isinstance(saver, ListsThreads):
        return ()
    async for info in saver.athreads(prefix=thread_id, limit=1):
        if info.thread_id == thread_id:
            start = f"{namespace}|" if namespace else ""
            found = [n for n in info.namespaces if n and n != namespace and n.startswith(start)]
            return sorted(found, key=lambda n: (n.count("|"), n))
    return ()


def _names_in(namespace: str) -> tuple[str, ...]:
    return tuple(part.partition(":")[0] for part in namespace.split("|") if not part.isdigit())


def _settled(mark: Mark) -> Mark:
    return structs.replace(mark, state="", error="")


def marks_of(history: Iterable[Stored]) -> dict[str, Mark]:
    """Marks of one namespace, from its checkpoints, newest first; branches that the thread has left do not count."""
    marks: dict[str, Mark] = {}
    wanted: str | None = None
    child: Stored | None = None
    for stored in history:
        if wanted is not None and stored.checkpoint.id != wanted:
            continue
        for name, mark in _now(stored) if child is None else _step(stored, child):
            marks[name] = marks[name] + mark if name in marks else mark
        wanted, child = stored.checkpoint.parent_id, stored
        if wanted is None:
            break
    if child is not None and child.checkpoint.version > 1:
        for name in child.checkpoint.ran:  # the step before the oldest checkpoint there is
            marks[name] = marks.get(name, Mark()) + Mark(runs=1)
        marks = {name: mark + Mark(at_least=True) for name, mark in marks.items()}
    return marks


def _tasks(stored: Stored) -> list[TaskResult]:
    return [result for result in stored.results if result.node and not is_answer(result)]


def _step(stored: Stored, child: Stored) -> Iterable[tuple[str, Mark]]:
    """The step from one checkpoint to the next."""
    made_here = (None, child.checkpoint.id) if child.checkpoint.source == "loop" else (None,)  # no edits
    done = [result for result in _tasks(stored) if result.error is None and result.child in made_here]
    seconds = _seconds(stored, child)
    for result in _tasks(stored):
        if result.error is not None and any(write.channel == ERROR_SOURCE for write in result.writes):
            yield result.node, Mark(failures=1)
    for result in done:
        if seconds is None:
            yield result.node, Mark(runs=1)
        else:
            yield result.node, Mark(runs=1, seconds=seconds, timed=1, at_most=len(done) > 1)


def _seconds(stored: Stored, child: Stored) -> float | None:
    if child.checkpoint.source != "loop" or any(map(_waited, stored.results)):
        return None
    runs = [checkpoint.metadata.get("run_id") for checkpoint in (stored.checkpoint, child.checkpoint)]
    began, ended = time_of(stored.checkpoint.id), time_of(child.checkpoint.id)
    if began is None or ended is None or runs[0] != runs[1]:
        return None
    return max((ended - began).total_seconds(), 0.0)


def _waited(result: TaskResult) -> bool:
    """Whether this is an answer, or the result of a task that had asked."""
    return is_answer(result) or any(write.channel == INTERRUPT for write in result.writes)


def _now(stored: Stored) -> Iterable[tuple[str, Mark]]:
    """The newest checkpoint: what has come of the step that starts there, and what is due."""
    told: set[str] = set()
    for result in _tasks(stored):
        if result.child is not None:  # of a branch that was left
            continue
        told.add(result.node)
        if result.error is None:
            yield result.node, Mark(runs=1)
        elif result.error == PAUSED:
            yield result.node, Mark(state="waiting")
        else:
            yield result.node, Mark(state="failed", error=result.error)
    for name in (*stored.checkpoint.next, *_sent(stored)):
        if name not in told:
            yield name, Mark(state="next")


def _sent(stored: Stored) -> list[str]:
    """Nodes that Sends wait for; what cannot be read, as it is encrypted or damaged, is not shown."""
    if _SENDS not in stored.channels:
        return []
    from graphrt.serde import Serializer  # 20 ms

    try:
        sends: Any = Serializer().loads_grown_raw(stored.channels[_SENDS], stored.appends.get(_SENDS, ()))
    except DeserializationError:
        return []
    return [node for send in sends if isinstance(node := getattr(send, "node", None), str)]
