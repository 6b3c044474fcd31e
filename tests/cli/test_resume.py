"""`graphrt run` on a graph that asks: what is shown of a pause, and `--resume`."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from graphrt.checkpoint import urls
from graphrt.cli.questions import Pause, how_to_go_on
from graphrt.cli.terminal import Terminal
from tests.cli.conftest import Ended, Graphrt

FILE = "sqlite:///chat.db"
Run = Callable[..., Ended]


@pytest.fixture
def run(program: Callable[..., Path], graphrt_cli: Graphrt, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a graph of the program on thread "t" of a file."""
    sqlite = EntryPoint("sqlite", "checkpointers.sqlite:SqliteSaver", urls.GROUP)
    monkeypatch.setattr(urls, "entry_points", lambda *, group: [sqlite])
    program("""
        from graphrt.func import entrypoint, step, task
        @task
        async def ask(text):
            return interrupt(text)
        async def write(topic: str):
            return await ask(await step("draft", lambda: f"about {topic}"))
        two = StateGraph(State)
        for name in ("a", "b"):
            two.add_node(name, lambda state, name=name: interrupt(name) and None).add_edge(START, name)
        outer = one(asking.compile())
        essay = entrypoint()(write)
        breaking = builder.compile(interrupt_before=["node"])
    """)

    def run(graph: str, *args: str) -> Ended:
        return graphrt_cli("run", f"graphs.py:{graph}", "--thread", "t", "--checkpointer", FILE, *args)

    return run


def questions(ended: Ended) -> list[Any]:
    return [line["data"] for line in ended.lines if line["type"] == "interrupt"]


def test_a_question_is_a_line_before_the_result(run: Run):
    ended = run("asking", "--input", '{"n": 1}')
    (question,) = questions(ended)
    assert (question["node"], question["value"], len(question["id"])) == ("node", {"how many": 1}, 32)
    assert ended.result == {"n": 1}


def test_a_run_that_waits_has_its_own_exit_code_and_says_how_to_go_on(run: Run):
    ended = run("asking", "--input", '{"n": 1}')
    assert ended.code == 5
    assert ended.err == (
        "Paused: an answer is wanted. ANSWER is JSON. Go on with\n"
        "  graphrt run graphs.py:asking --thread t --checkpointer sqlite:///chat.db --resume ANSWER\n"
    )


def test_a_bare_value_answers_the_open_question(run: Run):
    run("asking", "--input", '{"n": 1}')
    ended = run("asking", "--resume", "7")
    assert (ended.code, ended.result) == (0, {"n": 7})


def test_several_questions_are_answered_by_their_ids(run: Run):
    first, second = questions(run("two", "--input", '{"n": 1}'))
    ended = run("two", "--resume", f'{{"{first["id"]}": "x"}}')
    assert (ended.code, questions(ended)) == (5, [second])
    assert run("two", "--resume", f'{{"{second["id"]}": "x"}}').code == 0


def test_a_bare_value_for_several_questions_is_refused(run: Run):
    asked = run("two", "--input", '{"n": 1}')
    assert "answers are wanted" in asked.err
    ended = run("two", "--resume", "1")
    assert (ended.code, "UnknownInterruptError" in ended.err) == (2, True)


def test_a_question_of_a_graph_inside_is_shown_with_who_asks(run: Run):
    (question,) = questions(run("outer", "--input", '{"n": 1}'))
    assert (question["node"], question["namespace"].partition(":")[0]) == ("node", "node")
    assert run("outer", "--resume", "7").result == {"n": 7}


def test_a_task_of_an_entrypoint_is_shown_as_the_one_that_asks(run: Run, graphrt_cli: Graphrt):
    (question,) = questions(run("essay", "--input", '"bees"'))
    assert (question["node"], question["value"]) == ("ask", "about bees")
    assert run("essay", "--resume", '"good"').result == "good"
    (shown,) = graphrt_cli("threads", "show", "t", "--checkpointer", FILE, "--json").lines
    assert (shown["values"]["__end__"], shown["interrupts"]) == ("good", [])


def test_what_a_step_remembers_is_no_task(run: Run, graphrt_cli: Graphrt):
    run("essay", "--input", '"bees"')
    (shown,) = graphrt_cli("threads", "show", "t", "--checkpointer", FILE, "--json").lines
    assert [task["node"] for task in shown["tasks"]] == ["write", "ask"]


def test_a_breakpoint_is_told_and_passed(run: Run):
    ended = run("breaking", "--input", '{"n": 1}')
    assert (ended.code, questions(ended)) == (5, [])
    assert ended.err.startswith("Paused before node. Go on with\n  graphrt run graphs.py:breaking --thread t")
    assert run("breaking").result == {"n": 2}


def test_input_and_answer_exclude_each_other(run: Run):
    ended = run("asking", "--input", '{"n": 1}', "--resume", "2")
    assert (ended.code, "Pass --input or --resume" in ended.err) == (2, True)


def test_an_answer_that_is_no_json_is_refused(run: Run):
    ended = run("asking", "--resume", "yes")
    assert (ended.code, "'--resume': It is not JSON" in ended.err) == (2, True)


def test_an_answer_nobody_waits_for_is_refused(run: Run):
    run("asking", "--input", '{"n": 1}')
    ended = run("asking", "--resume", f'{{"{"0" * 32}": 1}}')
    assert (ended.code, "UnknownInterruptError" in ended.err) == (2, True)


def test_what_was_kept_in_memory_cannot_be_answered(program: Callable[..., Path], graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli(
        *("run", "graphs.py:asking", "--thread", "t", "--checkpointer", "memory://", "--input", '{"n": 1}')
    )
    assert ended.code == 5
    assert "The thread was kept in memory and is gone: pass --checkpointer URL" in ended.err


def test_on_a_terminal_a_question_is_a_line(monkeypatch: pytest.MonkeyPatch):
    screen = StringIO()
    question = {"id": "0" * 32, "node": "review", "value": {"buy": "\x1b[31m"}}
    with Terminal(Console(file=screen, width=90), clock_s=lambda: 0.0, modes=frozenset()) as view:
        view.paused(Pause([question], ("review",), kept=True))
    assert screen.getvalue() == f'? review asks {{"buy":"\\u001b[31m"}} {"0" * 32}\n'


def test_many_answers_are_one_object():
    pause = Pause([{"id": "1"}, {"id": "2"}], ("a", "b"), kept=True)
    told = how_to_go_on(pause, "my graphs.py:graph", "t", None)
    assert told.endswith(
        """graphrt run 'my graphs.py:graph' --thread t --resume '{"1": ANSWER, "2": ANSWER}'"""
    )
