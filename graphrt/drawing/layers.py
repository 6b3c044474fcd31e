"""Which node stands in which row: the layered layout of Sugiyama, Tagawa and Toda (1981), kept small.

Edges that would close a loop are turned round, so that every edge leads down; a node stands below all that lead to
it; an edge that passes rows gets a bend in each; then rows are put in an order in which few lines cross (`crossings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from graphrt.constants import END
from graphrt.drawing.crossings import untangle
from graphrt.drawing.model import Edge, Graph

__all__ = ["Item", "Line", "Rows", "rows"]

_FOLLOWABLE = 40
"""Lines side by side; a router of every node to every node has thousands."""


@dataclass(slots=True, eq=False)
class Item:
    """What takes a place in a row: a node's box, or the bend (`node` None) of a line that passes through."""

    node: str | None
    up: list[Line] = field(default_factory=list["Line"])
    down: list[Line] = field(default_factory=list["Line"])


@dataclass(slots=True, eq=False)
class Line:
    """One piece of an edge, from a row to the next; `loops`: the arrow points up, back to where the run has been."""

    edge: Edge
    top: Item
    bottom: Item
    loops: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The layout without columns. `repeats` are edges from a node to itself, which no row can hold."""

    items: list[list[Item]]
    lines: list[list[Line]]
    repeats: list[Edge]


def rows(graph: Graph, *, lines_at_most: int = _FOLLOWABLE) -> Rows | None:
    """Lay the graph out; the same graph always gives the same rows. None: too many lines for anyone to follow."""
    known = [e for e in graph.edges if e.source in graph.nodes and e.target in graph.nodes]
    edges = [e for e in known if e.source != e.target]
    loops = _loops(graph.nodes, edges)
    pairs = [(e.target, e.source) if e in loops else (e.source, e.target) for e in edges]
    depth = _depths(list(graph.nodes), pairs)
    if _busiest(pairs, depth) > lines_at_most:
        return None

    boxes = {name: Item(name) for name in graph.nodes}
    items: list[list[Item]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    lines: list[list[Line]] = [[] for _ in items]
    for name, box in boxes.items():
        items[depth[name]].append(box)
    for edge, (upper, lower) in zip(edges, pairs, strict=True):
        bends = [Item(None) for _ in range(depth[upper] + 1, depth[lower])]
        for row, bend in enumerate(bends, depth[upper] + 1):
            items[row].append(bend)
        for row, (top, bottom) in enumerate(pairwise([boxes[upper], *bends, boxes[lower]]), depth[upper]):
            lines[row].append(_join(Line(edge, top, bottom, loops=edge in loops)))
    untangle(items)
    return Rows(items, lines, [e for e in known if e.source == e.target])


def _busiest(pairs: Iterable[tuple[str, str]], depth: Mapping[str, int]) -> int:
    """How many lines run side by side between two rows, at most."""
    change = [0] * (max(depth.values(), default=0) + 1)
    for upper, lower in pairs:
        change[depth[upper]] += 1
        change[depth[lower]] -= 1
    return max(accumulate(change))


def _join(line: Line) -> Line:
    line.top.down.append(line)
    line.bottom.up.append(line)
    return line


def _loops(nodes: Iterable[str], edges: Sequence[Edge]) -> set[Edge]:
    """Edges that lead back to a node on the way to their source, in a walk from START. Walks without recursion."""
    leaving: dict[str, list[Edge]] = {}
    for edge in edges:
        leaving.setdefault(edge.source, []).append(edge)
    loops: set[Edge] = set()
    seen: set[str] = set()
    for root in nodes:
        walk = [(root, iter(leaving.get(root, ())))] if root not in seen else []
        open_nodes = {root}
        seen.add(root)
        while walk:
            name, ahead = walk[-1]
            taken = next(ahead, None)
            if taken is None:
                open_nodes.discard(name)
                walk.pop()
            elif taken.target in open_nodes:
                loops.add(taken)
            elif taken.target not in seen:
                seen.add(taken.target)
                open_nodes.add(taken.target)
                walk.append((taken.target, iter(leaving.get(taken.target, ()))))
    return loops


def _depths(nodes: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Row of each node: one below the lowest that leads to it. `pairs` has no cycle. END stands at the bottom."""
    below: dict[str, list[str]] = {name: [] for name in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for upper, lower in pairs:
        below[upper].append(lower)
        waiting[lower] += 1
    depth = dict.fromkeys(nodes, 0)
    ready = [name for name in nodes if not waiting[name]]
    for name in ready:  # grows while it is read
        for lower in below[name]:
            depth[lower] = max(depth[lower], depth[name] + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    if END in depth:
        depth[END] = max(depth.values())
    return depth
