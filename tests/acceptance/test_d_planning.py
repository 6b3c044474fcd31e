"""Which tasks a superstep runs and what they see (LangGraph D1-D9)."""

import asyncio
from typing import Any

import pytest

from graphrt.channels import LastValue
from graphrt.config import RunnableConfig
from graphrt.core.shape import shape_of
from graphrt.graph import END
from graphrt.pregel import NodeBuilder, Pregel, PregelNode
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, named, says, thread


def counts(word: str) -> Any:
    """A node called `word` that logs how long the log was when it started."""

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [f"{word}{len(state['log'])}"]}

    return named(word, node)


async def steps(app: Any, *args: Any, **kwargs: Any) -> list[list[str]]:
    """The nodes of each superstep, sorted."""
    found: dict[int, list[str]] = {}
    async for event in app.astream(*args, stream_mode="debug", **kwargs):
        if event["type"] == "task":
            found.setdefault(event["step"], []).append(event["payload"]["name"])
    return [sorted(names) for _, names in sorted(found.items())]


@pytest.mark.parity("D1")
async def test_d1_each_send_is_a_task_of_its_own() -> None:
    async def work(item: int) -> dict[str, Any]:
        return {"log": [f"item {item}"]}

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges(
        "__start__", lambda state: [Send("work", 1), Send("work", 2), Send("work", 1)]
    )
    assert await builder.compile().ainvoke({}) == {"log": ["item 1", "item 2", "item 1"]}


@pytest.mark.parity("D1", "D5")
async def test_d1_sends_and_edges_plan_tasks_of_one_step() -> None:
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a b"])
    builder.add_conditional_edges("a", lambda state: Send("c", state))
    assert await steps(builder.compile(), {}) == [["a"], ["b", "c"]]


@pytest.mark.parity("D2")
async def test_d2_a_chain_runs_one_node_per_step() -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a b c"]).compile()
    assert await steps(app, {}) == [["a"], ["b"], ["c"]]


@pytest.mark.parity("D2")
async def test_d2_branches_of_unequal_length_move_in_lockstep() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("c")]
    app = graph(Log, *nodes, paths=["START a c", "START b b2 c"]).compile()
    assert await steps(app, {}) == [["a", "b"], ["b2", "c"], ["c"]]


@pytest.mark.parity("D2")
async def test_d2_only_nodes_with_a_trigger_run() -> None:
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "b")
    assert await steps(builder.compile(), {}) == [["a"], ["b"]]


@pytest.mark.parity("D2")
async def test_d2_updates_of_a_step_come_in_completion_order() -> None:
    b_is_done = asyncio.Event()

    async def a(state: Log) -> dict[str, Any]:
        await b_is_done.wait()
        return {"log": ["a"]}

    async def b(state: Log) -> dict[str, Any]:
        b_is_done.set()
        return {"log": ["b"]}

    app = graph(Log, a, b, paths=["START a", "START b"]).compile()
    chunks = [c async for c in app.astream({}, stream_mode=["updates", "values"])]
    assert [list(c) for mode, c in chunks if mode == "updates"] == [["b"], ["a"]]
    assert chunks[-1] == ("values", {"log": ["a", "b"]})


@pytest.mark.parity("D3")
async def test_d3_a_cycle_triggers_a_node_again() -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a", "b a"])
    builder.add_conditional_edges("a", lambda state: END if len(state["log"]) >= 5 else "b")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "a", "b", "a"]}


@pytest.mark.parity("D3")
async def test_d3_a_node_may_loop_on_itself() -> None:
    builder = graph(Log, says("a"), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: END if len(state["log"]) == 3 else "a")
    assert await builder.compile().ainvoke({}) == {"log": ["a", "a", "a"]}


@pytest.mark.parity("D3")
async def test_d3_the_second_turn_of_a_thread_runs_every_node_again(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    assert await steps(app, {}, thread()) == [["a"], ["b"]]


@pytest.mark.parity("D5")
async def test_d5_two_triggers_in_one_step_run_a_node_once() -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a c", "START b c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "c"]}


