"""Records to store, for the tests of single checkpointers: as in the suite, but the thread is called "thread"."""

from dataclasses import dataclass

from graphrt.testing.conformance import records
from graphrt.testing.conformance.records import checkpoint, new_id, result

__all__ = ["Writer", "checkpoint", "new_id", "result"]


@dataclass
class Writer(records.Writer):
    thread: str = "thread"
