"""Looking at threads: the state methods that read, and which graphs there are inside (LangGraph N1-N4, N10, M5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphrt.checkpoint import Checkpointer
from graphrt.config import RunnableConfig, merge_configs
from graphrt.core.ids import NS_END, NS_SEP, lasting
from graphrt.core.plan import Plan
from graphrt.core.sight import Sight
from graphrt.engine.door import drive
from graphrt.errors import GraphValidationError
from graphrt.pregel.options import thread_of
from graphrt.pregel.snapshots import Reader
from graphrt.pregel.subgraphs import reachable
from graphrt.types import StateSnapshot

if TYPE_CHECKING:
    from graphrt.serde import Serializer
    from graphrt.store.base import BaseStore

__all__ = ["Threads", "names_in"]


class Threads:
    """What a compiled graph can tell of its threads without running."""

    plan: Plan
    checkpointer: Checkpointer | bool | None
    config: RunnableConfig | None
    store: BaseStore | None = None
    _schemas: Sequence[Any]
    _serializer: Serializer | None = None
    _inside: dict[str, Threads] | None = None
    _sight: Sight | None = None

    @property
    def serializer(self) -> Serializer:
        """Turns this graph's values into bytes and back; it knows the types that the schemas mention."""
        if self._serializer is None:
            from graphrt.serde import Serializer, TypeRegistry  # 20 ms, for graphs that store something

            registry = TypeRegistry()
            for schema in self._schemas:
                registry.register_schema(schema)
            self._serializer = Serializer(registry)
        return self._serializer

    @property
    def sight(self) -> Sight:
        """What its snapshots have in common."""
        if self._sight is None:
            self._sight = Sight.of(self.plan)
        return self._sight

    # -- graphs inside -------------------------------------------------------------------------------------------

    @property
    def inside(self) -> Mapping[str, Threads]:
        """The graph that each node is or calls, by the node's name; looked for when somebody first asks."""
        if self._inside is None:
            self._inside = {}
            for node in self.plan.nodes:
                graph = _graph_of(node.call) if node.call is not None else None
                if graph is not None:
                    self._inside[node.name] = graph
        return self._inside

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, Any]]:
        """The graphs inside this one, as (name of the node, graph), in the order of the nodes' names.

        A graph is found if it is a node, or if a node's function encloses it, names it as a global, or reads it as
        an attribute of something it encloses or names; of several in one node the first is. Graphs with
        `checkpointer=False` are not listed.

        Args:
            namespace: only the graph with this name; names of graphs inside graphs are `outer|inner`.
            recurse: those inside of these as well.
        """
        for name, graph in self.inside.items():
            if namespace is None or namespace == name:
                yield name, graph
            if recurse and namespace != name:
                below = namespace.removeprefix(name + NS_SEP) if namespace is not None else None
                if namespace is None or below != namespace:
                    for inner, found in graph.get_subgraphs(namespace=below, recurse=True):
                        yield name + NS_SEP + inner, found

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, Any]]:
        """`get_subgraphs`, for symmetry: nothing is waited for."""
        for found in self.get_subgraphs(namespace=namespace, recurse=recurse):
            yield found

    def _addressed(self, config: RunnableConfig) -> tuple[Threads | None, str]:
        """The graph whose namespace a config names, and where that is stored; None if there is none such inside."""
        namespace = str(config.get("configurable", {}).get("checkpoint_ns") or "")
        if not namespace:
            return self, ""
        for _, graph in self.get_subgraphs(namespace=names_in(namespace), recurse=True):
            return graph, lasting(namespace) if graph.checkpointer is True else namespace
        return None, namespace

    # -- states --------------------------------------------------------------------------------------------------

    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """The thread's state now, or at the checkpoint that `config` names.

        Args:
            config: a `checkpoint_ns`, as `tasks` of a snapshot shows it, asks for a graph inside this one.
            subgraphs: show the states of graphs that run inside in `tasks`, instead of the configs to ask for them.

        Raises:
            GraphValidationError: the graph has no checkpointer, or the config names no thread.
        """
        full = merge_configs(self.config, config)
        checkpoint = full.get("configurable", {}).get("checkpoint_id")
        return await self._reader(full).state(checkpoint, subgraphs=subgraphs, otherwise=full)

    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """`aget_state` from a thread without a running event loop.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `aget_state` raises.
        """
        return drive(self.aget_state(config, subgraphs=subgraphs), "get_state")

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: Mapping[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """The thread's states, newest first.

        Args:
            config: as of `aget_state`.
            filter: metadata that a state must have, such as `{"source": "input"}`.
            before: only states older than the checkpoint that this config names.
            limit: at most so many.

        Raises:
            GraphValidationError: the graph has no checkpointer, or the config names no thread.
        """
        reader = self._reader(merge_configs(self.config, config))
        until = before.get("configurable", {}).get("checkpoint_id") if before is not None else None
        async for snapshot in reader.history(filter=filter, before=until, limit=limit):
            yield snapshot

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: Mapping[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """`aget_state_history` from a thread without a running event loop; reads all of it before it returns.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `aget_state_history` raises.
        """

        async def collect() -> list[StateSnapshot]:
            return [
                s async for s in self.aget_state_history(config, filter=filter, before=before, limit=limit)
            ]

        return iter(drive(collect(), "get_state_history"))

    def _reader(self, config: RunnableConfig) -> Reader:
        """Whoever a config asks; a namespace that belongs to no known graph is read as one of this graph (N10)."""
        saver = self._saver()
        graph, namespace = self._addressed(config)
        return Reader(graph or self, saver, thread_of(config), namespace)

    def _saver(self) -> Checkpointer:
        if not self.checkpointer or self.checkpointer is True:
            raise GraphValidationError(
                "No checkpointer set. Pass one to compile: compile(checkpointer=InMemorySaver())."
            )
        return self.checkpointer


def names_in(namespace: str) -> str:
    """The names of nodes that a namespace leads through, without what tells tasks and calls apart."""
    parts = namespace.split(NS_SEP)
    return NS_SEP.join([part.partition(NS_END)[0] for part in parts if not part.isdigit()])


def _graph_of(action: Any) -> Threads | None:
    """The first graph that a node's function can reach."""
    for value in reachable(action):
        if isinstance(value, Threads) and value.checkpointer is not False:
            return value
    return None
