"""Who takes part, in the order of the rounds. Knows names only: a rival is imported in its own process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One contestant: the module that speaks for it and the environment it lives in."""

    name: str
    module: str
    environment: str | None
    """The stem of a file in bench/requirements; None is the interpreter that runs the benchmark."""
    import_line: str
    """What the case `import` runs: all that a program needs to build and run a graph."""


def _entry(name: str, environment: str | None, import_line: str) -> Entry:
    module = "bench.contestants." + name.replace("-", "_").replace("+", "_")
    return Entry(name=name, module=module, environment=environment, import_line=import_line)


_GRAPHRT = "import graphrt; from graphrt.graph import END, START, StateGraph; from graphrt.types import Send"
_LANGGRAPH = _GRAPHRT.replace("graphrt", "langgraph")

ROSTER: tuple[Entry, ...] = (
    _entry("floor", None, "import asyncio"),
    _entry("graphrt", None, _GRAPHRT),
    _entry("graphrt+memory", None, _GRAPHRT + "; from graphrt.checkpoint.memory import InMemorySaver"),
    _entry("langgraph", "langgraph", _LANGGRAPH),
    _entry(
        "langgraph+memory",
        "langgraph",
        _LANGGRAPH + "; from langgraph.checkpoint.memory import InMemorySaver",
    ),
    _entry(
        "fast-langgraph",
        "fast-langgraph",
        "import fast_langgraph; fast_langgraph.shim.patch_langgraph(verbose=False); " + _LANGGRAPH,
    ),
    _entry("pydantic-graph", "pydantic-graph", "from pydantic_graph import GraphBuilder"),
    _entry("neograph", "neograph", "import neograph_engine"),
    _entry("neograph+memory", "neograph", "import neograph_engine"),
    _entry("agentcore", "agentcore", "from agentcore.graph import END, START, StateGraph"),
)

BY_NAME = {entry.name: entry for entry in ROSTER}
