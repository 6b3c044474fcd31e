"""What a run is given: new input, nothing (go on), or a Command (LangGraph A5-A13, H8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphrt.core.plan import NULL_NODE, Plan
from graphrt.core.routing import SEVERAL, GotoTypeError, goto
from graphrt.core.state import Task
from graphrt.errors import (
    EmptyInputError,
    GraphValidationError,
    InvalidUpdateError,
    UnknownKeyError,
    did_you_mean,
)
from graphrt.types import Command, Send

__all__ = ["command_task", "input_writes", "refuse_parent", "no_such_checkpoint", "nothing_to_run"]


def input_writes(plan: Plan, given: Any) -> list[tuple[int, Any]]:
    """The channel writes that a run's input stands for; keys that are no input channels are skipped (LangGraph A9).

    Raises:
        EmptyInputError: the input has none of the graph's input channels.
        InputTypeError: the graph has several input channels and the input is not a dict.
    """
    channels = plan.input_channels
    if isinstance(channels, str):
        return [(plan.channel_index[channels], given)]
    if not isinstance(given, Mapping):
        raise InputTypeError(f"Expected a dict with some of {list(channels)}, got {type(given).__name__}.")
    writes: list[tuple[int, Any]] = [
        (plan.channel_index[key], given[key]) for key in channels if key in given
    ]
    if not writes:
        raise nothing_to_run(plan)
    return writes


class InputTypeError(GraphValidationError, TypeError):
    """The input is not of a kind that the graph takes."""


def nothing_to_run(plan: Plan) -> EmptyInputError:
    """The error for a run without input on a thread that has nothing left to do."""
    return EmptyInputError(
        f"Received no input for {plan.input_channels}: graph {plan.name!r} got None and has no unfinished run to go "
        "on with. Pass an input, or the thread_id of a thread that was interrupted."
    )


def no_such_checkpoint(thread_id: str, checkpoint: str) -> GraphValidationError:
    """The error for work that is to start from a checkpoint which the thread does not have."""
    return GraphValidationError(
        f"Thread {thread_id!r} has no checkpoint {checkpoint!r}: it was never made here, or was forgotten. Leave "
        "checkpoint_id out to start from the newest one."
    )


def command_task(plan: Plan, command: Command[Any], owner: Any) -> Task:
    """A pseudo-task with the writes of a Command that was given as input (LangGraph H8).

    Raises:
        EmptyInputError: the Command says nothing.
        UnknownKeyError: its update has a key that the graph does not know, and the graph is strict.
        UnknownTargetError: its goto leads nowhere and the graph is strict.
    """
    if command.update is None and command.goto == ():
        raise EmptyInputError("Received an empty Command as input. Give it an update or a goto.")
    refuse_parent(command)
    task = Task(NULL_NODE, None, owner, 0)
    gotos = (command.goto,) if isinstance(command.goto, (str, Send)) else command.goto
    for where in gotos:
        if not isinstance(where, (str, Send)):
            raise GotoTypeError(f"In Command.goto, expected Send/str, got {type(where)}.")
        goto(plan, task, where)
    for key, value in update_items(command.update):
        if (i := plan.channel_index.get(key)) is not None:
            task.writes.append((i, plan.prepare[i](value) if i in plan.prepare else value))
        elif plan.strict:
            raise UnknownKeyError(
                f"Command.update has key {key!r}, which graph {plan.name!r} does not know."
                f"{did_you_mean(key, plan.channel_index)}",
                channel=key,
            )
    return task


def refuse_parent(command: Command[Any]) -> None:
    """A run's input cannot be for a graph around it.

    Raises:
        InvalidUpdateError: it is.
    """
    if command.graph is not None:
        raise InvalidUpdateError(
            f"There is no parent graph that a run's input could be for: it is Command(graph={command.graph!r})."
        )


def update_items(update: Any) -> list[tuple[str, Any]]:
    """A Command's update as (key, value) pairs: from a dict, from pairs, from an annotated object."""
    if update is None:
        return []
    if isinstance(update, Mapping):
        return list(cast("Mapping[str, Any]", update).items())
    if isinstance(update, SEVERAL) and all(map(_is_pair, update)):
        return list(update)
    keys = _annotated(update)
    if keys:
        return [(key, getattr(update, key)) for key in keys if hasattr(update, key)]
    return [("__root__", update)]


def _annotated(value: object) -> Iterable[str] | None:
    return getattr(type(value), "__annotations__", None)


def _is_pair(item: object) -> bool:
    return isinstance(item, tuple) and len(cast("tuple[object, ...]", item)) == 2
