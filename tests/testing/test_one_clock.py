"""One clock drives all that goes by time, and what nodes get when they run alone is what they get in a run."""

import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from graphrt import START, Command, StateGraph
from graphrt.cache.memory import InMemoryCache
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import NodeError, NodeTimeoutError
from graphrt.graph.message import add_messages
from graphrt.store.base import BaseStore
from graphrt.store.memory import InMemoryStore
from graphrt.testing.clock import FakeClock
from graphrt.testing.fixtures import fake_clock as fake_clock
from graphrt.testing.ids import same_ids
from graphrt.testing.nodes import run_node
from graphrt.testing.schedules import assert_same_whatever_the_order, explore
from graphrt.types import CachePolicy, RetryPolicy, TimeoutPolicy


class State(TypedDict):
    name: str


class Failing:
    """Fails so often, and knows when it was called."""

    def __init__(self, times: int, clock: FakeClock | None = None) -> None:
        self.times = times
        self.clock = clock
        self.called: list[float] = []

    async def __call__(self, state: State) -> dict[str, Any]:
        self.called.append(self.clock.monotonic() if self.clock is not None else 0.0)
        if len(self.called) <= self.times:
            raise ConnectionError("not yet")
        return {"name": "done"}


def graph_of(node: Any, *, compiling: Any = None, **options: Any) -> Any:
    return (
        StateGraph(State).add_node("node", node, **options).add_edge(START, "node").compile(**compiling or {})
    )


GIVEN = {"name": "ada"}


# ---- one clock


async def test_pauses_between_attempts_go_by_the_clock(fake_clock: FakeClock):
    node = Failing(2, fake_clock)
    begun = fake_clock.monotonic()
    async with fake_clock.jumping():
        await graph_of(node, retry_policy=RetryPolicy(initial_interval=60, jitter=False)).ainvoke(GIVEN)
    assert [moment - begun for moment in node.called] == [0, 60, 180]


async def test_jitter_follows_from_the_seed():
    called: list[list[float]] = []
    for seed in (1, 1, 2):
        clock = FakeClock(seed=seed)
        node = Failing(1, clock)
        with clock.installed():
            async with clock.jumping():
                await graph_of(node, retry_policy=RetryPolicy()).ainvoke(GIVEN)
        called.append(node.called)
    assert called[0] == called[1] != called[2]


async def test_timeouts_go_by_the_clock(fake_clock: FakeClock):
    async def hangs(state: State) -> None:
        await asyncio.get_running_loop().create_future()

    begun = fake_clock.now()
    with pytest.raises(NodeTimeoutError):
        async with fake_clock.jumping():
            await graph_of(hangs, timeout=timedelta(hours=1)).ainvoke(GIVEN)
    assert fake_clock.now() - begun == timedelta(hours=1)


async def test_timeouts_retries_checkpoints_and_what_expires_share_one_clock(fake_clock: FakeClock):
    tried: list[float] = []
    begun = fake_clock.monotonic()

    async def keeps(state: State, store: BaseStore) -> None:
        tried.append(fake_clock.monotonic() - begun)
        if len(tried) == 1:
            await fake_clock.sleep(3600)
        await store.aput(("names",), state["name"], {"seen": True}, ttl=1)

    store = InMemoryStore(clock=fake_clock)
    graph = graph_of(
        keeps,
        timeout=TimeoutPolicy(run_timeout=10),
        retry_policy=RetryPolicy(initial_interval=20, jitter=False, retry_on=NodeTimeoutError),
        compiling={"store": store, "checkpointer": InMemorySaver()},
    )
    thread: Any = {"configurable": {"thread_id": "t"}}
    async with fake_clock.jumping():
        await graph.ainvoke(GIVEN, thread)
    assert tried == [0, 30]
    assert (await graph.aget_state(thread)).created_at.startswith(fake_clock.now().isoformat()[:19])
    assert await store.aget(("names",), "ada") is not None
    fake_clock.move(timedelta(seconds=61))
    assert await store.aget(("names",), "ada") is None


async def test_caches_expire_by_the_clock(fake_clock: FakeClock):
    node = Failing(0, fake_clock)
    cache: Any = InMemoryCache(clock=fake_clock.time_ns)
    graph = graph_of(node, cache_policy=CachePolicy(ttl=60), compiling={"cache": cache})
    for seconds in (0, 59, 2):
        fake_clock.move(seconds)
        await graph.ainvoke(GIVEN)
    assert len(node.called) == 2


# ---- nodes alone, with what came to them since


