"""What graphs in graphs keep, for how long and where (LangGraph M2, M6, F5, K2, K3)."""

import asyncio
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Command
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import (
    Visits,
    answered,
    asks,
    chain,
    inside,
    namespaces,
    visited,
)
from tests.acceptance.streams import history

SCOPES = pytest.mark.parametrize("scope", [None, True, False])


def counting(child: Any, times: int = 1) -> Any:
    """A node that calls `child` and logs how many visits it has counted."""

    async def node(state: Any) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": 0}))["visits"]) for _ in range(times)]}

    return node


async def counts(app: Any, *turns: Any) -> list[str]:
    """What the last of several turns has logged."""
    result: Any = None
    for config in turns:
        result = await app.ainvoke({"log": []}, config)
    return [word for word in result["log"] if word.isdigit()]


# ---- for how long


@pytest.mark.parity("M2")
@pytest.mark.parametrize("scope, expected", [(None, "111"), (True, "123"), (False, "111")])
async def test_m2_only_a_persistent_child_remembers_earlier_turns(
    scope: Any, expected: str, saver: Any
) -> None:
    app = chain(counting(visited(scope, [])), checkpointer=saver)
    assert await counts(app, thread(), thread(), thread()) == list(expected)


@pytest.mark.parity("M2")
async def test_m2_a_persistent_child_remembers_per_thread(saver: Any) -> None:
    app = chain(counting(visited(True, [])), checkpointer=saver)
    await counts(app, thread("other"), thread("other"))
    assert await counts(app, thread("t"), thread("t")) == ["1", "2"]


@pytest.mark.parity("M2", "F5")
async def test_m2_a_persistent_child_of_a_child_remembers_too(saver: Any) -> None:
    middle = chain(("leaf", visited(True, [])), schema=Visits)
    app = chain(counting(middle), checkpointer=saver)
    assert await counts(app, thread(), thread(), thread()) == ["1", "2", "3"]


@pytest.mark.parity("M2", "F5")
async def test_m2_a_persistent_child_remembers_within_a_turn(saver: Any) -> None:
    builder = graph(Log, ("node", counting(visited(True, []))), paths=["START node"])
    builder.add_conditional_edges("node", lambda state: "node" if len(state["log"]) < 3 else "__end__")
    assert await counts(builder.compile(checkpointer=saver), thread()) == ["1", "2", "3"]


@pytest.mark.parity("M2", "F5")
async def test_m2_two_nodes_with_one_persistent_graph_keep_two_memories(saver: Any) -> None:
    child = visited(True, [])
    app = chain(("one", counting(child)), ("two", counting(child)), checkpointer=saver)
    assert await counts(app, thread(), thread()) == ["1", "1", "2", "2"]


@pytest.mark.parity("M2")
async def test_m2_without_a_checkpointer_around_it_nothing_is_remembered() -> None:
    app = chain(counting(visited(True, [])))
    assert await counts(app, None, None) == ["1"]


@pytest.mark.parity("M2", "P4", "A4")
async def test_m2_a_graph_that_is_run_by_itself_must_know_where_to_store() -> None:
    with pytest.raises(RuntimeError, match="checkpointer=True cannot be used for root graphs"):
        await visited(True, []).ainvoke({"visits": 0}, thread())


