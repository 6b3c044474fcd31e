"""Embeddings at the path that LangGraph has for them."""

from graphrt.store.embedding import AEmbeddingsFunc, Embeddings, EmbeddingsFunc, ensure_embeddings
from graphrt.store.paths import get_text_at_path, tokenize_path

__all__ = [
    "AEmbeddingsFunc",
    "Embeddings",
    "EmbeddingsFunc",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
]
