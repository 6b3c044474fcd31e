"""The store under the path that LangGraph has the asynchronous one at."""

from stores.sqlite import SqliteStore

AsyncSqliteStore = SqliteStore

__all__ = ["AsyncSqliteStore"]
