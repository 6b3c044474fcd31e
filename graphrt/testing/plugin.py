"""A pytest plugin that runs the conformance suite on any checkpointer that has a URL: no test file is needed.

    [tool.pytest.ini_options]
    addopts = ["-p", "graphrt.testing.plugin"]
    checkpointers = ["sqlite:///{directory}/threads.db", "my-scheme://host/database"]

or `pytest -p graphrt.testing.plugin --checkpointer URL` for once. `{directory}` is an empty folder of each test's own.
A checkpointer of yours gets a URL by an entry point of the group `graphrt.checkpointers`
(`graphrt.checkpoint.urls`); one that has none is tested by a class (`graphrt.testing.conformance`).

For tests of graphs it has the fixture `fake_clock`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graphrt.testing.fixtures import fake_clock

__all__ = ["URLS", "fake_clock", "pytest_addoption", "pytest_configure"]

URLS: pytest.StashKey[list[str]] = pytest.StashKey()
"""The checkpointers to test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the setting."""
    parser.addini("checkpointers", "URLs of checkpointers to run graphrt's conformance suite on", type="args")
    parser.getgroup("graphrt").addoption(
        "--checkpointer",
        action="append",
        default=[],
        metavar="URL",
        help="run graphrt's conformance suite on the checkpointer with this URL",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the suite to what is collected, if there is anything to run it on."""
    urls: list[str] = config.getoption("checkpointer") or config.getini("checkpointers")
    config.stash[URLS] = urls
    if urls:
        config.args.append(str(Path(__file__).with_name("by_url.py")))
