"""The figures as Markdown: a table for each storage, then how conversations grow."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.durable.bars import fit
from bench.durable.cases import MEMORY, ONE, STORAGE_BY_NAME
from bench.durable.figures import Cell, Point, Report
from bench.durable.messages import MESSAGE_BYTES
from bench.figures import duration, in_order, three_digits
from bench.table import Footnotes, describe, markdown

OURS, FLOOR, RIVAL = "graphrt", "floor", "langgraph"


def render(report: Report) -> str:
    """Return the whole document."""
    parts = [heading(report)]
    for storage in in_order(cell.storage for cell in report.cells):
        cells = [cell for cell in report.cells if cell.storage == storage]
        parts.append(f"## {STORAGE_BY_NAME[storage].what}\n\n{section(report, cells)}")
    if report.points:
        parts.append("## A conversation grows\n\n" + growth(report))
    return "\n\n".join([*parts, *report.notes]) + "\n"


def heading(report: Report) -> str:
    machine = report.machine
    lines = [
        "# Durable steps",
        "",
        f"{machine['processor']}, {machine['cores']} cores; {machine['implementation']} {machine['python']}; "
        f"revision {machine['revision']}; load {machine['load_average']} at the start.",
        "Cells are the time of one durable step: medians ± half the distance between the 10th and the 90th "
        "percentile. With many runs at once, their time is shared by the steps of all.",
        "",
        *map(describe, report.contestants.items()),
    ]
    for name, settings in machine.get("servers", {}).items():
        lines.append(f"- {name}: " + ", ".join(f"{key} {value}" for key, value in settings.items()))
    return "\n".join(lines)


def section(report: Report, cells: Sequence[Cell]) -> str:
    contestants = in_order(cell.contestant for cell in cells)
    notes = Footnotes()
    table = [["case", "at once", "durability", *contestants, "to the floor", "to langgraph"]]
    rows = list(dict.fromkeys((cell.case, cell.together, cell.durability) for cell in cells))
    for row in rows:
        found = {c.contestant: c for c in cells if (c.case, c.together, c.durability) == row}
        shown = [shown_as(found[name], notes) for name in contestants]
        table.append([row[0], str(row[1]), row[2], *shown, *ratios(found)])
    parts = [*markdown(table), *notes.lines()]
    if many := [cell for cell in cells if cell.together > ONE]:
        parts += ["", "Runs per second, with many at once:", "", *markdown(throughput(many, contestants))]
    return "\n".join(parts)


def shown_as(cell: Cell, notes: Footnotes) -> str:
    if cell.status == "not offered":
        return "n/a " + notes.mark(f"{cell.contestant}: n/a: {cell.reason}")
    if cell.status == "failed":
        return "failed " + notes.mark(f"{cell.contestant}: failed: {cell.reason}")
    if len(cell.samples) == 1:
        return duration(cell.median)
    low, high = cell.spread
    return f"{duration(cell.median)} ±{50 * (high - low) / cell.median:.0f}%"


def ratios(found: dict[str, Cell]) -> Iterator[str]:
    """Yield how many times the floor we need, and how many times our time langgraph does."""
    for above, below in ((OURS, FLOOR), (RIVAL, OURS)):
        pair = [found.get(name) for name in (above, below)]
        if all(cell is not None and cell.status == "measured" for cell in pair):
            first, second = (cell.median for cell in pair if cell is not None)
            yield f"{first / second:.2f}x"
        else:
            yield ""


def throughput(cells: Sequence[Cell], contestants: Sequence[str]) -> list[list[str]]:
    table = [["case", "at once", "durability", *contestants]]
    for row in dict.fromkeys((cell.case, cell.together, cell.durability) for cell in cells):
        found = {c.contestant: c for c in cells if (c.case, c.together, c.durability) == row}
        rates = [found[name].runs_per_s if found[name].status == "measured" else None for name in contestants]
        shown = ["" if rate is None else f"{three_digits(rate)}/s" for rate in rates]
        table.append([row[0], str(row[1]), row[2], *shown])
    return table


def growth(report: Report) -> str:
    table: list[list[str]] = [
        ["turns", "contestant", "storage", "stored", "a turn", "of the messages", "turn", "commit", "load",
         "rows read"]
    ]  # fmt: skip
    curves = list(dict.fromkeys((point.contestant, point.storage) for point in report.points))
    lines: list[str] = []
    for contestant, storage in curves:
        curve = report.curve(contestant, storage)
        table += [described(point) for point in curve]
        if len(curve) > 1:
            line = fit([point.turns for point in curve], [point.bytes for point in curve])
            lines.append(
                f"- {contestant}, {storage}: {line.slope:,.0f} bytes a turn, R² = {line.r_squared:.6f}"
            )
    about = f"Two messages of {MESSAGE_BYTES} bytes a turn; medians of the turns before each mark."
    return "\n".join(
        [about, "", *markdown(table), "", "Straight lines through the bytes stored:", "", *lines]
    )


def described(point: Point) -> list[str]:
    said = 2 * MESSAGE_BYTES * point.turns
    times: list[Any] = [point.turn_s, point.commit_s, point.load_s]
    return [
        f"{point.turns:,}",
        point.contestant,
        "memory" if point.storage == MEMORY.name else point.storage,
        f"{point.bytes / 1e6:,.2f} MB",
        f"{point.bytes / point.turns:,.0f} B",
        f"{point.bytes / said:.2f}x",
        *("" if seconds is None else duration(seconds) for seconds in times),
        "" if point.rows is None else str(point.rows),
    ]
