"""What a state can be and how its keys get their channels (LangGraph B1-B4)."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, Required, TypedDict

import msgspec
import pytest
from pydantic import BaseModel

from graphrt.channels import EphemeralValue, LastValue, Topic
from graphrt.errors import InvalidUpdateError
from graphrt.graph import StateGraph
from tests.acceptance.graphs import Log, graph, says, thread


class TypedState(TypedDict):
    n: int
    log: Annotated[list[str], operator.add]


@dataclass
class DataState:
    n: int
    log: Annotated[list[str], operator.add] = field(default_factory=list)


class ModelState(BaseModel):
    n: int
    log: Annotated[list[str], operator.add] = []


class StructState(msgspec.Struct):
    n: int
    log: Annotated[list[str], operator.add] = []


async def from_dict(state: Any) -> dict[str, Any]:
    return {"n": state["n"] + 1, "log": ["x"]}


async def from_object(state: Any) -> dict[str, Any]:
    return {"n": state.n + 1, "log": ["x"]}


@pytest.mark.parity("B1")
@pytest.mark.parametrize(
    "schema, node", [(TypedState, from_dict), (DataState, from_object), (ModelState, from_object)]
)
async def test_b1_state_may_be(schema: Any, node: Any) -> None:
    app = graph(schema, ("one", node), ("two", node), paths=["START one two"]).compile()
    assert await app.ainvoke({"n": 1, "log": ["in"]}) == {"n": 3, "log": ["in", "x", "x"]}


@pytest.mark.parity("B1", differs="struct-states: LangGraph hands such nodes a dict")
async def test_b1_state_may_be_a_struct() -> None:
    app = graph(StructState, ("one", from_object), ("two", from_object), paths=["START one two"]).compile()
    assert await app.ainvoke({"n": 1, "log": ["in"]}) == {"n": 3, "log": ["in", "x", "x"]}


@pytest.mark.parity("B1")
@pytest.mark.parametrize("schema", [DataState, ModelState])
async def test_b1_input_may_be_the_state_object(schema: Any) -> None:
    app = graph(schema, ("one", from_object), paths=["START one"]).compile()
    assert await app.ainvoke(schema(n=1, log=["in"])) == {"n": 2, "log": ["in", "x"]}


@pytest.mark.parity("B1", differs="struct-states: LangGraph hands such nodes a dict")
async def test_b1_input_may_be_a_struct() -> None:
    app = graph(StructState, ("one", from_object), paths=["START one"]).compile()
    assert await app.ainvoke(StructState(n=1, log=["in"])) == {"n": 2, "log": ["in", "x"]}


@pytest.mark.parity("B1")
async def test_b1_any_other_type_is_one_root_value() -> None:
    async def double(state: int) -> int:
        return state * 2

    app = graph(int, ("one", double), ("two", double), paths=["START one two"]).compile()
    assert await app.ainvoke(5) == 20


@pytest.mark.parity("B1")
async def test_b1_a_root_value_may_have_a_reducer() -> None:
    async def grow(state: list[str]) -> list[str]:
        return [f"saw {len(state)}"]

    app = graph(Annotated[list[str], operator.add], ("one", grow), ("two", grow), paths=["START one two"])
    assert await app.compile().ainvoke(["in"]) == ["in", "saw 1", "saw 2"]


@pytest.mark.parity("B7")
async def test_b7_a_root_node_that_returns_none_changes_nothing() -> None:
    async def pause(state: int) -> None:
        return None

    assert await graph(int, pause, paths=["START pause"]).compile().ainvoke(5) == 5


class Marked(TypedDict, total=False):
    needed: Required[int]
    log: NotRequired[Annotated[list[str], operator.add]]


@pytest.mark.parity("B1")
async def test_b1_required_and_not_required_are_looked_through() -> None:
    app = graph(Marked, says("a"), says("b"), paths=["START a b"]).compile()
    assert await app.ainvoke({"needed": 1}) == {"needed": 1, "log": ["a", "b"]}


class Derived(Log):
    extra: int


@pytest.mark.parity("B1")
async def test_b1_inherited_keys_belong_to_the_state() -> None:
    async def bump(state: Derived) -> dict[str, Any]:
        return {"extra": 1, "log": ["bump"]}

    app = graph(Derived, bump, paths=["START bump"]).compile()
    assert await app.ainvoke({"log": ["in"], "extra": 0}) == {"log": ["in", "bump"], "extra": 1}


class Lambda(TypedDict):
    n: Annotated[int, lambda left, right: left * 10 + right]


@pytest.mark.parity("B2")
async def test_b2_a_lambda_may_be_the_reducer() -> None:
    async def digit(state: Lambda) -> dict[str, Any]:
        return {"n": 7}

    assert await graph(Lambda, digit, paths=["START digit"]).compile().ainvoke({"n": 4}) == {"n": 47}


class OwnChannels(TypedDict):
    instance: Annotated[list[str], Topic(str, accumulate=True)]
    klass: Annotated[int, EphemeralValue]
    plain: Annotated[int, LastValue]


@pytest.mark.parity("B2")
async def test_b2_a_channel_may_be_given_as_instance_or_class() -> None:
    async def write(state: OwnChannels) -> dict[str, Any]:
        return {"instance": "x", "plain": state["klass"] + 1}

    app = graph(OwnChannels, write, paths=["START write"]).compile()
    result = await app.ainvoke({"instance": ["in"], "klass": 1, "plain": 0})
    assert result == {"instance": ["in", "x"], "plain": 2}


class NotLast(TypedDict):
    n: Annotated[int, operator.add, "a remark"]


@pytest.mark.parity("B2")
async def test_b2_only_the_last_annotation_is_a_reducer() -> None:
    async def three(state: NotLast) -> dict[str, Any]:
        return {"n": 3}

    assert await graph(NotLast, three, paths=["START three"]).compile().ainvoke({"n": 1}) == {"n": 3}


class BadArity(TypedDict):
    n: Annotated[int, lambda value: value]


@pytest.mark.parity("B2")
def test_b2_a_reducer_takes_two_arguments() -> None:
    with pytest.raises(ValueError, match="Invalid reducer"):
        StateGraph(BadArity)


class Adds(TypedDict):
    n: Annotated[int, operator.add]


class Multiplies(TypedDict):
    n: Annotated[int, operator.mul]


class Plain(TypedDict):
    n: int


class OtherLambda(TypedDict):
    n: Annotated[int, lambda left, right: left - right]


@pytest.mark.parity("B3")
def test_b3_two_reducers_for_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="already exists with a different type"):
        StateGraph(Adds, input_schema=Multiplies)


@pytest.mark.parity("B3")
def test_b3_a_plain_key_cannot_gain_a_reducer_later() -> None:
    builder = StateGraph(Plain)
    with pytest.raises(ValueError, match="already exists with a different type"):
        builder.add_node("n", lambda state: None, input_schema=Adds)


@pytest.mark.parity("B3")
async def test_b3_a_plain_redeclaration_shares_the_reducer() -> None:
    async def three(state: Plain) -> dict[str, Any]:
        return {"n": 3}

    app = graph(Adds, three, paths=["START three"], input_schema=Plain, output_schema=Plain).compile()
    assert await app.ainvoke({"n": 1}) == {"n": 4}


@pytest.mark.parity("B3")
def test_b3_any_lambda_equals_any_other() -> None:
    StateGraph(Lambda, input_schema=OtherLambda)


@pytest.mark.parity("B4")
async def test_b4_input_and_output_schemas_filter() -> None:
    async def fill(state: Plain) -> dict[str, Any]:
        return {"n": state["n"] + 1, "log": ["kept inside"]}

    app = graph(TypedState, fill, paths=["START fill"], input_schema=Plain, output_schema=Log).compile()
    assert await app.ainvoke({"n": 1, "log": ["dropped"]}) == {"log": ["kept inside"]}


class Private(TypedDict):
    secret: int


async def write_secret(state: Log) -> dict[str, Any]:
    return {"secret": 7}


async def read_secret(state: Private) -> dict[str, Any]:
    return {"log": [f"secret {state['secret']}, {sorted(state)}"]}


@pytest.mark.parity("B4")
async def test_b4_a_nodes_input_schema_may_bring_private_keys() -> None:
    app = graph(Log, write_secret, read_secret, paths=["START write_secret read_secret"]).compile()
    assert await app.ainvoke({}) == {"log": ["secret 7, ['secret']"]}


@pytest.mark.parity("B4")
async def test_b4_private_keys_are_streamed_and_saved(saver: Any) -> None:
    builder = graph(Log, write_secret, read_secret, paths=["START write_secret read_secret"])
    app = builder.compile(checkpointer=saver)
    chunks = [c async for c in app.astream({}, thread(), stream_mode="values")]
    assert chunks[-1]["secret"] == 7
    assert (await app.aget_state(thread())).values["secret"] == 7


@pytest.mark.parity("B4")
async def test_b4_input_schema_may_be_named_explicitly() -> None:
    builder = graph(Log, write_secret, paths=["START write_secret read"])
    builder.add_node("read", lambda state: {"log": [str(sorted(state))]}, input_schema=Private)
    assert await builder.compile().ainvoke({}) == {"log": ["['secret']"]}


@pytest.mark.parity("B7", "C1")
async def test_b7_two_parallel_writers_of_a_plain_key_are_refused() -> None:
    async def one(state: Plain) -> dict[str, Any]:
        return {"n": 1}

    app = graph(Plain, ("a", one), ("b", one), paths=["START a", "START b"]).compile()
    with pytest.raises(InvalidUpdateError, match="At key 'n': Can receive only one value per step"):
        await app.ainvoke({"n": 0})


class Point(TypedDict):
    at: tuple[int, int]
    seen: str


@pytest.mark.parity("T2", differs="types-of-stored-values: LangGraph brings tuples back as lists")
async def test_t2_a_tuple_is_still_a_tuple_in_the_next_turn(saver: Any) -> None:
    app = graph(Point, ("look", lambda state: {"seen": repr(state["at"])}), paths=["START look"])
    compiled = app.compile(checkpointer=saver)
    await compiled.ainvoke({"at": (1, 2)}, thread())
    assert await compiled.ainvoke({}, thread()) == {"at": (1, 2), "seen": "(1, 2)"}
