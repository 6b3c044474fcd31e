"""Runs inside runs: where a nested one stores, what it goes on from, what it leaves behind (LangGraph F4-F6, M2-M4).

A nested run notes, in its own namespace, at which checkpoints of the graphs around it it began. If its namespace's
head was made under the checkpoints where they stand now, it is the same run: interrupted, crashed or tried again, and
it goes on. Otherwise a graph that keeps its state goes on from the checkpoint that the graph around it has noted for
it, and any other one begins anew. Both notes are part of the checkpoints, so whoever goes back or forks finds the inner
graphs as they were then, and nothing that is stored is ever changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphrt.core.snapshot import PARENTS
from graphrt.engine.intake import no_such_checkpoint
from graphrt.engine.memos import note_ends
from graphrt.engine.opening import begin, go_on, resume_from
from graphrt.errors import GraphValidationError

if TYPE_CHECKING:
    from graphrt.checkpoint import Stored
    from graphrt.engine.journal import Journal
    from graphrt.engine.run import Run

__all__ = ["leave", "open_inside"]


def _ancestors(run: Run) -> dict[str, str]:
    """At which checkpoints the graphs around a run stand."""
    found: dict[str, str] = {}
    task = run.around
    while task is not None:
        owner: Run = task.owner
        if owner.journal is not None and owner.journal.current is not None:
            found[owner.namespace] = owner.journal.current
        task = owner.around
    return found


async def open_inside(run: Run, given: object) -> bool:
    """Begin a nested run or go on with it. True if the express way led to its end already."""
    journal = run.journal
    assert journal is not None
    assert run.around is not None
    keeper = run.around.owner.keeper
    ancestors = journal.parents = _ancestors(run)
    start = run.kin.starts.pop(run.namespace, None)
    stored = await journal.load(start)
    if start is not None:
        if stored is None:
            raise no_such_checkpoint(journal.thread_id, start)
        journal.note(PARENTS, ancestors)
        resume_from(run, stored)
        await go_on(run, None, stored, again=True)
        return False
    if stored is not None and journal.noted(stored, PARENTS) == ancestors:
        resume_from(run, stored)
        await go_on(run, None, stored)
        return False
    assert keeper is not None
    assert keeper.journal is not None
    stored = await _as_it_was(run, keeper, stored, _known(run)) if run.lasts else None
    if stored is None:
        journal.start_over()
    journal.note(PARENTS, ancestors)
    return await begin(run, given, stored)


def _known(run: Run) -> str | None:
    """The checkpoint that the graphs around have noted for this one, the nearest first."""
    task = run.around
    while task is not None:
        owner: Run = task.owner
        if owner.journal is not None and run.namespace in owner.journal.children:
            return owner.journal.children[run.namespace]
        task = owner.around
    return None


async def _as_it_was(run: Run, keeper: Run, newest: Stored | None, at: str | None) -> Stored | None:
    """Where a graph that keeps its state stands for the graph around it, which has noted checkpoint `at` for it.

    That is the newest checkpoint also if it was made since by an edit, or by a step that the graph around has given
    up for new input; but not if that one has gone back in its history.

    Raises:
        GraphValidationError: what was noted was forgotten.
    """
    journal = run.journal
    around = keeper.journal
    assert journal is not None
    assert around is not None
    if newest is not None and newest.checkpoint.id == at:
        return newest
    if newest is not None and around.at_head:
        made_under = journal.noted(newest, PARENTS)
        if made_under == {**_ancestors(run), keeper.namespace: around.base}:
            return newest
        if newest.checkpoint.source == "update":
            noted = await journal.saver.load(journal.thread_id, journal.namespace, at) if at else None
            if noted is None and at is not None:
                return newest  # an edit mends what was forgotten
            if made_under == (journal.noted(noted, PARENTS) if noted is not None else {}):
                return newest
    if at is None:
        return None
    stored = await journal.load(at)
    if stored is None:
        raise _forgotten(run, journal, at)
    return stored


def _forgotten(run: Run, journal: Journal, at: str) -> GraphValidationError:
    """The error for a graph that kept its state and has lost it: to begin anew without a word would be a lie."""
    return GraphValidationError(
        f"Graph {run.plan.name!r} keeps its state from call to call. Thread {journal.thread_id!r} knows it to stand at "
        f"checkpoint {at!r} in the namespace {journal.namespace!r}, which is not there: it was deleted by other means "
        "than the checkpointer's aprune, or by an older version. Give the graph a state to go on from, by "
        f"aupdate_state with 'checkpoint_ns': {journal.namespace!r} in the config, and run the thread again with None; "
        "or run the thread from another checkpoint."
    )


def leave(run: Run) -> None:
    """A nested run has come to its end: the graph around it notes where those stand that keep their state."""
    journal = run.journal
    assert journal is not None
    assert run.around is not None
    ends = dict(journal.children)
    if run.lasts and journal.current is not None:
        ends[run.namespace] = journal.current
    if ends:
        note_ends(run.around, ends)
