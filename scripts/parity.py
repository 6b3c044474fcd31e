"""Keeps docs/parity.md true: one row per statement of the behaviour reference, and every test it names exists.

    python3 scripts/parity.py --fill     write the tests found into the last column
    python3 scripts/parity.py --check    report what is not true, and fail

Tests are read, not run, so both work without installing anything. Which test shows which statement is decided by
its name, its `parity` marker or its docstring: see the head of docs/parity.md.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path("docs/parity.md")
DIFFERENCES = Path("docs/differences.md")

# The numbered statements end at these numbers; API and storage sections are one row each.
LAST = "A17 B12 C13 D9 E13 F9 G13 H9 I18 J15 K13 L8 M8 N14 O8 P5 Q10 R6 S8 T8 U4 V7 W2 X3 Y3"
CHAPTERS = [f"1.{number}" for number in range(1, 16)] + ["3.1", "3.4"]
STATEMENTS = CHAPTERS + [f"{last[0]}{n}" for last in LAST.split() for n in range(1, int(last[1:]) + 1)]

AREAS = {"engine", "durable storage", "control flow", "policies and observability", "bridge/server"}
LONGEST_SUMMARY = 12  # words

ROW = re.compile(r"^\| *([A-Y]\d+|\d\.\d+) *\| *(.*?) *\| *(.*?) *\| *(.*?) *\|$")
TEST = re.compile(r"`(tests/[^`]+::[^`]+)`")
LINK = re.compile(r"\[[^]]*\]\(differences\.md#([^)]+)\)")
CITED = re.compile(r"LangGraph ([A-Y]\d+(?:(?:,| and|, and) [A-Y]\d+)*)")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    statement: str
    summary: str
    status: str
    shown_by: str

    @property
    def tests(self) -> list[str]:
        return TEST.findall(self.shown_by)

    @property
    def anchors(self) -> list[str]:
        return LINK.findall(self.shown_by)

    @property
    def owed(self) -> list[str]:
        """The areas that owe the statement or a part of it."""
        parts = [part.removeprefix("owed: ") for part in self.status.split("; ") if part.startswith("owed: ")]
        return [area for part in parts for area in part.split(", ")]

    def has(self, status: str) -> bool:
        return status in self.status.split("; ")

    def __str__(self) -> str:
        return f"| {self.statement} | {self.summary} | {self.status} | {self.shown_by} |"


@dataclass
class Suite:
    """The tests there are, and which statements they show."""

    ids: set[str] = field(default_factory=set)
    shows: dict[str, list[str]] = field(default_factory=dict)

    def add(self, test: str, statements: set[str]) -> None:
        self.ids.add(test)
        for statement in statements:
            self.shows.setdefault(statement, []).append(test)


# ---- reading


def read_rows(text: str) -> list[Row]:
    return [Row(*match.groups()) for line in text.splitlines() if (match := ROW.match(line))]


def read_suite(root: Path) -> Suite:
    suite = Suite()
    for file in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        path = file.relative_to(root).as_posix()
        everywhere = {name for node in tree.body if isinstance(node, ast.Assign) for name in marked(node)}
        for name, statements in find_tests(tree.body, section_of(path)):
            suite.add(f"{path}::{name}", statements | everywhere)
    return suite


def find_tests(body: list[ast.stmt], section: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each test of a module or class with the statements it shows."""
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for name, statements in find_tests(node.body, section):
                yield f"{node.name}::{name}", statements | decorated(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, decorated(node) | named(node.name, section) | cited(node)


def section_of(path: str) -> str:
    """Return the letter of an acceptance file, without which a name says nothing: `test_v2_shape` is not about V2."""
    match = re.match(r"tests/acceptance/(?:.*/)?test_([a-y])_", path)
    return match.group(1) if match else ""


def named(name: str, section: str) -> set[str]:
    if not section:
        return set()
    match = re.match(rf"test_((?:{section}\d+_)+)", name)
    return set(match.group(1).rstrip("_").upper().split("_")) if match else set()


def decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {statement for decorator in node.decorator_list for statement in marked(decorator)}


def marked(tree: ast.AST) -> set[str]:
    """Return the arguments of each `pytest.mark.parity(...)` in a decorator or a `pytestmark = ...`."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    marks = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "parity")
    return {str(word.value) for mark in marks for word in mark.args if isinstance(word, ast.Constant)}


def cited(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    docstring = ast.get_docstring(node) or ""
    return {word for group in CITED.findall(docstring) for word in re.findall(r"[A-Y]\d+", group)}


def read_anchors(text: str) -> set[str]:
    """Return what a link can point at: headings as forges slug them, and explicit ids."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


# ---- filling


def filled(row: Row, suite: Suite) -> Row:
    """Return the row with the tests found, and with what they pay struck from what is owed."""
    tests = sorted(suite.shows.get(row.statement, []))
    links = [match.group(0) for match in LINK.finditer(row.shown_by)]
    status = paid(row) if tests else row.status
    return replace(row, status=status, shown_by=", ".join(links + [f"`{test}`" for test in tests]))


def paid(row: Row) -> str:
    """Return the status once tests exist: the engine's part is done, or the whole if one area owed it.

    Of several areas that are left, a person must say which one has delivered.
    """
    done = [part for part in row.status.split("; ") if not part.startswith("owed: ")]
    owed = [area for area in row.owed if area != "engine"]
    if owed == row.owed and len(owed) == 1 and not done:
        owed = []
    return "; ".join([*(done or ["test"]), *(["owed: " + ", ".join(owed)] if owed else [])])


def fill(text: str, suite: Suite) -> str:
    lines = (
        str(filled(Row(*match.groups()), suite)) if (match := ROW.match(line)) else line
        for line in text.splitlines()
    )
    return "\n".join(lines) + "\n"


# ---- checking


def complaints(rows: list[Row], suite: Suite, anchors: set[str]) -> Iterator[str]:
    counted = Counter(row.statement for row in rows)
    for statement in STATEMENTS:
        if counted[statement] != 1:
            yield f"{statement}: {counted[statement]} rows instead of one"
    for statement in sorted(counted.keys() - set(STATEMENTS)):
        yield f"{statement}: no such statement"
    for statement in sorted(suite.shows.keys() - set(STATEMENTS)):
        yield f"{statement}: no such statement, named by {', '.join(suite.shows[statement])}"
    for row in rows:
        for complaint in about(row, suite, anchors):
            yield f"{row.statement}: {complaint}"


def about(row: Row, suite: Suite, anchors: set[str]) -> Iterator[str]:
    for part in row.status.split("; "):
        if part not in ("test", "differs") and not part.startswith("owed: "):
            yield f"status {part!r} is none of test, differs, owed: <area>"
    yield from (
        f"nothing is called {area!r}; areas are {sorted(AREAS)}" for area in row.owed if area not in AREAS
    )
    yield from (f"there is no test {test}" for test in row.tests if test not in suite.ids)
    yield from (f"docs/differences.md has no #{anchor}" for anchor in row.anchors if anchor not in anchors)
    if row.has("test") and not row.tests:
        yield "says test and names none"
    if row.has("differs") and not row.anchors:
        yield "says differs and links to no entry of docs/differences.md"
    if not row.has("differs") and row.anchors:
        yield "links to a difference and does not say differs"
    if len(row.summary.split()) > LONGEST_SUMMARY:
        yield f"more than {LONGEST_SUMMARY} words"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--fill", action="store_true", help="write the tests found into the table")
    what.add_argument("--check", action="store_true", help="fail if the table is not true")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project's directory")
    options = parser.parse_args()

    table: Path = options.root / TABLE
    suite = read_suite(options.root)
    if options.fill:
        table.write_text(fill(table.read_text(encoding="utf-8"), suite), encoding="utf-8")
        return 0
    anchors = read_anchors((options.root / DIFFERENCES).read_text(encoding="utf-8"))
    rows = read_rows(table.read_text(encoding="utf-8"))
    found = list(complaints(rows, suite, anchors))
    print("\n".join(f"{TABLE}: {complaint}" for complaint in found) or summary(rows))
    return 1 if found else 0


def summary(rows: list[Row]) -> str:
    done = sum(1 for row in rows if not row.owed)
    return f"{TABLE}: {len(rows)} statements, {done} settled, {len(rows) - done} owed in whole or part"


if __name__ == "__main__":
    sys.exit(main())
