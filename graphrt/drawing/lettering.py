"""How wide text is, and how a long name is broken into lines: estimated, as no font can be asked.

The widths are those of Helvetica, which Arial, Liberation Sans and Nimbus Sans share: a picture names them first.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["broken", "printable", "shortened", "width_of"]

_JOINER: Final = "\u200d"  # holds emoji of several parts together; harmless
_GROUPS: Final = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[]\\ft",
    333: "()-`r{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTHS: Final = {character: width for width, group in _GROUPS.items() for character in group}
_USUAL: Final = 556
_UNKNOWN: Final = 640
_WIDE: Final = 1_000
_EMOJI: Final = 1_250
_BREAKS: Final = re.compile(r"(?<=[\s_\-./:,;|])|(?<=[a-z0-9])(?=[A-Z])")


def width_of(text: str, size: float) -> float:
    """Width of one line of text in the units of `size`."""
    return sum(map(_width, text)) * size / 1_000


def _width(character: str) -> int:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if character.isascii():
        return _USUAL
    if unicodedata.combining(character) or character == _JOINER:
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _EMOJI if character >= "\U0001f000" else _WIDE
    return _UNKNOWN


def printable(text: str) -> str:
    """The text with control characters spelled out: a name must not steer a terminal or turn a line's direction."""
    return "".join(
        c if c.isprintable() or c == _JOINER else c.encode("unicode_escape").decode() for c in text
    )


def shortened(text: str, size: float, room: float) -> str:
    """The text, or as much of its beginning as there is room for."""
    if width_of(text, size) <= room:
        return text
    room -= width_of("…", size)
    taken = 0.0
    for position, character in enumerate(text):
        taken += width_of(character, size)
        if taken > room:
            return text[:position].rstrip() + "…"
    return text


def broken(text: str, size: float, room: float, *, lines: int) -> list[str]:
    """Lines that fit into `room`, broken between words or parts of names where that is possible."""
    made = [""]
    for part in filter(None, _BREAKS.split(text)):
        for piece in _pieces(part, size, room):
            if width_of((made[-1] + piece).rstrip(), size) <= room:
                made[-1] += piece
            else:
                made.append(piece)
    made = [line.strip() for line in made if line.strip()] or [" "]
    if len(made) > lines:
        # What is cut off counts as too wide, so that the last line ends with "…".
        made = [*made[: lines - 1], shortened("".join(made[lines - 1 :]), size, room)]
    return made


def _pieces(part: str, size: float, room: float) -> list[str]:
    """A part that is too long for a line, cut wherever a line ends."""
    pieces = [""]
    for character in part:
        if pieces[-1] and width_of(pieces[-1] + character, size) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces
