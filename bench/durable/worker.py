"""One contestant's process: reads requests, a JSON object a line, and answers each with one.

    python -m bench.durable.worker NAME

It runs in the contestant's environment and imports nothing but the standard library and that contestant.
"""

import sys
from importlib import import_module
from typing import Any, cast

from bench.durable import cases, growing
from bench.durable.contestants.contract import Contestant, Job
from bench.durable.contestants.roster import BY_NAME as ENTRIES
from bench.durable.measure import Effort, measure
from bench.measure import loop_name, run_on_loop
from bench.worker import Answer, answered, serve


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

    def bytes_per_step(self, request: Answer) -> Answer:
        graphrt: Any = self.contestant()
        return {"bytes": run_on_loop(graphrt.bytes_per_step(cases.BY_NAME[request["case"]]))}

    def measure(self, request: Answer) -> Answer:
        row = cases.Row(
            storage=cases.STORAGE_BY_NAME[request["storage"]],
            case=cases.BY_NAME[request["case"]],
            together=request["together"],
            durability=request["durability"],
        )
        job = Job(row=row, address=request["address"], bytes_per_step=request["bytes_per_step"])
        return {"seconds": run_on_loop(measure(self.contestant(), job, Effort(**request["effort"])))}

    def lengthen(self, request: Answer) -> Answer:
        storage = cases.STORAGE_BY_NAME[request["storage"]]
        first, last = request["first"], request["last"]
        answer: Answer = run_on_loop(
            growing.lengthen(self.contestant(), storage, request["address"], first, last)
        )
        return answer

    def remember(self, request: Answer) -> Answer:
        answer: Answer = run_on_loop(growing.remember(self.contestant(), request["marks"]))
        return answer

    def answer(self, request: Answer) -> Answer:
        operations = {
            "hello": self.hello,
            "bytes_per_step": self.bytes_per_step,
            "measure": self.measure,
            "lengthen": self.lengthen,
            "remember": self.remember,
        }
        return answered(operations[request["do"]], request)


if __name__ == "__main__":
    serve(Worker(sys.argv[1]).answer)
