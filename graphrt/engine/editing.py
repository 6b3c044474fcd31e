"""Edits a thread's state as its nodes would, without running them (LangGraph N5-N9).

Every superstep of edits is a commit like that of a run: what the values mean is written by the node's own writer, its
edges and routers say what follows, the journal stores it, and only if nobody has moved the thread meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import copy_context
from typing import Any, Final, TypeAlias, cast

from graphrt.checkpoint import Stored
from graphrt.constants import END
from graphrt.core.commit import commit_null
from graphrt.core.editing import acting_node, apply_edit, edit_tasks, finish_step, parts_beyond
from graphrt.core.plan import NULL_NODE
from graphrt.core.recording import Recorded
from graphrt.core.snapshot import Decode, restore
from graphrt.core.state import State, Task
from graphrt.engine.attempt import finish
from graphrt.engine.intake import input_writes, no_such_checkpoint
from graphrt.engine.journal import Journal
from graphrt.engine.run import Run
from graphrt.errors import (
    EmptyInputError,
    GraphInterrupt,
    GraphValidationError,
    InvalidUpdateError,
    NoParentGraphError,
    ParentCommand,
)
from graphrt.types import StateUpdate

__all__ = ["COPY", "INPUT", "Editing", "superstep_of"]

Superstep: TypeAlias = Sequence[StateUpdate]

COPY: Final = "__copy__"
"""`as_node` of an edit that duplicates a checkpoint."""
INPUT: Final = "__input__"
"""`as_node` of an edit that is a run's input."""


def superstep_of(updates: Sequence[Any]) -> Superstep:
    """Updates as records: each is a StateUpdate or a sequence of (values, as_node, task_id).

    Raises:
        GraphValidationError: there are none.
        InvalidUpdateError: one is something else.
    """
    if not updates:
        raise GraphValidationError("No updates provided: a superstep of edits needs one at least.")
    return [_update_of(update) for update in updates]


def _update_of(item: Any) -> StateUpdate:
    if isinstance(item, (tuple, list)):
        fields = cast("Sequence[Any]", item)
        if 1 <= len(fields) <= 3:
            return StateUpdate(*fields)
    raise InvalidUpdateError(
        f"Invalid update item: {item!r}. Pass StateUpdate(values, as_node) or a tuple (values, as_node)."
    )


