"""What tells the functions of cached nodes apart (LangGraph R1, quirk 8).

A function's namespace is where it was defined: module and qualified name, async or not. Beside it stands a mark, which
is part of every key: the hash of its code, its defaults and what it has closed over, of partial arguments, of the
object that a method belongs to. So two lambdas of one line, two closures of one function, and a function before and
after it was changed never share a result. What is held that cannot be told by its content (a client, an object of a
class that nobody registered) makes the mark random: then results are shared within one compiled graph only.
"""

from __future__ import annotations

import inspect
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from uuid import uuid4

from graphrt.cache.keys import content_key
from graphrt.core.caching import CacheRule
from graphrt.errors import SerializationError
from graphrt.serde import Serializer
from graphrt.types import CachePolicy

__all__ = ["cache_rule", "mark_of"]

PREFIX = "graphrt.writes"


def cache_rule(action: Any, policy: CachePolicy, *, node: str | None = None) -> CacheRule:
    """How results of a node, or of a task if `node` is None, are found in a cache."""
    name = _name(action)
    namespace = (PREFIX, name) if node is None else (PREFIX, name, node)
    return CacheRule(policy, namespace, mark_of(action))


def mark_of(action: Any) -> str:
    """The hash of what an action is besides its name."""
    try:
        return content_key(Serializer(), _Describer().of(action))
    except SerializationError:
        return uuid4().hex


def _name(action: Any) -> str:
    while isinstance(action, partial):
        action = action.func
    named: Any = action
    if not hasattr(action, "__qualname__"):
        named = action.__class__
    return f"{named.__module__}.{named.__qualname__}"


class _Describer:
    """Turns an action into plain values that have its content."""

    def __init__(self) -> None:
        self.open: list[Any] = []

    def of(self, value: Any) -> Any:
        """A value as plain values; values that are no code stay what they are."""
        if any(value is other for other in self.open):
            return ["again", [value is other for other in self.open].index(True)]
        self.open.append(value)
        try:
            return self._described(value)
        finally:
            self.open.pop()

    def _described(self, value: Any) -> Any:  # one case after the other
        kind = value.__class__
        if kind is tuple or kind is list:
            return [kind.__name__, self._all(value)]
        if kind is dict:
            return ["dict", self._all(value), self._all(value.values())]
        if kind is partial:
            return ["partial", self.of(value.func), self._all(value.args), self._named(value.keywords)]
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, MethodType):
            return ["method", self.of(value.__func__), self.of(value.__self__)]
        if isinstance(value, type) or inspect.isbuiltin(value):
            return ["name", _name(value)]
        if isinstance(value, ModuleType):
            return ["module", value.__name__]
        if isinstance(value, CodeType):
            return self._code(value)
        if value is ...:
            return ["..."]
        if hasattr(value, "plan") and hasattr(value, "ainvoke"):
            return self._graph(value)
        if hasattr(value, "__wrapped__"):
            return ["wrapped", type(value).__qualname__, self.of(value.__wrapped__)]
        return ["value", value]

    def _function(self, function: FunctionType) -> Any:
        cells = [cell.cell_contents for cell in function.__closure__ or () if _is_full(cell)]
        return [
            "function",
            _name(function),
            self.of(function.__code__),
            self._all(function.__defaults__ or ()),
            self._named(function.__kwdefaults__ or {}),
            self._all(cells),
        ]

    def _code(self, code: CodeType) -> Any:
        names = [list(code.co_names), list(code.co_varnames), list(code.co_freevars)]
        return ["code", code.co_code, code.co_flags, names, self._all(code.co_consts)]

    def _graph(self, graph: Any) -> Any:
        """A graph is what its nodes are, and where their edges lead."""
        nodes = [
            [
                node.name,
                list(node.arms),
                self.of(node.call),
                [self.of(branch.path) for branch in node.branches],
            ]
            for node in graph.plan.nodes
        ]
        return ["graph", graph.plan.name, nodes]

    def _all(self, values: Any) -> list[Any]:
        return [self.of(value) for value in values]

    def _named(self, values: Any) -> dict[str, Any]:
        return {name: self.of(value) for name, value in values.items()}


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - a cell can only be asked by reading it
    except ValueError:
        return False
    return True
