"""What stands in a row: boxes with names in them, frames around whole graphs, a frame's entry and exit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphrt.constants import END, START
from graphrt.drawing.lettering import broken, printable, shortened, width_of
from graphrt.drawing.marks import Mark
from graphrt.drawing.model import Node, title
from graphrt.drawing.scene import Box, Group, Shape, Words, moved

__all__ = ["Drawn", "box_of", "frame_of", "port_of"]

NAME_SIZE: Final = 13.0
NOTE_SIZE: Final = 11.0
_NAME_LINE: Final = 17.0
_NOTE_LINE: Final = 14.5
_ROOM: Final = 190.0
"""Width of a line of text in a box, at most."""
_LINES: Final = 3
_SIDE: Final = 18.0
_ABOVE: Final = 10.0
_LEAST: Final = 64.0
_FRAME: Final = 18.0
_FRAME_HEAD: Final = 30.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """The least size of a box; it is painted when it is known how large its lines make it."""

    width: float
    height: float
    paint: Callable[[float, float], list[Shape]]


def box_of(node: Node, mark: Mark | None, more: Sequence[str] = ()) -> Drawn:
    """A node, START or END."""
    name = printable(title(node.name))
    lines = broken(name, NAME_SIZE, _ROOM, lines=_LINES)
    notes = [shortened(note, NOTE_SIZE, _ROOM) for note in (*_notes(node, mark), *more)]
    widest = max(
        *(width_of(line, NAME_SIZE) for line in lines), *(width_of(note, NOTE_SIZE) for note in notes), 0.0
    )
    end = node.name in (START, END)
    above = _ABOVE - 3 if end else _ABOVE
    least = 2 * above + _NAME_LINE * len(lines) + _NOTE_LINE * len(notes)
    role, dashed = _role(node, mark), bool((node.metadata or {}).get("defer"))

    def paint(width: float, height: float) -> list[Shape]:
        radius = height / 2 if end and not notes else 7.0
        box = Box(0, 0, width, height, radius, role, dashed)
        texts = _texts(lines, notes, width / 2, above + (height - least) / 2)
        return [Group(_told(name, node, mark), (box, *texts))]

    return Drawn(max(widest + 2 * _SIDE, _LEAST), least, paint)


def _texts(lines: Iterable[str], notes: Iterable[str], x: float, y: float) -> list[Words]:
    made: list[Words] = []
    for line in lines:
        made.append(Words(x, y + 13, line, NAME_SIZE, "name", width_of(line, NAME_SIZE)))
        y += _NAME_LINE
    for note in notes:
        made.append(Words(x, y + 11, note, NOTE_SIZE, "note", width_of(note, NOTE_SIZE)))
        y += _NOTE_LINE
    return made


def frame_of(node: Node, inside: list[Shape], width: float, height: float, mark: Mark | None) -> Drawn:
    """A frame with a graph in it; its head names the node."""
    name = printable(title(node.name))
    notes = " · ".join(_notes(node, mark))
    said = f"{name} · {notes}" if notes else name
    room = max(width + 2 * _FRAME, _LEAST + width_of(shortened(said, NAME_SIZE, _ROOM), NAME_SIZE))
    total = height + _FRAME_HEAD + _FRAME
    role = mark.role if mark is not None and mark.role in ("failed", "waiting", "next") else "frame"
    dashed = bool((node.metadata or {}).get("defer"))

    def paint(wide: float, high: float) -> list[Shape]:
        shown = shortened(said, NAME_SIZE, wide - 24)
        head = Words(12, 20, shown, NAME_SIZE, "name", width_of(shown, NAME_SIZE), "start")
        frame = Group(_told(name, node, mark), (Box(0, 0, wide, high, 10, role, dashed), head))
        return [frame, *moved(inside, (wide - width) / 2, _FRAME_HEAD)]

    return Drawn(room, total, paint)


def port_of(id: str) -> Drawn:
    """Where a frame's graph begins, a dot, or ends, a dot in a ring."""
    size = 12.0 if id == START else 16.0

    def paint(width: float, height: float) -> list[Shape]:
        left = (width - size) / 2
        dot = Box(left, 0, size, size, size / 2, "dot" if id == START else "ring")
        if id == START:
            return [Group("START", (dot,))]
        return [Group("END", (dot, Box(left + 4, 4, size - 8, size - 8, (size - 8) / 2, "dot")))]

    return Drawn(size, size, paint)


def _role(node: Node, mark: Mark | None) -> str:
    if node.name in (START, END):
        return "first" if node.name == START else "last"
    if mark is not None:
        return mark.role
    metadata = node.metadata or {}
    return "handler" if "__error_handler" in metadata else "task" if "__task" in metadata else "node"


def _notes(node: Node, mark: Mark | None) -> list[str]:
    """What stands below a name."""
    metadata = node.metadata or {}
    notes: list[str] = []
    if metadata.get("defer") is True:
        notes.append("deferred")
    if "__interrupt" in metadata:
        notes.append(f"stops {str(metadata['__interrupt']).replace(',', ' and ')}")
    if "__error_handler" in metadata:
        notes.append("handles errors")
    if mark is not None and node.name not in (START, END):
        notes += [printable(note) for note in mark.notes]
    return notes


def _told(name: str, node: Node, mark: Mark | None) -> str:
    """What a reader sees who points at a box: everything, in full."""
    lines = [name if node.id == node.name or not node.inside else printable(node.id)]
    lines += [f"{printable(str(key))}: {_value(value)}" for key, value in (node.metadata or {}).items()]
    if mark is not None and mark.text:
        lines.append(printable(mark.text))
    return "\n".join(lines)


def _value(value: Any) -> str:
    try:
        return printable(str(value))[:500]
    except Exception as error:  # a user's object: a picture must not fail for it
        return f"<{type(value).__name__}: {type(error).__name__}>"
