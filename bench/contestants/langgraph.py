"""LangGraph without a checkpointer."""

from bench.contestants.contract import Contestant
from bench.contestants.langgraph_control import LangGraphControl

DISTRIBUTIONS = ("langgraph", "langgraph-checkpoint", "langchain-core")


def contestant() -> Contestant:
    return LangGraphControl("langgraph", DISTRIBUTIONS)
