"""Mermaid flowchart text.

Rules of this file: an id holds letters, digits and underscores only and is never a word of Mermaid's grammar; text
stands in quotes with everything that Markdown, HTML or Mermaid could read written as a character code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graphrt.constants import END, START
from graphrt.graph.drawing.model import Edge, Graph, Node, title

__all__ = ["mermaid"]

_PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", re.ASCII)
_KEYWORDS = frozenset(
    "acctitle accdescr bt call class classdef click default direction end flowchart graph href interpolate "
    "linkstyle lr rl style subgraph tb td".split()
)
_STYLES = """\
    classDef default fill:#eef2ff,stroke:#6366f1,color:#111827
    classDef first fill:none,stroke:#6b7280
    classDef last fill:#e5e7eb,stroke:#6b7280
    classDef deferred stroke-dasharray:4 3
"""


def mermaid(graph: Graph, *, with_styles: bool) -> str:
    """A `flowchart TD`: conditional edges are dotted, labels stand on them."""
    ids = _ids(graph)
    lines = ["flowchart TD"]
    lines += [f"    {_box(node, ids[node.id], with_styles)}" for node in graph.nodes.values()]
    lines += [f"    {ids[e.source]} {_arrow(e)} {ids[e.target]}" for e in graph.edges]
    return "\n".join(lines) + "\n" + (_STYLES if with_styles else "")


def _ids(graph: Graph) -> dict[str, str]:
    """A safe, unique id for each node, readable where the name allows it."""
    named = [START, END, *graph.nodes, *(end for edge in graph.edges for end in (edge.source, edge.target))]
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
    text = _escaped(title(node.id, node.name))
    if with_styles and node.metadata:
        text += "<hr/><small>" + "<br/>".join(_metadata_lines(node.metadata.items())) + "</small>"
    if node.id in (START, END):
        style = ":::first" if node.id == START else ":::last"
        return f'{node_id}(["{text}"])' + (style if with_styles else "")
    style = ":::deferred" if with_styles and (node.metadata or {}).get("defer") is True else ""
    return f'{node_id}["{text}"]{style}'


def _metadata_lines(items: Iterable[tuple[str, object]]) -> Iterator[str]:
    return (f"{_escaped(str(key))} = {_escaped(str(value))}" for key, value in items)


def _arrow(edge: Edge) -> str:
    arrow = "-.->" if edge.conditional else "-->"
    return arrow if edge.label is None else f'{arrow}|"{_escaped(edge.label)}"|'


def _escaped(text: str) -> str:
    """Letters, digits and blanks as they are; everything else as `#code;`, which Mermaid shows as the character."""
    inner = "".join(c if c.isalnum() or c in " ,/" else f"#{ord(c)};" for c in text)
    # One underscore, dot or dash between letters is plain text everywhere, and by far the most common case.
    return re.sub(r"(?<=[^\W_])#(95|45|46);(?=[^\W_])", lambda code: chr(int(code[1])), inner) or " "
