"""Pictures of compiled graphs, and of runs on them (LangGraph X1-X3, 1.7)."""

import re
from typing import Any, ClassVar, Literal

import pytest

from graphrt.channels import EphemeralValue, Topic
from graphrt.constants import END, START
from graphrt.drawing import Edge, Mark, marks_of_thread
from graphrt.errors import NodeError
from graphrt.func import entrypoint, task
from graphrt.graph import StateGraph
from graphrt.pregel import ChannelWriteEntry, NodeBuilder, Pregel
from graphrt.types import Command, Send
from tests.acceptance.graphs import Log, graph, named, says, thread
from tests.acceptance.nested import asks, calls, chain
from tests.acceptance.streams import Flaky

IN, A, B, C = (says(word) for word in ("in", "a", "b", "c"))


def pairs(app: Any, **options: Any) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in app.get_graph(**options).edges]


def fails(name: str) -> Any:
    async def node(state: Any) -> Any:
        raise ValueError("no good")

    return named(name, node)


# ---- X1: what is declared


@pytest.mark.parity("X1")
def test_x1_edges_and_joins_are_drawn_from_each_of_their_sources() -> None:
    app = graph(Log, A, B, C, paths=["START a", "START b", "a+b c"]).compile()
    assert pairs(app) == [(START, "a"), (START, "b"), ("a", "c"), ("b", "c"), ("c", END)]


@pytest.mark.parity("X1")
@pytest.mark.parametrize("way", ["path map", "literal", "command", "destinations"])
def test_x1_every_way_to_declare_targets_is_drawn(way: str) -> None:
    def commands(state: Any) -> Command[Literal["b", "__end__"]]:
        raise AssertionError("drawing runs nothing")

    def routes(state: Any) -> Literal["b", "__end__"]:
        raise AssertionError("drawing runs nothing")

    builder = graph(Log, B, paths=["START a"])
    builder.add_node(
        "a",
        commands if way == "command" else says("a"),
        destinations=("b", END) if way == "destinations" else None,
    )
    if way in ("path map", "literal"):
        builder.add_conditional_edges("a", routes, ["b", END] if way == "path map" else None)
    drawn = builder.compile().get_graph()
    assert {e.target for e in drawn.edges if e.source == "a" and e.conditional} == {"b", END}


@pytest.mark.parity("X1")
def test_x1_a_router_that_declares_nothing_may_lead_anywhere() -> None:
    builder = graph(Log, A, B, paths=["START a"]).add_conditional_edges("a", lambda state: "b")
    drawn = builder.compile().get_graph()
    assert [e for e in drawn.edges if e.source == "a"] == [
        Edge("a", t, conditional=True) for t in ("a", "b", END)
    ]


@pytest.mark.parity("X1")
def test_x1_drawing_runs_no_node_and_no_router() -> None:
    ran: list[str] = []
    builder = graph(Log, ("a", lambda state: ran.append("node")), paths=["START a"])
    builder.add_conditional_edges("a", lambda state: ran.append("router") or END)
    builder.compile().get_graph().draw_svg()
    assert ran == []


@pytest.mark.parity("X1", "1.7")
def test_x1_a_program_of_channels_is_drawn_by_what_starts_what() -> None:
    nodes = {
        "one": NodeBuilder()
        .subscribe_only("in")
        .do(len)
        .write_to("mid", ChannelWriteEntry("out", skip_none=True)),
        "two": NodeBuilder().subscribe_only("mid").do(len).write_to("two", "out"),
        "three": NodeBuilder().subscribe_only("two").meta(team="x").do(len),
    }
    channels: dict[str, Any] = {name: EphemeralValue(Any) for name in ("in", "mid", "two", "out")}
    app = Pregel(nodes=nodes, channels=channels, input_channels="in", output_channels="out")
    drawn = app.get_graph()
    assert drawn.edges == [
        Edge(START, "one"),
        Edge("one", "two", "mid"),
        Edge("one", END, conditional=True),
        Edge("two", "three", "two"),
        Edge("two", END, conditional=True),
        Edge("three", END),
    ]
    assert drawn.nodes["three"].metadata == {"team": "x"}


@pytest.mark.parity("X1")
def test_x1_who_sends_tasks_in_a_program_of_channels_may_send_them_to_every_node() -> None:
    nodes = {
        "one": NodeBuilder()
        .subscribe_only("in")
        .write_to(ChannelWriteEntry("__pregel_tasks", mapper=lambda n: [Send("two", n)])),
        "two": NodeBuilder().subscribe_only("never").write_to("out"),
    }
    channels: dict[str, Any] = {"in": EphemeralValue(Any), "never": EphemeralValue(Any), "out": Topic(Any)}
    app = Pregel(nodes=nodes, channels=channels, input_channels="in", output_channels="out")
    assert pairs(app) == [(START, "one"), ("one", "one"), ("one", "two"), ("two", END)]


