"""How a run begins: with new input, or by going on with what its thread has left (LangGraph A5-A13, K7, K11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphrt.checkpoint import Stored, TaskResult
from graphrt.core.commit import commit_input, commit_null
from graphrt.core.handled import was_handed_over
from graphrt.core.ids import path_text
from graphrt.core.interrupts import is_answer, is_null, may_enter, questions_of
from graphrt.core.snapshot import PARENTS, adopt, adopted, restore
from graphrt.core.state import State, Task
from graphrt.engine.answering import needs_checkpointer, replays, take_answers
from graphrt.engine.express import hold_input
from graphrt.engine.handling import hand_back
from graphrt.engine.intake import (
    command_task,
    input_writes,
    no_such_checkpoint,
    nothing_to_run,
    refuse_parent,
)
from graphrt.engine.pausing import still_paused
from graphrt.engine.scope import scope_of
from graphrt.types import Command

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["accept", "begin", "go_on", "open_thread", "restore_results", "resume_from"]


def accept(run: Run, given: Any) -> None:
    """Turn what the run was given into the state's first commit."""
    if given is None:
        raise nothing_to_run(run.plan)
    if type(given) is Command:
        if given.resume is not None:
            raise needs_checkpointer(run.plan) if run.journal is None else nothing_to_run(run.plan)
        refuse_parent(given)
    commit_input(run.state, input_writes(run.plan, given))


async def open_thread(run: Run, given: Any, checkpoint: str | None) -> bool:
    """Load the thread, and make the input durable before any node runs (LangGraph A5-A7, A11).

    True if the express way led to the end of the run already.
    """
    journal = run.journal
    assert journal is not None
    if checkpoint and run.inner:
        checkpoint = await start_inside(run, checkpoint)
    stored = await journal.load(checkpoint)
    if stored is None and checkpoint:
        raise no_such_checkpoint(journal.thread_id, checkpoint)
    if stored is None or not (given is None or type(given) is Command or _same_run(run, stored)):
        return await begin(run, given, stored)
    resume_from(run, stored)
    await go_on(run, given, stored, again=checkpoint is not None and replays(given, stored))
    return False


def resume_from(run: Run, stored: Stored) -> None:
    """Take over a stored state, to go on from there."""
    journal = run.journal
    assert journal is not None
    run.state = restore(run.plan, stored, journal.decode, running=True, book=journal.book)
    run.step = stored.checkpoint.step
    run.stop = run.step + run.limit + 2  # so a run that goes on gets two steps more (LangGraph A12)


async def begin(run: Run, given: Any, stored: Stored | None) -> bool:
    """Start with new input, from a checkpoint or from nothing. True if the express way led to the end already."""
    journal = run.journal
    assert journal is not None
    given = run.plan.prepared(given)
    if stored is None:
        run.state = State.empty(run.plan)
        run.step = -2
    else:
        run.state = restore(run.plan, stored, journal.decode, running=False, book=journal.book)
        run.step = stored.checkpoint.step
    run.stop = run.step + run.limit + 2
    state = run.state
    run.step += 1
    if run.unwatched() and given is not None and not (state.armed or state.sends or state.awake):
        pending = journal.commit_given(state, given, run.step)
        if pending is not None:
            await pending
        await journal.settle()
        hold_input(state, given)
        return await run.begin_express(given, run.step + 1)
    accept(run, given)
    await journal.commit(state, step=run.step, source="input", tasks=())
    await journal.settle()
    return False


async def go_on(run: Run, given: Any, stored: Stored, *, again: bool = False) -> None:
    """Continue the thread's unfinished step, with the results that were kept of it.

    Results that a commit brought belong to a step that has ended: from an older checkpoint on it is run anew
    (LangGraph K11).

    Args:
        again: run it anew in any case, on a branch of its own (LangGraph N11).
    """
    journal = run.journal
    assert journal is not None
    run.fresh = False
    kept = () if again else [result for result in stored.results if result.child is None]
    run.restored = tuple([result for result in kept if not is_answer(result)])
    for result in run.restored:
        if is_null(result):
            commit_null(run.state, adopted(run.plan, result, journal.decode, run))
    if again and not (stored.checkpoint.id == stored.head and stored.checkpoint.source in ("update", "fork")):
        await journal.fork(run.state, run.step)
    if run.around is None:
        run.eager = given is None
        run.idle = not await take_answers(run, given, stored, again=again)
    if type(given) is Command and (given.update is not None or given.goto != () or given.resume is None):
        task = command_task(run.plan, given, run)
        await journal.keep_null(run.state, task)
        commit_null(run.state, task)
    if run.observed is not None:
        run.observed.resumed(stored)
    if run.publisher is not None:
        run.publisher.values(run.state)


def _same_run(run: Run, stored: Stored) -> bool:
    """The same run_id again goes on with that run, whatever its input (LangGraph A5)."""
    run_id = run.config.get("metadata", {}).get("run_id")
    return run_id is not None and stored.checkpoint.metadata.get("run_id") == run_id


def restore_results(run: Run, tasks: Sequence[Task]) -> dict[str, TaskResult]:
    """Hand results that an earlier attempt finished with back to their tasks (LangGraph K7, K8)."""
    journal = run.journal
    assert journal is not None
    known = {result.path: result for result in run.restored}
    run.restored = ()
    run.memos = known
    run.memo_step = run.step
    for task in tasks:
        if (failed := was_handed_over(task, known)) is not None:
            hand_back(run, task, failed)
        result = known.get(path_text(task))
        if result is None:
            continue
        if result.error is None:
            adopt(run.plan, task, result, journal.decode)
            journal.note_children(journal.ends_of(result))
        elif (questions := questions_of(result, journal.decode)) is not None:
            if not run.idle and may_enter(questions, run.kin.answers, eager=run.eager or task.node.is_graph):
                scope_of(task).before = result.writes[-1]
            else:
                still_paused(run, task, questions)
    return known


async def start_inside(run: Run, checkpoint: str) -> str | None:
    """A run is to begin at a checkpoint of a graph inside it: have that one begin there, when its turn comes.

    Returns the checkpoint where the outermost graph stood then.
    """
    journal = run.journal
    assert journal is not None
    stored = await journal.saver.load(journal.thread_id, run.inner, checkpoint)
    if stored is None:
        return checkpoint
    parents = journal.noted(stored, PARENTS)
    run.kin.starts = {run.inner: checkpoint, **{name: at for name, at in parents.items() if name}}
    return parents.get("", checkpoint)
