"""The drawing in characters.

    |  always taken      :  conditional, with its label at the arrow      ^  a loop back to a node above
    v  arrow             +  a line turns; where lines cross without a +, the upright one is drawn

A line has a piece of row for itself wherever it runs sideways, so each can be followed from box to box.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from graphrt.drawing.layers import Item, Line, rows
from graphrt.drawing.lettering import printable
from graphrt.drawing.model import Edge, Graph, title
from graphrt.drawing.placement import Columns, half_width, place

__all__ = ["draw"]

_LONGEST = 40
_BOX_ROWS = 3


def draw(graph: Graph) -> str:
    """Draw the graph, or list its edges if it is too dense; a node that leads to itself says so in its box."""
    layout = rows(graph)
    if layout is None:
        return "".join(_listed(edge) for edge in graph.edges)
    texts = _texts(graph, layout.repeats)
    labels = {line: _label(line) for lines in layout.lines for line in lines}
    label_widths = {line: _cells(text) for line, text in labels.items()}
    halves = {
        item: half_width(item, _cells(texts[item.node]), label_widths)
        for row in layout.items
        for item in row
        if item.node is not None
    }
    columns = place(layout, halves, label_widths)

    canvas = _Canvas()
    y = 0
    for row, lines in zip(layout.items, layout.lines, strict=True):
        for item in row:
            if item.node is None:
                _upright(canvas, item, columns.centre[item], y)
            else:
                _box(canvas, texts[item.node], columns.centre[item], halves[item], y)
        y += _BOX_ROWS
        y += _lines(canvas, lines, columns, labels, y)
    return canvas.text()


class _Canvas:
    """Cells that grow as they are written. A wide character owns the cell after it."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], str] = {}

    def put(self, x: int, y: int, text: str) -> None:
        for character in text:
            width = _cells(character)
            if not width:
                continue
            self._cells[x, y] = character
            if width > 1:
                self._cells[x + 1, y] = ""
            x += width

    def text(self) -> str:
        left = min((x for x, _ in self._cells), default=0)
        lines: dict[int, dict[int, str]] = {}
        for (x, y), character in self._cells.items():
            lines.setdefault(y, {})[x - left] = character
        drawn = (
            "".join(lines[y].get(x, " ") for x in range(max(lines[y]) + 1)) if y in lines else ""
            for y in range(max(lines, default=-1) + 1)
        )
        return "".join(f"{line.rstrip()}\n" for line in drawn)


def _listed(edge: Edge) -> str:
    source, target = (_shown(title(end)) for end in (edge.source, edge.target))
    label = "" if edge.label is None else f"  [{_shown(edge.label)}]"
    return f"{source} {'..>' if edge.conditional else '-->'} {target}{label}\n"


def _texts(graph: Graph, repeats: Sequence[Edge]) -> dict[str, str]:
    texts = {name: _shown(name if node.inside else title(node.name)) for name, node in graph.nodes.items()}
    for edge in repeats:
        texts[edge.source] += " (repeats)" if edge.label is None else f" (repeats: {_shown(edge.label)})"
    return texts


def _label(line: Line) -> str:
    """Stands where the line reaches its lower node: that is where lines are apart."""
    return _shown(line.edge.label) if line.edge.label is not None and line.bottom.node is not None else ""


def _shown(text: str) -> str:
    safe = printable(text)
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 3]}..."


def _cells(text: str) -> int:
    """Width on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _box(canvas: _Canvas, text: str, centre: int, half: int, y: int) -> None:
    border = f"+{'-' * (2 * half - 1)}+"
    canvas.put(centre - half, y, border)
    canvas.put(centre - half, y + 1, "|")
    canvas.put(centre - _cells(text) // 2, y + 1, text)
    canvas.put(centre + half, y + 1, "|")
    canvas.put(centre - half, y + 2, border)


def _upright(canvas: _Canvas, bend: Item, x: int, y: int) -> None:
    for row in range(y, y + _BOX_ROWS):
        canvas.put(x, row, _stroke(bend.up[0]))


def _lines(canvas: _Canvas, lines: Sequence[Line], columns: Columns, labels: dict[Line, str], y: int) -> int:
    """Draw what runs between two rows, from `y` on; returns how many rows that took."""
    if not lines:
        return 0
    tracks = _tracks(lines, columns)
    last = y + max(tracks.values(), default=-1) + 2
    for line, track in tracks.items():
        left, right = sorted((columns.leaves[line], columns.arrives[line]))
        canvas.put(left, y + 1 + track, ("." if line.edge.conditional else "-") * (right - left))
    for line in lines:
        turn = y + 1 + tracks.get(line, 0)
        for row in range(y, turn):
            canvas.put(columns.leaves[line], row, _stroke(line))
        for row in range(turn, last + 1):
            canvas.put(columns.arrives[line], row, _stroke(line))
    for line in lines:
        if line in tracks:
            canvas.put(columns.leaves[line], y + 1 + tracks[line], "+")
            canvas.put(columns.arrives[line], y + 1 + tracks[line], "+")
        if line.loops and line.top.node is not None:
            canvas.put(columns.leaves[line], y, "^")
        if not line.loops and line.bottom.node is not None:
            canvas.put(columns.arrives[line], last, "v")
        canvas.put(columns.arrives[line] + 2, last, labels[line])
    return last + 1 - y


def _stroke(line: Line) -> str:
    return ":" if line.edge.conditional else "|"


def _tracks(lines: Sequence[Line], columns: Columns) -> dict[Line, int]:
    """A row of its own for each line that runs sideways, shared only with lines it does not touch.

    Lines to the right are taken from the right, lines to the left from the left: those of one box then nest.
    """
    sideways = [line for line in lines if columns.leaves[line] != columns.arrives[line]]
    rightwards = [line for line in sideways if columns.leaves[line] < columns.arrives[line]]
    leftwards = [line for line in sideways if columns.leaves[line] > columns.arrives[line]]
    rightwards.sort(key=lambda line: -columns.leaves[line])
    leftwards.sort(key=lambda line: columns.leaves[line])
    tracks: dict[Line, int] = {}
    for line in [*rightwards, *leftwards]:
        left, right = sorted((columns.leaves[line], columns.arrives[line]))
        met = [
            track
            for other, track in tracks.items()
            if min(columns.leaves[other], columns.arrives[other]) <= right + 1
            and max(columns.leaves[other], columns.arrives[other]) >= left - 1
        ]
        tracks[line] = max(met, default=-1) + 1
    return tracks
