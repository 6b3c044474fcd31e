"""`graphrt draw`."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Graphrt

Program = Callable[..., Path]


def test_mermaid_is_the_default(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("draw", "graphs.py:graph")
    assert ended.code == 0
    assert ended.out.startswith("flowchart TD\n")
    assert "    __start__ --> node\n" in ended.out


@pytest.mark.parametrize("target", ["graph", "builder"])
def test_a_drawing_in_characters(program: Program, graphrt_cli: Graphrt, target: str):
    program()
    assert "| node  |" in graphrt_cli("draw", f"graphs.py:{target}", "--format", "ascii").out


def test_json_has_nodes_and_edges(program: Program, graphrt_cli: Graphrt):
    program()
    drawn = msgspec.json.decode(graphrt_cli("draw", "graphs.py:graph", "--format", "json").out)
    assert [node["id"] for node in drawn["nodes"]] == ["__start__", "node", "__end__"]
    assert drawn["edges"][0] == {"source": "__start__", "target": "node"}


def test_a_program_of_channels_cannot_be_drawn(program: Program, graphrt_cli: Graphrt):
    program("""
        from graphrt.channels import EphemeralValue
        from graphrt.pregel import NodeBuilder, Pregel
        raw = Pregel(
            nodes={"n": NodeBuilder().subscribe_only("a").do(len).write_to("b")},
            channels={"a": EphemeralValue(str), "b": EphemeralValue(int)},
            input_channels="a", output_channels="b",
        )
    """)
    ended = graphrt_cli("draw", "graphs.py:raw")
    assert ended.code == 2
    assert "Only graphs that a StateGraph compiles to can be drawn." in ended.err
    assert graphrt_cli("run", "graphs.py:raw", "--input", '"four"').result == 4
