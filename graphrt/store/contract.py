"""The long-term store: what one must do, and the methods people call.

A store keeps items: JSON-like dicts under a namespace (a tuple of labels) and a key. Every store promises:

- A batch is one thing: its reads see what was there before it, of several puts to one key the last one counts, and
  either all of its puts happen or none.
- A value is what `graphrt.store.values` says, and comes back as it would from JSON; nobody shares objects.
- A filter means what `graphrt.store.filters.matches` says.
- Searches are in one order: with a query and an index nearest first, then what has no vector; among equals, and
  without a query, the last put first; then by namespace and key.
- An item whose time is over is not returned by anything. Reading begins its time anew if asked to.
- `created_at` is when the item came, however often it was overwritten.

`graphrt.testing.store_conformance` checks all of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from graphrt.store.bridge import run_blocking
from graphrt.store.items import Item, SearchItem
from graphrt.store.namespaces import check_new_namespace, conditions
from graphrt.store.ops import (
    NOT_PROVIDED,
    GetOp,
    ListNamespacesOp,
    NamespacePath,
    NotProvided,
    Op,
    PutOp,
    Result,
    SearchOp,
    TTLConfig,
)

__all__ = ["BaseStore"]


class BaseStore(ABC):
    """Where graphs keep what outlives their threads. A store of your own needs `abatch`; the rest stands on it.

    Attributes:
        supports_ttl: whether items can be given a time to live.
        ttl_config: what holds for items and reads that do not say.
        home: the event loop that the store's connections belong to, None if it is at home in any.
    """

    supports_ttl: bool = False
    ttl_config: TTLConfig | None = None
    home: AbstractEventLoop | None = None

    # ---- what a store must do

    @abstractmethod
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several things at once; one result for each, in their order.

        Raises:
            InvalidNamespaceError: an op names a namespace that cannot be.
            InvalidFilterError: a search's filter makes no sense.
            SerializationError: a value cannot be stored; nothing was.
        """

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """`abatch` for a thread without a running event loop.

        Raises:
            RunningLoopError: a loop is running in this thread.
        """
        return run_blocking(self.abatch(ops), method="batch", owner="store", home=self.home)

    async def _ask(self, op: Op) -> Result:
        """The one door of the methods below, so that a store can wait for more ops to come along."""
        return (await self.abatch((op,)))[0]

    # ---- async

    async def aget(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        """The item at this address, None if there is none.

        Args:
            refresh_ttl: whether the item's time begins anew; None as `ttl_config` says.
        """
        return cast("Item | None", await self._ask(self._get(namespace, key, refresh_ttl)))

    async def asearch(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """The items in this namespace and all below it.

        Args:
            query: nearest to this text first, in a store that has an index.
            filter: what the values must be like; see docs/store.md.
            limit: at most so many.
            offset: leave out so many at the beginning.
            refresh_ttl: whether the time of what is found begins anew; None as `ttl_config` says.
        """
        op = self._search(namespace_prefix, query, filter, limit, offset, refresh_ttl)
        return cast("list[SearchItem]", await self._ask(op))

    async def aput(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """Store a value in place of what is there; None deletes.

        Args:
            index: which paths of the value are embedded; None those of the index, False none.
            ttl: minutes until the item is over, None for ever; left out, as `ttl_config` says.

        Raises:
            InvalidNamespaceError: no item can be in this namespace.
            SerializationError: the value holds what JSON cannot say; the error has the path to it.
        """
        await self._ask(self._put(namespace, key, value, index, ttl))

    async def adelete(self, namespace: tuple[str, ...], key: str) -> None:
        """Forget an item; none there is no error."""
        await self._ask(PutOp(namespace, str(key), None))

    async def alist_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """The namespaces that hold items, sorted, each once.

        Args:
            prefix: how they must begin; "*" stands for any one label.
            suffix: how they must end.
            max_depth: cut off what is longer, after looking at its ends.
        """
        op = ListNamespacesOp(conditions(prefix, suffix), max_depth, limit, offset)
        return cast("list[tuple[str, ...]]", await self._ask(op))

    # ---- the same for threads without a loop

    def get(self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None) -> Item | None:
        """`aget`, waited for."""
        return cast("Item | None", self.batch((self._get(namespace, key, refresh_ttl),))[0])

    def search(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """`asearch`, waited for."""
        op = self._search(namespace_prefix, query, filter, limit, offset, refresh_ttl)
        return cast("list[SearchItem]", self.batch((op,))[0])

    def put(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Literal[False] | list[str] | None = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        """`aput`, waited for."""
        self.batch((self._put(namespace, key, value, index, ttl),))

    def delete(self, namespace: tuple[str, ...], key: str) -> None:
        """`adelete`, waited for."""
        self.batch((PutOp(namespace, str(key), None),))

    def list_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[tuple[str, ...]]:
        """`alist_namespaces`, waited for."""
        op = ListNamespacesOp(conditions(prefix, suffix), max_depth, limit, offset)
        return cast("list[tuple[str, ...]]", self.batch((op,))[0])

    # ---- from arguments to ops

    def _get(self, namespace: tuple[str, ...], key: str, refresh_ttl: bool | None) -> GetOp:
        return GetOp(namespace, str(key), self._refreshes(refresh_ttl))

    def _search(
        self,
        prefix: tuple[str, ...],
        query: str | None,
        filter: dict[str, Any] | None,
        limit: int,
        offset: int,
        refresh_ttl: bool | None,
    ) -> SearchOp:
        return SearchOp(prefix, filter, limit, offset, query, self._refreshes(refresh_ttl))

    def _put(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Literal[False] | list[str] | None,
        ttl: float | NotProvided | None,
    ) -> PutOp:
        check_new_namespace(namespace)
        if isinstance(ttl, NotProvided):
            ttl = self.ttl_config.get("default_ttl") if self.ttl_config else None
        elif ttl is not None and not self.supports_ttl:
            raise NotImplementedError(
                f"{type(self).__name__} keeps items for ever; leave out `ttl`, or use a store with `supports_ttl`."
            )
        return PutOp(namespace, str(key), value, index, ttl)

    def _refreshes(self, refresh_ttl: bool | None) -> bool:
        if refresh_ttl is not None:
            return refresh_ttl
        return self.ttl_config.get("refresh_on_read", True) if self.ttl_config else True
