"""The order of items in their rows: medians of neighbours, then exchanges of neighbours, the best order is kept.

Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993), section 3.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from graphrt.drawing.layers import Item

__all__ = ["crossings", "untangle"]

_SWEEPS: Final = 8
_SMALL: Final = 400
"""Items in rows so many that exchanges, which look at all pairs of lines, are worth their time."""


def untangle(items: list[list[Item]]) -> None:
    """Order each row so that few lines cross, then each side's lines of an item by where they lead."""
    best = [list(row) for row in items]
    least = crossings(items)
    small = sum(map(len, items)) <= _SMALL
    for sweep in range(_SWEEPS):
        if not least:
            break
        for row, beside in _pairs(items, downwards=sweep % 2 == 0):
            _sort(row, beside, downwards=sweep % 2 == 0)
        if small:
            _exchange(items)
        count = crossings(items)
        if count < least:
            least, best = count, [list(row) for row in items]
    for row, order in zip(items, best, strict=True):
        row[:] = order
    place = _places(items)
    for row in items:
        for item in row:
            item.up.sort(key=lambda line: place[id(line.top)])
            item.down.sort(key=lambda line: place[id(line.bottom)])


def crossings(items: Sequence[Sequence[Item]]) -> int:
    """How many pairs of lines cross."""
    place = _places(items)
    total = 0
    for row in items:
        ends: list[int] = []
        for item in row:
            here = sorted(place[id(line.bottom)] for line in item.down)
            total += sum(len(ends) - bisect(ends, end) for end in here)
            for end in here:
                insort(ends, end)
    return total


def _places(items: Iterable[Iterable[Item]]) -> dict[int, int]:
    return {id(item): position for row in items for position, item in enumerate(row)}


def _pairs(items: list[list[Item]], *, downwards: bool) -> Iterable[tuple[list[Item], list[Item]]]:
    if downwards:
        return zip(items[1:], items, strict=False)
    return zip(items[-2::-1], items[::-1], strict=False)


def _sort(row: list[Item], beside: list[Item], *, downwards: bool) -> None:
    place = {id(item): position for position, item in enumerate(beside)}
    wish = {id(item): _median(item, place, own, downwards) for own, item in enumerate(row)}
    row.sort(key=lambda item: wish[id(item)])


def _median(item: Item, place: dict[int, int], own: int, downwards: bool) -> float:
    """The middle of the neighbours' places; of an even number, nearer to where they stand closer together."""
    neighbours = [line.top for line in item.up] if downwards else [line.bottom for line in item.down]
    places = sorted(place[id(neighbour)] for neighbour in neighbours)
    middle = len(places) // 2
    if not places:
        return own
    if len(places) % 2:
        return places[middle]
    if len(places) == 2:
        return sum(places) / 2
    left, right = places[middle - 1] - places[0], places[-1] - places[middle]
    if not left + right:
        return (places[middle - 1] + places[middle]) / 2
    return (places[middle - 1] * right + places[middle] * left) / (left + right)


def _exchange(items: list[list[Item]]) -> None:
    """Swap neighbours as long as that saves crossings."""
    better = True
    while better:
        better = False
        place = _places(items)
        for row in items:
            for i in range(len(row) - 1):
                left, right = row[i], row[i + 1]
                if _crossed(left, right, place) > _crossed(right, left, place):
                    row[i], row[i + 1] = right, left
                    place[id(left)], place[id(right)] = i + 1, i
                    better = True


def _crossed(left: Item, right: Item, place: dict[int, int]) -> int:
    """Crossings of two neighbours' lines, if they stand in this order."""
    ups = [(place[id(a.top)], place[id(b.top)]) for a in left.up for b in right.up]
    downs = [(place[id(a.bottom)], place[id(b.bottom)]) for a in left.down for b in right.down]
    return sum(a > b for a, b in (*ups, *downs))
