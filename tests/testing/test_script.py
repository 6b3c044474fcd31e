"""Scripted runs: every question finds its answer, and what does not fit is said."""

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from graphrt import START, StateGraph, interrupt
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.checkpoint.sqlite import SqliteSaver
from graphrt.func import entrypoint
from graphrt.testing.script import ScriptError, UnansweredError, UnaskedError, in_turn, play


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


def asking(*questions: Any) -> Callable[[State], Any]:
    async def node(state: State) -> dict[str, Any]:
        return {"log": [interrupt(question) for question in questions]}

    return node


def graph_of(**nodes: Any) -> Any:
    """Nodes that run at the same time."""
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile()


NOTHING: dict[str, Any] = {"log": []}


async def test_questions_are_answered_by_value():
    played = await play(graph_of(a=asking("x?", "y?")), NOTHING, answers={"x?": 1, "y?": 2})
    assert played.value == {"log": [1, 2]}
    assert played.questions == ["x?", "y?"]


async def test_questions_are_answered_by_node():
    played = await play(graph_of(a=asking("x?"), b=asking("x?")), NOTHING, answers={"b": 2, "a": 1})
    assert played.value == {"log": [1, 2]}


async def test_questions_are_answered_by_a_function_of_them():
    graph = graph_of(a=asking({"draft": 7}))
    answers = [(lambda question: question.value["draft"] == 7 and question.node == "a", "yes")]
    assert (await play(graph, NOTHING, answers=answers)).value == {"log": ["yes"]}


async def test_questions_that_cannot_be_keys_are_answered_in_pairs():
    answers = [({"draft": 7}, "yes")]
    assert (await play(graph_of(a=asking({"draft": 7})), NOTHING, answers=answers)).value == {"log": ["yes"]}


async def test_first_line_that_fits_counts():
    answers = [("x?", 1), ("a", 2)]
    assert (await play(graph_of(a=asking("x?", "y?")), NOTHING, answers=answers)).value == {"log": [1, 2]}


async def test_same_question_is_answered_in_turn():
    answers = {"x?": in_turn("no", "yes")}
    assert (await play(graph_of(a=asking("x?", "x?")), NOTHING, answers=answers)).value == {
        "log": ["no", "yes"]
    }


async def test_unknown_question_fails_and_says_who_asks():
    with pytest.raises(UnansweredError, match=r"'y\?' of node 'a'"):
        await play(graph_of(a=asking("x?", "y?")), NOTHING, answers={"x?": 1})


async def test_used_up_answers_fail():
    with pytest.raises(UnansweredError, match="used up"):
        await play(graph_of(a=asking("x?", "x?")), NOTHING, answers={"x?": in_turn(1)})


async def test_answer_that_nobody_asked_for_fails():
    with pytest.raises(UnaskedError, match=r"never asked \['z\?'\]. What it did ask: 'x\?' of node 'a'"):
        await play(graph_of(a=asking("x?")), NOTHING, answers={"x?": 1, "z?": 2})


async def test_turn_that_never_came_fails():
    with pytest.raises(UnaskedError):
        await play(graph_of(a=asking("x?")), NOTHING, answers={"x?": in_turn(1, 2)})


async def test_run_without_questions_is_played_too():
    played = await play(graph_of(a=asking()), NOTHING)
    assert (played.value, played.asked) == ({"log": []}, ())


async def test_questions_of_graphs_inside_know_their_way():
    graph = graph_of(team=graph_of(review=asking("x?")))
    played = await play(graph, NOTHING, answers={"review": 1})
    ((question, answer),) = played.asked
    assert (question.path, question.node, answer) == (("team", "review"), "review", 1)


async def test_node_around_can_be_named():
    graph = graph_of(team=graph_of(review=asking("x?")))
    assert (await play(graph, NOTHING, answers={"team": 1})).value == {"log": [1]}


async def test_breakpoints_are_passed():
    graph = graph_of(a=asking("x?")).copy({"interrupt_before": "*", "interrupt_after": "*"})
    assert (await play(graph, NOTHING, answers={"x?": 1})).value == {"log": [1]}


async def test_several_questions_can_be_answered_one_by_one():
    graph = graph_of(a=asking("x?"), b=asking("y?"))
    rounds: list[int] = []

    def restart() -> Any:
        rounds.append(1)
        return graph

    await play(graph, NOTHING, answers={"x?": 1, "y?": 2}, one_by_one=True, restart=restart)
    assert len(rounds) == 2


async def test_entrypoints_are_played():
    @entrypoint()
    async def shop(item: str) -> str:
        return f"{item}: {interrupt('buy?')}"

    assert (await play(shop, "table", answers={"buy?": "yes"})).value == "table: yes"


async def test_graph_is_made_anew_between_answers():
    made: list[Any] = []

    def make() -> Any:
        made.append(graph_of(a=asking("x?", "y?")))
        return made[-1]

    played = await play(make(), NOTHING, answers={"x?": 1, "y?": 2}, restart=make)
    assert played.value == {"log": [1, 2]}
    assert len(made) == 3


async def test_storage_can_be_opened_anew_between_answers(tmp_path: Path):
    def make() -> Any:
        return graph_of(a=asking("x?", "y?")).copy(
            {"checkpointer": SqliteSaver.from_conn_string(str(tmp_path / "threads.db"))}
        )

    played = await play(make(), NOTHING, answers={"x?": 1, "y?": 2}, restart=make)
    assert played.value == {"log": [1, 2]}


async def test_thread_is_the_one_that_was_named():
    graph = graph_of(a=asking("x?")).copy({"checkpointer": InMemorySaver()})
    config: Any = {"configurable": {"thread_id": "t"}}
    played = await play(graph, NOTHING, config, answers={"x?": 1})
    assert played.snapshot == await graph.aget_state(config, subgraphs=True)


async def test_run_that_never_ends_is_given_up():
    async def again(state: State) -> Any:
        return {"log": [interrupt("again?")]}

    builder = StateGraph(State).add_node(again).add_edge(START, "again").add_edge("again", "again")
    with pytest.raises(ScriptError, match="5 times"):
        await play(builder.compile(), NOTHING, answers={"again?": "yes"}, most_rounds=5)
