"""`graphrt threads`: look at threads and keep house, without the graph they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click

from graphrt.checkpoint import (
    CopiesThreads,
    ListsThreads,
    Measures,
    Stored,
)
from graphrt.cli.drawing import put
from graphrt.cli.exits import Refused, errors_in_words
from graphrt.cli.forgetting import delete, prune
from graphrt.cli.lines import as_json
from graphrt.cli.questions import questions_at
from graphrt.cli.reading import checkpoint_record, state_record, thread_record
from graphrt.cli.storage import checkpointer_option, done, found, opened, traceback_option, unable
from graphrt.cli.tables import checkpoints_table, console, show_state, summary, threads_table
from graphrt.cli.target import find, graph_of, settled
from graphrt.drawing import marks_of_thread
from graphrt.pregel.threads import names_in
from graphrt.serde import Serializer

__all__ = ["threads"]

_json = click.option("--json", "as_lines", is_flag=True, help="JSON, one object per line.")
_namespace = click.option("--namespace", default="", metavar="NS", help="A subgraph's namespace.")


@click.group()
def threads() -> None:
    """List, show, copy, prune and delete threads."""


threads.add_command(delete)
threads.add_command(prune)


@threads.command("list")
@checkpointer_option
@click.option("--prefix", default="", metavar="TEXT", help="Threads whose names begin so.")
@click.option("--after", metavar="ID", help="Threads that sort after this one.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@_json
@traceback_option
def list_command(
    url: str, prefix: str, after: str | None, limit: int | None, as_lines: bool, with_traceback: bool
) -> None:
    """List threads by name."""

    async def work() -> None:
        async with opened(url) as saver:
            if not isinstance(saver, ListsThreads):
                raise unable(saver, "list threads")
            infos = saver.athreads(prefix=prefix, after=after, limit=limit)
            if as_lines:
                async for info in infos:
                    click.echo(as_json(thread_record(info)))
                return
            console().print(threads_table([thread_record(info) async for info in infos]))
            if isinstance(saver, Measures) and not (prefix or after or limit):
                click.echo(summary(await saver.astats()))

    done(work(), with_traceback=with_traceback)


@threads.command("show")
@click.argument("thread")
@checkpointer_option
@_namespace
@click.option("--checkpoint", metavar="ID", help="An older checkpoint.")
@click.option(
    "--svg",
    "picture",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="A picture instead: what ran, how often, how long, what failed or waits. Needs --graph.",
)
@click.option("--graph", "target", metavar="FILE_OR_MODULE:GRAPH", help="The graph to draw for --svg.")
@_json
@traceback_option
def show_command(
    thread: str,
    url: str,
    namespace: str,
    checkpoint: str | None,
    picture: str | None,
    target: str | None,
    as_lines: bool,
    with_traceback: bool,
) -> None:
    """Show a thread's newest state: values, tasks that wait, errors, open questions."""
    if picture is not None or target is not None:
        if picture is None or target is None or checkpoint is not None or as_lines:
            raise click.UsageError("--svg [FILE] and --graph go together, without --checkpoint and --json.")
        with errors_in_words(with_traceback=with_traceback):
            put(asyncio.run(_overlaid(find(target), thread, url, namespace)), picture)
        return

    async def work() -> None:
        async with opened(url) as saver:
            stored: Stored | None = await saver.load(thread, namespace, checkpoint)
            if stored is None:
                await found(saver, thread)
                raise Refused(_nothing_there(thread, namespace, checkpoint))
            questions = await questions_at(saver, thread, namespace, stored, Serializer())
        record = state_record(thread, namespace, stored, questions)
        if as_lines:
            click.echo(as_json(record))
        else:
            show_state(console(), record)

    done(work(), with_traceback=with_traceback)


async def _overlaid(made: object, thread: str, url: str, namespace: str) -> str:
    """The thread's run, drawn on its graph."""
    graph = graph_of(await settled(made))
    async with opened(url) as saver:
        await found(saver, thread)
        marks = await marks_of_thread(saver, thread, namespace)
    for _, inner in graph.get_subgraphs(namespace=names_in(namespace), recurse=True) if namespace else ():
        graph = inner
    return graph.get_graph(xray=True).draw_svg(marks=marks)


def _nothing_there(thread: str, namespace: str, checkpoint: str | None) -> str:
    which = f"no checkpoint {checkpoint}" if checkpoint is not None else "no checkpoints"
    where = f" in the namespace {namespace!r}" if namespace else ""
    return f"Thread {thread!r} has {which}{where}."


@threads.command("history")
@click.argument("thread")
@checkpointer_option
@_namespace
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="At most so many."
)
@click.option("--before", metavar="ID", help="Only what is older than this checkpoint.")
@_json
@traceback_option
def history_command(
    thread: str,
    url: str,
    namespace: str,
    limit: int,
    before: str | None,
    as_lines: bool,
    with_traceback: bool,
) -> None:
    """List a thread's checkpoints, newest first."""

    async def work() -> None:
        async with opened(url) as saver:
            past: AsyncIterator[Stored] = saver.history(thread, namespace, before=before, limit=limit)
            records = [checkpoint_record(stored) async for stored in past]
            if not records:
                await found(saver, thread)
        if as_lines:
            for record in records:
                click.echo(as_json(record))
        else:
            console().print(checkpoints_table(records))

    done(work(), with_traceback=with_traceback)


@threads.command("copy")
@click.argument("source")
@click.argument("target")
@checkpointer_option
@traceback_option
def copy_command(source: str, target: str, url: str, with_traceback: bool) -> None:
    """Copy a thread, with its subgraphs and its history, to a new one."""

    async def work() -> int:
        async with opened(url) as saver:
            if not isinstance(saver, CopiesThreads):
                raise unable(saver, "copy threads")
            await found(saver, source)
            return await saver.acopy_thread(source, target)

    count = done(work(), with_traceback=with_traceback)
    click.echo(f"Copied {count} checkpoints of {source!r} to {target!r}.")
