"""Every exception graphrt raises, in one tree.

    GraphError
    ├── GraphValidationError      (ValueError)      the graph was declared or addressed wrongly
    │   ├── InvalidNamespaceError                       ... or a store's namespace cannot be
    │   ├── InvalidFilterError                          ... or a store's filter makes no sense
    │   ├── MissingStoreError                           ... or a node asks for a store that is not there
    │   └── UnkeyableInputError                         ... or a cached node's input has no content to be found by
    ├── GraphRecursionError       (RecursionError)  the step limit was reached
    ├── InvalidUpdateError                          a write that cannot be applied
    │   ├── UnknownKeyError                         ... to a key the state does not have
    │   ├── UnknownTargetError    (KeyError)            ... to a node the graph does not have
    │   ├── MessageError          (ValueError)          ... of something that is no message
    │   ├── UnknownMessageError   (ValueError)          ... that removes a message which is not there
    │   └── NoParentGraphError                          ... to a graph around this one, and there is none
    ├── EmptyInputError                             nothing to run
    ├── EmptyChannelError                           a channel was read before its first write
    ├── IncompleteJoinError                         a run ended while a join still waited
    ├── NodeCancelledError                          a node raised CancelledError by itself
    ├── NodeTimeoutError                            an attempt at a node took too long
    ├── ThreadConflict                              another writer moved the thread's head
    │   └── ThreadBusy                              ... and this run was told not to wait
    ├── StreamOverflowError                         a plain writer outran its consumer
    ├── RunningLoopError          (RuntimeError)    a blocking call inside a running event loop
    ├── SerializationError                          a value that cannot be stored
    ├── DeserializationError                        stored bytes that cannot be read
    │   └── DecryptionError                             ... as they are not what was encrypted for this place
    ├── GraphDrained                                a run was asked to stop, and stopped between two steps
    ├── UnknownInterruptError     (ValueError)      an answer to a question that is not open
    ├── InvalidResumeError        (ValueError)      an answer that its question's schema refuses
    └── StorageError                                a database that cannot do what was asked
        ├── StorageBusyError  (TimeoutError)            ... in time
        └── StorageSchemaError                          ... as its tables are not there or of another version

    StateMutationWarning    (UserWarning)           debug mode saw a node change a value in place

What passes through a node on its way to the engine is no Exception, so that `except Exception` does not stop it:

    GraphBubbleUp                 (BaseException)
    ├── GraphInterrupt                              a question is open: the run pauses
    │   └── NodeInterrupt                               ... raised by hand, the old way
    └── ParentCommand                               a Command for a graph around this one

Messages say what happened, where, and what to do; the same facts are attributes. What a node raises reaches the
caller as it is, with a note that names the task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from graphrt.types import Command, Interrupt

__all__ = [
    "DecryptionError",
    "DeserializationError",
    "EmptyChannelError",
    "EmptyInputError",
    "ErrorCode",
    "GraphBubbleUp",
    "GraphDrained",
    "GraphError",
    "GraphInterrupt",
    "GraphRecursionError",
    "GraphValidationError",
    "IncompleteJoinError",
    "InvalidFilterError",
    "InvalidNamespaceError",
    "InvalidResumeError",
    "InvalidUpdateError",
    "MissingStoreError",
    "MessageError",
    "NoParentGraphError",
    "NodeCancelledError",
    "NodeError",
    "NodeInterrupt",
    "NodeTimeoutError",
    "ParentCommand",
    "RunningLoopError",
    "SerializationError",
    "StateMutationWarning",
    "StorageBusyError",
    "StorageError",
    "StorageSchemaError",
    "StreamOverflowError",
    "ThreadBusy",
    "ThreadConflict",
    "UnkeyableInputError",
    "UnknownInterruptError",
    "UnknownKeyError",
    "UnknownMessageError",
    "UnknownTargetError",
    "did_you_mean",
    "is_invalid_resume",
]


class ErrorCode(Enum):
    """Stable names for the mistakes that have a section in docs/errors.md."""

    GRAPH_RECURSION_LIMIT = "GRAPH_RECURSION_LIMIT"
    INVALID_CONCURRENT_GRAPH_UPDATE = "INVALID_CONCURRENT_GRAPH_UPDATE"
    INVALID_GRAPH_NODE_RETURN_VALUE = "INVALID_GRAPH_NODE_RETURN_VALUE"


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the closest known name, else what there is to choose from."""
    from difflib import get_close_matches  # nobody needs it until something has gone wrong

    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(map(repr, names[:20]))}." if names else ""


