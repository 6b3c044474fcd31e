"""Databases that are open in this process: every saver of a file shares its writer and its readers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakSet

from checkpointers.sqlite.borrowed import PLACE, lane_of
from checkpointers.sqlite.failures import unreachable
from checkpointers.sqlite.lanes import Lane, OwnLane
from checkpointers.sqlite.opening import be_synchronous, open_reader, open_writer
from checkpointers.sqlite.options import MEMORY, SYNCHRONOUS, Options
from checkpointers.sqlite.writer import Writer

if TYPE_CHECKING:
    import sqlite3

    import aiosqlite

__all__ = ["File", "abandon", "borrowed", "join", "let_go", "owned"]

_Key: TypeAlias = tuple[int, int]
"""Device and inode: a file may have several names."""


class File:
    """A writer, and lanes to read in. Nothing is opened before the first job.

    Attributes:
        side: a lane for reads that may take long.
        shared: whether other savers may find it.
        alive: it can be used; not after it was closed, nor in a process that was forked off.
    """

    def __init__(
        self,
        place: str,
        options: Options,
        main: Lane,
        *,
        readers: Sequence[OwnLane] = (),
        shared: bool = False,
    ) -> None:
        self.place = place
        self.options = options
        self.main = main
        self.writer = Writer(main, place=place, patience_s=options.busy_timeout_s)
        self.side: Lane = readers[-1] if readers else main
        self.shared = shared
        self.alive = True
        self.users = 0
        self.key: _Key | None = None
        self._readers = readers[:-1]
        _every.add(self)

    @property
    def reader(self) -> Lane:
        """The lane to read in that has the least to do."""
        return min(self._readers, key=_load) if self._readers else self.main

    def tighten(self, options: Options) -> None:
        """Serve another saver too, whose options may ask for more."""
        if SYNCHRONOUS.index(options.synchronous) > SYNCHRONOUS.index(self.options.synchronous):
            self.main.post(partial(be_synchronous, options.synchronous))
            self.options = options
        self.writer.patience_s = max(self.writer.patience_s, options.busy_timeout_s)

    def close(self) -> None:
        """Finish what was asked for, and end; does not wait for it (`main.ended`)."""
        self.alive = False
        self.main.close()


def _load(lane: OwnLane) -> int:
    return lane.load


_every: Final[WeakSet[File]] = WeakSet()


class _Open:
    """The files that savers share, and those that belong to the process that this one was forked from."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.files: dict[_Key, File] = {}
        self.lost: list[File] = []


_open: Final = _Open()


def owned(place: str, options: Options) -> File:
    """A file, or memory, with connections of its own."""
    if place == MEMORY:
        return File(place, options, OwnLane(partial(open_writer, place, options), name="sqlite in memory"))
    opening = partial(open_reader, place, options)
    readers = [OwnLane(opening, name=f"sqlite reader {n} of {place}") for n in range(options.readers)]
    readers.append(OwnLane(opening, name=f"sqlite housekeeper of {place}"))
    writer = OwnLane(partial(open_writer, place, options), name=f"sqlite writer of {place}", after=readers)
    return File(place, options, writer, readers=readers, shared=True)


def borrowed(connection: aiosqlite.Connection | sqlite3.Connection, options: Options) -> File:
    """The user's connection.

    Raises:
        GraphValidationError: it is no connection.
    """
    return File(PLACE, options, lane_of(connection, options.busy_timeout_s))


# ---- sharing


def join(candidate: File) -> File:
    """The file that is open under the candidate's name already, or else itself, for one more user. Asks the disk.

    Raises:
        StorageError: there cannot be such a file.
    """
    with _open.lock:
        file = candidate
        if candidate.shared:
            candidate.key = _key(candidate.place)
            file = _open.files.get(candidate.key, candidate)
            if not file.alive:  # it was closed while it was being opened
                file = candidate
            _open.files[candidate.key] = file
        file.users += 1
    if file is not candidate:
        file.tighten(candidate.options)
    return file


def _key(place: str) -> _Key:
    try:
        try:
            found = os.stat(place)
        except FileNotFoundError:
            _create(place)
            found = os.stat(place)
    except (OSError, ValueError) as error:
        raise unreachable(error, place) from error
    return found.st_dev, found.st_ino


def _create(place: str) -> None:
    # An empty file is an empty database. One that is there must never be opened and closed by hand: that would take
    # from SQLite all locks that this process has on it (https://sqlite.org/howtocorrupt.html, 2.2).
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
    except FileExistsError:
        pass


def let_go(file: File) -> None:
    """One user less; the last one closes it."""
    with _open.lock:
        file.users -= 1
        if file.users:
            return
        if file.key is not None and _open.files.get(file.key) is file:
            del _open.files[file.key]
    file.close()


def abandon(file: File) -> None:
    """`let_go` for whom the cycle collector has taken away: that may be while this very thread holds the lock."""
    if not file.shared:
        file.close()
    elif file.alive:
        file.main.post(lambda _: let_go(file))


def _forked() -> None:
    """A child process has none of the threads, and may not touch the connections, not even to close them."""
    _open.lock = Lock()
    for file in _every:
        file.alive = False
        _open.lost.append(file)
    _open.files.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
