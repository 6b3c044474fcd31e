"""The store under the path that LangGraph has the asynchronous one at."""

from stores.postgres import PostgresStore

AsyncPostgresStore = PostgresStore

__all__ = ["AsyncPostgresStore"]
