"""Statistics of many text files at once: one task per file, progress as each is done, one table at the end.

    python examples/text_statistics.py [PATH...]

A PATH is a file, or a directory whose .md, .rst and .txt files are read. Without any: this project's README and docs.
The graph alone: graphrt run examples/text_statistics.py:graph --input '{"paths": ["docs"]}'
"""

import asyncio
import operator
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypedDict

from graphrt.config import RunnableConfig
from graphrt.graph import END, START, StateGraph
from graphrt.types import Send, StreamWriter

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".md", ".rst", ".txt"}
COMMON = frozenset(
    "about after again all also always and any are because been before being between both but can cannot could does "
    "each else even every few for from has have how into its just like many may more most must never not nothing "
    "now one only other our out over own same see should since some such than that the their them then there these "
    "they this those through too two under until use used uses very was were what when where which while who why "
    "will with without would you your".split()
)


# ---- what is counted


@dataclass(frozen=True)
class Counts:
    """What one text consists of, or several together."""

    lines: int = 0
    sentences: int = 0
    syllables: int = 0
    words: dict[str, int] = field(default_factory=dict[str, int])

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.lines + other.lines,
            self.sentences + other.sentences,
            self.syllables + other.syllables,
            dict(Counter(self.words) + Counter(other.words)),
        )


@dataclass(frozen=True)
class Row:
    """A line of the report. `ease` is Flesch's (1948): 90 reads like a comic, 60 like a newspaper, 30 like a thesis."""

    name: str
    lines: int
    words: int
    unique: int
    ease: float
    top: list[str]

    @classmethod
    def of(cls, name: str, counts: Counts) -> "Row":
        words = sum(counts.words.values())
        ease = 206.835 - 1.015 * words / max(1, counts.sentences) - 84.6 * counts.syllables / max(1, words)
        telling = {word: n for word, n in counts.words.items() if len(word) > 2 and word not in COMMON}
        top = sorted(telling, key=lambda word: (-telling[word], word))[:4]
        return cls(name, counts.lines, words, len(counts.words), round(ease) if words else 0, top)


def count(text: str) -> Counts:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)  # code is no prose
    words = [word.lower() for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", prose)]
    return Counts(
        lines=len(text.splitlines()),
        # A full stop, or the end of a heading or list item.
        sentences=len(re.findall(r"[^.!?:\n][.!?:]+(?=\s|$)|[^\s.!?:](?=\n\s*\n|\s*$)", prose)),
        syllables=sum(max(1, len(re.findall(r"[aeiouy]+", word.removesuffix("e")))) for word in words),
        words=dict(Counter(words)),
    )


# ---- the graph: find -> measure, once per file -> report


class Input(TypedDict):
    """What a run is given."""

    paths: list[str]


class Output(TypedDict):
    """What a run returns."""

    rows: list[Row]


class State(Input, Output):
    """What the nodes share."""

    files: list[str]
    measured: Annotated[
        list[tuple[str, Counts]], operator.add
    ]  # every task adds its own, in the order of the files


class Document(TypedDict):
    """What one `measure` task is given instead of the state."""

    path: str


def find(state: State) -> dict[str, list[str]]:
    """A sync node: it runs in a worker thread, so that reading directories holds up nobody."""
    found: list[Path] = []
    for path in map(Path, state["paths"]):
        inside = (file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        found += sorted(inside) if path.is_dir() else [path]
    return {"files": [str(file) for file in dict.fromkeys(found)]}


def one_task_per_file(state: State) -> list[Send] | str:
    return [Send("measure", Document(path=path)) for path in state["files"]] or "report"


def measure(document: Document, writer: StreamWriter) -> dict[str, list[tuple[str, Counts]]]:
    """Also in worker threads, many at a time; `writer` tells at once what is done."""
    path = document["path"]
    counts = count(Path(path).read_text(encoding="utf-8", errors="replace"))
    writer({"file": path, "words": sum(counts.words.values())})
    return {"measured": [(path, counts)]}


async def report(state: State) -> Output:
    measured = state["measured"]
    total = sum((counts for _, counts in measured), Counts())
    return {"rows": [*(Row.of(*each) for each in measured), Row.of(f"{len(measured)} files", total)]}


builder = StateGraph(State, input_schema=Input, output_schema=Output)
builder.add_node(find)
builder.add_node(measure)
builder.add_node(report, defer=True)  # waits until everything else is done, then runs once
builder.add_edge(START, "find")
builder.add_conditional_edges("find", one_task_per_file, ["measure", "report"])
builder.add_edge("measure", "report")
builder.add_edge("report", END)
graph = builder.compile(name="text statistics")


# ---- the program


async def main(paths: list[str]) -> None:
    rows: list[Row] = []
    config: RunnableConfig = {"max_concurrency": 16}
    async for mode, chunk in graph.astream({"paths": paths}, config, stream_mode=["custom", "updates"]):
        if mode == "custom":
            print(f"read {shown(chunk['file'])}: {chunk['words']} words", file=sys.stderr)
        elif "report" in chunk:
            rows = chunk["report"]["rows"]
    print_table(rows)


def print_table(rows: list[Row]) -> None:
    width = max(len(shown(row.name)) for row in rows)
    print(f"{'file':<{width}} {'lines':>7} {'words':>8} {'unique':>7} {'ease':>5}  top words")
    for row in rows:
        if row is rows[-1]:
            print("-" * (width + 60))
        numbers = f"{row.lines:>7,} {row.words:>8,} {row.unique:>7,} {row.ease:>5.0f}"
        print(f"{shown(row.name):<{width}} {numbers}  {' '.join(row.top)}")


def shown(path: str) -> str:
    """Relative to where the user is, if it is there."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    given = sys.argv[1:] or [str(path) for path in (ROOT / "README.md", ROOT / "docs") if path.exists()]
    missing = [path for path in given if not Path(path).exists()]
    if missing:
        sys.exit(f"There is no file or directory {', '.join(missing)}.")
    asyncio.run(main(given))
