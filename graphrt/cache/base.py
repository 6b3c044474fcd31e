"""What the engine asks of a cache: batches of keys in, values out (LangGraph 1.12, R1-R6)."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from graphrt.serde import Serializer

__all__ = ["BaseCache", "FullKey", "Namespace", "Serde"]

V = TypeVar("V")

Namespace: TypeAlias = tuple[str, ...]
"""What is cleared together."""
FullKey: TypeAlias = tuple[Namespace, str]
"""(namespace, key) of an entry."""


class Serde(Protocol):
    """Values to bytes and back, as `graphrt.serde.Serializer` does it."""

    def dumps(self, value: object) -> bytes: ...
    def loads(self, data: bytes) -> Any: ...


class BaseCache(ABC, Generic[V]):
    """Keeps values for some time. It may forget any of them at any moment, and must never give a wrong one.

    `get`, `set` and `clear` may be called from any thread. A cache that waits (for a disk, for a network) leaves
    `immediate` False; the asynchronous methods then call the synchronous ones in a worker thread, unless they are
    replaced by better ones.

    Args:
        serde: turns values into bytes; `graphrt.serde.Serializer()` by default. The engine's values are bytes already.

    Attributes:
        immediate: nothing here ever waits, so that it may be called on an event loop's thread.
    """

    immediate: ClassVar[bool] = False

    def __init__(self, *, serde: Serde | None = None) -> None:
        self.serde: Serde = Serializer() if serde is None else serde

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, V]:
        """The values of those keys that there are."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[V, float | None]]) -> None:
        """Keep values, each for so many seconds, or for ever if None."""

    @abstractmethod
    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget everything in exactly these namespaces; without them, everything."""

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, V]:
        """`get`, without blocking the event loop."""
        return self.get(keys) if self.immediate else await asyncio.to_thread(self.get, keys)

    async def aset(self, pairs: Mapping[FullKey, tuple[V, float | None]]) -> None:
        """`set`, without blocking the event loop."""
        self.set(pairs) if self.immediate else await asyncio.to_thread(self.set, pairs)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """`clear`, without blocking the event loop."""
        self.clear(namespaces) if self.immediate else await asyncio.to_thread(self.clear, namespaces)
