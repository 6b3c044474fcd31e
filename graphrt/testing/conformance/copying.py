"""Optional: copies of threads.

Of §3.4 this covers `copy_thread`: basic, all checkpoints, metadata, namespaces, writes, ordering, source unchanged,
unknown source.
"""

from __future__ import annotations

import pytest

from graphrt.checkpoint import Checkpointer, CopiesThreads
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase, capable
from graphrt.testing.conformance.records import Writer, new_thread, result

__all__ = ["Copying"]


async def eventful(writer: Writer) -> tuple[Writer, Writer]:
    """A thread with parts, metadata, results of every kind, a fork, and a namespace of its own."""
    await writer.commit({"log": b"0", "n": b"0"}, source="input", step=-1, metadata={"user": "u"})
    for n in range(1, 40):
        await writer.commit({"n": b"%d" % n}, result("p", n=None), appends={"log": b"%d" % n})
    await writer.commit({"n": None}, appends={"log": b"fork"}, parent=writer.made[10], source="fork")
    await writer.append(result("q", error="no"), result("r", a=b"1"))
    inner = Writer(writer.saver, writer.thread, "node:1")
    await inner.commit({"n": b"inner"})
    return writer, inner


def copy_of(writer: Writer, thread: str) -> Writer:
    """A writer that goes on with a copy."""
    made, versions = list(writer.made), dict(writer.versions)
    return Writer(writer.saver, thread, writer.namespace, writer.head, made, versions)


class Copying(CheckpointerCase):
    """`acopy_thread` makes a second thread that is what the first one is now."""

    @pytest.fixture
    def copier(self, saver: Checkpointer) -> CopiesThreads:
        """The saver, if it copies threads."""
        copier: CopiesThreads = capable(saver, CopiesThreads, "copy threads")
        return copier

    async def test_copy_is_what_the_thread_is(self, copier: CopiesThreads, writer: Writer) -> None:
        outer, inner = await eventful(writer)
        name = new_thread()
        assert await copier.acopy_thread(writer.thread, name) == len(outer.made) + len(inner.made)
        assert await copy_of(outer, name).stored() == await outer.stored()
        assert await copy_of(inner, name).stored() == await inner.stored()

    async def test_every_checkpoint_of_the_copy_can_be_loaded(
        self, copier: CopiesThreads, writer: Writer
    ) -> None:
        outer, _ = await eventful(writer)
        name = new_thread()
        await copier.acopy_thread(writer.thread, name)
        for identity in outer.made[::5]:
            assert await copy_of(outer, name).load(identity) == await outer.load(identity)

    async def test_copying_leaves_the_source_as_it_was(self, copier: CopiesThreads, writer: Writer) -> None:
        outer, inner = await eventful(writer)
        before = await outer.stored(), await inner.stored()
        await copier.acopy_thread(writer.thread, new_thread())
        assert (await outer.stored(), await inner.stored()) == before

    async def test_copy_and_source_go_their_own_ways(self, copier: CopiesThreads, writer: Writer) -> None:
        outer, _ = await eventful(writer)
        name = new_thread()
        await copier.acopy_thread(writer.thread, name)
        copy = copy_of(outer, name)
        await copy.append(result("s"))
        await copy.commit({"n": b"copy"}, appends={"log": b"copy"})
        await outer.commit({"n": b"source"}, appends={"log": b"source"})
        parts = (*(b"%d" % n for n in range(11)), b"fork")
        assert await copy.held() == {"n": (b"copy",), "log": (*parts, b"copy")}
        assert await outer.held() == {"n": (b"source",), "log": (*parts, b"source")}
        assert [one.path for one in (await copy.load(copy.made[-2])).results] == ["q", "r", "s"]
        assert [one.path for one in (await outer.load(outer.made[-2])).results] == ["q", "r"]

    async def test_copy_lives_on_without_its_source(self, copier: CopiesThreads, writer: Writer) -> None:
        outer, _ = await eventful(writer)
        expected = await outer.stored()
        name = new_thread()
        await copier.acopy_thread(writer.thread, name)
        await writer.saver.adelete_thread(writer.thread)
        assert await copy_of(outer, name).stored() == expected

    async def test_copy_can_be_forked_at_an_old_checkpoint(
        self, copier: CopiesThreads, writer: Writer
    ) -> None:
        outer, _ = await eventful(writer)
        name = new_thread()
        await copier.acopy_thread(writer.thread, name)
        copy = copy_of(outer, name)
        await copy.commit(appends={"log": b"other"}, parent=outer.made[3])
        assert (await copy.held())["log"] == (b"0", b"1", b"2", b"3", b"other")

    async def test_copying_an_unknown_thread_copies_nothing(
        self, copier: CopiesThreads, writer: Writer
    ) -> None:
        name = new_thread()
        assert await copier.acopy_thread(new_thread(), name) == 0
        assert await writer.saver.load(name) is None

    async def test_copying_onto_a_thread_is_refused(self, copier: CopiesThreads, writer: Writer) -> None:
        await eventful(writer)
        other = Writer(writer.saver)
        await other.commit({"n": b"other"})
        with pytest.raises(ThreadConflict):
            await copier.acopy_thread(writer.thread, other.thread)
        with pytest.raises(ThreadConflict):
            await copier.acopy_thread(writer.thread, writer.thread)
        assert await other.history() == other.made
        assert await other.held() == {"n": (b"other",)}
