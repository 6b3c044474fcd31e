"""The values that `bench.serde` writes and reads: a conversation and a working state, in the forms users give them.

The same content in every form; `serde_structs` has the classes of the same names as Structs. LangGraph imports this
module when it reads its dataclasses, in an environment that has no msgspec.
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any
from uuid import UUID

MESSAGES = 500
CONTENT_CHARACTERS = 200


class Role(StrEnum):
    """Who said it."""

    HUMAN = "human"
    AI = "ai"


# ---- a conversation


@dataclass
class Chat:
    """A message, whoever said it."""

    role: str
    content: str
    id: str


@dataclass
class HumanChat:
    """What a user said."""

    content: str
    id: str


@dataclass
class AiChat:
    """What a model said."""

    content: str
    id: str
    model: str


def texts() -> Iterator[tuple[int, str, str]]:
    """Number, content and id of each message."""
    words = "the river carries what the hill lets go and the valley keeps some of it".split()
    draw = random.Random(3)
    for number in range(MESSAGES):
        content = " ".join(draw.choices(words, k=CONTENT_CHARACTERS // 3))[:CONTENT_CHARACTERS]
        yield number, content, str(UUID(int=draw.getrandbits(128), version=4))


def chat(classes: ModuleType) -> list[Any]:
    return [classes.Chat("ai" if number % 2 else "human", content, key) for number, content, key in texts()]


def chat_of_two_classes(classes: ModuleType) -> list[Any]:
    return [
        classes.AiChat(content, key, "large") if number % 2 else classes.HumanChat(content, key)
        for number, content, key in texts()
    ]


def chat_dicts() -> list[dict[str, str]]:
    return [asdict(message) for message in chat(DATACLASSES)]


def chat_models() -> list[Any]:
    """As LangGraph's users have them."""
    from langchain_core.messages import AIMessage, HumanMessage

    return [
        AIMessage(content, id=key) if number % 2 else HumanMessage(content, id=key)
        for number, content, key in texts()
    ]


# ---- a working state


@dataclass
class ToolCall:
    """What a model wants to have done."""

    id: str
    name: str
    args: dict[str, Any]


@dataclass
class Usage:
    """What a message took."""

    input_tokens: int
    output_tokens: int
    cost: float


@dataclass
class Message:
    """A message with all that comes with it."""

    id: UUID
    role: Role
    content: str
    at: datetime
    tool_calls: list[ToolCall]
    tags: tuple[str, ...]
    usage: Usage | None = None
    reply_to: UUID | None = None


@dataclass
class Document:
    """What was found."""

    title: str
    text: str
    score: float
    changed: datetime | None


@dataclass
class Working:
    """The state of an agent at work."""

    user: str
    messages: list[Message]
    documents: dict[str, Document]
    steps: list[tuple[int, str]]


def working(classes: ModuleType) -> Any:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    messages: list[Any] = []
    documents: dict[str, Any] = {}
    for number, content, key in texts():
        at = start + timedelta(seconds=number)
        calls = [classes.ToolCall(f"call-{number}", "search", {"query": content[:30], "limit": 5})]
        message = classes.Message(
            UUID(key), Role.AI if number % 2 else Role.HUMAN, content, at,
            calls if number % 4 == 1 else [], ("draft",) if number % 3 else (),
            classes.Usage(number, 2 * number, number / 1000) if number % 2 else None,
            messages[-1].id if messages else None,
        )  # fmt: skip
        messages.append(message)
        if number % 5 == 0:
            documents[f"doc-{number}"] = classes.Document(f"On {number}", content * 3, 0.25, at)
    return classes.Working("ada", messages, documents, [(number, "done") for number in range(50)])


def working_dicts() -> Any:
    """The same in what JSON has."""
    return jsonable(asdict(working(DATACLASSES)))


def usages(classes: ModuleType) -> list[Any]:
    """Little but numbers: field names and objects are nearly all there is to write and to make."""
    return [classes.Usage(number, number * 3, number / 7) for number in range(MESSAGES)]


def jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {key: jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case str() | int() | float() | None:
            return str(value) if isinstance(value, Role) else value
        case _:
            return str(value)


DATACLASSES = sys.modules[__name__]
