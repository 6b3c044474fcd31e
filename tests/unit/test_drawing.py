"""Drawing: what a builder declares becomes records, Mermaid text and a picture in characters."""

from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrt.constants import END, START
from graphrt.drawing import Edge, Graph, describe
from graphrt.drawing.layers import Rows, rows
from graphrt.drawing.placement import place


@dataclass
class Spec:
    metadata: dict[str, Any] | None = None
    defer: bool = False
    ends: tuple[str, ...] | dict[str, str] | None = None
    error_handler: str | None = None
    is_error_handler: bool = False


@dataclass
class Branch:
    ends: dict[Any, str] | None = None


@dataclass
class Builder:
    """What drawing reads of a StateGraph."""

    nodes: dict[str, Spec] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)
    waiting_edges: set[tuple[tuple[str, ...], str]] = field(default_factory=set)
    branches: dict[str, dict[str, Branch]] = field(default_factory=dict)


def chain(*names: str) -> Builder:
    return Builder({name: Spec() for name in names}, set(pairwise([START, *names, END])))


def art(text: str) -> str:
    return dedent(text).lstrip("\n")


# ---- what is declared


def test_edges_come_in_the_order_of_the_nodes():
    builder = chain("first", "second", "third")
    pairs = [(edge.source, edge.target) for edge in describe(builder).edges]
    assert pairs == [(START, "first"), ("first", "second"), ("second", "third"), ("third", END)]


def test_start_is_always_drawn_and_end_where_something_leads_to_it():
    assert list(describe(chain("a")).nodes) == [START, "a", END]
    endless = Builder({"a": Spec()}, {(START, "a"), ("a", "a")})
    assert list(describe(endless).nodes) == [START, "a"]


@pytest.mark.parity("X1")
def test_a_router_that_declares_nothing_points_everywhere():
    builder = Builder({"a": Spec(), "b": Spec()}, {(START, "a"), ("b", "b")}, branches={"a": {"r": Branch()}})
    routed = [edge for edge in describe(builder).edges if edge.source == "a"]
    assert routed == [Edge("a", target, conditional=True) for target in ("a", "b", END)]


@pytest.mark.parity("X2")
def test_a_conditional_edge_carries_what_the_router_returns_unless_that_is_the_target():
    branch = Branch({"yes": "b", END: END, True: "a"})
    builder = Builder({"a": Spec(), "b": Spec()}, {(START, "a")}, branches={"a": {"r": branch}})
    labels = {edge.target: edge.label for edge in describe(builder).edges if edge.source == "a"}
    assert labels == {"a": "True", "b": "yes", END: None}


@pytest.mark.parity("X2")
def test_a_node_without_a_way_out_leads_to_end():
    builder = Builder({"a": Spec(), "island": Spec()}, {(START, "a")})
    assert {(e.source, e.target) for e in describe(builder).edges} == {
        (START, "a"),
        ("a", END),
        ("island", END),
    }


def test_commands_are_drawn_where_they_may_go():
    nodes = {"a": Spec(ends=("b", END)), "b": Spec(ends={"a": "again", "b": "b"})}
    edges = describe(Builder(nodes, {(START, "a")})).edges
    assert edges[1:] == [
        Edge("a", "b", conditional=True),
        Edge("a", END, conditional=True),
        Edge("b", "a", "again", conditional=True),
        Edge("b", "b", conditional=True),
    ]


def test_a_join_is_drawn_from_each_of_its_sources():
    builder = Builder({"a": Spec(), "b": Spec(), "c": Spec()}, {("c", END)}, {(("a", "b"), "c")})
    assert [(e.source, e.target) for e in describe(builder).edges] == [("a", "c"), ("b", "c"), ("c", END)]


@pytest.mark.parity("X2")
def test_metadata_is_kept_and_deferral_is_added_to_it():
    builder = chain("plain", "late")
    builder.nodes["late"] = Spec(metadata={"team": "x"}, defer=True)
    graph = describe(builder)
    assert graph.nodes["plain"].metadata is None
    assert graph.nodes["late"].metadata == {"team": "x", "defer": True}


