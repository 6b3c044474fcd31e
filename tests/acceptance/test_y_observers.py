"""Seeing inside runs: observers, what they are told, and how handlers hear of interrupts (LangGraph 2.Y, §1.9)."""

import asyncio
from time import monotonic_ns
from typing import Any
from uuid import UUID

import pytest

from graphrt.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from graphrt.channels import EphemeralValue
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.func import entrypoint, task
from graphrt.observers import (
    Event,
    GraphFailed,
    GraphInterrupted,
    GraphResumed,
    GraphStarted,
    Recorder,
    StepCommitted,
    StepStarted,
    TaskEnded,
    TaskFailed,
    TaskInterrupted,
    TaskRestored,
    TaskRetried,
    TaskStarted,
)
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Command, RetryPolicy, Send, interrupt
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import asks, calls, chain, hands_over, parent
from tests.acceptance.watched import assert_well_formed, tree_of


@pytest.fixture
def told() -> Recorder:
    return Recorder()


def kinds(told: Recorder) -> list[str]:
    return [type(event).__name__ for event in told.events]


def only(told: Recorder, kind: type[Event]) -> Any:
    (found,) = [event for event in told.events if isinstance(event, kind)]
    return found


# ---- Y1: a run and what is in it


@pytest.mark.parity("Y1")
async def test_y1_a_run_its_steps_and_its_tasks_are_told_in_order(told: Recorder) -> None:
    await chain(says("a"), observers=[told]).ainvoke({"log": []})
    assert kinds(told) == [
        "GraphStarted",
        *("StepStarted", "StepCommitted", "StepEnded"),
        *("StepStarted", "TaskStarted", "TaskEnded", "StepCommitted", "StepEnded"),
        "GraphEnded",
    ]  # fmt: skip
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_a_run_is_named_after_its_graph_or_as_its_config_says(told: Recorder) -> None:
    app = chain(says("a"), name="mine", observers=[told])
    await app.ainvoke({"log": []})
    await app.ainvoke({"log": []}, {"run_name": "other"})
    assert [event.name for event in told.events if isinstance(event, GraphStarted)] == ["mine", "other"]


@pytest.mark.parity("Y1")
async def test_y1_a_run_has_the_id_that_its_config_says(told: Recorder) -> None:
    run_id = UUID(int=7)
    await chain(says("a"), observers=[told]).ainvoke({"log": []}, {"run_id": run_id})
    assert {event.run_id for event in told.events} == {str(run_id)}


@pytest.mark.parity("Y1")
async def test_y1_a_node_knows_its_run_and_step(told: Recorder) -> None:
    await chain(says("a"), says("b"), observers=[told]).ainvoke({"log": []})
    started = [event for event in told.events if isinstance(event, TaskStarted)]
    assert [(event.name, event.step, event.parent_task_id) for event in started] == [
        ("a", 1, None), ("b", 2, None),
    ]  # fmt: skip
    assert len({event.task_id for event in started}) == 2


@pytest.mark.parity("Y1")
async def test_y1_called_tasks_have_their_bound_arguments_as_input(told: Recorder) -> None:
    @task
    async def add(a: int, *, b: int) -> int:
        return a + b

    @entrypoint(observers=[told])
    async def total(number: int) -> int:
        return await add(number, b=2)

    assert await total.ainvoke(1) == 3
    (call,) = [event for event in told.events if isinstance(event, TaskStarted) and event.name == "add"]
    assert call.input == ((1,), {"b": 2})
    assert tree_of(told.events) == {"total": {"total": {"add": {}}}}


@pytest.mark.parity("Y1")
async def test_y1_a_called_task_has_ended_before_its_caller_goes_on(told: Recorder) -> None:
    @task
    async def inner() -> None: ...

    @entrypoint(observers=[told])
    async def outer(given: int) -> list[str]:
        await inner()
        return [event.name for event in told.events if isinstance(event, TaskEnded)]

    assert await outer.ainvoke(1) == ["inner"]


@pytest.mark.parity("Y1")
async def test_y1_a_tasks_time_is_its_functions_and_not_that_of_storing_it(told: Recorder) -> None:
    left: list[int] = []

    async def ask(state: Log) -> None:
        try:
            interrupt("?")
        finally:
            left.append(monotonic_ns())

    class Late(InMemorySaver):
        async def append_results(self, *args: Any) -> None:
            left.append(monotonic_ns())
            await super().append_results(*args)

    await chain(ask, checkpointer=Late(), observers=[told]).ainvoke({"log": []}, thread())
    assert left[0] <= only(told, TaskInterrupted).time_ns <= left[1]


