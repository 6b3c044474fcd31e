"""The simplest Pregel that is right: one thread of control, full scans, no loop, straight from the specification.

Letters and numbers are statements of the behaviour reference (`LangGraph E1`). Nothing here is shared with graphrt:
where the two agree, each of them was written from the specification alone.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.property.cells import SENDS, Barrier, Failure, cells_of, join_name
from tests.property.model import END, KEYS, NARROW, START, Given, Node, Packet, Program, Router

MAX_TASKS = 30


class TooWide(Exception):
    """A superstep has more than `MAX_TASKS` tasks: Sends that lead to Sends multiply quickly."""


# ---- what a run leaves behind


@dataclass
class Task:
    """One execution of a node; `index` is the number of its Send, None if channels triggered it."""

    name: str
    index: int | None
    input: Any
    writes: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])


@dataclass
class Checkpoint:
    """The state after a superstep, and the tasks planned from it."""

    source: str
    step: int
    values: dict[str, Any]
    tasks: list[Task]


@dataclass
class Superstep:
    """The tasks started from a checkpoint, whether all finished, and were committed, and the `values` chunk then."""

    checkpoint: Checkpoint
    tasks: list[Task] = field(default_factory=list[Task])
    finished: bool = False
    committed: bool = False
    chunk: dict[str, Any] | None = None

    @property
    def reported(self) -> bool:
        """Whether every task's writes are streamed. If the commit fails, LangGraph loses those of a lone task."""
        return self.committed or (self.finished and len(self.tasks) > 1)


@dataclass
class Run:
    """One run. `opening` is the chunk a continued run starts with (A10); without `errors` it came to its end."""

    opening: dict[str, Any] | None = None
    supersteps: list[Superstep] = field(default_factory=list[Superstep])
    errors: set[str] = field(default_factory=set[str])

    @property
    def endings(self) -> set[str | None]:
        """The errors it may end with, or None for its end."""
        return {*self.errors} or {None}


# ---- the machine


