"""What is measured: each case names a graph shape, its size, and the answer that proves the work was done."""

from dataclasses import dataclass
from typing import Literal

Door = Literal["async", "sync", "direct"]
"""`async` awaits coroutine nodes on a loop, `sync` calls plain nodes without one, `direct` runs no graph."""

Shape = Literal[
    "chain",
    "loop",
    "fan_out",
    "wide_state",
    "wide_dict",
    "agent",
    "first_event",
    "compile_graph",
    "nap",
    "last_value",
    "reducer",
    "importing",
    "subgraph_fan_out",
    "nested",
    "ask",
    "pipeline",
    "gathering",
    "get_state",
    "history",
    "events",
    "tokens",
    "messages",
]

CHAIN_IN_WIDE_CASES = 10
"""Nodes in the chain that the two wide cases run over their big state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the result: `shape` is the method that a contestant is asked for, `size` its argument."""

    name: str
    what: str
    shape: Shape
    size: int
    answer: object
    doors: tuple[Door, ...] = ("async", "sync")
    together: int = 1
    """Runs started at once; the time is that of them all."""
    share: int = 1
    """The time is divided by this, where one run repeats one operation."""


BOTH: tuple[Door, ...] = ("async", "sync")
ASYNC: tuple[Door, ...] = ("async",)
DIRECT: tuple[Door, ...] = ("direct",)

CASES: tuple[Case, ...] = (
    Case(name="chain_1", what="a run of one node", shape="chain", size=1, answer=1),
    Case(name="chain_10", what="a run of ten nodes in a row", shape="chain", size=10, answer=10),
    Case(name="chain_100", what="a run of a hundred nodes in a row", shape="chain", size=100, answer=100),
    Case(
        name="loop_1000",
        what="a run of 1,000 supersteps through a router",
        shape="loop",
        size=1_000,
        answer=1_000,
    ),
    Case(
        name="fan_out_100",
        what="a run that sends 100 items to one worker node",
        shape="fan_out",
        size=100,
        answer=list(range(100)),
    ),
    Case(
        name="fan_out_1000",
        what="a run that sends 1,000 items to one worker node",
        shape="fan_out",
        size=1_000,
        answer=list(range(1_000)),
    ),
    Case(
        name="wide_state",
        what="ten nodes over a state of 100 channels, each updating one",
        shape="wide_state",
        size=100,
        answer=CHAIN_IN_WIDE_CASES,
    ),
    Case(
        name="wide_dict",
        what="ten nodes over one channel that holds a dict of 1,000 keys, each replacing one",
        shape="wide_dict",
        size=1_000,
        answer=(1_000, CHAIN_IN_WIDE_CASES),
    ),
    Case(
        name="agent_10",
        what="a model that calls a tool ten times, then answers",
        shape="agent",
        size=10,
        answer=22,
    ),
    Case(
        name="first_event",
        what="from the call of astream to its first event, in a chain of ten",
        shape="first_event",
        size=10,
        answer=None,
        doors=ASYNC,
    ),
    Case(
        name="compile_100",
        what="declare and compile a chain of 100 nodes",
        shape="compile_graph",
        size=100,
        answer=100,
        doors=DIRECT,
    ),
    Case(
        name="nap_100",
        what="100 concurrent runs of one node that sleeps 50 ms",
        shape="nap",
        size=50,
        answer=1,
        doors=ASYNC,
        together=100,
    ),
    Case(
        name="burst_1000",
        what="1,000 concurrent runs of a chain of ten",
        shape="chain",
        size=10,
        answer=10,
        doors=ASYNC,
        together=1_000,
    ),
    Case(
        name="channel_last_value",
        what="one update and one read of a LastValue channel",
        shape="last_value",
        size=1_000,
        answer=999,
        doors=DIRECT,
        share=1_000,
    ),
    Case(
        name="channel_reducer",
        what="one update and one read of a BinaryOperatorAggregate channel",
        shape="reducer",
        size=1_000,
        answer=1_000,
        doors=DIRECT,
        share=1_000,
    ),
    Case(
        name="subgraph_10",
        what="a run that sends 10 items to a graph of three nodes in a row",
        shape="subgraph_fan_out",
        size=10,
        answer=list(range(10)),
    ),
    Case(
        name="subgraph_100",
        what="a run that sends 100 items to a graph of three nodes in a row",
        shape="subgraph_fan_out",
        size=100,
        answer=list(range(100)),
    ),
    Case(
        name="nested_5",
        what="a graph in a graph in a graph in a graph in a graph, each of one node",
        shape="nested",
        size=5,
        answer=1,
    ),
    Case(
        name="interrupt",
        what="a new thread is run to a question, then answered and run to its end",
        shape="ask",
        size=1,
        answer=(1, 1),
    ),
    Case(
        name="pipeline_100",
        what="an entrypoint that waits for 100 tasks, one after the other",
        shape="pipeline",
        size=100,
        answer=100,
    ),
    Case(
        name="gather_100",
        what="an entrypoint that starts 100 tasks and waits for all of them",
        shape="gathering",
        size=100,
        answer=100,
    ),
    Case(
        name="get_state",
        what="the newest state of a thread of ten supersteps",
        shape="get_state",
        size=10,
        answer=10,
    ),
    Case(
        name="history_1000",
        what="the whole history of a thread of 1,000 checkpoints",
        shape="history",
        size=1_000,
        answer=1_000,
    ),
    Case(
        name="events_10k",
        what="one of 10,000 custom events that a node writes, taken from astream",
        shape="events",
        size=10_000,
        answer=10_000,
        doors=ASYNC,
        share=10_000,
    ),
    Case(
        name="tokens_10k",
        what="one of 10,000 tokens of a model, taken from astream's messages",
        shape="tokens",
        size=10_000,
        answer=10_000,
        doors=ASYNC,
        share=10_000,
    ),
    Case(
        name="messages_100",
        what="one message appended to a list of 100, by add_messages in its channel",
        shape="messages",
        size=100,
        answer=None,
        doors=ASYNC,
        share=100,
    ),
    Case(
        name="messages_10k",
        what="one message appended to a list of 10,000, by add_messages in its channel",
        shape="messages",
        size=10_000,
        answer=None,
        doors=ASYNC,
        share=100,
    ),
    Case(
        name="import",
        what="a fresh interpreter imports it, less the same interpreter importing nothing",
        shape="importing",
        size=1,
        answer=None,
        doors=DIRECT,
    ),
)

BY_NAME = {case.name: case for case in CASES}
