"""Channel rules as a StateGraph shows them (LangGraph C1-C13)."""

import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import pytest

from graphrt.channels import AnyValue, EphemeralValue, Topic, UntrackedValue
from graphrt.errors import InvalidUpdateError
from graphrt.graph import END
from graphrt.types import Overwrite
from tests.acceptance.graphs import Log, graph, says, thread


class State(Log):
    last: int
    any_value: Annotated[int, AnyValue]
    brief: Annotated[int, EphemeralValue]
    brief_many: Annotated[int, EphemeralValue(int, guard=False)]
    untracked: Annotated[int, UntrackedValue]
    news: Annotated[list[str], Topic(str)]
    archive: Annotated[list[str], Topic(str, accumulate=True)]


def sets(name: str, **update: Any) -> Any:
    """A node called `name` that returns `update`."""

    async def node(state: Any) -> dict[str, Any]:
        return update

    return name, node


def shows(name: str, key: str) -> Any:
    """A node called `name` that logs what it sees under `key`."""

    async def node(state: Any) -> dict[str, Any]:
        return {"log": [f"{name}:{state.get(key, 'nothing')}"]}

    return name, node


async def run(*nodes: Any, paths: list[str], **input: Any) -> Any:
    return await graph(State, *nodes, paths=paths).compile().ainvoke(input)


@pytest.mark.parity("C1")
async def test_c1_a_plain_key_takes_one_value_per_step() -> None:
    nodes = [sets("a", last=1), sets("b", last=2)]
    with pytest.raises(InvalidUpdateError, match="'last'"):
        await run(*nodes, paths=["START a", "START b"])


@pytest.mark.parity("C1")
async def test_c1_a_plain_key_keeps_its_value_until_it_is_written() -> None:
    result = await run(sets("a", last=1), says("b"), sets("c", last=2), paths=["START a b c"])
    assert result["last"] == 2


@pytest.mark.parity("C2")
async def test_c2_any_value_keeps_the_last_of_several() -> None:
    result = await run(sets("a", any_value=1), sets("b", any_value=2), paths=["START a", "START b"])
    assert result["any_value"] == 2


@pytest.mark.parity("C2")
async def test_c2_any_value_is_gone_after_a_step_that_does_not_write_it() -> None:
    nodes = [sets("a", any_value=1), shows("b", "any_value"), shows("c", "any_value")]
    result = await run(*nodes, paths=["START a b c"])
    assert result["log"] == ["b:1", "c:nothing"]


@pytest.mark.parity("C3", "E8")
async def test_c3_an_ephemeral_value_lives_for_one_step() -> None:
    nodes = [sets("a", brief=1), shows("b", "brief"), shows("c", "brief")]
    result = await run(*nodes, paths=["START a b c"])
    assert result["log"] == ["b:1", "c:nothing"]
    assert "brief" not in result


@pytest.mark.parity("C3")
async def test_c3_a_guarded_ephemeral_value_takes_one_value_per_step() -> None:
    with pytest.raises(InvalidUpdateError):
        await run(sets("a", brief=1), sets("b", brief=2), paths=["START a", "START b"])


@pytest.mark.parity("C3")
async def test_c3_an_unguarded_ephemeral_value_keeps_the_last() -> None:
    nodes = [sets("a", brief_many=1), sets("b", brief_many=2), shows("c", "brief_many")]
    result = await run(*nodes, paths=["START a c", "START b"])
    assert result["log"] == ["c:2"]


@pytest.mark.parity("C4")
async def test_c4_an_untracked_value_stays_during_a_run() -> None:
    nodes = [sets("a", untracked=1), says("b"), shows("c", "untracked")]
    result = await run(*nodes, paths=["START a b c"])
    assert (result["log"], result["untracked"]) == (["b", "c:1"], 1)


