"""What happens when a node fails or the run is cancelled (LangGraph G9, G11, G12)."""

import asyncio
from typing import Any

import pytest

from graphrt.errors import NodeCancelledError
from tests.acceptance.graphs import Log, graph, says, thread


class Bystander:
    """A node that waits until somebody cancels it."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def node(self, state: Any) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def failing_beside(bystander: Bystander, error: BaseException) -> Any:
    """A builder in which `fail` raises `error` as soon as `bystander` runs."""

    async def fail(state: Any) -> None:
        await bystander.started.wait()
        raise error

    return graph(Log, fail, ("bystander", bystander.node), paths=["START fail", "START bystander"])


@pytest.mark.parity("G9")
async def test_g9_a_nodes_exception_reaches_the_caller_as_it_is() -> None:
    error = LookupError("mine")

    async def fail(state: Any) -> None:
        raise error

    with pytest.raises(LookupError) as raised:
        await graph(Log, fail, paths=["START fail"]).compile().ainvoke({})
    assert raised.value is error


@pytest.mark.parity("G9")
@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_g9_a_note_names_the_node(kind: str) -> None:
    async def fail(state: Any) -> None:
        raise LookupError("mine")

    def fail_plainly(state: Any) -> None:
        raise LookupError("mine")

    node = fail if kind == "async" else fail_plainly
    with pytest.raises(LookupError) as raised:
        await graph(Log, ("broken", node), paths=["START broken"]).compile().ainvoke({})
    assert any("'broken'" in note for note in raised.value.__notes__)


@pytest.mark.parity("G9")
async def test_g9_the_first_failure_cancels_the_siblings() -> None:
    bystander = Bystander()
    with pytest.raises(LookupError):
        await failing_beside(bystander, LookupError()).compile().ainvoke({})
    assert bystander.cancelled.is_set()


@pytest.mark.parity("G9")
async def test_g9_the_first_failure_cancels_the_siblings_while_streaming() -> None:
    bystander = Bystander()
    with pytest.raises(LookupError):
        async for _ in failing_beside(bystander, LookupError()).compile().astream({}):
            pass
    assert bystander.cancelled.is_set()


@pytest.mark.parity("G9")
async def test_g9_a_failed_step_changes_nothing(saver: Any) -> None:
    app = failing_beside(Bystander(), LookupError()).compile(checkpointer=saver)
    with pytest.raises(LookupError):
        await app.ainvoke({"log": ["in"]}, thread())
    state = await app.aget_state(thread())
    assert (state.values, sorted(state.next)) == ({"log": ["in"]}, ["bystander", "fail"])


@pytest.mark.parity("G9", "N3")
async def test_g9_the_failure_is_remembered_with_its_task(saver: Any) -> None:
    app = failing_beside(Bystander(), LookupError("mine")).compile(checkpointer=saver)
    with pytest.raises(LookupError):
        await app.ainvoke({}, thread())
    errors = {task.name: task.error for task in (await app.aget_state(thread())).tasks}
    assert "mine" in str(errors["fail"])


@pytest.mark.parity("G9", "K8")
async def test_g9_siblings_that_finished_before_are_not_run_again(saver: Any) -> None:
    calls: list[str] = []
    ok_is_done = asyncio.Event()

    async def fail(state: Log) -> dict[str, Any]:
        calls.append("fail")
        await ok_is_done.wait()
        if calls.count("fail") == 1:
            raise ConnectionError
        return {"log": ["fail"]}

    async def ok(state: Log) -> dict[str, Any]:
        calls.append("ok")
        return {"log": ["ok"]}

    app = graph(Log, fail, ok, paths=["START fail", "START ok"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        async for _ in app.astream({}, thread()):
            ok_is_done.set()
    assert await app.ainvoke(None, thread()) == {"log": ["fail", "ok"]}
    assert calls.count("ok") == 1


@pytest.mark.parity("G9")
async def test_g9_of_several_failures_one_is_raised() -> None:
    async def fail(state: Any) -> None:
        raise LookupError

    app = graph(Log, ("p", fail), ("q", fail), paths=["START p", "START q"]).compile()
    with pytest.raises(LookupError):
        await app.ainvoke({})


@pytest.mark.parity("G11")
async def test_g11_a_node_that_raises_cancelled_error_itself_has_failed() -> None:
    async def node(state: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError) as raised:
        await graph(Log, node, paths=["START node"]).compile().ainvoke({})
    assert raised.value.node == "node"


@pytest.mark.parity("G11")
async def test_g11_the_same_beside_a_sibling() -> None:
    bystander = Bystander()
    with pytest.raises(NodeCancelledError):
        await failing_beside(bystander, asyncio.CancelledError()).compile().ainvoke({})
    assert bystander.cancelled.is_set()


@pytest.mark.parity("G11")
async def test_g11_a_cancelled_child_task_of_a_node_is_the_nodes_failure() -> None:
    async def node(state: Any) -> None:
        child = asyncio.create_task(asyncio.Event().wait())
        child.cancel()
        await child

    with pytest.raises(NodeCancelledError):
        await graph(Log, node, paths=["START node"]).compile().ainvoke({})


@pytest.mark.parity("G12")
@pytest.mark.parametrize("siblings", [1, 3])
async def test_g12_cancelling_the_run_cancels_its_nodes(siblings: int) -> None:
    bystanders = [Bystander() for _ in range(siblings)]
    nodes = [(f"n{i}", bystander.node) for i, bystander in enumerate(bystanders)]
    app = graph(Log, *nodes, paths=[f"START {name}" for name, _ in nodes]).compile()
    run = asyncio.create_task(app.ainvoke({}))
    for bystander in bystanders:
        await bystander.started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert all(bystander.cancelled.is_set() for bystander in bystanders)


@pytest.mark.parity("G12")
async def test_g12_a_cancelled_run_leaves_no_task_behind() -> None:
    bystanders = [Bystander(), Bystander()]
    app = graph(Log, *((f"n{i}", b.node) for i, b in enumerate(bystanders)), paths=["START n0", "START n1"])
    before = asyncio.all_tasks()
    run = asyncio.create_task(app.compile().ainvoke({}))
    for bystander in bystanders:
        await bystander.started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert asyncio.all_tasks() == before


@pytest.mark.parity("G12")
async def test_g12_a_cancelled_thread_can_go_on(saver: Any) -> None:
    bystander = Bystander()
    app = graph(Log, says("a"), ("wait", bystander.node), paths=["START a wait"]).compile(checkpointer=saver)
    run = asyncio.create_task(app.ainvoke({}, thread()))
    await bystander.started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    state = await app.aget_state(thread())
    assert (state.values, state.next) == ({"log": ["a"]}, ("wait",))


@pytest.mark.parity("G12")
async def test_g12_an_outer_timeout_ends_the_run() -> None:
    bystander = Bystander()
    app = graph(Log, ("wait", bystander.node), paths=["START wait"]).compile()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(app.ainvoke({}), 0.01)
    assert bystander.cancelled.is_set()


@pytest.mark.parity("G12", "J13")
async def test_g12_leaving_a_stream_cancels_what_runs() -> None:
    bystander = Bystander()

    async def quick(state: Any) -> None:
        await bystander.started.wait()

    app = graph(Log, quick, ("wait", bystander.node), paths=["START quick", "START wait"]).compile()
    stream = app.astream({})
    assert await anext(stream) == {"quick": None}
    await stream.aclose()
    assert bystander.cancelled.is_set()


async def test_g9_a_timeout_of_a_nodes_own_is_not_taken_for_the_steps() -> None:
    async def impatient(state: Any) -> None:
        raise TimeoutError

    async def beside(state: Any) -> None:
        await asyncio.sleep(0)

    builder = graph(
        Log, ("beside", beside), ("impatient", impatient), paths=["START beside", "START impatient"]
    )
    with pytest.raises(TimeoutError) as caught:
        await builder.compile().ainvoke({"log": []})
    assert caught.value.args == ()
    assert any("impatient" in note for note in caught.value.__notes__)
