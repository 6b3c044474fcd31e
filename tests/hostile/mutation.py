"""Hostile bytes from good ones: flipped, cut, spliced and crafted, the same for the same seed."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
from msgspec.msgpack import Ext

from graphrt.errors import GraphError
from graphrt.serde.wire import EXT_CODE

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.decode

CANARY = "tests.hostile.canary"

NAMES = (
    "os:system", "os.system", "builtins:eval", "builtins.eval", "builtins:exec", "builtins:__import__",
    "subprocess:Popen", "subprocess:run", "pickle:loads", "importlib:import_module", "shutil:rmtree",
    "posix:system", "nt:system", "socket:socket", "ctypes:CDLL", "runpy:run_path", "codecs:decode", "no.such:Thing",
    "graphrt.serde.registry:TypeRegistry", "graphrt:StateGraph", "operator:attrgetter", "functools:partial",
    f"{CANARY}:Canary", f"{CANARY}:sing", f"{CANARY}.Canary", f"{CANARY}:Canary.parse", "!", "", "\0", "!list",
    "!tuple",
)  # fmt: skip
"""What somebody would like to see looked up."""

CALLS: tuple[Any, ...] = (
    ["os", "system", "true"],
    ["builtins", "eval", ["1"]],
    ["os", "system", ["true"], "__call__"],
    [CANARY, "Canary", ["x"]],
    [CANARY, "Canary", {"x": 1}],
    [CANARY, "Canary", {"x": 1}, "model_validate"],
    [CANARY, "Canary", [], {"x": 1}, "parse"],
    {"lc": 1, "type": "constructor", "id": [*CANARY.split("."), "Canary"], "kwargs": {"x": 1}},
    {"lc": 2, "type": "constructor", "id": ["os", "system"], "method": [None, "construct"], "args": ["true"]},
    {"lc": 1, "type": "secret", "id": ["PATH"]},
    {"__type__": f"{CANARY}:Canary", "__args__": [1]},
    {"py/object": f"{CANARY}.Canary"},
    {"py/reduce": [{"py/function": f"{CANARY}.sing"}, {"py/tuple": []}]},
    {"__reduce__": ["os.system", ["true"]], "__class__": "Canary", "__init__": 1},
)
"""How LangGraph, LangChain and jsonpickle say "call this"; LangGraph's extensions hold such lists."""

PICKLES = (
    b"cos\nsystem\n(S'true'\ntR.",
    b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.",
    b"\x80\x02c" + CANARY.encode() + b"\nCanary\nq\x00)\x81q\x01.",
)

HUGE = (
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x47", b"\xdc\xff\xff", b"\xde\xff\xff", b"\xdd\x7f\xff\xff\xff\xc0",
    b"\xdf\x10\x00\x00\x00\xa0",
)  # fmt: skip
"""Headers of things that never come."""


def extension(code: int, *items: Any) -> bytes:
    """An extension with MessagePack inside."""
    return _encode(Ext(code, _encode(items[0] if len(items) == 1 else list(items))))


def crafted(random: Random) -> bytes:
    """Bytes that try one known trick."""
    name, call = random.choice(NAMES), random.choice(CALLS)
    match random.randrange(9):
        case 0:
            return extension(
                EXT_CODE, [name, random.choice((0, 1, 2, 2**63)), random.choice((call, [], {}, None))]
            )
        case 1:  # LangGraph's codes, -1 for a timestamp
            return extension(random.randrange(-1, 8), call)
        case 2:
            return random.choice(PICKLES)
        case 3:
            return random.choice(HUGE) + random.randbytes(random.randrange(6))
        case 4:
            return _encode({"value": call, "type": name})
        case 5:  # envelopes of encryption that are none
            return b"\xc1" + random.randbytes(random.choice((0, 1, 2, 40, 300)))
        case 6:  # tags inside tags inside tags
            data = extension(EXT_CODE, [name, 1, call])
            for _ in range(random.choice((1, 3, 200))):
                tag = random.choice(("!tuple", "!list", "!frozenset", name))
                data = extension(EXT_CODE, [tag, 1, [msgspec.Raw(data)]])
            return data
        case 7:
            return b"\x91" * random.choice((10, 127, 129, 5000)) + b"\xc0"
        case _:
            return extension(EXT_CODE, [[name], "1"]) + _encode(call)


def mutated(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Good bytes gone bad in one of the ways there are."""
    match random.randrange(8):
        case 0:
            return _flipped(random, data, random.choice((1, 1, 2, 8)))
        case 1:
            return data[: random.randrange(len(data) + 1)]
        case 2:
            return random.randbytes(random.randrange(80))
        case 3:
            return crafted(random)
        case 4:
            at, piece = random.randrange(len(data) + 1), random.choice(others)
            start = random.randrange(len(piece) + 1)
            return data[:at] + piece[start : start + random.randrange(60)] + data[at + random.randrange(4) :]
        case 5:
            at = random.randrange(len(data) + 1)
            return data[:at] + crafted(random) + data[at + random.randrange(8) :]
        case 6:
            return random.choice(others)
        case _:
            return _rebuilt(random, data, others)


def _flipped(random: Random, data: bytes, times: int) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(times):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _rebuilt(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Still well-formed MessagePack, with some node of it replaced by another value, also inside extensions."""
    try:
        tree = _opened(_decode(data))
        strange = random.choice(
            [*CALLS, *NAMES, None, True, -1, 2**63, 1e308, b"", "", [], {}, [[]], "!uuid"]
        )
        for _ in range(random.choice((1, 1, 3))):
            tree = _replaced(random, tree, random.choice((strange, _opened(_decode(random.choice(others))))))
        return _encode(_closed(tree))
    except (msgspec.MsgspecError, RecursionError, TypeError, ValueError, OverflowError, GraphError):
        return _flipped(random, data, 1)


class _Tagged(list[Any]):
    """The content of an extension of serde's."""


def _opened(node: Any) -> Any:
    match node:
        case Ext() if node.code == EXT_CODE:
            return _Tagged(_opened(_decode(node.data)))
        case list():
            return [_opened(item) for item in node]
        case dict():
            return {key: _opened(item) for key, item in node.items()}
        case _:
            return node


def _closed(node: Any) -> Any:
    match node:
        case _Tagged():
            return Ext(EXT_CODE, _encode([_closed(item) for item in node]))
        case list():
            return [_closed(item) for item in node]
        case dict():
            return {key: _closed(item) for key, item in node.items()}
        case _:
            return node


def _replaced(random: Random, node: Any, other: Any) -> Any:
    """The tree with one node, chosen on the way down, replaced."""
    if not isinstance(node, list | dict) or not node or random.random() < 0.25:
        return other
    if isinstance(node, dict):
        key = random.choice(list(node))
        return {**node, key: _replaced(random, node[key], other)}
    at = random.randrange(len(node))
    items = [*node[:at], _replaced(random, node[at], other), *node[at + 1 :]]
    return _Tagged(items) if isinstance(node, _Tagged) else items
