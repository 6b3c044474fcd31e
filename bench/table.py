"""The figures as Markdown: one table for each door, cases down and contestants across, reasons as footnotes."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.cases import BY_NAME, Door
from bench.figures import Figure, Report, duration, in_order

TITLES: dict[Door, str] = {
    "async": "Async nodes on a running loop",
    "sync": "Plain nodes through the sync door",
    "direct": "Without a run",
}


def render(report: Report) -> str:
    """Return the whole document."""
    parts = [heading(report)]
    for door, title in TITLES.items():
        figures = [figure for figure in report.figures if figure.door == door]
        if figures:
            parts.append(f"## {title}\n\n{section(figures)}")
    return "\n\n".join(parts) + "\n"


def heading(report: Report) -> str:
    machine = report.machine
    lines = [
        f"{machine['processor']}, {machine['cores']} cores; {machine['implementation']} {machine['python']}; "
        f"revision {machine['revision']}; load {machine['load_average']} at the start.",
        "Cells are medians ± half the distance between the 10th and the 90th percentile.",
    ]
    return "\n".join(["# Benchmark", "", *lines, "", *map(describe, report.contestants.items())])


def describe(contestant: tuple[str, dict[str, Any]]) -> str:
    name, about = contestant
    if "failed" in about:
        return f"- {name}: failed: {about['failed']}"
    listed = ", ".join(f"{package} {version}" for package, version in about["versions"].items())
    return f"- {name}: {listed}; {about['loop']}"


def section(figures: Sequence[Figure]) -> str:
    contestants = in_order(figure.contestant for figure in figures)
    notes = Footnotes()
    table = [["case", *contestants]]
    for case in in_order(figure.case for figure in figures):
        row = {figure.contestant: figure for figure in figures if figure.case == case}
        table.append([case, *(cell(row[name], notes) for name in contestants)])
    explained = [f"- `{name}`: {BY_NAME[name].what}" for name in in_order(figure.case for figure in figures)]
    return "\n".join([*markdown(table), "", *explained, *notes.lines()])


def cell(figure: Figure, notes: "Footnotes") -> str:
    if figure.status == "not offered":
        return "n/a " + notes.mark(f"{figure.contestant}: n/a: {figure.reason}")
    if figure.status == "failed":
        return "failed " + notes.mark(f"{figure.contestant}: failed: {figure.reason}")
    if len(figure.samples) == 1:
        return duration(figure.median)
    low, high = figure.spread
    return f"{duration(figure.median)} ±{50 * (high - low) / (figure.median or 1.0):.0f}%"


class Footnotes:
    """Numbers reasons, each once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def mark(self, text: str) -> str:
        return f"[{self.numbers.setdefault(text, len(self.numbers) + 1)}]"

    def lines(self) -> list[str]:
        return (
            ["", *(f"[{number}] {text}  " for text, number in self.numbers.items())] if self.numbers else []
        )


def markdown(table: Sequence[Sequence[str]]) -> Iterable[str]:
    """Yield the rows, padded so that the source reads as a table, too."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    header, *body = table
    yield line(header, widths)
    yield (
        "|"
        + "|".join(("-" * (width + 1) + (":" if column else "-")) for column, width in enumerate(widths))
        + "|"
    )
    for row in body:
        yield line(row, widths)


def line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = [(text, width) for text, width in zip(row, widths, strict=True)]
    cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
    return "| " + " | ".join(cells) + " |"
