"""What a store is made of, under the names and at the path that LangGraph has for it."""

from __future__ import annotations

from graphrt.errors import InvalidNamespaceError
from graphrt.store.contract import BaseStore
from graphrt.store.embedding import AEmbeddingsFunc, Embeddings, EmbeddingsFunc, ensure_embeddings
from graphrt.store.items import Item, SearchItem
from graphrt.store.namespaces import validate_op_namespace
from graphrt.store.ops import (
    NOT_PROVIDED,
    GetOp,
    IndexConfig,
    ListNamespacesOp,
    MatchCondition,
    NamespaceMatchType,
    NamespacePath,
    NotProvided,
    Op,
    PutOp,
    Result,
    SearchOp,
    TTLConfig,
)
from graphrt.store.paths import get_text_at_path, tokenize_path

__all__ = [
    "NOT_PROVIDED",
    "AEmbeddingsFunc",
    "BaseStore",
    "Embeddings",
    "EmbeddingsFunc",
    "GetOp",
    "IndexConfig",
    "InvalidNamespaceError",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "NotProvided",
    "Op",
    "PutOp",
    "Result",
    "SearchItem",
    "SearchOp",
    "TTLConfig",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
    "validate_op_namespace",
]
