"""Where boxes of any size stand, and where lines leave and arrive: columns and heights in pixels.

Rows settle as those of the drawing in characters do (`placement`), each item where its lines are straightest; long
lines pull hardest. Between two rows there is room for lines to bend, then for labels: there every line stands upright
in the column in which it arrives, so that no label can lie on another one or on a line that is not its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from graphrt.drawing.layers import Item, Line, Rows

__all__ = ["Size", "Spread", "spread"]

_Ports: TypeAlias = Mapping[Item, Mapping[Line, float]]

PORT_STEP: Final = 20.0
LABEL_GAP: Final = 10.0
LABEL_ZONE: Final = 24.0
_BOX_GAP: Final = 26.0
_BEND_GAP: Final = 16.0
_CORNER: Final = 14.0
"""No line leaves nearer to a box's corner."""
_ROW_GAP: Final = 44.0
_LEAN: Final = 0.09
"""How much higher the room between rows is for each pixel that a line runs sideways there ..."""
_LEAN_AT_MOST: Final = 56.0
_SWEEPS: Final = 28
_FAR: Final = 1e9
_ONE_SIDED: Final = 6
_STRAIGHTENINGS: Final = 2


@dataclass(frozen=True, slots=True)
class Size:
    """What an item takes; `beside` is what it needs on its right for lines that lead back to itself."""

    width: float
    height: float
    beside: float = 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The layout.

    Attributes:
        centre: of each item.
        half: from a box's centre to its side.
        leaves: column of each line's upper end; `arrives`: of its lower end.
        top: of each row; `bottom` likewise.
        labelled: rows below which labels stand.
    """

    centre: dict[Item, float]
    half: dict[Item, float]
    leaves: dict[Line, float]
    arrives: dict[Line, float]
    top: list[float]
    bottom: list[float]
    width: float
    labelled: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Extent:
    left: float
    right: float


def spread(rows: Rows, sizes: Mapping[Item, Size], labels: Mapping[Line, float]) -> Spread:
    """Place everything; `labels` are the widths of texts that stand on lines."""
    items = [item for row in rows.items for item in row]
    ups = {item: _ports(item.up, labels) for item in items}
    downs = {item: _ports(item.down, {}) for item in items}
    half = {item: _half(sizes.get(item), ups[item], downs[item]) for item in items}
    extents = {item: _extent(half[item], sizes.get(item), ups[item], downs[item], labels) for item in items}
    centre = {item: x for row in rows.items for item, x in _packed(row, extents).items()}
    for sweep in range(_SWEEPS):
        # At first each row looks at the one before alone: that straightens a long chain in one go.
        above, below = sweep % 2 == 0 or sweep >= _ONE_SIDED, sweep % 2 == 1 or sweep >= _ONE_SIDED
        sides: tuple[_Ports, _Ports] = (ups if above else {}, downs if below else {})
        for row in rows.items if sweep % 2 == 0 else reversed(rows.items):
            _settle(row, centre, extents, ups, downs, sides)
    for _ in range(_STRAIGHTENINGS):
        _straighten(rows, centre, extents, ups, downs)

    shift = min((centre[item] - extents[item].left for item in items), default=0.0)
    centre = {item: x - shift for item, x in centre.items()}
    width = max((centre[item] + extents[item].right for item in items), default=0.0)
    leaves = {line: centre[item] + x for item in items for line, x in downs[item].items()}
    arrives = {line: centre[item] + x for item in items for line, x in ups[item].items()}
    labelled = frozenset(y for y, lines in enumerate(rows.lines) if any(labels.get(line) for line in lines))
    top, bottom = _heights(rows, sizes, leaves, arrives, labelled)
    return Spread(centre, half, leaves, arrives, top, bottom, width, labelled)


def _ports(lines: Sequence[Line], labels: Mapping[Line, float]) -> dict[Line, float]:
    """Columns relative to the centre, the group in the middle."""
    columns: dict[Line, float] = {}
    x, before = 0.0, 0.0
    for line in lines:
        own = labels.get(line, 0.0)
        if columns:
            x += max(PORT_STEP, (before + own) / 2 + LABEL_GAP)
        columns[line] = x
        before = own
    return {line: column - x / 2 for line, column in columns.items()}


def _half(size: Size | None, up: Mapping[Line, float], down: Mapping[Line, float]) -> float:
    if size is None:
        return 0.0
    return max(size.width / 2, max((abs(x) for x in (*up.values(), *down.values())), default=0.0) + _CORNER)


def _extent(
    half: float,
    size: Size | None,
    up: Mapping[Line, float],
    down: Mapping[Line, float],
    labels: Mapping[Line, float],
) -> _Extent:
    gap = _BEND_GAP / 2 if size is None else _BOX_GAP / 2
    spans = [(x, labels.get(line, 0.0) / 2) for line, x in up.items()] + [(x, 0.0) for x in down.values()]
    left = max((wide - x for x, wide in spans), default=0.0)
    right = max((x + wide for x, wide in spans), default=0.0)
    return _Extent(max(half, left) + gap, max(half + (size.beside if size else 0.0), right) + gap)


def _packed(row: Sequence[Item], extents: Mapping[Item, _Extent]) -> dict[Item, float]:
    x, places = 0.0, dict[Item, float]()
    for item in row:
        x += extents[item].left
        places[item] = x
        x += extents[item].right
    return places


def _settle(
    row: Sequence[Item],
    centre: dict[Item, float],
    extents: Mapping[Item, _Extent],
    ups: _Ports,
    downs: _Ports,
    sides: tuple[_Ports, _Ports],
) -> None:
    """Move a row's items to where they want to be, keeping order and distance (isotonic regression, weighted)."""
    packed = _packed(row, extents)
    groups: list[tuple[float, float, int]] = []  # (sum of weighted wishes, weights, items)
    for item in row:
        wish, weight = _wish(item, centre, ups, downs, sides)
        total, count = (wish - packed[item]) * weight, 1
        while groups and groups[-1][0] / groups[-1][1] > total / weight:
            more, heavier, size = groups.pop()
            total, weight, count = total + more, weight + heavier, count + size
        groups.append((total, weight, count))
    items = iter(row)
    for total, weight, size in groups:
        for _ in range(size):
            item = next(items)
            centre[item] = packed[item] + total / weight


