"""Forgetting what a graph's cache keeps (LangGraph R6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphrt.core.plan import Plan
from graphrt.errors import GraphValidationError, did_you_mean

if TYPE_CHECKING:
    from graphrt.cache import BaseCache, Namespace

__all__ = ["Cached"]


class Cached:
    """A graph's cache, as far as it can be cleared."""

    plan: Plan
    cache: BaseCache[Any] | None

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget the results of these nodes; without them, of all nodes of this graph. Blocks; may be called anywhere.

        Results of tasks that nodes call stay: `TaskFunction.clear_cache` forgets those.

        Raises:
            GraphValidationError: the graph was compiled without a cache, or has no such node.
        """
        cache, namespaces = self._cleared(nodes)
        cache.clear(namespaces)

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """`clear_cache`, without blocking the event loop.

        Raises:
            GraphValidationError: the graph was compiled without a cache, or has no such node.
        """
        cache, namespaces = self._cleared(nodes)
        await cache.aclear(namespaces)

    def _cleared(self, nodes: Sequence[str] | None) -> tuple[BaseCache[Any], list[Namespace]]:
        if self.cache is None:
            raise GraphValidationError(
                f"No cache is set for graph {self.plan.name!r}, so there is nothing to clear. Compile it with "
                "cache=...; a graph that uses the cache of a graph around it is cleared by that cache's own `clear`."
            )
        index = self.plan.node_index
        for name in nodes or ():
            if name not in index:
                raise GraphValidationError(
                    f"Graph {self.plan.name!r} has no node {name!r} to clear.{did_you_mean(name, index)}"
                )
        chosen = self.plan.nodes if nodes is None else [self.plan.nodes[index[name]] for name in nodes]
        return self.cache, [node.cache.namespace for node in chosen if node.cache is not None]
