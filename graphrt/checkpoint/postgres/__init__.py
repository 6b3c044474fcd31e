"""`PostgresSaver` under the path that LangGraph has it at; loaded when it is asked for."""

from checkpointers.postgres import PostgresSaver

__all__ = ["PostgresSaver"]
