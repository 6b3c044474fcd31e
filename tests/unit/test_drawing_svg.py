"""Pictures as SVG and PNG: as they were when somebody looked at them, without a network, whatever names they show.

`python -m tests.unit.test_drawing_svg` draws the golden files anew; look at them before you keep them.
"""

import json
import socket
import sys
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.handoff import graph as handoff
from graphrt.constants import END, START
from graphrt.drawing import Edge, Graph, Mark, Node
from graphrt.drawing.composing import compose
from graphrt.drawing.lettering import broken, printable, shortened, width_of
from graphrt.drawing.scene import Arrow, Box, Curve, Group, Scene, Words
from graphrt.graph import StateGraph

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


class State(TypedDict):
    n: int


def nothing(state: State) -> State:
    return state


def desk() -> Graph:
    """Labels, a loop over several rows, a repeat, a deferred node, one that stops."""
    builder = StateGraph(State)
    for name in ("classify", "search the web", "human_review", "write", "check"):
        builder.add_node(name, nothing, defer=name == "write")
    builder.add_edge(START, "classify").add_edge("search the web", "write").add_edge("write", "check")
    routes = {"needs facts": "search the web", "angry": "human_review", "trivial": END}
    builder.add_conditional_edges("classify", lambda state: END, routes)
    routes = {"approved": "write", "again": "human_review", "rejected": END}
    builder.add_conditional_edges("human_review", lambda state: END, routes)
    routes = {"ok": END, "more facts": "search the web", "start over": "classify"}
    builder.add_conditional_edges("check", lambda state: END, routes)
    return builder.compile(interrupt_before=["human_review"], name="desk").get_graph()


def nested() -> Graph:
    """A graph in a graph in a graph."""
    inner = StateGraph(State).add_node("leaf", nothing).add_edge(START, "leaf").compile()
    middle = StateGraph(State).add_node("inner", inner).add_node("last", nothing)
    middle.add_edge(START, "inner").add_conditional_edges("inner", lambda state: END, ["last", END])
    outer = StateGraph(State).add_node("middle", middle.compile()).add_node("report", nothing)
    outer.add_edge(START, "middle").add_edge("middle", "report")
    return outer.compile(name="nested").get_graph(xray=True)


def run() -> str:
    """What happened in a thread."""
    names = ["done", "several", "failed", "waits", "due", "not yet"]
    nodes = {name: Node(name, name) for name in (START, *names, END)}
    edges = [Edge(a, b) for a, b in pairwise([START, *names, END])]
    marks = {
        "done": Mark(runs=1, seconds=0.0123, timed=1),
        "several": Mark(runs=3, seconds=2.5, timed=2, at_most=True, at_least=True),
        "failed": Mark(state="failed", error="ValueError('no <good>')"),
        "waits": Mark(runs=1, state="waiting"),
        "due": Mark(state="next"),
    }
    return Graph(nodes, edges, name="run").draw_svg(marks=marks)


GOLDENS: dict[str, Callable[[], str]] = {
    "desk": lambda: desk().draw_svg(),
    "nested": lambda: nested().draw_svg(),
    "run": run,
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a picture wants to go to the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


# ---- golden files


@pytest.mark.parametrize("name", GOLDENS)
def test_a_picture_is_what_it_was(name: str):
    assert GOLDENS[name]() == (GOLDEN / f"{name}.svg").read_text(encoding="utf-8")


def test_the_picture_in_the_docs_is_drawn_by_this_version():
    image = GOLDEN.parents[2] / "docs" / "images" / "handoff.svg"
    assert handoff.get_graph(xray=True).draw_svg() == image.read_text(encoding="utf-8")


def test_a_picture_is_one_file_that_asks_for_nothing():
    text = desk().draw_svg()
    elements = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(text).iter()}
    assert elements == {"svg", "title", "desc", "style", "rect", "g", "text", "path", "polygon"}
    assert "url(" not in text and "@import" not in text and "href" not in text
    assert text.count("http") == 1  # the namespace


def test_a_picture_is_light_or_dark_and_says_in_words_what_it_shows():
    root = ElementTree.fromstring(desk().draw_svg())
    assert "prefers-color-scheme:dark" in root.findtext(f"{SVG}style", "")
    assert (root.get("role"), root.findtext(f"{SVG}title")) == ("img", "desk")
    assert "classify to END (trivial)" in root.findtext(f"{SVG}desc", "")


# ---- PNG


def opened(png: bytes) -> Any:
    image = pytest.importorskip("PIL.Image")
    return image.open(BytesIO(png)).convert("RGB")


def pixel(image: Any, x: float, y: float) -> tuple[int, int, int]:
    return image.getpixel((round(x), round(y)))


def test_a_png_has_the_size_and_the_colours_of_the_scene():
    scene, image = compose(desk()), opened(desk().draw_png(scale=2))
    assert image.size == (round(scene.width * 2), round(scene.height * 2))
    assert pixel(image, 3, 3) == (255, 255, 255)
    for box in boxes(scene):
        if box.role == "node":  # left of the name, and outside of the box
            assert pixel(image, 2 * (box.x + 6), box.y * 2 + box.height) == (0xEE, 0xF2, 0xFF)
            assert pixel(image, 2 * (box.x - 3), box.y * 2 + box.height) != (0xEE, 0xF2, 0xFF)


