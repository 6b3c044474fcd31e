"""Whatever makes embeddings, as one kind of object (LangGraph S4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from graphrt.errors import GraphValidationError
from graphrt.store.bridge import run_blocking

__all__ = ["AEmbeddingsFunc", "Embeddings", "EmbeddingsFunc", "Vector", "ensure_embeddings"]

Vector: TypeAlias = Sequence[float]
"""Numbers that say what a text means."""
EmbeddingsFunc: TypeAlias = Callable[[Sequence[str]], Sequence[Vector]]
"""Gives one vector for each of several texts."""
AEmbeddingsFunc: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Vector]]]
"""The same, awaited."""


@runtime_checkable
class Embeddings(Protocol):
    """Makes embeddings, for those who can wait and for those who must not block."""

    def embed_documents(self, texts: list[str]) -> Sequence[Vector]:
        """One vector for each text that will be searched."""
        ...

    def embed_query(self, text: str) -> Vector:
        """The vector of a text to search with."""
        ...

    async def aembed_documents(self, texts: list[str]) -> Sequence[Vector]:
        """`embed_documents`, awaited."""
        ...

    async def aembed_query(self, text: str) -> Vector:
        """`embed_query`, awaited."""
        ...


def ensure_embeddings(embed: object) -> Embeddings:
    """What `IndexConfig["embed"]` may be, with the methods of `Embeddings`.

    A sync function or method is called in a worker thread when an event loop runs, as it may well ask a server; an
    async one is waited for in a loop of its own when none runs.

    Raises:
        GraphValidationError: it is nothing that makes embeddings.
    """
    if isinstance(embed, Embeddings):
        return embed
    if isinstance(embed, str):
        raise GraphValidationError(
            f"The embedding model {embed!r} is a name. Give a function of a list of texts, or an object with "
            "`embed_documents` and `embed_query`, that asks this model."
        )
    documents = _method(embed, "documents")
    query = _method(embed, "query")
    if documents is not None:
        return _Made(documents, query)
    if callable(embed):
        return _Made(cast("_Embed", embed), None)
    raise GraphValidationError(
        f"{embed!r:.80} makes no embeddings. Give a function of a list of texts, sync or async, or an object with "
        "`embed_documents` and `embed_query`, or with `aembed_documents` and `aembed_query`."
    )


_Embed: TypeAlias = Callable[[Any], Any]


def _method(embed: object, what: str) -> _Embed | None:
    """The async method if there is one: both doors can use it."""
    return getattr(embed, f"aembed_{what}", None) or getattr(embed, f"embed_{what}", None)


class _Made:
    """Embeddings made of a function of texts, and maybe one of a query."""

    __slots__ = ("_documents", "_query")

    def __init__(self, documents: _Embed, query: _Embed | None) -> None:
        self._documents = documents
        self._query = query

    def embed_documents(self, texts: list[str]) -> Sequence[Vector]:
        return cast("Sequence[Vector]", _called(self._documents, texts))

    def embed_query(self, text: str) -> Vector:
        if self._query is None:
            return self.embed_documents([text])[0]
        return cast("Vector", _called(self._query, text))

    async def aembed_documents(self, texts: list[str]) -> Sequence[Vector]:
        return cast("Sequence[Vector]", await _acalled(self._documents, texts))

    async def aembed_query(self, text: str) -> Vector:
        if self._query is None:
            return (await self.aembed_documents([text]))[0]
        return cast("Vector", await _acalled(self._query, text))


def _called(embed: _Embed, given: Any) -> Any:
    return run_blocking(_acalled(embed, given), method="batch") if _is_async(embed) else embed(given)


async def _acalled(embed: _Embed, given: Any) -> Any:
    if _is_async(embed):
        return await embed(given)
    found = await asyncio.to_thread(embed, given)
    return await found if isawaitable(found) else found


def _is_async(embed: _Embed) -> bool:
    return iscoroutinefunction(embed) or iscoroutinefunction(getattr(embed, "__call__", None))  # noqa: B004