@pytest.mark.parity("D5")
async def test_d5_an_edge_and_a_goto_to_one_node_run_it_once() -> None:
    async def a(state: Log) -> Any:
        return Command(goto="b")

    assert await graph(Log, a, says("b"), paths=["START a b"]).compile().ainvoke({}) == {"log": ["b"]}


@pytest.mark.parity("D5")
async def test_d5_an_edge_and_a_send_run_a_node_twice() -> None:
    builder = graph(Log, says("a"), counts("b"), paths=["START a b"])
    builder.add_conditional_edges("a", lambda state: Send("b", {"log": [""] * 9}))
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b1", "b9"]}


@pytest.mark.parity("D5")
async def test_d5_an_edge_and_a_join_to_one_node_are_two_triggers() -> None:
    nodes = [says("a"), says("b"), says("b2"), says("c")]
    app = graph(Log, *nodes, paths=["START a c", "START b b2", "a+b2 c"]).compile()
    assert await app.ainvoke({}) == {"log": ["a", "b", "b2", "c", "c"]}


@pytest.mark.parity("D6")
async def test_d6_tasks_of_one_step_see_the_same_state() -> None:
    app = graph(Log, counts("a"), counts("b"), counts("c"), paths=["START a c", "START b"]).compile()
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "a1", "b1", "c3"]}


@pytest.mark.parity("D6")
async def test_d6_writes_show_in_the_next_step_even_if_the_sibling_is_slow() -> None:
    quick_is_done = asyncio.Event()

    async def quick(state: Log) -> dict[str, Any]:
        quick_is_done.set()
        return {"log": ["quick"]}

    async def slow(state: Log) -> dict[str, Any]:
        await quick_is_done.wait()
        return {"log": [f"slow saw {state['log']}"]}

    app = graph(Log, quick, slow, paths=["START quick", "START slow"]).compile()
    assert await app.ainvoke({"log": ["in"]}) == {"log": ["in", "quick", "slow saw ['in']"]}


@pytest.mark.parity("D9")
async def test_d9_planning_a_checkpoint_again_gives_the_same_tasks(saver: Any) -> None:
    async def stop(item: Any) -> None:
        raise ConnectionError

    builder = graph(Log, says("a"), stop, paths=["START a"])
    builder.add_conditional_edges("a", lambda state: [Send("stop", 1), "stop", Send("stop", 2)])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    first, second = await app.aget_state(thread()), await app.aget_state(thread())
    assert [task.id for task in first.tasks] == [task.id for task in second.tasks]
    assert [task.name for task in first.tasks] == ["stop", "stop", "stop"]


@pytest.mark.parity("D9")
async def test_d9_snapshots_and_runs_agree_on_task_ids(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    events = [e async for e in app.astream({}, thread(), stream_mode="tasks")]
    ran = {event["id"]: event["name"] for event in events}
    planned = {t.id: t.name async for s in app.aget_state_history(thread()) for t in s.tasks}
    assert ran.items() <= planned.items()


@pytest.mark.parity("D4")
async def test_d4_a_node_whose_single_channel_is_empty_is_skipped() -> None:
    ran: list[Any] = []
    skipped = PregelNode(channels="empty", triggers=("a",), actions=(shape_of(ran.append),))
    echo = NodeBuilder().subscribe_only("a").write_to("out")
    app: Any = Pregel(
        nodes={"echo": echo, "skipped": skipped},
        channels={"a": LastValue(int), "empty": LastValue(int), "out": LastValue(int)},
        input_channels="a",
        output_channels="out",
    )
    assert (await app.ainvoke(3), ran) == (3, [])


@pytest.mark.parity("U3")
async def test_u3_values_in_configurable_reach_the_node() -> None:
    async def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
        return {"log": [config["configurable"]["user"]]}

    app = graph(Log, ("node", node), paths=["START node"]).compile()
    assert await app.ainvoke({}, {"configurable": {"user": "ada"}}) == {"log": ["ada"]}
