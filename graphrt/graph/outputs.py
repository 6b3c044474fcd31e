"""What a node may return, and the writes that it means (LangGraph B7, B8, H4, H7, E13)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from graphrt.core.kinds import plain_dict
from graphrt.core.plan import Plan
from graphrt.core.routing import SEVERAL, GotoTypeError, goto
from graphrt.core.state import Task
from graphrt.errors import ErrorCode, InvalidUpdateError, ParentCommand, UnknownKeyError, did_you_mean
from graphrt.graph.schema import ROOT, annotated_keys
from graphrt.types import Command, Send

__all__ = ["graph_writer", "keyed_writer", "preparing_writer", "root_writer"]

log = logging.getLogger("graphrt")

Write: TypeAlias = Callable[[Plan, Task, Any], None]


def keyed_writer(keys: Mapping[str, int], *, strict: bool, managed: frozenset[str] = frozenset()) -> Write:
    """The writer of nodes whose state has keys. Keys that are not in `keys` are an error if `strict`, else dropped.

    Args:
        managed: keys that are not written, but may be in what a node returns, as it may return all that it was given.
    """
    if managed:
        return _unmanaged_writer(keyed_writer(keys, strict=strict), managed)

    def write(plan: Plan, task: Task, output: Any) -> None:
        update = output
        if type(output) is dict:
            writes = task.writes
            for key, value in update.items():
                i = keys.get(key)
                if i is not None:
                    writes.append((i, value))
                elif strict:
                    raise _unknown_key(plan, task, key, keys)
        elif output is not None:
            _write_other(write, plan, task, output)

    return write


def _unmanaged_writer(write_keys: Write, managed: frozenset[str]) -> Write:
    """Drops managed keys, with a line in the log (LangGraph B9)."""

    def write(plan: Plan, task: Task, output: Any) -> None:
        if type(output) is not dict:
            if output is not None:
                _write_other(write, plan, task, output)
            return
        update = cast("dict[str, Any]", output)
        if not managed.isdisjoint(update):
            dropped = ", ".join(sorted(managed.intersection(update)))
            log.info("node %r wrote to managed keys, which nothing can write: %s", task.node.name, dropped)
            update = {key: value for key, value in update.items() if key not in managed}
        write_keys(plan, task, update)

    return write


def preparing_writer(write: Write) -> Write:
    """Lets channels say what is stored of a write: messages get their ids before anybody sees them (LangGraph V6)."""

    def write_prepared(plan: Plan, task: Task, output: Any) -> None:
        write(plan, task, output)
        writes = task.writes
        for place, (i, value) in enumerate(writes):
            if (prepare := plan.prepare.get(i)) is not None:
                writes[place] = (i, prepare(value))

    return write_prepared


def graph_writer(keys: Mapping[str, int], *, strict: bool, managed: frozenset[str] = frozenset()) -> Write:
    """The writer of nodes that are graphs: their results may have keys of their own (LangGraph M1)."""
    write = keyed_writer(keys, strict=strict, managed=managed)

    def write_shared(plan: Plan, task: Task, output: Any) -> None:
        result = plain_dict(output)
        if result is not None:
            task.writes += [(keys[key], value) for key, value in result.items() if key in keys]
        else:
            write(plan, task, output)

    return write_shared


def _write_other(write: Write, plan: Plan, task: Task, output: Any) -> None:
    """What a node returned besides a plain dict, handed to `write` as plain dicts."""
    if type(output) is Send:
        goto(plan, task, output)
    elif type(output) is Command:
        if output.graph is not None:
            raise ParentCommand(output)
        _write_command_update(write, plan, task, output.update)
        _follow(plan, task, output)
    elif isinstance(output, SEVERAL) and any(type(item) is Command for item in output):
        _raise_for_parent(output)
        for item in output:
            if type(item) is Command:
                _write_command_update(write, plan, task, item.update)
            elif item is not None:
                _write_update(write, plan, task, item)
        for item in output:
            if type(item) is Command:
                _follow(plan, task, item)
    else:
        _write_update(write, plan, task, output)


def _raise_for_parent(output: Any) -> None:
    """Commands for the graph around this one go there, whatever else a node returned (LangGraph H7)."""
    for item in output:
        if type(item) is Command and item.graph is not None:
            raise ParentCommand(item)


def _write_command_update(write: Write, plan: Plan, task: Task, update: Any) -> None:
    if isinstance(update, SEVERAL) and all(map(_is_pair, update)):
        for key, value in update:
            write(plan, task, {key: value})
    elif update is not None:
        _write_update(write, plan, task, update)


def _write_update(write: Write, plan: Plan, task: Task, update: Any) -> None:
    if isinstance(update, dict):
        write(plan, task, dict(cast("dict[str, Any]", update)))
    elif (names := annotated_keys(update)) is not None:
        write(plan, task, _set_fields(update, names))
    else:
        raise InvalidUpdateError(
            f"Expected dict, got {update!r} from node {task.node.name!r}. Return a dict of state keys, a Command, "
            "an object of an annotated class, or None.",
            code=ErrorCode.INVALID_GRAPH_NODE_RETURN_VALUE,
        )


def root_writer(channel: int) -> Write:
    """The writer of nodes whose state is a single value: anything but None is that value."""

    def write(plan: Plan, task: Task, output: Any) -> None:
        if type(output) is Command:
            if output.graph is not None:
                raise ParentCommand(output)
            update = output.update
            write(plan, task, update[ROOT] if isinstance(update, dict) and [*update] == [ROOT] else update)
            _follow(plan, task, output)
        elif type(output) is Send:
            goto(plan, task, output)
        elif isinstance(output, SEVERAL) and any(type(item) is Command for item in output):
            _raise_for_parent(output)
            for item in output:
                write(plan, task, item)
        elif output is not None:
            task.writes.append((channel, output))

    return write


def _follow(plan: Plan, task: Task, command: Command[Any]) -> None:
    where = command.goto
    if isinstance(where, (str, Send)):
        goto(plan, task, where)
        return
    for item in where:
        if not isinstance(item, (str, Send)):
            raise GotoTypeError(
                f"In Command.goto, expected Send/str, got {type(item)} from node {task.node.name!r}."
            )
        goto(plan, task, item)


def _is_pair(item: object) -> bool:
    return isinstance(item, tuple) and len(cast("tuple[object, ...]", item)) == 2 and isinstance(item[0], str)


def _set_fields(update: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields of an object that it writes: all of them, but of a pydantic model no None that nobody set (B8)."""
    explicit = getattr(update, "model_fields_set", names)
    defaults = getattr(type(update), "model_fields", {})
    written: dict[str, Any] = {}
    for key in names:
        value = getattr(update, key, None)
        if value is not None or key in explicit or defaults[key].default is not None:
            written[key] = value
    return written


def _unknown_key(plan: Plan, task: Task, key: object, keys: Mapping[str, int]) -> UnknownKeyError:
    return UnknownKeyError(
        f"Node {task.node.name!r} of graph {plan.name!r} wrote to {key!r}, which is not a key of its state."
        f"{did_you_mean(key, keys)} Compile with strict=False to drop unknown keys as LangGraph does.",
        channel=str(key),
    )
