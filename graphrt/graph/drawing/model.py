"""What is drawn: nodes by id, and edges in a stable order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from graphrt.constants import END, START

__all__ = ["Edge", "Graph", "Node", "title"]


class Node(Struct, frozen=True):
    """A box. `metadata` is what the node was added with, plus `defer: True` for a deferred one."""

    id: str
    name: str
    metadata: dict[str, Any] | None = None


class Edge(Struct, frozen=True):
    """An arrow; `conditional` ones are taken only when a router or a command says so."""

    source: str
    target: str
    label: str | None = None
    conditional: bool = False

    @property
    def data(self) -> str | None:
        """`label` under the name that programs written for LangGraph read."""
        return self.label


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges of one graph, ready to be drawn.

    Example:
        >>> print(graph.get_graph().draw_mermaid())  # doctest: +SKIP
    """

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])

    def draw_mermaid(self, *, with_styles: bool = True) -> str:
        """Mermaid flowchart text; `with_styles=False` leaves out colours and metadata."""
        # Imported here: the renderers need this module's records.
        from graphrt.graph.drawing.mermaid import mermaid

        return mermaid(self, with_styles=with_styles)

    def draw_ascii(self) -> str:
        """Boxes and lines in ASCII: `|` always taken, `:` conditional, `^` a loop back."""
        from graphrt.graph.drawing.ascii import draw

        return draw(self)

    def print_ascii(self) -> None:
        """Print `draw_ascii()`."""
        print(self.draw_ascii(), end="")  # noqa: T201 - what it is for

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, in LangGraph's layout: absent means None or False."""
        return {
            "nodes": [_node_json(node) for node in self.nodes.values()],
            "edges": [_edge_json(edge) for edge in self.edges],
        }


def title(node_id: str, name: str) -> str:
    """The name a reader sees: START and END as they are written in programs."""
    return {START: "START", END: "END"}.get(node_id, name)


def _node_json(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": node.id, "name": node.name}
    if node.metadata:
        shown["metadata"] = node.metadata
    return shown


def _edge_json(edge: Edge) -> dict[str, Any]:
    shown: dict[str, Any] = {"source": edge.source, "target": edge.target}
    if edge.label is not None:
        shown["data"] = edge.label
    if edge.conditional:
        shown["conditional"] = True
    return shown
