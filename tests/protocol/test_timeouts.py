"""A client that keeps the server waiting gets an error or is cut off, but only when it is the client's turn.

Some tests need more time to pass than a limit. They wait until another connection exceeds the same limit. The limit is
short only meanwhile, because nobody knows how long this process needs to send what is in time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.types import Receive, Scope, Send

from adapters.http.server.protocol import HttpProtocol
from tests.protocol.wire import GET, Held, Reporter, Running, read_body, respond, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
EXPECTING = POST[:-2] + b"Expect: 100-continue\r\n\r\n"


class ShortHeadTimeout(HttpProtocol):
    """Has the shortest timeout for heads, and the default for the rest."""

    HEADERS_TIMEOUT = 0.1


class Watchful(HttpProtocol):
    """Checks its client so often that timeouts can be shortened at any time."""

    WATCH_INTERVAL = 0.02


@contextmanager
def short_timeouts() -> Iterator[None]:
    """Make the timeouts of `Watchful` as short as possible."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HEADERS_TIMEOUT", "SEND_TIMEOUT"):
            patch.setattr(Watchful, name, 0.1)
        yield


async def pass_time(server: Running) -> None:
    """Wait longer, from now, than the timeouts, which are short meanwhile."""
    with short_timeouts():
        for _ in range(3):
            assert 408 == (await (await server.connect()).response()).status


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n"])
async def test_head_does_not_come(start: bytes) -> None:
    """A connection without a whole head times out, whether or not a head has begun."""
    async with running(Reporter(), ShortHeadTimeout) as server:
        client = await server.connect()

        response = await client.ask(start)

        assert (408, "timeout") == (response.status, response.json()["code"])
        assert b"" == await client.rest()


async def test_head_comes_slowly() -> None:
    """The timeout covers the whole head: single bytes do not extend it."""
    async with running(Reporter(), ShortHeadTimeout) as server:
        client = await server.connect()

        async def drip() -> None:
            client.writer.write(b"GET / HTTP/1.1\r\nX: ")
            while True:
                await client.send(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        response = await client.response()
        dripping.cancel()

        assert 408 == response.status


async def test_next_head_does_not_come() -> None:
    """A later request has the same timeout. It starts with the first byte of the request."""
    async with running(Reporter(), Watchful) as server:
        client = await server.connect()
        assert 200 == (await client.ask()).status
        await pass_time(server)
        assert 200 == (await client.ask()).status

        with short_timeouts():
            assert 408 == (await client.ask(b"G")).status


async def test_idle_connection_is_closed_in_silence() -> None:
    """An idle connection is closed without a response, even if empty lines come."""
    async with running(Reporter(), Watchful, timeout_keep_alive=1) as server:
        client = await server.connect()
        assert 200 == (await client.ask()).status
        with short_timeouts():
            await client.send(b"\r\n")

            assert b"" == await client.rest()


async def test_next_head_stops_behind_a_request_in_progress() -> None:
    """If the next request is late during a slow response, its error comes after that response."""
    held = Held()
    async with running(held, Watchful) as server:
        client = await server.connect()
        await client.send(GET + b"GET /")
        await held.began.wait()
        await pass_time(server)
        await client.send(GET[5:])
        held.go.set()

        assert [200, 408] == [(await client.response()).status for _ in range(2)]
        assert b"" == await client.rest()


@pytest.mark.parametrize("body", [b"hello", b"x" * 1_000_000], ids=["short", "long"])
async def test_body_is_not_read(body: bytes) -> None:
    """A body that the application does not read never times out, because that is not the client's fault."""
    held = Held()
    async with running(held, Watchful) as server:
        client = await server.connect()
        length = str(len(body) + 1).encode()
        client.writer.write(POST.replace(b"5", length) + body)
        await held.began.wait()
        await pass_time(server)
        held.go.set()
        client.writer.write(b"!")

        assert body + b"!" == (await client.response()).body


async def test_body_waits_for_a_request_in_progress() -> None:
    """A body does not time out while an earlier request blocks it."""
    held = Held()
    async with running(held, Watchful) as server:
        client = await server.connect()
        await client.send(GET + POST)
        await held.began.wait()
        await pass_time(server)
        client.writer.write(b"hello")
        held.go.set()

        assert [b"", b"hello"] == [(await client.response()).body for _ in range(2)]


async def test_body_is_not_asked_for() -> None:
    """A client that waits for `100 Continue` does not time out before it gets that."""
    held = Held()
    async with running(held, Watchful) as server:
        client = await server.connect()
        await client.send(EXPECTING)
        await held.began.wait()
        await pass_time(server)
        held.go.set()

        assert 100 == (await client.head())[0]
        assert b"hello" == (await client.ask(b"hello")).body


async def test_answer_has_begun() -> None:
    """Once the response has begun, no other response is possible, so the body has no time limit."""
    going = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        going.set()
        await send({"type": "http.response.body", "body": await read_body(receive)})

    async with running(app, Watchful) as server:
        client = await server.connect()
        await client.send(POST + b"hel")
        await going.wait()
        await pass_time(server)
        client.writer.write(b"lo")

        assert b"hello" == (await client.response()).body


async def test_answer_is_not_read() -> None:
    """A client that does not read its response is cut off, so that it cannot hold the memory of it."""
    given_up = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        length = (b"content-length", b"1000000000000")
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        while (await asyncio.wait_for(send_piece(send), 10)) and not given_up.is_set():
            pass

    async def send_piece(send: Send) -> bool:
        await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
        return True

    class Noting(Watchful):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            given_up.set()

    async with running(app, Noting) as server:
        client = await server.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        await client.send(GET)

        with short_timeouts():
            assert await asyncio.wait_for(given_up.wait(), 10)


async def test_answer_is_read_slowly() -> None:
    """A client that reads slowly gets its whole response."""
    size = 40_000_000

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"x" * size)

    class LongTimeouts(Watchful):
        SEND_TIMEOUT = 2.0  # the kernel accepts a response in pieces of some megabytes, of half a second each

    async with running(app, LongTimeouts) as server:
        client = await server.connect()
        await client.send(GET)
        await client.head()
        got = 0
        while piece := await client.reader.read(1_000_000):
            got += len(piece)
            await asyncio.sleep(0.02)  # for longer than the timeout in all
            if got == size:
                break

        assert size == got
