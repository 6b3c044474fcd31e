"""Branches: a commit goes on from its parent, not from the head, and what one branch gets the others never see."""

from __future__ import annotations

from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Held, Writer, held

__all__ = ["Forks"]


def numbers(*spans: range) -> tuple[bytes, ...]:
    """The parts with these numbers."""
    return tuple(b"%d" % n for span in spans for n in span)


async def grow(writer: Writer, span: range) -> None:
    """Append the numbers of `span` to the log, one commit each."""
    for n in span:
        await writer.commit(appends={"log": b"%d" % n})


async def grow_trunk(writer: Writer, length: int) -> None:
    """A thread whose log holds the numbers below `length`."""
    await writer.commit({"log": b"0"})
    await grow(writer, range(1, length))


class Forks(CheckpointerCase):
    """A thread is a tree of checkpoints; each sees what its own ancestors wrote."""

    async def test_branch_goes_on_from_its_parent_not_from_the_head(self, writer: Writer) -> None:
        first = await writer.commit({"a": b"1"})
        trunk = await writer.commit({"a": b"2", "b": b"2"})
        branch = await writer.commit({"c": b"3"}, parent=first, source="fork")
        stored = await writer.load()
        assert (stored.checkpoint.id, stored.checkpoint.parent_id, stored.head) == (branch, first, branch)
        assert stored.channels == {"a": b"1", "c": b"3"}
        assert (await writer.load(trunk)).channels == {"a": b"2", "b": b"2"}

    async def test_branch_starts_with_what_its_parent_held(self, writer: Writer) -> None:
        await grow_trunk(writer, 6)
        await writer.commit(parent=writer.made[2], source="fork")
        assert await writer.held() == {"log": numbers(range(3))}

    async def test_parts_of_one_branch_do_not_show_on_the_other(self, writer: Writer) -> None:
        await grow_trunk(writer, 6)
        trunk = writer.head
        await writer.commit(appends={"log": b"branch"}, parent=writer.made[2])
        branch = writer.head
        await grow(writer, range(10, 12))
        assert await writer.held(trunk) == {"log": numbers(range(6))}
        assert await writer.held(branch) == {"log": (*numbers(range(3)), b"branch")}
        assert await writer.held() == {"log": (*numbers(range(3)), b"branch", b"10", b"11")}

    async def test_value_stored_whole_on_one_branch_stays_there(self, writer: Writer) -> None:
        await grow_trunk(writer, 4)
        trunk = writer.head
        await writer.commit({"log": b"edited"}, parent=writer.made[1])
        await writer.commit(appends={"log": b"2"})
        assert await writer.held() == {"log": (b"edited", b"2")}
        assert await writer.held(trunk) == {"log": numbers(range(4))}

    async def test_channel_emptied_on_one_branch_stays_on_the_other(self, writer: Writer) -> None:
        await grow_trunk(writer, 4)
        trunk = writer.head
        emptied = await writer.commit({"log": None}, parent=writer.made[1])
        await writer.commit(appends={"log": b"back"}, parent=trunk)
        assert await writer.held(emptied) == {}
        assert await writer.held() == {"log": (*numbers(range(4)), b"back")}

    async def test_channel_that_only_one_branch_has_is_only_there(self, writer: Writer) -> None:
        first = await writer.commit({"log": b"0"})
        await writer.commit({"extra": b"1"})
        await writer.commit(parent=first)
        assert await writer.held() == {"log": (b"0",)}
        await writer.commit({"extra": b"2"})
        assert await writer.held() == {"log": (b"0",), "extra": (b"2",)}

    async def test_branches_may_go_on_in_turns(self, writer: Writer) -> None:
        root = await writer.commit({"log": b""})
        heads = [root, root, root]
        for n in range(60):
            branch = n % 3
            heads[branch] = await writer.commit(appends={"log": b"%d" % n}, parent=heads[branch])
        for branch, head in enumerate(heads):
            assert await writer.held(head) == {"log": (b"", *numbers(range(branch, 60, 3)))}

    async def test_fork_below_many_parts_sees_its_own_past_only(self, writer: Writer) -> None:
        await grow_trunk(writer, 200)
        for place in (190, 64, 33, 32, 31, 1):
            await writer.commit(appends={"log": b"branch"}, parent=writer.made[place], source="fork")
            assert await writer.held() == {"log": (*numbers(range(place + 1)), b"branch")}
        assert await writer.held(writer.made[199]) == {"log": numbers(range(200))}
        assert await writer.held(writer.made[77]) == {"log": numbers(range(78))}

    async def test_branch_grows_as_long_as_its_trunk(self, writer: Writer) -> None:
        await grow_trunk(writer, 100)
        trunk = list(writer.made)
        await writer.commit(parent=trunk[50], source="fork")
        await grow(writer, range(1000, 1100))
        assert await writer.held() == {"log": numbers(range(51), range(1000, 1100))}
        for n in (0, 31, 50, 51, 64, 99):
            assert await writer.held(trunk[n]) == {"log": numbers(range(n + 1))}

    async def test_trunk_goes_on_after_a_branch(self, writer: Writer) -> None:
        await grow_trunk(writer, 70)
        trunk = writer.head
        await writer.commit({"log": b"branch"}, parent=writer.made[10])
        await grow(writer, range(40))
        branch = writer.head
        await writer.commit(appends={"log": b"70"}, parent=trunk)
        await grow(writer, range(71, 140))
        assert await writer.held() == {"log": numbers(range(140))}
        assert await writer.held(branch) == {"log": (b"branch", *numbers(range(40)))}

    async def test_fork_of_a_fork_of_a_fork_sees_all_its_ancestors(self, writer: Writer) -> None:
        await writer.commit({"log": b"0", "still": b"still"})
        expected: Held = {"log": (b"0",), "still": (b"still",)}
        for depth in range(20):
            kept = writer.head
            await writer.commit({"still": None}, appends={"log": b"abandoned %d" % depth})
            part = b"fork %d" % depth
            await writer.commit(appends={"log": part}, parent=kept, source="fork")
            expected["log"] += (part,)
            assert await writer.held() == expected
        for stored in await writer.stored():
            assert held(stored) == await writer.held(stored.checkpoint.id)

    async def test_deep_forks_of_long_branches_see_all_their_ancestors(self, writer: Writer) -> None:
        await grow_trunk(writer, 40)
        expected = list(numbers(range(40)))
        for depth in range(20):
            await grow(writer, range(3))
            await writer.commit(parent=writer.made[-3], source="fork", step=depth)
            expected += [b"0"]
        await grow(writer, range(40))
        assert await writer.held() == {"log": (*expected, *numbers(range(40)))}

    async def test_what_a_deep_fork_sees_is_emptied_for_it_alone(self, writer: Writer) -> None:
        before = await writer.commit({"log": b"0", "gone": b"0"})
        for _ in range(12):
            kept = writer.head
            await writer.commit(appends={"log": b"abandoned"})
            before = await writer.commit(parent=kept, source="fork")
        await writer.commit({"gone": None}, appends={"log": b"1"})
        assert await writer.held() == {"log": (b"0", b"1")}
        assert await writer.held(before) == {"log": (b"0",), "gone": (b"0",)}

    async def test_history_gives_every_branch_whole(self, writer: Writer) -> None:
        await grow_trunk(writer, 40)
        for place in (35, 20, 3):
            await writer.commit(appends={"log": b"branch"}, parent=writer.made[place])
        shown = await writer.stored()
        assert [stored.checkpoint.id for stored in shown] == writer.made[::-1]
        assert shown == [await writer.load(identity) for identity in reversed(writer.made)]
