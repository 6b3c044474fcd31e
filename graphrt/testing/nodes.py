"""One node of a compiled graph, run as the graph would run it, and nothing else of the graph.

    ran = await run_node(graph, "review", {"draft": "..."}, context=Reviewer("Ada"))
    assert ran.update == {"approved": True}
    assert ran.goto == ("publish",)

The node reads its own part of the state and gets what it has injected; its edges and routers are asked, and where they
lead is reported instead of followed. Policies, such as retries, are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from graphrt.config import RunnableConfig, merge_configs
from graphrt.constants import START
from graphrt.core.plan import Node, Plan
from graphrt.core.state import State, Task
from graphrt.engine.intake import update_items
from graphrt.errors import GraphValidationError, NoParentGraphError, UnknownKeyError, did_you_mean
from graphrt.testing.script import Answers, Script, question_of
from graphrt.types import Command, Interrupt, Send, StreamMode

__all__ = ["NodeRun", "hearing", "run_node"]

KEEP: Final[Any] = object()
_EVENTS: Final[tuple[StreamMode, ...]] = ("custom", "messages", "updates")


class NodeRun(Struct, frozen=True):
    """What a node did.

    Attributes:
        output: what its function returned.
        writes: (key, value) of what it writes, in order, reducers not applied.
        values: the state after the node, with reducers applied.
        goto: what would run next: names, and Sends. A join is not there as long as it waits for others.
        events: what it wrote to the custom stream.
        messages: tokens and messages of the messages stream.
        interrupts: what it asks and nobody answered; everything else is empty then.
        parent: the Command that it returned for a graph around its own.
    """

    output: Any = None
    writes: tuple[tuple[str, Any], ...] = ()
    values: Any = None
    goto: tuple[str | Send, ...] = ()
    events: tuple[Any, ...] = ()
    messages: tuple[Any, ...] = ()
    interrupts: tuple[Interrupt[Any], ...] = ()
    parent: Command[Any] | None = None

    @property
    def update(self) -> dict[str, Any]:
        """`writes` as a dict; of several to one key the last."""
        return dict(self.writes)


async def run_node(
    graph: Any,
    node: str | Send,
    state: Any = None,
    *,
    config: RunnableConfig | None = None,
    context: Any = None,
    store: Any = KEEP,
    answers: Answers = (),
) -> NodeRun:
    """Run one node alone.

    Args:
        graph: what `StateGraph.compile` returned. Neither its checkpointer nor its cache is touched.
        node: the node's name; or a Send, for a node that reads what was sent to it.
        state: the state before the node, as a dict or an object of the schema; any key of the state may be given, and
            is written to an empty state as a run's input is, through its reducer.
        context: what it reads as `runtime.context`.
        store: instead of the graph's.
        answers: to what it asks, see `graphrt.testing.script.play`. What is not answered is reported.

    Raises:
        GraphValidationError: the graph has no such node.
        UnknownKeyError: the state has no such key.
        UnaskedError: an answer to something that was not asked.
        whatever the node or one of its routers raises.
    """
    _check(graph, node)
    heard: list[Task] = []
    alone = _alone(graph, node, state, heard)
    script = Script(answers)
    if script or graph.checkpointer:
        alone = alone.copy({"checkpointer": _memory()})
        config = merge_configs({"configurable": {"thread_id": "node"}}, config)
    if store is not KEEP:
        alone = alone.copy({"store": store})
    told = _Told()
    given: Any = True
    try:
        while open_ := await _run(alone, given, config, context, told):
            given = _resume(script, _name(node), open_)
            if given is None:
                script.close()
                return NodeRun(**told.so_far(), interrupts=open_)
            told = _Told()
    except NoParentGraphError as error:
        return NodeRun(output=error.command, **told.so_far(), parent=error.command)
    script.close()
    return _report(alone.plan, heard[-1], told) if heard else NodeRun(**told.so_far())


def _name(node: str | Send) -> str:
    return node.node if isinstance(node, Send) else node


def _resume(script: Script, name: str, interrupts: Sequence[Interrupt[Any]]) -> Command[Any] | None:
    """Answers to what the script knows; None if it knows nothing of it."""
    questions = [question_of(interrupt, (name,)) for interrupt in interrupts]
    due = [question for question in questions if script.knows(question)]
    return Command(resume={question.id: script.answer(question) for question in due}) if due else None


def _alone(graph: Any, node: str | Send, state: Any, heard: list[Task]) -> Any:
    """A copy of the graph that runs one node, and nothing after it; it shares nothing with the graph's runs."""
    names = _standing_for(graph.plan, _name(node))
    plan = _started(hearing(graph.plan, heard.append, only=names), _writes(graph, state), node)
    changed: dict[str, Any] = {"plan": plan, "cache": None}
    return graph.copy({**changed, "interrupt_before": (), "interrupt_after": names})


