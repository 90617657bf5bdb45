"""The service over HTTP: one request, one answer."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
from attrs import Factory, field, frozen

CONNECT_TIMEOUT = 5.0
TIMEOUT = 30.0
"""Seconds without a byte of the answer, beyond the time that a request asks the service to wait."""

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes. The OpenAPI document, the longest answer, has about one million."""

_NEVER_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_BROKEN = (httpx2.NetworkError, httpx2.RemoteProtocolError)


class ServiceError(Exception):
    """The service gave no answer that can be used; the message says why."""


class NoAnswer(ServiceError):
    """No answer came. `may_have_happened` tells whether the service may have carried the request out all the same."""

    def __init__(self, url: str, *, may_have_happened: bool) -> None:
        super().__init__(f"the service at {url} does not answer")
        self.may_have_happened = may_have_happened


class NotBackroom(ServiceError):
    """Something else than this service answered, or a version that this program does not know."""


@frozen(kw_only=True)
class Request:
    """A request. `wait` is for how many seconds it asks the service to hold the answer."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = Factory(dict)
    body: Mapping[str, Any] | None = None
    wait: float = 0


@frozen(kw_only=True)
class Answer:
    """An answer of the service: its status, its headers in lower case, and its JSON object."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, Any]

    @property
    def is_final(self) -> bool:
        """Tell whether the same request, sent again, could have no other outcome by itself."""
        return self.status < 500 and "retry-after" not in self.headers


@frozen
class Service:
    """One service, as one caller reaches it. `url` has no slash at its end."""

    url: str
    client: httpx2.AsyncClient = field(repr=False)

    async def send(self, request: Request) -> Answer:
        """Send a request, and once more if the connection breaks: a kept one does, when the service was restarted.

        So a request must have the same effect once and twice. Raises `ServiceError`.
        """
        try:
            return await self._sent(request)
        except _NEVER_CONNECTED as error:
            raise NoAnswer(self.url, may_have_happened=False) from error
        except _BROKEN:
            return await self._sent_again(request)
        except httpx2.TransportError as error:
            raise NoAnswer(self.url, may_have_happened=True) from error

    async def _sent_again(self, request: Request) -> Answer:
        try:
            return await self._sent(request)
        except httpx2.TransportError as error:
            raise NoAnswer(self.url, may_have_happened=True) from error

    async def _sent(self, request: Request) -> Answer:
        async with self.client.stream(
            request.method,
            self.url + request.path,
            params=request.query,
            headers=dict(request.headers),
            json=request.body,
            timeout=httpx2.Timeout(TIMEOUT + request.wait, connect=CONNECT_TIMEOUT),
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise NotBackroom(f"{self.url} answers with more than {MAX_ANSWER:,} bytes")
        return Answer(
            status=response.status_code, headers=dict(response.headers), document=self._object(response, bytes(body))
        )

    def _object(self, response: httpx2.Response, body: bytes) -> dict[str, Any]:
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise NotBackroom(f"{self.url} answers with {response.status_code}, and not as backroom does")
        return document


def client(key: str | None) -> httpx2.AsyncClient:
    """Return a client that sends this key, and follows no redirect with it."""
    headers = {"user-agent": "backroom-mcp", **({"authorization": f"Bearer {key}"} if key else {})}
    return httpx2.AsyncClient(headers=headers)
