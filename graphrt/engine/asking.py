"""`interrupt()` from the engine's side: which question it is, and whether there is an answer (LangGraph I1-I5, I11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import structs

from graphrt.core.ids import interrupt_id
from graphrt.core.interrupts import OWN, PASSED_ON, RAISED, Question
from graphrt.core.jsonschema import converted, json_schema
from graphrt.core.state import Task
from graphrt.engine.scope import scope_of
from graphrt.errors import GraphInterrupt, InvalidResumeError, SerializationError
from graphrt.types import Interrupt

if TYPE_CHECKING:
    from graphrt.engine.family import Family
    from graphrt.engine.surroundings import Surroundings

__all__ = ["ask", "asked_by", "passed_on"]


def ask(run: Surroundings, task: Task, value: Any, response_schema: Any) -> Any:
    """The answer to the task's next question.

    Raises:
        GraphInterrupt: there is none yet.
        InvalidResumeError: it does not fit the schema.
        SerializationError: the run is stored, and `value` cannot be.
    """
    scope = scope_of(task)
    number = scope.questions
    scope.questions += 1
    identity = interrupt_id(run.identify(task), number)
    family = run.kin
    if identity not in family.answers and family.spare and family.spare_step == run.outermost.step:
        _take_spare(run, family, identity)
    if identity in family.answers:
        if family.spare and family.spare[0].question == identity:
            family.spare.clear()
        try:
            return _fitting(family.answers[identity], response_schema, identity)
        except InvalidResumeError:
            del family.answers[identity]
            family.refused.append(identity)
            raise
    interrupt = Interrupt(value, identity, _json_schema(response_schema))
    try:
        data = run.encode(value) if run.keeper is not None else b""
    except SerializationError as error:
        raise SerializationError(
            f"Node {task.node.name!r} asked for something with a value that cannot be stored: {error}",
            path=error.path,
            type_name=error.type_name,
        ) from None
    scope.asked.append(
        Question(identity, data, interrupt.response_schema, OWN, number, run.namespace, interrupt)
    )
    raise GraphInterrupt((interrupt,))


def _take_spare(run: Surroundings, family: Family, identity: str) -> None:
    """Answer a question by what was given while it was not known, if that may be for it."""
    spare = family.spare[0]
    if spare.question is None or spare.place == run.namespace:
        family.spare.clear()
        family.answers[identity] = spare.answer
        family.taken.append(identity)


def asked_by(run: Surroundings, task: Task, interrupt: GraphInterrupt) -> list[Question]:
    """All questions that a task waits for that has let `interrupt` through: it asked, was passed, or raised them."""
    scope = scope_of(task)
    questions = [*scope.asked, *scope.passed_on]
    known = {question.id for question in questions}
    for item in interrupt.interrupts:
        if item.id not in known:
            data = run.encode(item.value) if run.keeper is not None else b""
            questions.append(Question(item.id, data, item.response_schema, RAISED, live=item))
    return questions


def passed_on(questions: Iterable[Question], caller: Task) -> None:
    """What a task waits for, its caller waits for too; what was raised by hand stays that."""
    scope_of(caller).passed_on += [
        question if question.kind == RAISED else structs.replace(question, kind=PASSED_ON)
        for question in questions
    ]


def _json_schema(schema: Any) -> dict[str, Any] | None:
    if schema is None or isinstance(schema, dict):
        return schema  # pyright: ignore[reportUnknownVariableType]
    return json_schema(schema)


def _fitting(answer: Any, schema: Any, identity: str) -> Any:
    """The answer as an instance of its schema."""
    if schema is None or isinstance(schema, dict):
        return answer
    try:
        return converted(answer, schema)
    except ValueError as error:
        raise InvalidResumeError(
            f"The answer to interrupt {identity} does not fit its response_schema: {error}. The question is still "
            "open: answer it again.",
            interrupt_id=identity,
        ) from error
