"""Whatever string a caller passes on is a name or a value: it finds what has that name, and touches nothing else."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from graphrt.checkpoint import CopiesThreads, ForgetsRuns, ListsThreads, Prunes, Stored
from graphrt.errors import GraphError
from graphrt.testing.conformance.records import Writer, new_id, new_thread, result
from tests.hostile.corpus import KINDS

# Neighbours in every respect: a name that a pattern matches, a namespace that a prefix matches.
PLACES = (("victim", ""), ("victim", "sub"), ("victim", "sub:1|x"), ("victims", ""), ("other", ""), ("1", ""))
NAMES = sorted({thread for thread, _ in PLACES})

Victims = dict[tuple[str, str], list[Stored]]


async def contents(saver: Any) -> Victims:
    return {place: [stored async for stored in saver.history(*place)] for place in PLACES}


@pytest.fixture
async def victims(saver: Any) -> Victims:
    for thread, namespace in PLACES:
        writer = Writer(saver, thread, namespace)
        metadata = {"user": thread, "run_id": f"run {thread}", "n": 1, "yes": True}
        await writer.commit({"log": b"0", "name": b"v"}, source="input", metadata=metadata)
        await writer.commit({}, result("a", name=b"1"), appends={"log": b"1"}, metadata=metadata)
        await writer.append(result("b", name=b"2"))
    return await contents(saver)


@pytest.fixture
async def unharmed(saver: Any, victims: Victims) -> AsyncIterator[None]:
    """Afterwards everything is as it was."""
    yield
    assert await contents(saver) == victims


pytestmark = pytest.mark.usefixtures("unharmed")
every_kind = pytest.mark.parametrize("texts", KINDS.values(), ids=KINDS)
Texts = tuple[str, ...]


async def exactly(writer: Writer, **fields: Any) -> Stored | None:
    """A commit is read back as it was, or refused with a typed error."""
    made = writer.next(**fields)
    try:
        await writer.saver.commit(made)
    except GraphError:
        return None
    stored = await writer.saver.load(writer.thread, writer.namespace)
    assert stored is not None
    assert stored.checkpoint == made.checkpoint
    writer.head = stored.head
    return stored


async def ids(saver: Any, thread: str, *args: Any, **options: Any) -> list[str]:
    return [stored.checkpoint.id async for stored in saver.history(thread, *args, **options)]


# ---- names


@every_kind
async def test_thread_id(saver: Any, texts: Texts) -> None:
    for text in texts:
        with suppress(GraphError):
            assert await saver.load(text) is None
            assert await ids(saver, text) == []
            await saver.adelete_thread(text)
        if await exactly(Writer(saver, text), channels={"log": b"1"}):
            assert len(await ids(saver, text)) == 1
            await saver.adelete_thread(text)
            assert await saver.load(text) is None


@every_kind
async def test_namespace(saver: Any, texts: Texts) -> None:
    for text in filter(None, texts):
        with suppress(GraphError):
            assert await saver.load("victim", text) is None
            assert await ids(saver, "victim", text) == []
        writer = Writer(saver, namespace=text)
        if await exactly(writer, channels={"log": b"1"}):
            assert await saver.load(writer.thread) is None


@every_kind
async def test_checkpoint_id(saver: Any, texts: Texts) -> None:
    for text in filter(None, texts):
        with suppress(GraphError):
            assert await saver.load("victim", "", text) is None
        with pytest.raises(GraphError):  # it is not the head
            await saver.append_results("victim", "", text, [result("evil")])
        with pytest.raises(GraphError):
            await Writer(saver, "victim", head=text).commit({"log": b"evil"})
        await exactly(Writer(saver), id=text)


@every_kind
async def test_names_of_channels_tasks_and_nodes(saver: Any, texts: Texts) -> None:
    for text in texts:
        writer = Writer(saver)
        stored = await exactly(writer, channels={text: b"1"}, next=(text,), ran=(text, text))
        if stored is None:
            continue
        assert stored.channels == {text: b"1"}
        await writer.append(result(text, x=b"2"), result(f"{text}!", error=text))
        found = {one.path: (one.node, one.error) for one in (await writer.load()).results}
        assert found == {one: (result(one).node, error) for one, error in ((text, None), (f"{text}!", text))}
        await writer.commit({}, result(f"{text}?", **{text or "x": None}), appends={text: b"2"})
        assert (await writer.load()).appends == {text: (b"2",)}


# ---- metadata and filters


@every_kind
async def test_metadata(saver: Any, texts: Texts) -> None:
    for text in texts:
        writer = Writer(saver)
        other = await writer.commit(metadata={"user": "somebody"})
        stored = await exactly(writer, metadata={text: text, "user": text})
        if stored is None:
            continue
        assert await ids(saver, writer.thread, filter={text: text}) == [stored.checkpoint.id]
        assert await ids(saver, writer.thread, filter={"user": text}) == [stored.checkpoint.id]
        assert await ids(saver, writer.thread, filter={"user": f"{text} "}) == []
        assert await ids(saver, writer.thread, filter={"user": "somebody"}) == [other]


@every_kind
async def test_key_of_a_filter(saver: Any, texts: Texts) -> None:
    for text in texts:
        for value in ("victim", 1, True, None, "input", text):
            with suppress(GraphError):
                assert await ids(saver, "victim", filter={text: value}) == []


@every_kind
async def test_value_of_a_filter(saver: Any, texts: Texts) -> None:
    for text in texts:
        for key in ("user", "source", "step", "run_id", "n"):
            with suppress(GraphError):
                assert await ids(saver, "victim", filter={key: text}) == []


@pytest.mark.parametrize(
    "value",
    [
        {"$ne": "x"}, {"$gt": ""}, {}, [], ["victim"], {"user": "victim"}, ("victim",), b"victim", object(), 1j,
        float("nan"), float("inf"), 2**63, -(2**64), 10**400, "1", 1.5, False, None,
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
async def test_value_of_a_filter_that_is_no_text(saver: Any, value: Any) -> None:
    for key in ("user", "n", "source", "yes"):
        with suppress(GraphError):
            assert await ids(saver, "victim", filter={key: value}) == []


# ---- pages


@every_kind
async def test_before(saver: Any, victims: Victims, texts: Texts) -> None:
    for text in texts:
        expected = [s.checkpoint.id for s in victims["victim", ""] if s.checkpoint.id < text]
        with suppress(GraphError):
            assert await ids(saver, "victim", before=text) == expected


@pytest.mark.parametrize("limit", [-1, 0, 2**31, 2**63, 2**70, "1; DROP TABLE threads", "1", b"1", [1], {}])
async def test_limit(saver: Any, victims: Victims, limit: Any) -> None:
    mine = [stored.checkpoint.id for stored in victims["victim", ""]]
    try:
        found = await ids(saver, "victim", limit=limit)
    except (GraphError, TypeError):
        assert type(limit) is not int
    else:
        assert found == (mine[: max(limit, 0)] if type(limit) is int else [])


# ---- keeping and forgetting


@every_kind
async def test_prefix_of_a_list(saver: Any, texts: Texts) -> None:
    if not isinstance(saver, ListsThreads):
        pytest.skip("lists no threads")
    for text in texts:
        with suppress(GraphError):
            listed = [info.thread_id async for info in saver.athreads(prefix=text)]
            assert listed == [name for name in NAMES if name.startswith(text)]
        with suppress(GraphError):
            listed = [info.thread_id async for info in saver.athreads(after=text)]
            if texts is not KINDS["refusable"]:  # where a database keeps such a name is its own affair
                assert listed == [name for name in NAMES if name > text]


@every_kind
async def test_runs_to_forget(saver: Any, texts: Texts) -> None:
    if not isinstance(saver, ForgetsRuns):
        pytest.skip("forgets no runs")
    for text in texts:
        with suppress(GraphError):
            assert await saver.adelete_for_runs([text, f"run {text}x"]) == 0


@every_kind
async def test_threads_to_prune(saver: Any, texts: Texts) -> None:
    if not isinstance(saver, Prunes):
        pytest.skip("prunes nothing")
    for text in texts:
        with suppress(GraphError):
            assert (await saver.aprune([text], keep_last=1)).checkpoints == 0
            assert (await saver.aprune([text], strategy="delete")).checkpoints == 0


async def test_forgetting_everything_must_be_asked_for(saver: Any) -> None:
    if not isinstance(saver, Prunes):
        pytest.skip("prunes nothing")
    with pytest.raises(GraphError):
        await saver.aprune(strategy="delete")
    assert (await saver.aprune([], strategy="delete")).threads == 0


@every_kind
async def test_names_of_copies(saver: Any, victims: Victims, texts: Texts) -> None:
    if not isinstance(saver, CopiesThreads):
        pytest.skip("copies no threads")
    for text in texts:
        with suppress(GraphError):
            assert await saver.acopy_thread(text, new_thread()) == 0
            assert await saver.acopy_thread("victim", text) == 6
            copied = [stored async for stored in saver.history(text, "sub")]
            assert copied == victims["victim", "sub"]
            await saver.adelete_thread(text)


async def test_ids_of_other_threads_checkpoints_are_unknown(saver: Any, victims: Victims) -> None:
    for (thread, namespace), pages in victims.items():
        for place in set(PLACES) - {(thread, namespace)}:
            assert await saver.load(*place, pages[0].checkpoint.id) is None
            with pytest.raises(GraphError):
                await saver.append_results(*place, pages[0].checkpoint.id, [result("evil")])
    assert await saver.load("victim", "", new_id()) is None
