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
from collections.abc import Awaitable, Callable
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias, TypeGuard

from graphrt.cli.exits import Refused, in_words
from graphrt.errors import did_you_mean
from graphrt.graph import StateGraph
from graphrt.pregel import GraphRunner

Graph: TypeAlias = GraphRunner[Any, Any, Any, Any]
_EXAMPLE: Final = "for example graphs.py:graph or package.module:graph"


def find(target: str) -> object:
    """Import the file or module and get the object that `target` names. Call it without a running loop.

    Raises:
        Refused: there is no such file, module or name, or importing it failed.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise Refused(f"Say which file or module and which graph in it, {_EXAMPLE}; got {target!r}.")
    module = _imported(place)
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Refused(f"{place} has no {name!r}.{did_you_mean(name, _graphs_in(module))}") from None
    return found


async def graph_from(found: object, *, checkpointer: Any = None) -> Graph:
    """A graph that can run, with `checkpointer` in place of its own if one is given.

    Raises:
        Refused: `found` is neither a graph nor a builder, nor makes one without being given anything.
    """
    made = await _made(found)
    if _is_builder(made):
        return made.compile(checkpointer=checkpointer)
    if _is_graph(made):
        if checkpointer is not None:
            made = copy(made)
            made.checkpointer = checkpointer
        return made
    what = f"a {type(made).__name__}" if made is found else f"a function that returns a {type(made).__name__}"
    raise Refused(f"The target is {what}. It must be a graph, a builder, or a function that returns one.")


def _is_builder(value: object) -> TypeGuard[StateGraph[Any, Any, Any, Any]]:
    return isinstance(value, StateGraph)


def _is_graph(value: object) -> TypeGuard[Graph]:
    return isinstance(value, GraphRunner)


async def _made(found: Any) -> object:
    if not callable(found):
        return found
    needed = _parameters_without_default(found)
    if needed:
        raise Refused(f"A function that makes the graph must take no parameters; this one needs {needed}.")
    make: Callable[[], object | Awaitable[object]] = found
    made = make()
    return await made if inspect.isawaitable(made) else made


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
