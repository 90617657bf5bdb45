"""The ASGI factory. `backroom serve` serves it; so can any other server: `uvicorn --factory entrypoints.asgi:app`."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.shared_memory.numbers import SharedNumbers
from adapters.shared_memory.rate_limits import SharedRateLimiter
from entrypoints.diagnostics import LOG, speak
from entrypoints.garbage import collect_seldom
from entrypoints.settings import Settings, load
from entrypoints.shared import Shared
from entrypoints.stop_signals import heard
from entrypoints.store_errors import reason, shown
from entrypoints.wiring import wired

LOGS_OF_REQUESTS = ("uvicorn.access", "gunicorn.access")
"""Logs of other servers. They would have the secrets in the URLs of calendars, which our own log leaves out."""

METRICS_ELSEWHERE = "BACKROOM_METRICS needs `backroom serve`; under another server the metrics are at /metrics only"


def app(shared: Shared | None = None) -> ASGIApp:
    """Return the application as the environment describes it. Raises `BadSettings`.

    All workers have the memory `shared` in common; without it this process has its own.
    """
    settings = load(os.environ, {})
    if not logging.getLogger().handlers:  # another server than ours may be there, which has its own
        speak(settings.log)
    for name in LOGS_OF_REQUESTS:
        logging.getLogger(name).disabled = True
    limiter = shared.limiter if shared else SharedRateLimiter()
    return _Application(settings, lambda: shared or Shared(limiter, SharedNumbers()))


class _Application:
    """Builds the application when the server starts, on the server's own event loop.

    Only then it asks for the shared memory, because another server may fork before that, and a block of numbers belongs
    to one process.
    """

    def __init__(self, settings: Settings, shared: Callable[[], Shared]) -> None:
        self._settings = settings
        self._shared = shared
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            assert self._app is not None, "the server must run the lifespan"
            await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        state = scope.get("state", {})
        stopping = state.get("stopping")  # set by our server before it waits for its last answers
        state["cors_origins"] = self._settings.cors_origins  # for requests that our server refuses by itself
        if self._settings.metrics is not None and stopping is None:
            LOG.warning(METRICS_ELSEWHERE)
        try:
            async with _told(stopping) as stopping, wired(self._settings, self._shared(), stopping) as applications:
                self._app, state["metrics"] = applications.service, applications.metrics
                collect_seldom()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:  # noqa: BLE001 - the server ends, and says this
            failed = "startup" if self._app is None else "shutdown"
            message = f"{shown(self._settings.store)}: {reason(error)}"
            await send({"type": f"lifespan.{failed}.failed", "message": message})
        else:
            await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def _told(stopping: asyncio.Event | None) -> AsyncIterator[asyncio.Event]:
    """Yield the event that is set when the server is about to stop. Another server than ours only raises signals."""
    if stopping is not None:
        yield stopping
        return
    with heard(stopping := asyncio.Event()):
        yield stopping
