"""Injected faults strike where they are told to, before or after the call has done its work."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphrt.checkpoint import Checkpointer, CopiesThreads, ListsThreads, Prunes, Reclaims
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import StorageError
from graphrt.testing.conformance import CheckpointerConformance
from graphrt.testing.conformance.records import Writer, result
from graphrt.testing.faults import (
    EXIT_CODE,
    Fault,
    FaultySaver,
    Hang,
    Raise,
    StorageDown,
    breaking_each_call,
)

ROOT = Path(__file__).parents[2]


class TestContract(CheckpointerConformance):
    """Without faults it is a checkpointer like the one inside."""

    def open_saver(self, directory: Path) -> Any:
        return FaultySaver(InMemorySaver(), turns=1)


def writer_of(*faults: Fault, turns: int = 0) -> tuple[FaultySaver, Writer]:
    saver = FaultySaver(InMemorySaver(), *faults, turns=turns)
    return saver, Writer(saver)


# ---- counting


async def test_calls_are_counted_and_named():
    saver, writer = writer_of()
    await writer.commit({"a": b"1"})
    await writer.append(result("p"))
    await writer.load()
    await writer.history()
    await saver.adelete_thread(writer.thread)
    assert saver.calls == ["commit", "append_results", "load", "history", "adelete_thread"]


async def test_optional_abilities_are_there_and_counted():
    saver, writer = writer_of(Raise(3))
    assert isinstance(saver, Checkpointer | CopiesThreads | Prunes | ListsThreads)
    assert not isinstance(saver, Reclaims)
    await writer.commit()
    assert [info.checkpoints async for info in saver.athreads()] == [1]
    with pytest.raises(StorageDown):
        await saver.aprune()
    assert saver.calls == ["commit", "athreads", "aprune"]


async def test_methods_that_do_not_wait_are_passed_on():
    saver, writer = writer_of()
    await writer.commit()
    saver.delete_thread(writer.thread)
    assert await saver.load(writer.thread) is None


async def test_one_around_another_counts_what_gets_through():
    inner, _ = writer_of()
    outer = FaultySaver(inner, Raise(1), Raise(2, when="after"))
    for _ in range(2):
        with pytest.raises(StorageDown):
            await outer.aprune([])
    assert (outer.calls, inner.calls) == (["aprune", "aprune"], ["aprune"])


async def test_calls_under_way_are_counted():
    saver, _ = writer_of(turns=2)
    await asyncio.gather(*(Writer(saver).commit() for _ in range(5)))
    assert (saver.most["commit"], saver.under_way["commit"]) == (5, 0)


@pytest.mark.parametrize(
    "options, immediate",
    [
        ({}, True),
        ({"turns": 1}, False),
        ({"faults": [Hang(3)]}, False),
        ({"faults": [Raise(3)]}, True),
    ],
)
def test_it_waits_only_if_something_can_make_it_wait(options: Any, immediate: bool):
    faults = options.pop("faults", [])
    assert FaultySaver(InMemorySaver(), *faults, **options).immediate is immediate


# ---- raising


async def test_call_that_fails_before_did_nothing():
    saver, writer = writer_of(Raise(2))
    await writer.commit()
    with pytest.raises(StorageDown, match="Call 2, commit: not done") as caught:
        await writer.commit()
    assert (caught.value.call, caught.value.number) == ("commit", 2)
    assert isinstance(caught.value, StorageError)
    assert await writer.history() == writer.made
    assert saver.struck == [Raise(2)]


async def test_call_that_fails_after_did_everything():
    _, writer = writer_of(Raise(2, when="after"))
    first = await writer.commit()
    with pytest.raises(StorageDown, match="nobody heard"):
        await writer.commit({"a": b"1"}, result("p"))
    assert len(await writer.history()) == 2
    assert len((await writer.load(first)).results) == 1


async def test_fault_may_count_the_calls_of_one_method():
    _, writer = writer_of(Raise(2, "commit"))
    await writer.commit()
    await writer.load()
    await writer.append(result("p"))
    with pytest.raises(StorageDown):
        await writer.commit()


async def test_fault_may_raise_an_error_of_its_own():
    _, writer = writer_of(Raise(error=ConnectionResetError("gone")))
    with pytest.raises(ConnectionResetError, match="gone"):
        await writer.commit()


@pytest.mark.parametrize("when, shown", [("before", 0), ("after", 3)])
async def test_history_fails_at_its_beginning_or_end(when: Any, shown: int):
    saver, writer = writer_of(Raise(1, "history", when))
    for _ in range(3):
        await writer.commit()
    seen = []
    with pytest.raises(StorageDown):
        async for stored in saver.history(writer.thread):
            seen.append(stored)
    assert len(seen) == shown


async def test_healed_saver_fails_no_more():
    saver, writer = writer_of(*[Raise(at) for at in range(1, 10)])
    with pytest.raises(StorageDown):
        await writer.commit()
    saver.heal()
    assert await writer.commit()


async def test_fault_that_does_not_say_what_happens_is_refused():
    _, writer = writer_of(Fault())
    with pytest.raises(TypeError, match="use Raise, Hang, Kill or Exit"):
        await writer.commit()


# ---- hanging


@pytest.mark.parametrize("when, stored", [("before", 1), ("after", 2)])
async def test_call_hangs_until_it_is_released(when: Any, stored: int):
    saver, writer = writer_of(Hang(2, when=when))
    await writer.commit()
    hanging = asyncio.ensure_future(writer.commit())
    await saver.until_hanging()
    assert len(await writer.history()) == stored
    saver.release()
    await hanging
    assert len(await writer.history()) == 2


async def test_call_that_hangs_can_be_cancelled():
    saver, writer = writer_of(Hang())
    hanging = asyncio.ensure_future(writer.commit())
    await saver.until_hanging()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert (saver.under_way["commit"], await writer.history()) == (0, [])


# ---- each call in turn


@pytest.mark.parametrize("when", ["before", "after"])
async def test_each_call_breaks_in_turn(when: Any):
    broken = []
    for saver in breaking_each_call(InMemorySaver, Raise(when=when)):
        writer = Writer(saver)
        try:
            await writer.commit()
            await writer.append(result("p"))
            await writer.load()
        except StorageDown as error:
            broken.append(error.call)
    assert broken == ["commit", "append_results", "load"]


def test_calls_without_end_are_an_error():
    with pytest.raises(AssertionError, match="never comes to an end"):
        for saver in breaking_each_call(InMemorySaver, Raise(), at_most=3):
            saver.struck.append(Raise())


# ---- the end of the process

DIES = """
import asyncio, signal, sys
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.testing.conformance.records import Writer
from graphrt.testing.faults import Exit, FaultySaver, Kill

class Tells(InMemorySaver):
    async def commit(self, commit):
        await super().commit(commit)
        print("done", flush=True)

async def main():
    writer = Writer(FaultySaver(Tells(), {fault}))
    await writer.commit()
    await writer.commit()
    print("heard", flush=True)

asyncio.run(main())
"""


def start(fault: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", DIES.format(fault=fault)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="no signals")
@pytest.mark.parametrize(
    "fault, code, printed",
    [
        ("Kill(2)", -signal.SIGKILL, "done\n"),
        ("Kill(2, when='after')", -signal.SIGKILL, "done\ndone\n"),
        ("Exit(2)", EXIT_CODE, "done\n"),
        ("Exit(2, when='after', code=7)", 7, "done\ndone\n"),
    ],
)
def test_process_ends_at_the_call(fault: str, code: int, printed: str):
    with start(fault) as process:
        assert (process.communicate(timeout=30)[0], process.returncode) == (printed, code)


@pytest.mark.skipif(os.name == "nt", reason="no signals")
def test_process_can_be_stopped_and_goes_on():
    with start("Kill(2, signal=signal.SIGSTOP)") as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        assert os.WIFSTOPPED(status)
        assert process.communicate(timeout=30)[0] == "done\ndone\nheard\n"
