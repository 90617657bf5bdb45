"""Connections: how they are used, in which order, how they end, and how many there may be."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from adapters.http.requests.request import IS_WHOLE
from adapters.http.server.lingering_close import LingeringClose
from adapters.http.server.protocol import HttpProtocol
from tests.protocol.wire import GET, Client, Held, Reporter, read_body, respond, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]

OTHER = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
DELETE = b"DELETE / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
MEBIBYTE = 1024 * 1024
MOST_QUEUED = 57  # requests that fit into one piece
MOST_READ = 256 * 1024  # bytes that uvloop reads at once


class Small(HttpProtocol):
    """Accepts two connections at once."""

    MAX_CONNECTIONS = 2


async def refuse_unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond in two pieces without reading the body."""
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"no", "more_body": True})
    await send({"type": "http.response.body", "body": b"!!"})


async def test_connection_is_kept(reporter: Reporter) -> None:
    """A connection serves many requests, even after bodies."""
    async with running(reporter) as server:
        client = await server.connect()
        for request in (GET, POST + b"Content-Length: 5\r\n\r\nhello", GET):
            response = await client.ask(request)
            assert 200 == response.status
            assert "connection" not in response.headers


async def test_body_in_pieces_keeps_the_connection(reporter: Reporter) -> None:
    """A connection stays open after a body that comes in several pieces."""
    async with running(reporter) as server:
        client = await server.connect()
        await client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert 100 == (await client.head())[0]

        response = await client.ask(b"hello")

        assert "hello" == response.json()["body"]
        assert "connection" not in response.headers
        assert 200 == (await client.ask()).status


async def test_whole_requests_are_told_from_others() -> None:
    """The application learns which requests arrived whole, so that it need not wait for their bodies."""
    told: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(IS_WHOLE in scope)
        await read_body(receive)
        await respond(send)

    whole = POST + b"Content-Length: 5\r\n\r\nhello"
    async with running(app) as server:
        client = await server.connect()
        for request in (GET, whole):
            await client.ask(request)
        await client.send_in_pieces(whole[:-2], whole[-2:])
        await client.response()

    assert [True, True, False] == told


async def test_connection_closes_when_the_client_says_so(reporter: Reporter) -> None:
    """The server obeys `Connection: close`, and does not respond to anything sent after it."""
    async with running(reporter) as server:
        client = await server.connect()

        response = await client.ask(CLOSING + GET)

        assert "close" == response.headers["connection"]
        assert b"" == await client.rest()


async def test_pipelined_requests(reporter: Reporter) -> None:
    """Pipelined requests get responses in their order."""
    async with running(reporter) as server:
        client = await server.connect()
        await client.send(GET + OTHER + GET)

        assert ["/", "/other", "/"] == [(await client.response()).json()["path"] for _ in range(3)]


async def test_pipelining_without_end_is_read_no_further(reporter: Reporter) -> None:
    """Even if very many requests come at once, few wait for the one before, and only one read waits to be parsed."""
    most_queued = most_unparsed = 0

    class Noting(HttpProtocol):
        def on_headers_complete(self) -> None:
            nonlocal most_queued, most_unparsed
            super().on_headers_complete()
            most_queued = max(most_queued, len(self.pipeline))
            most_unparsed = max(most_unparsed, len(self.flow.unparsed))

    async with running(reporter, Noting) as server:
        client = await server.connect()
        client.writer.write(GET * 20_000)
        for _ in range(1000):
            await client.response()
        client.writer.transport.abort()

    assert 0 < most_queued <= MOST_QUEUED
    assert 0 < most_unparsed <= MOST_READ


async def test_pipelined_requests_are_all_answered(reporter: Reporter) -> None:
    """Any number of pipelined requests, with or without bodies, get whole responses in order."""
    body = b"x" * 3000
    sent = b"".join(
        b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n%b" % (number, body)
        if number % 7 == 0
        else b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
        for number in range(2000)
    )
    async with running(reporter) as server:
        client = await server.connect()
        client.writer.write(sent)

        reports = [(await client.response()).json() for _ in range(2000)]

    assert [f"/{number}" for number in range(2000)] == [each["path"] for each in reports]
    assert {0: 3000}.items() <= {number % 7: len(each["body"]) for number, each in enumerate(reports)}.items()


async def test_pipelining_client_is_cut() -> None:
    """A client that leaves while its requests wait causes no log line, and those requests never begin."""
    began: list[str] = []
    full = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        began.append(scope["path"])
        await respond(send, b"x" * 1_000_000)

    class Noting(HttpProtocol):
        def pause_writing(self) -> None:
            super().pause_writing()
            full.set()

    async with running(app, Noting) as server:
        client = await server.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        client.writer.write(GET * 100)
        await full.wait()
        client.writer.transport.abort()

    assert len(began) < 100


