"""A request and its response: uvicorn's cycle, which writes the usual response faster."""

import asyncio
from typing import Self

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

_CONTROLS = bytes(code for code in (*range(32), 127) if code != ord("\t"))
_UNUSUAL = frozenset((b"connection", b"transfer-encoding"))


class Cycle(RequestResponseCycle):
    """Writes a response of known length on a connection that stays open; uvicorn writes any other.

    uvicorn searches every name and every value for forbidden characters, which takes most of the time of a head. Here
    the ends of the lines must be the only control characters of the whole head. If they are not, uvicorn refuses it.
    The head waits for the body, so that both are written at once, which saves a third of the time of writing.
    """

    _head = b""  # until it is written

    @classmethod
    def of(cls, protocol: HttpToolsProtocol, *, keep_alive: bool) -> Self:
        """Return the cycle of the request whose head a protocol has read."""
        return cls(
            scope=protocol.scope,
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=protocol.access_log,
            default_headers=protocol.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=protocol.expect_100_continue,
            keep_alive=keep_alive,
            on_response=protocol.on_response_complete,
        )

    async def send(self, message: ASGISendEvent) -> None:
        done = self._has_written if self.response_started else self._has_kept_head
        if self.keep_alive and not self.disconnected and not self.flow.write_paused and done(message):
            return
        if self._head and not self.disconnected:
            self.transport.write(self._head)
        self._head = b""
        await super().send(message)

    def _has_kept_head(self, message: ASGISendEvent) -> bool:
        if message["type"] != "http.response.start":
            return False
        headers = [*self.default_headers, *message["headers"]]
        named = dict(headers)
        length = named.get(b"content-length")
        if length is None or not _UNUSUAL.isdisjoint(named):
            return False
        lines = b"\r\n".join(map(b": ".join, headers))
        if len(lines) - len(lines.translate(None, _CONTROLS)) != 2 * (len(headers) - 1):
            return False
        self.response_started, self.waiting_for_100_continue = True, False
        self.chunked_encoding, self.expected_content_length = False, int(length)
        self._head = b"%b%b\r\n\r\n" % (STATUS_LINE[message["status"]], lines)
        return True

    def _has_written(self, message: ASGISendEvent) -> bool:
        if message["type"] != "http.response.body" or message.get("more_body") or self.scope["method"] == "HEAD":
            return False
        body = message["body"]
        if not self._head or len(body) != self.expected_content_length:
            return False
        head, self._head, self.expected_content_length = self._head, b"", 0
        self.transport.writelines((head, body))
        self.response_complete = True
        self.message_event.set()
        self.on_response()
        return True
