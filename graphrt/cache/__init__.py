"""Results of nodes and tasks, kept for inputs that come again: `compile(cache=InMemoryCache())`.

What is where:

    base      BaseCache: what the engine asks of a cache
    memory    InMemoryCache;  sqlite  SqliteCache, which processes can share
    keys      the name of an input by its content
"""

from graphrt.cache.base import BaseCache, FullKey, Namespace
from graphrt.cache.keys import default_cache_key
from graphrt.cache.memory import InMemoryCache

__all__ = ["BaseCache", "FullKey", "InMemoryCache", "Namespace", "default_cache_key"]