@pytest.mark.parity("Y1")
async def test_y1_an_error_is_told_of_its_task_and_its_run(told: Recorder) -> None:
    async def fail(state: Log) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as raised:
        await chain(fail, observers=[told]).ainvoke({"log": []})
    assert only(told, TaskFailed).error is raised.value
    assert only(told, GraphFailed).error is raised.value
    assert not told.events[-2].committed
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_what_runs_beside_a_failure_is_told_as_cancelled(told: Recorder) -> None:
    began = asyncio.Event()

    async def wait(state: Log) -> None:
        began.set()
        await asyncio.Event().wait()

    async def fail(state: Log) -> None:
        await began.wait()
        raise ValueError

    app = graph(Log, wait, fail, paths=["START wait", "START fail"]).compile(observers=[told])
    with pytest.raises(ValueError):
        await app.ainvoke({"log": []})
    assert tree_of(told.events) == {"graphrt:ValueError": {"fail:ValueError": {}, "wait:CancelledError": {}}}
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_a_cancelled_run_ends_for_its_observers_too(told: Recorder) -> None:
    began = asyncio.Event()

    async def wait(state: Log) -> None:
        began.set()
        await asyncio.Event().wait()

    run = asyncio.create_task(chain(("child", chain(wait)), observers=[told]).ainvoke({"log": []}))
    await began.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [type(event.error).__name__ for event in told.events if isinstance(event, TaskFailed)] == [
        "CancelledError", "CancelledError",
    ]  # fmt: skip
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_an_attempt_that_is_followed_by_another_is_told(told: Recorder) -> None:
    failures = [ConnectionError("one"), ConnectionError("two")]

    async def flaky(state: Log) -> dict[str, Any]:
        if failures:
            raise failures.pop(0)
        return {"log": ["done"]}

    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=3)
    builder = graph(Log, paths=[])
    builder.add_node(flaky, retry_policy=policy).add_edge("__start__", "flaky")
    await builder.compile(observers=[told]).ainvoke({"log": []})
    retries = [event for event in told.events if isinstance(event, TaskRetried)]
    assert [(event.attempt, str(event.error)) for event in retries] == [(1, "one"), (2, "two")]
    assert only(told, TaskEnded).attempt == 3
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_an_error_handler_is_a_task_of_its_own(told: Recorder) -> None:
    async def fail(state: Log) -> None:
        raise ValueError

    async def handle(state: Log) -> dict[str, Any]:
        return {"log": ["handled"]}

    builder = graph(Log, paths=[])
    builder.add_node(fail, error_handler=handle).add_edge("__start__", "fail")
    assert await builder.compile(observers=[told]).ainvoke({"log": []}) == {"log": ["handled"]}
    (failed, handled) = [event for event in told.events if isinstance(event, TaskEnded)]
    assert isinstance(failed, TaskFailed)
    assert not isinstance(handled, TaskFailed)
    assert failed.task_id != handled.task_id
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_a_raw_program_is_observed_as_well(told: Recorder) -> None:
    double = NodeBuilder().subscribe_only("a").do(lambda a: a + a).write_to("b")
    app = Pregel(
        nodes={"double": double},
        channels={"a": EphemeralValue(str), "b": EphemeralValue(str)},
        input_channels="a",
        output_channels="b",
        observers=[told],
    )
    assert await app.ainvoke("x") == "xx"
    assert tree_of(told.events) == {"graphrt": {"double": {}}}
    assert only(told, TaskEnded).output == "xx"


@pytest.mark.parity("Y1")
def test_y1_a_sync_run_is_observed_in_its_own_thread(told: Recorder) -> None:
    def plain(state: Log) -> dict[str, Any]:
        return {"log": ["plain"]}

    assert chain(plain, observers=[told]).invoke({"log": []}) == {"log": ["plain"]}
    assert tree_of(told.events) == {"graphrt": {"plain": {}}}
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_each_send_is_a_task(told: Recorder) -> None:
    def fan(state: Log) -> list[Send]:
        return [Send("a", {"log": []}), Send("a", {"log": []})]

    builder = graph(Log, says("a"), paths=[])
    builder.add_conditional_edges("__start__", fan, ["a"])
    await builder.compile(observers=[told]).ainvoke({"log": []})
    assert tree_of(told.events) == {"graphrt": {"a": {}, "a'": {}}}
    assert [event.nodes for event in told.events if isinstance(event, StepStarted)] == [(), ("a", "a")]
    assert_well_formed(told.events)


