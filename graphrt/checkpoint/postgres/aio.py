"""`AsyncPostgresSaver` under the path that LangGraph has it at: one class has both kinds of methods."""

from checkpointers.postgres import PostgresSaver

AsyncPostgresSaver = PostgresSaver

__all__ = ["AsyncPostgresSaver", "PostgresSaver"]
