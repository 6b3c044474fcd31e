"""Keeping and forgetting in a database: what is done, in which order; `retention` decides, `Shelves` does.

Everything is a sequence of small transactions, between which runs go on. Checkpoints go first, each time in one that
holds off commits to their chain: from then on nobody can fork from them. The rows that nobody needs any more follow.
Whoever is interrupted in between leaves rows that the next one finds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from checkpointers.retention import Cut, Keep, Segment, Sweep, Wish, faded, views
from checkpointers.rows import plain
from checkpointers.segments import Line
from graphrt.checkpoint import Pruned, ThreadInfo

__all__ = ["Channel", "Held", "Shelves", "forget_runs", "list_threads", "prefix_end", "prune"]

Channel: TypeAlias = int | str
"""What segments know a channel by."""

_PAGE: Final = 500
"""Checkpoints, rows or threads that are looked at together."""
_CUT: Final = 500
"""Checkpoints that are forgotten in one transaction."""
_DROP: Final = 100
"""Rows that are deleted in one transaction: they may be large."""


class Held(Struct, frozen=True):
    """A chain at one moment: its last commit, where its checkpoints stand, its channels."""

    seq: int
    lines: list[Line]
    channels: list[Channel]


class Shelves(Protocol):
    """A database's tables, as housekeeping uses them: each method is one transaction."""

    async def names(self, after: str | None, limit: int) -> list[str]:
        """Threads by name."""
        ...

    async def chains(self, after: int, threads: Sequence[str] | None, limit: int) -> list[int]:
        """Chains by number, of these threads or of all."""
        ...

    async def newest(self, chain: int, below: int | None, limit: int) -> list[tuple[int, str]]:
        """Number and id of a chain's checkpoints, newest first."""
        ...

    async def cut(self, chain: int, first: int, limit: int) -> Pruned:
        """Forget the oldest checkpoints before commit `first`, with their results; never the newest of the chain."""
        ...

    async def of_runs(self, runs: Sequence[str]) -> list[tuple[int, int]]:
        """Chain and number of the checkpoints of some runs."""
        ...

    async def forget(self, chain: int, seqs: Sequence[int]) -> Pruned:
        """Forget these checkpoints, with their results, and move the head; a chain without any goes."""
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


async def prune(shelves: Shelves, wish: Wish) -> Pruned:
    """Forget what a caller wishes to be forgotten."""
    pruned = Pruned()
    if wish.delete:
        async for thread_id in _threads(shelves, wish):
            pruned += await _delete(shelves, thread_id, wish.keep)
        return pruned
    after = 0
    while chains := await shelves.chains(after, wish.threads, _PAGE):
        for chain in chains:
            pruned += await _prune_chain(shelves, chain, wish.keep)
        after = chains[-1]
    return pruned


async def _delete(shelves: Shelves, thread_id: str, keep: Keep) -> Pruned:
    """Forget a thread; a long one piece by piece down to its newest checkpoints, so that nobody waits for long."""
    pages: dict[int, list[tuple[int, str]]] = {}
    for chain in await shelves.chains(0, [thread_id], _PAGE):
        pages[chain] = await shelves.newest(chain, None, _PAGE)
    pruned = Pruned()
    if faded([page[0][1] for page in pages.values() if page], keep):
        for chain, page in pages.items():
            if len(page) == _PAGE:
                pruned += await _prune_chain(shelves, chain, Keep())
    return pruned + await shelves.delete_thread(thread_id, keep)


async def _threads(shelves: Shelves, wish: Wish) -> AsyncIterator[str]:
    if wish.threads is not None:
        for name in wish.threads:
            yield name
        return
    after: str | None = None
    while names := await shelves.names(after, _PAGE):
        for name in names:
            yield name
        after = names[-1]


async def _prune_chain(shelves: Shelves, chain: int, keep: Keep) -> Pruned:
    cut = Cut(keep)
    more = await _look(shelves, chain, cut)
    pruned = Pruned()
    while more:
        batch = await shelves.cut(chain, cut.first, _CUT)
        pruned += batch
        more = batch.checkpoints == _CUT
    if pruned.checkpoints or cut.first > 1:  # somebody who was here before may not have come to the end
        pruned += Pruned(bytes=await _sweep(shelves, chain))
    return pruned


async def _look(shelves: Shelves, chain: int, cut: Cut) -> bool:
    """Find where to cut; is there anything to cut off?"""
    below: int | None = None
    while page := await shelves.newest(chain, below, _PAGE):
        for seq, identity in page:
            if not cut.stays(seq, identity):
                return True
        below = page[-1][0]
    return False


async def forget_runs(shelves: Shelves, runs: frozenset[str]) -> int:
    """Forget the checkpoints of some runs; how many those were."""
    chains: dict[int, list[int]] = {}
    for chain, seq in await shelves.of_runs(sorted(runs)) if runs else ():
        chains.setdefault(chain, []).append(seq)
    count = 0
    for chain, seqs in chains.items():
        for at in range(0, len(seqs), _CUT):
            count += (await shelves.forget(chain, seqs[at : at + _CUT])).checkpoints
        await _sweep(shelves, chain)
    return count


async def _sweep(shelves: Shelves, chain: int) -> int:
    """Delete the rows of a chain that no checkpoint needs; how many bytes those were."""
    held = await shelves.held(chain)
    if held is None:
        return 0
    seen = views(held.lines)
    sweeps = {channel: Sweep(seen) for channel in held.channels}
    below = dict.fromkeys(held.channels, held.seq + 1)
    size = 0
    while below:
        spare: list[tuple[Channel, int]] = []
        shown = dict.fromkeys(below, 0)
        for channel, row in await shelves.rows(chain, below, _PAGE):
            shown[channel] += 1
            below[channel] = row.seq
            if sweeps[channel].done or sweeps[channel].spare(row):
                spare.append((channel, row.seq))
        for channel, count in shown.items():
            if count < _PAGE or sweeps[channel].done:
                spare += [(channel, seq) for seq in sweeps[channel].finish()]
                before = below.pop(channel)
                if count == _PAGE:  # there are more, and nobody needs them
                    size += await _drop_before(shelves, chain, channel, before)
        for at in range(0, len(spare), _DROP):
            size += await shelves.drop(chain, spare[at : at + _DROP])
    return size


async def _drop_before(shelves: Shelves, chain: int, channel: Channel, seq: int) -> int:
    size = 0
    while True:
        count, dropped = await shelves.drop_before(chain, channel, seq, _DROP)
        size += dropped
        if count < _DROP:
            return size


async def list_threads(
    shelves: Shelves, *, prefix: str, after: str | None, limit: int | None
) -> AsyncIterator[ThreadInfo]:
    """Threads by name, a page at a time."""
    first, end, behind = plain(prefix), prefix_end(plain(prefix)), False
    if after is not None and plain(after) >= first:
        first, behind = plain(after), True
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = await shelves.infos(first, end, size, after=behind)
        for info in page:
            yield info
        if len(page) < size:
            return
        left = None if left is None else left - len(page)
        first, behind = plain(page[-1].thread_id), True


def prefix_end(prefix: str) -> str | None:
    """What sorts right behind all texts that begin so, by their code points or UTF-8; None if nothing does."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    last = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if 0xD800 <= last < 0xE000 else last)
