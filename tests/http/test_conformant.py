"""The check of HTTP rules finds each type of violation."""

from typing import Any

import httpx2
import pytest

from tests.http.conformant import NotConformant, check

GOOD = {
    "content-type": "application/json",
    "content-length": "2",
    "cache-control": "private, no-cache",
    "vary": "Accept-Encoding",
    "etag": '"1"',
}
REFUSED = {
    "content-type": "application/problem+json",
    "content-length": "2",
    "cache-control": "no-store",
    "vary": "Accept-Encoding",
}
EMPTY = {"cache-control": "no-store", "vary": "Accept-Encoding"}


async def answer(
    status: int, headers: dict[str, str], *, body: bytes = b"{}", method: str = "GET", sent: Any = None
) -> httpx2.Response:
    """Return a response as a client sees it."""
    request = httpx2.Request(method, "http://a/", headers=sent or {})
    response = httpx2.Response(status, headers=headers, stream=_Body(body), request=request)
    await response.aread()
    return response


class _Body(httpx2.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> Any:
        yield self._body


BREACHES: list[tuple[int, dict[str, str], dict[str, Any]]] = [
    (204, {**EMPTY, "content-length": "0", "allow": "GET"}, {"body": b"", "method": "OPTIONS"}),
    (204, EMPTY, {"body": b"", "method": "OPTIONS"}),
    (304, {**GOOD, "content-length": "2"}, {"body": b"", "sent": {"If-None-Match": '"1"'}}),
    (304, {**EMPTY, "etag": '"1"'}, {"body": b""}),
    (304, EMPTY, {"body": b"", "sent": {"If-None-Match": '"1"'}}),
    (200, GOOD, {"method": "HEAD"}),
    (200, {**GOOD, "content-length": "3"}, {}),
    (200, {name: value for name, value in GOOD.items() if name != "content-type"}, {}),
    (200, {name: value for name, value in GOOD.items() if name != "cache-control"}, {}),
    (200, {name: value for name, value in GOOD.items() if name != "vary"}, {}),
    (200, {name: value for name, value in GOOD.items() if name != "etag"}, {}),
    (200, {**GOOD, "etag": "1"}, {}),
    (200, {**GOOD, "cache-control": "public, private"}, {}),
    (200, {**GOOD, "cache-control": "no-store, private"}, {}),
    (200, {**GOOD, "transfer-encoding": "chunked"}, {}),
    (200, {**GOOD, "access-control-allow-origin": "https://a"}, {}),
    (200, {**GOOD, "x": "a\nb"}, {}),
    (200, {**GOOD, "x": " a"}, {}),
    (200, {**GOOD, "content-range": "bytes 0-1/2"}, {}),
    (206, {**GOOD, "content-range": "bytes 0-1/2"}, {}),
    (206, {**GOOD, "content-range": "bytes 0-2/3"}, {"sent": {"Range": "bytes=0-2"}}),
    (201, {**GOOD, "cache-control": "no-store"}, {"method": "POST"}),
    (307, {**EMPTY, "content-length": "0"}, {"body": b""}),
    (400, {**REFUSED, "content-type": "text/plain"}, {}),
    (400, {**REFUSED, "cache-control": "no-cache"}, {}),
    (401, REFUSED, {}),
    (405, REFUSED, {}),
    (405, {**REFUSED, "allow": "get"}, {}),
    (415, REFUSED, {}),
    (416, {**REFUSED, "content-range": "bytes 0-1/2"}, {}),
    (503, REFUSED, {}),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "headers", "more"), BREACHES)
async def test_violations(status: int, headers: dict[str, str], more: dict[str, Any]) -> None:
    """A response with one violation fails the check."""
    with pytest.raises(NotConformant):
        check(await answer(status, headers, **more), whole=True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "headers", "more"),
    [
        (200, GOOD, {}),
        (200, GOOD, {"method": "HEAD", "body": b""}),
        (400, REFUSED, {}),
        (204, {**EMPTY, "allow": "GET, HEAD"}, {"body": b"", "method": "OPTIONS"}),
        (405, {**REFUSED, "allow": "GET"}, {}),
    ],
)
async def test_good_responses(status: int, headers: dict[str, str], more: dict[str, Any]) -> None:
    """A response without a violation passes."""
    check(await answer(status, headers, **more), whole=True)
