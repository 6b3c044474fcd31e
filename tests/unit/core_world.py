"""Graphs taken step by step without an event loop: what the core decides, and nothing of what the engine does."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, TypedDict

from graphrt.channels import AnyValue, EphemeralValue, Topic
from graphrt.checkpoint import Checkpoint, Stored, TaskResult
from graphrt.core.book import Book
from graphrt.core.commit import commit, commit_input
from graphrt.core.plan import Plan
from graphrt.core.planning import plan_step
from graphrt.core.recording import names_of, record_step
from graphrt.core.report import select, values_of
from graphrt.core.snapshot import restore
from graphrt.core.state import State, Task
from graphrt.engine.attempt import finish
from graphrt.graph import START, StateGraph
from graphrt.serde import Serializer


class Log(TypedDict):
    """A state in which every node leaves a trace."""

    log: Annotated[list[str], operator.add]


class Cells(TypedDict, total=False):
    """One key for each way in which a channel can change."""

    last: Any
    log: Annotated[list[Any], operator.add]
    once: Annotated[Any, EphemeralValue]
    any: Annotated[Any, AnyValue]
    topic: Annotated[list[Any], Topic(int)]
    heap: Annotated[list[Any], Topic(int, accumulate=True)]


def says(word: str) -> tuple[str, Callable[[Any], Any]]:
    """A node named `word` that appends `word` to the log."""
    return word, lambda state: {"log": [word]}


def returns(name: str, output: Any) -> tuple[str, Callable[[Any], Any]]:
    """A node that returns `output` whatever it reads."""
    return name, lambda state: output


def graph(
    schema: Any,
    *nodes: tuple[str, Any],
    paths: Iterable[str] = (),
    deferred: Iterable[str] = (),
    **schemas: Any,
) -> StateGraph[Any, Any, Any, Any]:
    """A builder with the edges of `paths`: `"START a b"` is a chain, `"a+b c"` a join."""
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(schema, **schemas)
    for name, function in nodes:
        builder.add_node(name, function, defer=name in deferred)
    for path in paths:
        stops = path.replace("START", START).split()
        for start, end in pairwise(stops):
            builder.add_edge(start.split("+") if "+" in start else start, end)
    return builder


def begin(plan: Plan, given: Any = None) -> State:
    """The state after the input was handed out: its first user nodes are due."""
    state = State.empty(plan)
    give(state, {} if given is None else given)
    return state


def give(state: State, given: Any) -> None:
    """Apply an input, and the hidden step that hands it out."""
    commit_input(state, [(state.plan.channel_index[START], given)])
    step(state)


def run(state: State, task: Task) -> Task:
    """Call a task's function and take down what it wrote and where it leads."""
    task.output = task.input if task.node.call is None else task.node.call(task.input)
    assert finish(state, task, None) is None, "core tests have no async routers"
    return task


def step(state: State) -> list[str]:
    """One superstep; the names of its tasks in the order in which they were planned."""
    tasks = [run(state, task) for task in plan_step(state, None)]
    commit(state, tasks)
    return [task.node.name for task in tasks]


def steps(state: State) -> list[list[str]]:
    """Supersteps until nothing is due."""
    done: list[list[str]] = []
    while due(state):
        done.append(step(state))
    return done


def due(state: State) -> list[str]:
    """The names of the tasks that are due, in order."""
    return [task.node.name for task in plan_step(state, None)]


def values(state: State) -> Any:
    """All keys that have a value."""
    return values_of(state, select(state.plan, None, state.plan.stream))


def changed(state: State) -> set[str]:
    """The channels that the last commit changed."""
    return {state.plan.channel_names[i] for i in state.changed}


# ---- threads

serializer = Serializer()


@dataclass
class Thread:
    """The newest checkpoint of a thread, as a checkpointer would give it back."""

    channels: dict[str, bytes] = field(default_factory=dict)
    record: Any = None
    results: list[TaskResult] = field(default_factory=list)
    parts: dict[str, list[bytes]] = field(default_factory=dict)
    book: Book = field(default_factory=Book)

    def keep(self, state: State, tasks: list[Task]) -> None:
        """Store what the last commit changed."""
        recorded = record_step(state, tasks, self.book, serializer.dumps)
        for item in recorded.channels:
            self.parts.pop(item.channel, None)
            if item.data is None:
                self.channels.pop(item.channel, None)
            else:
                self.channels[item.channel] = item.data
        for item in recorded.appends:
            assert item.data
            self.parts.setdefault(item.channel, []).append(item.data)
        armed, ran = names_of(state.plan, state.armed), names_of(state.plan, state.ran)
        self.record = Checkpoint("c", None, state.version, 0, "loop", armed, ran, {})

    def contents(self) -> dict[str, Any]:
        """What the channels hold."""
        return {
            name: serializer.loads_grown(data, self.parts.get(name, ()))
            for name, data in self.channels.items()
        }

    @property
    def stored(self) -> Stored:
        parts = {name: tuple(parts) for name, parts in self.parts.items()}
        return Stored(self.record, dict(self.channels), tuple(self.results), "c", parts)

    def restore(self, plan: Any) -> State:
        return restore(plan, self.stored, serializer.loads_grown, running=True, book=self.book)


def kept(state: State) -> Thread:
    """A thread that was stored in full once, at this state."""
    thread = Thread()
    state.changed = list(range(len(state.channels)))
    state.sends_changed = True
    thread.keep(state, [])
    return thread
