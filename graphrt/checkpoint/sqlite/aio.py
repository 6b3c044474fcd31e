"""The same saver under LangGraph's name for the asynchronous one."""

from checkpointers.sqlite import SqliteSaver

AsyncSqliteSaver = SqliteSaver

__all__ = ["AsyncSqliteSaver"]
