"""Going on after a pause, a failure or a cancellation inside of graphs in graphs (LangGraph M3, K7, K8, I5)."""

import asyncio
from typing import Any

import pytest

from graphrt.types import Send
from tests.acceptance.graphs import Log, graph, named, thread
from tests.acceptance.nested import FailsWhenTold, answered, asks, calls, chain, failing_once, visited
from tests.acceptance.streams import Flaky


def notes(word: str, ran: list[str]) -> Any:
    """A node named `word` that notes each time it runs."""

    async def node(state: Any) -> dict[str, Any]:
        ran.append(word)
        return {"log": [word]}

    return named(word, node)


# ---- after a pause


@pytest.mark.parity("M3")
async def test_m3_a_resumed_child_goes_on_where_it_paused(saver: Any) -> None:
    ran: list[str] = []
    child = chain(notes("a", ran), asks("name"), notes("b", ran))
    app = chain(notes("x", ran), ("child", child), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert (await answered(app, thread(), "Ann"))["log"][-3:] == ["a", "name=Ann", "b"]
    assert ran == ["x", "a", "b"]


@pytest.mark.parity("M3", "I5")
async def test_m3_the_caller_runs_again_but_not_what_its_child_had_done(saver: Any) -> None:
    ran: list[str] = []
    child = chain(notes("a", ran), asks("name"))

    async def node(state: Log) -> Any:
        ran.append("node")
        return await child.ainvoke({"log": []})

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await answered(app, thread(), "Ann") == {"log": ["a", "name=Ann"]}
    assert ran == ["node", "a", "node"]


@pytest.mark.parity("M3")
async def test_m3_a_resumed_child_keeps_the_input_it_was_first_called_with(saver: Any) -> None:
    child = chain(asks("name"))
    inputs = iter(["first", "second"])

    async def node(state: Log) -> Any:
        return await child.ainvoke({"log": [next(inputs)]})

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await answered(app, thread(), "Ann") == {"log": ["first", "name=Ann"]}


@pytest.mark.parity("M3")
async def test_m3_a_child_that_had_finished_is_not_run_again(saver: Any) -> None:
    ran: list[str] = []
    first, second = chain(notes("a", ran)), chain(notes("b", ran), asks("name"))

    async def node(state: Log) -> dict[str, Any]:
        results = [await child.ainvoke({"log": []}) for child in (first, second)]
        return {"log": [word for result in results for word in result["log"]]}

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await answered(app, thread(), "Ann") == {"log": ["a", "b", "name=Ann"]}
    assert ran == ["a", "b"]


@pytest.mark.parity("M3")
async def test_m3_questions_before_between_and_after_children_are_told_apart(saver: Any) -> None:
    child = chain(asks("inner"))
    ask = asks("outer")

    async def node(state: Log) -> dict[str, Any]:
        parts = [await ask(state), await child.ainvoke({"log": []}), await ask(state)]
        return {"log": [word for part in parts for word in part["log"]]}

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await answered(app, thread(), "1", "2", "3") == {"log": ["outer=1", "inner=2", "outer=3"]}


@pytest.mark.parity("M3", "I9")
async def test_m3_only_the_children_that_got_an_answer_go_on(saver: Any) -> None:
    ran: list[str] = []
    left = chain(asks("left"), notes("l", ran))
    right = chain(asks("right"), notes("r", ran))
    app = graph(Log, ("left", left), ("right", right), paths=["START left", "START right"])
    compiled = app.compile(checkpointer=saver)
    paused = await compiled.ainvoke({"log": []}, thread())
    ids = {asked.value: asked.id for asked in paused["__interrupt__"]}
    (still,) = (await answered(compiled, thread(), {ids["right"]: "R"}))["__interrupt__"]
    assert (ran, still.id) == (["r"], ids["left"])
    assert await answered(compiled, thread(), "L") == {"log": ["left=L", "l", "right=R", "r"]}
    assert ran == ["r", "l"]


@pytest.mark.parity("M3", "I9")
async def test_m3_questions_of_a_fan_out_are_answered_one_by_one(saver: Any) -> None:
    ran: list[str] = []
    builder = graph(Log, ("child", chain(notes("a", ran), asks("name"))), paths=[])
    builder.add_conditional_edges("__start__", lambda _: [Send("child", {"log": [str(n)]}) for n in range(3)])
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    questions = (await app.aget_state(thread())).interrupts
    for number in (2, 0, 1):
        result = await answered(app, thread(), {questions[number].id: str(number)})
    assert result == {"log": ["0", "a", "name=0", "1", "a", "name=1", "2", "a", "name=2"]}
    assert ran == ["a", "a", "a"]


@pytest.mark.parity("M3")
async def test_m3_a_child_paused_at_a_breakpoint_goes_on_from_it(saver: Any) -> None:
    ran: list[str] = []
    child = chain(notes("a", ran), notes("b", ran), interrupt_before=["b"])
    app = chain(("child", child), notes("c", ran), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert ran == ["a"]
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "c"]}
    assert ran == ["a", "b", "c"]


