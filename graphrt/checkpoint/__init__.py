"""The storage contract: records and protocol. Implementations live in the package `checkpointers`."""

from graphrt.checkpoint.protocol import Checkpointer
from graphrt.checkpoint.records import ChannelData, Checkpoint, Commit, Source, Stored, TaskResult

__all__ = ["ChannelData", "Checkpoint", "Checkpointer", "Commit", "Source", "Stored", "TaskResult"]
