"""Entrypoints: a function as a graph of one node, what it is given and what it leaves (LangGraph Q1, Q2, Q10)."""

from dataclasses import dataclass
from typing import Any

import pytest

from graphrt.config import RunnableConfig
from graphrt.errors import GraphValidationError
from graphrt.func import entrypoint
from graphrt.pregel import Pregel
from graphrt.runtime import Runtime, get_runtime
from graphrt.types import Command, StreamWriter, interrupt
from tests.acceptance.graphs import thread
from tests.acceptance.streams import chunks, history


@entrypoint()
async def double(number: int) -> int:
    return 2 * number


def summing(saver: Any) -> Any:
    """An entrypoint that adds its input to what it saved before."""

    @entrypoint(checkpointer=saver)
    async def total(number: int, *, previous: int | None = None) -> int:
        return number + (previous or 0)

    return total


@pytest.mark.parity("Q1", "1.4")
async def test_q1_an_entrypoint_returns_what_its_function_returns() -> None:
    assert await double.ainvoke(21) == 42


@pytest.mark.parity("Q1")
async def test_q1_an_entrypoint_is_a_pregel_program() -> None:
    assert isinstance(double, Pregel)
    assert (double.input_channels, double.output_channels) == ("__start__", "__end__")


@pytest.mark.parity("Q1")
async def test_q1_its_node_has_the_functions_name() -> None:
    assert await chunks(double, 21, stream_mode="updates") == [{"double": 42}]


@pytest.mark.parity("Q1", "A4")
async def test_q1_it_streams_updates_by_default() -> None:
    assert await chunks(double, 21) == [{"double": 42}]


@pytest.mark.parity("Q1")
async def test_q1_none_may_be_the_result() -> None:
    @entrypoint()
    async def nothing(given: Any) -> None:
        return None

    assert await nothing.ainvoke({}) is None
    assert await chunks(nothing, {}) == [{"nothing": None}]


@pytest.mark.parity("Q1")
async def test_q1_a_call_leaves_its_input_and_its_result(saver: Any) -> None:
    total = summing(saver)
    await total.ainvoke(1, thread())
    await total.ainvoke(2, thread())
    shown = [(s.metadata["source"], s.metadata["step"], s.values) for s in await history(total, thread())]
    assert shown == [("loop", 2, 3), ("input", 1, 1), ("loop", 0, 1), ("input", -1, None)]


