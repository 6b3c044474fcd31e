"""How a growing value is kept as rows: parts in frames, rows that are merged, history that stays readable.

A channel's rows are numbered by the commit that wrote them (`seq`, counted per namespace of a thread). A row that
holds a whole value starts the channel anew; rows after it hold parts that were appended. A frame says which commit its
part came from, so that rows can be merged by putting their bytes behind each other, and a value at an older checkpoint
is still read exactly: frames of later commits are skipped.

Merging keeps the number of rows that a load reads small without changing how many bytes are stored: every
`TIDY_EVERY` commits the oldest row that is outweighed seven times by those after it becomes one with them. So, after
that, no more than about seven rows have the same size (up to `LARGE`, from which on a row is left alone), and a byte is
moved once while the value grows to eight times its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct as Layout
from typing import Final, TypeAlias

from msgspec import Struct

__all__ = ["LARGE", "MAX_SEGMENTS", "TIDY_EVERY", "Content", "Line", "Ranges", "Row", "content", "framed", "line_of",
           "mergeable", "within"]  # fmt: skip

TIDY_EVERY: Final = 32
"""Commits between two looks at what can be merged."""

LARGE: Final = 8 << 20
"""Bytes from which on a row is not merged any more."""

MAX_SEGMENTS: Final = 72
"""Rows that a load reads of one channel of a thread without forks, as long as they hold less than `LARGE` together: the
whole value, 32 since the last look, seven each of five sizes."""

_FRAME: Final = Layout(">II")  # seq, length
_DEEP: Final = 8
"""Forks between a checkpoint and its oldest ancestors; beyond, a fork copies what it can see."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Commits that a checkpoint descends from, itself included, as ranges of seq, newest first: both ends belong to it."""


class Line(Struct, frozen=True):
    """Where a checkpoint stands: its commits since the last fork are `start..seq`, those before it `earlier`."""

    seq: int
    start: int
    earlier: Ranges = ()

    @property
    def ranges(self) -> Ranges:
        """All commits that the checkpoint descends from."""
        return ((self.start, self.seq), *self.earlier)

    @property
    def deep(self) -> bool:
        """Has it so many forks behind it that it should copy what it sees and begin a line of its own?"""
        return len(self.earlier) > _DEEP


def line_of(seq: int, parent: Line | None) -> Line:
    """Where commit `seq` stands, made from `parent`."""
    if parent is None:
        return Line(seq, seq)
    if parent.seq == seq - 1:
        return Line(seq, parent.start, parent.earlier)
    return Line(seq, seq, parent.ranges)


def within(seq: int, ranges: Ranges) -> bool:
    """Does a checkpoint with these ancestors see what commit `seq` wrote?"""
    return any(low <= seq <= high for low, high in ranges)


class Row(Struct, frozen=True, gc=False):
    """One stored row of a channel.

    Attributes:
        seq: the commit that wrote it; of merged rows the first.
        whole: the channel starts anew here, with `data`, or empty if that is None.
        parts: frames of what was appended.
    """

    seq: int
    whole: bool
    data: bytes | None = None
    parts: bytes = b""


class Content(Struct, frozen=True, gc=False):
    """What a channel holds: a whole value and the parts behind it."""

    data: bytes
    parts: tuple[bytes, ...] = ()


def framed(seq: int, parts: Iterable[bytes]) -> bytes:
    """Parts of one commit as frames, ready to be put behind others."""
    return b"".join([piece for part in parts for piece in (_FRAME.pack(seq, len(part)), part)])


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """The commit and bytes of each part. Half of what reading a long thread costs here is this loop.

    Raises:
        ValueError: the bytes are no frames.
    """
    found: list[tuple[int, bytes]] = []
    unpack, head = _FRAME.unpack_from, _FRAME.size
    at, end = 0, len(data)
    while at < end:
        start = at + head
        if start > end:
            raise ValueError("a stored row is cut short")
        seq, length = unpack(data, at)
        at = start + length
        if at > end:
            raise ValueError("a stored row is cut short")
        found.append((seq, data[start:at]))
    return found


def content(rows: Sequence[Row], ranges: Ranges) -> Content | None:
    """What a checkpoint with these ancestors sees in a channel's rows (ascending); None if the channel is empty.

    Rows may be missing before the newest visible whole one, and others may be there that it does not see.

    Raises:
        ValueError: rows are damaged, or there are parts without a value that they belong to.
    """
    base: Row | None = None
    seen: list[bytes] = []
    for row in rows:
        if row.whole and within(row.seq, ranges):
            base, seen = row, []
        if row.parts:
            found = frames(row.parts)
            if len(ranges) == 1 and found[-1][0] <= ranges[0][1] and found[0][0] >= ranges[0][0]:
                seen += [part for _, part in found]  # rows ascend inside: all of it is seen
            else:
                seen += [part for seq, part in found if within(seq, ranges)]
    if base is None or base.data is None:
        if seen:
            raise ValueError("parts of a value are stored without the value they belong to")
        return None
    return Content(base.data, tuple(seen))


def mergeable(sizes: Sequence[int]) -> int:
    """Which of a channel's rows to merge: from this index to the end; `len(sizes)` if nothing is to be done.

    Args:
        sizes: bytes of the rows of parts since the last whole row of the line, oldest first.
    """
    total = 0
    start = count = len(sizes)
    for index in range(count - 1, -1, -1):
        if total >= LARGE or sizes[index] >= LARGE:
            break
        if 7 * sizes[index] <= total:
            start = index
        total += sizes[index]
    return start if start < count - 1 else count
