"""Runs that ask, with the answers written down beforehand.

    played = await play(graph, {"item": "a table"}, answers={"Buy a table?": True, "ship": in_turn("no", "yes")})
    assert played.value["bought"]

A question is found by its value, by the name of the node (or of a graph around it) that asks, or by a function of the
`Question`. What is asked and not in the script fails the test, and so does what is in the script and never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias
from uuid import uuid4

from msgspec import Struct

from graphrt.config import RunnableConfig, merge_configs
from graphrt.errors import GraphError
from graphrt.types import Command, Interrupt, StateSnapshot

__all__ = [
    "Answers",
    "Played",
    "Question",
    "Script",
    "ScriptError",
    "UnansweredError",
    "UnaskedError",
    "in_turn",
    "play",
]

Answers: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""What to answer, by what is asked: a dict, or pairs where questions cannot be keys of one."""

NONE: Final[Any] = object()


class Question(Struct, frozen=True):
    """An open question as a script sees it.

    Attributes:
        value: what `interrupt()` was given.
        path: the names of the nodes that lead to it, the outermost first.
    """

    value: Any
    path: tuple[str, ...]
    id: str

    @property
    def node(self) -> str:
        """The node that asks."""
        return self.path[-1] if self.path else ""

    def __str__(self) -> str:
        return f"{self.value!r} of node {'/'.join(self.path)!r}"


class Played(Struct, frozen=True):
    """How a scripted run went.

    Attributes:
        value: what the last `ainvoke` returned.
        asked: each question and its answer, in the order in which they were answered.
        snapshot: the thread at the end.
    """

    value: Any
    asked: tuple[tuple[Question, Any], ...]
    snapshot: StateSnapshot

    @property
    def questions(self) -> list[Any]:
        """The values of the questions, in order."""
        return [question.value for question, _ in self.asked]


class ScriptError(GraphError, AssertionError):
    """A run and its script do not fit."""


class UnansweredError(ScriptError):
    """A question that the script has no answer for. `question` is it."""

    def __init__(self, question: Question, why: str) -> None:
        super().__init__(
            f"The run asks {question}, and {why}. Add it to `answers`: by its value, by the node's name, or by a "
            "function of the question."
        )
        self.question = question


class UnaskedError(ScriptError):
    """Answers to questions that nobody asked. `left` has what was waited for."""

    def __init__(self, left: list[Any], asked: Iterable[Question]) -> None:
        known = "; ".join(map(str, asked)) or "nothing"
        super().__init__(f"The run has ended, and never asked {left}. What it did ask: {known}.")
        self.left = left


class _InTurn(Struct, frozen=True):
    answers: tuple[Any, ...]


def in_turn(*answers: Any) -> Any:
    """Answers to a question that is asked several times: one after the other, each of them once."""
    return _InTurn(answers)


class _Entry:
    """One line of a script."""

    def __init__(self, matcher: Any, answer: Any) -> None:
        self.matcher = matcher
        self.answers = list(answer.answers) if isinstance(answer, _InTurn) else None
        self.answer = answer
        self.used = False

    def fits(self, question: Question) -> bool:
        if callable(self.matcher):
            return bool(self.matcher(question))
        return bool(self.matcher == question.value) or self.matcher in (*question.path, question.id)

    def take(self) -> Any:
        """The next answer, NONE if there is no more."""
        self.used = True
        if self.answers is None:
            return self.answer
        return self.answers.pop(0) if self.answers else NONE

    @property
    def left(self) -> bool:
        return not self.used or bool(self.answers)


def _pairs(answers: Any) -> Iterable[tuple[Any, Any]]:
    items: Iterable[tuple[Any, Any]] = answers.items() if hasattr(answers, "items") else answers
    return items


class Script:
    """Answers that are given as questions come; of several that fit the first one counts."""

    def __init__(self, answers: Answers = ()) -> None:
        self._entries = [_Entry(*pair) for pair in _pairs(answers)]
        self.asked: list[tuple[Question, Any]] = []

    def __bool__(self) -> bool:
        return bool(self._entries)

    def knows(self, question: Question) -> bool:
        """Whether any line of the script is about the question."""
        return any(entry.fits(question) for entry in self._entries)

    def answer(self, question: Question) -> Any:
        """The answer, which is used up by that if it was one of several in turn.

        Raises:
            UnansweredError: there is none.
        """
        why = "the script does not know what to answer"
        for entry in self._entries:
            if entry.fits(question):
                answer = entry.take()
                if answer is not NONE:
                    self.asked.append((question, answer))
                    return answer
                why = "all answers that the script had in turn are used up"
        raise UnansweredError(question, why)

    def close(self) -> None:
        """Everything has to have been asked.

        Raises:
            UnaskedError: something was not.
        """
        left = [entry.matcher for entry in self._entries if entry.left]
        if left:
            raise UnaskedError(left, [question for question, _ in self.asked])


async def play(
    graph: Any,
    input: Any,
    config: RunnableConfig | None = None,
    *,
    answers: Answers = (),
    restart: Callable[[], Any] | None = None,
    one_by_one: bool = False,
    most_rounds: int = 1000,
    **options: Any,
) -> Played:
    """Run a graph to its end, answering what it asks; breakpoints are passed.

    Args:
        graph: compiled. One without a checkpointer gets one in memory for the occasion.
        config: a thread of its own is taken if it names none.
        restart: makes the graph anew, as a new process would; called before every answer. What it makes goes on with
            the checkpointer of `graph`, unless it has one of its own.
        one_by_one: of several open questions answer one at a time.
        options: of `ainvoke`, such as `context`.

    Raises:
        UnansweredError: the run asks what the script does not know.
        UnaskedError: the script has answers that nobody asked for.
        ScriptError: the run stops again and again.
        whatever the run raises.
    """
    script = Script(answers)
    graph = _storing(graph)
    config = merge_configs({"configurable": {"thread_id": f"played-{uuid4().hex}"}}, config)
    given = input
    for _ in range(most_rounds):
        value = await graph.ainvoke(given, config, **options)
        snapshot = await graph.aget_state(config, subgraphs=True)
        questions = list(questions_in(snapshot))
        if not questions and not snapshot.next:
            script.close()
            return Played(value, tuple(script.asked), snapshot)
        due = questions[:1] if one_by_one else questions
        replies = {question.id: script.answer(question) for question in due}
        given = Command(resume=replies) if replies else None
        if restart is not None:
            graph = _storing(restart(), graph.checkpointer)
    raise ScriptError(f"The run has stopped {most_rounds} times and not come to its end.")


def _storing(graph: Any, saver: Any = None) -> Any:
    """The graph, with a checkpointer if it has none."""
    if graph.checkpointer and graph.checkpointer is not True:
        return graph
    if saver is None:
        from graphrt.checkpoint.memory import InMemorySaver

        saver = InMemorySaver()
    return graph.copy({"checkpointer": saver})


def questions_in(snapshot: StateSnapshot, path: tuple[str, ...] = ()) -> Iterable[Question]:
    """The open questions of a thread, each where it was asked."""
    for task in snapshot.tasks:
        where = (*path, task.name)
        inside: list[Question] = []
        if isinstance(task.state, StateSnapshot):
            inside = list(questions_in(task.state, where))
            yield from inside
        known = {question.id for question in inside}
        yield from (question_of(found, where) for found in task.interrupts if found.id not in known)


def question_of(interrupt: Interrupt[Any], path: tuple[str, ...]) -> Question:
    """An interrupt as a script sees it."""
    return Question(interrupt.value, path, interrupt.id)
