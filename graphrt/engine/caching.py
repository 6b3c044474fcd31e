"""Looks results up before a step's tasks run, and keeps those of tasks that ran (LangGraph R1-R3).

Only runs of graphs that have both a cache and a node with a policy come here. A cache that fails costs what it would
have saved, never the run: that goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphrt.cache.keys import content_key, hashed
from graphrt.channels.base import MISSING
from graphrt.config import current_task, running_task
from graphrt.core.caching import CacheRule, adopt_result, is_cacheable, kept_result
from graphrt.core.shape import hints_of, is_async_callable
from graphrt.core.state import Task
from graphrt.engine.called import in_thread
from graphrt.engine.door import enter_loop
from graphrt.errors import DeserializationError, SerializationError, UnkeyableInputError

if TYPE_CHECKING:
    from graphrt.cache import BaseCache, FullKey
    from graphrt.engine.run import Run
    from graphrt.serde import Serializer

__all__ = ["Missed", "cached_call", "keep_missed", "take_cached"]

log = logging.getLogger("graphrt")


class Missed(NamedTuple):
    """A task whose result is to be kept under `key`."""

    key: FullKey
    task: Task
    rule: CacheRule


# ---- nodes


async def take_cached(run: Run, cache: BaseCache[Any], tasks: Sequence[Task]) -> list[Missed]:
    """Give the step's tasks the results that the cache has, all in one look; those that it has not.

    A task that goes on after a question is none of them: its result depends on the answer.

    Raises:
        UnkeyableInputError: an input cannot be told by its content.
        whatever a `key_func` raises.
    """
    asked: list[Missed] = []
    for task in tasks:
        rule = task.node.cache
        if rule is None or task.restored or task.paused or not is_cacheable(task):
            continue
        try:
            asked.append(
                Missed(_key(run, rule, task, (task.input,), {}, _read_besides(run, task)), task, rule)
            )
        except Exception as failure:
            await run.failed(task, failure)
            raise
    if not asked:
        return []
    found = await _look_up(cache, [item.key for item in asked])
    missed: list[Missed] = []
    for item in asked:
        data = found.get(item.key)
        if data is None or not adopt_result(run.plan, item.task, _revived(run, data)):
            missed.append(item)
        elif run.journal is not None and len(tasks) > 1:
            await run.journal.keep(run.state, item.task)  # it is reported before the step is committed
    return missed


def _read_besides(run: Run, task: Task) -> list[Any]:
    """What the node's routers read and the node does not: where it led follows from that, too."""
    views = dict.fromkeys(
        branch.view for branch in task.node.branches if task.index >= 0 or branch.view != task.node.view
    )
    read = [run.state.read(view) for view in views]
    return [None if value is MISSING else value for value in read]


async def keep_missed(run: Run, cache: BaseCache[Any], missed: Sequence[Missed], *, all_ended: bool) -> None:
    """Keep the results of tasks that have run.

    Args:
        all_ended: the step went well; otherwise only tasks that are marked so have finished.
    """
    pairs: dict[FullKey, tuple[bytes, float | None]] = {}
    for key, task, rule in missed:
        if task.paused or not (all_ended or task.finished) or not is_cacheable(task):
            continue
        if task.node.cache is not rule:  # it failed, and its error handler took its place
            continue
        kept = kept_result(run.plan, task)
        if kept is not None:
            _add(pairs, run, task, key, kept, rule)
    await _store(cache, pairs)


# ---- tasks that functions call


def cached_call(function: Callable[..., Any], rule: CacheRule) -> Callable[..., Any]:
    """`function` as a task calls it, if its result is to be kept."""
    is_async = is_async_callable(function)

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        task = cast(Task, running_task(rule.namespace[-1]))
        run: Run = task.owner
        cache: BaseCache[Any] | None = run.cache
        key = None
        if cache is not None and is_cacheable(task):
            key = _key(run, rule, task, args, kwargs)
            found = await _look_up(cache, [key])
            kept: Any = _revived(run, found[key]) if key in found else None
            kind = kept.__class__
            if kind is list and len(kept) == 1:
                task.restored = True
                return kept[0]
        output = (
            await function(*args, **kwargs) if is_async else await in_thread(task, function, *args, **kwargs)
        )
        if cache is not None and key is not None and is_cacheable(task):
            pairs: dict[FullKey, tuple[bytes, float | None]] = {}
            _add(pairs, run, task, key, [output], rule)
            await _store(cache, pairs)
        return output

    return call


# ---- keys and bytes


def _key(
    run: Run,
    rule: CacheRule,
    task: Task,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    besides: Sequence[Any] = (),
) -> FullKey:
    """Where the result of a call with these arguments is kept; what is read `besides` is up to a `key_func`."""
    key_func = rule.policy.key_func
    if key_func is None:
        content = _content(run.codec, task, [list(args), kwargs, list(besides)])
    else:
        given = copy_context().run(_asked, task, key_func, args, kwargs)
        content = given if isinstance(given, str) else bytes(given).hex()
    return rule.namespace, hashed(f"{rule.mark}\0{content}".encode("utf-8", "surrogatepass"))


def _asked(task: Task, key_func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    current_task.set(task)  # so that a key may depend on the context: get_runtime() works
    return key_func(*args, **kwargs)


def _content(codec: Serializer, task: Task, value: object) -> str:
    try:
        try:
            return content_key(codec, value)
        except SerializationError:
            if not _learn(codec, task):
                raise
            return content_key(codec, value)
    except SerializationError as error:
        raise UnkeyableInputError(task.node.name, error) from error


def _learn(codec: Serializer, task: Task) -> bool:
    """Let the serialiser know the classes that a function's annotations name; False if there are none."""
    hints = hints_of(task.node.call)
    for hint in hints.values():
        codec.registry.register_schema(hint)
    return bool(hints)


def _revived(run: Run, data: object) -> Any:
    if not isinstance(data, bytes):
        return None
    try:
        return run.codec.loads(data)
    except DeserializationError as error:
        log.info("a cached result cannot be read and is made anew: %s", error)
        return None


def _add(
    pairs: dict[FullKey, tuple[bytes, float | None]],
    run: Run,
    task: Task,
    key: FullKey,
    kept: object,
    rule: CacheRule,
) -> None:
    codec = run.codec
    try:
        try:
            data = codec.dumps(kept)
        except SerializationError:
            if not _learn(codec, task):
                raise
            data = codec.dumps(kept)
    except SerializationError as error:
        log.warning("the result of %r is not cached, as it cannot be stored: %s", task.node.name, error)
    else:
        pairs[key] = (data, rule.policy.ttl)


# ---- the cache


async def _look_up(cache: BaseCache[Any], keys: Sequence[FullKey]) -> Mapping[FullKey, Any]:
    if not cache.immediate:
        await enter_loop()
    try:
        return await cache.aget(keys)
    except Exception:
        log.warning("the cache cannot be read", exc_info=True)
        return {}


async def _store(cache: BaseCache[Any], pairs: Mapping[FullKey, tuple[bytes, float | None]]) -> None:
    if not pairs:
        return
    if not cache.immediate:
        await enter_loop()
    try:
        await cache.aset(pairs)
    except Exception:
        log.warning("the cache cannot be written", exc_info=True)
