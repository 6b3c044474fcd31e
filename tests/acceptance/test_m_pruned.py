"""Graphs in graphs after a prune: what stays runs on as before, and nothing stays for nobody (M2, M6)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint import ThreadInfo
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphValidationError
from graphrt.graph import StateGraph
from graphrt.types import Command, Send, interrupt
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import answered, asks, at, calls, chain, inside, visited
from tests.acceptance.streams import history
from tests.checkpointers.encrypted_world import encrypted
from tests.conftest import SAVERS


@pytest.fixture(params=[*SAVERS, *(f"encrypted {name}" for name in SAVERS)])
async def saver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """Each kind of checkpointer, as it is and inside encryption."""
    kind, _, name = request.param.rpartition(" ")
    async with SAVERS[name](tmp_path) as opened:
        yield encrypted(opened) if kind else opened


def counting(child: Any) -> Any:
    """A node `count` that calls `child` and logs how many visits it has counted."""

    async def count(state: Any) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": 0}))["visits"])]}

    return count


async def turns(app: Any, count: int, config: Any = None, **metadata: str) -> list[str]:
    """What a thread has logged after so many turns more."""
    result: Any = None
    for _ in range(count):
        result = await app.ainvoke({"log": []}, {**(config or thread()), "metadata": metadata})
    return list(result["log"])


async def ends(app: Any, config: Any = None) -> list[Any]:
    """The configs of the checkpoints that turns ended with, oldest first."""
    return [s.config for s in reversed(await history(app, config or thread())) if not s.next]


async def info_of(saver: Any, name: str = "t") -> ThreadInfo:
    """What the list of threads says of one."""
    found: list[ThreadInfo] = [info async for info in saver.athreads(prefix=name, limit=1)]
    return found[0]


def deep(leaf: Any, levels: int = 5) -> Any:
    """Graphs in graphs, so many levels down to a graph with `leaf`."""
    for _ in range(levels):
        leaf = ("inner", chain(leaf))
    return leaf[1]


# ---- graphs that keep their state


@pytest.mark.parity("M2", "N13")
async def test_m2_every_turn_that_stays_finds_its_children_as_they_were(saver: Any) -> None:
    app = chain(counting(visited(True, [])), checkpointer=saver)
    await turns(app, 5)
    await saver.aprune(["t"], keep_last=7)
    left = await ends(app)
    assert len(left) == 3
    for number, end in enumerate(left, start=3):
        assert (await app.ainvoke({"log": ["again"]}, end))["log"][-2:] == ["again", str(number + 1)]


@pytest.mark.parity("M2", "N14")
async def test_m2_a_fork_finds_its_children_after_the_branch_it_left_was_forgotten(saver: Any) -> None:
    app = chain(counting(visited(True, [])), checkpointer=saver)
    await turns(app, 3)
    first, *_ = await ends(app)
    await app.aupdate_state(first, {"log": ["forked"]}, as_node="count")
    await saver.aprune()
    assert [s.values["log"] for s in await history(app, thread())] == [["1", "forked"]]
    assert await turns(app, 2) == ["1", "forked", "2", "3"]
    await saver.aprune()
    assert await turns(app, 1) == ["1", "forked", "2", "3", "4"]


@pytest.mark.parity("M2", "N11")
async def test_m2_a_replay_that_was_pruned_goes_on_with_the_children_it_found(saver: Any) -> None:
    app = chain(counting(visited(True, [])), says("z"), checkpointer=saver)
    await turns(app, 3)
    before = [s.config for s in reversed(await history(app, thread())) if s.next == ("z",)]
    await app.ainvoke(None, before[0])  # calls nobody: the child stays where it was then
    await saver.aprune()
    assert (await turns(app, 1))[-2:] == ["2", "z"]


@pytest.mark.parity("M2", "F5")
async def test_m2_children_of_children_stay_with_whom_they_belong_to(saver: Any) -> None:
    middle = chain(counting(visited(True, [])), checkpointer=True)
    app = chain(calls("outer", middle), checkpointer=saver)
    await turns(app, 4)
    second = (await ends(app))[1]
    await app.aupdate_state(second, {"log": ["forked"]}, as_node="outer")
    await saver.aprune(older_than=timedelta(0))
    assert (await turns(app, 1))[-1] == "3"


@pytest.mark.parity("M2", "M6")
async def test_m6_each_call_of_a_node_keeps_its_memory(saver: Any) -> None:
    child = visited(True, [])

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str((await child.ainvoke({"visits": start}))["visits"]) for start in (0, 100)]}

    app = chain(node, checkpointer=saver)
    await turns(app, 3)
    await app.aupdate_state((await ends(app))[0], {"log": ["forked"]}, as_node="node")
    await saver.aprune()
    assert (await turns(app, 1))[-2:] == ["2", "202"]


@pytest.mark.parity("M2")
async def test_m2_an_edited_child_is_as_it_was_edited_after_a_prune(saver: Any) -> None:
    app = chain(("count", counting(visited(True, []))), checkpointer=saver)
    await turns(app, 2)
    place = {"configurable": {"thread_id": "t", "checkpoint_ns": "count"}}
    await app.aupdate_state(place, {"visits": 40}, as_node="arrive")
    await saver.aprune()
    assert (await turns(app, 1))[-1] == "43"


# ---- what waits


@pytest.mark.parity("M2", "I6")
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_m2_a_question_five_levels_down_is_answered_after_a_prune(durability: Any, saver: Any) -> None:
    arrivals: list[str] = []

    async def first(state: Log) -> None:
        arrivals.append("first")

    app = chain(
        says("a"), ("deep", deep(("leaf", chain(first, asks("name"))))), says("z"), checkpointer=saver
    )
    await app.ainvoke({"log": []}, thread(), durability=durability)
    before = await app.aget_state(thread(), subgraphs=True)
    await saver.aprune()
    after = await app.aget_state(thread(), subgraphs=True)
    assert (after.values, after.tasks[0].interrupts) == (before.values, before.tasks[0].interrupts)
    assert (await inside(app, thread(), 0, 0, 0, 0, 0, 0)).next == ("name",)
    result = await app.ainvoke(Command(resume="Ada"), thread(), durability=durability)
    assert result["log"][-2:] == ["name=Ada", "z"]
    assert len(arrivals) == 1


def fanned_out(child: Any, width: int, **options: Any) -> Any:
    """A graph that sends `child` so many logs."""
    builder: StateGraph[Any, Any, Any, Any] = graph(Log, ("child", child), says("z"), paths=["child z"])
    builder.add_conditional_edges(
        "__start__", lambda state: [Send("child", {"log": [f"{n}"]}) for n in range(width)]
    )
    return builder.compile(**options)


@pytest.mark.parity("M6", "I9")
async def test_m6_questions_of_a_fan_out_are_answered_between_prunes(saver: Any) -> None:
    ran: list[str] = []

    async def first(state: Log) -> None:
        ran.append(state["log"][0])

    async def ask(state: Log) -> dict[str, Any]:
        return {"log": [f"{state['log'][0]}={interrupt(state['log'][0])}"]}

    app = fanned_out(chain(first, ("ask", ask)), 4, checkpointer=saver)
    result = await app.ainvoke({"log": []}, thread())
    while open_ := result.get("__interrupt__"):
        await saver.aprune()
        result = await app.ainvoke(Command(resume={open_[0].id: f"to {open_[0].value}"}), thread())
    assert [word for word in result["log"] if "=" in word] == [f"{n}=to {n}" for n in range(4)]
    assert sorted(ran) == ["0", "1", "2", "3"]


@pytest.mark.parity("M2")
async def test_m2_a_child_that_failed_goes_on_where_it_was_after_a_prune(saver: Any) -> None:
    arrivals: list[str] = []

    async def arrive(state: Log) -> None:
        arrivals.append("arrived")

    async def fail(state: Log) -> dict[str, Any]:
        if len(arrivals) == 1:
            arrivals.append("failed")
            raise ConnectionError("no route")
        return {"log": ["done"]}

    app = chain(says("a"), ("child", chain(arrive, fail)), checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    await saver.aprune()
    assert (await app.ainvoke(None, thread()))["log"][-1] == "done"
    assert arrivals == ["arrived", "failed"]


# ---- graphs that are called anew each time


@pytest.mark.parity("M2")
async def test_m2_calls_that_are_over_leave_nothing(saver: Any) -> None:
    app = chain(
        says("a"), ("deep", deep(says("leaf"), levels=3)), counting(visited(True, [])), checkpointer=saver
    )
    await turns(app, 4)
    assert len((await info_of(saver)).namespaces) == 2 + 4 * 3
    await saver.aprune()
    info = await info_of(saver)
    assert (info.namespaces, info.checkpoints) == (("", "count"), 2)
    assert (await turns(app, 1))[-1] == "5"


@pytest.mark.parity("M2")
async def test_m2_calls_of_turns_that_stay_stay(saver: Any) -> None:
    app = chain(("child", chain(says("leaf"))), says("z"), checkpointer=saver)
    await turns(app, 3)
    await saver.aprune(keep_last=4)  # all of the last turn
    assert len((await info_of(saver)).namespaces) == 2
    before = await at(app, thread(), "child")
    assert (await app.aget_state(before, subgraphs=True)).tasks[0].state.values["log"][-1] == "leaf"


@pytest.mark.parity("M2")
async def test_m2_a_call_that_waits_stays_until_it_is_over(saver: Any) -> None:
    app = chain(("child", chain(asks("name"))), says("z"), checkpointer=saver)
    await turns(app, 2)  # the first turn's question is given up
    await saver.aprune()
    assert len((await info_of(saver)).namespaces) == 2
    assert (await answered(app, thread(), "Ada"))["log"] == ["name=Ada", "z"]
    await saver.aprune()
    assert (await info_of(saver)).namespaces == ("",)


# ---- a child that is lost


class Losing(InMemorySaver):
    """Loses a namespace, or its checkpoints but the newest ones, as other means of pruning do."""

    def lose(self, namespace: str, keep_last: int = 0) -> None:
        chain_ = self._threads["t"][namespace]
        if keep_last:
            chain_.forget(list(chain_.checkpoints)[:-keep_last])
        else:
            del self._threads["t"][namespace]


async def losing(keep_last: int) -> Any:
    """A graph whose thread counts on a child that is lost."""
    saver = Losing()
    app = chain(counting(visited(True, [])), checkpointer=saver)
    await turns(app, 3)
    await app.aupdate_state((await ends(app))[0], {"log": ["forked"]}, as_node="count")
    saver.lose("count", keep_last)
    return app


@pytest.mark.parity("M2")
@pytest.mark.parametrize("keep_last", [0, 1])
async def test_m2_a_child_that_is_lost_does_not_begin_anew_without_a_word(keep_last: int) -> None:
    app = await losing(keep_last)
    with pytest.raises(GraphValidationError, match="namespace 'count', which is not there"):
        await turns(app, 1)


@pytest.mark.parity("M2", "N5")
@pytest.mark.parametrize("keep_last", [0, 1])
async def test_m2_a_child_that_is_lost_can_be_given_a_state(keep_last: int) -> None:
    app = await losing(keep_last)
    with pytest.raises(GraphValidationError):
        await turns(app, 1)
    place = {"configurable": {"thread_id": "t", "checkpoint_ns": "count"}}
    values = (await app.aget_state(place)).values
    await app.aupdate_state(place, {"visits": 40 - values.get("visits", 0)}, as_node="arrive")
    assert (await app.ainvoke(None, thread()))["log"][-1] == "41"
    assert (await turns(app, 1))[-1] == "42"


@pytest.mark.parity("N13")
async def test_n13_a_run_from_inside_whose_surroundings_are_forgotten_is_refused(saver: Any) -> None:
    app = chain(counting(visited(True, [])), checkpointer=saver)
    await turns(app, 2)
    place = {"configurable": {"thread_id": "t", "checkpoint_ns": "count"}}
    older = (await history(app, place))[-1].config
    await saver.aprune(["t"], keep_last=5)
    with pytest.raises(GraphValidationError, match="no checkpoint"):
        await app.ainvoke(None, older)


# ---- copies, deleted threads and runs


@pytest.mark.parity("M2", "I6")
async def test_m2_the_copy_of_a_paused_thread_goes_its_own_way(saver: Any) -> None:
    app = chain(
        counting(visited(True, [])), ("deep", deep(("leaf", chain(asks("name"))))), checkpointer=saver
    )
    await app.ainvoke({"log": []}, thread())
    await saver.acopy_thread("t", "copy")
    await saver.aprune(["copy"])
    copied, original = await answered(app, thread("copy"), "Bo"), await answered(app, thread(), "Ada")
    assert (copied["log"][-1], original["log"][-1]) == ("name=Bo", "name=Ada")
    await app.ainvoke({"log": []}, thread("copy"))
    assert (await answered(app, thread("copy"), "Cy"))["log"][-2:] == ["2", "name=Cy"]
    await saver.adelete_thread("t")
    await app.ainvoke({"log": []}, thread("copy"))
    assert (await answered(app, thread("copy"), "Di"))["log"][-2:] == ["3", "name=Di"]


@pytest.mark.parity("M2")
async def test_m2_a_deleted_thread_begins_with_children_that_know_nothing(saver: Any) -> None:
    app = chain(counting(visited(True, [])), ("child", chain(asks("name"))), checkpointer=saver)
    await turns(app, 2)
    await saver.adelete_thread("t")
    assert [info async for info in saver.athreads()] == []
    assert await turns(app, 1) == ["1"]


@pytest.mark.parity("M2")
async def test_m2_a_turn_that_is_forgotten_is_forgotten_by_its_children_too(saver: Any) -> None:
    app = chain(counting(visited(True, [])), ("child", chain(says("leaf"))), checkpointer=saver)
    for run in ("one", "two", "three"):
        await turns(app, 1, run_id=run)
    await saver.adelete_for_runs(["three"])
    assert (await turns(app, 1, run_id="four"))[-4:] == ["2", "leaf", "3", "leaf"]


@pytest.mark.parity("M2")
async def test_m2_what_later_turns_count_on_stays_when_the_runs_that_made_it_are_forgotten(
    saver: Any,
) -> None:
    def which(state: Log) -> str:
        return "z" if state["log"][-1] == "skip" else "count"

    builder = graph(Log, counting(visited(True, [])), says("z"), paths=[])
    app = builder.add_conditional_edges("__start__", which, ["count", "z"]).compile(checkpointer=saver)
    for word, run in (("go", "one"), ("go", "two"), ("skip", "three")):
        await app.ainvoke({"log": [word]}, thread(metadata={"run_id": run}))
    await saver.adelete_for_runs(["one", "two"])
    assert (await app.ainvoke({"log": ["go"]}, thread()))["log"] == [
        "go",
        "1",
        "go",
        "2",
        "skip",
        "z",
        "go",
        "3",
    ]
