"""Error handlers: when they run, what they get, what becomes of the step (LangGraph O5, O6, X3); notes (G9, B3)."""

import asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest

from graphrt.config import RunnableConfig
from graphrt.errors import GraphValidationError, NodeError
from graphrt.func import entrypoint, step, task
from graphrt.graph import StateGraph
from graphrt.runtime import Runtime
from graphrt.types import Command, Send, interrupt
from tests.acceptance.graphs import Log, graph, named, says
from tests.acceptance.policies import Fails, alone, retries

EMPTY: Any = {"log": []}


async def rescue(state: Any, error: NodeError) -> dict[str, Any]:
    """Says whom it has rescued, and from what."""
    return {"log": [f"{error.node}: {error.error!r}"]}


def rescues(state: Any) -> dict[str, Any]:
    """The same without a word of the error."""
    return {"log": ["rescued"]}


RESCUED = ["work: ConnectionError('gone')"]


# ---- when, with what


async def test_o5_a_handler_runs_when_its_node_has_failed() -> None:
    app = alone(Fails(9).node, error_handler=rescue).compile()
    assert await app.ainvoke(EMPTY) == {"log": RESCUED}


def test_o5_without_a_loop_too() -> None:
    def plain(state: Any, error: NodeError) -> Any:
        return {"log": [error.node]}

    assert alone(Fails(9).plain, error_handler=plain).compile().invoke(EMPTY) == {"log": ["work"]}


async def test_o5_it_runs_after_the_retries() -> None:
    fails, helped = Fails(2), Fails(9)
    assert await alone(fails.node, retry_policy=retries(), error_handler=rescue).compile().ainvoke(EMPTY) == {
        "log": ["work"]
    }
    assert await alone(helped.node, retry_policy=retries(), error_handler=rescue).compile().ainvoke(
        EMPTY
    ) == {"log": RESCUED}
    assert helped.attempts == 3


async def test_o5_it_gets_what_the_failed_node_got() -> None:
    seen: list[Any] = []

    def handler(state: Any, error: NodeError) -> None:
        seen.append((state, error.node, type(error.error)))

    builder = graph(Log, paths=[]).add_node("work", Fails(9).node, error_handler=handler)

    def twice(state: Any) -> list[Send]:
        return [Send("work", {"x": 1}), Send("work", {"x": 2})]

    builder.add_conditional_edges("__start__", twice)
    await builder.compile().ainvoke(EMPTY)
    assert sorted(seen, key=str) == [({"x": 1}, "work", ConnectionError), ({"x": 2}, "work", ConnectionError)]


async def test_o5_it_may_ask_for_all_that_nodes_may_ask_for() -> None:
    seen: list[Any] = []

    async def handler(state: Any, config: RunnableConfig, runtime: Runtime, *, failure: NodeError) -> None:
        seen.extend(
            [config.get("metadata", {})["langgraph_node"], runtime.execution_info.node_attempt, failure.node]
        )

    await alone(Fails(9).node, error_handler=handler).compile().ainvoke(EMPTY)
    assert seen == ["__error_handler__work", 1, "work"]


async def test_o5_a_handler_without_interest_in_the_error_is_fine() -> None:
    app = alone(Fails(9).node, error_handler=rescues).compile()
    assert await app.ainvoke(EMPTY) == {"log": ["rescued"]}


# ---- what becomes of the step


async def test_o5_it_runs_in_the_same_superstep_and_the_failed_nodes_edges_do_not_fire() -> None:
    builder = alone(Fails(9).node, says("after"), error_handler=rescue).add_edge("work", "after")
    builder.add_node(says("beside")).add_edge("__start__", "beside").add_node(says("next")).add_edge(
        "beside", "next"
    )
    shown = [chunk async for chunk in builder.compile().astream(EMPTY, stream_mode="values")]
    assert [sorted(state["log"]) for state in shown[1:]] == [
        ["beside", *RESCUED],
        ["beside", "next", *RESCUED],
    ]


async def test_o5_it_says_by_a_command_where_to_go() -> None:
    async def handler(state: Any, error: NodeError) -> Command[Any]:
        return Command(update={"log": ["rescued"]}, goto="after")

    app = alone(Fails(9).node, says("after"), error_handler=handler).compile()
    assert await app.ainvoke(EMPTY) == {"log": ["rescued", "after"]}


