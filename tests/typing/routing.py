"""Where a graph goes next: routers, Command, Send. Never run: read by type checkers alone."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict, assert_type

from graphrt.config import RunnableConfig
from graphrt.graph import END, START, StateGraph
from graphrt.runtime import Runtime
from graphrt.types import Command, Overwrite, Send


class State(TypedDict):
    n: int


class Other(TypedDict):
    m: int


def by_name(state: State) -> str:
    return "a" if state["n"] else END


async def by_literal(state: State) -> Literal["a", "b", "__end__"]:
    return "a"


def by_sends(state: State) -> list[Send]:
    return [Send("a", {"n": n}) for n in range(state["n"])]


def by_anything(state: State) -> Send | str | Sequence[Send | str]:
    return ["a", Send("b", state)]


def of_another_schema(state: Other, config: RunnableConfig) -> list[str]:
    return ["a"]


def with_runtime(state: State, runtime: Runtime[Other]) -> str:
    return str(runtime.context["m"])


def by_truth(state: State) -> bool:
    return state["n"] > 3


builder = StateGraph(State, Other)

assert_type(builder.add_conditional_edges(START, by_name), StateGraph[State, Other, State, State])
builder.add_conditional_edges("a", by_literal)
builder.add_conditional_edges("a", by_sends)
builder.add_conditional_edges("a", by_anything)
builder.add_conditional_edges("a", of_another_schema)
builder.add_conditional_edges("a", with_runtime)
builder.add_conditional_edges("a", by_name, ["a", END])
builder.add_conditional_edges("a", by_truth, {True: "a", False: END})
builder.add_conditional_edges("a", lambda state: "a" if state["n"] else END)
builder.add_conditional_edges("a", lambda state: state["n"] > 3, {True: "a", False: END})
builder.add_conditional_edges("a", lambda state: [Send("a", state), Send("b", {"n": 1})])
builder.set_conditional_entry_point(by_name)
builder.set_conditional_entry_point(by_truth, {True: "a", False: END})


# What must not pass: an answer that needs a path map, no answer, no router.
def by_nothing(state: State) -> str | None:
    return None


def with_other_context(state: State, runtime: Runtime[State]) -> str:
    return ""


builder.add_conditional_edges("a", by_truth)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_conditional_edges("a", by_nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_conditional_edges("a", with_other_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_conditional_edges("a", "by_name")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
builder.add_conditional_edges("a", by_truth, {True: 1, False: 0})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
builder.add_conditional_edges("a", lambda: "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.set_conditional_entry_point(by_truth)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Command: its type says where it may lead.
assert_type(Command(goto="a"), Command[str])
assert_type(Command(update={"n": 1}), Command[str])
assert_type(Command(update=[("n", 1)], goto=["a", Send("b", 2)]), Command[str])


def narrow(state: State) -> Command[Literal["a", "b"]]:
    if state["n"] > 3:
        return Command(goto="a", update={"n": 0})
    if state["n"] > 2:
        return Command(goto=["a", "b", Send("c", 1)])
    if state["n"] > 1:
        return Command(goto=[Send("c", n) for n in range(3)])
    return Command(update={"n": Overwrite(0)})


async def wide(state: State) -> Command[str] | dict[str, Any]:
    return narrow(state)


builder.add_node(narrow).add_node(wide)


def wrong_target(state: State) -> Command[Literal["a", "b"]]:
    return Command(goto="c")  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def wrong_target_in_list(state: State) -> Command[Literal["a", "b"]]:
    return Command(goto=["a", "c"])  # type: ignore[list-item]  # pyright: ignore[reportReturnType]


def widened(state: State, command: Command[str]) -> Command[Literal["a", "b"]]:
    return command  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


Command(goto=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Command("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Command(got="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Command(goto="a").goto = "b"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
refused: Command[int]  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]

# Send: a node and whatever it is to read.
assert_type(Send("a", {"n": 1}).node, str)
assert_type(Send("a", 1).arg, Any)
Send(1, {})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Send("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Send("a", 1).node = "b"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
