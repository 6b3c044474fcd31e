"""What may be added as a node. Never run: read by type checkers alone."""

from functools import partial
from typing import Any, TypedDict, assert_type

from graphrt.config import RunnableConfig, get_config, get_store, get_stream_writer
from graphrt.graph import StateGraph
from graphrt.managed import IsLastStep, RemainingSteps
from graphrt.runtime import ExecutionInfo, Runtime, get_runtime
from graphrt.store.base import BaseStore
from graphrt.types import CachePolicy, StreamWriter


class State(TypedDict):
    n: int


class Context(TypedDict):
    user: str


class Elsewhere(TypedDict):
    city: str


class Private(TypedDict):
    draft: str


class Looping(TypedDict):
    n: int
    left: RemainingSteps
    last: IsLastStep


Update = dict[str, Any]


def plain(state: State) -> Update:
    return {"n": state["n"]}


async def asynchronous(state: State) -> Update:
    return {"n": state["n"]}


def with_config(state: State, config: RunnableConfig) -> Update:
    return {"n": len(config.get("tags", []))}


async def with_writer(state: State, *, writer: StreamWriter) -> Update:
    writer("chunk")
    await writer.asend("chunk")
    return {}


async def with_runtime(state: State, runtime: Runtime[Context]) -> Update:
    assert_type(runtime.context, Context)
    assert_type(runtime.context["user"], str)
    assert_type(runtime.execution_info, ExecutionInfo)
    assert_type(runtime.stream_writer, StreamWriter)
    return {}


def with_config_and_writer(state: State, config: RunnableConfig, writer: StreamWriter) -> Update:
    return {}


def with_config_and_runtime(state: State, config: RunnableConfig, runtime: Runtime[Context]) -> Update:
    return {}


def with_writer_and_runtime(state: State, runtime: Runtime[Context], writer: StreamWriter) -> Update:
    return {}


async def with_everything(
    state: State, writer: StreamWriter, runtime: Runtime[Context], config: RunnableConfig
) -> Update:
    return {}


async def with_store(state: State, store: BaseStore) -> Update:
    await store.aput(("notes",), "key", {"n": state["n"]})
    return {}


def with_an_optional_store(state: State, *, store: BaseStore | None, config: RunnableConfig) -> Update:
    return {}


def named_by_number(state: State) -> str:
    return str(state["n"])


def with_store_and_runtime(state: State, *, store: BaseStore, runtime: Runtime[Context]) -> Update:
    return {}


def with_managed_values(state: Looping) -> Update:
    assert_type(state["left"], int)
    return {"n": 0 if state["last"] else state["left"]}


def with_any_context(state: State, runtime: Runtime[Any]) -> Update:
    return {}


def with_a_default(state: State, again: bool = False) -> Update:
    return {}


def private(state: Private) -> Update:
    return {"n": len(state["draft"])}


class Callee:
    async def __call__(self, state: State) -> Update:
        return {}

    def method(self, state: State) -> Update:
        return {}


class Runnable:
    def invoke(self, input: State, config: RunnableConfig | None = None) -> Update:
        return {}


class AsyncRunnable:
    async def ainvoke(self, input: State, config: RunnableConfig | None = None) -> Update:
        return {}


builder = StateGraph(State, Context)

# A function of the state, and of what else it asks for, in any order.
assert_type(builder.add_node(plain), StateGraph[State, Context, State, State])
assert_type(builder.add_node("plain", plain), StateGraph[State, Context, State, State])
builder.add_node(asynchronous)
builder.add_node(with_config)
builder.add_node(with_writer)
builder.add_node(with_runtime)
builder.add_node(with_config_and_writer)
builder.add_node(with_config_and_runtime)
builder.add_node(with_writer_and_runtime)
builder.add_node(with_everything).add_node("again", with_everything)
builder.add_node(with_store, cache_policy=CachePolicy(ttl=60))
builder.add_node(with_an_optional_store, cache_policy=CachePolicy(key_func=named_by_number))
builder.add_node(with_store_and_runtime)
builder.add_node(with_managed_values)
builder.add_node(with_any_context)
builder.add_node(with_a_default)

# A lambda's argument is the state.
builder.add_node("lambda", lambda state: {"n": state["n"] + 1})

# Whatever can be called, or is a graph.
builder.add_node(Callee()).add_node("method", Callee().method).add_node("bound", partial(plain))
builder.add_node(Runnable()).add_node("runnable", AsyncRunnable())
builder.add_node("graph", StateGraph(State).add_node(plain).compile())
builder.add_node("graph of its own context", builder.compile())

# A node may read what the state does not have; its annotation or `input_schema` says so.
builder.add_node(private)
builder.add_node("private", private, input_schema=Private)
builder.add_node("options", plain, defer=True, metadata={"a": 1}, destinations={"plain": "label"})
builder.add_node("more options", plain, destinations=("plain", "lambda"))

builder.add_sequence([plain, with_runtime, ("private", private)])
builder.add_sequence([("a", plain), ("b", with_config)])

# What must not pass.


def with_other_context(state: State, runtime: Runtime[Elsewhere]) -> Update:
    return {}


def with_no_context(state: State, runtime: Runtime) -> Update:
    return {}


def with_an_unknown_argument(state: State, shop: object) -> Update:
    return {}


def with_a_dict_for_config(state: State, config: dict[str, Any]) -> Update:
    return {}


def without_arguments() -> Update:
    return {}


builder.add_node(with_other_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node("named", with_other_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node(with_no_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node(with_an_unknown_argument)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node(with_a_dict_for_config)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node(without_arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
builder.add_node("named", 3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
builder.add_node("named", "plain")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
builder.add_node("named", private, input_schema=Elsewhere)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_node("named", plain, retries=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
builder.add_node("lambda", lambda: {"n": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.add_sequence([3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
builder.add_sequence([("named", 3)])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
StateGraph(State).add_node(with_runtime)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# What a node can ask for from anywhere it calls.
assert_type(get_config(), RunnableConfig)
assert_type(get_stream_writer(), StreamWriter)
assert_type(get_runtime(Context), Runtime[Context])
assert_type(get_runtime(Context).context["user"], str)
get_runtime(Context).context["city"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
assert_type(get_store(), BaseStore)
assert_type(get_runtime(Context).store, BaseStore | None)
get_runtime(Context).shop  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
