"""The run loop: plan -> run -> commit -> persist -> publish, until nothing is planned.

This is the hot path of graphrt. With neither checkpointer nor stream a superstep of one async node costs about 3 us
(`python -m bench --case loop_1000`), so `Run._supersteps` is one long function with plain attribute reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from os import urandom
from time import time_ns
from typing import TYPE_CHECKING, Any, NoReturn, cast

from msgspec import Struct

from graphrt.config import RunnableConfig
from graphrt.core.commit import commit, commit_input, commit_null
from graphrt.core.ids import CheckpointIds, path_text, task_id, task_namespace, task_triggers
from graphrt.core.joins import check_joins
from graphrt.core.planning import plan_step
from graphrt.core.snapshot import adopt, adopted, restore
from graphrt.core.state import State, Task
from graphrt.engine.attempt import call_node, own_doing, start, start_inline
from graphrt.engine.door import breathe, enter_loop, running_loop
from graphrt.engine.express import BREATH, express, hold_input
from graphrt.engine.fanout import Gate
from graphrt.engine.intake import command_task, input_writes, nothing_to_run
from graphrt.engine.stream import SILENT, Writer
from graphrt.engine.watch import Watch
from graphrt.errors import GraphRecursionError
from graphrt.runtime import ExecutionInfo, Runtime
from graphrt.types import Command, StreamWriter

if TYPE_CHECKING:
    from graphrt.checkpoint import Stored, TaskResult
    from graphrt.core.plan import Plan
    from graphrt.engine.journal import Journal
    from graphrt.engine.publish import Publisher

__all__ = ["Run"]


class Run(Struct, eq=False):
    """One execution of a plan. Whoever makes it awaits `execute` once; nothing of it is alive afterwards."""

    plan: Plan
    config: RunnableConfig
    limit: int
    context: Any = None
    journal: Journal | None = None
    publisher: Publisher | None = None
    max_concurrency: int | None = None
    step_timeout: float | None = None
    step: int = -1
    stop: int = 0
    state: State = cast(State, None)
    restored: tuple[TaskResult, ...] = ()
    seed: str | None = None
    watch: Watch | None = None

    # -- the loop ------------------------------------------------------------------------------------------------

    async def execute(self, given: Any, *, checkpoint: str | None = None) -> None:
        """Run from `given` to the end; the outcome is `self.state`.

        Raises:
            GraphRecursionError: the step limit was reached; what was committed stays.
            whatever a node raises, with a note that names its task.
        """
        journal = self.journal
        if journal is None:
            self.state = state = State.empty(self.plan)
            self.stop = self.limit
            if self.unwatched() and given is not None:
                if await self._begin_express(given, 0):
                    return
            else:
                self._accept(given)
            await self._supersteps(state)
            return
        try:
            if not await self._open(given, checkpoint):
                await self._supersteps(self.state)
        except BaseException as failure:
            try:
                await journal.close()
            except Exception as second:
                failure.add_note(f"The run's last state could not be stored either: {second!r}")
            raise
        await journal.close()

    async def _begin_express(self, given: Any, step: int) -> bool:
        """Step 0 and what follows on the express way; True if that was the whole run."""
        state = self.state
        step = await express(self, state, step, given)
        self.step = step - 1
        return not (state.armed or state.sends or self.plan.joins or step > self.stop)

    async def _supersteps(self, state: State) -> None:  # noqa: C901 - the hot loop, see above
        journal = self.journal
        publisher = self.publisher
        in_loop = running_loop() is not None
        unwatched = self.unwatched()
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
                self.step = step = await express(self, state, step)
            tasks = plan_step(state, self)
            known = self._restore(tasks) if self.restored else {}
            if publisher is not None and publisher.hub.wants_checkpoints:
                await self._announce_checkpoint(publisher, tasks, known)
            if step > stop:
                raise self._out_of_steps()
            if not tasks:
                break
            if publisher is not None:
                await self._announce_tasks(publisher, tasks)
            if self.watch is not None:
                self.watch.begin(state)
            task = tasks[0]
            if len(tasks) > 1 or self.step_timeout is not None or task.restored:
                await enter_loop()
                in_loop = True
                await self._together(tasks)
            else:
                try:
                    if task.node.is_async:
                        if not in_loop:
                            await enter_loop()
                            in_loop = True
                        rest = start(state, task)
                    elif in_loop and task.node.call is not None:
                        rest = call_node(state, task)
                    else:
                        rest = start_inline(state, task)
                    if rest is not None:
                        await rest
                        in_loop = running_loop() is not None
                    if self.watch is not None:
                        self.watch.check(state, task)
                except BaseException as failure:
                    await self.fail(task, failure)
            if journal is None and publisher is None:
                commit(state, tasks)
            else:
                await self.commit(journal, tasks)
            if publisher is not None:
                self._report_finished(publisher, tasks)
                publisher.committed(state, tasks)
            step += 1
            breath -= 1
            if not breath:
                breath = BREATH
                await breathe()
        if self.plan.joins:
            check_joins(state)

    def unwatched(self) -> bool:
        """Whether the express way may be taken: nobody is told what happens, and steps are not timed."""
        start = self.plan.start
        if self.publisher is not None or self.step_timeout is not None or self.watch is not None:
            return False
        return start is not None and start.express

    # -- beginning -----------------------------------------------------------------------------------------------

    def _accept(self, given: Any) -> None:
        """Turn what the run was given into the state's first commit."""
        if given is None:
            raise nothing_to_run(self.plan)
        commit_input(self.state, input_writes(self.plan, given))

    async def _open(self, given: Any, checkpoint: str | None) -> bool:
        """Load the thread, and make the input durable before any node runs (LangGraph A5-A7, A11).

        True if the express way led to the end of the run already.
        """
        journal = self.journal
        assert journal is not None
        stored = await journal.load(checkpoint)
        goes_on = False
        if stored is None:
            self.state = State.empty(self.plan)
            self.step = -2
        else:
            goes_on = given is None or type(given) is Command or self._same_run(stored)
            self.state = restore(self.plan, stored, journal.decode, running=goes_on, book=journal.book)
            self.step = stored.checkpoint.step
        self.stop = self.step + self.limit + 2  # so a run that goes on gets two steps more (LangGraph A12)
        if stored is not None and goes_on:
            await self._go_on(given, stored)
            return False
        state = self.state
        self.step += 1
        if self.unwatched() and given is not None and not (state.armed or state.sends or state.awake):
            pending = journal.commit_given(state, given, self.step)
            if pending is not None:
                await pending
            await journal.settle()
            hold_input(state, given)
            return await self._begin_express(given, self.step + 1)
        self._accept(given)
        await journal.commit(state, step=self.step, source="input", tasks=())
        await journal.settle()
        return False

    async def _go_on(self, given: Any, stored: Stored) -> None:
        """Continue the thread's unfinished step, with the results that were kept of it.

        Results that a commit brought belong to a step that has ended: from an older checkpoint on it is run anew
        (LangGraph K11).
        """
        self.restored = tuple([result for result in stored.results if result.child is None])
        for result in self.restored:
            if not result.node:
                commit_null(self.state, adopted(self.plan, result, self._decode, self))
        if type(given) is Command:
            task = command_task(self.plan, given, self)
            assert self.journal is not None
            await self.journal.keep_null(self.state, task)
            commit_null(self.state, task)
        if self.publisher is not None:
            self.publisher.values(self.state)

    def _decode(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        assert self.journal is not None
        return self.journal.decode(data, parts)

    def _same_run(self, stored: Stored) -> bool:
        """The same run_id again goes on with that run, whatever its input (LangGraph A5)."""
        run_id = self.config.get("metadata", {}).get("run_id")
        return run_id is not None and stored.checkpoint.metadata.get("run_id") == run_id

    def _restore(self, tasks: Sequence[Task]) -> dict[str, TaskResult]:
        """Hand results that an earlier attempt finished with back to their tasks (LangGraph K7, K8)."""
        known = {result.path: result for result in self.restored}
        self.restored = ()
        for task in tasks:
            result = known.get(path_text(task))
            if result is not None and result.error is None:
                adopt(self.plan, task, result, self._decode)
        return known

    # -- one step ------------------------------------------------------------------------------------------------

    async def _together(self, tasks: Sequence[Task]) -> None:
        """Run the tasks of a step concurrently, except those that need not run again."""
        todo = [task for task in tasks if not task.restored]
        if not todo:
            return
        clock = asyncio.timeout(self.step_timeout)
        try:
            if self.step_timeout is None:
                await Gate(todo, self._attempt).run(self.max_concurrency)
                return
            async with clock:
                await Gate(todo, self._attempt).run(self.max_concurrency)
        except BaseException as failure:
            await self._keep_finished(todo, failure)
            if isinstance(failure, TimeoutError) and clock.expired():
                raise TimeoutError(
                    f"Timed out: step {self.step} took longer than {self.step_timeout} s."
                ) from None
            raise

    async def _keep_finished(self, tasks: Sequence[Task], failure: BaseException) -> None:
        """Keep what finished tasks of a failed step have written; what goes wrong here must not hide the failure."""
        if self.journal is None:
            return
        try:
            for task in tasks:
                if task.finished:
                    await self.journal.keep(self.state, task)
        except Exception as second:
            failure.add_note(f"What had finished beside it could not be stored: {second!r}")

    async def _attempt(self, gate: Gate[Task], task: Task) -> None:
        """Run one of several tasks, in an asyncio task of its own."""
        try:
            await call_node(self.state, task)
            if self.watch is not None:
                self.watch.check(self.state, task)
            task.finished = True
            if gate.left > 1 and (
                self.publisher is not None or (self.journal is not None and self.journal.keeps_each)
            ):
                await self._finished(task)
        except BaseException as failure:
            if gate.failure is None and not gate.stopping:
                blamed = own_doing(task, failure)
                try:
                    await self._failed(task, blamed)
                    gate.lose(blamed)
                finally:
                    del blamed
            else:
                gate.lose(failure)
        else:
            gate.win()

    async def _finished(self, task: Task) -> None:
        """A task has finished while others of its step still run: keep its result, then report it."""
        if self.journal is not None:
            await self.journal.keep(self.state, task)
        if self.publisher is not None:
            task.reported = True
            self.publisher.finished(task, self.identify(task), self.step)

    async def fail(self, task: Task, failure: BaseException) -> NoReturn:
        """End the run, as its task has failed.

        Raises:
            the failure, or what it really was.
        """
        blamed = own_doing(task, failure)
        try:
            await self._failed(task, blamed)
            raise blamed
        finally:
            del failure, blamed  # their traceback holds this frame

    async def _failed(self, task: Task, failure: BaseException) -> None:
        """A task has failed: say where, record it, report it. The failure itself stays what it is (LangGraph G9)."""
        if not isinstance(failure, Exception):
            return
        identity = self.identify(task)
        thread = f", thread {self.journal.thread_id!r}" if self.journal is not None else ""
        failure.add_note(
            f"During task with name {task.node.name!r} and id {identity!r} "
            f"(graph {self.plan.name!r}, step {self.step}{thread})"
        )
        if self.publisher is not None:
            self.publisher.finished(task, identity, self.step, failure)
        if self.journal is not None:
            try:
                await self.journal.keep(self.state, task, failure)
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
                self._report_finished(self.publisher, tasks)
            raise
        if journal is not None:
            await journal.commit(state, step=self.step, source="loop", tasks=tasks)

    # -- telling -------------------------------------------------------------------------------------------------

    async def _announce_checkpoint(
        self, publisher: Publisher, tasks: Sequence[Task], known: Mapping[str, TaskResult]
    ) -> None:
        """Report the newest checkpoint with its tasks, also when the step limit keeps them from starting (J7)."""
        for task in tasks:
            self.identify(task)
        await publisher.checkpoint(self.state, tasks, known)

    async def _announce_tasks(self, publisher: Publisher, tasks: Sequence[Task]) -> None:
        """Wait until the consumer asks for more, then report what starts (LangGraph J10, J12)."""
        await publisher.hub.drained()
        for task in tasks:
            if task.restored:
                task.reported = True
                publisher.finished(task, self.identify(task), self.step)
            elif publisher.hub.wants_tasks:
                publisher.started(task, self.identify(task), self.step)

    def _report_finished(self, publisher: Publisher, tasks: Sequence[Task]) -> None:
        """Report the tasks that could not be reported before the step was durable."""
        for task in tasks:
            if not task.reported:
                publisher.finished(task, self.identify(task), self.step)

    def _out_of_steps(self) -> GraphRecursionError:
        limit = self.limit
        return GraphRecursionError(
            f"Recursion limit of {limit} reached without hitting a stop condition in graph {self.plan.name!r}, at step "
            f"{self.step}. Raise `recursion_limit` in the config, or look for a loop that never ends; with a "
            "checkpointer, running the thread again with None goes on from here.",
            limit=limit,
            step=self.step,
        )

    # -- what a node may ask for ---------------------------------------------------------------------------------

    def identify(self, task: Task) -> str:
        """The task's id."""
        if self.journal is not None:
            return self.journal.identify(task, self.step)
        if task.id_ is None:
            if self.seed is None:
                self.seed = CheckpointIds(int.from_bytes(urandom(6))).next(time_ns())
            task.id_ = task_id(task, checkpoint=self.seed, namespace="", step=self.step)
        return task.id_

    def config_of(self, task: Task) -> RunnableConfig:
        """The run's config with the task's metadata and tags (LangGraph D8)."""
        config = self.config
        node = task.node
        namespace = task_namespace(task, identity=self.identify(task), namespace="")
        metadata = {
            **config.get("metadata", {}),
            "langgraph_step": self.step,
            "langgraph_node": node.name,
            "langgraph_triggers": task_triggers(task),
            "langgraph_path": task.path,
            "langgraph_checkpoint_ns": namespace,
            **node.metadata,
        }
        return {
            **config,
            "tags": [*config.get("tags", ()), *node.tags],
            "metadata": metadata,
            "configurable": {**config.get("configurable", {}), "checkpoint_ns": namespace},
        }

    def runtime_of(self, task: Task) -> Runtime[Any]:
        """A Runtime for the task."""
        return Runtime(
            context=self.context,
            stream_writer=self.writer_of(task),
            identify=lambda: self._execution_info(task),
        )

    def writer_of(self, task: Task) -> StreamWriter:
        """The writer to the `custom` stream, or one that does nothing."""
        if self.publisher is not None and self.publisher.hub.wants_custom:
            return Writer(self.publisher.hub)
        return SILENT

    def _execution_info(self, task: Task) -> ExecutionInfo:
        identity = self.identify(task)
        run_id = self.config.get("run_id")
        return ExecutionInfo(
            checkpoint_id=(self.journal.current if self.journal is not None else None) or "",
            checkpoint_ns=task_namespace(task, identity=identity, namespace=""),
            task_id=identity,
            thread_id=self.config.get("configurable", {}).get("thread_id"),
            run_id=None if run_id is None else str(run_id),
        )
