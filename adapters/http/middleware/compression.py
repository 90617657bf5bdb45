"""Compresses responses with gzip for clients that accept it (RFC 9110, 12.5.3)."""

import asyncio
import re
import zlib
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.responses.responses import Header

MIN_BYTES = 1000  # shorter bodies gain nothing
MAX_ON_LOOP = 128 * 1024  # bytes; longer bodies are compressed in a thread
LEVEL = 5

_COMPRESSIBLE = re.compile(rb"text/(?!event-stream)|application/(json|x-ndjson|problem\+json|javascript)|image/svg")
_WHOLE = frozenset((200, 201, 202, 207))


class Compression:
    """Compresses whole responses that are long and of a compressible type. Streams pass unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._thread = ThreadPoolExecutor(1, "backroom-gzip")  # more would take the processor from the event loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a client that accepts gzip."""
        held: Message | None = None

        async def compressed(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_compressible(message):
                held = message  # until the length is known
                return
            if held is not None:
                start, held = held, None
                if not message.get("more_body", False) and len(message["body"]) >= MIN_BYTES:
                    body = await self._gzip(message["body"])
                    start["headers"] = _of_compressed(start["headers"], len(body))
                    message = {**message, "body": body}
                await send(start)
            await send(message)

        await self._app(scope, receive, compressed)

    async def _gzip(self, body: bytes) -> bytes:
        if len(body) <= MAX_ON_LOOP:
            return _compress(body)
        return await asyncio.get_running_loop().run_in_executor(self._thread, _compress, body)


def _is_compressible(start: Message) -> bool:
    if start["status"] not in _WHOLE and start["status"] < 400:
        return False
    headers = dict(start["headers"])
    return b"content-encoding" not in headers and _COMPRESSIBLE.match(headers.get(b"content-type", b"")) is not None


def _of_compressed(headers: list[Header], length: int) -> list[Header]:
    """Return the headers of the compressed form. Its bytes differ, so it needs another strong etag."""
    changed = [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % length)]
    for name, value in headers:
        if name == b"etag" and not value.startswith(b"W/"):
            changed.append((name, value[:-1] + b'-gzip"'))
        elif name != b"content-length":
            changed.append((name, value))
    return changed


def _compress(body: bytes) -> bytes:
    gzip = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # without a timestamp: the same bytes each time
    return gzip.compress(body) + gzip.flush()
