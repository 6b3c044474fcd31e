"""Names with a fixed meaning in every graph."""

from typing import Final

__all__ = ["END", "START", "TAG_HIDDEN", "TAG_NOSTREAM"]

START: Final = "__start__"
"""The virtual first node: it hands the input to the nodes that have an edge from it."""
END: Final = "__end__"
"""The virtual last node: an edge to it ends that path."""
TAG_HIDDEN: Final = "langsmith:hidden"
"""A node with this tag stays out of streams and traces."""
TAG_NOSTREAM: Final = "nostream"
"""A model with this tag stays off the `messages` stream."""
