"""Lists of messages in a state: the kinds of messages, the reducer that keeps them, and the `messages` stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Annotated, Any, Final, Literal, TypedDict, cast, overload

from graphrt.channels.messages_value import MessagesValue
from graphrt.config import AmbientTask, running_task
from graphrt.constants import TAG_NOSTREAM
from graphrt.core.report import message_metadata
from graphrt.core.state import Task
from graphrt.engine.messenger import MessageWriter, Shown
from graphrt.engine.random_ids import random_id
from graphrt.errors import GraphValidationError, MessageError
from graphrt.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    Content,
    HumanMessage,
    Message,
    RemoveMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from graphrt.messages.coercion import messages_of
from graphrt.messages.kinds import REMOVE_ALL_MESSAGES
from graphrt.messages.openai import in_openai_form, openai_dicts

__all__ = [
    "REMOVE_ALL_MESSAGES",
    "AIMessage",
    "AIMessageChunk",
    "AnyMessage",
    "Content",
    "HumanMessage",
    "Message",
    "MessageWriter",
    "Messages",
    "MessagesState",
    "RemoveMessage",
    "SystemMessage",
    "ToolCall",
    "ToolMessage",
    "add_messages",
    "delta_messages",
    "message_writer",
    "openai_dicts",
    "push_message",
    "stream_message",
]

Messages = Any
"""A message, or a list of them, in any form that `add_messages` takes."""
Format = Literal["langchain-openai"]
FORMATS: Final[dict[str, Callable[[Any], Any]]] = {"langchain-openai": in_openai_form}


@overload
def add_messages(*, format: Format | None = None) -> Callable[[Messages, Messages], list[Any]]: ...
@overload
def add_messages(left: Messages, right: Messages, *, format: Format | None = None) -> list[Any]: ...
def add_messages(left: Any = None, right: Any = None, *, format: Format | None = None) -> Any:
    """The reducer of a list of messages: new ones come behind, known ids replace, removals remove (LangGraph W1).

    Both sides may hold messages, dicts with `role` and `content`, (role, text) pairs, strings. Messages without an id
    are given one, in place. As a reducer, `Annotated[list, add_messages]`, it costs what the new messages cost.

    Args:
        format: "langchain-openai" brings the content of new messages into OpenAI's form (LangGraph W2).

    Returns:
        the list; without `left` and `right` the reducer with that format.

    Raises:
        MessageError: something is no message (a ValueError).
        UnknownMessageError: a removal names no message (a ValueError).

    Example:
        >>> [
        ...     message.text
        ...     for message in add_messages([("user", "hi")], {"role": "assistant", "content": "ho"})
        ... ]
        ['hi', 'ho']
    """
    if format is not None and format not in FORMATS:
        raise FormatError(f"There is no message format {format!r}. Known: {', '.join(map(repr, FORMATS))}.")
    if left is None and right is None:
        return add_messages if format is None else _formatting(format)
    if left is None or right is None:
        given, lacking = ("right", "left") if left is None else ("left", "right")
        raise MessageError(
            f"add_messages got {given!r}, but not {lacking!r}: give both, or neither for a reducer."
        )
    channel = MessagesValue(list, random_id, FORMATS[format] if format else None)
    channel.value = messages_of(left, random_id)
    channel.update((right,))
    return channel.get()


class FormatError(GraphValidationError):
    """A format of messages that does not exist."""


@cache
def _formatting(format: Format) -> Any:
    reducer: Any = partial(add_messages, format=format)
    reducer.__channel__ = partial(_channel, FORMATS[format])
    return reducer


def _channel(form: Callable[[Any], Any] | None, typ: Any) -> MessagesValue:
    return MessagesValue(typ, random_id, form)


add_messages.__channel__ = partial(_channel, None)  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


class MessagesState(TypedDict):
    """A state with a conversation in it, to be used as it is or to be derived from."""

    messages: Annotated[list[AnyMessage], add_messages]


def push_message(message: Any, *, state_key: str | None = "messages") -> Any:
    """Show a message on the `messages` stream at once, and write it to the state before what the node returns.

    Args:
        message: in any form; it needs an id, as the stream and the state must know it for the same.
        state_key: the key to write to; None for none.

    Raises:
        MessageError: it has no id.
        OutsideRunError: no node is running here.
        UnknownKeyError: the state has no such key.
    """
    task = running_task("push_message")
    pushed = messages_of(message, _no_id)[0]
    if state_key is not None:
        task.push(state_key, pushed)
    _writer(task, pushed.id, ())(pushed)
    return pushed


def _no_id() -> str:
    raise MessageError(
        "push_message() was given a message without an id. Make it with one: the stream and the state must know it "
        "for the same."
    )


def message_writer(*, id: str | None = None, tags: Sequence[str] = ()) -> MessageWriter:
    """What shows one message on the `messages` stream while it is being made: for adapters of models.

    Pieces are texts, `AIMessageChunk`s or what another library calls so. Without a subscriber nothing is built.

    Args:
        id: that of the message; a new one by default. Give the whole message `writer.id`, and it is not shown again.
        tags: come with the pieces; `nostream` keeps them off the stream.

    Raises:
        OutsideRunError: no node is running here.

    Example:
        >>> async def answer(state: MessagesState):
        ...     writer = message_writer()
        ...     for word in ("to ", "be"):
        ...         await writer.asend(word)
        ...     return {"messages": [AIMessage("to be", id=writer.id)]}
    """
    return _writer(running_task("message_writer"), id or random_id(), tags)


def _writer(task: AmbientTask, identity: str, tags: Sequence[str]) -> MessageWriter:
    targets = task.shows("messages")
    if not targets:
        return MessageWriter((), {}, identity)
    metadata = message_metadata(cast(Task, task), tags)
    return MessageWriter(() if TAG_NOSTREAM in metadata.get("tags", ()) else targets, metadata, identity)


def stream_message(chunk: Any, *, tags: Sequence[str] = ()) -> Awaitable[None]:
    """Show a message, or a piece of one with its id, on the `messages` stream, at once.

    Await what it returns to let the consumer keep up; a sync node need not, as it waits by itself.

    Raises:
        OutsideRunError: no node is running here.
        StreamOverflowError: an async node wrote tens of thousands of pieces that nobody read.
    """
    task = running_task("stream_message")
    if not task.shows("messages"):
        return Shown(())
    writer = _writer(task, random_id(), tags)
    writer(chunk)
    return Shown(writer.targets)


def delta_messages(state: Sequence[Any], writes: Sequence[Any]) -> list[Any]:
    """`add_messages` for all writes of a step at once: the reducer for a `DeltaChannel` of messages."""
    channel = MessagesValue(list, random_id)
    channel.value = messages_of(list(state), random_id)
    channel.update(writes)
    return channel.get()
