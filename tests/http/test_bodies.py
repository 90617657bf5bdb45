"""Bodies: unambiguous JSON, in an accepted media type, and within the limit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.serialization.strict_json import MAX_DEPTH, MAX_VALUES
from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import JSON, MERGE_PATCH, asked, log, made, violations
from tests.http.transport import HOST, scope_of

pytestmark = pytest.mark.anyio

GOOD = b'{"title":"a"}'


def nested(depth: int, inner: str = "1", *, lists: bool = False) -> str:
    """Return an object of this depth (the outermost counts as one), in an unknown field."""
    start, end = ("[", "]") if lists else ('{"a":', "}")
    return '{"a":' + start * (depth - 1) + inner + end * (depth - 1) + "}"


async def test_very_many_unknown_fields(client: Client) -> None:
    """Of all the names that a body can hold a hundred are told, and how many more there are."""
    response = await client.post("/tasks", json={f"f{number}": 1 for number in range(25_000)})

    problem = response.json()
    assert (422, "invalid") == asked(response)
    assert ["/title", *(f"/f{number}" for number in range(99))] == [each["pointer"] for each in problem["errors"]]
    assert 25_000 - 99 == problem["errors_omitted"]
    assert problem["detail"].endswith(f"; and {25_000 - 99} more")
    assert len(response.content) < 50_000


MALFORMED: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("space", b" \n"),
    ("null", b"null"),
    ("a list", b"[]"),
    ("a list of objects", b'[{"title":"a"}]'),
    ("a string", b'"title"'),
    ("a number", b"1"),
    ("true", b"true"),
    ("half of it", b'{"title":'),
    ("more than it", GOOD + b"x"),
    ("two documents", GOOD + GOOD),
    ("single quotes", b"{'title':'a'}"),
    ("a trailing comma", b'{"title":"a",}'),
    ("a comment", b'{"title":"a"/**/}'),
    ("a bare key", b'{title:"a"}'),
    ("a raw line break in text", b'{"title":"a\nb"}'),
    ("an unknown escape", rb'{"title":"\x41"}'),
    ("an upper-case escape", rb'{"title":"\U0041"}'),
    ("a form", b"title=a"),
    ("NaN", b'{"title":NaN}'),
    ("Infinity", b'{"title":Infinity}'),
    ("-Infinity", b'{"title":-Infinity}'),
    ("NaN within", b'{"title":"a","x":[{"y":NaN}]}'),
    ("a leading zero", b'{"title":01}'),
    ("a leading plus", b'{"title":+1}'),
    ("a bare point", b'{"title":.5}'),
    ("hexadecimal", b'{"title":0x1}'),
    ("a form feed as space", b'{"title":"a"}\x0c'),
    ("a no-break space as space", '{"title":"a"}\u00a0'.encode()),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD),
    ("UTF-16", GOOD.decode().encode("utf-16")),
    ("UTF-16 without its mark", GOOD.decode().encode("utf-16-le")),
    ("UTF-32", GOOD.decode().encode("utf-32-be")),
    ("Latin-1", b'{"title":"\xe9"}'),
    ("overlong UTF-8", b'{"title":"\xc0\xaf"}'),
    ("a surrogate in UTF-8", b'{"title":"\xed\xa0\x80"}'),
    ("a lone high surrogate", rb'{"title":"\ud800"}'),
    ("a lone low surrogate", rb'{"title":"\udc00"}'),
    ("surrogates in the wrong order", rb'{"title":"\udc00\ud800"}'),
    ("a lone surrogate in a key", rb'{"title":"a","\ud800":1}'),
    ("a lone surrogate in an inner key", rb'{"title":"a","x":[{"\ud800":1}]}'),
    ("a lone surrogate in a list", rb'{"title":"a","x":[["\udfff"]]}'),
    ("a lone surrogate at the greatest depth", nested(MAX_DEPTH, r'"\ud800"').encode()),
    ("a lone surrogate in a key at the greatest depth", nested(MAX_DEPTH - 1, r'{"\ud800":1}').encode()),
    ("a duplicate key", b'{"title":"a","title":"a"}'),
    ("a duplicate key by an escape", rb'{"title":"a","titl\u0065":"b"}'),
    ("a duplicate key within", b'{"title":"a","x":{"y":1,"y":2}}'),
    ("a duplicate key in a list", b'{"title":"a","x":[{"y":1,"y":2}]}'),
    ("one level too many", nested(MAX_DEPTH + 1).encode()),
    ("one list too many", nested(MAX_DEPTH + 1, lists=True).encode()),
    ("an empty list too deep", nested(MAX_DEPTH, "[]").encode()),
    ("an empty object too deep", nested(MAX_DEPTH, "{}").encode()),
    ("one value too many", ('{"a":[' + ",".join(["0"] * MAX_VALUES) + "]}").encode()),
    ("one member too many", ("{" + ",".join(f'"{n}":""' for n in range(MAX_VALUES + 1)) + "}").encode()),
    ("too many lists, behind a text without end", b'{"a":[' + b"[]," * MAX_VALUES + b'"\\"' + b'\\"' * 100_000),
    ("a hundred thousand levels", b'{"a":' + b"[" * 100_000),
    ("a hundred thousand levels, closed", nested(100_000, lists=True).encode()),
]
UNDERSTOOD: list[tuple[str, str]] = [
    ("the greatest depth", nested(MAX_DEPTH)),
    ("the greatest depth of lists", nested(MAX_DEPTH, lists=True)),
    ("many brackets side by side", '{"a":[' + ",".join(["{}"] * 100) + "]}"),
    ("as many values as may be", '{"a":[' + ",".join(["0"] * (MAX_VALUES - 2)) + "]}"),
    ("commas and brackets in texts", '{"a":["' + r"[,{\\,\"," * 10_000 + '","' + "," * 100_000 + '"]}'),
    ("brackets in text", '{"a":"' + "[{" * 100 + '"}'),
    ("a pair of surrogates", r'{"a":"\ud83d\ude00"}'),
    ("a backslash before a u", r'{"a":"\\ud800"}'),
    ("equal keys in different objects", '{"a":[{"b":1},{"b":1}]}'),
    ("a long number", '{"a":' + "9" * 5000 + "}"),
    ("a great exponent", '{"a":1e999999999}'),
]


async def test_malformed_json(client: Client) -> None:
    """A body that is no JSON object, or that is ambiguous, gets an error from every write with a body."""
    await made(client, "tasks")
    writes = [("POST", "/tasks"), ("PUT", "/tasks/1"), ("PATCH", "/tasks/1"), ("POST", "/tasks/bulk")]

    for name, content in MALFORMED:
        for method, path in [*writes, ("POST", "/products/1/stock")]:
            response = await client.request(method, path, content=content, headers=JSON)
            assert (400, "malformed_json") == asked(response), (name, method, path)
    assert 1 == len(await log(client))


async def test_unusual_json(client: Client) -> None:
    """Unusual but unambiguous JSON is read, and fails only because its field is unknown."""
    for name, content in UNDERSTOOD:
        response = await client.post("/tasks", content='{"title":"t",' + content[1:], headers=JSON)
        assert [("/a", "unknown_field")] == violations(response), name


@pytest.mark.parametrize("content", [b' \r\n\t{ "title" : "a" } \n', rb'{"t\u0069tle":"\u0061"}'])
async def test_spelling_of_json(client: Client, content: bytes) -> None:
    """Whitespace and escapes make no difference."""
    assert "a" == (await client.post("/tasks", content=content, headers=JSON)).json()["title"]


async def test_duplicate_key_among_very_many(client: Client) -> None:
    """The time to find a duplicate key does not grow with the square of the keys."""
    keys = ",".join(f'"{number:x}":0' for number in range(MAX_VALUES - 3))

    response = await client.post("/tasks", content=f'{{{keys},"x":1,"x":2}}', headers=JSON)

    assert (400, "malformed_json") == asked(response)
    assert "duplicate key 'x'" in response.json()["detail"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; Charset=utf8",
        "application/json;",
        "application/json; profile=x",
    ],
)
async def test_media_types_of_json(client: Client, media_type: str) -> None:
    """JSON is accepted with any parameters, in UTF-8 or without a charset."""
    response = await client.post("/tasks", content=GOOD, headers={"Content-Type": media_type})

    assert 201 == response.status_code


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/merge-patch+json",
        "application/problem+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/json; charset",
        "application/json, application/json",
        "json",
        "*/*",
    ],
)
async def test_media_types_that_are_not_taken(client: Client, media_type: str) -> None:
    """Any other type gets an error that names the accepted types."""
    for path in ("/tasks", "/tasks/bulk"):
        response = await client.post(path, content=GOOD, headers={"Content-Type": media_type})
        assert (415, "unsupported_media_type") == asked(response)
        assert "application/json" == response.headers["accept"]


async def test_body_without_a_media_type(client: Client) -> None:
    """A body that does not say what it is gets the same error. A missing body is told as such."""
    for body in (GOOD, in_chunks(GOOD)):
        response = await client.post("/tasks", content=body)
        assert (415, "unsupported_media_type") == asked(response)
        assert "application/json" == response.headers["accept"]

    assert (400, "malformed_json") == asked(await client.post("/tasks"))


async def test_media_types_of_patches(client: Client) -> None:
    """PATCH accepts merge patches, and plain JSON as well, and says so in its own header."""
    await made(client, "tasks")
    for headers in (JSON, MERGE_PATCH, {"Content-Type": "application/merge-patch+json; charset=utf-8"}):
        assert 200 == (await client.patch("/tasks/1", content=GOOD, headers=headers)).status_code
    for refused in ("application/json-patch+json", "text/plain"):
        response = await client.patch("/tasks/1", content=GOOD, headers={"Content-Type": refused})
        assert (415, "unsupported_media_type") == asked(response)
        assert "application/json, application/merge-patch+json" == response.headers["accept-patch"]
        assert "accept" not in response.headers


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "gzip, identity", "x"])
async def test_compressed_bodies(client: Client, encoding: str) -> None:
    """A compressed body is refused, so that none can grow when it is decompressed."""
    response = await client.post("/tasks", content=GOOD, headers={**JSON, "Content-Encoding": encoding})

    assert (415, "unsupported_media_type") == asked(response)
    assert "identity" == response.headers["accept-encoding"]


async def test_identity_is_no_compression(client: Client) -> None:
    """A body with the encoding `identity` is accepted."""
    for encoding in ("identity", ""):
        response = await client.post("/tasks", content=GOOD, headers={**JSON, "Content-Encoding": encoding})
        assert 201 == response.status_code


async def in_chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    """Yield a body without a Content-Length."""
    for each in chunks:
        yield each


WRITES: list[tuple[str, str]] = [
    ("POST", "/tasks"),
    ("PUT", "/tasks/1"),
    ("PATCH", "/tasks/1"),
    ("DELETE", "/tasks/1"),
    ("POST", "/tasks/1/restore"),
    ("POST", "/products/1/stock"),
    ("POST", "/tasks/bulk"),
]


async def test_too_large(store: Store) -> None:
    """Every write refuses a body over the limit, with a Content-Length or in chunks, and closes the connection."""
    limit = 1024
    async with serving(store, max_body=limit) as client:
        await made(client, "tasks")
        for method, path in WRITES:
            bodies: list[Any] = [b" " * (limit + 1), in_chunks(b" " * limit, b" "), in_chunks(*[b" "] * (limit + 1))]
            for body in bodies:
                response = await client.request(method, path, content=body, headers=JSON)
                assert (413, "body_too_large") == asked(response), (method, path)
                assert "close" == response.headers["connection"]
        assert 1 == len(await log(client))


async def test_just_large_enough(store: Store) -> None:
    """A body of exactly the limit is accepted, with a Content-Length or in chunks."""
    limit = 1024
    whole = GOOD.ljust(limit)
    async with serving(store, max_body=limit) as client:
        for body in (
            whole,
            in_chunks(whole[:7], b"", whole[7:]),
            in_chunks(*(whole[at : at + 1] for at in range(limit))),
        ):
            assert 201 == (await client.post("/tasks", content=body, headers=JSON)).status_code


async def test_too_large_is_refused_unread(store: Store) -> None:
    """A body with too large a Content-Length is not read at all; chunks are not read beyond the limit."""
    read: list[bytes] = []

    async def noted() -> AsyncIterator[bytes]:
        for _ in range(10):
            read.append(b" " * 1000)
            yield read[-1]

    async with serving(store, max_body=1024) as client:
        announced = {**JSON, "Content-Length": "10000"}
        assert 413 == (await client.post("/tasks", content=noted(), headers=announced)).status_code
        assert [] == read
        assert 413 == (await client.post("/tasks", content=noted(), headers=JSON)).status_code
    assert 2 == len(read)


@pytest.mark.parametrize("length", ["x", "-1", "+1", "1.0", "1, 1", "0x1", "9" * 5000])
async def test_lengths_that_are_none(client: Client, length: str) -> None:
    """An invalid Content-Length gets an error, in case a server ever lets it pass."""
    response = await client.post("/tasks", content=in_chunks(GOOD), headers={**JSON, "Content-Length": length})

    assert response.status_code == (413 if length.isdigit() else 400)


async def test_client_that_leaves(client: Client) -> None:
    """A client that disconnects during its body changes nothing and breaks nothing."""
    messages = iter([{"type": "http.request", "body": GOOD[:5], "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await client.service.app(scope_of("http", b"/tasks", [(b"host", HOST.encode())], method="POST"), receive, send)

    assert sent[0]["status"] == 499
    assert [] == await log(client)
