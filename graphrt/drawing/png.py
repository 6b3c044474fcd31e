"""A scene as PNG, through Pillow and the font that it brings: painted larger than wanted, then made smaller."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING, Final

from graphrt.drawing.scene import Arrow, Box, Curve, Group, Point, Scene, Shape, Words
from graphrt.drawing.svg import HEAD
from graphrt.drawing.theme import DARK, LIGHT, Paint, Theme

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = ["png"]

_FINER: Final = 3
"""Each pixel is painted so many times as wide and as high."""
_MOST_PIXELS: Final = 40_000_000
"""Of the finer picture, 120 MB; what would be larger is painted less fine, then smaller."""
_DASH: Final = (5.0, 4.0)
_STEPS: Final = 24


def png(scene: Scene, *, scale: float, dark: bool = False, font: str | None = None) -> bytes:
    """The picture's bytes.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        error.add_note("Pictures as PNG need Pillow. Run: pip install 'graphrt[pictures]'")
        raise
    wide, high = max(scene.width, 1.0), max(scene.height, 1.0)
    finer = _FINER
    while finer > 1 and wide * high * (scale * finer) ** 2 > _MOST_PIXELS:
        finer -= 1
    scale = min(scale, (_MOST_PIXELS / (wide * high)) ** 0.5 / finer)
    theme = DARK if dark else LIGHT
    size = (max(round(wide * scale), 1), max(round(high * scale), 1))
    image = Image.new("RGB", (size[0] * finer, size[1] * finer), theme["paper"].fill or "white")
    painter = _Painter(ImageDraw.Draw(image), scale * finer, theme, font)
    for shape in scene.shapes:
        painter.paint(shape)
    small = image.resize(size, Image.Resampling.BOX) if finer > 1 else image
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


class _Painter:
    """Paints shapes with all lengths multiplied by `unit`."""

    def __init__(self, draw: ImageDraw, unit: float, theme: Theme, font: str | None) -> None:
        self._draw = draw
        self._unit = unit
        self._theme = theme
        self._font = font

    def paint(self, shape: Shape) -> None:
        match shape:
            case Group():
                for part in shape.shapes:
                    self.paint(part)
            case Box():
                self._box(shape, self._theme[shape.role])
            case Words():
                self._words(shape)
            case Curve():
                self._curve(shape, self._theme[shape.role])
            case Arrow():
                length, half = HEAD
                x, y = shape.x - shape.dx * length, shape.y - shape.dy * length
                corners = [(shape.x, shape.y), (x - shape.dy * half, y + shape.dx * half),
                           (x + shape.dy * half, y - shape.dx * half)]  # fmt: skip
                self._draw.polygon([self._at(corner) for corner in corners], self._theme[shape.role].fill)

    def _at(self, point: Point) -> Point:
        return point[0] * self._unit, point[1] * self._unit

    def _box(self, box: Box, paint: Paint) -> None:
        # A stroke's middle is the box's side, as in SVG; Pillow paints it inside of the corners it is given.
        out = paint.width / 2 if paint.stroke else 0.0
        corners = (*self._at((box.x - out, box.y - out)),
                   *self._at((box.x + box.width + out, box.y + box.height + out)))  # fmt: skip
        solid = paint.stroke is not None and not box.dashed
        self._draw.rounded_rectangle(
            corners,
            min(box.radius, box.width / 2, box.height / 2) * self._unit + out * self._unit,
            fill=paint.fill,
            outline=paint.stroke if solid else None,
            width=max(round(paint.width * self._unit), 1) if solid else 0,
        )
        if paint.stroke is not None and box.dashed:
            self._stroke(_outline(box), paint, dashed=True)

    def _words(self, words: Words) -> None:
        font = _font(self._font, words.size * self._unit)
        room = words.width * 1.02 * self._unit + 1
        if (
            width := font.getlength(words.text)
        ) > room:  # this font is wider than the picture was laid out for
            font = _font(self._font, words.size * self._unit * room / width)
        anchor = "ms" if words.anchor == "middle" else "ls"
        self._draw.text(
            self._at((words.x, words.y)), words.text, self._theme[words.role].fill, font=font, anchor=anchor
        )

    def _curve(self, curve: Curve, paint: Paint) -> None:
        points = [curve.start]
        for piece in curve.pieces:
            points += [piece[0]] if len(piece) == 1 else _bezier(points[-1], *piece)
        self._stroke(points, paint, dashed=curve.dashed)

    def _stroke(self, points: list[Point], paint: Paint, *, dashed: bool) -> None:
        width = max(round(paint.width * self._unit), 1)
        for part in _dashes(points) if dashed else [points]:
            self._draw.line([self._at(point) for point in part], paint.stroke, width, joint="curve")


@lru_cache(64)
def _font(path: str | None, size: float) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)


def _bezier(start: Point, one: Point, two: Point, end: Point) -> list[Point]:
    made: list[Point] = []
    for step in range(1, _STEPS + 1):
        t = step / _STEPS
        a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        made.append((
            a * start[0] + b * one[0] + c * two[0] + d * end[0],
            a * start[1] + b * one[1] + c * two[1] + d * end[1],
        ))  # fmt: skip
    return made


def _outline(box: Box) -> list[Point]:
    """A rounded rectangle as a closed line."""
    r = min(box.radius, box.width / 2, box.height / 2)
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    bend = r * 0.4477
    points: list[Point] = [(left + r, top), (right - r, top)]
    points += _bezier(points[-1], (right - bend, top), (right, top + bend), (right, top + r))
    points.append((right, bottom - r))
    points += _bezier(points[-1], (right, bottom - bend), (right - bend, bottom), (right - r, bottom))
    points.append((left + r, bottom))
    points += _bezier(points[-1], (left + bend, bottom), (left, bottom - bend), (left, bottom - r))
    points.append((left, top + r))
    points += _bezier(points[-1], (left, top + bend), (left + bend, top), (left + r, top))
    return points


def _dashes(points: list[Point]) -> list[list[Point]]:
    """A line in pieces, each as long as a dash."""
    dashes: list[list[Point]] = []
    drawing, left = True, _DASH[0]
    current: list[Point] = [points[0]]
    for start, end in pairwise(points):
        length = hypot(end[0] - start[0], end[1] - start[1])
        done = 0.0
        while length - done > left:
            done += left
            cut = (
                start[0] + (end[0] - start[0]) * done / length,
                start[1] + (end[1] - start[1]) * done / length,
            )
            if drawing:
                dashes.append([*current, cut])
            drawing = not drawing
            current, left = [cut], _DASH[0] if drawing else _DASH[1]
        left -= length - done
        current.append(end)
    if drawing and len(current) > 1:
        dashes.append(current)
    return dashes
