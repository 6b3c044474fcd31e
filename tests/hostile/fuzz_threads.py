"""Runs graphs on threads whose records were changed: `python -m tests.hostile.fuzz_threads KIND SEED CASES SECONDS`.

KIND is `memory`, `sqlite` or `postgres`, with `+encrypted` behind it if values are encrypted. In memory the records are
changed on their way to the reader; in a database any field of any table may be changed, swapped or deleted.

Prints one JSON object: how many cases, and what went wrong. What must not happen: an error that is none of graphrt's,
code that runs or an import because of what was read, and, where values are encrypted, a checkpoint that is read
but is not what was committed.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Annotated, Any, TypedDict

from msgspec.structs import replace

from checkpointers.encrypted import envelope
from graphrt import END, START, StateGraph
from graphrt.engine import journal
from graphrt.errors import GraphError
from graphrt.types import Send
from tests.hostile import canary
from tests.hostile.tampering import SECRET, Bench
from tests.hostile.watch import begin, happened, watched


@dataclass
class Note:
    text: str
    stars: int


def put_together(old: Any, new: Any) -> Any:
    """A reducer that takes whatever comes: its own errors would be the user's."""
    return [*old, *new] if isinstance(old, list) and isinstance(new, list) else new


class State(TypedDict, total=False):
    log: Annotated[list[Any], put_together]
    total: Annotated[dict[str, Any], put_together]
    notes: dict[str, Note]
    text: str


async def first(state: State) -> Any:
    return {"log": ["first " * 30], "notes": {"a": Note("a", 1)}, "text": "long " * 40}


async def left(state: State) -> Any:
    return {"log": ["left"]}


async def right(state: State) -> Any:
    return {"log": ["right"]}


async def join(state: State) -> Any:
    return {"log": ["join " * 30]}


def fan_out(state: State) -> Any:
    return [Send("worker", {"text": f"item {n}"}) for n in range(2)]


async def worker(state: Any) -> Any:
    return {"log": ["worked"]}


def graph_on(saver: Any) -> Any:
    """Edges, a join, Sends and a reducer: every kind of channel is stored."""
    builder = StateGraph(State)
    for node in (first, left, right, join, worker):
        builder.add_node(node)
    builder.add_edge(START, "first").add_edge("first", "left").add_edge("first", "right")
    builder.add_edge(["left", "right"], "join").add_conditional_edges("join", fan_out, ["worker"])
    return builder.add_edge("worker", END).compile(checkpointer=saver)


async def fill(saver: Any) -> None:
    """Two tenants' threads, each with a past, growing values and a step that was left half done."""
    graph = graph_on(saver)
    for thread, said in (("mine", "hello"), ("theirs", SECRET)):
        config = {"configurable": {"thread_id": thread}, "metadata": {"user": thread}}
        for turn in range(2):
            await graph.ainvoke({"log": [f"{said} {turn} " * 20]}, config)
        async for event in graph.astream({"log": [said]}, config, stream_mode="values", durability="sync"):
            if "join" in str(event):
                break


# ---- what is done to a changed thread

MINE: Any = {"configurable": {"thread_id": "mine"}}


async def look(graph: Any) -> None:
    await graph.aget_state(MINE)


async def look_back(graph: Any) -> None:
    async for _ in graph.aget_state_history(MINE, limit=20):
        pass


async def go_on(graph: Any) -> None:
    await graph.ainvoke(None, MINE)


async def next_turn(graph: Any) -> None:
    await graph.ainvoke({"log": ["more"]}, MINE)


async def case(bench: Bench, seed: int, number: int) -> str | None:
    """What is wrong with case `number`; None if nothing."""
    random = Random(f"{seed} {number}")
    act = random.choice((look, look, look_back, look_back, go_on, next_turn))
    wrong = None
    async with bench.opened(random) as saver:
        with watched():
            try:
                if bench.encrypted:
                    wrong = await untrue(bench, saver)
                await act(graph_on(saver))
            except GraphError:
                pass
            except Exception as error:
                wrong = f"{act.__name__} raised {type(error).__name__}: {error} {_where(error)}"
    if happened or canary.sung:
        wrong = f"{act.__name__} did {happened + canary.sung}"
        happened.clear()
        canary.sung.clear()
    return wrong


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-3:]))


async def untrue(bench: Bench, saver: Any) -> str | None:
    """A checkpoint that can be read although it is not what was committed."""
    for thread in ("mine", "theirs"):
        async for true in bench.truth.history(thread):
            try:
                found = await saver.load(thread, "", true.checkpoint.id)
            except GraphError:
                continue
            if found is None:
                continue
            same = replace(found.checkpoint, parent_id=true.checkpoint.parent_id) == true.checkpoint
            given = [(r.path, r.node, r.writes, r.error) for r in bench.given.get(true.checkpoint.id, ())]
            if not same or (found.channels, found.appends) != (true.channels, true.appends):
                return f"checkpoint {true.checkpoint.id} is read as {found}"
            if not all((r.path, r.node, r.writes, r.error) in given for r in found.results):
                return f"results of checkpoint {true.checkpoint.id} are read as {found.results}"
    return None


def make_repeatable(random: Random) -> None:
    """A case must be the same again: ids and nonces are the only things that are not."""
    clock = count(1_700_000_000_000_000_000, 1_000_000)
    journal.urandom = envelope.urandom = random.randbytes  # type: ignore[attr-defined]
    journal.time_ns = lambda: next(clock)  # type: ignore[attr-defined]


async def main(kind: str, seed: int, cases: int, seconds: float) -> dict[str, Any]:
    with TemporaryDirectory() as directory:
        make_repeatable(Random(seed))
        bench = Bench(kind, fill, Path(directory))
        await bench.prepare()
        for act in (look, look_back, go_on, next_turn):  # everything is imported and looked at once
            async with bench.opened(Random(0)) as saver:
                with contextlib.suppress(GraphError):
                    await act(graph_on(saver))
        begin(*("socket.",) if kind.startswith("postgres") else ())  # a server's connections may break
        wrong: dict[str, str] = {}
        end, number = monotonic() + seconds, 0
        while number < cases or monotonic() < end:
            if (found := await case(bench, seed, number)) is not None:
                wrong.setdefault(found[:120], f"case {number} of seed {seed}: {found}"[:600])
            number += 1
        await bench.close()
        return {"cases": number, "wrong": list(wrong.values())}


if __name__ == "__main__":
    report = asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    print(json.dumps(report))
