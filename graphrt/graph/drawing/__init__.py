"""A graph as a picture: what a builder declares, as records, Mermaid text or a drawing in characters.

    model.py      Node, Edge, Graph: what is drawn
    declared.py   builder -> Graph
    mermaid.py    Graph -> Mermaid flowchart text
    layers.py     Graph -> which node stands in which row, in which order
    placement.py  rows -> columns of boxes and of the lines between them
    ascii.py      columns -> characters

Nothing here runs the graph, and no text of a node's name gets into the output unescaped.
"""

from graphrt.graph.drawing.declared import describe
from graphrt.graph.drawing.model import Edge, Graph, Node

__all__ = ["Edge", "Graph", "Node", "describe"]