@task
async def fetch(url: str) -> str:
    return url


@entrypoint()
async def collect(urls: list[str]) -> list[str]:
    return [await fetch(url) for url in urls]


@pytest.mark.parity("X1")
def test_x1_an_entrypoint_is_drawn_with_the_tasks_that_it_names() -> None:
    drawn = collect.get_graph()
    assert list(drawn.nodes) == [START, "collect", "fetch", END]
    assert drawn.edges == [
        Edge(START, "collect"),
        Edge("collect", "fetch", conditional=True),
        Edge("collect", END),
    ]


# ---- X2: what is known of nodes and edges, and in which forms it is drawn


@pytest.mark.parity("X2")
def test_x2_conditional_edges_carry_labels_that_say_more_than_their_targets() -> None:
    builder = graph(Log, A, B, paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "yes", {"yes": "b", END: END})
    edges = builder.compile().get_graph().edges
    assert {(e.target, e.data) for e in edges if e.conditional} == {("b", "yes"), (END, None)}


@pytest.mark.parity("X2")
def test_x2_a_node_without_a_way_out_has_an_edge_to_end() -> None:
    assert pairs(chain(A)) == [(START, "a"), ("a", END)]


@pytest.mark.parity("X2")
def test_x2_metadata_is_the_users_and_says_what_is_deferred_and_where_runs_stop() -> None:
    builder = StateGraph(Log).add_node("a", A, metadata={"team": "x"}, defer=True).add_node(B).add_node(C)
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c")
    app = builder.compile(interrupt_before=["a", "b"], interrupt_after=["b", "c"])
    assert {name: node.metadata for name, node in app.get_graph().nodes.items() if node.metadata} == {
        "a": {"team": "x", "defer": True, "__interrupt": "before"},
        "b": {"__interrupt": "before,after"},
        "c": {"__interrupt": "after"},
    }
    everywhere = builder.compile(interrupt_before="*").get_graph()
    assert [n.name for n in everywhere.nodes.values() if n.metadata and "__interrupt" in n.metadata] == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parity("X2")
def test_x2_a_node_that_knows_its_tools_by_name_says_so() -> None:
    class Tools:
        tools_by_name: ClassVar = {"search": None, "add": None}

        def __call__(self, state: Any) -> Any:
            raise AssertionError("drawing runs nothing")

    drawn = graph(Log, ("tools", Tools()), paths=["START tools"]).compile().get_graph()
    assert drawn.nodes["tools"].metadata == {"__tools": ["search", "add"]}


@pytest.mark.parity("X2")
def test_x2_xray_puts_graphs_inside_in_the_place_of_their_nodes() -> None:
    drawn = chain(IN, ("sub", chain(A, B))).get_graph(xray=True)
    assert list(drawn.nodes) == [START, "in", "sub:a", "sub:b", END]
    assert [(e.source, e.target) for e in drawn.edges] == [
        (START, "in"),
        ("in", "sub:a"),
        ("sub:b", END),
        ("sub:a", "sub:b"),
    ]
    assert list(drawn.clusters) == ["sub"]


@pytest.mark.parity("X2")
def test_x2_a_graph_inside_keeps_its_start_and_end_if_they_are_more_than_a_way_through() -> None:
    inner = graph(Log, A, B, paths=["START a", "b a"]).add_conditional_edges(
        "a", lambda state: END, ["b", END]
    )
    drawn = chain(("sub", inner.compile())).get_graph(xray=True)
    assert list(drawn.nodes) == [START, "sub:__start__", "sub:a", "sub:b", "sub:__end__", END]
    assert {(START, "sub:__start__"), ("sub:a", "sub:__end__"), ("sub:__end__", END)} <= {
        (e.source, e.target) for e in drawn.edges
    }


@pytest.mark.parity("X2")
@pytest.mark.parametrize(
    "xray, names", [(False, ["o"]), (0, ["o"]), (1, ["o:m"]), (2, ["o:m:a"]), (True, ["o:m:a"])]
)
def test_x2_xray_says_how_deep(xray: int | bool, names: list[str]) -> None:
    app = chain(("o", chain(("m", chain(A)))))
    assert [name for name in app.get_graph(xray=xray).nodes if name not in (START, END)] == names


