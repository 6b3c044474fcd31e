"""The runnable graph that every builder compiles to, and programs written on its level: nodes that share channels."""

from graphrt.pregel.nodes import PregelNode
from graphrt.pregel.raw import ChannelWriteEntry, NodeBuilder, Pregel

__all__ = ["ChannelWriteEntry", "NodeBuilder", "Pregel", "PregelNode"]
