"""Threads in a Postgres database. `pip install 'graphrt[postgres]'`."""

from checkpointers.postgres.saver import PostgresSaver

__all__ = ["PostgresSaver"]
