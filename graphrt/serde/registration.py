"""What `register` accepts, in one registry or for the whole process."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from graphrt.serde.codec import Codec, Decode, Encode, type_name
from graphrt.serde.derive import derive

__all__ = ["add", "registered", "taken"]


def registered(
    tag: str,
    typ: type,
    encode: Encode | None,
    decode: Decode | None,
    version: int,
    upgrade: Mapping[int, Decode] | None,
) -> tuple[Codec, Codec | None]:
    """The codec that these arguments of `register` ask for, and the one for what was stored before they were given.

    Until then a schema named the class, and its tag was its name.

    Raises:
        ValueError: `tag` is empty or starts with '!', one of `encode` and `decode` is missing, or there are versions
            without an upgrade.
        TypeError: the class does not describe itself.
    """
    if not tag or tag.startswith("!"):
        raise ValueError(f"register({tag!r}): a tag is a text that does not start with '!'")
    if (encode is None) != (decode is None):
        raise ValueError(f"register({tag!r}): give both encode and decode, or neither")
    steps = dict(upgrade or {})
    if steps and set(steps) != set(range(min(steps), version)):
        raise ValueError(f"register({tag!r}): upgrade needs a function for each version before {version}")
    if encode is not None and decode is not None:
        return Codec(tag, typ, encode, decode, version, upgrade=steps), derive(typ)
    derived = derive(typ, tag)
    if derived is None:
        raise TypeError(
            f"register({tag!r}): {type_name(typ)} does not say what it is made of; give encode= and decode="
        )
    codec = replace(derived, version=version, upgrade=steps)
    return codec, codec


def add(types: dict[type, Codec], tags: dict[str, Codec], codec: Codec, former: Codec | None) -> None:
    """Put a codec where values are looked up by type and stored ones by tag."""
    types[codec.typ] = tags[codec.tag] = codec
    if former is not None:
        tags.setdefault(type_name(codec.typ), former)


def taken(tag: str, typ: type) -> ValueError:
    """What to raise for a tag that stands for `typ` already."""
    return ValueError(
        f"The tag {tag!r} already stands for {type_name(typ)}. Register the other class under a tag of its own"
    )
