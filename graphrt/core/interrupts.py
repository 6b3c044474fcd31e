"""Open questions and their answers as records, and what they decide: which task may run again (LangGraph I6-I10).

A paused task leaves a TaskResult with `error` set, so that a later result takes its place, and a write to
`__interrupt__`: its own open questions and those of graphs and tasks inside it. An answer is a result of its own at
the checkpoint where the outermost graph stands; one that does not fit its question's schema is followed by a record
that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct

from graphrt.checkpoint import ChannelData, TaskResult
from graphrt.core.kinds import plain_dict
from graphrt.errors import DeserializationError, UnknownInterruptError
from graphrt.types import Interrupt

__all__ = [
    "INTERRUPT",
    "OWN",
    "PASSED_ON",
    "PAUSED",
    "RAISED",
    "Answer",
    "Question",
    "accepted",
    "answer_record",
    "answered_otherwise",
    "answers_of",
    "is_answer",
    "is_null",
    "may_enter",
    "numbered",
    "open_questions",
    "paused_record",
    "questions_of",
    "refusal_record",
]

Decode: TypeAlias = Callable[..., Any]

INTERRUPT: Final = "__interrupt__"
RESUME: Final = "__resume__"
REFUSED: Final = "refused"
PAUSED: Final = "GraphInterrupt"
"""The `error` of a result that says that its task has paused."""
OWN: Final = 0
PASSED_ON: Final = 1
RAISED: Final = 2
"""Where a question comes from: the task's own `interrupt()`, something inside it, an exception raised by hand."""


class Question(Struct, frozen=True):
    """One open question of a task.

    Attributes:
        data: what `interrupt()` was given, as bytes of the graph that asks.
        kind: OWN, PASSED_ON or RAISED.
        number: which of its task's questions it is.
        place: the namespace of the graph whose task asks.
        live: what users see of it, if it was asked in this process.
    """

    id: str
    data: bytes
    schema: dict[str, Any] | None
    kind: int
    number: int = 0
    place: str = ""
    live: Interrupt[Any] | None = None

    def shown(self, decode: Decode) -> Interrupt[Any]:
        """The question as users see it."""
        return self.live or Interrupt(decode(self.data, ()), self.id, self.schema)


def paused_record(
    path: str, node: str, questions: Sequence[Question], encode: Callable[[Any], bytes]
) -> TaskResult:
    """What is stored of a task that has paused."""
    return TaskResult(path, node, (interrupt_write(questions, encode),), error=PAUSED)


def interrupt_write(questions: Sequence[Question], encode: Callable[[Any], bytes]) -> ChannelData:
    """Open questions as a write to `__interrupt__`."""
    fields = [[q.id, q.data, q.schema, q.kind, q.number, q.place] for q in questions]
    return ChannelData(INTERRUPT, encode(fields))


def questions_of(result: TaskResult, decode: Decode) -> tuple[Question, ...] | None:
    """The questions that a task had when it last paused; None if it never did.

    Raises:
        DeserializationError: the record is damaged.
    """
    for write in result.writes:
        if write.channel == INTERRUPT and write.data:
            return tuple([_question(fields) for fields in _list(decode(write.data, ()))])
    return None


def _list(content: Any) -> list[Any]:
    if type(content) is not list:
        raise DeserializationError(f"Stored interrupts are damaged: they are a {type(content).__name__}")
    return content  # pyright: ignore[reportUnknownVariableType]


def _question(fields: Any) -> Question:
    match fields:
        case [str(id), bytes(data), schema, int(kind), int(number), str(place)] if (
            schema is None or plain_dict(schema)
        ):
            return Question(id, data, plain_dict(schema), kind, number, place)
        case _:
            raise DeserializationError("A stored interrupt is damaged")


def open_questions(results: Iterable[TaskResult], decode: Decode) -> dict[str, Question]:
    """The questions that paused tasks wait for, by id, in task order."""
    found: dict[str, Question] = {}
    for result in results:
        if result.error is not None:
            for question in questions_of(result, decode) or ():
                found[question.id] = question
    return found


def numbered(results: Iterable[TaskResult], decode: Decode) -> dict[str, tuple[str, int]]:
    """Questions that tasks asked themselves, answered or not: id -> (path of the task, number)."""
    return {
        question.id: (result.path, question.number)
        for result in results
        for question in questions_of(result, decode) or ()
        if question.kind == OWN
    }


