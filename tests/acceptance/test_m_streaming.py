"""What graphs in graphs put on the stream (LangGraph M8, F6, J1, J4 and others with subgraphs=True)."""

from itertools import pairwise
from typing import Any

import pytest

from graphrt.config import RunnableConfig, get_config
from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, says
from tests.acceptance.nested import calls, chain, names, namespaces, shown
from tests.acceptance.streams import chunks


async def hello(state: Log, writer: StreamWriter) -> dict[str, Any]:
    writer("hello")
    return {"log": ["hello"]}


def nest(child: Any) -> Any:
    """A graph that has `child` as a node, and calls it in another."""
    return chain(("child", child), calls("caller", child))


# ---- what is shown


@pytest.mark.parity("M8")
@pytest.mark.parametrize("mode", ["values", "updates", "custom", "tasks", "debug"])
async def test_m8_children_are_not_shown_unless_asked_for(mode: Any) -> None:
    app = nest(chain(hello))
    apart = [chunk for ns, chunk in await shown(app, {"log": []}, stream_mode=mode) if ns == []]
    together = await chunks(app, {"log": []}, stream_mode=mode)
    assert (
        len(together) == len(apart) == {"values": 3, "updates": 2, "custom": 0, "tasks": 4, "debug": 4}[mode]
    )


@pytest.mark.parity("M8", "J1", "J3")
async def test_m8_updates_of_children_come_under_their_namespace() -> None:
    assert await shown(nest(chain(says("a"), says("b"))), {"log": []}, stream_mode="updates") == [
        (["child"], {"a": {"log": ["a"]}}),
        (["child"], {"b": {"log": ["b"]}}),
        ([], {"child": {"log": ["a", "b"]}}),
        (["caller"], {"a": {"log": ["a"]}}),
        (["caller"], {"b": {"log": ["b"]}}),
        ([], {"caller": {"log": ["a", "b"]}}),
    ]


@pytest.mark.parity("M8", "J2")
async def test_m8_values_of_children_begin_with_their_input() -> None:
    app = chain(says("x"), ("child", chain(says("a"))))
    assert await shown(app, {"log": []}, stream_mode="values") == [
        ([], {"log": []}),
        ([], {"log": ["x"]}),
        (["child"], {"log": ["x"]}),
        (["child"], {"log": ["x", "a"]}),
        ([], {"log": ["x", "x", "a"]}),
    ]


@pytest.mark.parity("M8", "A4")
async def test_m8_a_child_streams_values_by_default_if_it_is_given_its_callers_config() -> None:
    child = chain(says("a"))

    async def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
        return {"log": [repr(chunk) async for chunk in child.astream({"log": []}, config)]}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["{'log': []}", "{'log': ['a']}"]}


@pytest.mark.parity("M8")
async def test_m8_without_it_a_child_streams_what_it_always_does() -> None:
    child = chain(says("a"))

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [repr(chunk) async for chunk in child.astream({"log": []})]}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["{'a': {'log': ['a']}}"]}


@pytest.mark.parity("M8")
async def test_m8_a_stream_that_a_node_reads_is_shown_as_well() -> None:
    child = chain(says("a"))

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [repr(chunk) async for chunk in child.astream({"log": []}, stream_mode="values")]}

    assert await shown(chain(node), {"log": []}, stream_mode="updates") == [
        (["node"], {"a": {"log": ["a"]}}),
        ([], {"node": {"log": ["{'log': []}", "{'log': ['a']}"]}}),
    ]


@pytest.mark.parity("M8", "F6")
async def test_m8_a_node_may_read_the_namespaces_below_its_own() -> None:
    child = chain(("leaf", chain(says("a"))))
    seen: list[Any] = []

    async def node(state: Log) -> None:
        seen.extend(await shown(child, {"log": []}, stream_mode="updates"))

    await chain(node).ainvoke({"log": []})
    assert seen == [(["node", "leaf"], {"a": {"log": ["a"]}}), (["node"], {"leaf": {"log": ["a"]}})]


