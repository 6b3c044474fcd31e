"""Storage that fails at any call, before or after it did its work: the run fails there and nothing is lost.

`FailingSaver` counts a run's storage calls and breaks one of them. Each test breaks the first, then the second, and so
on, until a run needs no more calls.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import SerializationError
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history
from tests.engine.worlds import (
    DURABILITIES,
    FailingSaver,
    SaverAround,
    StorageDown,
    chain,
    one_chain,
    to_its_end,
    turns,
    waits_and_says,
)

GIVEN: Any = {"log": ["in"]}
STEPS = "abcde"


def a_chain(saver: Any, ran: list[str]) -> Any:
    return chain(*(waits_and_says(word, ran=ran) for word in STEPS), saver=saver)


def a_fan(saver: Any, ran: list[str]) -> Any:
    """Two nodes of unequal length, a join, and Sends of unequal length."""

    async def work(number: int) -> dict[str, Any]:
        await turns(6 - 2 * number)
        ran.append(str(number))
        return {"log": [str(number)]}

    nodes = [
        waits_and_says("a", ran=ran),
        waits_and_says("b", for_turns=8, ran=ran),
        waits_and_says("both", ran=ran),
    ]
    builder = graph(Log, *nodes, work, paths=["START a", "START b", "a+b both"])
    builder.add_conditional_edges("both", lambda state: [Send("work", number) for number in range(3)])
    return builder.compile(checkpointer=saver)


SHAPES: dict[str, tuple[Callable[[Any, list[str]], Any], list[str]]] = {
    "chain": (a_chain, ["in", *STEPS]),
    "fan": (a_fan, ["in", "a", "b", "both", "0", "1", "2"]),
}


def breaking_each_call(*, after: bool, for_turns: int = 1) -> Iterator[FailingSaver]:
    """Savers whose first, second, ... call breaks; ends after one that no run reached."""
    for call in range(1, 200):
        saver = FailingSaver(call, after=after, for_turns=for_turns)
        yield saver
        if not saver.failed:
            assert call > 2
            return
    pytest.fail("the run never ran out of storage calls")


every_fault = pytest.mark.parametrize("after", [False, True], ids=["not done", "done but not heard"])
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_durability = pytest.mark.parametrize("durability", DURABILITIES)


@every_fault
@every_shape
@every_durability
async def test_the_run_fails_with_the_storages_error(shape: str, durability: Any, after: bool) -> None:
    make, expected = SHAPES[shape]
    for saver in breaking_each_call(after=after):
        run = make(saver, []).ainvoke(GIVEN, thread(), durability=durability)
        if saver.fail_at and saver.fail_at <= 200:
            try:
                assert await run == {"log": expected}
            except StorageDown:
                assert saver.failed
            else:
                assert not saver.failed, "a storage error was swallowed"


@pytest.mark.parity("K5", "K8")
@every_fault
@every_shape
@every_durability
async def test_the_thread_goes_on_to_the_same_end(shape: str, durability: Any, after: bool) -> None:
    make, expected = SHAPES[shape]
    for saver in breaking_each_call(after=after):
        app = make(saver, [])
        try:
            await app.ainvoke(GIVEN, thread(), durability=durability)
        except StorageDown:
            pass
        else:
            continue
        call, saver.fail_at = saver.fail_at, 0
        assert await to_its_end(app, GIVEN, durability=durability) == {"log": expected}, f"call {call} failed"
        assert one_chain(await history(app, thread()))
        saver.fail_at = call


@every_fault
@every_shape
async def test_in_sync_what_was_reported_is_never_lost_nor_run_again(shape: str, after: bool) -> None:
    make, expected = SHAPES[shape]
    for saver in breaking_each_call(after=after):
        ran: list[str] = []
        reported: list[str] = []
        app = make(saver, ran)
        try:
            async for update in app.astream(GIVEN, thread(), stream_mode="updates", durability="sync"):
                reported.extend(word for written in update.values() for word in written["log"])
        except StorageDown:
            call, saver.fail_at = saver.fail_at, 0
            stored = (await app.aget_state(thread())).values.get("log", [])
            assert set(reported) <= set(stored), f"call {call} failed"
            ran.clear()
            assert await to_its_end(app, GIVEN) == {"log": expected}
            assert not set(ran) & set(reported), f"call {call} failed"
            saver.fail_at = call


@every_fault
async def test_in_sync_no_step_starts_on_a_step_that_is_not_stored(after: bool) -> None:
    for saver in breaking_each_call(after=after):
        ran: list[str] = []
        app = a_chain(saver, ran)
        try:
            await app.ainvoke(GIVEN, thread(), durability="sync")
        except StorageDown:
            # load, input, first step, then one commit for each node
            assert ran == list(STEPS)[: max(0, saver.fail_at - 3)]


@pytest.mark.parity("K12")
@every_fault
@pytest.mark.parametrize("for_turns", [1, 10])
async def test_in_async_a_failed_commit_stops_the_run_one_step_later_at_most(
    after: bool, for_turns: int
) -> None:
    for saver in breaking_each_call(after=after, for_turns=for_turns):
        ran: list[str] = []
        app = a_chain(saver, ran)
        try:
            await app.ainvoke(GIVEN, thread(), durability="async")
        except StorageDown:
            assert len(ran) <= max(0, saver.fail_at - 3) + 1


@every_shape
@pytest.mark.parametrize("for_turns", [1, 5, 25])
async def test_in_async_at_most_one_commit_is_under_way(shape: str, for_turns: int) -> None:
    make, expected = SHAPES[shape]
    saver = SaverAround(for_turns=for_turns)
    assert await make(saver, []).ainvoke(GIVEN, thread(), durability="async") == {"log": expected}
    assert saver.most_commits == 1


async def test_in_async_the_next_step_runs_while_a_commit_is_under_way() -> None:
    saver = SaverAround(for_turns=25)
    overlapped: list[int] = []

    async def looks(state: Log) -> dict[str, Any]:
        await turns(1)
        overlapped.append(saver.commits_under_way)
        return {"log": ["looks"]}

    await chain(waits_and_says("a"), looks, saver=saver).ainvoke(GIVEN, thread(), durability="async")
    assert overlapped == [1]


@every_shape
async def test_in_sync_no_step_runs_while_a_commit_is_under_way(shape: str) -> None:
    saver = SaverAround(for_turns=5)
    overlapped: list[int] = []

    async def looks(state: Log) -> dict[str, Any]:
        await turns(1)
        overlapped.append(saver.commits_under_way)
        return {"log": ["looks"]}

    await chain(waits_and_says("a"), looks, saver=saver).ainvoke(GIVEN, thread(), durability="sync")
    assert overlapped == [0]


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("for_turns", [1, 10])
async def test_the_input_is_stored_before_any_node_runs(durability: Any, for_turns: int) -> None:
    saver = SaverAround(for_turns=for_turns)
    stored: list[Any] = []

    async def looks(state: Log) -> None:
        stored.append(await saver.inner.load("t"))

    await chain(("looks", looks), saver=saver).ainvoke(GIVEN, thread(), durability=durability)
    assert stored[0] is not None


@pytest.mark.parity("K13")
@every_durability
async def test_everything_is_stored_when_the_run_returns(durability: Any) -> None:
    saver = SaverAround(for_turns=25)
    app = a_chain(saver, [])
    result = await app.ainvoke(GIVEN, thread(), durability=durability)
    assert saver.commits_under_way == 0
    assert (await app.aget_state(thread())).values == result


@pytest.mark.parity("J7")
@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_a_checkpoint_is_reported_when_it_is_stored(durability: Any) -> None:
    saver = SaverAround(for_turns=10)
    app = a_chain(saver, [])
    async for chunk in app.astream(GIVEN, thread(), stream_mode="checkpoints", durability=durability):
        identity = chunk["config"]["configurable"]["checkpoint_id"]
        assert await saver.inner.load("t", "", identity) is not None


@pytest.mark.parity("K4")
@every_shape
async def test_in_sync_an_update_is_reported_when_it_is_stored(shape: str) -> None:
    make, _ = SHAPES[shape]
    app = make(SaverAround(for_turns=5), [])
    async for update in app.astream(GIVEN, thread(), stream_mode="updates", durability="sync"):
        stored = (await app.aget_state(thread())).values["log"]
        assert all(word in stored for written in update.values() for word in written["log"])


# ---- both fail


class Fails:
    """A node that raises KeyError until it is told not to."""

    def __init__(self) -> None:
        self.broken = True

    async def node(self, state: Log) -> dict[str, Any]:
        await turns(3)
        if self.broken:
            raise KeyError("lost")
        return {"log": ["fails"]}


@every_fault
@every_durability
async def test_storage_that_fails_beside_a_node_does_not_hide_the_nodes_error(
    durability: Any, after: bool
) -> None:
    for saver in breaking_each_call(after=after):
        app = chain(waits_and_says("a"), ("fails", Fails().node), saver=saver)
        with pytest.raises((KeyError, StorageDown)) as caught:
            await app.ainvoke(GIVEN, thread(), durability=durability)
        text = "".join(getattr(caught.value, "__notes__", []))
        if saver.failed:
            assert isinstance(caught.value, StorageDown) or "StorageDown" in text


@every_fault
@every_durability
async def test_a_thread_whose_node_and_storage_failed_goes_on(durability: Any, after: bool) -> None:
    for saver in breaking_each_call(after=after):
        fails = Fails()
        app = graph(
            Log, waits_and_says("a"), waits_and_says("swift", for_turns=0), ("fails", fails.node),
            paths=["START a fails", "a swift"],
        ).compile(checkpointer=saver)  # fmt: skip
        with pytest.raises((KeyError, StorageDown)):
            await app.ainvoke(GIVEN, thread(), durability=durability)
        call, saver.fail_at = saver.fail_at, 0
        fails.broken = False
        assert await to_its_end(app, GIVEN) == {"log": ["in", "a", "fails", "swift"]}, f"call {call} failed"
        saver.fail_at = call


async def test_a_value_that_cannot_be_stored_fails_the_step_that_wrote_it() -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [lambda: None]}

    app = chain(waits_and_says("a"), node, saver=SaverAround())
    with pytest.raises(SerializationError, match="node"):
        await app.ainvoke(GIVEN, thread())
    assert (await app.aget_state(thread())).values == {"log": ["in", "a"]}


class NoAppends(InMemorySaver):
    """Takes commits, but no results before them."""

    async def append_results(self, *args: Any) -> None:
        raise StorageDown


async def test_storage_that_fails_beside_a_failing_node_does_not_hide_its_error() -> None:
    async def bad(state: Log) -> None:
        await turns(3)
        raise ConnectionError

    app = graph(Log, says("ok"), bad, paths=["START ok", "START bad"]).compile(checkpointer=NoAppends())
    with pytest.raises(ConnectionError) as raised:
        await app.ainvoke({}, thread())
    assert any("could not be stored" in note for note in raised.value.__notes__)


async def test_a_result_that_was_being_stored_when_a_sibling_failed_is_not_lost() -> None:
    ran: list[str] = []
    storing = asyncio.Event()

    class Slow(SaverAround):
        async def append_results(self, *args: Any) -> None:
            if not storing.is_set():
                storing.set()
                await asyncio.Event().wait()  # for ever: only being cancelled ends it
            await super().append_results(*args)

    async def quick(state: Log) -> Any:
        ran.append("quick")
        return {"log": ["quick"]}

    async def fails(state: Log) -> Any:
        ran.append("fails")
        await storing.wait()
        if ran.count("fails") == 1:
            raise ConnectionError("no route")
        return {"log": ["fails"]}

    app = graph(Log, quick, fails, paths=["START quick", "START fails"]).compile(checkpointer=Slow())
    with pytest.raises(ConnectionError):
        await app.ainvoke(GIVEN, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["in", "fails", "quick"]}
    assert sorted(ran) == ["fails", "fails", "quick"]
