"""Messages from what people write instead: dicts, (role, text) pairs, plain strings, messages of other libraries.

An object of another library is a message if it has `content`, `id` and a `type` or `role`; it stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from msgspec import DecodeError, json

from graphrt.errors import MessageError
from graphrt.messages.kinds import (
    KINDS,
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    Message,
    RemoveMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

__all__ = ["Identify", "coerced", "is_message", "messages_of", "whole"]

Identify: TypeAlias = Callable[[], str]
"""Where new ids come from."""

_ROLES: Final[dict[str, type[Message]]] = {
    "human": HumanMessage, "user": HumanMessage, "ai": AIMessage, "assistant": AIMessage,
    "system": SystemMessage, "developer": SystemMessage, "tool": ToolMessage, "AIMessageChunk": AIMessageChunk,
}  # fmt: skip
_type: Callable[[object], type] = type
"""`type`, for which pyright has a precise but unusable result where the argument is Any."""
_GIVEN: Final = ("role", "type", "content")


def messages_of(given: Any, identify: Identify) -> list[Any]:
    """A message, or several, as a list of messages with ids. Messages without one are given one in place.

    Raises:
        MessageError: something is no message (a ValueError).
    """
    if not isinstance(given, (list, tuple)) or _is_pair(cast("Any", given)):
        given = (given,)
    messages: list[Any] = []
    for item in cast("Any", given):
        message = item if type(item) in KINDS else coerced(item)
        if type(message) is AIMessageChunk:
            message = whole(message)
        if message.id is None:
            _name(message, identify())
        messages.append(message)
    return messages


def _name(message: Any, identity: str) -> None:
    try:
        message.id = identity
    except Exception as error:  # what a foreign class raises for a field that cannot be set
        raise MessageError(
            f"A {type(message).__name__} has no id and cannot be given one: {error}. Make it with an id.",
            given=message,
        ) from error


def _is_pair(given: Any) -> bool:
    """`("user", "hi")`: one message, and not two."""
    if not isinstance(given, tuple) or len(cast("Any", given)) != 2:
        return False
    role = cast("Any", given)[0]
    return isinstance(role, str) and role in _ROLES


def is_message(value: Any) -> bool:
    """Whether it is a message object: graphrt's own, or one that looks like one."""
    kind = _type(value)
    if kind in KINDS:
        return True
    if kind.__module__ == "builtins":
        return False
    return (
        hasattr(value, "content")
        and hasattr(value, "id")
        and (hasattr(value, "type") or hasattr(value, "role"))
    )


def coerced(item: Any) -> Any:
    """One message, from whatever stands for it.

    Raises:
        MessageError: nothing does.
    """
    if type(item) in KINDS:
        return item
    if isinstance(item, str):
        return HumanMessage(item)
    if isinstance(item, Mapping):
        return _from_dict(cast("Mapping[str, Any]", item))
    if isinstance(item, (tuple, list)):
        pair = cast("Any", item)
        if len(pair) == 2 and isinstance(pair[0], str):
            return _from_dict({"role": pair[0], "content": pair[1]})
    elif is_message(item):
        return item
    raise _no_message(cast(Any, item))


def _no_message(item: object) -> MessageError:
    return MessageError(
        f"A {type(item).__name__} is no message: {item!r}. Pass a message object, a dict with 'role' and 'content', "
        "a pair (role, text) or a string.",
        given=item,
    )


def _from_dict(fields: Mapping[str, Any]) -> Any:
    role = fields.get("role", fields.get("type"))
    if role == "remove":
        return RemoveMessage(str(fields.get("id")))
    if role is None or ("content" not in fields and "tool_calls" not in fields):
        raise MessageError(
            f"A message dict needs 'role' and 'content': it has {sorted(map(str, fields))}.", given=fields
        )
    kind = _ROLES.get(role) if isinstance(role, str) else None
    if kind is None:
        raise MessageError(
            f"There is no message role {role!r}. Known: {', '.join(map(repr, _ROLES))}.", given=fields
        )
    known: dict[str, Any] = {}
    more: dict[str, Any] = dict(fields.get("additional_kwargs") or {})
    for key, value in fields.items():
        if key == "tool_calls" and kind is AIMessage:
            known.update(_calls(value or ()))
        elif key in kind.__struct_fields__:
            if key not in ("additional_kwargs", "content"):
                known[key] = value
        elif key not in _GIVEN:
            more[key] = value
    if role == "developer":
        more["__openai_role__"] = role
    content = fields.get("content")
    return kind("" if content is None else content, additional_kwargs=more, **known)


def _calls(calls: Any) -> dict[str, list[Any]]:
    """Tool calls in either form: that of OpenAI has a `function` with its arguments as text."""
    good: list[ToolCall] = []
    bad: list[dict[str, Any]] = []
    for call in calls:
        if "function" not in call:
            good.append(cast(ToolCall, {"type": "tool_call", **call}))
            continue
        function = call["function"]
        name, text = function.get("name", ""), function.get("arguments") or "{}"
        try:
            args = json.decode(text, type=dict[str, Any])
            good.append({"name": name, "args": args, "id": call.get("id"), "type": "tool_call"})
        except DecodeError as error:
            bad.append({"name": name, "args": text, "id": call.get("id"), "error": str(error)})
    return {"tool_calls": good, "invalid_tool_calls": bad} if bad else {"tool_calls": good}


def whole(chunk: AIMessageChunk) -> AIMessage:
    """The message that the chunks were pieces of, once they are joined."""
    calls = [
        {"id": piece.get("id"), "function": {"name": piece.get("name"), "arguments": piece.get("args")}}
        for piece in chunk.tool_call_chunks
    ]
    return AIMessage(
        chunk.content, id=chunk.id, name=chunk.name, additional_kwargs=chunk.additional_kwargs,
        response_metadata=chunk.response_metadata, usage_metadata=chunk.usage_metadata, **_calls(calls),
    )  # fmt: skip
