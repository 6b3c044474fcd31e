"""Types that every registry of the process knows, those that exist already included: `graphrt.serde.register`."""

from __future__ import annotations

from collections.abc import Mapping

from graphrt.serde.builtin import BUILT_IN_TYPES, UNTAGGED
from graphrt.serde.codec import Codec, Decode, Encode, type_name
from graphrt.serde.registration import add, registered, taken

__all__ = ["SHARED", "Shared", "register"]


class Shared:
    """What has been registered for the whole process; `changes` says how often."""

    def __init__(self) -> None:
        self.types: dict[type, Codec] = {}
        self.tags: dict[str, Codec] = {}
        self.changes = 0

    def add(self, codec: Codec, former: Codec | None) -> None:
        """Take a codec in; in the place of an earlier definition of the same class, if there is one.

        Raises:
            ValueError: the tag or the type is taken.
        """
        other = self.tags.get(codec.tag)
        if other is not None and other.typ is not codec.typ:
            if not _defined_again(other.typ, codec.typ):
                raise taken(codec.tag, other.typ)
            self.tags = {tag: kept for tag, kept in self.tags.items() if kept.typ is not other.typ}
            del self.types[other.typ]
        if codec.typ in self.types or codec.typ in BUILT_IN_TYPES or codec.typ in UNTAGGED:
            raise ValueError(f"{type_name(codec.typ)} is registered already")
        add(self.types, self.tags, codec, former)
        self.changes += 1


def _defined_again(old: type, new: type) -> bool:
    """Whether a module was reloaded, or a notebook's cell run again: this is no clash."""
    return type_name(old) == type_name(new) and "<locals>" not in new.__qualname__


SHARED = Shared()


def register(
    tag: str,
    typ: type,
    *,
    encode: Encode | None = None,
    decode: Decode | None = None,
    version: int = 1,
    upgrade: Mapping[int, Decode] | None = None,
) -> None:
    """Let every graph of this process write values of exactly `typ` under `tag`, and read them.

    One line beside the class. The tag goes into stored bytes: it has to stay when the class moves or gets another name.
    Classes that a graph's annotations name need no registration, but their tag is then their name. What was stored
    under that name before can still be read.

    Args:
        encode: gives anything serialisable, and `decode` gets that back. Without both, the class has to describe
            itself: a dataclass, Struct, NamedTuple, enum, attrs class, pydantic model, exception, or a bare subclass
            of a built-in type.
        version: to be raised when the body changes; then `upgrade[n]` turns a body of version n into one of n + 1.

    Raises:
        ValueError: the tag or the type is taken, `tag` is empty or starts with '!', one of `encode` and `decode` is
            missing, or there are versions without an upgrade.
        TypeError: the class does not describe itself.

    Example:
        >>> register("money", Money, encode=lambda m: [m.cents, m.currency], decode=lambda body: Money(*body))
    """
    SHARED.add(*registered(tag, typ, encode, decode, version, upgrade))
