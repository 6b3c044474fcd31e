"""A picture as shapes with coordinates: what SVG and PNG are both painted from. Units are those of CSS pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Arrow", "Box", "Curve", "Group", "Point", "Scene", "Shape", "Words", "moved"]

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners; `role` names its colours."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    role: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text around or from `x`; `y` is its base line, `width` what it is thought to take."""

    x: float
    y: float
    text: str
    size: float
    role: str
    width: float
    anchor: Literal["middle", "start"] = "middle"


@dataclass(frozen=True, slots=True)
class Curve:
    """A line from `start` through pieces: each is a point, or two control points of a Bézier curve and a point."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    role: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """A filled head with its tip at `x`, `y`; it points where `dx`, `dy` does, which has length 1."""

    x: float
    y: float
    dx: float
    dy: float
    role: str


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together, and what a reader is told who points at them."""

    title: str
    shapes: tuple[Box | Words, ...]


Shape: TypeAlias = Box | Words | Curve | Arrow | Group


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes in the order in which they are painted. `description` says in words what is to be seen."""

    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list[Shape])
    title: str = ""
    description: str = ""


def moved(shapes: Iterable[Shape], dx: float, dy: float) -> list[Shape]:
    """The shapes, somewhere else."""
    return [_moved(shape, dx, dy) for shape in shapes]


def _moved(shape: Shape, dx: float, dy: float) -> Shape:
    match shape:
        case Group():
            return Group(shape.title, tuple(_moved_part(part, dx, dy) for part in shape.shapes))
        case Curve():
            x, y = shape.start
            pieces = tuple(tuple((px + dx, py + dy) for px, py in piece) for piece in shape.pieces)
            return Curve((x + dx, y + dy), pieces, shape.role, shape.dashed)
        case Arrow():
            return Arrow(shape.x + dx, shape.y + dy, shape.dx, shape.dy, shape.role)
        case _:
            return _moved_part(shape, dx, dy)


def _moved_part(part: Box | Words, dx: float, dy: float) -> Box | Words:
    match part:
        case Box():
            return Box(part.x + dx, part.y + dy, part.width, part.height, part.radius, part.role, part.dashed)
        case Words():
            return Words(part.x + dx, part.y + dy, part.text, part.size, part.role, part.width, part.anchor)
