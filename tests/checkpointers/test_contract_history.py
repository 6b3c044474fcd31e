"""A thread's history, its namespaces, and how it is forgotten."""

from contextlib import aclosing
from typing import Any

import pytest

from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer, new_id, result


@pytest.fixture
async def old(writer: Writer) -> Writer:
    """A thread of six checkpoints: an input and two steps, twice."""
    for turn in range(2):
        await writer.commit(
            {"turn": b"%d" % turn}, source="input", step=3 * turn - 1, metadata={"user": f"u{turn}"}
        )
        await writer.commit({"n": b"0"}, step=3 * turn, metadata={"user": f"u{turn}", "tag": True})
        await writer.commit({"n": b"1"}, step=3 * turn + 1, metadata={"user": f"u{turn}", "score": 0.5})
    return writer


def picked(old: Writer, *numbers: int) -> list[str]:
    return [old.made[number] for number in numbers]


async def test_history_of_an_unknown_thread_is_empty(writer: Writer) -> None:
    assert await writer.history() == []
    assert await writer.history(filter={"source": "input"}, before=new_id(), limit=3) == []


async def test_history_is_newest_first(old: Writer) -> None:
    assert await old.history() == picked(old, 5, 4, 3, 2, 1, 0)


async def test_history_gives_every_checkpoint_whole(old: Writer) -> None:
    await old.append(result("p", a=b"1"))
    shown = [stored async for stored in old.saver.history(old.thread)]
    assert shown == [await old.load(identity) for identity in reversed(old.made)]
    assert shown[0].results and shown[0].channels == {"turn": b"1", "n": b"1"}


@pytest.mark.parametrize(
    "filter, numbers",
    [
        (None, [5, 4, 3, 2, 1, 0]),
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"source": "input"}, [3, 0]),
        ({"step": 1}, [2]),
        ({"step": -1, "source": "input"}, [0]),
        ({"user": "u0"}, [2, 1, 0]),
        ({"user": "u1", "source": "loop"}, [5, 4]),
        ({"tag": True}, [4, 1]),
        ({"score": 0.5}, [5, 2]),
        ({"user": "u2"}, []),
        ({"unknown": 1}, []),
        ({"unknown": None}, []),
        ({"user": "u%"}, []),
    ],
)
async def test_filter_picks_by_metadata_source_and_step(
    old: Writer, filter: dict[str, Any] | None, numbers: list[int]
) -> None:
    assert await old.history(filter=filter) == picked(old, *numbers)


@pytest.mark.parametrize("number, numbers", [(0, []), (2, [1, 0]), (5, [4, 3, 2, 1, 0])])
async def test_before_picks_what_is_older(old: Writer, number: int, numbers: list[int]) -> None:
    assert await old.history(before=old.made[number]) == picked(old, *numbers)


async def test_before_need_not_be_a_checkpoint_of_the_thread(old: Writer) -> None:
    between = new_id()
    last = await old.commit()
    assert await old.history(before=between) == picked(old, 5, 4, 3, 2, 1, 0)
    assert await old.history(before=last) == await old.history(before=between)


@pytest.mark.parametrize("limit, numbers", [(0, []), (1, [5]), (4, [5, 4, 3, 2]), (100, [5, 4, 3, 2, 1, 0])])
async def test_limit_picks_the_newest(old: Writer, limit: int, numbers: list[int]) -> None:
    assert await old.history(limit=limit) == picked(old, *numbers)


async def test_limit_counts_what_filter_and_before_let_through(old: Writer) -> None:
    assert await old.history(filter={"source": "loop"}, before=old.made[5], limit=2) == picked(old, 4, 2)


async def test_history_has_all_branches(old: Writer) -> None:
    branch = await old.commit(parent=old.made[1], source="fork")
    assert await old.history() == [branch, *picked(old, 5, 4, 3, 2, 1, 0)]


async def test_history_can_be_left_early(old: Writer) -> None:
    async with aclosing(old.saver.history(old.thread)) as shown:
        async for stored in shown:
            assert stored.checkpoint.id == old.made[5]
            break
    assert await old.commit()


async def test_history_goes_on_while_the_thread_does(old: Writer) -> None:
    before = list(old.made)
    seen: list[str] = []
    async for stored in old.saver.history(old.thread):
        seen.append(stored.checkpoint.id)
        if len(seen) < 3:
            await old.commit()
    assert [identity for identity in seen if identity in before] == before[::-1]


# ---- namespaces


@pytest.fixture
async def inner(old: Writer) -> Writer:
    """A namespace of the same thread."""
    other = Writer(old.saver, namespace="node:1")
    await other.commit({"n": b"inner"})
    return other


async def test_namespaces_have_heads_of_their_own(old: Writer, inner: Writer) -> None:
    assert (await old.load()).head == old.head
    assert (await inner.load()).head == inner.head
    await old.commit()
    await inner.commit()


async def test_namespaces_do_not_see_each_others_checkpoints(old: Writer, inner: Writer) -> None:
    assert await inner.history() == inner.made
    assert await inner.saver.load(inner.thread, inner.namespace, old.head) is None
    assert (await inner.load()).channels == {"n": b"inner"}


async def test_namespaces_do_not_see_each_others_results(old: Writer, inner: Writer) -> None:
    await inner.append(result("p"))
    assert (await old.load()).results == ()


async def test_similar_names_are_different_threads(old: Writer) -> None:
    for thread, namespace in [
        ("Thread", ""),
        ("thread ", ""),
        ("thread%", ""),
        ("threa", "d"),
        ("", "thread"),
    ]:
        assert await old.saver.load(thread, namespace) is None
        assert await Writer(old.saver, thread, namespace).commit()


# ---- forgetting


async def test_deleted_thread_is_gone_in_all_namespaces(old: Writer, inner: Writer) -> None:
    await old.append(result("p"))
    await old.saver.adelete_thread(old.thread)
    assert await old.saver.load(old.thread) is None
    assert await old.saver.load(old.thread, inner.namespace) is None
    assert await old.saver.load(old.thread, "", old.made[0]) is None
    assert await old.history() == []


async def test_deleting_leaves_other_threads_alone(old: Writer) -> None:
    other = Writer(old.saver, "thread 2")
    await other.commit({"n": b"1"})
    await old.saver.adelete_thread(old.thread)
    assert (await other.load()).channels == {"n": b"1"}


async def test_deleting_an_unknown_thread_is_no_error(writer: Writer) -> None:
    await writer.saver.adelete_thread("unknown")


async def test_deleted_thread_can_begin_again(old: Writer) -> None:
    await old.saver.adelete_thread(old.thread)
    again = Writer(old.saver)
    await again.commit({"new": b"1"})
    assert await again.history() == again.made
    assert (await again.load()).channels == {"new": b"1"}


async def test_writer_of_a_deleted_thread_is_refused(old: Writer) -> None:
    await old.saver.adelete_thread(old.thread)
    with pytest.raises(ThreadConflict):
        await old.commit()
    with pytest.raises(ThreadConflict):
        await old.append(result("p"))
    assert await old.history() == []