@pytest.mark.parity("Y1")
async def test_y1_a_commit_names_the_checkpoint_that_it_made(saver: Any, told: Recorder) -> None:
    app = chain(says("a"), checkpointer=saver, observers=[told])
    await app.ainvoke({"log": []}, thread())
    commits = [event for event in told.events if isinstance(event, StepCommitted)]
    newest = (await app.aget_state(thread())).config["configurable"]["checkpoint_id"]
    assert commits[-1].checkpoint_id == newest
    assert all(event.stored_ns > 0 for event in commits)
    assert told.events[-1].stored_ns >= sum(event.stored_ns for event in commits)


# ---- M7: graphs inside


@pytest.mark.parity("M7", "Y1")
@pytest.mark.parametrize(
    "nest", [lambda child: ("child", child), lambda child: calls("child", child)], ids=["as node", "called"]
)
async def test_m7_observers_are_told_of_graphs_inside(nest: Any, told: Recorder) -> None:
    app = chain(nest(chain(says("a"), name="inner")), observers=[told], name="outer")
    await app.ainvoke({"log": []})
    assert tree_of(told.events) == {"outer": {"child": {"inner": {"a": {}}}}}
    assert {event.root_run_id for event in told.events if isinstance(event, GraphStarted)} == {
        told.events[0].run_id
    }
    assert_well_formed(told.events)


@pytest.mark.parity("M7")
async def test_m7_a_graph_inside_on_a_thread_of_its_own_is_told_as_inside(saver: Any, told: Recorder) -> None:
    inner = chain(says("a"), name="inner", checkpointer=saver)

    async def call(state: Log) -> dict[str, Any]:
        return {"log": (await inner.ainvoke({"log": []}, thread("other")))["log"]}

    await chain(call, name="outer", observers=[told]).ainvoke({"log": []})
    assert tree_of(told.events) == {"outer": {"call": {"inner": {"a": {}}}}}


@pytest.mark.parity("M7")
async def test_m7_an_observer_that_is_given_several_times_is_told_once(told: Recorder) -> None:
    inner = chain(says("a"), observers=[told])
    app = chain(("child", inner), observers=[told]).with_config({"callbacks": [told]})
    await app.ainvoke({"log": []}, {"callbacks": [told]})
    assert_well_formed(told.events)


@pytest.mark.parity("M7")
async def test_m7_observers_of_the_graph_and_of_its_calls_add_up() -> None:
    one, two, three = Recorder(), Recorder(), Recorder()
    app = chain(says("a"), observers=[one]).with_config({"callbacks": [two]})
    await app.ainvoke({"log": []}, {"callbacks": [three]})
    assert kinds(one) == kinds(two) == kinds(three) != []


@pytest.mark.parity("M7")
async def test_m7_observers_of_a_graph_inside_are_told_of_that_alone(told: Recorder) -> None:
    inner = chain(says("a"), observers=[told], name="inner")
    await chain(("child", inner), says("b")).ainvoke({"log": []})
    assert tree_of(told.events) == {"inner": {"a": {}}}


@pytest.mark.parity("M7")
async def test_m7_a_command_for_the_graph_around_is_no_failure(told: Recorder) -> None:
    child = chain(hands_over("b"))
    app = parent(child).compile(observers=[told], name="outer")
    assert (await app.ainvoke({"log": []}))["log"] == ["b"]
    assert tree_of(told.events) == {"outer": {"child": {"graphrt": {"hands_over": {}}}, "b": {}}}
    assert_well_formed(told.events)


@pytest.mark.parity("M7")
async def test_m7_streams_and_observers_are_told_the_same(told: Recorder) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "START b"]).compile(observers=[told])
    seen = [chunk async for chunk in app.astream({"log": []}, stream_mode="updates")]
    assert seen == [{"a": {"log": ["a"]}}, {"b": {"log": ["b"]}}]
    assert tree_of(told.events) == {"graphrt": {"a": {}, "b": {}}}
    assert_well_formed(told.events)


# ---- Y2: what is told of a config


@pytest.mark.parity("Y2")
async def test_y2_plain_values_of_the_config_are_told_but_no_secrets(told: Recorder) -> None:
    configurable = {
        "user": "u1", "level": 3, "api_key": "k", "AUTHOR": "a", "password": "p", "my_token": "t", "__own": 1, "o": [],
    }  # fmt: skip
    config: Any = {"configurable": configurable, "metadata": {"origin": "test"}, "tags": ["t1"]}
    await chain(says("a"), observers=[told]).ainvoke({"log": []}, config)
    started = only(told, GraphStarted)
    assert started.metadata == {"user": "u1", "level": 3, "origin": "test"}
    assert started.tags == ("t1",)


