"""examples/memory.py: what is said in one thread is known in another, to the same user."""

from typing import Any

import pytest

from examples.memory import DIMS, builder, embed
from graphrt.checkpoint.memory import InMemorySaver
from graphrt.store.memory import InMemoryStore
from tests.examples.conftest import RunExample


@pytest.fixture
def graph() -> Any:
    store = InMemoryStore(index={"dims": DIMS, "embed": embed, "fields": ["text"]})
    return builder.compile(checkpointer=InMemorySaver(), store=store)


async def say(graph: Any, thread: str, user: str, said: str) -> str:
    config = {"configurable": {"thread_id": thread}}
    end = await graph.ainvoke({"said": said}, config, context={"user": user})
    answer: str = end["answer"]
    return answer


async def test_memory_is_found_by_meaning_in_another_thread(graph: Any):
    await say(graph, "1", "ada", "I love cycling in the rain.")
    await say(graph, "1", "ada", "My sister lives in Lisbon.")
    assert await say(graph, "2", "ada", "Which bicycle?") == "You told me: I love cycling in the rain."


async def test_nobody_knows_what_another_user_said(graph: Any):
    await say(graph, "1", "ada", "I love cycling in the rain.")
    assert await say(graph, "1", "bob", "Which bicycle?") == "I know nothing about that yet."


async def test_the_same_said_twice_is_one_memory(graph: Any):
    for thread in ("1", "2"):
        await say(graph, thread, "ada", "I love cycling.")
    assert await say(graph, "3", "ada", "cycling?") == "You told me: I love cycling."


def test_the_program_shows_what_it_remembers(run_example: RunExample):
    ran = run_example("memory.py")
    assert ran.returncode == 0, ran.stderr
    answers = [line.strip() for line in ran.stdout.splitlines()[1::2]]
    assert answers == [
        "I know nothing about that yet.",
        "I know nothing about that yet.",
        "You told me: I love cycling in the rain.",
        "You told me: My sister lives in Lisbon.",
        "I know nothing about that yet.",
    ]
