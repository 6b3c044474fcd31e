"""A graph with what it needs to be drawn: where runs stop, and the graphs that its nodes are (LangGraph X2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from graphrt.constants import END, START
from graphrt.core.plan import Plan
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["Pictured", "picture"]


class Pictured(Protocol):
    """What drawing needs to know of a compiled graph."""

    @property
    def plan(self) -> Plan:
        """What it compiled to."""
        ...

    @property
    def interrupt_before(self) -> str | Sequence[str]:
        """Nodes that runs stop before; "*" for all."""
        ...

    @property
    def interrupt_after(self) -> str | Sequence[str]:
        """The same for stopping after them."""
        ...

    def declared(self) -> Graph:
        """Its nodes and edges."""
        ...

    def graphs_of_nodes(self) -> Mapping[str, Any]:
        """The compiled graph that a node is or calls, by the node's name."""
        ...


def picture(graph: Pictured, xray: int | bool, around: tuple[int, ...] = ()) -> Graph:
    """Draw the graph; `xray` unfolds graphs in it, down to so many levels, or all of them.

    A graph that calls itself is unfolded once.
    """
    drawn = graph.declared()
    _note_stops(drawn, graph)
    drawn = Graph(drawn.nodes, drawn.edges, drawn.clusters, graph.plan.name)
    if xray is False or xray <= 0:
        return drawn
    around = (*around, id(graph))
    for name, inner in graph.graphs_of_nodes().items():
        if name in drawn.nodes and id(inner) not in around:
            drawn = _unfolded(drawn, name, picture(inner, xray if xray is True else xray - 1, around))
    return drawn


def _note_stops(drawn: Graph, graph: Pictured) -> None:
    """In each node's metadata: `"__interrupt": "before"`, `"after"` or `"before,after"`."""
    for name, node in drawn.nodes.items():
        if name in (START, END):
            continue
        where = [
            word
            for word, nodes in (("before", graph.interrupt_before), ("after", graph.interrupt_after))
            if nodes == "*" or (not isinstance(nodes, str) and name in nodes)
        ]
        if where:
            metadata = {**(node.metadata or {}), "__interrupt": ",".join(where)}
            drawn.nodes[name] = Node(node.id, node.name, metadata, node.inside)


def _unfolded(outer: Graph, name: str, inner: Graph) -> Graph:
    """The graph with `inner` in place of its node `name`, which becomes a frame."""
    inner, entry, leave = _ends(inner)

    def inside(id: str) -> str:
        return f"{name}:{id}"

    def framed(node: Node) -> Node:
        return Node(inside(node.id), node.name, node.metadata, inside(node.inside) if node.inside else name)

    nodes: dict[str, Node] = {}
    for id, node in outer.nodes.items():
        if id == name:
            nodes |= {inside(inner_id): framed(inner_node) for inner_id, inner_node in inner.nodes.items()}
        else:
            nodes[id] = node
    edges: list[Edge] = []
    for edge in outer.edges:
        source = inside(leave) if edge.source == name else edge.source
        target = inside(entry) if edge.target == name else edge.target
        edges.append(Edge(source, target, edge.label, edge.conditional))
    edges += [Edge(inside(e.source), inside(e.target), e.label, e.conditional) for e in inner.edges]
    clusters = {**outer.clusters, name: outer.nodes[name]}
    clusters |= {inside(id): framed(node) for id, node in inner.clusters.items()}
    return Graph(nodes, edges, clusters, outer.name)


def _ends(inner: Graph) -> tuple[Graph, str, str]:
    """Where edges from outside lead to and come from: START and END, or in their place the only node next to them."""
    nodes, edges = dict(inner.nodes), inner.edges
    nodes.setdefault(END, Node(END, END))  # a graph that never ends by itself may still be left
    entry, leave = START, END
    leaving = [edge for edge in edges if edge.source == START]
    others = nodes.keys() - {START, *(edge.target for edge in edges if edge.source != START)}
    if len(leaving) == 1 and not leaving[0].conditional and len(others) == 1 and leaving[0].target != END:
        entry = leaving[0].target
        edges = [edge for edge in edges if edge is not leaving[0]]
        del nodes[START]
    arriving = [edge for edge in edges if edge.target == END]
    others = nodes.keys() - {END, *(edge.source for edge in edges if edge.target != END)}
    if (
        len(arriving) == 1
        and not arriving[0].conditional
        and len(others) == 1
        and arriving[0].source != START
    ):
        leave = arriving[0].source
        edges = [edge for edge in edges if edge is not arriving[0]]
        del nodes[END]
    return Graph(nodes, edges, inner.clusters, inner.name), entry, leave
