"""An encrypted checkpointer is one like the others, on every backend, and leaves nothing readable behind."""

import operator
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from graphrt import START, StateGraph
from graphrt.checkpoint import (
    CHILDREN,
    PARENTS,
    Checkpointer,
    CopiesThreads,
    ForgetsRuns,
    ListsThreads,
    Measures,
    Migrates,
    Prunes,
    Reclaims,
)
from graphrt.checkpoint.encrypted import EncryptedSaver, Keys
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import DecryptionError, DeserializationError, GraphValidationError
from graphrt.serde import Serializer
from graphrt.testing.conformance import CheckpointerConformance
from graphrt.testing.conformance.records import Writer, result
from tests.checkpointers.encrypted_world import Tampered, conversation, encrypted, stored_bytes, with_channel
from tests.conftest import SAVERS


class TestContract(CheckpointerConformance):
    """On two of them, for time's sake; the tests below run on all."""

    @pytest.fixture(params=["memory", "sqlite"])
    async def saver(self, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
        async with SAVERS[request.param](tmp_path) as inner:
            yield encrypted(inner)


# ---- what is below


async def test_nothing_that_was_stored_can_be_read(saver: Any) -> None:
    writer = await conversation(encrypted(saver))
    pages = [stored async for stored in saver.history(writer.thread)]
    for data in stored_bytes(pages):
        text = data.encode() if isinstance(data, str) else data
        assert not any(word in text for word in (b"log", b"Ada", b"Grace", b"small", b"written", b"secret"))


async def test_values_are_envelopes_and_references_stay(saver: Any) -> None:
    writer = await conversation(encrypted(saver))
    stored = await saver.load(writer.thread, "", writer.made[1])
    assert {data[:1] for data in (*stored.channels.values(), *stored.appends["log"])} == {b"\xc1"}
    (brought,) = stored.results
    assert [(write.channel, write.data) for write in brought.writes[:-1]] == [("log", b""), ("name", b"\xc1")]


async def test_notes_about_graphs_inside_can_be_read_and_not_be_changed(saver: Any) -> None:
    tampered = Tampered(saver)
    opened = encrypted(tampered)
    writer = Writer(opened)
    child = Serializer().dumps({"child": "an id"})
    await writer.commit({CHILDREN: child, PARENTS: b"\x80", "a": b"1"})
    await writer.commit({CHILDREN: Serializer().dumps({"child": "another"})})
    stored = await saver.load(writer.thread, "", writer.made[0])
    assert (stored.channels[CHILDREN], stored.channels[PARENTS]) == (child, b"\x80")
    assert (await Writer(encrypted(saver), writer.thread).load()).channels[PARENTS] == b"\x80"
    for name in (CHILDREN, PARENTS):
        for data in (child, b"\xc1", None):
            tampered.change = with_channel(name, data)
            with pytest.raises(DecryptionError):
                await opened.load(writer.thread)


async def test_same_value_is_never_stored_as_the_same_bytes(saver: Any) -> None:
    writer = Writer(encrypted(saver))
    await writer.commit({"a": b"same", "b": b"same"})
    stored = await saver.load(writer.thread)
    assert stored.channels["a"] != stored.channels["b"]


async def test_values_are_as_they_were_when_read_in_another_process(saver: Any) -> None:
    writer = await conversation(encrypted(saver))
    other = await conversation(saver)
    mine = await Writer(encrypted(saver), writer.thread).stored()
    plain = await other.stored()
    assert [(s.channels, s.appends) for s in mine] == [(s.channels, s.appends) for s in plain]
    assert [s.checkpoint.metadata for s in mine] == [s.checkpoint.metadata for s in plain]
    assert [[(r.path, r.writes, r.error) for r in s.results] for s in mine] == [
        [(r.path, r.writes, r.error) for r in s.results] for s in plain
    ]


async def test_metadata_can_still_be_searched(saver: Any) -> None:
    writer = await conversation(encrypted(saver))
    assert await writer.history(filter={"user": "ada"}) == writer.made[-1:]


async def test_serde_without_the_key_refuses_envelopes(saver: Any) -> None:
    from graphrt.serde import Serializer

    writer = await conversation(encrypted(saver))
    with pytest.raises(DeserializationError):
        Serializer().loads((await saver.load(writer.thread)).channels["log"])


class Log(TypedDict):
    turn: int
    log: Annotated[list[str], operator.add]


async def grow(state: Log) -> dict[str, Any]:
    return {"log": [f"turn {state['turn']}" * 20]}


async def test_graph_runs_on_it_and_goes_on_in_another_process(saver: Any) -> None:
    builder = StateGraph(Log).add_node(grow).add_edge(START, "grow")
    config: Any = {"configurable": {"thread_id": "t"}}
    for turn in range(1, 4):
        graph = builder.compile(checkpointer=encrypted(saver))
        done = await graph.ainvoke({"turn": turn}, config)
        assert len(done["log"]) == turn
    assert len((await saver.load("t")).appends["log"]) == 2


# ---- what it can do besides


class Able(InMemorySaver):
    """A checkpointer that claims all abilities."""

    calls: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.calls = []

    async def adelete_for_runs(self, run_ids: Any) -> int:
        self.calls.append("adelete_for_runs")
        return 0

    async def aprune(self, thread_ids: Any = None, **options: Any) -> Any:
        self.calls.append("aprune")

    async def astats(self) -> Any:
        self.calls.append("astats")

    async def areclaim(self) -> int:
        self.calls.append("areclaim")
        return 0

    async def setup(self) -> None:
        self.calls.append("setup")

    def migrations(self) -> str:
        return "create"


ABILITIES = (CopiesThreads, ForgetsRuns, ListsThreads, Measures, Migrates, Prunes, Reclaims)


async def test_abilities_are_those_of_the_other_checkpointer(saver: Any) -> None:
    offered = [ability for ability in ABILITIES if isinstance(encrypted(saver), ability)]
    expected = [ability for ability in ABILITIES if isinstance(saver, ability)]
    assert set(offered) - {CopiesThreads} == set(expected) - {CopiesThreads}
    assert (CopiesThreads in offered) == (ListsThreads in expected)


async def test_third_partys_checkpointer_needs_no_abilities() -> None:
    saver = encrypted(Tampered(InMemorySaver()))
    assert isinstance(saver, Checkpointer)
    assert not any(isinstance(saver, ability) for ability in ABILITIES)


async def test_abilities_are_passed_on() -> None:
    able = Able()
    saver: Any = encrypted(able)
    await saver.adelete_for_runs(["r"])
    await saver.aprune(keep_last=3)
    await saver.astats()
    await saver.areclaim()
    await saver.setup()
    assert able.calls == ["adelete_for_runs", "aprune", "astats", "areclaim", "setup"]
    assert saver.migrations() == "create"


async def test_it_waits_only_where_the_other_one_waits(saver: Any) -> None:
    assert encrypted(saver).immediate == saver.immediate


async def test_async_with_opens_and_closes_the_other_one() -> None:
    class Opened(InMemorySaver):
        state = "new"

        async def __aenter__(self) -> "Opened":
            self.state = "open"
            return self

        async def __aexit__(self, *exception: object) -> None:
            self.state = "closed"

    inner = Opened()
    async with encrypted(inner) as saver:
        assert isinstance(saver, EncryptedSaver)
        assert inner.state == "open"
    assert inner.state == "closed"


async def test_async_with_is_fine_where_there_is_nothing_to_open() -> None:
    async with encrypted(InMemorySaver()) as saver:
        await Writer(saver).commit()


@pytest.mark.parametrize("saver", [None, "sqlite:///x.db", object()])
def test_only_a_checkpointer_can_be_wrapped(saver: Any) -> None:
    with pytest.raises(GraphValidationError, match="wraps a checkpointer"):
        encrypted(saver)


def test_bare_key_is_refused_and_not_shown() -> None:
    with pytest.raises(GraphValidationError) as caught:
        encrypted(InMemorySaver(), b"0123456789abcdef")  # type: ignore[arg-type]
    assert "0123" not in str(caught.value)


# ---- keys


async def test_values_under_an_older_key_are_read_and_new_ones_get_the_current(saver: Any) -> None:
    old, new = Keys({"old": b"o" * 32}), Keys({"new": b"n" * 16, "old": b"o" * 32})
    first = Writer(encrypted(saver, old))
    await first.commit({"log": b"0", "name": b"Ada"})
    writer = Writer(encrypted(saver, new), first.thread, head=first.head)
    await writer.commit({}, appends={"log": b"1"})
    assert await writer.held() == {"log": (b"0", b"1"), "name": (b"Ada",)}
    ids = {data[3:6] for data in stored_bytes([await saver.load(writer.thread)]) if isinstance(data, bytes)}
    assert ids == {b"old", b"new"}


async def test_missing_key_is_named(saver: Any) -> None:
    writer = Writer(encrypted(saver, Keys({"2024": b"o" * 32})))
    await writer.commit({"a": b"1"})
    with pytest.raises(DecryptionError, match="the key '2024', which is not among the keys given"):
        await encrypted(saver).load(writer.thread)


async def test_another_key_under_the_same_id_is_refused(saver: Any) -> None:
    writer = Writer(encrypted(saver, Keys({"new": b"o" * 32})))
    await writer.commit({"a": b"1"})
    with pytest.raises(DecryptionError, match="not what was encrypted"):
        await encrypted(saver).load(writer.thread)


@pytest.mark.parametrize("size", [16, 24, 32])
async def test_keys_of_all_sizes(saver: Any, size: int) -> None:
    writer = Writer(encrypted(saver, Keys({"k": b"k" * size})))
    await writer.commit({"a": b"1"})
    assert (await Writer(encrypted(saver, Keys({"k": b"k" * size})), writer.thread).load()).channels == {
        "a": b"1"
    }


# ---- moving existing databases


async def test_plaintext_is_refused(saver: Any) -> None:
    writer = await conversation(saver)
    with pytest.raises(DecryptionError, match=r"stored as plaintext.*accept_plaintext"):
        await encrypted(saver).load(writer.thread)
    with pytest.raises(DecryptionError, match="stored as plaintext"):
        _ = [stored async for stored in encrypted(saver).history(writer.thread)]


async def test_empty_plain_checkpoint_is_refused_too(saver: Any) -> None:
    writer = Writer(saver)
    await writer.commit()
    with pytest.raises(DecryptionError, match="stored as plaintext"):
        await encrypted(saver).load(writer.thread)


async def test_plaintext_is_read_where_it_is_accepted(saver: Any) -> None:
    writer = await conversation(saver)
    moving = encrypted(saver, accept_plaintext=True)
    assert await Writer(moving, writer.thread).stored() == await writer.stored()


async def test_thread_goes_on_encrypted_behind_plaintext(saver: Any) -> None:
    plain = await conversation(saver)
    writer = Writer(encrypted(saver, accept_plaintext=True), plain.thread, head=plain.head)
    await writer.commit({"name": b"Joan"}, result("d", log=b"new secret"), appends={"log": b"log 5"})
    await writer.commit({}, appends={"log": b"log 6"})
    again = Writer(encrypted(saver, accept_plaintext=True), plain.thread)
    assert await again.held() == {
        "log": (b"log 0", b"log 1", b"log 2", b"log 3", b"log 4", b"log 5", b"log 6"),
        "name": (b"Joan",),
    }
    assert len(await again.stored()) == 6
    assert (await saver.load(plain.thread)).channels["name"][:1] == b"\xc1"
