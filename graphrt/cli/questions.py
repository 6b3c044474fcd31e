"""What a thread waits for: its open questions, who asks them, and how the run goes on."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphrt.checkpoint import Checkpointer, ListsThreads, Stored
from graphrt.core.interrupts import OWN, PASSED_ON, Question, answers_of, is_answer, questions_of
from graphrt.errors import DeserializationError
from graphrt.serde import Serializer

__all__ = ["Pause", "how_to_go_on", "questions_at"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a run stopped before its end.

    Attributes:
        questions: as `questions_at` shows them; none at a breakpoint.
        next: the nodes that run next.
        kept: the thread outlives this process.
    """

    questions: Sequence[dict[str, Any]]
    next: tuple[str, ...]
    kept: bool


async def questions_at(
    saver: Checkpointer, thread: str, namespace: str, stored: Stored, serializer: Serializer
) -> list[dict[str, Any]]:
    """The questions that a checkpoint waits for and that have no answer yet, in task order.

    One that a graph inside asks is shown with the node and namespace there, if the checkpointer can list them.
    """
    root = await saver.load(thread) if namespace else stored
    answers = answers_of((root or stored).results)
    answered = {id for id, answer in answers.items() if answer.data}
    found = {id: asked for id, asked in _asked(stored, namespace, serializer).items() if id not in answered}
    passed_on = {id for id, asked in found.items() if asked.question.kind == PASSED_ON}
    if passed_on:
        async for inside in _namespaces(saver, thread, namespace):
            if (there := await saver.load(thread, inside)) is not None:
                asked = _asked(there, inside, serializer)
                found |= {id: asked[id] for id in passed_on & asked.keys() if asked[id].question.kind == OWN}
    return [asked.shown(serializer) for asked in found.values()]


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    node: str
    namespace: str

    def shown(self, serializer: Serializer) -> dict[str, Any]:
        question = self.question
        try:
            value = serializer.loads_grown_raw(question.data, ())
        except DeserializationError as error:
            value = f"<{len(question.data)} bytes that cannot be read: {error}>"
        return {
            "id": question.id,
            "node": self.node,
            "namespace": self.namespace,
            "value": value,
            "response_schema": question.schema,
        }


def _asked(stored: Stored, namespace: str, serializer: Serializer) -> dict[str, _Asked]:
    """The open questions of one checkpoint; the task that asks goes before one that only passes it on."""
    found: dict[str, _Asked] = {}
    for result in stored.results:
        if result.error is None or is_answer(result):
            continue
        try:
            questions = questions_of(result, serializer.loads_grown_raw) or ()
        except DeserializationError:  # encrypted, or damaged: its task is shown as paused all the same
            continue
        for question in questions:
            if question.id not in found or question.kind != PASSED_ON:
                found[question.id] = _Asked(question, result.node, namespace)
    return found


async def _namespaces(saver: Checkpointer, thread: str, around: str) -> AsyncIterator[str]:
    """The namespaces of graphs inside `around`."""
    if isinstance(saver, ListsThreads):
        async for info in saver.athreads(prefix=thread, limit=1):
            if info.thread_id == thread:
                for namespace in info.namespaces:
                    if (
                        namespace
                        and namespace != around
                        and namespace.startswith(f"{around}|" if around else "")
                    ):
                        yield namespace


def how_to_go_on(pause: Pause, target: str, thread: str | None, checkpointer: str | None) -> str:
    """What to tell whoever ran the graph."""
    ids = [question["id"] for question in pause.questions]
    if not ids:
        what = f"Paused before {', '.join(pause.next)}."
    else:
        what = "Paused: an answer is wanted." if len(ids) == 1 else f"Paused: {len(ids)} answers are wanted."
    if not pause.kept:
        return f"{what} The thread was kept in memory and is gone: pass --checkpointer URL, such as sqlite:///chat.db."
    command = ["graphrt", "run", target, "--thread", thread or ""]
    if checkpointer is not None:
        command += ["--checkpointer", checkpointer]
    line = shlex.join(command)
    if len(ids) == 1:
        line += " --resume ANSWER"
    elif ids:
        line += " --resume '{" + ", ".join(f'"{id}": ANSWER' for id in ids) + "}'"
    some = " All of them or some:" if len(ids) > 1 else ""
    json = " ANSWER is JSON." if ids else ""
    return f"{what}{json}{some} Go on with\n  {line}"
