"""graphrt: an asyncio-native graph runtime.

What is where:

    graphrt.graph        declare with nodes and edges: StateGraph -> compile()
    graphrt.func         declare with functions: entrypoint, task, step
    graphrt.pregel       the runnable graph (invoke, stream, state), and programs on the level of channels
    graphrt.core         decide: what runs next, what a step's writes make of the state; pure, no event loop
    graphrt.engine       do: run tasks, keep threads, feed streams; the only awaits
    graphrt.channels     state cells and their update rules
    graphrt.checkpoint   the storage contract; `checkpointers` implements it
    graphrt.messages     messages as records; users find them in graphrt.graph.message
    graphrt.serde        values to bytes and back
    graphrt.types, errors, config, runtime, constants     words that users and engine share
"""

from graphrt.config import RunnableConfig, get_config, get_store, get_stream_writer
from graphrt.constants import END, START
from graphrt.errors import GraphError
from graphrt.graph import CompiledStateGraph, StateGraph
from graphrt.runtime import RunControl, Runtime, get_runtime
from graphrt.types import Command, Interrupt, Overwrite, Send, StateSnapshot, StreamWriter, interrupt
from graphrt.version import __version__

__all__ = [
    "END",
    "START",
    "Command",
    "CompiledStateGraph",
    "GraphError",
    "Interrupt",
    "Overwrite",
    "RunControl",
    "RunnableConfig",
    "Runtime",
    "Send",
    "StateGraph",
    "StateSnapshot",
    "StreamWriter",
    "__version__",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
]
