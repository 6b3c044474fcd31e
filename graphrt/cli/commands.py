"""The commands, their options and help."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NoReturn, get_args

import click
from rich.console import Console

from graphrt.cli.drawing import draw, target_argument
from graphrt.cli.exits import EXIT_CODES, Exit, errors_in_words
from graphrt.cli.given import read_input
from graphrt.cli.lines import JsonLines
from graphrt.cli.migrate import migrate
from graphrt.cli.questions import Pause, how_to_go_on
from graphrt.cli.running import Request, View, run
from graphrt.cli.storage import without_password
from graphrt.cli.target import find
from graphrt.cli.terminal import Terminal
from graphrt.cli.threads import threads
from graphrt.types import StreamMode
from graphrt.version import __version__

__all__ = ["graphrt"]

MODES: Final[tuple[StreamMode, ...]] = get_args(StreamMode)

_traceback = click.option(
    "--traceback", "with_traceback", is_flag=True, help="Show Python's traceback of an error."
)


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphrt")
def graphrt() -> None:
    """Run and draw graphs, and look after their threads.

    GRAPH names a compiled graph, a builder, or a function without parameters that returns one: graphs.py:graph,
    package.module:make_graph.
    """


graphrt.add_command(draw)
graphrt.add_command(threads)
graphrt.add_command(migrate)


def _modes(ctx: click.Context, param: click.Parameter, value: str | None) -> frozenset[StreamMode] | None:
    if value is None:
        return None
    wanted = {mode.strip() for mode in value.split(",")}
    if unknown := wanted - set(MODES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(MODES)}.", ctx, param)
    return frozenset(mode for mode in MODES if mode in wanted)


@graphrt.command("run", epilog=EXIT_CODES)
@target_argument
@click.option("--input", "given", metavar="JSON|@FILE|-", help="The input. Without it the thread goes on.")
@click.option(
    "--resume",
    "answer",
    metavar="JSON|@FILE|-",
    help="The answer to the thread's open question, or {id: answer} to some of several.",
)
@click.option("--thread", metavar="ID", help="The thread to run on; needs a checkpointer.")
@click.option("--checkpointer", metavar="URL", help="Where threads are kept, such as memory://.")
@click.option(
    "--stream", "modes", metavar="MODE,...", callback=_modes, help=f"Show these: {', '.join(MODES)}."
)
@click.option("--json", "as_lines", is_flag=True, help="JSON lines, on a terminal too.")
@click.option("--recursion-limit", type=click.IntRange(min=1), metavar="N", help="Steps the run may take.")
@click.option("--profile", "profiled", is_flag=True, help="Show where the time went: nodes, storage, engine.")
@_traceback
def run_command(
    target: str,
    given: str | None,
    answer: str | None,
    thread: str | None,
    checkpointer: str | None,
    modes: frozenset[StreamMode] | None,
    as_lines: bool,
    recursion_limit: int | None,
    profiled: bool,
    with_traceback: bool,
) -> None:
    """Run a graph.

    On a terminal: the nodes as they run, then the result. Elsewhere, and with --json: one JSON object per line,
    {"type": MODE, "data": ...}, the last one of type "result" or "error"; without --stream the mode is updates.
    A run that waits for answers shows its questions, on lines of type "interrupt", and how to answer them.
    """
    console = Console()
    live = console.is_terminal and not as_lines
    usual: frozenset[StreamMode] = frozenset({"custom"} if live else {"updates"})
    shown = modes or usual
    asked = shown | frozenset[StreamMode]({"debug"}) if live else shown
    try:
        with errors_in_words(with_traceback=with_traceback):
            request = Request(
                input=read_input(given, answer),
                found=find(target),
                modes=asked,
                thread=thread,
                checkpointer=checkpointer,
                recursion_limit=recursion_limit,
                profiled=profiled,
            )
            with _view(console, shown, live=live) as view:
                pause = asyncio.run(run(request, view))
    except KeyboardInterrupt:
        _say_interrupted(thread)
    if pause is not None:
        _say_paused(pause, target, thread, checkpointer)


def _view(console: Console, shown: frozenset[StreamMode], *, live: bool) -> AbstractContextManager[View]:
    if live:
        return Terminal(console, clock_s=time.monotonic, modes=shown)
    return nullcontext(JsonLines(sys.stdout))


def _say_paused(pause: Pause, target: str, thread: str | None, url: str | None) -> None:
    shown = without_password(url) if url is not None else None
    click.echo(how_to_go_on(pause, target, thread, shown), err=True)
    raise SystemExit(Exit.PAUSED)


def _say_interrupted(thread: str | None) -> NoReturn:
    again = f" Thread {thread!r} can go on: run it again without --input." if thread is not None else ""
    click.echo(f"Interrupted.{again}", err=True)
    raise SystemExit(Exit.INTERRUPTED)
