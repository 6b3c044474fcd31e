"""Several runs on one thread: one history, one winner, and what `multitask_strategy` makes of it."""

import asyncio
from typing import Any, TypedDict

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphError, ThreadConflict
from tests.acceptance.graphs import Log, graph, thread
from tests.acceptance.streams import history
from tests.engine.worlds import (
    SAVERS,
    Holding,
    SaverAround,
    chain,
    one_chain,
    tagged,
    turns,
    waits_and_says,
)

# ---- without a strategy


async def test_of_two_runs_on_one_thread_one_gets_a_conflict() -> None:
    world = Holding()
    await world.begin()
    second = asyncio.ensure_future(world.app.ainvoke(tagged("second"), thread()))
    await turns(10)
    world.held.release()
    outcomes = await asyncio.gather(world.first, second, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ThreadConflict", "dict"]


async def test_the_history_is_the_winners_and_one_chain() -> None:
    world = Holding()
    await world.begin()
    second = asyncio.ensure_future(world.app.ainvoke(tagged("second"), thread()))
    await turns(10)
    world.held.release()
    outcomes = await asyncio.gather(world.first, second, return_exceptions=True)
    (winner,) = (outcome for outcome in outcomes if isinstance(outcome, dict))
    shown = await history(world.app, thread())
    assert one_chain(shown)
    assert shown[0].values == winner


async def test_a_conflict_says_which_thread_and_where_it_was_and_is() -> None:
    world = Holding()
    await world.begin()
    before = (await world.app.aget_state(thread())).config["configurable"]["checkpoint_id"]
    await world.overtake()
    after = (await world.app.aget_state(thread())).config["configurable"]["checkpoint_id"]
    world.held.release()
    with pytest.raises(ThreadConflict) as caught:
        await world.first
    conflict = caught.value
    assert isinstance(conflict, GraphError)
    assert (conflict.thread_id, conflict.expected, conflict.current) == ("t", before, after)


async def test_nothing_of_the_step_that_lost_is_stored() -> None:
    world = Holding()
    await world.begin()
    other = await world.overtake()
    before = await history(other, thread())
    world.held.release()
    with pytest.raises(ThreadConflict):
        await world.first
    assert await history(other, thread()) == before


async def test_the_loser_may_run_again() -> None:
    world = Holding()
    await world.begin()
    await world.overtake()
    world.held.release()
    with pytest.raises(ThreadConflict):
        await world.first
    assert (await world.app.ainvoke(tagged("again"), thread()))["log"][-3:] == ["again", "held", "last"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("saver", SAVERS)
async def test_however_two_runs_overlap_there_is_one_history(saver: str, durability: Any) -> None:
    for apart in range(24):
        app = chain(*map(waits_and_says, "ab"), saver=SAVERS[saver]())
        first = asyncio.ensure_future(app.ainvoke(tagged("1"), thread(), durability=durability))
        await turns(apart)
        second = asyncio.ensure_future(app.ainvoke(tagged("2"), thread(), durability=durability))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        won = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, ThreadConflict)]
        assert (len(won) >= 1, len(won) + len(lost)) == (True, 2), outcomes
        shown = await history(app, thread())
        assert one_chain(shown)
        assert shown[0].values in won


async def test_many_runs_at_once_leave_one_history() -> None:
    app = chain(*map(waits_and_says, "ab"), saver=SaverAround())
    runs = [app.ainvoke(tagged(str(n)), thread()) for n in range(10)]
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {dict, ThreadConflict}
    assert one_chain(await history(app, thread()))


async def test_threads_do_not_get_into_each_others_way() -> None:
    app = chain(*map(waits_and_says, "ab"), saver=SaverAround())
    runs = [app.ainvoke(tagged(str(n)), thread(f"t{n}"), multitask_strategy="reject") for n in range(10)]
    assert [result["log"][0] for result in await asyncio.gather(*runs)] == [str(n) for n in range(10)]


async def test_a_failed_task_of_a_run_that_lost_leaves_no_trace() -> None:
    first_may_fail = asyncio.Event()

    async def fails(state: Log) -> None:
        if "second" not in state["log"]:
            await first_may_fail.wait()
            raise KeyError("lost")

    app = chain(("fails", fails), saver=InMemorySaver())
    first = asyncio.ensure_future(app.ainvoke(tagged("first"), thread()))
    await turns(10)
    await app.ainvoke(tagged("second"), thread())
    first_may_fail.set()
    with pytest.raises(KeyError):
        await first
    state = await app.aget_state(thread())
    assert (state.values["log"], state.next, state.tasks) == (["first", "second"], (), ())


# ---- what is stored


@pytest.mark.parametrize("value", [(1, "two"), {3}, frozenset({4}), b"five", [(6, [7])], {8: "eight"}])
async def test_a_stored_value_comes_back_with_its_type(value: Any) -> None:
    class Box(TypedDict):
        content: Any

    async def put(state: Box) -> dict[str, Any]:
        return {"content": value}

    app = graph(Box, put, paths=["START put"]).compile(checkpointer=InMemorySaver())
    await app.ainvoke({}, thread())
    content = (await app.aget_state(thread())).values["content"]
    assert (type(content), content) == (type(value), value)


class Recording(SaverAround):
    """A saver that knows which channels each commit carried."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: list[set[str]] = []

    async def commit(self, commit: Any) -> None:
        self.channels.append({item.channel for item in commit.channels})
        await super().commit(commit)


@pytest.mark.parity("L5")
async def test_a_commit_carries_only_what_its_step_changed() -> None:
    class Pair(TypedDict):
        left: int
        right: int

    async def a(state: Pair) -> dict[str, Any]:
        return {"right": 2}

    async def b(state: Pair) -> None:
        return None

    saver = Recording()
    await graph(Pair, a, b, paths=["START a b"]).compile(checkpointer=saver).ainvoke({"left": 1}, thread())
    _, of_input, of_a, of_b = saver.channels
    assert [of & {"left", "right"} for of in (of_input, of_a, of_b)] == [{"left"}, {"right"}, set()]
