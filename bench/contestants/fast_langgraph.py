"""LangGraph with the parts that fast-langgraph replaces by Rust, patched in before any graph is made."""

from importlib import import_module
from typing import Any

from bench.contestants import langgraph
from bench.contestants.contract import Contestant
from bench.contestants.langgraph_control import LangGraphControl


def contestant() -> Contestant:
    shim: Any = import_module("fast_langgraph.shim")
    if not shim.patch_langgraph(verbose=False):
        raise RuntimeError("fast_langgraph.shim.patch_langgraph() patched nothing")
    return LangGraphControl("langgraph", (*langgraph.DISTRIBUTIONS, "fast-langgraph"))
