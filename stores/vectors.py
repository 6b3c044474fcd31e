"""Vectors as they are stored, and how near each item's best one is to a query."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from math import dist, inf
from typing import Any, Final, Literal, TypeAlias

from graphrt.store.embedding import Vector
from graphrt.store.nearness import cosines, unit

__all__ = ["FLOAT_BYTES", "Distance", "best", "comparable", "pack_vector", "stored_form", "unpack_vectors"]

FLOAT_BYTES: Final = 4

Distance: TypeAlias = Literal["cosine", "l2", "inner_product"]
"""What nearness is: the cosine of the angle, the distance taken negative, the inner product."""


def stored_form(vector: Vector, distance: Distance) -> Any:
    """A vector as it is stored and compared: its direction alone, where that is all that counts."""
    return unit(vector) if distance == "cosine" else comparable([vector])[0]


def comparable(vectors: Iterable[Sequence[float]]) -> list[Any]:
    """Vectors as `best` takes them."""
    try:
        import numpy
    except ImportError:
        return [[float(number) for number in vector] for vector in vectors]
    return [numpy.asarray(vector, dtype=numpy.float32) for vector in vectors]


def pack_vector(unit: Sequence[float]) -> bytes:
    """A vector as 32-bit floats, least significant byte first."""
    floats = array("f", unit)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()


def unpack_vectors(packed: Iterable[bytes]) -> list[Any]:
    """The vectors that were packed, as `cosines` takes them."""
    try:
        import numpy
    except ImportError:
        return [_unpacked(data) for data in packed]
    return [numpy.frombuffer(data, dtype="<f4") for data in packed]


def _unpacked(data: bytes) -> list[float]:
    floats = array("f")
    floats.frombytes(data)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def best(query: Any, vectors: Iterable[tuple[int, Any]], distance: Distance = "cosine") -> dict[int, float]:
    """How near each item is by the nearest of its vectors; items are numbers."""
    rows = list(vectors)
    near = _closeness if distance == "l2" else cosines  # of what is no direction, this is the inner product
    found: dict[int, float] = {}
    for (item, _), closeness in zip(rows, near(query, [vector for _, vector in rows]), strict=True):
        if closeness > found.get(item, -inf):
            found[item] = closeness
    return found


def _closeness(query: Any, vectors: Sequence[Any]) -> list[float]:
    return [-dist(query, vector) for vector in vectors]
