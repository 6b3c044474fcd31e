"""A list of messages in a state (LangGraph W1, W2, §1.2)."""

import asyncio
from typing import Annotated, Any, TypedDict, get_type_hints

import pytest

from graphrt import START, Command, Overwrite, StateGraph, interrupt
from graphrt.config import OutsideRunError
from graphrt.errors import InvalidUpdateError, MessageError, UnknownKeyError, UnknownMessageError
from graphrt.func import task
from graphrt.graph.message import (
    REMOVE_ALL_MESSAGES,
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    MessagesState,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    add_messages,
    openai_dicts,
    push_message,
)
from graphrt.graph.ui import delete_ui_message, push_ui_message, ui_message_reducer
from graphrt.types import RetryPolicy
from tests.acceptance.meters import Meter
from tests.acceptance.streams import chunks, history


class Foreign:
    """A message as another library has it: no class of ours, no dict."""

    def __init__(self, content: str, id: str | None = None, type: str = "human") -> None:
        self.content = content
        self.id = id
        self.type = type


def texts(messages: list[Any]) -> list[str]:
    return [message.content for message in messages]


def said(text: str, id: str | None = None) -> HumanMessage:
    return HumanMessage(text, id=id)


def conversation(node: Any, saver: Any = None, schema: Any = MessagesState) -> Any:
    return StateGraph(schema).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)


# ---- the function


def test_w1_new_messages_come_behind():
    assert texts(add_messages([said("a", "1")], [said("b", "2")])) == ["a", "b"]


def test_w1_a_known_id_replaces_in_its_place():
    left = [said("a", "1"), said("b", "2")]
    assert texts(add_messages(left, said("A", "1"))) == ["A", "b"]
    assert texts(left) == ["a", "b"]


@pytest.mark.parametrize(
    "given",
    [
        said("hi"),
        "hi",
        ("user", "hi"),
        ("human", "hi"),
        {"role": "user", "content": "hi"},
        {"type": "human", "content": "hi"},
        [{"role": "user", "content": "hi"}],
        [("user", "hi")],
    ],
)
def test_w1_messages_are_made_from_what_stands_for_them(given: Any):
    (message,) = add_messages([], given)
    assert type(message) is HumanMessage
    assert message.content == "hi"


def test_w1_each_role_has_its_kind():
    dicts = [
        {"role": "system", "content": "be"},
        {"role": "assistant", "content": "ho"},
        {"role": "tool", "content": "42", "tool_call_id": "c"},
        {"role": "developer", "content": "brief"},
    ]
    made = add_messages([], dicts)
    assert list(map(type, made)) == [SystemMessage, AIMessage, ToolMessage, SystemMessage]
    assert made[2].tool_call_id == "c"


def test_w1_tool_calls_in_openais_form_are_understood():
    function = {"name": "f", "arguments": '{"a": 1}'}
    calls = [{"id": "c", "type": "function", "function": function}]
    (message,) = add_messages([], {"role": "assistant", "content": None, "tool_calls": calls})
    assert message.content == ""
    assert message.tool_calls == [{"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}]


def test_w1_arguments_that_are_no_json_are_kept_apart():
    calls = [{"id": "c", "function": {"name": "f", "arguments": "{a:"}}]
    (message,) = add_messages([], {"role": "assistant", "content": "", "tool_calls": calls})
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == "{a:"


def test_w1_messages_without_an_id_get_one_in_place():
    message = said("hi")
    (added,) = add_messages([], message)
    assert added is message
    assert message.id is not None
    assert len(message.id) == 36
    assert message.id[14] == "4"


def test_w1_a_removal_removes():
    left = [said("a", "1"), said("b", "2")]
    assert texts(add_messages(left, RemoveMessage(id="1"))) == ["b"]
    assert texts(add_messages(left, {"role": "remove", "id": "2"})) == ["a"]


def test_w1_of_a_removal_and_a_message_with_its_id_the_later_counts():
    left = [said("a", "1"), said("b", "2")]
    assert texts(add_messages(left, [RemoveMessage("1"), said("A", "1")])) == ["A", "b"]
    assert texts(add_messages(left, [said("A", "1"), RemoveMessage("1")])) == ["b"]


def test_w1_all_messages_can_be_removed_at_once():
    news = [said("lost", "2"), RemoveMessage(id=REMOVE_ALL_MESSAGES), said("c", "3")]
    assert texts(add_messages([said("a", "1")], news)) == ["c"]


def test_w1_removing_an_unknown_message_is_an_error():
    with pytest.raises(ValueError, match="no message with id 'x'") as caught:
        add_messages([said("a", "1")], RemoveMessage("x"))
    assert isinstance(caught.value, UnknownMessageError)
    assert caught.value.id == "x"


@pytest.mark.parametrize("given", [42, {"content": "x"}, {"role": "frog", "content": "x"}, [[1, 2, 3]]])
def test_w1_what_is_no_message_is_an_error(given: Any):
    with pytest.raises(MessageError) as caught:
        add_messages([], given)
    assert isinstance(caught.value, InvalidUpdateError)
    assert isinstance(caught.value, ValueError)


def test_w1_one_side_alone_is_an_error():
    with pytest.raises(MessageError, match="'right'"):
        add_messages([said("a")], None)


@pytest.mark.parity("W1", differs="messages-without-langchain: LangGraph refuses them")
def test_w1_messages_of_another_library_stay_what_they_are():
    theirs = Foreign("theirs")
    merged = add_messages([said("ours", "1")], [theirs, Foreign("OURS", "1")])
    assert [type(message) for message in merged] == [Foreign, Foreign]
    assert texts(merged) == ["OURS", "theirs"]
    assert theirs.id is not None


def test_w1_a_message_that_can_be_given_no_id_says_so():
    class Frozen:
        __slots__ = ()
        content, type, id = "x", "human", None

    with pytest.raises(MessageError, match="Make it with an id"):
        add_messages([], Frozen())


def test_w1_chunks_become_messages():
    piece = {"index": 0, "id": "c", "name": "f", "args": '{"a"'}
    chunk = AIMessageChunk("he", id="1", tool_call_chunks=[piece])
    chunk += AIMessageChunk("y", tool_call_chunks=[{"index": 0, "args": ": 1}"}])
    (message,) = add_messages([], chunk)
    assert message == AIMessage(
        "hey", id="1", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}]
    )


def test_w1_text_leaves_out_what_is_no_text():
    message = HumanMessage([{"type": "text", "text": "a"}, {"type": "image_url"}, "b"])
    assert message.text == "ab"


# ---- in a graph


async def test_w1_a_run_merges_what_nodes_write(saver: Any, thread: Any):
    async def node(state: MessagesState) -> Any:
        return {"messages": [("assistant", f"{len(state['messages'])}"), HumanMessage("HI", id="in")]}

    app = conversation(node, saver)
    result = await app.ainvoke({"messages": said("hi", "in")}, thread)
    assert texts(result["messages"]) == ["HI", "1"]
    result = await app.ainvoke({"messages": []}, thread)
    assert texts(result["messages"]) == ["HI", "1", "2"]


async def test_w1_messages_come_back_with_their_types(saver: Any, thread: Any):
    call: Any = {"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"}
    messages = [
        SystemMessage("be", id="0"),
        HumanMessage(["x", {"type": "text", "text": "y"}], id="1", name="me"),
        AIMessage("", id="2", tool_calls=[call], usage_metadata={"input_tokens": 3}),
        ToolMessage("42", id="3", tool_call_id="c", artifact=(1, 2)),
    ]
    await conversation(lambda state: None, saver).ainvoke({"messages": messages}, thread)
    snapshot = await conversation(lambda state: None, saver).aget_state(thread)
    assert snapshot.values["messages"] == messages
    assert list(map(type, snapshot.values["messages"])) == list(map(type, messages))


async def test_w1_an_id_is_given_before_anything_is_stored(saver: Any, thread: Any):
    """A run that goes on where another one failed knows the messages by the ids that were told."""
    told: list[Any] = []
    heard = asyncio.Event()

    async def first(state: MessagesState) -> Any:
        return {"messages": [("assistant", "first")]}

    async def second(state: MessagesState) -> Any:
        if not heard.is_set():
            await heard.wait()
            raise ConnectionError("no route")
        return {"messages": [("assistant", "second")]}

    builder = StateGraph(MessagesState).add_node(first).add_node(second)
    app = builder.add_edge(START, "first").add_edge(START, "second").compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        async for mode, chunk in app.astream({"messages": "hi"}, thread, stream_mode=["updates", "values"]):
            told += chunk["first"]["messages"] if mode == "updates" else chunk["messages"]
            if mode == "updates":
                heard.set()
    result = await app.ainvoke(None, thread)
    assert [m.id for m in result["messages"]][:2] == [m.id for m in told]


