"""A request leaves no reference cycles, because collecting them costs as much as a quarter of the request."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from attrs import define, field
from starlette.types import ASGIApp, Message, Scope

from tests.http.service import Client
from tests.http.transport import scope_of

pytestmark = pytest.mark.anyio

REQUESTS = 20


@define(eq=False)
class Cycle:
    """One request as uvicorn holds it: one object has the methods `receive` and `send`, and holds the scope."""

    scope: Scope
    body: bytes
    status: int = field(default=0, init=False)

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Stop the garbage collector, so that a test can count what it would find."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def serve(app: ASGIApp, method: str, target: bytes, body: bytes) -> int:
    """Serve one request and return its status."""
    headers = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")]
    cycle = Cycle(scope_of("http", target, headers, method=method), body)
    await app(cycle.scope, cycle.receive, cycle.send)
    return cycle.status


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", b"/tasks/1", b"", 200),
        ("GET", b"/tasks?limit=50", b"", 200),
        ("POST", b"/tasks", b'{"title": "y"}', 201),
        ("GET", b"/tasks/2000", b"", 404),
        ("GET", b"/nothing", b"", 404),
    ],
)
async def test_a_request_leaves_nothing_to_the_garbage_collector(
    client: Client, method: str, target: bytes, body: bytes, status: int
) -> None:
    """Every object of a request is gone once the response is sent."""
    app = client.service.app
    await serve(app, "POST", b"/tasks", b'{"title": "x"}')
    assert status == await serve(app, method, target, body)
    with collecting_nothing():
        for _ in range(REQUESTS):
            await serve(app, method, target, body)
        assert gc.collect() < REQUESTS
