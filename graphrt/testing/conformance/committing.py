"""What a commit changes, and when it is refused: it happens as a whole, and only on the head that its writer knows.

Of §3.4 this covers of `put`: incremental update, new and removed channels, several checkpoints, threads apart. That a
head is compared is graphrt's own.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from graphrt.checkpoint import Checkpointer
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, new_id, result

__all__ = ["Changes", "Heads"]


class Changes(CheckpointerCase):
    """A commit carries what its step changed; the rest is as at its parent."""

    async def test_channels_that_a_step_did_not_change_are_as_before(self, writer: Writer) -> None:
        await writer.commit({"a": b"1", "b": b"1"})
        await writer.commit({"b": b"2"})
        assert (await writer.load()).channels == {"a": b"1", "b": b"2"}

    async def test_channel_may_come_later(self, writer: Writer) -> None:
        first = await writer.commit({"a": b"1"})
        await writer.commit({"b": b"2"})
        assert (await writer.load()).channels == {"a": b"1", "b": b"2"}
        assert (await writer.load(first)).channels == {"a": b"1"}

    async def test_channel_that_a_step_emptied_is_gone(self, writer: Writer) -> None:
        await writer.commit({"a": b"1", "b": b"1"})
        await writer.commit({"a": None, "never": None})
        assert (await writer.load()).channels == {"b": b"1"}

    async def test_channel_that_was_emptied_can_be_filled_again(self, writer: Writer) -> None:
        await writer.commit({"a": b"1"})
        empty = await writer.commit({"a": None})
        await writer.commit({"a": b"2"})
        assert (await writer.load(empty)).channels == {}
        assert (await writer.load()).channels == {"a": b"2"}

    async def test_step_that_changes_nothing_is_a_checkpoint_too(self, writer: Writer) -> None:
        first = await writer.commit({"a": b"1"})
        second = await writer.commit()
        assert (await writer.load()).channels == {"a": b"1"}
        assert await writer.history() == [second, first]

    async def test_older_checkpoints_stay_as_they_were(self, writer: Writer) -> None:
        first = await writer.commit({"a": b"1", "b": b"1"})
        await writer.commit({"a": b"2", "b": None})
        assert (await writer.load(first)).channels == {"a": b"1", "b": b"1"}

    async def test_threads_do_not_see_each_others_channels(self, writer: Writer) -> None:
        other = Writer(writer.saver)
        await writer.commit({"a": b"1", "b": b"1"})
        await other.commit({"a": b"2"})
        assert (await writer.load()).channels == {"a": b"1", "b": b"1"}
        assert (await other.load()).channels == {"a": b"2"}

    async def test_same_checkpoint_id_in_two_threads_is_two_checkpoints(self, writer: Writer) -> None:
        other, identity = Writer(writer.saver), new_id()
        await writer.commit({"a": b"1"}, id=identity)
        await other.commit({"a": b"2"}, id=identity)
        assert (await writer.load(identity)).channels == {"a": b"1"}
        assert (await other.load(identity)).channels == {"a": b"2"}

    async def test_many_channels_may_change_at_once(self, writer: Writer) -> None:
        many = {f"channel {n}": b"%d" % n for n in range(300)}
        await writer.commit(many)
        await writer.commit(dict.fromkeys(list(many)[::2]))
        assert (await writer.load()).channels == dict(list(many.items())[1::2])


async def left_behind(writer: Writer) -> Writer:
    """A second writer, who missed the last commit."""
    other = Writer(writer.saver, writer.thread, head=await writer.commit({"a": b"1"}))
    await writer.commit({"a": b"2"}, result("p"))
    return other


class Heads(CheckpointerCase):
    """Who does not know the thread's head cannot move it, and leaves nothing behind."""

    async def test_commit_on_a_head_that_has_moved_is_refused(self, writer: Writer) -> None:
        stale = await left_behind(writer)
        with pytest.raises(ThreadConflict) as caught:
            await stale.commit({"a": b"3"})
        conflict = caught.value
        assert (conflict.thread_id, conflict.expected, conflict.current) == (
            writer.thread,
            stale.head,
            writer.head,
        )

    async def test_refused_commit_leaves_nothing_behind(self, writer: Writer) -> None:
        stale = await left_behind(writer)
        before = await writer.stored()
        with pytest.raises(ThreadConflict):
            await stale.commit({"a": b"3", "b": b"3"}, result("q", a=b"3"), appends={"a": b"4"})
        assert await writer.stored() == before

    async def test_writer_goes_on_after_somebody_else_was_refused(self, writer: Writer) -> None:
        stale = await left_behind(writer)
        with pytest.raises(ThreadConflict):
            await stale.commit()
        assert await writer.commit() == (await writer.load()).checkpoint.id

    async def test_refused_writer_goes_on_from_the_head_it_was_told(self, writer: Writer) -> None:
        stale = await left_behind(writer)
        with pytest.raises(ThreadConflict) as caught:
            await stale.commit()
        stale.head = caught.value.current
        await stale.commit({"b": b"3"})
        assert (await writer.load()).channels == {"a": b"2", "b": b"3"}

    async def test_beginning_a_thread_that_exists_is_refused(self, writer: Writer) -> None:
        head = await writer.commit()
        with pytest.raises(ThreadConflict) as caught:
            await Writer(writer.saver, writer.thread).commit()
        assert (caught.value.expected, caught.value.current) == (None, head)

    async def test_going_on_with_a_thread_that_does_not_exist_is_refused(self, saver: Checkpointer) -> None:
        lost = Writer(saver, head=new_id())
        with pytest.raises(ThreadConflict) as caught:
            await lost.commit()
        assert (caught.value.expected, caught.value.current) == (lost.head, None)
        assert await saver.load(lost.thread) is None

    async def test_checkpoint_of_an_unknown_head_is_refused_though_its_parent_is_the_head(
        self, writer: Writer
    ) -> None:
        first = await writer.commit()
        commit = replace(writer.next(), head=new_id())
        assert commit.checkpoint.parent_id == first
        with pytest.raises(ThreadConflict):
            await writer.saver.commit(commit)

    async def test_commit_on_a_parent_that_is_not_there_is_refused(self, writer: Writer) -> None:
        await writer.commit({"a": b"1"})
        before = await writer.stored()
        with pytest.raises(ThreadConflict):
            await writer.commit({"a": b"2"}, result("p"), parent=new_id())
        assert await writer.stored() == before

    async def test_same_commit_is_not_made_twice(self, writer: Writer) -> None:
        await writer.commit()
        commit = writer.next({"a": b"1"}, result("p"))
        head = await writer.send(commit)
        with pytest.raises(ThreadConflict) as caught:
            await writer.saver.commit(commit)
        assert caught.value.current == head
        assert await writer.history() == writer.made[::-1]