async def test_w1_a_replayed_input_has_the_ids_that_it_had(saver: Any, thread: Any):
    app = conversation(lambda state: {"messages": "out"}, saver)
    result = await app.ainvoke({"messages": "hi"}, thread)
    before = [
        snapshot async for snapshot in app.aget_state_history(thread) if snapshot.metadata["step"] == -1
    ]
    again = await app.ainvoke(None, before[0].config)
    assert again["messages"][0].id == result["messages"][0].id


async def test_w1_an_overwrite_replaces_the_list(saver: Any, thread: Any):
    app = conversation(lambda state: {"messages": Overwrite([("user", "new")])}, saver)
    result = await app.ainvoke({"messages": ["a", "b"]}, thread)
    assert texts(result["messages"]) == ["new"]
    assert texts((await app.aget_state(thread)).values["messages"]) == ["new"]
    result = await app.ainvoke({"messages": []}, thread)
    assert texts(result["messages"]) == ["new"]


async def test_w1_a_failed_removal_fails_the_run_and_names_the_message():
    app = conversation(lambda state: {"messages": RemoveMessage("x")})
    with pytest.raises(UnknownMessageError, match="'x'"):
        await app.ainvoke({"messages": "hi"})


async def test_w1_lists_of_earlier_steps_stay_as_they_were():
    seen: list[list[Any]] = []

    def node(state: MessagesState) -> Any:
        seen.append(state["messages"])
        return {"messages": "more"}

    builder = StateGraph(MessagesState).add_node("a", node).add_node("b", node)
    app = builder.add_edge(START, "a").add_edge("a", "b").compile()
    values = await chunks(app, {"messages": "hi"}, stream_mode="values")
    assert [len(value["messages"]) for value in values] == [1, 2, 3]
    assert [len(messages) for messages in seen] == [1, 2]


async def test_w1_a_list_that_a_node_has_changed_in_place_is_taken_as_it_is(saver: Any, thread: Any):
    def node(state: MessagesState) -> Any:
        state["messages"].append(said("in place", "p"))
        return {"messages": [said("returned", "r"), said("IN PLACE", "p")]}

    app = conversation(node, saver)
    await app.ainvoke({"messages": said("hi" * 100, "1")}, thread)
    await app.aupdate_state(thread, {"messages": said("edited", "e")}, as_node="node")
    state = (await app.aget_state(thread)).values
    assert texts(state["messages"])[1:] == ["IN PLACE", "returned", "edited"]


async def test_w1_what_was_appended_in_place_is_stored_with_the_next_write(saver: Any, thread: Any):
    def node(state: MessagesState) -> Any:
        state["messages"].append(said("in place", "p"))
        return {"messages": [said("returned", "r")]}

    app = conversation(node, saver)
    result = await app.ainvoke({"messages": [said("in", str(number)) for number in range(30)]}, thread)
    assert texts(result["messages"])[30:] == ["in place", "returned"]
    assert (await app.aget_state(thread)).values == result


def test_w1_the_channel_says_what_the_last_update_changed_and_nothing_about_others():
    from graphrt.graph.schema import channels_of

    channel = channels_of(MessagesState)["messages"].fresh()
    channel.update([[said("a", "1")]])
    before = channel.checkpoint()
    channel.update([[said("b", "2")]])
    assert channel.part_since(before) == [said("b", "2")]
    channel.update([[said("c", "3")]])
    assert channel.part_since(before) is None


async def test_w1_parallel_nodes_merge_in_task_order():
    builder = StateGraph(MessagesState)
    for name in ("b", "a"):
        builder.add_node(name, lambda state, name=name: {"messages": name}).add_edge(START, name)
    result = await builder.compile().ainvoke({"messages": "in"})
    assert texts(result["messages"]) == ["in", "a", "b"]


async def test_w1_a_router_sees_the_message_of_its_node(saver: Any, thread: Any):
    async def model(state: MessagesState) -> Any:
        return {"messages": AIMessage(f"{len(state['messages'])}")}

    def route(state: MessagesState) -> str:
        return "model" if len(state["messages"]) < 4 else "__end__"

    builder = StateGraph(MessagesState).add_node(model).add_edge(START, "model")
    app = builder.add_conditional_edges("model", route).compile(checkpointer=saver)
    result = await app.ainvoke({"messages": "in"}, thread)
    assert texts(result["messages"]) == ["in", "1", "2", "3"]
    assert texts((await app.aget_state(thread)).values["messages"]) == ["in", "1", "2", "3"]


