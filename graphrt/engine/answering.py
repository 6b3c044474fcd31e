"""What `Command(resume=...)` means for a thread: what it answers, what is stored of that (LangGraph I7-I10).

Answers are stored before anything runs because of them, so none is lost between being accepted and being used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphrt.core.handled import with_handlers
from graphrt.core.ids import interrupt_id, path_text
from graphrt.core.interrupts import (
    PASSED_ON,
    Answer,
    Question,
    accepted,
    answer_record,
    answered_otherwise,
    answers_of,
    numbered,
    open_questions,
)
from graphrt.core.kinds import plain_dict
from graphrt.core.plan import Plan
from graphrt.core.planning import plan_step
from graphrt.engine.family import Spare
from graphrt.errors import GraphValidationError, UnknownInterruptError
from graphrt.types import Command

if TYPE_CHECKING:
    from graphrt.checkpoint import Stored
    from graphrt.engine.journal import Journal
    from graphrt.engine.run import Run

__all__ = ["needs_checkpointer", "replays", "take_answers"]


class CheckpointerNeededError(GraphValidationError, RuntimeError):
    """There is nothing stored that could be gone on with."""


def needs_checkpointer(plan: Plan) -> CheckpointerNeededError:
    """The error for an answer to a graph that keeps no threads."""
    return CheckpointerNeededError(
        f"Cannot use Command(resume=...) without checkpointer: graph {plan.name!r} keeps no questions that could be "
        "answered. Pass one to compile: compile(checkpointer=InMemorySaver())."
    )


def replays(given: Any, stored: Stored) -> bool:
    """Whether a run that names a checkpoint runs its step anew, instead of going on with it (LangGraph N11, N12)."""
    if type(given) is Command and given.resume is not None:
        return stored.checkpoint.id != stored.head
    return True


async def take_answers(run: Run, given: Any, stored: Stored, *, again: bool) -> bool:
    """Accept what the run was given as answers, store it, and hand all answers to the run and those inside it.

    Returns False if the run was told only what it, or an earlier run of the thread, had been told before: then nothing
    need run.

    Raises:
        UnknownInterruptError: nobody asked that, or it was answered otherwise; nothing was stored.
    """
    journal = run.journal
    assert journal is not None
    family = run.kin
    known = {} if again else answers_of(stored.results)
    kept = {id: answer.data for id, answer in known.items() if answer.data}
    news = True
    if type(given) is Command and given.resume is not None:
        resume = given.resume
        if again:
            pending: Mapping[str, Question] = {}
            resume = _translated(run, resume, stored)
        else:
            step = with_handlers(run.plan, plan_step(run.state, run))  # Sends may have been replaced
            planned = {path_text(task) for task in step}
            waiting = [result for result in stored.results if result.path in planned]
            pending = open_questions(waiting, journal.decode_raw)
        strict = run.plan.strict
        fresh, unknown = accepted(resume, pending, kept, journal.encode, strict=strict)
        if again:
            fresh = {id: journal.encode(resume[id]) for id in unknown} if unknown else {}
        elif unknown and strict:
            await _known(run, journal, unknown, resume, pending)
            news = len(unknown) < len(resume) or given.update is not None or given.goto != ()
        if not unknown:
            _set_aside(run, resume, pending)
        if fresh:
            given_now = {
                id: Answer(data, known[id].number if id in known else 0) for id, data in fresh.items()
            }
            await _store(journal, given_now, pending)
            known = {**known, **given_now}
    for id, answer in known.items():
        if answer.data:
            family.answers[id] = journal.decode(answer.data)
            family.numbers[id] = answer.number
    return news


async def _store(journal: Journal, answers: Mapping[str, Answer], pending: Mapping[str, Question]) -> None:
    """Make answers durable.

    Raises:
        UnknownInterruptError: somebody else was faster, and said something else.
    """
    await journal.keep_results([answer_record(id, answer) for id, answer in answers.items()])
    if journal.saver.immediate or journal.durability == "exit":
        return
    stored = await journal.saver.load(journal.thread_id, journal.namespace, journal.current)
    for id, answer in answers_of(stored.results if stored is not None else ()).items():
        if id in answers and answers[id] != answer:
            raise answered_otherwise(id, pending)


def _set_aside(run: Run, resume: Any, pending: Mapping[str, Question]) -> None:
    """Keep an answer ready for a question that is not known yet.

    If none is open, the next one takes it. And if the only open one is asked inside a graph whose state was edited
    meanwhile, it may be asked anew there, under another id.
    """
    family = run.kin
    if not pending and resume != {}:
        family.spare.append(Spare(resume))
    elif len(pending) == 1:
        (question,) = pending.values()
        if question.kind == PASSED_ON:
            answer = (plain_dict(resume) or {}).get(question.id, resume)
            family.spare.append(Spare(answer, question.id, question.place))
    family.spare_step = run.step + 1


def _translated(run: Run, resume: Any, stored: Stored) -> Any:
    """Answers to the questions of a checkpoint that the thread has passed, for the same questions asked anew."""
    journal = run.journal
    assert journal is not None
    answers = plain_dict(resume)
    if answers is None:
        return resume
    asked = numbered(stored.results, journal.decode_raw)
    tasks = {path_text(task): task for task in with_handlers(run.plan, plan_step(run.state, run))}
    run.step += 1
    ids: dict[str, str] = {}
    for id, (path, number) in asked.items():
        if path in tasks:
            ids[id] = interrupt_id(journal.identify(tasks[path], run.step), number)
    run.step -= 1
    return {ids.get(id, id): answer for id, answer in answers.items()}


async def _known(
    run: Run,
    journal: Journal,
    unknown: Sequence[str],
    resume: Mapping[str, Any],
    pending: Mapping[str, Question],
) -> None:
    """Answers to questions that are not open any more: fine if they say again what was said, as a retry does.

    Raises:
        UnknownInterruptError: they do not, or nobody ever asked.
    """
    left = set(unknown)
    async for older in journal.saver.history(journal.thread_id, journal.namespace):
        before = {id: answer.data for id, answer in answers_of(older.results).items()}
        for id in left & before.keys():
            if before[id] != journal.encode(resume[id]):
                raise answered_otherwise(id, pending)
        left -= before.keys()
        if not left:
            return
    raise UnknownInterruptError(
        f"Nothing in thread {journal.thread_id!r} asks {', '.join(sorted(left))}. "
        + (f"Open are: {', '.join(pending)}." if pending else "No question is open."),
        reason="not_pending",
        interrupt_ids=tuple(sorted(left)),
        pending_ids=tuple(pending),
    )
