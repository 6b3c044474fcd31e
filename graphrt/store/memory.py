"""A store that lasts as long as its process: for tests, notebooks, and what need not survive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

from graphrt.store.batches import Batch, plan_batch
from graphrt.store.clock import SYSTEM_CLOCK, Clock, now_us
from graphrt.store.index import Embedded, Index, index_of
from graphrt.store.nearness import unit
from graphrt.store.ops import IndexConfig, Op, Result, TTLConfig
from graphrt.store.sweeping import SweptStore
from graphrt.store.table import Table

__all__ = ["InMemoryStore"]


class InMemoryStore(SweptStore):
    """Keeps items in memory, as bytes, as the databases do. Its methods may be called from any thread and loop.

        store = InMemoryStore(index={"dims": 256, "embed": embed, "fields": ["text"]})
        await store.aput(("users", "17"), "likes", {"text": "cycling in the rain"})

    Args:
        index: how items are found by meaning; without it a search's `query` changes nothing.
        ttl: how long items live that do not say, and whether reading begins their time anew.
        clock: what time it is.

    Raises:
        GraphValidationError: the index makes no sense.
    """

    def __init__(
        self,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.index_config = index
        self.ttl_config = ttl
        self.clock = clock or SYSTEM_CLOCK
        self._index: Index | None = index_of(index)
        self._fields = None if self._index is None else self._index.fields
        self._table = Table()
        self._turn = Lock()  # nobody waits while holding it

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        batch = plan_batch(ops, fields=self._fields)
        if self._index is None or not (batch.texts or batch.queries):
            return self._do(batch, {}, {})
        return self._do(batch, *await self._index.aembed(batch))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """`abatch` at once. It never waits, so it may be called in an event loop too, unless the embedding is async.

        Raises:
            RunningLoopError: the embedding is async, and a loop is running in this thread.
        """
        batch = plan_batch(ops, fields=self._fields)
        if self._index is None or not (batch.texts or batch.queries):
            return self._do(batch, {}, {})
        return self._do(batch, *self._index.embed(batch))

    async def sweep_ttl(self) -> int:
        with self._turn:
            return self._table.sweep(now_us(self.clock))

    def _do(self, batch: Batch, texts: Embedded, queries: Embedded) -> list[Result]:
        units, wanted = _units(texts), _units(queries)
        with self._turn:
            return self._table.do(batch, units, wanted, now_us(self.clock))


def _units(vectors: Embedded) -> Mapping[str, Any]:
    return {text: unit(vector) for text, vector in vectors.items()}
