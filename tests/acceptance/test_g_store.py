"""Stores, and what was saved before, are given to whoever asks for them (LangGraph G3)."""

from typing import Any, Optional

import pytest

from graphrt.errors import MissingStoreError
from graphrt.func import entrypoint, task
from graphrt.graph import START, StateGraph
from graphrt.runtime import Runtime
from graphrt.store.base import BaseStore
from graphrt.store.memory import InMemoryStore
from tests.acceptance.graphs import Log, graph, thread


def one(node: Any, **options: Any) -> Any:
    """A compiled graph of one node."""
    builder: Any = StateGraph(Log).add_node("node", node)
    return builder.add_edge(START, "node").compile(**options)


async def test_g3_a_store_is_injected_by_name_and_annotation() -> None:
    async def node(state: Log, store: BaseStore) -> dict[str, Any]:
        await store.aput(("notes",), "k", {"n": 1})
        return {"log": [str((await store.aget(("notes",), "k")).value["n"])]}  # type: ignore[union-attr]

    assert await one(node, store=InMemoryStore()).ainvoke({}) == {"log": ["1"]}


@pytest.mark.parity("G3", differs="a-store-that-is-not-there: LangGraph passes None")
async def test_g3_a_store_that_is_missing_is_an_error_that_says_what_to_do() -> None:
    async def node(state: Log, store: BaseStore) -> None: ...

    with pytest.raises(MissingStoreError, match=r"Node 'node' asks for a store.*compile\(store="):
        await one(node).ainvoke({})


def optional(state: Log, *, store: BaseStore | None) -> dict[str, Any]:
    return {"log": [str(store)]}


def old_optional(state: Log, *, store: Optional[BaseStore]) -> dict[str, Any]:  # noqa: UP045 - as users do
    return {"log": [str(store)]}


def with_default(state: Log, *, store: BaseStore = None) -> dict[str, Any]:  # type: ignore[assignment]
    return {"log": [str(store)]}


@pytest.mark.parametrize("node", [optional, old_optional, with_default])
async def test_g3_a_node_may_do_without_a_store(node: Any) -> None:
    assert await one(node).ainvoke({}) == {"log": ["None"]}


async def test_g3_graphs_inside_have_the_store_of_the_outermost() -> None:
    outer, inner = InMemoryStore(), InMemoryStore()

    async def which(state: Log, store: BaseStore) -> dict[str, Any]:
        return {"log": ["outer" if store is outer else "inner"]}

    child = one(which, store=inner)
    assert await one(child, store=outer).ainvoke({}) == {"log": ["outer"]}
    assert await one(child).ainvoke({}) == {"log": ["inner"]}


async def test_g3_routers_are_given_the_store() -> None:
    store = InMemoryStore()

    async def node(state: Log) -> None: ...

    async def route(state: Log, store: BaseStore) -> str:
        item = await store.aget(("where",), "to")
        return "__end__" if item is None else str(item.value["node"])

    builder = graph(Log, node, ("end", lambda state: {"log": ["end"]}), paths=["START node"])
    app = builder.add_conditional_edges("node", route).compile(store=store)
    await store.aput(("where",), "to", {"node": "end"})
    assert await app.ainvoke({}) == {"log": ["end"]}


async def test_g3_routers_are_given_the_store_while_a_state_is_edited(saver: Any) -> None:
    store = InMemoryStore()
    asked: list[bool] = []

    async def node(state: Log) -> None: ...

    async def route(state: Log, store: BaseStore) -> str:
        asked.append(await store.aget(("where",), "to") is None)
        return "__end__"

    app = (
        graph(Log, node, paths=["START node"])
        .add_conditional_edges("node", route)
        .compile(saver, store=store)
    )
    await app.aupdate_state(thread("t"), {"log": ["x"]}, as_node="node")
    assert asked == [True]


async def test_g3_entrypoints_and_tasks_are_given_the_store() -> None:
    store = InMemoryStore()

    @task
    async def remember(value: int, *, store: BaseStore) -> None:
        await store.aput(("n",), "k", {"value": value})

    @entrypoint(store=store)
    async def run(value: int, *, store: BaseStore) -> Any:
        await remember(value)
        item = await store.aget(("n",), "k")
        return None if item is None else item.value

    assert await run.ainvoke(3) == {"value": 3}


async def test_g3_previous_is_none_in_nodes() -> None:
    async def node(state: Log, previous: Any) -> dict[str, Any]:
        return {"log": [str(previous)]}

    assert await one(node).ainvoke({}) == {"log": ["None"]}


async def test_g3_previous_is_what_an_entrypoint_saved(saver: Any) -> None:
    @entrypoint(saver)
    async def total(n: int, *, previous: int | None, runtime: Runtime[Any]) -> int:
        assert runtime.previous == previous
        return n + (previous or 0)

    await total.ainvoke(1, thread("t"))
    assert await total.ainvoke(2, thread("t")) == 3
