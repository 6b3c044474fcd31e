"""An encrypted thread, and somebody who can write to the database below it."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from msgspec.structs import replace

from graphrt.checkpoint import ChannelData, Commit, Stored, TaskResult
from graphrt.checkpoint.encrypted import EncryptedSaver, Keys
from graphrt.testing.conformance.records import Writer, result

SECRET = bytes(range(32))
KEYS = Keys({"new": SECRET})

Change = Callable[[Stored], Stored]


class Tampered:
    """A checkpointer between the encryption and the real one: what is read was changed in the meantime."""

    immediate = False

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.change: Change = lambda stored: stored

    async def commit(self, commit: Commit) -> None:
        await self.saver.commit(commit)

    async def append_results(self, *args: Any) -> None:
        await self.saver.append_results(*args)

    async def load(self, *args: Any) -> Stored | None:
        stored = await self.saver.load(*args)
        return None if stored is None else self.change(stored)

    async def history(self, *args: Any, **options: Any) -> AsyncIterator[Stored]:
        async for stored in self.saver.history(*args, **options):
            yield self.change(stored)

    async def adelete_thread(self, thread_id: str) -> None:
        await self.saver.adelete_thread(thread_id)


def encrypted(saver: Any, keys: Keys = KEYS, **options: Any) -> EncryptedSaver:
    return EncryptedSaver(saver, keys, **options)


async def conversation(saver: Any, **fields: Any) -> Writer:
    """A thread with a value that grew, one that was replaced, one that was emptied, and results of every kind."""
    writer = Writer(saver, **fields)
    await writer.commit({"log": b"log 0", "name": b"Ada", "gone": b"soon"}, source="input", step=-1)
    await writer.append(result("a", error="secret failure"), result("b", log=b"written by b"))
    await writer.commit({"name": b"Grace", "gone": None}, result("a", name=None), appends={"log": b"log 1"})
    await writer.commit(
        {}, result("c", log=b"", name=b"small"), appends=[("log", b"log 2"), ("log", b"log 3")]
    )
    await writer.commit({}, appends={"log": b"log 4"}, next=("approve",), metadata={"user": "ada", "n": 2.0})
    await writer.append(result("d", error="secret failure"), result("e", log=b"written by e"))
    return writer


def stored_bytes(pages: Iterable[Stored]) -> Iterable[bytes | str]:
    """All bytes and texts in which values could be hidden."""
    for stored in pages:
        yield from stored.channels.values()
        for parts in stored.appends.values():
            yield from parts
        for one in stored.results:
            yield from (write.data for write in one.writes if write.data is not None)
            yield one.error or ""


# ---- changes


def with_channel(name: str, data: bytes | None) -> Change:
    def change(stored: Stored) -> Stored:
        channels = {key: value for key, value in stored.channels.items() if key != name}
        return replace(stored, channels=channels if data is None else {**channels, name: data})

    return change


def with_parts(name: str, edit: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]) -> Change:
    def change(stored: Stored) -> Stored:
        return replace(stored, appends={**stored.appends, name: edit(stored.appends[name])})

    return change


def with_record(**fields: Any) -> Change:
    return lambda stored: replace(stored, checkpoint=replace(stored.checkpoint, **fields))


def with_result(path: str, edit: Callable[[TaskResult], TaskResult]) -> Change:
    def change(stored: Stored) -> Stored:
        results = [edit(one) if one.path == path else one for one in stored.results]
        return replace(stored, results=tuple(results))

    return change


def with_writes(*edits: Callable[[ChannelData], ChannelData]) -> Callable[[TaskResult], TaskResult]:
    """Each of a result's writes through its own edit; None leaves it out."""

    def change(one: TaskResult) -> TaskResult:
        return replace(one, writes=tuple(edit(write) for edit, write in zip(edits, one.writes, strict=True)))

    return change
