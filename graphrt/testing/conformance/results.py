"""Results of tasks: kept before their step is committed or brought by its commit, added once, sorted.

Of §3.4 this covers `put_writes`: basic, several writes, several tasks, task id and path, channel and value,
idempotent, special channels (here: errors), across namespaces, cleared on the next checkpoint.
"""

from __future__ import annotations

import pytest

from graphrt.checkpoint import ChannelData, TaskResult
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, came_with, new_id, result

__all__ = ["AppendedResults", "BroughtResults"]


async def begun(writer: Writer) -> str:
    """The head of a thread with one checkpoint."""
    return await writer.commit({"a": b"1"}, next=("p", "q"))


async def results(writer: Writer, identity: str | None = None) -> list[TaskResult]:
    """The results known of the step that starts from a checkpoint."""
    return list((await writer.load(identity)).results)


class AppendedResults(CheckpointerCase):
    """Results that are kept while their step still runs."""

    async def test_new_checkpoint_has_no_results(self, writer: Writer) -> None:
        await begun(writer)
        assert await results(writer) == []

    async def test_results_come_back_as_they_were(self, writer: Writer) -> None:
        await begun(writer)
        kept = [
            result("pull p", a=b"\x00\xff", b=b""),
            result("pull q", error="ValueError('no')"),
            result("pull r"),
            result("ä 'b' \"c\"", error="ä 'b' \"c\" \n %s"),
            TaskResult("", "", result("x", a=b"1").writes),
        ]
        await writer.append(*kept)
        assert await results(writer) == sorted(kept, key=lambda one: one.path)

    async def test_results_are_sorted_by_path_however_they_came(self, writer: Writer) -> None:
        await begun(writer)
        for path in ("~push, 2", "~pull, b", "~push, 10", "~pull, a"):
            await writer.append(result(path))
        assert [one.path for one in await results(writer)] == [
            "~pull, a",
            "~pull, b",
            "~push, 10",
            "~push, 2",
        ]

    async def test_paths_sort_as_python_sorts_them(self, writer: Writer) -> None:
        await begun(writer)
        paths = ["B", "a", "ä", "_", "Z", "a b", "ab", "10", "9", ""]
        await writer.append(*map(result, paths))
        assert [one.path for one in await results(writer)] == sorted(paths)

    async def test_result_that_is_there_stays(self, writer: Writer) -> None:
        await begun(writer)
        await writer.append(result("p", a=b"first"))
        await writer.append(result("p", a=b"second"), result("p", error="third"))
        assert await results(writer) == [result("p", a=b"first")]

    async def test_same_results_may_be_appended_again(self, writer: Writer) -> None:
        await begun(writer)
        for _ in range(3):
            await writer.append(result("p", a=b"1"), result("q"))
        assert await results(writer) == [result("p", a=b"1"), result("q")]

    async def test_result_replaces_an_error(self, writer: Writer) -> None:
        await begun(writer)
        await writer.append(result("p", error="ValueError()"))
        await writer.append(result("p", a=b"1"))
        assert await results(writer) == [result("p", a=b"1")]

    async def test_newer_error_replaces_an_older_one(self, writer: Writer) -> None:
        await begun(writer)
        await writer.append(result("p", error="first"))
        await writer.append(result("p", error="second"))
        assert await results(writer) == [result("p", error="second")]

    async def test_empty_text_of_an_error_is_an_error(self, writer: Writer) -> None:
        await begun(writer)
        await writer.append(result("p", error=""))
        assert await results(writer) == [result("p", error="")]
        await writer.append(result("p", a=b"1"))
        assert await results(writer) == [result("p", a=b"1")]

    async def test_writes_keep_their_order_and_may_repeat_a_channel(self, writer: Writer) -> None:
        await begun(writer)
        kept = TaskResult("p", "p", (*result("p", b=b"1", a=b"2").writes, *result("p", b=b"3").writes))
        await writer.append(kept)
        assert await results(writer) == [kept]

    async def test_large_results_come_back(self, writer: Writer) -> None:
        await begun(writer)
        kept = [result(f"{n:03}", a=b"x" * 100_000) for n in range(20)]
        await writer.append(*kept)
        assert await results(writer) == kept

    async def test_appending_nothing_is_fine(self, writer: Writer) -> None:
        await begun(writer)
        await writer.append()
        assert await results(writer) == []

    async def test_appending_changes_neither_head_nor_channels(self, writer: Writer) -> None:
        await begun(writer)
        before = await writer.load()
        await writer.append(result("p", a=b"2"))
        after = await writer.load()
        assert (after.checkpoint, after.channels, after.head) == (
            before.checkpoint,
            before.channels,
            before.head,
        )

    async def test_appended_results_of_older_checkpoints_are_still_there(self, writer: Writer) -> None:
        first = await begun(writer)
        await writer.append(result("p", a=b"1"))
        for _ in range(3):
            await writer.commit()
        assert await results(writer, first) == [result("p", a=b"1")]
        assert await results(writer) == []

    async def test_history_has_the_results(self, writer: Writer) -> None:
        first = await begun(writer)
        await writer.append(result("p", a=b"1"))
        second = await writer.commit({}, result("q"))
        await writer.append(result("r", error="no"))
        shown = {stored.checkpoint.id: list(stored.results) for stored in await writer.stored()}
        assert shown == {
            first: [result("p", a=b"1"), came_with(second, result("q"))],
            second: [result("r", error="no")],
        }

    # ---- only to the head

    async def test_appending_to_a_checkpoint_that_is_not_the_head_is_refused(self, writer: Writer) -> None:
        first, second = await begun(writer), await writer.commit()
        with pytest.raises(ThreadConflict) as caught:
            await writer.append(result("p"), to=first)
        conflict = caught.value
        assert (conflict.thread_id, conflict.expected, conflict.current) == (writer.thread, first, second)
        assert await results(writer, first) == []

    async def test_appending_to_a_thread_that_does_not_exist_is_refused(self, writer: Writer) -> None:
        gone = new_id()
        with pytest.raises(ThreadConflict) as caught:
            await writer.append(result("p"), to=gone)
        assert (caught.value.expected, caught.value.current) == (gone, None)
        assert await writer.saver.load(writer.thread) is None

    async def test_appending_to_the_head_of_another_namespace_is_refused(self, writer: Writer) -> None:
        head = await begun(writer)
        with pytest.raises(ThreadConflict):
            await Writer(writer.saver, writer.thread, "inner").append(result("p"), to=head)
        assert await results(writer) == []

    async def test_appending_to_the_head_of_another_thread_is_refused(self, writer: Writer) -> None:
        head = await begun(writer)
        other = Writer(writer.saver)
        await begun(other)
        with pytest.raises(ThreadConflict):
            await other.append(result("p"), to=head)
        assert (await results(writer), await results(other)) == ([], [])


