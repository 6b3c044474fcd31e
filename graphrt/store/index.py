"""A store's index as its config says, and the embeddings that a batch needs (LangGraph S4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from graphrt.errors import GraphValidationError
from graphrt.store.batches import Batch
from graphrt.store.embedding import Embeddings, Vector, ensure_embeddings
from graphrt.store.ops import IndexConfig

__all__ = ["Embedded", "Index", "index_of"]

Embedded: TypeAlias = Mapping[str, Vector]
"""Texts with their vectors."""


class Index(Struct, frozen=True):
    """What a store needs to know to find items by meaning.

    Attributes:
        dims: how many numbers each vector has.
        fields: paths to what is embedded of an item that does not say.
    """

    dims: int
    embeddings: Embeddings
    fields: tuple[str, ...]

    async def aembed(self, batch: Batch) -> tuple[Embedded, Embedded]:
        """The vectors of a batch's texts and of its queries; one call for all texts.

        Raises:
            GraphValidationError: what came is not one vector of `dims` numbers for each text.
        """
        vectors: Sequence[Vector] = ()
        if batch.texts:
            vectors = await self.embeddings.aembed_documents(list(batch.texts))
        queries = [await self.embeddings.aembed_query(query) for query in batch.queries]
        return self._named(batch.texts, vectors), self._named(batch.queries, queries)

    def embed(self, batch: Batch) -> tuple[Embedded, Embedded]:
        """`aembed` for a thread without a running event loop."""
        vectors: Sequence[Vector] = ()
        if batch.texts:
            vectors = self.embeddings.embed_documents(list(batch.texts))
        queries = [self.embeddings.embed_query(query) for query in batch.queries]
        return self._named(batch.texts, vectors), self._named(batch.queries, queries)

    def _named(self, texts: Sequence[str], vectors: Sequence[Vector]) -> Embedded:
        if len(vectors) != len(texts):
            raise GraphValidationError(f"The embedding gave {len(vectors)} vectors for {len(texts)} texts.")
        for text, vector in zip(texts, vectors, strict=True):
            if len(vector) != self.dims:
                raise GraphValidationError(
                    f"The embedding gave {len(vector)} numbers for {text!r:.60}; the index has dims={self.dims}."
                )
        return dict(zip(texts, vectors, strict=True))


def index_of(config: IndexConfig | Mapping[str, Any] | None) -> Index | None:
    """The index that a config describes, None without a config.

    Raises:
        GraphValidationError: `dims` or `embed` is missing or makes no sense.
    """
    if config is None:
        return None
    dims = config.get("dims")
    if not isinstance(dims, int) or dims < 1 or "embed" not in config:
        raise GraphValidationError(
            "An index needs `dims`, how many numbers an embedding has, and `embed`, which makes them; "
            f"it has {sorted(config)}."
        )
    return Index(dims, ensure_embeddings(config["embed"]), tuple(config.get("fields") or ("$",)))