class GraphError(Exception):
    """Root of what graphrt raises; `code` links to docs/errors.md where the mistake has a section there."""

    def __init__(self, message: str, *, code: ErrorCode | None = None) -> None:
        super().__init__(f"{message}\nSee docs/errors.md#{code.value}" if code else message)
        self.code = code

    __str__ = Exception.__str__  # a KeyError among the bases would put quotes round the message


class GraphValidationError(GraphError, ValueError):
    """The graph was declared, compiled or addressed wrongly."""


class InvalidNamespaceError(GraphValidationError):
    """A namespace of a store that cannot be: it is empty where items are put, or one of its labels is no label."""

    def __init__(self, message: str, *, namespace: tuple[object, ...]) -> None:
        super().__init__(message)
        self.namespace = namespace


class InvalidFilterError(GraphValidationError):
    """A filter of a store's search that makes no sense. `path` leads to the mistake inside the filter."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class MissingStoreError(GraphValidationError):
    """A node asks for a store, and neither its graph nor a graph around it has one. `node` says which."""

    def __init__(self, node: str) -> None:
        super().__init__(
            f"Node {node!r} asks for a store, but its graph has none. Give the graph one by compile(store=...), or "
            "make the parameter optional: `store: BaseStore | None`."
        )
        self.node = node


class UnkeyableInputError(GraphValidationError):
    """What a cached node or task is called with has no content that it could be found by; `node` says which one.

    `__cause__` says which value it is.
    """

    def __init__(self, node: str, why: Exception) -> None:
        super().__init__(
            f"{node!r} has a cache policy, but its input cannot be told by its content: {why} Give the policy a "
            "key_func that says what counts, or register the type by graphrt.serde.register."
        )
        self.node = node


class GraphRecursionError(GraphError, RecursionError):
    """The step limit was reached before the graph came to an end; with a checkpointer the thread can go on.

    Attributes:
        state: the graph's state after its last step.
    """

    def __init__(self, message: str, *, limit: int, step: int, state: Any = None) -> None:
        super().__init__(message, code=ErrorCode.GRAPH_RECURSION_LIMIT)
        self.limit = limit
        self.step = step
        self.state = state


class InvalidUpdateError(GraphError):
    """A write that the state cannot take; the step was not committed."""

    def __init__(self, message: str, *, code: ErrorCode | None = None, channel: str | None = None) -> None:
        super().__init__(message, code=code)
        self.channel = channel


class UnknownKeyError(InvalidUpdateError):
    """A node wrote a key that no schema of the graph declares."""


class UnknownTargetError(InvalidUpdateError, KeyError):
    """A goto, a router or a Send named a node that does not exist."""

    def __init__(self, message: str, *, target: object) -> None:
        super().__init__(message)
        self.target = target


class MessageError(InvalidUpdateError, ValueError):
    """Something that stands for no message, or for none that can be used here; `given` is what it was."""

    def __init__(self, message: str, *, given: object = None) -> None:
        super().__init__(message)
        self.given = given


class UnknownMessageError(InvalidUpdateError, ValueError):
    """A removal of a message that the list does not have. `id` is what it asked for."""

    def __init__(self, identity: str, *, kind: str = "message") -> None:
        super().__init__(
            f"There is no {kind} with id {identity!r} to remove. Take the id from the list as the state has it."
        )
        self.id = identity


class EmptyInputError(GraphError):
    """The run got no input and there is nothing to continue."""


class EmptyChannelError(GraphError):
    """A channel was read before its first write."""

    def __init__(self, message: str = "The channel is empty", *, channel: str | None = None) -> None:
        super().__init__(message)
        self.channel = channel


class IncompleteJoinError(GraphError):
    """The run came to its end while a join had some of its parents and waited for the others."""

    def __init__(
        self, message: str, *, join: str, arrived: tuple[str, ...], missing: tuple[str, ...]
    ) -> None:
        super().__init__(message)
        self.join = join
        self.arrived = arrived
        self.missing = missing


class NodeCancelledError(GraphError):
    """A node raised `asyncio.CancelledError` although nobody had cancelled the run."""

    def __init__(self, node: str) -> None:
        super().__init__(
            f"Node {node!r} raised CancelledError by itself. Let it return or raise another error instead."
        )
        self.node = node


class NodeTimeoutError(GraphError):
    """An attempt at a node or task took too long and was cancelled. No `TimeoutError`, so it is tried again by default.

    Attributes:
        kind: which limit it was, "run" or "idle"; `timeout` is that limit in seconds.
        run_timeout: the limit of the whole attempt, `idle_timeout` that of a time without any sign of it.
        elapsed: seconds until the attempt had ended. Cleaning up takes its time, and a sync function that it had called
            cannot be stopped.
    """

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["idle", "run"],
        idle_timeout: float | None = None,
        run_timeout: float | None = None,
        late: str = "",
    ) -> None:
        limit = idle_timeout if kind == "idle" else run_timeout
        timeout = 0.0 if limit is None else limit
        said = "gave no sign of life for" if kind == "idle" else "took longer than"
        super().__init__(
            f"Node {node!r} {said} its {kind} timeout of {timeout:g} s and was cancelled after {elapsed:.3f} s.{late}"
        )
        self.node = node
        self.kind: Literal["idle", "run"] = kind
        self.timeout = timeout
        self.run_timeout = run_timeout
        self.idle_timeout = idle_timeout
        self.elapsed = elapsed


class NodeError(Struct, frozen=True):
    """What an error handler learns of the failure: the name of the node that failed, and what it raised.

    In a run that goes on after a crash, `error` is an `Exception` with the `repr` of what was raised.
    """

    node: str
    error: Exception


class ThreadConflict(GraphError):
    """Another run moved the thread's head after this one had loaded it: nothing of this step was committed.

    `expected` and `current` are checkpoint ids; None stands for a thread without checkpoints.
    """

    def __init__(self, thread_id: str, *, expected: str | None, current: str | None, why: str = "") -> None:
        super().__init__(
            why
            or f"Thread {thread_id!r} was advanced by another run: this one started from checkpoint {expected}, "
            f"the thread is now at {current}. Run again to continue from there, or pass "
            "multitask_strategy='enqueue' to make runs of this process wait for each other."
        )
        self.thread_id = thread_id
        self.expected = expected
        self.current = current


class ThreadBusy(ThreadConflict):
    """The thread has a run in this process and `multitask_strategy="reject"` says not to wait for it."""

    def __init__(self, thread_id: str) -> None:
        super().__init__(
            thread_id,
            expected=None,
            current=None,
            why=f"Thread {thread_id!r} is busy with another run of this process. Wait for that run, or pass "
            "multitask_strategy='enqueue'.",
        )


class StreamOverflowError(GraphError):
    """A node wrote to the stream without awaiting while nobody read it."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The stream's consumer is {limit} chunks behind. Use `await writer.asend(chunk)`, which waits for it."
        )
        self.limit = limit