def _wish(
    item: Item, centre: Mapping[Item, float], ups: _Ports, downs: _Ports, sides: tuple[_Ports, _Ports]
) -> tuple[float, float]:
    """Where its lines on these sides would be straight, on average, and how much that matters."""
    above, below = (side.get(item, {}) for side in sides)
    wanted = [(centre[line.top] + downs[line.top][line] - own, _pull(line)) for line, own in above.items()]
    wanted += [
        (centre[line.bottom] + ups[line.bottom][line] - own, _pull(line)) for line, own in below.items()
    ]
    weight = sum(pull for _, pull in wanted)
    if not weight:
        return centre[item], 0.01
    return sum(x * pull for x, pull in wanted) / weight, weight


def _straighten(
    rows: Rows, centre: dict[Item, float], extents: Mapping[Item, _Extent], ups: _Ports, downs: _Ports
) -> None:
    """Put the bends of a long line below one another, as far as their neighbours leave room for that."""
    free = _free(rows, extents)
    for row in rows.items:
        for item in row:
            for line in item.down if item.node is not None else ():
                bends: list[Item] = []
                first = centre[item] + downs[item][line]
                while line.bottom.node is None:
                    bends.append(line.bottom)
                    line = line.bottom.down[0]
                last = centre[line.bottom] + ups[line.bottom][line]
                for run, low, high in _runs(bends, centre, free):
                    wish = first if run[0] is bends[0] else last if run[-1] is bends[-1] else centre[run[0]]
                    for bend in run:
                        centre[bend] = min(max(wish, low), high)


def _free(
    rows: Rows, extents: Mapping[Item, _Extent]
) -> dict[Item, tuple[tuple[Item | None, float], tuple[Item | None, float]]]:
    """The neighbours of each bend, and how far from their centres it has to stay."""
    found: dict[Item, tuple[tuple[Item | None, float], tuple[Item | None, float]]] = {}
    for row in rows.items:
        for left, item, right in zip([None, *row], row, [*row[1:], None], strict=False):
            if item.node is None:
                before = extents[left].right + extents[item].left if left is not None else 0.0
                behind = extents[right].left + extents[item].right if right is not None else 0.0
                found[item] = (left, before), (right, behind)
    return found


def _runs(
    bends: Sequence[Item],
    centre: Mapping[Item, float],
    free: Mapping[Item, tuple[tuple[Item | None, float], tuple[Item | None, float]]],
) -> list[tuple[list[Item], float, float]]:
    """The bends in groups as large as possible that can stand in one column, with the columns that are possible."""
    made: list[tuple[list[Item], float, float]] = []
    for bend in bends:
        (left, before), (right, behind) = free[bend]
        low = centre[left] + before if left is not None else -_FAR
        high = centre[right] - behind if right is not None else _FAR
        if made and max(low, made[-1][1]) <= min(high, made[-1][2]):
            run, least, most = made.pop()
            made.append(([*run, bend], max(low, least), min(high, most)))
        else:
            made.append(([bend], min(low, high), max(low, high)))
    return made


def _pull(line: Line) -> float:
    return (1.0, 2.0, 8.0)[(line.top.node is None) + (line.bottom.node is None)]


def _heights(
    rows: Rows,
    sizes: Mapping[Item, Size],
    leaves: Mapping[Line, float],
    arrives: Mapping[Line, float],
    labelled: frozenset[int],
) -> tuple[list[float], list[float]]:
    top: list[float] = []
    bottom: list[float] = []
    y = 0.0
    for number, (row, lines) in enumerate(zip(rows.items, rows.lines, strict=True)):
        top.append(y)
        y += max((sizes[item].height for item in row if item in sizes), default=0.0)
        bottom.append(y)
        lean = max((abs(leaves[line] - arrives[line]) for line in lines), default=0.0)
        y += _ROW_GAP + min(_LEAN * lean, _LEAN_AT_MOST)
        y += LABEL_ZONE if number in labelled else 0.0
    return top, bottom
