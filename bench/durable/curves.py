"""How a conversation grows, as an SVG picture: a panel of lines for what is stored, a commit and a load."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.chart import COLUMNS, FAINT, GAP, HEADING, LINE, MARGIN, PANEL_WIDTH, TEXT, document, text
from bench.durable.figures import Point, Report
from bench.figures import duration, three_digits

HEIGHT, TITLE_HEIGHT, LEFT, RIGHT, BOTTOM = 250, 22, 64, 190, 22
COLOURS = {"graphrt": "#0b7a4b", "langgraph": "#5b7db1"}
DASHES = {"sqlite": "", "postgres": "7 3", "memory": "2 3"}
TITLE = "A conversation of two 200-byte messages a turn"
ABOUT = "Logarithmic scales: growth in proportion rises by one decade for each decade of turns."


def size(value: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= scale:
            return f"{three_digits(value / scale)} {unit}"
    return f"{value:.0f} B"


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn against the number of turns."""

    title: str
    value: Callable[[Point], float | None]
    shown: Callable[[float], str]


PANELS = (
    Panel("bytes stored", lambda point: point.bytes, size),
    Panel("time of one commit", lambda point: point.commit_s, duration),
    Panel("time to load the thread", lambda point: point.load_s, duration),
    Panel("time of a whole turn", lambda point: point.turn_s, duration),
)


def draw(report: Report) -> str:
    """Return the picture."""
    body: list[str] = []
    for index, chosen in enumerate(PANELS):
        x = MARGIN + index % COLUMNS * (PANEL_WIDTH + GAP)
        y = HEADING + index // COLUMNS * (HEIGHT + GAP)
        body += panel(report, chosen, x, y)
    rows = math.ceil(len(PANELS) / COLUMNS)
    height = HEADING + rows * (HEIGHT + GAP)
    return document(report.machine, report.started, body, height=height, title=TITLE, reading=ABOUT)


def panel(report: Report, chosen: Panel, x: int, y: int) -> list[str]:
    curves: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for point in report.points:
        value = chosen.value(point)
        if value is not None:
            curves.setdefault((point.contestant, point.storage), []).append((point.turns, value))
    parts = [text(x, y + 14, chosen.title, size=14, weight="600")]
    every = [pair for curve in curves.values() for pair in curve]
    if not every:
        return [*parts, text(x, y + 34, "not measured", fill=FAINT)]
    left, right = x + LEFT, x + PANEL_WIDTH - RIGHT
    top, bottom = y + TITLE_HEIGHT + 6, y + HEIGHT - BOTTOM
    across = Axis([turns for turns, _ in every], left, right)
    up = Axis([value for _, value in every], bottom, top)
    parts += grid(across, up, chosen.shown)
    labels = spaced([(up.at(curve[-1][1]), key) for key, curve in curves.items()])
    for key, curve in curves.items():
        parts += line(key, [(across.at(turns), up.at(value)) for turns, value in curve], labels[key])
    return parts


class Axis:
    """A logarithmic axis between two coordinates, with room at both ends."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.log10(min(values)) - 0.1
        self.high = max(math.log10(max(values)) + 0.1, self.low + 1)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def grid(across: Axis, up: Axis, shown: Callable[[float], str]) -> list[str]:
    parts: list[str] = []
    for value in up.decades():
        y = up.at(value)
        parts.append(f'<path d="M{across.start} {y:.1f}H{across.end}" stroke="{LINE}"/>')
        parts.append(text(across.start - 6, y + 4, shown(value), size=11, fill=FAINT, anchor="end"))
    for turns in across.decades():
        x = across.at(turns)
        parts.append(f'<path d="M{x:.1f} {up.start}V{up.end}" stroke="{LINE}"/>')
        parts.append(text(x, up.start + 16, f"{turns:,.0f} turns", size=11, fill=FAINT, anchor="middle"))
    return parts


def line(key: tuple[str, str], places: Sequence[tuple[float, float]], label_y: float) -> list[str]:
    contestant, storage = key
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dash = DASHES.get(storage.partition("-")[0], "")
    return [
        f'<path d="M{path}" fill="none" stroke="{COLOURS.get(contestant, TEXT)}" stroke-width="2" '
        f'stroke-dasharray="{dash}"/>',
        text(places[-1][0] + 6, label_y + 4, f"{contestant}, {storage}", size=11),
    ]


def spaced(
    wanted: Sequence[tuple[float, tuple[str, str]]], apart: float = 13
) -> dict[tuple[str, str], float]:
    """Return where labels go: at the ends of their lines, pushed down where they would lie on each other."""
    found: dict[tuple[str, str], float] = {}
    last = -math.inf
    for y, key in sorted(wanted):
        last = max(y, last + apart)
        found[key] = last
    return found
