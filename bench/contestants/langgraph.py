"""LangGraph without a checkpointer."""

from bench.contestants.contract import Contestant
from bench.contestants.langgraph_api import LangGraphApi

DISTRIBUTIONS = ("langgraph", "langgraph-checkpoint", "langchain-core")


def contestant() -> Contestant:
    return LangGraphApi("langgraph", DISTRIBUTIONS)
