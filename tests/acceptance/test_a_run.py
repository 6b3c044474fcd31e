"""How a run starts: kinds of input, continuing, step numbers, what is given back (LangGraph A5-A11, A14, A15)."""

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from graphrt.errors import EmptyInputError, InvalidUpdateError
from graphrt.types import Command, GraphOutput
from tests.acceptance.graphs import Log, graph, says, thread


class Flaky:
    """A node that fails the first time and says "flaky" afterwards."""

    def __init__(self) -> None:
        self.calls = 0

    async def node(self, state: Log) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("first call")
        return {"log": ["flaky"]}


@pytest.fixture
async def stopped(saver: Any) -> Any:
    """A graph a -> flaky -> c whose thread "t" stopped in `flaky`."""
    app = graph(Log, says("a"), ("flaky", Flaky().node), says("c"), paths=["START a flaky c"])
    compiled = app.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await compiled.ainvoke({"log": ["in"]}, thread())
    return compiled


@pytest.mark.parity("A5", "A6")
async def test_a5_none_continues_where_the_thread_stopped(stopped: Any) -> None:
    assert await stopped.ainvoke(None, thread()) == {"log": ["in", "a", "flaky", "c"]}


@pytest.mark.parity("A5", "H8")
async def test_a5_a_command_continues_with_its_update(stopped: Any) -> None:
    result = await stopped.ainvoke(Command(update={"log": ["note"]}), thread())
    assert result == {"log": ["in", "a", "note", "flaky", "c"]}


@pytest.mark.parity("A5")
async def test_a5_the_same_run_id_continues_whatever_the_input(saver: Any) -> None:
    builder = graph(Log, says("a"), ("flaky", Flaky().node), paths=["START a flaky"])
    app = builder.compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "t", "run_id": "r1"}}
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, config)
    assert await app.ainvoke({"log": ["again"]}, config) == {"log": ["in", "a", "flaky"]}


@pytest.mark.parity("A7")
async def test_a7_new_input_discards_what_was_planned(stopped: Any) -> None:
    result = await stopped.ainvoke({"log": ["new"]}, thread())
    assert result == {"log": ["in", "a", "new", "a", "flaky", "c"]}


@pytest.mark.parity("A7", "K11")
async def test_a7_new_input_discards_results_of_finished_siblings(saver: Any) -> None:
    builder = graph(Log, says("ok"), ("flaky", Flaky().node), paths=["START ok", "START flaky"])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": ["in"]}, thread())
    assert await app.ainvoke({"log": ["new"]}, thread()) == {"log": ["in", "new", "flaky", "ok"]}


@pytest.mark.parity("A8")
async def test_a8_input_keys_outside_the_schema_are_dropped() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert await app.ainvoke({"log": ["in"], "noise": 1}) == {"log": ["in", "a"]}


@pytest.mark.parity("A8")
async def test_a8_the_input_step_is_streamed_as_values_but_not_as_an_update() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    chunks = [c async for c in app.astream({"log": ["in"]}, stream_mode=["values", "updates"])]
    assert chunks == [
        ("values", {"log": ["in"]}),
        ("updates", {"a": {"log": ["a"]}}),
        ("values", {"log": ["in", "a"]}),
    ]


@pytest.mark.parity("A9")
async def test_a9_an_empty_dict_is_input() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert await app.ainvoke({}) == {"log": ["a"]}


@pytest.mark.parity("A9")
async def test_a9_none_is_not_input_for_a_new_run() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    with pytest.raises(EmptyInputError, match="__start__"):
        await app.ainvoke(None)


