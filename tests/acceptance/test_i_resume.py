"""Answering: by value or by id, twice, too late, to nobody, beside an update (LangGraph I3, I7, I10, H8, H9)."""

from typing import Any

import pytest

from graphrt.errors import EmptyInputError, UnknownInterruptError
from graphrt.types import Command, Send, interrupt
from tests.acceptance.asking import NOBODYS, asked, asks, counts, open_ids, paused
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import history

LENIENT = "answers-to-nobody: LangGraph ignores them unless __pregel_strict_resume is set"
ONCE = "the-same-answer-twice: LangGraph takes no notice of a second answer, whatever it is"

# ---- one answer


@pytest.mark.parity("I3")
@pytest.mark.parametrize("answer", ["yes", False, 0, "", [], {"approved": True}, {"by": ["x", None]}])
async def test_i3_the_open_question_takes_a_bare_answer(saver: Any, answer: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    assert await app.ainvoke(Command(resume=answer), thread()) == {"log": ["in", f"a:{answer}"]}


@pytest.mark.parity("I3")
async def test_i3_a_question_that_is_asked_later_takes_an_answer_if_none_is_open(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"], interrupt_before=["a"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r"]}


@pytest.mark.parity("I3")
async def test_i3_only_one_of_several_questions_takes_such_an_answer(saver: Any) -> None:
    nodes = [asks("a", "q"), asks("b", "q")]
    app = await paused(saver, *nodes, paths=["START a", "START b"], interrupt_before=["a"])
    result = await app.ainvoke(Command(resume="r"), thread())
    assert (len(result["log"]), asked(result)) == (2, ["q"])


@pytest.mark.parity("I3")
async def test_i3_an_answer_that_nobody_took_is_gone_after_its_step(saver: Any) -> None:
    app = await paused(saver, says("a"), asks("b", "q"), paths=["START a b"], interrupt_before=["a"])
    result = await app.ainvoke(Command(resume="r"), thread())
    assert (result["log"], asked(result)) == (["in", "a"], ["q"])


@pytest.mark.parity("I3")
async def test_i3_on_a_finished_thread_an_answer_changes_nothing(saver: Any) -> None:
    app = await paused(saver, says("a"), paths=["START a"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a"]}


@pytest.mark.parity("I3", differs="commands-that-langgraph-trips-over: it fails with an UnboundLocalError")
async def test_i3_a_bare_none_is_no_answer(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    with pytest.raises(EmptyInputError):
        await app.ainvoke(Command(resume=None), thread())


@pytest.mark.parity("I7")
async def test_i7_a_map_answers_by_id(saver: Any) -> None:
    app = await paused(saver, asks("a", "q1", "q2"), paths=["START a"])
    result: Any = None
    for question in ("q1", "q2"):
        result = await app.ainvoke(Command(resume={(await open_ids(app))[question]: question}), thread())
    assert result == {"log": ["in", "a:q1", "a:q2"]}


@pytest.mark.parity("I7")
async def test_i7_none_is_an_answer_by_id(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    answer = Command(resume={(await open_ids(app))["q"]: None})
    assert await app.ainvoke(answer, thread()) == {"log": ["in", "a:None"]}


@pytest.mark.parity("I7")
async def test_i7_a_dict_of_which_not_all_keys_are_ids_is_one_answer(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    answer = {(await open_ids(app))["q"]: 1, "note": 2}
    assert await app.ainvoke(Command(resume=answer), thread()) == {"log": ["in", f"a:{answer}"]}


@pytest.mark.parity("I7", "P5")
async def test_i7_without_a_checkpointer_nothing_can_be_answered() -> None:
    app = graph(Log, asks("a", "q"), paths=["START a"]).compile()
    with pytest.raises(RuntimeError, match="checkpointer"):
        await app.ainvoke(Command(resume="r"))


@pytest.mark.parity("I7")
async def test_i7_none_as_input_leaves_the_questions_open(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    before = await open_ids(app)
    assert asked(await app.ainvoke(None, thread())) == ["q"]
    assert await open_ids(app) == before


# ---- answers to nobody


@pytest.mark.parity("I7", "I10", differs=LENIENT)
async def test_i10_one_answer_for_several_questions_is_ambiguous(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume="r"), thread())
    assert refused.value.reason == "ambiguous"
    assert set(refused.value.pending_ids) == set((await open_ids(app)).values())


@pytest.mark.parity("I10", differs=LENIENT)
async def test_i10_an_answer_to_an_unknown_id_is_refused(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={NOBODYS: "r"}), thread())
    assert (refused.value.reason, refused.value.interrupt_ids) == ("not_pending", (NOBODYS,))
    assert refused.value.pending_ids == tuple((await open_ids(app)).values())


@pytest.mark.parity("I10", differs=LENIENT)
async def test_i10_an_empty_map_is_refused(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={}), thread())
    assert refused.value.reason == "empty_map"


@pytest.mark.parity("I10", differs=LENIENT)
async def test_i10_a_map_is_refused_as_a_whole(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "q", ran=ran), paths=["START a"])
    before = await open_ids(app)
    with pytest.raises(UnknownInterruptError):
        await app.ainvoke(Command(resume={before["q"]: "r", NOBODYS: "r"}, update={"log": ["u"]}), thread())
    assert (await app.aget_state(thread())).values == {"log": ["in"]}
    assert (ran, await open_ids(app)) == (["a"], before)


@pytest.mark.parity("I10", differs=LENIENT)
async def test_i10_on_a_finished_thread_no_id_is_pending(saver: Any) -> None:
    app = await paused(saver, says("a"), paths=["START a"])
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={NOBODYS: "r"}), thread())
    assert (refused.value.reason, refused.value.pending_ids) == ("not_pending", ())


