"""Names of things: task ids and paths, namespaces, checkpoint ids. The same inputs always give the same names.

Time and randomness are arguments. A task's id follows from the checkpoint its step starts from, so that a step that
is run again finds the results that were kept of it (LangGraph F1-F4, D9; the hash is BLAKE2b instead of XXH3).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from graphrt.core.state import Task

__all__ = ["checkpoint_id", "checkpoint_time", "path_text", "task_id", "task_namespace"]

NS_SEP: Final = "|"
NS_END: Final = ":"
_GREGORIAN_TO_UNIX_100NS: Final = 0x01B21DD213814000


def checkpoint_id(now_ns: int, step: int, node: int, *, after: str | None = None) -> str:
    """A UUID of version 6: ids sort by time as text, and come after the id `after` even if the clock went back.

    Args:
        now_ns: Unix time in nanoseconds.
        step: the superstep, kept in its low 14 bits.
        node: 48 random bits.
        after: an earlier id of the same thread.
    """
    t = now_ns // 100 + _GREGORIAN_TO_UNIX_100NS
    if after is not None and (previous := _time(after)) >= t:
        t = previous + 1
    h = f"{(t & ~0xFFF) << 4 | 0x6000 | (t & 0xFFF):016x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:]}-{0x8000 | (step & 0x3FFF):04x}-{node:012x}"


def checkpoint_time(identity: str) -> int:
    """The Unix time in nanoseconds that a checkpoint id was made at."""
    return (_time(identity) - _GREGORIAN_TO_UNIX_100NS) * 100


def _time(identity: str) -> int:
    return int(identity[:8] + identity[9:13] + identity[15:18], 16)


def task_id(task: Task, *, checkpoint: str, namespace: str, step: int) -> str:
    """A task's id in UUID form: the same for the same task of the same checkpoint, in every process."""
    node = task.node
    name = f"{namespace}{NS_SEP}{node.name}" if namespace else node.name
    if task.index < 0:
        parts = "\0".join(("__pregel_pull", *node.triggers))
    else:
        parts = f"__pregel_push\0{task.index}"
    digest = blake2b(f"{checkpoint}\0{name}\0{step}\0{parts}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def task_namespace(task: Task, *, identity: str, namespace: str) -> str:
    """The namespace of graphs that run inside this task (LangGraph F4)."""
    own = f"{task.node.name}{NS_END}{identity}"
    return f"{namespace}{NS_SEP}{own}" if namespace else own


def task_triggers(task: Task) -> tuple[str, ...]:
    """The channels that can start this kind of task."""
    return task.node.triggers if task.index < 0 else ("__pregel_push",)


def path_text(task: Task) -> str:
    """The name of a task within its step; it sorts as tasks do (LangGraph F3)."""
    return task.node.path if task.index < 0 else f"~__pregel_push, {task.index:010d}, 0000000000"
