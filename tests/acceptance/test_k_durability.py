"""What of a run survives it, when it becomes durable, and what runs again (LangGraph K)."""

import asyncio
import warnings
from typing import Any

import pytest

from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import Flaky, chunks, failed_beside, history, others_had_their_turn

EVERY = ["sync", "async", "exit"]


def chain(saver: Any, *nodes: Any) -> Any:
    """A compiled graph of `nodes` one after the other; the last may be a `Flaky`."""
    named_nodes = [("flaky", node.node) if isinstance(node, Flaky) else node for node in nodes]
    names = [node[0] if isinstance(node, tuple) else node.__name__ for node in named_nodes]
    return graph(Log, *named_nodes, paths=["START " + " ".join(names)]).compile(checkpointer=saver)


def counted(word: str, calls: list[str]) -> Any:
    """A node that says `word` and leaves it in `calls` each time it runs."""

    async def node(state: Log) -> dict[str, Any]:
        calls.append(word)
        return {"log": [word]}

    return named(word, node)


async def steps_and_values(app: Any) -> list[Any]:
    shown = await history(app, thread())
    return [(s.metadata["source"], s.metadata["step"], s.values.get("log")) for s in reversed(shown)]


@pytest.mark.parity("K1", "L7")
@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_k1_every_step_is_in_the_history(saver: Any, durability: Any) -> None:
    app = chain(saver, says("a"), says("b"))
    await app.ainvoke({"log": ["in"]}, thread(), durability=durability)
    assert await steps_and_values(app) == [
        ("input", -1, []),
        ("loop", 0, ["in"]),
        ("loop", 1, ["in", "a"]),
        ("loop", 2, ["in", "a", "b"]),
    ]


@pytest.mark.parity("K1", "A4")
async def test_k1_async_is_the_default(saver: Any) -> None:
    app = chain(saver, says("a"))
    await app.ainvoke({"log": ["in"]}, thread())
    assert len(await history(app, thread())) == 3


@pytest.mark.parity("K1")
async def test_k1_in_sync_a_node_finds_the_step_before_it_stored(saver: Any) -> None:
    found: list[Any] = []

    async def look(state: Log) -> None:
        found.append((await app.aget_state(thread())).values)

    app = chain(saver, says("a"), ("look", look))
    await app.ainvoke({"log": ["in"]}, thread(), durability="sync")
    assert found == [{"log": ["in", "a"]}]


@pytest.mark.parity("K1")
async def test_k1_in_exit_nothing_is_stored_while_the_run_goes_on(saver: Any) -> None:
    found: list[Any] = []

    async def look(state: Log) -> None:
        found.append((await app.aget_state(thread())).values)

    app = chain(saver, says("a"), ("look", look))
    await app.ainvoke({"log": ["in"]}, thread(), durability="exit")
    assert found == [{}]


@pytest.mark.parity("K2")
async def test_k2_exit_leaves_one_checkpoint(saver: Any) -> None:
    app = chain(saver, says("a"), says("b"))
    await app.ainvoke({"log": ["in"]}, thread(), durability="exit")
    assert await steps_and_values(app) == [("loop", 2, ["in", "a", "b"])]


@pytest.mark.parity("K2")
async def test_k2_each_turn_of_exit_adds_one_checkpoint(saver: Any) -> None:
    app = chain(saver, says("a"))
    for word in ("one", "two"):
        await app.ainvoke({"log": [word]}, thread(), durability="exit")
    second, first = await history(app, thread())
    assert second.parent_config == first.config
    assert second.values == {"log": ["one", "a", "two", "a"]}


@pytest.mark.parity("K1")
@pytest.mark.parametrize("durability", EVERY)
async def test_k1_a_failed_run_leaves_the_steps_before_the_failure(saver: Any, durability: Any) -> None:
    app = chain(saver, says("a"), Flaky())
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread(), durability=durability)
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "a"]}, ("flaky",))


