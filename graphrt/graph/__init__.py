"""Declare a graph with nodes and edges over a shared typed state."""

from typing import TYPE_CHECKING, Any

from graphrt.constants import END, START
from graphrt.graph.compiled import CompiledStateGraph
from graphrt.graph.state import StateGraph

if TYPE_CHECKING:
    from graphrt.graph.message import MessagesState, add_messages

__all__ = ["END", "START", "CompiledStateGraph", "MessagesState", "StateGraph", "add_messages"]


def __getattr__(name: str) -> Any:
    """What has to do with messages is loaded by those who use it."""
    if name in ("MessagesState", "add_messages"):
        from graphrt.graph import message

        return getattr(message, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
