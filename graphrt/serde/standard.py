"""Codecs of the standard library's value types. Their tags start with `!`, which no other tag may."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType

from graphrt.serde.codec import Codec, Decode, checked
from graphrt.serde.zones import key_of, zone

__all__ = ["standard_codecs"]

_FACTORIES: dict[str, Callable[[], Any]] = {
    typ.__name__: typ for typ in (list, dict, set, int, float, str, bool, bytes, tuple, frozenset)
}
"""What a stored defaultdict may call; any other factory is refused when it is written."""


def standard_codecs() -> Iterator[Codec]:
    """All of them, one family after the other."""
    yield from _numbers()
    yield from _containers()
    yield from _times()
    yield from _texts()


def of(expected: type, build: Callable[[Any], Any]) -> Decode:
    """A decoder that gives `build` nothing but a body of exactly this type."""
    return lambda body: build(checked(body, expected))


def _numbers() -> Iterator[Codec]:
    # Hex has no digit limit and takes linear time. These two are used only beyond 64 bit and for lone surrogates.
    yield Codec("!int", int, hex, of(str, lambda body: int(body, 16)))
    yield Codec("!str", str, lambda value: value.encode("utf-8", "surrogatepass"), of(bytes, _str_from))
    yield Codec("!complex", complex, lambda value: [value.real, value.imag], lambda body: complex(*body))
    yield Codec("!decimal", Decimal, str, of(str, Decimal))
    yield Codec(
        "!fraction", Fraction, lambda value: [*value.as_integer_ratio()], lambda body: Fraction(*body)
    )
    yield Codec(
        "!range", range, lambda value: [value.start, value.stop, value.step], lambda body: range(*body)
    )
    yield Codec("!bytearray", bytearray, bytes, of(bytes, bytearray))
    yield Codec("!unset", UnsetType, lambda _: None, lambda _: UNSET)


def _str_from(body: bytes) -> str:
    return body.decode("utf-8", "surrogatepass")


def _containers() -> Iterator[Codec]:
    yield Codec("!tuple", tuple, list, of(list, tuple))
    yield Codec("!set", set, list, of(list, set))
    yield Codec("!frozenset", frozenset, list, of(list, frozenset))
    yield Codec("!deque", deque, lambda value: [list(value), value.maxlen], _deque_from, steps=("", ""))
    yield Codec("!dict", dict, lambda value: [list(value), list(value.values())], _dict_from)
    yield Codec("!ordereddict", OrderedDict, dict, of(dict, OrderedDict))
    yield Codec("!counter", Counter, dict, of(dict, Counter))
    yield Codec("!defaultdict", defaultdict, _defaultdict_to, _defaultdict_from, steps=("", ""))


def _deque_from(body: Any) -> deque[Any]:
    items, maxlen = body
    return deque(checked(items, list), maxlen)


def _dict_from(body: Any) -> dict[Any, Any]:
    keys, values = body
    return dict(zip(checked(keys, list), checked(values, list), strict=True))


def _defaultdict_to(value: defaultdict[Any, Any]) -> list[Any]:
    factory = value.default_factory
    if factory is None:
        return [None, dict(value)]
    for name, known in _FACTORIES.items():
        if factory is known:
            return [name, dict(value)]
    raise TypeError(f"its default_factory {factory!r} is none of {', '.join(_FACTORIES)}")


def _defaultdict_from(body: Any) -> defaultdict[Any, Any]:
    name, items = body
    return defaultdict(None if name is None else _FACTORIES[name], checked(items, dict))


def _times() -> Iterator[Codec]:
    yield Codec("!date", date, date.isoformat, of(str, date.fromisoformat))
    yield Codec("!datetime", datetime, _clock_to, _clock_from(datetime), steps=("", "", ".tzinfo"))
    yield Codec("!time", time, _clock_to, _clock_from(time), steps=("", "", ".tzinfo"))
    yield Codec("!timedelta", timedelta, _parts, lambda body: timedelta(*body))
    yield Codec("!timezone", timezone, _timezone_to, _timezone_from)
    yield Codec("!zoneinfo", ZoneInfo, key_of, zone)


def _parts(delta: timedelta) -> list[int]:
    return [delta.days, delta.seconds, delta.microseconds]


def _timezone_to(value: timezone) -> list[Any]:
    state: Any = value.__reduce__()[1]  # the only public way to ask whether a name was given
    offset, *name = state
    return [*_parts(offset), *name]


def _timezone_from(body: Any) -> timezone:
    days, seconds, microseconds, *name = body
    return timezone(timedelta(days, seconds, microseconds), *name)


def _clock_to(value: datetime | time) -> Any:
    """ISO text where that says everything, else `[naive ISO text, fold, tzinfo]`."""
    zoned = value.tzinfo
    if value.fold or not (zoned is None or zoned is UTC):
        return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, zoned]
    return value.isoformat()


def _clock_from(typ: type[datetime] | type[time]) -> Decode:
    def decode(body: Any) -> datetime | time:
        if type(body) is str:
            return typ.fromisoformat(body)
        text, fold, zoned = body
        if not (zoned is None or isinstance(zoned, tzinfo)):
            raise TypeError("tzinfo expected")
        return typ.fromisoformat(text).replace(fold=fold, tzinfo=zoned)

    return decode


def _texts() -> Iterator[Codec]:
    yield Codec("!uuid", UUID, lambda value: value.bytes, lambda body: UUID(bytes=body))
    yield Codec("!path", type(Path()), str, of(str, Path))
    yield Codec("!path.posix", PurePosixPath, str, of(str, PurePosixPath))
    yield Codec("!path.windows", PureWindowsPath, str, of(str, PureWindowsPath))
    yield Codec("!pattern", re.Pattern, lambda value: [value.pattern, value.flags], _pattern_from)
    for typ in (IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network):
        yield Codec(f"!{typ.__name__.lower()}", typ, str, of(str, typ))


def _pattern_from(body: Any) -> re.Pattern[Any]:
    pattern, flags = body
    if flags & re.DEBUG:
        raise ValueError("re.DEBUG prints")
    return re.compile(pattern, flags)