@pytest.mark.parity("K1", "K8")
@pytest.mark.parametrize("durability", EVERY)
async def test_k1_a_failed_run_goes_on_where_it_stopped(saver: Any, durability: Any) -> None:
    calls: list[str] = []
    app = chain(saver, counted("a", calls), Flaky(), counted("z", calls))
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread(), durability=durability)
    result = await app.ainvoke(None, thread(), durability=durability)
    assert (result, calls) == ({"log": ["in", "a", "flaky", "z"]}, ["a", "z"])


@pytest.mark.parity("K1")
async def test_k1_the_durability_of_a_thread_may_change_between_runs(saver: Any) -> None:
    app = chain(saver, says("a"))
    for durability in EVERY:
        await app.ainvoke({"log": []}, thread(), durability=durability)
    assert (await app.aget_state(thread())).values == {"log": ["a", "a", "a"]}


@pytest.mark.parity("K3")
@pytest.mark.parametrize("durability", ["async", "exit"])
async def test_k3_durability_without_a_checkpointer_changes_nothing(durability: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library may point out that it is pointless
        result = await chain(None, says("a")).ainvoke({"log": ["in"]}, durability=durability)
    assert result == {"log": ["in", "a"]}


@pytest.mark.parity("K4", "N1")
async def test_k4_a_result_is_stored_while_siblings_still_run(saver: Any) -> None:
    stored = asyncio.Event()

    async def waits(state: Log) -> dict[str, Any]:
        await stored.wait()
        return {"log": ["waits"]}

    app = graph(Log, says("swift"), waits, paths=["START swift", "START waits"]).compile(checkpointer=saver)
    async for update in app.astream({}, thread(), stream_mode="updates", durability="sync"):
        if "swift" in update:
            tasks = {task.name: task.result for task in (await app.aget_state(thread())).tasks}
            assert tasks == {"swift": {"log": ["swift"]}, "waits": None}
            stored.set()


@pytest.mark.parity("K4", "K10")
async def test_k4_an_error_is_stored_with_its_task(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    errors = {task.name: task.error for task in (await app.aget_state(thread())).tasks}
    assert errors == {"flaky": "ConnectionError('no route')", "ok": None}


@pytest.mark.parity("K6", "H8")
async def test_k6_updates_of_commands_add_up_until_the_step_succeeds(saver: Any) -> None:
    async def fails(state: Log) -> dict[str, Any]:
        await others_had_their_turn()
        if "two" not in state["log"]:
            raise ConnectionError("no route")
        return {"log": ["fine"]}

    app = chain(saver, ("fails", fails))
    given: list[Any] = [{"log": ["in"]}, Command(update={"log": ["one"]})]
    for input in given:
        with pytest.raises(ConnectionError):
            await app.ainvoke(input, thread())
    result = await app.ainvoke(Command(update={"log": ["two"]}), thread())
    assert result == {"log": ["in", "one", "two", "fine"]}


@pytest.mark.parity("K7", "K8", "G8")
async def test_k8_only_the_failed_task_runs_again(saver: Any) -> None:
    calls: list[str] = []
    app = await failed_beside(counted("ok", calls), saver)
    result = await app.ainvoke(None, thread())
    assert (result, calls) == ({"log": ["in", "flaky", "ok", "last"]}, ["ok"])


@pytest.mark.parity("K8", "E1")
async def test_k8_restored_writes_keep_their_place_in_task_order(saver: Any) -> None:
    app = await failed_beside(says("aardvark"), saver)
    assert (await app.ainvoke(None, thread()))["log"] == ["in", "aardvark", "flaky", "last"]


@pytest.mark.parity("K7", "G8")
async def test_k7_a_task_that_wrote_nothing_is_finished_too(saver: Any) -> None:
    calls: list[str] = []

    async def silent(state: Log) -> None:
        calls.append("silent")

    app = await failed_beside(silent, saver)
    await app.ainvoke(None, thread())
    assert calls == ["silent"]


@pytest.mark.parity("K7", "H4")
async def test_k7_the_goto_of_a_finished_task_is_restored(saver: Any) -> None:
    async def jumps(state: Log) -> Command[Any]:
        return Command(update={"log": ["jumps"]}, goto="aside")

    builder = graph(Log, jumps, ("flaky", Flaky().node), says("aside"), paths=["START jumps", "START flaky"])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["in", "flaky", "jumps", "aside"]}


@pytest.mark.parity("K7", "H1")
async def test_k7_the_sends_of_a_finished_task_are_restored(saver: Any) -> None:
    async def work(word: str) -> dict[str, Any]:
        return {"log": [word]}

    builder = graph(Log, says("ok"), ("flaky", Flaky().node), work, paths=["START ok", "START flaky"])
    builder.add_conditional_edges("ok", lambda state: [Send("work", "one"), Send("work", "two")])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["in", "flaky", "ok", "one", "two"]}