async def test_o5_what_the_failed_node_wrote_is_gone() -> None:
    async def work(state: Any) -> Command[Any]:
        return Command(update={"log": ["work"]}, goto="after")

    def route(state: Any) -> str:
        raise ConnectionError

    builder = alone(work, says("after"), error_handler=rescues)
    assert await builder.add_conditional_edges("work", route).compile().ainvoke(EMPTY) == {"log": ["rescued"]}


async def test_o5_siblings_of_a_handled_failure_go_on() -> None:
    rescued = asyncio.Event()

    async def handler(state: Any, error: NodeError) -> dict[str, Any]:
        rescued.set()
        return {"log": ["rescued"]}

    async def beside(state: Any) -> dict[str, Any]:
        await rescued.wait()
        return {"log": ["beside"]}

    builder = alone(Fails(9).node, beside, error_handler=handler).add_edge("__start__", "beside")
    assert sorted((await builder.compile().ainvoke(EMPTY))["log"]) == ["beside", "rescued"]


async def test_o5_a_deferred_node_and_a_join_that_fail_do_not_run_again() -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a", "START b"])
    builder.add_node("work", Fails(9).node, defer=True, error_handler=rescue).add_edge(["a", "b"], "work")
    assert (await builder.compile().ainvoke(EMPTY))["log"] == ["a", "b", *RESCUED]


async def test_o5_a_handlers_failure_fails_the_run() -> None:
    async def handler(state: Any, error: NodeError) -> None:
        raise LookupError("handler") from error.error

    with pytest.raises(LookupError, match="handler") as raised:
        await alone(Fails(9).node, error_handler=handler).compile().ainvoke(EMPTY)
    assert isinstance(raised.value.__cause__, ConnectionError)
    (note,) = raised.value.__notes__
    assert "'__error_handler__work'" in note


async def test_o5_a_handlers_failure_is_not_for_the_default_handler() -> None:
    async def handler(state: Any, error: NodeError) -> None:
        raise LookupError("handler")

    builder = alone(Fails(9).node, error_handler=handler).set_node_defaults(error_handler=rescue)
    with pytest.raises(LookupError, match="handler"):
        await builder.compile().ainvoke(EMPTY)


async def test_o5_handlers_are_tried_again_by_the_graphs_policy() -> None:
    handler = Fails(2, name="handler")
    builder = alone(Fails(9).node, retry_policy=retries(1), error_handler=handler.node)
    builder.set_node_defaults(retry_policy=retries())
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["handler"]}
    assert handler.attempts == 3


async def test_o5_a_default_handler_is_for_nodes_without_one() -> None:
    own, other = Fails(9, name="own"), Fails(9, name="other")
    builder: Any = StateGraph(Log).add_node(own.node, error_handler=rescues)
    builder.add_node(other.node).set_node_defaults(error_handler=rescue)
    builder.add_edge("__start__", "own").add_edge("__start__", "other")
    shown = [chunk async for chunk in builder.compile().astream(EMPTY)]
    assert {next(iter(chunk)) for chunk in shown} == {"__error_handler__own", "__default_error_handler__"}


async def test_o5_two_nodes_may_share_the_default_handler_in_a_step() -> None:
    ids: set[str] = set()

    async def handler(state: Any, error: NodeError, runtime: Runtime) -> dict[str, Any]:
        ids.add(runtime.execution_info.task_id)
        return {"log": [await step("name", lambda: error.node)]}

    builder: Any = StateGraph(Log).set_node_defaults(error_handler=handler)
    builder.add_node(Fails(9, name="a").node).add_node(Fails(9, name="b").node)
    builder.add_edge("__start__", "a").add_edge("__start__", "b")
    assert await builder.compile().ainvoke(EMPTY) == {"log": ["a", "b"]}
    assert len(ids) == 2


async def test_o5_a_question_is_not_handled_and_a_handler_may_ask(saver: Any, thread: Any) -> None:
    async def work(state: Any) -> None:
        raise ConnectionError(interrupt("work?"))

    async def handler(state: Any, error: NodeError) -> dict[str, Any]:
        return {"log": [str(error.error), interrupt("handler?")]}

    app = alone(work, error_handler=handler).compile(checkpointer=saver)
    first = await app.ainvoke(EMPTY, thread)
    second = await app.ainvoke(Command(resume="1"), thread)
    assert [state["__interrupt__"][0].value for state in (first, second)] == ["work?", "handler?"]
    assert (await app.ainvoke(Command(resume="2"), thread))["log"][1] == "2"