class RunningLoopError(GraphError, RuntimeError):
    """A blocking method was called on a thread whose event loop is running."""

    def __init__(self, method: str, *, owner: str = "graph") -> None:
        super().__init__(
            f"{method}() would block the event loop that is running in this thread. "
            f"Use `await {owner}.a{method}(...)` here, or call {method}() from another thread."
        )
        self.method = method


class SerializationError(GraphError):
    """A value that cannot be stored without losing its type. `path` leads to it inside the written value."""

    def __init__(self, message: str, *, path: str = "", type_name: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.type_name = type_name


class DeserializationError(GraphError):
    """Stored bytes that are damaged or hold a type nobody registered under `tag`."""

    def __init__(self, message: str, *, tag: str | None = None) -> None:
        super().__init__(message)
        self.tag = tag


class DecryptionError(DeserializationError):
    """Stored bytes that were not encrypted for this thread, checkpoint and channel, or not at all."""


class StorageError(GraphError):
    """A checkpointer's database could not do what was asked; `__cause__` is the driver's error."""


class StorageBusyError(StorageError, TimeoutError):
    """No connection, or no lock, within the time that the checkpointer was told to wait."""

    def __init__(self, message: str, *, waited_s: float) -> None:
        super().__init__(message)
        self.waited_s = waited_s


class StorageSchemaError(StorageError):
    """The database's tables are not there, or of another version than this program's."""


class StateMutationWarning(UserWarning):
    """A node changed, in place, a value that the state holds; such a change is no write and may not be stored."""


class GraphDrained(GraphError):
    """The run stopped between two supersteps because `RunControl.request_drain` asked for it.

    What was committed stays; running the thread again with None goes on from there.
    """

    def __init__(self, reason: str = "shutdown") -> None:
        super().__init__(
            f"The run was drained: {reason}. With a checkpointer, running the thread again with None goes on from here."
        )
        self.reason = reason


class UnknownInterruptError(GraphError, ValueError):
    """An answer that belongs to no open question; nothing was stored and nothing ran.

    Attributes:
        reason: "not_pending": nobody asks that; "answered": it was answered otherwise before; "empty_map": there is no
            answer at all; "ambiguous": one answer without an id, and several open questions.
        interrupt_ids: the interrupts that it is about.
        pending_ids: the interrupts that are open.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Literal["not_pending", "answered", "empty_map", "ambiguous"],
        interrupt_ids: Sequence[str] = (),
        pending_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.interrupt_ids = tuple(interrupt_ids)
        self.pending_ids = tuple(pending_ids)


class InvalidResumeError(GraphError, ValueError):
    """An answer does not fit the `response_schema` of its question, which stays open; `__cause__` says why."""

    def __init__(self, message: str, *, interrupt_id: str) -> None:
        super().__init__(message)
        self.interrupt_id = interrupt_id


def is_invalid_resume(error: BaseException) -> bool:
    """Whether a run failed because an answer did not fit its question's schema (LangGraph I11)."""
    return isinstance(error, InvalidResumeError)


class NoParentGraphError(InvalidUpdateError):
    """`Command(graph=...)` names a graph around the one that ran, and there is none of that name.

    Attributes:
        command: what the node returned.
    """

    def __init__(self, command: Command[Any]) -> None:
        super().__init__(
            f"A node returned Command(graph={command.graph!r}), but no such graph is running around its own. "
            "Command.PARENT works in graphs that run as a node of another one, or inside of one."
        )
        self.command = command


class GraphBubbleUp(BaseException):
    """Passes through a node to the engine. Do not catch it, except to clean up."""


class GraphInterrupt(GraphBubbleUp):
    """Questions are open: the run pauses until they are answered. `interrupts` holds them."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        super().__init__(tuple(interrupts))
        self.interrupts = tuple(interrupts)


class NodeInterrupt(GraphInterrupt):
    """Pauses the run without waiting for an answer: the node runs again from the top. Prefer `interrupt()`."""

    def __init__(self, value: Any, id: str | None = None) -> None:
        from graphrt.types import Interrupt

        super().__init__((Interrupt(value, id or "placeholder-id"),))


class ParentCommand(GraphBubbleUp):
    """A Command on its way to a graph around the one whose node returned it; `left` is the run that it left last."""

    def __init__(self, command: Command[Any]) -> None:
        super().__init__(command)
        self.command = command
        self.left: Any = None
