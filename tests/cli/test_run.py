"""`graphrt run` where no terminal is: JSON lines, exit codes, errors in words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Graphrt

Program = Callable[..., Path]


def test_each_update_is_a_line_and_the_result_is_the_last(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--input", '{"n": 1}')
    assert ended.code == 0, ended.err
    assert ended.out == '{"type":"updates","data":{"node":{"n":2}}}\n{"type":"result","data":{"n":2}}\n'


def test_the_streams_that_are_asked_for_are_shown(program: Program, graphrt_cli: Graphrt):
    program("""
        async def talk(state, writer: StreamWriter):
            writer("hello")
            return {"n": 5}
        graph = one(talk)
    """)
    ended = graphrt_cli("run", "graphs.py:graph", "--input", "{}", "--stream", "custom, values")
    assert [(line["type"], line["data"]) for line in ended.lines if line["data"]] == [
        ("custom", "hello"),
        ("values", {"n": 5}),
        ("result", {"n": 5}),
    ]


def test_an_unknown_stream_is_refused(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--stream", "updates,tokens")
    assert ended.code == 2
    assert "tokens: choose from values, updates" in ended.err


def test_the_result_has_only_what_the_graph_returns(program: Program, graphrt_cli: Graphrt):
    program("""
        class Output(TypedDict):
            n: int
        class Wide(State):
            scratch: str
        async def both(state):
            return {"n": 1, "scratch": "x"}
        graph = StateGraph(Wide, output_schema=Output).add_node(both).add_edge(START, "both")
    """)
    assert graphrt_cli("run", "graphs.py:graph", "--input", "{}").result == {"n": 1}


def test_a_state_of_one_value_is_its_own_result(program: Program, graphrt_cli: Graphrt):
    program("""
        async def up(state):
            return {"deep": state["deep"] + 1}
        graph = StateGraph(dict).add_node(up).add_edge(START, "up")
    """)
    assert graphrt_cli("run", "graphs.py:graph", "--input", '{"deep": 1}').result == {"deep": 2}


@pytest.mark.parametrize("made", ["def make(): return builder", "async def make(): return graph"])
def test_a_function_may_make_the_graph(program: Program, graphrt_cli: Graphrt, made: str):
    program(made)
    assert graphrt_cli("run", "graphs.py:make", "--input", '{"n": 1}').result == {"n": 2}


def test_a_module_is_found_from_the_working_directory(program: Program, graphrt_cli: Graphrt):
    program(name="flows.py")
    assert graphrt_cli("run", "flows:builder", "--input", '{"n": 1}').result == {"n": 2}


def test_a_file_finds_its_neighbours(program: Program, graphrt_cli: Graphrt, tmp_path: Path):
    program(name="flows.py")
    (tmp_path / "sub").mkdir()
    (tmp_path / "flows.py").rename(tmp_path / "sub" / "flows.py")
    (tmp_path / "sub" / "main.py").write_text("from flows import graph")
    assert graphrt_cli("run", "sub/main.py:graph", "--input", '{"n": 1}').result == {"n": 2}


def test_a_file_may_have_the_name_of_a_module_that_is_loaded(program: Program, graphrt_cli: Graphrt):
    program(name="json.py")
    assert graphrt_cli("run", "json.py:graph", "--input", '{"n": 1}').result == {"n": 2}


def test_input_comes_from_a_file_or_from_standard_input(
    program: Program, graphrt_cli: Graphrt, tmp_path: Path
):
    program()
    (tmp_path / "input.json").write_text('{"n": 10}')
    assert graphrt_cli("run", "graphs.py:graph", "--input", "@input.json").result == {"n": 11}
    assert graphrt_cli("run", "graphs.py:graph", "--input", "-", stdin='{"n": 20}').result == {"n": 21}


@pytest.mark.parametrize(
    "given, words",
    [
        ("{n: 1}", "It is not JSON"),
        ("@none.json", "Cannot read none.json: No such file or directory."),
        ("-", "Standard input is not JSON"),
    ],
)
def test_input_that_is_no_json_is_refused(program: Program, graphrt_cli: Graphrt, given: str, words: str):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--input", given, stdin="n: 1")
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


@pytest.mark.parametrize(
    "target, words",
    [
        ("graphs.py", "Say which file or module and which graph in it, for example graphs.py:graph"),
        ("none.py:graph", "There is no file none.py."),
        ("no_such_module:graph", "no_such_module could not be imported. ModuleNotFoundError"),
        ("graphs.py:grahp", "graphs.py has no 'grahp'. Did you mean 'graph'?"),
        ("graphs.py:number", "The target is of type int. It must be a graph, a builder, or a function"),
        ("graphs.py:one", "A function that makes the graph must take no parameters; one needs node."),
    ],
)
def test_a_target_that_is_no_graph_is_told(program: Program, graphrt_cli: Graphrt, target: str, words: str):
    program()
    ended = graphrt_cli("run", target, "--input", "{}")
    assert (ended.code, ended.out) == (2, "")
    assert f"Error: {words}" in ended.err


@pytest.mark.parametrize("statement", ["1 / 0", "raise SystemExit('stopped')"])
def test_a_program_that_fails_while_it_is_imported_is_told(
    program: Program, graphrt_cli: Graphrt, statement: str
):
    program(statement)
    ended = graphrt_cli("run", "graphs.py:graph")
    assert ended.code == 2
    assert "graphs.py could not be imported." in ended.err
    assert "Traceback" not in ended.err


def test_the_traceback_of_a_failed_import_can_be_seen(program: Program, graphrt_cli: Graphrt):
    program("1 / 0")
    ended = graphrt_cli("run", "graphs.py:graph", "--traceback")
    assert "Traceback" in ended.err
    assert "ZeroDivisionError" in ended.err


def test_a_node_that_fails_is_told_in_words_and_as_the_last_line(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:failing", "--input", "{}")
    assert ended.code == 1
    assert ended.lines[-1]["type"] == "error"
    assert ended.lines[-1]["data"]["type"] == "ValueError"
    assert ended.err.startswith("Error: ValueError: no good\nDuring task with name 'node'")
    assert ended.err.endswith("Use --traceback to see the line.\n")
    assert "Traceback" not in ended.err


def test_the_traceback_of_a_node_can_be_seen(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:failing", "--input", "{}", "--traceback")
    assert ended.code == 1
    assert 'raise ValueError("no good")' in ended.err


def test_a_graph_that_does_not_end_has_its_own_exit_code(program: Program, graphrt_cli: Graphrt):
    program("""
        loop = one(add_one)
        loop.add_edge("node", "node")
    """)
    ended = graphrt_cli("run", "graphs.py:loop", "--input", '{"n": 0}', "--recursion-limit", "3")
    assert ended.code == 4
    assert sum(line["type"] == "updates" for line in ended.lines) == 3


def test_a_thread_that_moved_on_has_its_own_exit_code(program: Program, graphrt_cli: Graphrt):
    program("""
        from graphrt.errors import ThreadConflict
        async def late(state):
            raise ThreadConflict("t", expected="1", current="2")
        graph = one(late)
    """)
    ended = graphrt_cli("run", "graphs.py:graph", "--input", "{}")
    assert ended.code == 3
    assert "Thread 't' was advanced by another run" in ended.err


def test_a_graph_that_is_declared_wrongly_is_refused(program: Program, graphrt_cli: Graphrt):
    program("half = StateGraph(State).add_node('node', add_one)")
    ended = graphrt_cli("run", "graphs.py:half", "--input", "{}")
    assert ended.code == 2
    assert "Error: GraphValidationError: Graph must have an entrypoint" in ended.err


def test_a_thread_keeps_what_it_had(program: Program, graphrt_cli: Graphrt):
    program("""
        class Sum(TypedDict):
            all: Annotated[list[int], operator.add]
        async def nothing(state):
            return None
        graph = StateGraph(Sum).add_node(nothing).add_edge(START, "nothing").compile(InMemorySaver())
        def make():
            graph.invoke({"all": [1]}, {"configurable": {"thread_id": "t"}})
            return graph
    """)
    ended = graphrt_cli("run", "graphs.py:make", "--thread", "t", "--input", '{"all": [2]}')
    assert ended.result == {"all": [1, 2]}


def test_without_input_a_thread_goes_on_with_the_step_that_failed(program: Program, graphrt_cli: Graphrt):
    program("""
        tries = []
        async def second_time(state):
            tries.append(1)
            return {"n": 10 // (len(tries) - 1)}
        graph = one(second_time).compile(InMemorySaver())
        def make():
            try:
                graph.invoke({"n": 1}, {"configurable": {"thread_id": "t"}})
            except ZeroDivisionError:
                return graph
    """)
    assert graphrt_cli("run", "graphs.py:make", "--thread", "t").result == {"n": 10}


def test_a_checkpointer_may_be_given_by_url(program: Program, graphrt_cli: Graphrt):
    program()
    for target in ("graphs.py:graph", "graphs.py:builder", "graphs.py:remembering"):
        run = ("run", target, "--input", '{"n": 1}', "--thread", "t", "--checkpointer", "memory://")
        ended = graphrt_cli(*run, "--stream", "checkpoints")
        assert ended.code == 0, ended.err
        assert any(line["type"] == "checkpoints" for line in ended.lines)


def test_an_unknown_checkpointer_is_refused(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:graph", "--checkpointer", "redis://x", "--thread", "t")
    assert ended.code == 2
    assert "Known: memory://" in ended.err


def test_a_thread_needs_a_checkpointer_and_a_checkpointer_a_thread(program: Program, graphrt_cli: Graphrt):
    program()
    without_saver = graphrt_cli("run", "graphs.py:graph", "--input", "{}", "--thread", "t")
    without_thread = graphrt_cli("run", "graphs.py:remembering", "--input", "{}")
    assert (without_saver.code, without_thread.code) == (2, 2)
    assert "--thread needs a checkpointer: pass --checkpointer URL" in without_saver.err
    assert "pass --thread ID" in without_thread.err


def test_without_input_there_must_be_something_to_go_on_with(program: Program, graphrt_cli: Graphrt):
    program()
    ended = graphrt_cli("run", "graphs.py:remembering", "--thread", "new")
    assert ended.code == 2
    assert "There is no step to go on with: pass --input JSON." in ended.err


def test_help_tells_the_exit_codes(graphrt_cli: Graphrt):
    for command in ((), ("run",), ("draw",)):
        ended = graphrt_cli(*command, "--help")
        assert ended.code == 0
        assert "4    the recursion limit was reached" in ended.out


def test_the_version_is_told(graphrt_cli: Graphrt):
    assert graphrt_cli("--version").out.startswith("graphrt, version ")
