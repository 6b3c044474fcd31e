"""What a node can ask for besides the state, by parameter name and annotation (LangGraph G3, U1, U2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, TypedDict

import pytest

from graphrt.config import RunnableConfig, get_config, get_stream_writer
from graphrt.graph import StateGraph
from graphrt.runtime import Runtime, get_runtime
from graphrt.types import StreamWriter
from tests.acceptance.graphs import Log, graph, thread


@dataclass
class Context:
    user: str


def one(node: Callable[..., Any], **options: Any) -> Any:
    """A compiled graph of one node."""
    builder: Any = StateGraph(Log, **options)
    return builder.add_node("node", node).add_edge("__start__", "node").compile()


async def custom(app: Any) -> list[Any]:
    return [chunk async for chunk in app.astream({}, stream_mode="custom")]


@pytest.mark.parity("G3")
async def test_g3_config_is_injected_by_name_and_annotation() -> None:
    async def node(state: Log, config: RunnableConfig) -> dict[str, Any]:
        return {"log": [config["configurable"]["user"]]}

    assert await one(node).ainvoke({}, {"configurable": {"user": "u1"}}) == {"log": ["u1"]}


@pytest.mark.parity("G3")
async def test_g3_an_optional_config_is_injected() -> None:
    async def node(state: Log, config: Optional[RunnableConfig] = None) -> dict[str, Any]:  # noqa: UP045 - as users do
        return {"log": [str(config is not None)]}

    assert await one(node).ainvoke({}) == {"log": ["True"]}


@pytest.mark.parity("G3")
async def test_g3_a_config_without_annotation_is_injected() -> None:
    async def node(state, config) -> dict[str, Any]:  # type: ignore[no-untyped-def]
        return {"log": [config["metadata"]["langgraph_node"]]}

    assert await one(node).ainvoke({}) == {"log": ["node"]}


@pytest.mark.parity("G3")
async def test_g3_plain_functions_are_injected_as_well() -> None:
    def node(state: Log, config: RunnableConfig, runtime: Runtime[None]) -> dict[str, Any]:
        return {"log": [config["metadata"]["langgraph_node"], str(runtime.context)]}

    assert await one(node).ainvoke({}) == {"log": ["node", "None"]}


@pytest.mark.parity("G3")
@pytest.mark.filterwarnings("ignore")
async def test_g3_a_config_with_another_annotation_is_not_injected() -> None:
    async def node(state: Log, config: str = "mine") -> dict[str, Any]:
        return {"log": [config]}

    assert await one(node).ainvoke({}) == {"log": ["mine"]}


@pytest.mark.parity("G3", "J4")
async def test_g3_a_stream_writer_is_injected() -> None:
    async def node(state: Log, writer: StreamWriter) -> None:
        writer("hello")

    assert await custom(one(node)) == ["hello"]


@pytest.mark.parity("G3")
async def test_g3_keyword_only_parameters_are_injected() -> None:
    async def node(state: Log, *, writer: StreamWriter, config: RunnableConfig) -> None:
        writer(config["metadata"]["langgraph_step"])

    assert await custom(one(node)) == [1]


@pytest.mark.parity("G3", "U2")
async def test_g3_runtime_is_injected_with_any_annotation() -> None:
    async def node(state: Log, runtime: Any) -> None:
        runtime.stream_writer(runtime.context)

    app = one(node)
    chunks = [c async for c in app.astream({}, context="ctx", stream_mode="custom")]
    assert chunks == ["ctx"]


@pytest.mark.parity("G3")
async def test_g3_parameters_with_defaults_are_left_alone() -> None:
    async def node(state: Log, times: int = 2) -> dict[str, Any]:
        return {"log": ["x"] * times}

    assert await one(node).ainvoke({}) == {"log": ["x", "x"]}


@pytest.mark.parity("G3")
async def test_g3_callable_objects_and_methods_are_injected() -> None:
    class Node:
        async def __call__(self, state: Log, config: RunnableConfig) -> dict[str, Any]:
            return {"log": ["called", config["metadata"]["langgraph_node"]]}

        async def method(self, state: Log, runtime: Runtime[None]) -> dict[str, Any]:
            return {"log": ["method", type(runtime).__name__]}

    assert await one(Node()).ainvoke({}) == {"log": ["called", "node"]}
    assert await one(Node().method).ainvoke({}) == {"log": ["method", "Runtime"]}


@pytest.mark.parity("G3", "G6")
async def test_g3_routers_are_injected_as_well() -> None:
    async def node(state: Log) -> None:
        return None

    def route(state: Log, config: RunnableConfig) -> str:
        return str(config["configurable"]["to"])

    builder = graph(Log, node, ("end", lambda state: {"log": ["end"]}), paths=["START node"])
    app = builder.add_conditional_edges("node", route).compile()
    assert await app.ainvoke({}, {"configurable": {"to": "end"}}) == {"log": ["end"]}


@pytest.mark.parity("G3")
async def test_g3_ambient_calls_see_the_running_task() -> None:
    async def node(state: Log) -> None:
        get_stream_writer()((get_config()["metadata"]["langgraph_node"], get_runtime(Context).context))

    app = one(node, context_schema=Context)
    chunks = [c async for c in app.astream({}, context=Context("u1"), stream_mode="custom")]
    assert chunks == [("node", Context("u1"))]


@pytest.mark.parity("G3")
async def test_g3_ambient_calls_work_in_plain_functions() -> None:
    def node(state: Log) -> None:
        get_stream_writer()(get_runtime().execution_info.task_id == get_runtime().execution_info.task_id)

    assert await custom(one(node)) == [True]


@pytest.mark.parity("G3")
@pytest.mark.parametrize("ask", [get_config, get_stream_writer, get_runtime])
def test_g3_ambient_calls_outside_a_run_are_refused(ask: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError):
        ask()


async def tell_context(state: Log, runtime: Runtime[Context]) -> dict[str, Any]:
    return {"log": [repr(runtime.context)]}


@pytest.mark.parity("U1")
async def test_u1_context_reaches_the_node() -> None:
    app = one(tell_context, context_schema=Context)
    assert await app.ainvoke({}, context=Context("u1")) == {"log": ["Context(user='u1')"]}


@pytest.mark.parity("U1")
async def test_u1_a_dict_becomes_the_context_class() -> None:
    app = one(tell_context, context_schema=Context)
    assert await app.ainvoke({}, context={"user": "u1"}) == {"log": ["Context(user='u1')"]}


class TypedContext(TypedDict):
    user: str


@pytest.mark.parity("U1")
async def test_u1_a_typed_dict_context_stays_a_dict() -> None:
    app = one(tell_context, context_schema=TypedContext)
    assert await app.ainvoke({}, context={"user": "u1"}) == {"log": ["{'user': 'u1'}"]}


@pytest.mark.parity("U1")
async def test_u1_context_need_not_be_given() -> None:
    assert await one(tell_context, context_schema=Context).ainvoke({}) == {"log": ["None"]}


@pytest.mark.parity("U1")
async def test_u1_a_graph_run_inside_a_node_inherits_the_context() -> None:
    inner = one(tell_context, context_schema=Context)

    async def call(state: Log) -> Any:
        return await inner.ainvoke({})

    assert await one(call, context_schema=Context).ainvoke({}, context=Context("u1")) == {
        "log": ["Context(user='u1')"]
    }


@pytest.mark.parity("U2")
async def test_u2_execution_info_tells_thread_and_run(saver: Any) -> None:
    found: list[Any] = []

    async def node(state: Log, runtime: Runtime[None]) -> None:
        found.append(runtime.execution_info)

    app = graph(Log, node, paths=["START node"]).compile(checkpointer=saver)
    await app.ainvoke({}, thread("t1", run_id="11111111-2222-3333-4444-555555555555"))
    [info] = found
    assert (info.thread_id, str(info.run_id)) == ("t1", "11111111-2222-3333-4444-555555555555")
