"""Pages of other origins: allowed ones read and write, all others do neither."""

from collections.abc import AsyncIterator

import pytest

from adapters.http.middleware.cross_origin import EXPOSED
from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, asked, log

pytestmark = pytest.mark.anyio

ORIGIN = "https://shop.example"
STRANGER = "https://stranger.example"
CONTRACT = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "X-Process-Time",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
)


@pytest.fixture
async def shared(store: Store) -> AsyncIterator[Client]:
    """Return a client of a service that allows one origin."""
    async with serving(store, origins=(ORIGIN,)) as client:
        yield client


def preflight(
    method: str, origin: str = ORIGIN, headers: str = "content-type, if-match, idempotency-key"
) -> dict[str, str]:
    """Return the headers of a browser's preflight for a request."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


async def test_preflight(shared: Client) -> None:
    """An allowed page may use every method of the path, and every header."""
    for methods, path in (
        ("GET, POST, HEAD, OPTIONS", "/tasks"),
        ("GET, PUT, PATCH, DELETE, HEAD, OPTIONS", "/tasks/1"),
        ("POST, OPTIONS", "/tasks/bulk"),
        ("GET, HEAD, OPTIONS", "/static/style.css"),
        ("GET, HEAD, OPTIONS", "/changes/stream"),
    ):
        response = await shared.options(path, headers=preflight("PUT"))
        assert (204, b"", ORIGIN) == (
            response.status_code,
            response.content,
            response.headers["access-control-allow-origin"],
        )
        assert methods == response.headers["access-control-allow-methods"] == response.headers["allow"]
        for name in ("content-type", "if-match", "idempotency-key"):
            assert name in response.headers["access-control-allow-headers"].lower()
        assert "600" == response.headers["access-control-max-age"]
        assert "access-control-allow-credentials" not in response.headers
        assert "Origin" in response.headers["vary"]


async def test_preflight_of_another_origin(shared: Client) -> None:
    """A page that is not allowed gets the same response as a client without an origin, and no grant."""
    response = await shared.options("/tasks", headers=preflight("POST", STRANGER))

    assert (204, b"") == (response.status_code, response.content)
    assert "POST" in response.headers["allow"]
    assert "access-control-allow-origin" not in response.headers


async def test_reading(shared: Client) -> None:
    """An allowed page can read responses and problems, with all headers that it needs."""
    for path in ("/tasks", "/tasks/1", "/nope", "/changes", "/static/style.css", "/static/nope", "/tasks?x=1"):
        response = await shared.get(path, headers={"Origin": ORIGIN})
        assert ORIGIN == response.headers["access-control-allow-origin"]
        assert set(CONTRACT) == set(response.headers["access-control-expose-headers"].split(", ")) == set(EXPOSED)
        assert "Origin" in response.headers["vary"]


async def test_reading_compressed(shared: Client) -> None:
    """Compression and CORS work together."""
    response = await shared.get("/openapi.json", headers={"Origin": ORIGIN, "Accept-Encoding": "gzip"})

    assert ("gzip", ORIGIN) == (response.headers["content-encoding"], response.headers["access-control-allow-origin"])
    assert "Accept, Accept-Encoding, Origin" == response.headers["vary"]


async def test_reading_by_another_origin(shared: Client) -> None:
    """A page that is not allowed can read nothing, because no header grants it."""
    response = await shared.get("/tasks", headers={"Origin": STRANGER})

    assert 200 == response.status_code
    assert "access-control-allow-origin" not in response.headers
    assert "Accept, Accept-Encoding, Origin" == response.headers["vary"]
    assert response.headers["vary"] == (await shared.get("/tasks")).headers["vary"]


async def test_reading_what_is_refused(store: Store) -> None:
    """An allowed page can read every error, even that of an unknown host."""
    async with serving(store, origins=(ORIGIN,), hosts=("127.0.0.1",)) as client:
        response = await client.get("/tasks", headers={"Origin": ORIGIN, "Host": "example.com"})
        assert (400, "malformed_request") == asked(response)
        assert ORIGIN == response.headers["access-control-allow-origin"]


async def test_writing(shared: Client) -> None:
    """An allowed page can write, and no other page can."""
    allowed = await shared.post("/tasks", json=MINIMAL["tasks"], headers={"Origin": ORIGIN})
    refused = await shared.post("/tasks", json=MINIMAL["tasks"], headers={"Origin": STRANGER})

    assert (201, ORIGIN) == (allowed.status_code, allowed.headers["access-control-allow-origin"])
    assert (403, "bad_origin") == asked(refused)
    assert "BACKROOM_CORS_ORIGINS" in refused.json()["detail"]
    assert 1 == len(await log(shared))


async def test_streams(shared: Client) -> None:
    """An allowed page can follow the event stream."""
    async with shared.stream("GET", "/changes/stream", headers={"Origin": ORIGIN}) as response:
        assert ORIGIN == response.headers["access-control-allow-origin"]


async def test_any_origin(store: Store) -> None:
    """`*` allows every page."""
    async with serving(store, origins=("*",)) as client:
        assert 201 == (await client.post("/tasks", json=MINIMAL["tasks"], headers={"Origin": STRANGER})).status_code
        response = await client.get("/tasks", headers={"Origin": STRANGER})
        assert "*" == response.headers["access-control-allow-origin"]


async def test_no_origin_by_default(client: Client) -> None:
    """Without the setting, no response has a CORS header."""
    read = await client.get("/tasks", headers={"Origin": ORIGIN})
    asked_first = await client.options("/tasks", headers=preflight("POST"))

    for response in (read, asked_first):
        assert not [name for name in response.headers if name.startswith("access-control-")]
    assert 204 == asked_first.status_code
