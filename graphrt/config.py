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
    from graphrt.types import StreamWriter

__all__ = [
    "DEFAULT_RECURSION_LIMIT",
    "RunnableConfig",
    "current_task",
    "get_config",
    "get_stream_writer",
    "merge_configs",
    "names_thread",
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


current_task: ContextVar[AmbientTask] = ContextVar("graphrt_current_task")


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


def get_stream_writer() -> StreamWriter:
    """The writer of the running task's `custom` stream.

    Raises:
        OutsideRunError: no node is running here (a RuntimeError).
    """
    return running_task("get_stream_writer").writer


def merge_configs(*configs: Mapping[str, Any] | None) -> RunnableConfig:
    """One config from several, the last one winning: mappings merge, tags add up, unknown keys go to configurable.

    A config that names a thread of its own drops the `configurable` it would have inherited (LangGraph A1, A2).
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
        else:
            merged[key] = value


def run_config(own: RunnableConfig | None, call: Mapping[str, Any] | None) -> RunnableConfig:
    """The config a run works with: the ambient one, the graph's own, the call's; with the defaults filled in."""
    task = current_task.get(None)
    if task is None and own is None and call is not None and _KEYS.issuperset(call):
        config = cast(RunnableConfig, dict(call))  # most runs: 2 us less than merging
    else:
        explicit = merge_configs(own, call)
        config = merge_configs(_inherited(task.config, explicit), explicit) if task is not None else explicit
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


def names_thread(*configs: Mapping[str, Any] | None) -> bool:
    """Whether one of these configs says which thread or checkpoint to work on (LangGraph A2)."""
    return any(
        config is not None and _THREAD_KEYS & config.get("configurable", config).keys() for config in configs
    )


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
