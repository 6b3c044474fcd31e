"""What a contestant's file offers: `contestant()`, which returns an object with a method for every graph shape.

The shapes of `Control` may be missing: then the contestant does not take those cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bench.cases import Door


class NotOfferedError(Exception):
    """The contestant cannot do what the case asks; the text says why and stands in the result."""


@dataclass(frozen=True, slots=True)
class Job:
    """A graph ready to be run many times: `start` runs it once (or returns an awaitable that does).

    `answer` takes what the case compares out of what a run returned; it is called outside of the measurement.
    """

    start: Callable[[], Any]
    answer: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Lap(Job):
    """A job that measures itself, because more happens in a run than counts: `start` gives the seconds that do."""


class Contestant(Protocol):
    """One runtime. Every method returns a job of the given size or raises NotOfferedError with the reason."""

    def versions(self) -> dict[str, str]:
        """Return the version of every distribution that makes up this contestant."""
        ...

    def chain(self, door: Door, length: int) -> Job:
        """Nodes in a row, each adding one to `x`."""
        ...

    def loop(self, door: Door, supersteps: int) -> Job:
        """One node and a router that repeats it."""
        ...

    def fan_out(self, door: Door, sends: int) -> Job:
        """A router that sends items to one worker; `operator.add` puts the lists that come back together."""
        ...

    def wide_state(self, door: Door, channels: int) -> Job:
        """A chain over a state of many channels, of which the nodes update one."""
        ...

    def wide_dict(self, door: Door, keys: int) -> Job:
        """A chain over one channel that holds a big dict."""
        ...

    def agent(self, door: Door, turns: int) -> Job:
        """Model, router, tool, and back; `operator.add` appends the messages."""
        ...

    def first_event(self, door: Door, length: int) -> Lap:
        """Stream a chain's updates and stop the watch at the first."""
        ...

    def compile_graph(self, door: Door, length: int) -> Job:
        """Declare a chain and make it runnable."""
        ...

    def nap(self, door: Door, milliseconds: int) -> Job:
        """One node that sleeps."""
        ...

    def last_value(self, door: Door, operations: int) -> Job:
        """Update and read a channel that keeps the last value."""
        ...

    def reducer(self, door: Door, operations: int) -> Job:
        """Update and read a channel that adds up."""
        ...


class Control(Contestant, Protocol):
    """One with graphs in graphs, runs that wait for an answer, tasks, and threads to look at."""

    def subgraph_fan_out(self, door: Door, sends: int) -> Job:
        """A router that sends items to a graph of three nodes."""
        ...

    def nested(self, door: Door, depth: int) -> Job:
        """So many graphs of one node, each the node of another; the innermost node adds one to `x`."""
        ...

    def ask(self, door: Door, questions: int) -> Job:
        """One node that asks questions and adds up the answers: a run, and a run more for every answer."""
        ...

    def pipeline(self, door: Door, tasks: int) -> Job:
        """A function that calls tasks one after the other."""
        ...

    def gathering(self, door: Door, tasks: int) -> Job:
        """A function that calls tasks all at once and adds up their results."""
        ...

    def get_state(self, door: Door, length: int) -> Job:
        """Look at a thread of some supersteps."""
        ...

    def history(self, door: Door, entries: int) -> Job:
        """Look at all checkpoints of a thread."""
        ...

    def events(self, door: Door, number: int) -> Job:
        """One node that writes events; a consumer counts them."""
        ...

    def tokens(self, door: Door, number: int) -> Job:
        """One node in which a model says so many tokens; a consumer of messages counts them."""
        ...

    def messages(self, door: Door, history: int) -> Lap:
        """Append a hundred messages, one update each, to a list of so many."""
        ...
