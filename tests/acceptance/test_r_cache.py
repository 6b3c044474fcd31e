"""Results of nodes and tasks that are kept for inputs that come again (LangGraph R1 to R6, 1.12)."""

import asyncio
import logging
import operator
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from graphrt.cache import BaseCache, InMemoryCache
from graphrt.cache.sqlite import SqliteCache
from graphrt.channels import EphemeralValue, UntrackedValue
from graphrt.errors import GraphValidationError, UnkeyableInputError
from graphrt.func import entrypoint, task
from graphrt.graph import END, START, StateGraph
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.runtime import get_runtime
from graphrt.testing.clock import FakeClock
from graphrt.types import CachePolicy, Command, RetryPolicy, Send, interrupt
from tests.acceptance.graphs import Log, thread

KEPT = CachePolicy()


class Calls(list[Any]):
    """What nodes were called with. Every test has its own, and its nodes find it here."""


calls = Calls()


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@pytest.fixture(params=["memory", "sqlite"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BaseCache[Any]]:
    """An empty cache of each kind."""
    if request.param == "memory":
        yield InMemoryCache()
        return
    cache: SqliteCache[Any] = SqliteCache(path=tmp_path / "cache.db")
    yield cache
    await asyncio.to_thread(cache.close)


class Sum(TypedDict):
    n: int
    total: Annotated[int, operator.add]


async def double(state: Sum) -> dict[str, Any]:
    calls.append(("double", state["n"]))
    return {"total": state["n"] * 2}


async def triple(state: Sum) -> dict[str, Any]:
    calls.append(("triple", state["n"]))
    return {"total": state["n"] * 3}


def plain_double(state: Sum) -> dict[str, Any]:
    calls.append(("plain", state["n"]))
    return {"total": state["n"] * 2}


def one(
    node: Any, cache: Any, *, schema: Any = Sum, policy: Any = KEPT, saver: Any = None, **more: Any
) -> Any:
    """A compiled graph of one node."""
    builder: Any = StateGraph(schema).add_node("node", node, cache_policy=policy, **more)
    return builder.add_edge(START, "node").compile(saver, cache=cache)


# ---- R1: when it applies, and the key


@pytest.mark.parametrize("node", [double, plain_double])
async def test_r1_the_same_input_runs_a_node_once(node: Any, cache: Any) -> None:
    app = one(node, cache)
    assert [await app.ainvoke({"n": n}) for n in (1, 1, 2)] == [
        {"n": 1, "total": 2},
        {"n": 1, "total": 2},
        {"n": 2, "total": 4},
    ]
    assert [n for _, n in calls] == [1, 2]


async def test_r1_without_a_policy_a_node_always_runs() -> None:
    app = one(double, InMemoryCache(), policy=None)
    await app.ainvoke({"n": 1})
    await app.ainvoke({"n": 1})
    assert len(calls) == 2


async def test_r1_without_a_cache_a_policy_does_nothing() -> None:
    app = one(double, None)
    await app.ainvoke({"n": 1})
    await app.ainvoke({"n": 1})
    assert len(calls) == 2


@pytest.mark.parity("R1", differs="what-tells-cached-functions-apart: LangGraph confuses async functions")
async def test_r1_async_functions_are_told_apart_by_their_own_names() -> None:
    cache: Any = InMemoryCache()
    await one(double, cache).ainvoke({"n": 1})
    assert await one(triple, cache).ainvoke({"n": 1}) == {"n": 1, "total": 3}


async def test_r1_nodes_of_one_function_do_not_share_results() -> None:
    builder: Any = (
        StateGraph(Sum).add_node("a", double, cache_policy=KEPT).add_node("b", double, cache_policy=KEPT)
    )
    app = builder.add_edge(START, "a").add_edge(START, "b").compile(cache=InMemoryCache())
    assert await app.ainvoke({"n": 1}) == {"n": 1, "total": 4}
    assert len(calls) == 2


async def test_r1_graphs_that_are_compiled_anew_share_results(cache: Any) -> None:
    await one(double, cache).ainvoke({"n": 1})
    await one(double, cache).ainvoke({"n": 1})
    assert len(calls) == 1


@pytest.mark.parity("R1", differs="what-tells-cached-functions-apart: LangGraph confuses closures")
async def test_r1_closures_are_told_apart_by_what_they_hold() -> None:
    def times(factor: int) -> Any:
        async def node(state: Sum) -> dict[str, Any]:
            calls.append(factor)
            return {"total": state["n"] * factor}

        return node

    cache: Any = InMemoryCache()
    found = [await one(times(factor), cache).ainvoke({"n": 1}) for factor in (2, 3, 2)]
    assert [result["total"] for result in found] == [2, 3, 2]
    assert calls == [2, 3]


async def times_with(factor: int, state: Sum) -> dict[str, Any]:
    return {"total": state["n"] * factor}


async def test_r1_partials_are_told_apart_by_their_arguments() -> None:
    cache: Any = InMemoryCache()
    found = [await one(partial(times_with, factor), cache).ainvoke({"n": 1}) for factor in (2, 3)]
    assert [result["total"] for result in found] == [2, 3]


async def test_r1_a_key_func_says_what_counts() -> None:
    policy = CachePolicy(key_func=lambda state: str(state["n"] % 2))
    app = one(double, InMemoryCache(), policy=policy)
    assert [(await app.ainvoke({"n": n}))["total"] for n in (1, 3, 2)] == [2, 2, 4]


async def test_r1_a_key_func_may_answer_in_bytes_and_ask_for_the_context() -> None:
    policy = CachePolicy(key_func=lambda state: get_runtime().context.encode())
    app = one(double, InMemoryCache(), policy=policy)
    for user in ("ada", "bob", "ada"):
        await app.ainvoke({"n": 1}, context=user)
    assert len(calls) == 2


async def test_r1_what_a_key_func_raises_is_the_nodes_failure() -> None:
    def broken(state: Any) -> str:
        raise LookupError("no key")

    with pytest.raises(LookupError, match="no key") as raised:
        await one(double, InMemoryCache(), policy=CachePolicy(key_func=broken)).ainvoke({"n": 1})
    assert "During task with name 'node'" in raised.value.__notes__[0]


async def test_r1_defaults_of_a_graph_have_a_policy_for_nodes_without_one() -> None:
    builder: Any = StateGraph(Sum).set_node_defaults(cache_policy=KEPT).add_node(double)
    app = builder.add_edge(START, "double").compile(cache=InMemoryCache())
    await app.ainvoke({"n": 1})
    await app.ainvoke({"n": 1})
    assert len(calls) == 1


async def test_r1_sends_are_found_by_their_arguments(cache: Any) -> None:
    def route(state: Sum) -> Any:
        return [Send("double", {"n": n}) for n in (1, 2, 1)]

    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_conditional_edges(START, route)
    app = builder.compile(cache=cache)
    assert await app.ainvoke({"n": 0}) == {"n": 0, "total": 8}
    assert await app.ainvoke({"n": 0}) == {"n": 0, "total": 8}
    assert len(calls) == 3  # the first step had nothing yet


async def test_r1_what_a_router_reads_besides_its_nodes_input_counts_too() -> None:
    def route(state: Sum) -> str:
        return "high" if state["total"] > 5 else END

    def start(state: Sum) -> Any:
        return Send("node", {"n": 1})

    builder: Any = StateGraph(Sum).add_node("node", double, cache_policy=KEPT)
    builder.add_node("high", lambda state: {"total": 100}).add_conditional_edges(START, start)
    app = builder.add_conditional_edges("node", route).compile(cache=InMemoryCache())
    assert [(await app.ainvoke({"total": total}))["total"] for total in (0, 10, 0)] == [2, 112, 2]
    assert len(calls) == 2


@task(cache_policy=KEPT)
async def square(n: int, *, plus: int = 0) -> int:
    calls.append(n)
    return n * n + plus


@task(cache_policy=KEPT)
def plain_square(n: int, *, plus: int = 0) -> int:
    calls.append(n)
    return n * n + plus


@pytest.mark.parametrize("function", [square, plain_square])
async def test_r1_tasks_are_found_by_their_arguments(function: Any, cache: Any) -> None:
    @entrypoint(cache=cache)
    async def run(numbers: list[int]) -> list[int]:
        return [await function(n) for n in numbers] + [await function(3, plus=1)]

    assert await run.ainvoke([1, 2, 1]) == [1, 4, 1, 10]
    assert await run.ainvoke([3, 2]) == [9, 4, 10]
    assert calls == [1, 2, 3, 3]


async def test_r1_sync_entrypoints_have_cached_tasks() -> None:
    @entrypoint(cache=InMemoryCache())
    def run(n: int) -> int:
        return square(n).result() + plain_square(n).result()

    assert [await run.ainvoke(2), await run.ainvoke(2)] == [8, 8]
    assert len(calls) == 2


async def test_r1_tasks_of_graph_nodes_use_the_graphs_cache(cache: Any) -> None:
    async def node(state: Sum) -> dict[str, Any]:
        return {"total": await square(state["n"])}

    app = one(node, cache, policy=None)
    assert [(await app.ainvoke({"n": 2}))["total"] for _ in range(2)] == [4, 4]
    assert calls == [2]


async def test_r1_an_entrypoint_has_a_policy_of_its_own(cache: Any) -> None:
    async def run(n: int) -> int:
        calls.append(n)
        return n + 1

    app: Any = entrypoint(cache=cache, cache_policy=KEPT)(run)
    assert [await app.ainvoke(n) for n in (1, 1, 2)] == [2, 2, 3]
    assert calls == [1, 2]


@pytest.mark.parity("R1", "O3", differs="an-entrypoints-cache-policy-is-its-own: LangGraph gives it to tasks")
async def test_r1_an_entrypoints_policy_is_not_that_of_its_tasks() -> None:
    @task
    async def always(n: int) -> None:
        calls.append(n)

    async def run(n: int) -> None:
        await always(7)

    app: Any = entrypoint(cache=InMemoryCache(), cache_policy=KEPT)(run)
    await app.ainvoke(1)
    await app.ainvoke(2)
    assert calls == [7, 7]


async def test_r1_graphs_inside_use_the_cache_of_the_outermost(cache: Any) -> None:
    inner = one(double, InMemoryCache())

    async def call(state: Sum) -> Any:
        return {"total": (await inner.ainvoke({"n": state["n"]}))["total"]}

    app = one(call, cache, policy=None)
    await app.ainvoke({"n": 1})
    await app.ainvoke({"n": 1})
    await inner.ainvoke({"n": 1})  # by itself it has its own cache, which is empty
    assert len(calls) == 2


async def test_r1_a_graph_that_is_a_node_is_cached_as_a_whole(cache: Any) -> None:
    inner = one(double, None, policy=None)
    app = one(inner, cache)
    assert [(await app.ainvoke({"n": 1}))["total"] for _ in range(2)] == [2, 2]
    assert len(calls) == 1


async def test_r1_pregel_nodes_have_cache_policies(cache: Any) -> None:
    async def twice(word: str) -> str:
        calls.append(word)
        return word * 2

    node = NodeBuilder().subscribe_only("a").do(twice).do(str.upper).write_to("b").add_cache_policy(KEPT)
    channels: Any = {"a": EphemeralValue(str), "b": EphemeralValue(str)}
    app: Any = Pregel(
        nodes={"node": node}, channels=channels, input_channels="a", output_channels="b", cache=cache
    )
    assert [await app.ainvoke("x"), await app.ainvoke("x")] == ["XX", "XX"]
    assert calls == ["x"]


# ---- R2: a hit replaces the run


async def chunks_of(app: Any, given: Any, *modes: str, **options: Any) -> list[Any]:
    return [chunk async for chunk in app.astream(given, stream_mode=list(modes), **options)]


async def test_r2_a_hit_is_streamed_as_cached_and_not_as_a_task(cache: Any) -> None:
    app = one(double, cache)
    await app.ainvoke({"n": 1})
    assert await chunks_of(app, {"n": 1}, "updates", "tasks", "values") == [
        ("values", {"n": 1, "total": 0}),
        ("updates", {"node": {"total": 2}, "__metadata__": {"cached": True}}),
        ("values", {"n": 1, "total": 2}),
    ]


async def test_r2_a_miss_is_streamed_as_any_task() -> None:
    kinds = [mode for mode, _ in await chunks_of(one(double, InMemoryCache()), {"n": 1}, "updates", "tasks")]
    assert kinds == ["tasks", "updates", "tasks"]


async def test_r2_hits_and_misses_of_a_step_are_told_apart(cache: Any) -> None:
    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_node(triple, cache_policy=KEPT)
    app = builder.add_edge(START, "double").add_edge(START, "triple").compile(cache=cache)
    await app.ainvoke({"n": 1})
    await app.aclear_cache(["triple"])
    chunks = await chunks_of(app, {"n": 1}, "updates")
    assert [(sorted(chunk), "__metadata__" in chunk) for _, chunk in chunks] == [
        (["__metadata__", "double"], True),
        (["triple"], False),
    ]


class Counting(InMemoryCache[Any]):
    """A cache that notes how often it is asked, and for how much."""

    def __init__(self) -> None:
        super().__init__()
        self.gets: list[int] = []
        self.sets: list[int] = []

    def get(self, keys: Any) -> Any:
        self.gets.append(len(keys))
        return super().get(keys)

    def set(self, pairs: Any) -> None:
        self.sets.append(len(pairs))
        super().set(pairs)


async def test_r2_all_tasks_of_a_step_are_looked_up_together() -> None:
    cache = Counting()
    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_node(triple, cache_policy=KEPT)
    builder.add_node("rest", lambda state: None).add_edge("double", "rest")
    app = builder.add_edge(START, "double").add_edge(START, "triple").compile(cache=cache)
    await app.ainvoke({"n": 1})
    assert (cache.gets, cache.sets) == ([2], [2])


async def test_r2_a_hit_is_stored_with_its_step(saver: Any) -> None:
    cache: Any = InMemoryCache()
    app = one(double, cache, saver=saver)
    await app.ainvoke({"n": 1}, thread("first"))
    await app.ainvoke({"n": 1}, thread("second"))
    histories = [[s async for s in app.aget_state_history(thread(name))] for name in ("first", "second")]
    first, second = ([(s.values, [(t.name, t.result) for t in s.tasks]) for s in h] for h in histories)
    assert first == second
    assert len(calls) == 1


async def test_r2_a_hit_beside_a_failure_is_not_run_when_the_thread_goes_on(saver: Any) -> None:
    fails = [True]

    async def other(state: Sum) -> dict[str, Any]:
        if fails:
            raise LookupError("once")
        return {"total": 100}

    cache: Any = InMemoryCache()
    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_node("other", other)
    app = builder.add_edge(START, "double").add_edge(START, "other").compile(saver, cache=cache)
    for name in ("first", "second"):
        with pytest.raises(LookupError):
            await app.ainvoke({"n": 1}, thread(name))
    fails.clear()
    cache.clear()
    assert await app.ainvoke(None, thread("second")) == {"n": 1, "total": 102}
    assert calls == [("double", 1)]


async def test_r2_a_cached_task_is_remembered_for_the_next_attempt(saver: Any) -> None:
    @entrypoint(saver, cache=InMemoryCache())
    async def run(n: int) -> str:
        return f"{await square(n)} {interrupt('go on?')}"

    await run.ainvoke(3, thread("first"))
    await run.ainvoke(3, thread("second"))
    assert await run.ainvoke(Command(resume="yes"), thread("second")) == "9 yes"
    assert calls == [3]


async def test_r2_a_cached_call_is_streamed_as_cached() -> None:
    @entrypoint(cache=InMemoryCache())
    async def run(n: int) -> int:
        return await square(n)

    await run.ainvoke(2)
    chunks = [chunk async for chunk in run.astream(2, stream_mode="updates")]
    assert chunks == [{"square": 4, "__metadata__": {"cached": True}}, {"run": 4}]


async def test_r2_a_breakpoint_before_a_cached_node_still_stops(saver: Any) -> None:
    app = one(double, InMemoryCache(), saver=saver)
    await app.ainvoke({"n": 1}, thread("first"))
    await app.ainvoke({"n": 1}, thread("t"), interrupt_before=["node"])
    assert (await app.aget_state(thread("t"))).next == ("node",)
    assert await app.ainvoke(None, thread("t")) == {"n": 1, "total": 2}
    assert len(calls) == 1


def test_r2_a_run_without_a_loop_finds_hits(tmp_path: Path) -> None:
    for cache in (InMemoryCache[Any](), SqliteCache[Any](path=tmp_path / "c.db")):
        calls.clear()
        app = one(plain_double, cache)
        assert [app.invoke({"n": 1})["total"] for _ in range(2)] == [2, 2]
        assert len(calls) == 1
        if isinstance(cache, SqliteCache):
            cache.close()


# ---- R3: what is kept


async def test_r3_where_a_node_led_is_kept() -> None:
    def route(state: Log) -> str:
        calls.append("route")
        return "b"

    def says(word: str) -> Any:
        return lambda state: {"log": [word]}

    builder: Any = StateGraph(Log).add_node("a", says("a"), cache_policy=KEPT).add_node("b", says("b"))
    app = builder.add_edge(START, "a").add_conditional_edges("a", route).compile(cache=InMemoryCache())
    assert [await app.ainvoke({}) for _ in range(2)] == [{"log": ["a", "b"]}] * 2
    assert calls == ["route"]


async def test_r3_gotos_and_sends_are_kept(cache: Any) -> None:
    async def node(state: Log) -> Command[Any]:
        calls.append("node")
        return Command(update={"log": ["node"]}, goto=["there", Send("there", {"log": ["sent"]})])

    async def there(state: Log) -> dict[str, Any]:
        return {"log": [f"there {state['log']}"]}

    builder: Any = StateGraph(Log).add_node("node", node, cache_policy=KEPT).add_node("there", there)
    app = builder.add_edge(START, "node").compile(cache=cache)
    first = await app.ainvoke({})
    assert await app.ainvoke({}) == first == {"log": ["node", "there ['node']", "there ['sent']"]}
    assert calls == ["node"]


async def test_r3_joins_and_deferred_nodes_are_reached_by_hits() -> None:
    def says(word: str) -> Any:
        return lambda state: {"log": [word]}

    builder: Any = StateGraph(Log).add_node("a", says("a"), cache_policy=KEPT).add_node("b", says("b"))
    builder.add_node("c", says("c")).add_node("d", says("d"), defer=True)
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c").add_edge("a", "d")
    app = builder.compile(cache=InMemoryCache())
    assert [await app.ainvoke({}) for _ in range(2)] == [{"log": ["a", "b", "c", "d"]}] * 2


async def test_r3_a_failure_is_not_kept() -> None:
    async def node(state: Sum) -> None:
        calls.append(1)
        raise LookupError

    app = one(node, InMemoryCache())
    for _ in range(2):
        with pytest.raises(LookupError):
            await app.ainvoke({"n": 1})
    assert len(calls) == 2


async def test_r3_the_result_of_the_attempt_that_succeeded_is_kept() -> None:
    async def node(state: Sum) -> dict[str, Any]:
        calls.append(1)
        if len(calls) < 2:
            raise ConnectionError
        return {"total": 5}

    policy = RetryPolicy(initial_interval=0, jitter=False)
    app = one(node, InMemoryCache(), retry_policy=policy)
    assert [(await app.ainvoke({"n": 1}))["total"] for _ in range(2)] == [5, 5]
    assert len(calls) == 2


async def test_r3_what_an_error_handler_did_is_not_kept() -> None:
    async def node(state: Sum) -> None:
        calls.append(1)
        raise LookupError

    async def handler(state: Sum, error: Any) -> dict[str, Any]:
        return {"total": 1}

    app = one(node, InMemoryCache(), error_handler=handler)
    assert [(await app.ainvoke({"n": 1}))["total"] for _ in range(2)] == [1, 1]
    assert len(calls) == 2


async def test_r3_a_result_is_kept_although_a_node_beside_it_failed() -> None:
    ended = asyncio.Event()

    async def node(state: Sum) -> dict[str, Any]:
        calls.append(1)
        ended.set()
        return {"total": 1}

    async def other(state: Sum) -> None:
        await ended.wait()
        raise LookupError

    builder: Any = StateGraph(Sum).add_node("node", node, cache_policy=KEPT).add_node("other", other)
    app = builder.add_edge(START, "node").add_edge(START, "other").compile(cache=InMemoryCache())
    for _ in range(2):
        with pytest.raises(LookupError):
            await app.ainvoke({"n": 1})
    assert len(calls) == 1


@pytest.mark.parity("R3", differs="answers-are-not-cached: LangGraph keeps the result of a resumed task")
async def test_r3_what_follows_from_an_answer_is_not_kept(saver: Any) -> None:
    async def node(state: Sum) -> dict[str, Any]:
        calls.append(1)
        return {"total": interrupt("how much?")}

    app = one(node, InMemoryCache(), saver=saver)
    for name, answer in (("a", 1), ("b", 2)):
        await app.ainvoke({"n": 1}, thread(name))
        assert (await app.ainvoke(Command(resume=answer), thread(name)))["total"] == answer
    assert len(calls) == 4


async def test_r3_a_result_beside_a_question_is_kept(saver: Any) -> None:
    async def asks(state: Sum) -> dict[str, Any]:
        return {"total": interrupt("how much?")}

    cache: Any = InMemoryCache()
    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_node("asks", asks)
    app = builder.add_edge(START, "double").add_edge(START, "asks").compile(saver, cache=cache)
    await app.ainvoke({"n": 1}, thread("a"))
    await app.ainvoke({"n": 1}, thread("b"))
    assert (await app.ainvoke(Command(resume=5), thread("b")))["total"] == 7
    assert len(calls) == 1


class Secret(Log):
    secret: Annotated[Any, UntrackedValue]


async def test_r3_a_value_that_is_never_stored_is_not_kept_either() -> None:
    async def node(state: Secret) -> dict[str, Any]:
        calls.append(1)
        return {"secret": "s", "log": ["x"]}

    app = one(node, InMemoryCache(), schema=Secret)
    await app.ainvoke({})
    await app.ainvoke({})
    assert len(calls) == 2


@dataclass
class Point:
    x: int


class Place(TypedDict):
    n: int
    point: Point


async def test_r3_values_come_back_with_their_types(cache: Any) -> None:
    async def node(state: Place) -> dict[str, Any]:
        calls.append(1)
        return {"point": Point(state["n"])}

    app = one(node, cache, schema=Place)
    assert [await app.ainvoke({"n": 1}) for _ in range(2)] == [{"n": 1, "point": Point(1)}] * 2
    assert len(calls) == 1


class Model(BaseModel):
    n: int
    point: Point | None = None


@pytest.mark.parametrize("schema", [Model, Place])
async def test_r4_inputs_of_any_schema_are_found(schema: Any) -> None:
    async def node(state: Any) -> dict[str, Any]:
        calls.append(1)
        return {"point": Point(3)}

    app = one(node, InMemoryCache(), schema=schema)
    for n in (1, 1, 2):
        await app.ainvoke({"n": n, "point": Point(1)})
    assert len(calls) == 2


async def test_r3_a_hit_is_a_copy_for_everyone() -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": ["x"]}

    app = one(node, InMemoryCache(), schema=Log)
    (await app.ainvoke({}))["log"].append("mine")
    (await app.ainvoke({}))["log"].append("mine")
    assert await app.ainvoke({}) == {"log": ["x"]}


async def test_r3_a_result_that_cannot_be_stored_costs_a_line_in_the_log(caplog: Any) -> None:
    async def node(state: Log) -> dict[str, Any]:
        return {"log": [object()]}

    with caplog.at_level(logging.WARNING, logger="graphrt"):
        assert len((await one(node, InMemoryCache(), schema=Log).ainvoke({}))["log"]) == 1
    assert "the result of 'node' is not cached" in caplog.text


class Broken(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        raise OSError("gone")

    def set(self, pairs: Any) -> None:
        raise OSError("gone")


async def test_r3_a_cache_that_fails_does_not_fail_the_run(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, logger="graphrt"):
        assert (await one(double, Broken()).ainvoke({"n": 1}))["total"] == 2
    assert "cannot be read" in caplog.text
    assert "cannot be written" in caplog.text


async def test_r3_results_have_the_time_to_live_of_their_policy() -> None:
    clock = FakeClock()
    app = one(double, InMemoryCache(clock=clock.time_ns), policy=CachePolicy(ttl=60))
    for seconds in (0, 59, 1):
        await clock.advance(timedelta(seconds=seconds))
        await app.ainvoke({"n": 1})
    assert len(calls) == 2


def test_r3_a_time_to_live_is_more_than_nothing() -> None:
    with pytest.raises(GraphValidationError, match="ttl of a CachePolicy must be greater than 0"):
        CachePolicy(ttl=0)


async def test_r3_a_result_that_does_not_fit_the_graph_any_more_is_made_anew() -> None:
    cache: Any = InMemoryCache()

    def build(target: str) -> Any:
        builder: Any = StateGraph(Log).add_node("node", leads_to_first, cache_policy=KEPT)
        builder.add_node(target, lambda state: {"log": [target]})
        return builder.add_edge(START, "node").compile(cache=cache, strict=False)

    assert await build("first").ainvoke({}) == {"log": ["first"]}
    assert await build("second").ainvoke({}) == {"log": []}
    assert len(calls) == 2


async def leads_to_first(state: Log) -> Command[Any]:
    calls.append(1)
    return Command(goto="first")


# ---- R4: the default key


async def test_r4_the_order_of_dicts_does_not_matter() -> None:
    @entrypoint(cache=InMemoryCache())
    async def run(given: Any) -> int:
        return await measured(given)

    await run.ainvoke({"a": 1, "b": {"c": 2, "d": 3}})
    assert await run.ainvoke({"b": {"d": 3, "c": 2}, "a": 1}) == 2
    assert len(calls) == 1


@task(cache_policy=KEPT)
async def measured(value: Any) -> int:
    calls.append(value)
    return len(value)


@task(cache_policy=KEPT)
async def moved(point: Point) -> Point:
    calls.append(point)
    return Point(point.x + 1)


async def test_r4_classes_that_annotations_name_need_no_registration() -> None:
    @entrypoint(cache=InMemoryCache())
    async def run(x: int) -> Any:
        return await moved(Point(x))

    assert [await run.ainvoke(1), await run.ainvoke(1)] == [Point(2), Point(2)]
    assert len(calls) == 1


@pytest.mark.parity("R4", differs="the-key-of-an-input: LangGraph pickles it")
async def test_r4_an_input_that_cannot_be_told_by_its_content_is_an_error() -> None:
    @entrypoint(cache=InMemoryCache())
    async def run(x: int) -> Any:
        return await measured(object())

    with pytest.raises(UnkeyableInputError, match=r"'measured' has a cache policy.*key_func"):
        await run.ainvoke(1)


# ---- R5


async def test_r5_a_node_that_wrote_nothing_is_a_hit_too(cache: Any) -> None:
    async def node(state: Log) -> None:
        calls.append(1)

    app = one(node, cache, schema=Log)
    await app.ainvoke({})
    assert await chunks_of(app, {}, "updates") == [
        ("updates", {"node": None, "__metadata__": {"cached": True}})
    ]
    assert len(calls) == 1


# ---- R6: clearing


async def test_r6_clearing_forgets_the_results_of_all_nodes(cache: Any) -> None:
    app = one(double, cache)
    await app.ainvoke({"n": 1})
    await app.aclear_cache()
    await app.ainvoke({"n": 1})
    assert len(calls) == 2


async def test_r6_clearing_some_nodes_leaves_the_others(cache: Any) -> None:
    builder: Any = StateGraph(Sum).add_node(double, cache_policy=KEPT).add_node(triple, cache_policy=KEPT)
    app = builder.add_edge(START, "double").add_edge(START, "triple").compile(cache=cache)
    await app.ainvoke({"n": 1})
    await app.aclear_cache(["triple"])
    await app.ainvoke({"n": 1})
    assert sorted(calls) == [("double", 1), ("triple", 1), ("triple", 1)]


def test_r6_clearing_works_without_a_loop() -> None:
    app = one(plain_double, InMemoryCache())
    app.invoke({"n": 1})
    app.clear_cache()
    app.invoke({"n": 1})
    assert len(calls) == 2


async def test_r6_a_graph_without_a_cache_has_nothing_to_clear() -> None:
    app = one(double, None)
    with pytest.raises(ValueError, match="No cache is set"):
        app.clear_cache()
    with pytest.raises(ValueError, match="No cache is set"):
        await app.aclear_cache()


@pytest.mark.parity("R6", differs="clearing-a-node-that-is-not-there: LangGraph passes it over")
async def test_r6_a_node_that_does_not_exist_cannot_be_cleared() -> None:
    with pytest.raises(GraphValidationError, match=r"no node 'nod' to clear\. Did you mean 'node'"):
        await one(double, InMemoryCache()).aclear_cache(["nod"])


async def test_r6_tasks_are_cleared_by_themselves(cache: Any) -> None:
    @entrypoint(cache=cache)
    async def run(n: int) -> int:
        return await square(n)

    await run.ainvoke(2)
    await square.aclear_cache(cache)
    await run.ainvoke(2)
    await run.ainvoke(2)
    assert calls == [2, 2]


# ---- 1.12


@pytest.mark.parity("1.12")
def test_1_12_caches_are_where_langgraph_has_them() -> None:
    from graphrt.cache import base, memory, sqlite

    assert [base.BaseCache, memory.InMemoryCache, sqlite.SqliteCache] == [
        BaseCache,
        InMemoryCache,
        SqliteCache,
    ]
