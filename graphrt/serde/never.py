"""Types that no registration makes storable, found in annotations before a run finds them in values."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from graphrt.serde.codec import Codec
from graphrt.serde.schema import field_hints, is_typeddict, parts_of

__all__ = ["never_stored"]

_NEVER = frozenset(
    """
    collections.abc.Callable functools.partial builtins.type
    builtins.function builtins.builtin_function_or_method builtins.method builtins.staticmethod builtins.property
    collections.abc.Iterator collections.abc.AsyncIterator collections.abc.AsyncIterable collections.abc.Awaitable
    builtins.generator builtins.coroutine builtins.async_generator
    typing.IO io.IOBase _io._IOBase tempfile._TemporaryFileWrapper
    _thread.lock _thread.RLock _thread.allocate_lock threading.Lock threading.RLock threading._RLock _thread._local
    threading.Condition threading.Event threading.Semaphore threading.Barrier threading.Thread queue.Queue
    _queue.SimpleQueue asyncio.mixins._LoopBoundMixin asyncio.futures.Future _asyncio.Future _asyncio.Task
    asyncio.events.AbstractEventLoop asyncio.runners.Runner concurrent.futures._base.Executor
    concurrent.futures._base.Future
    _contextvars.Context _contextvars.ContextVar _contextvars.Token weakref.ReferenceType builtins.module
    builtins.frame builtins.traceback builtins.code builtins.memoryview
    socket.socket ssl.SSLContext subprocess.Popen sqlite3.Connection sqlite3.Cursor selectors.BaseSelector
    multiprocessing.process.BaseProcess multiprocessing.connection._ConnectionBase logging.Logger logging.Handler
    """.split()
)
"""By the names that classes give themselves: looking at them imports nothing."""


def never_stored(schema: object, codec_of: Callable[[type], Codec | None]) -> Iterator[tuple[str, object]]:
    """Where the annotations of `schema` name something that can never be stored: path and annotation.

    Args:
        codec_of: how values of a class are written, if they can be; then its base classes do not matter.
    """
    seen: dict[int, object] = {}  # classes and aliases, which may lead back to themselves
    todo: list[tuple[str, Any]] = [("", schema)]
    while todo:
        path, hint = todo.pop()
        is_class = isinstance(hint, type) and typing.get_origin(hint) is None
        is_dict = is_class and is_typeddict(hint)
        codec = codec_of(hint) if is_class and not is_dict else None
        if codec is None and _is_never(hint):
            yield path, hint
        elif id(hint) in seen:
            continue
        elif is_class:
            seen[id(hint)] = hint
            if is_dict or not path or (codec is not None and codec.record):
                todo.extend(_fields(path, hint))
        else:
            if hasattr(hint, "__value__"):
                seen[id(hint)] = hint
            todo.extend(_inside(path, hint))


def _fields(path: str, cls: type) -> list[tuple[str, object]]:
    return [(f"{path}.{name}" if path else name, hint) for name, hint in dict(field_hints(cls)).items()][::-1]


def _inside(path: str, hint: Any) -> list[tuple[str, object]]:
    origin = typing.get_origin(hint)
    holds = isinstance(origin, type) and origin not in (types.UnionType, typing.Annotated)
    return [(f"{path}[]" if holds else path, part) for part in parts_of(hint) if part is not origin][::-1]


def _is_never(hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    classes = origin.__mro__ if isinstance(origin, type) else (origin,)
    names = (f"{getattr(cls, '__module__', '')}.{getattr(cls, '__qualname__', '')}" for cls in classes)
    return not _NEVER.isdisjoint(names)
