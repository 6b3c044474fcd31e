"""What was written comes back as it was: checkpoints, names, bytes.

Of the behaviour reference's §3.4 this covers of `get_tuple`: nonexistent, latest, specific, fields, metadata, parent,
unknown id; of `put`: roundtrip, values, metadata, run id, parent.
"""

from __future__ import annotations

from typing import Any

import pytest

from graphrt.checkpoint import Checkpointer
from graphrt.testing.conformance.case import CheckpointerCase
from graphrt.testing.conformance.records import Writer, new_id, new_thread, result

__all__ = ["Reading"]

METADATA: dict[str, Any] = {
    "user": "Ådá 'quoted' \"twice\"",
    "run_id": "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
    "n": -3,
    "big": 2**53,
    "half": 0.5,
    "yes": True,
    "": "",
}


class Reading(CheckpointerCase):
    """Loads give back what commits brought."""

    async def test_saver_is_a_checkpointer(self, saver: Any) -> None:
        assert isinstance(saver, Checkpointer)
        assert saver.immediate in (True, False)

    async def test_thread_that_nobody_wrote_is_none(self, saver: Checkpointer) -> None:
        assert await saver.load(new_thread()) is None
        assert await saver.load(new_thread(), "namespace", new_id()) is None

    async def test_checkpoint_that_nobody_wrote_is_none(self, writer: Writer) -> None:
        await writer.commit()
        assert await writer.saver.load(writer.thread, "", new_id()) is None

    @pytest.mark.parametrize("identity", ["none", "'; --", "0" * 200, "ä\x01"])
    async def test_text_that_is_no_id_is_no_checkpoint(self, writer: Writer, identity: str) -> None:
        await writer.commit()
        assert await writer.saver.load(writer.thread, "", identity) is None

    async def test_newest_checkpoint_is_loaded_by_default(self, writer: Writer) -> None:
        await writer.commit()
        newest = await writer.commit()
        assert (await writer.load()).checkpoint.id == newest

    async def test_older_checkpoint_is_loaded_by_its_id_and_tells_the_head(self, writer: Writer) -> None:
        older, newest = await writer.commit(), await writer.commit()
        stored = await writer.load(older)
        assert (stored.checkpoint.id, stored.head) == (older, newest)

    @pytest.mark.parametrize(
        "fields",
        [
            {"source": "input", "step": -1},
            {"source": "fork", "step": 12_345, "version": 2**40},
            {"source": "update"},
            {"next": ("a", "b"), "ran": ("__start__",)},
            {"next": ("ä 'b' \"c\"", "", "x,y"), "ran": ("[]", "null")},
            {"metadata": METADATA},
        ],
    )
    async def test_checkpoint_comes_back_as_it_was(self, writer: Writer, fields: dict[str, Any]) -> None:
        await writer.commit()
        commit = writer.next(**fields)
        await writer.saver.commit(commit)
        assert (await writer.load()).checkpoint == commit.checkpoint

    @pytest.mark.parametrize(
        "identity",
        ["1", "1EF0A1B2-C3D4-6E5F-8A9B-0C1D2E3F4A5B", "1ef0a1b2c3d46e5f8a9b0c1d2e3f4a5b", "ä"],
        ids=["short", "upper case", "no dashes", "umlaut"],
    )
    async def test_id_that_is_no_usual_uuid_comes_back_as_it_was(self, writer: Writer, identity: str) -> None:
        await writer.commit({"a": b"1"}, id=identity)
        await writer.append(result("p"))
        assert (await writer.load(identity)).checkpoint.id == identity
        last = await writer.commit({"b": b"2"})
        assert await writer.history() == [last, identity]
        assert (await writer.load()).checkpoint.parent_id == identity

    async def test_metadata_keeps_its_types(self, writer: Writer) -> None:
        await writer.commit(metadata={"one": 1, "true": True, "float": 1.0})
        stored = (await writer.load()).checkpoint.metadata
        assert {key: type(value) for key, value in stored.items()} == {
            "one": int,
            "true": bool,
            "float": float,
        }

    @pytest.mark.parametrize(
        "data",
        [b"", b"\x00", bytes(range(256)), b"x" * 1_000_000],
        ids=["empty", "nul", "all", "megabyte"],
    )
    async def test_bytes_come_back_as_they_were(self, writer: Writer, data: bytes) -> None:
        await writer.commit({"value": data})
        await writer.commit(appends={"value": data})
        stored = await writer.load()
        assert (stored.channels, stored.appends) == ({"value": data}, {"value": (data,)})

    @pytest.mark.parametrize(
        "name",
        ["a", "join:a+b:c", "branch:to:x", "__pregel_tasks", "ä 'b' \"c\" %s ? :x $1", "", "x" * 300],
    )
    async def test_names_come_back_as_they_were(self, writer: Writer, name: str) -> None:
        named = Writer(writer.saver, thread=f"{writer.thread}{name}", namespace=f"namespace {name}")
        await named.commit({name: b"1"}, next=(name,))
        stored = await named.load()
        assert (dict(stored.channels), stored.checkpoint.next) == ({name: b"1"}, (name,))

    async def test_changing_what_was_read_does_not_change_the_thread(self, writer: Writer) -> None:
        await writer.commit({"a": b"1"})
        read: Any = (await writer.load()).channels
        read["b"] = b"2"
        assert (await writer.load()).channels == {"a": b"1"}
