"""neograph-engine (C++) with its in-memory checkpoint store, every run on a new thread."""

from importlib import import_module

from bench.contestants.contract import Contestant
from bench.contestants.neograph import Neograph


def contestant() -> Contestant:
    return Neograph(import_module("neograph_engine").InMemoryCheckpointStore)
