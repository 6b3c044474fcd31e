"""Tasks, checkpoints and pauses of graphs in graphs as they are streamed (LangGraph J6-J11, I15, K7 with subgraphs)."""

import asyncio
from typing import Any

import pytest

from graphrt.types import Command, StreamWriter
from tests.acceptance.graphs import Log, says, thread
from tests.acceptance.nested import asks, calls, chain, failing_once, names, shown
from tests.acceptance.streams import chunks


def kind(mode: str, chunk: Any) -> str:
    return mode if mode != "tasks" else "start" if "input" in chunk else "result"


@pytest.mark.parity("J6")
async def test_j6_tasks_of_children_are_announced_under_their_namespace() -> None:
    app = chain(("child", chain(says("a"))))
    found = await shown(app, {"log": ["in"]}, stream_mode="tasks")
    assert [(ns, kind("tasks", chunk), chunk["name"]) for ns, chunk in found] == [
        ([], "start", "child"),
        (["child"], "start", "a"),
        (["child"], "result", "a"),
        ([], "result", "child"),
    ]


@pytest.mark.parity("J7", "M4")
async def test_j7_checkpoints_of_children_name_those_they_run_under(saver: Any) -> None:
    app = chain(("child", chain(says("a"))), checkpointer=saver)
    found = await chunks(app, {"log": []}, thread(), stream_mode="checkpoints", subgraphs=True)
    outer = next(c for ns, c in found if ns == () and "child" in c["next"])
    inner = [(ns, c) for ns, c in found if ns]
    assert [(names(ns), list(c["next"])) for ns, c in inner] == [
        (["child"], ["__start__"]),
        (["child"], ["a"]),
        (["child"], []),
    ]
    above = outer["config"]["configurable"]["checkpoint_id"]
    assert all(c["metadata"]["parents"] == {"": above} for _, c in inner)


@pytest.mark.parity("J7")
async def test_j7_a_task_that_is_a_graph_shows_where_its_state_is(saver: Any) -> None:
    app = chain(("child", chain(says("a"))), says("b"), checkpointer=saver)
    found = await chunks(app, {"log": []}, thread(), stream_mode=["checkpoints", "updates"], subgraphs=True)
    places = ["|".join(ns) for ns, mode, _ in found if ns and mode == "updates"]
    states = [t["state"] for ns, mode, c in found if ns == () and mode == "checkpoints" for t in c["tasks"]]
    assert states[1:] == [{"configurable": {"thread_id": "t", "checkpoint_ns": places[0]}}, None]


@pytest.mark.parity("J8")
async def test_j8_debug_events_of_children_count_their_own_steps() -> None:
    app = chain(says("x"), ("child", chain(says("a"))))
    found = await shown(app, {"log": []}, stream_mode="debug")
    assert [(ns, event["type"], event["step"]) for ns, event in found] == [
        ([], "task", 1),
        ([], "task_result", 1),
        ([], "task", 2),
        (["child"], "task", 1),
        (["child"], "task_result", 1),
        ([], "task_result", 2),
    ]


@pytest.mark.parity("J10")
async def test_j10_a_child_runs_between_the_start_and_the_end_of_its_task(saver: Any) -> None:
    app = chain(("child", chain(says("a"))), checkpointer=saver)
    modes = ["values", "updates", "tasks", "checkpoints"]
    found = await shown(app, {"log": []}, thread(), stream_mode=modes)
    assert [("".join(ns), kind(mode, chunk)) for ns, mode, chunk in found] == [
        ("", "checkpoints"), ("", "values"), ("", "checkpoints"), ("", "start"),
        ("child", "checkpoints"), ("child", "values"), ("child", "checkpoints"), ("child", "start"),
        ("child", "updates"), ("child", "result"), ("child", "values"), ("child", "checkpoints"),
        ("", "updates"), ("", "result"), ("", "values"), ("", "checkpoints"),
    ]  # fmt: skip


