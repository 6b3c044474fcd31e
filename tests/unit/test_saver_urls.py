"""Checkpointers by URL: the scheme picks an entry point, and mistakes are told in words."""

from importlib.metadata import EntryPoint

import pytest

from checkpointers.memory import InMemorySaver
from graphrt.checkpoint import urls
from graphrt.checkpoint.urls import GROUP, saver_from_url
from graphrt.errors import GraphValidationError


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"memory": "checkpointers.memory:InMemorySaver", "postgresql": "no_such_driver:Saver"}
    monkeypatch.setattr(
        urls,
        "entry_points",
        lambda *, group: [EntryPoint(n, v, GROUP) for n, v in points.items() if group == GROUP],
    )


def test_memory_is_a_new_saver_each_time():
    first, second = saver_from_url("memory://"), saver_from_url("memory://")
    assert isinstance(first, InMemorySaver) and isinstance(second, InMemorySaver)
    assert first is not second


def test_a_scheme_is_not_case_sensitive():
    assert isinstance(saver_from_url("MEMORY://"), InMemorySaver)


def test_an_unknown_scheme_is_told_with_the_known_ones():
    with pytest.raises(
        GraphValidationError, match=r"for redis:// is installed. Known: memory://, postgresql://"
    ):
        saver_from_url("redis://localhost")


@pytest.mark.parametrize("url", ["memory", "", "://x", "memory:/x"])
def test_what_is_no_url_is_told(url: str):
    with pytest.raises(GraphValidationError, match="is written scheme://place"):
        saver_from_url(url)


def test_a_missing_driver_says_what_to_install():
    with pytest.raises(GraphValidationError, match=r"'no_such_driver'.*pip install 'graphrt\[postgres\]'"):
        saver_from_url("postgresql://localhost/db")


def test_a_password_stays_out_of_the_message():
    for url in ("redis://user:secret@host", "user:secret@host"):
        with pytest.raises(GraphValidationError) as caught:
            saver_from_url(url)
        assert "secret" not in str(caught.value)
