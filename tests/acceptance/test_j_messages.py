"""The `messages` and `tools` streams (LangGraph J5, J9)."""

import asyncio
from typing import Any, TypedDict

import pytest

from graphrt import START, StateGraph, interrupt
from graphrt.errors import StreamOverflowError
from graphrt.graph.message import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    MessagesState,
    RemoveMessage,
    message_writer,
    push_message,
    stream_message,
)
from graphrt.graph.tool_events import tool_run
from graphrt.types import Command, Send
from tests.acceptance.streams import chunks


class Foreign:
    """A message as another library has it."""

    def __init__(self, content: str, id: str | None, type: str = "ai") -> None:
        self.content = content
        self.id = id
        self.type = type


def alone(node: Any, saver: Any = None, schema: Any = MessagesState, **options: Any) -> Any:
    builder = StateGraph(schema).add_node("node", node, **options).add_edge(START, "node")
    return builder.compile(checkpointer=saver)


async def shown(app: Any, given: Any = "in", config: Any = None, **options: Any) -> list[tuple[str, Any]]:
    """(content, id) of what the `messages` stream has."""
    stream = await chunks(app, {"messages": given}, config, stream_mode="messages", **options)
    return [(chunk[0].content, chunk[0].id) for chunk in stream]


async def speak(state: MessagesState) -> Any:
    writer = message_writer(id="whole")
    await writer.asend("to ")
    writer(AIMessageChunk("be"))
    return {"messages": [AIMessage("to be", id=writer.id)]}


@pytest.mark.parity("J5", differs="messages-without-langchain: LangGraph hears of tokens by callbacks")
async def test_j5_tokens_come_as_chunks_with_the_id_of_their_message():
    stream = await chunks(alone(speak), {"messages": "in"}, stream_mode="messages")
    assert [chunk for chunk, _ in stream] == [
        AIMessageChunk("to ", id="whole"),
        AIMessageChunk("be", id="whole"),
    ]


async def test_j5_metadata_says_which_task_a_message_is_from():
    config: Any = {"metadata": {"user": "u"}, "tags": ["t"], "configurable": {"thread_id": "7"}}
    app = alone(speak, metadata={"model": "m"})
    stream = await chunks(app, {"messages": "in"}, config, stream_mode="messages")
    for _, given in stream:
        metadata = dict(given)  # one dict for all tokens of a message
        namespace = metadata.pop("langgraph_checkpoint_ns")
        assert namespace.startswith("node:")
        assert metadata == {
            "user": "u",
            "model": "m",
            "thread_id": "7",
            "tags": ["t"],
            "langgraph_step": 1,
            "langgraph_node": "node",
            "langgraph_triggers": ("branch:to:node",),
            "langgraph_path": ("__pregel_pull", "node"),
        }


async def test_j5_a_whole_message_is_shown_if_its_tokens_were_not():
    async def node(state: MessagesState) -> Any:
        return {"messages": [AIMessage("silent", id="s")]}

    assert await shown(alone(node)) == [("silent", "s")]


@pytest.mark.parametrize(
    "output",
    [
        {"other": AIMessage("m", id="m")},
        {"messages": AIMessage("m", id="m")},
        {"messages": {"role": "assistant", "content": "m", "id": "m"}},
        Command(update={"other": [AIMessage("m", id="m")]}),
        [Command(update={"other": (AIMessage("m", id="m"),)})],
        {"other": Foreign("m", "m")},
    ],
)
async def test_j5_messages_are_found_in_whatever_a_node_returns(output: Any):
    class State(MessagesState):
        other: Any

    assert await shown(alone(lambda state: output, schema=State)) == [("m", "m")]


async def test_j5_messages_of_the_input_count_as_seen():
    app = alone(lambda state: {"messages": [*state["messages"], AIMessage("new", id="n")]})
    assert await shown(app, [HumanMessage("in", id="i")]) == [("new", "n")]


async def test_j5_messages_that_the_thread_had_count_as_seen(saver: Any, thread: Any):
    app = alone(lambda state: {"messages": [*state["messages"], AIMessage("again", id="n")]}, saver)
    await app.ainvoke({"messages": [HumanMessage("old", id="o")]}, thread)
    assert await shown(app, HumanMessage("in", id="i"), thread) == []


async def test_j5_messages_that_a_task_was_sent_count_as_seen():
    builder = StateGraph(MessagesState).add_node("worker", lambda state: {"messages": state["messages"]})
    sent = {"messages": [HumanMessage("sent", id="s")]}
    builder.add_conditional_edges(START, lambda state: [Send("worker", sent)])
    assert await shown(builder.compile()) == []


