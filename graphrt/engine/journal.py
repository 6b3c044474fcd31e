"""Keeps one run's thread: what the core says has changed becomes records, in order, as durable as was asked for.

durability   when a step's commit is awaited
"sync"       before the step is reported and the next one starts
"async"      before the next commit is begun: at most one is under way, and its failure fails the run there
"exit"       when the run ends; one checkpoint for the whole run

A checkpointer that never waits (`immediate`) is always called in place, which is cheaper than the overlap it would buy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from os import urandom
from time import time_ns
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec.structs import replace

from graphrt.checkpoint import (
    ChannelData,
    Checkpoint,
    Checkpointer,
    Commit,
    Launches,
    Source,
    Stored,
    TaskResult,
)
from graphrt.core.book import GROWING, SMALL, Book
from graphrt.core.handled import ERROR_SOURCE
from graphrt.core.ids import CheckpointIds, path_text, task_id
from graphrt.core.interrupts import Question, paused_record
from graphrt.core.kinds import plain_dict
from graphrt.core.plan import arm_write
from graphrt.core.recording import (
    Recorded,
    before_of,
    names_of,
    record_step,
    result_record,
    unstorable_input,
)
from graphrt.core.snapshot import CHILDREN
from graphrt.core.state import State, Task
from graphrt.engine.door import enter_loop
from graphrt.engine.patience import wait_out
from graphrt.errors import DeserializationError, SerializationError, ThreadConflict
from graphrt.types import Durability

if TYPE_CHECKING:
    from graphrt.serde import Serializer

__all__ = ["Journal"]

_NOTHING: Final = Recorded((), (), ())


class Journal:
    """One run's hold on its thread.

    Attributes:
        keeps_each: a result must be stored as soon as its task has finished. A checkpointer in this process's memory
            cannot lose what the run still holds, so there it is enough to store the results of a step that fails.
        base: id of the checkpoint that was loaded, `at_head` whether it was the newest.
        book: what storage holds of values that may grow.
        children: the checkpoints at which graphs inside this one stand that keep their state, by namespace.
        current: id of the checkpoint that the step at hand starts from.
        forgetful: with "exit" durability nothing need be stored if all goes well (LangGraph K2).
        last: the newest checkpoint record, `parent` the id of the one before it.
        parents: the checkpoints at which the graphs around this one stand, by namespace.
    """

    __slots__ = (
        "_also",
        "_begin",
        "_encode",
        "_flight",
        "_head",
        "_ids",
        "_in_place",
        "_kept",
        "_latest",
        "_serializer",
        "_unsaved",
        "_unsaved_parts",
        "at_head",
        "base",
        "book",
        "children",
        "current",
        "durability",
        "forgetful",
        "keeps_each",
        "last",
        "metadata",
        "namespace",
        "parents",
        "saver",
        "thread_id",
    )  # fmt: skip

    def __init__(
        self,
        saver: Checkpointer,
        serializer: Serializer,
        *,
        thread_id: str,
        namespace: str,
        durability: Durability,
        metadata: Mapping[str, Any],
    ) -> None:
        self.saver = saver
        self._serializer = serializer
        self.durability: Durability = durability
        self._head: str | None = None
        self._flight: asyncio.Future[None] | None = None
        self._begin: Callable[[Commit], Any] | None = (
            cast(Launches, saver).launch if _launches(type(saver)) else None
        )
        self._unsaved: dict[str, ChannelData] = {}
        self._unsaved_parts: dict[str, list[ChannelData]] = {}
        self._kept: list[TaskResult] = []
        self._encode = serializer.dumps
        self._also: dict[str, ChannelData] = {}
        self._latest: Commit | None = None
        self.base: str | None = None
        self.at_head = True
        self.children: dict[str, str] = {}
        self.parents: Mapping[str, str] = {}
        self.forgetful = False
        self._ids = CheckpointIds(int.from_bytes(urandom(6)))
        self.keeps_each = not saver.immediate
        self._in_place = saver.immediate or durability == "sync"
        self.thread_id = thread_id
        self.namespace = namespace
        self.metadata = metadata
        self.book = Book()
        self.current: str | None = None
        self.last: Checkpoint | None = None

    async def load(self, checkpoint: str | None) -> Stored | None:
        """Read where the thread stands and remember it: commits succeed only while nobody else moves it."""
        if not self.saver.immediate:
            await enter_loop()
        stored = await self.saver.load(self.thread_id, self.namespace, checkpoint)
        if stored is not None:
            self._head = stored.head
            self.current = self.base = stored.checkpoint.id
            self.at_head = stored.head == self.base
            self.children = self.noted(stored, CHILDREN)
            try:
                self._ids = CheckpointIds(int.from_bytes(urandom(6)), stored.head)
            except ValueError as error:
                raise DeserializationError(
                    f"The newest checkpoint of thread {self.thread_id!r} has the id {stored.head!r}, which is none "
                    "of graphrt's: new ones could not be told to be newer."
                ) from error
            self.last = stored.checkpoint
        return stored

    def start_over(self) -> None:
        """Begin a new history in this namespace; what is there already stays as it is."""
        self.current = self.base = self.last = None
        self.children = {}

    def note(self, channel: str, content: Mapping[str, str]) -> None:
        """Have something stored with the next commit that is no channel of the graph."""
        self._also[channel] = ChannelData(channel, self._encode(dict(content)))

    def note_children(self, ends: Mapping[str, str]) -> None:
        """Have the next commit say where graphs inside stand that keep their state."""
        if any(self.children.get(name) != at for name, at in ends.items()):
            self.children.update(ends)
            self.note(CHILDREN, self.children)

    def ends_of(self, result: TaskResult) -> dict[str, str]:
        """Where a result says that graphs inside its task had come to stand (`Scope.ends`)."""
        for write in result.writes:
            if write.channel == CHILDREN and write.data is not None:
                return self._read_note(write.data, CHILDREN)
        return {}

    def noted(self, stored: Stored, channel: str) -> dict[str, str]:
        """What was noted at a checkpoint.

        Raises:
            DeserializationError: it is damaged.
        """
        data = stored.channels.get(channel)
        return {} if data is None else self._read_note(data, channel)

    def _read_note(self, data: bytes, channel: str) -> dict[str, str]:
        content = plain_dict(self.decode(data))
        if content is None or not all(type(item) is str for pair in content.items() for item in pair):
            raise DeserializationError(
                f"What is stored as {channel!r} of thread {self.thread_id!r} is damaged: no checkpoints by name."
            )
        return content

    async def fork(self, state: State, step: int, recorded: Recorded = _NOTHING) -> None:
        """Make the checkpoint that was loaded the thread's head again, by a copy of it (LangGraph N11).

        Args:
            recorded: in what the copy differs from its parent.
        """
        plan = state.plan
        commit = self._advance(
            step, "fork", names_of(plan, state.armed), names_of(plan, state.ran), state.version, recorded
        )
        if commit is not None:
            await commit
        await self.settle()

    def identify(self, task: Task, step: int) -> str:
        """The task's id, the same whenever this step is run."""
        if task.id_ is None:
            task.id_ = task_id(task, checkpoint=self.current or "", namespace=self.namespace, step=step)
        return task.id_

    async def commit(self, state: State, *, step: int, source: Source, tasks: Sequence[Task]) -> None:
        """Store the state's last commit as the thread's new head, with what its tasks wrote.

        Raises:
            ThreadConflict: another run has moved the thread. Nothing of this step was stored.
            SerializationError: a node wrote a value that cannot be stored; the message names it.
        """
        plan = state.plan
        commit = self._advance(
            step, source, names_of(plan, state.armed), names_of(plan, state.ran), state.version,
            record_step(state, tasks, self.book, self._encode),
        )  # fmt: skip
        if commit is not None:
            await commit

    def commit_given(self, state: State, given: Any, step: int) -> Awaitable[None] | None:
        """Store a run's input, as the content of the channel that the graph's START node reads.

        Returns what is to be awaited, if anything.

        Raises:
            SerializationError: the input cannot be stored.
        """
        plan = state.plan
        assert isinstance(plan.input_channels, str)
        state.version += 1
        try:
            data = ChannelData(plan.input_channels, self._encode(given))
        except SerializationError as error:
            raise unstorable_input(error) from None
        self.book.forget(plan.channel_index[plan.input_channels])
        recorded = Recorded((data,), (), ())
        return self._advance(
            step, "input", (plan.input_channels,), names_of(plan, state.ran), state.version, recorded
        )

    def commit_update(
        self, state: State, task: Task, step: int, cleared: tuple[ChannelData, ...] = ()
    ) -> Awaitable[None] | None:
        """The same for a step of one task that wrote only to `LastValue` channels: what it wrote is what changed.

        Returns what is to be awaited, if anything.
        """
        plan = state.plan
        names = plan.channel_names
        if self._also or task.scope is not None or (self.book.held and self._holds(task)):
            return self._commit_whole(state, task, step, cleared)
        stored: tuple[ChannelData, ...] = ()
        written: tuple[ChannelData, ...] = ()
        try:
            for i, value in task.writes:
                data = self._encode(value)
                item = ChannelData(names[i], data)
                stored += (item,)
                if len(data) <= SMALL:
                    written += (item,)
                elif type(value) not in GROWING:
                    written += (ChannelData(names[i], None),)
        except SerializationError:
            pass
        if len(written) < len(task.writes):
            # The long way keeps in mind what may grow and, if something cannot be stored, says which node wrote it.
            return self._commit_whole(state, task, step, cleared)
        node = task.node
        arms = node.arm_writes if task.arms is None else tuple([arm_write(plan.nodes[i]) for i in task.arms])
        result = TaskResult(node.path, node.name, written + arms)
        armed = state.armed
        following = plan.alone[armed[0]] if len(armed) == 1 else names_of(plan, armed)
        ran = plan.alone[node.index]
        if not self._in_place or self.durability == "exit":
            recorded = Recorded(stored + cleared, (), (result,))
            return self._advance(step, "loop", following, ran, state.version, recorded)
        identity = self._ids.next(time_ns())
        last = self.last = Checkpoint(
            identity, self.current, state.version, step, "loop", following, ran, self.metadata
        )
        commit = Commit(self.thread_id, self.namespace, last, self._head, stored + cleared, (result,))
        self.current = self._head = identity
        self._latest = commit
        return self.saver.commit(commit)

    def _commit_whole(
        self, state: State, task: Task, step: int, cleared: tuple[ChannelData, ...]
    ) -> Awaitable[None]:
        """The long way for such a step; the express way does not say what it changed."""
        index = state.plan.channel_index
        state.changed = [
            *dict.fromkeys(i for i, _ in task.writes),
            *(index[item.channel] for item in cleared),
        ]
        state.sends_changed = False
        return self.commit(state, step=step, source="loop", tasks=(task,))

    def _holds(self, task: Task) -> bool:
        """Has it written to a channel whose stored value may grow?"""
        held = self.book.held
        return any(i in held for i, _ in task.writes)

    def _advance(
        self,
        step: int,
        source: Source,
        armed: tuple[str, ...],
        ran: tuple[str, ...],
        version: int,
        recorded: Recorded,
    ) -> Awaitable[None] | None:
        """Move the thread's head to a new checkpoint: what is to be awaited for it, None at "exit" durability."""
        identity = self._ids.next(time_ns())
        if self._also:
            recorded = Recorded(
                (*recorded.channels, *self._also.values()), recorded.appends, recorded.results
            )
            self._also = {}
        if self.durability == "exit":
            self.last = Checkpoint(identity, self.base, version, step, source, armed, ran, self.metadata)
            self.current = identity
            self._hold(recorded)
            return None
        last = self.last = Checkpoint(
            identity, self.current, version, step, source, armed, ran, self.metadata
        )
        commit = Commit(
            self.thread_id,
            self.namespace,
            last,
            self._head,
            recorded.channels,
            recorded.results,
            recorded.appends,
        )
        self.current = self._head = identity
        self._latest = commit
        return self.saver.commit(commit) if self._in_place else self._launch(commit)

    def _hold(self, recorded: Recorded) -> None:
        """Keep what a step changed until the run ends."""
        for item in recorded.channels:
            self._unsaved[item.channel] = item
            self._unsaved_parts.pop(item.channel, None)
        for item in recorded.appends:
            self._unsaved_parts.setdefault(item.channel, []).append(item)
        self._kept.clear()

    async def _launch(self, commit: Commit) -> None:
        """Begin a commit when the one before it has ended, and do not wait for it."""
        await self.settle()
        launched = self._begin(commit) if self._begin is not None else None
        self._flight = asyncio.ensure_future(self.saver.commit(commit) if launched is None else launched)

    async def settle(self) -> None:
        """Wait for the commit that is under way, and raise what it raised. A cancelled caller does not cancel it."""
        flight = self._flight
        if flight is not None and flight.done():
            self._flight = None
            flight.result()
        elif flight is not None:
            try:
                await asyncio.shield(flight)
            finally:
                if flight.done() and self._flight is flight:
                    self._flight = None

    async def make_up(self) -> None:
        """A cancel has cut off the last commit: what its tasks did is stored all the same."""
        flight, self._flight = self._flight, None
        if flight is not None:
            await wait_out((flight,))
        commit, self._latest = self._latest, None
        if commit is not None and not (flight is not None and flight.exception()):
            try:
                await self.saver.commit(commit)
            except ThreadConflict:
                pass  # it was stored already

    async def keep(
        self, state: State, task: Task, error: BaseException | None = None, *, handled: bool = False
    ) -> None:
        """Make one task's result, or the text of its error, durable while others of its step still run.

        A run that goes on from an older checkpoint has no place for it before its first commit.

        Args:
            handled: it is the turn of its node's error handler.
        """
        if task.kept or (self.durability != "exit" and self.current != self._head):
            return
        if error is not None:
            before = before_of(task)
            if handled:
                before = (ChannelData(ERROR_SOURCE, self._encode(task.node.name)), *before)
            result = TaskResult(path_text(task), task.node.name, before, error=repr(error))
        else:
            result = result_record(state.plan, task, self._encode)
            if task.scope is not None and task.scope.ends:
                ends = ChannelData(CHILDREN, self._encode(task.scope.ends))
                result = replace(result, writes=(*result.writes, ends))
        await self.keep_results((result,))
        if error is None:
            task.kept = True  # not before: it may have been cancelled, as a task beside it failed

    async def keep_results(self, results: Sequence[TaskResult]) -> None:
        """Make records of the step at hand durable."""
        if self.durability == "exit":
            self._kept += results
            return
        assert self.current is not None
        await self.settle()
        await self.saver.append_results(self.thread_id, self.namespace, self.current, results)

    async def keep_null(self, state: State, task: Task) -> None:
        """Make the writes of a Command that was given as input durable, before anything runs because of them."""
        if self.durability != "exit" and self.current == self._head:
            path = self._ids.next(time_ns())  # several Commands may be waiting
            await self.keep_results((result_record(state.plan, task, self._encode, path=path),))

    async def keep_paused(self, task: Task, questions: Sequence[Question]) -> None:
        """Make durable what a paused task waits for."""
        await self.keep_results((paused_record(path_text(task), task.node.name, questions, self._encode),))

    async def close(self) -> None:
        """The run is over, well or not: finish what is under way; with "exit" durability store what it came to."""
        if self.durability == "exit" and not self.forgetful and self.last is not None:
            if self.saver.immediate:
                await self._store_all(self.last)
            else:
                self._flight = asyncio.ensure_future(self._store_all(self.last))
        flight, self._flight = self._flight, None
        if flight is not None:
            await wait_out((flight,))
            flight.result()

    async def _store_all(self, last: Checkpoint) -> None:
        if last.id != self._head:
            changes = tuple(self._unsaved.values())
            parts = tuple([part for parts in self._unsaved_parts.values() for part in parts])
            await self.saver.commit(
                Commit(self.thread_id, self.namespace, last, self._head, changes, (), parts)
            )
            self._head = last.id
        if self._kept:
            await self.saver.append_results(self.thread_id, self.namespace, last.id, self._kept)

    @property
    def serializer(self) -> Serializer:
        """Turns values to bytes and back."""
        return self._serializer

    def encode(self, value: Any) -> bytes:
        """One value as it is stored.

        Raises:
            SerializationError: it cannot be.
        """
        return self._encode(value)

    def decode_raw(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """`decode` for looking only: values of unknown types come back raw."""
        return self._serializer.loads_grown_raw(data, parts)

    def learn(self, schema: Any) -> None:
        """Let values be of the classes that an annotation names."""
        self._serializer.registry.register_schema(schema)

    def decode(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """One stored value, with the parts that came behind it."""
        return self._serializer.loads_grown(data, parts)


@cache
def _launches(saver: type) -> bool:
    """Whether the class offers `Launches` itself: a wrapper or subclass with a `commit` of its own must see commits."""
    for part in saver.__mro__:
        if "commit" in vars(part):
            return "launch" in vars(part)
    return False
