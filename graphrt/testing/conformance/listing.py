"""Optional: which threads there are, how much is stored, and giving space back.

LangGraph's suite has nothing of the kind. Counts are compared before and after, so nobody else may write meanwhile.
"""

from __future__ import annotations

from typing import Any

import pytest

from graphrt.checkpoint import Checkpointer, ListsThreads, Measures, Reclaims, ThreadInfo, time_of
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase, capable
from graphrt.testing.conformance.records import Writer, new_id, new_thread, result

__all__ = ["Listing", "Measuring"]

ENDS = ("", "!", "A", "B", "a", "a ", "a%", "a_", "b", "ß", "ä", "€", "😀")
"""Ends of names, in the order of their characters' code points."""


async def named(saver: Checkpointer) -> str:
    """Threads whose names begin the same and end with each of `ENDS`; what they begin with."""
    begin = new_thread()
    for end in reversed(ENDS):
        await Writer(saver, f"{begin}{end}").commit({"n": b"1"})
    return begin


async def infos(lister: ListsThreads, prefix: str, **options: Any) -> list[ThreadInfo]:
    """One page."""
    return [info async for info in lister.athreads(prefix=prefix, **options)]


async def ends(lister: ListsThreads, begin: str, prefix: str = "", **options: Any) -> list[str]:
    """Ends of the names of one page."""
    page = await infos(lister, begin + prefix, **options)
    return [info.thread_id.removeprefix(begin) for info in page]


class Listing(CheckpointerCase):
    """`athreads` gives threads by name, page by page."""

    @pytest.fixture
    def lister(self, saver: Checkpointer) -> ListsThreads:
        """The saver, if it lists threads."""
        lister: ListsThreads = capable(saver, ListsThreads, "list threads")
        return lister

    async def test_threads_come_in_the_order_of_their_names(
        self, lister: ListsThreads, saver: Checkpointer
    ) -> None:
        begin = await named(saver)
        assert await ends(lister, begin) == list(ENDS)

    async def test_prefix_means_itself(self, lister: ListsThreads, saver: Checkpointer) -> None:
        begin = await named(saver)
        assert await ends(lister, begin, "a") == ["a", "a ", "a%", "a_"]
        assert await ends(lister, begin, "a%") == ["a%"]
        assert await ends(lister, begin, "_") == []

    async def test_page_begins_after_a_name_and_has_a_limit(
        self, lister: ListsThreads, saver: Checkpointer
    ) -> None:
        begin = await named(saver)
        assert await ends(lister, begin, after=f"{begin}a") == list(ENDS[5:])
        assert await ends(lister, begin, after=f"{begin}a!", limit=2) == ["a%", "a_"]
        assert await ends(lister, begin, limit=0) == []
        assert await ends(lister, begin, limit=100) == list(ENDS)

    async def test_pages_together_are_all_threads(self, lister: ListsThreads, saver: Checkpointer) -> None:
        begin = new_thread()
        names = sorted(f"{begin} {n}" for n in range(70))
        for name in names:
            await Writer(saver, name).commit()
        seen: list[str] = []
        while page := await infos(lister, begin, after=seen[-1] if seen else None, limit=16):
            seen += [info.thread_id for info in page]
        assert seen == names
        assert [info.thread_id for info in await infos(lister, begin)] == names

    async def test_thread_is_described(self, lister: ListsThreads, writer: Writer) -> None:
        inner = Writer(writer.saver, writer.thread, "inner")
        await writer.commit({"n": b"1"})
        await writer.commit({"n": b"2"})
        newest = await inner.commit({"n": b"3"})
        (info,) = await infos(lister, writer.thread)
        assert (info.thread_id, info.namespaces, info.checkpoints, info.head) == (
            writer.thread,
            ("", "inner"),
            3,
            writer.head,
        )
        assert info.updated_at == time_of(newest)
        assert info.bytes is None or info.bytes > 0

    async def test_thread_of_a_subgraph_alone_has_no_head(self, lister: ListsThreads, writer: Writer) -> None:
        await Writer(writer.saver, writer.thread, "inner").commit(id="tells no time")
        (info,) = await infos(lister, writer.thread)
        assert (info.namespaces, info.head, info.updated_at) == (("inner",), None, None)

    async def test_what_is_not_a_thread_is_not_listed(self, lister: ListsThreads, writer: Writer) -> None:
        with pytest.raises(ThreadConflict):
            await Writer(writer.saver, writer.thread, head=new_id()).commit()
        gone = Writer(writer.saver, f"{writer.thread} gone")
        await gone.commit()
        await gone.saver.adelete_thread(gone.thread)
        assert await infos(lister, writer.thread) == []

    async def test_list_can_be_left_early(self, lister: ListsThreads, saver: Checkpointer) -> None:
        begin = await named(saver)
        async for info in lister.athreads(prefix=begin):
            assert info.thread_id == begin
            break
        await Writer(saver).commit()


class Measuring(CheckpointerCase):
    """`astats` counts what is stored, `areclaim` gives back what is not."""

    @pytest.fixture
    def measurer(self, saver: Checkpointer) -> Measures:
        """The saver, if it measures itself."""
        measurer: Measures = capable(saver, Measures, "measure itself")
        return measurer

    @pytest.fixture
    def reclaimer(self, saver: Checkpointer) -> Reclaims:
        """The saver, if it has space to give back."""
        reclaimer: Reclaims = capable(saver, Reclaims, "give space back")
        return reclaimer

    async def test_stats_grow_with_what_is_stored(self, measurer: Measures, writer: Writer) -> None:
        before = await measurer.astats()
        await writer.commit({"n": b"x" * 1_000})
        await writer.commit({"n": b"x" * 1_000}, result("p", n=b"x" * 500), appends={})
        await Writer(writer.saver, writer.thread, "inner").commit({"n": b"x" * 1_000})
        after = await measurer.astats()
        assert (after.threads - before.threads, after.checkpoints - before.checkpoints) == (1, 3)
        assert after.segments > before.segments
        assert after.bytes - before.bytes > 1_500  # the same value may be stored once

    async def test_stats_fall_when_a_thread_is_deleted(self, measurer: Measures, writer: Writer) -> None:
        before = await measurer.astats()
        await writer.commit({"n": b"x" * 1_000})
        await writer.append(result("p", n=b"x" * 1_000))
        await writer.saver.adelete_thread(writer.thread)
        after = await measurer.astats()
        assert (after.threads, after.checkpoints, after.segments, after.bytes) == (
            before.threads,
            before.checkpoints,
            before.segments,
            before.bytes,
        )

    async def test_space_is_given_back_and_everything_stays(
        self, reclaimer: Reclaims, writer: Writer
    ) -> None:
        kept = Writer(writer.saver)
        await kept.commit({"n": b"kept"})
        await writer.commit({"n": b"x" * 1_000_000})
        await writer.saver.adelete_thread(writer.thread)
        before = await kept.stored()
        assert await reclaimer.areclaim() >= 0
        assert await kept.stored() == before
        assert await kept.commit()
