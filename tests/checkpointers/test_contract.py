"""What every checkpointer promises: commits are atomic, compare the head and read back as they were written."""

from typing import Any

import msgspec
import pytest

from graphrt.checkpoint import Checkpointer, Stored
from graphrt.errors import ThreadConflict
from tests.checkpointers.records import Writer, new_id, result

# ---- reading


async def test_saver_is_a_checkpointer(saver: Any) -> None:
    assert isinstance(saver, Checkpointer)
    assert saver.immediate in (True, False)


async def test_thread_that_nobody_wrote_is_none(saver: Any) -> None:
    assert await saver.load("unknown") is None
    assert await saver.load("unknown", "namespace", new_id()) is None


async def test_checkpoint_that_nobody_wrote_is_none(writer: Writer) -> None:
    await writer.commit()
    assert await writer.saver.load(writer.thread, "", new_id()) is None


async def test_newest_checkpoint_is_loaded_by_default(writer: Writer) -> None:
    await writer.commit()
    newest = await writer.commit()
    assert (await writer.load()).checkpoint.id == newest


async def test_older_checkpoint_is_loaded_by_its_id_and_tells_the_head(writer: Writer) -> None:
    older, newest = await writer.commit(), await writer.commit()
    stored = await writer.load(older)
    assert (stored.checkpoint.id, stored.head) == (older, newest)


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "input", "step": -1},
        {"source": "fork", "step": 12_345, "version": 2**40},
        {"source": "update"},
        {"next": ("a", "b"), "ran": ("__start__",)},
        {
            "metadata": {
                "user": "Ådá 'quoted' \"twice\"",
                "n": -3,
                "big": 2**53,
                "half": 0.5,
                "yes": True,
                "": "",
            }
        },
    ],
)
async def test_checkpoint_comes_back_as_it_was(writer: Writer, fields: dict[str, Any]) -> None:
    commit = writer.next(**fields)
    await writer.saver.commit(commit)
    assert (await writer.load()).checkpoint == commit.checkpoint


async def test_metadata_keeps_its_types(writer: Writer) -> None:
    await writer.commit(metadata={"one": 1, "true": True, "float": 1.0})
    stored = (await writer.load()).checkpoint.metadata
    assert {key: type(value) for key, value in stored.items()} == {"one": int, "true": bool, "float": float}


@pytest.mark.parametrize(
    "data", [b"", b"\x00", bytes(range(256)), b"x" * 1_000_000], ids=["empty", "nul", "all", "megabyte"]
)
async def test_bytes_come_back_as_they_were(writer: Writer, data: bytes) -> None:
    await writer.commit({"value": data})
    assert (await writer.load()).channels == {"value": data}


@pytest.mark.parametrize(
    "name", ["a", "join:a+b:c", "branch:to:x", "__pregel_tasks", "ä 'b' \"c\" %s ?", "", "x" * 300]
)
async def test_names_come_back_as_they_were(writer: Writer, name: str) -> None:
    named = Writer(writer.saver, thread=f"thread {name}", namespace=f"namespace {name}")
    await named.commit({name: b"1"}, next=(name,))
    stored = await named.load()
    assert (dict(stored.channels), stored.checkpoint.next) == ({name: b"1"}, (name,))


# ---- what a commit changes


async def test_channels_that_a_step_did_not_change_are_as_before(writer: Writer) -> None:
    await writer.commit({"a": b"1", "b": b"1"})
    await writer.commit({"b": b"2"})
    assert (await writer.load()).channels == {"a": b"1", "b": b"2"}


async def test_channel_that_a_step_emptied_is_gone(writer: Writer) -> None:
    await writer.commit({"a": b"1", "b": b"1"})
    await writer.commit({"a": None, "never": None})
    assert (await writer.load()).channels == {"b": b"1"}


async def test_step_that_changes_nothing_is_a_checkpoint_too(writer: Writer) -> None:
    first = await writer.commit({"a": b"1"})
    second = await writer.commit()
    assert (await writer.load()).channels == {"a": b"1"}
    assert await writer.history() == [second, first]


async def test_older_checkpoints_stay_as_they_were(writer: Writer) -> None:
    first = await writer.commit({"a": b"1", "b": b"1"})
    await writer.commit({"a": b"2", "b": None})
    assert (await writer.load(first)).channels == {"a": b"1", "b": b"1"}


async def test_branch_goes_on_from_its_parent_not_from_the_head(writer: Writer) -> None:
    first = await writer.commit({"a": b"1"})
    trunk = await writer.commit({"a": b"2", "b": b"2"})
    branch = await writer.commit({"c": b"3"}, parent=first, source="fork")
    stored = await writer.load()
    assert (stored.checkpoint.id, stored.checkpoint.parent_id, stored.head) == (branch, first, branch)
    assert stored.channels == {"a": b"1", "c": b"3"}
    assert (await writer.load(trunk)).channels == {"a": b"2", "b": b"2"}


# ---- compare and set


@pytest.fixture
async def stale(writer: Writer) -> Writer:
    """A second writer, who missed the last commit."""
    other = Writer(writer.saver, head=await writer.commit({"a": b"1"}))
    await writer.commit({"a": b"2"}, result("p"))
    return other


async def whole(writer: Writer) -> list[Stored]:
    return [stored async for stored in writer.saver.history(writer.thread)]


async def test_commit_on_a_head_that_has_moved_is_refused(writer: Writer, stale: Writer) -> None:
    with pytest.raises(ThreadConflict) as caught:
        await stale.commit({"a": b"3"})
    conflict = caught.value
    assert (conflict.thread_id, conflict.expected, conflict.current) == ("thread", stale.head, writer.head)


async def test_refused_commit_leaves_nothing_behind(writer: Writer, stale: Writer) -> None:
    before = await whole(writer)
    with pytest.raises(ThreadConflict):
        await stale.commit({"a": b"3", "b": b"3"}, result("q", a=b"3"))
    assert await whole(writer) == before


async def test_writer_goes_on_after_somebody_else_was_refused(writer: Writer, stale: Writer) -> None:
    with pytest.raises(ThreadConflict):
        await stale.commit()
    assert await writer.commit() == (await writer.load()).checkpoint.id


async def test_beginning_a_thread_that_exists_is_refused(writer: Writer) -> None:
    head = await writer.commit()
    with pytest.raises(ThreadConflict) as caught:
        await Writer(writer.saver).commit()
    assert (caught.value.expected, caught.value.current) == (None, head)


async def test_going_on_with_a_thread_that_does_not_exist_is_refused(saver: Any) -> None:
    gone = new_id()
    with pytest.raises(ThreadConflict) as caught:
        await Writer(saver, head=gone).commit()
    assert (caught.value.expected, caught.value.current) == (gone, None)
    assert await saver.load("thread") is None


async def test_checkpoint_of_an_unknown_head_is_refused_though_its_parent_is_the_head(writer: Writer) -> None:
    first = await writer.commit()
    commit = msgspec.structs.replace(writer.next(), head=new_id())
    assert commit.checkpoint.parent_id == first
    with pytest.raises(ThreadConflict):
        await writer.saver.commit(commit)


async def test_changing_what_was_read_does_not_change_the_thread(writer: Writer) -> None:
    await writer.commit({"a": b"1"})
    read: Any = (await writer.load()).channels
    read["b"] = b"2"
    assert (await writer.load()).channels == {"a": b"1"}
