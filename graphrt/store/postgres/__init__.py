"""`PostgresStore` under the paths and names that LangGraph has for it; loaded when it is asked for."""

from stores.postgres import (
    ANNIndexConfig,
    HNSWConfig,
    IVFFlatConfig,
    PoolConfig,
    PostgresIndexConfig,
    PostgresStore,
)

AsyncPostgresStore = PostgresStore
"""LangGraph's name for the asynchronous one."""

__all__ = [
    "ANNIndexConfig",
    "AsyncPostgresStore",
    "HNSWConfig",
    "IVFFlatConfig",
    "PoolConfig",
    "PostgresIndexConfig",
    "PostgresStore",
]
