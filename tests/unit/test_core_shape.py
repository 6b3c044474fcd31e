"""How a user's callable wants to be called (LangGraph G1, G3)."""

from functools import partial
from typing import Any

import pytest

from graphrt.config import RunnableConfig
from graphrt.core.shape import callable_name, first_parameter, hints_of, shape_of
from graphrt.errors import GraphValidationError
from graphrt.runtime import Runtime
from graphrt.types import StreamWriter
from tests.unit.core_world import Log, graph, says


def sync(state):
    return state


async def asynchronous(state):
    return state


class Callee:
    def __call__(self, state):
        return state

    async def method(self, state):
        return state


class AsyncCallee:
    async def __call__(self, state):
        return state


@pytest.mark.parametrize(
    "action, is_async",
    [
        (sync, False),
        (asynchronous, True),
        (partial(sync), False),
        (partial(partial(asynchronous)), True),
        (Callee(), False),
        (AsyncCallee(), True),
        (Callee().method, True),
        (lambda state: state, False),
        (len, False),
        (dict, False),
    ],
)
def test_shape_says_whether_calling_gives_a_coroutine(action, is_async):
    shape = shape_of(action)
    assert (shape.call, shape.is_async, shape.inject) == (action, is_async, ())


class Runnable:
    name = "runnable"

    def invoke(self, input, config=None): ...


class AsyncRunnable(Runnable):
    async def ainvoke(self, input, config=None): ...


def test_object_with_invoke_is_called_by_it():
    action = Runnable()
    assert (shape_of(action).call, shape_of(action).is_async) == (action.invoke, False)


def test_object_with_ainvoke_is_called_by_that():
    action = AsyncRunnable()
    assert (shape_of(action).call, shape_of(action).is_async) == (action.ainvoke, True)


def test_graph_is_called_by_ainvoke_and_finds_its_surroundings_by_itself():
    app = graph(Log, says("a"), paths=["START a"]).compile()
    shape = shape_of(app)
    assert (shape.call, shape.is_async, shape.inject) == (app.ainvoke, True, ())


@pytest.mark.parametrize("action", [3, "node", None, {"a": 1}])
def test_what_cannot_be_called_is_refused(action):
    with pytest.raises(GraphValidationError, match="Expected a function or another callable") as caught:
        shape_of(action)
    assert isinstance(caught.value, TypeError)


# ---- what is asked for by name


def injected(action: Any) -> dict[str, str]:
    return dict(shape_of(action).inject)


def test_arguments_are_asked_for_by_name():
    def node(state, config, *, runtime, writer): ...

    assert injected(node) == {"config": "config", "runtime": "runtime", "writer": "writer"}


def test_annotations_may_say_the_same():
    def node(state: Any, config: RunnableConfig | None, runtime: Runtime[None], writer: StreamWriter): ...

    assert set(injected(node)) == {"config", "runtime", "writer"}


def test_annotations_may_be_text():
    def node(state: "Any", config: "RunnableConfig", writer: "StreamWriter"): ...

    assert set(injected(node)) == {"config", "writer"}


def test_annotation_that_says_something_else_is_not_meant():
    def node(state, config: dict | None = None, writer: int = 3): ...

    assert injected(node) == {}


def test_first_parameter_is_the_input_whatever_its_name():
    def node(config, writer): ...

    assert set(injected(node)) == {"writer"}


def test_nothing_is_passed_that_cannot_be_passed_by_keyword():
    def node(state, config=None, /, *runtime, **writer): ...

    assert injected(node) == {}


def test_what_a_partial_leaves_open_is_asked_for():
    def node(bound, state, writer): ...

    assert set(injected(partial(node, 1))) == {"writer"}


# ---- names and annotations


@pytest.mark.parametrize(
    "action, name",
    [
        (sync, "sync"),
        (partial(sync), "sync"),
        (Callee(), "Callee"),
        (Callee().method, "method"),
        (Runnable(), "runnable"),
        (lambda state: state, "<lambda>"),
    ],
)
def test_callable_has_a_name(action, name):
    assert callable_name(action) == name


def test_hints_that_cannot_be_resolved_are_none():
    def node(state: "Missing") -> "Missing": ...  # noqa: F821

    assert hints_of(node) == {}


def test_hints_are_seen_through_partials_and_objects():
    class Typed:
        def __call__(self, state: int) -> str: ...

    def node(state: int) -> str: ...

    assert hints_of(partial(node)) == hints_of(Typed()) == {"state": int, "return": str}


@pytest.mark.parametrize(
    "action, name", [(sync, "state"), (Callee(), "state"), (lambda: None, None), (min, None)]
)
def test_first_parameter_takes_the_input(action, name):
    assert first_parameter(action) == name
