"""`StateGraph`: declare a graph with nodes and edges over a shared typed state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, cast, overload

from msgspec import structs

from graphrt.checkpoint import Checkpointer
from graphrt.constants import END, START
from graphrt.core.handled import handler_name
from graphrt.core.plan import Channel
from graphrt.core.retrying import Retries, retries_of
from graphrt.core.shape import callable_name, shape_of
from graphrt.errors import GraphValidationError
from graphrt.graph.compile import compile_plan
from graphrt.graph.compiled import CompiledStateGraph
from graphrt.graph.nodes import Branch, NodeSpec, branch_name, command_targets, declared_input
from graphrt.graph.policies import NodeDefaults, handler_shape
from graphrt.graph.schema import channels_of, managed_of, type_of
from graphrt.graph.validation import (
    check_edge,
    check_graph,
    check_managed,
    check_name,
    check_starts,
    check_unmanaged,
)
from graphrt.types import All, CachePolicy, Timeout, TimeoutPolicy
from graphrt.typing import ContextT, InputT, NodeInputT, OutputT, StateT

if TYPE_CHECKING:
    from graphrt.cache import BaseCache
    from graphrt.callbacks import GraphCallbackHandler
    from graphrt.managed import ManagedValue
    from graphrt.observers import Observer
    from graphrt.pregel.signatures import ErrorHandler, MappedRouter, NodeAction, Router
    from graphrt.store.base import BaseStore

__all__ = ["StateGraph"]


class StateGraph(Generic[StateT, ContextT, InputT, OutputT]):
    """A graph whose nodes read and update a shared state; `compile` makes it runnable.

    Args:
        state_schema: a TypedDict, dataclass, pydantic model or msgspec Struct, one channel per key; keys annotated
            with a reducer, `Annotated[list, operator.add]`, combine the writes of a step. Any other type is a state
            of one value.
        context_schema: what `context=` of a run is; nodes get it as `runtime.context`.
        input_schema: the keys that a run's input may have; all of the state's by default.
        output_schema: the keys that a run returns; all of the state's by default.

    Example:
        >>> from typing import TypedDict
        >>> class State(TypedDict):
        ...     n: int
        >>> def double(state: State):
        ...     return {"n": state["n"] * 2}
        >>> graph = StateGraph(State).add_node(double).add_edge(START, "double").compile()
        >>> graph.invoke({"n": 21})
        {'n': 42}
    """

    def __init__(
        self,
        state_schema: type[StateT],
        context_schema: type[ContextT] | None = None,
        *,
        input_schema: type[InputT] | None = None,
        output_schema: type[OutputT] | None = None,
    ) -> None:
        self.state_schema = state_schema
        self.context_schema = context_schema
        self.input_schema: Any = input_schema or state_schema
        self.output_schema: Any = output_schema or state_schema
        self.nodes: dict[str, NodeSpec] = {}
        self.edges: set[tuple[str, str]] = set()
        self.waiting_edges: set[tuple[tuple[str, ...], str]] = set()
        self.branches: dict[str, dict[str, Branch]] = {}
        self.channels: dict[str, Channel] = {}
        self.managed: dict[str, type[ManagedValue[Any]]] = {}
        self.node_defaults = NodeDefaults()
        self.schemas: dict[Any, tuple[str, ...]] = {}
        self._add_schema(self.state_schema)
        for schema in (self.input_schema, self.output_schema):
            check_unmanaged(schema, state_schema)
            self._add_schema(schema)

    def _add_schema(self, schema: Any) -> None:
        """Take up a schema's keys; the same key in several schemas is one channel (LangGraph B3, B4)."""
        if schema in self.schemas:
            return
        check_managed(schema, self.managed, self.channels)
        self.managed.update(managed_of(schema))
        channels = channels_of(schema)
        for key, channel in channels.items():
            known = self.channels.get(key)
            if known is None or known == channel:
                self.channels.setdefault(key, channel)
            elif type(channel).__name__ != "LastValue":
                raise GraphValidationError(
                    f"Channel '{key}' already exists with a different type: {known!r}, and {type_of(schema)} wants "
                    f"{channel!r}. Annotate the key with the same reducer in every schema, first of all in the state."
                )
        self.schemas[schema] = tuple(channels)

    @overload
    def add_node(
        self,
        node: NodeAction[StateT, NodeInputT, ContextT],
        /,
        *,
        defer: bool = False,
        metadata: Mapping[str, Any] | None = None,
        input_schema: type[NodeInputT] | None = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        retry_policy: Retries = None,
        timeout: Timeout = None,
        error_handler: ErrorHandler[StateT] | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> Self: ...

    @overload
    def add_node(
        self,
        node: str,
        action: NodeAction[StateT, NodeInputT, ContextT],
        *,
        defer: bool = False,
        metadata: Mapping[str, Any] | None = None,
        input_schema: type[NodeInputT] | None = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        retry_policy: Retries = None,
        timeout: Timeout = None,
        error_handler: ErrorHandler[StateT] | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> Self: ...

    def add_node(
        self,
        node: Any,
        action: Any = None,
        *,
        defer: bool = False,
        metadata: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        retry_policy: Retries = None,
        timeout: Timeout = None,
        error_handler: Any = None,
        cache_policy: CachePolicy | None = None,
    ) -> Self:
        """Add a node: a function of the state that returns an update, sync or async.

        Args:
            node: the node's name, or its function, whose name is then the node's.
            action: the function, if `node` is the name.
            defer: run only when nothing else is left to run.
            metadata: shown in drawings and in the config of the node's runs.
            input_schema: what the node reads, if not the state; by default its first parameter's annotation says so.
                Keys that the state does not have become private keys of the graph.
            destinations: where Commands of this node may lead, for drawings; a mapping gives labels.
            retry_policy: when to try again if it fails; of several policies the first that fits the error counts.
            timeout: how long an attempt may take: seconds, a timedelta or a `TimeoutPolicy`. For async nodes.
            cache_policy: keep its results for inputs that come again, if the graph is compiled with a cache.
            error_handler: a function that runs in the node's place when that has failed for good, with the same input
                and, as parameter `error`, a `NodeError`. What it returns counts as the node's result, but the node's
                edges do not fire: it says by `Command(goto=...)` where to go.

        Raises:
            GraphValidationError: the name is taken or not allowed, or the action cannot be called.
        """
        name, action = self._named(node, action)
        check_name(name, self.nodes)
        schema = input_schema or declared_input(action) or self.state_schema
        self._add_schema(schema)
        ends: Any = command_targets(action) or None
        if destinations is not None:
            ends = dict(destinations) if isinstance(destinations, Mapping) else tuple(destinations)
        handler = None
        if error_handler is not None:
            handler = handler_name(name)
            check_name(handler, self.nodes)
            self.nodes[handler] = NodeSpec(handler_shape(error_handler), schema, is_error_handler=True)
        self.nodes[name] = NodeSpec(
            shape_of(action),
            schema,
            defer,
            metadata,
            ends,
            retry_policy=None if retry_policy is None else retries_of(retry_policy),
            timeout=TimeoutPolicy.coerce(timeout),
            error_handler=handler,
            cache_policy=cache_policy,
        )
        return self

    def set_node_defaults(
        self,
        *,
        retry_policy: Retries = None,
        timeout: Timeout = None,
        error_handler: ErrorHandler[StateT] | None = None,
        cache_policy: CachePolicy | None = None,
    ) -> Self:
        """What nodes have that say nothing else, whether they are added before or after; see `add_node`.

        Error handlers are tried again and timed like other nodes. Graphs inside this one have defaults of their own.

        Raises:
            GraphValidationError: something is no policy.
        """
        given = {
            "retry_policy": None if retry_policy is None else retries_of(retry_policy),
            "timeout": TimeoutPolicy.coerce(timeout),
            "error_handler": error_handler,
            "cache_policy": cache_policy,
        }
        said = {name: value for name, value in given.items() if value is not None}
        self.node_defaults = structs.replace(self.node_defaults, **said)
        return self

    def _named(self, node: Any, action: Any) -> tuple[str, Any]:
        if isinstance(node, str):
            if action is None:
                raise MissingActionError(
                    f"Node {node!r} has no action. Pass its function: add_node({node!r}, function)."
                )
            return node, action
        name = callable_name(node)
        if name is None:
            raise GraphValidationError(
                f"Node name must be provided: {node!r} has none. Use add_node(name, action)."
            )
        return name, node

    def add_edge(self, start_key: str | list[str], end_key: str) -> Self:
        """Run `end_key` after `start_key`; after a list of nodes, when all of them have run (a join).

        Raises:
            GraphValidationError: the edge starts at END, ends at START, or joins nodes that were not added yet.
        """
        if isinstance(start_key, str):
            check_edge(start_key, end_key)
            self.edges.add((start_key, end_key))
        else:
            check_starts(start_key, end_key, self.nodes)
            self.waiting_edges.add((tuple(start_key), end_key))
        return self

    @overload
    def add_conditional_edges(self, source: str, path: Router[StateT, NodeInputT, ContextT]) -> Self: ...

    @overload
    def add_conditional_edges(
        self,
        source: str,
        path: MappedRouter[StateT, NodeInputT, ContextT],
        path_map: Mapping[Any, str] | Sequence[str] | None,
    ) -> Self: ...

    def add_conditional_edges(
        self,
        source: str,
        path: Any,
        path_map: Mapping[Any, str] | Sequence[str] | None = None,
    ) -> Self:
        """Let `path` decide, from the state as `source` leaves it, what runs after `source`.

        Args:
            path: a function, sync or async, that returns a node's name, END, a `Send`, or a list of them. A sync one
                runs on the event loop's thread: let it decide, not work.
            path_map: what its answers mean; without it they are names of nodes.

        Raises:
            GraphValidationError: `source` has a conditional edge of that name already.
        """
        name = branch_name(path)
        branches = self.branches.setdefault(source, {})
        if name in branches:
            raise GraphValidationError(f"Branch with name `{name}` already exists for node `{source}`")
        branch = Branch.of(path, path_map)
        if branch.input_schema is not None:
            self._add_schema(branch.input_schema)
        branches[name] = branch
        return self

    def add_sequence(
        self,
        nodes: Sequence[NodeAction[StateT, Any, ContextT] | tuple[str, NodeAction[StateT, Any, ContextT]]],
    ) -> Self:
        """Add nodes, each a function or a (name, function) pair, and the edges that run them in this order.

        Raises:
            GraphValidationError: there are none, or two have the same name.
        """
        if not nodes:
            raise GraphValidationError("Sequence requires at least one node.")
        previous: str | None = None
        for node in nodes:
            name, action = self._named(*node) if isinstance(node, tuple) else self._named(node, None)
            if name in self.nodes:
                raise GraphValidationError(
                    f"Node names must be unique: node with the name '{name}' already exists."
                )
            self.add_node(name, action)
            if previous is not None:
                self.add_edge(previous, name)
            previous = name
        return self

    def set_entry_point(self, key: str) -> Self:
        """The same as `add_edge(START, key)`."""
        return self.add_edge(START, key)

    @overload
    def set_conditional_entry_point(self, path: Router[StateT, NodeInputT, ContextT]) -> Self: ...

    @overload
    def set_conditional_entry_point(
        self,
        path: MappedRouter[StateT, NodeInputT, ContextT],
        path_map: Mapping[Any, str] | Sequence[str] | None,
    ) -> Self: ...

    def set_conditional_entry_point(
        self, path: Any, path_map: Mapping[Any, str] | Sequence[str] | None = None
    ) -> Self:
        """The same as `add_conditional_edges(START, path, path_map)`."""
        return self.add_conditional_edges(START, path, path_map)

    def set_finish_point(self, key: str) -> Self:
        """The same as `add_edge(key, END)`."""
        return self.add_edge(key, END)

    def validate(self) -> Self:
        """Check that the graph has an entry and that edges connect nodes that exist.

        Raises:
            GraphValidationError: it is not so.
        """
        check_graph(self)
        return self

    def compile(
        self,
        checkpointer: Checkpointer | str | bool | None = None,
        *,
        cache: BaseCache[Any] | None = None,
        store: BaseStore | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        debug: bool = False,
        name: str | None = None,
        strict: bool = True,
        observers: Sequence[Observer | GraphCallbackHandler] | None = None,
    ) -> CompiledStateGraph[StateT, ContextT, InputT, OutputT]:
        """A runnable graph of what has been declared so far; the builder can go on and be compiled again.

        Args:
            checkpointer: makes runs with a `thread_id` durable: a saver, or a URL such as "memory://". For graphs that
                run inside another one: None takes part in what that one stores, for the time of one call; True keeps
                the state from one call to the next; False stores nothing.
            cache: where results of nodes with a `cache_policy` are kept. Graphs inside this one use it, too.
            store: long-term memory, for nodes that ask for it. Graphs inside this one have the same.
            interrupt_before: nodes to stop before, until the thread is run again with None; `"*"` for all.
            interrupt_after: the same for stopping after them.
            debug: print every update and the state after every step.
            name: the graph's name in messages and traces.
            strict: unknown keys, unknown targets and joins that cannot complete are errors, not silence.
            observers: are told what happens in all runs, see `graphrt.observers`.

        Raises:
            GraphValidationError: the graph is not complete.
        """
        self.validate()
        plan = compile_plan(
            cast("StateGraph[Any, Any, Any, Any]", self), name=name or "graphrt", strict=strict
        )
        return CompiledStateGraph(
            self,
            plan,
            checkpointer=checkpointer,
            cache=cache,
            store=store,
            debug=debug,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            observers=observers,
        )


class MissingActionError(GraphValidationError, RuntimeError):
    """A node was named but not given a function."""
