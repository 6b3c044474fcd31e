"""How a question shows in streams and results (LangGraph I14, J1, J4, J6-J8)."""

from typing import Any

import pytest

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.types import Command, Interrupt, StreamWriter, interrupt
from tests.acceptance.asking import asked, asks, asks_plainly, open_ids, paused
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.streams import chunks


def asking(saver: Any) -> Any:
    """A graph whose one node asks "q1" and then "q2"."""
    return graph(Log, asks("a", "q1", "q2"), paths=["START a"]).compile(checkpointer=saver)


async def the_question(app: Any) -> Any:
    """The thread's one open question."""
    (question,) = (await app.aget_state(thread())).interrupts
    return question


# ---- results


@pytest.mark.parity("I14")
async def test_i14_a_result_has_the_state_and_a_list_of_questions(saver: Any) -> None:
    app = asking(saver)
    result = await app.ainvoke({"log": ["in"]}, thread())
    question = await the_question(app)
    assert isinstance(question, Interrupt)
    assert result == {"log": ["in"], "__interrupt__": [question]}


@pytest.mark.parity("I14")
async def test_i14_a_v2_result_has_the_questions_beside_the_value(saver: Any) -> None:
    app = asking(saver)
    result = await app.ainvoke({"log": ["in"]}, thread(), version="v2")
    assert (result.value, result.interrupts) == ({"log": ["in"]}, (await the_question(app),))


@pytest.mark.parity("I14")
async def test_i14_a_result_of_one_channel_is_the_questions_alone(saver: Any) -> None:
    app = asking(saver)
    result = await app.ainvoke({"log": ["in"]}, thread(), output_keys="log")
    assert result == {"__interrupt__": [await the_question(app)]}


@pytest.mark.parity("I14", "A14")
async def test_i14_a_result_of_updates_ends_in_the_question(saver: Any) -> None:
    app = graph(Log, says("a"), asks("b", "q"), paths=["START a b"]).compile(checkpointer=saver)
    result = await app.ainvoke({}, thread(), stream_mode="updates")
    assert result == [{"a": {"log": ["a"]}}, {"__interrupt__": (await the_question(app),)}]


@pytest.mark.parity("I14")
async def test_i14_all_questions_of_a_step_are_in_the_result(saver: Any) -> None:
    app = await paused(saver, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    result = await app.ainvoke(None, thread(), version="v2")
    assert {question.value: question.id for question in result.interrupts} == await open_ids(app)


# ---- streams


@pytest.mark.parity("I14")
async def test_i14_updates_show_a_tuple_of_questions(saver: Any) -> None:
    app = asking(saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="updates")
    assert shown == [{"__interrupt__": (await the_question(app),)}]


@pytest.mark.parity("I14", "J2")
async def test_i14_values_show_the_questions_beside_the_state(saver: Any) -> None:
    app = asking(saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="values")
    assert shown == [{"log": ["in"]}, {"log": ["in"], "__interrupt__": (await the_question(app),)}]


@pytest.mark.parity("I14")
async def test_i14_values_of_one_channel_show_the_questions_alone(saver: Any) -> None:
    app = asking(saver)
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode="values", output_keys="log")
    assert shown == [["in"], {"__interrupt__": (await the_question(app),)}]


@pytest.mark.parity("I14", "A10")
async def test_i14_a_resumed_run_shows_the_next_question(saver: Any) -> None:
    app = await paused(saver, asks("a", "q1", "q2"), paths=["START a"])
    modes: Any = ["values", "updates"]
    shown = await chunks(app, Command(resume="r1"), thread(), stream_mode=modes)
    question = await the_question(app)
    assert question.value == "q2"
    assert shown == [
        ("values", {"log": ["in"]}),
        ("updates", {"__interrupt__": (question,)}),
        ("values", {"log": ["in"], "__interrupt__": (question,)}),
    ]


@pytest.mark.parity("I14")
async def test_i14_an_answered_run_goes_on_in_the_stream(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("z"), paths=["START a z"])
    modes: Any = ["values", "updates"]
    assert await chunks(app, Command(resume="r"), thread(), stream_mode=modes) == [
        ("values", {"log": ["in"]}),
        ("updates", {"a": {"log": ["a:r"]}}),
        ("values", {"log": ["in", "a:r"]}),
        ("updates", {"z": {"log": ["z"]}}),
        ("values", {"log": ["in", "a:r", "z"]}),
    ]


