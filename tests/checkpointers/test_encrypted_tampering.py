"""What somebody who can write to the database cannot do: every change to what was committed is refused on reading."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from graphrt.checkpoint import ChannelData, Stored, TaskResult
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import DecryptionError
from graphrt.testing.conformance.records import Writer, result
from tests.checkpointers.encrypted_world import (
    Change,
    Tampered,
    conversation,
    encrypted,
    with_channel,
    with_parts,
    with_record,
    with_result,
    with_writes,
)

Check = Callable[[Change], Any]


@pytest.fixture
def database() -> Tampered:
    """It is the same whatever the database is; `tests/hostile` changes the files of one."""
    return Tampered(InMemorySaver())


@pytest.fixture
async def writer(database: Tampered) -> Writer:
    return await conversation(encrypted(database))


async def refused(writer: Writer, database: Tampered, change: Change, identity: str | None = None) -> None:
    """A checkpoint, the newest one by default, is not read once it was changed, and neither is the history."""
    checkpoint = identity or writer.head
    database.change = lambda stored: change(stored) if stored.checkpoint.id == checkpoint else stored
    reader = Writer(encrypted(database), writer.thread)
    with pytest.raises(DecryptionError):
        await reader.load(identity)
    with pytest.raises(DecryptionError):
        await reader.stored()


async def below(writer: Writer, identity: str | None = None, database: Any = None) -> Stored:
    """A checkpoint as it lies in the database."""
    stored = await database.saver.load(writer.thread, writer.namespace, identity)
    assert stored is not None
    return stored


async def test_untouched_thread_is_read(writer: Writer, database: Tampered) -> None:
    database.change = with_record()
    reader = Writer(encrypted(database), writer.thread)
    assert len(await reader.stored()) == 4
    assert (await reader.load()).channels["name"] == b"Grace"


# ---- bytes


async def test_every_byte_of_a_value_counts(writer: Writer, database: Tampered) -> None:
    data = (await below(writer, database=database)).channels["name"]
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        await refused(writer, database, with_channel("name", changed))


@pytest.mark.parametrize("cell", [None, 7, 1.5, "text", [], bytearray(b"x"), True])
async def test_cell_that_holds_no_bytes(writer: Writer, database: Tampered, cell: Any) -> None:
    def in_result(one: TaskResult) -> TaskResult:
        return replace(one, writes=(*one.writes[:-1], ChannelData("__sealed", cell)))

    await refused(writer, database, with_parts("log", lambda parts: (*parts[:-1], cell)))
    await refused(writer, database, with_result("e", in_result))
    await refused(
        writer, database, lambda stored: replace(stored, channels={**stored.channels, "name": cell})
    )
    with pytest.raises(DecryptionError):
        await Writer(encrypted(database, accept_plaintext=True), writer.thread).load()


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 6, 17, 18, 33, 34])
async def test_value_cut_short(writer: Writer, database: Tampered, length: int) -> None:
    data = (await below(writer, database=database)).channels["name"]
    await refused(writer, database, with_channel("name", data[:length]))


@pytest.mark.parametrize(
    "data", [b"", b"\xa4Eve!", b"\xc1", b"\xc1\x02" + b"x" * 60, b"\xc1\x01\xff" + b"x" * 60, b"\xc1" * 60]
)
async def test_bytes_that_are_no_envelope(writer: Writer, database: Tampered, data: bytes) -> None:
    await refused(writer, database, with_channel("name", data))
    await refused(writer, database, with_parts("log", lambda parts: (*parts[:-1], data)))


async def test_plain_value_is_called_plaintext(writer: Writer, database: Tampered) -> None:
    database.change = with_channel("name", b"\xa4Eve!")
    with pytest.raises(DecryptionError, match=r"'name'.*stored as plaintext"):
        await Writer(encrypted(database), writer.thread).load()


# ---- values in the wrong place


@pytest.mark.parametrize("place", [{"thread": "other"}, {"namespace": "sub"}], ids=["thread", "namespace"])
async def test_value_of_another_thread_or_namespace(
    writer: Writer, database: Tampered, place: dict[str, str]
) -> None:
    other = await conversation(encrypted(database), **{"thread": writer.thread, **place})
    theirs = (await below(other, database=database)).channels
    await refused(writer, database, with_channel("name", theirs["name"]))


async def test_whole_checkpoint_of_another_thread(writer: Writer, database: Tampered) -> None:
    other = await conversation(encrypted(database))
    theirs = await below(other, database=database)
    database.change = lambda stored: theirs if stored.checkpoint.id == writer.head else stored
    with pytest.raises(DecryptionError):
        await Writer(encrypted(database), writer.thread).load()


async def test_value_of_another_channel(writer: Writer, database: Tampered) -> None:
    data = (await below(writer, database=database)).channels
    await refused(writer, database, with_channel("name", data["log"]))
    await refused(writer, database, with_channel("other", data["name"]))


async def test_value_of_an_older_checkpoint(writer: Writer, database: Tampered) -> None:
    older = (await below(writer, writer.made[0], database)).channels["name"]
    await refused(writer, database, with_channel("name", older))


async def test_value_of_a_newer_checkpoint(writer: Writer, database: Tampered) -> None:
    newer = (await below(writer, database=database)).channels["name"]
    await refused(writer, database, with_channel("name", newer), writer.made[0])


async def test_channel_that_was_emptied_is_not_put_back(writer: Writer, database: Tampered) -> None:
    gone = (await below(writer, writer.made[0], database)).channels["gone"]
    await refused(writer, database, with_channel("gone", gone))


async def test_channel_cannot_be_taken_away(writer: Writer, database: Tampered) -> None:
    await refused(writer, database, with_channel("name", None))
    await refused(writer, database, with_channel("log", None))


async def test_other_checkpoint_than_the_one_asked_for(writer: Writer, database: Tampered) -> None:
    older = await below(writer, writer.made[0], database)
    database.change = lambda _: older
    with pytest.raises(DecryptionError, match="was asked for"):
        await Writer(encrypted(database), writer.thread).load(writer.made[1])


# ---- parts


@pytest.mark.parametrize(
    "edit",
    [
        lambda parts: parts[:-1],
        lambda parts: parts[1:],
        lambda parts: parts[:1] + parts[2:],
        lambda parts: (*parts, parts[-1]),
        lambda parts: (parts[0], *parts),
        lambda parts: (parts[1], parts[0], *parts[2:]),
        lambda parts: (*parts[:-2], parts[-1], parts[-2]),
        lambda parts: (),
    ],
    ids=["no last", "no first", "no second", "last twice", "first twice", "swapped", "last swapped", "none"],
)
async def test_parts_come_all_and_in_order(writer: Writer, database: Tampered, edit: Any) -> None:
    await refused(writer, database, with_parts("log", edit))


async def test_part_is_no_value_and_value_no_part(writer: Writer, database: Tampered) -> None:
    stored = await below(writer, database=database)
    await refused(writer, database, with_channel("log", stored.appends["log"][0]))
    await refused(writer, database, with_parts("log", lambda parts: (stored.channels["log"], *parts)))


async def test_part_does_not_come_behind_another_branch(writer: Writer, database: Tampered) -> None:
    branch = Writer(encrypted(database), writer.thread, head=writer.head)
    await branch.commit({}, appends={"log": b"branch"}, parent=writer.made[1])
    theirs = (await below(branch, database=database)).appends["log"][-1]
    await refused(branch, database, with_parts("log", lambda parts: (*parts[:-1], theirs)), writer.made[3])


# ---- what is stored in the clear


@pytest.mark.parametrize(
    "fields",
    [
        {"next": ("pay",)},
        {"next": ()},
        {"next": ("approve", "approve")},
        {"ran": ("approve",)},
        {"step": 3},
        {"version": 99},
        {"source": "update"},
        {"parent_id": "1ef00000-0000-6000-8000-000000000000"},
        {"id": "1ef00000-0000-6000-8000-000000000000"},
    ],
    ids=str,
)
async def test_record_of_a_checkpoint(writer: Writer, database: Tampered, fields: dict[str, Any]) -> None:
    await refused(writer, database, with_record(**fields))


@pytest.mark.parametrize(
    "edit",
    [
        lambda metadata: {},
        lambda metadata: {**metadata, "user": "eve"},
        lambda metadata: {**metadata, "more": 1},
        lambda metadata: {**metadata, "n": "2"},
        lambda metadata: {**metadata, "n": True},
        lambda metadata: {key: value for key, value in metadata.items() if key != "user"},
        lambda metadata: {**metadata, "__sealed": ""},
        lambda metadata: {**metadata, "__sealed": "not base64!"},
        lambda metadata: {**metadata, "__sealed": None},
        lambda metadata: {**metadata, "__sealed": 7},
        lambda metadata: {**metadata, "__sealed": metadata["__sealed"][:-8] + "AAAAAAA="},
    ],
)
async def test_metadata(writer: Writer, database: Tampered, edit: Any) -> None:
    def change(stored: Stored) -> Stored:
        record = stored.checkpoint
        return replace(stored, checkpoint=replace(record, metadata=edit(record.metadata)))

    await refused(writer, database, change)


async def test_seal_of_another_checkpoint(writer: Writer, database: Tampered) -> None:
    theirs = (await below(writer, writer.made[2], database)).checkpoint.metadata["__sealed"]
    metadata = {"user": "ada", "n": 2.0, "__sealed": theirs}
    await refused(writer, database, with_record(metadata=metadata))


async def test_numbers_may_come_back_as_a_database_keeps_them(writer: Writer, database: Tampered) -> None:
    stored = await below(writer, database=database)
    database.change = with_record(metadata=dict(sorted({**stored.checkpoint.metadata, "n": 2}.items())))
    assert (await Writer(encrypted(database), writer.thread).load()).checkpoint.metadata == {
        "n": 2,
        "user": "ada",
    }


async def test_parent_may_be_forgotten(writer: Writer, database: Tampered) -> None:
    database.change = with_record(parent_id=None)
    stored = await Writer(encrypted(database), writer.thread).load()
    assert stored.checkpoint.parent_id is None


# ---- results of tasks


def same(write: ChannelData) -> ChannelData:
    return write


def with_error(error: str | None) -> Callable[[TaskResult], TaskResult]:
    return lambda one: replace(one, error=error)


@pytest.mark.parametrize(
    "edit",
    [
        with_writes(same, lambda write: ChannelData("name", write.data)),
        with_writes(lambda write: ChannelData("name", write.data), same),
        with_writes(lambda write: ChannelData(write.channel, None), same),
        with_writes(lambda write: ChannelData(write.channel, b""), same),
        with_writes(same, lambda write: ChannelData(write.channel, b"\xa4Eve!")),
        with_writes(same, lambda write: ChannelData(write.channel, None)),
        lambda one: replace(one, writes=one.writes[1:]),
        lambda one: replace(one, writes=one.writes[:1]),
        lambda one: replace(one, writes=()),
        lambda one: replace(one, writes=(one.writes[0], *one.writes)),
        lambda one: TaskResult(one.path, one.node, (ChannelData("log", b"\xa4Eve!"),)),
        lambda one: replace(one, node="f"),
        lambda one: replace(one, path="f"),
        with_error(""),
        with_error("failed"),
    ],
)
async def test_result(writer: Writer, database: Tampered, edit: Any) -> None:
    await refused(writer, database, with_result("e", edit))


@pytest.mark.parametrize("edit", [with_error(None), lambda one: replace(one, writes=())])
async def test_error(writer: Writer, database: Tampered, edit: Any) -> None:
    await refused(writer, database, with_result("d", edit))


@pytest.mark.parametrize(
    "edit",
    [
        with_writes(lambda write: ChannelData(write.channel, None), same, same),
        with_writes(lambda write: ChannelData("other", write.data), same, same),
        with_writes(lambda write: ChannelData(write.channel, b"\xc1"), same, same),
        lambda one: replace(one, child=None),
        lambda one: replace(one, child="1ef00000-0000-6000-8000-000000000000"),
    ],
)
async def test_reference(writer: Writer, database: Tampered, edit: Any) -> None:
    await refused(writer, database, with_result("c", edit), writer.made[1])


async def test_result_of_another_checkpoint(writer: Writer, database: Tampered) -> None:
    await writer.commit({})
    await writer.append(result("e", log=b"another e"))
    theirs = next(one for one in (await below(writer, database=database)).results if one.path == "e")
    await refused(writer, database, with_result("e", lambda _: theirs), writer.made[3])


async def test_result_of_another_task(writer: Writer, database: Tampered) -> None:
    await writer.append(result("f", log=b"written by f"))
    theirs = next(one for one in (await below(writer, database=database)).results if one.path == "f")
    await refused(writer, database, with_result("e", lambda one: replace(one, writes=theirs.writes)))


# ---- where plaintext is accepted


async def test_encrypted_checkpoint_cannot_lose_its_seal_where_plaintext_is_accepted(
    writer: Writer, database: Tampered
) -> None:
    database.change = with_record(metadata={"user": "ada", "n": 2.0})
    with pytest.raises(DecryptionError):
        await Writer(encrypted(database, accept_plaintext=True), writer.thread).load()


async def test_encrypted_checkpoint_takes_no_plain_value_where_plaintext_is_accepted(
    writer: Writer, database: Tampered
) -> None:
    database.change = with_channel("name", b"Eve")
    with pytest.raises(DecryptionError):
        await Writer(encrypted(database, accept_plaintext=True), writer.thread).load()


async def test_plain_value_behind_which_encryption_began_cannot_be_changed(database: Tampered) -> None:
    plain = Writer(database)
    await plain.commit({"log": b"0", "name": b"Ada"})
    await plain.commit({}, appends={"log": b"1"})
    moving = encrypted(database, accept_plaintext=True)
    await Writer(moving, plain.thread, head=plain.head).commit({}, appends={"log": b"2"})
    for change in (
        with_channel("name", b"Eve"),
        with_channel("log", b"!"),
        with_parts("log", lambda parts: (b"!", parts[1])),
    ):
        database.change = change
        with pytest.raises(DecryptionError):
            await moving.load(plain.thread)


# ---- writing


async def test_nothing_is_committed_on_a_parent_that_was_changed(writer: Writer, database: Tampered) -> None:
    database.change = with_channel("name", None)
    with pytest.raises(DecryptionError):
        await Writer(encrypted(database), writer.thread, head=writer.head).commit({"name": b"Joan"})
    database.change = lambda stored: stored
    assert (await writer.load()).checkpoint.id == writer.head
