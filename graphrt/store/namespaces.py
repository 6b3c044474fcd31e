"""Which namespaces there can be, and which of them a listing wants (LangGraph S1, S5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from graphrt.errors import InvalidNamespaceError
from graphrt.store.ops import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    NamespacePath,
    Op,
    PutOp,
    SearchOp,
)

__all__ = [
    "RESERVED",
    "check_labels",
    "check_new_namespace",
    "conditions",
    "is_below",
    "list_of",
    "validate_op_namespace",
    "wanted",
]

RESERVED: Final = frozenset({"langgraph", "graphrt"})
"""First labels of namespaces that no user's item can be in."""


def check_labels(namespace: Sequence[object]) -> None:
    """Refuse labels that some backend could not keep apart.

    Raises:
        InvalidNamespaceError: a label is no string, is empty, or has a character that no label has.
    """
    if isinstance(namespace, str):
        raise InvalidNamespaceError(
            f"A namespace is a tuple of labels, not the string {namespace!r}. Write ({namespace!r},).",
            namespace=(namespace,),
        )
    for label in namespace:
        if problem := _problem(label):
            raise InvalidNamespaceError(
                f"The label {label!r} of the namespace {tuple(namespace)!r} {problem}.",
                namespace=tuple(namespace),
            )


def _problem(label: object) -> str:
    if not isinstance(label, str):
        return f"is of type {type(label).__name__}; labels are strings"
    if not label:
        return "is empty; leave it out"
    if "." in label:
        return "has a '.', which separates labels; make it two labels"
    if "\0" in label:
        return "has a NUL character, which databases do not store"
    if not label.isascii() and any("\ud800" <= character <= "\udfff" for character in label):
        return "has half of a surrogate pair, which UTF-8 cannot say"
    return ""


def check_new_namespace(namespace: Sequence[object]) -> None:
    """Refuse a namespace that items cannot be put in.

    Raises:
        InvalidNamespaceError: it is empty, begins with a reserved label, or has a label that cannot be.
    """
    check_labels(namespace)
    if not namespace:
        raise InvalidNamespaceError(
            "An item needs a namespace of at least one label, as in ('users', '17').", namespace=()
        )
    if namespace[0] in RESERVED:
        raise InvalidNamespaceError(
            f"Namespaces that begin with {namespace[0]!r} are reserved; {tuple(namespace)!r} is one.",
            namespace=tuple(namespace),
        )


def validate_op_namespace(op: Op) -> None:
    """Check the labels that an op carries; `abatch` gets ops that went through no other method.

    Raises:
        InvalidNamespaceError: a namespace cannot be.
    """
    match op:
        case PutOp(namespace=namespace):
            check_new_namespace(namespace)
        case GetOp(namespace=namespace):
            check_labels(namespace)
        case SearchOp(namespace_prefix=prefix):
            check_labels(prefix)
        case ListNamespacesOp(match_conditions=match_conditions):
            for condition in match_conditions or ():
                check_labels(condition.path)


def conditions(
    prefix: NamespacePath | None, suffix: NamespacePath | None
) -> tuple[MatchCondition, ...] | None:
    """What a listing's arguments say, as conditions."""
    found: list[MatchCondition] = []
    if prefix:
        found.append(MatchCondition("prefix", tuple(prefix)))
    if suffix:
        found.append(MatchCondition("suffix", tuple(suffix)))
    return tuple(found) or None


def is_below(namespace: NamespacePath, prefix: NamespacePath) -> bool:
    """Whether a search from `prefix` sees this namespace: whole labels count, and "*" is a label like any other."""
    return namespace[: len(prefix)] == prefix


def wanted(namespace: NamespacePath, match_conditions: Iterable[MatchCondition] | None) -> bool:
    """Whether a namespace meets all conditions, "*" standing for any one label."""
    return all(_meets(namespace, condition) for condition in match_conditions or ())


def _meets(namespace: NamespacePath, condition: MatchCondition) -> bool:
    length = len(condition.path)
    if len(namespace) < length:
        return False
    labels = namespace[:length] if condition.match_type == "prefix" else namespace[len(namespace) - length :]
    return all(want in {"*", label} for want, label in zip(condition.path, labels, strict=True))


def list_of(namespaces: Iterable[NamespacePath], op: ListNamespacesOp) -> list[NamespacePath]:
    """The result of a listing, of all namespaces that hold items: chosen whole, then cut off, sorted, and paged."""
    depth = op.max_depth
    found = {namespace[:depth] for namespace in namespaces if wanted(namespace, op.match_conditions)}
    return sorted(found)[op.offset : op.offset + op.limit]
