"""Replaying and forking a parent with its children (LangGraph N11, N13, N14; user pain S7)."""

from typing import Any

import pytest

from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import answered, asks, at, calls, chain, namespaces, visited
from tests.acceptance.streams import history


def counting(child: Any) -> Any:
    """A node `count` that calls `child` and logs how many visits it has counted."""

    async def count(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": 0}))["visits"])]}

    return count


async def after_turns(app: Any, turns: int) -> Any:
    for _ in range(turns):
        await app.ainvoke({"log": ["|"]}, thread())
    return app


async def branches(app: Any, *namespaces: str) -> list[Any]:
    """All that a thread holds, in the root and in some namespaces."""
    places = [{"configurable": {"thread_id": "t", "checkpoint_ns": ns}} for ns in ("", *namespaces)]
    return [await history(app, place) for place in places]


async def befores(app: Any, name: str) -> list[Any]:
    """The configs of the checkpoints that a node comes after, oldest first."""
    return [s.config for s in reversed(await history(app, thread())) if name in s.next]


# ---- what a replayed parent finds


@pytest.mark.parity("N13")
@pytest.mark.parametrize("turn", [0, 1, 2])
async def test_n13_a_replay_finds_persistent_children_as_they_were(turn: int, saver: Any) -> None:
    app = await after_turns(chain(counting(visited(True, [])), checkpointer=saver), 3)
    result = await app.ainvoke(None, (await befores(app, "count"))[turn])
    assert result["log"][-1] == str(turn + 1)


@pytest.mark.parity("N13")
async def test_n13_the_next_turn_goes_on_from_the_replayed_children(saver: Any) -> None:
    app = await after_turns(chain(counting(visited(True, [])), checkpointer=saver), 3)
    await app.ainvoke(None, (await befores(app, "count"))[0])
    await after_turns(app, 1)
    assert (await app.aget_state(thread())).values["log"] == ["|", "1", "|", "2"]


@pytest.mark.parity("N13")
async def test_n13_a_replay_calls_other_children_anew(saver: Any) -> None:
    arrivals: list[str] = []
    app = await after_turns(chain(counting(visited(None, arrivals)), checkpointer=saver), 2)
    result = await app.ainvoke(None, (await befores(app, "count"))[1])
    assert (result["log"], len(arrivals)) == (["|", "1", "|", "1"], 3)


@pytest.mark.parity("N13")
async def test_n13_later_visits_of_a_replay_see_what_it_did(saver: Any) -> None:
    builder = graph(Log, counting(visited(True, [])), paths=["START count"])
    builder.add_conditional_edges("count", lambda state: "count" if len(state["log"]) < 4 else "__end__")
    app = builder.compile(checkpointer=saver)
    await after_turns(app, 1)
    for before in await befores(app, "count"):
        assert await app.ainvoke(None, before) == {"log": ["|", "1", "2", "3"]}


@pytest.mark.parity("N13", "M6")
async def test_n13_every_call_of_a_node_finds_its_own_past(saver: Any) -> None:
    child = visited(True, [])

    async def count(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": start}))["visits"]) for start in (0, 100)]}

    app = await after_turns(chain(count, checkpointer=saver), 3)
    result = await app.ainvoke(None, (await befores(app, "count"))[1])
    assert result["log"] == ["|", "1", "101", "|", "2", "202"]


@pytest.mark.parity("N13")
async def test_n13_persistent_children_of_children_are_found_as_they_were(saver: Any) -> None:
    for scope in (None, True):
        middle = chain(counting(visited(True, [])), checkpointer=scope)
        app = chain(calls("outer", middle), checkpointer=saver)
        for _ in range(3):
            await app.ainvoke({"log": []}, thread(f"{scope}"))
        before = [s.config for s in await history(app, thread(f"{scope}")) if "outer" in s.next]
        assert (await app.ainvoke(None, before[1]))["log"][-1] == "2"


@pytest.mark.parity(
    "N13",
    "N11",
    differs="children-as-they-were: LangGraph's persistent ones go on from the branch that ran last",
)
async def test_n13_a_replay_after_a_child_leaves_it_as_it_was_then(saver: Any) -> None:
    arrivals: list[str] = []
    app = chain(counting(visited(True, arrivals)), says("z"), checkpointer=saver)
    await after_turns(app, 2)
    await app.ainvoke(None, (await befores(app, "z"))[0])
    assert len(arrivals) == 2
    assert (await app.ainvoke({"log": ["|"]}, thread()))["log"] == ["|", "1", "z", "|", "2", "z"]


@pytest.mark.parity(
    "N13",
    "N14",
    differs="children-as-they-were: LangGraph's persistent ones go on from the branch that ran last",
)
async def test_n14_a_new_turn_on_an_old_checkpoint_finds_children_as_they_were(saver: Any) -> None:
    app = await after_turns(chain(counting(visited(True, [])), checkpointer=saver), 2)
    first_end = next(s.config for s in reversed(await history(app, thread())) if not s.next)
    assert (await app.ainvoke({"log": ["new"]}, first_end))["log"] == ["|", "1", "new", "2"]


@pytest.mark.parity("N13", "N5")
async def test_n13_an_edited_past_finds_its_children(saver: Any) -> None:
    app = await after_turns(chain(says("a"), counting(visited(True, [])), checkpointer=saver), 3)
    edited = await app.aupdate_state((await befores(app, "count"))[1], {"log": ["edited"]}, as_node="a")
    result = await app.ainvoke(None, edited)
    assert result["log"] == ["|", "a", "1", "|", "a", "edited", "2"]


# ---- questions


@pytest.mark.parity("N11", "N13")
@pytest.mark.parametrize("scope", [None, True])
async def test_n13_a_replay_asks_the_questions_of_children_again(scope: Any, saver: Any) -> None:
    app = chain(("child", chain(asks("name"), checkpointer=scope)), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    await answered(app, thread(), "Ann")
    (again,) = (await app.ainvoke(None, await at(app, thread(), "child")))["__interrupt__"]
    assert again.value == "name"
    assert await answered(app, thread(), "Bob") == {"log": ["name=Bob"]}


@pytest.mark.parity("N13", "N11")
async def test_n13_a_paused_run_may_be_replayed_from_before_its_child(saver: Any) -> None:
    arrivals: list[str] = []
    child = visited(True, arrivals, asking=True)

    async def count(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": 0}))["visits"])]}

    app = chain(says("a"), count, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    await app.ainvoke(None, (await befores(app, "a"))[0])
    assert await answered(app, thread(), "yes") == {"log": ["a", "1"]}
    assert len(arrivals) == 2


# ---- the branch that was left


@pytest.mark.parity("N13", "N11")
@pytest.mark.parametrize("scope", [None, True])
async def test_n13_a_replay_leaves_the_branch_it_came_from_as_it_was(scope: Any, saver: Any) -> None:
    app = chain(says("a"), counting(visited(scope, [])), checkpointer=saver)
    found = await namespaces(app, {"log": []}, thread())
    places = ["|".join(ns) for ns in found if ns]
    source = await branches(app, *places)
    for before in [*await befores(app, "a"), *await befores(app, "count")]:
        await app.ainvoke(None, before)
    for kept, now in zip(source, await branches(app, *places), strict=True):
        ids = {snapshot.config["configurable"]["checkpoint_id"] for snapshot in kept}
        assert [s for s in now if s.config["configurable"]["checkpoint_id"] in ids] == kept


@pytest.mark.parity(
    "N13",
    "N11",
    differs="children-as-they-were: LangGraph's persistent ones go on from the branch that ran last",
)
async def test_n13_a_branch_that_was_left_can_be_taken_up_again(saver: Any) -> None:
    app = await after_turns(chain(counting(visited(True, [])), checkpointer=saver), 2)
    left = (await app.aget_state(thread())).config
    await app.ainvoke(None, (await befores(app, "count"))[0])
    assert (await app.ainvoke({"log": ["|"]}, left))["log"] == ["|", "1", "|", "2", "|", "3"]


@pytest.mark.parity("N13", "F4", differs="namespaces-do-not-depend-on-checkpoints")
async def test_n13_a_fork_runs_its_children_in_the_same_namespaces(saver: Any) -> None:
    app = chain(says("a"), ("outer", chain(("inner", chain(says("b"))))), checkpointer=saver)
    found = await namespaces(app, {"log": []}, thread())
    for before in await befores(app, "outer"):
        assert set(await namespaces(app, None, before)) == set(found)
    assert await namespaces(app, {"log": []}, thread("other")) == found


# ---- from a checkpoint of a child


@pytest.mark.parity("N11", "N13", differs="runs-that-begin-inside-of-graphs: LangGraph starts the child anew")
@pytest.mark.parametrize("step, expected", [(0, ["a", "b", "c"]), (1, ["b", "c"]), (2, ["c"])])
async def test_n13_a_replay_may_begin_inside_of_a_child(step: int, expected: list[str], saver: Any) -> None:
    ran: list[str] = []
    app = chain(("outer", chain(*(noting(word, ran) for word in "abc"))), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    place = (await app.aget_state(await at(app, thread(), "outer"))).tasks[0].state
    began = next(s.config for s in await history(app, place) if s.metadata["step"] == step)
    ran.clear()
    assert await app.ainvoke(None, began) == {"log": ["a", "b", "c"]}
    assert ran == expected


def noting(word: str, ran: list[str]) -> Any:
    async def node(state: Log) -> dict[str, Any]:
        ran.append(word)
        return {"log": [word]}

    return word, node