@pytest.mark.parity("I8", "I10")
async def test_i10_unless_strict_an_unknown_id_is_ignored(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"], strict=False)
    before = await open_ids(app)
    assert asked(await app.ainvoke(Command(resume={NOBODYS: "r"}), thread())) == ["q"]
    answer = Command(resume={NOBODYS: "no", before["q"]: "yes"})
    assert await app.ainvoke(answer, thread()) == {"log": ["in", "a:yes"]}


# ---- the same answer twice: an HTTP retry


async def answered(saver: Any, ran: list[str], ending: str) -> tuple[Any, str]:
    """A graph of which node a got the answer {"ok": [1]}, and the question's id; another node may ask more."""
    nodes = [asks("a", "q", ran=ran), asks("beside", "more"), asks("behind", "more")]
    paths = {"beside": ["START a", "START beside"], "behind": ["START a behind"], "ended": ["START a"]}
    app = await paused(saver, *nodes, paths=paths[ending])
    id = (await open_ids(app))["q"]
    await app.ainvoke(Command(resume={id: {"ok": [1]}}), thread())
    return app, id


@pytest.mark.parity("I10")
@pytest.mark.parametrize("ending", ["beside", "behind", "ended"])
async def test_i10_the_same_answer_again_shows_the_present_state(saver: Any, ending: str) -> None:
    ran: list[str] = []
    app, id = await answered(saver, ran, ending)
    before = await history(app, thread())
    result = await app.ainvoke(Command(resume={id: {"ok": [1]}}), thread())
    assert (result["log"], asked(result)) == (["in", "a:{'ok': [1]}"], [] if ending == "ended" else ["more"])
    assert ran == ["a", "a"]
    assert await history(app, thread()) == before


@pytest.mark.parity("I10", differs=ONCE)
@pytest.mark.parametrize("ending", ["beside", "behind", "ended"])
async def test_i10_another_answer_to_an_answered_question_is_refused(saver: Any, ending: str) -> None:
    app, id = await answered(saver, [], ending)
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={id: {"ok": [2]}}), thread())
    assert (refused.value.reason, refused.value.interrupt_ids) == ("answered", (id,))


