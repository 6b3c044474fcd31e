"""From a graph to a scene: boxes are measured, frames laid out from the innermost, lines drawn round all boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graphrt.constants import END, START
from graphrt.drawing.boxes import Drawn, box_of, frame_of, port_of
from graphrt.drawing.layers import Item, Line, Rows, rows
from graphrt.drawing.lettering import printable, shortened, width_of
from graphrt.drawing.levels import Level, levels
from graphrt.drawing.marks import Mark
from graphrt.drawing.model import Edge, Graph, title
from graphrt.drawing.scene import Arrow, Box, Curve, Point, Scene, Shape, Words, moved
from graphrt.drawing.spread import LABEL_ZONE, Size, Spread, spread
from graphrt.drawing.svg import HEAD

__all__ = ["compose"]

_MARGIN: Final = 20.0
_LABEL_SIZE: Final = 11.0
_LABEL_ROOM: Final = 150.0
_ANYWHERE: Final = "may lead to any node"
_NO_LIMIT: Final = 10**9
_LOOSE: Final = 6
"""Boxes without lines in one row."""
_LOOP_WIDTH: Final = 26.0
_LOOP_HEIGHT: Final = 20.0


def compose(graph: Graph, marks: Mapping[str, Mark] | None = None) -> Scene:
    """Lay out the whole picture."""
    laid = _compose(levels(graph), marks)
    return Scene(
        laid.width + 2 * _MARGIN,
        laid.height + 2 * _MARGIN,
        moved(laid.shapes, _MARGIN, _MARGIN),
        title=printable(graph.name) or "Graph",
        description=_described(graph, marks or {}),
    )


@dataclass(frozen=True, slots=True)
class _Laid:
    """One level: shapes whose upper left corner is (0, 0)."""

    width: float
    height: float
    shapes: list[Shape]


def _compose(level: Level, marks: Mapping[str, Mark] | None) -> _Laid:
    graph, roaming = level.graph, frozenset[str]()
    layout = rows(graph)
    if layout is None:
        graph, roaming = _without_anywhere(graph)
        layout = rows(graph, lines_at_most=_NO_LIMIT)
        assert layout is not None
        _stack_loose(layout)
    at = {item.node: item for row in layout.items for item in row if item.node is not None}
    boxes = {id: _box(id, level, marks, roaming, _lines_of(at[id])) for id in graph.nodes}
    labels = {line: _label(line) for lines in layout.lines for line in lines}
    loops: dict[str, list[Edge]] = {}
    for edge in layout.repeats:
        loops.setdefault(edge.source, []).append(edge)
    sizes = {
        item: _size(boxes[item.node], loops.get(item.node, ()))
        for row in layout.items
        for item in row
        if item.node is not None
    }
    widths = {line: _label_width(text) for line, text in labels.items() if text}
    places = spread(layout, sizes, widths)

    back: list[Shape] = []
    front: list[Shape] = []
    for y, row in enumerate(layout.items):
        for item in row:
            if item.node is not None:
                width, height = places.half[item] * 2, sizes[item].height
                left = places.centre[item] - places.half[item]
                above = (places.top[y] + places.bottom[y] - height) / 2
                # A frame goes behind the lines, what stands in it comes with it.
                layer = back if item.node in level.inner else front
                layer += moved(boxes[item.node].paint(width, height), left, above)
                for number, edge in enumerate(loops.get(item.node, ())):
                    share = height / len(loops[item.node])
                    front += _repeat(edge, left + width, above + share * (number + 0.5), share)
    lines = _lines(layout.lines, places, {item: size.height for item, size in sizes.items()})
    plates = _plates(layout.lines, places, labels)
    return _Laid(places.width, places.bottom[-1] if places.bottom else 0.0, [*back, *lines, *front, *plates])


def _box(
    id: str, level: Level, marks: Mapping[str, Mark] | None, roaming: frozenset[str], lines: int
) -> Drawn:
    node = level.graph.nodes[id]
    if id in level.inner:
        inside = _compose(level.inner[id], marks)
        return frame_of(node, inside.shapes, inside.width, inside.height, _mark(marks, node.id))
    if id in (START, END) and node.inside and lines < 2:
        return port_of(id)
    return box_of(node, _mark(marks, node.id), more=(_ANYWHERE,) if id in roaming else ())


def _lines_of(item: Item) -> int:
    """How many lines one side of it has: a dot has room for one."""
    return max(len(item.up), len(item.down))


def _mark(marks: Mapping[str, Mark] | None, id: str) -> Mark | None:
    return None if marks is None else marks.get(id, Mark())


def _without_anywhere(graph: Graph) -> tuple[Graph, frozenset[str]]:
    """Routers that declare nothing lead to every node: of many such nothing can be seen, so it is said in words."""
    bare: dict[str, int] = {}
    for edge in graph.edges:
        if edge.conditional and edge.label is None:
            bare[edge.source] = bare.get(edge.source, 0) + 1
    others = len(graph.nodes) - (START in graph.nodes)
    roaming = frozenset(source for source, count in bare.items() if count >= max(others - 2, 4))
    kept = [e for e in graph.edges if e.source not in roaming or not e.conditional or e.label is not None]
    return Graph(graph.nodes, kept), roaming


def _stack_loose(layout: Rows) -> None:
    """Boxes without lines stand in rows of their own, not all beside START."""
    loose = [item for item in layout.items[0] if not item.up and not item.down and item.node != START]
    layout.items[0][:] = [item for item in layout.items[0] if item not in loose]
    for first in range(0, len(loose), _LOOSE):
        layout.items.append(loose[first : first + _LOOSE])
        layout.lines.append([])


# ---- lines


def _label(line: Line) -> str:
    """Stands above the lower end of its edge."""
    return _text_of(line.edge) if line.bottom.node is not None else ""


def _text_of(edge: Edge) -> str:
    if edge.label is None:
        return ""
    return shortened(printable(edge.label).strip(), _LABEL_SIZE, _LABEL_ROOM)


def _label_width(text: str) -> float:
    return width_of(text, _LABEL_SIZE) + 8


def _lines(lines: Iterable[Iterable[Line]], places: Spread, heights: Mapping[Item, float]) -> list[Shape]:
    """Every edge as one curve from box to box, with its arrow."""
    shapes: list[Shape] = []
    arrows: list[Shape] = []
    points: dict[Edge, list[tuple[Line, int]]] = {}
    for y, row in enumerate(lines):
        for line in row:
            points.setdefault(line.edge, []).append((line, y))
    for edge, way in points.items():
        first, y = way[0]
        start = (places.leaves[first], _edge_of(first.top, y, places, heights, lower=True))
        pieces: list[tuple[Point, ...]] = []
        for line, y in way:
            pieces += _piece(line, y, places)
        last, y = way[-1]
        end = (places.arrives[last], _edge_of(last.bottom, y + 1, places, heights, lower=False))
        up = first.loops
        if up:
            arrows.append(Arrow(*start, 0, -1, "head"))
            start = (start[0], start[1] + HEAD[0] - 1)
        else:
            arrows.append(Arrow(*end, 0, 1, "head"))
            end = (end[0], end[1] - HEAD[0] + 1)
        pieces.append((end,))
        shapes.append(Curve(start, tuple(pieces), "edge", dashed=edge.conditional))
    return [*shapes, *arrows]


def _edge_of(item: Item, y: int, places: Spread, heights: Mapping[Item, float], *, lower: bool) -> float:
    """The lower or upper side of a box: boxes stand in the middle of their row."""
    middle = (places.top[y] + places.bottom[y]) / 2
    half = heights.get(item, 0.0) / 2
    return middle + half if lower else middle - half


def _piece(line: Line, y: int, places: Spread) -> list[tuple[Point, ...]]:
    """From the lower side of a row to the upper side of the next one, upright where labels stand."""
    left, right = places.leaves[line], places.arrives[line]
    begin, end = places.bottom[y], places.top[y + 1]
    bent = _bent_until(y, places)
    if abs(left - right) < 0.05:
        return [((right, end),)]
    middle = (begin + bent) / 2
    return [((left, begin),), ((left, middle), (right, middle), (right, bent)), ((right, end),)]


def _bent_until(y: int, places: Spread) -> float:
    end = places.top[y + 1]
    return end - (LABEL_ZONE if y in places.labelled else 0.0) - HEAD[0]


def _plates(lines: Iterable[Iterable[Line]], places: Spread, labels: Mapping[Line, str]) -> list[Shape]:
    shapes: list[Shape] = []
    for y, row in enumerate(lines):
        for line in row:
            if text := labels[line]:
                end = places.top[y + 1] - HEAD[0]
                shapes += _plate(text, places.arrives[line], end - LABEL_ZONE / 2)
    return shapes


def _plate(text: str, x: float, y: float) -> list[Shape]:
    width = width_of(text, _LABEL_SIZE)
    return [
        Box(x - width / 2 - 4, y - 8, width + 8, 16, 4, "plate"),
        Words(x, y + 4, text, _LABEL_SIZE, "label", width),
    ]


# ---- lines from a box to itself


def _size(box: Drawn, loops: Sequence[Edge]) -> Size:
    """A box with room on its right side, and beside it, for lines that lead back to it."""
    if not loops:
        return Size(box.width, box.height)
    widest = max(_label_width(_text_of(edge)) if edge.label is not None else 0.0 for edge in loops)
    return Size(box.width, max(box.height, _LOOP_HEIGHT * len(loops)), _LOOP_WIDTH + widest)


def _repeat(edge: Edge, side: float, middle: float, share: float) -> list[Shape]:
    """One loop out of the right side and back into it, with its label."""
    rise = min(share * 0.28, 9.0)
    out = side + _LOOP_WIDTH - 4
    curve = Curve(
        (side, middle - rise),
        (((out, middle - rise - 2), (out, middle + rise + 2), (side + HEAD[0] - 1, middle + rise)),),
        "edge",
        dashed=edge.conditional,
    )
    shapes: list[Shape] = [curve, Arrow(side, middle + rise, -1, 0, "head")]
    if text := _text_of(edge):
        shapes += _plate(text, side + _LOOP_WIDTH - 4 + _label_width(text) / 2, middle)
    return shapes


def _described(graph: Graph, marks: Mapping[str, Mark]) -> str:
    names = {id: printable(title(node.name) if not node.inside else id) for id, node in graph.nodes.items()}
    edges = "; ".join(
        f"{names.get(e.source, '')} to {names.get(e.target, '')}"
        + (f" ({printable(e.label)})" if e.label is not None else "")
        for e in graph.edges[:200]
    )
    said = "; ".join(
        f"{names.get(id, printable(id))}: {printable(mark.text)}" for id, mark in marks.items() if mark.text
    )
    return f"{len(graph.nodes)} nodes. {edges}." + (f" {said}." if said else "")
