"""Results of tasks, kept before their step is committed: added once, sorted, and only to the thread's head."""

import pytest

from graphrt.checkpoint import TaskResult
from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer, new_id, result


@pytest.fixture
async def begun(writer: Writer) -> Writer:
    """A thread with one checkpoint."""
    await writer.commit({"a": b"1"}, next=("p", "q"))
    return writer


async def results(writer: Writer, identity: str | None = None) -> list[TaskResult]:
    return list((await writer.load(identity)).results)


async def test_new_checkpoint_has_no_results(begun: Writer) -> None:
    assert await results(begun) == []


async def test_results_come_back_as_they_were(begun: Writer) -> None:
    kept = [
        result("pull p", a=b"\x00\xff", b=b""),
        result("pull q", error="ValueError('no')"),
        result("pull r"),
        TaskResult("", "", result("x", a=b"1").writes),
    ]
    await begun.append(*kept)
    assert await results(begun) == sorted(kept, key=lambda r: r.path)


async def test_results_are_sorted_by_path_however_they_came(begun: Writer) -> None:
    for path in ("~push, 2", "~pull, b", "~push, 10", "~pull, a"):
        await begun.append(result(path))
    assert [r.path for r in await results(begun)] == ["~pull, a", "~pull, b", "~push, 10", "~push, 2"]


async def test_result_that_is_there_stays(begun: Writer) -> None:
    await begun.append(result("p", a=b"first"))
    await begun.append(result("p", a=b"second"), result("p", error="third"))
    assert await results(begun) == [result("p", a=b"first")]


async def test_result_replaces_an_error(begun: Writer) -> None:
    await begun.append(result("p", error="ValueError()"))
    await begun.append(result("p", a=b"1"))
    assert await results(begun) == [result("p", a=b"1")]


async def test_newer_error_replaces_an_older_one(begun: Writer) -> None:
    await begun.append(result("p", error="first"))
    await begun.append(result("p", error="second"))
    assert await results(begun) == [result("p", error="second")]


async def test_writes_keep_their_order_and_may_repeat_a_channel(begun: Writer) -> None:
    kept = TaskResult("p", "p", (*result("p", b=b"1", a=b"2").writes, *result("p", b=b"3").writes))
    await begun.append(kept)
    assert await results(begun) == [kept]


async def test_appending_nothing_is_fine(begun: Writer) -> None:
    await begun.append()
    assert await results(begun) == []


async def test_appending_changes_neither_head_nor_channels(begun: Writer) -> None:
    before = await begun.load()
    await begun.append(result("p", a=b"2"))
    after = await begun.load()
    assert (after.checkpoint, after.channels, after.head) == (before.checkpoint, before.channels, before.head)


# ---- to whom they belong


async def test_results_of_a_commit_belong_to_the_checkpoint_its_step_began_with(begun: Writer) -> None:
    first = begun.head
    second = await begun.commit({"a": b"2"}, result("p", a=b"2"))
    assert await results(begun, first) == [result("p", a=b"2")]
    assert await results(begun, second) == []


async def test_results_of_a_commit_join_those_that_were_appended(begun: Writer) -> None:
    first = begun.head
    await begun.append(result("q", a=b"1"), result("r", error="no"))
    await begun.commit({}, result("p", a=b"2"), result("q", a=b"ignored"), result("r", a=b"3"))
    assert await results(begun, first) == [result("p", a=b"2"), result("q", a=b"1"), result("r", a=b"3")]


async def test_results_of_a_branch_belong_to_its_parent(begun: Writer) -> None:
    first, second = begun.head, await begun.commit()
    await begun.commit({}, result("p", a=b"1"), parent=first)
    assert (await results(begun, first), await results(begun, second)) == ([result("p", a=b"1")], [])


async def test_results_of_older_checkpoints_are_still_there(begun: Writer) -> None:
    first = begun.head
    await begun.append(result("p", a=b"1"))
    for _ in range(3):
        await begun.commit()
    assert await results(begun, first) == [result("p", a=b"1")]


# ---- only to the head


async def test_appending_to_a_checkpoint_that_is_not_the_head_is_refused(begun: Writer) -> None:
    first, second = begun.head, await begun.commit()
    with pytest.raises(ThreadConflict) as caught:
        await begun.append(result("p"), to=first)
    assert (caught.value.thread_id, caught.value.expected, caught.value.current) == ("thread", first, second)
    assert await results(begun, first) == []


async def test_appending_to_a_thread_that_does_not_exist_is_refused(writer: Writer) -> None:
    gone = new_id()
    with pytest.raises(ThreadConflict) as caught:
        await writer.append(result("p"), to=gone)
    assert (caught.value.expected, caught.value.current) == (gone, None)
    assert await writer.saver.load(writer.thread) is None


async def test_appending_to_the_head_of_another_namespace_is_refused(begun: Writer) -> None:
    with pytest.raises(ThreadConflict):
        await Writer(begun.saver, namespace="inner").append(result("p"), to=begun.head)
    assert await results(begun) == []
