"""Graphs in graphs: what goes in and what comes out (LangGraph M1)."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from graphrt.channels import EphemeralValue, LastValue
from graphrt.config import RunnableConfig
from graphrt.errors import InvalidUpdateError
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Send, interrupt
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import answered, asks, calls, chain, names, namespaces
from tests.acceptance.streams import chunks


class Sum(TypedDict, total=False):
    a: int
    b: int
    total: int


class Terms(TypedDict, total=False):
    a: int
    b: int


class Total(TypedDict, total=False):
    total: int


# ---- what goes in and out


@pytest.mark.parity("M1")
async def test_m1_a_graph_as_a_node_is_given_the_keys_of_its_input_schema() -> None:
    seen: list[Any] = []

    async def look(state: Terms) -> None:
        seen.append(state)

    child = graph(Sum, look, paths=["START look"], input_schema=Terms).compile()
    await chain(("child", child), schema=Sum).ainvoke({"a": 1, "b": 2, "total": 9})
    assert seen == [{"a": 1, "b": 2}]


@pytest.mark.parity("M1")
async def test_m1_its_output_is_an_update_of_the_node() -> None:
    async def add(state: Sum) -> dict[str, Any]:
        return {"total": state["a"] + state["b"], "a": 0}

    child = graph(Sum, add, paths=["START add"], output_schema=Total).compile()
    app = chain(("child", child), schema=Sum)
    assert await app.ainvoke({"a": 1, "b": 2}) == {"a": 1, "b": 2, "total": 3}
    assert await chunks(app, {"a": 1, "b": 2}, stream_mode="updates") == [{"child": {"total": 3}}]


@pytest.mark.parity("M1")
async def test_m1_a_shared_log_gets_all_that_the_child_has_logged() -> None:
    app = chain(("child", chain(says("c"))), says("last"))
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "in", "c", "last"]}


@pytest.mark.parity("M1")
async def test_m1_keys_that_only_the_child_has_stay_inside() -> None:
    class Inner(Log):
        secret: int

    async def hide(state: Inner) -> dict[str, Any]:
        return {"secret": 1, "log": ["hid"]}

    app = chain(("child", chain(hide, schema=Inner)))
    assert await chunks(app, {"log": []}, stream_mode="updates") == [{"child": {"log": ["hid"]}}]


@pytest.mark.parity("M1")
async def test_m1_a_graph_that_shares_no_key_runs_on_an_empty_state() -> None:
    seen: list[Any] = []

    async def look(state: Terms) -> dict[str, Any]:
        seen.append(dict(state))
        return {"a": 1}

    app = chain(("child", chain(look, schema=Terms)))
    assert (await app.ainvoke({"log": ["in"]}), seen) == ({"log": ["in"]}, [{}])


@pytest.mark.parity("M1")
async def test_m1_a_graph_without_any_value_updates_nothing() -> None:
    async def silent(state: Total) -> None:
        return None

    app = chain(("child", chain(silent, schema=Total)), schema=Terms)
    assert await chunks(app, {"a": 1}, stream_mode="updates") == [{"child": None}]


@pytest.mark.parity("M1")
async def test_m1_a_state_of_another_class_is_read_by_its_keys() -> None:
    @dataclass
    class Pair:
        a: int = 0
        b: int = 0

    async def more(state: Terms) -> dict[str, Any]:
        return {"a": state["a"] + 1}

    app = chain(("child", chain(more, schema=Terms)), schema=Pair)
    assert await app.ainvoke({"a": 1, "b": 2}) == {"a": 2, "b": 2}


@pytest.mark.parity("M1")
async def test_m1_graphs_beside_each_other_return_the_keys_they_share() -> None:
    async def add(state: Terms) -> dict[str, Any]:
        return {"b": 1}

    child = chain(add, schema=Terms)
    app = graph(Terms, ("left", child), ("right", child), paths=["START left", "START right"]).compile()
    with pytest.raises(InvalidUpdateError, match="Can receive only one value per step"):
        await app.ainvoke({"a": 1})


@pytest.mark.parity("M1", "H1")
async def test_m1_a_graph_may_be_sent_its_input() -> None:
    async def tell(state: Any) -> dict[str, Any]:
        return {"log": [f"a={state['a']}"]}

    class Inner(Log):
        a: int

    builder = graph(Log, ("child", chain(tell, schema=Inner)), paths=[])
    app = builder.add_conditional_edges("__start__", lambda _: [Send("child", {"a": n}) for n in (1, 2)])
    assert await app.compile().ainvoke({"log": ["in"]}) == {"log": ["in", "a=1", "a=2"]}


@pytest.mark.parity("M1")
async def test_m1_a_router_after_a_graph_sees_the_state_with_its_output() -> None:
    builder = graph(Log, ("child", chain(says("c"))), says("yes"), says("no"), paths=["START child"])
    builder.add_conditional_edges("child", lambda state: "yes" if "c" in state["log"] else "no")
    assert await builder.compile().ainvoke({}) == {"log": ["c", "yes"]}


@pytest.mark.parity("M1")
async def test_m1_what_a_child_raises_reaches_the_caller_as_it_is() -> None:
    async def fails(state: Log) -> None:
        raise LookupError("lost")

    for inner in (("child", chain(fails)), calls("child", chain(fails))):
        with pytest.raises(LookupError, match="lost"):
            await chain(inner).ainvoke({"log": []})


@pytest.mark.parity("M1")
async def test_m1_a_graph_called_by_a_node_may_have_any_state() -> None:
    async def add(state: Sum) -> dict[str, Any]:
        return {"total": state["a"] + state["b"]}

    child = chain(add, schema=Sum)

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"a": 1, "b": 2}))["total"])]}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["3"]}


@pytest.mark.parity("M1")
def test_m1_plain_functions_call_graphs_behind_the_blocking_door() -> None:
    child = chain(("c", lambda state: {"log": ["c"]}))

    def node(state: Log) -> Any:
        return child.invoke({"log": []})

    parts = list(chain(node).stream({"log": []}, stream_mode="updates", subgraphs=True))
    assert [(names(ns), chunk) for ns, chunk in parts] == [
        (["node"], {"c": {"log": ["c"]}}),
        ([], {"node": {"log": ["c"]}}),
    ]


@pytest.mark.parity("M1", "I15")
async def test_m1_plain_functions_in_worker_threads_call_graphs_that_pause(saver: Any) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("name")]}

    child = chain(ask)

    def node(state: Log) -> Any:
        return child.invoke({"log": []})

    app = chain(node, checkpointer=saver)
    (asked,) = (await app.ainvoke({"log": []}, thread()))["__interrupt__"]
    assert asked.value == "name"
    assert await answered(app, thread(), "Ann") == {"log": ["Ann"]}


@pytest.mark.parity("M1")
async def test_m1_a_program_of_channels_may_be_called_by_a_node() -> None:
    shout = NodeBuilder().subscribe_only("word").do(lambda word: word.upper()).write_to("loud")
    channels = {"word": EphemeralValue(str), "loud": LastValue(str)}
    program = Pregel(nodes={"shout": shout}, channels=channels, input_channels="word", output_channels="loud")

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await program.ainvoke("hey")]}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["HEY"]}


@pytest.mark.parity("M1")
async def test_m1_a_program_of_channels_may_call_graphs_and_pause_with_them(saver: Any) -> None:
    child = chain(asks("name"))

    async def ask(greeting: str) -> str:
        return greeting + (await child.ainvoke({"log": []}))["log"][0]

    node = NodeBuilder().subscribe_only("word").do(ask).write_to("loud")
    channels = {"word": EphemeralValue(str), "loud": LastValue(str)}
    app = Pregel(
        nodes={"ask": node},
        channels=channels,
        input_channels="word",
        output_channels="loud",
        checkpointer=saver,
    )
    await app.ainvoke("hello ", thread())
    assert await answered(app, thread(), "Ann") == "hello name=Ann"


# ---- whose run it is


@pytest.mark.parity("M1")
@pytest.mark.parametrize("how", ["without", "its own", "its own with more", "only more"])
async def test_m1_a_graph_that_a_node_calls_is_a_child_whatever_config_is_passed_on(how: str) -> None:
    child = chain(says("c"))

    async def node(state: Log, config: RunnableConfig) -> Any:
        given: dict[str, Any] = {
            "without": None,
            "its own": config,
            "its own with more": {**config, "tags": ["more"]},
            "only more": {"configurable": {"more": 1}, "tags": ["more"]},
        }
        return await child.ainvoke({"log": []}, given[how])

    assert [names(ns) for ns in await namespaces(chain(node), {"log": []})] == [["node"], []]


@pytest.mark.parity("M1", "M2")
async def test_m1_a_thread_of_its_own_makes_it_a_run_of_its_own(saver: Any) -> None:
    child = chain(says("c"), checkpointer=saver)

    async def node(state: Log) -> Any:
        return await child.ainvoke({"log": []}, thread("mine"))

    app = chain(node, checkpointer=saver)
    assert await namespaces(app, {"log": []}, thread()) == [()]
    assert await app.ainvoke({"log": ["|"]}, thread()) == {"log": ["c", "|", "c", "c"]}
    assert (await child.aget_state(thread("mine"))).values == {"log": ["c", "c"]}
