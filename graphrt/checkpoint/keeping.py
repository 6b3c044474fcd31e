"""What a checkpointer tells of what it keeps, and of what it has forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["PruneStrategy", "Pruned", "StorageStats", "ThreadInfo"]

PruneStrategy: TypeAlias = Literal["keep_latest", "delete"]
"""Forget older checkpoints of threads, or threads."""


class ThreadInfo(Struct, frozen=True):
    """One thread in a list of threads.

    Attributes:
        namespaces: those that have checkpoints; `""` is the graph itself.
        checkpoints: how many, in all namespaces.
        head: the newest checkpoint of the graph itself; None if only subgraphs have any.
        updated_at: when the newest checkpoint of any namespace was made; None if the ids do not tell.
        bytes: of values, parts and results; None where that would take long to find out.
    """

    thread_id: str
    namespaces: tuple[str, ...]
    checkpoints: int
    head: str | None
    updated_at: datetime | None
    bytes: int | None = None


class StorageStats(Struct, frozen=True):
    """What a checkpointer holds.

    Attributes:
        checkpoints: in all threads and namespaces.
        segments: rows that values and parts of values are kept in.
        bytes: of those values and parts and of results.
        database: bytes that storage takes altogether, free pages included; None if there is no such thing.
        free: how many of them `areclaim` could give back; None if that is not known.
    """

    threads: int
    checkpoints: int
    segments: int
    bytes: int
    database: int | None = None
    free: int | None = None


class Pruned(Struct, frozen=True):
    """What was forgotten: whole threads, checkpoints (those of whole threads included), and bytes of values."""

    threads: int = 0
    checkpoints: int = 0
    bytes: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        """Both together."""
        return Pruned(
            self.threads + other.threads, self.checkpoints + other.checkpoints, self.bytes + other.bytes
        )
