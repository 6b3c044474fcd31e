"""Looking at a stored checkpoint: what it holds, and the tasks of the step that starts there (LangGraph N1-N3).

Most checkpoints show what they hold, and nothing has to be worked out: no state is restored for them and no task is
planned. What a Command has changed since, and what finished tasks of an unfinished step have written, is found by
taking the step as far as it has got.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from copy import copy
from typing import Any, Final, TypeAlias

from graphrt.checkpoint import Stored, TaskResult
from graphrt.checkpoint.times import iso_of
from graphrt.core.book import SMALL
from graphrt.core.commit import commit, commit_null
from graphrt.core.handled import hand_over, was_handed_over
from graphrt.core.ids import id_at, path_text, task_namespace
from graphrt.core.interrupts import PAUSED, answers_of, is_null
from graphrt.core.outcomes import Outcomes
from graphrt.core.plan import TASKS, Channel
from graphrt.core.planning import plan_step
from graphrt.core.report import values_of
from graphrt.core.sight import Due, Sight
from graphrt.core.snapshot import PARENTS, Decode, adopt, adopted, channel_with, restore, sends_of
from graphrt.core.state import Task
from graphrt.types import Interrupt, PregelTask, StateSnapshot

__all__ = ["Onlooker", "Read"]

Read: TypeAlias = Callable[[str, bytes, Sequence[bytes]], Any]
"""The value of a channel, by its name, out of what is stored of it: bytes of a whole value and the parts behind it."""

_new: Final[Any] = getattr(tuple, "__new__")  # noqa: B009 - pyright knows only half of its type
"""Makes a named tuple in half the time that its class takes: 0.1 us."""


class Onlooker:
    """Looks at checkpoints of one namespace of a thread.

    Args:
        read: turns stored bytes of a channel into its value, `decode` other bytes and the parts behind them, `loads`
            those without any.
        nested: nodes with a graph inside; their tasks' `state` says in which namespace that runs.
    """

    __slots__ = (
        "_decode", "_loads", "_namespace", "_nested", "_read", "_sight", "_steps", "_thread", "outcomes"
    )  # fmt: skip

    def __init__(
        self,
        sight: Sight,
        read: Read,
        decode: Decode,
        loads: Callable[[bytes], Any],
        *,
        thread: str,
        namespace: str,
        nested: Container[str] = (),
    ) -> None:
        self._sight = sight
        self._read = read
        self._decode = decode
        self._loads = loads
        self._thread = thread
        self._namespace = namespace
        self._nested = nested
        self._steps: dict[tuple[str, ...], tuple[tuple[str, ...], list[Due], bool]] = {}
        self.outcomes = Outcomes(sight, loads, decode)

    def look(self, stored: Stored, *, live: bool = False) -> StateSnapshot:
        """What a checkpoint shows.

        Args:
            live: show the thread as it is now, with what tasks of an unfinished step have written; otherwise show the
                checkpoint as the step found it (LangGraph N1).

        Raises:
            ElsewhereError: `outcomes` needs another checkpoint.
            DeserializationError: its bytes are damaged or of an unknown type.
        """
        known: dict[str, TaskResult] = {}
        given: list[TaskResult] = []
        for result in stored.results:
            known[result.path] = result
            if not result.node and is_null(result):
                given.append(result)
        tasks: list[PregelTask] = []
        if given or (live and known):
            values, names, tasks = self._worked_out(stored, known, given, live=live)
        else:
            names, step = self._planned(stored)
            values = self._values(stored)
            for due in step:
                tasks.append(self._task(due, stored, known.get(due.text)))
                if due.task.node.policy is not None and was_handed_over(due.task, known):
                    tasks.append(self._handler(due.task, stored, known))
        self.outcomes.near = stored
        return self._snapshot(stored, values, names, tasks)

    def _snapshot(
        self, stored: Stored, values: Any, names: tuple[str, ...], tasks: Sequence[PregelTask]
    ) -> StateSnapshot:
        # By hand and in one piece: a history has a thousand of these, and each takes a fifth of what an entry costs.
        checkpoint = stored.checkpoint
        identity, parent = checkpoint.id, checkpoint.parent_id
        thread, namespace = self._thread, self._namespace
        before = parents = None
        if parent is not None:
            before = {
                "configurable": {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": parent}
            }
        if PARENTS in stored.channels:
            parents = self._loads(stored.channels[PARENTS])
        interrupts: tuple[Interrupt[Any], ...] = ()
        for task in tasks:
            if task.interrupts:
                interrupts += task.interrupts
        config = {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": identity}
        metadata: dict[str, Any] = {
            **checkpoint.metadata,
            "source": checkpoint.source,
            "step": checkpoint.step,
            "parents": parents or {},
        }
        made: StateSnapshot = _new(
            StateSnapshot,
            (
                values,
                names,
                {"configurable": config},
                metadata,
                iso_of(identity),
                before,
                tuple(tasks),
                interrupts,
            ),
        )
        return made

    # -- what a checkpoint holds -----------------------------------------------------------------------------------

    def _values(self, stored: Stored) -> Any:
        channels, appends, loads = stored.channels, stored.appends, self._loads
        values: dict[str, Any] = {}
        for shown in self._sight.shown:
            name = shown.name
            data = channels.get(name)
            if data is None:
                if shown.empty is not None:
                    values[shown.key] = shown.empty()
            elif shown.bare:
                small = len(data) <= SMALL and name not in appends
                values[shown.key] = loads(data) if small else self._read(name, data, appends.get(name, ()))
            elif (channel := self._channel(stored, shown.index)).is_available():
                values[shown.key] = channel.get()
        return next(iter(values.values()), None) if self._sight.selection.bare else values

    def _channel(self, stored: Stored, index: int) -> Channel:
        plan = self._sight.plan
        name = plan.channel_names[index]
        data = stored.channels.get(name)
        if data is None:
            return plan.channels[index].fresh()
        return channel_with(plan, index, self._read(name, data, stored.appends.get(name, ())))

    def _planned(self, stored: Stored) -> tuple[tuple[str, ...], Sequence[Due]]:
        """The names of the nodes that are due and their tasks, as `plan_step` has them."""
        armed = stored.checkpoint.next
        found = self._steps.get(armed)
        if found is None:
            step = self._sight.triggered(armed, self._namespace)
            found = tuple([due.name for due in step]), step, any(due.needs >= 0 for due in step)
            self._steps[armed] = found
        names, step, choosy = found
        sends = stored.channels.get(TASKS)
        if not choosy and sends is None:
            return names, step
        step = [due for due in step if due.needs < 0 or self._channel(stored, due.needs).is_available()]
        if sends is not None:
            content = sends_of(self._sight.plan, self._loads(sends), running=False)
            step = [*self._sight.sent(content, self._namespace), *step]
        return tuple([due.name for due in step]), step

    def _handler(self, failed: Task, stored: Stored, known: Mapping[str, TaskResult]) -> PregelTask:
        """The task of an error handler that had its turn."""
        task = copy(failed)
        hand_over(self._sight.plan, task)
        due = self._sight.due(task, self._namespace)
        return self._task(due, stored, known.get(due.text))

    # -- what has to be worked out ---------------------------------------------------------------------------------

    def _worked_out(
        self, stored: Stored, known: Mapping[str, TaskResult], given: Sequence[TaskResult], *, live: bool
    ) -> tuple[Any, tuple[str, ...], list[PregelTask]]:
        plan, decode = self._sight.plan, self._decode
        state = restore(plan, stored, decode, running=False)
        for result in given:
            commit_null(state, adopted(plan, result, decode, None, running=False))
        answers = answers_of(stored.results) if live else {}
        answered = {question for question, answer in answers.items() if answer.data}
        step = plan_step(state, None)
        finished: list[Task] = []
        shown: list[PregelTask] = []
        for task in step:
            if (failed := was_handed_over(task, known)) is not None:
                shown.append(self._task(self._sight.due(task, self._namespace), stored, failed, live=live))
                hand_over(plan, task)
            found = known.get(path_text(task))
            due = self._sight.due(task, self._namespace)
            shown.append(self._task(due, stored, found, live=live, answered=answered))
            if found is not None and found.error is None:
                adopt(plan, task, found, decode, running=False, child=self.outcomes.child(found))
                finished.append(task)
        pending = tuple([task.node.name for task in step if not (live and task.restored)])
        if live and finished:
            commit(state, finished)
        return values_of(state, self._sight.selection), pending, shown

    def _task(
        self,
        due: Due,
        stored: Stored,
        result: TaskResult | None,
        *,
        live: bool = False,
        answered: Container[str] = (),
    ) -> PregelTask:
        checkpoint, name = stored.checkpoint, due.name
        step = checkpoint.step + 1
        inside = recorded = error = None
        interrupts: tuple[Interrupt[Any], ...] = ()
        if name in self._nested:
            inside = task_namespace(due.task, namespace=self._namespace, step=step)
        if result is not None:
            error = result.error
            if error is None:
                recorded, asked = self.outcomes.recorded(result)
                asked = asked and not live
            else:
                asked = True
            if asked:
                interrupts = self.outcomes.asked(result, answered)
            if error == PAUSED:
                error = None
        identity = id_at(due.place, checkpoint.id, step)
        made: PregelTask = _new(PregelTask, (identity, name, due.path, error, interrupts, inside, recorded))
        return made
