"""Asking: `interrupt()` pauses the run; the answered node runs again from the top (LangGraph I1, I2, I4-I6, I17)."""

import re
from typing import Any

import pytest

from graphrt.errors import GraphInterrupt, NodeInterrupt, UnknownInterruptError
from graphrt.types import Command, Interrupt, interrupt
from tests.acceptance.asking import asked, asks, asks_plainly, open_ids, paused
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.streams import history

ONCE = "the-same-answer-twice: LangGraph takes no notice of a second answer, whatever it is"

# ---- asking


@pytest.mark.parity("I1")
async def test_i1_a_node_asks_one_question_after_the_other(saver: Any) -> None:
    app = await paused(saver, asks("a", "q1", "q2"), paths=["START a"])
    assert asked(await app.ainvoke(Command(resume="r1"), thread())) == ["q2"]
    assert await app.ainvoke(Command(resume="r2"), thread()) == {"log": ["in", "a:r1", "a:r2"]}


@pytest.mark.parity("I1", "F9")
async def test_i1_every_question_of_a_node_has_an_id_of_its_own(saver: Any) -> None:
    app = await paused(saver, asks("a", "q1", "q2"), paths=["START a"])
    first = await open_ids(app)
    await app.ainvoke(Command(resume="r1"), thread())
    second = await open_ids(app)
    assert ([*first], [*second]) == (["q1"], ["q2"])
    assert first["q1"] != second["q2"]
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in (first["q1"], second["q2"]))


@pytest.mark.parity("I1", "F9")
async def test_i1_a_node_that_runs_twice_asks_under_two_ids(saver: Any) -> None:
    builder = graph(Log, asks("a", "q"), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "a" if len(state["log"]) < 3 else "__end__")
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": ["in"]}, thread())
    first = await open_ids(app)
    assert asked(await app.ainvoke(Command(resume="r1"), thread())) == ["q"]
    assert (await open_ids(app))["q"] != first["q"]