@pytest.mark.parity("M3", "A5")
@pytest.mark.parametrize("scope, visits", [(None, 1), (False, 1), (True, 2)])
async def test_m3_a_new_turn_does_not_answer_what_a_child_has_asked(
    scope: Any, visits: int, saver: Any
) -> None:
    child = visited(scope, [], asking=True)

    async def node(state: Log) -> dict[str, Any]:
        result = await child.ainvoke({"visits": 0})
        return {"log": [f"{result['visits']} {result['said']}"]}

    app = chain(node, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert len((await app.ainvoke({"log": ["new"]}, thread()))["__interrupt__"]) == 1
    assert await answered(app, thread(), "yes") == {"log": ["new", f"{visits} yes"]}


@pytest.mark.parity("M2", "M3")
async def test_m3_what_nobody_stores_starts_over_to_be_answered(saver: Any) -> None:
    ran: list[str] = []
    leaf = chain(notes("b", ran), asks("name"))
    child = chain(notes("a", ran), ("leaf", leaf), checkpointer=False)
    app = chain(calls("node", child), checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert (await answered(app, thread(), "Ann"))["log"][-1] == "name=Ann"
    assert ran == ["a", "b", "a", "b"]


# ---- after a failure


@pytest.mark.parity("K7", "K8")
async def test_k8_a_failed_child_runs_again_what_failed_and_nothing_else(saver: Any) -> None:
    ran: list[str] = []
    child = failing_once(notes("ok", ran))
    app = chain(notes("x", ran), ("first", chain(notes("a", ran), ("child", child))), checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    assert (await app.ainvoke(None, thread()))["log"][-2:] == ["flaky", "ok"]
    assert ran == ["x", "a", "ok"]


@pytest.mark.parity("K8", "M3")
async def test_k8_a_failed_caller_finds_the_children_it_had_finished(saver: Any) -> None:
    ran: list[str] = []
    child, flaky = chain(notes("a", ran), notes("b", ran)), Flaky()

    async def node(state: Log) -> dict[str, Any]:
        result = await child.ainvoke({"log": []})
        return {"log": [*result["log"], *(await flaky.node(state))["log"]]}

    app = chain(node, checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["a", "b", "flaky"]}
    assert ran == ["a", "b"]


@pytest.mark.parity("K8")
async def test_k8_a_child_that_finished_beside_a_failure_is_not_run_again(saver: Any) -> None:
    ran: list[str] = []
    beside = FailsWhenTold()
    app = beside.child(chain(notes("a", ran))).compile(checkpointer=saver)
    await beside.fail_after(app, "child")
    assert await app.ainvoke(None, thread()) == {"log": ["a", "failed"]}
    assert ran == ["a"]


@pytest.mark.parity("K8", "I6")
async def test_k8_a_question_asked_beside_a_failure_is_asked_again(saver: Any) -> None:
    ran: list[str] = []
    beside = FailsWhenTold()
    app = beside.child(chain(notes("a", ran), asks("name"))).compile(checkpointer=saver)
    await beside.fail_after(app, "__interrupt__")
    (asked,) = (await app.ainvoke(None, thread()))["__interrupt__"]
    assert await answered(app, thread(), {asked.id: "Ann"}) == {"log": ["a", "name=Ann", "failed"]}
    assert ran == ["a"]


# ---- after a cancellation


@pytest.mark.parity("K8", "G12")
async def test_k8_a_cancelled_run_goes_on_inside_its_children(saver: Any) -> None:
    ran: list[str] = []
    waiting, may_go_on = asyncio.Event(), asyncio.Event()

    async def waits(state: Log) -> dict[str, Any]:
        waiting.set()
        await may_go_on.wait()
        return {"log": ["waited"]}

    app = chain(("outer", chain(calls("inner", chain(notes("a", ran), waits)))), checkpointer=saver)
    run = asyncio.create_task(app.ainvoke({"log": []}, thread(), durability="sync"))
    async with asyncio.timeout(30):
        await waiting.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    may_go_on.set()
    assert await app.ainvoke(None, thread()) == {"log": ["a", "waited"]}
    assert ran == ["a"]
