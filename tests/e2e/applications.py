"""Applications that are served in a process of their own: `python -m tests.e2e.applications NAME PORT WORKERS`."""

import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.server.lingering_close import LingeringClose
from entrypoints import server, workers
from entrypoints.diagnostics import speak


async def live(receive: Receive, send: Send) -> None:
    """Start and end without doing anything."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def piece(text: str, *, more_body: bool = False) -> Message:
    """Return a piece of a body."""
    return {"type": "http.response.body", "body": text.encode(), "more_body": more_body}


async def start(send: Send) -> None:
    """Begin an answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})


def reporting() -> ASGIApp:
    """Tell about the process and the client; accept any WebSocket."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
        else:
            files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            report = {"pid": os.getpid(), "client": scope["client"][0], "scheme": scope["scheme"], "files": files}
            report["switch"] = sys.getswitchinterval()
            await start(send)
            await send(piece(json.dumps(report)))

    return app


def begun(rest: Callable[[Scope, Receive, Send], Awaitable[None]]) -> ASGIApp:
    """Begin an answer, and leave the rest of it to another."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
        else:
            await start(send)
            await send(piece("going", more_body=True))
            await rest(scope, receive, send)

    return app


def ending() -> ASGIApp:
    """Answer in two pieces, the second when the server stops."""

    async def rest(scope: Scope, _: Receive, send: Send) -> None:
        await scope["state"]["stopping"].wait()
        await send(piece(" gone"))

    return begun(rest)


def endless() -> ASGIApp:
    """Begin an answer and never end it."""

    async def rest(_: Scope, receive: Receive, __: Send) -> None:
        while True:
            await receive()

    return begun(rest)


def blocking() -> ASGIApp:
    """Begin an answer and stop the whole event loop."""

    async def rest(*_: object) -> None:
        server.TIMEOUT = 2.0  # of this process alone
        time.sleep(3600)  # noqa: ASYNC251 - as a mistake would

    return begun(rest)


def failing() -> ASGIApp:
    """Fail to start."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the store is not there"})

    return app


def main(name: str, port: str, count: str) -> int:
    """Serve one of the applications above."""
    if name == "endless":
        server.DRAIN = 1  # seconds; the usual time for others, so that none is cut off where the machine stalls
    workers.PAUSE = 0.1
    LingeringClose.TIMEOUT = 0.5
    speak(os.environ.get("BACKROOM_LOG", ""))
    application = f"tests.e2e.applications:{name}"
    host = os.environ.get("LISTEN", "127.0.0.1")
    return server.run(application, host=host, port=int(port), workers=int(count))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
