"""What a run's config becomes by the time a node sees it (LangGraph A1-A4, D8)."""

from typing import Any

import pytest

from graphrt.config import RunnableConfig, get_config
from tests.acceptance.graphs import Log, graph, says, thread


class Seen(dict[str, Any]):
    """The config of the node `look`, kept by its key."""

    async def look(self, state: Log, config: RunnableConfig) -> None:
        self.update(config)


@pytest.fixture
def seen() -> Seen:
    return Seen()


def looking(seen: Seen) -> Any:
    return graph(Log, ("look", seen.look), paths=["START look"]).compile()


@pytest.mark.parity("A1")
async def test_a1_without_config_a_node_sees_no_tags_and_no_thread(seen: Seen) -> None:
    await looking(seen).ainvoke({})
    assert not seen.get("tags")
    assert "thread_id" not in seen["configurable"]


@pytest.mark.parity("A1")
async def test_a1_tags_of_graph_and_call_add_up(seen: Seen) -> None:
    app = looking(seen).with_config({"tags": ["own"]})
    await app.ainvoke({}, {"tags": ["call"]})
    assert sorted(seen["tags"]) == ["call", "own"]


@pytest.mark.parity("A1")
async def test_a1_metadata_merges_and_the_call_wins(seen: Seen) -> None:
    app = looking(seen).with_config({"metadata": {"team": "red", "tier": 1}})
    await app.ainvoke({}, {"metadata": {"tier": 2}})
    assert (seen["metadata"]["team"], seen["metadata"]["tier"]) == ("red", 2)


@pytest.mark.parity("A1")
async def test_a1_configurable_merges_and_the_call_wins(seen: Seen) -> None:
    app = looking(seen).with_config({"configurable": {"user": "u1", "lang": "en"}})
    await app.ainvoke({}, {"configurable": {"lang": "de"}})
    assert (seen["configurable"]["user"], seen["configurable"]["lang"]) == ("u1", "de")


@pytest.mark.parity("A1")
async def test_a1_unknown_keys_move_into_configurable(seen: Seen) -> None:
    await looking(seen).ainvoke({}, {"user": "u1"})
    assert seen["configurable"]["user"] == "u1"


@pytest.mark.parity("A1")
async def test_a1_with_config_leaves_the_original_alone(seen: Seen) -> None:
    app = looking(seen)
    app.with_config({"tags": ["other"]})
    await app.ainvoke({})
    assert not seen.get("tags")


@pytest.mark.parity("A1")
async def test_a1_the_callers_config_is_not_changed(seen: Seen) -> None:
    config: dict[str, Any] = {"tags": ["x"], "metadata": {}, "configurable": {"user": "u1"}}
    await looking(seen).ainvoke({}, config)
    assert config == {"tags": ["x"], "metadata": {}, "configurable": {"user": "u1"}}


def outer_around(seen: Seen, config: dict[str, Any] | None = None) -> Any:
    """A graph whose node runs another graph with `config`; `seen` is what the inner node sees."""
    inner = looking(seen)

    async def call(state: Log) -> None:
        await inner.ainvoke({"log": []}, config)

    return graph(Log, call, paths=["START call"]).compile()


@pytest.mark.parity("A1")
async def test_a1_a_graph_run_inside_a_node_inherits_the_ambient_config(seen: Seen) -> None:
    await outer_around(seen).ainvoke({}, {"metadata": {"team": "red"}, "configurable": {"user": "u1"}})
    assert seen["metadata"]["team"] == "red"
    assert seen["configurable"]["user"] == "u1"


@pytest.mark.parity("A1")
async def test_a1_ambient_tags_are_not_doubled(seen: Seen) -> None:
    await outer_around(seen, {"tags": ["inner"]}).ainvoke({}, {"tags": ["outer"]})
    assert sorted(seen["tags"]) == ["inner", "outer"]


