"""A thread is copied by reading and committing it again: for stored bytes that are good in one place only.

The commits that led to a thread follow from its history: each holds what a checkpoint has and its parent has not. So a
copy takes as much space as the original, and forks stay forks.

Namespaces need each other (`graphrt.checkpoint.nesting`). How far to copy is looked up from the outside in, then they
are copied from the inside out: whatever a copied checkpoint names had been made by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import Struct
from msgspec.structs import replace

from checkpointers.refusals import target_exists
from graphrt.checkpoint import ChannelData, Checkpointer, Commit, ListsThreads, Stored, TaskResult, ThreadInfo
from graphrt.checkpoint.nesting import parts_of
from graphrt.errors import ThreadConflict

__all__ = ["copy_thread"]


class _Made(Struct):
    """One checkpoint of a history, and what its commit must have held."""

    stored: Stored
    channels: list[ChannelData]
    appends: list[ChannelData]


async def copy_thread(source: Checkpointer, target: Checkpointer, thread_id: str, new_id: str) -> int:
    """Copy a thread within a checkpointer or into another one, with its checkpoint ids, results and forks.

    The source must be able to list threads (`ListsThreads`), as that is how its namespaces are known. A run that goes
    on with the source meanwhile does no harm: the copy ends before or after any of its commits. If copying fails, what
    was copied is deleted; if the process dies, a part of the thread is left in the target.

    Returns how many checkpoints were copied.

    Raises:
        ThreadConflict: the target has such a thread already.
    """
    if not isinstance(source, ListsThreads):
        raise TypeError(f"{type(source).__name__} does not list threads, so their namespaces are not known")
    info = await _find(source, thread_id)
    if info is None:
        return 0
    there = await _find(target, new_id) if isinstance(target, ListsThreads) else await target.load(new_id)
    if there is not None:
        raise target_exists(thread_id, new_id, there.head)
    try:
        count = 0
        # The graph itself last: a thread without it is seen to be unfinished.
        for namespace, head in reversed(await _heads(source, info)):
            made = await _commits(source.history(thread_id, namespace), head)
            await _commit(target, new_id, namespace, made)
            count += len(made)
        return count
    except ThreadConflict:
        raise  # somebody else has begun such a thread
    except BaseException:
        await target.adelete_thread(new_id)
        raise


async def _find(saver: ListsThreads, thread_id: str) -> ThreadInfo | None:
    async for info in saver.athreads(prefix=thread_id, limit=1):
        return info if info.thread_id == thread_id else None
    return None


async def _heads(source: Checkpointer, info: ThreadInfo) -> list[tuple[str, str]]:
    """Where a thread stands in each namespace, outer ones first."""
    heads: list[tuple[str, str]] = []
    for namespace in sorted(info.namespaces, key=parts_of):
        stored = await source.load(info.thread_id, namespace)
        if stored is not None:  # else it was forgotten meanwhile
            heads.append((namespace, stored.head))
    return heads


async def _commit(target: Checkpointer, new_id: str, namespace: str, made: list[_Made]) -> None:
    brought: dict[str, list[TaskResult]] = {}
    head: str | None = None
    for step in made:
        stored = step.stored
        record = stored.checkpoint
        channels, appends = tuple(step.channels), tuple(step.appends)
        results = tuple(brought.pop(record.id, ()))
        await target.commit(Commit(new_id, namespace, record, head, channels, results, appends))
        head = record.id
        kept: list[TaskResult] = []
        for result in stored.results:
            if result.child is None:
                kept.append(result)
            else:
                brought.setdefault(result.child, []).append(replace(result, child=None))
        if kept:
            await target.append_results(new_id, namespace, head, kept)


async def _commits(history: AsyncIterator[Stored], head: str) -> list[_Made]:
    """What made a history up to a head, oldest first. Whole states are held only until their parent has been read."""
    made: list[_Made] = []
    waiting: dict[str, list[_Made]] = {}
    async for stored in history:
        if stored.checkpoint.id > head:
            continue
        step = _Made(stored, [], [])
        for child in waiting.pop(stored.checkpoint.id, ()):
            _subtract(child, stored)
        made.append(step)
        if stored.checkpoint.parent_id is None:
            _subtract(step, None)
        else:
            waiting.setdefault(stored.checkpoint.parent_id, []).append(step)
    for orphan in (
        step for steps in waiting.values() for step in steps
    ):  # its parent was forgotten meanwhile
        record = replace(orphan.stored.checkpoint, parent_id=None)
        orphan.stored = replace(orphan.stored, checkpoint=record)
        _subtract(orphan, None)
    made.reverse()
    return made


def _subtract(step: _Made, parent: Stored | None) -> None:
    """Find what a commit changed, and let go of the rest."""
    stored = step.stored
    before = parent or replace(stored, channels={}, appends={})
    for name, data in stored.channels.items():
        parts, old = stored.appends.get(name, ()), before.appends.get(name, ())
        if before.channels.get(name) == data and parts[: len(old)] == old:
            parts = parts[len(old) :]
        else:
            step.channels.append(ChannelData(name, data))
        step.appends += [ChannelData(name, part) for part in parts]
    step.channels += [ChannelData(name, None) for name in before.channels if name not in stored.channels]
    step.stored = replace(stored, channels={}, appends={})
