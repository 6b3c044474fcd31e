"""Names of things: task ids and paths, namespaces, checkpoint ids. The same inputs always give the same names.

Time and randomness are arguments. A task's id follows from the checkpoint its step starts from, so that a step that
is run again finds the results that were kept of it (LangGraph F1-F4, D9; the hash is BLAKE2b instead of XXH3).
"""

from __future__ import annotations

from typing import Final

from graphrt.checkpoint.times import GREGORIAN_TO_UNIX_100NS, tick_of
from graphrt.core.state import Task

__all__ = ["CheckpointIds", "path_text", "task_id", "task_namespace", "task_triggers", "tick_of"]

NS_SEP: Final = "|"
NS_END: Final = ":"
_HEX: Final = [f"{i:03x}" for i in range(4096)]


class CheckpointIds:
    """Makes the checkpoint ids of one run: UUIDs of version 6, which sort by time as text.

    Ids of one thread never repeat and never go back, even if the clock does.

    Args:
        node: 48 random bits.
        after: an id of the thread that the new ones must sort after.
    """

    __slots__ = ("_prefix", "_slot", "_suffix", "_tick")

    def __init__(self, node: int, after: str | None = None) -> None:
        self._suffix = f"-8000-{node:012x}"
        self._tick = 0 if after is None else tick_of(after)
        self._slot = -1
        self._prefix = ""

    def next(self, now_ns: int) -> str:
        """An id for the present time."""
        tick = now_ns // 100
        if tick <= self._tick:
            tick = self._tick + 1
        self._tick = tick
        tick += GREGORIAN_TO_UNIX_100NS
        slot = tick >> 12
        if slot != self._slot:
            # The first 48 bits change every 0.4 ms, and formatting numbers is what costs here.
            self._slot = slot
            self._prefix = f"{slot >> 16:08x}-{slot & 0xFFFF:04x}-6"
        return f"{self._prefix}{_HEX[tick & 0xFFF]}{self._suffix}"


def task_id(task: Task, *, checkpoint: str, namespace: str, step: int) -> str:
    """A task's id in UUID form: the same for the same task of the same checkpoint, in every process."""
    node = task.node
    name = f"{namespace}{NS_SEP}{node.name}" if namespace else node.name
    if task.index < 0:
        parts = "\0".join(("__pregel_pull", *node.triggers))
    else:
        parts = f"__pregel_push\0{task.index}" + (f"\0{task.generation}" if task.generation else "")
    from hashlib import blake2b  # 8 ms to import, for runs that somebody looks at

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
    return task.node.path if task.index < 0 else f"~__pregel_push, {task.index:010d}, {task.generation:010d}"
