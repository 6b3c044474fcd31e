"""One test, or a few, for each security advisory that LangGraph and its neighbours had to publish.

Each says in its docstring what the hole was; the identifiers are those of the advisories.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any, TypedDict

import pytest

import checkpointers
import graphrt
import stores
from graphrt import START, StateGraph
from graphrt.checkpoint.encrypted import EncryptedSaver, Keys
from graphrt.errors import DecryptionError, DeserializationError
from graphrt.serde import Serializer
from graphrt.testing.conformance.records import Writer
from tests.hostile import canary
from tests.hostile.canary import Canary
from tests.hostile.mutation import CALLS, PICKLES, extension

PACKAGES = [Path(package.__file__).parent for package in (graphrt, checkpointers, stores)]
SOURCES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))


class State(TypedDict):
    text: str


def graph_on(saver: Any) -> Any:
    async def node(state: State) -> State:
        return {"text": state["text"] + "!"}

    return StateGraph(State).add_node(node).add_edge(START, "node").compile(checkpointer=saver)


def config(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


@pytest.fixture(autouse=True)
def canary_stays_silent() -> Iterator[None]:
    canary.sung.clear()
    yield
    assert canary.sung == []


async def read_forged(saver: Any, data: bytes) -> None:
    """Bytes that somebody put into a thread's row end in a typed error, wherever they are read."""
    writer = Writer(saver, f"forged {data!r}"[:200])
    await writer.commit({"text": data}, next=("node",))
    graph = graph_on(saver)
    with pytest.raises(DeserializationError):
        await graph.aget_state(config(writer.thread))
    with pytest.raises(DeserializationError):
        await graph.ainvoke(None, config(writer.thread))
    with pytest.raises(DeserializationError):
        async for _ in graph.aget_state_history(config(writer.thread)):
            pass


# ---- CVE-2025-64439 / GHSA-wwqv-p2pp-99h5


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ude00 lc", "\0\ud83d"])
async def test_cve_2025_64439_what_one_format_cannot_hold_is_not_written_in_another(
    saver: Any, text: str
) -> None:
    """A value with lone surrogates made LangGraph fall back to JSON, whose reader calls any constructor it is told."""
    value = {"text": text, "lc": 2, "type": "constructor", "id": ["tests", "hostile", "canary", "Canary"]}
    data = Serializer().dumps(value)
    assert Serializer().loads(data) == value
    graph = graph_on(saver)
    await graph.ainvoke({"text": text}, config("t"))
    assert (await graph.aget_state(config("t"))).values == {"text": text + "!"}


async def test_cve_2025_64439_json_is_no_format(saver: Any) -> None:
    """Rows that said they were JSON were read as such."""
    call = b'{"lc": 2, "type": "constructor", "id": ["tests", "hostile", "canary", "Canary"], "args": []}'
    await read_forged(saver, call)


# ---- CVE-2025-67644 / GHSA-9rwj-6rc7-p77c

KEYS = (
    "user') = 'x' OR 1=1 --",
    "x') OR '1'='1",
    "user') IS NULL UNION SELECT thread_id, checkpoint_ns, checkpoint_id, 0, 0, 0, 0 FROM checkpoints --",
    "user\"}' OR 1=1 --",
)


@pytest.mark.parametrize("key", KEYS)
async def test_cve_2025_67644_key_of_a_filter_is_no_sql(saver: Any, key: str) -> None:
    """The key of a metadata filter became part of LangGraph's SQL, so a key could read every thread."""
    theirs, mine = Writer(saver, "theirs"), Writer(saver, "mine")
    await theirs.commit({"text": b"secret"}, metadata={"user": "them"})
    head = await mine.commit({"text": b"1"}, metadata={"user": "me", key: "found"})
    await mine.commit({"text": b"2"})
    assert await mine.history(filter={key: "x"}) == []
    assert await mine.history(filter={key: "found"}) == [head]


# ---- CVE-2026-27794 / GHSA-mhr3-j7m5-c7c9, and microsoft/agent-framework #4894, #5202, #5488, #8044

BANNED = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
    "yaml",
    "copyreg",
}


