"""A cache in a SQLite file, which any number of processes may share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from threading import Lock
from time import monotonic, sleep, time_ns
from typing import Final, Self, TypeVar

from graphrt.cache.base import BaseCache, FullKey, Namespace, Serde

__all__ = ["SqliteCache"]

V = TypeVar("V")
_NS: Final = 1_000_000_000
_SWEEP_EVERY_NS: Final = 60 * _NS
_AGAIN_S: Final = 0.005

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS graphrt_cache (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    dies INTEGER,
    value BLOB NOT NULL,
    PRIMARY KEY (namespace, key)
) WITHOUT ROWID
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS graphrt_cache_dies ON graphrt_cache (dies) WHERE dies IS NOT NULL"
_GET: Final = """
SELECT entry.namespace, entry.key, entry.value
FROM json_each(:keys) AS wanted
JOIN graphrt_cache AS entry
    ON entry.namespace = json_extract(wanted.value, '$[0]') AND entry.key = json_extract(wanted.value, '$[1]')
WHERE entry.dies IS NULL OR entry.dies > :now
"""
_SET: Final = "INSERT OR REPLACE INTO graphrt_cache (namespace, key, dies, value) VALUES (?, ?, ?, ?)"
_SWEEP: Final = "DELETE FROM graphrt_cache WHERE dies <= ?"
_CLEAR: Final = "DELETE FROM graphrt_cache"
_CLEAR_SOME: Final = "DELETE FROM graphrt_cache WHERE namespace IN (SELECT value FROM json_each(?))"


class SqliteCache(BaseCache[V]):
    """Keeps values in a file. Its asynchronous methods work in a worker thread.

    The file is opened when it is first needed; `close`, or a `with` block, lets go of it. What has outlived its time
    is deleted once a minute, when something is set.

    Args:
        path: of the file; ":memory:" for a cache of this object alone.
        serde: turns values into bytes.
        wait_s: how long to wait for another process that writes.
        clock: nanoseconds since 1970, as `time.time_ns`.
    """

    def __init__(
        self,
        *,
        path: str | PathLike[str],
        serde: Serde | None = None,
        wait_s: float = 5.0,
        clock: Callable[[], int] = time_ns,
    ) -> None:
        super().__init__(serde=serde)
        self.path = fspath(path)
        self._wait_s = wait_s
        self._clock = clock
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._sweeps_at = 0

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, V]:
        """The values of those keys that there are.

        Raises:
            DeserializationError: a value is of a type that `serde` does not know.
            sqlite3.Error: the file cannot be read.
        """
        asked = {(_text(namespace), _text(key)): (namespace, key) for namespace, key in keys}
        wanted = json.dumps(list(asked))
        with self._open() as connection:
            rows = connection.execute(_GET, {"keys": wanted, "now": self._clock()}).fetchall()
        return {asked[namespace, key]: self.serde.loads(data) for namespace, key, data in rows}

    def set(self, pairs: Mapping[FullKey, tuple[V, float | None]]) -> None:
        """Keep values, each for so many seconds.

        Raises:
            SerializationError: a value cannot be stored.
            sqlite3.Error: the file cannot be written.
        """
        now = self._clock()
        rows = [
            (
                _text(namespace),
                _text(key),
                None if ttl is None else now + int(ttl * _NS),
                self.serde.dumps(value),
            )
            for (namespace, key), (value, ttl) in pairs.items()
        ]
        with self._open() as connection:
            if now >= self._sweeps_at:
                self._sweeps_at = now + _SWEEP_EVERY_NS
                connection.execute(_SWEEP, (now,))
            connection.executemany(_SET, rows)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget everything in these namespaces; without them, everything.

        Raises:
            sqlite3.Error: the file cannot be written.
        """
        with self._open() as connection:
            if namespaces is None:
                connection.execute(_CLEAR)
            else:
                connection.execute(_CLEAR_SOME, (json.dumps([_text(name) for name in namespaces]),))

    def close(self) -> None:
        """Let go of the file. Whatever comes next opens it again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """The connection, for one transaction of one thread."""
        with self._lock:
            if self._connection is None:
                self._connection = _connect(self.path, self._wait_s)
            with self._connection as connection:
                yield connection


def _connect(path: str, wait_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=wait_s, check_same_thread=False)
    try:
        _use_wal(connection, wait_s)
        # A crash of the machine may cost entries, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        with connection:
            connection.execute(_TABLE)
            connection.execute(_INDEX)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, wait_s: float) -> None:
    """Let readers and a writer work at once. SQLite does not wait by itself if several open a new file together."""
    until = monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(_AGAIN_S)


def _text(name: Namespace | str) -> str:
    """A name as text without NUL and lone surrogates, which SQLite would not take."""
    return json.dumps(name, separators=(",", ":"))
