"""Programs of bare nodes and channels, without a StateGraph (LangGraph §1.7, A4, A9, D4)."""

from typing import Any

import pytest

from graphrt.channels import BinaryOperatorAggregate, EphemeralValue, LastValue
from graphrt.config import RunnableConfig
from graphrt.errors import EmptyInputError, GraphRecursionError
from graphrt.pregel import ChannelWriteEntry, NodeBuilder, Pregel
from tests.acceptance.graphs import thread


def program(
    *, inputs: Any = "a", outputs: Any = "b", options: dict[str, Any] | None = None, **nodes: Any
) -> Any:
    """A program over the channels a (for one step), b, c and total."""
    channels = {
        "a": EphemeralValue(str),
        "b": LastValue(str),
        "c": LastValue(str),
        "total": BinaryOperatorAggregate(int, lambda left, right: left + right),
    }
    return Pregel(
        nodes=nodes, channels=channels, input_channels=inputs, output_channels=outputs, **(options or {})
    )


def doubling() -> NodeBuilder:
    return NodeBuilder().subscribe_only("a").do(lambda x: x + x).write_to("b")


@pytest.mark.parity("A9")
async def test_a9_one_channel_in_one_channel_out() -> None:
    assert await program(n=doubling()).ainvoke("q") == "qq"


@pytest.mark.parity("A9")
def test_a9_the_blocking_door_runs_programs_as_well() -> None:
    assert program(n=doubling()).invoke("q") == "qq"


@pytest.mark.parity("A9")
async def test_a9_several_input_channels_take_a_dict() -> None:
    app = program(n=doubling(), inputs=["a", "c"], outputs=["b", "c"])
    assert await app.ainvoke({"a": "q", "c": "w"}) == {"b": "qq", "c": "w"}


@pytest.mark.parity("A9")
async def test_a9_several_input_channels_refuse_anything_else() -> None:
    with pytest.raises(TypeError):
        await program(n=doubling(), inputs=["a"]).ainvoke("q")


@pytest.mark.parity("A9")
async def test_a9_unknown_input_keys_are_skipped() -> None:
    assert await program(n=doubling(), inputs=["a"]).ainvoke({"a": "q", "zz": 1}) == "qq"


@pytest.mark.parity("A9")
async def test_a9_input_without_a_known_key_is_empty() -> None:
    with pytest.raises(EmptyInputError):
        await program(n=doubling(), inputs=["a"]).ainvoke({"zz": 1})


@pytest.mark.parity("A9")
async def test_a9_none_is_no_input() -> None:
    with pytest.raises(EmptyInputError):
        await program(n=doubling()).ainvoke(None)


@pytest.mark.parity("A4")
async def test_a4_a_program_streams_values_by_default() -> None:
    assert [chunk async for chunk in program(n=doubling()).astream("q")] == [{"b": "qq", "total": 0}]


@pytest.mark.parity("A4")
async def test_a4_a_programs_default_mode_can_be_set() -> None:
    app = program(n=doubling(), options={"stream_mode": "updates"})
    assert [chunk async for chunk in app.astream("q")] == [{"n": {"b": "qq"}}]


@pytest.mark.parity("A14")
async def test_a14_stream_channels_choose_what_is_streamed() -> None:
    app = program(n=doubling(), options={"stream_channels": ["b"]})
    assert [chunk async for chunk in app.astream("q")] == [{"b": "qq"}]


@pytest.mark.parity("A14")
async def test_a14_the_output_is_none_if_nothing_was_written_to_it() -> None:
    node = NodeBuilder().subscribe_only("a").do(lambda x: x).write_to("c")
    assert await program(n=node).ainvoke("q") is None


@pytest.mark.parity("A9")
async def test_a9_built_nodes_and_builders_are_both_accepted() -> None:
    assert await program(n=doubling().build()).ainvoke("q") == "qq"


@pytest.mark.parity("A9")
async def test_a9_steps_of_a_node_follow_one_another() -> None:
    async def second(x: str) -> str:
        return x + "2"

    node = NodeBuilder().subscribe_only("a").do(lambda x: x + "1").do(second).write_to("b")
    assert await program(n=node).ainvoke("q") == "q12"


@pytest.mark.parity("A9")
async def test_a9_a_node_without_a_step_passes_its_input_on() -> None:
    assert await program(n=NodeBuilder().subscribe_only("a").write_to("b")).ainvoke("q") == "q"


@pytest.mark.parity("A9", "B5")
async def test_a9_a_node_that_subscribes_to_channels_reads_a_dict() -> None:
    node = NodeBuilder().subscribe_to("a", "b").do(lambda read: str(read)).write_to("c")
    assert await program(n=node, outputs="c").ainvoke("q") == "{'a': 'q'}"


