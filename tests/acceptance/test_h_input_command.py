"""Command as a run's input (LangGraph H8, H9)."""

from typing import Any, TypedDict

import pytest

from graphrt.errors import EmptyInputError
from graphrt.graph import END
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, says, thread


async def work(item: Any) -> dict[str, Any]:
    """A node that logs the input it was sent."""
    return {"log": [repr(item)]}


@pytest.fixture
async def finished(saver: Any) -> Any:
    """A graph with nodes a, b and work whose thread "t" has run a."""
    app = graph(Log, says("a"), says("b"), work, paths=["START a", "b END", "work END"])
    compiled = app.compile(checkpointer=saver)
    await compiled.ainvoke({}, thread())
    return compiled


@pytest.mark.parity("H8")
async def test_h8_a_command_as_input_goes_to_a_node(finished: Any) -> None:
    result = await finished.ainvoke(Command(update={"log": ["note"]}, goto="b"), thread())
    assert result == {"log": ["a", "note", "b"]}


@pytest.mark.parity("H8")
async def test_h8_a_command_as_input_may_send(finished: Any) -> None:
    result = await finished.ainvoke(Command(goto=[Send("work", 1), Send("work", 2)]), thread())
    assert result == {"log": ["a", "1", "2"]}


@pytest.mark.parity("H8")
async def test_h8_a_command_as_input_may_only_update(finished: Any) -> None:
    assert await finished.ainvoke(Command(update={"log": ["note"]}), thread()) == {"log": ["a", "note"]}
    assert (await finished.aget_state(thread())).next == ()


@pytest.mark.parity("H8")
async def test_h8_goto_end_as_input_runs_nothing(finished: Any) -> None:
    assert await finished.ainvoke(Command(goto=END), thread()) == {"log": ["a"]}


@pytest.mark.parity("H8", "P5")
async def test_h8_goto_of_an_input_must_be_names_or_sends(finished: Any) -> None:
    with pytest.raises(TypeError, match=r"In Command\.goto, expected Send/str, got"):
        await finished.ainvoke(Command(goto=[5]), thread())  # type: ignore[list-item]


@pytest.mark.parity("H8", differs="commands-that-langgraph-trips-over: it fails with an UnboundLocalError")
async def test_h8_an_empty_command_is_no_input(finished: Any) -> None:
    with pytest.raises(EmptyInputError):
        await finished.ainvoke(Command(), thread())


@pytest.mark.parity("H8")
async def test_h8_a_command_starts_a_new_run_from_its_entry(saver: Any) -> None:
    app = graph(Log, says("a"), says("b"), paths=["START a", "b END"]).compile(checkpointer=saver)
    assert await app.ainvoke(Command(goto="b"), thread()) == {"log": ["a", "b"]}


def stopped_at(saver: Any, *, sends: bool) -> Any:
    """A graph whose first run stops in `flaky`, reached by an edge or by a Send of "old"."""
    calls: list[Any] = []

    async def flaky(item: Any) -> dict[str, Any]:
        calls.append(item)
        if len(calls) == 1:
            raise ConnectionError
        return {"log": [item if isinstance(item, str) else "flaky"]}

    builder = graph(Log, says("a"), says("b"), flaky, paths=["START a", "b END", "flaky END"])
    builder.add_conditional_edges("a", lambda state: Send("flaky", "old") if sends else "flaky")
    return builder.compile(checkpointer=saver)


@pytest.mark.parity("H9")
async def test_h9_goto_as_input_adds_to_the_planned_tasks(saver: Any) -> None:
    app = stopped_at(saver, sends=False)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    assert await app.ainvoke(Command(goto="b"), thread()) == {"log": ["a", "b", "flaky"]}


@pytest.mark.parity("H9")
async def test_h9_a_send_as_input_replaces_the_planned_sends(saver: Any) -> None:
    app = stopped_at(saver, sends=True)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    assert await app.ainvoke(Command(goto=Send("flaky", "new")), thread()) == {"log": ["a", "new"]}


class Topic(TypedDict):
    topic: str
    answer: str


@pytest.mark.parity("H8")
async def test_h8_a_command_may_bring_the_first_input() -> None:
    async def answer(state: Topic) -> dict[str, Any]:
        return {"answer": f"about {state['topic']}"}

    app = graph(Topic, answer, paths=["START answer"]).compile()
    assert await app.ainvoke(Command(update={"topic": "x"})) == {"topic": "x", "answer": "about x"}


@pytest.mark.parity("H9", differs="results-of-replaced-sends: LangGraph takes them for those of the new ones")
async def test_h9_results_of_replaced_sends_are_not_taken_for_the_new_ones(saver: Any) -> None:
    async def work(item: int) -> dict[str, Any]:
        if item == 1:
            raise ConnectionError
        return {"log": [f"work{item}"]}

    builder = graph(Log, ("work", work), paths=["work END"])
    builder.add_conditional_edges("__start__", lambda state: [Send("work", 0), Send("work", 1)])
    app = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({}, thread())
    assert await app.ainvoke(Command(goto=Send("work", 7)), thread()) == {"log": ["work7"]}
