"""A malformed or oversize request gets a problem before the application sees it."""

import re
from collections.abc import AsyncIterator

import pytest

from adapters.http.server.protocol import HttpProtocol
from tests.protocol.wire import GET, Reporter, Running, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]

HOST = b"Host: a\r\n"
START = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
TARGET = HttpProtocol.MAX_TARGET_BYTES
BYTES = HttpProtocol.MAX_HEADER_BYTES
COUNT = HttpProtocol.MAX_HEADERS


@pytest.fixture
async def server(reporter: Reporter) -> AsyncIterator[Running]:
    """A server with the default limits."""
    async with running(reporter) as run:
        yield run


def headers_of(size: int) -> bytes:
    """Return a head whose headers count `size` bytes."""
    return START + b"X: " + b"x" * (size - len("Host") - len("a") - len("X") - 8) + b"\r\n\r\n"


def many_headers(count: int) -> bytes:
    """Return a head with `count` headers."""
    return START + b"A: b\r\n" * (count - 1) + b"\r\n"


MALFORMED = {
    "no method": b"/ HTTP/1.1\r\n\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lines that end without CR": b"GET / HTTP/1.1\nHost: a\n\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": START + HOST + b"\r\n",
    "two Hosts with HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "an empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a Host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a Host with a user": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a Host with a port that is no number": b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "a Host with bytes that are no ASCII": b"GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 that says so": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "a target that is no path": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target with a space": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with bytes that are no ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a query with bytes that are no ASCII": b"GET /?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target with a control character": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a star for another method than OPTIONS": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT with a path": b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT with a URL": b"CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "an authority for another method than CONNECT": b"GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a URL of another scheme": b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a URL without an authority": b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a URL with a user": b"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two lengths in one": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nhello",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "a coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a header without a name": START + b": b\r\n\r\n",
    "a header without a colon": START + b"b\r\n\r\n",
    "a folded header": START + b"B: c\r\n d\r\n\r\n",
    "a header with NUL": START + b"B: \x00\r\n\r\n",
    "a header with a bare CR": START + b"B: c\rD: e\r\n\r\n",
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed(server: Running, reporter: Reporter, request_: bytes) -> None:
    """A request that is not HTTP/1.1, or has an ambiguous end or host, gets 400 and never reaches the application."""
    client = await server.connect()

    response = await client.ask(request_)

    assert 400 == response.status
    assert "malformed_request" == response.json()["code"]
    assert b"" == await client.rest()
    assert [] == reporter.seen


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_byte_by_byte(server: Running, request_: bytes) -> None:
    """A malformed request gets one error, however it is cut into pieces, and nothing after it is read as a request."""
    client = await server.connect()

    await client.send_in_pieces(*(bytes([each]) for each in request_), GET)

    assert 400 == (await client.response()).status
    assert b"" == await client.rest()


async def test_problem(server: Running) -> None:
    """The error is a problem with every field of problems, and has its own request id."""
    client = await server.connect()

    response = await client.ask(b"GET / HTTP/1.1\r\n\r\n")

    request_id = response.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert "application/problem+json" == response.headers["content-type"]
    assert "close" == response.headers["connection"]
    assert "GMT" in response.headers["date"]
    assert "0.00ms" == response.headers["x-process-time"]
    assert {
        "type": "/problems/malformed_request",
        "title": "Malformed request",
        "status": 400,
        "detail": "a request needs exactly one Host header",
        "code": "malformed_request",
        "request_id": request_id,
        "error": "a request needs exactly one Host header",
    } == response.json()


ORIGINS = ("https://shop.example", "https://other.example")
REFUSED = {
    400: lambda origin: b"GET / HTTP/1.1\r\n" + origin + b"\r\n",
    414: lambda origin: b"GET /" + b"x" * TARGET + b" HTTP/1.1\r\n" + HOST + origin + b"\r\n",
    431: lambda origin: START + origin + b"X: " + b"x" * BYTES + b"\r\n\r\n",
}


@pytest.mark.parametrize("status", REFUSED)
async def test_pages_that_may_read_refusals(server: Running, status: int) -> None:
    """A page of an allowed origin can read an error that the application never saw. No other page can."""
    for origins, origin, allowed in (
        (ORIGINS, "https://other.example", "https://other.example"),
        (ORIGINS, "https://stranger.example", None),
        (ORIGINS, None, None),
        (ORIGINS[:1], None, ORIGINS[0]),
        (("*",), "https://stranger.example", "*"),
        ((), "https://stranger.example", None),
    ):
        server.server.lifespan.state["cors_origins"] = origins
        sent = b"" if origin is None else f"Origin: {origin}\r\n".encode()
        response = await (await server.connect()).ask(REFUSED[status](sent))

        assert (status, allowed) == (response.status, response.headers.get("access-control-allow-origin"))
        assert (allowed is None) == ("access-control-expose-headers" not in response.headers)
        assert "no-store" == response.headers["cache-control"]


async def test_page_whose_origin_is_not_read(server: Running) -> None:
    """If the error comes before the Origin was read, the only allowed origin can read it."""
    server.server.lifespan.state["cors_origins"] = ORIGINS[:1]
    response = await (await server.connect()).ask(b"GET /" + b"x" * TARGET)

    assert (414, ORIGINS[0]) == (response.status, response.headers["access-control-allow-origin"])


async def test_request_ids_differ(server: Running) -> None:
    """No two errors have the same request id."""
    first, second = [await (await server.connect()).ask(b"?\r\n") for _ in range(2)]

    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_head_is_refused_without_a_body(server: Running) -> None:
    """The error of a HEAD request has the headers of the problem, but no body."""
    client = await server.connect()
    await client.send(b"HEAD / HTTP/1.1\r\n\r\n")

    status, headers = await client.head()

    assert 400 == status
    assert int(headers["content-length"]) > 0
    assert b"" == await client.rest()


@pytest.mark.parametrize(
    "host", [b"a", b"a.b:80", b"127.0.0.1:", b"[::1]", b"[::1]:8000", b"xn--bcher-kva.example", b"a_b", b"A%20"]
)
async def test_host(server: Running, host: bytes) -> None:
    """Every form of host in RFC 3986 is accepted unchanged."""
    response = await (await server.connect()).ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert [["host", host.decode()]] == response.json()["headers"]


async def test_http_1_0_needs_no_host(server: Running) -> None:
    """HTTP/1.0 is served without a Host, and the connection closes."""
    client = await server.connect()

    response = await client.ask(b"GET / HTTP/1.0\r\n\r\n")

    assert 200 == response.status
    assert b"" == await client.rest()


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://b:81/x?y=z", "/x", "y=z"),
        (b"HTTPS://b:81/x?y=z", "/x", "y=z"),
        (b"http://b:81", "/", ""),
        (b"http://b:81?y=z", "/", "y=z"),
    ],
)
async def test_absolute_form(server: Running, target: bytes, path: str, query: str) -> None:
    """A target may be a whole URL. Its host then replaces the Host header."""
    response = await (await server.connect()).ask(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")

    report = response.json()
    assert (path, query) == (report["path"], report["query"])
    assert [["host", "b:81"], ["x", "y"]] == report["headers"]


async def test_absolute_form_needs_a_host(server: Running) -> None:
    """A whole URL as the target does not replace a missing Host."""
    assert 400 == (await (await server.connect()).ask(b"GET http://b/ HTTP/1.1\r\n\r\n")).status


async def test_options_star(server: Running) -> None:
    """OPTIONS may ask about the whole server, by `*`."""
    response = await (await server.connect()).ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")

    assert "*" == response.json()["path"]


@pytest.mark.parametrize("target", [b"//a/b", b"/%zz", b"/%ff", b"/a?b?c", b"/;a=b"])
async def test_odd_targets_are_served(server: Running, target: bytes) -> None:
    """A target that only looks odd reaches the application."""
    assert 200 == (await (await server.connect()).ask(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")).status


async def test_longest_target(server: Running) -> None:
    """A target of exactly the limit is served, and one byte more gets 414."""
    client = await server.connect()

    longest = await client.ask(b"GET /" + b"x" * (TARGET - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    too_long = await client.ask(b"GET /" + b"x" * TARGET + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    assert 200 == longest.status
    assert (414, "uri_too_long") == (too_long.status, too_long.json()["code"])
    assert b"" == await client.rest()


async def test_target_without_end(server: Running) -> None:
    """A target is refused as soon as it exceeds the limit, whether or not it ends."""
    assert 414 == (await (await server.connect()).ask(b"GET /" + b"x" * TARGET)).status


async def test_most_header_bytes(server: Running) -> None:
    """Headers of exactly the limit are served, and one byte more gets 431."""
    client = await server.connect()

    most = await client.ask(headers_of(BYTES))
    too_many = await client.ask(headers_of(BYTES + 1))

    assert 200 == most.status
    assert (431, "headers_too_large") == (too_many.status, too_many.json()["code"])
    assert b"" == await client.rest()


async def test_longest_target_and_most_header_bytes(server: Running) -> None:
    """The target and the headers do not count against each other's limit, even if the head comes in pieces."""
    head = headers_of(BYTES).replace(b"/", b"/" + b"x" * (TARGET - 1), 1)
    client = await server.connect()

    await client.send_in_pieces(head[:-1], head[-1:])

    assert 200 == (await client.response()).status


@pytest.mark.parametrize("start", [b"", b"X: ", b"X: y\r\nZ: "])
@pytest.mark.parametrize("before", [b"", GET])
async def test_header_without_end(server: Running, before: bytes, start: bytes) -> None:
    """A header without end is refused once it is too long, on a new connection and on a used one."""
    client = await server.connect()
    if before:
        await client.ask(before)

    response = await client.ask(b"GET / HTTP/1.1\r\n" + start + b"x" * (BYTES + 100))

    assert 431 == response.status


async def test_header_without_end_behind_a_request(server: Running) -> None:
    """A header without end is refused, too, if it began in the same packet as an earlier request."""
    client = await server.connect()
    await client.send(GET + b"GET / HTTP/1.1\r\nX: ")
    assert 200 == (await client.response()).status

    assert 431 == (await client.ask(b"x" * (BYTES + 100))).status


async def test_most_headers(server: Running) -> None:
    """Exactly the limit of headers is served, and one more gets 431."""
    client = await server.connect()

    most = await client.ask(many_headers(COUNT))
    too_many = await client.ask(many_headers(COUNT + 1))

    assert 200 == most.status
    assert 431 == too_many.status


async def test_too_many_headers_without_end(server: Running) -> None:
    """Too many headers are refused before the head ends."""
    assert 431 == (await (await server.connect()).ask(many_headers(COUNT + 2)[:-2])).status


async def test_pipelined_requests_have_limits_of_their_own(server: Running) -> None:
    """Many requests in one packet do not count together. Each has its own limit."""
    client = await server.connect()
    await client.send(headers_of(20_000) * 5 + headers_of(BYTES + 1))

    assert [200, 200, 200, 200, 200, 431] == [(await client.response()).status for _ in range(6)]


async def test_body_does_not_count_as_headers(server: Running) -> None:
    """The end of a long body and the start of the next request may share a packet."""
    client = await server.connect()
    body = b"x" * 100_000
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body + GET[:10])
    assert 200 == (await client.response()).status

    assert 200 == (await client.ask(GET[10:])).status


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"1\r\nx\r\n0\r\n" + b"A: b\r\n" * (COUNT + 2),
        b"1\r\nx\r\n0\r\nA: ",
        b"1\r\nx\r\n1;",
        b"1;" + b"x" * 100_000 + b"\r\nx\r\n0\r\n\r\n",
        (b"1;" + b"x" * 1000 + b"\r\nx\r\n") * 50,
        (b"1;" + b"x" * 40 + b"\r\nx\r\n") * 20_000,
    ],
    ids=[
        "many trailers",
        "a trailer without end",
        "an extension without end",
        "a long extension",
        "many extensions",
        "a short extension around each byte",
    ],
)
async def test_too_much_around_a_body(server: Running, reporter: Reporter, rest: bytes) -> None:
    """Bytes around the chunks of a body have the limit of headers. The application then sees a disconnected client."""
    client = await server.connect()
    await client.send(CHUNKED + rest)
    client.writer.write(b"x" * 600_000)  # so much because bytes in one read with a piece of the body do not count

    assert 431 == (await client.response()).status
    assert [] == reporter.seen


async def test_body_in_tiny_chunks(server: Running) -> None:
    """A client may send each byte in a chunk of its own, behind a head of nearly the most that it may have."""
    head = headers_of(BYTES - 100).replace(b"GET", b"POST", 1)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"

    response = await (await server.connect()).ask(head + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")

    assert "x" * 50_000 == response.json()["body"]


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"1\r\nxy\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n"])
async def test_malformed_chunk(server: Running, reporter: Reporter, chunk: bytes) -> None:
    """An invalid chunk gets 400, and the application never gets the body as a whole one."""
    client = await server.connect()

    response = await client.ask(CHUNKED + chunk)

    assert 400 == response.status
    assert [] == reporter.seen


async def test_trailers_are_dropped(server: Running) -> None:
    """A trailer can neither add nor replace a header."""
    response = await (await server.connect()).ask(CHUNKED + b"1\r\nx\r\n0\r\nAuthorization: b\r\nHost: b\r\n\r\n")

    assert [["host", "a"], ["transfer-encoding", "chunked"]] == response.json()["headers"]
    assert "x" == response.json()["body"]


async def test_empty_lines_before_a_request(server: Running) -> None:
    """Empty lines before a request are ignored, because old clients send them after a body."""
    client = await server.connect()

    assert 200 == (await client.ask(b"\r\n\r\n" + GET)).status
    assert 200 == (await client.ask(b"\r\n" + GET)).status