@pytest.mark.parity("I1")
async def test_i1_a_plain_node_may_ask(saver: Any) -> None:
    app = await paused(saver, asks_plainly("a", "q"), paths=["START a"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r"]}


@pytest.mark.parity("I1")
async def test_i1_a_router_may_ask(saver: Any) -> None:
    async def where(state: Log) -> str:
        answer: str = interrupt("where?")
        return answer

    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a"])
    app = builder.add_conditional_edges("a", where, ["b", "c"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == ["where?"]
    assert await app.ainvoke(Command(resume="c"), thread()) == {"log": ["in", "a", "c"]}


@pytest.mark.parity("I1")
async def test_i1_without_a_checkpointer_the_result_shows_the_question() -> None:
    app = graph(Log, asks("a", "q"), paths=["START a"]).compile()
    result = await app.ainvoke({"log": ["in"]})
    assert (result["log"], asked(result)) == (["in"], ["q"])


@pytest.mark.parity("I1")
async def test_i1_outside_a_run_there_is_nobody_to_ask() -> None:
    with pytest.raises(RuntimeError):
        interrupt("q")


@pytest.mark.parity("I4")
@pytest.mark.parametrize("question", [None, "", 0, {"draft": ["x", 1.5]}, [{"a": None}]])
async def test_i4_a_question_is_any_value(saver: Any, question: Any) -> None:
    app = await paused(saver, asks("a", question), paths=["START a"])
    (shown,) = (await app.aget_state(thread())).interrupts
    assert isinstance(shown, Interrupt)
    assert (shown.value, shown.response_schema) == (question, None)


@pytest.mark.parity("I4")
async def test_i4_nothing_behind_an_open_question_runs(saver: Any) -> None:
    ran: list[str] = []

    async def a(state: Log) -> None:
        ran.append("before")
        interrupt("q")
        ran.append("behind")

    app = await paused(saver, a, says("b"), paths=["START a b"])
    assert ran == ["before"]
    assert (await app.aget_state(thread())).next == ("a",)


@pytest.mark.parity("I4")
async def test_i4_what_is_raised_holds_the_question(saver: Any) -> None:
    seen: list[Any] = []

    async def a(state: Log) -> None:
        try:
            interrupt("q")
        except GraphInterrupt as pause:
            seen.extend(pause.args[0])
            raise

    app = await paused(saver, a, paths=["START a"])
    assert {question.value: question.id for question in seen} == await open_ids(app)


@pytest.mark.parity(
    "I4", differs="interrupts-are-no-exceptions: LangGraph's `except Exception` swallows them"
)
async def test_i4_except_exception_does_not_swallow_a_question(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        try:
            return {"log": [interrupt("q")]}
        except Exception:
            return {"log": ["swallowed"]}

    app = await paused(saver, a, paths=["START a"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "r"]}


# ---- running again


@pytest.mark.parity("I5")
async def test_i5_an_answered_node_runs_again_from_the_top(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "q1", "q2", ran=ran), paths=["START a"])
    for answer in ("r1", "r2"):
        await app.ainvoke(Command(resume=answer), thread())
    assert ran == ["a", "a", "a"]


@pytest.mark.parity("I5")
async def test_i5_answers_are_matched_by_the_order_of_the_calls(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        first, second = interrupt("same"), interrupt("same")
        return {"log": [first, second]}

    app = await paused(saver, a, paths=["START a"])
    await app.ainvoke(Command(resume="r1"), thread())
    assert await app.ainvoke(Command(resume="r2"), thread()) == {"log": ["in", "r1", "r2"]}


@pytest.mark.parity("I5")
async def test_i5_how_many_questions_there_are_may_depend_on_the_answers(saver: Any) -> None:
    async def form(state: Log) -> dict[str, Any]:
        given: list[str] = []
        while (answer := interrupt(f"{len(given)} given")) != "enough":
            given.append(answer)
        return {"log": given}

    app = await paused(saver, form, paths=["START form"])
    for answer in ("x", "y"):
        await app.ainvoke(Command(resume=answer), thread())
    assert await app.ainvoke(Command(resume="enough"), thread()) == {"log": ["in", "x", "y"]}


class FailsOnce:
    """A node that asks "q", then fails the first time; `answers` has what it got each time."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    async def node(self, state: Log) -> dict[str, Any]:
        self.answers.append(interrupt("q"))
        if len(self.answers) == 1:
            raise ConnectionError("no route")
        return {"log": self.answers}


@pytest.mark.parity("I2", "I5")
@pytest.mark.parametrize("given", [None, Command(resume="r")], ids=["None", "the same answer"])
async def test_i2_an_answer_is_kept_when_its_node_fails_afterwards(saver: Any, given: Any) -> None:
    app = await paused(saver, ("a", FailsOnce().node), paths=["START a"])
    with pytest.raises(ConnectionError):
        await app.ainvoke(Command(resume="r"), thread())
    assert await app.ainvoke(given, thread()) == {"log": ["in", "r", "r"]}


@pytest.mark.parity("I2", differs=ONCE)
async def test_i2_another_answer_after_such_a_failure_is_refused(saver: Any) -> None:
    app = await paused(saver, ("a", FailsOnce().node), paths=["START a"])
    with pytest.raises(ConnectionError):
        await app.ainvoke(Command(resume="r"), thread())
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume="other"), thread())
    assert refused.value.reason == "answered"


@pytest.mark.parity(
    "I2", "N1", differs="answered-is-not-open: LangGraph shows a failed task's questions as open"
)
async def test_i2_an_answered_question_is_not_open_although_its_node_failed(saver: Any) -> None:
    app = await paused(saver, ("a", FailsOnce().node), paths=["START a"])
    with pytest.raises(ConnectionError):
        await app.ainvoke(Command(resume="r"), thread())
    state = await app.aget_state(thread())
    assert (state.next, state.interrupts) == (("a",), ())


@pytest.mark.parity("I6")
async def test_i6_what_the_interrupted_attempt_wrote_is_dropped(saver: Any) -> None:
    builder = graph(Log, says("a"), says("b"), paths=["START a", "b END"])
    asks_where = named("where", lambda state: interrupt("where?"))
    app = builder.add_conditional_edges("a", asks_where, ["b"]).compile(checkpointer=saver)
    await app.ainvoke({"log": ["in"]}, thread())
    state = await app.aget_state(thread())
    assert (state.values, state.tasks[0].result) == ({"log": ["in"]}, None)


@pytest.mark.parity("I6", "N1")
async def test_i6_the_task_that_asked_is_unfinished_and_shows_its_question(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    state = await app.aget_state(thread())
    (task,) = state.tasks
    assert (state.values, state.next) == ({"log": ["in"]}, ("a",))
    assert (task.name, task.error, task.result, task.interrupts) == ("a", None, None, state.interrupts)


@pytest.mark.parity("N1", "I6")
async def test_n1_a_later_question_takes_the_place_of_the_answered_one(saver: Any) -> None:
    app = await paused(saver, asks("a", "q1", "q2"), paths=["START a"])
    await app.ainvoke(Command(resume="r1"), thread())
    newest = (await history(app, thread()))[0]
    assert [question.value for question in newest.interrupts] == ["q2"]


@pytest.mark.parity("N1")
async def test_n1_a_thread_that_went_on_has_no_open_question(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("z"), paths=["START a z"])
    await app.ainvoke(Command(resume="r"), thread())
    state = await app.aget_state(thread())
    assert (state.next, state.interrupts) == ((), ())


@pytest.mark.parity("N1")
async def test_n1_a_step_that_paused_shows_its_question_in_the_history(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("z"), paths=["START a z"])
    await app.ainvoke(Command(resume="r"), thread())
    _, _, step_of_a, _ = await history(app, thread())
    (task,) = step_of_a.tasks
    assert ([question.value for question in step_of_a.interrupts], task.result) == (["q"], {"log": ["a:r"]})


# ---- the old way


@pytest.mark.parity("I17")
async def test_i17_a_raised_node_interrupt_pauses_until_it_is_not_raised(saver: Any) -> None:
    may_go: list[bool] = []

    async def a(state: Log) -> dict[str, Any]:
        if not may_go:
            raise NodeInterrupt("not yet")
        return {"log": ["a"]}

    app = await paused(saver, a, paths=["START a"])
    assert asked(await app.ainvoke(None, thread())) == ["not yet"]
    assert (await app.aget_state(thread())).next == ("a",)
    may_go.append(True)
    assert await app.ainvoke(None, thread()) == {"log": ["in", "a"]}


@pytest.mark.parity("I17")
async def test_i17_a_graph_interrupt_may_be_raised_by_hand(saver: Any) -> None:
    async def a(state: Log) -> None:
        raise GraphInterrupt((Interrupt("x"), Interrupt("y")))

    app = graph(Log, a, paths=["START a"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == ["x", "y"]
