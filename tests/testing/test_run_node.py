"""A node runs alone: with its state, with what it has injected, and without the graph around it."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from graphrt import END, START, Command, Send, StateGraph, interrupt
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.config import RunnableConfig
from graphrt.errors import GraphValidationError, UnknownKeyError
from graphrt.runtime import Runtime
from graphrt.testing.nodes import run_node
from graphrt.testing.script import UnaskedError, in_turn
from graphrt.types import StreamWriter


class State(TypedDict):
    number: int
    log: Annotated[list[str], operator.add]
    private: NotRequired[str]


class Given(TypedDict):
    number: int


ran: list[str] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


async def before(state: State) -> dict[str, Any]:
    ran.append("before")
    return {"log": ["before"]}


async def middle(state: State) -> dict[str, Any]:
    return {"number": state["number"] + 1, "log": [f"saw {state['log']}"]}


async def after(state: State) -> None:
    ran.append("after")


def graph_of(node: Any = middle, **compiling: Any) -> Any:
    builder = StateGraph(State, input_schema=Given)
    builder.add_node("before", before).add_node("middle", node).add_node("after", after)
    builder.add_edge(START, "before").add_edge("before", "middle").add_edge("middle", "after")
    return builder.compile(**compiling)


async def test_node_reads_a_state_and_its_writes_are_told():
    run = await run_node(graph_of(), "middle", {"number": 1, "log": ["a"]})
    assert run.update == {"number": 2, "log": ["saw ['a']"]}
    assert run.output == run.update
    assert run.values == {"number": 2, "log": ["a", "saw ['a']"]}


async def test_nothing_else_of_the_graph_runs():
    run = await run_node(graph_of(), "middle", {"number": 1})
    assert run.goto == ("after",)
    assert ran == []


async def test_keys_that_are_no_input_of_the_graph_can_be_given():
    async def reads(state: State) -> dict[str, Any]:
        return {"log": [state["private"]]}

    assert (await run_node(graph_of(reads), "middle", {"private": "secret"})).update == {"log": ["secret"]}


async def test_several_writes_to_one_key_are_told_in_order():
    async def twice(state: State) -> Any:
        return [Command(update={"log": ["a"]}), {"log": ["b"]}]

    run = await run_node(graph_of(twice), "middle", {"number": 1})
    assert run.writes == (("log", ["a"]), ("log", ["b"]))
    assert run.values["log"] == ["a", "b"]


async def test_sync_nodes_run_too():
    assert (await run_node(graph_of(lambda state: {"number": 5}), "middle")).update == {"number": 5}


async def test_all_that_a_node_can_ask_for_is_injected():
    async def curious(
        state: State, config: RunnableConfig, runtime: Runtime[str], writer: StreamWriter
    ) -> Any:
        writer({"context": runtime.context})
        return {"log": [config["configurable"]["user"], config["metadata"]["langgraph_node"]]}

    config: RunnableConfig = {"configurable": {"user": "ada"}}
    run = await run_node(graph_of(curious), "middle", {"number": 1}, config=config, context="ctx")
    assert run.update == {"log": ["ada", "middle"]}
    assert run.events == ({"context": "ctx"},)


async def test_context_schema_is_applied():
    @dataclass
    class Context:
        user: str

    async def who(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
        return {"log": [runtime.context.user]}

    graph = StateGraph(State, context_schema=Context).add_node(who).add_edge(START, "who").compile()
    assert (await run_node(graph, "who", {"number": 1}, context={"user": "ada"})).update == {"log": ["ada"]}


async def test_command_says_where_to_go():
    async def sends(state: State) -> Command[Literal["before", "after"]]:
        return Command(update={"number": 7}, goto=["before", Send("after", "x")])

    run = await run_node(graph_of(sends), "middle", {"number": 1})
    assert run.update == {"number": 7}
    assert run.goto == (Send("after", "x"), "after", "before")
    assert ran == []


async def test_routers_see_the_whole_state():
    builder = StateGraph(State).add_node(middle).add_node(after).add_edge(START, "middle")

    def route(state: State) -> Literal["after", "__end__"]:
        return "after" if state["number"] > 5 and state["log"] else END

    graph = builder.add_conditional_edges("middle", route).compile()
    assert (await run_node(graph, "middle", {"number": 5, "log": []})).goto == ("after",)
    assert (await run_node(graph, "middle", {"number": 1, "log": []})).goto == ()


async def test_join_is_not_reached_by_one_of_those_it_waits_for():
    builder = StateGraph(State).add_node(middle).add_node(before).add_node(after)
    builder.add_edge(START, "middle").add_edge(START, "before").add_edge(["before", "middle"], "after")
    assert (await run_node(builder.compile(), "middle", {"number": 5})).goto == ()


async def test_deferred_nodes_run_alone_too():
    builder = StateGraph(State).add_node(before).add_node(middle, defer=True)
    graph = builder.add_edge(START, "before").add_edge("before", "middle").compile()
    assert (await run_node(graph, "middle", {"number": 1})).update["number"] == 2


async def test_node_that_is_sent_to_reads_what_is_sent():
    async def reads(page: str) -> dict[str, Any]:
        return {"log": [page.upper()]}

    run = await run_node(graph_of(reads), Send("middle", "hamlet"))
    assert run.update == {"log": ["HAMLET"]}
    assert run.goto == ("after",)


async def test_node_gets_an_object_of_its_schema():
    @dataclass
    class Counted:
        number: int = 0

    async def count(state: Counted) -> dict[str, Any]:
        return {"number": state.number + 1}

    graph = StateGraph(Counted).add_node(count).add_edge(START, "count").compile()
    assert (await run_node(graph, "count", Counted(3))).update == {"number": 4}
    assert (await run_node(graph, "count", {"number": 4})).update == {"number": 5}


async def test_state_of_a_single_value():
    async def add(total: int) -> int:
        return total + 1

    graph = StateGraph(Annotated[int, operator.add]).add_node(add).add_edge(START, "add").compile()
    run = await run_node(graph, "add", 3)
    assert (run.output, run.values) == (4, 7)


async def test_graph_inside_is_a_node():
    inner = StateGraph(State).add_node("twice", lambda state: {"number": state["number"] * 2})
    graph = graph_of(inner.add_edge(START, "twice").compile())
    assert (await run_node(graph, "middle", {"number": 4, "log": []})).values["number"] == 8


async def test_failure_is_the_nodes_own():
    async def fails(state: State) -> None:
        raise LookupError("no such page")

    with pytest.raises(LookupError, match="no such page"):
        await run_node(graph_of(fails), "middle", {"number": 1})


async def test_command_for_the_graph_around_is_told():
    async def hands_over(state: State) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="other")

    run = await run_node(graph_of(hands_over), "middle", {"number": 1})
    assert run.parent == Command(graph=Command.PARENT, goto="other")
    assert run.goto == ()


# ---- questions


async def asks(state: State) -> dict[str, Any]:
    first = interrupt("first?")
    return {"log": [first, interrupt("second?")]}


@pytest.mark.parametrize("saver", [None, InMemorySaver(), True])
async def test_open_question_is_told(saver: Any):
    run = await run_node(graph_of(asks, checkpointer=saver), "middle", {"number": 1})
    assert [question.value for question in run.interrupts] == ["first?"]
    assert (run.writes, run.goto) == ((), ())


async def test_questions_are_answered():
    answers = {"first?": "one", "middle": "two"}
    run = await run_node(graph_of(asks), "middle", {"number": 1}, answers=answers)
    assert (run.update, run.interrupts) == ({"log": ["one", "two"]}, ())


async def test_some_questions_are_answered():
    run = await run_node(graph_of(asks), "middle", {"number": 1}, answers={"first?": "one"})
    assert [question.value for question in run.interrupts] == ["second?"]


async def test_answer_to_nothing_is_an_error():
    with pytest.raises(UnaskedError, match="third"):
        await run_node(graph_of(asks), "middle", answers={"middle": in_turn(1, 2), "third?": 3})


async def test_threads_of_the_graph_are_not_touched():
    saver = InMemorySaver()
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    await run_node(graph_of(checkpointer=saver), "middle", {"number": 1}, config=config)
    assert (await graph_of(checkpointer=saver).aget_state(config)).values == {}


async def test_breakpoints_of_the_graph_do_not_stop_it():
    graph = graph_of(checkpointer=InMemorySaver(), interrupt_before=["middle"], interrupt_after=["before"])
    assert (await run_node(graph, "middle", {"number": 1})).update["number"] == 2


# ---- mistakes


async def test_unknown_node_is_guessed_at():
    with pytest.raises(GraphValidationError, match=r"no node 'midle'\. Did you mean 'middle'"):
        await run_node(graph_of(), "midle", {"number": 1})


async def test_unknown_key_is_guessed_at():
    with pytest.raises(UnknownKeyError, match=r"key 'numbr'.* Did you mean 'number'"):
        await run_node(graph_of(), "middle", {"numbr": 1})


async def test_what_has_no_nodes_is_refused():
    with pytest.raises(GraphValidationError, match=r"StateGraph\.compile"):
        await run_node(StateGraph(State).add_node(middle), "middle", {})
