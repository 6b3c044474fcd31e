"""Messages of a conversation: small typed records, and what they are made from.

    kinds        HumanMessage, AIMessage, SystemMessage, ToolMessage, RemoveMessage, AIMessageChunk
    coercion     messages from dicts, pairs, strings and objects that look like messages
    openai       messages as an OpenAI-compatible endpoint wants them
    merging      what a list of messages becomes by new ones

`graphrt.graph.message` is where users find them. Nothing here draws ids: who calls says where they come from.
"""

from graphrt.messages.kinds import (
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

__all__ = [
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
