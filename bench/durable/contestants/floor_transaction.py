"""The floor as a careful user writes it: BEGIN, INSERT, COMMIT, one await each."""

from bench.durable.contestants.contract import Contestant
from bench.durable.contestants.floor import Floor


def contestant() -> Contestant:
    return Floor(transaction=True)
