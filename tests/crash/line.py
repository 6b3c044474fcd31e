"""The line between a test and a process of its own: what a child tells is there even if it is killed right after."""

import json
import os
from typing import Any


class Line:
    """A child's end.

    What is told is one `write` to a pipe, so its order is the order in which things happened, across threads too, and
    the kernel keeps it when the process is gone: it is the ledger of side effects.
    """

    def __init__(self, tells: int, hears: int) -> None:
        self._tells = tells
        self._hears = hears

    def tell(self, what: str, *more: Any) -> None:
        """Put something down that cannot be undone."""
        os.write(self._tells, json.dumps([what, *more]).encode() + b"\n")

    def hear(self) -> None:
        """Wait until the test says to go on. It blocks: in an event loop use a thread."""
        os.read(self._hears, 1)