@pytest.mark.parity("A9")
async def test_a9_none_is_not_input_for_a_new_thread(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    with pytest.raises(EmptyInputError, match="__start__"):
        await app.ainvoke(None, thread())


@pytest.mark.parity("A9")
@pytest.mark.parametrize("value", [5, "text", ["log"]])
async def test_a9_input_that_is_no_state_is_refused(value: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    with pytest.raises(InvalidUpdateError, match="Expected dict"):
        await app.ainvoke(value)


@pytest.mark.parity("A6")
async def test_a6_none_on_a_finished_thread_runs_nothing(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    assert await app.ainvoke(None, thread()) == {"log": ["a"]}


@pytest.mark.parity("A10")
async def test_a10_continuing_streams_the_current_values_first(stopped: Any) -> None:
    chunks = [c async for c in stopped.astream(None, thread(), stream_mode="values")]
    assert [chunk["log"] for chunk in chunks] == [
        ["in", "a"],
        ["in", "a", "flaky"],
        ["in", "a", "flaky", "c"],
    ]


@pytest.mark.parity("A11")
async def test_a11_steps_are_numbered_from_minus_one(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    history = [s async for s in app.aget_state_history(thread())]
    assert [s.metadata["step"] for s in reversed(history)] == [-1, 0, 1]


@pytest.mark.parity("A11")
async def test_a11_the_next_input_goes_on_numbering(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    await app.ainvoke({}, thread())
    history = [s async for s in app.aget_state_history(thread())]
    assert [s.metadata["step"] for s in reversed(history)] == [-1, 0, 1, 2, 3, 4]


class Public(TypedDict):
    answer: int


class Overall(TypedDict):
    answer: int
    draft: int


async def compute(state: Overall) -> dict[str, Any]:
    return {"answer": 42, "draft": 41}


@pytest.mark.parity("A14")
async def test_a14_invoke_returns_the_output_schema_only() -> None:
    app = graph(Overall, compute, paths=["START compute"], output_schema=Public).compile()
    assert await app.ainvoke({"draft": 1}) == {"answer": 42}


@pytest.mark.parity("A14")
async def test_a14_values_stream_shows_every_state_key() -> None:
    app = graph(Overall, compute, paths=["START compute"], output_schema=Public).compile()
    chunks = [c async for c in app.astream({"draft": 1}, stream_mode="values")]
    assert chunks == [{"draft": 1}, {"answer": 42, "draft": 41}]


@pytest.mark.parity("A14")
async def test_a14_output_keys_choose_what_invoke_returns() -> None:
    app = graph(Overall, compute, paths=["START compute"], output_schema=Public).compile()
    assert await app.ainvoke({"draft": 1}, output_keys=["draft"]) == {"draft": 41}


@pytest.mark.parity("A14")
async def test_a14_a_single_output_key_returns_the_bare_value() -> None:
    app = graph(Overall, compute, paths=["START compute"]).compile()
    assert await app.ainvoke({"draft": 1}, output_keys="draft") == 41


@pytest.mark.parity("A14")
async def test_a14_another_stream_mode_makes_invoke_return_the_chunks() -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a b"]).compile()
    chunks = await app.ainvoke({}, stream_mode="updates")
    assert chunks == [{"a": {"log": ["a"]}}, {"b": {"log": ["b"]}}]


@pytest.mark.parity(
    "A14", "J2", differs="what-a-run-returns: LangGraph returns None, as it has streamed no values"
)
async def test_a14_a_run_that_writes_nothing_returns_the_state() -> None:
    app = graph(Log, ("idle", lambda state: None), paths=["START idle"]).compile()
    assert await app.ainvoke({}) == {"log": []}


class Model(BaseModel):
    answer: int = 0


@dataclass
class Data:
    answer: int = 0


async def answer(state: Any) -> dict[str, Any]:
    return {"answer": 42}


@pytest.mark.parity("A14", "B10")
@pytest.mark.parametrize("schema", [Model, Data])
async def test_a14_v2_returns_the_state_class(schema: Any) -> None:
    app = graph(schema, answer, paths=["START answer"]).compile()
    result = await app.ainvoke({"answer": 1}, version="v2")
    assert isinstance(result, GraphOutput)
    assert (result.value, result.interrupts) == (schema(answer=42), ())


@pytest.mark.parity("A14")
async def test_a14_v2_returns_a_dict_for_a_typed_dict() -> None:
    app = graph(Overall, compute, paths=["START compute"]).compile()
    result = await app.ainvoke({"draft": 1}, version="v2")
    assert result.value == {"answer": 42, "draft": 41}


@pytest.mark.parity("A15")
async def test_a15_print_mode_prints_what_is_not_yielded(capsys: pytest.CaptureFixture[str]) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    chunks = [c async for c in app.astream({}, stream_mode="values", print_mode="updates")]
    assert chunks == [{"log": ["a"]}]
    assert "{'a': {'log': ['a']}}" in capsys.readouterr().out


@pytest.mark.parity("A15")
async def test_a15_debug_prints_updates_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    await graph(Log, says("a"), paths=["START a"]).compile(debug=True).ainvoke({})
    printed = capsys.readouterr().out
    assert "{'a': {'log': ['a']}}" in printed
    assert "{'log': ['a']}" in printed
