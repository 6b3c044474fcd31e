"""The express way: supersteps of one node each in a run that nobody watches.

What `core.planning`, `engine.attempt` and `core.commit` do for any step is done here in one loop for the commonest
one: a single node that was reached by an edge, reads keys, returns a dict of known keys and goes on by edges or sync
routers. Whatever else comes up is left to them, before the step begins or at its commit. The tests run every program
both ways (tests/property) and compare.

What this buys, and what keeps it from growing: docs/decisions/0009-express-way.md.
"""

from __future__ import annotations

from asyncio import CancelledError
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final

from graphrt.channels.base import MISSING
from graphrt.checkpoint import ChannelData
from graphrt.constants import START
from graphrt.core.commit import commit
from graphrt.core.routing import follow
from graphrt.core.state import State, Task
from graphrt.engine.attempt import InContext, begin, call, route
from graphrt.engine.calls import settle_scope
from graphrt.engine.door import breathe
from graphrt.engine.pausing import halt
from graphrt.types import Command

if TYPE_CHECKING:
    from graphrt.engine.run import Run

__all__ = ["BREATH", "express", "hold_input"]

BREATH: Final = 64
"""Supersteps after which the event loop gets a turn even if no node waits: a busy graph must not starve its host."""


def hold_input(state: State, given: Any) -> None:
    """Let the input channel hold a run's input until START has handed it out."""
    index = state.plan.channel_index[START]
    state.channels[index].update((given,))
    state.awake.add(index)


def clear_input(state: State) -> tuple[ChannelData, ...]:
    """Empty the input channel again, as `core.commit` does with channels that nobody wrote."""
    index = state.plan.channel_index[START]
    state.channels[index].update(())
    state.awake.discard(index)
    return (ChannelData(START, None),)


async def express(run: Run, state: State, step: int, given: Any = MISSING) -> int | None:  # noqa: C901 - see above
    """Run supersteps from number `step` on as far as the express way leads.

    Returns the number of the next one; None if the run has stopped on the way (`Run.halted`).

    Args:
        given: the run's input, for a run that starts here: step 0 hands it out.
    """
    plan = run.plan
    nodes = plan.nodes
    views = state.views
    channels = state.channels
    stop = run.stop
    in_loop = run.loop is not None
    breath = BREATH
    journal = run.journal
    context: Context | None = None
    while True:
        if given is not MISSING:
            assert plan.start is not None
            node = plan.start
            output = given
            given = MISSING
            task = Task(node, output, run, -1)
            run.step = step
        else:
            armed = state.armed
            if len(armed) != 1 or step > stop or state.sends or state.awake:
                return step
            node = nodes[armed[0]]
            if not node.express or (in_loop and not node.is_async):
                return step
            run.step = step
            view = views[node.view]
            task = Task(node, view.copy() if node.mapper is None else node.mapper(view), run, -1)
            context = copy_context()
            try:
                if node.is_async:
                    if not in_loop and not node.is_graph:
                        in_loop = await run.enter_loop()
                    try:
                        coroutine, waits_for = context.run(begin, task)
                    except StopIteration as result:
                        output = result.value
                    else:
                        output = await InContext(context, coroutine, waits_for)
                else:
                    output = context.run(call, task)
                if task.scope is not None and task.scope.busy:
                    await settle_scope(task, None)
                    in_loop = run.has_entered()
                    if task.writes and (output is None or type(output) is dict):
                        task.output = Command(update=output)  # it has pushed: all of it is for `commit`
                        output = task.output
            except BaseException as failure:
                await run.fail(task, failure)
                if run.halted:
                    await halt(run, (task,))
                    return None
                in_loop = run.has_entered()
                await run.commit(journal, (task,))
                step += 1
                continue
        try:
            rest = output
            if type(rest) is dict:
                rest = None
                cells = node.cells
                for key, value in output.items():
                    cell = cells.get(key)
                    if cell is None or not (cell[1] or journal is None):
                        rest = {key: value} if rest is None else {**rest, key: value}
                        continue
                    channel: Any = channels[cell[0]]
                    if cell[1]:
                        channel.value = value
                        if journal is not None:
                            task.writes.append((cell[0], value))
                    else:
                        channel.update((value,))
                        value = channel.value
                    for number, name in cell[2]:
                        view = views[number]
                        if name in view:
                            view[name] = value
                        else:
                            state.rebuild(number)
            branches = node.branches
            whole = False  # does the step need the whole of `commit`?
            if rest is None and not branches and (node.arms or not plan.finishers):
                state.armed = node.arms
            elif rest is None and len(branches) == 1 and branches[0].quick and not node.arms:
                branch = branches[0]
                if context is None:
                    context = copy_context()
                answer = context.run(branch.path, views[branch.view].copy())
                hop = branch.hops.get(answer, MISSING) if type(answer) is str else MISSING
                if hop is MISSING or (hop is None and plan.finishers):
                    follow(plan, task, branch, answer)
                    whole = True
                elif hop is None:
                    state.armed = ()
                else:
                    state.armed = task.arms = [hop]
            else:
                task.output = output
                if rest is not None:
                    node.write(plan, task, rest)
                routing = route(state, task, context or copy_context())
                if routing is not None:
                    await routing
                    in_loop = in_loop or run.has_entered()
                whole = True
        except BaseException as failure:
            await run.fail(task, failure)
            if run.halted:  # a router has asked something
                await halt(run, (task,))
                return None
            whole = True
        if journal is None:
            if whole:
                commit(state, (task,))
        elif not whole:
            state.version += 1
            state.ran = (node.index,)
            cleared: tuple[ChannelData, ...] = ()
            if state.awake:  # only START finds an input to be cleared
                cleared = clear_input(state)
            pending = journal.commit_update(state, task, step, cleared)
            if pending is not None:
                try:
                    await pending
                except CancelledError:
                    await journal.make_up()
                    raise
        else:
            await run.commit(journal, (task,))
        step += 1
        breath -= 1
        if not breath:
            breath = BREATH
            await breathe()
