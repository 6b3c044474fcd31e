"""Asking a run to stop: what it still does, what it leaves, how it goes on (LangGraph O7)."""

import threading
from typing import Any

import pytest

from graphrt.errors import GraphDrained
from graphrt.runtime import RunControl, Runtime
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, named, says, thread


def drains(word: str, control: RunControl, *reason: str) -> Any:
    """A node that says `word` and, from another thread, asks for the run that it is part of to stop."""

    async def node(state: Log) -> dict[str, Any]:
        asking = threading.Thread(target=control.request_drain, args=reason)
        asking.start()
        asking.join()
        return {"log": [word]}

    return named(word, node)


@pytest.mark.parity("O7")
async def test_o7_the_step_at_hand_ends_and_the_next_does_not_begin(saver: Any) -> None:
    control = RunControl()
    app = graph(Log, drains("a", control, "deploying"), says("b"), paths=["START a b"]).compile(saver)
    with pytest.raises(GraphDrained) as drained:
        await app.ainvoke({"log": []}, thread(), control=control)
    state = await app.aget_state(thread())
    assert (drained.value.reason, state.values, state.next) == ("deploying", {"log": ["a"]}, ("b",))
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b"]}


@pytest.mark.parity("O7")
async def test_o7_a_run_that_has_come_to_its_end_just_ends() -> None:
    control = RunControl()
    app = graph(Log, drains("a", control), paths=["START a"]).compile()
    assert await app.ainvoke({"log": []}, control=control) == {"log": ["a"]}
    assert (control.drain_requested, control.drain_reason) == (True, "shutdown")


@pytest.mark.parity("O7")
async def test_o7_what_the_last_step_did_is_streamed_first() -> None:
    control = RunControl()
    app = graph(Log, drains("a", control), says("b"), paths=["START a b"]).compile()
    seen: list[Any] = []
    with pytest.raises(GraphDrained):
        async for chunk in app.astream({"log": []}, control=control, stream_mode="updates"):
            seen.append(chunk)
    assert seen == [{"a": {"log": ["a"]}}]


@pytest.mark.parity("O7", "I12")
async def test_o7_a_breakpoint_comes_first(saver: Any) -> None:
    control = RunControl()
    app = graph(Log, drains("a", control), says("b"), paths=["START a b"]).compile(saver)
    stopped = await app.ainvoke({"log": []}, thread(), control=control, interrupt_before=["b"])
    assert stopped == {"log": ["a"]}
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b"]}


@pytest.mark.parity("O7", "G10")
async def test_o7_so_does_a_question(saver: Any) -> None:
    control = RunControl()

    async def asks(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("?")]}

    app = graph(Log, asks, drains("b", control), says("c"), paths=["START asks", "START b c"]).compile(saver)
    stopped = await app.ainvoke({"log": []}, thread(), control=control)
    assert [question.value for question in stopped["__interrupt__"]] == ["?"]
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["r", "b", "c"]}


@pytest.mark.parity("O7", "U1")
async def test_o7_nodes_see_that_the_run_is_to_stop() -> None:
    control = RunControl()

    async def looks(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        control.request_drain("soon")
        assert runtime.control is not None
        return {"log": [runtime.control.drain_reason]}

    app = graph(Log, looks, paths=["START looks"]).compile()
    assert await app.ainvoke({"log": []}, control=control) == {"log": ["soon"]}


@pytest.mark.parity("O7")
def test_o7_the_last_reason_counts() -> None:
    control = RunControl()
    control.request_drain("deploying")
    control.request_drain("shutdown")
    assert control.drain_reason == "shutdown"
