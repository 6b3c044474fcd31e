"""`graphrt draw`, and what `graphrt threads show --svg` draws: pictures into files or to standard output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import click

from graphrt.cli.exits import EXIT_CODES, Refused, errors_in_words
from graphrt.cli.lines import as_json
from graphrt.cli.storage import traceback_option
from graphrt.cli.target import find, graph_of, settled
from graphrt.drawing import Graph

__all__ = ["draw", "put", "target_argument"]

FORMATS: Final = ("mermaid", "ascii", "json", "svg", "png")
_SUFFIXES: Final = {".mmd": "mermaid", ".mermaid": "mermaid", ".txt": "ascii", ".json": "json",
                    ".svg": "svg", ".png": "png"}  # fmt: skip

target_argument = click.argument("target", metavar="FILE_OR_MODULE:GRAPH")


@click.command("draw", epilog=EXIT_CODES)
@target_argument
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="By default what FILE's name ends with, or mermaid."
)
@click.option("--xray", is_flag=True, help="Draw graphs inside with all they consist of.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="The same, down to so many levels.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to FILE.")
@click.option("--scale", type=click.FloatRange(0.1, 10), default=2, show_default=True, help="Of PNGs.")
@click.option("--dark", is_flag=True, help="PNGs light on dark. An SVG is what its reader's system is.")
@traceback_option
def draw(
    target: str,
    form: str | None,
    xray: bool,
    depth: int | None,
    output: str | None,
    scale: float,
    dark: bool,
    with_traceback: bool,
) -> None:
    """Draw a graph: as Mermaid text, in characters, as JSON, SVG or PNG."""
    with errors_in_words(with_traceback=with_traceback):
        found = form or _SUFFIXES.get(Path(output).suffix.lower() if output else "", "mermaid")
        graph = graph_of(asyncio.run(settled(find(target))))
        put(_drawn(graph.get_graph(xray=depth or xray), found, scale=scale, dark=dark), output)


def _drawn(picture: Graph, form: str, *, scale: float, dark: bool) -> str | bytes:
    match form:
        case "ascii":
            return picture.draw_ascii()
        case "json":
            return as_json(picture.to_json()) + "\n"
        case "svg":
            return picture.draw_svg()
        case "png":
            return _png(picture, scale=scale, dark=dark)
        case _:
            return picture.draw_mermaid()


def _png(picture: Graph, **how: Any) -> bytes:
    try:
        return picture.draw_png(**how)
    except ImportError as error:
        raise Refused(" ".join(getattr(error, "__notes__", None) or [str(error)])) from error


def put(drawn: str | bytes, output: str | None) -> None:
    """Write a picture to a file, or to standard output for None and "-".

    Raises:
        Refused: it is an image and would go to a terminal, or the file cannot be written.
    """
    if output is not None and output != "-":
        try:
            Path(output).write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode())
        except OSError as error:
            raise Refused(f"{output} could not be written: {error.strerror}.") from error
    elif isinstance(drawn, bytes) and sys.stdout.isatty():
        raise Refused("A PNG is nothing for a terminal. Say which file: -o graph.png")
    else:
        click.echo(drawn, nl=False)
