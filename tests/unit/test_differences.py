"""Every test that LangGraph would fail says so, and names the entry of docs/differences.md that says why."""

import ast
from collections.abc import Iterator
from pathlib import Path

from scripts.parity import DIFFERENCES, ROOT, TABLE, read_anchors, read_rows

FILES = sorted((ROOT / "tests" / "acceptance").glob("test_*.py"))


def marks(file: Path) -> Iterator[tuple[list[str], str]]:
    """The statements and the `differs` of each mark in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        for keyword in call.keywords if isinstance(call, ast.Call) else ():
            if keyword.arg == "differs":
                value = keyword.value
                text = value.value if isinstance(value, ast.Constant) else named[value.id]
                yield [word.value for word in call.args], text


DIFFERENT = [(file.name, *mark) for file in FILES for mark in marks(file)]


def test_differences_of_tests_begin_with_the_name_of_an_entry():
    anchors = read_anchors((ROOT / DIFFERENCES).read_text(encoding="utf-8"))
    assert [item for item in DIFFERENT if item[2].partition(":")[0] not in anchors] == []


def test_statements_of_such_tests_link_to_that_entry():
    rows = {row.statement: row for row in read_rows((ROOT / TABLE).read_text(encoding="utf-8"))}
    missing = [
        (statement, entry)
        for _, statements, text in DIFFERENT
        for statement in statements
        if (entry := text.partition(":")[0]) not in rows[statement].anchors
    ]
    assert missing == []


def test_there_are_such_tests():
    assert len(DIFFERENT) > 50