def test_a_png_is_the_picture_that_somebody_looked_at():
    image = opened(desk().draw_png(scale=1)).convert("L").resize((16, 16))
    known = bytes(json.loads((GOLDEN / "desk.json").read_text()))
    assert max(abs(a - b) for a, b in zip(image.tobytes(), known, strict=True)) <= 12


def test_a_png_can_be_dark_and_smaller_and_go_to_a_file(tmp_path: Path):
    drawn = nested().draw_png(tmp_path / "graph.png", scale=0.5, dark=True)
    assert (tmp_path / "graph.png").read_bytes() == drawn
    assert pixel(opened(drawn), 2, 2) == (0x0F, 0x14, 0x20)


def test_a_huge_png_is_made_smaller_than_asked():
    names = [f"n{i}" for i in range(60)]
    chain = Graph({n: Node(n, n) for n in names}, [Edge(a, b) for a, b in pairwise(names)])
    image = opened(chain.draw_png(scale=10))
    assert image.width * image.height <= 40_100_000


def test_langgraphs_name_draws_the_same_and_asks_no_service():
    drawn = desk().draw_mermaid_png(max_retries=5, background_color="red")
    assert drawn == desk().draw_png()


def test_without_pillow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError) as caught:
        desk().draw_png()
    assert "pip install 'graphrt[pictures]'" in caught.value.__notes__[0]


# ---- names

HOSTILE = [
    'say "hi"',
    "<script>alert(1)</script>",
    "</title></svg><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "]]><!--",
    "two\nlines\tand a tab",
    "a --> b",
    "&amp;",
    "emoji 🎉👩‍👩‍👧",
    "שלום עולם",
    "\u202eback to front",
    "日本語のノード",
    "nul\x00 bell\x07 escape\x1b[31m",
    "half a pair \ud800",
    "\ufffe\uffff",
    "n" * 500,
    "words " * 100,
    "%s {0} ${x} `y`",
    " ",
    "",
]


def shown_everywhere(name: str) -> str:
    """A picture with the name wherever a name can stand."""
    nodes = {"a": Node("a", name, {name: name}), "f:b": Node("f:b", name, inside="f")}
    edges = [Edge("a", "f:b", name), Edge("f:b", "f:b", name, conditional=True)]
    graph = Graph(nodes, edges, {"f": Node("f", name)}, name=name)
    return graph.draw_svg(marks={"a": Mark(state="failed", error=name)})


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_yields_well_formed_xml_without_scripts(name: str):
    root = ElementTree.fromstring(shown_everywhere(name).encode())
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "text", "path", "polygon"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert attributes <= {
        "class",
        "role",
        "width",
        "height",
        "viewBox",
        "x",
        "y",
        "rx",
        "d",
        "points",
        "font-size",
    }


@given(st.text(max_size=60))
def test_whatever_the_name_the_picture_can_be_read(name: str):
    texts = "".join(ElementTree.fromstring(shown_everywhere(name).encode()).itertext())
    assert printable(name) in texts


def test_a_long_name_is_broken_then_cut_and_told_in_full_in_the_title():
    name = "a_very_long_name_" * 20
    root = ElementTree.fromstring(Graph({"x": Node("x", name)}, []).draw_svg())
    lines = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert len(lines) == 3 and lines[0] == "a_very_long_name_a_very_" and lines[-1].endswith("…")
    assert name in [element.text for element in root.iter(f"{SVG}title")]


@given(st.text(max_size=80), st.integers(30, 300))
def test_no_line_of_a_broken_name_is_wider_than_its_room(name: str, room: int):
    name = printable(name)
    lines = broken(name, 13, room, lines=3)
    assert len(lines) <= 3
    assert all(width_of(line, 13) <= room for line in lines)
    assert width_of(shortened(name, 13, room), 13) <= room


# ---- what no picture may have


def boxes(scene: Scene) -> list[Box]:
    parts = [part for shape in scene.shapes if isinstance(shape, Group) for part in shape.shapes]
    return [part for part in parts if isinstance(part, Box)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"node {i}" * draw(st.integers(1, 3)) for i in range(draw(st.integers(1, 8)))]
    ends = st.sampled_from(names)
    labels = st.none() | st.text("ab ", min_size=1, max_size=30)
    found = draw(st.lists(st.builds(Edge, ends, ends, labels, st.booleans()), max_size=16, unique=True))
    nodes = {name: Node(name, name) for name in (START, *names, END)}
    return Graph(nodes, [Edge(START, names[0]), *found, Edge(names[-1], END)])


def overlap(a: Box, b: Box) -> bool:
    return (
        a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    )  # fmt: skip


@given(graphs())
def test_boxes_do_not_overlap_and_stand_inside_of_the_picture(graph: Graph):
    scene = compose(graph)
    found = boxes(scene)
    assert not [(a, b) for i, a in enumerate(found) for b in found[:i] if overlap(a, b)]
    assert all(b.x >= 0 and b.y >= 0 and b.x + b.width <= scene.width and b.y + b.height <= scene.height
               for b in found)  # fmt: skip


@given(graphs())
def test_labels_do_not_overlap_each_other_or_boxes(graph: Graph):
    scene = compose(graph)
    plates = [shape for shape in scene.shapes if isinstance(shape, Box) and shape.role == "plate"]
    solid = [*boxes(scene), *plates]
    assert not [(a, b) for a in plates for b in solid if a is not b and overlap(a, b)]


@given(graphs())
def test_no_line_goes_through_a_box(graph: Graph):
    scene = compose(graph)
    for curve in scene.shapes:
        if isinstance(curve, Curve):
            inside = [p for p in sampled(curve) for b in boxes(scene) if within(p, b)]
            assert not inside


def within(point: tuple[float, float], box: Box) -> bool:
    x, y = point
    return box.x + 1 < x < box.x + box.width - 1 and box.y + 1 < y < box.y + box.height - 1


def sampled(curve: Curve) -> list[tuple[float, float]]:
    """Points on the line. A Bézier curve stays within its control points, which are enough for those that bend once."""
    points = [curve.start]
    for piece in curve.pieces:
        one, two, end = piece if len(piece) == 3 else (points[-1], piece[0], piece[0])
        start = points[-1]
        for step in range(1, 17):
            t = step / 16
            a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3
            points.append((a * start[0] + b * one[0] + c * two[0] + d * end[0],
                           a * start[1] + b * one[1] + c * two[1] + d * end[1]))  # fmt: skip
    return points


@given(graphs())
def test_every_edge_has_a_line_and_an_arrow_at_its_target(graph: Graph):
    scene = compose(graph)
    curves = [shape for shape in scene.shapes if isinstance(shape, Curve)]
    arrows = [shape for shape in scene.shapes if isinstance(shape, Arrow)]
    assert len(curves) == len(arrows) == len(graph.edges)
    assert sum(curve.dashed for curve in curves) == sum(edge.conditional for edge in graph.edges)


@given(graphs())
def test_names_fit_into_their_boxes(graph: Graph):
    for group in compose(graph).shapes:
        if isinstance(group, Group):
            (box, *_), texts = group.shapes, [part for part in group.shapes if isinstance(part, Words)]
            assert isinstance(box, Box)
            assert all(text.width <= box.width - 16 for text in texts)


# ---- frames


def test_graphs_inside_are_drawn_in_frames_in_one_another():
    scene = compose(nested())
    outer, inner = [box for box in boxes(scene) if box.role == "frame"]
    leaf = next(box for box in boxes(scene) if box.role == "node" and within((box.x, box.y), inner))
    assert within((inner.x, inner.y), outer) and within(
        (inner.x + inner.width, inner.y + inner.height), outer
    )
    assert within((leaf.x + leaf.width, leaf.y + leaf.height), inner)


def test_an_edge_from_a_graph_back_to_itself_stands_beside_its_frame():
    inner = StateGraph(State).add_node("a", nothing).add_node("b", nothing).add_edge(START, "a")
    inner.add_conditional_edges("a", lambda state: "b", ["a", "b", END]).add_edge("b", "a")
    outer = StateGraph(State).add_node("work", inner.compile()).add_edge(START, "work")
    outer.add_conditional_edges("work", lambda state: END, {"retry": "work", "done": END})
    scene = compose(outer.compile().get_graph(xray=True))
    (frame,) = [box for box in boxes(scene) if box.role == "frame"]
    (retry,) = [shape for shape in scene.shapes if isinstance(shape, Words) and shape.text == "retry"]
    assert retry.x - retry.width / 2 > frame.x + frame.width


# ---- too dense to follow


def test_routers_that_lead_everywhere_are_told_in_words_if_there_are_many():
    builder = StateGraph(State).add_edge(START, "n0")
    for i in range(14):
        builder.add_node(f"n{i}", nothing).add_conditional_edges(f"n{i}", lambda state: END)
    scene = compose(builder.compile().get_graph())
    texts = [part.text for shape in scene.shapes if isinstance(shape, Group) for part in shape.shapes
             if isinstance(part, Words)]  # fmt: skip
    assert texts.count("may lead to any node") == 14
    assert scene.width < 1_200


# ---- notebooks


def test_a_notebook_shows_the_picture():
    bundle = desk()._repr_mimebundle_()
    assert bundle["image/svg+xml"] == desk()._repr_svg_() == desk().draw_svg()
    assert bundle["text/plain"].startswith("Graph(")


if __name__ == "__main__":
    for name, drawn in GOLDENS.items():
        (GOLDEN / f"{name}.svg").write_text(drawn(), encoding="utf-8")
    coarse = opened(desk().draw_png(scale=1)).convert("L").resize((16, 16))
    (GOLDEN / "desk.json").write_text(json.dumps(list(coarse.tobytes())))
