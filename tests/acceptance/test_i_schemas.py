"""Questions with a schema: what is shown of it, which answers are refused, what a refusal leaves (LangGraph I11)."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from graphrt.errors import InvalidResumeError, is_invalid_resume
from graphrt.types import Command, interrupt
from tests.acceptance.asking import asked, asks, open_ids, paused
from tests.acceptance.graphs import Log, graph, named, thread
from tests.acceptance.streams import chunks

REFUSED = "answers-that-do-not-fit: LangGraph raises pydantic's ValidationError"
NOT_KEPT = "answers-that-do-not-fit: LangGraph offers a bare answer again at the next resume"


class Review(BaseModel):
    approved: bool
    notes: list[str] = []


@dataclass
class Choice:
    approved: bool


class Form(TypedDict):
    approved: bool


def wants(schema: Any, *, word: str = "a", question: str = "q") -> Any:
    """A node that asks for an answer that fits `schema`, and logs the answer as it gets it."""

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [repr(interrupt(question, response_schema=schema))]}

    return named(word, node)


async def refusal(app: Any, answer: Any) -> BaseException:
    """The error that an answer ends in."""
    with pytest.raises(ValueError) as refused:
        await app.ainvoke(Command(resume=answer), thread())
    return refused.value


# ---- the schema


@pytest.mark.parity("I11")
@pytest.mark.parametrize("schema", [Review, Choice, Form])
async def test_i11_a_class_is_shown_as_json_schema(saver: Any, schema: Any) -> None:
    app = await paused(saver, wants(schema), paths=["START a"])
    (question,) = (await app.aget_state(thread())).interrupts
    assert question.response_schema["type"] == "object"
    assert question.response_schema["properties"]["approved"]["type"] == "boolean"
    assert question.response_schema["required"] == ["approved"]


@pytest.mark.parity("I11")
@pytest.mark.parametrize(
    "schema, shown",
    [(int, {"type": "integer"}), (list[int], {"type": "array", "items": {"type": "integer"}})],
)
async def test_i11_any_type_may_be_asked_for(saver: Any, schema: Any, shown: Any) -> None:
    app = await paused(saver, wants(schema), paths=["START a"])
    assert (await app.aget_state(thread())).interrupts[0].response_schema == shown


@pytest.mark.parity("I11", "J6")
async def test_i11_streams_and_results_show_the_schema(saver: Any) -> None:
    app = graph(Log, wants(int), paths=["START a"]).compile(checkpointer=saver)
    modes: Any = ["updates", "tasks"]
    shown = dict(await chunks(app, {}, thread(), stream_mode=modes))
    (question,) = (await app.ainvoke(None, thread()))["__interrupt__"]
    assert shown["updates"]["__interrupt__"] == (question,)
    assert shown["tasks"]["interrupts"][0]["response_schema"] == {"type": "integer"}
    assert question.response_schema == {"type": "integer"}


@pytest.mark.parity("I11")
async def test_i11_a_dict_is_shown_as_it_is_and_checks_nothing(saver: Any) -> None:
    schema = {"type": "object", "x-widget": "buttons"}
    app = await paused(saver, wants(schema), paths=["START a"])
    assert (await app.aget_state(thread())).interrupts[0].response_schema == schema
    assert await app.ainvoke(Command(resume=5), thread()) == {"log": ["in", "5"]}


# ---- answers that fit


@pytest.mark.parity("I11")
@pytest.mark.parametrize(
    "schema, got",
    [
        (Review, "Review(approved=True, notes=[])"),
        (Choice, "Choice(approved=True)"),
        (Form, "{'approved': True}"),
    ],
)
async def test_i11_an_answer_comes_as_an_instance_of_the_class(saver: Any, schema: Any, got: str) -> None:
    app = await paused(saver, wants(schema), paths=["START a"])
    assert await app.ainvoke(Command(resume={"approved": True}), thread()) == {"log": ["in", got]}


@pytest.mark.parity("I11")
@pytest.mark.parametrize("schema", [list[Review], list[Choice], list[Form]])
async def test_i11_a_schema_may_hold_classes(saver: Any, schema: Any) -> None:
    app = await paused(saver, wants(schema), paths=["START a"])
    result = await app.ainvoke(Command(resume=[{"approved": True}, {"approved": False}]), thread())
    (item,) = schema.__args__
    assert result == {"log": ["in", repr([item(approved=True), item(approved=False)])]}


@pytest.mark.parity("I11", "I2")
async def test_i11_a_kept_answer_comes_as_an_instance_again(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        review = interrupt("review", response_schema=Review)
        return {"log": [repr(review), interrupt("sure?")]}

    app = await paused(saver, a, paths=["START a"])
    assert asked(await app.ainvoke(Command(resume={"approved": False}), thread())) == ["sure?"]
    result = await app.ainvoke(Command(resume="yes"), thread())
    assert result == {"log": ["in", "Review(approved=False, notes=[])", "yes"]}


@pytest.mark.parity("I2")
async def test_i2_a_kept_answer_without_a_schema_keeps_its_type(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        given = interrupt("when?")
        return {"log": [repr(given), interrupt("sure?")]}

    app = await paused(saver, a, paths=["START a"])
    await app.ainvoke(Command(resume={"on": date(2026, 1, 31)}), thread())
    result = await app.ainvoke(Command(resume="yes"), thread())
    assert result == {"log": ["in", repr({"on": date(2026, 1, 31)}), "yes"]}


# ---- answers that do not


@pytest.mark.parity("I11")
@pytest.mark.parametrize("schema", [Review, Choice, Form, int])
async def test_i11_an_answer_that_does_not_fit_ends_in_an_error_that_can_be_told(
    saver: Any, schema: Any
) -> None:
    app = await paused(saver, wants(schema), paths=["START a"])
    assert is_invalid_resume(await refusal(app, {"approved": "perhaps"}))


@pytest.mark.parity("I11")
async def test_i11_what_a_node_raises_itself_is_no_refusal(saver: Any) -> None:
    async def a(state: Log) -> None:
        raise ValueError(interrupt("q", response_schema=str))

    app = await paused(saver, a, paths=["START a"])
    assert not is_invalid_resume(await refusal(app, "r"))


@pytest.mark.parity("I11", differs=REFUSED)
async def test_i11_the_error_names_the_question_and_the_cause(saver: Any) -> None:
    app = await paused(saver, wants(Review), paths=["START a"])
    refused = await refusal(app, {"approved": "perhaps"})
    assert isinstance(refused, InvalidResumeError)
    assert refused.interrupt_id == (await open_ids(app))["q"]
    assert refused.__cause__ is not None


@pytest.mark.parity("I11")
async def test_i11_a_refused_question_stays_open_and_takes_another_answer(saver: Any) -> None:
    app = await paused(saver, wants(int), paths=["START a"])
    before = await open_ids(app)
    await refusal(app, "seven")
    state = await app.aget_state(thread())
    assert (state.values, state.next, await open_ids(app)) == ({"log": ["in"]}, ("a",), before)
    assert await app.ainvoke(Command(resume={before["q"]: 7}), thread()) == {"log": ["in", "7"]}


@pytest.mark.parity("I11")
async def test_i11_a_refused_answer_may_be_followed_by_a_bare_one(saver: Any) -> None:
    app = await paused(saver, wants(int), paths=["START a"])
    await refusal(app, "seven")
    assert await app.ainvoke(Command(resume=7), thread()) == {"log": ["in", "7"]}


@pytest.mark.parity("I11")
async def test_i11_a_refused_answer_by_id_is_not_kept(saver: Any) -> None:
    app = await paused(saver, wants(int), paths=["START a"])
    await refusal(app, {(await open_ids(app))["q"]: "seven"})
    assert asked(await app.ainvoke(None, thread())) == ["q"]


@pytest.mark.parity("I11", differs=NOT_KEPT)
async def test_i11_a_refused_bare_answer_is_not_kept(saver: Any) -> None:
    app = await paused(saver, wants(int), paths=["START a"])
    await refusal(app, "seven")
    assert asked(await app.ainvoke(None, thread())) == ["q"]


@pytest.mark.parity("I11", "I5")
async def test_i11_earlier_answers_of_the_task_are_kept(saver: Any) -> None:
    async def a(state: Log) -> dict[str, Any]:
        return {"log": [interrupt("p"), interrupt("q", response_schema=int)]}

    app = await paused(saver, a, paths=["START a"])
    await app.ainvoke(Command(resume="p"), thread())
    await refusal(app, "seven")
    assert (await open_ids(app)).keys() == {"q"}
    assert await app.ainvoke(Command(resume=7), thread()) == {"log": ["in", "p", 7]}


@pytest.mark.parity("I11")
async def test_i11_a_refusal_does_not_cancel_siblings(saver: Any) -> None:
    ran: list[str] = []
    nodes = [wants(int), asks("b", "qb", ran=ran)]
    app = await paused(saver, *nodes, paths=["START a", "START b"])
    ids = await open_ids(app)
    await refusal(app, {ids["q"]: "seven", ids["qb"]: "rb"})
    assert (await app.aget_state(thread())).values == {"log": ["in", "b:rb"]}
    assert await app.ainvoke(Command(resume={ids["q"]: 7}), thread()) == {"log": ["in", "7", "b:rb"]}
    assert ran == ["b", "b"]


@pytest.mark.parity("I11")
async def test_i11_a_sibling_that_is_still_running_comes_to_its_end(saver: Any) -> None:
    async def slow(state: Log) -> dict[str, Any]:
        answer = interrupt("slow")
        for _ in range(10):
            await asyncio.sleep(0)
        return {"log": [answer]}

    app = await paused(saver, wants(int), slow, paths=["START a", "START slow"])
    ids = await open_ids(app)
    await refusal(app, {ids["q"]: "seven", ids["slow"]: "r"})
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["in", "r"]}, ("a",))
