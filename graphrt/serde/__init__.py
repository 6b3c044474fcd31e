"""Values to bytes and back, in a closed world of types.

The rules, first those for values:

1. What comes back is equal to what was written and has its type, at every depth; or the write fails, naming the path.
2. Types are compared by identity. A subclass is another type: `class UserId(str)` never becomes a plain `str`.
3. Nothing in the bytes is imported, called, or looked up anywhere but in the registry. There is no pickle.
4. No constructor or validator of a user's class runs on reading. (A msgspec Struct runs its `__post_init__`; a type
   that was registered with `decode=` runs that.)
5. Values that nothing can tell apart have the same bytes in every process, sets included. Dicts keep their order, so
   equal dicts in different orders differ.

Then those for bytes:

6. Exactly `None bool int float str bytes list` and `dict` with `str` keys are plain MessagePack, ints within 64 bits
   and strings that are valid Unicode. Any MessagePack reader can read them.
7. Everything else is one extension type, code 71, whose payload is MessagePack again: `[tag, version, body]`. A value
   made of plain types can therefore never be taken for a tagged one.
8. Tags that start with `!` belong to graphrt, all others to users; `module:qualname` are classes named by a schema.
9. The body of a class with fields is the map of its fields: new fields need a default, removed ones are ignored. Where
   fields mean something else than before, the class is registered with a higher `version` and an `upgrade`.
10. A list of two or more values of one tagged type has one tag: `["!list", 1, [tag, version, [body, ...]]]`. One of
    several types has the order, and beside it a list for each: `["!mixed", 1, [order, [[tag, version, body], ...]]]`.
11. Records whose fields hold more than plain values may lie in a layout, `["!layout", 1, [header, data]]`: all their
    types stand in the header, and the data is plain MessagePack (with its own timestamps). The header says all there is
    to know; annotations only make writing and reading fast. What does not keep to its annotation is written the
    general way, and so are a few records, whose tags take less room than a header.
12. No value starts with the byte 0xC1, which MessagePack never uses. It is kept for envelopes (encryption).
13. At most `MAX_DEPTH` containers inside each other. Cycles are refused; an object met twice is written twice.

Types become known through `graphrt.serde.register`, for the whole process, `TypeRegistry.register`, for one graph, or
a schema that names them. What is written under which tag is read from `standard` (the standard library), `failures`
(exceptions), `words` (Send, Command, ...), `foreign` (numpy), `models` (pydantic), `records` and `derive` (users'
classes). How it happens:

    dumps   value --lower--> plain values and extensions --msgspec--> bytes
            plain: is anything to be done?  together: many values under one tag or layout  columns: do they keep to it?
    loads   bytes --msgspec, calling revive for each extension, inner ones first--> value
            rebuild: data of a layout, by today's annotations if they say the same, else by its header

Strings with lone surrogates, ints of any size, nan and infinities, NUL characters and empty containers are values like
all others. Exceptions come back without traceback and cause; those of unregistered classes as a `RemoteError`.
"""

from graphrt.serde.failures import RemoteError
from graphrt.serde.registry import TypeRegistry
from graphrt.serde.serializer import Serializer
from graphrt.serde.shared import register
from graphrt.serde.wire import MAX_DEPTH, UnknownValue
from graphrt.serde.zones import load_zones

__all__ = [
    "MAX_DEPTH", "RemoteError", "Serializer", "TypeRegistry", "UnknownValue", "load_zones", "register",
]  # fmt: skip