# ---- shapes


@pytest.mark.parity("J1")
async def test_j1_with_subgraphs_one_mode_yields_pairs_of_namespace_and_payload() -> None:
    for namespace, payload in await chunks(
        nest(chain(says("a"))), {"log": []}, stream_mode="updates", subgraphs=True
    ):
        assert isinstance(namespace, tuple) and isinstance(payload, dict)


@pytest.mark.parity("J1")
async def test_j1_with_subgraphs_a_list_of_modes_yields_triples() -> None:
    app = chain(("child", chain(hello)))
    assert await shown(app, {"log": []}, stream_mode=["updates", "custom"]) == [
        (["child"], "custom", "hello"),
        (["child"], "updates", {"hello": {"log": ["hello"]}}),
        ([], "updates", {"child": {"log": ["hello"]}}),
    ]


@pytest.mark.parity("J1")
async def test_j1_v2_has_the_namespace_in_every_part() -> None:
    app = chain(("child", chain(says("a"))))
    parts = await chunks(app, {"log": []}, stream_mode="updates", subgraphs=True, version="v2")
    assert [(part["type"], names(part["ns"]), part["data"]) for part in parts] == [
        ("updates", ["child"], {"a": {"log": ["a"]}}),
        ("updates", [], {"child": {"log": ["a"]}}),
    ]


@pytest.mark.parity("F6", "J1")
def test_j1_the_blocking_door_streams_subgraphs_too() -> None:
    inner = chain(("a", lambda state: {"log": ["a"]}))
    parts = list(chain(("child", inner)).stream({"log": []}, stream_mode="updates", subgraphs=True))
    assert [names(namespace) for namespace, _ in parts] == [["child"], []]


@pytest.mark.parity("F6")
async def test_f6_a_namespace_is_one_part_per_level() -> None:
    app = chain(("one", chain(("two", chain(("three", chain(says("leaf"))))))))
    found = await namespaces(app, {"log": []})
    assert [names(ns) for ns in found] == [["one", "two", "three"], ["one", "two"], ["one"], []]
    assert [inner[: len(outer)] for inner, outer in pairwise(found)] == found[1:]


@pytest.mark.parity("F4", "F6")
async def test_f4_the_namespace_is_the_one_in_the_config() -> None:
    seen: list[str] = []

    async def look(state: Log) -> None:
        seen.append(get_config()["configurable"]["checkpoint_ns"])

    inner, *_ = await namespaces(chain(("child", chain(("leaf", chain(look))))), {"log": []})
    assert seen[0].startswith("|".join(inner) + "|look:")


@pytest.mark.parity("F4")
async def test_f4_each_further_call_by_a_task_has_a_number() -> None:
    app = chain(calls("node", chain(says("a")), times=3))
    first, second, third, _ = await namespaces(app, {"log": []})
    assert (names(first), second, third) == (["node"], (*first, "1"), (*first, "2"))


@pytest.mark.parity("F4")
async def test_f4_every_task_has_a_namespace_of_its_own() -> None:
    builder = graph(Log, ("child", chain(says("a"))), says("b"), paths=["START child b"])
    builder.add_conditional_edges("b", lambda state: "child" if len(state["log"]) < 4 else "__end__")
    found = await namespaces(builder.compile(), {"log": []})
    assert [names(ns) for ns in found] == [["child"], [], ["child"]]


# ---- what nodes write


@pytest.mark.parity("J4")
async def test_j4_what_a_child_writes_comes_under_the_namespace_of_its_graph() -> None:
    app = chain(hello, ("child", chain(("leaf", chain(hello)))))
    assert await shown(app, {"log": []}, stream_mode="custom") == [
        ([], "hello"),
        (["child", "leaf"], "hello"),
    ]


@pytest.mark.parity("J4")
async def test_j4_a_child_that_streams_for_a_node_shows_it_what_its_nodes_write() -> None:
    child = chain(hello)

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [chunk async for chunk in child.astream({"log": []}, stream_mode="custom")]}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["hello"]}
