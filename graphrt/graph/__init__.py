"""Declare a graph with nodes and edges over a shared typed state."""

from graphrt.constants import END, START
from graphrt.graph.compiled import CompiledStateGraph
from graphrt.graph.state import StateGraph

__all__ = ["END", "START", "CompiledStateGraph", "StateGraph"]
