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
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

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
class Statistics:
    """Numbers of one text, or of several together."""

    name: str
    lines: int
    words: int
    sentences: int
    syllables: int
    counts: dict[str, int]

    @property
    def reading_ease(self) -> float:
        """Flesch (1948): 90 reads like a comic, 60 like a newspaper, 30 like a scientific paper."""
        if not self.words:
            return 0.0
        return 206.835 - 1.015 * self.words / max(1, self.sentences) - 84.6 * self.syllables / self.words

    def top(self, n: int) -> list[str]:
        """The most frequent words that say what the text is about."""
        telling = {word: count for word, count in self.counts.items() if len(word) > 2 and word not in COMMON}
        return sorted(telling, key=lambda word: (-telling[word], word))[:n]


def statistics_of(name: str, text: str) -> Statistics:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)  # code is no prose
    words = [word.lower() for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", prose)]
    return Statistics(
        name,
        lines=len(text.splitlines()),
        words=len(words),
        sentences=len(re.findall(r"[^.!?:\n][.!?:]+(?=\s|$)|[^\s.!?:](?=\n\s*\n|\s*$)", prose)),
        syllables=sum(max(1, len(re.findall(r"[aeiouy]+", word.removesuffix("e")))) for word in words),
        counts=dict(Counter(words)),
    )


def added_up(parts: Iterable[Statistics]) -> Statistics:
    parts = list(parts)
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return Statistics(
        f"{len(parts)} files",
        lines=sum(part.lines for part in parts),
        words=sum(part.words for part in parts),
        sentences=sum(part.sentences for part in parts),
        syllables=sum(part.syllables for part in parts),
        counts=dict(counts),
    )


# ---- the graph: find -> measure, once per file -> add_up


class State(TypedDict):
    paths: list[str]
    files: list[str]
    measured: Annotated[
        list[Statistics], operator.add
    ]  # each task adds its own; the order is that of the files
    total: Statistics


class Document(TypedDict):
    path: str


def find(state: State) -> dict[str, list[str]]:
    """A sync node: it runs in a worker thread, so that reading directories holds up nobody."""
    found: list[Path] = []
    for path in map(Path, state["paths"]):
        inside = (file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        found += sorted(inside) if path.is_dir() else [path]
    return {"files": [str(file) for file in dict.fromkeys(found)]}


def one_task_per_file(state: State) -> list[Send] | str:
    return [Send("measure", Document(path=path)) for path in state["files"]] or "add_up"


def measure(document: Document, writer: StreamWriter) -> dict[str, list[Statistics]]:
    """Gets what its Send carries instead of the state; `writer` reports while other files are still read."""
    path = document["path"]
    statistics = statistics_of(path, Path(path).read_text(encoding="utf-8", errors="replace"))
    writer({"file": path, "words": statistics.words})
    return {"measured": [statistics]}


async def add_up(state: State) -> dict[str, Statistics]:
    return {"total": added_up(state["measured"])}


builder = StateGraph(State)
builder.add_node(find)
builder.add_node(measure)
builder.add_node(add_up, defer=True)  # waits until everything else is done, then runs once
builder.add_edge(START, "find")
builder.add_conditional_edges("find", one_task_per_file, ["measure", "add_up"])
builder.add_edge("measure", "add_up")
builder.add_edge("add_up", END)
graph = builder.compile(name="text statistics")


# ---- the program


async def main(paths: list[str]) -> None:
    result: dict[str, Any] = {}
    async for mode, chunk in graph.astream(
        {"paths": paths}, {"max_concurrency": 16}, stream_mode=["custom", "values"]
    ):
        if mode == "custom":
            print(f"read {shown(chunk['file'])}: {chunk['words']} words", file=sys.stderr)
        else:
            result = chunk
    print_table(result["measured"], result["total"])


def print_table(measured: list[Statistics], total: Statistics) -> None:
    names = [shown(part.name) for part in [*measured, total]]
    width = max(len(name) for name in names)
    print(f"{'file':<{width}}  {'lines':>7} {'words':>8} {'unique':>7} {'ease':>5}  top words")
    for name, part in zip(names, [*measured, total], strict=True):
        if part is total:
            print("-" * (width + 60))
        numbers = f"{part.lines:>7,} {part.words:>8,} {len(part.counts):>7,} {part.reading_ease:>5.0f}"
        print(f"{name:<{width}}  {numbers}  {' '.join(part.top(4))}")


def shown(path: str) -> str:
    """As short as it can be without becoming ambiguous."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    given = sys.argv[1:] or [str(path) for path in (ROOT / "README.md", ROOT / "docs") if path.exists()]
    missing = [path for path in given if not Path(path).exists()]
    if missing:
        sys.exit(f"There is no file or directory {', '.join(missing)}.")
    asyncio.run(main(given))
