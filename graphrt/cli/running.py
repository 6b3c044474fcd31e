"""One run: a graph, an input and options in; chunks to a view; what it waits for, if it paused; the result last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from graphrt.checkpoint.memory import InMemorySaver
from graphrt.cli.exits import Refused
from graphrt.cli.profile import Profile
from graphrt.cli.questions import Pause, questions_at
from graphrt.cli.storage import opened
from graphrt.cli.target import Graph, graph_of, settled
from graphrt.config import RunnableConfig
from graphrt.core.interrupts import INTERRUPT
from graphrt.errors import EmptyInputError
from graphrt.types import StreamMode

__all__ = ["Request", "View", "run"]


class View(Protocol):
    """Where a run shows itself."""

    def chunk(self, mode: str, payload: Any) -> None:
        """Something happened."""
        ...

    def paused(self, pause: Pause) -> None:
        """The run stopped before its end; the result so far follows."""
        ...

    def profile(self, report: Mapping[str, Any]) -> None:
        """Where the time went, of a run that has ended in any way (`graphrt.cli.profile`)."""
        ...

    def result(self, value: Any) -> None:
        """The run came to its end."""
        ...

    def error(self, error: Exception) -> None:
        """The run ended with an error."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What to run and how. `found` is what the target names, or a coroutine that makes it; `input` None goes on."""

    found: object
    input: Any
    modes: frozenset[StreamMode]
    thread: str | None = None
    checkpointer: str | None = None
    recursion_limit: int | None = None
    profiled: bool = False


async def run(request: Request, view: View) -> Pause | None:
    """Run the graph to its end, or until it pauses, and show everything to `view`; cancelling this cancels the run.

    Raises:
        Refused: the request makes no sense for this graph.
        Exception: whatever a node raised.
    """
    made = await settled(request.found)
    async with opened(request.checkpointer) as saver:
        graph = graph_of(made, checkpointer=saver)
        if request.thread is not None and not graph.checkpointer:
            raise Refused(
                "--thread needs a checkpointer: pass --checkpointer URL, or compile the graph with one."
            )
        if request.thread is None and graph.checkpointer:
            raise Refused("The graph has a checkpointer, so a run belongs to a thread: pass --thread ID.")
        try:
            return await _stream(graph, request, view)
        except EmptyInputError as error:
            if request.input is None:
                raise Refused("There is no step to go on with: pass --input JSON.") from error
            view.error(error)
            raise
        except Exception as error:
            view.error(error)
            raise


async def _stream(graph: Graph, request: Request, view: View) -> Pause | None:
    last: Any = None
    config = _config(request)
    profile = Profile()
    told: RunnableConfig = {**config, "callbacks": [profile]} if request.profiled else config
    modes: list[StreamMode] = ["values", *sorted(request.modes - {"values"})]
    try:
        async with graph.astream(request.input, told, stream_mode=modes) as chunks:
            async for mode, payload in chunks:
                if mode == "values":
                    last = _without_questions(payload, last)
                if mode in request.modes:
                    view.chunk(mode, payload)
    finally:
        if request.profiled:
            view.profile(profile.report())
    pause = await _pause(graph, request.thread, config) if request.thread is not None else None
    if pause is not None:
        view.paused(pause)
    view.result(_output(graph, last))
    return pause


async def _pause(graph: Graph, thread: str, config: RunnableConfig) -> Pause | None:
    """Why the run stopped; None if it came to its end."""
    saver: Any = graph.checkpointer
    stored = await saver.load(thread)
    if stored is None:
        return None
    questions = await questions_at(saver, thread, "", stored, graph.serializer)
    next = (await graph.aget_state(config)).next
    if not questions and not next:
        return None
    return Pause(questions, next, kept=not isinstance(saver, InMemorySaver))


def _config(request: Request) -> RunnableConfig:
    config: RunnableConfig = {}
    if request.thread is not None:
        config["configurable"] = {"thread_id": request.thread}
    if request.recursion_limit is not None:
        config["recursion_limit"] = request.recursion_limit
    return config


def _without_questions(values: Any, before: Any) -> Any:
    """A chunk of `values` without the questions, which are shown apart; if it has nothing else, the one before."""
    if not isinstance(values, dict) or INTERRUPT not in values:
        return values  # pyright: ignore[reportUnknownVariableType]
    rest = cast("dict[str, Any]", values).copy()
    del rest[INTERRUPT]
    return rest or before


def _output(graph: Graph, values: Any) -> Any:
    """Of all values, those of the graph's output: what `ainvoke` would have returned, less the questions."""
    plan = graph.plan
    if plan.views[plan.stream].bare:
        return values
    output = plan.views[plan.output]
    shown = {key: values[key] for key, _ in output.channels if key in values}
    return next(iter(shown.values()), None) if output.bare else shown
