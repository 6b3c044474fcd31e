"""Messages in the form of OpenAI's chat completions: what many endpoints take (LangGraph W2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from msgspec import json

from graphrt.messages.kinds import Message

__all__ = ["in_openai_form", "openai_content", "openai_dict", "openai_dicts"]

_ROLES: Final = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
_OPENAI_ROLE: Final = "__openai_role__"


def openai_dicts(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """Messages as a chat endpoint wants them: role, content, tool calls. Ids stay behind, endpoints refuse them."""
    return [openai_dict(message) for message in messages]


def openai_dict(message: Any) -> dict[str, Any]:
    """One message as a dict."""
    kind: str = getattr(message, "type", "") or getattr(message, "role", "")
    more: dict[str, Any] = getattr(message, "additional_kwargs", None) or {}
    made: dict[str, Any] = {"role": more.get(_OPENAI_ROLE) or _ROLES.get(kind, kind)}
    if name := getattr(message, "name", None):
        made["name"] = name
    made["content"] = openai_content(message.content)
    if kind == "tool":
        made["tool_call_id"] = message.tool_call_id
    if calls := getattr(message, "tool_calls", None):
        made["tool_calls"] = [_call(call) for call in calls]
    return made


def _call(call: Any) -> dict[str, Any]:
    arguments = json.encode(call.get("args") or {}).decode()
    return {
        "id": call.get("id"),
        "type": "function",
        "function": {"name": call["name"], "arguments": arguments},
    }


def openai_content(content: Any) -> Any:
    """Content with its blocks in OpenAI's form; text alone is a string."""
    if not isinstance(content, list):
        return content
    blocks = [_block(block) for block in content]  # pyright: ignore[reportUnknownVariableType]
    if all(block.get("type") == "text" for block in blocks):
        return "\n".join(block["text"] for block in blocks) if len(blocks) != 1 else blocks[0]["text"]
    return blocks


def _block(block: Any) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    fields = cast("dict[str, Any]", dict(block))
    if fields.get("type") == "text":
        return {"type": "text", "text": fields.get("text", "")}
    if fields.get("type") == "image":
        return {"type": "image_url", "image_url": {"url": _image_url(fields)}}
    return fields


def _image_url(fields: dict[str, Any]) -> str:
    """The address of an image block: its own, or one that holds its data."""
    source: dict[str, Any] = fields.get("source") or fields
    if url := source.get("url"):
        return str(url)
    kind = source.get("media_type") or source.get("mime_type") or "image/png"
    return f"data:{kind};base64,{source.get('data') or source.get('base64', '')}"


def in_openai_form(message: Any) -> Any:
    """The same message, its content in OpenAI's form; the message itself if that changes nothing."""
    content = getattr(message, "content", "")
    formed = openai_content(content)
    if formed is content or not isinstance(message, Message):
        return message
    fields: dict[str, Any] = {name: getattr(message, name) for name in message.__struct_fields__}
    return type(message)(**{**fields, "content": formed})