async def test_o5_a_cancel_is_not_handled() -> None:
    entered = asyncio.Event()

    async def work(state: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    handled: list[int] = []

    def handles(state: Any) -> None:
        handled.append(1)

    running = asyncio.ensure_future(alone(work, error_handler=handles).compile().ainvoke(EMPTY))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert handled == []


async def test_o5_tasks_tell_of_the_failure_and_of_the_handler() -> None:
    app = alone(Fails(9).node, error_handler=rescue).compile()
    told = [chunk async for chunk in app.astream(EMPTY, stream_mode="tasks")]
    assert [(chunk["name"], "error" in chunk and type(chunk["error"])) for chunk in told] == [
        ("work", False),
        ("work", ConnectionError),
        ("__error_handler__work", False),
        ("__error_handler__work", type(None)),
    ]


def test_o5_names_of_handlers_are_taken() -> None:
    builder = alone(Fails(0).node, error_handler=rescue)
    assert "__error_handler__work" in builder.nodes
    with pytest.raises(GraphValidationError, match="already present"):
        builder.add_node("__error_handler__work", says("x"))
    builder.add_node("__default_error_handler__", says("x")).set_node_defaults(error_handler=rescue)
    with pytest.raises(GraphValidationError, match="already present"):
        builder.compile()


def test_o5_a_builder_can_be_compiled_again() -> None:
    builder = alone(Fails(1).plain, error_handler=rescues).set_node_defaults(error_handler=rescue)
    names = list(builder.nodes)
    assert builder.compile().invoke(EMPTY) == {"log": ["rescued"]}
    assert builder.compile().invoke(EMPTY) == {"log": ["work"]}
    assert list(builder.nodes) == names


# ---- O6


def breaks_once(handler: Any) -> Any:
    """A handler that fails the first time."""
    broken: list[int] = []

    async def handle(state: Any, error: NodeError) -> Any:
        if not broken:
            broken.append(1)
            raise OSError("power cut")
        return await handler(state, error)

    return handle


async def test_o6_after_a_crash_between_failure_and_handler_the_handler_runs_and_not_the_node(
    saver: Any, thread: Any
) -> None:
    fails = Fails(9)
    app = alone(fails.node, error_handler=breaks_once(rescue)).compile(checkpointer=saver)
    with pytest.raises(OSError, match="power cut"):
        await app.ainvoke(EMPTY, thread)
    again = alone(fails.node, error_handler=rescue).compile(checkpointer=saver)
    result = await again.ainvoke(None, thread)
    assert (fails.attempts, result) == (1, {"log": ["work: Exception(\"ConnectionError('gone')\")"]})


async def test_o6_a_cancelled_handler_runs_again_and_its_node_does_not(saver: Any, thread: Any) -> None:
    fails, entered = Fails(9), asyncio.Event()

    async def hangs(state: Any, error: NodeError) -> None:
        entered.set()
        await asyncio.Event().wait()

    app = alone(fails.node, error_handler=hangs).compile(checkpointer=saver)
    running = asyncio.ensure_future(app.ainvoke(EMPTY, thread))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    again = alone(fails.node, error_handler=rescue).compile(checkpointer=saver)
    await again.ainvoke(None, thread)
    assert fails.attempts == 1


async def test_o6_what_a_handler_has_finished_is_kept_while_others_fail(saver: Any, thread: Any) -> None:
    fails, handled, beside = Fails(9), list[int](), Fails(1, name="beside")
    rescued = asyncio.Event()

    async def handler(state: Any, error: NodeError) -> dict[str, Any]:
        handled.append(1)
        asyncio.get_running_loop().call_soon(rescued.set)
        return {"log": ["rescued"]}

    async def node(state: Any) -> Any:
        await rescued.wait()
        return beside.attempt()

    builder = alone(fails.node, named("beside", node), error_handler=handler).add_edge("__start__", "beside")
    app = builder.add_edge("work", "beside").compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke(EMPTY, thread)
    snapshot = await app.aget_state(thread)
    assert sorted(snapshot.values["log"]) == ["rescued"]
    assert await app.ainvoke(None, thread) == {"log": ["beside", "rescued"]}  # in the order of the nodes
    assert (fails.attempts, len(handled), beside.attempts) == (1, 1, 2)


async def test_o6_a_step_of_the_handler_is_taken_once(saver: Any, thread: Any) -> None:
    taken: list[str] = []

    async def handler(state: Any, error: NodeError) -> dict[str, Any]:
        word = await step("word", lambda: taken.append("step") or "word")
        return {"log": [word, interrupt("?")]}

    app = alone(Fails(9).node, error_handler=handler).compile(checkpointer=saver)
    await app.ainvoke(EMPTY, thread)
    assert await app.ainvoke(Command(resume="!"), thread) == {"log": ["word", "!"]}
    assert taken == ["step"]


async def test_o6_a_fork_of_the_step_runs_the_node_again(saver: Any, thread: Any) -> None:
    fails = Fails(1)
    app = alone(fails.node, error_handler=rescue).compile(checkpointer=saver)
    assert await app.ainvoke(EMPTY, thread) == {"log": RESCUED}
    before = [shown async for shown in app.aget_state_history(thread)][1]
    assert await app.ainvoke(None, before.config) == {"log": ["work"]}


# ---- X3


def test_x3_error_handlers_are_nodes() -> None:
    app = alone(Fails(0).node, error_handler=rescue).compile()
    assert set(app.get_graph().nodes) >= {"work", "__error_handler__work"}


# ---- where it happened


async def test_g9_one_note_names_graph_node_task_attempt_and_step(saver: Any, thread: Any) -> None:
    async def work(state: Any) -> None:
        raise ConnectionError

    app = alone(work, retry_policy=retries(2)).compile(checkpointer=saver, name="shop")
    with pytest.raises(ConnectionError) as raised:
        await app.ainvoke(EMPTY, thread)
    (note,) = raised.value.__notes__
    (task,) = (await app.aget_state(thread)).tasks
    assert note == (
        f"During task with name 'work' and id '{task.id}' (graph 'shop', step 1, attempt 2, thread 'thread-1')"
    )


async def test_g9_a_failure_inside_names_what_is_around_it_in_the_same_note() -> None:
    @task
    async def call() -> None:
        raise LookupError

    async def inner(state: Any) -> None:
        await call()

    inside = alone(inner).compile(name="inside")
    app = graph(Log, ("outer", inside), paths=["START outer"]).compile(name="outside")
    with pytest.raises(LookupError) as raised:
        await app.ainvoke(EMPTY)
    (note,) = raised.value.__notes__
    lines = [line.partition(" and id ")[0] for line in note.splitlines()]
    assert lines == [
        "During task with name 'call'",
        "  inside task with name 'inner'",
        "  inside task with name 'outer'",
    ]


async def test_g9_an_error_object_that_is_raised_again_has_the_note_of_its_last_run() -> None:
    error = LookupError()

    async def work(state: Any) -> None:
        raise error

    for name in ("first", "second"):
        with pytest.raises(LookupError):
            await alone(work).compile(name=name).ainvoke(EMPTY)
    (note,) = error.__notes__
    assert "graph 'second'" in note


def frames(error: BaseException) -> list[str]:
    """The traceback's functions that are this file's, and how many others there are."""
    found = traceback.extract_tb(error.__traceback__)
    return [frame.name if Path(frame.filename) == Path(__file__) else "-" for frame in found]


@pytest.mark.parametrize("kind", ["async", "plain", "call", "inside", "beside"])
async def test_b3_the_traceback_ends_in_the_users_frames_and_has_few_of_ours(kind: str) -> None:
    def deep() -> None:
        raise LookupError

    async def work(state: Any) -> None:
        deep()

    def plain(state: Any) -> None:
        deep()

    async def call(state: Any) -> None:
        await task(work)(state)

    inside = alone(work).compile()
    node = {"plain": plain, "call": call, "inside": inside.ainvoke}.get(kind, work)
    builder = graph(Log, ("node", node), paths=["START node"])
    if kind == "beside":
        builder.add_node(says("other")).add_edge("__start__", "other")
    with pytest.raises(LookupError) as raised:
        await builder.compile().ainvoke(EMPTY)
    names = frames(raised.value)
    assert names[-1] == "deep"
    assert names.count("-") <= 3


def test_g9_entrypoints_have_the_note_too() -> None:
    @entrypoint()
    async def run(given: int) -> None:
        raise LookupError

    with pytest.raises(LookupError) as raised:
        run.invoke(1)
    assert "'run'" in raised.value.__notes__[0]
