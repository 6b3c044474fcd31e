"""LangGraph with its in-memory checkpointer, every run on a new thread."""

from importlib import import_module

from bench.contestants.contract import Contestant
from bench.contestants.langgraph import DISTRIBUTIONS
from bench.contestants.langgraph_control import LangGraphControl


def contestant() -> Contestant:
    return LangGraphControl(
        "langgraph", DISTRIBUTIONS, import_module("langgraph.checkpoint.memory").InMemorySaver
    )
