"""graphrt without a checkpointer."""

from bench.contestants.contract import Contestant
from bench.contestants.langgraph_control import LangGraphControl

DISTRIBUTIONS = ("graphrt", "anyio", "msgspec")


def contestant() -> Contestant:
    return LangGraphControl("graphrt", DISTRIBUTIONS)
