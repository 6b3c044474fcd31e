"""Checkpointers that are wrong in one way each, and the test of the suite that says so.

Each does its wrong through the contract's own methods, as a database's might.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec.structs import replace

from graphrt.checkpoint import CHILDREN, PARENTS, ChannelData, Commit, Stored, TaskResult
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import ThreadConflict

CAUGHT_BY: dict[type[InMemorySaver], str] = {}


def caught_by(test: str) -> Any:
    def add(saver: type[InMemorySaver]) -> type[InMemorySaver]:
        CAUGHT_BY[saver] = test
        return saver

    return add


class Misreads(InMemorySaver):
    """Whatever is read comes as `seen` makes it."""

    def seen(self, stored: Stored) -> Stored:
        raise NotImplementedError

    async def load(self, *place: Any) -> Stored | None:
        stored = await super().load(*place)
        return stored and self.seen(stored)

    async def history(self, *place: Any, **options: Any) -> AsyncIterator[Stored]:
        async for stored in super().history(*place, **options):
            yield self.seen(stored)


# ---- values


@caught_by("test_part_comes_behind_the_value")
class LosesParts(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        await super().commit(replace(commit, appends=()))


@caught_by("test_several_parts_of_one_commit_keep_their_order")
class SortsParts(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        await super().commit(replace(commit, appends=tuple(sorted(commit.appends, key=lambda p: p.data))))


@caught_by("test_hundreds_of_parts_read_back_at_every_checkpoint")
class JoinsTheOldestOfManyParts(Misreads):
    def seen(self, stored: Stored) -> Stored:
        parts = stored.appends.get("log", ())
        joined = (b"".join(parts[:2]), *parts[2:]) if len(parts) > 200 else parts
        return replace(stored, appends={**stored.appends, "log": joined} if joined else {})


@caught_by("test_channel_without_parts_is_not_among_appends")
class HasNoPartsForEveryChannel(Misreads):
    def seen(self, stored: Stored) -> Stored:
        return replace(stored, appends={name: stored.appends.get(name, ()) for name in stored.channels})


@caught_by("test_channel_that_is_emptied_loses_its_parts")
class EmptiesToNothingWritten(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        channels = [item if item.data is not None else replace(item, data=b"") for item in commit.channels]
        await super().commit(replace(commit, channels=tuple(channels)))


@caught_by("test_parts_of_one_branch_do_not_show_on_the_other")
class KnowsNoBranches(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        straight = replace(commit.checkpoint, parent_id=commit.head)
        await super().commit(replace(commit, checkpoint=straight))


@caught_by("test_fork_of_a_fork_of_a_fork_sees_all_its_ancestors")
class ForgetsAncestorsOfDeepForks(InMemorySaver):
    forks = 0

    async def commit(self, commit: Commit) -> None:
        self.forks += commit.checkpoint.source == "fork"
        if self.forks > 15 and commit.checkpoint.source == "fork":
            commit = replace(commit, channels=(ChannelData("log", b"0"),))
        await super().commit(commit)


@caught_by("test_metadata_keeps_its_types")
class TurnsTrueIntoOne(Misreads):
    def seen(self, stored: Stored) -> Stored:
        metadata = {key: 1 if value is True else value for key, value in stored.checkpoint.metadata.items()}
        return replace(stored, checkpoint=replace(stored.checkpoint, metadata=metadata))


# ---- results


@caught_by("test_results_of_a_commit_belong_to_its_parent")
class NamesNoChild(Misreads):
    def seen(self, stored: Stored) -> Stored:
        return replace(stored, results=tuple(replace(one, child=None) for one in stored.results))


@caught_by("test_references_come_back_as_they_were")
class TurnsNoneIntoEmpty(Misreads):
    def seen(self, stored: Stored) -> Stored:
        def filled(one: TaskResult) -> TaskResult:
            writes = tuple(ChannelData(item.channel, item.data or b"") for item in one.writes)
            return replace(one, writes=writes)

        return replace(stored, results=tuple(map(filled, stored.results)))


@caught_by("test_error_that_a_commit_brought_is_replaced_by_a_later_result")
class KeepsTheFirstErrorThatCame(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        parent = await self.load(commit.thread_id, commit.namespace, commit.checkpoint.parent_id)
        there = {one.path for one in parent.results} if parent else set()
        new = tuple(one for one in commit.results if one.path not in there)
        await super().commit(replace(commit, results=new))


@caught_by("test_paths_sort_as_python_sorts_them")
class SortsPathsAsPeopleDo(Misreads):
    def seen(self, stored: Stored) -> Stored:
        return replace(stored, results=tuple(sorted(stored.results, key=lambda one: one.path.lower())))


@caught_by("test_appending_to_a_checkpoint_that_is_not_the_head_is_refused")
class AppendsToAnyCheckpoint(InMemorySaver):
    async def append_results(
        self, thread: str, namespace: str, to: str, results: Sequence[TaskResult]
    ) -> None:
        stored = await self.load(thread, namespace)
        if stored is None:
            raise ThreadConflict(thread, expected=to, current=None)
        await super().append_results(thread, namespace, stored.head, results)


# ---- heads


@caught_by("test_commit_on_a_head_that_has_moved_is_refused")
class ComparesNoHeads(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        stored = await self.load(commit.thread_id, commit.namespace)
        await super().commit(replace(commit, head=stored.head if stored else None))


@caught_by("test_refused_commit_leaves_nothing_behind")
class KeepsResultsOfRefusedCommits(InMemorySaver):
    async def commit(self, commit: Commit) -> None:
        stored = await self.load(commit.thread_id, commit.namespace)
        if stored is not None:
            await self.append_results(commit.thread_id, commit.namespace, stored.head, commit.results)
        await super().commit(commit)


@caught_by("test_one_of_two_writers_wins")
class ComparesBeforeItWaits(ComparesNoHeads):
    immediate = False

    async def commit(self, commit: Commit) -> None:
        stored = await self.load(commit.thread_id, commit.namespace)
        if (stored.head if stored else None) != commit.head:
            raise ThreadConflict(commit.thread_id, expected=commit.head, current=stored and stored.head)
        await asyncio.sleep(0)
        await super().commit(commit)


@caught_by("test_cancelled_commit_has_happened_or_not")
class CommitsInTwoSteps(InMemorySaver):
    immediate = False

    async def commit(self, commit: Commit) -> None:
        if commit.head is not None:
            await self.append_results(commit.thread_id, commit.namespace, commit.head, commit.results)
            await asyncio.sleep(0)
        await super().commit(commit)


# ---- history, forgetting


@caught_by("test_limit_counts_what_filter_and_before_let_through")
class LimitsBeforeItFilters(InMemorySaver):
    async def history(self, *place: Any, filter: Any = None, **options: Any) -> AsyncIterator[Stored]:
        wanted = [stored.checkpoint.id async for stored in super().history(*place, filter=filter)]
        async for stored in super().history(*place, **options):
            if stored.checkpoint.id in wanted:
                yield stored


@caught_by("test_before_picks_what_is_older")
class IncludesBefore(InMemorySaver):
    async def history(self, *place: Any, before: str | None = None, **options: Any) -> AsyncIterator[Stored]:
        async for stored in super().history(*place, before=before and before + "~", **options):
            yield stored


@caught_by("test_deleted_thread_is_gone_in_all_namespaces")
class DeletesOnlyTheGraphItself(InMemorySaver):
    def delete_thread(self, thread_id: str) -> None:
        self._threads.get(thread_id, {}).pop("", None)


@caught_by("test_similar_names_are_different_threads")
class KnowsNoUpperCase(InMemorySaver):
    async def load(self, thread_id: str, *place: Any) -> Stored | None:
        return await super().load(thread_id.lower(), *place)


# ---- optional abilities


@caught_by("test_fork_keeps_what_it_saw")
class PrunesWhatForksStandOn(Misreads):
    pruned = False

    async def aprune(self, *args: Any, **options: Any) -> Any:
        self.pruned = True
        return await super().aprune(*args, **options)

    def seen(self, stored: Stored) -> Stored:
        return replace(stored, appends={}) if self.pruned else stored


@caught_by("test_newest_checkpoint_of_every_namespace_stays")
class PrunesSubgraphsAway(InMemorySaver):
    async def aprune(self, thread_ids: Any = None, **options: Any) -> Any:
        for thread_id in thread_ids or ():
            self._threads[thread_id] = {"": self._threads[thread_id][""]}
        return await super().aprune(thread_ids, **options)


class KnowsNothingOfNesting(InMemorySaver):
    """What it is told of other namespaces it does not see: `hidden` are the notes."""

    hidden: frozenset[str]

    async def commit(self, commit: Commit) -> None:
        channels = tuple(
            replace(item, channel=f"no {item.channel}") if item.channel in self.hidden else item
            for item in commit.channels
        )
        await super().commit(replace(commit, channels=channels))


@caught_by("test_child_of_a_fork_stays_and_that_of_the_branch_it_left_goes")
class PrunesEachNamespaceByItself(KnowsNothingOfNesting):
    hidden = frozenset({CHILDREN})


@caught_by("test_calls_in_calls_go_from_the_outside_in")
class KeepsCallsForEver(KnowsNothingOfNesting):
    hidden = frozenset({PARENTS})


@caught_by("test_call_stays_while_the_checkpoint_that_it_began_at_does")
class PrunesCallsAway(InMemorySaver):
    async def aprune(self, thread_ids: Any = None, **options: Any) -> Any:
        for thread_id in thread_ids or ():
            chains = self._threads[thread_id]
            self._threads[thread_id] = {name: chains[name] for name in chains if ":" not in name}
        return await super().aprune(thread_ids, **options)


@caught_by("test_child_of_a_run_that_is_forgotten_stays_for_those_that_name_it")
class ForgetsRunsInEachNamespaceByItself(PrunesEachNamespaceByItself):
    pass


@caught_by("test_copy_and_source_go_their_own_ways")
class CopiesByReference(InMemorySaver):
    async def acopy_thread(self, source: str, target: str) -> int:
        self._threads[target] = self._threads[source]
        return 0


@caught_by("test_head_goes_back_to_the_newest_that_remains")
class ForgetsOnlyTheNewestOfARun(InMemorySaver):
    async def adelete_for_runs(self, run_ids: Sequence[str]) -> int:
        for chains in self._threads.values():
            for chain in chains.values():
                chain.forget([chain.last])
        return 1


@caught_by("test_prefix_means_itself")
class ListsByPattern(InMemorySaver):
    async def athreads(self, *, prefix: str = "", **options: Any) -> AsyncIterator[Any]:
        async for info in super().athreads(prefix=prefix.partition("%")[0], **options):
            yield info