@pytest.mark.parity("X2")
def test_x2_graphs_that_nodes_call_are_unfolded_too() -> None:
    assert "caller:a" in chain(calls("caller", chain(A))).get_graph(xray=True).nodes


def test_a_graph_that_calls_itself_is_unfolded_once() -> None:
    async def again(state: Any) -> Any:
        return await app.ainvoke(state)

    app = chain(again)
    assert list(app.get_graph(xray=True).nodes) == [START, "again", END]


@pytest.mark.parity("X2", "1.7")
def test_x2_one_graph_in_all_forms(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("PIL")
    drawn = chain(A, ("sub", chain(B))).get_graph(None, xray=True)
    assert "subgraph sub" in drawn.draw_mermaid()
    assert "sub:b" in drawn.draw_ascii()
    assert drawn.draw_svg().startswith("<svg ")
    assert drawn.draw_png()[:4] == drawn.draw_mermaid_png()[:4] == b"\x89PNG"
    assert {node["id"] for node in drawn.to_json()["nodes"]} == {START, "a", "sub:b", END}
    drawn.print_ascii()
    assert capsys.readouterr().out == drawn.draw_ascii()


@pytest.mark.parity("X2")
def test_x2_mermaid_takes_langgraphs_parameters() -> None:
    class Styles:
        default, first, last = "fill:#111", "fill:#222", "fill:#333"

    builder = graph(Log, A, paths=["START a"])
    builder.add_conditional_edges("a", lambda state: "one two three", {"one two three": END})
    text = (
        builder.compile()
        .get_graph()
        .draw_mermaid(
            curve_style="basis", node_colors=Styles(), wrap_label_n_words=2, frontmatter_config={"title": "T"}
        )
    )
    assert text.startswith(
        '---\n"title": "T"\n"config": {"flowchart": {"curve": "basis"}}\n---\nflowchart TD\n'
    )
    assert 'one two<br/>three"|' in text
    assert "classDef first fill:#222\n" in text


@pytest.mark.parity("X2", "1.7")
async def test_x2_first_and_last_nodes_and_the_async_name() -> None:
    drawn = await chain(A).aget_graph(xray=True)
    first, last = drawn.first_node(), drawn.last_node()
    assert first is not None and last is not None
    assert (first.id, last.id) == (START, END)
    assert chain(A).get_graph() == drawn


@pytest.mark.parity("1.7")
def test_1_7_notebooks_show_compiled_graphs_as_pictures() -> None:
    bundle = chain(A)._repr_mimebundle_()
    assert bundle["image/svg+xml"] == chain(A).get_graph().draw_svg()


# ---- X3: error handlers


def handles(state: Any, error: NodeError) -> Command[Literal["b"]]:
    return Command(goto="b", update={"log": ["handled"]})


@pytest.mark.parity("X3")
def test_x3_an_error_handler_is_a_node_between_what_fails_and_where_it_leads() -> None:
    builder = graph(Log, B, paths=["START a"]).add_node("a", A, error_handler=handles)
    drawn = builder.compile().get_graph()
    handler = "__error_handler__a"
    assert (drawn.nodes[handler].metadata or {})["__error_handler"] is True
    assert [e for e in drawn.edges if handler in (e.source, e.target)] == [
        Edge(handler, "b", conditional=True),
        Edge("a", handler, "error", conditional=True),
    ]
    assert Edge("a", END) in drawn.edges


@pytest.mark.parity("X3")
def test_x3_a_default_handler_is_one_node_for_all() -> None:
    builder = graph(Log, A, B, paths=["START a b"])
    builder.set_node_defaults(error_handler=lambda state, error: None)
    drawn = builder.compile().get_graph()
    assert [e.source for e in drawn.edges if e.target == "__default_error_handler__"] == ["a", "b"]


# ---- a run on its graph


def told(marks: dict[str, Mark]) -> dict[str, str]:
    """What a picture says, without times, which vary, and without START."""
    words = {name: re.sub(r" · (at most )?[\d.e-]+ m?s", "", mark.text) for name, mark in marks.items()}
    return {name: text for name, text in words.items() if not name.endswith(START)}


async def test_a_run_that_waits_in_a_graph_inside_is_marked(saver: Any) -> None:
    app = chain(A, ("sub", chain(asks("q"))), B, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    assert told(await marks_of_thread(saver, "t")) == {
        "a": "1 run",
        "sub": "waits for an answer",
        "sub:q": "waits for an answer",
    }
    await app.ainvoke(Command(resume="yes"), thread())
    marks = await marks_of_thread(saver, "t")
    assert told(marks) == {"a": "1 run", "sub": "1 run", "sub:q": "1 run", "b": "1 run"}
    assert (marks["sub"].timed, marks["sub:q"].timed, marks["b"].timed) == (0, 0, 1)  # waiting is no work


async def test_a_run_that_failed_is_marked_with_its_error_and_with_what_is_due(saver: Any) -> None:
    app = graph(Log, A, fails("bad"), B, paths=["START a bad b"]).compile(checkpointer=saver)
    with pytest.raises(ValueError, match="no good"):
        await app.ainvoke({"log": []}, thread())
    assert told(await marks_of_thread(saver, "t")) == {"a": "1 run", "bad": "failed: ValueError('no good')"}


async def test_loops_and_fan_outs_are_counted(saver: Any) -> None:
    builder = graph(Log, A, B, paths=["START a", "b a"])
    sends = lambda state: [Send("b", state)] * 3 if len(state["log"]) < 8 else END  # noqa: E731
    app = builder.add_conditional_edges("a", sends, ["b", END]).compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    marks = await marks_of_thread(saver, "t")
    assert told(marks) == {"a": "3 runs", "b": "6 runs"}
    assert (marks["a"].at_most, marks["b"].at_most, marks["b"].timed) == (False, True, 6)


async def test_what_stops_at_a_breakpoint_and_what_is_sent_is_next(saver: Any) -> None:
    builder = graph(Log, A, B, C, paths=["START a c"])
    builder.add_conditional_edges("a", lambda state: [Send("b", state)], ["b"])
    app = builder.compile(checkpointer=saver, interrupt_before="*", interrupt_after=["a"])
    for given in ({"log": []}, None):
        await app.ainvoke(given, thread())
    assert told(await marks_of_thread(saver, "t")) == {"a": "1 run", "b": "is next", "c": "is next"}


async def test_a_failure_that_was_handled_is_told(saver: Any) -> None:
    builder = graph(Log, B, paths=["START a"]).add_node("a", fails("a"), error_handler=handles)
    app = builder.compile(checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    marks = told(await marks_of_thread(saver, "t"))
    assert marks["a"] == "failed 1 time, which was handled"
    assert (marks["__error_handler__a"], marks["b"]) == ("1 run", "1 run")


async def test_only_the_branch_that_the_thread_is_on_counts(saver: Any) -> None:
    app = chain(A, B, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    before_b = next(s.config for s in [s async for s in app.aget_state_history(thread())] if s.next == ("b",))
    await app.ainvoke(None, before_b)
    assert told(await marks_of_thread(saver, "t")) == {"a": "1 run", "b": "1 run"}


async def test_an_edit_is_no_run(saver: Any) -> None:
    app = chain(A, B, checkpointer=saver)
    await app.aupdate_state(thread(), {"log": ["edited"]}, as_node="a")
    await app.ainvoke(None, thread())
    assert told(await marks_of_thread(saver, "t")) == {"b": "1 run"}


async def test_an_edit_in_the_place_of_a_run_is_no_run(saver: Any) -> None:
    app = chain(A, B, C, checkpointer=saver, interrupt_before=["b"])
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edited"]}, as_node="b")
    assert told(await marks_of_thread(saver, "t")) == {"a": "1 run", "c": "is next"}


async def test_a_graph_inside_that_was_left_waits_no_more(saver: Any) -> None:
    app = chain(("sub", chain(A, asks("q"))), B, checkpointer=saver)
    await app.ainvoke({"log": []}, thread())
    await app.aupdate_state(thread(), {"log": ["edited"]}, as_node="sub")
    assert told(await marks_of_thread(saver, "t"))["sub:q"] == "did not run"


async def test_without_older_steps_counts_are_lower_bounds(saver: Any) -> None:
    app = chain(A, B, C, checkpointer=saver)
    await app.ainvoke({"log": []}, thread(), durability="exit")
    assert told(await marks_of_thread(saver, "t")) == {"c": "at least 1 run"}


async def test_a_step_that_succeeds_later_is_no_failure(saver: Any) -> None:
    app = graph(Log, ("flaky", Flaky().node), paths=["START flaky"]).compile(checkpointer=saver)
    with pytest.raises(ConnectionError):
        await app.ainvoke({"log": []}, thread())
    await app.ainvoke(None, thread())
    assert told(await marks_of_thread(saver, "t")) == {"flaky": "1 run"}


def test_marks_are_drawn() -> None:
    svg = chain(A, B).get_graph().draw_svg(marks={"a": Mark(runs=2, seconds=1.5, timed=2)})
    assert ">2 runs · 1.5 s</text>" in svg
    assert ">did not run</text>" in svg
    assert 'class="ran"' in svg and 'class="idle"' in svg
