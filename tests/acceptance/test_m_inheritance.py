"""What a graph in a graph has from the run around it (LangGraph M7)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from graphrt.config import get_config
from graphrt.errors import GraphDrained, GraphRecursionError
from graphrt.runtime import RunControl, Runtime
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import calls, chain

Nest = Callable[[Any], Any]
nests = pytest.mark.parametrize(
    "nest", [lambda child: ("child", child), lambda child: calls("child", child)], ids=["as node", "called"]
)


@dataclass
class Context:
    user: str


@nests
@pytest.mark.parity("M7", "U1")
async def test_m7_the_context_reaches_children(nest: Nest) -> None:
    async def tell(state: Log, runtime: Runtime[Context]) -> dict[str, Any]:
        return {"log": [runtime.context.user]}

    app = chain(nest(chain(nest(chain(tell)))))
    assert await app.ainvoke({"log": []}, context=Context("Ann")) == {"log": ["Ann"]}


@nests
@pytest.mark.parity("M7")
async def test_m7_what_the_caller_configured_reaches_children(nest: Nest) -> None:
    seen: list[Any] = []

    async def look(state: Log) -> None:
        config = get_config()
        seen.append((config["configurable"]["user"], config["tags"], config["metadata"]["origin"]))

    config = {"configurable": {"user": "u1"}, "tags": ["t1"], "metadata": {"origin": "test"}}
    await chain(nest(chain(nest(chain(look))))).ainvoke({"log": []}, config)
    assert seen == [("u1", ["t1"], "test")]


@pytest.mark.parity("M7")
async def test_m7_a_call_may_add_to_what_is_inherited() -> None:
    seen: list[Any] = []

    async def look(state: Log) -> None:
        config = get_config()
        seen.append((config["configurable"]["user"], config["configurable"]["more"], config["tags"]))

    child = chain(look)

    async def node(state: Log) -> None:
        await child.ainvoke(state, {"configurable": {"more": 1}, "tags": ["t2"]})

    await chain(node).ainvoke({"log": []}, {"configurable": {"user": "u1"}, "tags": ["t1"]})
    assert seen == [("u1", 1, ["t1", "t2"])]


@pytest.mark.parity("M7")
async def test_m7_what_a_call_adds_is_not_seen_by_others() -> None:
    seen: list[Any] = []

    async def look(state: Log) -> None:
        seen.append(get_config()["configurable"].get("more"))

    child = chain(look)

    async def node(state: Log) -> None:
        await child.ainvoke(state, {"configurable": {"more": 1}})

    await chain(node, ("after", child), look).ainvoke({"log": []}, {"configurable": {"user": "u1"}})
    assert seen == [1, None, None]


@nests
@pytest.mark.parity("M7", "A12")
async def test_m7_every_graph_has_the_step_limit_for_itself(nest: Nest) -> None:
    app = chain(says("x"), nest(chain(*map(says, "abc"))), says("y"))
    assert (await app.ainvoke({"log": []}, {"recursion_limit": 4}))["log"][-4:] == ["a", "b", "c", "y"]


@nests
@pytest.mark.parity("M7", "A12")
async def test_m7_the_step_limit_reaches_children(nest: Nest) -> None:
    app = chain(nest(chain(*map(says, "abcd"))))
    with pytest.raises(GraphRecursionError, match="Recursion limit of 3"):
        await app.ainvoke({"log": []}, {"recursion_limit": 3})


@nests
@pytest.mark.parity("M7", "A16")
async def test_m7_max_concurrency_reaches_children(nest: Nest) -> None:
    running = peak = 0

    async def work(item: int) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1

    builder = graph(Log, work, paths=[])
    builder.add_conditional_edges("__start__", lambda _: [Send("work", n) for n in range(6)])
    await chain(nest(builder.compile())).ainvoke({"log": []}, {"max_concurrency": 2})
    assert peak == 2


@pytest.mark.parity("M7", "A16")
async def test_m7_graphs_that_wait_for_their_children_take_no_place_from_them() -> None:
    child = chain(says("c"))
    app = graph(Log, calls("a", child), calls("b", child), paths=["START a", "START b"]).compile()
    assert await app.ainvoke({"log": []}, {"max_concurrency": 1}) == {"log": ["c", "c"]}


@nests
@pytest.mark.parity("M7", "O7")
async def test_m7_a_drained_run_stops_inside_its_children(nest: Nest, saver: Any) -> None:
    control = RunControl()

    async def stop(state: Log) -> dict[str, Any]:
        control.request_drain()
        return {"log": ["stop"]}

    app = chain(nest(chain(stop, says("inner"))), says("outer"), checkpointer=saver)
    with pytest.raises(GraphDrained):
        await app.ainvoke({"log": []}, thread(), control=control)
    assert await app.ainvoke(None, thread()) == {"log": ["stop", "inner", "outer"]}