class Machine:
    """A compiled program and the state of its thread."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: dict[str, Node] = {node.name: node for node in program.nodes}
        self.cells = dict(cells_of(program))
        self.triggers = {START: [START], **{name: [f"branch:to:{name}"] for name in self.nodes}}
        for join in program.joins:
            if join.end != END:
                self.triggers[join.end].append(join_name(join.starts, join.end))
        self.versions: dict[str, int] = {}
        self.seen: dict[str, dict[str, int]] = {}
        self.updated: set[str] = set()
        self.history: list[Checkpoint] = []

    def run(self, given: dict[str, Any] | None) -> Run:
        """One run, to its end or error. A superstep that fails leaves the thread at the checkpoint before it.

        Raises:
            TooWide: this program is too much to run.
        """
        run = Run()
        stop = (self.history[-1].step if self.history else -2) + 1 + self.program.limit + 1  # A12
        if given is None:
            run.opening = self.values()
        else:  # A7: what was planned before counts as done, without its writes
            self.commit([*self.plan(), Task("__input__", None, None, [(START, given)])])
            self.save("input")
        while True:
            superstep = Superstep(self.history[-1])
            run.supersteps.append(superstep)
            if superstep.checkpoint.step + 1 > stop:
                run.errors = {"GraphRecursionError"}
            elif not superstep.checkpoint.tasks:
                run.errors = self.partly_filled_joins()
            else:
                superstep.tasks = superstep.checkpoint.tasks
                run.errors = self.perform(superstep)
            if not superstep.committed:
                return run

    def perform(self, superstep: Superstep) -> set[str]:
        """Run the tasks and commit their writes, or neither: the errors of which one ends the run."""
        errors: set[str] = set()
        for task in superstep.tasks:
            try:
                task.writes = list(self.execute(task))
            except Failure as failure:
                errors.add(str(failure))
        if errors:
            return errors
        superstep.finished = True
        before = copy.deepcopy((self.cells, self.versions, self.seen, self.updated))
        try:
            self.commit(superstep.tasks)
        except Failure as failure:  # E12
            self.cells, self.versions, self.seen, self.updated = before
            return {str(failure)}
        self.save("loop")
        superstep.committed = True
        if any(channel in KEYS for task in superstep.tasks for channel, _ in task.writes):  # J2
            superstep.chunk = self.values()
        return set()

    def save(self, source: str) -> None:
        step = self.history[-1].step + 1 if self.history else -1  # A11
        tasks = self.plan()
        if len(tasks) > MAX_TASKS:
            raise TooWide
        self.history.append(Checkpoint(source, step, self.values(), tasks))

    def values(self, keys: tuple[str, ...] = KEYS) -> dict[str, Any]:
        return copy.deepcopy({key: self.cells[key].value for key in keys if self.cells[key].available()})

    def partly_filled_joins(self) -> set[str]:
        joins = [cell for cell in self.cells.values() if isinstance(cell, Barrier)]
        stuck = any(cell.seen and cell.seen != cell.names for cell in joins)
        return {"IncompleteJoinError"} if self.program.strict and stuck else set()

    # ---- planning (D)

    def plan(self) -> list[Task]:
        sends: list[Packet] = self.cells[SENDS].value
        known = [p for p in sends if p.node in self.nodes]
        pushed = [
            Task(p.node, i, p.arg) for i, p in enumerate(known)
        ]  # D1, but LangGraph counts unknown ones
        if self.updated:  # D2
            names = sorted(n for n, triggers in self.triggers.items() if self.updated & set(triggers))
        else:
            names = list(self.triggers) if self.versions else []
        return pushed + [Task(name, None, self.read(name)) for name in names if self.triggered(name)]

    def triggered(self, name: str) -> bool:  # D3
        seen = self.seen.get(name)
        return any(
            self.cells[channel].available()
            and (seen is None or self.versions.get(channel, 0) > seen.get(channel, 0))
            for channel in self.triggers[name]
        )

    def read(self, name: str) -> Any:  # A8, B5
        if name == START:
            return self.cells[START].value
        return self.values(NARROW if self.nodes[name].narrow else KEYS)

    # ---- commit (E)

    def commit(self, tasks: list[Task]) -> None:
        tasks = sorted(tasks, key=lambda task: (task.index is not None, task.index or 0, task.name))  # E1
        pulled = [task for task in tasks if task.index is None and task.name in self.triggers]
        bump = any(task.name != "__input__" for task in tasks)  # E2
        version = max(self.versions.values(), default=0) + 1  # E4
        for task in pulled:  # E3
            known = {c: self.versions[c] for c in self.triggers[task.name] if c in self.versions}
            self.seen.setdefault(task.name, {}).update(known)
        for channel in {channel for task in pulled for channel in self.triggers[task.name]}:  # E5
            if self.cells[channel].consume():
                self.versions[channel] = version
        received: dict[str, list[Any]] = {}  # E6
        for task in tasks:
            for channel, value in task.writes:
                received.setdefault(channel, []).append(value)
        self.updated = set()
        changed = [c for c, values in received.items() if self.cells[c].update(values)]  # E7
        self.note(changed, version)
        if bump:  # E8
            idle = [c for c, cell in self.cells.items() if cell.available() and c not in self.updated]
            self.note([c for c in idle if self.cells[c].update([])], version)
        if bump and not any(self.updated & set(triggers) for triggers in self.triggers.values()):  # E9
            self.note([c for c, cell in self.cells.items() if cell.finish()], version)

    def note(self, changed: list[str], version: int) -> None:
        self.versions.update(dict.fromkeys(changed, version))
        self.updated |= {channel for channel in changed if self.cells[channel].available()}

    # ---- tasks (G, H)

    def execute(self, task: Task) -> Iterator[tuple[str, Any]]:
        """The task's writes, in order: state, gotos, edges, branches (E13)."""
        raw, updates = self.answer(task)
        written = list(self.state_writes(updates))
        yield from written
        for update in updates:  # H4
            yield from self.go([target for target in update.goto if target != END])
        for start, end in self.program.edges:  # G5
            if start == task.name and end != END:
                yield f"branch:to:{end}", None
        for join in self.program.joins:
            if task.name in join.starts and join.end != END:
                yield join_name(join.starts, join.end), task.name
        node = self.nodes.get(task.name)
        routers = node.routers if node else filter(None, [self.program.entry])
        for router in routers:  # G7
            keys = NARROW if node and node.narrow else KEYS
            yield from self.go(self.route(router, written, raw, keys))

    def answer(self, task: Task) -> tuple[Any, list[Given]]:
        """What routers may see of the task's answer (G6), and the updates in it. The start hands on its input (A8)."""
        if task.name == START:
            return task.input, [Given(task.input, ())]
        form, updates = self.nodes[task.name].answer(task.input)
        if form == "raise":
            raise Failure("ValueError")
        return updates[0].update if form == "dict" else None, updates

    def state_writes(self, updates: list[Given]) -> Iterator[tuple[str, Any]]:
        for update in updates:
            for key, value in (update.update or {}).items():
                if key in KEYS:
                    yield key, value
                elif self.program.strict:
                    raise Failure("UnknownKeyError")

    def route(
        self, router: Router, written: list[tuple[str, Any]], raw: Any, keys: tuple[str, ...]
    ) -> list[Any]:
        """Where a router sends: it sees its keys as if this task's writes were all that the step commits (G6)."""
        cells = {key: copy.deepcopy(self.cells[key]) for key in keys}
        for key, cell in cells.items():
            cell.update([value for name, value in written if name == key])
        view = {key: cell.value for key, cell in cells.items() if cell.available()}
        result = router.decide({**raw, **view} if isinstance(raw, dict) else view)
        names = router.path_map() or {}
        targets = list[Any](result) if isinstance(result, list) else [result]
        targets = [names[target] if isinstance(target, str) and names else target for target in targets]
        return [target for target in targets if target != END]

    def go(self, targets: list[Any]) -> Iterator[tuple[str, Any]]:
        for target in targets:
            name = target.node if isinstance(target, Packet) else target
            if name not in self.nodes:
                if self.program.strict:
                    raise Failure("UnknownTargetError")
                if isinstance(target, str):  # C13
                    continue
            yield (SENDS, target) if isinstance(target, Packet) else (f"branch:to:{name}", None)
