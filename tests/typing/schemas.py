"""What a graph's four types are, from the schemas it is given. Never run: read by type checkers alone."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict, assert_type

import msgspec
from pydantic import BaseModel

from graphrt.graph import CompiledStateGraph, StateGraph


class State(TypedDict):
    n: int
    log: Annotated[list[str], operator.add]


class Context(TypedDict):
    user: str


class Asked(TypedDict):
    n: int


class Told(TypedDict):
    log: list[str]


@dataclass
class Record:
    n: int = 0


class Shape(msgspec.Struct):
    n: int = 0


class Model(BaseModel):
    n: int = 0


# Every kind of schema is its own type; what is left out is the state's, or no context.
assert_type(StateGraph(State), StateGraph[State, None, State, State])
assert_type(StateGraph(Record), StateGraph[Record, None, Record, Record])
assert_type(StateGraph(Shape), StateGraph[Shape, None, Shape, Shape])
assert_type(StateGraph(Model), StateGraph[Model, None, Model, Model])
assert_type(StateGraph(int), StateGraph[int, None, int, int])
assert_type(StateGraph(dict[str, Any]), StateGraph[dict[str, Any], None, dict[str, Any], dict[str, Any]])

assert_type(StateGraph(State, Context), StateGraph[State, Context, State, State])
assert_type(StateGraph(State, context_schema=Record), StateGraph[State, Record, State, State])
assert_type(StateGraph(State, input_schema=Asked), StateGraph[State, None, Asked, State])
assert_type(StateGraph(State, output_schema=Told), StateGraph[State, None, State, Told])
assert_type(
    StateGraph(State, Context, input_schema=Asked, output_schema=Told),
    StateGraph[State, Context, Asked, Told],
)

# An annotation may leave out what has a default.
short: StateGraph[State] = StateGraph(State)
with_context: StateGraph[State, Context] = StateGraph(State, Context)

# Declaring hands on the builder, compiling hands on its types.
builder = StateGraph(State, Context, input_schema=Asked, output_schema=Told)
assert_type(builder.add_edge("a", "b"), StateGraph[State, Context, Asked, Told])
assert_type(builder.set_entry_point("a").set_finish_point("b"), StateGraph[State, Context, Asked, Told])
assert_type(builder.validate(), StateGraph[State, Context, Asked, Told])
assert_type(builder.compile(), CompiledStateGraph[State, Context, Asked, Told])
assert_type(builder.compile(name="graph", debug=True, strict=False).with_config({"tags": ["a"]}),
            CompiledStateGraph[State, Context, Asked, Told])  # fmt: skip
assert_type(builder.compile().builder, StateGraph[State, Context, Asked, Told])

# What must not pass.
StateGraph(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
StateGraph(State, {"user": str})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
StateGraph()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
StateGraph(State, reducers={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
builder.compile(checkpointer=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.compile(interrupt_before=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_edge("a", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
