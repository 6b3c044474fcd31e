"""What a node learns of its run, and is given besides its state (LangGraph U1 to U3, 1.9)."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from graphrt.config import RunnableConfig, get_config, get_store, get_stream_writer
from graphrt.errors import MissingStoreError
from graphrt.graph import START, StateGraph
from graphrt.runtime import BaseUser, ExecutionInfo, RunControl, Runtime, ServerInfo, get_runtime
from graphrt.store.memory import InMemoryStore
from tests.acceptance.graphs import Log


@dataclass
class Context:
    user: str


class Model(BaseModel):
    user: str


class Typed(TypedDict):
    user: str


def one(node: Any, context_schema: Any = None, **options: Any) -> Any:
    """A compiled graph of one node."""
    builder: Any = StateGraph(Log, context_schema)
    return builder.add_node("node", node).add_edge(START, "node").compile(**options)


async def tell(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
    return {"log": [repr(runtime.context)]}


# ---- U1: context


@pytest.mark.parametrize(
    "schema, said",
    [(Context, "Context(user='ada')"), (Model, "Model(user='ada')"), (Typed, "{'user': 'ada'}")],
)
async def test_u1_a_dict_becomes_what_the_schema_says(schema: Any, said: str) -> None:
    assert await one(tell, schema).ainvoke({}, context={"user": "ada"}) == {"log": [said]}


async def test_u1_other_values_pass_through() -> None:
    assert await one(tell, Context).ainvoke({}, context=7) == {"log": ["7"]}


async def test_u1_a_child_may_have_a_context_of_its_own() -> None:
    inner = one(tell, Context)

    async def outer(state: Log) -> Any:
        return await inner.ainvoke({}, context={"user": "bob"})

    assert await one(outer, Context).ainvoke({}, context={"user": "ada"}) == {"log": ["Context(user='bob')"]}


async def test_u1_a_graph_that_is_a_node_inherits_the_context() -> None:
    inner = one(tell, Context)
    assert await one(inner, Context).ainvoke({}, context={"user": "ada"}) == {"log": ["Context(user='ada')"]}


async def test_u1_runs_at_the_same_time_do_not_see_each_others_context() -> None:
    meet = asyncio.Barrier(3)

    async def node(state: Log, runtime: Runtime[str]) -> dict[str, Any]:
        before = runtime.context
        await meet.wait()
        return {"log": [before, get_runtime().context, runtime.context]}

    app = one(node)
    found = await asyncio.gather(*(app.ainvoke({}, context=name) for name in "abc"))
    assert [result["log"] for result in found] == [["a"] * 3, ["b"] * 3, ["c"] * 3]


async def test_u1_the_context_of_a_run_is_gone_after_it() -> None:
    app = one(tell)
    await app.ainvoke({}, context="first")
    assert await app.ainvoke({}) == {"log": ["None"]}


def test_u1_a_graph_describes_the_context_it_wants() -> None:
    assert one(tell, Context).get_context_jsonschema()["required"] == ["user"]
    assert one(tell).get_context_jsonschema() is None


# ---- U2: the runtime


async def test_u2_a_runtime_has_all_that_a_node_may_ask_for() -> None:
    store = InMemoryStore()
    control = RunControl()
    found: list[Runtime[Any]] = []

    async def node(state: Log, runtime: Runtime[Any]) -> None:
        found.append(runtime)
        runtime.heartbeat()
        runtime.stream_writer("x")

    await one(node, store=store).ainvoke({}, context=1, control=control)
    [runtime] = found
    assert (runtime.context, runtime.store, runtime.control, runtime.previous) == (1, store, control, None)
    assert (runtime.server_info, runtime.drain_requested, runtime.drain_reason) == (None, False, None)


async def test_u2_execution_info_says_that_a_first_attempt_is_one() -> None:
    found: list[ExecutionInfo] = []

    async def node(state: Log, runtime: Runtime[Any]) -> None:
        found.append(runtime.execution_info)

    await one(node).ainvoke({})
    assert [info.node_attempt for info in found] == [1]


class User:
    identity = "ada"


async def test_u2_a_server_says_who_it_is_and_for_whom() -> None:
    found: list[Any] = []

    async def node(state: Log, runtime: Runtime[Any]) -> None:
        found.append(runtime.server_info)

    user = User()
    places = {"assistant_id": "a1", "graph_id": "g1", "langgraph_auth_user": user}
    await one(node).ainvoke({}, {"configurable": places})
    [info] = found
    assert isinstance(info, ServerInfo)
    assert (info.assistant_id, info.graph_id, info.user) == ("a1", "g1", user)


async def test_u2_a_request_to_stop_shows_while_the_node_runs() -> None:
    control = RunControl()

    async def node(state: Log, runtime: Runtime[Any]) -> dict[str, Any]:
        control.request_drain("deploy")
        return {"log": [f"{runtime.drain_requested} {runtime.drain_reason}"]}

    assert await one(node).ainvoke({}, control=control) == {"log": ["True deploy"]}


def test_u2_a_runtime_made_by_hand_calls_a_node_without_a_graph() -> None:
    def node(state: Log, runtime: Runtime[Context]) -> str:
        runtime.heartbeat()
        runtime.stream_writer("nobody listens")
        return runtime.context.user

    assert node({"log": []}, Runtime(context=Context("ada"))) == "ada"


# ---- U3


async def test_u3_configurable_carries_values_of_the_callers_own() -> None:
    async def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
        return {"log": [config["configurable"]["user"], get_config()["configurable"]["user"]]}

    assert await one(node).ainvoke({}, {"configurable": {"user": "ada"}}) == {"log": ["ada", "ada"]}


# ---- 1.9: config and runtime


@pytest.mark.parity("1.9")
async def test_1_9_get_store_gives_the_running_graphs_store() -> None:
    store = InMemoryStore()

    async def node(state: Log) -> dict[str, Any]:
        return {"log": [str(get_store() is store), str(get_runtime().store is store)]}

    assert await one(node, store=store).ainvoke({}) == {"log": ["True", "True"]}


@pytest.mark.parity("1.9")
async def test_1_9_get_store_without_a_store_is_an_error() -> None:
    async def node(state: Log) -> None:
        get_store()

    with pytest.raises(MissingStoreError):
        await one(node).ainvoke({})


@pytest.mark.parity("1.9")
@pytest.mark.parametrize("ask", [get_config, get_store, get_stream_writer, get_runtime])
def test_1_9_outside_of_a_run_there_is_nothing_to_get(ask: Any) -> None:
    with pytest.raises(RuntimeError, match=ask.__name__):
        ask()


@pytest.mark.parity("1.9")
def test_1_9_override_replaces_what_it_names() -> None:
    runtime = Runtime(context=1, previous="p").override(context=2)
    assert (runtime.context, runtime.previous) == (2, "p")


@pytest.mark.parity("1.9")
def test_1_9_merge_takes_over_what_the_other_has() -> None:
    info = ExecutionInfo("c", "ns", "t")
    control = RunControl()
    merged = Runtime(context=1, control=control).merge(Runtime(previous="p", execution_info=info))
    assert (merged.context, merged.previous, merged.control, merged.execution_info) == (1, "p", control, info)


@pytest.mark.parity("1.9")
def test_1_9_merge_takes_over_writers_and_heartbeats_that_do_something() -> None:
    beats: list[str] = []
    first: Any = Runtime(heartbeat=lambda: beats.append("first"))
    first.merge(Runtime()).heartbeat()
    first.merge(Runtime(heartbeat=lambda: beats.append("second"))).heartbeat()
    assert beats == ["first", "second"]


@pytest.mark.parity("1.9")
def test_1_9_execution_info_is_patched_in_a_copy() -> None:
    runtime: Any = Runtime(execution_info=ExecutionInfo("c", "ns", "t"))
    assert runtime.patch_execution_info(node_attempt=2).execution_info == ExecutionInfo(
        "c", "ns", "t", node_attempt=2
    )
    assert runtime.execution_info.node_attempt == 1
    with pytest.raises(RuntimeError, match="belongs to no execution"):
        Runtime().patch_execution_info(node_attempt=2)


@pytest.mark.parity("1.9")
def test_1_9_a_user_is_whoever_has_an_identity() -> None:
    class Somebody:
        identity = display_name = "ada"
        is_authenticated = True
        permissions = ("read",)

    assert isinstance(Somebody(), BaseUser)
