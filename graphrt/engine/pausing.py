"""Runs that stop on the way: at a question, at a breakpoint, as they were asked to, or with a Command for their parent.

What passes through a node on its way here is no failure: tasks beside it run to their ends (LangGraph G10), and what
they wrote is kept. The run then ends; its thread goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from graphrt.core.commit import commit
from graphrt.core.ids import lasting
from graphrt.core.interrupts import Answer, Question, answer_record, refusal_record
from graphrt.core.plan import Plan
from graphrt.core.state import Task
from graphrt.engine.asking import asked_by, passed_on
from graphrt.engine.attempt import finish
from graphrt.engine.calls import settle_scope
from graphrt.engine.scope import scope_of
from graphrt.engine.telling import tell_finished
from graphrt.errors import (
    GraphBubbleUp,
    GraphDrained,
    GraphInterrupt,
    GraphValidationError,
    InvalidResumeError,
    ParentCommand,
    did_you_mean,
)
from graphrt.types import Command, Interrupt

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = [
    "Stops",
    "bubbled",
    "halt",
    "interrupts_of",
    "keep_paused",
    "pass_on",
    "signal_in",
    "still_paused",
    "stops_of",
]


# ---- breakpoints


class Stops(Struct, frozen=True):
    """Nodes before and after which a run stops (LangGraph I12)."""

    before: frozenset[int] = frozenset()
    after: frozenset[int] = frozenset()


def stops_of(
    plan: Plan, before: str | Sequence[str] | None, after: str | Sequence[str] | None
) -> Stops | None:
    """Breakpoints as indexes; None if there are none.

    Raises:
        GraphValidationError: there is no such node and the graph is strict.
    """
    if not before and not after:
        return None
    return Stops(_indexes(plan, before or ()), _indexes(plan, after or ()))


def _indexes(plan: Plan, names: str | Sequence[str]) -> frozenset[int]:
    if names == "*":
        return frozenset(node.index for node in plan.nodes if not node.hidden)
    found: set[int] = set()
    for name in (names,) if isinstance(names, str) else names:
        if name in plan.node_index:
            found.add(plan.node_index[name])
        elif plan.strict:
            raise GraphValidationError(
                f"Interrupt node `{name}` not found.{did_you_mean(name, plan.node_index)}"
            )
    return frozenset(found)


# ---- what comes out of a node

_BUBBLES: Final = (GraphBubbleUp, InvalidResumeError, GraphDrained)


async def bubbled(run: Run, task: Task, failure: BaseException) -> bool:
    """Deal with what a node let through if it is no failure; False if it is one.

    Afterwards the task is paused, or it has finished with a Command from a graph inside it, or `run.deferred` is what
    the run raises once the step's other tasks have ended.
    """
    alone = signal_in(failure)
    if not isinstance(alone, _BUBBLES):
        return False
    if task.scope is not None and task.scope.busy:
        await settle_scope(task, alone)
    if isinstance(alone, GraphInterrupt):
        await _pause(run, task, alone)
    elif isinstance(alone, ParentCommand) and arrived(alone, task):
        await _obey(run, task, alone.command)
    else:
        if isinstance(alone, InvalidResumeError):
            await _take_back(run)
        if run.deferred is None:
            run.deferred = alone
    return True


def signal_in(failure: BaseException) -> BaseException | None:
    """The signal in what a node raised: out of a task group it comes in an exception group, perhaps several at once."""
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    found: list[BaseException] = list(failure.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    signals = [signal_in(inner) for inner in found]
    return signals[0] if all(isinstance(signal, GraphBubbleUp) for signal in signals) else None


async def _pause(run: Run, task: Task, interrupt: GraphInterrupt) -> None:
    """The task waits for answers: keep its questions, tell them."""
    questions = asked_by(run, task, interrupt)
    interrupt.__traceback__ = None  # it holds frames that may hold the interrupt, as a task's exception
    task.paused = True
    run.halted = True
    scope_of(task).waits_for = questions
    await keep_paused(run, task)
    tell_paused(run, task, questions)


async def keep_paused(run: Run, task: Task) -> None:
    """Make durable what a paused task waits for; again, if that was cut short by the failure of a task beside it."""
    if run.journal is not None and not task.kept:
        await store_answers(run)
        await run.journal.keep_paused(task, scope_of(task).waits_for)
        task.kept = True


def tell_paused(run: Run, task: Task, questions: Sequence[Question]) -> None:
    """Report a task's open questions (LangGraph I14)."""
    if run.publisher is None and run.observed is None:
        return
    interrupts = tuple([question.shown(run.decode_any) for question in questions])
    if run.observed is not None:
        run.observed.paused(task, interrupts)
    if run.publisher is not None:
        run.publisher.paused(run.state, task, run.identify(task), run.step, interrupts)


