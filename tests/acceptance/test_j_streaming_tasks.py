"""Tasks, checkpoints and their debug envelopes as they are streamed (LangGraph J6-J8)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import chunks, failed_beside, history


async def fails(state: Log) -> None:
    raise KeyError("lost")


async def chunks_until_it_fails(app: Any, input: Any, config: Any = None, **options: Any) -> list[Any]:
    received: list[Any] = []
    with pytest.raises((KeyError, ConnectionError)):
        async for chunk in app.astream(input, config, **options):
            received.append(chunk)
    return received


@pytest.mark.parity("J6")
async def test_j6_a_task_is_announced_with_its_input_and_triggers() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    start = (await chunks(app, {"log": ["in"]}, stream_mode="tasks"))[0]
    assert (start["name"], start["input"], tuple(start["triggers"])) == (
        "a",
        {"log": ["in"]},
        ("branch:to:a",),
    )


@pytest.mark.parity("J6")
async def test_j6_a_task_ends_with_its_result() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    start, end = await chunks(app, {}, stream_mode="tasks")
    assert end == {
        "id": start["id"],
        "name": "a",
        "error": None,
        "result": {"log": ["a"]},
        "interrupts": [],
    }


@pytest.mark.parity("J6")
async def test_j6_a_task_that_wrote_nothing_ends_with_an_empty_result() -> None:
    async def nothing(state: Log) -> None:
        return None

    app = graph(Log, nothing, paths=["START nothing"]).compile()
    assert (await chunks(app, {}, stream_mode="tasks"))[-1]["result"] == {}


@pytest.mark.parity("J6")
async def test_j6_repeated_writes_are_marked_as_such() -> None:
    async def twice(state: Log) -> Any:
        return [Command(update={"log": ["x"]}), Command(update={"log": ["y"]})]

    app = graph(Log, twice, paths=["START twice"]).compile()
    result = (await chunks(app, {}, stream_mode="tasks"))[-1]["result"]
    assert result == {"log": {"$writes": [["x"], ["y"]]}}


@pytest.mark.parity("J6")
async def test_j6_a_failed_task_ends_with_its_error() -> None:
    app = graph(Log, fails, paths=["START fails"]).compile()
    end = (await chunks_until_it_fails(app, {}, stream_mode="tasks"))[-1]
    assert (repr(end["error"]), end["result"]) == ("KeyError('lost')", {})


@pytest.mark.parity("J6")
async def test_j6_a_sent_task_shows_its_argument_and_push_trigger() -> None:
    async def work(number: int) -> None:
        return None

    app = graph(Log, work, paths=[]).add_conditional_edges("__start__", lambda _: [Send("work", 7)]).compile()
    start = (await chunks(app, {}, stream_mode="tasks"))[0]
    assert (start["input"], tuple(start["triggers"])) == (7, ("__pregel_push",))


@pytest.mark.parity("J6")
async def test_j6_every_execution_has_an_id_of_its_own() -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a b"])
    app = builder.add_conditional_edges("b", lambda s: "a" if len(s["log"]) < 4 else "__end__").compile()
    starts = [c for c in await chunks(app, {}, stream_mode="tasks") if "input" in c]
    assert [c["name"] for c in starts] == ["a", "b", "a", "b"]
    assert len({c["id"] for c in starts}) == 4


@pytest.mark.parity("J6")
async def test_j6_metadata_is_what_the_node_was_given() -> None:
    builder = graph(Log, paths=[])
    builder.add_node("a", says("a"), metadata={"cost": 3}).add_edge("__start__", "a")
    start = (await chunks(builder.compile(), {}, stream_mode="tasks"))[0]
    assert start["metadata"] == {"cost": 3}


@pytest.mark.parity("J6")
async def test_j6_without_metadata_there_is_no_such_key() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert "metadata" not in (await chunks(app, {}, stream_mode="tasks"))[0]


@pytest.mark.parity("J6", "J7")
async def test_j6_results_and_checkpoints_show_every_key_whatever_the_output_keys(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    modes = ["tasks", "checkpoints"]
    pairs = await chunks(app, {}, thread(), stream_mode=modes, output_keys=[])
    (_, end), (_, last) = pairs[-2:]
    assert (end["result"], last["values"]) == ({"log": ["a"]}, {"log": ["a"]})


@pytest.mark.parity("J6", "K7")
async def test_j6_a_restored_task_yields_no_result(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    payloads = await chunks(app, None, thread(), stream_mode="tasks")
    assert [c["name"] for c in payloads if "result" in c] == ["flaky", "last"]


@pytest.mark.parity("J7")
async def test_j7_a_checkpoint_says_what_comes_next(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    saved = await chunks(app, {"log": ["in"]}, thread(), stream_mode="checkpoints")
    assert [(c["values"], list(c["next"])) for c in saved[1:]] == [
        ({"log": ["in"]}, ["a"]),
        ({"log": ["in", "a"]}, ["b"]),
        ({"log": ["in", "a", "b"]}, []),
    ]


@pytest.mark.parity("J7")
async def test_j7_the_input_is_the_first_checkpoint(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    first = (await chunks(app, {}, thread(), stream_mode="checkpoints"))[0]
    assert (first["metadata"]["source"], list(first["next"])) == ("input", ["__start__"])
    assert first["parent_config"] is None


@pytest.mark.parity("J7")
async def test_j7_tasks_of_the_next_step_are_listed(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile(checkpointer=saver)
    saved = await chunks(app, {}, thread(), stream_mode="checkpoints")
    tasks = saved[1]["tasks"]
    assert [(t["name"], t["interrupts"], t["state"]) for t in tasks] == [("a", (), None), ("b", (), None)]


@pytest.mark.parity("J6", "J7")
async def test_j7_tasks_have_the_ids_they_run_under(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    pairs = await chunks(app, {}, thread(), stream_mode=["checkpoints", "tasks"])
    announced = [t["id"] for mode, c in pairs if mode == "checkpoints" for t in c["tasks"]]
    started = [c["id"] for mode, c in pairs if mode == "tasks" and "input" in c]
    assert announced[1:] == started


@pytest.mark.parity("J7", "L6")
async def test_j7_each_checkpoint_names_its_parent(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    saved = await chunks(app, {}, thread(), stream_mode="checkpoints")
    assert [c["parent_config"] for c in saved[1:]] == [c["config"] for c in saved[:-1]]


@pytest.mark.parity("J7", "N3")
async def test_j7_a_streamed_checkpoint_is_what_history_shows(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    saved = await chunks(app, {}, thread(), stream_mode="checkpoints")
    shown = await history(app, thread())
    assert [(c["config"], c["values"], c["metadata"]) for c in reversed(saved)] == [
        (s.config, s.values, s.metadata) for s in shown
    ]


@pytest.mark.parity("J7", "K7")
async def test_j7_resuming_shows_what_became_of_the_tasks(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    first = (await chunks(app, None, thread(), stream_mode="checkpoints"))[0]
    failed, done = sorted(first["tasks"], key=lambda task: str(task["name"]))
    assert failed["error"] == "ConnectionError('no route')"
    assert done["result"] == {"log": ["ok"]}


@pytest.mark.parity("J7")
async def test_j7_without_a_checkpointer_nothing_is_streamed() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert await chunks(app, {}, stream_mode="checkpoints") == []


@pytest.mark.parity("J7")
async def test_j7_the_last_checkpoint_is_streamed_when_the_limit_is_hit(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a a"]).compile(checkpointer=saver)
    saved: list[Any] = []
    with pytest.raises(RecursionError):
        async for checkpoint in app.astream({}, thread(recursion_limit=2), stream_mode="checkpoints"):
            saved.append(checkpoint)
    assert saved[-1]["values"] == {"log": ["a", "a"]}


@pytest.mark.parity("J8")
async def test_j8_debug_wraps_tasks_and_checkpoints(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    events = await chunks(app, {}, thread(), stream_mode="debug")
    assert [(e["type"], e["step"]) for e in events] == [
        ("checkpoint", -1),
        ("checkpoint", 0),
        ("task", 1),
        ("task_result", 1),
        ("checkpoint", 1),
    ]
    assert all(e.keys() == {"type", "step", "timestamp", "payload"} for e in events)


@pytest.mark.parity("J8")
async def test_j8_payloads_are_those_of_the_modes_themselves(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    pairs = await chunks(app, {}, thread(), stream_mode=["debug", "tasks", "checkpoints"])
    wrapped = [chunk["payload"] for mode, chunk in pairs if mode == "debug"]
    bare = [chunk for mode, chunk in pairs if mode != "debug"]
    assert wrapped == bare


@pytest.mark.parity("J8")
async def test_j8_without_a_checkpointer_there_are_tasks_only() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert [e["type"] for e in await chunks(app, {}, stream_mode="debug")] == ["task", "task_result"]


@pytest.mark.parity("J8")
async def test_j8_timestamps_are_utc_and_never_go_back() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    times = [datetime.fromisoformat(e["timestamp"]) for e in await chunks(app, {}, stream_mode="debug")]
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert times == sorted(times)


@pytest.mark.parity("J8")
async def test_j8_a_failed_task_is_a_task_result() -> None:
    app = graph(Log, fails, paths=["START fails"]).compile()
    last = (await chunks_until_it_fails(app, {}, stream_mode="debug"))[-1]
    assert (last["type"], repr(last["payload"]["error"])) == ("task_result", "KeyError('lost')")
