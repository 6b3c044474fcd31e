"""Pictures of compiled graphs: `get_graph`, and what a notebook shows of one (LangGraph X1, X2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphrt.pregel.threads import Threads
from graphrt.types import All

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphrt.config import RunnableConfig
    from graphrt.drawing import Graph

__all__ = ["Drawable"]


class Drawable(Threads):
    """What a compiled graph can show of itself."""

    interrupt_before: All | Sequence[str]
    interrupt_after: All | Sequence[str]

    def get_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Graph:
        """The graph as a picture: `draw_svg()`, `draw_png()`, `draw_mermaid()`, `draw_ascii()`, `to_json()`.

        Args:
            config: makes no difference; LangGraph has it.
            xray: draw graphs inside with all they consist of; a number says down to which depth.
        """
        from graphrt.drawing.unfolding import picture

        return picture(self, xray)

    async def aget_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Graph:
        """The same as `get_graph`."""
        return self.get_graph(config, xray=xray)

    def declared(self) -> Graph:
        """What the graph consists of. Here: its nodes, as nothing else is known."""
        from graphrt.drawing import Graph, Node

        return Graph({node.name: Node(node.name, node.name) for node in self.plan.nodes})

    def graphs_of_nodes(self) -> Mapping[str, Any]:
        """The graph that each node is or calls, those that store nothing too."""
        found = {node.name: node.graph for node in self.plan.nodes if node.graph is not None}
        return {**self.inside, **found}

    def _repr_svg_(self) -> str:
        return self.get_graph().draw_svg()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
