"""Cells of a graph's state and their update rules. Derive from `BaseChannel` for your own."""

from graphrt.channels.any_value import AnyValue
from graphrt.channels.base import MISSING, BaseChannel, Missing
from graphrt.channels.binop import BinaryOperatorAggregate
from graphrt.channels.delta_channel import DeltaChannel
from graphrt.channels.ephemeral_value import EphemeralValue
from graphrt.channels.last_value import LastValue, LastValueAfterFinish
from graphrt.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from graphrt.channels.topic import Topic
from graphrt.channels.untracked_value import UntrackedValue

__all__ = [
    "MISSING",
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "DeltaChannel",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "Missing",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
]
