"""Programs of bare nodes and channels ask, nest, stop, are edited and go back as graphs do (LangGraph I, M, N)."""

from typing import Any

import pytest

from graphrt.channels import EphemeralValue, LastValue
from graphrt.func import step, task
from graphrt.pregel import NodeBuilder, Pregel
from graphrt.types import Command, interrupt
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history


def line(saver: Any, first: Any, second: Any, **options: Any) -> Any:
    """A program a -> first -> b -> second -> c."""
    return Pregel(
        nodes={
            "first": NodeBuilder().subscribe_only("a").do(first).write_to("b"),
            "second": NodeBuilder().subscribe_only("b").do(second).write_to("c"),
        },
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str)},
        input_channels="a",
        output_channels="c",
        checkpointer=saver,
        **options,
    )


def asking(value: str) -> str:
    return f"{value} {interrupt('what?')}"


def upper(value: str) -> str:
    return value.upper()


@pytest.mark.parity("I1", "I4", "I7")
async def test_a_program_asks_and_is_answered(saver: Any) -> None:
    app = line(saver, asking, upper)
    paused = await app.ainvoke("in", thread())
    assert [question.value for question in paused["__interrupt__"]] == ["what?"]
    assert await app.ainvoke(Command(resume="this"), thread()) == "IN THIS"


@pytest.mark.parity("I12")
async def test_a_program_stops_at_its_breakpoints(saver: Any) -> None:
    app = line(saver, upper, upper, interrupt_before_nodes=["second"])
    assert await app.ainvoke("in", thread()) is None
    assert (await app.aget_state(thread())).next == ("second",)
    assert await app.ainvoke(None, thread()) == "IN"


@pytest.mark.parity("M1", "M3")
async def test_a_program_has_graphs_inside_it(saver: Any) -> None:
    def ask(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("what?")]}

    inner = graph(Log, says("a"), ("ask", ask), paths=["START a ask"]).compile()

    async def call(value: str) -> str:
        return "-".join((await inner.ainvoke({"log": [value]}))["log"])

    app = line(saver, call, upper)
    await app.ainvoke("in", thread())
    assert await app.ainvoke(Command(resume="b"), thread()) == "IN-A-B"


@pytest.mark.parity("M1")
async def test_a_program_is_a_node_of_a_graph(saver: Any) -> None:
    inner = line(None, asking, upper)

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [await inner.ainvoke("in")]}

    app = graph(Log, node, paths=["START node"]).compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await app.ainvoke(Command(resume="this"), thread()) == {"log": ["IN THIS"]}


@pytest.mark.parity("N5")
async def test_the_state_of_a_program_is_edited(saver: Any) -> None:
    app = line(saver, upper, upper, interrupt_before_nodes=["second"])
    await app.ainvoke("in", thread())
    await app.aupdate_state(thread(), "edited", as_node="first")
    assert await app.ainvoke(None, thread()) == "EDITED"


@pytest.mark.parity("N11")
async def test_a_program_is_run_from_an_older_checkpoint(saver: Any) -> None:
    ran: list[str] = []

    def second(value: str) -> str:
        ran.append(value)
        return value

    app = line(saver, upper, second)
    await app.ainvoke("in", thread())
    before = next(s.config for s in await history(app, thread()) if s.next == ("second",))
    assert await app.ainvoke(None, before) == "IN"
    assert ran == ["IN", "IN"]


@pytest.mark.parity("Q3")
async def test_nodes_of_a_program_call_tasks_and_steps(saver: Any) -> None:
    paid: list[str] = []

    def pay(value: str) -> str:
        paid.append(value)
        return value

    @task
    async def twice(value: str) -> str:
        return value + value

    async def first(value: str) -> str:
        kept = await step("pay", pay, value)
        return f"{await twice(kept)} {interrupt('what?')}"

    app = line(saver, first, upper)
    await app.ainvoke("in", thread())
    assert await app.ainvoke(Command(resume="this"), thread()) == "ININ THIS"
    assert paid == ["in"]
