"""scripts/parity.py: which tests show which statement, and what makes a row untrue."""

import ast

import pytest

from scripts.parity import STATEMENTS, Row, Suite, about, fill, filled, find_tests, read_anchors


def shown(source, section=""):
    return {
        name: statements for name, statements in find_tests(ast.parse(source).body, section) if statements
    }


def complaints(row, *, tests=(), anchors=()):
    return list(about(row, Suite(ids=set(tests)), set(anchors)))


def test_statement_list_ends_where_the_reference_ends():
    assert {"1.15", "3.4", "A17", "E13", "N14", "Y3"} <= set(STATEMENTS)
    assert not {"1.16", "A18", "E14", "Z1"} & set(STATEMENTS)


def test_name_in_its_section_shows_statements():
    assert shown("def test_e1_e6_order(): ...", "e") == {"test_e1_e6_order": {"E1", "E6"}}


def test_name_outside_its_section_shows_nothing():
    assert shown("def test_v2_shape(): ...", "j") == {}


def test_marker_shows_statements():
    assert shown("@pytest.mark.parity('E1', '1.5')\nasync def test_x(): ...") == {"test_x": {"E1", "1.5"}}


def test_docstring_that_cites_shows_statements():
    assert shown("def test_x():\n    'LangGraph E1, E6 and A7: order.'") == {"test_x": {"E1", "E6", "A7"}}


def test_test_in_a_class_has_the_class_in_its_id_and_its_markers():
    source = "@mark.parity('A1')\nclass TestX:\n    def test_y(self): ..."
    assert shown(source) == {"TestX::test_y": {"A1"}}


@pytest.mark.parametrize(
    "before, after",
    [
        ("owed: engine", "test"),
        ("owed: engine, control flow", "test; owed: control flow"),
        ("owed: control flow", "test"),
        ("test; owed: control flow", "test; owed: control flow"),
        ("differs", "differs"),
    ],
)
def test_filling_pays_what_the_tests_show(before, after):
    suite = Suite(shows={"E1": ["tests/t.py::test_a"]})
    assert filled(Row("E1", "order", before, ""), suite).status == after


def test_filling_keeps_links_and_replaces_tests():
    row = Row("E1", "order", "differs", "[why](differences.md#x), `tests/t.py::gone`")
    assert filled(row, Suite(shows={"E1": ["tests/t.py::test_a"]})).shown_by == (
        "[why](differences.md#x), `tests/t.py::test_a`"
    )


def test_filling_leaves_everything_but_rows_alone():
    text = "# Parity\n\n| statement | status |\n|---|---|\n"
    assert fill(text, Suite()) == text


def test_true_row_has_no_complaint():
    row = Row("E1", "order", "test; owed: control flow", "`tests/t.py::test_a`")
    assert complaints(row, tests=["tests/t.py::test_a"]) == []


@pytest.mark.parametrize(
    "row, said",
    [
        (Row("E1", "order", "test", "`tests/t.py::test_gone`"), "there is no test tests/t.py::test_gone"),
        (Row("E1", "order", "test", ""), "says test and names none"),
        (Row("E1", "order", "differs", "[why](differences.md#gone)"), "docs/differences.md has no #gone"),
        (Row("E1", "order", "differs", ""), "says differs and links to no entry of docs/differences.md"),
        (Row("E1", "order", "done", ""), "status 'done' is none of test, differs, owed: <area>"),
        (Row("E1", "one " * 13, "owed: engine", ""), "more than 12 words"),
    ],
)
def test_untrue_row_is_named(row, said):
    assert complaints(row) == [said]


def test_owed_area_must_exist():
    (complaint,) = complaints(Row("E1", "order", "owed: magic", ""))
    assert complaint.startswith("nothing is called 'magic'")


def test_anchors_are_slugs_of_headings_and_explicit_ids():
    assert read_anchors('## `strict`: unknown keys\n<a id="own"></a>') == {"strict-unknown-keys", "own"}
