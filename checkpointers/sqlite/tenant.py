"""Whoever uses a file: it is opened with the first use, shared with others in this process, and let go in the end."""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypedDict, TypeVar, Unpack

from checkpointers.doors import Done, in_loop, refuse_in_loop
from checkpointers.sqlite.failures import damaged
from checkpointers.sqlite.files import File, abandon, borrowed, join, let_go, owned
from checkpointers.sqlite.lanes import Connected, Lane, asked, awaited, told, waited
from checkpointers.sqlite.opening import patiently
from checkpointers.sqlite.options import Options, Synchronous, place_of
from checkpointers.sqlite.reading import within_snapshot
from checkpointers.sqlite.statements import script
from checkpointers.sqlite.writer import Change
from graphrt.errors import StorageError

if TYPE_CHECKING:
    import aiosqlite

__all__ = ["SqliteOptions", "Tenant"]

T = TypeVar("T")

_CLOSING_S: Final = 10.0
"""How long closing waits for what is under way; its threads are daemons and do not keep a program from ending."""


class SqliteOptions(TypedDict, total=False):
    """See `Tenant.from_conn_string`."""

    synchronous: Synchronous
    busy_timeout_s: float
    readers: int


class Tenant:
    """Uses an SQLite file from any event loop and thread. Nothing is opened before it is needed.

    Args:
        connection: one of your own, from aiosqlite or (with `check_same_thread=False`) sqlite3. Everything goes through
            it, between your transactions, and closing it stays with you.
    """

    _noun: ClassVar[str] = "SqliteSaver"
    """What messages call it."""

    def __init__(self, connection: aiosqlite.Connection | sqlite3.Connection) -> None:
        self._prepare(borrowed(connection, Options()))

    @classmethod
    def from_conn_string(cls, conn_string: str, **options: Unpack[SqliteOptions]) -> Self:
        """One for a file: a path, `sqlite:///chat.db`, `sqlite:////var/chat.db`, or `:memory:`.

        Args:
            conn_string: a URL may have the options as well: `sqlite:///chat.db?synchronous=FULL`.
            options: `synchronous` ("NORMAL"): nothing that was reported as committed is lost when the process dies;
                with "FULL" neither when the machine loses power. `busy_timeout_s` (30): how long to wait for other
                processes that write. `readers` (2): connections that read.

        Raises:
            GraphValidationError: there is no such option, or no file is named.
        """
        tenant = cls.__new__(cls)
        tenant._prepare(owned(*place_of(conn_string, options, noun=cls._noun)))
        return tenant

    def _prepare(self, file: File) -> None:
        self._file = file
        self._ready = False
        self._closed = False
        self._lock = Lock()
        self._abandoned: weakref.finalize[..., Tenant] | None = None

    # -- life ----------------------------------------------------------------------------------------------------

    async def _enter(self) -> File:
        """The file, open. Nothing is done twice if several tasks come at once, nor lost if one of them is cancelled."""
        file = self._candidate()
        await asked(file.main, partial(self._attach, file))
        return self._file

    def _candidate(self) -> File:
        if self._closed:
            raise StorageError(
                f"This {self._noun} is closed. Make another one, or use it inside its `async with`."
            )
        file = self._file
        if not file.alive:
            if not file.shared:
                raise StorageError(
                    f"This process was forked off from the one that opened {file.place}. Open it here, or fork before."
                )
            self._ready = False
            file = self._file = owned(file.place, file.options)
        return file

    def _attach(self, candidate: File, connected: Connected) -> None:
        """Open the file, unless it is open under any of its names. Runs in the candidate's lane."""
        if self._ready and candidate.alive:
            connected()
            return
        file = join(candidate)
        try:
            if file is candidate:
                connected()
            else:
                waited(file.main, lambda _: None)
                candidate.close()
        except BaseException:
            if file.shared:
                let_go(file)
            else:
                file.users -= 1  # what the user gave us may still be opened
            raise
        with self._lock:
            spare = self._closed or self._ready
            if not spare:
                self._file = file
                self._abandoned = weakref.finalize(self, abandon, file)
                self._abandoned.atexit = False
                self._ready = True
        if spare:
            let_go(file)

    def setup(self) -> Coroutine[Any, Any, None]:
        """Make the tables, or bring them to this program's version. First use does it anyway.

        `await ....setup()` in an event loop, `....setup()` where none runs.
        """
        if in_loop():
            return self._set_up()
        self._enter_now()
        return Done()

    async def _set_up(self) -> None:
        await self._enter()

    def _enter_now(self) -> File:
        file = self._candidate()
        told(file.main, partial(self._attach, file))
        return self._file

    def migrations(self) -> str:
        """What `setup` would run on an empty database, as a script for the `sqlite3` command."""
        return script()

    async def aclose(self) -> None:
        """Finish what was asked for, and close the file; nothing happens the second time."""
        ended = self._leave()
        if not ended.done():
            await asyncio.wait([asyncio.wrap_future(ended)], timeout=_CLOSING_S)

    def _leave(self) -> Future[None]:
        """Let go of the file: done when it is closed, or others keep it open."""
        with self._lock:
            closed, self._closed, self._ready = self._closed, True, False
            abandoned = self._abandoned
        if abandoned is not None and abandoned.detach() is not None:
            let_go(self._file)
        elif not closed:
            self._file.close()  # it was never opened
        if not self._file.alive:
            return self._file.main.ended
        others: Future[None] = Future()
        others.set_result(None)
        return others

    async def __aenter__(self) -> Self:
        await self._enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- work ----------------------------------------------------------------------------------------------------

    async def _write(self, change: Change) -> Any:
        file = self._file
        if not (self._ready and file.alive):
            file = await self._enter()
        return await file.writer.write(change)

    async def _read(self, work: Callable[[sqlite3.Connection], T], lane: Lane | None = None) -> T:
        file = self._file
        if not (self._ready and file.alive):
            file = await self._enter()
        return await awaited(file.reader if lane is None else lane, partial(_look, file, work))

    # -- without an event loop -------------------------------------------------------------------------------------

    def close(self) -> None:
        """`aclose` for callers without an event loop.

        Raises:
            RunningLoopError: there is one in this thread.
        """
        refuse_in_loop("close")
        try:
            self._leave().result(_CLOSING_S)
        except TimeoutError:
            pass

    def __enter__(self) -> Self:
        refuse_in_loop("__enter__")
        self._enter_now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _look(file: File, work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    try:
        return patiently(lambda: within_snapshot(connection, work), file.place, file.writer.patience_s)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise damaged(error, file.place) from error
