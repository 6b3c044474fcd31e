"""FILE_OR_MODULE:GRAPH: find the object, and make a graph that can run from it.

The object may be a compiled graph, a builder (it is compiled), or a function without parameters, sync or async, that
returns one of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias, TypeGuard

from graphrt.cli.exits import Refused, in_words
from graphrt.errors import did_you_mean
from graphrt.graph import StateGraph
from graphrt.pregel import Pregel

__all__ = ["Graph", "find", "graph_of", "settled"]

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
_EXAMPLE: Final = "for example graphs.py:graph or package.module:graph"


def find(target: str) -> object:
    """Import the file or module and get the object that `target` names; if that is a function, call it.

    Call this without a running loop: the program's own code may block, or run a loop of its own.

    Raises:
        Refused: there is no such file, module or name, importing it failed, or the function wants parameters.
        Exception: whatever the function raises.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise Refused(f"Say which file or module and which graph in it, {_EXAMPLE}; got {target!r}.")
    module = _imported(place)
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Refused(f"{place} has no {name!r}.{did_you_mean(name, _graphs_in(module))}") from None
    if _is_builder(found) or _is_graph(found) or not callable(found):
        return found
    needed = _parameters_without_default(found)
    if needed:
        raise Refused(f"A function that makes the graph must take no parameters; {name} needs {needed}.")
    return found()


async def settled(found: object) -> object:
    """What an async function made; anything else as it is."""
    return await found if inspect.isawaitable(found) else found


def graph_of(made: object, *, checkpointer: Any = None) -> Graph:
    """A graph that can run, with `checkpointer` in place of its own if one is given.

    Raises:
        Refused: it is neither a graph nor a builder.
        GraphValidationError: the builder's graph is not complete.
    """
    if _is_builder(made):
        return made.compile(checkpointer=checkpointer)
    if not _is_graph(made):
        raise Refused(
            f"The target is of type {type(made).__name__}. "
            "It must be a graph, a builder, or a function that returns one."
        )
    if checkpointer is None:
        return made
    graph = copy(made)
    graph.checkpointer = checkpointer
    return graph


def _is_builder(value: object) -> TypeGuard[StateGraph[Any, Any, Any, Any]]:
    return isinstance(value, StateGraph)


def _is_graph(value: object) -> TypeGuard[Graph]:
    return isinstance(value, Pregel)


def _parameters_without_default(function: Callable[..., object]) -> str:
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return ", ".join(p.name for p in parameters if p.default is p.empty and p.kind not in optional)


def _graphs_in(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if _is_builder(value) or _is_graph(value)]


def _imported(place: str) -> ModuleType:
    is_file = place.endswith(".py") or os.sep in place
    path = Path(place).resolve()
    if is_file and not path.is_file():
        raise Refused(f"There is no file {place}.")
    # As `python FILE` and `python -m MODULE` do: the program finds its neighbours.
    sys.path.insert(0, str(path.parent if is_file else Path.cwd()))
    try:
        return _run_file(path) if is_file else importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise Refused(f"{place} could not be imported. {in_words(error)}") from error


def _run_file(path: Path) -> ModuleType:
    # Under its own name, so that neighbours that import it get the same module; types are looked up by that name.
    name = path.stem if path.stem not in sys.modules else f"graphrt_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
