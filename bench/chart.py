"""The figures as an SVG picture: a panel for each case and door, a bar for each contestant, fastest first."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bench.cases import BY_NAME
from bench.figures import Figure, Report, Sampled, duration, in_order

COLUMNS = 2
PANEL_WIDTH, GAP = 620, 28
TITLE_HEIGHT, ROW_HEIGHT = 44, 20
NAME_WIDTH, VALUE_WIDTH = 132, 92
MARGIN, HEADING = 24, 66

TITLE = "graphrt beside the floor and its rivals"
READING = "Median time, shorter is better; logarithmic scales; whiskers from the 10th to the 90th percentile."

COLOURS = {
    "floor": "#9aa0a6",
    "floor+transaction": "#c3c7cb",
    "graphrt": "#0b7a4b",
    "graphrt+memory": "#54b98a",
}
OTHERS = "#5b7db1"
TEXT, FAINT, LINE = "#202124", "#6b7075", "#e3e5e8"


def draw(report: Report) -> str:
    """Return the picture; every panel has a logarithmic scale of its own."""
    panels = [
        [figure for figure in report.figures if (figure.case, figure.door) == (case, door)]
        for case in in_order(figure.case for figure in report.figures)
        for door in in_order(figure.door for figure in report.figures if figure.case == case)
    ]
    body: list[str] = []
    y = HEADING
    for start in range(0, len(panels), COLUMNS):
        row = panels[start : start + COLUMNS]
        for column, figures in enumerate(row):
            body += panel(figures, MARGIN + column * (PANEL_WIDTH + GAP), y)
        y += max(TITLE_HEIGHT + ROW_HEIGHT * len(figures) for figures in row) + GAP
    return document(report.machine, report.started, body, height=y)


def document(
    machine: Mapping[str, Any],
    started: str,
    body: Sequence[str],
    *,
    height: int,
    title: str = TITLE,
    reading: str = READING,
) -> str:
    """Return the picture round `body`; `reading` says how to read it."""
    width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
    about = (
        f"{machine['processor']}, {machine['implementation']} {machine['python']}, {started[:10]}. {reading}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="system-ui, DejaVu Sans, Helvetica, sans-serif">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            text(MARGIN, 30, title, size=18, weight="600"),
            text(MARGIN, 50, about, size=12, fill=FAINT),
            *body,
            "</svg>\n",
        ]
    )


def panel(figures: Sequence[Figure], x: int, y: int) -> list[str]:
    case = BY_NAME[figures[0].case]
    measured = sorted((f for f in figures if f.status == "measured"), key=lambda figure: figure.median)
    others = [figure for figure in figures if figure.status != "measured"]
    parts = [
        text(x, y + 14, f"{case.name} ({figures[0].door})", size=14, weight="600"),
        text(x, y + 30, case.what, size=12, fill=FAINT),
    ]
    scale = Scale(measured)
    for index, figure in enumerate([*measured, *others]):
        top = y + TITLE_HEIGHT + index * ROW_HEIGHT
        parts.append(text(x + NAME_WIDTH - 8, top + 13, figure.contestant, anchor="end"))
        parts += bar(figure, scale, x + NAME_WIDTH, top) if figure in measured else [absent(figure, x, top)]
    return parts


class Scale:
    """A logarithmic scale that leaves the shortest bar visible; whole decades get a line."""

    length = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH

    def __init__(self, figures: Sequence[Sampled]) -> None:
        edges = [edge for figure in figures for edge in (figure.median, *figure.spread) if edge > 0]
        shortest, longest = min(edges, default=1e-6), max(edges, default=1e-3)
        self.low = math.log10(shortest) - 0.35
        self.high = max(math.log10(longest), self.low + 1)

    def position(self, seconds: float) -> float:
        part = (math.log10(max(seconds, 1e-12)) - self.low) / (self.high - self.low)
        return self.length * min(max(part, 0.0), 1.0)


def bar(figure: Sampled, scale: Scale, x: int, top: int) -> list[str]:
    width = scale.position(figure.median)
    low, high = (scale.position(edge) for edge in figure.spread)
    colour = COLOURS.get(figure.contestant, OTHERS)
    middle = top + 9
    return [
        f'<rect x="{x}" y="{top + 2}" width="{width:.1f}" height="14" rx="2" fill="{colour}"/>',
        f'<path d="M{x + low:.1f} {middle}H{x + high:.1f}" stroke="{TEXT}" stroke-width="1.5" opacity="0.55"/>',
        text(x + max(width, high) + 6, top + 13, duration(figure.median)),
    ]


def absent(figure: Sampled, x: int, top: int) -> str:
    word = "n/a" if figure.status == "not offered" else "failed"
    reason = figure.reason if len(figure.reason) < 64 else figure.reason[:61] + "..."
    return text(x + NAME_WIDTH, top + 13, f"{word}: {reason}", fill=FAINT)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    fill: str = TEXT,
    weight: str = "400",
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
