"""`GraphCallbackHandler`: who only wants to know when runs stop and go on (LangGraph §1.9, Y3).

All that can be known of a run, its steps and its tasks is told to observers: `graphrt.observers`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from graphrt.observers import Event, GraphInterrupted, GraphResumed
from graphrt.types import Interrupt

__all__ = [
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
    "Lifecycle",
]

GraphLifecycleStatus: TypeAlias = Literal[
    "input", "pending", "done", "interrupt_before", "interrupt_after", "out_of_steps"
]
"""Where a run stands when it stops or goes on."""


class GraphInterruptEvent(Struct, frozen=True, kw_only=True):
    """A run has stopped: `interrupts` are its open questions, none at a breakpoint.

    Attributes:
        checkpoint_id: where the thread stands, "" if nothing is stored.
        checkpoint_ns: the graph's place, one part for each level; () for the outermost one.
    """

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]
    interrupts: tuple[Interrupt[Any], ...]


class GraphResumeEvent(Struct, frozen=True, kw_only=True):
    """A run goes on from a checkpoint."""

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]


GraphLifecycleEvent: TypeAlias = GraphInterruptEvent | GraphResumeEvent
"""A run has stopped, or goes on."""


class GraphCallbackHandler:
    """Inherit from this, override what you need, and pass an instance in `config={"callbacks": [...]}`.

    Both methods are called inline and are not async. What they raise is logged, and the run goes on.
    """

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """A run has stopped. Called once, for the outermost graph."""

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """A run goes on. Called for every graph that does, from the outside in."""


class Lifecycle:
    """The observer that a handler is: `handler` is told what it understands."""

    __slots__ = ("handler",)

    def __init__(self, handler: GraphCallbackHandler) -> None:
        self.handler = handler

    def __repr__(self) -> str:
        return repr(self.handler)

    def on_event(self, event: Event, /) -> None:
        """Pass on interrupts and resumes."""
        place = tuple(event.namespace.split("|")) if event.namespace else ()
        match event:
            case GraphInterrupted(outermost=True):
                self.handler.on_interrupt(
                    GraphInterruptEvent(
                        run_id=_uuid(event.run_id),
                        status=event.reason,
                        checkpoint_id=event.checkpoint_id or "",
                        checkpoint_ns=place,
                        interrupts=event.interrupts,
                    )
                )
            case GraphResumed():
                self.handler.on_resume(
                    GraphResumeEvent(
                        run_id=_uuid(event.run_id),
                        status="pending",
                        checkpoint_id=event.checkpoint_id,
                        checkpoint_ns=place,
                    )
                )
            case _:
                pass


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None  # a config may name its run as it likes
