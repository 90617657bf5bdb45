"""Who may cache a response, and how a client revalidates it."""

import pytest

from domain.ports import Store
from tests.http.service import Client, serving
from tests.http.steps import COLLECTIONS, MINIMAL, deleted, made

pytestmark = pytest.mark.anyio

PRIVATE = [
    *(f"/{each}{rest}" for each in COLLECTIONS for rest in ("", "?limit=1", "/1", "/1/history")),
    "/webhooks",
    "/webhooks/1",
    "/webhooks/1/deliveries",
]
PUBLIC = ["/", "/openapi.json", "/docs", "/app/", "/problems/not_found", "/static/style.css"]
NEVER = ["/healthz", "/readyz", "/changes", "/changes?after=now", "/nope", "/tasks/9", "/tasks?x=1", "/static/nope.css"]


async def prepare(client: Client) -> None:
    """Create one of each thing that can be read."""
    for each in COLLECTIONS:
        await made(client, each)
    assert 201 == (await client.post("/webhooks", json={"url": "https://example.com/"})).status_code


@pytest.mark.parametrize(
    ("policy", "paths"), [("private, no-cache", PRIVATE), ("no-cache", PUBLIC), ("no-store", NEVER)]
)
async def test_policies(client: Client, policy: str, paths: list[str]) -> None:
    """The caller may cache data, and everybody may cache pages. Nobody may cache momentary facts or errors."""
    await prepare(client)
    for path in paths:
        for method in ("GET", "HEAD"):
            response = await client.request(method, path)
            assert policy == response.headers["cache-control"], path


@pytest.mark.parametrize("path", [*PRIVATE, *PUBLIC])
async def test_what_may_be_kept_can_be_asked_for(client: Client, path: str) -> None:
    """Every response that may be cached has an etag, and 304 has the same policy."""
    await prepare(client)
    shown = await client.get(path)

    for headers in ({}, {"Accept-Encoding": "gzip"}):
        response = await client.get(path, headers={**headers, "If-None-Match": shown.headers["etag"]})
        assert (304, b"") == (response.status_code, response.content)
        for name in ("etag", "cache-control", "vary"):
            assert shown.headers[name] == response.headers[name]
    for other in ('"x"', "x", ""):
        assert 200 == (await client.get(path, headers={"If-None-Match": other})).status_code


async def test_writes_are_not_kept(client: Client) -> None:
    """Nobody may cache the response to a write. It may hold a secret."""
    for method, path, body in (
        ("POST", "/tasks", MINIMAL["tasks"]),
        ("PUT", "/tasks/1", {"title": "b"}),
        ("DELETE", "/tasks/1", None),
        ("POST", "/tasks/1/restore", None),
        ("POST", "/tasks/bulk", {"operations": [{"op": "delete", "id": 1}]}),
        ("POST", "/webhooks", {"url": "https://example.com/"}),
        ("OPTIONS", "/tasks", None),
        ("BREW", "/tasks", None),
    ):
        assert "no-store" == (await client.request(method, path, json=body)).headers["cache-control"]


async def test_tag_of_a_history_covers_it(client: Client) -> None:
    """A history gets another etag when it grows."""
    await deleted(client, "tasks")
    before = await client.get("/tasks/1/history")
    await client.post("/tasks/1/restore")

    after = await client.get("/tasks/1/history", headers={"If-None-Match": before.headers["etag"]})

    assert 200 == after.status_code
    assert before.headers["etag"] != after.headers["etag"]


async def test_answers_of_streams_are_not_kept(client: Client) -> None:
    """A stream is not cached."""
    async with client.stream("GET", "/changes/stream") as response:
        assert "no-store" == response.headers["cache-control"]


async def test_what_an_answer_depends_on(client: Client, store: Store) -> None:
    """Every response varies by what the client accepts, used or not, and by the Origin where CORS is set."""
    for path in [*PRIVATE, "/nope", "/healthz"]:
        assert "Accept, Accept-Encoding" == (await client.get(path)).headers["vary"]
    async with serving(store, origins=("https://shop.example",)) as shared:
        assert "Accept, Accept-Encoding, Origin" == (await shared.get("/tasks")).headers["vary"]
        assert "Accept-Encoding, Origin" == (await shared.get("/static/style.css")).headers["vary"]
    async with serving(store, origins=("*",)) as shared:
        assert "Accept, Accept-Encoding" == (await shared.get("/tasks")).headers["vary"]
