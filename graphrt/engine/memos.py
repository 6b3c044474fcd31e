"""What calls and steps have come to, kept for the next attempt at their task (LangGraph Q4).

The value of a call is a write to `__return__` in a TaskResult of its own; the path says which call it was. If graphs
that keep their state have run inside of it, where they stand is a write to `__children__`: whoever takes the memo for
the call takes that over, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from graphrt.checkpoint import ChannelData, TaskResult
from graphrt.core.ids import path_text
from graphrt.core.interrupts import PAUSED, may_enter, questions_of
from graphrt.core.shape import hints_of
from graphrt.core.snapshot import CHILDREN
from graphrt.core.state import Task
from graphrt.engine.asking import passed_on
from graphrt.engine.patience import wait_out
from graphrt.engine.scope import scope_of
from graphrt.errors import DeserializationError, GraphInterrupt, SerializationError

if TYPE_CHECKING:
    from graphrt.engine.run import Run
    from graphrt.engine.surroundings import Surroundings

__all__ = ["keep", "note_ends", "recalled", "value_of"]

RETURN: Final = "__return__"


def recalled(run: Run, task: Task) -> TaskResult | None:
    """The memo of an earlier attempt at this call that finished; None if it has to run.

    Raises:
        GraphInterrupt: it waits for an answer, and has not got one.
    """
    memo = run.recall(path_text(task))
    if memo is None:
        return None
    if memo.error is None:
        assert run.keeper is not None
        assert run.keeper.journal is not None
        if ends := run.keeper.journal.ends_of(memo):
            note_ends(task, ends)
        return memo
    questions = questions_of(memo, run.decode_any) if memo.error == PAUSED else None
    if questions is None or may_enter(questions, run.kin.answers):
        return None
    assert task.caller is not None
    passed_on(questions, task.caller)
    raise GraphInterrupt([question.shown(run.decode_any) for question in questions])


def value_of(run: Run, function: Callable[..., Any] | None, memo: TaskResult) -> Any:
    """What a memo says that a call or step came to.

    Raises:
        DeserializationError: it cannot be read.
    """
    for write in memo.writes:
        if write.channel == RETURN and write.data is not None:
            try:
                return run.decode(write.data)
            except DeserializationError:
                if not learn(run, function):
                    raise
                return run.decode(write.data)
    raise DeserializationError(f"The stored result of call {memo.path!r} is damaged: there is no value")


async def keep(run: Run, task: Task, function: Callable[..., Any] | None, what: str, value: Any) -> None:
    """Make the value that a call or step came to durable.

    Raises:
        SerializationError: it cannot be stored.
    """
    try:
        try:
            data = run.encode(value)
        except SerializationError:
            if not learn(run, function):
                raise
            data = run.encode(value)
    except SerializationError as error:
        raise SerializationError(
            f"{what} returned a value that cannot be stored: {error}",
            path=error.path,
            type_name=error.type_name,
        ) from None
    node = "" if task.key is not None else task.node.name
    writes: tuple[ChannelData, ...] = (ChannelData(RETURN, data),)
    if task.scope is not None and task.scope.ends:
        writes += (ChannelData(CHILDREN, run.encode(task.scope.ends)),)
    await _remember(run, TaskResult(path_text(task), node, writes))


async def _remember(run: Run, memo: TaskResult) -> None:
    """What has been done is kept also if a cancel comes while it is stored: the next attempt must not do it again."""
    keeper = run.keeper
    if keeper is None or keeper.journal is None or not keeper.journal.keeps_each:
        await run.remember(memo)
        return
    storing = asyncio.ensure_future(run.remember(memo))
    try:
        await asyncio.shield(storing)
    except asyncio.CancelledError:
        await wait_out((storing,))
        storing.exception()
        raise


def note_ends(task: Task, ends: Mapping[str, str]) -> None:
    """Graphs that keep their state have come to stand elsewhere inside a task: every record of it has to say so.

    Records of what called it as well, up to the task of the graph that stores; and that graph's next commit.
    """
    keeper: Surroundings | None = task.owner.keeper
    around: Task | None = task
    while around is not None:
        scope = scope_of(around)
        scope.ends = {**scope.ends, **ends}
        if around.caller is None and around.owner is keeper:
            break
        around = around.caller or around.owner.around
    if keeper is not None and keeper.journal is not None:
        keeper.journal.note_children(ends)


def learn(run: Run, function: Callable[..., Any] | None) -> bool:
    """Let storage know the classes that a function says it returns; False if it says nothing.

    Only asked for when a value cannot be written or read as it is: most are of types that are always known.
    """
    returned = hints_of(function).get("return")
    if returned is None:
        return False
    run.learn(returned)
    return True
