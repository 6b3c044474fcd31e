"""Ids and paths of tasks, ids of checkpoints, as snapshots and nodes see them (LangGraph F1-F7)."""

import re
from itertools import pairwise
from typing import Any

import pytest

from graphrt.config import RunnableConfig
from graphrt.runtime import ExecutionInfo, Runtime
from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, says, thread


class Stop:
    """A node that fails and keeps the execution info it was given."""

    def __init__(self) -> None:
        self.infos: list[ExecutionInfo] = []

    async def node(self, state: Any, runtime: Runtime[Any]) -> None:
        self.infos.append(runtime.execution_info)
        raise ConnectionError


async def stopped(saver: Any, *routes: Any) -> tuple[Any, Stop]:
    """A graph whose thread "t" stopped in tasks of `stop` that were planned by `routes`."""
    stop = Stop()
    builder = graph(Log, says("a"), ("stop", stop.node), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: list(routes))
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    return app, stop


@pytest.mark.parity("F1")
async def test_f1_tasks_of_one_step_have_ids_of_their_own(saver: Any) -> None:
    app, _ = await stopped(saver, "stop", Send("stop", 1), Send("stop", 1))
    ids = [task.id for task in (await app.aget_state(thread())).tasks]
    assert len(set(ids)) == 3


@pytest.mark.parity("F1")
async def test_f1_a_task_that_runs_again_keeps_its_id(saver: Any) -> None:
    app, stop = await stopped(saver, "stop")
    with pytest.raises(ConnectionError):
        await app.ainvoke(None, thread())
    first, second = stop.infos
    assert first.task_id == second.task_id
    assert first.checkpoint_id == second.checkpoint_id


@pytest.mark.parity("F1")
async def test_f1_the_same_node_has_another_id_in_another_step(saver: Any) -> None:
    builder = graph(Log, says("a"), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "a" if len(state["log"]) < 3 else "__end__")
    app = builder.compile(checkpointer=saver)
    events = [e async for e in app.astream({}, thread(), stream_mode="tasks")]
    assert len({event["id"] for event in events}) == 3


@pytest.mark.parity("F1")
async def test_f1_threads_do_not_share_task_ids(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    ids = set()
    for name in ("t1", "t2"):
        async for event in app.astream({}, thread(name), stream_mode="tasks"):
            ids.add(event["id"])
    assert len(ids) == 2


@pytest.mark.parity("F1")
async def test_f1_without_a_checkpointer_tasks_of_a_step_still_differ() -> None:
    infos: list[ExecutionInfo] = []

    async def look(state: Any, runtime: Runtime[Any]) -> None:
        infos.append(runtime.execution_info)

    builder = graph(Log, look, paths=["look END"])
    builder.add_conditional_edges("__start__", lambda state: ["look", Send("look", 1), Send("look", 2)])
    await builder.compile().ainvoke({})
    assert len({info.task_id for info in infos}) == 3


@pytest.mark.parity("F2")
async def test_f2_paths_tell_edges_from_sends(saver: Any) -> None:
    app, _ = await stopped(saver, Send("stop", 1), "stop", Send("stop", 2))
    paths = [task.path for task in (await app.aget_state(thread())).tasks]
    assert [tuple(path)[:2] for path in paths] == [
        ("__pregel_push", 0),
        ("__pregel_push", 1),
        ("__pregel_pull", "stop"),
    ]


@pytest.mark.parity("F4", differs="namespaces-do-not-depend-on-checkpoints")
async def test_f4_a_tasks_namespace_is_its_node_and_its_place() -> None:
    found: list[Any] = []

    async def look(state: Log, runtime: Runtime[Any], config: RunnableConfig) -> None:
        found.extend([runtime.execution_info, config["metadata"]["langgraph_checkpoint_ns"]])

    await graph(Log, look, paths=["START look"]).compile().ainvoke({})
    info, namespace = found
    assert namespace == info.checkpoint_ns
    assert re.fullmatch("look:[0-9a-f-]{36}", namespace)


@pytest.mark.parity("F6", "J1")
async def test_f6_the_root_graph_streams_under_the_empty_namespace() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    parts = [p async for p in app.astream({}, stream_mode="updates", version="v2")]
    assert [part["ns"] for part in parts] == [()]


@pytest.mark.parity("F7")
async def test_f7_checkpoint_ids_sort_by_time(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), says("c"), paths=["START a b c"]).compile(checkpointer=saver)
    for _ in range(3):
        await app.ainvoke({}, thread())
    history = [s async for s in app.aget_state_history(thread())]
    newest_first = [s.config["configurable"]["checkpoint_id"] for s in history]
    assert newest_first == sorted(set(newest_first), reverse=True)


@pytest.mark.parity("F7", "L6")
async def test_f7_each_checkpoint_names_its_parent(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    history = [s async for s in app.aget_state_history(thread())]
    for child, parent in pairwise(history):
        assert child.parent_config is not None
        assert child.parent_config["configurable"] == parent.config["configurable"]
    assert history[-1].parent_config is None


@pytest.mark.parity("U2")
async def test_u2_execution_info_names_thread_and_task(saver: Any) -> None:
    app, stop = await stopped(saver, "stop")
    [info] = stop.infos
    assert (info.thread_id, info.task_id) == ("t", (await app.aget_state(thread())).tasks[0].id)
    assert info.checkpoint_id == (await app.aget_state(thread())).config["configurable"]["checkpoint_id"]
