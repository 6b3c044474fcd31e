"""A graph with frames as graphs without: one for what stands outside of all frames, one for what each frame holds.

An edge is drawn where its ends are told apart. On its way there it crosses frames: inside of each it comes from the
frame's entry or goes to its exit, which are START and END of that level.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile

from graphrt.constants import END, START
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["Level", "levels"]


@dataclass(frozen=True, slots=True)
class Level:
    """What stands side by side; `inner` has the frames among its nodes."""

    graph: Graph
    inner: dict[str, Level] = field(default_factory=dict[str, "Level"])


def levels(graph: Graph) -> Level:
    """The outermost level."""
    found = {"": Level(Graph(name=graph.name))}
    for frame in graph.clusters:
        found[frame] = Level(Graph())
    for frame, node in graph.clusters.items():
        found[node.inside].graph.nodes[frame] = node
        found[node.inside].inner[frame] = found[frame]
    edges: dict[str, dict[Edge, None]] = {place: {} for place in found}
    for edge in graph.edges:
        if edge.source in graph.nodes and edge.target in graph.nodes:
            _spread(edge, graph, edges)
    for node in graph.nodes.values():
        found[node.inside].graph.nodes.setdefault(_port(node), node)
    for place, there in found.items():
        for edge in edges[place]:
            for end in (edge.source, edge.target):
                there.graph.nodes.setdefault(end, Node(end, end, inside=place))
        there.graph.edges.extend(edges[place])
        _in_order(there.graph)
    return found[""]


def _port(node: Node) -> str:
    """A graph's own START and END are its frame's entry and exit."""
    return node.name if node.inside and node.name in (START, END) else node.id


def _spread(edge: Edge, graph: Graph, edges: dict[str, dict[Edge, None]]) -> None:
    source, target = _way(edge.source, graph), _way(edge.target, graph)
    if source[:-1] == target[:-1] and len(source) > 1 and (source[-1], target[-1]) == (END, START):
        source, target = source[:-1], target[:-1]  # out of a frame and back into it: the frame repeats
    common = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(source[:-1], target[:-1], strict=False))
    )
    for depth in range(common + 1, len(source)):
        _add(edges[source[depth - 1]], Edge(source[depth], END))
    _add(edges[source[common - 1] if common else ""], _between(edge, source[common], target[common]))
    for depth in range(common + 1, len(target)):
        _add(edges[target[depth - 1]], Edge(START, target[depth]))


def _between(edge: Edge, source: str, target: str) -> Edge:
    return Edge(source, target, edge.label, edge.conditional)


def _add(edges: dict[Edge, None], edge: Edge) -> None:
    if (edge.source, edge.target) not in ((START, START), (END, END)):
        edges[edge] = None


def _way(end: str, graph: Graph) -> list[str]:
    """The frames around a node, the outermost first, then the node."""
    node = graph.nodes[end]
    way = [_port(node)]
    place = node.inside
    while place:
        way.insert(0, place)
        place = graph.clusters[place].inside
    return way


def _in_order(graph: Graph) -> None:
    """START first: that is where walks begin."""
    ends = {name: graph.nodes.pop(name) for name in (START, END) if name in graph.nodes}
    others = dict(graph.nodes)
    graph.nodes.clear()
    graph.nodes.update({name: ends[name] for name in (START,) if name in ends})
    graph.nodes.update(others)
    graph.nodes.update({name: ends[name] for name in (END,) if name in ends})
