"""How fast values become bytes and values again, beside LangGraph's serializer with the same content.

    python -m bench.serde                        # in rounds, ours and LangGraph's in turn
    python -m bench.serde --json                 # every figure, for programs
    python -m bench.serde --rival path/to/python # an interpreter that has langgraph, instead of bench's own

A figure is the median of all samples of all rounds; MB/s counts the bytes that the serializer itself wrote. LangGraph
takes chats as its users have them, as `HumanMessage` and `AIMessage`, and cannot take Structs: beside these stand its
dataclasses. "not the same" says that what came back differs from what was written.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench import machine, serde_values
from bench.environments import ROOT, interpreter_of
from bench.serde_values import DATACLASSES

ROUNDS = 7
ROUND_S = 0.1
"""How long one direction of one case is repeated in a round."""
MB = 1e6

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], int]]
"""Write, read, and the number of bytes of what was written."""


@dataclass(frozen=True, slots=True)
class Case:
    """One value, as we are given it and as LangGraph is."""

    name: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]


def structs() -> Any:
    from bench import serde_structs

    return serde_structs


CASES = (
    Case("500 chat messages: dicts", serde_values.chat_dicts, serde_values.chat_models),
    Case("500 chat messages: dataclasses", lambda: serde_values.chat(DATACLASSES), serde_values.chat_models),
    Case("500 chat messages: Structs", lambda: serde_values.chat(structs()), serde_values.chat_models),
    Case(
        "500 chat messages: two dataclasses",
        lambda: serde_values.chat_of_two_classes(DATACLASSES),
        serde_values.chat_models,
    ),
    Case(
        "500 chat messages: two Structs",
        lambda: serde_values.chat_of_two_classes(structs()),
        serde_values.chat_models,
    ),
    Case("state: plain dicts", serde_values.working_dicts, serde_values.working_dicts),
    Case(
        "state: nested dataclasses",
        lambda: serde_values.working(DATACLASSES),
        lambda: serde_values.working(DATACLASSES),
    ),
    Case(
        "state: nested Structs",
        lambda: serde_values.working(structs()),
        lambda: serde_values.working(DATACLASSES),
    ),
    Case(
        "500 records of numbers: dataclasses",
        lambda: serde_values.usages(DATACLASSES),
        lambda: serde_values.usages(DATACLASSES),
    ),
    Case(
        "500 records of numbers: Structs",
        lambda: serde_values.usages(structs()),
        lambda: serde_values.usages(DATACLASSES),
    ),
)


@dataclass(slots=True)
class Figures:
    """One side of one case: bytes, and seconds of every sample."""

    size: int = 0
    same: bool = True
    write: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)

    def add(self, other: dict[str, Any]) -> None:
        self.size, self.same = other["size"], other["same"]
        self.write += other["write"]
        self.read += other["read"]

    def rate(self, seconds: list[float]) -> float:
        return self.size / statistics.median(seconds) / MB


def our_codec() -> Codec:
    from graphrt.serde import Serializer, TypeRegistry

    registry = TypeRegistry()
    for classes in (DATACLASSES, structs()):
        for schema in (classes.Working, classes.Chat, classes.HumanChat, classes.AiChat):
            registry.register_schema(schema)
    serializer = Serializer(registry)
    return serializer.dumps, serializer.loads, len


def langgraph_codec() -> Codec:
    import logging

    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    logging.disable(logging.WARNING)  # it warns about every class that it was not told of
    serializer = JsonPlusSerializer()
    return serializer.dumps_typed, serializer.loads_typed, lambda data: len(data[1])


def measured(codec: Codec, value: Any) -> dict[str, Any]:
    """One round of one case."""
    write, read, size = codec
    data = write(value)
    same = read(data) == value
    return {
        "size": size(data),
        "same": same,
        "write": samples(lambda: write(value)),
        "read": samples(lambda: read(data)),
    }


def samples(act: Callable[[], Any]) -> list[float]:
    taken: list[float] = []
    until = time.perf_counter() + ROUND_S
    while not taken or time.perf_counter() < until:
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return taken


class Rival:
    """LangGraph's serializer in a process of its own, which answers each number of a case with its figures."""

    def __init__(self, python: Path) -> None:
        command = [str(python), "-m", "bench.serde", "--answer"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measured(self, number: int) -> dict[str, Any]:
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answers is not None
        print(number, file=asked, flush=True)
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def answer(questions: IO[str]) -> None:
    codec = langgraph_codec()
    for line in questions:
        print(json.dumps(measured(codec, CASES[int(line)].theirs())), flush=True)


def compare(python: Path, rounds: int) -> list[tuple[Case, Figures, Figures]]:
    codec, rival = our_codec(), Rival(python)
    rows = [(case, Figures(), Figures()) for case in CASES]
    try:
        for _ in range(rounds):
            for number, (case, ours, theirs) in enumerate(rows):
                ours.add(measured(codec, case.ours()))
                theirs.add(rival.measured(number))
    finally:
        rival.close()
    return rows


def figures_of(side: Figures) -> dict[str, Any]:
    return {
        "bytes": side.size,
        "same": side.same,
        "encode_mb_s": round(side.rate(side.write)),
        "decode_mb_s": round(side.rate(side.read)),
        "encode_us": round(statistics.median(side.write) * 1e6, 1),
        "decode_us": round(statistics.median(side.read) * 1e6, 1),
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| value | graphrt MB/s, encode / decode | LangGraph | times faster |",
        "|---|---|---|---|",
    ]
    for row in rows:
        ours, theirs = row["graphrt"], row["langgraph"]
        rates = [f"{side['encode_mb_s']} / {side['decode_mb_s']}" for side in (ours, theirs)]
        faster = [theirs[key] / ours[key] for key in ("encode_us", "decode_us")]
        note = "" if theirs["same"] else ", not the same"
        lines.append(f"| {row['case']} | {rates[0]} | {rates[1]}{note} | {faster[0]:.1f} / {faster[1]:.1f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.serde", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rival", type=Path, metavar="PYTHON")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(sys.stdin)
        return 0
    python = options.rival or interpreter_of("langgraph")
    before = machine.load()
    rows = [
        {"case": case.name, "graphrt": figures_of(ours), "langgraph": figures_of(theirs)}
        for case, ours, theirs in compare(python, options.rounds)
    ]
    if options.json:
        print(json.dumps({"machine": machine.describe(), "load_before": before, "cases": rows}, indent=1))
    else:
        print(table(rows))
        print(f"load average before {before}, after {machine.load()}; should be near zero")
    assert all(row["graphrt"]["same"] for row in rows), "a value did not come back as it was"
    return 0


if __name__ == "__main__":
    sys.exit(main())
