"""A model that says tokens and nothing else, as each runtime's adapters feed its `messages` stream."""

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any

TOKEN = "token "


def speaking(root: str) -> Callable[[int], Callable[[], Any]]:
    """Return what makes a model of so many tokens, for the runtime under this package."""
    return _graphrt if root == "graphrt" else _langchain


def _graphrt(number: int) -> Callable[[], Any]:
    message_writer: Any = import_module("graphrt.graph.message").message_writer

    async def speak() -> None:
        writer = message_writer()
        for _ in range(number):
            await writer.asend(TOKEN)

    return speak


def _langchain(number: int) -> Callable[[], Any]:
    """A chat model of LangChain: LangGraph's stream hears of tokens by its callbacks, and by nothing else."""
    models: Any = import_module("langchain_core.language_models.chat_models")
    outputs: Any = import_module("langchain_core.outputs")
    messages: Any = import_module("langchain_core.messages")

    class Model(models.BaseChatModel):  # type: ignore[misc, name-defined]
        @property
        def _llm_type(self) -> str:
            return "tokens"

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for i in range(number):
                last = {"chunk_position": "last"} if i == number - 1 else {}
                yield outputs.ChatGenerationChunk(message=messages.AIMessageChunk(TOKEN, **last))

    model = Model()

    async def speak() -> None:
        async for _ in model.astream("say"):
            pass

    return speak
