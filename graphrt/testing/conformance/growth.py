"""Channels that grow: a commit brings the part that was appended, a load gives the value and every part behind it.

Savers put rows of parts together behind the scenes; no checkpoint may tell. Of §3.4 this covers `put`'s incremental
update, blobs at mixed versions and, as far as it means storing what was added, `delta_channel_history`.
"""

from __future__ import annotations

import pytest

from graphrt.errors import ThreadConflict
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Held, Writer, held

__all__ = ["Growth"]

MANY = 300
"""Commits: enough for rows to be merged, and for merged rows to be merged again."""


async def grow(writer: Writer, times: int) -> None:
    """A thread whose log holds one more part at every checkpoint."""
    await writer.commit({"log": b"0"})
    for n in range(1, times):
        await writer.commit(appends={"log": b"%d" % n})


class Growth(CheckpointerCase):
    """Appended parts come back behind the value they were appended to, at every checkpoint."""

    async def test_part_comes_behind_the_value(self, writer: Writer) -> None:
        await writer.commit({"log": b"[1]"})
        await writer.commit(appends={"log": b"2"})
        stored = await writer.load()
        assert (stored.channels, stored.appends) == ({"log": b"[1]"}, {"log": (b"2",)})

    async def test_channel_without_parts_is_not_among_appends(self, writer: Writer) -> None:
        await writer.commit({"log": b"[1]", "other": b"1"})
        assert (await writer.load()).appends == {}
        await writer.commit(appends={"log": b"2"})
        assert set((await writer.load()).appends) == {"log"}

    async def test_parts_come_in_the_order_of_the_commits(self, writer: Writer) -> None:
        await writer.commit({"log": b"0"})
        for n in range(1, 10):
            await writer.commit(appends={"log": b"%d" % n})
        assert await writer.held() == {"log": tuple(b"%d" % n for n in range(10))}

    async def test_several_parts_of_one_commit_keep_their_order(self, writer: Writer) -> None:
        await writer.commit({"log": b"0", "other": b"0"})
        await writer.commit(appends=[("log", b"b"), ("other", b"x"), ("log", b"a"), ("log", b"c")])
        assert (await writer.load()).appends == {"log": (b"b", b"a", b"c"), "other": (b"x",)}

    async def test_same_part_twice_is_two_parts(self, writer: Writer) -> None:
        await writer.commit({"log": b"0"})
        await writer.commit(appends=[("log", b"1"), ("log", b"1")])
        await writer.commit(appends={"log": b"1"})
        assert (await writer.load()).appends == {"log": (b"1", b"1", b"1")}

    async def test_part_may_come_with_the_whole_value(self, writer: Writer) -> None:
        await writer.commit({"log": b"old"})
        await writer.commit(appends={"log": b"gone"})
        await writer.commit({"log": b"0"}, appends=[("log", b"1"), ("log", b"2")])
        await writer.commit(appends={"log": b"3"})
        assert await writer.held() == {"log": (b"0", b"1", b"2", b"3")}

    async def test_empty_part_is_a_part(self, writer: Writer) -> None:
        await writer.commit({"log": b""})
        await writer.commit(appends=[("log", b""), ("log", b"1"), ("log", b"")])
        assert await writer.held() == {"log": (b"", b"", b"1", b"")}

    async def test_older_checkpoints_do_not_see_later_parts(self, writer: Writer) -> None:
        first = await writer.commit({"log": b"0"})
        second = await writer.commit(appends={"log": b"1"})
        await writer.commit(appends={"log": b"2"})
        assert await writer.held(first) == {"log": (b"0",)}
        assert await writer.held(second) == {"log": (b"0", b"1")}

    async def test_channel_that_is_stored_whole_again_starts_anew(self, writer: Writer) -> None:
        await writer.commit({"log": b"0"})
        long = await writer.commit(appends={"log": b"1"})
        await writer.commit({"log": b"edited"})
        assert await writer.held() == {"log": (b"edited",)}
        await writer.commit(appends={"log": b"2"})
        assert await writer.held() == {"log": (b"edited", b"2")}
        assert await writer.held(long) == {"log": (b"0", b"1")}

    async def test_channel_that_is_emptied_loses_its_parts(self, writer: Writer) -> None:
        await writer.commit({"log": b"0"})
        await writer.commit(appends={"log": b"1"})
        await writer.commit({"log": None})
        assert (await writer.stored(limit=1))[0].appends == {}
        assert await writer.held() == {}
        await writer.commit({"log": b"new"})
        assert await writer.held() == {"log": (b"new",)}

    async def test_channels_grow_each_at_its_own_pace(self, writer: Writer) -> None:
        await writer.commit({"slow": b"0", "fast": b"0", "still": b"0"})
        for n in range(1, 40):
            await writer.commit(appends={"fast": b"%d" % n} | ({"slow": b"%d" % n} if n % 13 == 0 else {}))
        assert await writer.held() == {
            "slow": (b"0", b"13", b"26", b"39"),
            "fast": tuple(b"%d" % n for n in range(40)),
            "still": (b"0",),
        }

    async def test_history_gives_the_parts_of_every_checkpoint(self, writer: Writer) -> None:
        await writer.commit({"log": b"0"})
        for n in range(1, 8):
            await writer.commit(appends={"log": b"%d" % n})
        pages = [held(stored)["log"] for stored in await writer.stored()]
        assert pages == [tuple(b"%d" % n for n in range(length)) for length in range(8, 0, -1)]

    async def test_page_of_the_history_has_whole_values(self, writer: Writer) -> None:
        await grow(writer, 100)
        page = await writer.stored(before=writer.made[50], limit=5)
        assert page == [await writer.load(identity) for identity in reversed(writer.made[45:50])]
        assert held(page[0])["log"] == tuple(b"%d" % n for n in range(50))

    async def test_refused_append_leaves_nothing_behind(self, writer: Writer) -> None:
        stale = Writer(writer.saver, writer.thread, head=await writer.commit({"log": b"0"}))
        await writer.commit(appends={"log": b"1"})
        with pytest.raises(ThreadConflict):
            await stale.commit(appends={"log": b"lost"})
        await writer.commit(appends={"log": b"2"})
        assert await writer.held() == {"log": (b"0", b"1", b"2")}

    async def test_deleted_thread_does_not_give_its_parts_to_the_next(self, writer: Writer) -> None:
        await grow(writer, 40)
        await writer.saver.adelete_thread(writer.thread)
        again = Writer(writer.saver, writer.thread)
        await again.commit({"log": b"new"})
        await again.commit(appends={"log": b"part"})
        assert await again.held() == {"log": (b"new", b"part")}

    # ---- many

    async def test_hundreds_of_parts_read_back_at_every_checkpoint(self, writer: Writer) -> None:
        await grow(writer, MANY)
        parts = tuple(b"%d" % n for n in range(MANY))
        for n, stored in enumerate(reversed(await writer.stored())):
            assert held(stored) == {"log": parts[: n + 1]}
        for n in range(0, MANY, 7):
            assert await writer.held(writer.made[n]) == {"log": parts[: n + 1]}

    async def test_parts_of_all_sizes_read_back_at_every_checkpoint(self, writer: Writer) -> None:
        parts = [bytes([n % 256]) * (n % 5 * 17 + (4_000 if n % 37 == 0 else 0)) for n in range(150)]
        await writer.commit({"log": parts[0], "n": b"0"})
        for n, part in enumerate(parts[1:]):
            await writer.commit({"n": b"%d" % n}, appends={"log": part})
        for n in (0, 1, 31, 32, 33, 63, 64, 65, 100, 149):
            assert (await writer.held(writer.made[n]))["log"] == tuple(parts[: n + 1])

    async def test_whole_values_between_hundreds_of_parts_start_anew(self, writer: Writer) -> None:
        expected: list[Held] = []
        held_now: tuple[bytes, ...] = ()
        for n in range(150):
            if n % 45 == 0:
                held_now = (b"whole %d" % n,)
                await writer.commit({"log": held_now[0]})
            else:
                held_now = (*held_now, b"%d" % n)
                await writer.commit(appends={"log": held_now[-1]})
            expected.append({"log": held_now})
        assert [held(stored) for stored in reversed(await writer.stored())] == expected

    async def test_versions_may_skip_numbers(self, writer: Writer) -> None:
        # A run that stores only its end counts its steps all the same.
        await writer.commit({"log": b"0"}, version=3)
        for n in range(1, 120):
            await writer.commit(appends={"log": b"%d" % n}, version=3 + 7 * n)
        for n in (0, 31, 64, 119):
            assert await writer.held(writer.made[n]) == {"log": tuple(b"%d" % i for i in range(n + 1))}

    async def test_large_value_grows_too(self, writer: Writer) -> None:
        await writer.commit({"log": b"x" * 3_000_000})
        for n in range(40):
            await writer.commit(appends={"log": b"%d" % n * 100_000})
        stored = await writer.load()
        assert stored.channels == {"log": b"x" * 3_000_000}
        assert stored.appends["log"] == tuple(b"%d" % n * 100_000 for n in range(40))