@pytest.mark.parity("K7", "G5")
async def test_k7_the_part_of_a_join_that_finished_is_restored(saver: Any) -> None:
    nodes = [says("ok"), ("flaky", Flaky().node), says("both")]
    builder = graph(Log, *nodes, paths=["START ok", "START flaky", "ok+flaky both"])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["in", "flaky", "ok", "both"]}


@pytest.mark.parity("K7")
async def test_k7_sent_tasks_that_finished_are_not_run_again(saver: Any) -> None:
    calls: list[int] = []

    async def work(number: int) -> dict[str, Any]:
        calls.append(number)
        if number == 1 and calls.count(1) == 1:
            await others_had_their_turn()
            raise ConnectionError("no route")
        return {"log": [str(number)]}

    builder = graph(Log, work, paths=[])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", n) for n in range(3)])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["0", "1", "2"]}
    assert sorted(calls) == [0, 1, 1, 2]


@pytest.mark.parity("K7")
async def test_k7_restored_updates_survive_a_second_failure(saver: Any) -> None:
    calls: list[str] = []

    async def stubborn(state: Log) -> dict[str, Any]:
        calls.append("stubborn")
        await others_had_their_turn()
        if calls.count("stubborn") < 3:
            raise ConnectionError("no route")
        return {"log": ["stubborn"]}

    app = graph(Log, counted("ok", calls), stubborn, paths=["START ok", "START stubborn"]).compile(
        checkpointer=saver
    )
    given: list[Any] = [{"log": []}, None]
    for input in given:
        with pytest.raises(ConnectionError):
            await app.ainvoke(input, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["ok", "stubborn"]}
    assert calls.count("ok") == 1


@pytest.mark.parity("K8", "F1")
async def test_k8_a_task_that_runs_again_keeps_its_id(saver: Any) -> None:
    app = await failed_beside(says("ok"), saver)
    failed = {task.name: task.id for task in (await app.aget_state(thread())).tasks}
    starts = [c for c in await chunks(app, None, thread(), stream_mode="tasks") if "input" in c]
    assert failed["flaky"] == next(c["id"] for c in starts if c["name"] == "flaky")


@pytest.mark.parity("K11")
async def test_k11_new_input_discards_stored_writes(saver: Any) -> None:
    calls: list[str] = []
    app = await failed_beside(counted("ok", calls), saver)
    result = await app.ainvoke({"log": ["new"]}, thread())
    assert (result, calls) == ({"log": ["in", "new", "flaky", "ok", "last"]}, ["ok", "ok"])


@pytest.mark.parity("K13")
@pytest.mark.parametrize("durability", EVERY)
async def test_k13_everything_is_stored_when_the_run_returns(saver: Any, durability: Any) -> None:
    app = chain(saver, *[says(word) for word in "abcdef"])
    result = await app.ainvoke({"log": []}, thread(), durability=durability)
    assert (await app.aget_state(thread())).values == result


@pytest.mark.parity("K13", "G9")
async def test_k13_a_failing_step_cancels_its_siblings() -> None:
    ended: list[str] = []

    async def waits(state: Log) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    app = graph(Log, waits, ("flaky", Flaky().node), paths=["START waits", "START flaky"]).compile()
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []})
    assert ended == ["waits"]