class BroughtResults(CheckpointerCase):
    """Results that come with a commit belong to the checkpoint that its step began with, and name the commit."""

    async def test_results_of_a_commit_belong_to_its_parent(self, writer: Writer) -> None:
        first = await begun(writer)
        second = await writer.commit({"a": b"2"}, result("p", a=b"2"))
        assert await results(writer, first) == [came_with(second, result("p", a=b"2"))]
        assert await results(writer, second) == []

    async def test_child_is_not_what_the_writer_says(self, writer: Writer) -> None:
        first = await begun(writer)
        second = await writer.commit({}, came_with(first, result("p")))
        assert await results(writer, first) == [came_with(second, result("p"))]

    @pytest.mark.parametrize("appended", [True, False])
    async def test_references_come_back_as_they_were(self, writer: Writer, appended: bool) -> None:
        # None stands for what the channel holds after the commit, b"" for what the commit appended.
        first = await begun(writer)
        writes = (
            ChannelData("a", None),
            ChannelData("log", b""),
            ChannelData("b", b"1"),
            ChannelData("a", None),
        )
        kept = TaskResult("p", "p", writes)
        await writer.append(*([kept] if appended else []))
        second = await writer.commit({"a": b"2"}, *([] if appended else [kept]))
        assert await results(writer, first) == [kept if appended else came_with(second, kept)]

    async def test_results_of_a_commit_join_those_that_were_appended(self, writer: Writer) -> None:
        first = await begun(writer)
        await writer.append(result("q", a=b"1"), result("r", error="no"))
        second = await writer.commit({}, result("p", a=b"2"), result("q", a=b"ignored"), result("r", a=b"3"))
        assert await results(writer, first) == [
            came_with(second, result("p", a=b"2")),
            result("q", a=b"1"),
            came_with(second, result("r", a=b"3")),
        ]

    async def test_first_commit_of_a_thread_may_bring_results_that_belong_nowhere(
        self, writer: Writer
    ) -> None:
        await writer.commit({"a": b"1"}, result("p", a=b"1"))
        assert await results(writer) == []

    async def test_error_that_a_commit_brought_is_replaced_by_a_later_result(self, writer: Writer) -> None:
        first = await begun(writer)
        failed = await writer.commit({}, result("p", error="no"), result("q", a=b"1"))
        assert await results(writer, first) == [
            came_with(failed, result("p", error="no")),
            came_with(failed, result("q", a=b"1")),
        ]
        done = await writer.commit({}, result("p", a=b"2"), result("q", a=b"2"), parent=first)
        assert await results(writer, first) == [
            came_with(done, result("p", a=b"2")),
            came_with(failed, result("q", a=b"1")),
        ]

    async def test_of_several_branches_the_first_to_bring_a_result_is_its_child(self, writer: Writer) -> None:
        first = await begun(writer)
        branches = [
            await writer.commit({}, result("p", a=b"%d" % n), result(f"q{n}"), parent=first) for n in range(3)
        ]
        assert await results(writer, first) == [
            came_with(branches[0], result("p", a=b"0")),
            *(came_with(branch, result(f"q{n}")) for n, branch in enumerate(branches)),
        ]

    async def test_results_of_a_branch_do_not_belong_to_the_head_it_left(self, writer: Writer) -> None:
        first, second = await begun(writer), await writer.commit()
        third = await writer.commit({}, result("p", a=b"1"), parent=first)
        assert await results(writer, first) == [came_with(third, result("p", a=b"1"))]
        assert (await results(writer, second), await results(writer, third)) == ([], [])

    async def test_every_step_of_a_long_thread_has_its_own_results(self, writer: Writer) -> None:
        await begun(writer)
        for n in range(100):
            await writer.commit({}, *([result("p", a=b"%d" % n)] if n % 3 else []), appends={"a": b"part"})
        for n, (parent, child) in enumerate(zip(writer.made, writer.made[1:], strict=False)):
            expected = [came_with(child, result("p", a=b"%d" % n))] if n % 3 else []
            assert await results(writer, parent) == expected