def may_enter(questions: Sequence[Question], answered: Mapping[str, Any], *, eager: bool = False) -> bool:
    """Whether a paused task runs again now.

    It does when all that it asked itself is answered, and something new is there for it: an answer to it or to
    something inside it. A task that paused without a question (a breakpoint inside it, an exception raised by hand)
    always runs again.

    Args:
        eager: what is asked inside it need not be answered: it is a graph, which knows best, or the thread is run
            again without an answer, perhaps because somebody has edited the state of a graph inside it.
    """
    asked = [q for q in questions if q.kind != RAISED]
    if not asked:
        return True
    if any(q.kind == OWN and q.id not in answered for q in asked):
        return False
    return eager or any(q.id in answered for q in asked)


# ---- answers


class Answer(Struct, frozen=True):
    """An answer that counts. `number` says how many there were before that did not fit their question's schema."""

    data: bytes
    number: int = 0


def answer_record(question: str, answer: Answer) -> TaskResult:
    """An answer as it is stored: of two under the same number the first one stays."""
    return TaskResult(f"{RESUME}:{question}:{answer.number}", "", (ChannelData(RESUME, answer.data),))


def refusal_record(question: str, number: int) -> TaskResult:
    """That an answer did not fit: it counts no more."""
    return TaskResult(f"{RESUME}:{question}:{number}:{REFUSED}", "")


def answers_of(results: Iterable[TaskResult]) -> dict[str, Answer]:
    """The answers that count, by question. One without data stands for answers that all did not fit."""
    given: dict[str, dict[int, bytes]] = {}
    refused: set[tuple[str, int]] = set()
    for result in results:
        match result.path.split(":") if is_answer(result) else ():
            case (_, question, number) if number.isdecimal() and result.writes and result.writes[0].data:
                given.setdefault(question, {})[int(number)] = result.writes[0].data
            case (_, question, number, _) if number.isdecimal():
                refused.add((question, int(number)))
            case _:
                pass
    found: dict[str, Answer] = {}
    for question, answers in given.items():
        last = max(answers)
        found[question] = (
            Answer(b"", last + 1) if (question, last) in refused else Answer(answers[last], last)
        )
    return found


def is_answer(result: TaskResult) -> bool:
    """Whether a record is an answer."""
    return not result.node and result.path.startswith(f"{RESUME}:")


def is_null(result: TaskResult) -> bool:
    """Whether a record holds the writes of a Command that was given as input; memos of steps have a task's path."""
    return not result.node and not result.path.startswith(("~", RESUME))


def accepted(
    given: Any,
    pending: Mapping[str, Question],
    kept: Mapping[str, bytes],
    encode: Callable[[Any], bytes],
    *,
    strict: bool,
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What `Command(resume=given)` answers: answers by question that are new, and ids that nobody here asks.

    Args:
        pending: the open questions, `kept` the answers that are stored already.

    Raises:
        UnknownInterruptError: it cannot be told what is answered, or it was answered otherwise.
    """
    answers = _by_id(given)
    if answers is None:
        waiting = [id for id in pending if id not in kept]
        if len(pending) > 1 and len(waiting) != 1:
            raise UnknownInterruptError(
                f"One answer was given, but {len(waiting) or len(pending)} questions are open: "
                f"{', '.join(waiting or pending)}. Say which it answers: Command(resume={{id: answer}}).",
                reason="ambiguous",
                pending_ids=tuple(pending),
            )
        answers = dict.fromkeys(waiting or pending, given)
    elif not answers and strict:
        raise UnknownInterruptError(
            "Command(resume={}) answers nothing: no id is given.",
            reason="empty_map",
            pending_ids=tuple(pending),
        )
    fresh: dict[str, bytes] = {}
    unknown: list[str] = []
    for id, answer in answers.items():
        if id not in pending:
            unknown.append(id)
            continue
        data = encode(answer)
        if id not in kept:
            fresh[id] = data
        elif kept[id] != data:
            raise answered_otherwise(id, pending)
    return fresh, tuple(unknown)


def answered_otherwise(id: str, pending: Iterable[str]) -> UnknownInterruptError:
    """The error for a second, different answer."""
    return UnknownInterruptError(
        f"Interrupt {id} was answered before, and otherwise. The first answer counts.",
        reason="answered",
        interrupt_ids=(id,),
        pending_ids=tuple(pending),
    )


_DIGITS: Final = frozenset("0123456789abcdef")
_LENGTH: Final = 32


def _by_id(given: Any) -> dict[str, Any] | None:
    """`given`, if it is a map of answers by id: a dict whose keys are all 32 hexadecimal digits (LangGraph I7)."""
    answers = plain_dict(given)
    for key in answers or ():
        if type(key) is not str or len(key) != _LENGTH or not _DIGITS.issuperset(key):
            return None
    return answers
