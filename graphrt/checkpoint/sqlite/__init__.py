"""`SqliteSaver` under the path that LangGraph has it at; loaded when it is asked for."""

from checkpointers.sqlite import SqliteSaver

__all__ = ["SqliteSaver"]
