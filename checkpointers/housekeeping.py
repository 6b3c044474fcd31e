"""Keeping and forgetting in a database: what is done, in which order; `retention` and `ties` decide, `Shelves` does.

Everything is a sequence of small transactions, between which runs go on. Checkpoints go first, each time in one that
holds off commits to their chain: from then on nobody can fork from them. The rows that nobody needs any more follow.
Whoever is interrupted in between leaves rows that the next one finds.

A graph around another one has its turn before that one. What it names afterwards is what it named when its turn was
over, or was new by then: so of the one inside nothing goes that was made since the thread was first looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from checkpointers.retention import Cut, Keep, Sweep, Wish, faded, views
from checkpointers.rows import plain
from checkpointers.shelves import Channel, Shelves, Space
from checkpointers.ties import Ties
from graphrt.checkpoint import CHILDREN, PARENTS, Pruned, ThreadInfo
from graphrt.checkpoint.nesting import is_call, parts_of

__all__ = ["forget_runs", "list_threads", "prefix_end", "prune"]

_PAGE: Final = 500
"""Checkpoints, rows or threads that are looked at together."""
_CUT: Final = 500
"""Checkpoints that are forgotten in one transaction."""
_DROP: Final = 100
"""Rows that are deleted in one transaction: they may be large."""


async def prune(shelves: Shelves, wish: Wish) -> Pruned:
    """Forget what a caller wishes to be forgotten."""
    pruned = Pruned()
    forget = _delete if wish.delete else _prune_thread
    async for thread_id in _threads(shelves, wish):
        pruned += await forget(shelves, thread_id, wish.keep)
    return pruned


async def _delete(shelves: Shelves, thread_id: str, keep: Keep) -> Pruned:
    """Forget a thread; a long one piece by piece down to its newest checkpoints, so that nobody waits for long."""
    spaces = await _spaces(shelves, thread_id)
    pruned = Pruned()
    if faded([space.head for space in spaces], keep):
        for space in spaces:
            if space.length >= _PAGE:
                pruned += await _cut_off(shelves, space.chain, space.newest)
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


async def _prune_thread(shelves: Shelves, thread_id: str, keep: Keep) -> Pruned:
    """From the outermost graph inwards: what stays of one says what those inside it must keep."""
    pruned = Pruned()
    ties = Ties(thread_id)
    spaces = await _spaces(shelves, thread_id)
    for level, inside in _levels(spaces):
        parents = await _notes(shelves, [s for s in level if is_call(s.namespace)], PARENTS)
        useless = [s for s in level if ties.useless(s.namespace, parents.get(s.chain, ()))]
        gone: set[int] = set()
        for batch in _batches(useless):
            gone_now, forgotten = await _discard(shelves, batch)
            gone |= gone_now
            pruned += forgotten
        for space in level:
            if space.chain in gone:
                ties.goes(space.namespace)
            else:
                pruned += await _prune_space(shelves, space, keep, ties)
        if any(space.lasting and space.oldest != space.newest for space in inside):
            await _note_children(shelves, [space for space in level if space.chain not in gone], ties)
    return pruned


async def _spaces(shelves: Shelves, thread_id: str) -> list[Space]:
    """A thread's namespaces, each before those inside it."""
    spaces: list[Space] = []
    while page := await shelves.spaces(thread_id, spaces[-1].namespace if spaces else None, _PAGE):
        spaces += page
        if len(page) < _PAGE:
            break
    return sorted(spaces, key=_parts)


def _parts(space: Space) -> int:
    return parts_of(space.namespace)


def _levels(spaces: Sequence[Space]) -> Iterator[tuple[list[Space], Sequence[Space]]]:
    """Namespaces with the same number of parts, and all that have more."""
    seen = 0
    for _, group in groupby(spaces, key=_parts):
        level = list(group)
        seen += len(level)
        yield level, spaces[seen:]


