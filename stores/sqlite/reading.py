"""What the tables say. Runs in a reader's lane, inside a transaction, so that everything is from one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import inf
from typing import Any, Final

from graphrt.store.batches import Read
from graphrt.store.filters import matches
from graphrt.store.items import Item, SearchItem
from graphrt.store.namespaces import list_of
from graphrt.store.ops import GetOp, ListNamespacesOp, Result, SearchOp
from stores.rows import (
    Row,
    below,
    bounded,
    by_time,
    item_of,
    leading,
    pack_namespace,
    search_item_of,
    unpack_namespace,
    value_of,
)
from stores.sqlite.extension import computes_distances
from stores.sqlite.statements import SQL
from stores.vectors import FLOAT_BYTES, best, pack_vector, unpack_vectors

__all__ = ["Reading"]

_ALL: Final = -1
_SLACK: Final = 1e-4
"""What two ways to compute a cosine may differ by, and more."""


class Reading:
    """Reads of one batch at one moment.

    Args:
        queries: directions of the queries, by their texts.
        extension: whether sqlite-vec may be loaded into the connection.

    Attributes:
        lives: items whose time is to begin anew, and the minutes that they live.
    """

    def __init__(
        self, connection: sqlite3.Connection, queries: Mapping[str, Any], now: int, *, extension: bool
    ) -> None:
        self.lives: dict[int, float] = {}
        self._connection = connection
        self._queries = queries
        self._now = now
        self._extension = extension

    def result(self, op: Read) -> Result:
        """What comes of an op.

        Raises:
            DeserializationError: a row is damaged.
        """
        match op:
            case GetOp():
                return self._get(op)
            case SearchOp():
                return self._search(op)
            case ListNamespacesOp():
                return self._list(op)

    def _get(self, op: GetOp) -> Item | None:
        address = (pack_namespace(op.namespace), op.key)
        found = self._connection.execute(SQL.get, (*address, self._now)).fetchone()
        if found is None:
            return None
        row = Row(*found)
        self._seen(row, op.refresh_ttl)
        return item_of(row)

    def _list(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        found = self._connection.execute(SQL.namespaces, (*below(leading(op)), self._now))
        return list_of([unpack_namespace(text) for (text,) in found], op)

    def _seen(self, row: Row, refreshes: bool) -> None:
        if refreshes and row.ttl is not None:
            self.lives[row.id] = row.ttl

    # ---- searching

    def _search(self, op: SearchOp) -> list[SearchItem]:
        if op.limit == 0:
            return []
        op = bounded(op)
        query = self._queries.get(op.query or "")
        page = self._latest(op) if query is None else self._nearest(op, query)
        for row, _ in page:
            self._seen(row, op.refresh_ttl)
        return [search_item_of(row, score) for row, score in page]

    def _latest(self, op: SearchOp) -> list[tuple[Row, float | None]]:
        if op.filter is None:
            return [(self._row(item), None) for item in self._ids(op, op.limit, op.offset)]
        passed = self._passing(op, self._ids(op))
        return [(row, None) for row in islice(passed, op.offset, op.offset + op.limit)]

    def _ids(self, op: SearchOp, limit: int = _ALL, offset: int = 0) -> Iterator[int]:
        place = (*below(op.namespace_prefix), self._now)
        for (item,) in self._connection.execute(SQL.ids, (*place, limit, offset)):
            yield item

    def _row(self, item: int) -> Row:
        return Row(*self._connection.execute(SQL.item, (item,)).fetchone())

    def _passing(self, op: SearchOp, items: Iterable[int]) -> Iterator[Row]:
        for item in items:
            row = self._row(item)
            if op.filter is None or matches(value_of(row), op.filter):
                yield row

    def _nearest(self, op: SearchOp, query: Any) -> list[tuple[Row, float | None]]:
        end = op.offset + op.limit
        ids = list(self._ids(op))
        near, exact = self._nearness(op, query)
        order = sorted([item for item in ids if item in near], key=near.__getitem__, reverse=True)
        chosen = list(self._chosen(op, order, near, 0.0 if exact else _SLACK))
        scores = near if exact else best(query, self._vectors_of([row.id for row in chosen], query))
        if not exact:
            chosen.sort(key=lambda row: (-scores[row.id], *by_time(row)))
        page: list[tuple[Row, float | None]] = [(row, scores[row.id]) for row in chosen[op.offset : end]]
        if len(chosen) < end:
            others = self._passing(op, [item for item in ids if item not in near])
            begin = max(0, op.offset - len(chosen))
            page += [(row, None) for row in islice(others, begin, begin + op.limit - len(page))]
        return page

    def _chosen(
        self, op: SearchOp, order: Iterable[int], near: Mapping[int, float], slack: float
    ) -> Iterator[Row]:
        """As many of the nearest as are asked for, and those that may be as near as the last of them."""
        wanted = op.offset + op.limit
        floor = -inf
        for count, row in enumerate(self._passing(op, order), 1):
            if near[row.id] < floor:
                return
            yield row
            if count == wanted:
                floor = near[row.id] - slack
                if not slack:
                    return

    def _nearness(self, op: SearchOp, query: Any) -> tuple[dict[int, float], bool]:
        """How near each item is, and whether that is what `cosines` says and not only what comes close to it."""
        packed = pack_vector(query)
        place = (*below(op.namespace_prefix), self._now, len(packed))
        if computes_distances(self._connection, load=self._extension):
            return dict(self._connection.execute(SQL.near, (*place, packed))), False
        found = self._connection.execute(SQL.vectors, place).fetchall()
        return best(query, _unpacked(found)), True

    def _vectors_of(self, items: Iterable[int], query: Any) -> list[tuple[int, Any]]:
        size = FLOAT_BYTES * len(query)
        return _unpacked(
            [row for item in items for row in self._connection.execute(SQL.vectors_of, (item, size))]
        )


def _unpacked(rows: list[tuple[int, bytes]]) -> list[tuple[int, Any]]:
    return list(zip([item for item, _ in rows], unpack_vectors([data for _, data in rows]), strict=True))
