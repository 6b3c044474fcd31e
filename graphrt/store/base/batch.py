"""`AsyncBatchedBaseStore` at the path that LangGraph has for it."""

from graphrt.store.batch import AsyncBatchedBaseStore

__all__ = ["AsyncBatchedBaseStore"]
