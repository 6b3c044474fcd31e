"""Snapshots from what is stored, those of graphs inside included (LangGraph N1-N4, M4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from graphrt.checkpoint import Checkpointer, Stored
from graphrt.config import RunnableConfig
from graphrt.core.ids import lasting
from graphrt.core.looking import Onlooker
from graphrt.core.outcomes import ElsewhereError
from graphrt.core.snapshot import CHILDREN, PARENTS
from graphrt.types import PregelTask, StateSnapshot

if TYPE_CHECKING:
    from graphrt.pregel.threads import Threads

__all__ = ["Reader"]


class Reader:
    """One graph's look at one namespace of a thread."""

    __slots__ = ("_graph", "_namespace", "_onlooker", "_saver", "_thread")

    def __init__(self, graph: Threads, saver: Checkpointer, thread: str, namespace: str) -> None:
        self._graph = graph
        self._saver = saver
        self._thread = thread
        self._namespace = namespace
        serializer = graph.serializer
        self._onlooker = Onlooker(
            graph.sight,
            serializer.rereader().read,
            serializer.loads_grown_raw,
            serializer.loads_raw,
            thread=thread,
            namespace=namespace,
            nested=graph.inside,
        )

    async def state(
        self, checkpoint: str | None, *, subgraphs: bool, otherwise: RunnableConfig
    ) -> StateSnapshot:
        """The newest state, or the one at a checkpoint; an empty one with the config `otherwise` if there is none."""
        stored = await self._load(checkpoint)
        if stored is None:
            return _nothing(otherwise)
        return await self._snapshot(stored, live=checkpoint is None, subgraphs=subgraphs)

    async def history(
        self, *, filter: Mapping[str, Any] | None, before: str | None, limit: int | None
    ) -> AsyncIterator[StateSnapshot]:
        """All states, newest first."""
        look, nested = self._onlooker.look, bool(self._graph.inside)
        async for stored in self._saver.history(
            self._thread, self._namespace, filter=filter, before=before, limit=limit
        ):
            try:
                snapshot = look(stored)
            except ElsewhereError:
                snapshot = await self._look(stored, live=False)
            yield snapshot if not nested else await self._with_states(snapshot, stored, subgraphs=False)

    async def _load(self, checkpoint: str | None = None) -> Stored | None:
        return await self._saver.load(self._thread, self._namespace, checkpoint)

    async def _snapshot(self, stored: Stored, *, live: bool, subgraphs: bool) -> StateSnapshot:
        """One stored checkpoint as users see it."""
        return await self._with_states(await self._look(stored, live=live), stored, subgraphs=subgraphs)

    async def _look(self, stored: Stored, *, live: bool) -> StateSnapshot:
        """What a checkpoint shows, with the help of those that have bytes which its results leave out."""
        onlooker = self._onlooker
        while True:
            try:
                return onlooker.look(stored, live=live)
            except ElsewhereError as needed:
                onlooker.outcomes.fetched[needed.checkpoint] = await self._load(needed.checkpoint)

    # -- graphs inside -------------------------------------------------------------------------------------------

    async def _with_states(
        self, snapshot: StateSnapshot, stored: Stored, *, subgraphs: bool
    ) -> StateSnapshot:
        tasks = snapshot.tasks
        if all(task.state is None for task in tasks):
            return snapshot
        tasks = tuple([await self._with_state(task, stored, subgraphs=subgraphs) for task in tasks])
        return snapshot._replace(tasks=tasks)

    async def _with_state(self, task: PregelTask, stored: Stored, *, subgraphs: bool) -> PregelTask:
        """The task with the config of the graph inside it, or with that one's snapshot."""
        if task.state is None:
            return task
        graph = self._graph.inside[task.name]
        namespace = _lasting(task) if graph.checkpointer is True else task.state
        config = cast(
            RunnableConfig, {"configurable": {"thread_id": self._thread, "checkpoint_ns": namespace}}
        )
        if not subgraphs:
            return task._replace(state=config)
        reader = Reader(graph, self._saver, self._thread, namespace)
        return task._replace(state=await reader._within(self, stored, config))

    async def _within(self, around: Reader, parent: Stored, otherwise: RunnableConfig) -> StateSnapshot:
        """The state of this graph as the one around it finds it at a checkpoint of its own.

        That is the newest one of the run that began there: mostly the head, but after a fork another run may have
        taken the same place. A graph that keeps its state has one before that run, too.
        """
        stored = head = await self._load()
        if head is not None and not self._began_at(head, around, parent):
            stored = None
            if self._graph.checkpointer is True:
                stored = await self._memory(head, self._noted(parent, CHILDREN).get(self._namespace), parent)
            async for older in self._saver.history(self._thread, self._namespace):
                if self._began_at(older, around, parent):
                    stored = older
                    break
        if stored is None or head is None:
            return _nothing(otherwise)
        live = stored.checkpoint.id == head.checkpoint.id
        return await self._snapshot(stored, live=live, subgraphs=True)

    async def _memory(self, head: Stored, at: str | None, parent: Stored) -> Stored | None:
        """What a graph that keeps its state would go on from: what was noted for it, or what an edit has made of it."""
        noted = head if head.checkpoint.id == at else await self._load(at) if at is not None else None
        edited = head.checkpoint.source == "update" and parent.checkpoint.id == parent.head
        if edited and self._noted(head, PARENTS) == (
            self._noted(noted, PARENTS) if noted is not None else {}
        ):
            return head
        return noted

    def _began_at(self, stored: Stored, around: Reader, parent: Stored) -> bool:
        return self._noted(stored, PARENTS).get(around._namespace) == parent.checkpoint.id

    def _noted(self, stored: Stored, channel: str) -> dict[str, str]:
        data = stored.channels.get(channel)
        if data is None:
            return {}
        content: dict[str, str] = self._graph.serializer.loads(data)
        return content


def _nothing(config: RunnableConfig) -> StateSnapshot:
    return StateSnapshot({}, (), config, None, None, None, (), ())


def _lasting(task: PregelTask) -> str:
    """Where a graph stores that keeps its state, if the task is that graph (`graphrt.engine.places`)."""
    _, index, *_ = (*task.path, 0)
    return f"{lasting(task.state)}|{index}|0" if type(index) is int and index > 0 else lasting(task.state)
