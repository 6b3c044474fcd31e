"""A checkpointer for one command: opened by URL, asked whether it can do what is wanted, closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import click

from graphrt.checkpoint import Checkpointer, ListsThreads
from graphrt.checkpoint.urls import saver_from_url
from graphrt.cli.exits import Refused, errors_in_words, in_words

__all__ = ["checkpointer_option", "done", "found", "opened", "password_hidden", "traceback_option", "unable",
           "without_password"]  # fmt: skip

T = TypeVar("T")

_IN_QUERY: Final = re.compile(r"([?&](?:ssl)?password=)([^&#]*)")


def _file_that_exists(ctx: click.Context, param: click.Parameter, url: str) -> str:
    """SQLite makes a file that is not there; who wants to see threads has mistyped its name."""
    path = url.partition("?")[0].removeprefix("sqlite:///")
    if url.startswith("sqlite:///") and path and path != ":memory:" and not Path(unquote(path)).exists():
        raise click.BadParameter(f"There is no file {unquote(path)}.", ctx, param)
    return url


checkpointer_option = click.option(
    "--checkpointer",
    "url",
    callback=_file_that_exists,
    metavar="URL",
    required=True,
    envvar="GRAPHRT_CHECKPOINTER",
    show_envvar=True,
    help="Where threads are kept, such as sqlite:///chat.db.",
)


traceback_option = click.option(
    "--traceback", "with_traceback", is_flag=True, help="Show Python's traceback of an error."
)


def done(work: Coroutine[Any, Any, T], *, with_traceback: bool) -> T:
    """What comes of a command's work; its errors are shown in words.

    Raises:
        SystemExit: something went wrong.
    """
    with errors_in_words(with_traceback=with_traceback):
        return asyncio.run(work)


@asynccontextmanager
async def opened(url: str | None) -> AsyncGenerator[Any]:
    """The checkpointer that `url` names, open; None for None. Errors that quote the URL do so without its password.

    Raises:
        GraphValidationError: there is no such checkpointer, or what it needs is not installed.
    """
    if url is None:
        yield None
        return
    with password_hidden(url):
        saver: Any = saver_from_url(url)
        if hasattr(saver, "__aenter__"):
            async with saver as ready:
                yield ready
        else:
            yield saver


@contextmanager
def password_hidden(url: str) -> Generator[None]:
    """Errors inside that quote the URL's password are shown without it, and without a traceback."""
    try:
        yield
    except Exception as error:
        words = in_words(error)
        hidden = _without_secrets(words, url)
        if hidden == words:
            raise
        raise Refused(hidden) from None


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    url = _IN_QUERY.sub(r"\1***", url)
    before, at, place = url.rpartition("@")
    scheme, separator, login = before.partition("://")
    if not at or not separator:
        return url
    return f"{scheme}://{login.partition(':')[0]}@{place}"


def _without_secrets(words: str, url: str) -> str:
    login = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    written = [login, *(match[2] for match in _IN_QUERY.finditer(url))]
    secrets = {secret for text in written for secret in (text, unquote(text)) if secret}
    for secret in sorted(secrets, key=len, reverse=True):
        words = words.replace(secret, "***")
    return words


def unable(saver: object, to: str) -> Refused:
    """The saver does not have an optional capability, which would let it do that."""
    return Refused(f"This checkpointer ({type(saver).__name__}) cannot {to}.")


async def found(saver: Any, thread_id: str) -> None:
    """Make sure that there is such a thread.

    Raises:
        Refused: there is none.
    """
    if isinstance(saver, ListsThreads):
        # Of all names with this prefix, the name itself sorts first.
        if thread_id in [info.thread_id async for info in saver.athreads(prefix=thread_id, limit=1)]:
            return
    elif isinstance(saver, Checkpointer) and await saver.load(thread_id) is not None:
        return
    raise Refused(f"There is no thread {thread_id!r}. See: graphrt threads list")
