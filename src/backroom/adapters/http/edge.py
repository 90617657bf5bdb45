"""The outermost layer: gives every request its id, every answer its time, and the log one line for each."""

import logging
import re
from time import perf_counter
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backroom.adapters.http.access_log import AccessLog
from backroom.adapters.http.call import Call, joined

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_log = logging.getLogger("backroom")


class Edge:
    """Wraps the whole application, its error handling included."""

    def __init__(self, app: ASGIApp, access_log: AccessLog) -> None:
        self._app = app
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers = joined(scope["headers"])
        given = headers.get(b"x-request-id")
        request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else uuid4().hex.encode()
        scope["backroom.call"] = Call(scope, receive, request_id.decode(), headers)
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                spent = b"%.2fms" % ((perf_counter() - started) * 1000)
                message["headers"] = [*message["headers"], (b"x-request-id", request_id), (b"x-process-time", spent)]
            await send(message)

        try:
            await self._app(scope, receive, stamped)
        except Exception:
            if status == 0:
                raise
            # It has been answered; the one thing left to do is to say what happened, under the request's id.
            _log.exception("request %s failed", request_id.decode())
        finally:
            self._access_log.write(scope, status, perf_counter() - started, request_id)
