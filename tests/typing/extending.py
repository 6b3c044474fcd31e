"""Users' own checkpointers and channels, and programs of channels. Never run: read by type checkers alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Self, TypedDict, assert_type

from graphrt.channels import MISSING, BaseChannel, EphemeralValue, LastValue, Missing, Topic
from graphrt.checkpoint import Checkpointer, Commit, Stored, TaskResult
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.errors import EmptyChannelError
from graphrt.graph import StateGraph
from graphrt.pregel import ChannelWriteEntry, NodeBuilder, Pregel


class Stateless:
    """All that a checkpointer of a user's own has to have; it needs no base class."""

    async def commit(self, commit: Commit) -> None: ...

    async def append_results(
        self, thread_id: str, namespace: str, checkpoint_id: str, results: Sequence[TaskResult]
    ) -> None: ...

    async def load(
        self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None
    ) -> Stored | None: ...

    async def history(
        self,
        thread_id: str,
        namespace: str = "",
        *,
        filter: Mapping[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Stored]:
        stored: list[Stored] = []
        for one in stored:
            yield one

    async def adelete_thread(self, thread_id: str) -> None: ...


class Forgetful(Stateless):
    """Says of the class whether it ever waits."""

    immediate = False


class Slow(Stateless):
    """Says it per object."""

    def __init__(self, immediate: bool) -> None:
        self.immediate = immediate


class Computed(Stateless):
    """Works it out."""

    @property
    def immediate(self) -> bool:
        return True


class Highest(BaseChannel[int, int, int]):
    """A channel of a user's own."""

    def __init__(self, typ: Any = int, key: str = "") -> None:
        super().__init__(typ, key)
        self.value: int | Missing = MISSING

    def from_checkpoint(self, checkpoint: int | Missing, /) -> Self:
        channel = type(self)(self.typ, self.key)
        channel.value = checkpoint
        return channel

    def get(self) -> int:
        if self.value is MISSING:
            raise EmptyChannelError(self.key)
        return self.value

    def update(self, values: Sequence[int], /) -> bool:
        return bool(values)


class State(TypedDict):
    best: Annotated[int, Highest]
    worst: Annotated[int, Highest()]


# Checkpointers.
savers: list[Checkpointer] = [InMemorySaver(), Forgetful(), Slow(True), Computed()]
builder = StateGraph(State)
builder.compile(InMemorySaver())
builder.compile(checkpointer=Forgetful())
builder.compile(checkpointer=Slow(False))
builder.compile(checkpointer="memory://")
builder.compile(checkpointer=False)
assert_type(InMemorySaver().immediate, bool)


async def reading(saver: Checkpointer) -> None:
    stored = await saver.load("thread", checkpoint_id="id")
    assert_type(stored, Stored | None)
    async for older in saver.history("thread", limit=3):
        assert_type(older, Stored)


# Channels and programs of them.
assert_type(Highest().get(), int)
assert_type(Highest().copy(), Highest)
assert_type(Highest().fresh(), Highest)
program = Pregel(
    nodes={
        "double": NodeBuilder().subscribe_only("a").do(lambda a: a + a).write_to("b", best=3),
        "built": NodeBuilder()
        .subscribe_to("a", read=False)
        .read_from("b")
        .write_to(ChannelWriteEntry("b"))
        .build(),
    },
    channels={"a": EphemeralValue(str), "b": LastValue(str), "best": Highest(), "topic": Topic(str)},
    input_channels="a",
    output_channels=["b", "best"],
    stream_mode=["values", "updates"],
    checkpointer=Forgetful(),
)
assert_type(program, Pregel[Any, None, Any, Any])
assert_type(program.validate(), Pregel[Any, None, Any, Any])
assert_type(
    Pregel(nodes={}, input_channels="a", output_channels="a", context_schema=State),
    Pregel[Any, State, Any, Any],
)


# What must not pass.
class WithoutHistory:
    immediate = True

    async def commit(self, commit: Commit) -> None: ...


class Halfway(BaseChannel[int, int, int]):
    def get(self) -> int:
        return 1


class WrongUpdate(Highest):
    def update(self, values: Sequence[str], /) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return True


builder.compile(checkpointer=WithoutHistory())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
builder.compile(checkpointer=InMemorySaver)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Halfway(int)  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
Highest().update(["1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
Pregel(nodes={"a": print}, input_channels="a", output_channels="a")  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
Pregel(nodes={}, channels={"a": str}, input_channels="a", output_channels="a")  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
Pregel(nodes={}, input_channels="a", output_channels="a", stream_mode="value")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Pregel(nodes={}, input_channels="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
NodeBuilder().subscribe_only(["a", "b"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
NodeBuilder().do("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
NodeBuilder().write_to(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