# ---- Y3: stopping and going on


class Handler(GraphCallbackHandler):
    def __init__(self) -> None:
        self.events: list[GraphInterruptEvent | GraphResumeEvent] = []

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        self.events.append(event)

    def on_resume(self, event: GraphResumeEvent) -> None:
        self.events.append(event)


@pytest.mark.parity("Y3")
async def test_y3_a_handler_hears_of_an_interrupt_once_and_of_going_on_at_every_level(saver: Any) -> None:
    handler = Handler()
    app = chain(("child", chain(asks("q"))), checkpointer=saver)
    config = thread(callbacks=[handler])
    paused = await app.ainvoke({"log": []}, config)
    stopped_at = (await app.aget_state(thread())).config["configurable"]["checkpoint_id"]
    await app.ainvoke(Command(resume="yes"), config)
    interrupted, *resumed = handler.events
    assert isinstance(interrupted, GraphInterruptEvent)
    assert list(interrupted.interrupts) == paused["__interrupt__"]
    assert (interrupted.status, interrupted.checkpoint_id, interrupted.checkpoint_ns) == (
        "pending",
        stopped_at,
        (),
    )
    assert isinstance(interrupted.run_id, UUID)
    assert [type(event) for event in resumed] == [GraphResumeEvent, GraphResumeEvent]
    assert resumed[0].checkpoint_id == stopped_at
    assert [[name.partition(":")[0] for name in event.checkpoint_ns] for event in resumed] == [[], ["child"]]


@pytest.mark.parity("Y3")
@pytest.mark.parametrize("when", ["interrupt_before", "interrupt_after"])
async def test_y3_a_breakpoint_is_an_interrupt_without_questions(saver: Any, when: str) -> None:
    handler = Handler()
    app = chain(says("a"), says("b"), checkpointer=saver, **{when: ["a"]})
    await app.ainvoke({"log": []}, thread(callbacks=[handler]))
    (event,) = handler.events
    assert isinstance(event, GraphInterruptEvent)
    assert (event.status, event.interrupts) == (when, ())


@pytest.mark.parity("Y3")
async def test_y3_a_new_turn_is_no_going_on(saver: Any) -> None:
    handler = Handler()
    app = chain(says("a"), checkpointer=saver)
    for _ in range(2):
        await app.ainvoke({"log": []}, thread(callbacks=[handler]))
    assert handler.events == []


@pytest.mark.parity("Y3")
async def test_y3_observers_are_told_of_interrupts_at_every_level(saver: Any, told: Recorder) -> None:
    app = chain(("child", chain(asks("q"), name="inner")), checkpointer=saver, observers=[told], name="outer")
    await app.ainvoke({"log": []}, thread())
    assert tree_of(told.events) == {
        "outer:interrupted": {"child:interrupted": {"inner:interrupted": {"q:interrupted": {}}}}
    }
    assert [event.outermost for event in told.events if isinstance(event, GraphInterrupted)] == [False, True]
    told.events.clear()
    await app.ainvoke(Command(resume="yes"), thread())
    assert tree_of(told.events) == {"outer": {"child": {"inner": {"q": {}}}}}
    assert [type(event) for event in told.events[:2]] == [GraphStarted, GraphResumed]
    assert_well_formed(told.events)


@pytest.mark.parity("Y3")
async def test_y3_what_finished_before_an_interrupt_is_told_as_restored(saver: Any, told: Recorder) -> None:
    app = graph(Log, says("a"), asks("q"), paths=["START a", "START q"]).compile(saver, observers=[told])
    await app.ainvoke({"log": []}, thread())
    told.events.clear()
    await app.ainvoke(Command(resume="yes"), thread())
    assert only(told, TaskRestored).name == "a"
    assert tree_of(told.events) == {"graphrt": {"q": {}}}


@pytest.mark.parity("Y3")
async def test_y3_a_called_task_that_asks_is_told_as_interrupted(saver: Any, told: Recorder) -> None:
    @task
    async def ask() -> str:
        return interrupt("?")

    @entrypoint(saver, observers=[told])
    async def flow(given: int) -> str:
        return await ask()

    await flow.ainvoke(1, thread())
    assert tree_of(told.events) == {"flow:interrupted": {"flow:interrupted": {"ask:interrupted": {}}}}
    told.events.clear()
    assert await flow.ainvoke(Command(resume="yes"), thread()) == "yes"
    assert tree_of(told.events) == {"flow": {"flow": {"ask": {}}}}
    assert_well_formed(told.events)
