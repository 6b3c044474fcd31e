"""What people see: progress as data, the lines of finished nodes, the result."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from graphrt.cli.progress import Progress, Row
from graphrt.cli.terminal import Terminal, duration


def task(name: str, step: int) -> dict[str, Any]:
    return {"type": "task", "step": step, "payload": {"name": name}}


def done(name: str, step: int, error: Exception | None = None) -> dict[str, Any]:
    return {"type": "task_result", "step": step, "payload": {"name": name, "error": error}}


def test_a_node_takes_from_its_first_start_to_its_last_end():
    progress = Progress()
    for now, event in enumerate([task("a", 1), task("a", 1), done("a", 1), done("a", 1)]):
        assert progress.take(event, float(now)) == []
    row = progress.rows["a"]
    assert (row.started, row.done, row.running) == (2, 2, False)
    assert row.seconds(now_s=99.0) == 3.0


def test_a_node_that_runs_takes_until_now():
    progress = Progress()
    progress.take(task("a", 1), 1.0)
    assert progress.rows["a"].running
    assert progress.rows["a"].seconds(now_s=5.0) == 4.0


def test_a_new_step_closes_the_one_before():
    progress = Progress()
    progress.take(task("a", 1), 0.0)
    progress.take(done("a", 1), 1.0)
    closed = progress.take(task("b", 2), 2.0)
    assert closed == [Row("a", 1, 0.0, 1.0, started=1, done=1)]
    assert list(progress.rows) == ["b"]


def test_a_failed_task_is_counted_apart():
    progress = Progress()
    progress.take(task("a", 1), 0.0)
    progress.take(done("a", 1, ValueError()), 1.0)
    assert (progress.rows["a"].done, progress.rows["a"].failed) == (0, 1)


def test_a_task_that_asks_is_not_done():
    progress = Progress()
    progress.take(task("a", 1), 0.0)
    event = done("a", 1)
    event["payload"]["interrupts"] = [{"value": "?", "id": "0"}]
    progress.take(event, 1.0)
    assert progress.rows["a"].running


@pytest.mark.parametrize("event", [{"type": "checkpoint", "step": 1, "payload": {}}, done("unknown", 1), {}])
def test_what_says_nothing_about_tasks_changes_nothing(event: dict[str, Any]):
    progress = Progress()
    assert progress.take(event, 0.0) == []
    assert progress.rows == {}


@pytest.mark.parametrize(
    "seconds, shown",
    [(0.0004, "0 ms"), (0.25, "250 ms"), (1.25, "1.2 s"), (99.0, "99.0 s"), (150.0, "2.5 min")],
)
def test_durations(seconds: float, shown: str):
    assert duration(seconds) == shown


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen() -> StringIO:
    return StringIO()


@pytest.fixture
def terminal(screen: StringIO, clock: Clock) -> Iterator[Terminal]:
    # Not a real terminal: then nothing is redrawn, and what stays on the screen is what is in the file.
    console = Console(file=screen, width=80, no_color=True)
    with Terminal(console, clock_s=clock, modes=frozenset({"custom"})) as view:
        yield view


def test_a_finished_step_leaves_a_line_for_each_node(terminal: Terminal, screen: StringIO, clock: Clock):
    for event in (task("load", 1), task("load", 1), done("load", 1), done("load", 1), task("work", 2)):
        terminal.chunk("debug", event)
        clock.now_s += 0.5
    assert screen.getvalue() == "\N{CHECK MARK} step 1 load x2 1.5 s\n"


def test_a_node_that_is_not_done_when_all_is_over_is_shown_as_such(screen: StringIO, clock: Clock):
    with Terminal(Console(file=screen), clock_s=clock, modes=frozenset()) as terminal:
        terminal.chunk("debug", task("work", 1))
        terminal.chunk("debug", task("work", 1))
    assert "- step 1 work 0/2 0 ms\n" in screen.getvalue()


def test_the_result_follows_what_is_done(terminal: Terminal, screen: StringIO):
    terminal.chunk("debug", task("a", 1))
    terminal.chunk("debug", done("a", 1, ValueError()))
    terminal.result({"n": 2})
    assert screen.getvalue().split("\n")[0].startswith("\N{BALLOT X} step 1 a ")
    assert screen.getvalue().endswith('{\n  "n": 2\n}\n')


def test_chunks_that_were_asked_for_are_printed(terminal: Terminal, screen: StringIO):
    terminal.chunk("custom", {"file": "[bold]a.md"})
    terminal.chunk("updates", {"not": "asked"})
    assert screen.getvalue() == 'custom {"file":"[bold]a.md"}\n'


def test_names_cannot_steer_the_terminal(terminal: Terminal, screen: StringIO):
    for event in (task("a\x1b[31m", 1), done("a\x1b[31m", 1), task("b", 2)):
        terminal.chunk("debug", event)
    assert r"step 1 a\x1b[31m" in screen.getvalue()
    assert "\x1b" not in screen.getvalue()