async def test_w1_a_state_may_be_a_list_of_messages():
    schema = Annotated[list[Any], add_messages]
    app = StateGraph(schema).add_node("node", lambda state: "out").add_edge(START, "node").compile()
    assert texts(await app.ainvoke("in")) == ["in", "out"]


async def test_w1_messages_of_another_library_can_be_stored_once_registered(saver: Any, thread: Any):
    app = conversation(lambda state: {"messages": Foreign("theirs", "t", "ai")}, saver)
    app.serializer.registry.register("theirs", Foreign, encode=vars, decode=lambda body: Foreign(**body))
    await app.ainvoke({"messages": "hi"}, thread)
    stored = (await app.aget_state(thread)).values["messages"][1]
    assert (type(stored), stored.content, stored.id) == (Foreign, "theirs", "t")


def test_w1_messages_state_can_be_derived_from():
    class State(MessagesState):
        user: str

    hints = get_type_hints(State, include_extras=True)
    assert hints == {"messages": Annotated[list[AnyMessage], add_messages], "user": str}


# ---- cost


class Counted:
    """A message that counts how often anybody asks for its id."""

    asked = 0
    type = "human"

    def __init__(self, id: str) -> None:
        self.content = ""
        self._id = id

    @property
    def id(self) -> str:
        Counted.asked += 1
        return self._id


def work_per_append(history: int) -> int:
    from graphrt.graph.schema import channels_of

    channel = channels_of(MessagesState)["messages"].fresh()
    channel.update([[Counted(str(i)) for i in range(history)]])
    Counted.asked = 0
    for number in range(10):
        channel.update([[Counted(f"new {number}")]])
        channel.copy().update([[Counted("preview")]])
    return Counted.asked


def test_w1_an_append_costs_the_same_however_long_the_list_is():
    assert work_per_append(10_000) == work_per_append(10)


@pytest.mark.parametrize("write", [lambda i: [said("b" * 50, f"n{i}")], lambda i: [said("r" * 50, "7")]])
async def test_w1_a_commit_stores_what_is_new_and_not_the_list(saver: Any, thread: Any, write: Any):
    meter = Meter(saver)
    app = conversation(lambda state: {"messages": write(len(state["messages"]))}, meter)
    await app.ainvoke({"messages": [said("a" * 50, str(i)) for i in range(500)]}, thread)
    meter.weights.clear()
    await app.ainvoke({"messages": []}, thread)
    assert max(meter.weights) < 1_000


# ---- W2


@pytest.mark.parity("W2", differs="merging-messages: LangGraph drops the id")
def test_w2_openais_form_is_given_to_content():
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    (message,) = add_messages([], HumanMessage([block], id="1"), format="langchain-openai")
    assert message.content == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    assert message.id == "1"


def test_w2_text_blocks_become_text():
    (message,) = add_messages([], HumanMessage([{"type": "text", "text": "a"}]), format="langchain-openai")
    assert message.content == "a"


async def test_w2_a_reducer_with_a_format_is_one_call_away():
    class State(TypedDict):
        messages: Annotated[list[Any], add_messages(format="langchain-openai")]

    blocks = [{"type": "text", "text": "out"}]
    app = conversation(lambda state: {"messages": HumanMessage(blocks)}, schema=State)
    assert texts((await app.ainvoke({"messages": "in"}))["messages"]) == ["in", "out"]


def test_w2_an_unknown_format_is_an_error():
    wrong: Any = "openai"
    with pytest.raises(ValueError, match="langchain-openai"):
        add_messages([], [], format=wrong)


