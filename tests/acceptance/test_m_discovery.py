"""Which graphs a graph says it has inside (LangGraph M5)."""

from typing import Any

import pytest

from tests.acceptance.graphs import Log, says, thread
from tests.acceptance.nested import answered, asks, calls, chain

LEAF = chain(says("leaf"))


@pytest.mark.parity("M5", "1.7")
def test_m5_graphs_added_as_nodes_are_found_by_the_names_of_their_nodes() -> None:
    left, right = chain(says("l")), chain(says("r"))
    app = chain(("left", left), says("between"), ("right", right))
    assert list(app.get_subgraphs()) == [("left", left), ("right", right)]


@pytest.mark.parity("M5")
async def test_m5_the_async_name_yields_the_same() -> None:
    app = chain(("left", LEAF))
    assert [found async for found in app.aget_subgraphs()] == list(app.get_subgraphs())


@pytest.mark.parity("M5")
def test_m5_a_graph_without_graphs_inside_has_none() -> None:
    assert list(LEAF.get_subgraphs(recurse=True)) == []


@pytest.mark.parity("M5")
def test_m5_a_graph_that_a_function_encloses_is_found() -> None:
    child = chain(says("c"))
    assert list(chain(calls("node", child)).get_subgraphs()) == [("node", child)]


@pytest.mark.parity("M5")
def test_m5_a_graph_of_the_functions_module_is_found() -> None:
    async def node(state: Log) -> Any:
        return await LEAF.ainvoke({"log": []})

    assert list(chain(node).get_subgraphs()) == [("node", LEAF)]


@pytest.mark.parity("M5")
def test_m5_a_graph_in_an_attribute_is_found() -> None:
    class Team:
        member = chain(says("m"))

    team = Team()

    async def node(state: Log) -> Any:
        return await team.member.ainvoke({"log": []})

    assert list(chain(node).get_subgraphs()) == [("node", Team.member)]


@pytest.mark.parity("M5")
def test_m5_a_plain_function_is_looked_into_as_well() -> None:
    def node(state: Log) -> Any:
        return LEAF.invoke({"log": []})

    assert list(chain(node).get_subgraphs()) == [("node", LEAF)]


@pytest.mark.parity("M5")
def test_m5_only_one_graph_of_a_node_is_named() -> None:
    first, second = chain(says("1")), chain(says("2"))

    async def node(state: Log) -> None:
        await first.ainvoke(state)
        await second.ainvoke(state)

    assert len(list(chain(node).get_subgraphs())) == 1


@pytest.mark.parity("M5", "M2")
def test_m5_a_graph_that_never_stores_anything_is_not_listed() -> None:
    app = chain(
        ("child", chain(says("c"), checkpointer=False)), calls("node", chain(says("c"), checkpointer=False))
    )
    assert list(app.get_subgraphs()) == []


@pytest.mark.parity("M5")
def test_m5_graphs_inside_graphs_are_listed_on_request() -> None:
    inner = chain(("leaf", LEAF))
    app = chain(("inner", inner))
    assert list(app.get_subgraphs()) == [("inner", inner)]
    assert list(app.get_subgraphs(recurse=True)) == [("inner", inner), ("inner|leaf", LEAF)]


@pytest.mark.parity("M5")
def test_m5_a_namespace_picks_one() -> None:
    inner = chain(("leaf", LEAF), ("other", LEAF))
    app = chain(("inner", inner), ("more", inner))
    assert list(app.get_subgraphs(namespace="more")) == [("more", inner)]
    assert list(app.get_subgraphs(namespace="inner|other", recurse=True)) == [("inner|other", LEAF)]
    assert list(app.get_subgraphs(namespace="inner|other")) == []
    assert list(app.get_subgraphs(namespace="nothing", recurse=True)) == []


@pytest.mark.parity("M5")
def test_m5_a_name_that_begins_like_another_is_another() -> None:
    short, long = chain(says("s")), chain(says("l"))
    app = chain(("team", short), ("team-lead", long))
    assert list(app.get_subgraphs(namespace="team-lead")) == [("team-lead", long)]
    assert list(app.get_subgraphs(namespace="team")) == [("team", short)]


@pytest.mark.parity("M5")
async def test_m5_a_graph_that_is_not_found_pauses_and_resumes_all_the_same(saver: Any) -> None:
    hidden = [chain(says("first"), asks("name"))]

    async def node(state: Log) -> Any:
        return await hidden[0].ainvoke({"log": []})

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert list(app.get_subgraphs()) == []
    assert await answered(app, thread(), "Ann") == {"log": ["first", "name=Ann"]}
