"""`graphrt migrate`: a database's tables, ahead of the programs that use them."""

from __future__ import annotations

import asyncio

import click

from graphrt.checkpoint import Migrates
from graphrt.checkpoint.urls import saver_from_url
from graphrt.cli.exits import errors_in_words
from graphrt.cli.storage import opened, password_hidden, traceback_option, unable, without_password
from graphrt.store.urls import store_from_url

__all__ = ["migrate"]


@click.command()
@click.argument("url", envvar="GRAPHRT_CHECKPOINTER")
@click.option("--sql", is_flag=True, help="Print what would be run on an empty database; connect to nothing.")
@traceback_option
def migrate(url: str, sql: bool, with_traceback: bool) -> None:
    """Bring the tables of a database to this version: postgresql://..., sqlite:///chat.db. Threads and the store.

    Safe while programs run, and when many do it at once. Where programs may not change tables, do this first, as a
    user who may.
    """
    with errors_in_words(with_traceback=with_traceback):
        if sql:
            with password_hidden(url):
                click.echo(_migrating(saver_from_url(url)).migrations().rstrip())
                if (store := store_from_url(url)) is not None:
                    click.echo("\n" + store.migrations().rstrip())
            return
        asyncio.run(_set_up(url))
        click.echo(f"The tables in {without_password(url)} are up to date.")


async def _set_up(url: str) -> None:
    async with opened(url) as saver:
        await _migrating(saver).setup()
    if (store := store_from_url(url)) is not None:
        async with store:
            await store.setup()


def _migrating(saver: object) -> Migrates:
    if not isinstance(saver, Migrates):
        raise unable(saver, "be migrated: it has no tables")
    return saver
