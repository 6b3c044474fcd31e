"""Mermaid flowchart text.

Rules of this file: an id holds letters, digits and underscores only and is never a word of Mermaid's grammar; text
stands in quotes with everything that Markdown, HTML or Mermaid could read written as a character code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphrt.constants import END, START
from graphrt.drawing.model import Edge, Graph, Node, title
from graphrt.errors import GraphValidationError

__all__ = ["NodeStyles", "mermaid"]

_PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", re.ASCII)
_KEYWORDS = frozenset(
    "acctitle accdescr bt call class classdef click default direction end flowchart graph href interpolate "
    "linkstyle lr rl style subgraph tb td".split()
)
_CURVE: Final = re.compile(r"[A-Za-z]+", re.ASCII)
_STYLE: Final = re.compile(r"[\w #:,.()%-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class NodeStyles:
    """Styles in Mermaid's words: properties of CSS with commas between."""

    default: str = "fill:#eef2ff,stroke:#6366f1,color:#111827"
    first: str = "fill:none,stroke:#6b7280"
    last: str = "fill:#e5e7eb,stroke:#6b7280"


def mermaid(
    graph: Graph,
    *,
    with_styles: bool = True,
    curve_style: Any = None,
    node_colors: Any = None,
    wrap_label_n_words: int = 9,
    frontmatter_config: Mapping[str, Any] | None = None,
) -> str:
    """A `flowchart TD`: conditional edges are dotted, labels stand on them, graphs inside are subgraphs.

    Raises:
        GraphValidationError: a style or curve is none.
    """
    ids = _ids(graph)
    lines = [*_frontmatter(curve_style, frontmatter_config), "flowchart TD"]
    lines += _boxes(graph, ids, "", with_styles)
    lines += [f"    {ids[e.source]} {_arrow(e, wrap_label_n_words)} {ids[e.target]}" for e in graph.edges]
    lines += _styles(node_colors) if with_styles else ()
    return "\n".join(lines) + "\n"


def _frontmatter(curve_style: Any, given: Mapping[str, Any] | None) -> Iterator[str]:
    """YAML, of which JSON is a part."""
    content = dict(given or {})
    if curve_style is not None:
        curve = str(getattr(curve_style, "value", curve_style))
        if not _CURVE.fullmatch(curve):
            raise GraphValidationError(
                f"A curve is called by one word, such as 'basis' or 'linear': {curve!r}."
            )
        config = dict(content.get("config") or {})
        content["config"] = {**config, "flowchart": {**(config.get("flowchart") or {}), "curve": curve}}
    if content:
        yield "---"
        for key, value in content.items():
            yield f"{json.dumps(str(key))}: {json.dumps(value, default=str)}"
        yield "---"


def _boxes(graph: Graph, ids: Mapping[str, str], place: str, with_styles: bool) -> Iterator[str]:
    """What stands in a frame, or outside of all, the frames last."""
    for node in graph.nodes.values():
        if node.inside == place:
            yield f"    {_box(node, ids[node.id], with_styles)}"
    for frame, node in graph.clusters.items():
        if node.inside == place:
            yield f'    subgraph {ids[frame]}["{_escaped(title(node.name))}"]'
            yield from _boxes(graph, ids, frame, with_styles)
            yield "    end"


def _styles(node_colors: Any) -> Iterator[str]:
    styles: Any = node_colors if node_colors is not None else NodeStyles()
    for name in ("default", "first", "last"):
        style = str(getattr(styles, name))
        if not _STYLE.fullmatch(style):
            raise GraphValidationError(
                f"A style is properties with commas between, such as 'fill:#fff,stroke:#333'; {name} is {style!r}."
            )
        yield f"    classDef {name} {style}"
    yield "    classDef deferred stroke-dasharray:4 3"


def _ids(graph: Graph) -> dict[str, str]:
    """A safe, unique id for each node, readable where the name allows it."""
    ends = (end for edge in graph.edges for end in (edge.source, edge.target))
    named = [START, END, *graph.nodes, *graph.clusters, *ends]
    taken: set[str] = set()
    return {name: _claim(_safe_id(name), taken) for name in dict.fromkeys(named)}


def _safe_id(name: str) -> str:
    if name in (START, END):
        return name
    if _PLAIN_ID.fullmatch(name):
        return f"node_{name}" if name.lower() in _KEYWORDS else name
    return "node_" + re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")


def _claim(wanted: str, taken: set[str]) -> str:
    candidate, number = wanted, 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}_{number}"
    taken.add(candidate)
    return candidate


def _box(node: Node, node_id: str, with_styles: bool) -> str:
    text = _escaped(title(node.name))
    if with_styles and node.metadata:
        text += "<hr/><small>" + "<br/>".join(_metadata_lines(node.metadata.items())) + "</small>"
    if node.name in (START, END):
        style = ":::first" if node.name == START else ":::last"
        return f'{node_id}(["{text}"])' + (style if with_styles else "")
    style = ":::deferred" if with_styles and (node.metadata or {}).get("defer") is True else ""
    return f'{node_id}["{text}"]{style}'


def _metadata_lines(items: Iterable[tuple[str, object]]) -> Iterator[str]:
    return (f"{_escaped(str(key))} = {_escaped(str(value))}" for key, value in items)


def _arrow(edge: Edge, words_a_line: int) -> str:
    arrow = "-.->" if edge.conditional else "-->"
    if edge.label is None:
        return arrow
    words = edge.label.split(" ")
    step = max(words_a_line, 1)
    lines = (" ".join(words[i : i + step]) for i in range(0, len(words), step))
    return f'{arrow}|"{"<br/>".join(map(_escaped, lines))}"|'


def _escaped(text: str) -> str:
    """Letters, digits and blanks as they are; everything else as `#code;`, which Mermaid shows as the character."""
    inner = "".join(c if c.isalnum() or c in " ,/" else f"#{ord(c)};" for c in text)
    # One underscore, dot or dash between letters is plain text everywhere, and by far the most common case.
    return re.sub(r"(?<=[^\W_])#(95|45|46);(?=[^\W_])", lambda code: chr(int(code[1])), inner) or " "
