"""A journal that measures how long its run waits for storage: for runs that have observers."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Self

from graphrt.engine.journal import Journal

if TYPE_CHECKING:
    from graphrt.checkpoint import Source, Stored, TaskResult
    from graphrt.core.recording import Recorded
    from graphrt.core.state import State, Task

__all__ = ["TimedJournal"]


class TimedJournal(Journal):
    """The same journal. `waited_ns` is the time during which at least one call of it had not returned.

    That is encoding and waiting: a commit that storage works on while the next step runs takes none of it.
    """

    __slots__ = ("_busy", "_since_ns", "waited_ns")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waited_ns = 0
        self._busy = 0
        self._since_ns = 0

    @classmethod
    def of(cls, journal: Journal) -> Self:
        """The same journal, of which nothing has been used yet."""
        timed = cls(
            journal.saver,
            journal.serializer,
            thread_id=journal.thread_id,
            namespace=journal.namespace,
            durability=journal.durability,
            metadata=journal.metadata,
        )
        timed.forgetful = journal.forgetful
        return timed

    @contextmanager
    def _measured(self) -> Generator[None]:
        if not self._busy:
            self._since_ns = monotonic_ns()
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self.waited_ns += monotonic_ns() - self._since_ns

    async def load(self, checkpoint: str | None) -> Stored | None:
        with self._measured():
            return await super().load(checkpoint)

    async def fork(self, state: State, step: int, recorded: Recorded | None = None) -> None:
        with self._measured():
            await (super().fork(state, step) if recorded is None else super().fork(state, step, recorded))

    async def commit(self, state: State, *, step: int, source: Source, tasks: Sequence[Task]) -> None:
        with self._measured():
            await super().commit(state, step=step, source=source, tasks=tasks)

    async def settle(self) -> None:
        with self._measured():
            await super().settle()

    async def make_up(self) -> None:
        with self._measured():
            await super().make_up()

    async def keep_results(self, results: Sequence[TaskResult]) -> None:
        with self._measured():
            await super().keep_results(results)

    async def close(self) -> None:
        with self._measured():
            await super().close()
