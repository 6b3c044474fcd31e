"""A web app that streams a run as server-sent events and cancels the run when the client goes away.

    python examples/web_app.py        and open http://127.0.0.1:8000

Needs the packages starlette and uvicorn. `make_app` serves any graph whose input has a key "text".
"""

import asyncio
import json
from typing import Any, TypedDict

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from graphrt.graph import START, StateGraph
from graphrt.types import StreamWriter

PAGE = """<!doctype html><title>graphrt</title>
<form><input name="text" size="60" value="Close this page and the run behind it stops."> <button>Run</button></form>
<pre></pre>
<script>
  let events;
  document.forms[0].onsubmit = submitted => {
    submitted.preventDefault();
    events?.close();
    const pre = document.querySelector("pre"), text = new FormData(submitted.target).get("text");
    pre.textContent = "";
    events = new EventSource("run?text=" + encodeURIComponent(text));
    const show = event => pre.textContent += event.type + " " + event.data + "\\n";
    for (const kind of ["custom", "updates"]) events.addEventListener(kind, show);
    events.addEventListener("end", () => events.close());
  };
</script>"""


# ---- a graph to serve


class State(TypedDict):
    """A text to spell, and how many words it had."""

    text: str
    words: int


async def spell(state: State, writer: StreamWriter) -> dict[str, int]:
    words = state["text"].split()
    for word in words:
        await asyncio.sleep(0.3)  # stands for a model that answers word by word
        writer({"word": word})
    return {"words": len(words)}


graph = StateGraph(State).add_node(spell).add_edge(START, "spell").compile()


# ---- serving it


class EventStream(Response):
    """Sends a run's chunks as they come. Whatever ends first, the run or the client, ends the other."""

    media_type = "text/event-stream"

    def __init__(self, graph: Any, given: dict[str, Any]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._graph = graph
        self._given = given

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:

            async def until_the_client_goes() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_the_client_goes)
            await self._send_all(send)
            tasks.cancel_scope.cancel()

    async def _send_all(self, send: Send) -> None:
        async def send_body(text: str, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            # Leaving this block, also by being cancelled, leaves nothing of the run alive.
            async with self._graph.astream(self._given, stream_mode=["custom", "updates"]) as chunks:
                async for kind, payload in chunks:
                    await send_body(event(kind, payload))
        except Exception as error:
            await send_body(event("error", f"{type(error).__name__}: {error}"))
        await send_body(event("end", None), more=False)


def event(kind: str, payload: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps(payload, default=repr)}\n\n"


def make_app(graph: Any) -> Starlette:
    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def run(request: Request) -> Response:
        return EventStream(graph, {"text": request.query_params.get("text", "")})

    return Starlette(routes=[Route("/", page), Route("/run", run)])


app = make_app(graph)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=8000)
