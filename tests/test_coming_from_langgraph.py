"""The table for those who come from LangGraph: every name in it can be imported from where it says."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "coming-from-langgraph.md"
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| `(graphrt[\w.]*)`.*? \| .*\|$", re.MULTILINE)
ROWS = [(there, re.findall(r"`(\w+)`", names), here) for there, names, here in ROW.findall(PAGE.read_text())]


@pytest.mark.parametrize("there,names,here", ROWS, ids=[f"{there}-{names[0]}" for there, names, _ in ROWS])
def test_what_langgraph_has_there_is_here(there: str, names: list[str], here: str):
    module = importlib.import_module(here)
    assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("there,names,here", ROWS, ids=[f"{there}-{names[0]}" for there, names, _ in ROWS])
def test_replacing_the_package_in_an_import_is_enough(there: str, names: list[str], here: str):
    if not there.startswith("langgraph"):
        pytest.skip("not LangGraph's own")
    module = importlib.import_module(there.replace("langgraph", "graphrt", 1))
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_table_is_there():
    assert len(ROWS) > 30
