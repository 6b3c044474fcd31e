"""Nodes do not see each other except through the state."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, named, says
from tests.engine.worlds import chain, turns

user: ContextVar[str] = ContextVar("user", default="nobody")


def sets(name: str, *, waits: int = 0, plain: bool = False) -> Any:
    """A node that logs who the user is, then becomes the user."""

    def plain_node(state: Any) -> dict[str, Any]:
        found = user.get()
        user.set(name)
        return {"log": [found]}

    async def node(state: Any) -> dict[str, Any]:
        await turns(waits)
        update = plain_node(state)
        await turns(waits)
        assert user.get() == name  # its own setting stays its own, whatever ran meanwhile
        return update

    return named(name, plain_node if plain else node)


KINDS: dict[str, dict[str, Any]] = {"instant": {}, "waiting": {"waits": 2}, "plain": {"plain": True}}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_node_does_not_see_what_the_node_before_it_set(kind: str) -> None:
    app = chain(*(sets(name, **KINDS[kind]) for name in "abc"))
    assert await app.ainvoke({}) == {"log": ["nobody"] * 3}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_caller_does_not_see_what_a_node_set(kind: str) -> None:
    await chain(sets("a", **KINDS[kind])).ainvoke({})
    assert user.get() == "nobody"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_node_does_not_see_what_its_siblings_set(kind: str) -> None:
    nodes = [sets(name, **KINDS[kind]) for name in "abc"]
    app = graph(Log, *nodes, paths=["START a", "START b", "START c"]).compile()
    assert await app.ainvoke({}) == {"log": ["nobody"] * 3}


@pytest.mark.parametrize("kind", KINDS)
async def test_sent_tasks_do_not_see_what_others_set(kind: str) -> None:
    builder = graph(Log, sets("work", **KINDS[kind]), paths=[])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", None)] * 3)
    assert await builder.compile().ainvoke({}) == {"log": ["nobody"] * 3}


@pytest.mark.parametrize("kind", KINDS)
async def test_nodes_see_what_the_caller_set(kind: str) -> None:
    nodes = [sets(name, **KINDS[kind]) for name in "abc"]
    app = graph(Log, *nodes, paths=["START a b", "START c"]).compile()
    token = user.set("caller")
    assert await app.ainvoke({}) == {"log": ["caller"] * 3}
    user.reset(token)


@pytest.mark.parametrize("kind", KINDS)
async def test_nodes_of_a_stream_see_what_its_caller_set(kind: str) -> None:
    app = chain(*(sets(name, **KINDS[kind]) for name in "ab"))
    token = user.set("caller")
    chunks = [chunk async for chunk in app.astream({}, stream_mode="values")]
    user.reset(token)
    assert chunks[-1] == {"log": ["caller"] * 2}


async def test_the_consumer_of_a_stream_does_not_see_what_nodes_set() -> None:
    async for _ in chain(sets("a"), sets("b", waits=1)).astream({}):
        assert user.get() == "nobody"


@pytest.mark.parametrize("waits", [0, 2])
async def test_what_a_router_set_stays_with_its_task(waits: int) -> None:
    async def route(state: Log) -> str:
        await turns(waits)
        user.set("router")
        return "b"

    builder = graph(Log, says("a"), sets("b"), paths=["START a", "b END"]).add_conditional_edges("a", route)
    assert await builder.compile().ainvoke({}) == {"log": ["a", "nobody"]}
    assert user.get() == "nobody"


async def test_runs_at_the_same_time_do_not_see_each_other() -> None:
    app = chain(sets("a", waits=2), sets("b", waits=2))

    async def as_user(name: str) -> Any:
        user.set(name)
        return await app.ainvoke({})

    results = await asyncio.gather(*(as_user(str(n)) for n in range(5)))
    assert results == [{"log": [str(n)] * 2} for n in range(5)]


async def test_a_plain_node_runs_in_another_thread() -> None:
    found: list[int] = []
    await chain(("node", lambda state: found.append(threading.get_ident()))).ainvoke({})
    assert found != [threading.get_ident()]


# ---- inputs


async def test_every_node_gets_an_input_of_its_own() -> None:
    inputs: list[dict[str, Any]] = []

    def keeps(name: str) -> Any:
        async def node(state: dict[str, Any]) -> None:
            inputs.append(state)

        return named(name, node)

    await graph(Log, keeps("a"), keeps("b"), paths=["START a", "START b"]).compile().ainvoke({"log": ["in"]})
    assert inputs[0] == inputs[1]
    assert inputs[0] is not inputs[1]


async def test_a_node_that_changes_its_input_dict_changes_nothing_else() -> None:
    async def vandal(state: dict[str, Any]) -> None:
        state["log"] = ["broken"]
        state["extra"] = 1

    async def witness(state: dict[str, Any]) -> dict[str, Any]:
        await turns(2)
        return {"log": [",".join(state)]}

    app = graph(Log, vandal, witness, says("last"), paths=["START vandal", "START witness last"]).compile()
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "log", "last"]}


async def test_the_callers_input_dict_is_not_touched() -> None:
    given = {"log": ["in"]}
    await chain(says("a"), says("b")).ainvoke(given)
    assert given == {"log": ["in"]}


async def test_a_node_may_change_the_dict_it_returned() -> None:
    update: dict[str, Any] = {}

    async def first(state: Log) -> dict[str, Any]:
        update["log"] = ["first"]
        return update

    async def second(state: Log) -> None:
        update["log"] = ["broken"]

    assert await chain(first, second).ainvoke({}) == {"log": ["first"]}


async def test_streamed_states_are_the_consumers_own() -> None:
    app = chain(says("a"), says("b"))
    states: list[Any] = []
    async for state in app.astream({"log": ["in"]}, stream_mode="values"):
        states.append(dict(state))
        state["log"] = "broken"
    assert states[-1] == {"log": ["in", "a", "b"]}


async def test_streamed_updates_are_the_consumers_own() -> None:
    app = chain(says("a"), says("b"))
    async for update in app.astream({"log": ["in"]}, stream_mode="updates"):
        for written in update.values():
            written.clear()
    assert await app.ainvoke({"log": []}) == {"log": ["a", "b"]}


async def test_a_graph_can_be_run_while_it_runs() -> None:
    depth: list[int] = []

    async def node(state: Log) -> dict[str, Any]:
        depth.append(len(state["log"]))
        if len(depth) < 3:
            return {"log": (await app.ainvoke({"log": ["x"] * len(depth)}))["log"]}
        return {"log": ["deep"]}

    app: Any = chain(node)
    result = await app.ainvoke({"log": []})
    assert depth == [0, 1, 2]
    assert result == {"log": ["x", "x", "x", "deep"]}
