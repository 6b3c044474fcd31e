"""`SqliteStore` under the paths and names that LangGraph has for it; loaded when it is asked for."""

from stores.sqlite import SqliteStore

AsyncSqliteStore = SqliteStore
"""LangGraph's name for the asynchronous one."""

__all__ = ["AsyncSqliteStore", "SqliteStore"]
