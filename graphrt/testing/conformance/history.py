"""A thread's history: newest first, each checkpoint whole, picked by metadata, place and number.

Of §3.4 this covers `list`: all, by thread, by namespace, ordering, filters (one key, step, several keys, no match,
custom keys), before, limit, both, with a thread and a filter, empty, with pending writes, several namespaces.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, new_id, result

__all__ = ["History"]


async def grown_old(writer: Writer) -> Writer:
    """A thread of six checkpoints: an input and two steps, twice."""
    for turn in range(2):
        user = {"user": f"u{turn}"}
        await writer.commit({"turn": b"%d" % turn}, source="input", step=3 * turn - 1, metadata=user)
        await writer.commit({"n": b"0"}, step=3 * turn, metadata={**user, "tag": True})
        await writer.commit({"n": b"1"}, step=3 * turn + 1, metadata={**user, "score": 0.5})
    return writer


def picked(old: Writer, *numbers: int) -> list[str]:
    """Ids of its checkpoints by number."""
    return [old.made[number] for number in numbers]


class History(CheckpointerCase):
    """What `history` gives of a thread."""

    async def test_history_of_an_unknown_thread_is_empty(self, writer: Writer) -> None:
        assert await writer.history() == []
        assert await writer.history(filter={"source": "input"}, before=new_id(), limit=3) == []

    async def test_history_is_newest_first(self, writer: Writer) -> None:
        old = await grown_old(writer)
        assert await old.history() == picked(old, 5, 4, 3, 2, 1, 0)

    async def test_history_gives_every_checkpoint_whole(self, writer: Writer) -> None:
        old = await grown_old(writer)
        await old.append(result("p", a=b"1"))
        shown = await old.stored()
        assert shown == [await old.load(identity) for identity in reversed(old.made)]
        assert shown[0].channels == {"turn": b"1", "n": b"1"}
        assert shown[0].results == (result("p", a=b"1"),)

    @pytest.mark.parametrize(
        "filter, numbers",
        [
            (None, [5, 4, 3, 2, 1, 0]),
            ({}, [5, 4, 3, 2, 1, 0]),
            ({"source": "input"}, [3, 0]),
            ({"step": 1}, [2]),
            ({"step": -1, "source": "input"}, [0]),
            ({"user": "u0"}, [2, 1, 0]),
            ({"user": "u1", "source": "loop"}, [5, 4]),
            ({"tag": True}, [4, 1]),
            ({"tag": False}, []),
            ({"score": 0.5}, [5, 2]),
            ({"user": "u2"}, []),
            ({"unknown": 1}, []),
            ({"unknown": None}, []),
            ({"user": "u%"}, []),
            ({"user": "U0"}, []),
        ],
    )
    async def test_filter_picks_by_metadata_source_and_step(
        self, writer: Writer, filter: dict[str, Any] | None, numbers: list[int]
    ) -> None:
        old = await grown_old(writer)
        assert await old.history(filter=filter) == picked(old, *numbers)

    @pytest.mark.parametrize(
        "key", ["a.b", 'say "a"', "'; DROP TABLE checkpoints; --", "$.a", "", "ä", "a b[0]"]
    )
    async def test_filter_takes_any_key_and_value(self, writer: Writer, key: str) -> None:
        await writer.commit(metadata={key: key})
        wanted = await writer.commit(metadata={key: key + "!"})
        assert await writer.history(filter={key: key + "!"}) == [wanted]

    @pytest.mark.parametrize("number, numbers", [(0, []), (2, [1, 0]), (5, [4, 3, 2, 1, 0])])
    async def test_before_picks_what_is_older(self, writer: Writer, number: int, numbers: list[int]) -> None:
        old = await grown_old(writer)
        assert await old.history(before=old.made[number]) == picked(old, *numbers)

    async def test_before_need_not_be_a_checkpoint_of_the_thread(self, writer: Writer) -> None:
        old = await grown_old(writer)
        between = new_id()
        last = await old.commit()
        assert await old.history(before=between) == picked(old, 5, 4, 3, 2, 1, 0)
        assert await old.history(before=last) == await old.history(before=between)

    @pytest.mark.parametrize(
        "limit, numbers", [(0, []), (1, [5]), (4, [5, 4, 3, 2]), (100, [5, 4, 3, 2, 1, 0])]
    )
    async def test_limit_picks_the_newest(self, writer: Writer, limit: int, numbers: list[int]) -> None:
        old = await grown_old(writer)
        assert await old.history(limit=limit) == picked(old, *numbers)

    async def test_limit_counts_what_filter_and_before_let_through(self, writer: Writer) -> None:
        old = await grown_old(writer)
        assert await old.history(filter={"source": "loop"}, before=old.made[5], limit=2) == picked(old, 4, 2)

    async def test_history_has_all_branches(self, writer: Writer) -> None:
        old = await grown_old(writer)
        branch = await old.commit(parent=old.made[1], source="fork")
        assert await old.history() == [branch, *picked(old, 5, 4, 3, 2, 1, 0)]

    async def test_history_of_one_thread_has_nothing_of_another(self, writer: Writer) -> None:
        old, other = await grown_old(writer), await grown_old(Writer(writer.saver))
        assert await old.history() == old.made[::-1]
        assert await other.history(filter={"user": "u0"}) == picked(other, 2, 1, 0)

    async def test_history_longer_than_a_page_is_whole(self, writer: Writer) -> None:
        for n in range(230):
            await writer.commit({"n": b"%d" % n}, metadata={"even": n % 2 == 0})
        assert await writer.history() == writer.made[::-1]
        assert await writer.history(filter={"even": True}, limit=105) == writer.made[::-1][1:211:2]

    async def test_history_can_be_left_early(self, writer: Writer) -> None:
        old = await grown_old(writer)
        pages: Any = old.saver.history(old.thread)
        async with aclosing(pages) as shown:
            async for stored in shown:
                assert stored.checkpoint.id == old.made[5]
                break
        assert await old.commit()

    async def test_history_goes_on_while_the_thread_does(self, writer: Writer) -> None:
        old = await grown_old(writer)
        before = list(old.made)
        seen: list[str] = []
        async for stored in old.saver.history(old.thread):
            seen.append(stored.checkpoint.id)
            if len(seen) < 3:
                await old.commit()
        assert [identity for identity in seen if identity in before] == before[::-1]
