"""graphrt without a checkpointer."""

from bench.contestants.contract import Contestant
from bench.contestants.langgraph_api import LangGraphApi

DISTRIBUTIONS = ("graphrt", "anyio", "msgspec")


def contestant() -> Contestant:
    return LangGraphApi("graphrt", DISTRIBUTIONS)
