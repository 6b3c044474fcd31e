"""The figures as an SVG picture: a panel for each storage, case and number of runs, a bar for each contestant."""

from collections.abc import Sequence

from bench.chart import (
    COLUMNS,
    FAINT,
    GAP,
    HEADING,
    MARGIN,
    NAME_WIDTH,
    PANEL_WIDTH,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    Scale,
    absent,
    bar,
    document,
    text,
)
from bench.durable.bars import STEPS
from bench.durable.cases import BY_NAME, ONE
from bench.durable.figures import Cell, Report
from bench.figures import in_order

SHORTER = "chain_10"
"""Left out beside the loop, which says the same."""
TITLE = "One durable step: graphrt beside the floor and its rivals"
ABOUT = "Median time of a step, shorter is better; logarithmic scales; whiskers: 10th and 90th percentile."


def draw(report: Report) -> str:
    """Return the picture; every panel has a logarithmic scale of its own."""
    panels = charted(report)
    body: list[str] = []
    y = HEADING
    for start in range(0, len(panels), COLUMNS):
        row = panels[start : start + COLUMNS]
        for column, cells in enumerate(row):
            body += panel(cells, MARGIN + column * (PANEL_WIDTH + GAP), y)
        y += max(TITLE_HEIGHT + ROW_HEIGHT * len(cells) for cells in row) + GAP
    return document(report.machine, report.started, body, height=y, title=TITLE, reading=ABOUT)


def charted(report: Report) -> list[list[Cell]]:
    """Return the panels: one durability is enough for a picture, `sync` if it was measured."""
    durability = min((cell.durability for cell in report.cells), key=lambda name: name != "sync", default="")
    cases = {cell.case for cell in report.cells}
    chosen = [
        cell
        for cell in report.cells
        if cell.durability == durability
        and cell.status != "not offered"
        and not (cell.case == SHORTER and STEPS in cases)
    ]
    titles = in_order(title_of(cell) for cell in chosen)
    return [[cell for cell in chosen if title_of(cell) == title] for title in titles]


def title_of(cell: Cell) -> str:
    runs = "one run" if cell.together == ONE else f"{cell.together} runs at once"
    return f"{cell.storage}: {cell.case}, {runs} ({cell.durability})"


def panel(cells: Sequence[Cell], x: int, y: int) -> list[str]:
    measured = sorted((cell for cell in cells if cell.status == "measured"), key=lambda cell: cell.median)
    failed = [cell for cell in cells if cell.status == "failed"]
    parts = [
        text(x, y + 14, title_of(cells[0]), size=14, weight="600"),
        text(x, y + 30, BY_NAME[cells[0].case].what, size=12, fill=FAINT),
    ]
    scale = Scale(measured)
    for index, cell in enumerate([*measured, *failed]):
        top = y + TITLE_HEIGHT + index * ROW_HEIGHT
        parts.append(text(x + NAME_WIDTH - 8, top + 13, cell.contestant, anchor="end"))
        parts += bar(cell, scale, x + NAME_WIDTH, top) if cell in measured else [absent(cell, x, top)]
    return parts
