"""Slow bodies on a real server and a real socket."""

import pytest

from adapters.http.fairness import pending_bodies
from tests.http.service import Client
from tests.protocol.wire import GET, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

HEAD = b"POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n"


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every timeout as short as possible."""
    monkeypatch.setattr(pending_bodies, "STOPPED_S", 0.1)
    monkeypatch.setattr(pending_bodies, "LOOK_EVERY_S", 0.02)


@pytest.mark.parametrize("piece", [b"", b'{"title":'])
async def test_body_stops(client: Client, piece: bytes) -> None:
    """A body that stops gets an error. The connection ends, so later bytes are not read as a request."""
    async with running(client.service.app) as server:
        connection = await server.connect()

        response = await connection.ask(HEAD + b"\r\n" + piece)

        assert (408, "timeout") == (response.status, response.json()["code"])
        assert "close" == response.headers["connection"]
        assert b"" == await connection.rest()


async def test_expected_body_stops(client: Client) -> None:
    """A client that gets `100 Continue` and does not continue gets an error."""
    async with running(client.service.app) as server:
        connection = await server.connect()
        await connection.send(HEAD + b"Expect: 100-continue\r\n\r\n")

        assert 100 == (await connection.head())[0]
        assert 408 == (await connection.response()).status


async def test_body_that_nobody_reads(client: Client) -> None:
    """The server does not wait for a body that the path does not take."""
    async with running(client.service.app) as server:
        connection = await server.connect()

        response = await connection.ask(GET.replace(b"\r\nHost: a", b"\r\nHost: 127.0.0.1\r\nContent-Length: 5"))

        assert 200 == response.status
        assert b"" == await connection.rest()
