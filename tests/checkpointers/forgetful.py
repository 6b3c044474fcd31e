"""A thread and its model that can forget: what stays must read as it did before."""

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from graphrt.checkpoint import Commit, TaskResult
from graphrt.testing.conformance.model import Model
from graphrt.testing.conformance.random_threads import Action, Pair
from graphrt.testing.conformance.records import Writer, came_with

Results = tuple[TaskResult, ...]


@dataclass
class ForgetfulModel(Model):
    """A model that knows which results were appended and which came with a commit, so that it can lose those."""

    appended: dict[str, list[Results]] = field(default_factory=dict)
    brought: dict[str, tuple[str | None, Results]] = field(default_factory=dict)

    def commit(self, commit: Commit) -> bool:
        taken = super().commit(commit)
        if taken:
            identity = commit.checkpoint.id
            results = tuple(came_with(identity, one) for one in commit.results)
            self.brought[identity] = (commit.checkpoint.parent_id, results)
        return taken

    def append(self, identity: str, results: Results) -> bool:
        taken = super().append(identity, results)
        if taken:
            self.appended.setdefault(identity, []).append(results)
            self._gather()
        return taken

    def forget(self, gone: set[str]) -> None:
        self.entries = {identity: entry for identity, entry in self.entries.items() if identity not in gone}
        for entry in self.entries.values():
            if entry.checkpoint.parent_id not in self.entries:
                entry.checkpoint = replace(entry.checkpoint, parent_id=None)
        self.head = next(reversed(self.entries), None)
        self._gather()

    def _gather(self) -> None:
        for identity, entry in self.entries.items():
            entry.results = {}
            for results in self.appended.get(identity, ()):
                entry.keep(results)
            for child, (parent, results) in self.brought.items():
                if parent == identity and child in self.entries:
                    entry.keep(results)


@dataclass
class RunWriter(Writer):
    """A writer whose commits belong to a run."""

    run: str = "run"

    def next(self, *args: Any, **options: Any) -> Commit:
        return super().next(*args, **{"metadata": {"run_id": self.run}, **options})


@dataclass
class ForgetfulPair(Pair):
    """Both, and which run each checkpoint belongs to."""

    @classmethod
    def on(cls, saver: Any) -> "ForgetfulPair":
        return cls(RunWriter(saver), ForgetfulModel())

    async def play(self, actions: list[tuple[str, Action]]) -> None:
        for run, action in actions:
            self.writer.run = run
            await self.do(action)

    async def do(self, action: Action) -> None:
        await super().do(action)
        if not isinstance(self.model, ForgetfulModel):  # it was deleted
            self.model = ForgetfulModel()

    def forget_but_last(self, count: int) -> None:
        self.model.forget(set(list(self.model.entries)[:-count]))

    def forget_runs(self, runs: set[str]) -> int:
        gone = {i for i, e in self.model.entries.items() if e.checkpoint.metadata["run_id"] in runs}
        self.model.forget(gone)
        return len(gone)
