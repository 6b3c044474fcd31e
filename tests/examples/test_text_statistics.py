"""examples/text_statistics.py does what it says."""

from pathlib import Path

import pytest

from examples.text_statistics import Row, count, graph
from tests.examples.conftest import ROOT, RunExample


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "b.txt").write_text("Graphs run. Graphs stop.\n")
    (tmp_path / "a.md").write_text("# Graphs\n\nOne step follows another step.\n")
    (tmp_path / "ignored.py").write_text("print('not prose')\n")
    return tmp_path


def test_the_program_prints_a_row_per_file_and_the_total(run_example: RunExample, texts: Path):
    ran = run_example("text_statistics.py", str(texts))
    assert ran.returncode == 0, ran.stderr
    header, a, b, _, total = ran.stdout.splitlines()
    assert header.split()[:5] == ["file", "lines", "words", "unique", "ease"]
    assert a.split()[:4] == [str(texts / "a.md"), "3", "6", "5"]
    assert b.split()[:4] == [str(texts / "b.txt"), "1", "4", "3"]
    assert total.split()[:5] == ["2", "files", "4", "10", "7"]


def test_progress_is_told_per_file(run_example: RunExample, texts: Path):
    ran = run_example("text_statistics.py", str(texts))
    assert sorted(ran.stderr.splitlines()) == [
        f"read {texts / 'a.md'}: 6 words",
        f"read {texts / 'b.txt'}: 4 words",
    ]


def test_without_arguments_it_reads_this_projects_own_text(run_example: RunExample):
    ran = run_example("text_statistics.py")
    assert ran.returncode == 0, ran.stderr
    read = {line.split()[0] for line in ran.stdout.splitlines()}
    assert "README.md" in read
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")} <= read


def test_a_path_that_is_not_there_is_an_error_in_words(run_example: RunExample):
    ran = run_example("text_statistics.py", "no-such-file.md")
    assert (ran.returncode, ran.stderr) == (1, "There is no file or directory no-such-file.md.\n")


@pytest.fixture
def sixty_files(tmp_path: Path) -> dict[str, list[str]]:
    for number in range(60):
        (tmp_path / f"{number:02}.txt").write_text("word " * number)
    return {"paths": [str(tmp_path)]}


async def test_every_file_is_one_task(sixty_files: dict[str, list[str]]):
    updates = [update async for update in graph.astream(sixty_files, {"max_concurrency": 4})]
    assert sum("measure" in update for update in updates) == 60


async def test_results_keep_the_order_of_the_files(sixty_files: dict[str, list[str]]):
    result = await graph.ainvoke(sixty_files, {"max_concurrency": 4})
    assert [row.words for row in result["rows"]] == [*range(60), sum(range(60))]


async def test_no_files_give_an_empty_total(tmp_path: Path):
    result = await graph.ainvoke({"paths": [str(tmp_path)]})
    assert result == {"rows": [Row("0 files", lines=0, words=0, unique=0, ease=0, top=[])]}


def test_words_sentences_and_syllables():
    counts = count("It doesn't stop: it goes on.\n\n- A list\n\n```\ncode here.\n```\n")
    assert (counts.lines, counts.sentences, counts.syllables) == (7, 3, 8)
    assert counts.words == {"it": 2, "doesn't": 1, "stop": 1, "goes": 1, "on": 1, "a": 1, "list": 1}


def test_a_simple_text_reads_more_easily_than_a_difficult_one():
    simple = Row.of("simple", count("The cat sat. The dog ran. We saw it all."))
    difficult = Row.of(
        "difficult", count("Heterogeneous considerations necessitate comprehensive deliberation.")
    )
    assert simple.ease > 100 > 0 > difficult.ease


def test_top_words_leave_out_the_common_ones():
    assert Row.of("t", count("the graph and the graph and a node")).top == ["graph", "node"]