def _check(graph: Any, node: str | Send) -> None:
    name = _name(node)
    nodes = getattr(getattr(graph, "builder", None), "nodes", None)
    if nodes is None:
        raise GraphValidationError(
            f"run_node runs nodes of what StateGraph.compile returned, and got a {type(graph).__name__}. "
            "A function with @entrypoint or @task is run by calling it."
        )
    if name not in nodes:
        raise GraphValidationError(f"Graph {graph.name!r} has no node {name!r}.{did_you_mean(name, nodes)}")


def _standing_for(plan: Plan, name: str) -> list[str]:
    """The node, and its error handler, which may take its place."""
    policy = plan.nodes[plan.node_index[name]].policy
    handler = None if policy is None else policy.handler
    return [name] if handler is None else [name, plan.nodes[handler].name]


def _memory() -> Any:
    from graphrt.checkpoint.memory import InMemorySaver

    return InMemorySaver()


class _Told:
    """What a node tells while it runs."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.messages: list[Any] = []

    def so_far(self) -> dict[str, Any]:
        return {"events": tuple(self.events), "messages": tuple(self.messages)}


async def _run(
    graph: Any, given: Any, config: RunnableConfig | None, context: Any, told: _Told
) -> tuple[Interrupt[Any], ...]:
    """One attempt, up to the node's end or its questions."""
    found: tuple[Interrupt[Any], ...] = ()
    stream = graph.astream(given, config, context=context, stream_mode=_EVENTS)
    async with stream:
        async for mode, chunk in stream:
            if mode == "custom":
                told.events.append(chunk)
            elif mode == "messages":
                told.messages.append(chunk[0])
            elif "__interrupt__" in chunk:
                found += chunk["__interrupt__"]
    return found


def _report(plan: Plan, task: Task, told: _Told) -> NodeRun:
    state: State = task.owner.state
    hidden = {channel for channel, name in enumerate(plan.channel_names) if name not in _keys(plan)}
    return NodeRun(
        output=task.output,
        writes=tuple((plan.channel_names[i], value) for i, value in task.writes if i not in hidden),
        values=state.read(plan.stream),
        goto=(*state.sends, *[plan.nodes[i].name for i in state.armed]),
        **told.so_far(),
    )


def _keys(plan: Plan) -> set[str]:
    return {key for key, _ in plan.views[plan.stream].channels}


# ---- plans that are a little different


def hearing(plan: Plan, hear: Callable[[Task], None], *, only: Sequence[str] | None = None) -> Plan:
    """The same plan, except that `hear` is told of every task whose function has returned, of some nodes if `only`."""

    def told(node: Node) -> Node:
        if node.name == START or (only is not None and node.name not in only):
            return node
        write = node.write

        def write_and_tell(plan: Plan, task: Task, output: Any) -> None:
            write(plan, task, output)
            hear(task)

        # Not on the express way, which writes without asking the node's writer.
        return structs.replace(node, write=write_and_tell, express=False)

    nodes = tuple(map(told, plan.nodes))
    start = plan.start and nodes[plan.start.index]
    return structs.replace(plan, nodes=nodes, start=start)


def _started(plan: Plan, writes: list[tuple[int, Any]], where: str | Send) -> Plan:
    """A plan whose START makes the state and leads to one node, whatever the input."""
    assert plan.start is not None

    def write(plan: Plan, task: Task, output: Any) -> None:
        task.writes.extend(writes)
        task.go(plan, where)

    start = structs.replace(
        plan.start, write=write, arms=(), static_writes=(), branches=(), express=False, keys={}
    )
    nodes = tuple(start if node.name == START else node for node in plan.nodes)
    return structs.replace(plan, nodes=nodes, start=start)


def _writes(graph: Any, state: Any) -> list[tuple[int, Any]]:
    channels = graph.builder.channels
    writes: list[tuple[int, Any]] = []
    for key, value in update_items(state):
        if key not in channels:
            raise UnknownKeyError(
                f"The state has key {key!r}, which graph {graph.name!r} does not know.{did_you_mean(key, channels)}",
                channel=key,
            )
        writes.append((graph.plan.channel_index[key], value))
    return writes