async def test_store_can_be_given_to_a_node():
    async def reads(state: State, store: BaseStore) -> dict[str, Any]:
        item = await store.aget(("names",), "ada")
        return {"name": item.value["full"] if item is not None else "?"}

    store = InMemoryStore()
    await store.aput(("names",), "ada", {"full": "Ada Lovelace"})
    graph = graph_of(reads, compiling={"store": InMemoryStore()})
    assert (await run_node(graph, "node", GIVEN)).update == {"name": "?"}
    assert (await run_node(graph, "node", GIVEN, store=store)).update == {"name": "Ada Lovelace"}


async def test_node_alone_is_retried(fake_clock: FakeClock):
    node = Failing(2, fake_clock)
    async with fake_clock.jumping():
        run = await run_node(graph_of(node, retry_policy=RetryPolicy()), "node", GIVEN)
    assert (run.update, len(node.called)) == ({"name": "done"}, 3)


async def test_error_handler_of_a_node_alone_answers_for_it():
    async def rescues(state: State, error: NodeError) -> Command[Any]:
        return Command(update={"name": "rescued"}, goto="other")

    builder = StateGraph(State).add_node("node", Failing(1), error_handler=rescues)
    builder.add_node("other", Failing(0)).add_edge(START, "node")
    run = await run_node(builder.compile(), "node", GIVEN)
    assert run.values == {"name": "rescued"}
    assert run.goto == ("other",)


async def test_node_alone_asks_no_cache():
    node = Failing(0)
    graph = graph_of(node, cache_policy=CachePolicy(), compiling={"cache": InMemoryCache()})
    await graph.ainvoke(GIVEN)
    run = await run_node(graph, "node", GIVEN)
    assert (run.update, len(node.called)) == ({"name": "done"}, 2)


async def test_messages_of_a_node_alone_are_told():
    class Chat(TypedDict):
        messages: Annotated[list[Any], add_messages]

    async def answers(state: Chat) -> dict[str, Any]:
        return {"messages": [{"role": "assistant", "content": "hello"}]}

    graph = StateGraph(Chat).add_node(answers).add_edge(START, "answers").compile()
    run = await run_node(graph, "answers", {"messages": []})
    assert [message.content for message in run.messages] == ["hello"]


# ---- orders, with what goes by time


async def test_retries_and_timeouts_take_no_time_in_other_orders():
    async def naps(state: State) -> None:
        await asyncio.sleep(5)

    builder = StateGraph(State).add_node("naps", naps, timeout=3600)
    builder.add_node("fails", Failing(2), retry_policy=RetryPolicy(initial_interval=300))
    graph_maker = builder.add_edge(START, "naps").add_edge(START, "fails").compile
    begun = time.monotonic()
    async for order in explore(graph_maker, GIVEN, runs=3):
        assert order.error is None
    assert time.monotonic() - begun < 300


async def test_timeouts_strike_in_other_orders():
    async def hangs(state: State) -> None:
        await asyncio.sleep(3600)

    async for order in explore(graph_of(hangs, timeout=60), GIVEN, runs=2):
        assert isinstance(order.error, NodeTimeoutError)


async def test_clock_that_is_installed_outside_does_not_stop_other_orders(fake_clock: FakeClock):
    await assert_same_whatever_the_order(graph_of(Failing(1), retry_policy=RetryPolicy()), GIVEN, runs=2)


# ---- ids


class Chat(TypedDict):
    messages: Annotated[list[Any], add_messages]


async def greets(state: Chat) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"messages": [{"role": "assistant", "content": "hello"}]}


def chat() -> Any:
    builder = StateGraph(Chat).add_node("a", greets).add_node("b", greets)
    return builder.add_edge(START, "a").add_edge(START, "b").compile()


async def test_ids_of_messages_do_not_depend_on_the_order():
    await assert_same_whatever_the_order(chat(), {"messages": ["hi"]}, runs=10)


async def test_threads_are_the_same_every_time():
    histories: list[Any] = []
    for _ in range(2):
        graph = chat().copy({"checkpointer": InMemorySaver()})
        thread: Any = {"configurable": {"thread_id": "t"}}
        with same_ids(), FakeClock().installed():
            await graph.ainvoke({"messages": ["hi"]}, thread)
        histories.append([snapshot async for snapshot in graph.aget_state_history(thread)])
    assert histories[0] == histories[1]


# ---- the fixture


def test_fixture_comes_with_the_plugin(tmp_path: Path):
    (tmp_path / "test_own.py").write_text(
        "from graphrt.engine import clock\n"
        "def test_own(fake_clock):\n"
        "    fake_clock.move(5)\n"
        "    assert clock.monotonic() == 5\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "graphrt.testing.plugin"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
