"""Optional: forgetting what certain runs did.

Of §3.4 this covers `delete_for_runs`: one, several, other runs, writes, empty list, unknown run, across namespaces.
"""

from __future__ import annotations

import pytest

from graphrt.checkpoint import Checkpointer, ForgetsRuns
from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase, capable
from graphrt.testing.conformance.records import Writer, came_with, new_thread, result

__all__ = ["Runs"]


def new_run() -> str:
    """The id of a run that nobody has."""
    return f"run of {new_thread()}"


async def do_run(writer: Writer, run: str, steps: int = 2) -> None:
    """Commits of a run: one channel is replaced, one grows, and each brings a result."""
    for _ in range(steps):
        name = b"%d" % len(writer.made)
        whole = {"n": name} if writer.made else {"n": name, "log": name}
        await writer.commit(
            whole,
            result("p", n=None),
            appends={"log": name} if writer.made else {},
            metadata={"run_id": run},
        )


class Runs(CheckpointerCase):
    """`adelete_for_runs` forgets checkpoints by their run, and nothing that others stand on."""

    @pytest.fixture
    def forgetter(self, saver: Checkpointer) -> ForgetsRuns:
        """The saver, if it forgets runs."""
        forgetter: ForgetsRuns = capable(saver, ForgetsRuns, "forget runs")
        return forgetter

    async def test_checkpoints_of_a_run_are_forgotten(self, forgetter: ForgetsRuns, writer: Writer) -> None:
        one, two = new_run(), new_run()
        await do_run(writer, one)
        await do_run(writer, two)
        assert await forgetter.adelete_for_runs([two]) == 2
        assert await writer.history() == writer.made[1::-1]
        for identity in writer.made[2:]:
            assert await writer.saver.load(writer.thread, "", identity) is None

    async def test_several_runs_are_forgotten_at_once(self, forgetter: ForgetsRuns, writer: Writer) -> None:
        runs = [new_run() for _ in range(4)]
        for run in runs:
            await do_run(writer, run)
        assert await forgetter.adelete_for_runs([runs[1], runs[3], runs[1]]) == 4
        assert await writer.history() == [*writer.made[5:3:-1], *writer.made[1::-1]]

    async def test_head_goes_back_to_the_newest_that_remains(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        one, two = new_run(), new_run()
        await do_run(writer, one, 3)
        await do_run(writer, two, 40)
        await forgetter.adelete_for_runs([two])
        assert (await writer.load()).head == writer.made[2]
        writer.head = writer.made[2]
        await writer.commit({"n": b"new"}, appends={"log": b"new"})
        assert await writer.held() == {"n": (b"new",), "log": (b"0", b"1", b"2", b"new")}

    async def test_values_of_a_forgotten_run_stay_for_those_that_stand_on_them(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        one, two, three = new_run(), new_run(), new_run()
        for run in (one, two, three):
            await do_run(writer, run, 20)
        before = await writer.held(writer.made[40]), await writer.held()
        await forgetter.adelete_for_runs([two])
        assert (await writer.held(writer.made[40]), await writer.held()) == before
        assert (await writer.load(writer.made[40])).checkpoint.parent_id is None

    async def test_results_go_with_the_commit_that_brought_them(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        one, two = new_run(), new_run()
        await do_run(writer, one)
        await writer.append(result("q", a=b"appended"))
        await do_run(writer, two)
        first, last = writer.made[:2]
        await forgetter.adelete_for_runs([two])
        assert (await writer.load(first)).results == (came_with(last, result("p", n=None)),)
        assert (await writer.load(last)).results == (result("q", a=b"appended"),)

    async def test_run_is_forgotten_in_all_threads_and_namespaces(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        one, two = new_run(), new_run()
        writers = [writer, Writer(writer.saver), Writer(writer.saver, writer.thread, "inner")]
        for each in writers:
            await do_run(each, one, 1)
            await do_run(each, two, 1)
        assert await forgetter.adelete_for_runs([two]) == 3
        assert [await each.history() for each in writers] == [each.made[:1] for each in writers]

    async def test_thread_of_forgotten_runs_alone_can_begin_again(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        run = new_run()
        await do_run(writer, run, 3)
        await forgetter.adelete_for_runs([run])
        assert await writer.saver.load(writer.thread) is None
        again = Writer(writer.saver, writer.thread)
        await again.commit({"new": b"1"})
        assert await again.held() == {"new": (b"1",)}

    async def test_run_that_is_under_way_is_refused(self, forgetter: ForgetsRuns, writer: Writer) -> None:
        one, two = new_run(), new_run()
        await do_run(writer, one)
        await do_run(writer, two)
        await forgetter.adelete_for_runs([two])
        with pytest.raises(ThreadConflict):
            await writer.commit()
        with pytest.raises(ThreadConflict):
            await writer.append(result("p"))

    async def test_no_runs_and_unknown_runs_are_nothing_to_forget(
        self, forgetter: ForgetsRuns, writer: Writer
    ) -> None:
        await do_run(writer, new_run())
        before = await writer.stored()
        assert await forgetter.adelete_for_runs([]) == 0
        assert await forgetter.adelete_for_runs([new_run(), "' OR 1=1 --", "%"]) == 0
        assert await writer.stored() == before
