"""Files that are open in this process: every saver of a file shares its writer and its readers."""

from __future__ import annotations

from functools import partial
from itertools import count
from threading import Lock
from typing import Final

from checkpointers.sqlite.lanes import Lane, OwnLane
from checkpointers.sqlite.opening import open_reader, open_writer
from checkpointers.sqlite.options import MEMORY, Options
from checkpointers.sqlite.writer import Writer

__all__ = ["File", "abandon", "let_go", "take"]


class File:
    """A writer, and lanes to read in, one after the other in turn. Nothing is opened before the first job.

    Attributes:
        side: a lane for reads that may take long.
    """

    def __init__(self, place: str, options: Options) -> None:
        own = OwnLane(partial(open_writer, place, options), name=f"sqlite writer of {place}")
        self.key = (place, options.synchronous)
        self.users = 0
        self.writer = Writer(own, place=place, patience_s=options.busy_timeout_s)
        self._turn = count()
        self._readers: list[Lane] = [own]
        if place != MEMORY:
            # A reader opens after the writer has: it needs the tables.
            self._readers = [
                OwnLane(partial(open_reader, place, options), name=f"sqlite reader {n} of {place}")
                for n in range(options.readers)
            ]
        self.side: Lane = own
        if place != MEMORY:
            self.side = OwnLane(partial(open_reader, place, options), name=f"sqlite housekeeper of {place}")

    @property
    def reader(self) -> Lane:
        """A lane to read in."""
        return self._readers[next(self._turn) % len(self._readers)]

    def close(self) -> None:
        """Finish what was asked for."""
        for lane in (self.writer.lane, *self._readers, self.side):
            lane.close()


_files: Final[dict[tuple[str, str], File]] = {}
_lock: Final = Lock()


def take(place: str, options: Options) -> File:
    """The open file, for one more user."""
    with _lock:
        file = _files.get((place, options.synchronous)) if place != MEMORY else None
        if file is None:
            file = File(place, options)
            if place != MEMORY:
                _files[file.key] = file
        file.users += 1
        return file


def abandon(file: File) -> None:
    """`let_go` for whom the cycle collector has taken away: that may be while this very thread holds the lock."""
    file.writer.lane.post(lambda _: let_go(file))


def let_go(file: File) -> None:
    """One user less; the last one closes it."""
    with _lock:
        file.users -= 1
        if file.users:
            return
        if _files.get(file.key) is file:
            del _files[file.key]
    file.close()
