"""Items in an SQLite file.

store.py       SqliteStore: the store's methods
file.py        the file, its tables, and the writer that it shares with savers
reading.py     what the tables say; nearness of vectors
writing.py     what puts do to the tables
extension.py   sqlite-vec, if there is one
"""

from stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
