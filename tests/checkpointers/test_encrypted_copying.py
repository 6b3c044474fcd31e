"""A thread is copied by committing it again: within an encrypted saver, into one, or from one key to another."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from graphrt.checkpoint import CHILDREN, CopiesThreads, Stored, ThreadInfo
from graphrt.checkpoint.encrypted import EncryptedSaver, Keys, copy_thread
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import ThreadConflict
from graphrt.serde import Serializer
from graphrt.testing.conformance.records import Writer, result
from tests.checkpointers.encrypted_world import KEYS, Tampered, conversation, encrypted

dumps, loads = Serializer().dumps, Serializer().loads


class Listing(Tampered):
    """Any checkpointer, with a list of its threads."""

    immediate = False

    def __init__(self, saver: Any) -> None:
        super().__init__(saver)
        self.places: dict[tuple[str, str], str] = {}

    async def commit(self, commit: Any) -> None:
        await super().commit(commit)
        self.places[commit.thread_id, commit.namespace] = commit.checkpoint.id

    async def adelete_thread(self, thread_id: str) -> None:
        await super().adelete_thread(thread_id)
        self.places = {place: head for place, head in self.places.items() if place[0] != thread_id}

    async def athreads(
        self, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        found = sorted({thread for thread, _ in self.places if thread.startswith(prefix)})
        for thread in found[:limit]:
            namespaces = tuple(sorted(space for name, space in self.places if name == thread))
            yield ThreadInfo(thread, namespaces, 0, self.places.get((thread, "")), None)


@pytest.fixture
def listing(saver: Any) -> Listing:
    return Listing(saver)


@pytest.fixture
def copier(listing: Listing) -> Any:
    opened = encrypted(listing)
    assert isinstance(opened, CopiesThreads)
    return opened


async def pages(saver: Any, thread: str, namespace: str = "") -> list[Stored]:
    return [stored async for stored in saver.history(thread, namespace)]


async def test_copy_is_what_the_thread_is(copier: Any) -> None:
    writer = await conversation(copier, thread="a")
    assert await copier.acopy_thread("a", "b") == 4
    assert await pages(copier, "b") == await writer.stored()


async def test_copy_and_original_go_their_own_ways(copier: Any) -> None:
    writer = await conversation(copier, thread="a")
    await copier.acopy_thread("a", "b")
    other = Writer(copier, "b", head=writer.head)
    await other.commit({"name": b"Joan"}, appends={"log": b"log b"})
    assert (await writer.load()).channels["name"] == b"Grace"
    assert (await other.held())["log"][-1] == b"log b"


async def test_forks_stay_forks(copier: Any) -> None:
    writer = await conversation(copier, thread="a")
    for parent in (writer.made[1], writer.made[0], writer.made[1]):
        await writer.commit(
            {"name": b"fork"}, result("x", name=None), appends={"log": b"fork"}, parent=parent
        )
        await writer.commit({}, appends={"log": b"on"})
    await copier.acopy_thread("a", "b")
    assert await pages(copier, "b") == await writer.stored()


async def test_subgraphs_are_copied_too(copier: Any) -> None:
    await conversation(copier, thread="a")
    inner = await conversation(copier, thread="a", namespace="sub:1")
    assert await copier.acopy_thread("a", "b") == 8
    assert await pages(copier, "b", "sub:1") == await inner.stored()


async def test_copy_takes_the_space_of_what_changed(copier: Any, listing: Listing) -> None:
    writer = Writer(copier, "a")
    await writer.commit({"log": b"0", "still": b"x" * 1000})
    for n in range(1, 50):
        await writer.commit({}, appends={"log": b"%d" % n})
    sizes: list[int] = []
    commit = listing.saver.commit

    async def weighed(one: Any) -> None:
        sizes.append(sum(len(item.data or b"") for item in (*one.channels, *one.appends)))
        await commit(one)

    listing.saver.commit = weighed
    await copier.acopy_thread("a", "b")
    assert sizes[0] > 1000 > 100 > max(sizes[1:])


async def test_unknown_thread_is_no_error(copier: Any) -> None:
    await conversation(copier, thread="abc")
    assert await copier.acopy_thread("ab", "b") == 0
    assert await copier.load("b") is None


async def test_thread_that_exists_is_not_written_to(copier: Any) -> None:
    await conversation(copier, thread="a")
    there = await conversation(copier, thread="b")
    with pytest.raises(ThreadConflict, match="exists"):
        await copier.acopy_thread("a", "b")
    assert len(await there.stored()) == 4


@pytest.mark.parametrize("error", [OSError("disk full"), asyncio.CancelledError()])
async def test_copy_that_fails_leaves_nothing(copier: Any, listing: Listing, error: BaseException) -> None:
    await conversation(copier, thread="a")
    commit, calls = listing.saver.commit, []

    async def failing(one: Any) -> None:
        calls.append(one)
        if len(calls) == 3:
            raise error
        await commit(one)

    listing.saver.commit = failing
    with pytest.raises(type(error)):
        await copier.acopy_thread("a", "b")
    assert await copier.load("b") is None


async def test_checkpoints_whose_parents_were_forgotten_are_copied_whole(
    copier: Any, listing: Listing
) -> None:
    writer = await conversation(copier, thread="a")
    forgotten = writer.made[:2]

    class Forgetful(Listing):
        async def history(self, *args: Any, **options: Any) -> AsyncIterator[Stored]:
            async for stored in super().history(*args, **options):
                if stored.checkpoint.id not in forgotten:
                    yield stored

    source = Forgetful(copier)
    source.places = listing.places
    target = encrypted(InMemorySaver())
    assert await copy_thread(source, target, "a", "a") == 2
    newest, oldest = await pages(target, "a")
    assert newest == await writer.load()
    expected = await writer.load(writer.made[2])
    assert oldest == replace(expected, checkpoint=replace(expected.checkpoint, parent_id=None))


async def test_plain_database_moves_into_an_encrypted_one(listing: Listing) -> None:
    plain = await conversation(listing)
    target = EncryptedSaver(InMemorySaver(), KEYS)
    assert await copy_thread(listing, target, plain.thread, plain.thread) == 4
    assert await pages(target, plain.thread) == await plain.stored()


async def test_database_moves_to_another_key(copier: Any) -> None:
    writer = await conversation(copier, thread="a")
    other = EncryptedSaver(InMemorySaver(), Keys({"other": b"o" * 32}))
    await copy_thread(copier, other, "a", "a")
    assert await pages(other, "a") == await writer.stored()


async def test_source_that_cannot_list_its_threads_is_refused(saver: Any) -> None:
    with pytest.raises(TypeError, match="does not list threads"):
        await copy_thread(Tampered(saver), encrypted(saver), "a", "b")


class Advancing(Listing):
    """While one namespace is read, a run goes on in all of them."""

    def __init__(self, saver: Any) -> None:
        super().__init__(saver)
        self.going_on: Any = None

    async def history(self, *args: Any, **options: Any) -> AsyncIterator[Stored]:
        going_on, self.going_on = self.going_on, None
        async for stored in super().history(*args, **options):
            yield stored
        if going_on is not None:
            await going_on()


async def test_what_a_copied_checkpoint_names_was_copied_too(saver: Any) -> None:
    advancing = Advancing(saver)
    opened = encrypted(advancing)
    root = Writer(opened)
    child = Writer(opened, root.thread, "child")

    async def turn() -> None:
        await root.commit({CHILDREN: dumps({"child": await child.commit({"n": b"1"})})})

    await turn()
    advancing.going_on = turn
    await copy_thread(opened, opened, root.thread, "copy")
    assert (len(root.made), len(child.made)) == (2, 2)
    for stored in await pages(opened, "copy"):
        named = loads(stored.channels[CHILDREN])["child"]
        assert await opened.load("copy", "child", named) is not None
