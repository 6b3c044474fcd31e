"""What a batch of ops comes to, decided before anything is read or stored (LangGraph S7).

Reads see what was there before the batch; of several puts to one address the last one counts. So a batch is its reads,
then at most one put for each address, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from msgspec import Struct

from graphrt.errors import GraphValidationError
from graphrt.store.filters import check_filter
from graphrt.store.namespaces import validate_op_namespace
from graphrt.store.ops import GetOp, ListNamespacesOp, Op, PutOp, SearchOp
from graphrt.store.paths import get_text_at_path
from graphrt.store.values import check_key, from_bytes, to_bytes

__all__ = ["Batch", "Put", "Read", "plan_batch"]

Read = GetOp | SearchOp | ListNamespacesOp


class Put(Struct, frozen=True):
    """A put that is ready to be stored.

    Attributes:
        body: the value's bytes, None to delete the item.
        ttl: minutes that it lives from now on, None for ever.
        texts: what of it is to be embedded, each text once.
    """

    namespace: tuple[str, ...]
    key: str
    body: bytes | None
    ttl: float | None
    texts: tuple[str, ...]


class Batch(Struct, frozen=True):
    """A batch that can be done.

    Attributes:
        size: how many results it has; those of puts are None.
        reads: each with the place of its result. Their filters are as `check_filter` gives them.
        puts: at most one for each address.
        texts: what is to be embedded for the puts, each text once.
        queries: what is to be embedded for the searches, each text once.
    """

    size: int
    reads: tuple[tuple[int, Read], ...]
    puts: tuple[Put, ...]
    texts: tuple[str, ...]
    queries: tuple[str, ...]


def plan_batch(ops: Iterable[Op], *, fields: Iterable[str] | None = None) -> Batch:
    """Check ops and take them apart.

    Args:
        fields: the paths that the store embeds unless a put names others; None if it has no index.

    Raises:
        InvalidNamespaceError: an op names a namespace that cannot be.
        InvalidFilterError: a search's filter makes no sense.
        SerializationError: a value or key cannot be stored.
        GraphValidationError: a limit, offset, depth or time to live makes no sense, or something is no op.
    """
    paths = None if fields is None else tuple(fields)
    reads: list[tuple[int, Read]] = []
    puts: dict[tuple[tuple[str, ...], str], Put] = {}
    size = 0
    for size, op in enumerate(ops, 1):
        if isinstance(op, PutOp):
            put = _put(op, paths)
            puts[put.namespace, put.key] = put
        else:
            reads.append((size - 1, _read(op)))
    return Batch(
        size=size,
        reads=tuple(reads),
        puts=tuple(puts.values()),
        texts=tuple(dict.fromkeys(text for put in puts.values() for text in put.texts)),
        queries=() if paths is None else _queries(op for _, op in reads),
    )


def _queries(reads: Iterable[Read]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(op.query for op in reads if isinstance(op, SearchOp) and op.query))


def _put(op: PutOp, fields: tuple[str, ...] | None) -> Put:
    validate_op_namespace(op)
    namespace = tuple(op.namespace)
    address = f"{'.'.join(namespace)}/{op.key}"
    check_key(op.key, address=address)
    if op.value is None:
        return Put(namespace, op.key, None, None, ())
    _check_ttl(op.ttl, address)
    body = to_bytes(op.value, address=address)
    return Put(namespace, op.key, body, op.ttl, _texts(body, op, fields))


def _texts(body: bytes, op: PutOp, fields: tuple[str, ...] | None) -> tuple[str, ...]:
    if fields is None or op.index is False:
        return ()
    value = from_bytes(body)
    paths = fields if op.index is None else tuple(op.index)
    return tuple(dict.fromkeys(text for path in paths for text in get_text_at_path(value, path)))


def _read(op: Read) -> Read:
    match op:
        case GetOp():
            validate_op_namespace(op)
            return op._replace(namespace=tuple(op.namespace))
        case SearchOp():
            validate_op_namespace(op)
            _check_page(op)
            return op._replace(namespace_prefix=tuple(op.namespace_prefix), filter=check_filter(op.filter))
        case ListNamespacesOp():
            _check_conditions(op)
            _check_page(op)
            return op
    raise GraphValidationError(  # pyright: ignore[reportUnreachable]  # what is typed is not always what comes
        f"{op!r:.80} is nothing that a store can be asked for. Use GetOp, SearchOp, PutOp or ListNamespacesOp."
    )


def _check_page(op: SearchOp | ListNamespacesOp) -> None:
    if op.limit < 0 or op.offset < 0:
        raise GraphValidationError(
            f"A {type(op).__name__} with limit {op.limit} and offset {op.offset} has no result; both are 0 or more."
        )


def _check_conditions(op: ListNamespacesOp) -> None:
    validate_op_namespace(op)
    if op.max_depth is not None and op.max_depth < 1:
        raise GraphValidationError(f"Namespaces have at least one label; max_depth is {op.max_depth}.")
    for condition in op.match_conditions or ():
        if condition.match_type not in {"prefix", "suffix"}:
            raise GraphValidationError(
                f"A namespace is matched by its 'prefix' or its 'suffix', not by {condition.match_type!r}."
            )


def _check_ttl(ttl: float | None, address: str) -> None:
    if ttl is not None and not (isfinite(ttl) and ttl > 0):
        raise GraphValidationError(
            f"{address} cannot live for {ttl!r} minutes. Give more than 0, or None for ever; delete it to be rid of it."
        )