@pytest.mark.parity("I10")
async def test_i10_an_old_answer_may_come_along_with_a_new_one(saver: Any) -> None:
    app, id = await answered(saver, [], "beside")
    answers = {id: {"ok": [1]}, (await open_ids(app))["more"]: "r"}
    assert await app.ainvoke(Command(resume=answers), thread()) == {
        "log": ["in", "a:{'ok': [1]}", "beside:r"]
    }


# ---- new input and edits take questions back


@pytest.mark.parity("A7", "I12")
async def test_a7_new_input_on_a_paused_thread_discards_its_questions(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    old = await open_ids(app)
    result = await app.ainvoke({"log": ["new"]}, thread())
    assert (result["log"], asked(result)) == (["in", "new"], ["q"])
    new = await open_ids(app)
    assert new["q"] != old["q"]
    assert await app.ainvoke(Command(resume={new["q"]: "r"}), thread()) == {"log": ["in", "new", "a:r"]}


@pytest.mark.parity("A7", "I10", differs=LENIENT)
async def test_a7_a_discarded_question_is_not_pending(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    old = await open_ids(app)
    await app.ainvoke({"log": ["new"]}, thread())
    with pytest.raises(UnknownInterruptError) as refused:
        await app.ainvoke(Command(resume={old["q"]: "r"}), thread())
    assert refused.value.reason == "not_pending"


@pytest.mark.parity("N5", "I7")
async def test_n5_an_edited_thread_asks_anew(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    await app.aupdate_state(thread(), {"log": ["edit"]})
    assert await open_ids(app) == {}
    assert asked(await app.ainvoke(None, thread())) == ["q"]
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "edit", "a:r"]}


# ---- commands that do more than answer


@pytest.mark.parity("H8")
async def test_h8_an_answer_may_bring_an_update_that_its_node_reads(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        return {"log": [f"{interrupt('q')} {len(state['log'])}"]}

    app = await paused(saver, a, paths=["START a"])
    result = await app.ainvoke(Command(resume="r", update={"log": ["note"]}), thread())
    assert result == {"log": ["in", "note", "r 2"]}


@pytest.mark.parity("H8", "H9")
async def test_h8_an_answer_may_go_to_another_node_as_well(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("b"), says("z"), paths=["START a z", "b END"])
    assert await app.ainvoke(Command(resume="r", goto="b"), thread()) == {"log": ["in", "a:r", "b", "z"]}


@pytest.mark.parity("H8", "K6")
async def test_h8_an_update_alone_leaves_the_questions_open(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), paths=["START a"])
    before = await open_ids(app)
    result = await app.ainvoke(Command(update={"log": ["note"]}), thread())
    assert (result["log"], asked(result), await open_ids(app)) == (["in", "note"], ["q"], before)
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "note", "a:r"]}


@pytest.mark.parity("H9")
async def test_h9_goto_alone_runs_another_node_beside_the_one_that_waits(saver: Any) -> None:
    ran: list[str] = []
    app = await paused(saver, asks("a", "q"), counts("b", ran), says("z"), paths=["START a z", "b END"])
    result = await app.ainvoke(Command(goto="b"), thread())
    assert (result["log"], asked(result)) == (["in", "b"], ["q"])
    assert await app.ainvoke(Command(resume="r"), thread()) == {"log": ["in", "a:r", "b", "z"]}
    assert ran == ["b"]


@pytest.mark.parity("H9")
async def test_h9_a_send_takes_the_place_of_the_sends_that_asked(saver: Any) -> None:
    async def work(item: Any) -> dict[str, Any]:
        return {"log": [f"{item} {interrupt(item)}"]}

    builder = graph(Log, work, paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", 1), Send("work", 2)])
    app = builder.compile(checkpointer=saver)
    assert asked(await app.ainvoke({"log": ["in"]}, thread())) == [1, 2]
    assert asked(await app.ainvoke(Command(goto=Send("work", 7)), thread())) == [7]
