"""The storage contract: records and protocols. Implementations live in the package `checkpointers`."""

from graphrt.checkpoint.keeping import Pruned, PruneStrategy, StorageStats, ThreadInfo
from graphrt.checkpoint.nesting import CHILDREN, PARENTS
from graphrt.checkpoint.protocol import (
    Checkpointer,
    CopiesThreads,
    ForgetsRuns,
    Launches,
    ListsThreads,
    Measures,
    Migrates,
    Prunes,
    Reclaims,
    is_checkpointer,
)
from graphrt.checkpoint.records import ChannelData, Checkpoint, Commit, Source, Stored, TaskResult
from graphrt.checkpoint.times import time_of

__all__ = [
    "CHILDREN",
    "PARENTS",
    "ChannelData",
    "Checkpoint",
    "Checkpointer",
    "Commit",
    "CopiesThreads",
    "ForgetsRuns",
    "Launches",
    "ListsThreads",
    "Measures",
    "Migrates",
    "PruneStrategy",
    "Pruned",
    "Prunes",
    "Reclaims",
    "Source",
    "StorageStats",
    "Stored",
    "TaskResult",
    "ThreadInfo",
    "is_checkpointer",
    "time_of",
]
