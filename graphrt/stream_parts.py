"""What the chunks of a `version="v2"` stream are, for type checkers; `graphrt.types` has the same names.

async for part in graph.astream(given, stream_mode=["values", "custom"], version="v2"):
    part: StreamPart
    if part["type"] == "values":
        part["data"], part["interrupts"]
"""

from typing import Any, Generic, Literal, NotRequired, TypeAlias, TypedDict

from graphrt.config import RunnableConfig
from graphrt.typing import ChunkT, StateT

__all__ = [
    "CheckpointPayload",
    "CheckpointStreamPart",
    "CheckpointTask",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "MessagesStreamPart",
    "StreamPart",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "ToolsStreamPart",
    "UpdatesStreamPart",
    "ValuesStreamPart",
]


class TaskPayload(TypedDict):
    """A task starts."""

    id: str
    name: str
    input: Any
    triggers: list[str]
    metadata: NotRequired[dict[str, Any]]


class TaskResultPayload(TypedDict):
    """A task has ended: well, by an exception, or to wait for answers."""

    id: str
    name: str
    error: BaseException | None
    result: dict[str, Any]
    interrupts: list[dict[str, Any]]


class CheckpointTask(TypedDict):
    """A task of the step that follows a checkpoint."""

    id: str
    name: str
    error: NotRequired[str]
    result: NotRequired[Any]
    interrupts: NotRequired[tuple[dict[str, Any], ...]]
    state: RunnableConfig | None


class CheckpointPayload(TypedDict, Generic[StateT]):
    """A checkpoint, and what is to be done from there."""

    config: RunnableConfig
    parent_config: RunnableConfig | None
    values: StateT
    metadata: dict[str, Any]
    next: list[str]
    tasks: list[CheckpointTask]


class _Debug(TypedDict):
    step: int
    timestamp: str


class _DebugCheckpoint(_Debug, Generic[StateT]):
    type: Literal["checkpoint"]
    payload: CheckpointPayload[StateT]


class _DebugTask(_Debug):
    type: Literal["task"]
    payload: TaskPayload


class _DebugTaskResult(_Debug):
    type: Literal["task_result"]
    payload: TaskResultPayload


DebugPayload: TypeAlias = _DebugCheckpoint[StateT] | _DebugTask | _DebugTaskResult
"""One of the payloads of `tasks` and `checkpoints`, with its step and time (ISO 8601, UTC)."""


class _Part(TypedDict):
    ns: tuple[str, ...]


class ValuesStreamPart(_Part, Generic[ChunkT]):
    """The state after a step, or where the run has paused."""

    type: Literal["values"]
    data: ChunkT
    interrupts: tuple[Any, ...]


class UpdatesStreamPart(_Part):
    """What a task wrote, by its name."""

    type: Literal["updates"]
    data: dict[str, Any]


class MessagesStreamPart(_Part):
    """A message or a piece of one, and where it comes from."""

    type: Literal["messages"]
    data: tuple[Any, dict[str, Any]]


class CustomStreamPart(_Part):
    """What a node gave to its stream writer."""

    type: Literal["custom"]
    data: Any


class ToolsStreamPart(_Part):
    """What a tool does."""

    type: Literal["tools"]
    data: dict[str, Any]


class CheckpointStreamPart(_Part, Generic[StateT]):
    """A new checkpoint."""

    type: Literal["checkpoints"]
    data: CheckpointPayload[StateT]


class TasksStreamPart(_Part):
    """A task starts or ends."""

    type: Literal["tasks"]
    data: TaskPayload | TaskResultPayload


class DebugStreamPart(_Part, Generic[StateT]):
    """Checkpoints and tasks, with steps and times."""

    type: Literal["debug"]
    data: DebugPayload[StateT]


StreamPart: TypeAlias = (
    CheckpointStreamPart[StateT]
    | DebugStreamPart[StateT]
    | ValuesStreamPart[ChunkT]
    | UpdatesStreamPart
    | MessagesStreamPart
    | CustomStreamPart
    | ToolsStreamPart
    | TasksStreamPart
)
"""One chunk of a graph with this state and output; `type` says which of them it is."""
