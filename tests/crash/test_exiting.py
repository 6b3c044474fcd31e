"""A program that does not close its checkpointer ends all the same: at once, with status 0 and without a word."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.databases import Database, Databases
from tests.crash.processes import ROOT

pytestmark = pytest.mark.slow

LIMIT_S = 1.0
HANGS_S = 15.0
TRIES = 3
"""A machine may be busy for a second; it is not each time."""

PROGRAM = """
import asyncio, json, sys, time
from typing import TypedDict
from graphrt.graph import START, StateGraph
from tests.crash.databases import Database

class State(TypedDict):
    n: int

async def node(state):
    return {"n": state.get("n", 0) + 1}

async def endless(state):
    say("waiting")
    await asyncio.Event().wait()

def say(word):
    print(word, time.monotonic(), flush=True)

saver = Database(*sys.argv[1:3], json.loads(sys.argv[3])).saver()
config = {"configurable": {"thread_id": "t"}}

def graph(node):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)

"""

WAYS = {
    "in a loop": """
async def main():
    await saver.setup()
    await graph(node).ainvoke({"n": 1}, config)

asyncio.run(main())
say("over")
""",
    "entered and not left": """
async def main():
    await saver.__aenter__()
    await saver.setup()
    await asyncio.gather(*(graph(node).ainvoke({"n": i}, {"configurable": {"thread_id": str(i)}}) for i in range(20)))

asyncio.run(main())
say("over")
""",
    "without a loop": """
saver.setup().close()
graph(node).invoke({"n": 1}, config)
say("over")
""",
    "in the middle of a history": """
async def main():
    global left
    await saver.setup()
    for _ in range(5):
        await graph(node).ainvoke({"n": 1}, config)
    left = graph(node).aget_state_history(config)
    await anext(left)

asyncio.run(main())
say("over")
""",
    "in a loop that is not closed": """
async def main():
    await saver.setup()
    await graph(node).ainvoke({"n": 1}, config)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
say("over")
""",
}

INTERRUPTED = """
async def main():
    await saver.setup()
    await graph(endless).ainvoke({"n": 1}, config)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    say("over")
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_does_not_close_its_saver_exits(databases: Databases, way: str) -> None:
    exits(databases, WAYS[way])


def test_a_program_that_is_interrupted_exits(databases: Databases) -> None:
    exits(databases, INTERRUPTED, interrupt=True)


def exits(databases: Databases, program: str, *, interrupt: bool = False) -> None:
    took_s: list[float] = []
    for _ in range(TRIES):
        took_s.append(run(databases.place(), program, interrupt=interrupt))
        if took_s[-1] < LIMIT_S:
            return
    pytest.fail(f"exiting took {took_s} s")


def run(database: Database, program: str, *, interrupt: bool) -> float:
    """Run it to its end: how long it took to exit from when it was over."""
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program, database.kind, database.url, json.dumps(database.options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with child:
        try:
            if interrupt:
                assert child.stdout is not None
                assert child.stdout.readline().startswith("waiting")
                child.send_signal(signal.SIGINT)
            told, errors = child.communicate(timeout=HANGS_S)
            ended = time.monotonic()
        finally:
            child.kill()
    assert (child.returncode, errors) == (0, "")
    return ended - float(told.split()[-1])


def test_a_file_that_was_closed_is_whole_by_itself(tmp_path: Path) -> None:
    """It can be copied, moved or deleted, and the process may fork."""
    asyncio.run(opened_and_closed(Database("sqlite", str(tmp_path / "a.db"))))
    left = [path.name for path in tmp_path.iterdir()]
    assert left == ["a.db"]


async def opened_and_closed(database: Database) -> None:
    async with database.open() as saver:
        await saver.load("t")
