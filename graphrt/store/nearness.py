"""How near vectors are to a query: the cosine of the angle between them, with numpy where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from operator import mul
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from graphrt.store.embedding import Vector

__all__ = ["cosines", "score", "unit"]

_DIGITS: Final = 6


def unit(vector: Vector) -> Any:
    """A vector's direction, in the form in which `cosines` takes it; a vector of zeros stays one."""
    numbers = [float(number) for number in vector]
    length = sqrt(sum(number * number for number in numbers))
    if length > 0:
        numbers = [number / length for number in numbers]
    numpy = _numpy()
    return numbers if numpy is None else numpy.asarray(numbers, dtype=numpy.float32)


def cosines(query: Any, units: Sequence[Any]) -> list[float]:
    """How near each of several directions is to another one, from -1 to 1."""
    if not units:
        return []
    numpy = _numpy()
    found = [sum(map(mul, query, each)) for each in units] if numpy is None else numpy.stack(units) @ query
    return [score(each) for each in found]


def score(nearness: float) -> float:
    """A nearness without the digits that depend on who computed it, so that equal texts are equally near."""
    return round(float(nearness), _DIGITS)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy
