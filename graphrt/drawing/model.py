"""What is drawn: nodes by id, edges in a stable order, and the frames around nodes of graphs inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from graphrt.constants import END, START

if TYPE_CHECKING:
    from graphrt.drawing.marks import Mark
    from graphrt.drawing.mermaid import NodeStyles

__all__ = ["Edge", "Graph", "Node", "title"]


class Node(Struct, frozen=True):
    """A box.

    Attributes:
        id: its name, behind those of the graphs around it: `outer:name`.
        metadata: what the node was added with, plus `defer`, `__interrupt` and `__error_handler` where that is so.
        inside: the id of the frame that it stands in, "" for none.
    """

    id: str
    name: str
    metadata: dict[str, Any] | None = None
    inside: str = ""


class Edge(Struct, frozen=True):
    """An arrow; `conditional` ones are taken only when a router or a command says so."""

    source: str
    target: str
    label: str | None = None
    conditional: bool = False

    @property
    def data(self) -> str | None:
        """`label` under the name that programs written for LangGraph read."""
        return self.label


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges of one graph, ready to be drawn.

    Attributes:
        clusters: nodes that are drawn as frames around the graphs that they are (`get_graph(xray=True)`).
        name: what the picture is called.

    Example:
        >>> print(graph.get_graph().draw_mermaid())  # doctest: +SKIP
    """

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    clusters: dict[str, Node] = field(default_factory=dict[str, Node])
    name: str = ""

    def first_node(self) -> Node | None:
        """The only node that nothing leads to; None if there are several, or none."""
        return _only(self.nodes, {edge.target for edge in self.edges})

    def last_node(self) -> Node | None:
        """The only node that leads nowhere; None if there are several, or none."""
        return _only(self.nodes, {edge.source for edge in self.edges})

    def draw_mermaid(
        self,
        *,
        with_styles: bool = True,
        curve_style: Any = None,
        node_colors: NodeStyles | None = None,
        wrap_label_n_words: int = 9,
        frontmatter_config: Mapping[str, Any] | None = None,
    ) -> str:
        """Mermaid flowchart text.

        Args:
            with_styles: False leaves out colours and metadata.
            curve_style: how Mermaid bends edges, such as "linear" or "basis"; a `CurveStyle` will do as well.
            node_colors: Mermaid styles of nodes: anything with `default`, `first` and `last`.
            wrap_label_n_words: longer labels of edges are broken after so many words.
            frontmatter_config: Mermaid's configuration, put before the text.
        """
        # Imported here: the renderers need this module's records.
        from graphrt.drawing.mermaid import mermaid

        return mermaid(
            self,
            with_styles=with_styles,
            curve_style=curve_style,
            node_colors=node_colors,
            wrap_label_n_words=wrap_label_n_words,
            frontmatter_config=frontmatter_config,
        )

    def draw_ascii(self) -> str:
        """Boxes and lines in ASCII: `|` always taken, `:` conditional, `^` a loop back."""
        from graphrt.drawing.ascii import draw

        return draw(self)

    def print_ascii(self) -> None:
        """Print `draw_ascii()`."""
        print(self.draw_ascii(), end="")  # noqa: T201 - what it is for

    def draw_svg(self, *, marks: Mapping[str, Mark] | None = None) -> str:
        """The picture as SVG: one file without fonts, scripts or links, light or dark as the reader's system is.

        Args:
            marks: what to tell of nodes, by id: `marks_of_thread` reads it from a thread's history.
        """
        from graphrt.drawing.composing import compose
        from graphrt.drawing.svg import svg

        return svg(compose(self, marks))

    def draw_png(
        self,
        output_file_path: str | Path | None = None,
        *,
        scale: float = 2,
        dark: bool = False,
        font: str | Path | None = None,
        marks: Mapping[str, Mark] | None = None,
    ) -> bytes:
        """The same picture as PNG; `pip install 'graphrt[pictures]'` adds what it needs.

        Args:
            output_file_path: a file to write it to as well.
            scale: pixels for each unit of the SVG.
            dark: light on dark.
            font: a TrueType or OpenType file; the built-in font has Latin letters only.
            marks: as of `draw_svg`.

        Raises:
            ImportError: Pillow is not installed.
        """
        from graphrt.drawing.composing import compose
        from graphrt.drawing.png import png

        drawn = png(compose(self, marks), scale=scale, dark=dark, font=None if font is None else str(font))
        if output_file_path is not None:
            Path(output_file_path).write_bytes(drawn)
        return drawn

    def draw_mermaid_png(
        self, *, output_file_path: str | Path | None = None, **_for_a_service: object
    ) -> bytes:
        """`draw_png`: nothing is sent anywhere, so options for the service that LangGraph asks mean nothing."""
        return self.draw_png(output_file_path)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, in LangGraph's layout: absent means None or False."""
        return {
            "nodes": [_node_json(node) for node in self.nodes.values()],
            "edges": [_edge_json(edge) for edge in self.edges],
        }

    def _repr_svg_(self) -> str:
        return self.draw_svg()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.draw_svg(), "text/plain": repr(self)}


def _only(nodes: Mapping[str, Node], reached: set[str]) -> Node | None:
    found = [node for id, node in nodes.items() if id not in reached]
    return found[0] if len(found) == 1 else None


def title(name: str) -> str:
    """The name a reader sees: START and END as they are written in programs."""
    return {START: "START", END: "END"}.get(name, name)


def _node_json(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": node.id, "name": node.name}
    if node.metadata:
        shown["metadata"] = node.metadata
    return shown


def _edge_json(edge: Edge) -> dict[str, Any]:
    shown: dict[str, Any] = {"source": edge.source, "target": edge.target}
    if edge.label is not None:
        shown["data"] = edge.label
    if edge.conditional:
        shown["conditional"] = True
    return shown
