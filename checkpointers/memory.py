"""Threads in this process's memory, through the same bytes as a database.

Nothing here waits, so an operation is atomic among the tasks of a loop; a lock makes it so among threads. What looks
through many threads takes the lock for one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any, Final

from checkpointers.chain import Chain
from checkpointers.refusals import target_exists
from checkpointers.retention import Cut, Keep, Wish, faded, run_names, wish
from checkpointers.ties import Ties
from graphrt.checkpoint import (
    CHILDREN,
    PARENTS,
    Checkpoint,
    Commit,
    Pruned,
    PruneStrategy,
    StorageStats,
    Stored,
    TaskResult,
    ThreadInfo,
    time_of,
)
from graphrt.checkpoint.nesting import parts_of
from graphrt.errors import ThreadConflict

__all__ = ["InMemorySaver"]

_PAGE: Final = 64
"""Checkpoints that `history` reads together: what one changed since the one before costs less than all it holds."""


class InMemorySaver:
    """A checkpointer for tests, notebooks and single processes: threads live as long as this object does.

    Its methods are those of `graphrt.checkpoint.Checkpointer`, which says what each promises and raises.
    """

    immediate: bool = True

    def __init__(self) -> None:
        self._threads: dict[str, dict[str, Chain]] = {}
        self._lock = Lock()

    @classmethod
    def from_conn_string(cls, conn_string: str) -> InMemorySaver:
        """A new, empty saver: `memory://` names no place."""
        return cls()

    async def commit(self, commit: Commit) -> None:
        with self._lock:
            chains = self._threads.get(commit.thread_id)
            if chains is None:
                chains = self._threads[commit.thread_id] = {}
            chain = chains.get(commit.namespace)
            if chain is None:
                chain = chains[commit.namespace] = Chain()
            if chain.head != commit.head:
                raise ThreadConflict(commit.thread_id, expected=commit.head, current=chain.head)
            chain.add(commit)

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head != checkpoint_id:
                raise ThreadConflict(thread_id, expected=checkpoint_id, current=chain.head if chain else None)
            known = chain.kept.setdefault(chain.last, {})
            for result in results:
                if result.path not in known or known[result.path].error is not None:
                    known[result.path] = result

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            if chain is None or chain.head is None:
                return None
            seq = chain.number.get(checkpoint_id or chain.head)
            return chain.stored(seq) if seq is not None else None

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        with self._lock:
            chain = self._threads.get(thread_id, {}).get(namespace)
            checkpoints = list(chain.checkpoints.values()) if chain is not None else []
        if chain is None:
            return
        wanted = islice(
            (
                number
                for checkpoint in reversed(checkpoints)
                if (before is None or checkpoint.id < before) and (not filter or _matches(checkpoint, filter))
                if (number := chain.number.get(checkpoint.id)) is not None  # else forgotten meanwhile
            ),
            len(checkpoints) if limit is None else max(0, min(limit, len(checkpoints))),
        )
        while True:
            with self._lock:
                page = chain.page(list(islice(wanted, _PAGE))[::-1])
            if not page:
                return
            for stored in reversed(page):
                yield stored

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)

    def delete_thread(self, thread_id: str) -> None:
        """Forget everything about a thread; an unknown thread is no error."""
        with self._lock:
            self._threads.pop(thread_id, None)

    # ---- keeping and forgetting: the contract stands with the protocols; each has a twin for callers without a loop

    async def acopy_thread(self, source: str, target: str) -> int:
        return self.copy_thread(source, target)

    def copy_thread(self, source: str, target: str) -> int:
        """`acopy_thread` without a loop."""
        with self._lock:
            chains, there = self._chains(source), self._chains(target)
            if chains and there:
                raise target_exists(source, target, next(iter(there.values())).head)
            if chains:
                self._threads[target] = {namespace: chain.copy() for namespace, chain in chains.items()}
            return sum(len(chain.checkpoints) for chain in chains.values())

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> int:
        wanted, count = run_names(run_ids), 0
        for thread_id in list(self._threads):
            count += self._forget_runs(thread_id, wanted)
            await asyncio.sleep(0)
        return count

    def delete_for_runs(self, run_ids: Sequence[str]) -> int:
        """`adelete_for_runs` without a loop."""
        wanted = run_names(run_ids)
        return sum(self._forget_runs(thread_id, wanted) for thread_id in list(self._threads))

    def _forget_runs(self, thread_id: str, wanted: frozenset[str]) -> int:
        count = 0
        with self._lock:
            ties = Ties(thread_id)
            for namespace, chain in _from_outside(self._chains(thread_id)):
                named = ties.named(namespace)
                gone = [
                    seq
                    for seq, checkpoint in chain.checkpoints.items()
                    if checkpoint.metadata.get("run_id") in wanted and checkpoint.id not in named
                ]
                if gone:
                    chain.forget(gone)
                count += len(gone)
                ties.note(chain.values(CHILDREN))
            self._drop_empty(thread_id)
        return count

    async def aprune(
        self,
        thread_ids: Sequence[str] | None = None,
        *,
        strategy: PruneStrategy = "keep_latest",
        keep_last: int | None = None,
        older_than: datetime | timedelta | None = None,
    ) -> Pruned:
        wanted = wish(
            thread_ids, strategy=strategy, keep_last=keep_last, older_than=older_than, now=datetime.now(UTC)
        )
        pruned = Pruned()
        for thread_id in wanted.threads if wanted.threads is not None else list(self._threads):
            pruned += self._prune(thread_id, wanted)
            await asyncio.sleep(0)
        return pruned

    def prune(
        self,
        thread_ids: Sequence[str] | None = None,
        *,
        strategy: PruneStrategy = "keep_latest",
        keep_last: int | None = None,
        older_than: datetime | timedelta | None = None,
    ) -> Pruned:
        """`aprune` without a loop."""
        wanted = wish(
            thread_ids, strategy=strategy, keep_last=keep_last, older_than=older_than, now=datetime.now(UTC)
        )
        threads = wanted.threads if wanted.threads is not None else list(self._threads)
        return sum((self._prune(thread_id, wanted) for thread_id in threads), Pruned())

    def _prune(self, thread_id: str, wanted: Wish) -> Pruned:
        with self._lock:
            chains = self._chains(thread_id)
            if not wanted.delete:
                return self._cut(thread_id, chains, wanted.keep)
            if not chains or not faded([chain.head or "" for chain in chains.values()], wanted.keep):
                return Pruned()
            del self._threads[thread_id]
        return Pruned(
            1, sum(len(chain.checkpoints) for chain in chains.values()), sum(c.size for c in chains.values())
        )

    def _cut(self, thread_id: str, chains: Mapping[str, Chain], keep: Keep) -> Pruned:
        ties = Ties(thread_id)
        pruned = Pruned()
        for namespace, chain in _from_outside(chains):
            if ties.useless(namespace, chain.values(PARENTS)):
                pruned += Pruned(checkpoints=len(chain.checkpoints), bytes=chain.size)
                del self._threads[thread_id][namespace]
                ties.goes(namespace)
            else:
                pruned += _pruned(chain, keep, namespace, ties)
                ties.note(chain.values(CHILDREN))
        return pruned

    async def athreads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        for info in self.threads(prefix=prefix, after=after, limit=limit):
            yield info

    def threads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> Iterator[ThreadInfo]:
        """`athreads` without a loop."""
        names = [
            name
            for name in list(self._threads)
            if name.startswith(prefix) and (after is None or name > after)
        ]
        left = len(names) if limit is None else limit
        for name in sorted(names):
            if left <= 0:
                return
            with self._lock:
                info = _info(name, self._chains(name))
            if info is not None:
                left -= 1
                yield info

    async def astats(self) -> StorageStats:
        return self.stats()

    def stats(self) -> StorageStats:
        """`astats` without a loop."""
        with self._lock:
            threads = [chains for name in self._threads if (chains := self._chains(name))]
            every = [chain for chains in threads for chain in chains.values()]
            return StorageStats(
                threads=len(threads),
                checkpoints=sum(len(chain.checkpoints) for chain in every),
                segments=sum(chain.segments for chain in every),
                bytes=sum(chain.size for chain in every),
            )

    def _chains(self, thread_id: str) -> dict[str, Chain]:
        """A thread's namespaces; one whose first commit was refused is none."""
        chains = self._threads.get(thread_id, {})
        return {namespace: chain for namespace, chain in chains.items() if chain.head is not None}

    def _drop_empty(self, thread_id: str) -> None:
        chains = self._chains(thread_id)
        if chains:
            self._threads[thread_id] = chains
        else:
            self._threads.pop(thread_id, None)


