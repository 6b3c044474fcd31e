"""How the results of a superstep become the next state (LangGraph E1-E13)."""

import asyncio
import operator
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.errors import InvalidUpdateError
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, named, says, thread


class Relay:
    """Nodes that finish in the order they are listed in, whatever order they are started in."""

    def __init__(self, *order: str) -> None:
        self.turn = {word: asyncio.Event() for word in order}
        self.next = dict(pairwise(order))
        self.turn[order[0]].set()

    def node(self, word: str) -> Any:
        async def node(state: Any) -> dict[str, Any]:
            return await self.pass_on(word)

        return named(word, node)

    async def pass_on(self, word: str) -> dict[str, Any]:
        await self.turn[word].wait()
        if follower := self.next.get(word):
            self.turn[follower].set()
        return {"log": [word]}


@pytest.mark.parity("E1")
async def test_e1_reducers_see_nodes_by_name() -> None:
    relay = Relay("c", "a", "b")
    nodes = [relay.node("b"), relay.node("c"), relay.node("a")]
    app = graph(Log, *nodes, paths=["START c", "START b", "START a"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("E1")
async def test_e1_reducers_see_sends_by_index() -> None:
    relay = Relay(*reversed([f"s{i}" for i in range(12)]))

    async def work(word: str) -> dict[str, Any]:
        return await relay.pass_on(word)

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", f"s{i}") for i in range(12)])
    assert await builder.compile().ainvoke({}) == {"log": [f"s{i}" for i in range(12)]}


@pytest.mark.parity("E1")
async def test_e1_reducers_see_edges_before_sends() -> None:
    async def work(word: str) -> dict[str, Any]:
        return {"log": [word]}

    builder = graph(Log, says("z"), says("b"), ("a_work", work), paths=["START z", "START b"])
    builder.add_conditional_edges("__start__", lambda state: [Send("a_work", "s0"), Send("a_work", "s1")])
    assert await builder.compile().ainvoke({}) == {"log": ["b", "z", "s0", "s1"]}


@pytest.mark.parity("E1")
async def test_e1_sends_of_several_nodes_come_in_the_order_of_the_nodes() -> None:
    async def work(word: str) -> dict[str, Any]:
        return {"log": [word]}

    def sends(word: str) -> Any:
        async def node(state: Log) -> Any:
            return Command(goto=[Send("work", f"{word}0"), Send("work", f"{word}1")])

        return named(word, node)

    app = graph(Log, sends("q"), sends("p"), work, paths=["START q", "START p"]).compile()
    assert await app.ainvoke({}) == {"log": ["p0", "p1", "q0", "q1"]}


class Folded(TypedDict):
    word: Annotated[str, lambda left, right: f"({left}{right})"]


@pytest.mark.parity("E6")
async def test_e6_a_reducer_folds_one_write_at_a_time() -> None:
    def writes(letter: str) -> Any:
        return letter, lambda state: {"word": letter}

    app = graph(Folded, writes("a"), writes("b"), writes("c"), paths=["START a", "START b", "START c"])
    assert await app.compile().ainvoke({"word": "x"}) == {"word": "((((x)a)b)c)"}


class Counted(Log):
    n: int


@pytest.mark.parity("E12")
async def test_e12_conflicting_writes_fail_after_all_nodes_ran() -> None:
    ran: list[str] = []

    def writes(name: str) -> Any:
        async def node(state: Counted) -> dict[str, Any]:
            ran.append(name)
            return {"n": 1}

        return name, node

    app = graph(Counted, writes("a"), writes("b"), says("c"), paths=["START a c", "START b"]).compile()
    with pytest.raises(InvalidUpdateError):
        await app.ainvoke({})
    assert sorted(ran) == ["a", "b"]


@pytest.mark.parity("E12")
async def test_e12_conflicting_writes_stay_and_fail_again(saver: Any) -> None:
    ran: list[str] = []

    def writes(name: str) -> Any:
        async def node(state: Counted) -> dict[str, Any]:
            ran.append(name)
            return {"n": 1}

        return name, node

    app = graph(Counted, writes("a"), writes("b"), paths=["START a", "START b"]).compile(checkpointer=saver)
    for given in ({"log": ["in"]}, None):
        with pytest.raises(InvalidUpdateError):
            await app.ainvoke(given, thread())
    assert sorted(ran) == ["a", "b"]


@pytest.mark.parity("E12")
async def test_e12_a_failed_commit_leaves_the_thread_at_the_step_before(saver: Any) -> None:
    def writes(name: str) -> Any:
        return name, lambda state: {"n": 1, "log": [name]}

    nodes = [says("first"), writes("a"), writes("b")]
    app = graph(Counted, *nodes, paths=["START first a", "first b"]).compile(checkpointer=saver)
    with pytest.raises(InvalidUpdateError):
        await app.ainvoke({}, thread())
    [latest] = [s async for s in app.aget_state_history(thread(), limit=1)]
    assert (latest.values, latest.next) == ({"log": ["first"]}, ("a", "b"))


@pytest.mark.parity("E12")
async def test_e12_an_error_in_a_reducer_reaches_the_caller() -> None:
    app = graph(Log, ("a", lambda state: {"log": 5}), paths=["START a"]).compile()
    with pytest.raises(TypeError):
        await app.ainvoke({"log": ["in"]})


@pytest.mark.parity("E13")
async def test_e13_a_nodes_writes_keep_their_order() -> None:
    async def several(state: Log) -> Any:
        return [
            Command(update={"log": ["1"]}),
            {"log": ["2"]},
            Command(update=[("log", ["3"]), ("log", ["4"])]),
        ]

    app = graph(Log, several, paths=["START several"]).compile()
    assert await app.ainvoke({}) == {"log": ["1", "2", "3", "4"]}


@pytest.mark.parity("E13")
async def test_e13_sends_of_goto_come_before_sends_of_branches() -> None:
    async def work(word: str) -> dict[str, Any]:
        return {"log": [word]}

    async def a(state: Log) -> Any:
        return Command(goto=Send("work", "goto"))

    builder = graph(Log, a, work, paths=["START a"])
    builder.add_conditional_edges("a", named("one", lambda state: Send("work", "branch one")))
    builder.add_conditional_edges("a", named("two", lambda state: Send("work", "branch two")))
    assert await builder.compile().ainvoke({}) == {"log": ["goto", "branch one", "branch two"]}


class Sum(TypedDict):
    n: Annotated[int, operator.add]


@pytest.mark.parity("E1")
async def test_e1_parallel_writes_all_count() -> None:
    async def one(state: Any) -> dict[str, Any]:
        return {"n": 1}

    builder = graph(Sum, one, paths=["one END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("one", None)] * 50)
    assert await builder.compile().ainvoke({"n": 0}) == {"n": 50}