@pytest.mark.parity("C4")
async def test_c4_an_untracked_value_is_never_saved(saver: Any) -> None:
    nodes = [sets("a", untracked=1, last=1), says("b")]
    app = graph(State, *nodes, paths=["START a b"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread())
    assert "untracked" not in (await app.aget_state(thread())).values


@pytest.mark.parity("C4")
async def test_c4_an_untracked_value_takes_one_value_per_step() -> None:
    with pytest.raises(InvalidUpdateError):
        await run(sets("a", untracked=1), sets("b", untracked=2), paths=["START a", "START b"])


@pytest.mark.parity("C5")
async def test_c5_a_topic_holds_one_steps_values() -> None:
    nodes = [sets("a", news="x"), sets("b", news=["y", "z"]), shows("c", "news"), shows("d", "news")]
    result = await run(*nodes, paths=["START a c d", "START b"])
    assert result["log"] == ["c:['x', 'y', 'z']", "d:nothing"]


@pytest.mark.parity("C5")
async def test_c5_an_accumulating_topic_keeps_everything() -> None:
    nodes = [sets("a", archive="x"), sets("b", archive=["y"]), says("c")]
    result = await run(*nodes, paths=["START a b c"])
    assert result["archive"] == ["x", "y"]


class Aggregates(TypedDict):
    items: Annotated[list[int], operator.add]
    total: Annotated[int, operator.add]
    abstract: Annotated[Sequence[int], operator.add]
    either: Annotated[int | str | None, lambda left, right: f"{left}{right}"]


@pytest.mark.parity("C6")
async def test_c6_constructible_aggregates_start_with_their_empty_value() -> None:
    app = graph(Aggregates, ("idle", lambda state: None), paths=["START idle"]).compile()
    assert await app.ainvoke({"items": []}) == {"items": [], "total": 0, "abstract": []}


@pytest.mark.parity("C6")
async def test_c6_other_aggregates_start_with_the_first_write() -> None:
    app = graph(Aggregates, sets("a", either="x"), sets("b", either="y"), paths=["START a b"]).compile()
    assert (await app.ainvoke({"either": 1}))["either"] == "1xy"


@pytest.mark.parity("C7", "G5")
async def test_c7_a_join_waits_for_all_its_starts() -> None:
    builder = graph(
        Log, says("a"), says("b"), says("b2"), says("c"), paths=["START a", "START b b2", "a+b2 c"]
    )
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "b2", "c"]}


@pytest.mark.parity("C7")
async def test_c7_a_join_is_reset_when_it_has_fired() -> None:
    builder = graph(Log, says("a"), says("b"), says("c"), paths=["START a", "START b", "a+b c"])
    builder.add_conditional_edges("c", lambda state: ["a", "b"] if len(state["log"]) < 6 else END)
    assert await builder.compile().ainvoke({}) == {"log": ["a", "b", "c", "a", "b", "c"]}


@pytest.mark.parity("C11")
@pytest.mark.parametrize(
    "value", [Overwrite(["new"]), {"__overwrite__": ["new"]}, {"value": ["new"], "type": "__overwrite__"}]
)
async def test_c11_overwrite_replaces_and_discards_the_steps_other_writes(value: Any) -> None:
    nodes = [says("a"), sets("b", log=value), says("c"), says("d")]
    app = graph(Log, *nodes, paths=["START a d", "START b", "START c"]).compile()
    assert await app.ainvoke({"log": ["old"]}) == {"log": ["new", "d"]}


@pytest.mark.parity("C11", "P4")
async def test_c11_two_overwrites_in_one_step_are_refused() -> None:
    nodes = [sets("a", log=Overwrite(["1"])), sets("b", log=Overwrite(["2"]))]
    app = graph(Log, *nodes, paths=["START a", "START b"]).compile()
    with pytest.raises(InvalidUpdateError, match="only one Overwrite value per super-step"):
        await app.ainvoke({})


@pytest.mark.parity("C11")
async def test_c11_input_may_overwrite(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({"log": ["old"]}, thread())
    assert await app.ainvoke({"log": Overwrite(["new"])}, thread()) == {"log": ["new", "a"]}


@pytest.mark.parity("C11")
async def test_c11_overwrite_with_none() -> None:
    app = graph(Aggregates, sets("a", either=Overwrite(None)), paths=["START a"]).compile()
    assert (await app.ainvoke({"either": 3}))["either"] is None


@pytest.mark.parity("C11", differs="overwrite-as-first-write: LangGraph stores the Overwrite itself")
async def test_c11_overwrite_as_the_first_write_stores_its_value() -> None:
    app = graph(Aggregates, sets("a", either=Overwrite("v")), sets("b", either="w"), paths=["START a b"])
    assert (await app.compile().ainvoke({}))["either"] == "vw"
