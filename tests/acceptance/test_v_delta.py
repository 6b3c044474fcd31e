"""`DeltaChannel`: as far as anybody can see it from outside (LangGraph C10, V1-V7; docs/differences.md)."""

import operator
from typing import Annotated, Any, TypedDict

import pytest

from graphrt import START, Overwrite, StateGraph
from graphrt.channels import DeltaChannel
from graphrt.errors import EmptyChannelError, GraphValidationError, InvalidUpdateError
from graphrt.graph.message import MessagesState, delta_messages
from tests.acceptance.meters import Meter
from tests.acceptance.streams import history


def extended(state: list[Any], writes: Any) -> list[Any]:
    return [*state, *(item for write in writes for item in write)]


class Log(TypedDict):
    log: Annotated[list[Any], DeltaChannel(extended)]


def chain(node: Any, saver: Any = None, schema: Any = Log) -> Any:
    return StateGraph(schema).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)


def says_length(state: Any) -> Any:
    return {"log": [f"{'word ' * 10}{len(state['log'])}"]}


@pytest.mark.parity("C10")
async def test_c10_a_delta_channel_is_a_channel_of_a_state(saver: Any, thread: Any):
    app = chain(lambda state: {"log": ["out"]}, saver)
    assert await app.ainvoke({"log": ["in"]}, thread) == {"log": ["in", "out"]}
    assert await app.ainvoke({"log": ["again"]}, thread) == {"log": ["in", "out", "again", "out"]}


async def test_v1_the_reducer_gets_all_writes_of_a_step_at_once():
    calls: list[Any] = []

    def reducer(state: list[Any], writes: Any) -> list[Any]:
        calls.append(list(writes))
        return extended(state, writes)

    class State(TypedDict):
        log: Annotated[list[Any], DeltaChannel(reducer)]

    builder = StateGraph(State)
    for name in ("b", "a"):
        builder.add_node(name, lambda state, name=name: {"log": [name]}).add_edge(START, name)
    assert await builder.compile().ainvoke({"log": ["in"]}) == {"log": ["in", "a", "b"]}
    assert calls == [[["in"]], [["a"], ["b"]]]


def test_v1_it_is_empty_before_a_graph_uses_it_and_typ_in_a_graph():
    channel: Any = DeltaChannel(extended, list)
    with pytest.raises(EmptyChannelError):
        channel.get()
    assert channel.fresh().get() == []
    assert channel.fresh().is_available()


def test_v1_the_type_may_come_from_the_annotation():
    app = chain(lambda state: None)
    assert app.invoke({"log": []}) == {"log": []}


def test_v1_a_copy_goes_on_by_itself():
    channel: Any = DeltaChannel(extended, list).fresh()
    channel.update([[1]])
    other = channel.copy()
    other.update([[2]])
    assert (channel.get(), other.get()) == ([1], [1, 2])
    assert not channel.update([])
    assert channel == other
    assert channel != DeltaChannel(operator.add, list)


def test_v1_snapshots_are_at_least_one_update_apart():
    with pytest.raises(GraphValidationError, match="snapshot_frequency"):
        DeltaChannel(extended, list, snapshot_frequency=0)


@pytest.mark.parity("V2", differs="deltachannel: LangGraph stores writes beside checkpoints, and snapshots")
async def test_v2_checkpoints_store_what_was_written_and_not_the_value(saver: Any, thread: Any):
    meter = Meter(saver)
    app = chain(says_length, meter)
    await app.ainvoke({"log": ["in " * 20] * 200}, thread)
    meter.weights.clear()
    await app.ainvoke({"log": []}, thread)
    assert max(meter.weights) < 500


@pytest.mark.parity("V3", differs="deltachannel: LangGraph walks the chain of parents")
async def test_v3_a_thread_is_read_back_as_it_was_at_each_checkpoint(saver: Any, thread: Any):
    for _ in range(5):
        result = await chain(says_length, saver).ainvoke({"log": ["in"]}, thread)
    values = [s.values["log"] for s in await history(chain(says_length, saver), thread)]
    assert values[0] == result["log"]
    assert [len(value) for value in values][::3] == [10, 8, 6, 4, 2]
    assert all(result["log"][: len(value)] == value for value in values)


