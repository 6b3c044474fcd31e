"""Commands for a graph around: on threads and streams, and those that are refused (LangGraph H5, H6, H8)."""

from typing import Any

import pytest

from graphrt.errors import InvalidUpdateError, NoParentGraphError, UnknownKeyError, UnknownTargetError
from graphrt.types import Command
from tests.acceptance.graphs import Log, graph, says, thread
from tests.acceptance.nested import FailsWhenTold, answered, asks, chain, hands_over, parent, shown

# ---- on a thread


@pytest.mark.parity("H5", "M3")
async def test_h5_a_child_may_hand_over_after_a_pause(saver: Any) -> None:
    app = parent(chain(asks("name"), hands_over("b", {"log": ["note"]}))).compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert await answered(app, thread(), "Ann") == {"log": ["note", "b"]}


@pytest.mark.parity("H5", "M2")
@pytest.mark.parametrize("scope, seen", [(None, ["in"]), (True, ["in", "kept", "in"])])
async def test_h5_a_persistent_child_keeps_the_steps_before_it_handed_over(
    scope: Any, seen: list[str], saver: Any
) -> None:
    inputs: list[list[str]] = []

    async def look(state: Log) -> dict[str, Any]:
        inputs.append(state["log"])
        return {"log": ["kept"]}

    child = chain(look, hands_over("b"), checkpointer=scope)

    async def node(state: Log) -> Any:
        return await child.ainvoke({"log": ["in"]})

    app = graph(Log, node, says("b"), paths=["START node"]).compile(checkpointer=saver)
    for _ in range(2):
        await app.ainvoke({"log": []}, thread())
    assert inputs == [["in"], seen]


@pytest.mark.parity("H5", "K7")
async def test_h5_what_was_handed_over_is_kept_when_a_sibling_fails(saver: Any) -> None:
    ran: list[str] = []

    async def note(state: Log) -> None:
        ran.append("child")

    beside = FailsWhenTold()
    builder = beside.child(chain(note, hands_over("b", {"log": ["note"]}))).add_node("b", says("b"))
    app = builder.compile(checkpointer=saver)
    await beside.fail_after(app, "child")
    assert await app.ainvoke(None, thread()) == {"log": ["note", "failed", "b"]}
    assert ran == ["child"]


@pytest.mark.parity("H5", "J3")
async def test_h5_the_stream_shows_the_command_as_the_update_of_the_childs_node() -> None:
    app = parent(chain(says("a"), hands_over("b", {"log": ["note"]}))).compile()
    assert await shown(app, {"log": []}, stream_mode="updates") == [
        (["child"], {"a": {"log": ["a"]}}),
        ([], {"child": {"log": ["note"]}}),
        ([], {"b": {"log": ["b"]}}),
    ]


# ---- what is refused


@pytest.mark.parity("H6", differs="commands-without-a-parent: LangGraph raises its internal ParentCommand")
@pytest.mark.parametrize("to", [Command.PARENT, "nowhere"])
async def test_h6_a_command_that_finds_no_parent_is_an_error(to: str) -> None:
    with pytest.raises(NoParentGraphError) as raised:
        await chain(hands_over("b", to=to)).ainvoke({"log": []})
    assert isinstance(raised.value, InvalidUpdateError)
    assert raised.value.command.goto == "b"


@pytest.mark.parity(
    "H6", differs="commands-for-a-graph-by-name: LangGraph takes a returned one for its own graph"
)
async def test_h6_a_name_that_no_graph_around_has_is_an_error() -> None:
    with pytest.raises(NoParentGraphError, match="nowhere"):
        await parent(chain(hands_over("b", to="nowhere"))).compile().ainvoke({"log": []})


@pytest.mark.parity("H5", "C13", differs="unknown-targets: LangGraph logs a warning and goes on")
async def test_h5_an_unknown_node_of_the_parent_is_refused() -> None:
    with pytest.raises(UnknownTargetError, match="nowhere"):
        await parent(chain(hands_over("nowhere"))).compile().ainvoke({"log": []})


@pytest.mark.parity("H5", "B7", differs="unknown-keys: LangGraph drops them")
async def test_h5_an_unknown_key_of_the_parent_is_refused() -> None:
    with pytest.raises(UnknownKeyError, match="other"):
        await parent(chain(hands_over("b", {"other": 1}))).compile().ainvoke({"log": []})


@pytest.mark.parity("H8")
async def test_h8_a_command_for_a_parent_is_no_input() -> None:
    with pytest.raises(InvalidUpdateError, match="no parent graph"):
        await chain(says("a")).ainvoke(Command(graph=Command.PARENT, update={"log": []}))
