"""What takes part in the benchmark of durable threads does the same work."""

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from bench.durable import cases
from bench.durable.cases import ONE, Row
from bench.durable.contestants import graphrt
from bench.durable.contestants.contract import Job
from bench.durable.contestants.floor import Floor
from bench.durable.measure import QUICK, measure
from bench.durable.messages import MESSAGE_BYTES, message, said, transcript
from bench.measure import WrongAnswerError

STORAGE = cases.STORAGE_BY_NAME["sqlite-normal"]


def job(case: str, address: Path, sizes: list[int]) -> Job:
    row = Row(storage=STORAGE, case=cases.BY_NAME[case], together=ONE, durability="sync")
    return Job(row=row, address=str(address), bytes_per_step=sizes)


def stored_sizes(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    sizes = [size for (size,) in connection.execute("SELECT length(data) FROM step ORDER BY id")]
    connection.close()
    return sizes


def bytes_in_columns(path: Path) -> int:
    connection = sqlite3.connect(path)
    total = 0
    for name in ("checkpoints", "segments", "results"):
        rows = connection.execute(f"SELECT * FROM graphrt_{name}").fetchall()
        total += sum(
            len(str(v).encode() if isinstance(v, int | str) else v)
            for row in rows
            for v in row
            if v is not None
        )
    connection.close()
    return total


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize("number", [0, 19_999])
def test_a_message_has_200_bytes(role: str, number: int) -> None:
    assert len(msgspec.msgpack.encode(message(role, number))) == MESSAGE_BYTES


def test_a_transcript_is_what_a_conversation_would_have_said() -> None:
    assert transcript(2)["messages"][2] == said(2)["messages"][0]
    assert len(transcript(2)["messages"]) == 4


@pytest.mark.parametrize("transaction", [False, True])
async def test_the_floor_inserts_the_bytes_of_each_step(tmp_path: Path, *, transaction: bool) -> None:
    sizes = list(range(100, 112))
    await measure(Floor(transaction=transaction), job("chain_10", tmp_path / "floor.db", sizes), QUICK)
    stored = await asyncio.to_thread(stored_sizes, tmp_path / "floor.db")
    assert stored == sizes


@pytest.mark.parametrize("case, steps", [("chain_10", 12), ("loop_100", 102), ("conversation_50", 150)])
async def test_graphrt_tells_the_bytes_of_each_step_of_a_run(case: str, steps: int) -> None:
    sizes = await graphrt.contestant().bytes_per_step(cases.BY_NAME[case])
    assert len(sizes) == steps


@pytest.mark.parametrize("case", ["chain_10", "conversation_50"])
async def test_the_floor_inserts_no_more_than_graphrt_stores(case: str, tmp_path: Path) -> None:
    contestant = graphrt.contestant()
    sizes = await contestant.bytes_per_step(cases.BY_NAME[case])
    await measure(contestant, job(case, tmp_path / "ours.db", sizes), QUICK)
    stored = await asyncio.to_thread(bytes_in_columns, tmp_path / "ours.db")
    assert 0.8 * stored < sum(sizes) <= stored


async def test_a_late_turn_stores_no_more_than_an_early_one() -> None:
    early = await graphrt.contestant().bytes_per_step(cases.BY_NAME["conversation_50"])
    late = await graphrt.contestant().bytes_per_step(cases.BY_NAME["turn_1000"])
    assert len(late) == 3
    assert sum(late) <= sum(early[-3:]) + 8


async def test_an_answer_that_is_wrong_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(WrongAnswerError):
        await measure(Floor(transaction=False), job("chain_10", tmp_path / "floor.db", [100] * 5), QUICK)
