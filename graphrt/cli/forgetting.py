"""`graphrt threads delete` and `graphrt threads prune`: they ask first."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from graphrt.checkpoint import Pruned, Prunes, Reclaims
from graphrt.cli.storage import (
    checkpointer_option,
    done,
    found,
    opened,
    traceback_option,
    unable,
    without_password,
)
from graphrt.cli.tables import sized

__all__ = ["delete", "prune"]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_reclaim = click.option("--reclaim", is_flag=True, help="Then give unused space back to the system.")


@click.command()
@click.argument("names", metavar="[THREAD]...", nargs=-1)
@checkpointer_option
@_older_than
@_yes
@_reclaim
@traceback_option
def delete(
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

    _say(*done(work(), with_traceback=with_traceback))


@click.command()
@click.argument("names", metavar="[THREAD]...", nargs=-1)
@checkpointer_option
@click.option(
    "--keep-last", type=click.IntRange(min=1), metavar="N", help="So many of each thread stay; 1 by default."
)
@_older_than
@_yes
@_reclaim
@traceback_option
def prune(
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

    _say(*done(work(), with_traceback=with_traceback))


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