def imported(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name.partition(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str() as module):
                names.add(module.partition(".")[0])
    return names


def test_cve_2026_27794_there_is_no_pickle_anywhere() -> None:
    """LangGraph's node cache pickled what its codec could not write, though its checkpoints did not any more.

    agent-framework closed the same hole store by store, and forgot one.
    """
    assert [source for source in SOURCES if imported(source) & BANNED] == []


@pytest.mark.parametrize("data", PICKLES)
async def test_agent_framework_4894_pickles_in_any_store_are_refused_by_the_codec(
    saver: Any, data: bytes
) -> None:
    """Checkpoints were pickles, and each store had to know what to allow. Here no store sees more than bytes."""
    await read_forged(saver, data)


def test_agent_framework_4894_checkpointers_do_not_read_values() -> None:
    """An allow list of one store was wider than another's: so only one place may turn bytes into values."""
    stores = [source for source in SOURCES if source.is_relative_to(PACKAGES[1])]
    for source in stores:
        text = source.read_text(encoding="utf-8")
        assert "Serializer" not in text and "ext_hook" not in text, source


# ---- CVE-2026-28277 / GHSA-g48c-2wqr-h844


@pytest.mark.parametrize("code", range(8))
async def test_cve_2026_28277_extensions_call_nothing(saver: Any, code: int) -> None:
    """LangGraph's MessagePack extensions name a module, a class, arguments and a method, and reading called them."""
    for call in CALLS[:7]:
        await read_forged(saver, extension(code, call))


async def test_cve_2026_28277_class_that_nobody_registered_is_not_made(saver: Any) -> None:
    """Its strict mode had to be switched on; here a class is known or it is not."""
    assert Canary.__module__ == "tests.hostile.canary"
    writer = Writer(saver, "t")
    await writer.commit({"text": extension(71, [f"{Canary.__module__}:Canary", 1, {"x": 1}])}, next=("node",))
    with pytest.raises(DeserializationError, match="unknown type"):
        await graph_on(saver).ainvoke(None, config("t"))
    shown = (await graph_on(saver).aget_state(config("t"))).values["text"]
    assert (type(shown).__name__, shown.tag, shown.data) == (
        "UnknownValue",
        f"{Canary.__module__}:Canary",
        {"x": 1},
    )


# ---- CVE-2026-27022 / GHSA-5mx2-w598-339m


@pytest.mark.parametrize(
    "text",
    ["*", "@user:{*}", "x} | @user:{*", "-x", "(@user:them) | *", "%", "\\*", "'*'", "me | them", "{me}"],
)
async def test_cve_2026_27022_value_of_a_filter_is_no_query(saver: Any, text: str) -> None:
    """The Redis saver put values and keys of filters into a search query, wildcards and operators included."""
    theirs, mine = Writer(saver, "theirs"), Writer(saver, "mine")
    await theirs.commit(metadata={"user": "them"})
    await mine.commit(metadata={"user": "me"})
    for writer in (theirs, mine):
        assert await writer.history(filter={"user": text}) == []
        assert await writer.history(filter={text: "me"}) == []
    assert await Writer(saver, text).history() == []


# ---- CVE-2026-48775 / GHSA-fjqc-hq36-qh5p, JS#2346, CVE-2025-68664


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_js_2346_data_that_looks_like_an_envelope_stays_data(saver: Any, call: Any) -> None:
    """A dict with `lc` in a user's data was revived on loading as the object that it described.

    CVE-2026-48775 was the third repair of the same idea, CVE-2025-68664 the same in langchain-core.
    """
    said = {"text": [call, {"nested": call}]}

    async def keep(state: Any) -> Any:
        return {"text": state["text"]}

    graph = StateGraph(State).add_node(keep).add_edge(START, "keep").compile(checkpointer=saver)
    assert (await graph.ainvoke({"text": said}, config("t")))["text"] == said
    read = [snapshot.values.get("text") async for snapshot in graph.aget_state_history(config("t"))]
    assert said in read and all(value in (None, said) for value in read)


# ---- LG#8938


@pytest.mark.parametrize("data", [b"\xa4evil", b"", b"\xc0", b"\x81\xa4text\xa1x", b"\xc1"])
async def test_lg_8938_plaintext_is_refused_where_values_are_encrypted(saver: Any, data: bytes) -> None:
    """The encrypting serialiser handed on what was not encrypted, so that anybody could write rows."""
    await Writer(saver, "t").commit({"text": data}, next=("node",))
    graph = graph_on(EncryptedSaver(saver, Keys({"k": b"k" * 32})))
    with pytest.raises(DecryptionError):
        await graph.aget_state(config("t"))
    with pytest.raises(DecryptionError):
        await graph.ainvoke(None, config("t"))


async def test_lg_8938_envelope_is_good_in_its_own_place_only(saver: Any) -> None:
    """Nor was anything tied to its row: whatever had been encrypted once was good everywhere."""
    keys = Keys({"k": b"k" * 32})
    await graph_on(EncryptedSaver(saver, keys)).ainvoke({"text": "theirs"}, config("theirs"))
    theirs = await saver.load("theirs")
    moved = Writer(saver, "mine")
    await moved.commit(theirs.channels, metadata=theirs.checkpoint.metadata)
    with pytest.raises(DecryptionError):
        await graph_on(EncryptedSaver(saver, keys)).aget_state(config("mine"))


# ---- #8478


@pytest.mark.parametrize("near", ["a", "a:12", "a:1|b:1", "a:1x", "A:1", "a:_", "a:%", "a:1 "])
async def test_8478_namespace_is_matched_whole(saver: Any, near: str) -> None:
    """Namespaces were compared by how they begin, so `a:1` also found `a:12`."""
    neighbour, mine = Writer(saver, "t", near), Writer(saver, "t", "a:1")
    await neighbour.commit({"text": b"neighbour"})
    assert await mine.history() == []
    assert await saver.load("t", "a:1") is None
    await mine.commit({"text": b"mine"})
    assert (await neighbour.load()).channels == {"text": b"neighbour"}


# ---- CVE-2025-68664, CVE-2026-34070


def test_cve_2026_34070_no_heavy_dependency_brings_its_holes() -> None:
    """Path traversal and injection came with langchain-core, which LangGraph cannot be installed without."""
    core = {line.split(">")[0] for line in requires("graphrt") or [] if "extra ==" not in line}
    assert core == {"anyio", "msgspec"}
    code = "import sys, graphrt, graphrt.graph, graphrt.checkpoint.memory; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not any(name.startswith(("langchain", "langsmith", "langgraph")) for name in loaded.split())


# ---- CVE-2025-3248, CVE-2026-33017


def test_cve_2025_3248_nothing_evaluates_text() -> None:
    """Langflow ran code that came over its API, to validate it."""
    evaluating = {"eval", "exec", "compile", "__import__"}
    found = [
        f"{source.name}:{node.lineno}"
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in evaluating
    ]
    assert found == []


# ---- the chain of Check Point Research: 67644, then 28277


async def test_check_point_chain_neither_link_holds(saver: Any) -> None:
    """A filter's key put a forged row into the database, and loading that row ran its code."""
    blob = extension(5, ["tests.hostile.canary", "Canary", {"x": 1}, "parse"]).hex()
    key = f"x') = 1; INSERT INTO checkpoints VALUES ('mine', '', 'forged', NULL, 'msgpack', x'{blob}', '{{}}') --"
    mine = Writer(saver, "mine")
    head = await mine.commit({"text": b"\xa1x"})
    assert await mine.history(filter={key: 1}) == []
    assert await mine.history() == [head]
    await read_forged(saver, bytes.fromhex(blob))


async def test_savers_were_stranded_when_the_codec_was_repaired_here_they_hold_any_bytes(saver: Any) -> None:
    """Savers with the old serialiser built in could not follow the repair: langchain-mongodb#260, alloydb#521."""
    writer = Writer(saver, "t")
    await writer.commit({"text": b"\xc1 a format of tomorrow \x00\xff"})
    assert (await writer.load()).channels == {"text": b"\xc1 a format of tomorrow \x00\xff"}
