"""A scene as SVG.

Rules of this file: text gets into the output escaped and nowhere but as text; there are no scripts, links, fonts,
images or ids; the style's selectors all begin with `.graphrt`, since a page or notebook may hold the picture inline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graphrt.drawing.scene import Arrow, Box, Curve, Group, Scene, Shape, Words
from graphrt.drawing.theme import DARK, LIGHT, Theme

__all__ = ["HEAD", "svg"]

HEAD: Final = (8.0, 3.6)
"""Length of an arrow's head, and half its width."""
_FONTS: Final = "Helvetica,Arial,'Liberation Sans','Nimbus Sans',sans-serif"
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def svg(scene: Scene) -> str:
    """The picture as one self-contained file."""
    width, height = _number(scene.width), _number(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graphrt" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>{_escaped(scene.title)}</title>",
        f"<desc>{_escaped(scene.description)}</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *(line for shape in scene.shapes for line in _painted(shape)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _painted(shape: Shape) -> Iterator[str]:
    match shape:
        case Group():
            yield f"<g><title>{_escaped(shape.title)}</title>"
            for part in shape.shapes:
                yield from _painted(part)
            yield "</g>"
        case Box():
            place = " ".join(
                f'{name}="{_number(value)}"'
                for name, value in (("x", shape.x), ("y", shape.y), ("width", shape.width),
                                    ("height", shape.height), ("rx", shape.radius))
            )  # fmt: skip
            yield f'<rect class="{_class(shape.role, shape.dashed)}" {place}/>'
        case Words():
            role = shape.role if shape.anchor == "middle" else f"{shape.role} begin"
            yield (
                f'<text class="{role}" x="{_number(shape.x)}" y="{_number(shape.y)}" '
                f'font-size="{_number(shape.size)}">{_escaped(shape.text)}</text>'
            )
        case Curve():
            yield f'<path class="{_class(shape.role, shape.dashed)}" d="{_path(shape)}"/>'
        case Arrow():
            length, half = HEAD
            x, y = shape.x - shape.dx * length, shape.y - shape.dy * length
            corners = [(shape.x, shape.y), (x - shape.dy * half, y + shape.dx * half),
                       (x + shape.dy * half, y - shape.dx * half)]  # fmt: skip
            points = " ".join(f"{_number(px)},{_number(py)}" for px, py in corners)
            yield f'<polygon class="{shape.role}" points="{points}"/>'


def _path(curve: Curve) -> str:
    steps = [f"M{_number(curve.start[0])} {_number(curve.start[1])}"]
    for piece in curve.pieces:
        points = " ".join(f"{_number(x)} {_number(y)}" for x, y in piece)
        steps.append(f"{'L' if len(piece) == 1 else 'C'}{points}")
    return "".join(steps)


def _class(role: str, dashed: bool) -> str:
    return f"{role} maybe" if dashed else role


def _style() -> str:
    rules = [
        f".graphrt text{{font-family:{_FONTS};text-anchor:middle;white-space:pre}}",
        ".graphrt .begin{text-anchor:start}",
        ".graphrt .maybe{stroke-dasharray:5 4}",
        *_rules(LIGHT),
        f"@media (prefers-color-scheme:dark){{{''.join(_rules(DARK))}}}",
    ]
    return "".join(rules)


def _rules(theme: Theme) -> Iterator[str]:
    for role, paint in theme.items():
        stroke = f";stroke:{paint.stroke};stroke-width:{_number(paint.width)}" if paint.stroke else ""
        yield f".graphrt .{role}{{fill:{paint.fill or 'none'}{stroke}}}"


def _number(value: float) -> str:
    """At most one digit behind the point: a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
