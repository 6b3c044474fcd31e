"""Managed keys are read and nothing else (LangGraph B2, B4, B9)."""

import logging
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from graphrt.errors import GraphValidationError, UnknownKeyError
from graphrt.graph import START, StateGraph
from graphrt.managed import IsLastStep, ManagedValue, RemainingSteps, Scratchpad
from graphrt.types import Command
from tests.acceptance.graphs import Log, thread


class Counted(Log):
    left: RemainingSteps


def one(node: Any, **options: Any) -> Any:
    return StateGraph(Counted).add_node("node", node).add_edge(START, "node").compile(**options)


async def tell(state: Counted) -> dict[str, Any]:
    return {"log": [str(state["left"])]}


# ---- B2


def test_b2_the_last_annotation_makes_a_key_managed() -> None:
    class State(TypedDict):
        left: RemainingSteps
        plain: Annotated[int, RemainingSteps, "the last one counts"]

    builder = StateGraph(State)
    assert list(builder.managed) == ["left"]
    assert list(builder.channels) == ["plain"]


# ---- B4


@pytest.mark.parametrize("place", ["input_schema", "output_schema"])
def test_b4_input_and_output_schemas_have_no_managed_keys(place: str) -> None:
    schemas: Any = {place: Counted}
    with pytest.raises(GraphValidationError, match="managed channels detected in Counted: left"):
        StateGraph(Log, **schemas)


async def test_b4_a_state_with_managed_keys_is_input_and_output_without_them() -> None:
    app = one(tell)
    assert await app.ainvoke({"log": [], "left": 99}, {"recursion_limit": 3}) == {"log": ["2"]}
    assert app.output_channels == ["log"]


async def test_b4_managed_keys_are_not_streamed() -> None:
    stream = one(tell).astream({"log": []}, {"recursion_limit": 3}, stream_mode=["values", "updates"])
    written = {"log": ["2"]}
    assert [chunk async for chunk in stream] == [
        ("values", {"log": []}),
        ("updates", {"node": written}),
        ("values", written),
    ]


async def test_b4_managed_keys_are_not_stored(saver: Any) -> None:
    app = one(tell, checkpointer=saver)
    await app.ainvoke({}, thread("t", recursion_limit=3))
    assert (await app.aget_state(thread("t"))).values == {"log": ["2"]}
    stored = await saver.load("t", "", None)
    assert "left" not in stored.channels


def test_b4_json_schemas_do_not_show_managed_keys() -> None:
    app = one(tell)
    for schema in (app.get_input_jsonschema(), app.get_output_jsonschema()):
        assert list(schema["properties"]) == ["log"]
        assert "left" not in schema["required"]


def test_b4_a_managed_key_means_the_same_in_every_schema() -> None:
    class Other(TypedDict):
        left: IsLastStep

    async def node(state: Other) -> None: ...

    with pytest.raises(GraphValidationError, match="'left' already exists with a different type"):
        StateGraph(Counted).add_node("node", node)


@pytest.mark.parity(
    "B4", differs="managed-keys-and-plain-ones: LangGraph makes it a channel that is never written"
)
@pytest.mark.parametrize("managed_first", [True, False])
def test_b4_a_key_is_managed_everywhere_or_nowhere(managed_first: bool) -> None:
    class Plain(Log):
        left: int

    first, second = (Counted, Plain) if managed_first else (Plain, Counted)
    with pytest.raises(GraphValidationError, match="managed"):
        StateGraph(first).add_node("node", lambda state: None, input_schema=second)


# ---- B9


@pytest.mark.parametrize("strict", [True, False])
async def test_b9_a_write_to_a_managed_key_is_ignored(strict: bool) -> None:
    async def node(state: Counted) -> dict[str, Any]:
        return {**state, "log": ["all that it was given"]}

    assert await one(node, strict=strict).ainvoke({"log": []}) == {"log": ["all that it was given"]}


async def test_b9_it_is_ignored_in_commands_too() -> None:
    async def node(state: Counted) -> Command[Any]:
        return Command(update={"left": 1, "log": ["x"]})

    assert await one(node).ainvoke({}) == {"log": ["x"]}


async def test_b9_the_log_tells_of_it(caplog: pytest.LogCaptureFixture) -> None:
    async def node(state: Counted) -> dict[str, Any]:
        return {"left": 1}

    with caplog.at_level(logging.INFO, logger="graphrt"):
        await one(node).ainvoke({})
    assert "wrote to managed keys, which nothing can write: left" in caplog.text


class Away(ManagedValue[str]):
    @staticmethod
    def get(scratchpad: Scratchpad) -> str:
        return "away"


class Model(BaseModel):
    place: Annotated[str, Away]
    word: str = ""


async def test_b9_objects_that_have_the_key_write_the_others() -> None:
    async def node(state: Model) -> Model:
        return Model(place="home", word=state.place)

    app = StateGraph(Model).add_node("node", node).add_edge(START, "node").compile()
    assert await app.ainvoke({"word": ""}) == {"word": "away"}


async def test_b9_other_unknown_keys_stay_errors() -> None:
    async def node(state: Counted) -> dict[str, Any]:
        return {"left": 1, "rigth": 2}

    with pytest.raises(UnknownKeyError, match="rigth"):
        await one(node).ainvoke({})
