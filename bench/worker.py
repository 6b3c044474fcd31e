"""One contestant's process: reads requests, a JSON object a line, and answers each with one.

    python -m bench.worker NAME

It runs in the contestant's environment and imports nothing but the standard library and that contestant.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, TextIO, cast

from bench.calls import count_calls
from bench.cases import BY_NAME, Door
from bench.contestants.contract import Contestant, NotOfferedError
from bench.contestants.roster import BY_NAME as ENTRIES
from bench.measure import Effort, WrongAnswerError, loop_name, measure
from bench.scaling import measure_growth

Answer = dict[str, Any]


class Worker:
    """Answers requests about one contestant, which is imported at the first of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loaded: Contestant | None = None

    def contestant(self) -> Contestant:
        if self.loaded is None:
            self.loaded = cast("Contestant", import_module(ENTRIES[self.name].module).contestant())
        return self.loaded

    def hello(self, request: Answer) -> Answer:
        return {
            "python": sys.version.split()[0],
            "loop": loop_name(),
            "versions": self.contestant().versions(),
        }

    def measure(self, request: Answer) -> Answer:
        case, door = BY_NAME[request["case"]], cast("Door", request["door"])
        return measure(self.contestant(), case, door, Effort(**request["effort"])).as_json()

    def calls(self, request: Answer) -> Answer:
        return {"calls": count_calls(self.contestant(), request["kind"])}

    def growth(self, request: Answer) -> Answer:
        return {"seconds": measure_growth(self.contestant(), request["kind"], request["size"])}

    def answer(self, request: Answer) -> Answer:
        operations: dict[str, Callable[[Answer], Answer]] = {
            "hello": self.hello,
            "measure": self.measure,
            "calls": self.calls,
            "growth": self.growth,
        }
        return answered(operations[request["do"]], request)


def answered(operation: Callable[[Answer], Answer], request: Answer) -> Answer:
    """Return what the operation answers, or the reason why it does not."""
    try:
        return operation(request)
    except NotOfferedError as reason:
        return {"not_offered": str(reason)}
    except WrongAnswerError as error:
        return {"failed": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}"[:300]}


def claim_stdout() -> TextIO:
    """Return the real standard output and send everything that a contestant prints to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def serve(answer: Callable[[Answer], Answer]) -> None:
    """Answer requests until there are no more."""
    replies = claim_stdout()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=replies, flush=True)


def main() -> None:
    serve(Worker(sys.argv[1]).answer)


if __name__ == "__main__":
    main()