@pytest.mark.parity("J11")
async def test_j11_chunks_of_children_are_delivered_while_their_caller_runs() -> None:
    received = asyncio.Event()

    async def waits(state: Log) -> dict[str, Any]:
        await received.wait()
        return {"log": ["waits"]}

    app = chain(calls("node", chain(says("a"), waits)))
    order = []
    async with asyncio.timeout(30):
        async for _, update in app.astream({"log": []}, stream_mode="updates", subgraphs=True):
            order.extend(update)
            received.set()
    assert order == ["a", "waits", "node"]


@pytest.mark.parity("J11", "J4")
async def test_j11_what_a_child_writes_is_delivered_while_it_runs() -> None:
    received = asyncio.Event()

    async def waits(state: Log, writer: StreamWriter) -> None:
        writer("waiting")
        await received.wait()

    app = chain(("outer", chain(("inner", chain(waits)))))
    async with asyncio.timeout(30):
        async for _, chunk in app.astream({"log": []}, stream_mode="custom", subgraphs=True):
            assert chunk == "waiting"
            received.set()
    assert received.is_set()


@pytest.mark.parity("J13")
async def test_j13_leaving_a_stream_ends_what_runs_inside() -> None:
    ended = asyncio.Event()

    async def waits(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stream = chain(("outer", chain(calls("inner", chain(says("a"), waits))))).astream(
        {"log": []}, stream_mode="updates", subgraphs=True
    )
    await anext(stream)
    await stream.aclose()
    assert ended.is_set()


@pytest.mark.parity("J13", "M8")
async def test_j13_a_node_may_leave_the_stream_of_a_child() -> None:
    child = chain(says("a"), says("b"), says("c"))

    async def node(state: Log) -> dict[str, Any]:
        stream = child.astream({"log": []}, stream_mode="updates")
        first = await anext(stream)
        await stream.aclose()
        return {"log": list(first)}

    assert await chain(node).ainvoke({"log": []}) == {"log": ["a"]}


# ---- pauses and restarts


@pytest.mark.parity("I15")
async def test_i15_a_question_is_shown_on_every_level(saver: Any) -> None:
    app = chain(("outer", chain(("inner", chain(asks("name"))))), checkpointer=saver)
    found = await shown(app, {"log": []}, thread(), stream_mode="updates")
    assert [ns for ns, _ in found] == [["outer", "inner"], ["outer"], []]
    assert len({chunk["__interrupt__"][0].id for _, chunk in found}) == 1


@pytest.mark.parity("I15", "I14")
async def test_i15_a_question_from_inside_is_part_of_the_values_once(saver: Any) -> None:
    app = chain(says("x"), ("child", chain(asks("name"))), checkpointer=saver)
    found = await chunks(app, {"log": []}, thread(), stream_mode="values")
    assert [chunk.get("__interrupt__", ()) != () for chunk in found] == [False, False, True]
    assert (found[-1]["log"], found[-1]["__interrupt__"][0].value) == (["x"], "name")


@pytest.mark.parity("I15", "J6")
async def test_i15_the_results_of_paused_tasks_show_the_question_on_every_level(saver: Any) -> None:
    app = chain(("child", chain(asks("name"))), checkpointer=saver)
    found = await shown(app, {"log": []}, thread(), stream_mode="tasks")
    results = [(ns, [i["value"] for i in c["interrupts"]]) for ns, c in found if "result" in c]
    assert results == [(["child"], ["name"]), ([], ["name"])]


@pytest.mark.parity("M3", "J3")
async def test_m3_a_resumed_child_streams_what_is_left_of_it(saver: Any) -> None:
    app = chain(("child", chain(says("a"), asks("name"), says("b"))), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await shown(app, Command(resume="Ann"), thread(), stream_mode="updates") == [
        (["child"], {"name": {"log": ["name=Ann"]}}),
        (["child"], {"b": {"log": ["b"]}}),
        ([], {"child": {"log": ["a", "name=Ann", "b"]}}),
    ]


@pytest.mark.parity("K7", "J3")
async def test_k7_what_a_child_had_finished_is_shown_as_cached(saver: Any) -> None:
    app = chain(("child", failing_once(says("ok"))), checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    found = await shown(app, None, thread(), stream_mode="updates")
    assert (["child"], {"ok": {"log": ["ok"]}, "__metadata__": {"cached": True}}) in found