class Editing:
    """One caller's edits of one thread, each superstep from where the last one ended.

    Args:
        run: one that never runs: routers get their config and runtime from it.
        decode: stored bytes to values; types that nobody registered must not keep a thread from being mended.

    Attributes:
        stored: the checkpoint that the next superstep starts from, as it was read; None after a commit.
        step: number of that checkpoint's superstep.
    """

    __slots__ = ("_decode", "_journal", "_run", "state", "step", "stored")

    def __init__(self, run: Run, journal: Journal, decode: Decode) -> None:
        self._decode = decode
        self._journal = journal
        self._run = run
        self.state = State.empty(run.plan)
        self.stored: Stored | None = None
        self.step: int | None = None

    async def open(self, checkpoint: str | None) -> None:
        """Read the thread, or one of its checkpoints.

        Raises:
            GraphValidationError: there is no such checkpoint.
        """
        stored = self.stored = await self._journal.load(checkpoint)
        if stored is not None:
            self.step = stored.checkpoint.step
            self.state = restore(self._run.plan, stored, self._decode, running=False, book=self._journal.book)
        elif checkpoint:
            raise no_such_checkpoint(self._journal.thread_id, checkpoint)

    async def superstep(self, updates: Superstep) -> None:
        """Apply updates together and make the result the thread's head.

        Raises:
            InvalidUpdateError: they cannot be applied, or not together.
            ThreadConflict: somebody else has moved the thread. Nothing was stored.
            SerializationError: a value cannot be stored; the message names the node that it was to come from.
            whatever a router or a reducer raises.
        """
        values, as_node, _ = updates[0]
        if values is None and as_node == END:
            _alone(updates, "Cannot apply multiple updates when clearing state")
            await self._finish_step()
        elif as_node == INPUT:
            _alone(updates, "Cannot apply multiple updates when updating as input")
            await self._take_input(values)
        elif as_node == COPY:
            _alone(updates, "Cannot copy checkpoint with multiple updates")
            following = _grouped(values) if isinstance(values, list) else ()
            await self._copy()
            if following:
                await self.superstep(following)
        else:
            await self._act(updates)

    async def _act(self, updates: Superstep) -> None:
        """Update as nodes (LangGraph N5, N8)."""
        state = self.state
        if len(updates) > 1 and any(update.as_node is None for update in updates):
            raise InvalidUpdateError("as_node is required when applying multiple updates")
        acting = [(acting_node(state, as_node), values, id_) for values, as_node, id_ in updates]
        step = self._run.step = self._next_step()
        self._run.stop = (
            step + 2
        )  # routers may read managed values; two steps are what LangGraph has them left
        tasks = edit_tasks(state, acting, self._run)
        for task in tasks:
            await self._write(task)
        apply_edit(state, tasks)
        await self._journal.commit(state, step=step, source="update", tasks=tasks)
        self._committed(step)

    async def _write(self, task: Task) -> None:
        """Have the node's writer and routers do what they do after the node has run."""
        try:
            routing = finish(self.state, task, copy_context())
            if routing is not None:
                await routing
        except ParentCommand as bubble:
            raise NoParentGraphError(bubble.command) from None
        except GraphInterrupt:
            raise InvalidUpdateError(
                f"A router of node {task.node.name!r} asked a question, which nobody can answer while the state is "
                "edited. Ask in nodes, and let routers decide by what the state holds."
            ) from None

    async def _finish_step(self) -> None:
        """Take over what tasks have finished, and clear the others (LangGraph N7)."""
        results = self.stored.results if self.stored is not None else ()
        tasks = finish_step(self.state, results, self._decode)
        step = self._next_step()
        await self._journal.commit(self.state, step=step, source="update", tasks=tasks)
        self._committed(step)

    async def _take_input(self, values: Any) -> None:
        """Write what a run's input writes; nothing that is planned is dropped (LangGraph N7)."""
        try:
            writes = [] if values is None else input_writes(self._run.plan, values)
        except EmptyInputError:
            writes = []
        if not writes:
            raise InvalidUpdateError(
                f"Received no input writes for {self._run.plan.input_channels}: {values!r} is no input of graph "
                f"{self._run.plan.name!r}."
            )
        commit_null(self.state, Task(NULL_NODE, None, self._run, 0, writes=writes))
        step = self._next_step() if self.step is not None else -1
        await self._journal.commit(self.state, step=step, source="input", tasks=())
        self._committed(step)

    async def _copy(self) -> None:
        """Make a sibling of the checkpoint that holds the same (LangGraph N7)."""
        journal = self._journal
        saver, place = journal.saver, (journal.thread_id, journal.namespace)
        stored = self.stored or (await saver.load(*place, journal.current) if journal.current else None)
        if stored is None:
            raise InvalidUpdateError(
                f"Cannot copy a non-existent checkpoint: thread {journal.thread_id!r} has none."
            )
        origin = stored.checkpoint
        parent = await saver.load(*place, origin.parent_id) if origin.parent_id else None
        whole, parts = parts_beyond(stored, parent)
        step = self._next_step()
        journal.current = origin.parent_id
        await journal.fork(self.state, step, Recorded(whole, parts, ()))
        self._committed(step)

    def _next_step(self) -> int:
        return 0 if self.step is None else self.step + 1

    def _committed(self, step: int) -> None:
        self.stored = None
        self.step = step


def _alone(updates: Superstep, complaint: str) -> None:
    if len(updates) > 1:
        raise InvalidUpdateError(f"{complaint}: give it a superstep of its own.")


def _grouped(items: Any) -> Superstep:
    """What is to be done to a copy, the updates of each node together."""
    groups: dict[Any, list[StateUpdate]] = {}
    for item in items:
        if not isinstance(item, (tuple, list)) or len(cast("Sequence[Any]", item)) < 2:
            raise InvalidUpdateError(
                f"Invalid update item: {item!r} when copying checkpoint. Pass (values, as_node) pairs."
            )
        values, as_node = cast("Sequence[Any]", item)[:2]
        groups.setdefault(as_node, []).append(StateUpdate(values, as_node))
    return [update for group in groups.values() for update in group]
