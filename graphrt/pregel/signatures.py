"""What type checkers are told about nodes, routers and the options of a run. Nothing imports this while running.

A function that asks for less is not assignable to a type that offers more, hence one protocol for each combination of
the `config`, `writer` and `runtime` that a node may ask for, and some with a `store`; they are passed by keyword.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, Generic, Protocol, TypeAlias, TypedDict, TypeVar

from graphrt.config import RunnableConfig
from graphrt.runtime import RunControl, Runtime
from graphrt.store.base import BaseStore
from graphrt.types import All, Durability, MultitaskStrategy, Send, StreamMode, StreamVersion, StreamWriter
from graphrt.typing import ContextT

__all__ = [
    "ErrorHandler",
    "InvokeOptions",
    "MappedRouter",
    "NodeAction",
    "Router",
    "RunOptions",
    "StreamOptions",
]

State = TypeVar("State")
Input = TypeVar("Input", contravariant=True)
Context = TypeVar("Context")
Answer = TypeVar("Answer", covariant=True)


class _Of(Protocol[Input, Answer]):
    def __call__(self, state: Input, /) -> Answer: ...


class _OfConfig(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, config: RunnableConfig) -> Answer: ...


class _OfWriter(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, writer: StreamWriter) -> Answer: ...


class _OfRuntime(Protocol[Input, Context, Answer]):
    def __call__(self, state: Input, /, *, runtime: Runtime[Context]) -> Answer: ...


class _OfConfigWriter(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, config: RunnableConfig, writer: StreamWriter) -> Answer: ...


class _OfConfigRuntime(Protocol[Input, Context, Answer]):
    def __call__(self, state: Input, /, *, config: RunnableConfig, runtime: Runtime[Context]) -> Answer: ...


class _OfWriterRuntime(Protocol[Input, Context, Answer]):
    def __call__(self, state: Input, /, *, writer: StreamWriter, runtime: Runtime[Context]) -> Answer: ...


class _OfAll(Protocol[Input, Context, Answer]):
    def __call__(
        self, state: Input, /, *, config: RunnableConfig, writer: StreamWriter, runtime: Runtime[Context]
    ) -> Answer: ...


class _OfStore(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, store: BaseStore) -> Answer: ...


class _OfConfigStore(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, config: RunnableConfig, store: BaseStore) -> Answer: ...


class _OfWriterStore(Protocol[Input, Answer]):
    def __call__(self, state: Input, /, *, writer: StreamWriter, store: BaseStore) -> Answer: ...


class _OfRuntimeStore(Protocol[Input, Context, Answer]):
    def __call__(self, state: Input, /, *, runtime: Runtime[Context], store: BaseStore) -> Answer: ...


class _OfAllWithStore(Protocol[Input, Context, Answer]):
    def __call__(
        self,
        state: Input,
        /,
        *,
        config: RunnableConfig,
        writer: StreamWriter,
        runtime: Runtime[Context],
        store: BaseStore,
    ) -> Answer: ...


class _Runnable(Protocol[Input, Answer]):
    def invoke(self, input: Input, /) -> Answer: ...


class _AsyncRunnable(Protocol[Input, Answer]):
    def ainvoke(self, input: Input, /) -> Awaitable[Answer]: ...


_Action: TypeAlias = (
    _Of[Input, Answer]
    | _OfConfig[Input, Answer]
    | _OfWriter[Input, Answer]
    | _OfRuntime[Input, Context, Answer]
    | _OfConfigWriter[Input, Answer]
    | _OfConfigRuntime[Input, Context, Answer]
    | _OfWriterRuntime[Input, Context, Answer]
    | _OfAll[Input, Context, Answer]
    | _OfStore[Input, Answer]
    | _OfConfigStore[Input, Answer]
    | _OfWriterStore[Input, Answer]
    | _OfRuntimeStore[Input, Context, Answer]
    | _OfAllWithStore[Input, Context, Answer]
    | _AsyncRunnable[Input, Answer]
    | _Runnable[Input, Answer]
)

NodeAction: TypeAlias = _Of[State, Any] | _Action[Input, Any, Context]
"""A function of the state, or of whatever its parameter says; `State` first, for lambdas, which do not say."""

ErrorHandler: TypeAlias = Callable[[State], Any] | Callable[Concatenate[Any, ...], Any]
"""A function of what its node got, and of a `NodeError` and all that nodes may ask for, by keyword."""

_Where: TypeAlias = str | Send | Sequence[str | Send]
_Decision: TypeAlias = _Where | Awaitable[_Where]

Router: TypeAlias = _Of[State, _Decision] | _Action[Input, _Decision, Context]
"""A function that returns nodes' names, END or Sends."""

MappedRouter: TypeAlias = NodeAction[State, Input, Context]
"""A function that returns what a path map has an entry for."""


class RunOptions(TypedDict, Generic[ContextT], total=False):
    """What every way of running a graph takes by keyword; `Pregel.ainvoke` describes it."""

    context: ContextT | None
    print_mode: StreamMode | Sequence[StreamMode]
    output_keys: str | Sequence[str] | None
    interrupt_before: All | Sequence[str] | None
    interrupt_after: All | Sequence[str] | None
    durability: Durability | None
    control: RunControl | None
    multitask_strategy: MultitaskStrategy | None


class InvokeOptions(RunOptions[ContextT], Generic[ContextT], total=False):
    """The keywords of `ainvoke`."""

    stream_mode: StreamMode | Sequence[StreamMode]
    version: StreamVersion


class StreamOptions(RunOptions[ContextT], Generic[ContextT], total=False):
    """The keywords of `astream`."""

    stream_mode: StreamMode | Sequence[StreamMode] | None
    subgraphs: bool
    debug: bool | None
    version: StreamVersion
