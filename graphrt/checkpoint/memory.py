"""`InMemorySaver` under the path that LangGraph has it at; loaded when it is asked for."""

from checkpointers.memory import InMemorySaver

MemorySaver = InMemorySaver
"""The same class under its older name."""

__all__ = ["InMemorySaver", "MemorySaver"]