async def store_answers(run: Run) -> None:
    """Keep the answers that were given before their questions were known, at the outermost graph."""
    family = run.kin
    root = run.outermost
    if family.taken and root.journal is not None:
        taken = [*family.taken]
        answers = {id: family.answers[id] for id in taken if id in family.answers}
        encode = root.journal.encode
        await root.journal.keep_results([answer_record(id, Answer(encode(a))) for id, a in answers.items()])
        family.taken[:] = [id for id in family.taken if id not in taken]


async def _take_back(run: Run) -> None:
    """Forget answers that did not fit."""
    family = run.kin
    root = run.outermost
    refused = [*family.refused]
    family.refused.clear()
    if root.journal is not None:
        records = [refusal_record(id, family.numbers[id]) for id in refused if id in family.numbers]
        await root.journal.keep_results(records)


def still_paused(run: Run, task: Task, questions: Sequence[Question]) -> None:
    """A task that is not entered again, as not everything it asked is answered."""
    task.paused = True
    run.halted = True
    left = [question for question in questions if question.id not in run.kin.answers]
    scope_of(task).waits_for = left
    tell_paused(run, task, left)


# ---- Commands for a graph around


def arrived(signal: ParentCommand, task: Task) -> bool:
    """Whether a Command has come to the graph that it is for, whose `task` runs the graph that it comes from."""
    graph = signal.command.graph
    if signal.left is None or signal.left.around is not task:
        return False
    if graph == Command.PARENT or graph == task.node.name:
        return True
    namespace = signal.left.namespace
    return graph in (namespace, lasting(namespace))


async def _obey(run: Run, task: Task, command: Command[Any]) -> None:
    """Take a Command from a graph inside as if the task had returned it (LangGraph H5)."""
    task.output = Command(update=command.update, goto=command.goto)
    routing = finish(run.state, task, None)
    if routing is not None:
        await routing
    task.finished = True


# ---- the end of a run that stopped


async def halt(run: Run, tasks: Sequence[Task]) -> None:
    """Some of the step's tasks are paused: keep what the others wrote, and show it (LangGraph I16)."""
    run.open_ = tuple([question for task in tasks if task.paused for question in scope_of(task).waits_for])
    finished = [task for task in tasks if not task.paused]
    if run.journal is not None:
        for task in finished:
            await run.journal.keep(run.state, task)
    if not finished:
        return
    if run.publisher is not None:
        tell_finished(run, run.publisher, finished)
    commit(run.state, finished)
    if run.publisher is not None:
        run.publisher.committed(run.state, finished)


def pass_on(run: Run) -> None:
    """A graph inside another one has stopped: so does the task that runs it.

    Raises:
        GraphInterrupt: with the open questions; without any at a breakpoint.
    """
    around = run.around
    assert around is not None
    questions = run.open_
    passed_on(questions, around)
    raise GraphInterrupt([question.shown(run.decode_any) for question in questions])


def interrupts_of(run: Run) -> tuple[Interrupt[Any], ...]:
    """The questions that a run has left open."""
    return tuple([question.shown(run.decode_any) for question in run.open_])
