"""What the tables say. Whatever takes more than one statement runs in one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from math import inf
from typing import Any, Final, TypeAlias

from msgspec import Struct

from checkpointers.postgres.pool import Connection
from graphrt.store.batches import Read
from graphrt.store.filters import matches
from graphrt.store.items import Item, SearchItem
from graphrt.store.namespaces import list_of
from graphrt.store.ops import GetOp, ListNamespacesOp, Result, SearchOp
from stores.postgres.index import PgVector, Ways
from stores.postgres.statements import Statements
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
from stores.vectors import best, comparable

__all__ = ["Reading", "snapshot"]

Scored: TypeAlias = tuple[Row, float | None]

_AT_ONCE: Final = 256
"""Rows that are fetched while it is not known how many of them pass the filter."""
_SLACK: Final = 1e-4
"""What two ways to compute nearness may differ by, relative to its size, and more."""
_SPARE: Final = 16
_SET: Final = "SELECT set_config($1, $2, true)"


class _Found(Struct):
    """What was found to be near, the nearest first, and whether there is nothing else."""

    near: dict[int, float]
    all: bool


def snapshot(connection: Connection) -> Any:
    """A transaction in which everything is from one moment, unless the user has begun one of another kind."""
    if connection.is_in_transaction():
        return connection.transaction()
    return connection.transaction(isolation="repeatable_read", readonly=True)


class Reading:
    """Reads of one batch at one moment.

    Args:
        queries: what to compare with, by the queries' texts.
        ways: how vectors are compared.

    Attributes:
        lives: items whose time is to begin anew, and the minutes that they live.
    """

    def __init__(
        self,
        connection: Connection,
        sql: Statements,
        queries: Mapping[str, Any],
        now: int,
        *,
        schema: str,
        ways: Ways | None,
        pgvector: PgVector | None,
    ) -> None:
        self.lives: dict[int, float] = {}
        self._connection = connection
        self._sql = sql
        self._queries = queries
        self._now = now
        self._schema = schema
        self._ways = ways
        self._pgvector = pgvector

    async def results(self, reads: Sequence[tuple[int, Read]]) -> dict[int, Result]:
        """What comes of ops, by their places.

        Raises:
            DeserializationError: a row is damaged.
        """
        if len(reads) == 1 and self._is_one_statement(reads[0][1]):
            return {place: await self._result(op) for place, op in reads}
        async with snapshot(self._connection):
            return {place: await self._result(op) for place, op in reads}

    def _is_one_statement(self, op: Read) -> bool:
        return not isinstance(op, SearchOp) or (op.filter is None and (op.query or "") not in self._queries)

    async def _result(self, op: Read) -> Result:
        match op:
            case GetOp():
                return await self._get(op)
            case SearchOp():
                return await self._search(op)
            case ListNamespacesOp():
                return await self._list(op)

    async def _get(self, op: GetOp) -> Item | None:
        found = await self._connection.fetchrow(
            self._sql.get, pack_namespace(op.namespace), op.key, self._now
        )
        if found is None:
            return None
        row = Row(*found)
        self._seen(row, op.refresh_ttl)
        return item_of(row)

    async def _list(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        rows = await self._connection.fetch(self._sql.namespaces, *below(leading(op)), self._now)
        return list_of([unpack_namespace(row["namespace"]) for row in rows], op)

    def _seen(self, row: Row, refreshes: bool) -> None:
        if refreshes and row.ttl is not None:
            self.lives[row.id] = row.ttl

    # ---- searching

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        if op.limit == 0:
            return []
        op = bounded(op)
        query = self._queries.get(op.query or "")
        page = await self._latest(op) if query is None else await self._nearest(op, query)
        for row, _ in page:
            self._seen(row, op.refresh_ttl)
        return [search_item_of(row, score) for row, score in page]

    def _place(self, op: SearchOp) -> tuple[str, str, int]:
        return (*below(op.namespace_prefix), self._now)

    async def _latest(self, op: SearchOp) -> list[Scored]:
        place = self._place(op)
        if op.filter is None:
            rows = await self._connection.fetch(self._sql.page, *place, op.limit, op.offset)
            return [(Row(*row), None) for row in rows]
        passing = self._passing(op, self._sql.page, *place, None, 0)
        return await _sliced(passing, op.offset, op.limit)

    async def _passing(self, op: SearchOp, statement: str, *arguments: Any) -> AsyncIterator[Row]:
        async for found in self._connection.cursor(statement, *arguments, prefetch=_AT_ONCE):
            row = Row(*found)
            if _passes(row, op):
                yield row

    async def _nearest(self, op: SearchOp, query: Any) -> list[Scored]:
        """The nearest of what passes, then what has no vector. The database may do the choosing, `best` has the say."""
        assert self._ways is not None
        end = op.offset + op.limit
        chosen = await self._chosen(op, query)
        vectors = await self._connection.fetch(
            self._sql.vectors_of, [row.id for row in chosen], self._ways.dims
        )
        scores = best(query, _comparable(vectors), self._ways.distance)
        chosen.sort(key=lambda row: (-scores[row.id], *by_time(row)))
        page: list[Scored] = [(row, scores[row.id]) for row in chosen[op.offset : end]]
        if len(chosen) < end:
            others = self._passing(op, self._sql.plain, *self._place(op), self._ways.dims)
            page += await _sliced(others, max(0, op.offset - len(chosen)), op.limit - len(page))
        return page

    async def _chosen(self, op: SearchOp, query: Any) -> list[Row]:
        """As many of the nearest as are asked for, and those that may be as near as the last of them."""
        wanted = op.offset + op.limit
        most = wanted + _SPARE if op.filter is None else 4 * wanted + _AT_ONCE
        rows: dict[int, Row] = {}
        while True:
            found = await self._near(op, query, most)
            rows |= await self._rows(found.near.keys() - rows.keys())
            passing = [item for item in found.near if _passes(rows[item], op)]
            floor = -inf
            if len(passing) >= wanted:
                last = found.near[passing[wanted - 1]]
                floor = last - _SLACK * max(1.0, abs(last))
            if found.all or min(found.near.values(), default=inf) < floor:
                return [rows[item] for item in passing if found.near[item] >= floor]
            most *= 4

    async def _rows(self, items: Iterable[int]) -> dict[int, Row]:
        rows = await self._connection.fetch(self._sql.rows, list(items))
        return {row["id"]: Row(*row) for row in rows}

    async def _near(self, op: SearchOp, query: Any, most: int) -> _Found:
        assert self._ways is not None
        place, dims = self._place(op), self._ways.dims
        if self._pgvector is None:
            vectors = await self._connection.fetch(self._sql.vectors, *place, dims)
            near = best(query, _comparable(vectors), self._ways.distance)
            return _Found(dict(sorted(near.items(), key=_nearness, reverse=True)), True)
        numbers = [float(number) for number in query]
        statement = self._ways.near(self._schema, self._pgvector)
        if self._ways.kind == "flat":
            rows = await self._connection.fetch(statement, *place, dims, self._ways.distance, numbers, most)
            return _Found({row["id"]: row["near"] for row in rows}, len(rows) < most)
        for setting in self._ways.settings(self._pgvector, most):
            await self._connection.execute(_SET, *setting)
        rows = await self._connection.fetch(statement, *place, numbers, most)
        return _Found({row["id"]: row["near"] for row in rows}, sum(row["vectors"] for row in rows) < most)


def _passes(row: Row, op: SearchOp) -> bool:
    return op.filter is None or matches(value_of(row), op.filter)


def _nearness(found: tuple[int, float]) -> float:
    return found[1]


def _comparable(rows: Sequence[Any]) -> list[tuple[int, Any]]:
    return list(zip([row["id"] for row in rows], comparable([row["vector"] for row in rows]), strict=True))


async def _sliced(rows: AsyncIterator[Row], offset: int, limit: int) -> list[Scored]:
    found: list[Scored] = []
    if limit > 0:
        async for row in rows:
            if offset:
                offset -= 1
                continue
            found.append((row, None))
            if len(found) == limit:
                break
    return found