def test_an_edge_that_is_always_taken_hides_a_bare_maybe():
    builder = Builder({"a": Spec(ends=("b",)), "b": Spec()}, {("a", "b"), ("b", END)})
    assert describe(builder).edges == [Edge("a", "b"), Edge("b", END)]


def test_two_labels_between_the_same_nodes_both_stay():
    builder = Builder(
        {"a": Spec(), "b": Spec()}, {("b", END)}, branches={"a": {"r": Branch({"x": "b", "y": "b"})}}
    )
    assert [edge.label for edge in describe(builder).edges if edge.source == "a"] == ["x", "y"]


def test_an_edge_tells_its_label_under_langgraphs_name_too():
    assert Edge("a", "b", "yes").data == "yes"


def test_json_leaves_out_what_is_not_there():
    builder = Builder({"a": Spec({"k": 1})}, {(START, "a")}, branches={"a": {"r": Branch({"done": END})}})
    assert describe(builder).to_json() == {
        "nodes": [
            {"id": START, "name": START},
            {"id": "a", "name": "a", "metadata": {"k": 1}},
            {"id": END, "name": END},
        ],
        "edges": [
            {"source": START, "target": "a"},
            {"source": "a", "target": END, "data": "done", "conditional": True},
        ],
    }


# ---- Mermaid


def test_mermaid_dots_conditional_edges_and_shows_labels():
    builder = Builder({"a": Spec()}, {(START, "a")}, branches={"a": {"r": Branch({"all done": END})}})
    assert describe(builder).draw_mermaid(with_styles=False) == art(
        """
        flowchart TD
            __start__(["START"])
            a["a"]
            __end__(["END"])
            __start__ --> a
            a -.->|"all done"| __end__
        """
    )


def test_mermaid_shows_metadata_and_marks_deferred_nodes():
    builder = chain("late")
    builder.nodes["late"] = Spec({"team": "a<b"}, defer=True)
    text = describe(builder).draw_mermaid()
    assert '    late["late<hr/><small>team = a#60;b<br/>defer = True</small>"]:::deferred\n' in text
    assert "classDef deferred" in text


@pytest.mark.parametrize("name", ["end", "graph", "Style", "interpolate", "subgraph", "TD"])
def test_mermaid_words_are_no_ids(name: str):
    text = describe(chain(name)).draw_mermaid(with_styles=False)
    assert f'    node_{name}["{name}"]\n' in text


@pytest.mark.parametrize(
    "name, shown",
    [
        ('"]; click x', "#34;#93;#59; click x"),
        ("<script>", "#60;script#62;"),
        ("`**md**`", "#96;#42;#42;md#42;#42;#96;"),
        ("#35;", "#35;35#59;"),
        ("1. one", "1#46; one"),
        ("__dunder__", "#95;#95;dunder#95;#95;"),
        ("count_words-2.0", "count_words-2.0"),
        ("a\nb", "a#10;b"),
        ("日本", "日本"),
    ],
)
def test_mermaid_text_is_escaped(name: str, shown: str):
    assert f'["{shown}"]\n' in describe(chain(name)).draw_mermaid(with_styles=False)


def test_names_that_differ_only_in_escaped_characters_keep_their_own_ids():
    text = describe(chain("a b", "a-b", "node_a_b")).draw_mermaid(with_styles=False)
    assert "    node_a_b --> node_a_b_2\n    node_a_b_2 --> node_a_b_3\n" in text


# ---- characters


def test_a_chain_in_characters():
    assert describe(chain("load")).draw_ascii() == art(
        """
        +-------+
        | START |
        +-------+
            |
            v
        +-------+
        | load  |
        +-------+
            |
            v
         +-----+
         | END |
         +-----+
        """
    )


def test_a_diamond_in_characters():
    nodes = {name: Spec() for name in ("load", "left", "right", "sum")}
    edges = {(START, "load"), ("load", "left"), ("load", "right")}
    builder = Builder(nodes, edges, {(("left", "right"), "sum")})
    assert describe(builder).draw_ascii() == art(
        """
               +-------+
               | START |
               +-------+
                   |
                   v
               +-------+
               | load  |
               +-------+
                 |   |
            +----+   +---+
            v            v
        +-------+    +-------+
        | left  |    | right |
        +-------+    +-------+
            |            |
            +---+   +----+
                v   v
              +-------+
              |  sum  |
              +-------+
                  |
                  v
               +-----+
               | END |
               +-----+
        """
    )