@pytest.mark.parity("Q1", "1.4")
async def test_q1_final_returns_one_value_and_saves_another(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def counts(word: str, *, previous: Any = None) -> Any:
        return entrypoint.final(value=(word, previous), save=len(word))

    assert await counts.ainvoke("four", thread()) == ("four", None)
    assert await counts.ainvoke("three", thread()) == ("three", 4)


@pytest.mark.parity("Q1")
async def test_q1_final_may_save_none(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def forgets(word: str, *, previous: Any = "never") -> Any:
        return entrypoint.final(value=previous, save=None if word == "forget" else word)

    said = [await forgets.ainvoke(word, thread()) for word in ("a", "forget", "b", "c")]
    assert said == [None, "a", None, "b"]


@pytest.mark.parity("1.4")
@pytest.mark.parametrize("is_async", [True, False])
def test_q1_generators_are_refused(is_async: bool) -> None:
    async def async_generator(given: Any) -> Any:
        yield given

    def generator(given: Any) -> Any:
        yield given

    with pytest.raises(NotImplementedError):
        entrypoint()(async_generator if is_async else generator)


@pytest.mark.parity("1.4")
def test_q1_a_function_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one parameter"):

        @entrypoint()  # type: ignore[arg-type]
        def nothing() -> None: ...


@pytest.mark.parity(
    "1.4", differs="declaring-entrypoints-and-tasks: LangGraph takes the function for the checkpointer"
)
def test_q1_a_decorator_without_parentheses_is_refused() -> None:
    def function(given: Any) -> Any:
        return given

    with pytest.raises(GraphValidationError, match=r"@entrypoint\(\)"):
        entrypoint(function)  # type: ignore[arg-type]


@pytest.mark.parity("1.4", "G3")
async def test_q1_config_writer_and_runtime_are_injected_by_name() -> None:
    @entrypoint()
    async def asks(word: str, config: RunnableConfig, writer: StreamWriter, runtime: Runtime[str]) -> Any:
        writer(word)
        return config["metadata"]["langgraph_node"], runtime.context

    modes: list[Any] = ["custom", "values"]
    assert await chunks(asks, "hello", stream_mode=modes, context="me") == [
        ("custom", "hello"),
        ("values", ("asks", "me")),
    ]


@dataclass
class Who:
    name: str


@pytest.mark.parity("1.4", "U1")
async def test_q1_a_context_schema_makes_the_context() -> None:
    @entrypoint(context_schema=Who)
    async def asks(word: str) -> str:
        return f"{word} {get_runtime(Who).context.name}"

    assert await asks.ainvoke("hello", context={"name": "Ada"}) == "hello Ada"  # type: ignore[arg-type]


@pytest.mark.parity("Q1")
async def test_q1_an_entrypoint_may_run_inside_another_one() -> None:
    @entrypoint()
    async def outer(number: int) -> int:
        return 1 + int(await double.ainvoke(number))

    assert await outer.ainvoke(1) == 3


@pytest.mark.parity("Q1", "D8")
async def test_q1_the_whole_call_is_one_superstep() -> None:
    @entrypoint()
    async def step(given: Any, config: RunnableConfig) -> Any:
        return config["metadata"]["langgraph_step"]

    assert await step.ainvoke("go", {"recursion_limit": 1}) == 0


@pytest.mark.parity("Q2")
async def test_q2_previous_is_what_the_last_call_saved(saver: Any) -> None:
    total = summing(saver)
    assert [await total.ainvoke(n, thread()) for n in (1, 2, 3)] == [1, 3, 6]


@pytest.mark.parity("Q2")
async def test_q2_threads_do_not_share_what_was_saved(saver: Any) -> None:
    total = summing(saver)
    assert [await total.ainvoke(1, thread(name)) for name in ("a", "b", "a")] == [1, 1, 2]


@pytest.mark.parity("Q2")
async def test_q2_previous_is_none_without_a_checkpointer() -> None:
    @entrypoint()
    async def first(given: Any, *, previous: Any) -> Any:
        return previous

    assert [await first.ainvoke(n) for n in (1, 2)] == [None, None]


@pytest.mark.parity("Q2")
async def test_q2_none_is_injected_over_a_default_the_first_time(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def first(given: Any, *, previous: Any = "default") -> Any:
        return previous

    assert await first.ainvoke(1, thread()) is None


@pytest.mark.parity("Q2", "U2")
async def test_q2_the_runtime_has_previous_too(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def remembers(word: str, runtime: Runtime[None]) -> Any:
        return entrypoint.final(value=runtime.previous, save=word)

    assert [await remembers.ainvoke(word, thread()) for word in ("a", "b")] == [None, "a"]


@pytest.mark.parity("Q2")
async def test_q2_a_call_that_failed_saved_nothing(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def fails(word: str, *, previous: Any = None) -> Any:
        if word == "bad":
            raise KeyError(word)
        return entrypoint.final(value=previous, save=word)

    await fails.ainvoke("good", thread())
    with pytest.raises(KeyError):
        await fails.ainvoke("bad", thread())
    assert await fails.ainvoke("again", thread()) == "good"


@pytest.mark.parity("Q10")
async def test_q10_the_state_is_the_last_result(saver: Any) -> None:
    total = summing(saver)
    await total.ainvoke(1, thread())
    await total.ainvoke(2, thread())
    state = await total.aget_state(thread())
    assert (state.values, state.next, state.tasks) == (3, (), ())


@pytest.mark.parity("Q10", "N3")
async def test_q10_history_shows_the_call_as_a_task(saver: Any) -> None:
    total = summing(saver)
    await total.ainvoke(1, thread())
    (task,) = (await history(total, thread()))[-1].tasks
    assert (task.name, task.path, task.result) == ("total", ("__pregel_pull", "total"), 1)


@pytest.mark.parity("Q10", "I14")
async def test_q10_the_state_of_a_paused_call_shows_its_question(saver: Any) -> None:
    @entrypoint(checkpointer=saver)
    async def asks(word: str) -> Any:
        return interrupt(f"{word}?")

    await asks.ainvoke("why", thread())
    state = await asks.aget_state(thread())
    assert (state.values, state.next, [i.value for i in state.interrupts]) == (None, ("asks",), ["why?"])
    assert await asks.ainvoke(Command(resume="so"), thread()) == "so"


@pytest.mark.parity("Q10", "N5")
async def test_q10_an_update_is_a_call_that_did_not_happen(saver: Any) -> None:
    total = summing(saver)
    await total.ainvoke(1, thread())
    await total.aupdate_state(thread(), 10, as_node="total")
    assert (await total.aget_state(thread())).values == 10
    assert await total.ainvoke(1, thread()) == 11


@pytest.mark.parity("Q10", "N11")
async def test_q10_an_earlier_call_can_be_run_again(saver: Any) -> None:
    total = summing(saver)
    await total.ainvoke(1, thread())
    await total.ainvoke(2, thread())
    before = (await history(total, thread()))[1].config
    assert await total.ainvoke(None, before) == 3
    assert len(await history(total, thread())) == 6
