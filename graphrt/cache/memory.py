"""A cache in this process's memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from threading import Lock
from time import time_ns
from typing import ClassVar, Final, TypeVar

from graphrt.cache.base import BaseCache, FullKey, Namespace, Serde

__all__ = ["InMemoryCache"]

V = TypeVar("V")
_NS: Final = 1_000_000_000


class InMemoryCache(BaseCache[V]):
    """Keeps values as bytes, so that nobody can change what others get.

    What has outlived its time is dropped whenever something is set; what has no time to live stays until it is cleared.

    Args:
        clock: nanoseconds since 1970, as `time.time_ns`.
    """

    immediate: ClassVar[bool] = True

    def __init__(self, *, serde: Serde | None = None, clock: Callable[[], int] = time_ns) -> None:
        super().__init__(serde=serde)
        self._clock = clock
        self._lock = Lock()
        self._entries: dict[Namespace, dict[str, tuple[bytes, int | None]]] = {}
        self._deaths: list[tuple[int, FullKey]] = []

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, V]:
        """The values of those keys that there are.

        Raises:
            DeserializationError: a value is of a type that `serde` does not know.
        """
        found: dict[FullKey, bytes] = {}
        with self._lock:
            now = self._clock()
            for namespace, key in keys:
                entry = self._entries.get(namespace, {}).get(key)
                if entry is not None and (entry[1] is None or now < entry[1]):
                    found[namespace, key] = entry[0]
        return {key: self.serde.loads(data) for key, data in found.items()}

    def set(self, pairs: Mapping[FullKey, tuple[V, float | None]]) -> None:
        """Keep values, each for so many seconds.

        Raises:
            SerializationError: a value cannot be stored.
        """
        encoded = [(key, self.serde.dumps(value), ttl) for key, (value, ttl) in pairs.items()]
        with self._lock:
            now = self._clock()
            self._drop(now)
            for (namespace, key), data, ttl in encoded:
                dies = None if ttl is None else now + int(ttl * _NS)
                self._entries.setdefault(namespace, {})[key] = (data, dies)
                if dies is not None:
                    heappush(self._deaths, (dies, (namespace, key)))

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget everything in these namespaces; without them, everything."""
        with self._lock:
            for namespace in list(self._entries) if namespaces is None else namespaces:
                self._entries.pop(tuple(namespace), None)
            if not self._entries:
                self._deaths.clear()

    def _drop(self, now: int) -> None:
        """Drop what has outlived its time. O(log n) for each entry, once."""
        while self._deaths and self._deaths[0][0] <= now:
            dies, (namespace, key) = heappop(self._deaths)
            entries = self._entries.get(namespace, {})
            entry = entries.get(key)
            if entry is not None and entry[1] == dies:  # it may have been set again since
                del entries[key]
                if not entries:
                    del self._entries[namespace]