async def test_answers_that_nobody_reads() -> None:
    """Of pipelined requests whose answers nobody reads, one answer at most waits beyond the mark, and one behind it."""
    size, unread, began = 1_000_000, 0, 0
    full = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal began
        began += scope["path"] != "/other"
        await respond(send, b"x" * (1 if scope["path"] == "/other" else size))

    class Noting(HttpProtocol):
        def pause_writing(self) -> None:
            super().pause_writing()
            full.set()

        def on_response_complete(self) -> None:
            nonlocal unread
            unread = max(unread, self.transport.get_write_buffer_size())
            super().on_response_complete()

    async with running(app, Noting) as server:
        client = await server.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        client.writer.write(GET * 100)
        await full.wait()
        begun_then = began
        other = await server.connect()
        assert [200] * 100 == [(await other.ask(OTHER)).status for _ in range(100)]

        assert 0 < unread <= size + HIGH_WATER_LIMIT
        assert began <= begun_then + 1
        client.writer.transport.abort()


@pytest.mark.parametrize("bad", [b"?\r\n", b"GET / HTTP/1.1\r\n\r\n"], ids=["no request", "no Host"])
async def test_error_waits_for_earlier_responses(bad: bytes) -> None:
    """Requests before a malformed one get their responses first, and nothing after it gets one."""
    held = Held()
    async with running(held) as server:
        client = await server.connect()
        await client.send(GET + OTHER + bad + OTHER)
        await held.began.wait()
        held.go.set()

        assert [200, 200, 400] == [(await client.response()).status for _ in range(3)]
        assert b"" == await client.rest()


async def test_pipelined_body_is_malformed() -> None:
    """A waiting request with a malformed body never begins."""
    began = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        began.append(scope["method"])
        await respond(send)

    async with running(app) as server:
        client = await server.connect()
        await client.send(GET + DELETE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")

        assert [200, 400] == [(await client.response()).status for _ in range(2)]
    assert ["GET"] == began


async def test_body_is_malformed_behind_the_beginning_of_an_answer() -> None:
    """A response that has begun when its request proves malformed ends early, and visibly incomplete."""
    reading = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"he", "more_body": True})
        reading.set()
        assert await read_body(receive) is None

    async with running(app) as server:
        client = await server.connect()
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        await reading.wait()
        await client.send(b"zz\r\n")

        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await client.response()


async def test_offer_of_another_protocol_is_ignored(reporter: Reporter) -> None:
    """A request that offers HTTP/2, as Java's client does, is served whole over HTTP/1.1."""
    async with running(reporter) as server:
        client = await server.connect()

        response = await client.ask(
            POST
            + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
            + b"Content-Length: 5\r\n\r\nhello"
            + OTHER
        )

        assert "hello" == response.json()["body"]
        assert "upgrade" not in dict(response.json()["headers"])
        assert "/other" == (await client.response()).json()["path"]


async def test_offer_of_another_protocol_is_malformed(reporter: Reporter) -> None:
    """An offer of another protocol does not hide that its request is malformed."""
    async with running(reporter) as server:
        client = await server.connect()
        await client.send(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n?\r\n")

        assert [200, 400] == [(await client.response()).status for _ in range(2)]


async def test_answer_before_the_end_of_the_body() -> None:
    """A client that is refused during its body can read why, and `Connection: close`. Then the connection ends."""
    async with running(refuse_unread) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 9000000\r\n\r\n" + b"x" * 8 * MEBIBYTE)

        response = await client.response()

        assert (413, b"no!!") == (response.status, response.body)
        assert "close" == response.headers["connection"]
        assert b"" == await client.rest()


async def test_refusal_before_the_end_of_the_head(reporter: Reporter) -> None:
    """A client that is refused during its head, before the application sees it, can read why, too."""
    async with running(reporter) as server:
        client = await server.connect()
        await client.send(GET[:-2] + b"X: " + b"x" * 8 * MEBIBYTE)

        assert 431 == (await client.response()).status
        assert b"" == await client.rest()


async def send_for_ever(client: Client) -> None:
    """Send until the connection is cut."""
    while True:
        await client.send(b"x" * MEBIBYTE)


async def test_endless_body_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never stops sending is cut off, whatever the timeout."""
    monkeypatch.setattr(LingeringClose, "TIMEOUT", 3600)
    async with running(refuse_unread, timeout_keep_alive=3600) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 9000000000000\r\n\r\n")

        with pytest.raises(ConnectionError):
            await send_for_ever(client)


async def test_refused_client_does_not_close(monkeypatch: pytest.MonkeyPatch, reporter: Reporter) -> None:
    """A client that neither sends nor closes after an error is cut off, too."""
    monkeypatch.setattr(LingeringClose, "TIMEOUT", 0.1)
    lost = asyncio.Event()

    class Noting(HttpProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async with running(reporter, Noting) as server:
        client = await server.connect()
        await client.send(b"?\r\n")

        await lost.wait()
        assert 400 == (await client.response()).status


async def test_refused_client_reads_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that slowly reads a long response, sent before its body ended, is not cut off."""
    monkeypatch.setattr(LingeringClose, "TIMEOUT", 2.0)  # the kernel takes a response in pieces of some megabytes
    size = 40_000_000

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"x" * size)

    async with running(app) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 5\r\n\r\n")
        await client.head()
        got = 0
        while piece := await client.reader.read(MEBIBYTE):
            got += len(piece)
            await asyncio.sleep(0.02)  # for longer than the timeout in all

        assert size == got


