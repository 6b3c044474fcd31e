"""Columns: where each box stands and where each line leaves and arrives.

Every line has its own column at both ends, so no two lines ever merge and none has to be guessed. Rows settle by
least squares: each item wants to stand at the mean of what it is joined to, in the order given, with room between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphrt.drawing.layers import Item, Line, Rows

__all__ = ["Columns", "half_width", "place"]

_GAP = 3
_PORT_STEP = 4
_SNAP = 2  # less than half the distance between two bends
_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Columns:
    """`centre` of each item; `leaves` and `arrives`: the column of each line's upper and lower end."""

    centre: dict[Item, int]
    leaves: dict[Line, int]
    arrives: dict[Line, int]


@dataclass(frozen=True, slots=True)
class _Extent:
    """Cells an item needs left and right of its centre."""

    left: int
    right: int


def place(rows: Rows, half_widths: Mapping[Item, int], label_widths: Mapping[Line, int]) -> Columns:
    """Find columns; `half_widths` are those of boxes, `label_widths` the texts that stand right of a line's end."""
    extents = {item: _extent(item, half_widths, label_widths) for row in rows.items for item in row}
    centre = {item: float(x) for row in rows.items for item, x in _packed(row, extents).items()}
    for sweep in range(_SWEEPS):
        for row in rows.items if sweep % 2 == 0 else reversed(rows.items):
            _settle(row, centre, extents)

    shift = min((centre[item] - extents[item].left for item in centre), default=0.0)
    columns = {item: round(x - shift) for item, x in centre.items()}
    leaves: dict[Line, int] = {}
    arrives: dict[Line, int] = {}
    for lines, row in zip(rows.lines, rows.items, strict=True):
        leaves |= {line: columns[item] + x for item in row for line, x in _offsets(item.down, {}).items()}
        arrives |= _arrivals(lines, leaves, columns, label_widths)
    return Columns(columns, leaves, arrives)


def _extent(item: Item, half_widths: Mapping[Item, int], label_widths: Mapping[Line, int]) -> _Extent:
    half = half_widths.get(item, 0)
    upper, lower = _offsets(item.up, label_widths), _offsets(item.down, {})
    left = max((-x for x in (*upper.values(), *lower.values())), default=0)
    right = max((x + label_widths.get(line, 0) + 1 for line, x in (upper | lower).items()), default=0)
    # One cell more on both sides: an arriving line may have to step aside.
    return _Extent(left=max(half, left) + 1, right=max(half, right) + 1)


def half_width(item: Item, text_width: int, label_widths: Mapping[Line, int]) -> int:
    """Cells from a box's centre to its side: room for its text and for all of its ports."""
    ports = [*_offsets(item.up, label_widths).values(), *_offsets(item.down, {}).values()]
    return max(text_width // 2 + 2, max((abs(x) for x in ports), default=0) + 2)


def _offsets(lines: Sequence[Line], label_widths: Mapping[Line, int]) -> dict[Line, int]:
    """Columns of a side's ports relative to the centre, in the lines' order, the whole group in the middle."""
    columns: dict[Line, int] = {}
    x = 0
    for line in lines:
        columns[line] = x
        x += max(_PORT_STEP, label_widths.get(line, 0) + 3)
    middle = columns[lines[-1]] // 2 if lines else 0
    return {line: x - middle for line, x in columns.items()}


def _packed(row: Sequence[Item], extents: Mapping[Item, _Extent]) -> dict[Item, int]:
    x, places = 0, dict[Item, int]()
    for item in row:
        x += extents[item].left
        places[item] = x
        x += extents[item].right + _GAP
    return places


def _settle(row: Sequence[Item], centre: dict[Item, float], extents: Mapping[Item, _Extent]) -> None:
    """Move a row's items to where they want to be, keeping order and distance (isotonic regression).

    With the distances taken out the wish is "never left of the item before"; items that collide form a group that
    stands at the mean of their wishes.
    """
    packed = _packed(row, extents)
    groups: list[tuple[float, int]] = []  # (sum of wishes, items)
    for item in row:
        wish, count = _wish(item, centre) - packed[item], 1
        while groups and groups[-1][0] / groups[-1][1] > wish / count:
            total, size = groups.pop()
            wish, count = wish + total, count + size
        groups.append((wish, count))
    items = iter(row)
    for total, size in groups:
        for _ in range(size):
            item = next(items)
            centre[item] = packed[item] + total / size


def _wish(item: Item, centre: Mapping[Item, float]) -> float:
    joined = [centre[line.top] for line in item.up] + [centre[line.bottom] for line in item.down]
    return sum(joined) / len(joined) if joined else centre[item]


def _arrivals(
    lines: Sequence[Line],
    leaves: Mapping[Line, int],
    columns: dict[Item, int],
    label_widths: Mapping[Line, int],
) -> dict[Line, int]:
    """Columns of the lower ends: a line must not come down in a column in which another one starts.

    Moves a bend in `columns` to where its line arrived.
    """
    starts = {leaves[line]: line for line in lines}
    arrives: dict[Line, int] = {}
    for item in dict.fromkeys(line.bottom for line in lines):
        for line, offset in _offsets(item.up, label_widths).items():
            wanted = columns[item] + offset
            if item.node is None and abs(leaves[line] - wanted) <= _SNAP:
                wanted = leaves[line]
            free = (x for x in (wanted, wanted + 1, wanted - 1) if starts.get(x, line) is line)
            arrives[line] = next(free, wanted)
            if item.node is None:
                columns[item] = arrives[line]
    return arrives
