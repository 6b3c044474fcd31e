"""What a run is part of, and what its tasks may ask it for: built when asked, found by way of the runs around it."""

from __future__ import annotations

from collections.abc import Sequence
from os import urandom
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, structs

from graphrt.config import RunnableConfig, config_inside
from graphrt.core.ids import path_text, task_id, task_namespace, task_triggers
from graphrt.core.state import State, Task
from graphrt.engine.asking import ask
from graphrt.engine.family import Family
from graphrt.engine.places import namespace_of
from graphrt.engine.scope import scope_of
from graphrt.engine.stream import SILENT
from graphrt.engine.trial import GuardedWriter, trial_around, trial_of
from graphrt.errors import InvalidUpdateError, UnknownKeyError, did_you_mean
from graphrt.runtime import ExecutionInfo, Runtime, ServerInfo
from graphrt.types import StreamWriter

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.checkpoint import TaskResult
    from graphrt.core.plan import Plan
    from graphrt.engine.journal import Journal
    from graphrt.engine.observed import Observed
    from graphrt.engine.publish import Publisher
    from graphrt.engine.stream import Targets
    from graphrt.engine.trial import Trial
    from graphrt.serde import Serializer

__all__ = ["Surroundings"]


class Surroundings(Struct, eq=False):
    """The part of a `Run` that does nothing by itself.

    Attributes:
        around: the task that this run is part of, if a graph runs inside another; `number` says which of its graphs.
        keeper_around: the nearest run around it that stores anything.
        lasts: its state is kept from one run of the surrounding graph to the next (`checkpointer=True`).
        unstored: nothing of it is stored, nor of graphs inside it (`checkpointer=False`).
        trial: the nearest trial of a task that this run is part of.
        blamed: id of the exception that has last got a note in this run or one inside it.
        observed: what its observers are told by, if it has any.
        memos: what tasks of step `memo_step` have kept for their next attempt, by path.
    """

    plan: Plan
    config_: RunnableConfig | None
    limit: int
    context: Any = None
    journal: Journal | None = None
    publisher: Publisher | None = None
    observed: Observed | None = None
    step: int = -1
    state: State = cast(State, None)
    seed: str | None = None
    around: Task | None = None
    keeper_around: Surroundings | None = None
    number: int = 0
    unstored: bool = False
    family: Family | None = None
    lasts: bool = False
    space: str | None = None
    own_config: RunnableConfig | None = None
    memos: dict[str, TaskResult] = {}
    memo_step: int = -2
    trial: Trial | None = None
    blamed: int = 0
    own_store: Any = None
    own_cache: BaseCache[Any] | None = None
    own_codec: Serializer | None = None

    # -- surroundings --------------------------------------------------------------------------------------------

    @property
    def config(self) -> RunnableConfig:
        """The run's config. That of a nested run is merged from what surrounds it when somebody asks."""
        if self.config_ is None:
            assert self.around is not None
            self.config_ = config_inside(self.around.config, self.own_config)
        return self.config_

    @property
    def namespace(self) -> str:
        """Where in its thread the run takes place; "" for the outermost one."""
        if self.space is None:
            self.space = namespace_of(self)
        return self.space

    @property
    def outermost(self) -> Surroundings:
        """The run that all this is part of."""
        run: Surroundings = self
        while run.around is not None:
            run = run.around.owner
        return run

    @property
    def keeper(self) -> Surroundings | None:
        """The nearest run that stores anything: this one, or one around it."""
        return self if self.journal is not None else self.keeper_around

    @property
    def kin(self) -> Family:
        """What it shares with the runs around and inside it."""
        if self.family is None:
            self.family = Family() if self.around is None else cast(Surroundings, self.around.owner).kin
        return self.family

    @property
    def store(self) -> Any:
        """The long-term memory of the outermost run that has one: it is that of the runs inside, too."""
        found = None
        run: Surroundings | None = self
        while run is not None:
            found = run.own_store if run.own_store is not None else found
            run = run.around.owner if run.around is not None else None
        return found

    @property
    def cache(self) -> BaseCache[Any] | None:
        """Where results are kept: the cache of the outermost run that has one."""
        found = None
        run: Surroundings | None = self
        while run is not None:
            found = run.own_cache if run.own_cache is not None else found
            run = run.around.owner if run.around is not None else None
        return found

    @property
    def codec(self) -> Serializer:
        """What turns results into bytes for a cache: it knows the types of this run's graph, or of one around it."""
        run: Surroundings = self
        while run.own_codec is None:
            assert run.around is not None
            run = run.around.owner
        return run.own_codec

    def encode(self, value: Any) -> bytes:
        """A value as the nearest run that stores anything stores it."""
        keeper = self.keeper
        assert keeper is not None
        assert keeper.journal is not None
        journal = self.journal or keeper.journal
        return journal.encode(value)

    def decode_any(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """The opposite; what is of an unknown type comes back raw."""
        keeper = self.keeper
        assert keeper is not None
        assert keeper.journal is not None
        return (self.journal or keeper.journal).decode_raw(data, parts)

    def decode(self, data: bytes, parts: Sequence[bytes] = ()) -> Any:
        """What `encode` was given.

        Raises:
            DeserializationError: the bytes are damaged or of an unknown type.
        """
        return self._stores().decode(data, parts)

    def learn(self, schema: Any) -> None:
        """Let `encode` and `decode` know the classes that an annotation names."""
        self._stores().learn(schema)

    def _stores(self) -> Journal:
        keeper = self.keeper
        assert keeper is not None
        assert keeper.journal is not None
        return keeper.journal

    # -- memos ---------------------------------------------------------------------------------------------------

    def recall(self, path: str) -> TaskResult | None:
        """What a task of the step at hand has kept for its next attempt; it may be that it failed, or has paused."""
        keeper = self.keeper or self.outermost
        if keeper.memo_step != keeper.step:
            return None
        return keeper.memos.get(self._memo(keeper, path))

    async def remember(self, result: TaskResult) -> None:
        """Keep something for the next attempt at a task of the step at hand, durably if anything is."""
        keeper = self.keeper or self.outermost
        if keeper.memo_step != keeper.step:
            keeper.memos = {}
            keeper.memo_step = keeper.step
        kept = structs.replace(result, path=self._memo(keeper, result.path))
        if keeper.journal is not None:
            await keeper.journal.keep_results((kept,))
        keeper.memos[kept.path] = kept

    def _memo(self, keeper: Surroundings, path: str) -> str:
        """The path of a memo as `keeper` knows it."""
        run: Surroundings = self
        while run is not keeper:
            assert run.around is not None
            path = f"{path_text(run.around)}|{run.number}|{run.step}|{path}"
            run = run.around.owner
        return path

    # -- what a node may ask for ---------------------------------------------------------------------------------

    def ask(self, task: Task, value: Any, response_schema: Any) -> Any:
        """The answer to the task's next question, see `graphrt.types.interrupt`."""
        return ask(self, task, value, response_schema)

    def identify(self, task: Task) -> str:
        """The task's id."""
        if self.journal is not None:
            return self.journal.identify(task, self.step)
        if task.id_ is None:
            if self.seed is None:
                self.seed = (
                    urandom(16).hex()
                    if self.around is None
                    else f"{cast(Surroundings, self.around.owner).identify(self.around)}|{self.number}"
                )
            task.id_ = task_id(task, checkpoint=self.seed, namespace="", step=self.step)
        return task.id_

    def config_of(self, task: Task) -> RunnableConfig:
        """The run's config with the task's metadata and tags (LangGraph D8)."""
        config = self.config
        node = task.node
        namespace = task_namespace(task, namespace=self.namespace, step=self.step)
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
            store=self.store,
            stream_writer=self.writer_of(task),
            identify=lambda: self._execution_info(task),
            previous=self.previous,
            server_info=server_info(self.config),
            control=self.kin.control,
            heartbeat=lambda: _beat(task),
        )

    def writer_of(self, task: Task) -> StreamWriter:
        """The writer to the `custom` stream, or one that does nothing."""
        writer = SILENT
        if self.publisher is not None and self.publisher.wants.custom:
            writer = self.publisher.writer()
        trial: Trial | None = self.trial if task.scope is None else task.scope.trial
        return writer if trial is None else GuardedWriter(writer, trial)

    def shows(self, mode: str) -> Targets:
        """The streams that want what nodes report in this mode."""
        return () if self.publisher is None else self.publisher.targets(mode)

    def push(self, task: Task, key: str, value: Any) -> None:
        """Write to the state before what the task's node returns.

        Raises:
            UnknownKeyError: the state has no such key.
            InvalidUpdateError: a called task has no state to write to.
        """
        plan = self.plan
        if task.caller is not None:
            raise InvalidUpdateError(
                f"{task.node.name!r} is a called task: it may be remembered instead of run again, and what it pushed "
                "would be lost. Return the value, and push it in the node."
            )
        index = plan.channel_index.get(key)
        if index is None:
            raise UnknownKeyError(
                f"Node {task.node.name!r} pushed to {key!r}, which graph {plan.name!r} does not have."
                f"{did_you_mean(key, plan.channel_index)}",
                channel=key,
            )
        scope_of(task).pushed.append((index, plan.channels[index].prepare(value)))

    @property
    def previous(self) -> Any:
        """What an entrypoint saved on this thread before."""
        index = self.plan.channel_index.get("__previous__")
        if index is None:
            return None
        channel = self.state.channels[index]
        return channel.get() if channel.is_available() else None

    def _execution_info(self, task: Task) -> ExecutionInfo:
        identity = self.identify(task)
        run_id = self.config.get("run_id")
        keeper = self.keeper
        return ExecutionInfo(
            checkpoint_id=(
                keeper.journal.current if keeper is not None and keeper.journal is not None else None
            )
            or "",
            checkpoint_ns=task_namespace(task, namespace=self.namespace, step=self.step),
            task_id=identity,
            thread_id=self.config.get("configurable", {}).get("thread_id"),
            run_id=None if run_id is None else str(run_id),
            node_attempt=trial_of(task).number,
            node_first_attempt_time=trial_of(task).first_s,
        )


def _beat(task: Task) -> None:
    trial = trial_around(task)
    if trial is not None:
        trial.beat()


def server_info(config: RunnableConfig) -> ServerInfo | None:
    """What a server says of a run in its config, None if it says nothing (LangGraph U2)."""
    configurable = config.get("configurable", {})
    assistant = configurable.get("assistant_id")
    graph = configurable.get("graph_id")
    user = configurable.get("langgraph_auth_user")
    if not hasattr(user, "identity"):
        user = None
    if assistant is None and graph is None and user is None:
        return None
    return ServerInfo(str(assistant or ""), str(graph or ""), user)