async def test_half_open_connections_make_room_first(reporter: Reporter) -> None:
    """Beyond the limit a connection without a whole head is closed, the oldest first, and an idle one is not."""
    async with running(reporter, Small) as server:
        idle, begun = await server.connect(), await server.connect()
        assert 200 == (await idle.ask()).status
        await begun.send_in_pieces(GET[:10])

        other = await server.connect()
        assert b"" == await begun.rest()
        assert [200, 200] == [(await client.ask()).status for client in (idle, other)]


async def until_clock_moves() -> None:
    """Return when the loop's clock, which goes in milliseconds, shows another time."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    while loop.time() == before:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)


async def test_idle_connections_make_room(reporter: Reporter) -> None:
    """Where each connection had its response, the one that has been idle for longest is closed."""
    async with running(reporter, Small) as server:
        first, second = [await server.connect() for _ in range(2)]
        for client in (first, second, first):
            assert 200 == (await client.ask()).status
            await until_clock_moves()

        assert 200 == (await (await server.connect()).ask()).status
        assert b"" == await second.rest()
        assert 200 == (await first.ask()).status


async def test_connections_at_work_make_no_room() -> None:
    """A connection with a request that is worked on is never closed for another, even if the next head has begun."""
    held = Held()
    async with running(held, Small) as server:
        busy, begun = [await server.connect() for _ in range(2)]
        await busy.send(GET)
        await begun.send(GET + GET[:10])
        await held.began.wait()
        await begun.send_in_pieces(b"")

        assert b"" == await (await server.connect()).rest()
        held.go.set()
        assert [200, 200] == [(await client.response()).status for client in (busy, begun)]


async def test_shutdown(reporter: Reporter) -> None:
    """A server that stops finishes its requests, and closes idle connections."""
    held = Held()
    async with running(held) as server:
        idle, busy, sending = [await server.connect() for _ in range(3)]
        await idle.ask(OTHER)
        await busy.send(GET)
        await held.began.wait()
        held.began.clear()
        await sending.send(POST + b"Content-Length: 5\r\n\r\nhe")
        await held.began.wait()

        server.server.stop.set()

        assert b"" == await idle.rest()
        await sending.send(b"llo")
        held.go.set()
        for client in (busy, sending):
            assert "close" == (await client.response()).headers["connection"]
            assert b"" == await client.rest()


async def streamed(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond in pieces without a length."""
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for piece in (b"a", b"", b"bc"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"d"})


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n"])
async def test_http_1_0_gets_no_chunks(more: bytes) -> None:
    """A response of unknown length to HTTP/1.0 is plain bytes until the connection closes."""
    async with running(streamed) as server:
        client = await server.connect()
        await client.send(b"GET / HTTP/1.0\r\n" + more + b"\r\n")
        status, headers = await client.head()

        assert 200 == status
        assert {"transfer-encoding", "content-length"}.isdisjoint(headers)
        assert ("close", b"abcd") == (headers["connection"], await client.rest())


async def test_http_1_1_gets_chunks() -> None:
    """A response of unknown length to HTTP/1.1 comes in chunks, and the connection stays open."""
    async with running(streamed) as server:
        client = await server.connect()
        await client.send(GET)
        _, headers = await client.head()

        assert "chunked" == headers["transfer-encoding"]
        assert b"1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n" == await client.reader.readuntil(b"0\r\n\r\n")


async def test_http_1_0_with_a_length(reporter: Reporter) -> None:
    """A response of known length says its length over HTTP/1.0, too."""
    async with running(reporter) as server:
        response = await (await server.connect()).ask(b"GET / HTTP/1.0\r\n\r\n")
        assert (200, str(len(response.body))) == (response.status, response.headers["content-length"])
