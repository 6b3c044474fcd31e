"""A run's configuration: what the caller may pass, how several are merged, how a node gets at it.

One context variable holds the task that is running; everything ambient (`get_config`, `get_stream_writer`,
`graphrt.runtime.get_runtime`) is read from there. LangGraph A1-A3.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, cast

from graphrt.errors import GraphError, GraphValidationError

if TYPE_CHECKING:
    from graphrt.runtime import Runtime
    from graphrt.store.base import BaseStore
    from graphrt.types import StreamWriter

__all__ = [
    "DEFAULT_RECURSION_LIMIT",
    "OutsideRunError",
    "RunnableConfig",
    "belongs",
    "config_inside",
    "current_task",
    "get_config",
    "get_store",
    "get_stream_writer",
    "merge_configs",
    "recursion_limit",
    "run_config",
    "running_task",
]

DEFAULT_RECURSION_LIMIT: Final = 10_007
"""Supersteps a run may take unless its config says otherwise (LangGraph A1)."""


class RunnableConfig(TypedDict, total=False):
    """What a run can be told besides its input. `configurable` carries `thread_id`, `checkpoint_id` and your own."""

    tags: list[str]
    metadata: dict[str, Any]
    run_name: str | None
    run_id: Any
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    callbacks: Any


_KEYS: Final = frozenset(RunnableConfig.__annotations__)
_THREAD_KEYS: Final = frozenset({"thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map"})
_COPIED_TO_METADATA: Final = (
    "thread_id", "checkpoint_id", "checkpoint_ns", "task_id", "run_id", "assistant_id", "graph_id",
)  # fmt: skip


class AmbientTask(Protocol):
    """What the running task offers to code that was not handed it."""

    @property
    def config(self) -> RunnableConfig: ...
    @property
    def runtime(self) -> Runtime[Any]: ...
    @property
    def writer(self) -> StreamWriter: ...
    @property
    def needed_store(self) -> Any: ...
    def ask(self, value: Any, response_schema: Any) -> Any: ...
    def shows(self, mode: str) -> Any: ...
    def push(self, key: str, value: Any) -> None: ...


current_task: ContextVar[AmbientTask] = ContextVar("graphrt_current_task")
"""The task whose code runs here; what users ask is `get_config`, `get_runtime` and the like."""


def running_task(asked_by: str) -> AmbientTask:
    """The task this code runs in.

    Raises:
        GraphError: `asked_by` was called outside a node.
    """
    task = current_task.get(None)
    if task is None:
        raise OutsideRunError(asked_by)
    return task


class OutsideRunError(GraphError, RuntimeError):
    """Something that only exists while a node runs was asked for outside of one."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}() was called outside of a running node. Call it from code that a node runs."
        )


def get_config() -> RunnableConfig:
    """The configuration of the running task, with its metadata.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
    """
    return running_task("get_config").config


def get_store() -> BaseStore:
    """The long-term memory that the running graph was compiled with, or a graph around it.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
        MissingStoreError: the graph has none (a ValueError).
    """
    store: BaseStore = running_task("get_store").needed_store
    return store


def get_stream_writer() -> StreamWriter:
    """The writer of the running task's `custom` stream.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
    """
    return running_task("get_stream_writer").writer


def merge_configs(*configs: Mapping[str, Any] | None) -> RunnableConfig:
    """One config from several, the last one winning: mappings merge, tags and callbacks add up.

    Unknown keys go to configurable. A config that names a thread of its own drops the `configurable` that it would
    have inherited (LangGraph A1, A2).
    """
    merged: dict[str, Any] = {}
    for config in configs:
        if config:
            _merge_into(merged, config)
    return cast(RunnableConfig, merged)


def _merge_into(merged: dict[str, Any], config: Mapping[str, Any]) -> None:
    for key, value in config.items():
        if key not in _KEYS:
            merged["configurable"] = {**merged.get("configurable", {}), key: value}
        elif value is None:
            continue
        elif key in ("metadata", "configurable"):
            merged[key] = {**merged.get(key, {}), **value}
        elif key == "tags":
            merged[key] = [*merged.get(key, ()), *(t for t in value if t not in merged.get(key, ()))]
        elif key == "callbacks" and type(value) is type(merged.get(key)) is list:
            merged[key] = [*merged[key], *(callback for callback in value if callback not in merged[key])]
        else:
            merged[key] = value


def run_config(own: RunnableConfig | None, call: Mapping[str, Any] | None) -> RunnableConfig:
    """The config a run works with: the ambient one, the graph's own, the call's; with the defaults filled in."""
    task = current_task.get(None)
    if task is None and own is None and call is not None and _KEYS.issuperset(call):
        return _completed(cast(RunnableConfig, dict(call)))  # most runs: 2 us less than merging
    explicit = merge_configs(own, call)
    return _completed(explicit) if task is None else config_inside(task.config, explicit)


def config_inside(ambient: RunnableConfig, explicit: RunnableConfig | None) -> RunnableConfig:
    """The config of a graph that is called while a task with the config `ambient` runs (LangGraph M7)."""
    explicit = explicit or {}
    return _completed(merge_configs(_inherited(ambient, explicit), explicit))


def _completed(config: RunnableConfig) -> RunnableConfig:
    configurable = config.get("configurable") or {}
    config["configurable"] = configurable
    metadata = dict(config.get("metadata") or {})
    for key in _COPIED_TO_METADATA:
        if key in configurable and key not in metadata:
            metadata[key] = configurable[key]
    config["metadata"] = metadata
    config.setdefault("tags", [])
    config.setdefault("recursion_limit", DEFAULT_RECURSION_LIMIT)
    config.setdefault("callbacks", None)
    return config


def belongs(task: AmbientTask, own: Mapping[str, Any] | None, call: Mapping[str, Any] | None) -> bool:
    """Whether a graph that is called with these configs is part of the task it is called in (LangGraph A2).

    It is not if they name a thread or a checkpoint, except if that is the task's own place: a node may pass on the
    config that it was given.
    """
    if not own and not call:
        return True
    configurable = merge_configs(own, call).get("configurable", {})
    if not _THREAD_KEYS & configurable.keys():
        return True
    around = task.config.get("configurable", {})
    places = [(given.get("thread_id"), given.get("checkpoint_ns")) for given in (configurable, around)]
    return places[0] == places[1]


def _inherited(ambient: RunnableConfig, explicit: RunnableConfig) -> RunnableConfig:
    inherited = cast(RunnableConfig, {k: v for k, v in ambient.items() if k not in ("run_id", "run_name")})
    if _THREAD_KEYS & explicit.get("configurable", {}).keys():
        inherited.pop("configurable", None)
    inherited["metadata"] = {
        k: v for k, v in ambient.get("metadata", {}).items() if not k.startswith("langgraph_")
    }
    return inherited


def recursion_limit(config: RunnableConfig) -> int:
    """The config's step limit.

    Raises:
        GraphValidationError: it is less than one.
    """
    limit = config.get("recursion_limit", DEFAULT_RECURSION_LIMIT)
    if limit < 1:
        raise GraphValidationError(f"'recursion_limit' must be at least 1, got {limit}.")
    return limit
