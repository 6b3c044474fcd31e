"""examples/pipeline.py does what it says."""

from pathlib import Path
from typing import Any

import pytest

from examples.pipeline import THREAD, Report, imports, pipeline
from graphrt.checkpoint.memory import InMemorySaver
from tests.examples.conftest import RunExample


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("import os, os.path\nimport json\nfrom . import b\n")
    (tmp_path / "b.py").write_text("from json import loads\n")
    (tmp_path / "notes.txt").write_text("import nothing\n")
    return tmp_path


@pytest.fixture
def app() -> Any:
    return pipeline.copy({"checkpointer": InMemorySaver()})


def test_the_program_prints_the_modules_and_what_it_read(run_example: RunExample, program: Path):
    ran = run_example("pipeline.py", str(program))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["    2  json", "    1  os", "2 files, 2 of them read now"]
    assert sorted(ran.stderr.splitlines()) == [f"read {program / 'a.py'}", f"read {program / 'b.py'}"]


def test_with_a_database_the_next_report_reads_only_what_has_changed(run_example: RunExample, program: Path):
    database = str(program / "reports.db")
    run_example("pipeline.py", "--db", database, str(program))
    (program / "b.py").write_text("import os\n")
    ran = run_example("pipeline.py", "--db", database, str(program))
    assert ran.stdout.splitlines() == ["    2  os", "    1  json", "2 files, 1 of them read now"]


def test_without_arguments_it_reads_this_project(run_example: RunExample):
    ran = run_example("pipeline.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0].split()[1] == "__future__"


def test_a_path_that_is_not_there_is_an_error_in_words(run_example: RunExample):
    ran = run_example("pipeline.py", "no-such-file.py")
    assert (ran.returncode, ran.stderr) == (1, "There is no file or directory no-such-file.py.\n")


def test_a_file_that_is_gone_is_forgotten(app: Any, program: Path):
    app.invoke([str(program)], THREAD)
    (program / "a.py").unlink()
    assert app.invoke([str(program)], THREAD) == Report(1, 0, [("json", 1)])


def test_after_a_failure_the_files_that_were_read_are_not_read_again(
    app: Any, program: Path, monkeypatch: pytest.MonkeyPatch
):
    read: list[str] = []
    original = imports.node.call
    assert original is not None

    def counting(file: str) -> Any:
        read.append(Path(file).name)
        return original(file)

    monkeypatch.setattr(imports.node, "call", counting)
    (program / "c.py").write_text("this is no Python\n")
    with pytest.raises(SyntaxError):
        app.invoke([str(program)], {**THREAD, "max_concurrency": 1})
    (program / "c.py").write_text("import re\n")
    assert app.invoke(None, THREAD).read == 3
    assert read == ["a.py", "b.py", "c.py", "c.py"]