async def test_j5_each_message_is_shown_once_by_whichever_way_it_comes():
    async def node(state: MessagesState) -> Any:
        push_message(HumanMessage("pushed", id="p"))
        await stream_message(AIMessage("streamed", id="s"))
        await stream_message(AIMessage("streamed", id="s"))
        return {"messages": [HumanMessage("pushed", id="p"), AIMessage("streamed", id="s")]}

    assert await shown(alone(node)) == [("pushed", "p"), ("streamed", "s")]


async def test_j5_a_message_without_an_id_gets_one():
    class State(MessagesState):
        other: Any

    app = alone(lambda state: {"other": AIMessage("m")}, schema=State)
    ((_, identity),) = await shown(app)
    assert len(identity) == 36


async def test_j5_removals_are_no_messages_to_show():
    app = alone(lambda state: {"messages": [RemoveMessage(m.id) for m in state["messages"]]})
    assert await shown(app) == []


async def test_j5_nostream_keeps_tokens_off_the_stream_but_not_the_message():
    async def node(state: MessagesState) -> Any:
        writer = message_writer(id="m", tags=["nostream"])
        await writer.asend("to")
        await stream_message("be", tags=("nostream",))
        return {"messages": [AIMessage("to", id=writer.id)]}

    assert await shown(alone(node)) == [("to", "m")]


async def test_j5_the_tag_may_come_with_the_run():
    stream = await shown(alone(speak), config={"tags": ["nostream"]})
    assert stream == [("to be", "whole")]


async def test_j5_tags_of_a_model_come_with_its_tokens():
    async def node(state: MessagesState) -> None:
        message_writer(tags=["draft"])("x")

    stream = await chunks(alone(node), {"messages": "in"}, {"tags": ["run"]}, stream_mode="messages")
    assert [metadata["tags"] for _, metadata in stream] == [["run", "draft"]]


async def test_j5_chunks_of_another_library_are_shown_as_they_are():
    pieces = [Foreign("a", None, "AIMessageChunk"), Foreign("b", None, "AIMessageChunk")]

    async def node(state: MessagesState) -> None:
        writer = message_writer(id="w")
        for piece in pieces:
            await writer.asend(piece)

    stream = await chunks(alone(node), {"messages": "in"}, stream_mode="messages")
    assert [chunk for chunk, _ in stream] == pieces
    assert [piece.id for piece in pieces] == ["w", "w"]


async def test_j5_a_graph_inside_is_heard_only_with_subgraphs():
    app = alone(alone(speak))
    assert await shown(app) == [("to be", "whole")]
    stream = await chunks(app, {"messages": "in"}, stream_mode="messages", subgraphs=True)
    assert [(len(ns), chunk.content) for ns, (chunk, _) in stream] == [(1, "to "), (1, "be")]


async def test_j5_a_graph_inside_that_is_streamed_itself_is_heard_by_who_streams_it():
    inner = alone(speak)
    heard: list[str] = []

    async def node(state: MessagesState) -> Any:
        async for chunk, _ in inner.astream(state, stream_mode="messages"):
            heard.append(chunk.content)

    assert await shown(alone(node)) == []
    assert heard == ["to ", "be"]


async def test_j5_two_streams_hear_a_graph_inside_once_each():
    inner = alone(speak)
    heard: list[str] = []

    async def node(state: MessagesState) -> Any:
        async for chunk, _ in inner.astream(state, stream_mode="messages"):
            heard.append(chunk.content)
            whole = chunk.id
        return {"messages": [AIMessage("to be", id=whole)]}

    stream = await chunks(alone(node), {"messages": "in"}, stream_mode="messages", subgraphs=True)
    assert [chunk.content for _, (chunk, _) in stream] == ["to ", "be"]
    assert heard == ["to ", "be"]


async def test_j5_parallel_nodes_show_their_messages_as_they_come():
    first = asyncio.Event()

    async def quick(state: MessagesState) -> Any:
        await stream_message(AIMessage("quick", id="q"))
        first.set()

    async def slow(state: MessagesState) -> Any:
        await first.wait()
        return {"messages": AIMessage("slow", id="s")}

    builder = StateGraph(MessagesState).add_node(quick).add_node(slow)
    app = builder.add_edge(START, "quick").add_edge(START, "slow").compile()
    assert await shown(app) == [("quick", "q"), ("slow", "s")]


async def test_j5_a_sync_node_streams_too():
    def node(state: MessagesState) -> None:
        writer = message_writer(id="m")
        for number in range(300):
            writer(str(number))

    assert await shown(alone(node)) == [(str(number), "m") for number in range(300)]


async def test_j5_version_2_names_the_mode():
    (part, _) = await chunks(alone(speak), {"messages": "in"}, stream_mode="messages", version="v2")
    assert (part["type"], part["ns"]) == ("messages", ())
    assert part["data"][0].content == "to "


