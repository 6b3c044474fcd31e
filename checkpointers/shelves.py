"""A database's tables, as housekeeping uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from checkpointers.retention import Keep, Segment
from checkpointers.segments import Line
from graphrt.checkpoint import Pruned, ThreadInfo
from graphrt.checkpoint.nesting import is_call

__all__ = ["Channel", "Held", "Shelves", "Space"]

Channel: TypeAlias = int | str
"""What segments know a channel by."""


class Held(Struct, frozen=True):
    """A chain at one moment: its last commit, where its checkpoints stand, its channels."""

    seq: int
    lines: list[Line]
    channels: list[Channel]


class Space(Struct, frozen=True):
    """A namespace of a thread at one moment: its chain, the numbers of its oldest and newest checkpoint, its head."""

    chain: int
    namespace: str
    oldest: int
    newest: int
    head: str

    @property
    def length(self) -> int:
        """How many checkpoints there are at most."""
        return self.newest - self.oldest + 1

    @property
    def lasting(self) -> bool:
        """Does a graph keep its state here from call to call?"""
        return not is_call(self.namespace)


class Shelves(Protocol):
    """A database's tables, as housekeeping uses them: each method is one transaction."""

    async def names(self, after: str | None, limit: int) -> list[str]:
        """Threads by name."""
        ...

    async def spaces(self, thread_id: str, after: str | None, limit: int) -> list[Space]:
        """A thread's namespaces by name."""
        ...

    async def noted(self, chains: Sequence[int], channel: str) -> list[tuple[int, bytes]]:
        """The chain and data of all rows of a channel that is always stored whole."""
        ...

    async def places(self, chain: int, before: int, ids: Sequence[str]) -> list[int]:
        """The numbers of these checkpoints, as far as they come before a commit."""
        ...

    async def newest(self, chain: int, below: int | None, limit: int) -> list[tuple[int, str]]:
        """Number and id of a chain's checkpoints, newest first."""
        ...

    async def cut(self, chain: int, first: int, spared: Sequence[int], limit: int) -> Pruned:
        """Forget the oldest checkpoints before commit `first`, with their results; never the newest of the chain."""
        ...

    async def of_runs(self, runs: Sequence[str]) -> list[tuple[str, int, int]]:
        """Thread, chain and number of the checkpoints of some runs."""
        ...

    async def forget(self, chain: int, seqs: Sequence[int]) -> Pruned:
        """Forget these checkpoints, with their results, and move the head; a chain without any goes."""
        ...

    async def discard(self, heads: Sequence[tuple[int, str]]) -> dict[int, Pruned]:
        """Forget those chains whose heads are still these; what went with each."""
        ...

    async def held(self, chain: int) -> Held | None:
        """What there is in a chain; None if it is gone."""
        ...

    async def rows(
        self, chain: int, below: Mapping[Channel, int], limit: int
    ) -> list[tuple[Channel, Segment]]:
        """Rows of each of these channels before a commit, newest first, so many of each."""
        ...

    async def drop(self, chain: int, rows: Sequence[tuple[Channel, int]]) -> int:
        """Delete single rows; how many bytes that were."""
        ...

    async def drop_before(self, chain: int, channel: Channel, seq: int, limit: int) -> tuple[int, int]:
        """Delete some of a channel's rows before a commit; how many rows and bytes that were."""
        ...

    async def delete_thread(self, thread_id: str, keep: Keep) -> Pruned:
        """Forget a thread if it has faded."""
        ...

    async def infos(self, first: str, end: str | None, limit: int, *, after: bool) -> list[ThreadInfo]:
        """Threads whose names sort from `first`, or after it, and before `end`, all three as they are stored."""
        ...
