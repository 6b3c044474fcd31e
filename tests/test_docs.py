"""The README and the docs are true: their code runs, it prints what they say, and their links lead somewhere.

- The `python` blocks of a page run in order, as one module. `await` may stand outside of functions, as it may in
  `python -m asyncio`.
- A `text` block right below a `python` block is what that one prints; the error it ends with, if any, comes last, as
  Python shows it. `...` stands for anything, and where lines break does not matter.
- In a `console` block the lines with `$` are commands, those between them their output, if it is shown at all. In a
  `bash` block every line is a command.
"""

import asyncio
import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graphrt import errors
from scripts.parity import read_anchors

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(
    r"^```(?P<language>\w+)\n(?P<source>.*?)^```$(?:\s*^```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([^)]+))?\)")

LEFT_TO_THE_READER = (
    "pip install",  # downloads
    "python -m asyncio",  # a prompt
    "python3 dev.py",  # makes an environment
    "python -m bench",  # takes long, or says what a machine can do
    "python examples/agent.py",  # needs a model's server
    "python examples/tokens.py",  # the same
    "python examples/web_app.py",  # serves for ever
)


# ---- what pages are made of


@dataclass(frozen=True)
class Block:
    """A fenced block; `output` is the `text` block right below it, None if there is none."""

    language: str
    line: int
    source: str
    output: str | None = None


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield Block(line=text.count("\n", 0, match.start()) + 2, **match.groupdict())


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def with_blocks(*languages: str) -> list[Path]:
    return [page for page in PAGES if any(block.language in languages for block in blocks_of(page))]


def assert_prints(where: str, printed: str, shown: str) -> None:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(shown, printed, options), f"{where} prints:\n{printed}"


# ---- Python


def output_of(code: Any, names: dict[str, Any], runner: asyncio.Runner, *, may_fail: bool) -> str:
    """What a block prints, with the error it ends with if it may fail."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            waiting = eval(code, names)
            if waiting is not None:
                runner.run(waiting)
        except Exception as error:
            if not may_fail:
                raise
            print(*traceback.format_exception_only(error), sep="")
    return printed.getvalue()


@pytest.mark.parametrize("page", with_blocks("python"), ids=name_of)
def test_python_on_a_page_runs_and_prints_what_the_page_says(page, monkeypatch, tmp_path):
    module = ModuleType("docs_page")  # schemas look up their annotations in the module they were defined in
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)  # pages make databases
    with asyncio.Runner() as runner:
        for block in blocks_of(page):
            if block.language != "python":
                continue
            where = f"{name_of(page)}:{block.line}"
            source = "\n" * (block.line - 1) + block.source
            code = compile(source, page, "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT)
            printed = output_of(code, module.__dict__, runner, may_fail=block.output is not None)
            assert_prints(where, printed, printed if block.output is None else block.output)


# ---- commands


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a block, and the output that is shown."""
    if block.language == "bash":
        yield from ((line, "") for line in block.source.splitlines() if line.strip())
    if block.language == "console":
        for part in block.source.removeprefix("$ ").split("\n$ "):
            command, _, output = part.partition("\n")
            yield command, output


COMMANDS = [
    pytest.param(command, output, id=f"{name_of(page)}:{block.line}: {command[:40]}")
    for page in PAGES
    for block in blocks_of(page)
    for command, output in commands_of(block)
    if not command.startswith(LEFT_TO_THE_READER)
]


@pytest.mark.parametrize("command,output", COMMANDS)
def test_a_command_on_a_page_runs_and_prints_what_the_page_says(command, output):
    program, *args = shlex.split(command, comments=True)
    programs = {"python": [sys.executable], "graphrt": [sys.executable, "-m", "graphrt"]}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    line = [*programs[program], *args]
    done = subprocess.run(
        line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    if output.strip():
        assert_prints(command, done.stdout, output)


# ---- links and lists


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_somewhere(page):
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for path, anchor in LINK.findall(prose):
        target = (page.parent / path).resolve() if path else page
        anchors = read_anchors(target.read_text(encoding="utf-8")) if anchor and target.is_file() else set()
        if not target.exists() or (anchor and anchor not in anchors):
            broken.append(f"{path}#{anchor}" if anchor else path)
    assert broken == []


def test_every_page_can_be_found_from_the_index():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {(DOCS / path).resolve() for path, _ in LINK.findall(text)}
    assert {name_of(page) for page in DOCS.rglob("*.md")} - {name_of(path) for path in linked} == {
        "docs/index.md"
    }


@pytest.mark.parametrize("code", errors.ErrorCode, ids=lambda code: code.name)
def test_every_error_code_has_its_section(code):
    assert code.value in read_anchors((DOCS / "errors.md").read_text(encoding="utf-8"))


def test_every_error_is_in_the_table_of_errors():
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    named = [
        error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)
    ]
    assert [error.__name__ for error in named if f"| `{error.__name__}` |" not in text] == []


def test_the_readme_shows_a_program_before_its_fifteenth_line():
    first = next(blocks_of(ROOT / "README.md"))
    assert (first.language, first.line <= 15, first.output is not None) == ("python", True, True)
