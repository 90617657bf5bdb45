"""The headers that tell browsers what an answer may do."""

import pytest

from tests.http.service import Client
from tests.http.transport import connected

pytestmark = pytest.mark.anyio


async def test_every_answer_says_what_it_is(client: Client) -> None:
    """Every response forbids browsers to guess its type. Pages say what they may do."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    pages = ("/app/", "/app/tasks", "/docs", "/static/docs.html", "/problems/invalid")
    for path in (*pages, "/tasks", "/nope", "/tasks/x"):
        response = await client.get(path, headers={"Accept": "text/html, */*;q=0.1"})
        assert "nosniff" == response.headers["x-content-type-options"]
        assert "no-referrer" == response.headers["referrer-policy"]
        assert (policy if path in pages else None) == response.headers.get("content-security-policy")


async def test_every_socket_says_so_too(client: Client) -> None:
    """A handshake that is accepted is answered with the headers of every response, but none for caches."""
    async with connected(client.service.app, "/ws", [("X-Request-Id", "r-1")]) as socket:
        accepted = await socket.next()
    headers = dict(accepted["headers"])
    expected = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"no-referrer", b"x-request-id": b"r-1"}
    assert {**expected, b"x-process-time": headers[b"x-process-time"]} == headers
