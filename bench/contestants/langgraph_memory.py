"""LangGraph with its in-memory checkpointer, every run on a new thread."""

from importlib import import_module

from bench.contestants.contract import Contestant
from bench.contestants.langgraph import DISTRIBUTIONS
from bench.contestants.langgraph_api import LangGraphApi


def contestant() -> Contestant:
    return LangGraphApi(
        "langgraph", DISTRIBUTIONS, import_module("langgraph.checkpoint.memory").InMemorySaver
    )
