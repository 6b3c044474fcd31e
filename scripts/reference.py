"""Writes docs/reference.md: every public name, with the first line of what its docstring says.

    python3 scripts/reference.py --fill     write the page
    python3 scripts/reference.py --check    report what is not up to date, and fail

The source is read, not run, so both work without installing anything. What a module's `__all__` names is public; the
modules are those of `SECTIONS`.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/reference.md")

HEAD = """\
# Reference

Every public name by the module to import it from, with the first line of its documentation; the links lead to the
rest. Written by `python3 scripts/reference.py --fill` from the source; the tests compare.
"""

SECTIONS = {
    "Graphs": [
        "graphrt", "graphrt.graph", "graphrt.graph.message", "graphrt.graph.ui", "graphrt.func", "graphrt.pregel",
    ],
    "What nodes share with the engine": [
        "graphrt.types", "graphrt.config", "graphrt.runtime", "graphrt.constants", "graphrt.managed",
        "graphrt.channels",
    ],
    "Messages": ["graphrt.messages"],
    "Threads": [
        "graphrt.checkpoint", "graphrt.checkpoint.memory", "graphrt.checkpoint.sqlite", "graphrt.checkpoint.postgres",
        "graphrt.checkpoint.encrypted", "graphrt.serde",
    ],
    "Long-term memory": [
        "graphrt.store.base", "graphrt.store.memory", "graphrt.store.sqlite", "graphrt.store.postgres",
    ],
    "Caches": ["graphrt.cache", "graphrt.cache.sqlite"],
    "Seeing inside": ["graphrt.observers", "graphrt.callbacks", "graphrt.otel", "graphrt.drawing"],
    "Testing": [
        "graphrt.testing.nodes", "graphrt.testing.script", "graphrt.testing.schedules",
        "graphrt.testing.schedules_loop", "graphrt.testing.clock", "graphrt.testing.ids",
        "graphrt.testing.fixtures", "graphrt.testing.faults",
        "graphrt.testing.conformance", "graphrt.testing.store_conformance", "graphrt.testing.plugin",
        "graphrt.testing.postgres",
    ],
    "Errors": ["graphrt.errors"],
}  # fmt: skip
"""A module that does not exist is left out."""

INTERNAL = {
    "cli",
    "core",
    "edits",
    "engine",
    "loops",
    "store",
    "stream_parts",
    "testing",
    "typing",
    "version",
}
"""What stands at the top of the package and is not for users, or only its modules are."""

WITH_METHODS = {
    ("graphrt.graph", "StateGraph"), ("graphrt.graph", "CompiledStateGraph"), ("graphrt.pregel", "NodeBuilder"),
    ("graphrt.runtime", "Runtime"), ("graphrt.runtime", "RunControl"), ("graphrt.types", "StreamWriter"),
    ("graphrt.checkpoint", "Checkpointer"), ("graphrt.store.base", "BaseStore"), ("graphrt.drawing", "Graph"),
    ("graphrt.testing.clock", "FakeClock"),
}  # fmt: skip
"""Classes whose methods are listed, too."""

NOT_INHERITED = {"Generic", "Protocol", "Struct", "TypedDict", "NamedTuple", "object", "Exception", "ABC"}


# ---- reading the source


@dataclass(frozen=True)
class Module:
    """A module's source, by name."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def public(self) -> list[str]:
        """What `__all__` says; of a module without one, nothing."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(_is_name(target, "__all__") for target in node.targets):
                return [str(item.value) for item in ast.walk(node.value) if isinstance(item, ast.Constant)]
        return []


@dataclass(frozen=True)
class Definition:
    """Where a name is defined, and what it says of itself."""

    module: Module
    node: ast.stmt
    text: str

    @property
    def line(self) -> str:
        return self.text.strip().split("\n\n")[0].replace("\n", " ")


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


@cache
def module_of(name: str) -> Module | None:
    """A module of this project, None if there is none of that name."""
    base = ROOT.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return None


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, those under `if` and `try` as well."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from statements(node.body)
            yield from statements(node.orelse)


def definition_of(module: Module, name: str) -> Definition | None:
    """Follows imports to where a name is defined."""
    body = list(statements(module.tree.body))
    for node, following in zip(body, [*body[1:], None], strict=True):
        match node:
            case ast.ClassDef() if node.name == name:
                return Definition(module, node, ast.get_docstring(node) or "")
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                if not any(_is_name(decorator, "overload") for decorator in node.decorator_list):
                    return Definition(module, node, ast.get_docstring(node) or "")
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(_is_name(target, name) for target in targets):
                    return Definition(module, node, _text(following))
            case ast.ImportFrom(module=str(source)):
                for alias in node.names:
                    if (alias.asname or alias.name) == name and (found := _imported(source, alias.name)):
                        return found
            case _:
                pass
    return None


def _imported(source: str, name: str) -> Definition | None:
    module = module_of(source)
    if module is None:
        return None
    if inner := module_of(f"{source}.{name}"):
        return Definition(inner, inner.tree.body[0], ast.get_docstring(inner.tree) or "")
    return definition_of(module, name)


def _text(node: ast.stmt | None) -> str:
    """The string that stands below an assignment."""
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
        case _:
            return ""


def methods_of(found: Definition, seen: set[str]) -> Iterator[tuple[str, Definition]]:
    """Public methods and properties of a class, with those that it inherits."""
    if not isinstance(found.node, ast.ClassDef):
        return
    for node in found.node.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node) or ""
            if text and node.name not in seen:
                seen.add(node.name)
                yield node.name, Definition(found.module, node, text)
    for base in found.node.bases:
        name = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(name, ast.Name) and name.id not in NOT_INHERITED:
            inherited = definition_of(found.module, name.id)
            if inherited is not None:
                yield from methods_of(inherited, seen)


# ---- writing the page


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, modules in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [part for name in modules if (module := module_of(name)) for part in _module(module)]
    return "\n".join(parts)


def _module(module: Module) -> Iterator[str]:
    yield f"### {module.name}\n"
    said = (ast.get_docstring(module.tree) or "").split("\n\n")[0].replace("\n", " ")
    if said:
        yield f"{_cell(said)}\n"
    rows = [row for name in sorted(module.public, key=str.lower) for row in _rows(module, name)]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"


def _rows(module: Module, name: str) -> Iterator[str]:
    found = definition_of(module, name)
    if found is None:
        yield f"| `{name}` | |"
        return
    yield f"| {_link(name, found)} | {_cell(found.line)} |"
    if (module.name, name) in WITH_METHODS:
        for method, inner in sorted(methods_of(found, set())):
            yield f"| &nbsp;&nbsp;{_link('.' + method, inner)} | {_cell(inner.line)} |"


def _link(name: str, found: Definition) -> str:
    return f"[`{name}`](../{found.module.path.relative_to(ROOT).as_posix()})"


def _cell(text: str) -> str:
    """Text that can stand in a table and has no links that lead nowhere."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("](", "] (").strip()


def undocumented() -> list[str]:
    """Public names that say nothing of themselves."""
    return [
        f"{module.name}.{name}"
        for names in SECTIONS.values()
        for module in map(module_of, names)
        if module is not None
        for name in module.public
        if (found := definition_of(module, name)) is None or not found.line
    ]


def forgotten() -> list[str]:
    """Modules at the top of the package that are neither on the page nor known to be internal."""
    listed = {name.split(".")[1] for names in SECTIONS.values() for name in names if "." in name}
    there = {
        path.stem
        for path in (ROOT / "graphrt").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return sorted(name for name in there - listed - INTERNAL if not name.startswith("_"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--fill", action="store_true")
    group.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.fill:
        (ROOT / PAGE).write_text(page(), encoding="utf-8")
        return 0
    complaints = [f"{name} has no docstring" for name in undocumented()]
    complaints += [f"graphrt.{name} is in no section" for name in forgotten()]
    if (ROOT / PAGE).read_text(encoding="utf-8") != page():
        complaints.append(f"{PAGE} is not up to date: python3 scripts/reference.py --fill")
    print(*complaints, sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
