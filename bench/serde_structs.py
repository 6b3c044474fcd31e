"""The classes of `serde_values` as msgspec Structs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from bench.serde_values import Role


class Chat(Struct):
    """A message, whoever said it."""

    role: str
    content: str
    id: str


class HumanChat(Struct):
    """What a user said."""

    content: str
    id: str


class AiChat(Struct):
    """What a model said."""

    content: str
    id: str
    model: str


class ToolCall(Struct):
    """What a model wants to have done."""

    id: str
    name: str
    args: dict[str, Any]


class Usage(Struct):
    """What a message took."""

    input_tokens: int
    output_tokens: int
    cost: float


class Message(Struct):
    """A message with all that comes with it."""

    id: UUID
    role: Role
    content: str
    at: datetime
    tool_calls: list[ToolCall]
    tags: tuple[str, ...]
    usage: Usage | None = None
    reply_to: UUID | None = None


class Document(Struct):
    """What was found."""

    title: str
    text: str
    score: float
    changed: datetime | None


class Working(Struct):
    """The state of an agent at work."""

    user: str
    messages: list[Message]
    documents: dict[str, Document]
    steps: list[tuple[int, str]]