async def _notes(shelves: Shelves, spaces: Sequence[Space], channel: str) -> dict[int, list[bytes]]:
    """What was noted in some namespaces, by chain."""
    found: dict[int, list[bytes]] = {}
    for at in range(0, len(spaces), _PAGE):
        chains = [space.chain for space in spaces[at : at + _PAGE]]
        for chain, data in await shelves.noted(chains, channel):
            found.setdefault(chain, []).append(data)
    return found


async def _note_children(shelves: Shelves, spaces: Sequence[Space], ties: Ties) -> None:
    for notes in (await _notes(shelves, spaces, CHILDREN)).values():
        ties.note(notes)


def _batches(spaces: Iterable[Space]) -> Iterator[list[Space]]:
    """Namespaces that are forgotten in one transaction."""
    batch: list[Space] = []
    left = _CUT
    for space in spaces:
        length = min(space.length, _CUT)
        if batch and length > left:
            yield batch
            batch, left = [], _CUT
        batch.append(space)
        left -= length
    if batch:
        yield batch


async def _discard(shelves: Shelves, spaces: Sequence[Space]) -> tuple[set[int], Pruned]:
    """Forget namespaces in which nothing has happened meanwhile, long ones piece by piece."""
    pruned = Pruned()
    for space in spaces:
        if space.length > _CUT:
            pruned += await _cut_off(shelves, space.chain, space.newest)
    gone = await shelves.discard([(space.chain, space.head) for space in spaces])
    return set(gone), sum(gone.values(), pruned)


async def _prune_space(shelves: Shelves, space: Space, keep: Keep, ties: Ties) -> Pruned:
    cut = Cut(keep, space.newest)
    if space.oldest == space.newest:
        older = not cut.stays(space.newest, space.head)
    else:
        older = await _look(shelves, space.chain, cut)
    ties.stays(space.namespace, cut.oldest)
    if older:
        named = ties.named(space.namespace)
        spared = await shelves.places(space.chain, cut.first, sorted(named)) if named else ()
        return await _cut_off(shelves, space.chain, cut.first, spared)
    if cut.first > 1:  # somebody who was here before may not have come to the end
        return Pruned(bytes=await _sweep(shelves, space.chain))
    return Pruned()


async def _look(shelves: Shelves, chain: int, cut: Cut) -> bool:
    """Find where to cut; is there anything older?"""
    below: int | None = None
    while page := await shelves.newest(chain, below, _PAGE):
        for seq, identity in page:
            if not cut.stays(seq, identity):
                return True
        below = page[-1][0]
    return False


async def _cut_off(shelves: Shelves, chain: int, first: int, spared: Sequence[int] = ()) -> Pruned:
    """Forget what was made before commit `first`, but for some checkpoints."""
    pruned = Pruned()
    more = True
    while more:
        batch = await shelves.cut(chain, first, spared, _CUT)
        pruned += batch
        more = batch.checkpoints == _CUT
    return pruned + Pruned(bytes=await _sweep(shelves, chain))


async def forget_runs(shelves: Shelves, runs: frozenset[str]) -> int:
    """Forget the checkpoints of some runs, but for those that others name as their children; how many those were."""
    threads: dict[str, dict[int, list[int]]] = {}
    for thread_id, chain, seq in await shelves.of_runs(sorted(runs)) if runs else ():
        threads.setdefault(thread_id, {}).setdefault(chain, []).append(seq)
    count = 0
    for thread_id, chains in threads.items():
        ties = Ties(thread_id)
        for level, inside in _levels(await _spaces(shelves, thread_id)):
            for space in level:
                if space.chain in chains:
                    count += await _forget(shelves, space, chains[space.chain], ties)
            if any(space.lasting and space.chain in chains for space in inside):
                await _note_children(shelves, level, ties)
    return count


async def _forget(shelves: Shelves, space: Space, seqs: Sequence[int], ties: Ties) -> int:
    named = ties.named(space.namespace)
    if named:
        spared = set(await shelves.places(space.chain, max(seqs) + 1, sorted(named)))
        seqs = [seq for seq in seqs if seq not in spared]
    count = 0
    for at in range(0, len(seqs), _CUT):
        count += (await shelves.forget(space.chain, seqs[at : at + _CUT])).checkpoints
    await _sweep(shelves, space.chain)
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
