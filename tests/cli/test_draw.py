"""`graphrt draw`, and runs drawn by `graphrt threads show --svg`."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from tests.cli.conftest import Graphrt

Program = Callable[..., Path]
OUTER = """
    outer = StateGraph(State).add_node("in", graph).add_edge(START, "in").compile()
"""


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


def test_a_program_of_channels_is_drawn(program: Program, graphrt_cli: Graphrt):
    program("""
        from graphrt.channels import EphemeralValue
        from graphrt.pregel import NodeBuilder, Pregel
        raw = Pregel(
            nodes={"n": NodeBuilder().subscribe_only("a").do(len).write_to("b")},
            channels={"a": EphemeralValue(str), "b": EphemeralValue(int)},
            input_channels="a", output_channels="b",
        )
    """)
    assert "    n --> __end__\n" in graphrt_cli("draw", "graphs.py:raw").out
    assert graphrt_cli("run", "graphs.py:raw", "--input", '"four"').result == 4


@pytest.mark.parametrize(
    "name, start",
    [("g.svg", b"<svg "), ("g.PNG", b"\x89PNG"), ("g.json", b"{"), ("g.txt", b" "), ("g.mmd", b"flowchart"),
     ("g", b"flowchart")],
)  # fmt: skip
def test_a_files_name_says_its_format(
    program: Program, graphrt_cli: Graphrt, tmp_path: Path, name: str, start: bytes
):
    pytest.importorskip("PIL")
    program()
    ended = graphrt_cli("draw", "graphs.py:graph", "-o", name)
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / name).read_bytes().lstrip(b"\n").startswith(start) or name == "g.txt"


def test_graphs_inside_are_drawn_down_to_a_depth(program: Program, graphrt_cli: Graphrt):
    program(OUTER)
    flat = graphrt_cli("draw", "graphs.py:outer").out
    deep = graphrt_cli("draw", "graphs.py:outer", "--xray").out
    assert "subgraph" not in flat
    assert 'subgraph in["in"]' in deep
    assert graphrt_cli("draw", "graphs.py:outer", "--depth", "1").out == deep


def test_what_cannot_be_written_is_said(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("draw", "graphs.py:graph", "-o", "nowhere/g.svg")
    assert ended.code == 2
    assert "nowhere/g.svg could not be written: No such file or directory." in ended.err


# ---- runs

KEPT = ("--checkpointer", "sqlite:///kept.db")


@pytest.fixture
def paused(program: Program, graphrt_cli: Graphrt, monkeypatch: pytest.MonkeyPatch) -> Graphrt:
    """A thread "t" in kept.db that waits in a graph inside of `outer`."""
    pytest.importorskip("aiosqlite")
    from importlib.metadata import EntryPoint

    from graphrt.checkpoint import urls

    sqlite = EntryPoint("sqlite", "checkpointers.sqlite:SqliteSaver", urls.GROUP)
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [sqlite])
    program("""
        outer = StateGraph(State).add_node("in", asking.compile()).add_edge(START, "in").compile()
    """)
    assert graphrt_cli("run", "graphs.py:outer", "--thread", "t", "--input", '{"n": 1}', *KEPT).code == 5
    return graphrt_cli


def test_a_run_is_drawn_on_its_graph(paused: Graphrt, tmp_path: Path):
    ended = paused("threads", "show", "t", *KEPT, "--graph", "graphs.py:outer", "--svg", "run.svg")
    assert (ended.code, ended.out) == (0, ""), ended.err
    texts = [text.strip() for text in ElementTree.parse(tmp_path / "run.svg").getroot().itertext()]
    assert "in · waits for an answer" in texts
    assert "waits for an answer" in texts  # the node inside


def test_a_run_is_drawn_to_standard_output(paused: Graphrt):
    ended = paused("threads", "show", "t", *KEPT, "--graph", "graphs.py:outer", "--svg")
    assert ended.out.startswith("<svg ")


@pytest.mark.parametrize("more", [["--svg"], ["--graph", "graphs.py:outer"], ["--json", "--svg", "-"]])
def test_a_run_is_drawn_on_a_graph_that_is_named(paused: Graphrt, more: list[str]):
    ended = paused("threads", "show", "t", *KEPT, *more)
    assert ended.code == 2
    assert "--svg [FILE] and --graph go together" in ended.err


def test_a_thread_that_is_not_there_cannot_be_drawn(paused: Graphrt):
    ended = paused("threads", "show", "other", *KEPT, "--graph", "graphs.py:outer", "--svg")
    assert (ended.code, ended.out) == (2, "")
    assert "There is no thread 'other'" in ended.err
