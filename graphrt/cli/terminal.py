"""The view for people: nodes as they run, a line for each that is done, then the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from graphrt.cli.lines import as_json
from graphrt.cli.progress import Progress, Row
from graphrt.cli.questions import Pause
from graphrt.cli.tables import profile_summary, profile_table
from graphrt.drawing.lettering import printable

__all__ = ["Terminal", "asked", "duration"]

_MOST_ROWS: Final = 12
"""Running nodes shown at once; a step may have thousands."""


class Terminal:
    """A live table of what runs, below the lines of what is done. Use it as a context manager.

    Args:
        clock_s: monotonic seconds.
        modes: chunks of these modes are printed as they come.
    """

    def __init__(self, console: Console, *, clock_s: Callable[[], float], modes: frozenset[str]) -> None:
        self._console = console
        self._clock_s = clock_s
        self._modes = modes
        self._progress = Progress()
        self._spinner = Spinner("dots")
        self._live = Live(
            console=console, get_renderable=self._running, transient=True, refresh_per_second=10
        )

    def __enter__(self) -> Terminal:
        """Take the terminal."""
        self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Give the terminal back, whatever happened."""
        self._print(self._progress.close())
        self._live.stop()

    def chunk(self, mode: str, payload: Any) -> None:
        """Note progress, and print what was asked for."""
        if mode == "debug":
            self._print(self._progress.take(payload, self._clock_s()))
        if mode in self._modes:
            self._console.print(Text.assemble((f"{mode} ", "dim"), as_json(payload)))

    def paused(self, pause: Pause) -> None:
        """The run waits: show what is asked."""
        self._print(self._progress.close())
        for question in pause.questions:
            self._console.print(asked(question))

    def profile(self, report: Mapping[str, Any]) -> None:
        """Where the time went."""
        self._print(self._progress.close())
        self._console.print(profile_table(report))
        self._console.print(profile_summary(report))

    def result(self, value: Any) -> None:
        """The run came to its end."""
        self._print(self._progress.close())
        self._live.stop()
        self._console.print_json(as_json(value))

    def error(self, error: Exception) -> None:
        """The run ended with an error; whoever called says it in words."""

    def _print(self, rows: list[Row]) -> None:
        now_s = self._clock_s()
        for row in rows:
            self._console.print(finished(row, now_s))

    def _running(self) -> RenderableType:
        now_s = self._clock_s()
        rows = [row for row in list(self._progress.rows.values()) if row.running]
        table = Table.grid(padding=(0, 1))
        for row in rows[:_MOST_ROWS]:
            table.add_row(self._spinner, *_cells(row, now_s))
        more = len(rows) - _MOST_ROWS
        return Group(table, Text(f"  and {more} more", style="dim")) if more > 0 else table


def asked(question: Mapping[str, Any]) -> Text:
    """A line for an open question: who asks what, and under which id."""
    return Text.assemble(
        ("? ", "cyan"),
        (printable(question["node"]), "bold"),
        " asks ",
        printable(as_json(question["value"])),
        (f" {question['id']}", "dim"),
    )


def finished(row: Row, now_s: float) -> Text:
    """A line for a node's tasks of one step: all of them done, or what became of them."""
    mark, style = ("\N{CHECK MARK}", "green")
    if row.failed:
        mark, style = ("\N{BALLOT X}", "red")
    elif row.running:
        mark, style = ("-", "yellow")  # the run ended before it did
    line = Text.assemble((f"{mark} ", style))
    return line.append_text(Text(" ").join(cell for cell in _cells(row, now_s) if cell))


def _cells(row: Row, now_s: float) -> list[Text]:
    count = f"{row.done}/{row.started}" if row.running else f"x{row.started}"
    return [
        Text(f"step {row.step}", style="dim"),
        Text(printable(row.name), style="bold"),
        Text(count if row.started > 1 else ""),
        Text(duration(row.seconds(now_s)), style="dim"),
    ]


def duration(seconds: float) -> str:
    """Three digits are enough to compare nodes."""
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