@pytest.mark.parity("A9")
async def test_a9_a_node_may_read_channels_that_do_not_trigger_it() -> None:
    node = NodeBuilder().subscribe_to("a").read_from("c").do(lambda read: read["a"] + read["c"]).write_to("b")
    assert await program(n=node, inputs=["a", "c"]).ainvoke({"a": "q", "c": "w"}) == "qw"


@pytest.mark.parity("A9")
async def test_a9_a_node_may_be_triggered_by_what_it_does_not_read() -> None:
    node = NodeBuilder().subscribe_to("a", read=False).read_from("c").do(lambda read: str(read)).write_to("b")
    assert await program(n=node, inputs=["a", "c"]).ainvoke({"a": "q", "c": "w"}) == "{'c': 'w'}"


@pytest.mark.parity("A9")
async def test_a9_constants_and_functions_may_be_written() -> None:
    node = NodeBuilder().subscribe_only("a").do(lambda x: x + "!").write_to("b", c=lambda x: x + "?", total=7)
    result = await program(n=node, outputs=["b", "c", "total"]).ainvoke("q")
    assert result == {"b": "q!", "c": "q!?", "total": 7}


@pytest.mark.parity("A9")
async def test_a9_entries_may_skip_none() -> None:
    node = NodeBuilder().subscribe_only("a").do(lambda x: None)
    node.write_to(ChannelWriteEntry("b", skip_none=True), c="written")
    assert await program(n=node, outputs=["b", "c"]).ainvoke("q") == {"c": "written"}


@pytest.mark.parity("A9")
async def test_a9_entries_may_map_the_value() -> None:
    node = NodeBuilder().subscribe_only("a").do(lambda x: x)
    node.write_to(ChannelWriteEntry("b", mapper=lambda x: x * 3), ChannelWriteEntry("c", "fixed"))
    assert await program(n=node, outputs=["b", "c"]).ainvoke("q") == {"b": "qqq", "c": "fixed"}


@pytest.mark.parity("D2", "D3")
async def test_d2_a_node_runs_when_a_channel_it_subscribes_to_changed() -> None:
    second = NodeBuilder().subscribe_only("b").do(lambda x: x + "!").write_to("c")
    assert await program(n=doubling(), second=second, outputs="c").ainvoke("q") == "qq!"


@pytest.mark.parity("D3")
async def test_d3_a_program_may_loop_until_nothing_is_written() -> None:
    def grow(x: str) -> str | None:
        return x + x if len(x) < 10 else None

    node = NodeBuilder().subscribe_only("b").do(grow).write_to(ChannelWriteEntry("b", skip_none=True))
    assert await program(n=node, inputs="b").ainvoke("q") == "q" * 16


@pytest.mark.parity("A12")
async def test_a12_an_endless_program_meets_the_step_limit() -> None:
    node = NodeBuilder().subscribe_only("b").do(lambda x: x + "x").write_to("b")
    with pytest.raises(GraphRecursionError):
        await program(n=node, inputs="b").ainvoke("q", {"recursion_limit": 5})


@pytest.mark.parity("D5")
async def test_d5_two_channels_in_one_step_trigger_a_node_once() -> None:
    runs: list[Any] = []
    node = NodeBuilder().subscribe_to("a", "c").do(runs.append).write_to("b")
    await program(n=node, inputs=["a", "c"]).ainvoke({"a": "q", "c": "w"})
    assert runs == [{"a": "q", "c": "w"}]


@pytest.mark.parity("D8")
async def test_d8_tags_and_metadata_of_a_node_are_in_its_config() -> None:
    seen: dict[str, Any] = {}

    def look(x: str, config: RunnableConfig) -> str:
        seen.update(config)
        return x

    node = NodeBuilder().subscribe_only("a").do(look).write_to("b").meta("tag", cost=3)
    await program(n=node).ainvoke("q")
    assert "tag" in seen["tags"]
    assert (seen["metadata"]["cost"], seen["metadata"]["langgraph_node"]) == (3, "n")


@pytest.mark.parity("A9")
async def test_a9_a_program_has_threads_too(saver: Any) -> None:
    node = NodeBuilder().subscribe_only("a").do(len).write_to("total")
    app = program(n=node, outputs="total", options={"checkpointer": saver})
    await app.ainvoke("four", thread())
    assert await app.ainvoke("seventy", thread()) == 11


@pytest.mark.parity("A1")
async def test_a1_a_program_may_carry_a_config() -> None:
    seen: dict[str, Any] = {}

    def look(x: str, config: RunnableConfig) -> str:
        seen.update(config["metadata"])
        return x

    node = NodeBuilder().subscribe_only("a").do(look).write_to("b")
    await program(n=node, options={"config": {"metadata": {"team": "red"}}}).ainvoke("q")
    assert seen["team"] == "red"
