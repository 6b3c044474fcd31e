"""Whatever checkpoint of whatever nested graph a run starts from, it does again what was done then, and harms nothing.

The thread's past has questions that were answered, graphs inside that keep their state, tasks and steps. From each of
its checkpoints it is run anew, one after the other, so that the thread becomes a tree of branches.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from graphrt.graph import START
from tests.conftest import SAVERS
from tests.property.chronicle import Chronicle, Moment, told
from tests.property.growing import trees
from tests.property.specimens import SPECIMENS
from tests.property.trees import Flow, Tree

thoroughly = settings(max_examples=max(60, settings().max_examples // 4))


@given(tree=trees())
@thoroughly
async def test_a_run_from_any_checkpoint_does_what_was_done_from_there(tree: Tree) -> None:
    await replay_everywhere(Chronicle(tree))


@pytest.mark.parametrize("backend", SAVERS)
async def test_a_run_from_any_checkpoint_in_a_database_does_it_too(backend: str, tmp_path: Path) -> None:
    async with SAVERS[backend](tmp_path) as saver:
        for name, tree in SPECIMENS.items():
            await replay_everywhere(Chronicle(tree, saver, thread=name))


async def replay_everywhere(chronicle: Chronicle) -> None:
    """Run the thread from each of its checkpoints, and compare with what was done from there."""
    for moment in await chronicle.live(turns=2):
        known = await chronicle.checkpoints()
        happened = await chronicle.again(moment.shown.config)
        assert happened == moment.end.since(moment.happened)
        branch = [told(shown) for shown in await chronicle.branch(known)]
        assert branch == [told(moment.shown), *moment.rest]


@given(tree=trees())
@thoroughly
async def test_a_run_from_an_edited_checkpoint_goes_the_same_way_if_the_edit_changes_nothing(
    tree: Tree,
) -> None:
    chronicle = Chronicle(tree)
    for moment in await chronicle.live(turns=2):
        edit = edit_of(tree, moment)
        if edit is None:
            continue
        known = await chronicle.checkpoints()
        edited = await chronicle.app().aupdate_state(moment.shown.config, **edit)
        happened = await chronicle.again(edited)
        assert happened == moment.end.since(moment.happened)
        branch = [told(shown) for shown in await chronicle.branch(known)]
        assert branch == (moment.rest if begins(moment) else [told(moment.shown), *moment.rest])


@given(tree=trees())
@thoroughly
async def test_forks_leave_what_is_stored_as_it_is(tree: Tree) -> None:
    await fork_everywhere(Chronicle(tree))


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
async def test_forks_leave_what_is_in_a_database_as_it_is(backend: str, tmp_path: Path) -> None:
    async with SAVERS[backend](tmp_path) as saver:
        for name, tree in SPECIMENS.items():
            await fork_everywhere(Chronicle(tree, saver, thread=name))


async def fork_everywhere(chronicle: Chronicle) -> None:
    """Run the thread from each of its checkpoints, and from each with an edit, and compare what is stored."""
    moments = await chronicle.live(turns=2)
    archive = await chronicle.archive()
    assert len(archive) >= len(moments) > 2
    for moment in moments:
        await chronicle.again(moment.shown.config)
        edit = edit_of(chronicle.tree, moment)
        if edit is not None:
            await chronicle.again(await chronicle.app().aupdate_state(moment.shown.config, **edit))
        assert await chronicle.archive(archive) == archive
        archive = await chronicle.archive()


def edit_of(tree: Tree, moment: Moment) -> dict[str, Any] | None:
    """An edit that says what the next step says, or once more what the last one said, if one node alone said it."""
    if isinstance(tree, Flow):
        return None
    if begins(moment):
        return {"values": moment.given, "as_node": START}
    return {"values": {"log": []}, "as_node": next(iter(moment.after))} if len(moment.after) == 1 else None


def begins(moment: Moment) -> bool:
    """Whether an input is all that its turn has come to."""
    assert moment.shown.metadata is not None
    return moment.shown.metadata["source"] == "input"
