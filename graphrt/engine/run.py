"""The run loop: plan -> run -> commit -> persist -> publish, until nothing is planned.

This is the hot path of graphrt. With neither checkpointer nor stream a superstep of one async node costs about 3 us
(`python -m bench --case loop_1000`), so `Run._supersteps` is one long function with plain attribute reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from graphrt.core.commit import commit
from graphrt.core.interrupts import Question
from graphrt.core.joins import check_joins
from graphrt.core.planning import plan_step
from graphrt.core.report import select, values_of
from graphrt.core.state import State, Task
from graphrt.engine.attempt import call_node, own_doing, start, start_inline
from graphrt.engine.attempts import try_node
from graphrt.engine.blame import blame, trim
from graphrt.engine.calls import settle_scope
from graphrt.engine.door import breathe, enter_loop, running_loop
from graphrt.engine.express import BREATH, express
from graphrt.engine.fanout import Gate
from graphrt.engine.handling import handle, has_handler
from graphrt.engine.living import at_hand, leave_alive, take_up
from graphrt.engine.nested import leave, open_inside
from graphrt.engine.opening import accept, open_thread, restore_results
from graphrt.engine.pausing import Stops, bubbled, halt, keep_paused, pass_on, signal_in
from graphrt.engine.surroundings import Surroundings
from graphrt.engine.telling import tell_checkpoint, tell_finished, tell_started
from graphrt.engine.watch import Watch
from graphrt.errors import GraphDrained, GraphRecursionError, NoParentGraphError, ParentCommand
from graphrt.types import Command

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.checkpoint import TaskResult
    from graphrt.engine.caching import Missed
    from graphrt.engine.journal import Journal
    from graphrt.engine.slots import Slots

__all__ = ["Run"]

Work: TypeAlias = "Callable[[State, Task], Coroutine[Any, Any, None]]"


class Run(Surroundings, eq=False):
    """One execution of a plan. Whoever makes it awaits `execute` once; nothing of it is alive afterwards.

    Attributes:
        stops: breakpoints; `fresh` says that something has changed since the run last stopped at one.
        halted: it has stopped on the way; `open_` has the questions that it waits for.
        eager: it was told to go on without an answer.
        idle: nothing is to run, as it was told nothing new.
        inner: the namespace of the graph inside it, at one of whose checkpoints it is to begin.
        deferred: what it will raise when the step's other tasks have ended.
        missed: the step's tasks whose results are to be kept in a cache.
        beside: of a run that goes on in the next attempt at its task, what had finished of the step at hand; `tasks`
            are the step's tasks, and `sound` the state's version when it began.
        loop: where `execute` was awaited, if a loop ran then; `slots` bound how many called tasks run in it at a time.
    """

    max_concurrency: int | None = None
    step_timeout: float | None = None
    stop: int = 0
    restored: tuple[TaskResult, ...] = ()
    watch: Watch | None = None
    stops: Stops | None = None
    fresh: bool = True
    halted: bool = False
    deferred: BaseException | None = None
    open_: tuple[Question, ...] = ()
    inner: str = ""
    idle: bool = False
    eager: bool = False
    beside: Mapping[str, Task] | None = None
    tasks: Sequence[Task] = ()
    sound: int = -1
    loop: asyncio.AbstractEventLoop | None = None
    slots: Slots | None = None
    missed: Sequence[Missed] = ()

    # -- the loop ------------------------------------------------------------------------------------------------

    async def execute(self, given: Any, *, checkpoint: str | None = None) -> None:
        """Run from `given` to the end; the outcome is `self.state`, and `self.halted` if it stopped on the way.

        Raises:
            GraphRecursionError: the step limit was reached; what was committed stays.
            GraphInterrupt: a run inside another one has stopped.
            whatever a node raises, with a note that names its task, and a traceback without what is in between.
        """
        journal = self.journal
        if self.loop is None:
            self.loop = running_loop()
        try:
            if journal is None:
                self.state = State.empty(self.plan)
                self.stop = self.limit
                if self.trial is not None and take_up(self):
                    ended = False
                elif self.unwatched() and given is not None and type(given) is not Command:
                    ended = await self.begin_express(given, 0)
                else:
                    accept(self, given)
                    ended = False
                if not ended:
                    await self._supersteps(self.state)
            elif not await (
                open_thread(self, given, checkpoint) if self.around is None else open_inside(self, given)
            ):
                await self._supersteps(self.state)
        except BaseException as failure:
            await self._broken_off(failure)
            trim(failure)
            raise
        if journal is not None:
            journal.forgetful = journal.forgetful and not self.halted
            await journal.close()
        if self.around is not None:
            if self.halted:
                pass_on(self)
            if journal is not None:
                leave(self)

    async def _broken_off(self, failure: BaseException) -> None:
        """The run ends by an exception: store what it came to."""
        journal = self.journal
        if self.trial is not None:
            leave_alive(self)
        if journal is not None:
            journal.forgetful = False
            try:
                await journal.close()
            except Exception as second:
                failure.add_note(f"The run's last state could not be stored either: {second!r}")
        if type(failure) is ParentCommand:
            failure.left = self
            if self.around is not None and journal is not None:
                leave(self)
            if self.around is None:
                raise NoParentGraphError(failure.command) from None

    async def begin_express(self, given: Any, step: int) -> bool:
        """Step 0 and what follows on the express way; True if that was the whole run."""
        state = self.state
        reached = await express(self, state, step, given)
        if reached is None:
            return True
        self.step = reached - 1
        return not (state.armed or state.sends or self.plan.joins or reached > self.stop)

    async def _supersteps(self, state: State) -> None:  # noqa: C901 - the hot loop, see above
        journal = self.journal
        publisher = self.publisher
        in_loop = self.loop is not None
        observed = self.observed
        told = publisher is not None or observed is not None
        begin, work, begin_here = (start, call_node, start_inline) if observed is None else observed.ways
        unwatched = self.unwatched()
        trial = self.trial
        cache = self.cache if state.plan.cached else None
        step = self.step + 1
        stop = self.stop
        breath = BREATH
        while True:
            self.step = step
            if (
                unwatched
                and not self.restored
                and len(state.armed) == 1
                and state.plan.nodes[state.armed[0]].express
            ):
                if (reached := await express(self, state, step)) is None:
                    return
                self.step = step = reached
                in_loop = self.loop is not None
            tasks = plan_step(state, self)
            known = restore_results(self, tasks) if self.restored else {}
            if trial is not None:
                at_hand(self, tasks)
            if publisher is not None and publisher.wants.checkpoints:
                await tell_checkpoint(self, publisher, tasks, known)
            if step > stop:
                raise self._out_of_steps()
            if not tasks:
                break
            if (self.stops is not None or self.family is not None) and await self._stops_before(tasks):
                return
            if cache is not None:
                await self._look_up(cache, tasks)
            if told:
                await tell_started(self, tasks)
            if self.watch is not None:
                self.watch.begin(state)
            task = tasks[0]
            node = task.node
            rest: Awaitable[None] | None
            if len(tasks) > 1 or self.step_timeout is not None or task.restored or task.paused:
                if not in_loop:
                    in_loop = await self.enter_loop()
                await self._together(tasks)
            else:
                try:
                    if node.policy is not None:
                        rest = try_node(self, task)
                    elif node.is_async:
                        if not in_loop and not node.is_graph:
                            in_loop = await self.enter_loop()
                        rest = begin(state, task)
                    elif in_loop and node.call is not None:
                        rest = work(state, task)
                    else:
                        rest = begin_here(state, task)
                    if rest is not None:
                        await rest
                        in_loop = in_loop or self.has_entered()
                    if self.watch is not None:
                        self.watch.check(state, task)
                except BaseException as failure:
                    await self.fail(task, failure)
                    in_loop = self.has_entered()
            if self.halted:
                if cache is not None:
                    await self._keep_in_cache(all_ended=False)
                await halt(self, tasks)
                return
            if journal is None and not told:
                commit(state, tasks)
            else:
                await self.commit(journal, tasks)
            if told:
                if observed is not None:
                    observed.committed(self, tasks)
                if publisher is not None:
                    tell_finished(self, publisher, tasks)
                    publisher.committed(state, tasks)
            if cache is not None:
                await self._keep_in_cache(all_ended=True)
            if self.stops is not None and await self._stops_after(tasks):
                return
            step += 1
            breath -= 1
            if not breath:
                breath = BREATH
                await breathe()
        if trial is not None:
            leave_alive(self)
        if self.plan.joins:
            check_joins(state)

    def unwatched(self) -> bool:
        """Whether the express way may be taken: nobody is told what happens, and steps are not timed."""
        start = self.plan.start
        if self.publisher is not None or self.step_timeout is not None or self.watch is not None:
            return False
        if self.trial is not None:
            return False
        if self.observed is not None:
            return False
        if self.stops is not None or (self.family is not None and self.family.control is not None):
            return False
        return start is not None and start.express

    # -- stopping on the way -------------------------------------------------------------------------------------

    async def _stops_before(self, tasks: Sequence[Task]) -> bool:
        """Whether the run ends here, before its next tasks.

        Raises:
            GraphDrained: somebody asked for it.
        """
        if self.idle and (self.stops is not None or any(task.paused for task in tasks)):
            self.halted = True
            await halt(self, [task for task in tasks if task.restored or task.paused])
            return True
        stops = self.stops
        if stops is not None and self.fresh and any(task.node.index in stops.before for task in tasks):
            return self._stop()
        control = self.family.control if self.family is not None else None
        if control is not None and control.drain_reason is not None:
            raise GraphDrained(control.drain_reason)
        return False

    async def _stops_after(self, tasks: Sequence[Task]) -> bool:
        """Whether the run ends here, after tasks that were committed."""
        self.fresh = True
        if self.stops is None or not any(task.node.index in self.stops.after for task in tasks):
            return False
        if self.publisher is not None and self.publisher.wants.checkpoints:
            await tell_checkpoint(self, self.publisher, plan_step(self.state, self), {})
        return self._stop()

    def _stop(self) -> bool:
        self.halted = True
        if self.publisher is not None:
            self.publisher.stopped()
        return True

    async def enter_loop(self) -> bool:
        """Have an event loop from here on; always True."""
        await enter_loop()
        return self.has_entered()

    def has_entered(self) -> bool:
        """Whether there is an event loop now, as something has entered one."""
        self.loop = running_loop()
        return self.loop is not None

    # -- one step ------------------------------------------------------------------------------------------------

    async def _together(self, tasks: Sequence[Task]) -> None:
        """Run the tasks of a step concurrently, except those that need not run again."""
        todo = [task for task in tasks if not (task.restored or task.paused)]
        if not todo:
            return
        clock = asyncio.timeout(self.step_timeout)
        work = self._attempt if self.observed is None else partial(self._attempt, work=self.observed.work)
        try:
            if self.step_timeout is None:
                await Gate(todo, work).run(self.max_concurrency)
            else:
                async with clock:
                    await Gate(todo, work).run(self.max_concurrency)
            if self.deferred is not None:
                raise self._released()
        except BaseException as failure:
            await self._keep_finished(todo, failure)
            if isinstance(failure, TimeoutError) and clock.expired():
                raise TimeoutError(
                    f"Timed out: step {self.step} took longer than {self.step_timeout} s."
                ) from None
            raise

    async def _keep_finished(self, tasks: Sequence[Task], failure: BaseException) -> None:
        """Keep what tasks of a failed step have written or asked; what goes wrong here must not hide the failure."""
        if self.missed:
            await self._keep_in_cache(all_ended=False)
        if self.journal is None:
            return
        try:
            for task in tasks:
                if task.finished:
                    await self.journal.keep(self.state, task)
                elif task.paused:
                    await keep_paused(self, task)
        except Exception as second:
            failure.add_note(f"What had finished beside it could not be stored: {second!r}")

    async def _look_up(self, cache: BaseCache[Any], tasks: Sequence[Task]) -> None:
        """Give tasks the results that a cache has of them."""
        from graphrt.engine.caching import take_cached

        self.missed = await take_cached(self, cache, tasks)

    async def _keep_in_cache(self, *, all_ended: bool) -> None:
        """Keep the results of those that the cache had none of."""
        from graphrt.engine.caching import keep_missed

        missed, self.missed = self.missed, ()
        cache = self.cache
        if missed and cache is not None:
            await keep_missed(self, cache, missed, all_ended=all_ended)

    async def _attempt(self, gate: Gate[Task], task: Task, work: Work = call_node) -> None:
        """Run one of several tasks, in an asyncio task of its own."""
        try:
            if task.node.policy is None:
                await work(self.state, task)
            else:
                await try_node(self, task)
            if self.watch is not None:
                self.watch.check(self.state, task)
            task.finished = True
            await self._beside(gate, task)
        except BaseException as failure:
            await self._lost(gate, task, failure)
        else:
            gate.win()

    async def _lost(self, gate: Gate[Task], task: Task, failure: BaseException) -> None:
        """One of several tasks has not come to its end."""
        blamed = own_doing(task, failure)
        try:
            if task.scope is not None and task.scope.alive:
                await settle_scope(task, signal_in(blamed) or blamed)
            if gate.failure is not None or gate.stopping:
                gate.lose(failure)
                return
            if await bubbled(self, task, blamed):
                if task.finished:
                    await self._beside(gate, task)
                gate.win()
                return
            if has_handler(task, blamed):
                await self._handle_beside(gate, task, blamed)
                return
            await self.failed(task, blamed)
            gate.lose(blamed)
        except BaseException as second:  # storing what it waits for went wrong
            gate.lose(second)
        finally:
            del failure, blamed

    async def _handle_beside(self, gate: Gate[Task], task: Task, failure: BaseException) -> None:
        """The error handler of one of several tasks does its work, which may fail in turn."""
        try:
            await handle(self, task, cast(Exception, failure))
            task.finished = True
            await self._beside(gate, task)
        except BaseException as second:
            await self._lost(gate, task, second)
        else:
            gate.win()
        finally:
            del failure

    async def _beside(self, gate: Gate[Task], task: Task) -> None:
        """A task has finished, perhaps while others of its step still run: keep its result then, and report it."""
        if gate.left == 1 or (
            self.publisher is None and (self.journal is None or not self.journal.keeps_each)
        ):
            return
        if self.journal is not None:
            await self.journal.keep(self.state, task)
        if self.publisher is not None:
            task.reported = True
            self.publisher.finished(task, self.identify(task), self.step)

    async def fail(self, task: Task, failure: BaseException) -> None:
        """A task that is alone in its step has not come to its end.

        Returns if it has only paused (`halted`), or gone on with a Command from a graph inside it.

        Raises:
            the failure, or what it really was.
        """
        blamed = own_doing(task, failure)
        try:
            if task.scope is not None and task.scope.alive:
                await settle_scope(task, signal_in(blamed) or blamed)
            if await bubbled(self, task, blamed):
                if self.deferred is not None:
                    raise self._released()
                return
            if not has_handler(task, blamed):
                await self.failed(task, blamed)
                raise blamed
            try:
                await handle(self, task, cast(Exception, blamed))
            except BaseException as second:
                await self.fail(task, second)
        finally:
            del failure, blamed  # their traceback holds this frame

    def _released(self) -> BaseException:
        deferred, self.deferred = self.deferred, None
        assert deferred is not None
        return deferred

    async def failed(self, task: Task, failure: BaseException, *, handled: bool = False) -> None:
        """A task has failed: say where, record it, report it. The failure itself stays what it is (LangGraph G9).

        Args:
            handled: its error handler runs next, and if this run breaks off, in the one that goes on (LangGraph O6).
        """
        if not isinstance(failure, Exception):
            return
        if self.observed is not None:
            self.observed.failed(task, failure)
        identity = self.identify(task)
        blame(self, task, failure)
        if self.publisher is not None:
            self.publisher.finished(task, identity, self.step, failure)
        if self.journal is not None:
            try:
                await self.journal.keep(self.state, task, failure, handled=handled)
            except Exception as second:
                failure.add_note(f"That it failed could not be stored: {second!r}")

    async def commit(self, journal: Journal | None, tasks: Sequence[Task]) -> None:
        """Commit the step and store it.

        Raises:
            InvalidUpdateError: the state cannot take a write; what the tasks returned is stored.
            whatever a reducer or `Journal.commit` raises.
        """
        state = self.state
        try:
            commit(state, tasks)
        except Exception:
            if journal is not None:
                # They have run; going on from here must not run them again (LangGraph E12).
                for task in tasks:
                    await journal.keep(state, task)
            if self.publisher is not None:
                tell_finished(self, self.publisher, tasks)
            raise
        if journal is not None:
            try:
                await journal.commit(state, step=self.step, source="loop", tasks=tasks)
            except asyncio.CancelledError:
                await journal.make_up()
                raise

    def _out_of_steps(self) -> GraphRecursionError:
        limit = self.limit
        return GraphRecursionError(
            f"Recursion limit of {limit} reached without hitting a stop condition in graph {self.plan.name!r}, at step "
            f"{self.step}. Raise `recursion_limit` in the config, or look for a loop that never ends; with a "
            "checkpointer, running the thread again with None goes on from here.",
            limit=limit,
            step=self.step,
            state=values_of(self.state, select(self.plan, None, self.plan.stream)),
        )
