"""The kinds of messages: plain mutable records, with LangChain's names and fields as far as a graph has use for them.

Each has a `type` on its class, which is also what JSON made of it by msgspec says.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self, TypeAlias, TypedDict, cast

from msgspec import Struct

__all__ = [
    "KINDS",
    "REMOVE_ALL_MESSAGES",
    "AIMessage",
    "AIMessageChunk",
    "AnyMessage",
    "Content",
    "HumanMessage",
    "Message",
    "RemoveMessage",
    "SystemMessage",
    "ToolCall",
    "ToolMessage",
]

Content: TypeAlias = "str | list[Any]"
"""Text, or content blocks: texts and dicts with a `type`."""

REMOVE_ALL_MESSAGES: Final = "__remove_all__"
"""The id of a `RemoveMessage` that removes everything before it."""


class ToolCall(TypedDict, total=False):
    """A model asks for a tool: `args` are its arguments as a dict, `id` is what the answer refers to."""

    name: str
    args: dict[str, Any]
    id: str | None
    type: Literal["tool_call"]


class _Content(Struct, repr_omit_defaults=True):
    content: Content = ""


class Message(_Content, kw_only=True):
    """What all messages have.

    Attributes:
        id: tells the message from all others; given by the state's reducer if it has none.
        name: who it is from, beyond its type.
        additional_kwargs: whatever else came with it, under the names it had there.
        response_metadata: what the model said about its answer.
    """

    type: ClassVar[str] = ""

    id: str | None = None
    name: str | None = None
    additional_kwargs: dict[str, Any] = {}
    response_metadata: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """The text of the content, without blocks of other kinds."""
        if isinstance(self.content, str):
            return self.content
        return "".join(block if isinstance(block, str) else _text_of(block) for block in self.content)


def _text_of(block: Any) -> str:
    if not isinstance(block, dict):
        return ""
    fields = cast("dict[str, Any]", block)
    text = fields.get("text")
    return text if fields.get("type") == "text" and isinstance(text, str) else ""


class HumanMessage(Message, kw_only=True, tag="human", tag_field="type"):
    """From a person."""

    type: ClassVar[str] = "human"


class SystemMessage(Message, kw_only=True, tag="system", tag_field="type"):
    """Instructions to a model."""

    type: ClassVar[str] = "system"


class AIMessage(Message, kw_only=True, tag="ai", tag_field="type"):
    """From a model. `invalid_tool_calls` are those whose arguments are no JSON, with `args` as text and an `error`."""

    type: ClassVar[str] = "ai"

    tool_calls: list[ToolCall] = []
    invalid_tool_calls: list[dict[str, Any]] = []
    usage_metadata: dict[str, Any] | None = None


class AIMessageChunk(Message, kw_only=True, tag="AIMessageChunk", tag_field="type"):
    """A piece of an `AIMessage`: chunks of one message have its id, and `+` joins them.

    Attributes:
        tool_call_chunks: pieces of tool calls, dicts of `index`, `id`, `name`, `args` (text).
    """

    type: ClassVar[str] = "AIMessageChunk"

    tool_call_chunks: list[dict[str, Any]] = []
    usage_metadata: dict[str, Any] | None = None

    def __add__(self, other: Self) -> Self:
        """Both pieces as one."""
        return type(self)(
            joined(self.content, other.content),
            id=self.id or other.id,
            name=self.name or other.name,
            additional_kwargs={**self.additional_kwargs, **other.additional_kwargs},
            response_metadata={**self.response_metadata, **other.response_metadata},
            tool_call_chunks=_calls_joined(self.tool_call_chunks, other.tool_call_chunks),
            usage_metadata=other.usage_metadata or self.usage_metadata,
        )


def joined(first: Content, second: Content) -> Content:
    """Content behind content."""
    if isinstance(first, str) and isinstance(second, str):
        return first + second
    blocks = [[content] if isinstance(content, str) else content for content in (first, second) if content]
    return [block for several in blocks for block in several]


def _calls_joined(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pieces with the same index belong to one call; pieces without one follow the last."""
    calls = [*first]
    for piece in second:
        index = piece.get("index")
        at = next(
            (i for i, call in enumerate(calls) if index is not None and call.get("index") == index), None
        )
        if at is None and index is None and not piece.get("id") and calls:
            at = len(calls) - 1
        if at is None:
            calls.append(piece)
        else:
            call = calls[at]
            calls[at] = {
                **call,
                "id": call.get("id") or piece.get("id"),
                "name": (call.get("name") or "") + (piece.get("name") or ""),
                "args": (call.get("args") or "") + (piece.get("args") or ""),
            }
    return calls


class ToolMessage(Message, kw_only=True, tag="tool", tag_field="type"):
    """What a tool answered. `artifact` is for the graph only: models are not sent it."""

    type: ClassVar[str] = "tool"

    tool_call_id: str = ""
    status: Literal["success", "error"] = "success"
    artifact: Any = None


class RemoveMessage(Struct, tag="remove", tag_field="type"):
    """Written to a list of messages, removes the one that has its id; `REMOVE_ALL_MESSAGES` removes all before it."""

    type: ClassVar[str] = "remove"
    content: ClassVar[str] = ""

    id: str


AnyMessage: TypeAlias = (
    HumanMessage | AIMessage | SystemMessage | ToolMessage | AIMessageChunk | RemoveMessage
)
"""Any message of graphrt's own."""

KINDS: Final[frozenset[type]] = frozenset(
    {HumanMessage, AIMessage, SystemMessage, ToolMessage, AIMessageChunk, RemoveMessage}
)
