"""The long-term store (LangGraph S). What every store must do beyond this is in graphrt.testing.store_conformance."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict

import pytest

from graphrt import START, StateGraph
from graphrt.config import get_store
from graphrt.errors import InvalidFilterError, InvalidNamespaceError
from graphrt.runtime import Runtime
from graphrt.store.base import BaseStore, GetOp, PutOp, SearchOp
from graphrt.store.batch import AsyncBatchedBaseStore
from graphrt.store.memory import InMemoryStore
from graphrt.testing.clock import FakeClock
from tests.store.backends import STORES

HERE = ("users", "ada")


async def letters(texts: Any) -> list[list[float]]:
    return [[float(text.count(letter)) for letter in "abc"] for text in texts]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[BaseStore]:
    index = {"dims": 3, "embed": letters, "fields": ["text"]}
    async with STORES[request.param](tmp_path, clock=clock, index=index, ttl={"default_ttl": None}) as opened:
        await forget_everything(opened, clock)
        yield opened


async def forget_everything(store: Any, clock: FakeClock) -> None:
    """The database may be one for all tests."""
    clock.move(timedelta(days=10_000))
    await store.sweep_ttl()
    await store.abatch(
        [PutOp(item.namespace, item.key, None) for item in await store.asearch((), limit=100_000)]
    )


def keys(found: list[Any]) -> list[str]:
    return [item.key for item in found]


# ---- S1 namespaces


@pytest.mark.parametrize("namespace", [(), ("",), ("a.b",), ("a\0",), ("langgraph", "x"), (1,)])
async def test_s1_no_item_goes_into_a_namespace_that_cannot_be(store: BaseStore, namespace: Any):
    with pytest.raises(InvalidNamespaceError) as caught:
        await store.aput(namespace, "k", {})
    assert caught.value.namespace == namespace
    assert isinstance(caught.value, ValueError)


async def test_s1_reads_may_begin_at_the_top(store: BaseStore):
    await store.aput(HERE, "k", {})
    assert keys(await store.asearch(())) == ["k"]
    assert await store.alist_namespaces() == [HERE]


# ---- S2 values


async def test_s2_put_replaces_and_keeps_when_the_item_came(store: BaseStore, clock: FakeClock):
    await store.aput(HERE, "k", {"n": 1, "list": [1]})
    clock.move(timedelta(hours=1))
    await store.aput(HERE, "k", {"n": 2})
    item = await store.aget(HERE, "k")
    assert item is not None
    assert item.value == {"n": 2}
    assert item.updated_at - item.created_at == timedelta(hours=1)


async def test_s2_none_deletes(store: BaseStore):
    await store.aput(HERE, "k", {})
    await store.abatch([PutOp(HERE, "k", None)])
    assert await store.aget(HERE, "k") is None


# ---- S3 search


async def test_s3_prefix_is_of_whole_labels(store: BaseStore):
    for namespace in (("users", "ada"), ("users", "ada", "notes"), ("users", "adam")):
        await store.aput(namespace, ".".join(namespace), {})
    assert keys(await store.asearch(HERE)) == ["users.ada", "users.ada.notes"]


@pytest.mark.parametrize(
    "filter, found",
    [
        ({"age": 10}, {"ten"}),
        ({"age": {"$gt": 9}}, {"ten"}),
        ({"age": {"$lte": 9.0}}, {"nine"}),
        ({"age": {"$ne": 9}}, {"ten", "text"}),
        ({"age": {"$gte": "9"}}, {"text"}),
        ({"home": {"city": "Rome"}}, {"ten"}),
        ({"tags": ["a", "b"]}, {"ten"}),
    ],
)
async def test_s3_filter_means_the_same_on_every_backend(store: BaseStore, filter: Any, found: set[str]):
    await store.aput(HERE, "ten", {"age": 10, "home": {"city": "Rome", "zip": 1}, "tags": ["a", "b"]})
    await store.aput(HERE, "nine", {"age": 9, "tags": ["a"]})
    await store.aput(HERE, "text", {"age": "9"})
    assert set(keys(await store.asearch(HERE, filter=filter))) == found


async def test_s3_unknown_operator_is_an_error(store: BaseStore):
    with pytest.raises(InvalidFilterError, match=r"\$get.*\$.age"):
        await store.asearch(HERE, filter={"age": {"$get": 1}})


async def test_s3_last_put_comes_first(store: BaseStore, clock: FakeClock):
    for key in ("a", "b", "c", "a"):
        clock.move(1)
        await store.aput(HERE, key, {})
    assert keys(await store.asearch(HERE)) == ["a", "c", "b"]


# ---- S4 meaning


async def test_s4_query_brings_the_nearest_first(store: BaseStore):
    for text in ("bbb", "aab", "aaa"):
        await store.aput(HERE, text, {"text": text})
    found = await store.asearch(HERE, query="a")
    assert keys(found) == ["aaa", "aab", "bbb"]
    assert found[0].score == pytest.approx(1)


async def test_s4_item_says_what_of_it_is_embedded(store: BaseStore):
    notes = {"text": "c", "notes": [{"body": "b"}, {"body": "a"}], "by": {"x": "ab", "y": "b"}}
    await store.aput(HERE, "best part", notes, index=["notes[*].body", "by.{x,y}"])
    await store.aput(HERE, "half", {"text": "ab"})
    await store.aput(HERE, "nothing", {"text": "a"}, index=False)
    found = await store.asearch(HERE, query="a")
    assert keys(found) == ["best part", "half", "nothing"]
    assert found[0].score == pytest.approx(1)
    assert found[2].score is None


# ---- S5 namespaces


async def test_s5_listing_matches_both_ends_and_cuts_off(store: BaseStore):
    for namespace in (("a", "1", "x"), ("a", "2", "x"), ("a", "2", "y"), ("b", "1", "x")):
        await store.aput(namespace, "k", {})
    assert await store.alist_namespaces(prefix=("a",), suffix=("x",)) == [("a", "1", "x"), ("a", "2", "x")]
    assert await store.alist_namespaces(prefix=("*", "1")) == [("a", "1", "x"), ("b", "1", "x")]
    assert await store.alist_namespaces(max_depth=2) == [("a", "1"), ("a", "2"), ("b", "1")]
    assert await store.alist_namespaces(max_depth=2, limit=1, offset=1) == [("a", "2")]


# ---- S6 time to live


async def test_s6_item_ends_unless_it_is_read(store: BaseStore, clock: FakeClock):
    assert store.supports_ttl
    for key in ("read", "seen", "left"):
        await store.aput(HERE, key, {}, ttl=10)
    clock.move(timedelta(minutes=6))
    await store.aget(HERE, "read")
    await store.aget(HERE, "seen", refresh_ttl=False)
    clock.move(timedelta(minutes=6))
    assert keys(await store.asearch(HERE)) == ["read"]


async def test_s6_sweeper_deletes_what_is_over(store: Any, clock: FakeClock):
    sweeps: asyncio.Queue[int] = asyncio.Queue()
    sweep = store.sweep_ttl

    async def counted() -> None:
        await sweeps.put(await sweep())

    store.sweep_ttl = counted
    await store.aput(HERE, "k", {}, ttl=1)
    await store.start_ttl_sweeper(5)
    await clock.advance(timedelta(minutes=5))
    assert await sweeps.get() == 1
    assert await store.stop_ttl_sweeper()


# ---- S7 batches


async def test_s7_reads_of_a_batch_see_what_was_before(store: BaseStore):
    await store.aput(HERE, "k", {"n": 1})
    ops = [PutOp(HERE, "k", {"n": 2}), GetOp(HERE, "k"), PutOp(HERE, "k", {"n": 3}), SearchOp(HERE)]
    nothing, got, _, [found] = await store.abatch(ops)
    assert nothing is None
    assert got.value == found.value == {"n": 1}
    assert (await store.aget(HERE, "k")).value == {"n": 3}


async def test_s7_what_is_asked_in_one_turn_of_the_loop_is_one_batch():
    batches: list[list[Any]] = []

    class Listening(AsyncBatchedBaseStore):
        def __init__(self) -> None:
            self.inner = InMemoryStore()

        async def abatch(self, ops: Any) -> Any:
            batches.append(list(ops))
            return await self.inner.abatch(batches[-1])

    store = Listening()
    await asyncio.gather(*(store.aput(HERE, "k", {"n": n}) for n in range(3)), store.aget(HERE, "k"))
    assert [len(batch) for batch in batches] == [4]
    item = await store.aget(HERE, "k")
    assert item is not None
    assert item.value == {"n": 2}


# ---- S8 in nodes


class State(TypedDict, total=False):
    seen: str


async def test_s8_nodes_get_the_store_by_parameter_runtime_or_function(store: BaseStore):
    given: list[Any] = []

    async def by_parameter(state: State, *, store: BaseStore) -> State:
        given.append(store)
        return {}

    async def by_runtime(state: State, runtime: Runtime) -> State:
        given.append(runtime.store)
        return {}

    async def by_function(state: State) -> State:
        given.append(get_store())
        return {}

    builder = StateGraph(State)
    builder.add_sequence([by_parameter, by_runtime, by_function])
    builder.add_edge(START, "by_parameter")
    await builder.compile(store=store).ainvoke({})
    assert len(given) == 3
    assert all(one is store for one in given)


async def test_s8_graphs_inside_have_the_store_of_the_root(store: BaseStore):
    async def remember(state: State, *, store: BaseStore) -> State:
        await store.aput(HERE, "k", {"from": "inside"})
        return {"seen": "yes"}

    inner = StateGraph(State).add_node(remember).add_edge(START, "remember").compile(store=InMemoryStore())
    outer = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile(store=store)
    assert await outer.ainvoke({}) == {"seen": "yes"}
    item = await store.aget(HERE, "k")
    assert item is not None
    assert item.value == {"from": "inside"}


async def test_s8_sync_nodes_use_the_store_too(store: BaseStore):
    def remember(state: State, *, store: BaseStore) -> State:
        store.put(HERE, "k", {"n": 1})
        item = store.get(HERE, "k")
        assert item is not None
        return {"seen": str(item.value["n"])}

    async def other(state: State) -> None:
        """A second node, so that the sync one runs in a worker thread."""

    builder = StateGraph(State).add_node(remember).add_node(other)
    builder.add_edge(START, "remember").add_edge(START, "other")
    assert await builder.compile(store=store).ainvoke({}) == {"seen": "1"}
