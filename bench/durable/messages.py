"""What is said in a conversation: messages of 200 bytes each, encoded as MessagePack, with nothing to compress."""

import operator
from hashlib import blake2b
from typing import Annotated, Any, TypedDict

from bench.nodes import State, Update

MESSAGE_BYTES = 200
_CONTENT = {"user": MESSAGE_BYTES - 21, "assistant": MESSAGE_BYTES - 26}
"""Characters of content: MessagePack spends the rest on the keys, the role and the lengths."""


class Conversation(TypedDict):
    """The state: every message there was."""

    messages: Annotated[list[dict[str, Any]], operator.add]


def message(role: str, number: int) -> dict[str, Any]:
    """Return a message; the same number gives the same text."""
    digest = blake2b(number.to_bytes(8, "big"), digest_size=64).hexdigest()
    return {"role": role, "content": (digest + digest[::-1])[: _CONTENT[role]]}


def said(number: int) -> Update:
    """Return the input of a turn."""
    return {"messages": [message("user", number)]}


async def answer(state: State) -> Update:
    """The node that answers."""
    return {"messages": [message("assistant", len(state["messages"]))]}


def transcript(turns: int) -> Update:
    """Return all messages of so many turns."""
    return {
        "messages": [
            text
            for turn in range(turns)
            for text in (message("user", 2 * turn), message("assistant", 2 * turn + 1))
        ]
    }
