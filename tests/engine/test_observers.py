"""How observers and runs get along: what observers may do, what they cannot, and that runs without any do nothing."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from itertools import count
from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import GraphValidationError
from graphrt.func import entrypoint, step, task
from graphrt.observers import Event, GraphStarted, Recorder, TaskEnded, TaskStarted
from graphrt.testing.faults import FaultySaver, Raise, StorageDown
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import asks, chain
from tests.acceptance.watched import assert_well_formed, tree_of
from tests.engine.test_garbage import left_behind_by

seen_by: ContextVar[str] = ContextVar("seen_by", default="nobody")


class Told:
    """Calls a function with each event."""

    def __init__(self, function: Callable[[Event], Any]) -> None:
        self.on_event = function


class Marks:
    """Sets a context variable to the name of each task that starts."""

    def on_event(self, event: Event, /) -> None:
        if isinstance(event, TaskStarted):
            seen_by.set(event.name)


def looks(name: str) -> Any:
    """An async node that logs what it sees."""

    async def node(state: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"log": [f"{name}: {seen_by.get()}"]}

    node.__name__ = name
    return node


def looks_plainly(name: str) -> Any:
    """The same as a sync node."""

    def node(state: Any) -> dict[str, Any]:
        return {"log": [f"{name}: {seen_by.get()}"]}

    node.__name__ = name
    return node


# ---- what observers may do


@pytest.mark.parametrize("make", [looks, looks_plainly], ids=["async", "sync"])
async def test_a_node_sees_the_context_that_its_observer_has_set(make: Any) -> None:
    app = chain(make("a"), make("b"), observers=[Marks()])
    assert await app.ainvoke({"log": []}) == {"log": ["a: a", "b: b"]}
    assert seen_by.get() == "nobody"


async def test_nodes_that_run_together_each_see_their_own() -> None:
    app = graph(Log, looks("a"), looks_plainly("b"), paths=["START a", "START b"]).compile(
        observers=[Marks()]
    )
    assert await app.ainvoke({"log": []}) == {"log": ["a: a", "b: b"]}
    assert seen_by.get() == "nobody"


@pytest.mark.parametrize("make", [looks, looks_plainly], ids=["async", "sync"])
def test_through_the_sync_door_nothing_of_it_is_left_behind(make: Any) -> None:
    app = chain(make("a"), ("child", chain(make("b"))), observers=[Marks()])
    assert app.invoke({"log": []}) == {"log": ["a: a", "a: a", "b: b"]}
    assert seen_by.get() == "nobody"


async def test_a_called_task_sees_its_own_and_its_caller_what_it_saw() -> None:
    @task
    async def inner() -> str:
        return seen_by.get()

    @entrypoint(observers=[Marks()])
    async def outer(given: int) -> tuple[str, str]:
        return await inner(), seen_by.get()

    assert await outer.ainvoke(1) == ("inner", "outer")


async def test_a_graph_that_a_step_calls_is_told_as_part_of_the_task() -> None:
    told = Recorder()
    child = chain(says("a"), name="child")

    async def node(state: Log) -> dict[str, Any]:
        return {"log": (await step("once", child.ainvoke, {"log": []}))["log"]}

    await chain(node, name="outer", observers=[told]).ainvoke({"log": []})
    assert tree_of(told.events) == {"outer": {"node": {"child": {"a": {}}}}}


def test_a_graph_that_a_sync_node_calls_is_told_in_that_nodes_thread() -> None:
    threads: dict[str, int] = {}
    child = chain(says("a"), name="child")

    def node(state: Log) -> dict[str, Any]:
        return {"log": child.invoke({"log": []})["log"]}

    def note(event: Event) -> None:
        if isinstance(event, GraphStarted):
            threads[event.name] = threading.get_ident()

    app = chain(node, name="outer", observers=[Told(note)])
    assert asyncio.run(app.ainvoke({"log": []})) == {"log": ["a"]}
    assert threads["outer"] == threading.get_ident() != threads["child"]


async def test_times_do_not_run_backwards_and_a_task_lasts_as_long_as_its_function() -> None:
    told = Recorder()
    app = graph(Log, says("a"), paths=[])
    app.add_conditional_edges("__start__", lambda state: [Send("a", state)] * 3, ["a"])
    await app.compile(observers=[told]).ainvoke({"log": []})
    ended = [event for event in told.events if isinstance(event, TaskEnded)]
    assert all(event.started_ns <= event.time_ns for event in ended)
    assert_well_formed(told.events)


# ---- what they cannot do


async def test_an_observer_that_fails_is_logged_once_and_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("observer")

    told = Recorder()
    app = chain(("child", chain(says("a"))), observers=[Told(fail), told])
    with caplog.at_level(logging.ERROR, "graphrt"):
        assert await app.ainvoke({"log": []}) == {"log": ["a"]}
    assert [record.exc_text is not None for record in caplog.records] == [True]
    assert tree_of(told.events) == {"graphrt": {"child": {"graphrt": {"a": {}}}}}


async def test_async_observers_are_refused() -> None:
    class Async:
        async def on_event(self, event: Event, /) -> None: ...

    with pytest.raises(GraphValidationError, match="on_event is async"):
        chain(says("a"), observers=[Async()])
    with pytest.raises(GraphValidationError, match="on_event is async"):
        await chain(says("a")).ainvoke({"log": []}, {"callbacks": [Async()]})


@pytest.mark.parametrize("wrong", [print, "text", Recorder], ids=["function", "text", "class"])
def test_what_is_no_observer_is_refused_by_compile(wrong: Any) -> None:
    with pytest.raises(GraphValidationError, match="Expected an observer"):
        chain(says("a"), observers=[wrong])


async def test_callbacks_that_are_meant_for_others_are_left_alone() -> None:
    class Foreign:
        def on_llm_start(self, *args: Any) -> None: ...

    assert await chain(says("a")).ainvoke({"log": []}, {"callbacks": [Foreign()]}) == {"log": ["a"]}
    assert await chain(says("a")).ainvoke({"log": []}, {"callbacks": Foreign()}) == {"log": ["a"]}


# ---- what they cost


def test_a_run_that_nobody_observes_does_not_even_import_it() -> None:
    program = (
        "import sys\n"
        "from graphrt.graph import StateGraph\n"
        "from graphrt.checkpoint.memory import InMemorySaver\n"
        "graph = StateGraph(dict).add_node('a', lambda state: state).add_edge('__start__', 'a')\n"
        "app = graph.compile(InMemorySaver())\n"
        "app.invoke({'x': 1}, {'configurable': {'thread_id': 't'}, 'callbacks': None})\n"
        "print([name for name in sys.modules if 'observ' in name or 'callbacks' in name or 'timed' in name])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


async def test_an_observed_run_stores_what_any_other_stores(saver: Any) -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a b"])
    await builder.compile(saver).ainvoke({"log": []}, thread("plain"))
    await builder.compile(saver, observers=[Recorder()]).ainvoke({"log": []}, thread("observed"))
    plain, observed = [
        [
            (state.values, state.next, state.metadata["step"])
            async for state in builder.compile(saver).aget_state_history(thread(name))
        ]
        for name in ("plain", "observed")
    ]
    assert plain == observed


# ---- what is left of them


class Forgetful:
    """Is told, and keeps nothing."""

    def on_event(self, event: Event, /) -> None: ...


@pytest.mark.parametrize("node", [says("a"), looks_plainly("a")], ids=["async", "sync"])
async def test_observed_runs_leave_nothing(node: Any) -> None:
    app = graph(Log, node, ("child", chain(node)), paths=["START a", "START child"]).compile(
        InMemorySaver(), observers=[Forgetful()]
    )
    number = count()
    assert await left_behind_by(lambda: app.ainvoke({"log": []}, thread(str(next(number)))), runs=50) == 0


async def test_observed_runs_that_fail_leave_nothing() -> None:
    async def fail(state: Log) -> None:
        raise ValueError

    app = chain(("child", chain(fail)), observers=[Forgetful()])

    async def run() -> None:
        with suppress(ValueError):
            await app.ainvoke({"log": []})

    assert await left_behind_by(run, runs=50) == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_is_sent_again_after_a_crash_ends_an_observed_run_as_any(when: Any) -> None:
    for number in range(1, 6):
        inner = InMemorySaver()
        app = graph(Log, asks("a"), says("b"), says("z"), paths=["START a z", "START b"]).compile(
            inner, observers=[Forgetful()]
        )
        paused = await app.ainvoke({"log": []}, thread())
        answer = Command(resume={paused["__interrupt__"][0].id: "yes"})
        app.checkpointer = saver = FaultySaver(inner, Raise(at=number, when=when))
        with suppress(StorageDown):
            await app.ainvoke(answer, thread())
        saver.heal()
        assert await app.ainvoke(answer, thread()) == {"log": ["a=yes", "b", "z"]}
