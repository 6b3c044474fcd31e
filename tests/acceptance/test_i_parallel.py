"""Several questions at once: who runs again, whose results are kept, what is shown (LangGraph I9, I16, G10, N1)."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from graphrt.core.interrupts import PAUSED
from graphrt.errors import UnknownInterruptError
from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import asked, asks, counts, open_ids, paused
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import Flaky, chunks, history, others_had_their_turn

ALL_ANSWERED = "tasks-wait-for-all-their-answers: LangGraph enters them at every resume"
GATHERED = "tasks-wait-for-all-their-answers: LangGraph shows one question of a task at a time"

FAN = ["START a z", "START b z", "START c z"]


# ---- siblings


@pytest.mark.parity("G10")
async def test_g10_siblings_of_a_node_that_asks_run_to_their_end(saver: Any) -> None:
    ended: list[str] = []

    async def slow(state: Log) -> dict[str, Any]:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("slow")
        return {"log": ["slow"]}

    app = graph(Log, asks("a", "q"), slow, paths=["START a", "START slow"]).compile(checkpointer=saver)
    result = await app.ainvoke({"log": ["in"]}, thread())
    assert (result["log"], asked(result), ended) == (["in", "slow"], ["q"], ["slow"])


@pytest.mark.parity("G10")
async def test_g10_all_who_ask_are_shown_together(saver: Any) -> None:
    builder = graph(Log, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    app = builder.compile(checkpointer=saver)
    assert asked(await app.ainvoke({}, thread())) == ["qa", "qb"]
    assert len(set((await open_ids(app)).values())) == 2


@pytest.mark.parity("G10", "A16")
async def test_g10_one_who_waits_for_a_person_takes_no_slot(saver: Any) -> None:
    builder = graph(Log, asks("a", "qa"), asks("b", "qb"), says("c"), says("z"), paths=FAN)
    app = builder.compile(checkpointer=saver)
    result = await app.ainvoke({}, thread(max_concurrency=1))
    assert (result["log"], asked(result)) == (["c"], ["qa", "qb"])


@pytest.mark.parity("G10", "I9")
async def test_g10_the_next_step_waits_for_the_last_answer(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), says("c"), counts("z", ran), paths=FAN)
    ids = await open_ids(app)
    await app.ainvoke(Command(resume={ids["qb"]: "rb"}), thread())
    assert ran == []
    result = await app.ainvoke(Command(resume={ids["qa"]: "ra"}), thread())
    assert (result, ran) == ({"log": ["in", "a:ra", "b:rb", "c", "z"]}, ["z"])


@pytest.mark.parity("I9", "K8")
async def test_i9_finished_siblings_do_not_run_again(saver: Any) -> None:
    ran: list[str] = []
    nodes = [asks("a", "qa"), asks("b", "qb", ran=ran), counts("c", ran), says("z")]
    app = await paused(saver, *nodes, paths=FAN)
    ids = await open_ids(app)
    for question in ("qb", "qa"):
        await app.ainvoke(Command(resume={ids[question]: "r"}), thread())
    assert sorted(ran) == ["b", "b", "c"]


@pytest.mark.parity("I9")
async def test_i9_who_got_no_answer_still_asks_under_the_same_id(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    ids = await open_ids(app)
    result = await app.ainvoke(Command(resume={ids["qb"]: "rb"}), thread())
    assert (result["log"], asked(result)) == (["in", "b:rb"], ["qa"])
    assert await open_ids(app) == {"qa": ids["qa"]}


@pytest.mark.parity("I9", "I7")
async def test_i9_the_last_open_question_takes_a_bare_answer(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    await app.ainvoke(Command(resume={(await open_ids(app))["qb"]: "rb"}), thread())
    assert await app.ainvoke(Command(resume="ra"), thread()) == {"log": ["in", "a:ra", "b:rb"]}


BATCHES = [*([[x], [y], [z]] for x, y, z in permutations("abc")), [["a", "c"], ["b"]], [["c", "b", "a"]]]


@pytest.mark.parity("I9", "E1")
@pytest.mark.parametrize("batches", BATCHES, ids=lambda batches: "-".join(map("".join, batches)))
async def test_i9_answers_may_come_in_any_order_and_batches(saver: Any, batches: list[list[str]]) -> None:
    nodes = [asks("a", "a"), asks("b", "b"), asks("c", "c"), says("z")]
    app = await paused(saver, *nodes, paths=FAN)
    ids, result = await open_ids(app), None
    for batch in batches:
        result = await app.ainvoke(Command(resume={ids[word]: f"r{word}" for word in batch}), thread())
    assert result == {"log": ["in", "a:ra", "b:rb", "c:rc", "z"]}


@pytest.mark.parity("I9", "H1")
async def test_i9_every_send_to_a_node_asks_for_itself(saver: Any) -> None:
    async def work(item: int) -> dict[str, Any]:
        return {"log": [f"{item}:{interrupt(item)}"]}

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", n) for n in range(3)])
    app = builder.compile(checkpointer=saver)
    assert asked(await app.ainvoke({}, thread())) == [0, 1, 2]
    ids = await open_ids(app)
    await app.ainvoke(Command(resume={ids[1]: "one"}), thread())
    result = await app.ainvoke(Command(resume={ids[0]: "zero", ids[2]: "two"}), thread())
    assert result == {"log": ["0:zero", "1:one", "2:two"]}


@pytest.mark.parity("I9", differs=ALL_ANSWERED)
async def test_i9_who_got_no_answer_is_not_entered_again(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "qa", ran=ran), asks("b", "qb"), paths=["START a", "START b"])
    ids = await open_ids(app)
    for input in (Command(resume={ids["qb"]: "rb"}), None, Command(update={"log": ["note"]})):
        assert asked(await app.ainvoke(input, thread())) == ["qa"]
    assert ran == ["a"]


# ---- a sibling that fails


@pytest.mark.parity("G9", "I6")
async def test_i6_a_question_is_kept_when_a_sibling_fails(saver: Any) -> None:
    nodes = [asks("a", "q"), ("flaky", Flaky().node)]
    app = graph(Log, *nodes, paths=["START a", "START flaky"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert (await open_ids(app)).keys() == {"q"}
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r", "flaky"]}


class Slow:
    """A checkpointer that does not come to storing the first question."""

    immediate = False

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.saver, name)

    async def append_results(self, thread: str, namespace: str, checkpoint: str, results: Any) -> None:
        if any(result.error == PAUSED for result in results) and not self.asked.is_set():
            self.asked.set()
            await asyncio.Event().wait()
        await self.saver.append_results(thread, namespace, checkpoint, results)


@pytest.mark.parity("G9", "I6")
async def test_i6_a_question_is_kept_when_a_sibling_fails_while_it_is_stored(saver: Any) -> None:
    slow = Slow(saver)
    failures = [ConnectionError("no route")]

    async def fails(state: Log) -> dict[str, Any]:
        await slow.asked.wait()
        if failures:
            raise failures.pop()
        return {"log": ["fine"]}

    app = graph(Log, asks("a", "q"), fails, paths=["START a", "START fails"]).compile(checkpointer=slow)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert (await open_ids(app)).keys() == {"q"}
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r", "fine"]}


@pytest.mark.parity("G9", "I9")
async def test_i9_after_a_failure_the_failed_sibling_may_run_before_the_answer_comes(saver: Any) -> None:
    nodes = [asks("a", "q"), ("flaky", Flaky().node)]
    app = graph(Log, *nodes, paths=["START a", "START flaky"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    result = await app.ainvoke(None, thread())
    assert (result["log"], asked(result)) == (["in", "flaky"], ["q"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r", "flaky"]}


@pytest.mark.parity("G9", "I2")
async def test_i2_who_used_its_answer_is_finished_when_a_sibling_fails(saver: Any) -> None:
    failures = [ConnectionError("no route")]

    async def fails(state: Log) -> dict[str, Any]:
        answer = interrupt("qf")
        await others_had_their_turn()
        if failures:
            raise failures.pop()
        return {"log": [answer]}

    ran: list[str] = []
    app = await paused(saver, asks("a", "qa", ran=ran), fails, paths=["START a", "START fails"])
    ids = await open_ids(app)
    with pytest.raises(ConnectionError):
        await app.ainvoke(Command(resume={ids["qa"]: "ra", ids["qf"]: "rf"}), thread())
    result = await app.ainvoke(Command(resume={ids["qf"]: "rf"}), thread())
    assert (result, ran) == ({"log": ["in", "a:ra", "rf"]}, ["a", "a"])


# ---- what is shown


@pytest.mark.parity("I16")
async def test_i16_the_results_of_siblings_are_shown_before_the_run_stops(saver: Any) -> None:
    app = graph(Log, asks("a", "q"), says("c"), paths=["START a", "START c"]).compile(checkpointer=saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="values")
    assert [chunk["log"] for chunk in shown] == [["in"], ["in"], ["in", "c"]]
    assert [asked(chunk) for chunk in shown] == [[], ["q"], []]


@pytest.mark.parity("I16", "N1")
async def test_i16_the_stored_checkpoint_is_the_one_before_the_step(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("c"), paths=["START a", "START c"])
    newest = (await history(app, thread()))[0]
    assert newest.metadata["step"] == 0
    assert (newest.values, newest.next) == ({"log": ["in"]}, ("a", "c"))


@pytest.mark.parity("N1")
async def test_n1_the_live_state_shows_who_is_unfinished_and_what_is_unanswered(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), says("c"), says("z"), paths=FAN)
    await app.ainvoke(Command(resume={(await open_ids(app))["qb"]: "rb"}), thread())
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "b:rb", "c"]}, ("a",))
    assert [question.value for question in state.interrupts] == ["qa"]
    results = {task.name: task.result for task in state.tasks}
    assert results == {"a": None, "b": {"log": ["b:rb"]}, "c": {"log": ["c"]}}


@pytest.mark.parity("N1")
async def test_n1_the_record_of_a_step_shows_all_its_tasks_and_questions(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), says("c"), says("z"), paths=FAN)
    await app.ainvoke(Command(resume={(await open_ids(app))["qb"]: "rb"}), thread())
    record = (await history(app, thread()))[0]
    assert (record.values, record.next) == ({"log": ["in"]}, ("a", "b", "c"))
    assert [question.value for question in record.interrupts] == ["qa", "qb"]


# ---- several questions of one task


async def both(state: Log) -> dict[str, Any]:
    """Asks two questions at a time."""

    async def ask(question: str) -> str:
        answer: str = interrupt(question)
        return answer

    return {"log": await asyncio.gather(ask("q1"), ask("q2"))}


@pytest.mark.parity("I1", "I6", differs=GATHERED)
async def test_i6_a_task_may_ask_several_questions_at_a_time(saver: Any) -> None:
    app = graph(Log, both, paths=["START both"]).compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == ["q1", "q2"]
    ids = await open_ids(app)
    assert len(set(ids.values())) == 2
    answers = Command(resume={ids["q1"]: "r1", ids["q2"]: "r2"})
    assert await app.ainvoke(answers, thread()) == {"log": ["in", "r1", "r2"]}


@pytest.mark.parity("I9", differs=GATHERED)
@pytest.mark.parametrize("order", [("q1", "q2"), ("q2", "q1")])
async def test_i9_a_task_is_entered_again_when_all_it_asked_is_answered(saver: Any, order: Any) -> None:
    ran: list[str] = []

    async def counted(state: Log) -> dict[str, Any]:
        ran.append("both")
        return await both(state)

    app = await paused(saver, counted, paths=["START counted"])
    ids = await open_ids(app)
    result = await app.ainvoke(Command(resume={ids[order[0]]: f"to {order[0]}"}), thread())
    assert (asked(result), await open_ids(app), ran) == ([order[1]], {order[1]: ids[order[1]]}, ["both"])
    result = await app.ainvoke(Command(resume=f"to {order[1]}"), thread())
    assert (result, ran) == ({"log": ["in", "to q1", "to q2"]}, ["both", "both"])


@pytest.mark.parity("I7", differs=GATHERED)
async def test_i7_one_answer_for_two_questions_of_a_task_is_ambiguous(saver: Any) -> None:
    app = await paused(saver, both, paths=["START both"])
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume="r"), thread())
    assert refused.value.reason == "ambiguous"


@pytest.mark.parity("I10", differs=GATHERED)
async def test_i10_an_answer_that_waits_for_others_takes_the_same_again_and_no_other(saver: Any) -> None:
    app = await paused(saver, both, paths=["START both"])
    ids = await open_ids(app)
    for _ in range(2):
        await app.ainvoke(Command(resume={ids["q1"]: "r1"}), thread())
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={ids["q1"]: "other"}), thread())
    assert (refused.value.reason, await open_ids(app)) == ("answered", {"q2": ids["q2"]})