def _from_outside(chains: Mapping[str, Chain]) -> list[tuple[str, Chain]]:
    """Namespaces with their chains, each before those inside it."""
    return sorted(chains.items(), key=lambda item: parts_of(item[0]))


def _pruned(chain: Chain, keep: Keep, namespace: str, ties: Ties) -> Pruned:
    cut = Cut(keep, chain.last)
    for seq, checkpoint in reversed(chain.checkpoints.items()):
        if not cut.stays(seq, checkpoint.id):
            break
    ties.stays(namespace, cut.oldest)
    named = ties.named(namespace)
    gone = [seq for seq, c in chain.checkpoints.items() if seq < cut.first and c.id not in named]
    if not gone:
        return Pruned()
    before = chain.size
    chain.forget(gone)
    return Pruned(checkpoints=len(gone), bytes=before - chain.size)


def _info(thread_id: str, chains: Mapping[str, Chain]) -> ThreadInfo | None:
    if not chains:
        return None
    times = [time for chain in chains.values() if chain.head and (time := time_of(chain.head))]
    return ThreadInfo(
        thread_id,
        namespaces=tuple(sorted(chains)),
        checkpoints=sum(len(chain.checkpoints) for chain in chains.values()),
        head=chains[""].head if "" in chains else None,
        updated_at=max(times, default=None),
        bytes=sum(chain.size for chain in chains.values()),
    )


def _matches(checkpoint: Checkpoint, wanted: Mapping[str, Any]) -> bool:
    found = {**checkpoint.metadata, "source": checkpoint.source, "step": checkpoint.step}
    return all(key in found and found[key] == value for key, value in wanted.items())
