"""Looking at threads: snapshots of their newest state and of their history (LangGraph N1-N4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from graphrt.checkpoint import Checkpointer, Stored
from graphrt.config import RunnableConfig
from graphrt.core.plan import Plan
from graphrt.core.report import select
from graphrt.core.snapshot import children_of, look_at
from graphrt.engine.publish import checkpoint_config, created_at, metadata_of
from graphrt.pregel.options import thread_of
from graphrt.types import StateSnapshot

if TYPE_CHECKING:
    from graphrt.serde import Serializer

__all__ = ["history_of", "state_of"]


async def state_of(
    plan: Plan, saver: Checkpointer, serializer: Serializer, config: RunnableConfig
) -> StateSnapshot:
    """The state of the thread or checkpoint that `config` names; an empty snapshot for an unknown thread."""
    thread = thread_of(config)
    configurable = config.get("configurable", {})
    namespace = str(configurable.get("checkpoint_ns") or "")
    checkpoint = configurable.get("checkpoint_id")
    stored = await saver.load(thread, namespace, checkpoint)
    if stored is None:
        return StateSnapshot({}, (), config, None, None, None, (), ())
    children = await _children(saver, thread, namespace, stored, None)
    return snapshot_of(plan, serializer, thread, namespace, stored, children, live=checkpoint is None)


async def history_of(
    plan: Plan,
    saver: Checkpointer,
    serializer: Serializer,
    config: RunnableConfig,
    *,
    filter: Mapping[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> AsyncIterator[StateSnapshot]:
    """A thread's snapshots, newest first."""
    thread = thread_of(config)
    namespace = str(config.get("configurable", {}).get("checkpoint_ns") or "")
    until = before.get("configurable", {}).get("checkpoint_id") if before is not None else None
    newer: Stored | None = None
    async for stored in saver.history(thread, namespace, filter=filter, before=until, limit=limit):
        children = await _children(saver, thread, namespace, stored, newer)
        yield snapshot_of(plan, serializer, thread, namespace, stored, children, live=False)
        newer = stored


async def _children(
    saver: Checkpointer, thread: str, namespace: str, stored: Stored, newer: Stored | None
) -> dict[str, Stored]:
    """The checkpoints that have what this one's results leave out; mostly that is the one just read."""
    found: dict[str, Stored] = {}
    for identity in children_of(stored):
        if newer is not None and newer.checkpoint.id == identity:
            found[identity] = newer
        elif (child := await saver.load(thread, namespace, identity)) is not None:
            found[identity] = child
    return found


def snapshot_of(
    plan: Plan,
    serializer: Serializer,
    thread: str,
    namespace: str,
    stored: Stored,
    children: Mapping[str, Stored],
    *,
    live: bool,
) -> StateSnapshot:
    """One stored checkpoint as users see it."""
    selection = select(plan, None, plan.stream)
    look = look_at(
        plan, stored, serializer.loads_grown_raw, selection, namespace=namespace, live=live, children=children
    )
    checkpoint = stored.checkpoint
    parent = checkpoint.parent_id
    return StateSnapshot(
        values=look.values,
        next=look.next,
        config=cast(RunnableConfig, checkpoint_config(thread, namespace, checkpoint.id)),
        metadata=metadata_of(checkpoint),
        created_at=created_at(checkpoint),
        parent_config=cast(RunnableConfig, checkpoint_config(thread, namespace, parent)) if parent else None,
        tasks=look.tasks,
        interrupts=(),
    )
