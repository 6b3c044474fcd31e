"""Editing threads: the state methods that write (LangGraph N5-N10). Thin: `graphrt.engine.editing` does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from graphrt.config import RunnableConfig, merge_configs, run_config
from graphrt.engine.door import drive
from graphrt.engine.editing import Editing, superstep_of
from graphrt.engine.journal import Journal
from graphrt.engine.publish import checkpoint_config
from graphrt.engine.run import Run
from graphrt.errors import GraphValidationError, did_you_mean
from graphrt.pregel.options import metadata_scalars, thread_of
from graphrt.pregel.threads import Threads, names_in
from graphrt.types import StateUpdate

__all__ = ["StateEditor"]


class StateEditor(Threads):
    """What a compiled graph can do to the state of its threads without running."""

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Update the state as if a node had returned `values`: its writes, its edges and its routers take effect.

        What is planned is replaced by what follows that node. What other tasks of an unfinished step have written
        stays with the checkpoint that they belong to; `as_node=END` takes it over.

        Args:
            config: names the thread; with a `checkpoint_id`, the update branches off there. `checkpoint_ns` names a
                graph inside this one, as `get_state` shows it in `tasks`.
            values: what the node would return: a dict, a Command, or None for nothing but its edges.
            as_node: the node to act as, by default the one that ran last. END, with None, ends the step at hand;
                "__input__" writes a run's input; "__copy__" copies the checkpoint, and a list of (values, as_node)
                updates the copy.
            task_id: the planned task whose result this is to be; the first of the node's by default.

        Returns:
            the config of the new checkpoint.

        Raises:
            InvalidUpdateError: `as_node` is missing or unknown, or the state cannot take the values.
            ThreadConflict: somebody else moved the thread meanwhile; nothing was stored.
            SerializationError: a value cannot be stored; the message names node, key and path.
            GraphValidationError: the graph has no checkpointer, or the config names no thread or no known subgraph.
            whatever a router raises.

        Example:
            >>> app.update_state(config, {"draft": "shorter"}, as_node="write")
        """
        return await self.abulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    def update_state(
        self,
        config: RunnableConfig,
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """`aupdate_state` from a thread without a running event loop.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `aupdate_state` raises.
        """
        return drive(self.aupdate_state(config, values, as_node, task_id), "update_state")

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Make several updates: those of one superstep together, one superstep after the other.

        Each superstep becomes a checkpoint. If one fails, those before it stay.

        Args:
            config: as of `aupdate_state`.
            supersteps: each a list of StateUpdates; if there is more than one in it, each must say `as_node`.

        Returns:
            the config of the last checkpoint.

        Raises:
            GraphValidationError: there is nothing to do.
            whatever `aupdate_state` raises.
        """
        saver = self._saver()
        if not supersteps:
            raise GraphValidationError("No supersteps provided: there is nothing to update.")
        checked = [superstep_of(superstep) for superstep in supersteps]
        full = merge_configs(self.config, config)
        graph, namespace = self._addressed(full)
        if graph is None:
            raise GraphValidationError(
                f"Subgraph {names_in(namespace)} not found in graph {self.plan.name!r}: its state cannot be updated "
                f"without it.{did_you_mean(names_in(namespace), [n for n, _ in self.get_subgraphs(recurse=True)])}"
            )
        journal = Journal(
            saver,
            graph.serializer,
            thread_id=thread_of(full),
            namespace=namespace,
            durability="sync",
            metadata=metadata_scalars(full),
        )
        run = Run(graph.plan, run_config(None, full), 1, journal=journal)
        run.own_store = self.store if self.store is not None else graph.store
        editing = Editing(run, journal, graph.serializer.loads_grown_raw)
        await editing.open(full.get("configurable", {}).get("checkpoint_id"))
        for superstep in checked:
            await editing.superstep(superstep)
        assert journal.last is not None
        return cast(RunnableConfig, checkpoint_config(journal.thread_id, namespace, journal.last.id))

    def bulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """`abulk_update_state` from a thread without a running event loop.

        Raises:
            RunningLoopError: an event loop is running in this thread.
            whatever `abulk_update_state` raises.
        """
        return drive(self.abulk_update_state(config, supersteps), "bulk_update_state")