@pytest.mark.parity("A2")
async def test_a2_a_thread_id_of_its_own_makes_an_inner_run_independent(seen: Seen) -> None:
    config = {"configurable": {"thread_id": "inner"}}
    await outer_around(seen, config).ainvoke({}, {"configurable": {"thread_id": "outer", "user": "u1"}})
    assert seen["configurable"]["thread_id"] == "inner"
    assert "user" not in seen["configurable"]


@pytest.mark.parity("A2")
async def test_a2_an_inner_run_keeps_the_ambient_thread_id(seen: Seen) -> None:
    await outer_around(seen, {"configurable": {"lang": "de"}}).ainvoke({}, thread("outer"))
    assert seen["configurable"]["thread_id"] == "outer"
    assert seen["configurable"]["lang"] == "de"


@pytest.mark.parity("A3")
@pytest.mark.parametrize("key", ["thread_id", "run_id", "assistant_id", "graph_id"])
async def test_a3_identifying_keys_are_copied_to_metadata(seen: Seen, key: str) -> None:
    await looking(seen).ainvoke({}, {"configurable": {key: "x1"}})
    assert seen["metadata"][key] == "x1"


@pytest.mark.parity("A3")
async def test_a3_metadata_of_the_same_name_is_kept(seen: Seen) -> None:
    await looking(seen).ainvoke({}, {"configurable": {"thread_id": "t"}, "metadata": {"thread_id": "mine"}})
    assert seen["metadata"]["thread_id"] == "mine"


@pytest.mark.parity("A4")
async def test_a4_a_checkpointer_needs_a_thread(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    with pytest.raises(ValueError, match="thread_id"):
        await app.ainvoke({})


@pytest.mark.parity("A4")
async def test_a4_thread_ids_are_text(saver: Any) -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile(checkpointer=saver)
    await app.ainvoke({}, {"configurable": {"thread_id": 7}})
    assert (await app.aget_state(thread("7"))).values == {"log": ["a"]}


@pytest.mark.parity("A4")
async def test_a4_a_step_limit_below_one_is_refused() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    with pytest.raises(ValueError, match="recursion_limit"):
        await app.ainvoke({}, {"recursion_limit": 0})


@pytest.mark.parity("A4")
async def test_a4_a_state_graph_streams_updates_by_default() -> None:
    app = graph(Log, says("a"), paths=["START a"]).compile()
    assert [chunk async for chunk in app.astream({})] == [{"a": {"log": ["a"]}}]


@pytest.mark.parity("D8")
async def test_d8_metadata_says_which_task_runs(seen: Seen) -> None:
    app = graph(Log, says("a"), ("look", seen.look), paths=["START a look"]).compile()
    await app.ainvoke({})
    metadata = seen["metadata"]
    assert (metadata["langgraph_step"], metadata["langgraph_node"]) == (2, "look")
    assert tuple(metadata["langgraph_triggers"]) == ("branch:to:look",)
    assert tuple(metadata["langgraph_path"]) == ("__pregel_pull", "look")


@pytest.mark.parity("D8")
async def test_d8_node_metadata_is_part_of_its_tasks_metadata(seen: Seen) -> None:
    builder = graph(Log, says("a"), paths=["START a look"])
    builder.add_node("look", seen.look, metadata={"cost": 3})
    await builder.compile().ainvoke({}, {"metadata": {"cost": 1, "team": "red"}})
    assert (seen["metadata"]["cost"], seen["metadata"]["team"]) == (3, "red")


@pytest.mark.parity("D8")
async def test_d8_get_config_returns_the_running_tasks_config() -> None:
    found: list[Any] = []

    async def look(state: Log) -> None:
        found.append(get_config()["metadata"]["langgraph_node"])

    await graph(Log, look, paths=["START look"]).compile().ainvoke({})
    assert found == ["look"]


@pytest.mark.parity("D8")
async def test_d8_get_config_outside_a_run_is_refused() -> None:
    with pytest.raises(RuntimeError):
        get_config()