def test_w2_messages_are_given_as_an_endpoint_wants_them():
    call: Any = {"name": "f", "args": {"a": "ü"}, "id": "c", "type": "tool_call"}
    messages = [
        HumanMessage("hi", name="me"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("1", tool_call_id="c"),
    ]
    assert openai_dicts(messages) == [
        {"role": "user", "name": "me", "content": "hi"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":"ü"}'}}
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c"},
    ]


# ---- push_message and the user interface


async def test_w1_a_pushed_message_comes_before_what_the_node_returns(saver: Any, thread: Any):
    async def node(state: MessagesState) -> Any:
        push_message(said("pushed", "p"))
        return {"messages": ["returned"]}

    app = conversation(node, saver)
    assert texts((await app.ainvoke({"messages": "in"}, thread))["messages"]) == ["in", "pushed", "returned"]
    assert texts((await app.aget_state(thread)).values["messages"]) == ["in", "pushed", "returned"]


@pytest.mark.parametrize("returned", [None, {"n": 1}])
def test_w1_a_sync_node_may_push_and_return_anything(returned: Any):
    class State(MessagesState):
        n: int

    def node(state: State) -> Any:
        push_message(said("pushed", "p"))
        return returned

    result = conversation(node, schema=State).invoke({"messages": "in", "n": 0})
    assert texts(result["messages"]) == ["in", "pushed"]
    assert result["n"] == (1 if returned else 0)


async def test_w1_a_push_without_an_id_is_an_error():
    app = conversation(lambda state: push_message(said("x")))
    with pytest.raises(MessageError, match="without an id"):
        await app.ainvoke({"messages": "in"})


async def test_w1_a_push_to_an_unknown_key_is_an_error():
    app = conversation(lambda state: push_message(said("x", "1"), state_key="mesages"))
    with pytest.raises(UnknownKeyError, match="Did you mean 'messages'"):
        await app.ainvoke({"messages": "in"})


def test_w1_a_push_outside_of_a_node_is_an_error():
    with pytest.raises(OutsideRunError):
        push_message(said("x", "1"))


class Page(MessagesState):
    ui: Annotated[list[Any], ui_message_reducer]


async def test_w1_components_are_shown_and_kept(saver: Any, thread: Any):
    async def node(state: Page) -> None:
        card = push_ui_message("card", {"a": 1}, id="c", message=said("x", "m"))
        assert card["metadata"]["message_id"] == "m"
        push_ui_message("card", {"b": 2}, id="c", merge=True)
        push_ui_message("map", {}, id="gone")
        delete_ui_message("gone")

    app = conversation(node, saver, Page)
    shown = await chunks(app, {"messages": "in"}, thread, stream_mode="custom")
    assert [(chunk["type"], chunk["id"]) for chunk in shown] == [
        ("ui", "c"), ("ui", "c"), ("ui", "gone"), ("remove-ui", "gone"),
    ]  # fmt: skip
    (kept,) = (await app.aget_state(thread)).values["ui"]
    assert (kept["name"], kept["props"]) == ("card", {"a": 1, "b": 2})


def test_w1_a_component_that_is_not_there_cannot_be_removed():
    with pytest.raises(UnknownMessageError, match="component"):
        ui_message_reducer([], {"type": "remove-ui", "id": "x"})


async def test_w1_history_shows_what_each_node_has_written(saver: Any, thread: Any):
    new = said("out", "o")
    for write in (lambda old: [new], lambda old: [*old, said("on", "n")], lambda old: said("one", "1")):
        app = conversation(lambda state, write=write: {"messages": write(state["messages"])}, saver)
        await app.ainvoke({"messages": [said("in" * 60, "i")]}, thread)
        after, before = (await history(app, thread))[:2]
        assert before.tasks[0].result == {"messages": write(before.values["messages"])}
        assert len(after.values["messages"]) == len(before.values["messages"]) + 1


async def test_w1_what_a_failed_attempt_has_pushed_is_not_written():
    attempts: list[int] = []

    async def node(state: MessagesState) -> Any:
        attempts.append(1)
        push_message(said(f"attempt {len(attempts)}", f"{len(attempts)}"))
        if len(attempts) == 1:
            raise ConnectionError("no route")
        return {"messages": "done"}

    policy = RetryPolicy(initial_interval=0.0, jitter=False)
    builder = StateGraph(MessagesState).add_node("node", node, retry_policy=policy)
    result = await builder.add_edge(START, "node").compile().ainvoke({"messages": "in"})
    assert texts(result["messages"]) == ["in", "attempt 2", "done"]


async def test_w1_what_was_pushed_before_a_question_is_written_once(saver: Any, thread: Any):
    async def node(state: MessagesState) -> Any:
        push_message(said("asking", "a"))
        return {"messages": interrupt("?")}

    app = conversation(node, saver)
    await app.ainvoke({"messages": "in"}, thread)
    result = await app.ainvoke(Command(resume="answer"), thread)
    assert texts(result["messages"]) == ["in", "asking", "answer"]


async def test_w1_a_called_task_cannot_push_to_the_state():
    @task
    async def called() -> None:
        push_message(said("lost", "l"))

    async def node(state: MessagesState) -> Any:
        await called()

    with pytest.raises(InvalidUpdateError, match="called task"):
        await conversation(node).ainvoke({"messages": "in"})
