"""What the tests of interrupts share: nodes that ask, runs that pause, and which questions are open under which ids."""

from typing import Any

from graphrt.types import interrupt
from tests.acceptance.graphs import Log, graph, named, thread

NOBODYS = "0" * 32
"""An id under which nobody asks anything."""


def asks(word: str, *questions: Any, ran: list[str] | None = None) -> Any:
    """A node named `word` that asks `questions` and logs "word:answer" for each; each start goes to `ran`."""

    async def node(state: Any) -> dict[str, Any]:
        if ran is not None:
            ran.append(word)
        return {"log": [f"{word}:{interrupt(question)}" for question in questions]}

    return named(word, node)


def asks_plainly(word: str, question: Any) -> Any:
    """A plain function that does as `asks(word, question)`."""
    return named(word, lambda state: {"log": [f"{word}:{interrupt(question)}"]})


def counts(word: str, ran: list[str]) -> Any:
    """A node that says `word` and leaves it in `ran` each time it runs."""

    async def node(state: Any) -> dict[str, Any]:
        ran.append(word)
        return {"log": [word]}

    return named(word, node)


async def paused(saver: Any, *nodes: Any, paths: list[str], **options: Any) -> Any:
    """A compiled graph whose thread "t" was given `{"log": ["in"]}` and ran until something stopped it."""
    app = graph(Log, *nodes, paths=paths).compile(checkpointer=saver, **options)
    await app.ainvoke({"log": ["in"]}, thread())
    return app


def asked(result: Any) -> list[Any]:
    """The questions that a run's result shows as open, sorted."""
    return sorted(question.value for question in result.get("__interrupt__", ()))


async def open_ids(app: Any) -> dict[Any, str]:
    """The open questions of thread "t", and their ids."""
    return {question.value: question.id for question in (await app.aget_state(thread())).interrupts}
