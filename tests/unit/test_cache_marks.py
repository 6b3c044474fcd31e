"""What tells the functions of cached nodes apart (LangGraph R1, quirk 8)."""

import asyncio
import functools
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphrt.engine.marks import cache_rule, mark_of
from graphrt.graph import START, StateGraph
from graphrt.types import CachePolicy


async def plain(state: Any) -> None: ...


async def other(state: Any) -> None: ...


def closing(over: Any) -> Callable[..., Any]:
    async def node(state: Any) -> Any:
        return over

    return node


class Agent:
    def __init__(self, model: str) -> None:
        self.model = model

    async def node(self, state: Any) -> Any:
        return self.model

    async def __call__(self, state: Any) -> Any:
        return self.model


def namespace(action: Any) -> tuple[str, ...]:
    return cache_rule(action, CachePolicy(), node="node").namespace


def test_async_functions_have_names_of_their_own() -> None:
    assert namespace(plain) == ("graphrt.writes", f"{__name__}.plain", "node")
    assert namespace(plain) != namespace(other)


def test_a_task_has_no_node_in_its_namespace() -> None:
    assert cache_rule(plain, CachePolicy()).namespace == ("graphrt.writes", f"{__name__}.plain")


def test_partials_methods_and_objects_are_named_after_what_they_call() -> None:
    assert namespace(functools.partial(plain, 1))[1] == f"{__name__}.plain"
    assert namespace(Agent("a").node)[1] == f"{__name__}.Agent.node"
    assert namespace(Agent("a"))[1] == f"{__name__}.Agent"


def test_a_function_has_the_same_mark_each_time() -> None:
    assert mark_of(plain) == mark_of(plain)
    assert mark_of(closing(1)) == mark_of(closing(1))
    assert mark_of(functools.partial(plain, 1, a=2)) == mark_of(functools.partial(plain, 1, a=2))
    assert mark_of(len) == mark_of(len)
    assert mark_of(math.sqrt) == mark_of(math.sqrt)


def test_what_a_function_closes_over_is_part_of_its_mark() -> None:
    assert mark_of(closing(1)) != mark_of(closing(2))
    assert mark_of(closing(plain)) == mark_of(closing(plain)) != mark_of(closing(other))
    assert mark_of(closing(asyncio)) == mark_of(closing(asyncio)) != mark_of(closing(math))
    assert mark_of(closing(Agent)) == mark_of(closing(Agent))
    assert mark_of(closing({"tools": [plain]})) == mark_of(closing({"tools": [plain]}))
    assert mark_of(closing({"tools": [plain]})) != mark_of(closing({"tools": [other]}))


def test_arguments_of_a_partial_are_part_of_its_mark() -> None:
    assert mark_of(functools.partial(plain, 1)) != mark_of(functools.partial(plain, 2))


def test_defaults_are_part_of_the_mark() -> None:
    first, second = (lambda state, n=n: n for n in (1, 2))
    assert mark_of(first) != mark_of(second)


def test_lambdas_of_one_line_differ_by_their_code() -> None:
    first, second = (lambda state: 1), (lambda state: 2)
    assert namespace(first) == namespace(second)
    assert mark_of(first) != mark_of(second)


def test_what_cannot_be_told_by_its_content_is_shared_with_nobody() -> None:
    agent = Agent("a")
    assert mark_of(agent.node) != mark_of(agent.node)
    assert mark_of(agent) != mark_of(agent)
    assert mark_of(closing(object())) != mark_of(closing(object()))


def test_a_function_that_closes_over_itself_has_a_mark() -> None:
    def recursive(state: Any) -> Any:
        return recursive(state)

    assert mark_of(recursive) == mark_of(recursive)


def test_decorated_functions_differ_by_what_they_wrap() -> None:
    def decorated(function: Any) -> Any:
        @functools.wraps(function)
        async def call(state: Any) -> Any:
            return await function(state)

        return call

    assert mark_of(decorated(plain)) == mark_of(decorated(plain)) != mark_of(decorated(other))
    cached = functools.lru_cache(closing)
    assert mark_of(cached) == mark_of(cached)


def graph(node: Any) -> Any:
    builder: Any = StateGraph(dict)
    return builder.add_node("node", node).add_edge(START, "node").compile()


def test_a_graph_is_what_its_nodes_are() -> None:
    assert mark_of(graph(plain)) == mark_of(graph(plain)) != mark_of(graph(other))
    assert mark_of(graph(graph(plain))) == mark_of(graph(graph(plain))) != mark_of(graph(graph(other)))


PROGRAM = """
import sys; sys.path.insert(0, {folder!r})
from graphrt.engine.marks import mark_of
import nodes
print([mark_of(f) for f in (nodes.node, nodes.closing({{"a", "b", "c"}}), nodes.named)])
"""
NODES = """
async def node(state):
    if state in {"x", "y", "z"}:
        return [n for n in (1, 2.5, None, ...)]
def closing(over):
    return lambda state, *, k=("d", 1): over
def named(state, *, b=1, a=2): return {"word": "WORD"}
"""


def marks_in_another_process(folder: Path, word: str, seed: str) -> str:
    (folder / "nodes.py").write_text(NODES.replace("WORD", word))
    return subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM.format(folder=str(folder))],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_other_processes_find_the_same_marks_until_the_code_changes(tmp_path: Path) -> None:
    first = marks_in_another_process(tmp_path, "hello", "1")
    assert marks_in_another_process(tmp_path, "hello", "2") == first
    changed = marks_in_another_process(tmp_path, "good bye", "1")
    assert changed != first
    assert changed[:60] == first[:60]
