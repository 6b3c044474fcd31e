"""A process that makes one run: `python -m tests.property.elsewhere` reads what to run and writes what it came to."""

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graphrt.checkpoint.urls import saver_from_url
from graphrt.types import Command
from tests.property.conversation import Asked, Conversation, Outcome, run_once
from tests.property.planting import Ledger
from tests.property.specimens import SPECIMENS

__all__ = ["ByLetter"]

ROOT = Path(__file__).parents[2]


@dataclass
class ByLetter(Conversation):
    """Each run is made by a process of its own, which gets names: of the tree among the specimens, of the database."""

    specimen: str = ""
    url: str = ""

    async def happen(self, given: Any) -> Outcome:
        letter = {
            "specimen": self.specimen,
            "url": self.url,
            "thread": self.thread,
            "durability": self.manner.durability,
            "how": self.how(),
            "resume" if isinstance(given, Command) else "given": getattr(given, "resume", given),
        }
        told = sent(letter)
        for page, places in told["ledger"].items():
            getattr(self.ledger, page).update(places)
        outcome = told["outcome"]
        return Outcome(
            outcome["log"], asked(outcome["asked"]), asked(outcome["open"]), tuple(outcome["next"])
        )


def sent(letter: dict[str, Any]) -> dict[str, Any]:
    """What a process answers."""
    command = [sys.executable, "-W", "error", "-m", __name__]
    told = subprocess.run(
        command, input=json.dumps(letter), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def asked(pairs: list[list[str]]) -> Asked:
    return [(question, identity) for question, identity in pairs]


async def answered(letter: dict[str, Any]) -> dict[str, Any]:
    """The other side: make the run, tell what happened."""
    ledger = Ledger()
    given = Command(resume=letter["resume"]) if "resume" in letter else letter["given"]
    tree, how = (
        SPECIMENS[letter["specimen"]],
        {key: letter[key] for key in ("thread", "durability", "how")},
    )
    async with saver_from_url(letter["url"]) as saver:
        outcome = await run_once(tree, ledger, saver, given, **how)
    return {"outcome": asdict(outcome), "ledger": vars(ledger)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(answered(json.load(sys.stdin)))))
