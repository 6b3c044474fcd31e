"""What the annotations of a state name and no registration can make storable is found before anything runs."""

import asyncio
import contextvars
import socket
import threading
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType, ModuleType
from typing import IO, Annotated, Any, NamedTuple, TextIO, TypedDict

import pydantic
import pytest

from graphrt.serde import TypeRegistry
from graphrt.types import Send
from tests.unit.test_serde_families import Everything


def unserializable(schema: object) -> dict[str, object]:
    return dict(TypeRegistry().unserializable(schema))


@pytest.mark.parametrize(
    "hint",
    [
        Callable[[int], str], typing.Callable, FunctionType, partial, type[int], type,
        Iterator[int], Generator[int, None, None], AsyncIterator[int], Awaitable[int],
        IO[str], TextIO, threading.Lock, type(threading.Lock()), threading.RLock, threading.Event, threading.Thread,
        asyncio.Lock, asyncio.Queue, asyncio.Task, asyncio.Future, asyncio.AbstractEventLoop,
        socket.socket, ModuleType, contextvars.ContextVar, memoryview,
    ],
    ids=lambda hint: str(hint).partition(" at 0x")[0],
)  # fmt: skip
def test_it_is_found_wherever_it_stands(hint: Any) -> None:
    assert unserializable(TypedDict("State", {"x": hint, "y": int})) == {"x": hint}
    assert unserializable(TypedDict("State", {"x": Annotated[list[hint] | None, "reducer"]})) == {"x[]": hint}


@dataclass
class Job:
    name: str
    done: Callable[[], None]
    after: list["Job"] = field(default_factory=list)


class Owner(pydantic.BaseModel, arbitrary_types_allowed=True):
    jobs: dict[str, tuple[Job, ...]]
    lock: Annotated[Any, threading.Lock] = None


class Pair(NamedTuple):
    left: int
    right: Iterator[int] | None


def test_the_path_leads_through_classes_and_containers() -> None:
    class State(TypedDict):
        owner: Owner
        pairs: list[Pair] | None
        on_end: Callable[[int], str]
        on_error: Callable[[int], str]

    found = TypeRegistry().unserializable(State)
    assert found == [
        ("owner.jobs[][].done", Callable[[], None]),
        ("pairs[].right", Iterator[int]),
        ("on_end", Callable[[int], str]),
        ("on_error", Callable[[int], str]),
    ]


def test_what_can_be_stored_is_not_told() -> None:
    class Plain: ...

    class Base(TypedDict):
        later: Plain  # may yet be registered, or have subclasses that describe themselves
        unknown: "Nowhere"  # type: ignore[name-defined]  # noqa: F821
        anything: Any
        send: Send | Exception | None

    assert unserializable(Base) == unserializable(Everything) == unserializable(list[int]) == {}


def test_a_class_that_describes_itself_may_have_any_base() -> None:
    @dataclass
    class Rows(Iterator[int]):
        at: int = 0

        def __next__(self) -> int:
            raise StopIteration

    class State(TypedDict):
        rows: Rows

    assert unserializable(State) == {}


def test_a_registered_type_is_not_told() -> None:
    class State(TypedDict):
        event: threading.Event
        job: Job
        thread: threading.Thread

    registry = TypeRegistry()
    registry.register(
        "event", threading.Event, encode=threading.Event.is_set, decode=lambda _: threading.Event()
    )
    registry.register("job", Job, encode=lambda job: job.name, decode=lambda name: Job(name, print))
    assert registry.unserializable(State) == [("thread", threading.Thread)]


def test_asking_registers_nothing() -> None:
    registry = TypeRegistry()
    before = registry.tags()
    registry.unserializable(Everything)
    assert registry.tags() == before


def test_annotations_that_lead_back_to_themselves_end() -> None:
    assert unserializable(Job) == {"done": Callable[[], None]}
