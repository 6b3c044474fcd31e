"""From a builder to a Plan: names become indexes, edges become bits and channel writes (LangGraph G5, DESIGN §4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphrt.channels import (
    EphemeralValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from graphrt.constants import END, START, TAG_HIDDEN
from graphrt.core.plan import BRANCH_TO, Branch, Channel, Node, Plan, Target, View, overrides
from graphrt.graph.outputs import graph_writer, keyed_writer, preparing_writer, root_writer
from graphrt.graph.policies import check_timeouts, policy_for, with_defaults
from graphrt.graph.schema import ROOT, managed_of, reader_of

if TYPE_CHECKING:
    from graphrt.core.caching import CacheRule
    from graphrt.graph.nodes import Branch as BranchSpec
    from graphrt.graph.nodes import NodeSpec
    from graphrt.graph.state import StateGraph

__all__ = ["compile_plan"]


def compile_plan(builder: StateGraph[Any, Any, Any, Any], *, name: str, strict: bool) -> Plan:
    """The plan of a valid builder. Pure: the builder can be changed and compiled again."""
    return _Compiler(builder, strict).plan(name)


class _Compiler:
    """Collects channels, views and nodes of one plan."""

    def __init__(self, builder: StateGraph[Any, Any, Any, Any], strict: bool) -> None:
        self.builder = builder
        self.strict = strict
        self.channels: dict[str, Channel] = {}
        self.index: dict[str, int] = {}
        self.views: dict[View, int] = {}
        self.specs = with_defaults(builder.nodes, builder.node_defaults, builder.state_schema)
        check_timeouts(self.specs)
        self.names = sorted((START, *self.specs))
        self.node_index = {name: i for i, name in enumerate(self.names)}
        self.triggers: dict[str, list[str]] = {name: [] for name in self.names}
        self.joins: list[tuple[int, str]] = []
        self.ends: dict[str, list[str]] = {name: [] for name in self.names}
        for start, end in sorted(builder.edges):
            if end != END:
                self.ends[start].append(end)
        for key, channel in builder.channels.items():
            self.channel(key, channel)
        self.state_keys = {key: self.index[key] for key in builder.channels}
        self.input_keys = {key: self.index[key] for key in builder.schemas[builder.input_schema]}

    def plan(self, name: str) -> Plan:
        builder = self.builder
        self.trigger(START, START, EphemeralValue(Any))
        targets = {node: self.target(node, spec) for node, spec in self.specs.items()}
        static = self.static_writes(targets)
        nodes = tuple(self.node(n, targets, static[n]) for n in self.names)
        triggered: list[list[int]] = [[] for _ in self.channels]
        for node, channels in self.triggers.items():
            for channel in channels:
                triggered[self.index[channel]].append(self.node_index[node])
        return Plan(
            name=name,
            nodes=tuple(nodes),
            channels=tuple(self.channels.values()),
            channel_names=tuple(self.channels),
            triggered=tuple(map(tuple, triggered)),
            input_channels=START,
            output=self.view(builder.output_schema),
            stream=self.view_of(self.state_keys),
            views=tuple(self.views),
            targets=targets,
            joins=tuple(self.joins),
            start=nodes[self.node_index[START]],
            strict=self.strict,
        )

    # -- channels and views --------------------------------------------------------------------------------------

    def channel(self, name: str, channel: Channel) -> int:
        channel.key = name
        self.channels[name] = channel
        self.index[name] = len(self.index)
        return self.index[name]

    def trigger(self, node: str, name: str, channel: Channel) -> int:
        """A channel that starts `node` whenever it is written and available."""
        self.triggers[node].append(name)
        return self.channel(name, channel)

    def view(self, schema: Any) -> int:
        return self.view_of(self.builder.schemas[schema])

    def view_of(self, keys: Iterable[str]) -> int:
        names = tuple(keys)
        view = View(tuple((key, self.index[key]) for key in names), bare=names in ((ROOT,), (START,)))
        return self.views.setdefault(view, len(self.views))

    # -- edges ---------------------------------------------------------------------------------------------------

    def target(self, name: str, spec: NodeSpec) -> Target:
        """A plain node is armed; a deferred one waits in a channel until nothing else is left to run."""
        if not spec.defer:
            return Target(self.node_index[name])
        return Target(self.node_index[name], self.trigger(name, BRANCH_TO + name, LastValueAfterFinish(Any)))

    def static_writes(self, targets: dict[str, Target]) -> dict[str, list[tuple[int, Any]]]:
        """What each node writes because of its edges into joins and deferred nodes."""
        writes: dict[str, list[tuple[int, Any]]] = {name: [] for name in self.names}
        for starts, end in sorted(self.builder.waiting_edges):
            if end == END:
                continue
            deferred = self.specs[end].defer
            barrier: Channel = (NamedBarrierValueAfterFinish if deferred else NamedBarrierValue)(str, starts)
            join = self.trigger(end, f"join:{'+'.join(starts)}:{end}", barrier)
            self.joins.append((join, end))
            for start in starts:
                writes[start].append((join, start))
        for start, ends in self.ends.items():
            channels = [channel for end in ends if (channel := targets[end].channel) is not None]
            writes[start] += [(channel, None) for channel in channels]
        return writes

    def arms(self, name: str, targets: dict[str, Target]) -> tuple[int, ...]:
        return tuple(sorted(targets[end].node for end in self.ends[name] if targets[end].channel is None))

    # -- nodes ---------------------------------------------------------------------------------------------------

    def node(self, name: str, targets: dict[str, Target], static_writes: list[tuple[int, Any]]) -> Node:
        builder = self.builder
        spec = self.specs.get(name)
        policy = None if spec is None else policy_for(spec, self.node_index)
        triggers = (
            (BRANCH_TO + name, *self.triggers[name])
            if spec and not spec.defer
            else tuple(self.triggers[name])
        )
        consumes = [c for c in self.triggers[name] if overrides(self.channels[c], "consume")]
        schema = spec.input_schema if spec is not None else builder.state_schema
        return Node(
            name=name,
            index=self.node_index[name],
            call=spec.shape.call if spec is not None else None,
            is_async=spec is not None and spec.shape.is_async,
            inject=spec.shape.inject if spec is not None else (),
            view=self.view(schema) if spec is not None else self.view_of((START,)),
            mapper=reader_of(schema) if spec is not None else None,
            managed=managed_of(schema) if spec is not None else (),
            write=self.prepared(self.writer(spec)),
            arms=self.arms(name, targets),
            static_writes=tuple(static_writes),
            branches=tuple(self.branch(name, schema, targets)),
            triggers=triggers,
            consumes=tuple(self.index[c] for c in consumes),
            tags=() if spec is not None else (TAG_HIDDEN,),
            metadata=dict(spec.metadata or {}) if spec is not None else {},
            hidden=spec is None,
            policy=policy,
            express=policy is None
            and not static_writes
            and not (spec is not None and (managed_of(schema) or spec.cache_policy is not None))
            and not (consumes and spec is not None)
            and list(self.state_keys) != [ROOT],
            keys=self.state_keys if spec is not None else self.input_keys,
            graph=spec.shape.graph if spec is not None else None,
            cache=self.cache_rule(name, spec),
        )

    def cache_rule(self, name: str, spec: NodeSpec | None) -> CacheRule | None:
        if spec is None or spec.cache_policy is None:
            return None
        from graphrt.engine.marks import cache_rule

        return cache_rule(spec.shape.action, spec.cache_policy, node=name)

    def writer(self, spec: NodeSpec | None) -> Any:
        """START takes the keys of the input schema and drops others; nodes write any key of the state."""
        if list(self.state_keys) == [ROOT]:
            return root_writer(self.state_keys[ROOT])
        if spec is not None:
            return (keyed_writer if spec.shape.graph is None else graph_writer)(
                self.state_keys, strict=self.strict, managed=frozenset(self.builder.managed)
            )
        return keyed_writer(self.input_keys, strict=False)

    def prepared(self, write: Any) -> Any:
        """The writer, minding channels that want to see what is written before it is stored."""
        minds = any(overrides(channel, "prepare") for channel in self.builder.channels.values())
        return preparing_writer(write) if minds else write

    def branch(self, name: str, node_schema: Any, targets: dict[str, Target]) -> Iterable[Branch]:
        hops = {END: None, **{end: target.node for end, target in targets.items() if target.channel is None}}
        for branch_name, spec in self.builder.branches.get(name, {}).items():
            schema = spec.input_schema if spec.input_schema is not None else node_schema
            yield Branch(
                name=branch_name,
                path=spec.path.call,
                is_async=spec.path.is_async,
                inject=spec.path.inject,
                ends=spec.ends if spec.mapped else None,
                view=self.view(schema),
                mapper=reader_of(schema),
                managed=managed_of(schema),
                typed=spec.input_schema is not None,
                quick=self.is_quick(spec, schema),
                hops={a: hops[end] for a, end in spec.ends.items() if end in hops}
                if spec.mapped and spec.ends
                else hops,
            )

    def is_quick(self, spec: BranchSpec, schema: Any) -> bool:
        """A sync router of the whole state that asks for nothing else."""
        whole = spec.input_schema is not None or self.view(schema) == self.view_of(self.state_keys)
        return whole and not spec.path.is_async and not spec.path.inject and reader_of(schema) is None