async def test_v3_a_thread_of_another_kind_of_channel_can_be_gone_on_with(saver: Any, thread: Any):
    class Added(TypedDict):
        log: Annotated[list[Any], operator.add]

    await chain(lambda state: {"log": ["added"]}, saver, Added).ainvoke({"log": []}, thread)
    await chain(lambda state: {"log": ["delta"]}, saver).ainvoke({"log": []}, thread)
    back = await chain(lambda state: {"log": ["back"]}, saver, Added).ainvoke({"log": []}, thread)
    assert back == {"log": ["added", "delta", "back"]}


async def test_v3_after_an_overwrite_values_count_from_there(saver: Any, thread: Any):
    def node(state: Any) -> Any:
        return {"log": Overwrite(["new"]) if len(state["log"]) > 2 else ["out"]}

    for _ in range(2):
        result = await chain(node, saver).ainvoke({"log": ["in"]}, thread)
    assert result == {"log": ["new"]}
    result = await chain(node, saver).ainvoke({"log": ["in"]}, thread)
    assert result == {"log": ["new", "in", "out"]}


def test_v4_an_overwrite_wins_and_none_empties():
    channel: Any = DeltaChannel(extended, list).fresh()
    channel.update([[1], Overwrite([2]), [3]])
    assert channel.get() == [2]
    channel.update([{"__overwrite__": None}])
    assert channel.get() == []


def test_v4_two_overwrites_in_a_step_are_an_error():
    channel: Any = DeltaChannel(extended, list).fresh()
    with pytest.raises(InvalidUpdateError, match="only one Overwrite"):
        channel.update([Overwrite([1]), Overwrite([2])])


async def test_v4_a_fork_has_the_value_of_where_it_began(saver: Any, thread: Any):
    app = chain(says_length, saver)
    await app.ainvoke({"log": ["in"]}, thread)
    past = next(s for s in await history(app, thread) if s.metadata["step"] == 0)
    await app.ainvoke({"log": ["later"]}, thread)
    forked = await app.aupdate_state(past.config, {"log": ["edited"]}, as_node="node")
    assert (await app.aget_state(forked)).values == {"log": ["in", "edited"]}
    assert await app.ainvoke({"log": ["on"]}, thread) == {"log": ["in", "edited", "on", f"{'word ' * 10}3"]}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_v5_what_was_written_is_there_with_every_durability(saver: Any, thread: Any, durability: Any):
    for _ in range(3):
        result = await chain(says_length, saver).ainvoke({"log": ["in"]}, thread, durability=durability)
    assert (await chain(says_length, saver).aget_state(thread)).values == result
    assert len(result["log"]) == 6


async def test_v6_messages_have_ids_before_they_are_stored(saver: Any, thread: Any):
    """Whoever looks at the input's checkpoint, or starts from it again, meets the ids that the state has."""
    app = chain(lambda state: {"messages": "out"}, saver, MessagesState)
    result = await app.ainvoke({"messages": [("user", "in")]}, thread)
    first = next(s for s in await history(app, thread) if s.metadata["step"] == -1)
    assert first.tasks[0].result["messages"][0].id == result["messages"][0].id


def test_v6_the_reducer_of_messages_takes_batches():
    messages = delta_messages([], [[("user", "a")], ("assistant", "b")])
    assert [(message.type, message.content) for message in messages] == [("human", "a"), ("ai", "b")]
    assert delta_messages(delta_messages([], [messages[:1]]), [messages[1:]]) == messages


@pytest.mark.parity("V7", differs="deltachannel: LangGraph counts")
async def test_v7_metadata_has_no_counters_of_snapshots(saver: Any, thread: Any):
    """Storage decides by itself when a value is stored whole; there is nothing that a thread would have to count."""
    app = chain(says_length, saver)
    await app.ainvoke({"log": ["in"]}, thread)
    assert (await app.aget_state(thread)).metadata == {"source": "loop", "step": 1, "parents": {}}
