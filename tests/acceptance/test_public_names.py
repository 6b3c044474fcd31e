"""The names, parameters and fields that programs written for LangGraph use (section 1 of the parity table)."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from graphrt import constants, errors, types
from graphrt.graph import StateGraph
from graphrt.pregel import Pregel
from graphrt.types import Command, Interrupt, StateUpdate
from tests.acceptance.graphs import Log, graph, says

BOTH_WAYS = [
    *("invoke", "stream", "batch", "get_state", "get_state_history", "update_state", "bulk_update_state"),
    "get_subgraphs",
]


def missing(function: Callable[..., Any], names: str) -> list[str]:
    """Which parameters a function does not take."""
    return [name for name in names.split() if name not in inspect.signature(function).parameters]


@pytest.mark.parity("1.1")
def test_a_builder_has_the_methods_of_langgraphs() -> None:
    methods = "add_node add_edge add_conditional_edges add_sequence set_entry_point set_finish_point compile"
    assert [name for name in methods.split() if not callable(getattr(StateGraph, name, None))] == []
    assert missing(StateGraph.compile, "checkpointer interrupt_before interrupt_after debug name") == []


@pytest.mark.parity("1.3")
def test_commands_have_the_fields_of_langgraphs() -> None:
    command: Any = Command()
    assert (command.graph, command.update, command.resume, command.goto) == (None, None, None, ())
    assert Command.PARENT == "__parent__"


@pytest.mark.parity("1.3")
def test_questions_and_edits_have_the_fields_of_langgraphs() -> None:
    question = Interrupt("?", "id")
    assert (question.value, question.id, question.response_schema) == ("?", "id", None)
    assert StateUpdate({"a": 1}) == ({"a": 1}, None, None)
    assert missing(types.interrupt, "value response_schema") == []


@pytest.mark.parity("1.3")
def test_snapshots_have_the_fields_of_langgraphs() -> None:
    fields = "values next config metadata created_at parent_config tasks interrupts"
    assert types.StateSnapshot._fields == tuple(fields.split())
    assert types.PregelTask._fields == tuple("id name path error interrupts state result".split())


@pytest.mark.parity("1.7")
@pytest.mark.parametrize("name", BOTH_WAYS)
def test_methods_of_a_graph_come_in_pairs(name: str) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert callable(getattr(app, name)) and callable(getattr(app, f"a{name}"))


@pytest.mark.parity("1.7")
def test_runs_take_the_options_of_langgraphs() -> None:
    shared = "input config context stream_mode print_mode output_keys interrupt_before interrupt_after"
    shared += " durability control version"
    assert missing(Pregel.ainvoke, shared) == []
    assert missing(Pregel.astream, f"{shared} subgraphs debug") == []
    assert missing(Pregel.aupdate_state, "config values as_node task_id") == []


@pytest.mark.parity("1.8")
def test_signals_and_errors_have_the_ancestors_of_langgraphs() -> None:
    assert issubclass(errors.NodeInterrupt, errors.GraphInterrupt)
    assert issubclass(errors.GraphInterrupt, errors.GraphBubbleUp)
    assert issubclass(errors.ParentCommand, errors.GraphBubbleUp)
    assert issubclass(errors.GraphRecursionError, RecursionError)
    assert errors.GraphInterrupt((Interrupt("?"),)).args == ((Interrupt("?"),),)


@pytest.mark.parity("1.8")
def test_constants_have_the_values_of_langgraphs() -> None:
    values = {
        "START": "__start__",
        "END": "__end__",
        "TAG_HIDDEN": "langsmith:hidden",
        "TAG_NOSTREAM": "nostream",
    }
    assert {name: getattr(constants, name) for name in values} == values
