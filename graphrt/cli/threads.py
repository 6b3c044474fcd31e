"""`graphrt threads`: look at threads and keep house, without the graph they belong to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import click

from graphrt.checkpoint import (
    CopiesThreads,
    ListsThreads,
    Measures,
    Pruned,
    Prunes,
    Reclaims,
    Stored,
)
from graphrt.cli.exits import Refused, errors_in_words
from graphrt.cli.lines import as_json
from graphrt.cli.reading import checkpoint_record, state_record, thread_record
from graphrt.cli.storage import checkpointer_option, found, opened, unable, without_password
from graphrt.cli.tables import checkpoints_table, console, show_state, sized, summary, threads_table

__all__ = ["threads"]

T = TypeVar("T")

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_json = click.option("--json", "as_lines", is_flag=True, help="JSON, one object per line.")
_namespace = click.option("--namespace", default="", metavar="NS", help="A subgraph's namespace.")
_traceback = click.option(
    "--traceback", "with_traceback", is_flag=True, help="Show Python's traceback of an error."
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_reclaim = click.option("--reclaim", is_flag=True, help="Then give unused space back to the system.")


def _age(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A duration before now or a date, as a moment; a date without a time zone is meant where this computer is."""
    if value is None:
        return None
    try:
        if match := re.fullmatch(r"(\d{1,9})([smhdw])", value.strip()):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r}: write 90m, 12h, 30d or 2w, or a date such as 2026-01-31.", ctx, param
        ) from None


_older_than = click.option(
    "--older-than", callback=_age, metavar="AGE", help="30d, 12h, or a date such as 2026-01-31."
)


@click.group()
def threads() -> None:
    """List, show, copy, prune and delete threads."""


def _run(work: Coroutine[Any, Any, T], *, with_traceback: bool) -> T:
    with errors_in_words(with_traceback=with_traceback):
        return asyncio.run(work)


@threads.command("list")
@checkpointer_option
@click.option("--prefix", default="", metavar="TEXT", help="Threads whose names begin so.")
@click.option("--after", metavar="ID", help="Threads that sort after this one.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@_json
@_traceback
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

    _run(work(), with_traceback=with_traceback)


@threads.command("show")
@click.argument("thread")
@checkpointer_option
@_namespace
@click.option("--checkpoint", metavar="ID", help="An older checkpoint.")
@_json
@_traceback
def show_command(
    thread: str, url: str, namespace: str, checkpoint: str | None, as_lines: bool, with_traceback: bool
) -> None:
    """Show a thread's newest state: values, tasks that wait, errors."""

    async def work() -> None:
        async with opened(url) as saver:
            stored: Stored | None = await saver.load(thread, namespace, checkpoint)
            if stored is None:
                await found(saver, thread)
                raise Refused(_nothing_there(thread, namespace, checkpoint))
        record = state_record(thread, namespace, stored)
        if as_lines:
            click.echo(as_json(record))
        else:
            show_state(console(), record)

    _run(work(), with_traceback=with_traceback)


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
@_traceback
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

    _run(work(), with_traceback=with_traceback)


@threads.command("copy")
@click.argument("source")
@click.argument("target")
@checkpointer_option
@_traceback
def copy_command(source: str, target: str, url: str, with_traceback: bool) -> None:
    """Copy a thread, with its subgraphs and its history, to a new one."""

    async def work() -> int:
        async with opened(url) as saver:
            if not isinstance(saver, CopiesThreads):
                raise unable(saver, "copy threads")
            await found(saver, source)
            return await saver.acopy_thread(source, target)

    count = _run(work(), with_traceback=with_traceback)
    click.echo(f"Copied {count} checkpoints of {source!r} to {target!r}.")


@threads.command("delete")
@click.argument("names", metavar="[THREAD]...", nargs=-1)
@checkpointer_option
@_older_than
@_yes
@_reclaim
@_traceback
def delete_command(
    names: tuple[str, ...],
    url: str,
    older_than: datetime | None,
    yes: bool,
    reclaim: bool,
    with_traceback: bool,
) -> None:
    """Delete threads, with their subgraphs and history.

    With --older-than: those in which nothing has happened since, among those that are named or among all.
    """
    if not names and older_than is None:
        raise click.UsageError("Name the threads to delete, or pass --older-than AGE.")
    since = f" in which nothing has happened since {_moment(older_than)}" if older_than is not None else ""
    _ask(f"Delete {_threads(names)}{since} from {without_password(url)}?", yes=yes)

    async def work() -> tuple[Pruned, int | None]:
        async with opened(url) as saver:
            for name in names:
                await found(saver, name)
            pruned = await _deleted(saver, names, older_than)
            return pruned, await _reclaimed(saver, wanted=reclaim)

    _say(*_run(work(), with_traceback=with_traceback))


@threads.command("prune")
@click.argument("names", metavar="[THREAD]...", nargs=-1)
@checkpointer_option
@click.option(
    "--keep-last", type=click.IntRange(min=1), metavar="N", help="So many of each thread stay; 1 by default."
)
@_older_than
@_yes
@_reclaim
@_traceback
def prune_command(
    names: tuple[str, ...],
    url: str,
    keep_last: int | None,
    older_than: datetime | None,
    yes: bool,
    reclaim: bool,
    with_traceback: bool,
) -> None:
    """Forget older checkpoints, of the threads that are named or of all.

    What stays is as it was. The newest checkpoint of a thread always stays, with what waits there to go on. With both
    --keep-last and --older-than a checkpoint goes only if both let it.
    """
    made = f" that were made before {_moment(older_than)}" if older_than is not None else ""
    which = f"the checkpoints of {_threads(names)}{made}, but not the last {keep_last or 1}"
    _ask(f"Forget {which}, in {without_password(url)}?", yes=yes)

    async def work() -> tuple[Pruned, int | None]:
        async with opened(url) as saver:
            if not isinstance(saver, Prunes):
                raise unable(saver, "prune threads")
            for name in names:
                await found(saver, name)
            pruned = await saver.aprune(names or None, keep_last=keep_last, older_than=older_than)
            return pruned, await _reclaimed(saver, wanted=reclaim)

    _say(*_run(work(), with_traceback=with_traceback))


async def _deleted(saver: Any, names: tuple[str, ...], older_than: datetime | None) -> Pruned:
    if older_than is None:
        for name in names:
            await saver.adelete_thread(name)
        return Pruned(threads=len(names))
    if not isinstance(saver, Prunes):
        raise unable(saver, "find out which threads are old")
    return await saver.aprune(names or None, strategy="delete", older_than=older_than)


def _threads(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) if names else "all threads"


def _moment(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True, err=True)


async def _reclaimed(saver: Any, *, wanted: bool) -> int | None:
    if not wanted:
        return None
    if not isinstance(saver, Reclaims):
        raise unable(saver, "give space back")
    return await saver.areclaim()


def _say(pruned: Pruned, reclaimed: int | None) -> None:
    threads = [f"{pruned.threads} threads"] if pruned.threads else []
    checkpoints = [f"{pruned.checkpoints} checkpoints"] if pruned.checkpoints or not threads else []
    size = f", {sized(pruned.bytes)} of values" if pruned.bytes else ""
    back = f"; storage is {sized(reclaimed)} smaller" if reclaimed is not None else ""
    click.echo(f"Forgot {' and '.join(threads + checkpoints)}{size}{back}.")
