"""Items in memory: a batch that is planned, at a moment that is given, in one go and without waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from graphrt.store.batches import Batch, Put, Read
from graphrt.store.clock import after, as_datetime
from graphrt.store.filters import matches
from graphrt.store.items import Item, SearchItem
from graphrt.store.namespaces import is_below, list_of
from graphrt.store.nearness import cosines
from graphrt.store.ops import GetOp, ListNamespacesOp, Result, SearchOp
from graphrt.store.values import from_bytes

__all__ = ["Row", "Table"]

Namespace: TypeAlias = tuple[str, ...]


class Row:
    """An item as it is kept. Moments are microseconds since 1970; `ends` is None if it never does."""

    __slots__ = ("body", "created", "ends", "key", "namespace", "ttl", "units", "updated")

    def __init__(self, put: Put, body: bytes, created: int, now: int, units: tuple[Any, ...]) -> None:
        self.namespace = put.namespace
        self.key = put.key
        self.body = body
        self.created = created
        self.updated = now
        self.ttl = put.ttl
        self.ends = None if put.ttl is None else after(now, put.ttl)
        self.units = units

    def refresh(self, now: int) -> None:
        """Begin its time anew."""
        if self.ttl is not None:
            self.ends = after(now, self.ttl)


Scored: TypeAlias = tuple[Row, float | None]


class Table:
    """All items of a store."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[Namespace, dict[str, Row]] = {}

    def do(
        self, batch: Batch, units: Mapping[str, Any], queries: Mapping[str, Any], now: int
    ) -> list[Result]:
        """What a batch comes to.

        Args:
            units: the directions of its texts.
            queries: the directions of its queries; empty in a store without an index.
        """
        results: list[Result] = [None] * batch.size
        for place, op in batch.reads:
            results[place] = self._read(op, queries, now)
        for put in batch.puts:
            self._put(put, tuple(units[text] for text in put.texts), now)
        return results

    def sweep(self, now: int) -> int:
        """Forget what is over; returns how many items that were."""
        over = [row for rows in self._rows.values() for row in rows.values() if _is_over(row, now)]
        for row in over:
            self._forget(row.namespace, row.key)
        return len(over)

    # ---- writing

    def _put(self, put: Put, units: tuple[Any, ...], now: int) -> None:
        if put.body is None:
            self._forget(put.namespace, put.key)
            return
        rows = self._rows.setdefault(put.namespace, {})
        old = rows.get(put.key)
        created = now if old is None or _is_over(old, now) else old.created
        rows[put.key] = Row(put, put.body, created, now, units)

    def _forget(self, namespace: Namespace, key: str) -> None:
        rows = self._rows.get(namespace, {})
        rows.pop(key, None)
        if not rows:
            self._rows.pop(namespace, None)

    # ---- reading

    def _read(self, op: Read, queries: Mapping[str, Any], now: int) -> Result:
        match op:
            case GetOp():
                return self._get(op, now)
            case SearchOp():
                return self._search(op, queries.get(op.query or ""), now)
            case ListNamespacesOp():
                return list_of((row.namespace for row in self._alive(now)), op)

    def _get(self, op: GetOp, now: int) -> Item | None:
        row = self._rows.get(op.namespace, {}).get(op.key)
        if row is None or _is_over(row, now):
            return None
        if op.refresh_ttl:
            row.refresh(now)
        return Item(
            value=from_bytes(row.body),
            key=row.key,
            namespace=row.namespace,
            created_at=as_datetime(row.created),
            updated_at=as_datetime(row.updated),
        )

    def _search(self, op: SearchOp, query: Any, now: int) -> list[SearchItem]:
        found = [row for row in self._below(op.namespace_prefix, now) if _passes(row, op)]
        page = _ranked(found, query)[op.offset : op.offset + op.limit]
        if op.refresh_ttl:
            for row, _ in page:
                row.refresh(now)
        return [_search_item(row, score) for row, score in page]

    def _below(self, prefix: Namespace, now: int) -> Iterator[Row]:
        for namespace, rows in self._rows.items():
            if is_below(namespace, prefix):
                yield from (row for row in rows.values() if not _is_over(row, now))

    def _alive(self, now: int) -> Iterator[Row]:
        return self._below((), now)


def _is_over(row: Row, now: int) -> bool:
    return row.ends is not None and row.ends <= now


def _passes(row: Row, op: SearchOp) -> bool:
    return op.filter is None or matches(from_bytes(row.body), op.filter)


def _ranked(rows: Iterable[Row], query: Any) -> list[Scored]:
    """Nearest first, what has no vector last; among equals the last put first."""
    by_time = sorted(rows, key=lambda row: (-row.updated, row.namespace, row.key))
    if query is None:
        return [(row, None) for row in by_time]
    scored: list[Scored] = list(zip(by_time, _scores(by_time, query), strict=True))
    return sorted(scored, key=_nearness, reverse=True)


def _nearness(scored: Scored) -> float:
    return -2.0 if scored[1] is None else scored[1]  # no cosine is so far away


def _scores(rows: list[Row], query: Any) -> list[float | None]:
    """How near each row's best vector is."""
    near = iter(cosines(query, [unit for row in rows for unit in row.units]))
    return [max((next(near) for _ in row.units), default=None) for row in rows]


def _search_item(row: Row, score: float | None) -> SearchItem:
    return SearchItem(
        row.namespace,
        row.key,
        from_bytes(row.body),
        as_datetime(row.created),
        as_datetime(row.updated),
        score,
    )