@pytest.mark.parity("M2", "A4")
async def test_m2_a_child_stores_where_its_parent_does(saver: Any) -> None:
    child = chain(asks("name"), checkpointer=InMemorySaver())
    app = chain(("child", child), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await history(child, thread()) == []
    assert (await inside(app, thread())).next == ("name",)


@pytest.mark.parity("M2")
async def test_m2_the_checkpointer_may_be_given_after_compiling(saver: Any) -> None:
    app = chain(counting(visited(True, []))).copy(update={"checkpointer": saver})
    assert await counts(app, thread(), thread()) == ["1", "2"]


# ---- where


@SCOPES
@pytest.mark.parity("M2", "F4", "F5")
async def test_m2_what_is_stored_in_the_namespace_of_a_child(scope: Any, saver: Any) -> None:
    app = chain(counting(visited(scope, [])), checkpointer=saver)
    ns = await namespace(app)
    kept = [snapshot.values["visits"] for snapshot in await history(app, thread_in(ns))]
    assert kept == ([] if scope is False else [1, 1, 0, 0])
    assert (ns == "node") == (scope is True)


@pytest.mark.parity("F5", "M6")
async def test_f5_persistent_children_are_numbered_by_the_order_of_calls(saver: Any) -> None:
    app = chain(counting(visited(True, []), times=3), checkpointer=saver)
    found = await namespaces(app, {"log": []}, thread())
    assert found == [("node",), ("node", "1"), ("node", "2"), ()]


@pytest.mark.parity("F5", "M6")
async def test_m6_each_call_of_a_persistent_graph_in_a_node_has_a_memory(saver: Any) -> None:
    child = visited(True, [])

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": start}))["visits"]) for start in (0, 100)]}

    app = chain(node, checkpointer=saver)
    assert await counts(app, thread(), thread()) == ["1", "101", "2", "202"]
    stored = [await app.aget_state(thread_in(ns)) for ns in ("node", "node|1", "node|2")]
    assert [snapshot.values.get("visits") for snapshot in stored] == [2, 202, None]


@pytest.mark.parity("M6")
async def test_m6_persistent_graphs_called_at_the_same_time_keep_their_memories(saver: Any) -> None:
    child = visited(True, [])

    async def node(state: Log) -> dict[str, Any]:
        results = await asyncio.gather(*(child.ainvoke({"visits": start}) for start in (0, 100, 200)))
        return {"log": [str(result["visits"]) for result in results]}

    app = chain(node, checkpointer=saver)
    assert await counts(app, thread(), thread()) == ["1", "101", "201", "2", "202", "402"]


@pytest.mark.parity("M6", "I9")
async def test_m6_graphs_called_at_the_same_time_get_the_answers_to_their_own_questions(saver: Any) -> None:
    ran: list[str] = []

    def child(word: str) -> Any:
        async def first(state: Log) -> None:
            ran.append(word)

        return chain(first, asks(word))

    async def node(state: Log) -> dict[str, Any]:
        results = await asyncio.gather(*(child(word).ainvoke({"log": []}) for word in ("a", "b")))
        return {"log": [word for result in results for word in result["log"]]}

    app = chain(node, checkpointer=saver)
    result = await app.ainvoke({"log": []}, thread())
    for _ in range(2):
        answers = {asked.id: f"to {asked.value}" for asked in result.get("__interrupt__", ())}
        result = await app.ainvoke(Command(resume=answers), thread()) if answers else result
    assert (result["log"], sorted(ran)) == (["a=to a", "b=to b"], ["a", "b"])


@pytest.mark.parity("F5")
@pytest.mark.parametrize("names", [("a", "ab"), ("a", "a1"), ("x/y", "x"), ("Ü", "ü"), ("1", "11")])
async def test_f5_names_that_are_alike_are_kept_apart(names: tuple[str, str], saver: Any) -> None:
    child = visited(True, [])
    short, long = names
    app = chain((short, counting(child, times=2)), (long, counting(child)), checkpointer=saver)
    assert await counts(app, thread(), thread()) == ["1", "1", "1", "2", "2", "2"]


# ---- how much, by durability


@SCOPES
@pytest.mark.parametrize("asking", [False, True])
@pytest.mark.parity("K2")
async def test_k2_at_exit_children_keep_what_is_needed_later(scope: Any, asking: bool, saver: Any) -> None:
    app = chain(says("x"), counting(visited(scope, [], asking=asking)), checkpointer=saver)
    ns = await namespace(app, durability="exit")
    kept = [snapshot.metadata["step"] for snapshot in await history(app, thread_in(ns))]
    assert kept == ([] if scope is False or (scope is None and not asking) else [1] if asking else [2])


@pytest.mark.parity("K2")
async def test_k2_a_child_that_paused_at_exit_goes_on_where_it_was(saver: Any) -> None:
    arrivals: list[str] = []
    app = chain(counting(visited(None, arrivals, asking=True)), checkpointer=saver)
    await app.ainvoke({"log": []}, thread(), durability="exit")
    assert await answered(app, thread(), "yes") == {"log": ["1"]}
    assert len(arrivals) == 1


@pytest.mark.parity("K3")
@pytest.mark.parametrize("durability, checkpoints", [("sync", 3), ("async", 3), ("exit", 1)])
async def test_k3_children_store_as_their_root_does(durability: Any, checkpoints: int, saver: Any) -> None:
    middle = chain(("leaf", visited(True, [])), schema=Visits, checkpointer=True)
    app = chain(counting(middle), checkpointer=saver)
    await app.ainvoke({"log": []}, thread(), durability=durability)
    assert len(await history(app, thread_in("node"))) == checkpoints


def thread_in(ns: str) -> Any:
    return {"configurable": {"thread_id": "t", "checkpoint_ns": ns}}


async def namespace(app: Any, **options: Any) -> str:
    """Where the one child of a run is."""
    found = await namespaces(app, {"log": []}, thread(), **options)
    return "|".join(next(ns for ns in found if ns))