@pytest.mark.parity("I14")
async def test_i14_every_task_that_asks_has_a_chunk_of_its_own(saver: Any) -> None:
    app = graph(Log, asks("a", "qa"), asks("b", "qb"), paths=["START a", "START b"])
    modes: Any = ["values", "updates"]
    shown = await chunks(app.compile(checkpointer=saver), {}, thread(), stream_mode=modes)
    assert [(mode, asked(chunk)) for mode, chunk in shown if "__interrupt__" in chunk] == [
        ("updates", ["qa"]),
        ("values", ["qa"]),
        ("updates", ["qb"]),
        ("values", ["qb"]),
    ]


@pytest.mark.parity("J1", "I14")
async def test_j1_v2_values_have_the_questions_beside_the_data(saver: Any) -> None:
    app = asking(saver)
    modes: Any = ["values", "updates"]
    shown = await chunks(app, {"log": ["in"]}, thread(), stream_mode=modes, version="v2")
    question = await the_question(app)
    assert shown == [
        {"type": "values", "ns": (), "data": {"log": ["in"]}, "interrupts": ()},
        {"type": "updates", "ns": (), "data": {"__interrupt__": (question,)}},
        {"type": "values", "ns": (), "data": {"log": ["in"]}, "interrupts": (question,)},
    ]


@pytest.mark.parity("J4", "I5")
async def test_j4_what_was_written_before_a_question_is_streamed_each_time(saver: Any) -> None:
    async def a(state: Log, writer: StreamWriter) -> None:
        writer("before")
        writer(interrupt("q"))

    app = graph(Log, a, paths=["START a"]).compile(checkpointer=saver)
    assert await chunks(app, {}, thread(), stream_mode="custom") == ["before"]
    assert await chunks(app, Command(resume="r"), thread(), stream_mode="custom") == ["before", "r"]


# ---- tasks, checkpoints, debug


def in_words(question: Any) -> dict[str, Any]:
    """A question as `tasks` and `checkpoints` chunks have it."""
    return {"value": question.value, "id": question.id, "response_schema": question.response_schema}


@pytest.mark.parity("J6", "I14")
async def test_j6_a_task_that_asked_ends_without_result_or_error(saver: Any) -> None:
    app = asking(saver)
    start, end = await chunks(app, {}, thread(), stream_mode="tasks")
    assert (start["name"], start["id"]) == ("a", end["id"])
    assert (end["error"], end["result"], end["interrupts"]) == (None, {}, [in_words(await the_question(app))])


@pytest.mark.parity("J6", "I5")
async def test_j6_an_answered_task_starts_again_under_the_same_id(saver: Any) -> None:
    app = asking(saver)
    first = await chunks(app, {}, thread(), stream_mode="tasks")
    second = await chunks(app, Command(resume="r1"), thread(), stream_mode="tasks")
    assert len({chunk["id"] for chunk in first + second}) == 1
    assert [len(chunk.get("interrupts", ())) for chunk in first + second] == [0, 1, 0, 1]


@pytest.mark.parity("J7", "I14")
async def test_j7_the_checkpoint_that_a_resumed_run_starts_from_shows_the_questions(saver: Any) -> None:
    app = await paused(saver, asks("a", "q"), says("z"), paths=["START a z"])
    question = await the_question(app)
    shown = await chunks(app, Command(resume="r"), thread(), stream_mode="checkpoints")
    assert [chunk["next"] for chunk in shown] == [["a"], ["z"], []]
    assert list(shown[0]["tasks"][0]["interrupts"]) == [in_words(question)]
    assert list(shown[1]["tasks"][0]["interrupts"]) == []


@pytest.mark.parity("J8", "I14")
async def test_j8_debug_shows_the_questions_too(saver: Any) -> None:
    app = asking(saver)
    *_, ended = await chunks(app, {}, thread(), stream_mode="debug")
    assert (ended["type"], ended["step"]) == ("task_result", 1)
    assert ended["payload"]["interrupts"] == [in_words(await the_question(app))]


@pytest.mark.parity("I14")
def test_i14_the_blocking_stream_shows_questions_as_well() -> None:
    app = graph(Log, asks_plainly("a", "q"), paths=["START a"]).compile(checkpointer=InMemorySaver())
    shown = list(app.stream({}, thread()))
    assert shown == [{"__interrupt__": app.get_state(thread()).interrupts}]
    assert list(app.stream(Command(resume="r"), thread())) == [{"a": {"log": ["a:r"]}}]
