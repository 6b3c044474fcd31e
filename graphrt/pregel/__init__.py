"""The runnable graph that every builder compiles to, and programs written on its level: nodes that share channels."""

from graphrt.pregel.raw import ChannelWriteEntry, NodeBuilder, Pregel
from graphrt.pregel.runnable import GraphRunner

__all__ = ["ChannelWriteEntry", "GraphRunner", "NodeBuilder", "Pregel"]