async def test_j5_a_writer_that_awaits_is_held_back_by_its_consumer():
    ahead = [0]

    async def node(state: MessagesState) -> None:
        writer = message_writer()
        for number in range(1_000):
            await writer.asend(str(number))
            ahead[0] = number

    most = 0
    stream = alone(node).astream({"messages": "in"}, stream_mode="messages")
    async for chunk, _ in stream:
        most = max(most, ahead[0] - int(chunk.content))
        await asyncio.sleep(0)
    assert most <= 129


async def test_j5_awaiting_stream_message_holds_back_too():
    ahead = [0]

    async def node(state: MessagesState) -> None:
        for number in range(1_000):
            await stream_message(str(number))
            ahead[0] = number

    most = 0
    async for chunk, _ in alone(node).astream({"messages": "in"}, stream_mode="messages"):
        most = max(most, ahead[0] - int(chunk.content))
        await asyncio.sleep(0)
    assert most <= 129


async def test_j5_a_node_that_never_waits_is_stopped():
    async def node(state: MessagesState) -> None:
        writer = message_writer()
        for _ in range(100_000):
            writer("x")

    with pytest.raises(StreamOverflowError):
        await shown(alone(node))


async def test_j5_without_a_subscriber_nothing_is_built(monkeypatch: pytest.MonkeyPatch):
    def must_not(*args: Any) -> Any:
        raise AssertionError("metadata was built")

    monkeypatch.setattr("graphrt.graph.message.message_metadata", must_not)
    monkeypatch.setattr("graphrt.engine.publish.message_metadata", must_not)
    result = await alone(speak).ainvoke({"messages": "in"})
    assert [message.content for message in result["messages"]] == ["in", "to be"]
    updates = await chunks(alone(speak), {"messages": "in"}, stream_mode="updates")
    assert updates[0]["node"]["messages"][0].id == "whole"


async def test_j5_a_restored_result_is_not_shown_again(saver: Any, thread: Any):
    async def asks(state: MessagesState) -> Any:
        return {"messages": AIMessage(interrupt("?"), id="a")}

    async def speaks(state: MessagesState) -> Any:
        return {"messages": AIMessage("spoken", id="s")}

    builder = StateGraph(MessagesState).add_node(asks).add_node(speaks)
    app = builder.add_edge(START, "asks").add_edge(START, "speaks").compile(checkpointer=saver)
    assert await shown(app, config=thread) == [("spoken", "s")]
    stream = await chunks(app, Command(resume="answer"), thread, stream_mode="messages")
    assert [chunk.content for chunk, _ in stream] == ["answer"]


# ---- tools


class Job(TypedDict, total=False):
    done: int


async def tool_events(node: Any) -> list[Any]:
    return await chunks(alone(node, schema=Job), {"done": 0}, stream_mode="tools")


@pytest.mark.parity("J9", differs="messages-without-langchain: LangGraph hears of tools by callbacks")
async def test_j9_a_tool_is_shown_from_start_to_end():
    async def node(state: Job) -> None:
        with tool_run("search", {"q": "bees"}, tool_call_id="c") as run:
            run.delta("one ")
            await run.adelta("two")
            run.output = "one two"

    assert await tool_events(node) == [
        {"event": "tool-started", "tool_call_id": "c", "tool_name": "search", "input": {"q": "bees"}},
        {"event": "tool-output-delta", "tool_call_id": "c", "delta": "one "},
        {"event": "tool-output-delta", "tool_call_id": "c", "delta": "two"},
        {"event": "tool-finished", "tool_call_id": "c", "output": "one two"},
    ]


async def test_j9_a_tool_that_fails_says_so():
    async def node(state: Job) -> Any:
        try:
            with tool_run("search", tool_call_id="c"):
                raise ConnectionError("no route")
        except ConnectionError:
            return {"done": 1}

    assert (await tool_events(node))[1:] == [
        {"event": "tool-error", "tool_call_id": "c", "message": "no route"}
    ]


async def test_j9_a_tool_that_asks_has_not_failed(saver: Any, thread: Any):
    async def node(state: Job) -> None:
        with tool_run("search", tool_call_id="c"):
            interrupt("may I?")

    stream = await chunks(alone(node, saver, Job), {"done": 0}, thread, stream_mode="tools")
    assert [event["event"] for event in stream] == ["tool-started"]


async def test_j9_a_call_without_an_id_gets_one():
    async def node(state: Job) -> None:
        with tool_run("search"):
            pass

    first, last = await tool_events(node)
    assert first["tool_call_id"] == last["tool_call_id"] != ""


async def test_j9_tools_of_a_graph_inside_are_heard_with_subgraphs():
    async def node(state: Job) -> None:
        with tool_run("search", tool_call_id="c"):
            pass

    app = alone(alone(node, schema=Job), schema=Job)
    assert await chunks(app, {"done": 0}, stream_mode="tools") == []
    assert len(await chunks(app, {"done": 0}, stream_mode="tools", subgraphs=True)) == 2
