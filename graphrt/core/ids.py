"""Names of things: task ids and paths, namespaces, checkpoint ids. The same inputs always give the same names.

Time and randomness are arguments. A task's id follows from the checkpoint its step starts from, so that a step that
is run again finds the results that were kept of it (LangGraph F1-F4, D9; the hash is BLAKE2b instead of XXH3).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

from graphrt.checkpoint.times import GREGORIAN_TO_UNIX_100NS, tick_of
from graphrt.core.state import Task

__all__ = [
    "NS_END",
    "NS_SEP",
    "CheckpointIds",
    "id_at",
    "interrupt_id",
    "lasting",
    "path_text",
    "place_of",
    "task_id",
    "task_namespace",
    "task_triggers",
    "tick_of",
]

NS_SEP: Final = "|"
NS_END: Final = ":"
NUL: Final = "\0"
_ESCAPED: Final = {ord(character): f"%{ord(character):02x}" for character in "%!,|\0"}
"""A step's key in a path: what has a meaning there, or cannot be stored, is written otherwise."""
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
    return id_at(place_of(task, namespace), checkpoint, step)


def place_of(task: Task, namespace: str) -> tuple[str, str]:
    """What a task's id follows from besides checkpoint and step."""
    node = task.node
    name = f"{namespace}{NS_SEP}{node.name}" if namespace else node.name
    if task.caller is not None:
        parts = path_text(task)
    elif task.index < 0:
        parts = "\0".join(("__pregel_pull", *node.triggers))
    else:
        parts = f"__pregel_push\0{task.index}" + (f"\0{task.generation}" if task.generation else "")
    return name, parts


def id_at(place: tuple[str, str], checkpoint: str, step: int) -> str:
    """The id of the task at a place.

    Of a checkpoint that has a time it has the same time, and of all else a hash that is mostly known: the tasks of a
    node in a run differ by nothing but the times of their checkpoints.
    """
    if len(checkpoint) == 36 and checkpoint[14] == "6":
        return checkpoint[:19] + _half(checkpoint[19:], *place)
    name, parts = place
    return _uuid(f"{checkpoint}\0{name}\0{step}\0{parts}")


@lru_cache(4096)
def _half(rest: str, name: str, parts: str) -> str:
    digest = _hashed(f"{rest}\0{name}\0{parts}", 8)
    return f"{digest[:4]}-{digest[4:]}"


def task_namespace(task: Task, *, namespace: str, step: int) -> str:
    """The namespace of graphs that run inside this task (LangGraph F4).

    It follows from where the task stands in its graph and not, as the task's id, from a checkpoint: a fork of the
    thread finds the same place (docs/differences.md).
    """
    own = f"{task.node.name}{NS_END}{_uuid(f'{namespace}{NUL}{task.node.name}{NUL}{step}{NUL}{path_text(task)}')}"
    return f"{namespace}{NS_SEP}{own}" if namespace else own


def lasting(namespace: str) -> str:
    """The namespace without what tells one run's tasks from another's: where `checkpointer=True` stores (F5)."""
    return NS_SEP.join([part.partition(NS_END)[0] for part in namespace.split(NS_SEP)])


def interrupt_id(identity: str, number: int) -> str:
    """The id of a task's question, counted from 0 (LangGraph F9)."""
    return _uuid(f"{identity}\0interrupt\0{number}").replace("-", "")


def _uuid(text: str) -> str:
    digest = _hashed(text, 16)
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def _hashed(text: str, size: int) -> str:
    digest: str = _blake2b()(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
    return digest


@cache
def _blake2b() -> Any:
    from hashlib import blake2b  # 8 ms to import, for runs that somebody looks at

    return blake2b


def task_triggers(task: Task) -> tuple[str, ...]:
    """The channels that can start this kind of task."""
    return task.node.triggers if task.index < 0 else ("__pregel_push",)


def path_text(task: Task) -> str:
    """The name of a task within its step; it sorts as tasks do (LangGraph F3)."""
    if task.caller is not None:
        place = (
            f", {task.index:010d}, {task.node.name}"
            if task.key is None
            else f"!{task.key.translate(_ESCAPED)}"
        )
        return path_text(task.caller) + place
    node = task.node
    return (
        node.path
        if task.index < 0
        else f"~__pregel_push, {task.index:010d}, {task.generation:010d}{node.suffix}"
    )
