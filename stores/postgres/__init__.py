"""Items in a Postgres database. `pip install 'graphrt[postgres]'`.

store.py        PostgresStore: the store's methods
tables.py       migrations
index.py        pgvector, and indexes of its kinds
reading.py      what the tables say; nearness of vectors
writing.py      what puts do to the tables
"""

from stores.postgres.index import ANNIndexConfig, HNSWConfig, IVFFlatConfig, PostgresIndexConfig
from stores.postgres.store import PoolConfig, PostgresStore

__all__ = [
    "ANNIndexConfig",
    "HNSWConfig",
    "IVFFlatConfig",
    "PoolConfig",
    "PostgresIndexConfig",
    "PostgresStore",
]
