"""A graph as a picture: what is declared, as records, text, characters, SVG or PNG. Nothing is sent anywhere.

    model.py        Node, Edge, Graph: what is drawn
    declared.py     builder -> Graph; programs.py and functions.py do it for channels and entrypoints
    unfolding.py    compiled graph -> Graph, with the graphs inside of it
    mermaid.py      Graph -> Mermaid flowchart text
    layers.py       Graph -> which node stands in which row; crossings.py: in which order
    placement.py    rows -> columns of characters, ascii.py: -> text

    levels.py       Graph with frames -> a Graph for each frame
    spread.py       rows -> columns and heights in pixels
    lettering.py    how wide text is, where it is broken
    boxes.py        nodes and frames -> shapes; composing.py: Graph -> Scene
    scene.py        shapes with coordinates; theme.py: their colours
    svg.py, png.py  Scene -> file
    marks.py        what is told of a node of a run; history.py reads it from a thread

Nothing here runs the graph, and no text of a node's name gets into the output unescaped.
"""

from graphrt.drawing.declared import describe
from graphrt.drawing.history import marks_of, marks_of_thread
from graphrt.drawing.marks import Mark
from graphrt.drawing.model import Edge, Graph, Node

__all__ = ["Edge", "Graph", "Mark", "Node", "describe", "marks_of", "marks_of_thread"]