def test_a_loop_is_an_arrow_back_and_conditions_are_dotted_with_their_labels():
    edges = {(START, "agent"), ("tools", "agent")}
    routes = {"agent": {"r": Branch({"call": "tools", "done": END})}}
    assert describe(Builder({"agent": Spec(), "tools": Spec()}, edges, branches=routes)).draw_ascii() == art(
        """
               +-------+
               | START |
               +-------+
                   |
                   v
             +-----------+
             |   agent   |
             +-----------+
               :   ^   :
           +...+  ++   +....+
           v call |         v done
        +-----------+    +-----+
        |   tools   |    | END |
        +-----------+    +-----+
        """
    )


def test_a_node_that_leads_to_itself_says_so():
    routes = Branch({"again": "a", "done": END})
    drawn = describe(Builder({"a": Spec()}, {(START, "a")}, branches={"a": {"r": routes}})).draw_ascii()
    assert "| a (repeats: again)  |" in drawn


def test_control_characters_in_a_name_stay_out_of_the_drawing():
    drawn = describe(chain("a\x1b[31m\nb")).draw_ascii()
    assert r"| a\x1b[31m\nb  |" in drawn


def test_a_long_name_is_cut():
    drawn = describe(chain("n" * 100)).draw_ascii()
    assert f"| {'n' * 37}...  |" in drawn


def test_wide_characters_keep_the_box_straight():
    lines = describe(chain("日本語")).draw_ascii().splitlines()
    # Each of the three takes two cells on a terminal.
    assert lines[5:8] == ["+---------+", "| 日本語  |", "+---------+"]


def test_a_graph_too_dense_to_follow_is_listed():
    names = [f"n{i}" for i in range(12)]
    everywhere = {name: {"r": Branch()} for name in names}
    listed = describe(Builder({n: Spec() for n in names}, {(START, "n0")}, branches=everywhere)).draw_ascii()
    assert listed.splitlines()[:3] == ["START --> n0", "n0 ..> n0", "n0 ..> n1"]


def test_a_very_long_chain_can_be_drawn():
    assert describe(chain(*(f"n{i}" for i in range(1_200)))).draw_ascii().count("v\n") == 1_201


def test_no_nodes_make_no_drawing():
    assert Graph().draw_ascii() == ""


def test_print_ascii_prints_the_drawing(capsys: pytest.CaptureFixture[str]):
    graph = describe(chain("a"))
    graph.print_ascii()
    assert capsys.readouterr().out == graph.draw_ascii()


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"n{i}" for i in range(draw(st.integers(1, 8)))]
    ends = st.sampled_from(names)
    builder = Builder(
        {name: Spec() for name in names},
        draw(st.sets(st.tuples(ends, ends), max_size=14)) | {(START, "n0")},
        branches={"n0": {"r": Branch(draw(st.dictionaries(st.text("ab", max_size=9), ends, max_size=3)))}},
    )
    return describe(builder)


def laid_out(graph: Graph) -> Rows:
    layout = rows(graph)
    assert layout is not None
    return layout


@given(graphs())
def test_each_edge_is_one_unbroken_line_down_or_a_repeat(graph: Graph):
    layout = laid_out(graph)
    drawn = {line.edge for lines in layout.lines for line in lines}
    assert drawn | set(layout.repeats) == set(graph.edges)
    for y, lines in enumerate(layout.lines):
        assert all(line.top in layout.items[y] and line.bottom in layout.items[y + 1] for line in lines)


@given(graphs())
def test_no_two_lines_share_a_column_between_two_rows(graph: Graph):
    layout = laid_out(graph)
    columns = place(layout, {}, {})
    for lines in layout.lines:
        starts = {columns.leaves[line]: line for line in lines}
        assert len(starts) == len({columns.arrives[line] for line in lines}) == len(lines)
        assert all(starts.get(columns.arrives[line], line) is line for line in lines)
