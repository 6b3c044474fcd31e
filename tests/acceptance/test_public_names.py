"""The names, parameters and fields that programs written for LangGraph use (section 1 of the parity table)."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from graphrt import channels, constants, errors, managed, types
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
    options = "checkpointer cache store interrupt_before interrupt_after debug name"
    assert missing(StateGraph.compile, options) == []
    policies = "retry_policy cache_policy timeout error_handler"
    assert missing(StateGraph.add_node, f"defer metadata input_schema destinations {policies}") == []
    assert missing(StateGraph.set_node_defaults, policies) == []


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


@pytest.mark.parity("1.1")
def test_messages_are_where_langgraph_has_them() -> None:
    from graphrt.graph import MessagesState, add_messages, message

    assert message.MessagesState is MessagesState
    assert message.add_messages is add_messages


@pytest.mark.parity("1.2")
def test_names_of_messages_and_components_are_langgraphs() -> None:
    from graphrt.graph import message, ui

    names = "MessagesState REMOVE_ALL_MESSAGES add_messages push_message AnyMessage"
    assert [name for name in names.split() if name not in message.__all__] == []
    names = "AnyUIMessage RemoveUIMessage UIMessage delete_ui_message push_ui_message ui_message_reducer"
    assert [name for name in names.split() if name not in ui.__all__] == []
    assert missing(message.add_messages, "left right format") == []
    assert missing(ui.push_ui_message, "name props id metadata message state_key merge") == []


@pytest.mark.parity("1.3")
def test_policies_have_the_fields_of_langgraphs() -> None:
    retry = types.RetryPolicy()
    assert (retry.initial_interval, retry.backoff_factor, retry.max_interval) == (0.5, 2.0, 128.0)
    assert (retry.max_attempts, retry.jitter, retry.retry_on) == (3, True, types.default_retry_on)
    assert missing(types.TimeoutPolicy, "run_timeout idle_timeout refresh_on") == []
    assert missing(types.CachePolicy, "key_func ttl") == []


@pytest.mark.parity("1.5")
def test_channels_have_langgraphs_names_and_methods() -> None:
    names = (
        "AnyValue BaseChannel BinaryOperatorAggregate DeltaChannel EphemeralValue LastValue LastValueAfterFinish "
        "NamedBarrierValue NamedBarrierValueAfterFinish Topic UntrackedValue"
    )
    assert [name for name in names.split() if name not in channels.__all__] == []
    methods = "update get is_available checkpoint from_checkpoint copy consume finish"
    assert [name for name in methods.split() if not callable(getattr(channels.BaseChannel, name, None))] == []


@pytest.mark.parity("1.6")
def test_managed_values_have_langgraphs_names() -> None:
    names = "IsLastStep RemainingSteps ManagedValue is_managed_value"
    assert [name for name in names.split() if not hasattr(managed, name)] == []


@pytest.mark.parity("1.11")
def test_stores_have_langgraphs_names_and_parameters() -> None:
    from graphrt.store import base

    names = (
        "BaseStore Item SearchItem GetOp SearchOp PutOp ListNamespacesOp MatchCondition TTLConfig IndexConfig "
        "InvalidNamespaceError NOT_PROVIDED ensure_embeddings tokenize_path get_text_at_path"
    )
    assert [name for name in names.split() if name not in base.__all__] == []
    for prefix in ("", "a"):
        assert (
            missing(getattr(base.BaseStore, f"{prefix}search"), "query filter limit offset refresh_ttl") == []
        )
        assert missing(getattr(base.BaseStore, f"{prefix}put"), "namespace key value index ttl") == []


@pytest.mark.parity("1.12")
def test_caches_have_langgraphs_names_and_parameters() -> None:
    from graphrt.cache.base import BaseCache

    methods = "get set clear aget aset aclear"
    assert [name for name in methods.split() if not callable(getattr(BaseCache, name, None))] == []
