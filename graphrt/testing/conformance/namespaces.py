"""Namespaces and threads stand apart, and threads are forgotten whole.

Of §3.4 this covers of `put`: root, child and default namespace, threads apart; of `get_tuple`: respects the namespace;
and `delete_thread`: checkpoints, writes, all namespaces, other threads, unknown thread.
"""

from __future__ import annotations

import pytest

from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, new_thread, result

__all__ = ["Forgetting", "Namespaces"]


async def both(writer: Writer) -> tuple[Writer, Writer]:
    """A thread of three checkpoints, and one of an inner namespace."""
    for n in range(3):
        await writer.commit({"n": b"%d" % n})
    inner = Writer(writer.saver, writer.thread, "node:1")
    await inner.commit({"n": b"inner"})
    return writer, inner


class Namespaces(CheckpointerCase):
    """Each namespace of a thread has a chain of its own."""

    async def test_namespace_is_the_graphs_own_by_default(self, writer: Writer) -> None:
        outer, _ = await both(writer)
        assert await outer.saver.load(outer.thread) == await outer.saver.load(outer.thread, "")

    async def test_namespaces_have_heads_of_their_own(self, writer: Writer) -> None:
        outer, inner = await both(writer)
        assert (await outer.load()).head == outer.head
        assert (await inner.load()).head == inner.head
        await outer.commit()
        await inner.commit()

    async def test_namespaces_do_not_see_each_others_checkpoints(self, writer: Writer) -> None:
        outer, inner = await both(writer)
        assert await inner.history() == inner.made
        assert await outer.history() == outer.made[::-1]
        assert await inner.saver.load(inner.thread, inner.namespace, outer.head) is None

    async def test_namespaces_do_not_see_each_others_channels(self, writer: Writer) -> None:
        outer, inner = await both(writer)
        await inner.commit(appends={"n": b"part"})
        assert (await outer.held(), await inner.held()) == ({"n": (b"2",)}, {"n": (b"inner", b"part")})

    async def test_namespaces_do_not_see_each_others_results(self, writer: Writer) -> None:
        outer, inner = await both(writer)
        await inner.append(result("p"))
        assert ((await outer.load()).results, (await inner.load()).results) == ((), (result("p"),))

    async def test_similar_names_are_different_threads(self, writer: Writer) -> None:
        thread = new_thread()
        await Writer(writer.saver, thread).commit()
        for name, namespace in [
            (thread.upper(), ""),
            (f"{thread} ", ""),
            (f" {thread}", ""),
            (f"{thread[:-1]}%", ""),
            (f"{thread[:-1]}_", ""),
            (thread[:-1], thread[-1]),
            (f"{thread}|node", ""),
            (thread, "node"),
            (thread, "node|"),
            (thread, "Node"),
        ]:
            assert await writer.saver.load(name, namespace) is None
            assert await Writer(writer.saver, name, namespace).commit()


class Forgetting(CheckpointerCase):
    """`adelete_thread` leaves nothing of a thread, and everything of the others."""

    async def test_deleted_thread_is_gone_in_all_namespaces(self, writer: Writer) -> None:
        outer, inner = await both(writer)
        await outer.append(result("p"))
        await outer.saver.adelete_thread(outer.thread)
        assert await outer.saver.load(outer.thread) is None
        assert await outer.saver.load(outer.thread, inner.namespace) is None
        assert await outer.saver.load(outer.thread, "", outer.made[0]) is None
        assert (await outer.history(), await inner.history()) == ([], [])

    async def test_deleting_leaves_other_threads_alone(self, writer: Writer) -> None:
        outer, _ = await both(writer)
        other, inner = await both(Writer(writer.saver))
        await outer.saver.adelete_thread(outer.thread)
        assert await other.held() == {"n": (b"2",)}
        assert await inner.held() == {"n": (b"inner",)}

    async def test_deleting_an_unknown_thread_is_no_error(self, writer: Writer) -> None:
        await writer.saver.adelete_thread(new_thread())

    async def test_thread_can_be_deleted_twice(self, writer: Writer) -> None:
        await both(writer)
        await writer.saver.adelete_thread(writer.thread)
        await writer.saver.adelete_thread(writer.thread)

    async def test_deleted_thread_can_begin_again(self, writer: Writer) -> None:
        await both(writer)
        await writer.append(result("p"))
        await writer.saver.adelete_thread(writer.thread)
        again = Writer(writer.saver, writer.thread)
        await again.commit({"new": b"1"})
        assert await again.history() == again.made
        assert ((await again.load()).results, await again.held()) == ((), {"new": (b"1",)})

    async def test_writer_of_a_deleted_thread_is_refused(self, writer: Writer) -> None:
        await both(writer)
        await writer.saver.adelete_thread(writer.thread)
        with pytest.raises(ThreadConflict):
            await writer.commit()
        with pytest.raises(ThreadConflict):
            await writer.append(result("p"))
        assert await writer.history() == []
